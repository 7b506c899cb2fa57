"""Does it help to do what the leakage report advises?

    python tools/advice_study.py [--only delta gamma] [--steps 3000] [--out runs/advice]

Each case is a fit with one setting that is wrong. The report's gravest finding about it names a knob; that knob is
turned to the value that stands in the advice, and the fit is made again, everything else the same. A line of the
table (Markdown): what was found and advised; then, before and after: the finding's severity, how well nearest
neighbours and a line tell the session from the unsupervised latents, the R2 of causes by one map for all sessions.
Fits are kept in --out and not repeated.
"""

import argparse
import re
import warnings
from pathlib import Path

from mspsvae.config import Config
from mspsvae.judge.evaluate import evaluate
from mspsvae.judge.leakage import leakage
from mspsvae.runs import load_run
from mspsvae.scenes import Scenario, make_scenario
from mspsvae.train import fit

warnings.simplefilter('ignore')  # what is odd is in the report
ADVICE = re.compile(r'(\w+)=([^\s,;:]+) \(now')
PLAIN = dict(turn_back=False, pca_start=0)  # what would hide the fault is off
PAPER = PLAIN | dict(static_background=False, gamma=0, beta=10, delta=50, n_background=3)
CASES = {  # name: sessions, settings, a word of the finding that is meant
    'delta': (4, PLAIN | dict(delta=0, gamma=0, static_background=False), 'session'),
    'n_background': (16, PLAIN | dict(n_background=1), 'session'),
    'gamma': (4, PLAIN | dict(gamma=0), 'session'),
    'beta': (4, PLAIN | dict(beta=1), 'repeat each other'),
    'frame_std': (4, PAPER | dict(frame_std=1), 'None of the unsupervised'),
    'beta too high': (4, PLAIN | dict(beta=1e5), 'None of the unsupervised'),
    'n_unsupervised': (4, dict(n_unsupervised=8), 'hardly used'),
}


def fitted(folder, n_sessions, settings, n_steps):
    "A fit to faces, made unless it is there; its report and its scores."
    data = folder.parent / f'faces_{n_sessions}'
    make_scenario(data, Scenario(n_sessions=n_sessions, difficulty='easy', n_trials=30, n_frames=24, size=32))
    if not (folder / 'metrics.json').exists():
        n_batches = -(-24 * n_sessions // 4)
        own = dict(n_unsupervised=3, max_epochs=-(-n_steps // n_batches), device='cpu') | settings
        run = fit(data, Config(**own), out=folder, resume=folder.exists(), show_progress=False)
        evaluate(run, baseline=False)
    run = load_run(folder)
    return leakage(run), evaluate(run, baseline=False)


def figures(scores):
    "Nearest neighbours, a line, R2 of causes."
    told = [scores.value(f'session_accuracy_{k}', subspace='unsupervised') for k in ('nearest', 'linear')]
    causes = [
        f'{row.label} {row.value:.2f}'
        for row in scores.where(split='test', session='', subspace='unsupervised', score='cause_r2')
        if row.label
    ]
    return f'{told[0]:.2f}, {told[1]:.2f}; {", ".join(causes)}'


def meant(report, word):
    "The gravest finding with the word that advises a value; None if there is none."
    found = [f for f in report['findings'] if word in f['text'] and f['subspace'] in ('unsupervised', 'all')]
    return next((f for f in found if ADVICE.search(f['knob'])), found[0] if found else None)


def line(name, out, n_steps):
    "A row of the table."
    n_sessions, settings, word = CASES[name]
    slug = name.replace(' ', '_')
    report, scores = fitted(out / slug, n_sessions, settings, n_steps)
    found = meant(report, word)
    start = f'| {name} | {", ".join(f"{k}={v}" for k, v in settings.items() if k not in PLAIN)} '
    advice = found and ADVICE.search(found['knob'])
    if not advice:
        said = f'{found["severity"]}, no value advised: {found["knob"]}' if found else 'nothing'
        return f'{start}| {said} | {figures(scores)} | | |'
    field, value = advice.groups()
    turned = Config(**{field: value.strip("'") if not value[0].isdigit() else float(value)}).to_dict()[field]
    after, better = fitted(out / f'{slug}_after', n_sessions, settings | {field: turned}, n_steps)
    left = meant(after, word)
    return (
        f'{start}| {found["severity"]}: {field}={turned} | {figures(scores)} '
        f'| {left["severity"] if left else "nothing"} | {figures(better)} |'
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--only', nargs='*', default=list(CASES), choices=list(CASES))
    parser.add_argument('--steps', type=int, default=3000)
    parser.add_argument('--out', type=Path, default=Path('runs/advice'))
    args = parser.parse_args()
    print('| case | settings | found, advised | before: nearest, line; causes | after: found | after |')
    print('|---|---|---|---|---|---|')
    for name in args.only:
        print(line(name, args.out, args.steps), flush=True)


if __name__ == '__main__':
    main()

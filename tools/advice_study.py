"""Does the advice of the leakage report help? Fits with one knob turned wrong, and the same fits after the advice.

    python tools/advice_study.py [--cases delta gamma ...] [--epochs 60] [--keep tests/golden/advice.csv]

Each case is a fit of the demo's animal (32 pixels, 20 trials of 25 frames a session) with the settings in its name
changed. `leakage` judges it, the first advice that names a setting (`beta=50 (now 5)`) is followed, and the fit is
made again. A line says what was seen, what was advised, and the figures before and after. Finished fits are kept
in --out and not repeated.
"""

import argparse
import csv
import re
import warnings
from pathlib import Path

import numpy as np

from mspsvae.causes import config_digest
from mspsvae.cli import flag_value
from mspsvae.config import Arch, Config
from mspsvae.judge.leakage import leakage
from mspsvae.runs import load_run, read_json
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit

BASE = dict(
    arch=Arch((8, 16, 32, 64), 5, 2),
    learning_rate=2e-3,
    n_sessions_per_batch=4,
    n_trials_per_session=1,
    n_unsupervised=2,
    anneal_epochs=20,
    warmup_steps=50,
    early_stop=False,
    device='cpu',
)
CASES = {  # name -> sessions, what is changed, and a word of the finding whose advice is followed
    'delta': (4, dict(delta=0), 'session'),
    'delta and gamma': (4, dict(delta=0, gamma=0, static_background=False, exchange=0), 'session'),
    'gamma': (4, dict(gamma=0, exchange=0), 'ession'),
    'no background': (4, dict(n_background=0, gamma=0, exchange=0), 'background'),
    'narrow background': (8, dict(n_background=1), 'ession'),
    'background that moves': (4, dict(static_background=False, exchange=0), 'hides in the background'),
    'doubles': (4, dict(beta=5, n_unsupervised=4), 'tell of each other'),
    'nothing is used': (4, dict(beta=10_000), 'None of the unsupervised'),
    'too many': (4, dict(n_unsupervised=6), 'unsupervised'),
}
FIGURES = (
    'findings',
    'between',
    'nearest',
    'background_nearest',
    'cause_r2',
    'label_r2',
    'hidden_r2',
    'twins',
    'nats',
    'used',
)


def made(root, n_sessions, changed, epochs):
    "A fit and its report, made unless they are there."
    data = root / f'data_{n_sessions}'
    if not data.exists():
        make_sessions(data, n_sessions=n_sessions, n_trials=20, n_frames=25, size=(32, 32), jaw_size=2.0)
    config = Config(**BASE | dict(max_epochs=epochs) | changed)
    folder = root / f'{config_digest(config)}_{n_sessions}'
    if not (folder / 'leakage.json').exists():
        leakage(fit(data, config, out=folder, resume=folder.exists(), show_progress=False))
    return load_run(folder).config, read_json(folder / 'leakage.json')


def best(scores):
    "Mean over names of the best of several maps."
    rows = [np.nan_to_num([v or 0 for v in s.values()]) for s in scores.values()] if scores else []
    return float(np.fmax.reduce(rows).mean()) if rows else float('nan')


def figures(report):
    "What the table shows of a report."
    spaces = report['subspaces']
    mine = [l for l in report['latents'] if l['subspace'] == 'unsupervised']
    behind = [b['r2'] for b in report['behind'] or [] if b['kind'] in ('labels', 'causes')]
    background = spaces.get('background', {}).get('session_accuracy')
    gravest = [f['severity'] for f in report['findings'] if f['subspace'] == 'unsupervised']
    return dict(
        findings='/'.join(gravest),
        between=max(l['variance']['corrected'] or 0 for l in mine),
        nearest=spaces['unsupervised']['session_accuracy']['nearest'],
        background_nearest=background['nearest'] if background else float('nan'),
        cause_r2=best(spaces['unsupervised']['cause_r2']),
        label_r2=best(spaces['supervised']['label_r2']),
        hidden_r2=max(behind, default=float('nan')),
        twins=max((d['r2'] for d in report['doubles'] if not d['is_label']), default=0.0),
        nats=sum(l['kl'] or 0 for l in mine),
        used=sum(l['used'] for l in mine),
    )


def advised(report, word):
    "The finding, and the first setting that it names with its value."
    for f in report['findings']:
        named = re.search(r"(\w+)=([\w.'+-]+)", f['knob'])
        if word in f['text'] and named:
            return f, {named[1]: flag_value(named[2].strip("'"))}
    return None, {}


def row(root, name, epochs):
    "A line of the table."
    n_sessions, changed, word = CASES[name]
    before = made(root, n_sessions, changed, epochs)[1]
    told, knob = advised(before, word)
    text = f'{told["severity"]}: {told["text"].split(":")[0]}' if told else ''
    said = ' '.join(f'{k}={v}' for k, v in changed.items())
    line = dict(
        case=name,
        sessions=n_sessions,
        settings=said,
        seen=text,
        advice=' '.join(f'{k}={v}' for k, v in knob.items()),
    )
    after = made(root, n_sessions, changed | knob, epochs)[1] if knob else None
    for when, report in (('before', before), ('after', after)):
        found = figures(report) if report else dict.fromkeys(FIGURES, '')
        line |= {f'{k}_{when}': v if isinstance(v, str | int) else f'{v:.2f}' for k, v in found.items()}
    return line


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--cases', nargs='+', choices=list(CASES), default=list(CASES))
    parser.add_argument('--epochs', type=int, default=60)
    parser.add_argument('--keep', type=Path, default=Path('tests/golden/advice.csv'))
    parser.add_argument('--out', type=Path, default=Path('runs/advice'))
    args = parser.parse_args()
    warnings.simplefilter('ignore')  # what is odd is in the reports
    with args.keep.open('w', newline='') as file:
        writer = None
        for name in args.cases:
            line = row(args.out, name, args.epochs)
            print(line, flush=True)
            writer = writer or csv.DictWriter(file, line, lineterminator='\n')
            if not file.tell():
                writer.writeheader()
            writer.writerow(line)
            file.flush()


if __name__ == '__main__':
    main()

"""What the options beyond the paper do, on made-up sessions whose causes are known.

    python tools/options_study.py [--seeds 3] [--epochs 36] [--out runs/study]

Fits the demo's sessions with the published objective and with each option added, several seeds each, and prints a table (Markdown):
mean and range over seeds of the label R2, the session accuracy of each subspace, and the R2 of each unlabelled cause from each subspace.
Finished fits are kept in --out and not repeated.
"""
import argparse
import json
import os
from pathlib import Path

from mspsvae.cli import DEMO_CONFIG
from mspsvae.config import Config
from mspsvae.evaluate import evaluate
from mspsvae.runs import load_run
from mspsvae.synthetic import DEMO, make_sessions
from mspsvae.train import fit

PAPER = dict(frame_std=1., static_background=False, gamma=0., standard_start=False)
VARIANTS = {
    'the paper (unit variance)': PAPER,
    '+ standard start': PAPER | dict(standard_start=True),
    '+ calibrated std': PAPER | dict(standard_start=True, frame_std='auto'),
    '+ static background': PAPER | dict(standard_start=True, frame_std='auto', static_background=True),
    '+ session information (all four: the demo)': dict(standard_start=True, frame_std='auto', static_background=True, gamma=DEMO_CONFIG['gamma']),
    'all but the static background': dict(standard_start=True, frame_std='auto', static_background=False, gamma=DEMO_CONFIG['gamma']),
    'all but the standard start': dict(standard_start=False, frame_std='auto', static_background=True, gamma=DEMO_CONFIG['gamma']),
}
COLUMNS = {
    'label R2': lambda s: s['label_r2']['all'],
    'sessions from background': lambda s: s['session_accuracy']['background']['linear'],
    'sessions from unsupervised': lambda s: s['session_accuracy']['unsupervised']['linear'],
    'jaw from unsupervised': lambda s: s['cause_r2']['unsupervised']['by_cause']['jaw'],
    'chest from unsupervised': lambda s: s['cause_r2']['unsupervised']['by_cause']['chest'],
    'jaw from background': lambda s: s['cause_r2']['background']['by_cause']['jaw'],
    'chest from background': lambda s: s['cause_r2']['background']['by_cause']['chest'],
}


def scores(data, folder, settings):
    "Scores of one fit, made unless it is there."
    if not (folder/'metrics.json').exists(): evaluate(fit(data, Config(**settings), out=folder, resume=folder.exists(), show_progress=False))
    return json.loads((load_run(folder).path/'metrics.json').read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--epochs', type=int, default=36)
    parser.add_argument('--out', type=Path, default=Path('runs/study'))
    args = parser.parse_args()
    data = args.out/'data'
    if not data.exists(): make_sessions(data, **DEMO)
    print(f'| objective | {" | ".join(COLUMNS)} |\n|{"---|"*(len(COLUMNS) + 1)}')
    for k, (name, options) in enumerate(VARIANTS.items()):
        base = DEMO_CONFIG | dict(max_epochs=args.epochs, anneal_epochs=args.epochs//3) | options
        results = [scores(data, args.out/f'{k}_{seed}', base | dict(seed_model=seed, seed_train=seed)) for seed in range(args.seeds)]
        cells = [[f(r) for r in results] for f in COLUMNS.values()]
        print(f'| {name} | ' + ' | '.join(f'{sum(c)/len(c):.2f} ({min(c):.2f} to {max(c):.2f})' for c in cells) + ' |', flush=True)


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    main()

"""What the options beyond the paper do, on made-up sessions whose causes are known.

    python tools/options_study.py [--seeds 3] [--epochs 40] [--out runs/study]

Fits the demo's sessions with the published objective, with all options, and with each of them left out,
several seeds each, and prints a table (Markdown):
mean and range over seeds of the label R2, the session accuracy of each subspace, and the R2 of each
unlabelled cause from each subspace.
Finished fits are kept in --out and not repeated.
"""

import argparse
from pathlib import Path

from mspsvae.cli import DEMO_CONFIG
from mspsvae.config import Config
from mspsvae.judge.evaluate import evaluate
from mspsvae.judge.scores import read_scores
from mspsvae.synthetic import DEMO, make_sessions
from mspsvae.train import fit

SMALL = {k: DEMO_CONFIG[k] for k in ('arch', 'learning_rate', 'device')}  # all else is the paper's
OURS = dict(frame_std='auto', static_background=True, gamma=100.0, standard_start=True)
PAPER = dict(
    frame_std=1.0, static_background=False, gamma=0.0, standard_start=False
)  # with BehaveNet's first weights too
VARIANTS = {
    'the paper': PAPER,
    'all four': OURS,
    'without the calibrated std': OURS | dict(frame_std=1.0),
    'without the static background': OURS | dict(static_background=False),
    'without session information': OURS | dict(gamma=0.0),
    'without the standard start': OURS | dict(standard_start=False),
}
OF_CAUSES = [(cause, space) for space in ('unsupervised', 'background') for cause in ('jaw', 'chest')]
COLUMNS = {'label R2': dict(score='label_r2')}  # -> which row of the scores
for space in ('background', 'unsupervised'):
    COLUMNS[f'sessions from {space}'] = dict(score='session_accuracy_linear', subspace=space)
for cause, space in OF_CAUSES:
    COLUMNS[f'{cause} from {space}'] = dict(score='cause_r2', subspace=space, label=cause)


def scores(data, folder, settings):
    "Scores of one fit, made unless it is there."
    path = folder / 'metrics.json'
    if not path.exists():
        evaluate(fit(data, Config.paper(**settings), out=folder, resume=folder.exists(), show_progress=False))
    return read_scores(path)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--epochs', type=int, default=40)
    parser.add_argument('--out', type=Path, default=Path('runs/study'))
    args = parser.parse_args()
    data = args.out / 'data'
    if not data.exists():
        make_sessions(data, **DEMO)
    print(f'| objective | {" | ".join(COLUMNS)} |\n|{"---|" * (len(COLUMNS) + 1)}')
    for k, (name, options) in enumerate(VARIANTS.items()):
        base = SMALL | dict(max_epochs=args.epochs, anneal_epochs=args.epochs // 3) | options
        results = [
            scores(data, args.out / f'{k}_{seed}', base | dict(seed_model=seed, seed_train=seed))
            for seed in range(args.seeds)
        ]
        cells = [[r.value(**wanted) for r in results] for wanted in COLUMNS.values()]
        print(
            f'| {name} | '
            + ' | '.join(f'{sum(c) / len(c):.2f} ({min(c):.2f} to {max(c):.2f})' for c in cells)
            + ' |',
            flush=True,
        )


if __name__ == '__main__':
    main()

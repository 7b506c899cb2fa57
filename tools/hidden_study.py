"""Do unsupervised latents find a hidden label, and on the same axis in every session?

    python tools/hidden_study.py [--seeds 0,1,2] [--epochs 60] [--hide paw_left_y] [--latents 3]
                                 [--data FOLDER] [--set pca_start=0 gamma=0 ...] [--out runs/hidden]

Fits the demo's sessions (or those in --data) with a label hidden, several seeds, and prints a line (Markdown) for
each fit: R2 of hidden labels and causes from the unsupervised latents of test trials, by one linear map for all
sessions and, in brackets, by a map for each; how well sessions are told from them (nearest neighbours); label R2.
Finished fits are kept in --out and not repeated.
"""

import argparse
from pathlib import Path

from mspsvae.causes import config_digest
from mspsvae.cli import DEMO_CONFIG, typed_settings
from mspsvae.config import Config
from mspsvae.judge.evaluate import evaluate
from mspsvae.judge.scores import read_scores
from mspsvae.synthetic import DEMO, make_sessions
from mspsvae.train import fit


def scores_of(data, folder, settings):
    "Scores of one fit, made unless it is there."
    path = folder / 'metrics.json'
    if not path.exists():
        evaluate(fit(data, settings, out=folder, resume=folder.exists(), show_progress=False), baseline=False)
    return read_scores(path)


def line(scores, seed):
    "A row of the table."
    cells = []
    for kind in ('hidden_r2', 'cause_r2'):
        for row in scores.where(split='test', session='', subspace='unsupervised', score=kind):
            if row.label:
                where = dict(subspace='unsupervised', label=row.label)
                own = scores.value(f'{kind}_own_maps', **where)
                cells.append(f'{row.label} {row.value:.2f} ({own:.2f})')
    nearest = scores.value('session_accuracy_nearest', subspace='unsupervised')
    return f'| {seed} | {", ".join(cells)} | {nearest:.2f} | {scores.value("label_r2_within"):.2f} |'


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seeds', default='0,1,2')
    parser.add_argument('--epochs', type=int, default=60)
    parser.add_argument('--hide', default='paw_left_y')
    parser.add_argument('--latents', type=int, default=3)
    parser.add_argument('--data', type=Path)
    parser.add_argument('--set', nargs='*', default=[])
    parser.add_argument('--out', type=Path, default=Path('runs/hidden'))
    args = parser.parse_args()
    data = args.data or args.out / 'data'
    if not data.exists():
        make_sessions(data, **DEMO)
    changed = typed_settings(args.set)
    base = DEMO_CONFIG | dict(
        max_epochs=args.epochs, hide_labels=args.hide, n_unsupervised=args.latents, **changed
    )
    print('| seed | R2, one map (own maps) | sessions, nearest | label R2 |\n|---|---|---|---|', flush=True)
    for seed in map(int, args.seeds.split(',')):
        config = Config(**base | dict(seed_model=seed, seed_train=seed))
        folder = args.out / f'{config_digest(config)}-seed{seed}'
        print(line(scores_of(data, folder, config), seed), flush=True)


if __name__ == '__main__':
    main()

"""A pair of films of a head-fixed mouse, one with poses and one without, from the files to a report.

    python tools/mirror_study.py FOLDER --out runs/mirror

FOLDER contains 180607_004.mp4 with 180607_004.rng0.csv (Lightning Pose) and test_vid.mp4 (no poses), of
github.com/paninski-lab/eks. The mouse is seen twice, in a mirror and from below. Prints the scores of the labelled
session, what leaked, and whether the report was made; a second fit of the same frames tells how much of the view
that was left out (`--hide`) is found in the unsupervised latents.
"""

import argparse
import sys
from pathlib import Path

from mspsvae import Config, evaluate, leakage, report
from mspsvae.judge.evaluate import summarise
from mspsvae.judge.leakage import describe_leakage
from mspsvae.prepare.prepare import prepare_sessions
from mspsvae.sessions import check_sessions
from mspsvae.train import fit

PAWS = [f'paw{k}_{view}' for view in ('top', 'bot') for k in ('1LH', '2LF', '3RF', '4RH')]


def prepared(folder, out, size, trial_length):
    "The two sessions, one without labels."
    rows = [
        dict(id='labelled', video=folder / '180607_004.mp4', poses=folder / '180607_004.rng0.csv'),
        dict(id='bare', video=folder / 'test_vid.mp4'),
    ]
    settings = dict(size=size, trial_length=trial_length, keypoints=PAWS, trim=True)
    return prepare_sessions(rows, out, workers=1, show_progress=False, **settings)


def main():
    "Prepare, fit, score, report."
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path)
    parser.add_argument('--out', type=Path, required=True)
    parser.add_argument('--size', type=int, default=64, help='of the longer side in pixels [64]')
    parser.add_argument('--trial-length', type=int, default=25, help='frames [25]')
    parser.add_argument('--epochs', type=int, default=100)
    parser.add_argument('--latents', type=int, default=2, help='unsupervised ones [2]')
    parser.add_argument('--resume', action='store_true', help='go on with the fit in --out')
    parser.add_argument('--hide', default='', help='labels that the fit must not see, with commas')
    args = parser.parse_args()
    paths = prepared(args.folder, args.out / 'sessions', args.size, args.trial_length)
    hidden = tuple(name for name in args.hide.split(',') if name)
    settings = dict(unlabelled_sessions=True, hide_labels=hidden, n_unsupervised=args.latents)
    config = Config(**settings, max_epochs=args.epochs, device='cpu')
    print(check_sessions(paths, config))
    run = fit(paths, config, out=args.out / 'run', resume=args.resume, show_progress=sys.stderr.isatty())
    scores = evaluate(run)
    print(summarise(scores), flush=True)
    leak = leakage(run)
    print(describe_leakage(leak), flush=True)
    print(report(run, scores=scores, leak=leak))


if __name__ == '__main__':
    main()

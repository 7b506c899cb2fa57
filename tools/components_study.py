"""What do the first components know of the causes, before any fit, and what does a PCA of the pixels?

    python tools/components_study.py [--scenes face mouse body arm] [--difficulty easy hard] [--sessions 4 16]
                                     [--size 48] [--seed 3] [--out runs/components]

Draws sessions whose causes are known, 40 trials of 24 frames each, and prints a line (Markdown) for each kind: R2 of
the causes by one straight line for all sessions, and the correlation of each with the best single component. Maps are
fitted to three quarters of the trials, every fourth one is scored. Both know the mean image of each session and its
labels, whose share is taken out, and have as many components as there are causes.
"""

import argparse
from itertools import product
from pathlib import Path

import h5py
import numpy as np
import torch
from sklearn.linear_model import LinearRegression

from mspsvae.batches import TrialReader
from mspsvae.components import mean_images, moving_components
from mspsvae.judge.baseline import fit_baseline
from mspsvae.scenes import SCENES, Scenario, make_scenario
from mspsvae.sessions import check_sessions


def scored(scores, causes, test):
    "R2 by one line for all, and the best single correlation, of each cause, on test trials"
    u, c = scores[test], causes[test]
    error = ((LinearRegression().fit(scores[~test], causes[~test]).predict(u) - c) ** 2).sum(0)
    best = np.abs(np.corrcoef(u.T, c.T)[: u.shape[1], u.shape[1] :]).max(0)
    return 1 - error / ((c - c.mean(0)) ** 2).sum(0), best


def of_components(reader, batches, trials, n):
    "Scores on the components that a fit begins with"
    found = moving_components(reader, trials, mean_images(reader, trials), n)
    return torch.cat([found.scores(b) for b in batches]).numpy()


def of_pixels(batches, n):
    "Scores on principal components of the pixels, labels regressed out"
    frames = torch.cat([b.frames for b in batches]).flatten(1).numpy().astype(np.float32) / 255
    session = torch.cat([b.session for b in batches]).numpy()
    labels = torch.cat([b.labels - b.labels.mean(0) for b in batches]).numpy()
    known = fit_baseline(frames, session, labels, n)
    return known.components(frames - known.still[session], labels)


def line(root, scenario):
    "A row of the table"
    paths = make_scenario(root / '-'.join(map(str, vars(scenario).values())), scenario)
    trials, causes = [list(range(scenario.n_trials))] * len(paths), []
    for path in paths:
        with h5py.File(path) as f:
            causes += [f['causes'][k][()] for k in sorted(f['causes'])]
    test = np.repeat(np.tile(np.arange(scenario.n_trials) % 4 == 0, len(paths)), scenario.n_frames)
    causes = np.concatenate(causes)
    with TrialReader(check_sessions(paths).infos) as reader:
        batches = [reader.batch([(s, t, True) for t in own]) for s, own in enumerate(trials)]
        n = causes.shape[1]
        both = of_components(reader, batches, trials, n), of_pixels(batches, n)
    figures = [', '.join(f'{v:.2f}' for v in values) for z in both for values in scored(z, causes, test)]
    what = f'{scenario.scene} ({", ".join(scenario.kind.causes)}), {scenario.difficulty}'
    return f'| {what} | {scenario.n_sessions} | {" | ".join(figures)} |'


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scenes', nargs='+', default=['face', 'mouse', 'arm', 'body'], choices=list(SCENES))
    parser.add_argument('--difficulty', nargs='+', default=['easy', 'hard'])
    parser.add_argument('--sessions', nargs='+', type=int, default=[4, 16])
    parser.add_argument('--size', type=int, default=48)
    parser.add_argument('--seed', type=int, default=3)
    parser.add_argument('--out', type=Path, default=Path('runs/components'))
    args = parser.parse_args()
    print('| scene, difficulty | sessions | components: R2 | best single | pixels: R2 | best single |')
    print('|---|---|---|---|---|---|')
    for scene, difficulty, n_sessions in product(args.scenes, args.difficulty, args.sessions):
        sizes = dict(n_sessions=n_sessions, n_trials=40, n_frames=24, size=args.size, seed=args.seed)
        print(line(args.out, Scenario(scene=scene, difficulty=difficulty, **sizes)), flush=True)


if __name__ == '__main__':
    main()

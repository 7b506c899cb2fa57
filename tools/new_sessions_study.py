"""How often the verdict on new sessions is right, on made-up sessions whose truth is known.

    python tools/new_sessions_study.py                      three sessions of 20 trials, 60 epochs: minutes
    python tools/new_sessions_study.py --epochs 25 --frames 20     a worse model of shorter trials
    python tools/new_sessions_study.py --scene face                another animal: one of `mspsvae.scenes`

Fits one small model, draws further recordings of its sessions and other animals, changes them in known ways,
and prints a table (Markdown): how many of each kind `encode` says are within, doubtful or outside, in how many
it says what it looks like (a word to be found in findings or advice), and how many were within by the rule of
before, which knew no labels and no movement, but the distance of the background. The last column is `encode`
after `adapt` was made to learn noise. The fit and what was encoded are kept in --out, one folder a scene and size,
and not repeated: a study that was stopped goes on where it was.
"""

import argparse
import warnings
from collections import Counter
from pathlib import Path

import h5py
import numpy as np

from mspsvae.config import Arch, Config
from mspsvae.judge.new_sessions import EDGE, adapt, encode
from mspsvae.runs import load_run
from mspsvae.scenes import Scenario, make_scenario
from mspsvae.sessions import write_session
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit

warnings.simplefilter('ignore')  # what is odd is in the reports
SMALL = dict(
    arch=Arch((8, 16, 32, 64), 5, 2),
    n_sessions_per_batch=3,
    learning_rate=2e-3,
    anneal_epochs=10,
    beta=100,
    delta=500,
    device='cpu',
)
N_FITTED = 20  # trials of each session that the model is fitted to


def late(labels, by):
    "Labels that lag behind their video"
    return [np.concatenate([np.repeat(y[:1], by, 0), y[:-by]]) for y in labels]


def noisy(images, rng, std=4):
    return [np.clip(x + rng.normal(0, std, x.shape), 0, 255).round().astype(np.uint8) for x in images]


def frozen(images):
    "The first frame of each trial, for as long as the trial is"
    return [np.repeat(x[:1], len(x), 0) for x in images]


# name: (images, labels, rng) -> (images, labels), and the word that says what it looks like
CHANGES = {
    'later recording': (lambda x, y, rng: (x, y), None),
    'left and right swapped': (lambda x, y, rng: (x, [v[:, [2, 3, 0, 1]] for v in y]), 'left and right were'),
    'x and y swapped': (lambda x, y, rng: (x, [v[:, [1, 0, 3, 2]] for v in y]), 'x and y were'),
    'one label turned': (lambda x, y, rng: (x, [v * [1, 1, 1, -1] for v in y]), '_right_y was reversed'),
    'labels in pixels': (lambda x, y, rng: (x, [5 * v + 20 for v in y]), 'in other units'),
    'labels five frames late': (lambda x, y, rng: (x, late(y, 5)), 'were 5 frames'),
    'labels five frames early': (
        lambda x, y, rng: (x, [v[::-1] for v in late([v[::-1] for v in y], 5)]),
        'were 5 frames',
    ),
    'labels of other trials': (lambda x, y, rng: (x, y[1:] + y[:1]), 'predicts its labels badly'),
    'frozen video': (lambda x, y, rng: (frozen(x), y), 'hardly moves'),
    'frozen video, no labels': (lambda x, y, rng: (frozen(x), None), 'hardly moves'),
    'frozen, with noise, no labels': (lambda x, y, rng: (noisy(frozen(x), rng), None), 'hardly moves'),
    'mirrored': (lambda x, y, rng: ([v[..., ::-1] for v in x], y), 'mirrored'),
    'upside down': (lambda x, y, rng: ([v[..., ::-1, :] for v in x], y), 'upside down'),
    'inverted': (lambda x, y, rng: ([255 - v for v in x], y), 'inverted'),
    'half as bright': (lambda x, y, rng: ([v // 2 for v in x], y), 'as bright'),
    'black': (lambda x, y, rng: ([0 * v for v in x], None), 'badly reconstructed'),
    'noise': (lambda x, y, rng: ([rng.integers(0, 256, v.shape).astype(np.uint8) for v in x], None), 'badly'),
}


def recording(path, trials, out, change, rng):
    "Some trials of a session, labels z-scored, changed, as a session of their own, unless it is there"
    if out.exists():
        return out
    with h5py.File(path) as f:
        names = [str(name, 'utf-8') for name in f['labels'].attrs['names']]
        images, labels = ([f[f'{g}/trial_{t:04}'][()] for t in trials] for g in ('images', 'labels'))
    mean, std = np.concatenate(labels).mean(0), np.concatenate(labels).std(0)
    images, labels = change(images, [(y - mean) / std for y in labels], rng)
    images = [np.ascontiguousarray(x) for x in images]
    return write_session(out, images, labels, label_names=None if labels is None else names)


def draw(root, args, other_light=False, **how):
    "Sessions of the demo or of a scene, unless they are there"
    shape = dict(n_frames=args.frames, **how)
    if args.scene != 'demo':
        light = 'drift' if other_light else 'steady'
        make_scenario(root, Scenario(scene=args.scene, size=32, light=light, **shape))
    elif not root.exists():
        light = dict(light=0.3, contrast=0.3) if other_light else {}
        make_sessions(root, size=(32, 32), **light, **shape)


def make_data(root, args):
    "Paths of drawn sessions, by kind: those of the fit with trials to spare, and other animals"
    many = 3 * args.recordings
    kinds = dict(
        drawn=dict(n_sessions=3, n_trials=N_FITTED + args.recordings * args.trials),
        others=dict(n_sessions=many, n_trials=args.trials, seed=1),
        light=dict(n_sessions=many, n_trials=args.trials, seed=2, other_light=True),
    )
    for name, how in kinds.items():
        draw(root / name, args, **how)
    return {name: sorted((root / name).rglob('data.hdf5')) for name in kinds}


def fitted(root, drawn, args):
    "The model, fitted unless it is there"
    if (root / 'run' / 'latents').exists():
        return load_run(root / 'run')
    rng, same = np.random.default_rng(0), CHANGES['later recording'][0]
    for k, path in enumerate(drawn):
        recording(path, range(N_FITTED), root / 'data' / f'known_{k}.hdf5', same, rng)
    config = Config(max_epochs=args.epochs, **SMALL)
    run = fit(root / 'data', config, out=root / 'run', resume=(root / 'run').exists(), show_progress=False)
    run.latents()
    return run


def recordings(root, name, change, sources):
    "Paths of all recordings of a kind"
    rng, folder = np.random.default_rng(0), root / 'new' / name.replace(' ', '_').replace(',', '')
    return [
        recording(path, trials, folder / f'{k}_{trials[0]}.hdf5', change, rng) for k, path, trials in sources
    ]


def was_within(known, report):
    "The rule of before: three ratios, one of them the distance of the background"
    means = np.array(known.means)
    apart = np.linalg.norm(means[:, None] - means, axis=2)
    np.fill_diagonal(apart, np.inf)
    v = report['verdict']
    ratios = (v['error_ratio'], v['distance'] / apart.min(1).max(), v['scatter_ratio'])
    return max(ratios) <= EDGE


def row(name, encoded, after, word):
    "A line of the table"
    reports, levels = encoded.reports, Counter(r['verdict']['level'] for r in encoded.reports)
    before = sum(was_within(encoded.known, r) for r in reports)
    texts = [' '.join(r['verdict']['findings'] + [str(r.get('helps'))]) for r in reports]
    said = '' if word is None else f'{sum(word in t for t in texts)} "{word}"'
    advised = sum(bool(r.get('helps')) for r in reports)
    later = '' if after is None else Counter(r['verdict']['level'] for r in after.reports)['within']
    counts = [len(reports), before, *(levels[k] for k in ('within', 'doubtful', 'outside'))]
    return f'| {name} | {" | ".join(map(str, counts))} | {said} | {advised} | {later} |'


def adapted_to_noise(root, run, path):
    "The run after it was made to learn noise"
    if (root / 'noise' / 'latents').exists():
        return load_run(root / 'noise')
    noise = recording(path, range(10), root / 'to_noise.hdf5', CHANGES['noise'][0], np.random.default_rng(1))
    adapted = adapt(run, noise, out=root / 'noise', resume=(root / 'noise').exists(), show_progress=False)
    adapted.latents()
    return adapted


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--scene', choices=['demo', 'face', 'mouse'], default='demo')
    parser.add_argument('--epochs', type=int, default=60)
    parser.add_argument('--frames', type=int, default=40, help='of a trial')
    parser.add_argument('--trials', type=int, default=8, help='of a new recording')
    parser.add_argument('--recordings', type=int, default=10, help='new ones of each of three sessions')
    parser.add_argument('--no-noise', action='store_true', help='leave out the last column, and its fit')
    parser.add_argument('--only', nargs='+', default=[''], help='recordings whose name contains one of these')
    parser.add_argument('--out', type=Path, default=Path('runs/new_sessions'))
    args = parser.parse_args()
    args.out /= f'{args.scene}_{args.recordings}x{args.trials}x{args.frames}'
    paths = make_data(args.out, args)
    run = fitted(args.out, paths['drawn'], args)
    starts = [N_FITTED + r * args.trials for r in range(args.recordings)]
    later = [(k, p, range(s, s + args.trials)) for k, p in enumerate(paths['drawn']) for s in starts]
    others = {
        'new animal': [(k, p, range(args.trials)) for k, p in enumerate(paths['others'])],
        'new animal, other light': [(k, p, range(args.trials)) for k, p in enumerate(paths['light'])],
    }
    kinds = [(name, change, later, word) for name, (change, word) in CHANGES.items()]
    kinds += [(name, CHANGES['later recording'][0], some, None) for name, some in others.items()]
    runs = [run] if args.no_noise else [run, adapted_to_noise(args.out, run, paths['drawn'][0])]
    print(
        '| recording | n | within, by the rule of before | within | doubtful | outside | says | advises a change '
        '| within after noise |\n|' + '---|' * 9
    )
    kinds = [kind for kind in kinds if any(word in kind[0] for word in args.only)]
    for name, change, sources, word in kinds:
        files = recordings(args.out, name, change, sources)
        encoded = [encode(r, files, out=r.path / 'study' / name.replace(' ', '_')) for r in runs]
        print(row(name, encoded[0], encoded[1] if len(runs) > 1 else None, word), flush=True)


if __name__ == '__main__':
    main()

"""Does `suggest_sizes` count the movements that have no label? Made-up data sets, some of their causes at rest.

    python tools/sizes_study.py FOLDER [--seed 1] [--only face] --keep FILE     a table, and a CSV

Data sets are kept in FOLDER. Sizes and weights of the rule were chosen on seed 0; other seeds draw other animals,
movements and noise. `left` is the share of held-out movement that is left over with 0, 1, 2, ... numbers.
"""

import argparse
import csv
import time
from pathlib import Path

import numpy as np

from mspsvae.judge.sizes import suggest_sizes
from mspsvae.scenes import NOISE, SCENES, Scenario, draw_scene, draw_scene_moves
from mspsvae.sessions import write_session
from mspsvae.synthetic import DEMO, make_sessions

TUTORIAL = dict(n_sessions=3, n_trials=20, n_frames=25, size=(32, 32))  # tutorial 4's
CASES = [('tutorial 4', None, 2), ('demo', None, 2)]
CASES += [
    (scene, 'middle', n) for scene, most in (('mouse', 2), ('face', 3), ('body', 2)) for n in range(most + 1)
]
CASES += [(scene, how, n) for scene, n in (('mouse', 2), ('face', 3)) for how in ('easy', 'hard')]


def draw(scenario, number, n_causes):
    "One session of a scenario in which only so many causes move: images and labels, trial by trial."
    kind, n = scenario.kind, scenario.n_frames
    seeds = np.random.SeedSequence([scenario.seed, number]).spawn(2 + len(kind.moves) + len(kind.causes))
    rng, look = np.random.default_rng(seeds[1]), kind.look(np.random.default_rng(seeds[0]))
    moves = draw_scene_moves(seeds[2:], scenario, scenario.n_trials * n)
    moves |= {k: 0 * moves[k] for k in list(kind.causes)[n_causes:]}
    images, places = [], []
    for i in range(0, scenario.n_trials * n, n):
        size = scenario.size, scenario.size
        of_trial = {k: v[i : i + n] for k, v in moves.items()}
        frames, at = draw_scene(scenario.scene, scenario.difficulty, of_trial, look, size)
        noisy = frames + NOISE * rng.standard_normal(frames.shape)
        images.append(np.clip(np.rint(255 * noisy), 0, 255).astype(np.uint8)[:, None])
        places.append(at)
    labels = np.concatenate(places)
    labels = ((labels - labels.mean(0)) / labels.std(0)).astype(np.float32)
    return images, np.split(labels, scenario.n_trials)


def make(root, name, difficulty, n_causes, seed):
    "The sessions of a case, made where they are not there yet."
    path = root / '_'.join(str(v) for v in (name.replace(' ', '_'), difficulty, n_causes, seed))
    if path.exists():
        return path
    part = path.with_suffix('.tmp')
    if name not in SCENES:
        make_sessions(part, seed=seed, **(TUTORIAL if name == 'tutorial 4' else DEMO))
    else:
        scenario = Scenario(scene=name, difficulty=difficulty, size=48, seed=seed)
        for s in range(scenario.n_sessions):
            images, labels = draw(scenario, s, n_causes)
            names = list(scenario.kind.labels)
            to = part / 'sizes' / name / f'animal_{s}' / 'session_0' / 'data.hdf5'
            write_session(to, images=images, labels=labels, label_names=names)
    return part.rename(path)


def row(root, name, difficulty, truth, seed):
    "What is suggested for one case."
    path = make(root, name, difficulty, truth, seed)
    begin = time.process_time()
    found = suggest_sizes(path, device='cpu')
    said = dict(data=name, difficulty=difficulty or '', seed=seed, truth=truth)
    said |= dict(suggested=found['n_unsupervised'], low=found['between'][0], high=found['between'][1])
    said |= dict(counts=' '.join(map(str, found['counts'])), n_background=found['n_background'])
    left = ' '.join(f'{v:.3f}' for v in found['left'])
    return said | dict(left=left, cpu_minutes=round((time.process_time() - begin) / 60, 2))


def study(root, cases, seed, keep):
    "A line of the table for each case, as it comes."
    print('| data | truth | suggested | between | left with 0, 1, 2, ... numbers | CPU minutes |')
    print('|---|---|---|---|---|---|')
    with keep.open('w', newline='') as file:
        for k, case in enumerate(cases):
            said = row(root, *case, seed)
            if not k:
                writer = csv.DictWriter(file, list(said), lineterminator='\n')
                writer.writeheader()
            writer.writerow(said)
            file.flush()
            name, between = f'{said["data"]} {said["difficulty"]}'.strip(), f'{said["low"]} to {said["high"]}'
            told = name, said['truth'], said['suggested'], between, said['left'], said['cpu_minutes']
            print('|', ' | '.join(map(str, told)), '|', flush=True)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--only', help='of this data set alone')
    parser.add_argument('--keep', type=Path, required=True, help='a CSV')
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    study(args.folder, [c for c in CASES if args.only in (None, c[0])], args.seed, args.keep)

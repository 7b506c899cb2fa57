"""How much data and how many steps suffice, and what far too low and too high does: fits whose causes are known.

    python tools/knobs_study.py FOLDER --minutes 10      make fits, or go on with them; again until all are there
    python tools/knobs_study.py FOLDER --keep FILE       only write the CSV of those that are there

Each fit is a run folder in FOLDER/runs, of the demo's mouse: three sessions of 40 trials of 25 frames, 48 pixels.
All are compared with `start`; only the settings in their name differ. Fits on less data see the first frames of
each training trial; validation and test trials stay whole.
"""

import argparse
import csv
import shutil
import time
from pathlib import Path

import h5py

from mspsvae.config import Arch, Config
from mspsvae.errors import MspsvaeError
from mspsvae.judge.search import judge_fit
from mspsvae.runs import read_json, write_json
from mspsvae.synthetic import make_sessions
from mspsvae.train import check_fit, fit

SIZES = dict(n_sessions=3, n_trials=40, n_frames=25, size=(48, 48))
EPOCHS = 30  # of 16 steps each
START = Config(
    arch=Arch((8, 16, 32, 64), 5, 2),
    n_sessions_per_batch=3,
    n_unsupervised=2,
    n_background=3,
    learning_rate=3e-3,
    warmup_steps=50,
    anneal_epochs=EPOCHS // 3,
    max_epochs=EPOCHS,
    early_stop=False,
    device='cpu',
)
PAPER = dict(static_background=False, gamma=0)
KNOBS = dict(
    n_unsupervised=[1, 8],
    delta=[0, 50_000],
    alpha=[10, 100_000],
    beta=[0, 3000],
    gamma=[0, 10_000],
    learning_rate=[2e-4, 3e-2],
    n_background=[1, 16],
)
PARTS = (8, 4, 2)  # of the data and of the steps: an eighth, a quarter, a half


def cut_epochs(share):
    "Settings of a fit with so many times fewer steps."
    epochs = round(EPOCHS / share)
    return dict(max_epochs=epochs, anneal_epochs=max(1, epochs // 3), warmup_steps=round(50 / share))


def cut_frames(share):
    "Settings of a fit on trials so many times shorter: as many frames in a batch, as many steps."
    longer = dict(max_epochs=EPOCHS * share, anneal_epochs=EPOCHS * share // 3, validate_every=share)
    return longer | dict(n_trials_per_session=2 * share)


def all_fits():
    "Name -> what differs from `START`, and the folder of its data; what matters most comes first."
    fits = {'start': ({}, 'data')}
    fits |= {f'steps_1_{s}': (cut_epochs(s), 'data') for s in PARTS}
    fits |= {f'frames_1_{s}': (cut_frames(s), f'data_1_{s}') for s in PARTS}
    for delta in (0, 500):
        fits[f'paper_delta_{delta}'] = (PAPER | dict(delta=delta), 'data')
    fits |= {f'{k}_{v:g}': ({k: v}, 'data') for k, values in KNOBS.items() for v in values}
    for seed in (1, 2):
        fits[f'start_seed_{seed}'] = (dict(seed_model=seed, seed_train=seed), 'data')
    return fits


def make_data(root):
    "The sessions, and copies whose training trials are shorter."
    if not (root / 'data').exists():
        make_sessions(root / 'data.tmp', **SIZES)
        (root / 'data.tmp').rename(root / 'data')
    for share in PARTS:
        short = root / f'data_1_{share}'
        if not short.exists():
            shutil.copytree(root / 'data', short.with_suffix('.tmp'))
            shorten(short.with_suffix('.tmp'), round(SIZES['n_frames'] / share))
            short.with_suffix('.tmp').rename(short)


def shorten(folder, n_frames):
    "Cut the training trials of all sessions."
    _, infos, splits, _ = check_fit(folder, START)
    for info, chosen in zip(infos, splits['train']):
        with h5py.File(info.session.path, 'r+') as f:
            for group in f.values():
                for name in [info.trials[t] for t in chosen]:
                    values = group[name][:n_frames]
                    del group[name]
                    group[name] = values


def make(root, minutes):
    "Fit what is not there yet, as long as there is time; each fit is judged at once."
    end = time.monotonic() + 60 * minutes
    for name, (settings, data) in all_fits().items():
        path = root / 'runs' / name
        if (path / 'scores.json').exists():
            continue
        if time.monotonic() > end:
            return print('time is up; the same command goes on')
        begin = time.process_time()
        try:
            config = START.replace(**settings)
            run = fit(root / data, config, path, resume=path.exists(), show_progress=False)
            scores = judge_fit(run)
        except MspsvaeError as e:  # a knob far out may end in numbers that are not finite
            scores = dict(error=str(e)[:300])
        write_json(path / 'scores.json', scores)
        print(f'{name}: {time.process_time() - begin:.0f} s of CPU', flush=True)
    print('all fits are there')


def keep(root, path):
    "A row for each fit that has scores."
    with path.open('w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        told = ('pixels', 'label_r2', 'session', 'chance', 'use')
        writer.writerow(['name', 'steps', 'frames', *told, 'jaw', 'chest', 'problems', 'error'])
        for name, (settings, data) in all_fits().items():
            if not (root / 'runs' / name / 'scores.json').exists():
                continue
            scores = read_json(root / 'runs' / name / 'scores.json')
            steps = round(
                16 * settings.get('max_epochs', EPOCHS) * 2 / settings.get('n_trials_per_session', 2)
            )
            share = int(data.rpartition('_')[2]) if '_' in data else 1
            n_frames = round(SIZES['n_frames'] / share)
            causes = [(scores.get('causes') or {}).get(k) for k in ('jaw', 'chest')]
            values = [v if v is None else f'{v:.4f}' for v in [*(scores.get(k) for k in told), *causes]]
            problems = len(scores.get('problems') or ())
            frames = 3 * 32 * n_frames
            writer.writerow([name, steps, frames, *values, problems, scores.get('error', '')])


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--minutes', type=float, default=10, help='begin no fit after these [10]')
    parser.add_argument('--keep', type=Path, help='a CSV for the scores; no fit is made')
    args = parser.parse_args()
    if args.keep:
        keep(args.folder, args.keep)
    else:
        args.folder.mkdir(parents=True, exist_ok=True)
        make_data(args.folder)
        make(args.folder, args.minutes)

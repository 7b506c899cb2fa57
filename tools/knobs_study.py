"""How much data and how many steps suffice, and what far too low and too high does: fits whose causes are known.

    python tools/knobs_study.py FOLDER --minutes 10      make fits, or go on with them; again until all are there
    python tools/knobs_study.py FOLDER --keep FILE       only write the CSV of those that are there
    python tools/rule_study.py FOLDER/runs               how the rule of a search puts them in order

Each fit is a run folder in FOLDER/runs, of the demo's mouse: three sessions of 80 trials of 25 frames, 32 pixels.
All are compared with `start`; only the settings in their name differ. Fits on a share of the data see every so many
training trials, and copies of it in place of the others: as many trials, batches and steps, less to see.
Validation and test trials stay as they are.
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

SIZES = dict(n_sessions=3, n_trials=80, n_frames=25, size=(32, 32))
RATE = 30  # frames a second, to speak of minutes
STEPS = 32  # of an epoch: three sessions of 64 training trials, two of each in a batch
EPOCHS = 20
START = Config(
    arch=Arch((8, 16, 32, 64), 5, 2),
    n_sessions_per_batch=3,
    n_unsupervised=2,
    n_background=3,
    learning_rate=3e-3,
    warmup_steps=64,
    anneal_epochs=EPOCHS // 4,
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
PARTS = (8, 4, 2)  # of the data: an eighth, a quarter, a half
LENGTHS = (1 / 4, 1 / 2, 2)  # of the training


def of_length(share):
    "Settings of a fit with so many times as many steps."
    epochs = round(EPOCHS * share)
    return dict(max_epochs=epochs, anneal_epochs=epochs // 4)


def all_fits():
    "Name -> what differs from `START`, and the folder of its data; what matters most comes first."
    curves = {'start': ({}, 'data')}
    curves |= {f'steps_{round(STEPS * EPOCHS * s)}': (of_length(s), 'data') for s in LENGTHS}
    curves |= {f'data_1_{s}': ({}, f'data_1_{s}') for s in PARTS}
    fits = dict(curves)
    for delta in (0, 500):
        fits[f'paper_delta_{delta}'] = (PAPER | dict(delta=delta), 'data')
    fits |= {f'{k}_{v:g}': ({k: v}, 'data') for k, values in KNOBS.items() for v in values}
    for name, (settings, data) in curves.items():
        fits[f'{name}_seed_1'] = (settings | dict(seed_model=1, seed_train=1), data)
    return fits


def make_data(root):
    "The sessions, and copies with less to see."
    if not (root / 'data').exists():
        make_sessions(root / 'data.tmp', **SIZES)
        (root / 'data.tmp').rename(root / 'data')
    for share in PARTS:
        less = root / f'data_1_{share}'
        if not less.exists():
            shutil.copytree(root / 'data', less.with_suffix('.tmp'))
            see_less(less.with_suffix('.tmp'), share)
            less.with_suffix('.tmp').rename(less)


def see_less(folder, share):
    "Of the training trials of all sessions keep every so many; the others become copies of the one before them."
    _, infos, splits, _ = check_fit(folder, START)
    for info, chosen in zip(infos, splits['train']):
        with h5py.File(info.session.path, 'r+') as f:
            for group in f.values():
                for k, t in enumerate(chosen):
                    source, name = info.trials[chosen[k - k % share]], info.trials[t]
                    if name != source:
                        group[name][...] = group[source][...]


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


TOLD = ('pixels', 'label_r2', 'session', 'chance', 'use')


def keep(root, path):
    "A row for each fit that has scores."
    with path.open('w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['name', 'seed', 'steps', 'minutes', *TOLD, 'jaw', 'chest', 'problems', 'error'])
        for name, (settings, data) in all_fits().items():
            if not (root / 'runs' / name / 'scores.json').exists():
                continue
            scores = read_json(root / 'runs' / name / 'scores.json')
            share = int(data.rpartition('_')[2]) if '_' in data else 1
            minutes = SIZES['n_sessions'] * 64 * SIZES['n_frames'] / share / RATE / 60
            causes = [(scores.get('causes') or {}).get(k) for k in ('jaw', 'chest')]
            values = [v if v is None else f'{v:.4f}' for v in [*(scores.get(k) for k in TOLD), *causes]]
            steps, problems = STEPS * settings.get('max_epochs', EPOCHS), len(scores.get('problems') or ())
            about = [name, settings.get('seed_model', 0), steps, f'{minutes:.2f}']
            writer.writerow([*about, *values, problems, scores.get('error', '')])


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

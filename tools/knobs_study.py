"""How much data and how many steps suffice, and what far too low and too high does: fits whose causes are known.

    python tools/knobs_study.py FOLDER --minutes 10      make fits, or go on with them; again until all are there
    python tools/knobs_study.py FOLDER --keep FILE       only write the CSV of those that are there
    python tools/knobs_study.py FOLDER --rank            in the order of a search's rule, beside the causes
    python tools/rule_study.py FOLDER/runs               rank correlations of that order

Each fit is a run folder in FOLDER/runs, of the demo's mouse. Curves are of three sessions of 80 trials of 25 frames,
32 pixels; only what their name says differs from `start`. Fits on a share of the data see every so many training
trials, and copies of it in place of the others: as many trials, batches and steps, less to see. Validation and test
trials stay as they are. Knobs are turned from their defaults, on tutorial 4's data, 20 trials a session: `middle` has
the defaults, the others differ from it in what their name says.
"""

import argparse
import csv
import shutil
import time
from pathlib import Path

import h5py

from mspsvae.config import Arch, Config
from mspsvae.errors import MspsvaeError
from mspsvae.judge.ranking import rank_settings
from mspsvae.judge.search import judge_fit
from mspsvae.runs import read_json, write_json
from mspsvae.synthetic import make_sessions
from mspsvae.train import check_fit, fit

SIZES = dict(n_sessions=3, n_trials=80, n_frames=25, size=(32, 32))
SMALL = SIZES | dict(n_trials=20)  # tutorial 4's; 8 steps an epoch
RATE = 30  # frames a second, to speak of minutes
STEPS = 32  # of an epoch: three sessions of 64 training trials, two of each in a batch
EPOCHS = 10
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
MIDDLE = dict(learning_rate=4e-3, max_epochs=80, warmup_steps=200, anneal_epochs='auto')
PAPER = dict(static_background=False, gamma=0)
KNOBS = dict(
    alpha=[10, 100_000],
    beta=[0, 10_000],
    delta=[0, 50_000],
    gamma=[0, 3000],
    n_unsupervised=[1, 4],
    n_background=[1, 12],
    learning_rate=[2e-4, 5e-2],
)
PARTS = (8, 4, 2)  # of the data: an eighth, a quarter, a half
LENGTHS = (1 / 4, 1 / 2, 2)  # of the training


def of_length(share):
    "Settings of a fit with so many times as many steps."
    epochs = int(EPOCHS * share)
    return dict(max_epochs=epochs, anneal_epochs=epochs // 4)


def all_fits():
    "Name -> what differs from `START`, and the folder of its data; what matters most comes first."
    curves = {'start': ({}, 'data')}
    curves |= {f'data_1_{s}': ({}, f'data_1_{s}') for s in PARTS}
    curves |= {f'steps_{STEPS * int(EPOCHS * s)}': (of_length(s), 'data') for s in LENGTHS}
    fits = curves | {'middle': (MIDDLE, 'small')}
    fits |= {f'{k}_{v:g}': (MIDDLE | {k: v}, 'small') for k, values in KNOBS.items() for v in values}
    for delta in (0, 500):
        fits[f'paper_delta_{delta}'] = (MIDDLE | PAPER | dict(delta=delta), 'small')
    other = dict(seed_model=1, seed_train=1)
    fits |= {f'{name}_seed_1': (fits[name][0] | other, fits[name][1]) for name in ('middle', *curves)}
    return fits


def make_data(root):
    "The sessions, and copies with less to see."
    for name, sizes in (('data', SIZES), ('small', SMALL)):
        if not (root / name).exists():
            make_sessions(root / f'{name}.tmp', **sizes)
            (root / f'{name}.tmp').rename(root / name)
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
            n_trials = 64 if data != 'small' else 16
            minutes = SIZES['n_sessions'] * n_trials * SIZES['n_frames'] / share / RATE / 60
            causes = [(scores.get('causes') or {}).get(k) for k in ('jaw', 'chest')]
            values = [v if v is None else f'{v:.4f}' for v in [*(scores.get(k) for k in TOLD), *causes]]
            steps = n_trials // 2 * settings.get('max_epochs', EPOCHS)
            problems = len(scores.get('problems') or ())
            about = [name, settings.get('seed_model', 0), steps, f'{minutes:.2f}']
            writer.writerow([*about, *values, problems, scores.get('error', '')])


def rank(root):
    "The knobs, as a search would put them in order."
    start, rows = START.to_dict(), []
    for name, (settings, data) in all_fits().items():
        path = root / 'runs' / name / 'scores.json'
        scores = read_json(path) if path.exists() else {}
        if data == 'small' and 'causes' in scores:
            fields = (*KNOBS, *PAPER, 'seed_model', 'seed_train')
            whole = {k: (start | settings)[k] for k in fields}
            rows.append(dict(number=len(rows), name=name, settings=whole, scores=scores))
    print('| place | fits | gates failed | merit | jaw, chest | why |', '|---|---|---|---|---|---|', sep='\n')
    for place, group in enumerate(rank_settings(rows), 1):
        causes = [[r['scores']['causes'][k] for r in group['rows']] for k in ('jaw', 'chest')]
        told = ', '.join(f'{sum(v) / len(v):.2f}' for v in causes)
        names, failed = ', '.join(r['name'] for r in group['rows']), '; '.join(group['failed'])
        print(
            f'| {place} | {names} | {group["n_failed"]:g} | {group["merit"]:.2f} | {told} | {failed[:150]} |'
        )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path)
    parser.add_argument('--minutes', type=float, default=10, help='begin no fit after these [10]')
    parser.add_argument('--keep', type=Path, help='a CSV for the scores; no fit is made')
    parser.add_argument('--rank', action='store_true', help='only print the order; no fit is made')
    args = parser.parse_args()
    if args.rank:
        rank(args.folder)
    elif args.keep:
        keep(args.folder, args.keep)
    else:
        args.folder.mkdir(parents=True, exist_ok=True)
        make_data(args.folder)
        make(args.folder, args.minutes)

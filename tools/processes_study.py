"""What several processes on one computer bring, and what they cost: frames a second, processor time, memory
of each.

    python tools/processes_study.py               the paper's network, 64 x 64 pixels, 1 and 2 processes in
                                                  turns
    python tools/processes_study.py 1 2 4 --small --repeats 5

Every process computes with one thread. Time is taken from one step to another of the same training, after
two steps to warm up; the median of the repeats counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import torch

from mspsvae.batches import TrialReader, plan_epoch
from mspsvae.config import Arch, Config
from mspsvae.models import make_model, term_weights
from mspsvae.processes import team
from mspsvae.sessions import check_sessions, write_session
from mspsvae.train import TermMeans, epoch_generator, make_optimizer, train_epoch

SMALL = dict(arch=Arch(channels=(8, 16, 32, 64), kernel_sizes=5, strides=2))  # the demo's
N_TRIALS, N_FRAMES, SIZE, STEPS = 12, 64, 64, 4


def measure(paths, small):
    "One of the processes: train, and say how long it took."
    torch.set_num_threads(1)
    config = Config(
        device='cpu', precision='fp32', cache='memory', trial_splits=(2, 1, 1, 0), **(SMALL if small else {})
    )
    infos = check_sessions(paths, config).infos
    with team.together(), TrialReader(infos, config, part=(team.number, team.size)) as reader:
        model = make_model(config, infos[0].image_shape, infos[0].n_labels)
        optimizer, means, rng = make_optimizer(model, config), TermMeans(len(infos)), epoch_generator(0, 0)

        def steps(plan):
            rates = [config.learning_rate] * len(plan)
            batches = reader.batches(plan)
            train_epoch(model, optimizer, batches, rates, config, term_weights(config), rng, means)

        plan = plan_epoch([list(range(N_TRIALS))] * 2, 2, 0)
        steps(plan)  # warm, and all trials are kept now
        team.add_up(torch.ones(1))
        begin, cpu = time.perf_counter(), time.process_time()
        steps(plan[:STEPS])
        team.add_up(torch.ones(1))
        wall, cpu = time.perf_counter() - begin, team.add_up(torch.tensor(time.process_time() - cpu)).item()
        n = 2 * N_FRAMES * STEPS
        kept = sum(t.nbytes for part in reader.kept.values() for t in part.values())
        told = dict(
            frames_per_s=n / wall,
            cpu_ms_per_frame=1000 * cpu / n,
            kept_MB=kept / 1e6,
            memory_MB=psutil.Process().memory_info().rss / 1e6,
        )
        if team.leads:
            print(json.dumps(told), flush=True)


def one(n, paths, small):
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node',
        n,
        __file__,
        '--measure',
        *paths,
        *['--small'] * small,
    ]
    done = subprocess.run(
        list(map(str, command)), env=os.environ | dict(OMP_NUM_THREADS='1'), capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr[:3000])
    return json.loads(done.stdout.splitlines()[-1])


def study(numbers, small, repeats):
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            write_session(
                Path(folder) / f'{k}.hdf5',
                [rng.integers(0, 256, (N_FRAMES, 1, SIZE, SIZE), dtype=np.uint8) for _ in range(N_TRIALS)],
                [rng.normal(size=(N_FRAMES, 4)) for _ in range(N_TRIALS)],
            )
            for k in range(2)
        ]
        rounds = [
            {n: one(n, paths, small) for n in numbers} for _ in range(repeats)
        ]  # in turns: the machine is never equally busy for long
    for n in numbers:
        print(
            f'{n} processes:',
            ', '.join(
                f'{k} {median(r[n][k] for r in rounds):.1f} ({min(r[n][k] for r in rounds):.1f} to '
                f'{max(r[n][k] for r in rounds):.1f})'
                for k in rounds[0][n]
            ),
            flush=True,
        )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('numbers', nargs='*', default=['1', '2'])
    parser.add_argument('--small', action='store_true', help="the demo's network")
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--measure', action='store_true', help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.numbers, args.small)
    else:
        study([int(n) for n in args.numbers], args.small, args.repeats)

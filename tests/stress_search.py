"""Kill the workers of a search at random moments: in the end it has to be the study that one worker makes in peace.

    python tests/stress_search.py                        26 fits; two kills of all, one of three workers
    python tests/stress_search.py --wide 1 --kills 1     a small one, as tests/test_search.py does it

First in peace, by one worker and by `workers=3`. Then three workers share nothing but the folder. Each is told that
it is on a machine of its own, so that none can see whether the process of another is there: they have only the signs
of life in `alive/`. Compared in the end are the fits (names, stages, states, scores), the weights of each, and how
often each epoch was trained.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

from mspsvae.config import Arch, Config
from mspsvae.judge.search import Search, search, work
from mspsvae.runs import read_about
from mspsvae.synthetic import make_sessions

TINY = Config(
    arch=Arch((4, 8), 5, 4),
    trial_splits=(2, 1, 1, 0),
    learning_rate=2e-3,
    n_unsupervised=1,
    n_trials_per_session=1,
    device='cpu',
)
BEAT, SILENT = 0.3, 4.0  # seconds
WORKER = (
    'import socket, sys; socket.gethostname = lambda: sys.argv[2]; from mspsvae.judge.search import work; '
    f'work(sys.argv[1], print, {BEAT}, {SILENT})'
)


def stages_of(wide):
    "Stages that hang on each other: 6 fits where `wide` is 1, 26 where it is 5."
    betas, deltas = [1, 10, 30, 100, 300][:wide], [1, 50, 100, 500][:wide]
    return [
        dict(name='start'),
        dict(name='alpha', set=dict(beta=2, delta=50), grid=dict(alpha=[50, 1000])),
        dict(name='pairs', grid=dict(beta=betas, delta=deltas), after='alpha'),
        dict(name='seeds', seeds=[1], best=2),
    ]


def start(out, k):
    "A worker that believes to be on machine `k`."
    messages = (out / f'worker_{k}.txt').open('ab')
    command = [sys.executable, '-c', WORKER, str(out), f'node{k}']
    child = subprocess.Popen(
        command, stdout=messages, stderr=messages, env=os.environ | dict(OMP_NUM_THREADS='1')
    )
    messages.close()
    return child


def told(out):
    "What workers said, for a message."
    return '\n'.join(p.read_text()[-2000:] for p in sorted(out.glob('worker_*.txt')))


def until(condition, out, seconds=300):
    "Wait for something to come true."
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f'nothing happened for {seconds} s; workers said:\n{told(out)}')
        time.sleep(0.05)


def ended(out):
    return Search(out).count('complete', 'fail', 'pruned')


def epochs_begun(out):
    "Lines of all histories: they grow while a fit is under way."
    return sum(len(p.read_bytes().splitlines()) for p in (out / 'runs').glob('*/history.csv'))


def kill_amid_a_fit(children, out, rng):
    "Kill all of some workers while there is a fit under way."
    before = epochs_begun(out)
    until(lambda: epochs_begun(out) > before + 4 or not alive(children), out)
    time.sleep(rng.uniform(0, 0.3))
    hit = bool(alive(children))
    for child in children:
        child.kill()
        child.wait()
    return hit


def alive(children):
    return [c for c in children if c.poll() is None]


def facts(out):
    "Everything that has to be the same, by the name of the fit."
    found = Search(out)
    weights = {
        r['name']: read_about(out / 'runs' / r['name'] / 'best.safetensors')['sha256'] for r in found.rows
    }
    return {r['name']: (r['stage'], r['state'], r['scores'], weights[r['name']]) for r in found.rows}


def compare(out, whole):
    mine, theirs = facts(out), facts(whole)
    if len(Search(out).rows) != len(mine):
        raise SystemExit(f'{out.name}: a fit is there twice')
    if wrong := [k for k in {**mine, **theirs} if mine.get(k) != theirs.get(k)]:
        raise SystemExit(
            f'{out.name}: not what one worker makes in peace: {wrong[:5]}; workers said:\n{told(out)}'
        )
    for path in (out / 'runs').iterdir():
        rows = [line.split(',')[:3] for line in (path / 'history.csv').read_text().splitlines()]
        if len({tuple(r) for r in rows}) < len(rows):
            raise SystemExit(f'{path}: an epoch is in its history twice')


def stress(wide, kills, seed, epochs):
    "Returns how many kills met a fit that was under way; ends with a message where anything differs."
    rng, hits = random.Random(seed), 0
    torch.set_num_threads(1)  # as in the children: sums in another order have other last bits
    warnings.simplefilter('ignore')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_sessions(root / 'data', n_sessions=2, n_trials=4, n_frames=8, size=(32, 32))
        config, stages = TINY.replace(max_epochs=epochs, patience=epochs), stages_of(wide)
        asked = dict(stages=stages, config=config, say=None)
        whole = search(root / 'data', root / 'whole', **asked).path
        print(f'one worker in peace: {Search(whole).progress()}', flush=True)
        started = search(root / 'data', root / 'started', workers=3, **asked)
        compare(started.path, whole)
        print(f'three workers that the call starts: {started.progress()}', flush=True)
        shared = begin(root, asked)
        for k in range(kills):
            children = [start(shared, 3 * k + n) for n in range(3)]
            hits += kill_amid_a_fit(children[:1], shared, rng)
            hits += kill_amid_a_fit(children[1:], shared, rng)
            print(
                f'kill {k + 1} of {kills}: first one worker, then the other two; {ended(shared)} ended',
                flush=True,
            )
        work(shared, print, BEAT, SILENT)
        compare(shared, whole)
        found = Search(shared)
        assert (
            found.table() == Search(whole).table()
            and found.pick().path.name == Search(whole).pick().path.name
        )
    return hits


def begin(root, asked):
    "A search that is planned, and has no fit yet."
    from mspsvae.judge.search import check_stages, keep_plan, make_plan

    out = root / 'shared'
    out.mkdir()
    keep_plan(out, make_plan(root / 'data', asked['config'], check_stages(asked['stages'])))
    return out


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--wide', type=int, default=5, help='values of each setting in the grid')
    parser.add_argument('--kills', type=int, default=2, help='how often all workers are killed')
    parser.add_argument('--seed', type=int, default=0, help='of the moments at which to kill')
    parser.add_argument('--epochs', type=int, default=25, help='of each fit')
    args = parser.parse_args()
    hits = stress(args.wide, args.kills, args.seed, args.epochs)
    print(f'{hits} kills of workers at a fit, and the same study as without')

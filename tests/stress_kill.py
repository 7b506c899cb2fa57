"""Kill a fit at random moments, go on, kill it again: in the end it has to be what it would have been without.

    python tests/stress_kill.py                       20 kills of `mspsvae fit --resume`, about two minutes
    python tests/stress_kill.py --kills 200 --seed 7  more of them, at other moments

Each kill is a SIGKILL (on Windows: TerminateProcess), which a program can neither see nor prevent: some
while the program starts or begins its first
epoch, most some epochs on. After each the folder has to be one that can be opened, if it was one before.
Compared in the end: history and best weights byte by byte, the last checkpoint
(weights, optimizer, counters) bit by bit.
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
from mspsvae.runs import HISTORY, load_run, read_checkpoint, read_history
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit

TINY = Config(
    arch=Arch((4, 8), 5, 4),
    trial_splits=(2, 1, 1, 0),
    anneal_epochs=20,
    learning_rate=2e-3,
    frame_std='auto',
    static_background=True,
    gamma=10,
    standard_start=True,
    device='cpu',
)


def start(root, out):
    "A `mspsvae fit --resume` of its own, and the file that it writes its messages to."
    messages = (root / 'messages.txt').open('w+')
    command = [
        sys.executable,
        '-m',
        'mspsvae',
        'fit',
        root / 'data',
        '--config',
        root / 'config.json',
        '--out',
        out,
        '--resume',
    ]
    return subprocess.Popen(
        list(map(str, command)), stdout=messages, stderr=messages, env=os.environ | dict(OMP_NUM_THREADS='1')
    ), messages


def finish(child, messages):
    "Wait for its end, whatever that is; what it said."
    child.wait(timeout=600)
    messages.seek(0)
    text = messages.read()
    messages.close()
    return text


def size(path):
    return path.stat().st_size if path.exists() else 0


def one_life(root, out, rng, startup):
    """Start, wait for a moment, kill. Was it still running? And how long did it take to its first epoch
    (as before, if that was not waited for)?"""
    begin, header, (child, messages) = time.monotonic(), len(','.join(HISTORY)) + 2, start(root, out)
    before = max(size(out / 'history.csv'), header)
    if rng.random() < 0.4:
        time.sleep(rng.uniform(0.2, 1.2) * startup)
    else:
        while size(out / 'history.csv') <= before and child.poll() is None:
            time.sleep(0.001)
        startup = time.monotonic() - begin
        time.sleep(rng.uniform(0, 0.15))
    child.kill()
    text = finish(child, messages)
    if any(word in text for word in ('damaged', 'error:', 'Traceback')):
        raise SystemExit(f'the fit ended by itself, with {child.returncode}:\n{text}')
    return child.returncode != 0, startup


def same(a, b):
    "Are two checkpoints the same, to the last bit?"
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b


def differences(a, b):
    "Names of what two runs do not have in common."
    wrong = [
        name
        for name in ('history.csv', 'best.safetensors')
        if (a / name).read_bytes() != (b / name).read_bytes()
    ]
    return wrong + ['last.ckpt'] * (not same(*(read_checkpoint(r / 'last.ckpt') for r in (a, b))))


def epochs_in(out):
    return (
        max((r['epoch'] for r in read_history(out / 'history.csv')), default=0)
        if (out / 'history.csv').exists()
        else 0
    )


def openable(out):
    "Opens the run, as far as it has come; raises if it is no longer one."
    if all((out / name).exists() for name in ('config.json', 'data.json', 'history.csv', 'best.safetensors')):
        assert load_run(out).history


def stress(kills, seed, epochs):
    "Returns how many kills met a running fit; ends with a message where anything differs."
    rng, hits, startup = random.Random(seed), 0, 4.0
    torch.set_num_threads(1)  # as in the children: sums in another order have other last bits
    warnings.simplefilter('error')
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_sessions(root / 'data', n_sessions=2, n_trials=4, n_frames=8, size=(32, 32))
        config = TINY.replace(max_epochs=epochs)
        config.to_json(root / 'config.json')
        whole = fit(root / 'data', config, out=root / 'whole', show_progress=False).path
        for k in range(kills):
            hit, startup = one_life(root, root / 'killed', rng, startup)
            hits += hit
            openable(root / 'killed')
            print(
                f'kill {k + 1} of {kills}: {"running" if hit else "had ended"}, '
                f'{epochs_in(root / "killed")} epochs of {epochs}',
                flush=True,
            )
        killed = fit(root / 'data', config, out=root / 'killed', resume=True, show_progress=False).path
        if wrong := differences(killed, whole):
            raise SystemExit(f'after {hits} kills (seed {seed}) these differ: {", ".join(wrong)}')
        if left := [p.name for p in killed.glob('.part-*')]:
            raise SystemExit(f'files were left behind: {left}')
    return hits


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=20)
    parser.add_argument('--seed', type=int, default=0, help='of the moments at which to kill')
    parser.add_argument('--epochs', type=int, help='of the fit [40 a kill]')
    args = parser.parse_args()
    hits = stress(args.kills, args.seed, args.epochs or 40 * args.kills)
    print(f'{hits} kills of a running fit, and the same bits as without')

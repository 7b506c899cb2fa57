"""Several processes that train one model, with real ones: the same model as one process makes, and fits
that survive the loss of a process.

    python tests/stress_processes.py                      2, 3 and 4 processes against one; then 10 kills,
                                                          about three minutes
    python tests/stress_processes.py --kills 100 --seed 7

Sessions are unequal: in trials, in frames (some trials have fewer than there are processes), in labels that
are missing and pixels that are masked.

- `alike`: a fit by several processes has the losses and the weights of a fit by one, to 1e-5 (single terms,
which are differences of larger numbers, to 5e-5).
- `stress`: a fit is begun with one number of processes, one of them is killed (SIGKILL) at a random moment,
and the fit goes on with another number, until it is done. No life may hang, every one must tell of the
  kill and leave a run that can be opened; in the end there is every epoch once, and losses and weights are
  those of a fit that was left in peace, as far as rounding in another order allows.
- With one number of processes throughout, all bits are the same.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import h5py
import numpy as np
import psutil
import torch
from stress_kill import differences, epochs_in, openable, size

from mspsvae.config import Arch, Config
from mspsvae.models import TERMS
from mspsvae.runs import read_checkpoint, read_history
from mspsvae.sessions import write_session
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit

TINY = Config(
    arch=Arch((4, 8), 5, 4),
    trial_splits=(2, 1, 1, 0),
    anneal_epochs=4,
    max_epochs=4,
    learning_rate=1e-3,
    frame_std='auto',
    static_background=True,
    gamma=10,
    standard_start=True,
    device='cpu',
    precision='fp32',
)


def unequal_sessions(root):
    "Paths of three sessions with 8, 5 and 4 trials of 1 to 13 frames."
    rng, out = np.random.default_rng(0), []
    for k, (path, n_trials) in enumerate(
        zip(make_sessions(root / 'equal', n_sessions=3, n_trials=8, n_frames=13, size=(32, 32)), (8, 5, 4))
    ):
        lengths = rng.integers(1, 14, n_trials)
        with h5py.File(path) as f:
            images, labels = ([f[g][t][:n] for t, n in zip(f[g], lengths)] for g in ('images', 'labels'))
        for l in labels:
            l[rng.random(l.shape) < 0.2] = np.nan
        more = dict(masks=[(rng.random(i.shape) < 0.9).astype(np.uint8) for i in images]) if k == 1 else {}
        if k < 2:
            more['labels_masks'] = [(rng.random(l.shape) < 0.8).astype(np.uint8) for l in labels]
        out.append(write_session(root / 'data' / f'session_{k}' / 'data.hdf5', images, labels, **more))
    return out


# in the alikeness of processes a latent is said to be turned round after two epochs, see 06a_turning
TURNING = """
import numpy as np
import mspsvae.train as loop
loop.turn_epochs = lambda config: [2]
def one_mirrored(model, moves):
    axes = np.stack([np.eye(len(moves))] * moves.shape[1])
    axes[0, 0, 0] = -1
    return axes


loop.session_axes = one_mirrored
"""


def program(paths, config, out, resume=True):
    "What each process runs."
    return (
        f'from mspsvae.train import fit; fit({[str(p) for p in paths]!r}, {str(config)!r}, '
        f'out={str(out)!r}, resume={resume}, show_progress=False)'
    )


def start(n, root, what):
    "Begin `n` processes, and the file that they write their messages to."
    path = root / 'program.py'
    path.write_text(what)
    messages = (root / 'messages.txt').open('w+')
    command = [
        sys.executable,
        '-W',
        'ignore',
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node',
        str(n),
        path,
    ]
    return subprocess.Popen(
        list(map(str, command)),
        stdout=messages,
        stderr=messages,
        env=os.environ | dict(OMP_NUM_THREADS='1', PYTHONWARNINGS='ignore'),
    ), messages


def finish(child, messages, patience=300):
    "Wait for its end; how it ended, and what it said."
    try:
        child.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        for p in [*psutil.Process(child.pid).children(recursive=True), child]:
            p.kill()
        raise SystemExit(
            f'still running after {patience} s: somebody waits for somebody who is gone'
        ) from None
    messages.seek(0)
    text = messages.read()
    messages.close()
    return child.returncode, text


def fit_with(n, root, paths, out, resume=False, before=''):
    "A fit by `n` processes that has to reach its end; `before` is run before it, by programs of their own."
    what = before + program(paths, root / 'config.json', out, resume)
    if n == 1 and before:
        subprocess.run([sys.executable, '-W', 'ignore', '-c', what], check=True)
        return out
    if n == 1:
        return fit(paths, root / 'config.json', out=out, show_progress=False, resume=resume).path
    code, text = finish(*start(n, root, what))
    if code:
        raise SystemExit(f'{n} processes ended with {code}:\n{text[:6000]}')
    return out


def apart(a, b):
    """How far two runs are from each other in losses, their terms (relative to themselves, or 1 if they
    are smaller) and weights (relative to the largest of a tensor)."""
    rows = list(zip(read_history(a / 'history.csv'), read_history(b / 'history.csv'), strict=True))
    for r, s in rows:
        assert all(r[k] == s[k] for k in ('epoch', 'split', 'session', 'n_frames', 'progress')), (r, s)

    def most(*names):
        return max(abs(r[k] - s[k]) / max(1, abs(r[k])) for r, s in rows for k in names)

    models = [read_checkpoint(p / 'last.ckpt')['model'] for p in (a, b)]
    return (
        most('loss', 'frame_std'),
        most(*TERMS),
        max(
            ((v - models[1][k]).abs().max() / v.abs().max().clamp(min=1e-3)).item()
            for k, v in models[0].items()
        ),
    )


def alike(root, paths, numbers, tolerance=1e-5):
    """Fit with one process and with each number of `numbers`; ends with a message where they differ.
    Returns the run of one process."""
    alone = fit_with(1, root, paths, root / 'alone', before=TURNING)
    for n in numbers:
        losses, terms, weights = apart(alone, fit_with(n, root, paths, root / f'by_{n}', before=TURNING))
        steps = len({r['epoch'] for r in read_history(alone / 'history.csv')})
        print(
            f'{n} processes and one, after {steps} epochs: losses differ by {losses:.1e}, single terms '
            f'by {terms:.1e}, weights by {weights:.1e}',
            flush=True,
        )
        if not (max(losses, weights) < tolerance and terms < 5 * tolerance):
            raise SystemExit(f'that is more than {tolerance}')
    return alone


def ranks(child):
    "The processes that `torchrun` has started so far, in the order of their numbers."
    try:
        return sorted(
            (p for p in psutil.Process(child.pid).children() if 'RANK' in p.environ()),
            key=lambda p: int(p.environ()['RANK']),
        )
    except psutil.Error:
        return []


def one_life(n, root, paths, out, rng):
    """Start, wait for an epoch and a moment more (or only for a moment), kill one process. Was it still
    running?"""
    child, messages = start(n, root, program(paths, root / 'config.json', out))
    before, early = size(out / 'history.csv'), rng.random() < 0.25
    while child.poll() is None and (
        len(ranks(child)) < n if early else size(out / 'history.csv') <= max(before, 200)
    ):
        time.sleep(0.01)
    time.sleep(rng.uniform(0, 4 if early else 0.3))
    if found := ranks(child):
        victim = rng.choice(found)
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            found = []
    code, text = finish(child, messages, patience=90)
    if code and 'SIGKILL' not in text:
        raise SystemExit(f'{n} processes ended by themselves, with {code}:\n{text[:6000]}')
    return code != 0


def stress(root, paths, kills, seed, numbers, out, whole):
    "Kill and go on; returns how many kills met a running fit."
    rng, hits = random.Random(seed), 0
    for k in range(kills):
        n = rng.choice(numbers)
        hit = one_life(n, root, paths, out, rng)
        hits += hit
        openable(out)
        print(
            f'kill {k + 1} of {kills}, one of {n} processes: {"running" if hit else "had ended"}, '
            f'{epochs_in(out)} epochs',
            flush=True,
        )
    fit_with(rng.choice(numbers), root, paths, out, resume=True)
    if left := [p.name for p in out.glob('.part-*')]:
        raise SystemExit(f'files were left behind: {left}')
    if len(set(numbers)) == 1:
        if wrong := differences(out, whole):
            raise SystemExit(f'after {hits} kills (seed {seed}) these differ: {", ".join(wrong)}')
        print('the same bits as without kills', flush=True)
    else:
        losses, _, weights = apart(whole, out)
        print(
            f'losses differ by {losses:.1e}, weights by {weights:.1e} from a fit by one process that '
            'was left in peace',
            flush=True,
        )
        if not losses < 1e-3:
            raise SystemExit('that is too much')
    return hits


def command_says(root, n, *words):
    "What `torchrun ... -m mspsvae` prints on standard output and on standard error, and how it ends."
    command = [
        sys.executable,
        '-m',
        'torch.distributed.run',
        '--standalone',
        '--nproc-per-node',
        n,
        '-m',
        'mspsvae',
        *words,
    ]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | dict(OMP_NUM_THREADS='1'),
    )
    return done.stdout, done.stderr, done.returncode


def command_line(root, short=False):
    "The command, by two processes: results once, and what is wrong is said (`short`: less of it)."
    words = (
        'fit',
        root / 'equal',
        '--config',
        root / 'config.json',
        '--out',
        root / 'commanded',
        '--json',
        '--max-epochs',
        1,
    )
    out, err, code = command_says(root, 2, *words)
    assert code == 0 and json.loads(out)['rows'], (out, err)  # one JSON, by one process
    out, err, code = command_says(root, 2, *words)
    assert code and not out and f'{root / "commanded"} contains a run already' in err, err
    if short:
        return
    out, err, code = command_says(root, 2, 'demo', '--out', root / 'demo')
    assert (
        code and 'the demo needs a single process, but 2 were started' in err and not (root / 'demo').exists()
    ), err
    for change, message in (
        ('alpha=1. + k', 'alpha was 1.0, is 2.0'),
        ("arch=Arch((4, 8), 5, 4, 'same', True)", 'batch_norm needs all frames of a batch in one process'),
        ('learning_rate=1e12', 'Try a smaller learning_rate'),
    ):
        what = (
            'import os; from mspsvae.config import Arch; from mspsvae.train import fit; k = '
            f"int(os.environ['RANK']); fit({str(root / 'equal')!r}, {str(root / 'config.json')!r}, "
            f'out={str(root / "wrong")!r}, show_progress=False, resume=True, {change})'
        )
        code, text = finish(*start(2, root, what))
        assert code and message in text, text
    print('the command line: results once, and what is wrong is said', flush=True)


def prepare(root, **more):
    "Write sessions and config."
    torch.set_num_threads(1)  # as in the children
    warnings.simplefilter('ignore')
    TINY.replace(**more).to_json(root / 'config.json')
    return unequal_sessions(root)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--kills', type=int, default=10)
    parser.add_argument('--seed', type=int, default=0, help='of the moments at which to kill')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        paths = prepare(root)
        alike(root, paths, (2, 3, 4))
        command_line(root)
        hits = 0
        for name, numbers in (('same', (2,)), ('mixed', (1, 2, 3))):
            half = max(args.kills // 2, 1)
            TINY.replace(max_epochs=20 * half).to_json(root / 'config.json')
            whole = fit_with(numbers[0], root, paths, root / f'whole_{name}')
            hits += stress(root, paths, half, args.seed, numbers, root / name, whole)
    print(f'{hits} kills of a running fit')

"""What the loader takes: peak memory while the data grow tenfold, and frames a second for each place where
trials can be kept.

    python tools/loader_study.py memory [--size 128] [--frames 100]
    python tools/loader_study.py speed [--size 128] [--frames 100] [--sessions-per-batch 2] [--device cpu]
    [--repeats 5]

Each measurement runs in a process of its own, on made-up files of noise in a temporary folder (--folder to
choose the disk), and says what is printed as one line of a table (Markdown).
`memory` needs about 3 GB of disk at its default size. In `speed`, 'first' is the first epoch, in which
files are read in any case (from the system's file cache, as they were just written), 'later' the median of
those after it;
the last two columns say how much longer a training step takes with loading than without, with a thread that
reads ahead and without one. The step is a pause of 20 ms, in which another thread may use the processor: as
if a graphics card had the work.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def make_files(folder, n_sessions, n_trials, n_frames, size, compression=None):
    "Sessions of noise, each trial written by itself."
    import h5py
    import numpy as np

    folder = Path(folder)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for s in range(n_sessions):
        with h5py.File(folder / f's{s:03d}.hdf5', 'w') as f:
            for t in range(n_trials):
                f.create_dataset(
                    f'images/trial_{t:04d}',
                    data=rng.integers(0, 16, (n_frames, 1, size, size), dtype=np.uint8) * 16,
                    compression=compression,
                )
                f.create_dataset(f'labels/trial_{t:04d}', data=rng.normal(size=(n_frames, 2)))
    return dict(bytes=n_sessions * n_trials * n_frames * size**2)


def open_reader(folder, cache, device='cpu', n_sessions_per_batch=2):
    "A reader of all sessions, and the plan of each epoch."
    from mspsvae.batches import TrialReader, plan_epoch
    from mspsvae.config import Config
    from mspsvae.sessions import check_sessions

    config = Config(cache=cache, n_sessions_per_batch=n_sessions_per_batch)
    infos = check_sessions(str(folder), config).infos
    return TrialReader(infos, config, device), lambda epoch: plan_epoch(
        [list(range(len(i.trials))) for i in infos], n_sessions_per_batch, 0, epoch
    )


def peak_bytes():
    "The most memory that this process ever held."
    try:
        import resource
    except ImportError:
        import psutil

        return psutil.Process().memory_info().peak_wset  # Windows
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == 'darwin' else 1024)


def peak(folder, cache, work='epoch'):
    "Peak memory before and after an epoch, or after all pieces of all sessions."
    reader, plan = open_reader(folder, cache)
    before = peak_bytes()
    with reader:
        if work == 'epoch':
            n = sum(len(batch) for batch in reader.batches(plan(0)))
        else:
            n = sum(len(arrays['frames']) for s in range(len(reader.infos)) for _, arrays in reader.pieces(s))
    return dict(before=before, after=peak_bytes(), n_frames=n)


def speed(folder, cache, device='cpu', n_sessions_per_batch=2, repeats=5):
    """Frames a second in the first epoch and later, alone; and how much longer a step of 20 ms takes with
    loading, as it is and without reading ahead."""
    import time
    from statistics import median
    import torch

    def timed(batches, pause=0):
        "Seconds, frames, batches."
        start, n, k = time.perf_counter(), 0, 0
        for batch in batches:
            n, k = n + (0 if batch is None else len(batch)), k + 1
            time.sleep(pause)
        if device.startswith('cuda'):
            torch.cuda.synchronize()
        return time.perf_counter() - start, n, k

    reader, plan = open_reader(folder, cache, device, n_sessions_per_batch)
    with reader:
        seconds, n, k = timed(reader.batches(plan(0)))
        later = median(timed(reader.batches(plan(e)))[0] for e in range(1, repeats + 1))

        def longer(batches):
            return (
                median(timed(batches(plan(e)), 0.02)[0] / timed([None] * k, 0.02)[0] for e in range(repeats))
                - 1
            )

        added, in_turn = longer(reader.batches), longer(lambda trials: map(reader.batch, trials))
    return dict(cache=reader.cache, first=n / seconds, later=n / later, added=added, in_turn=in_turn)


def in_child(function, **arguments):
    "Run one of the functions above in a fresh process."
    run = subprocess.run(
        [sys.executable, __file__, 'child', function, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(run.stdout.splitlines()[-1])


def growth(folder, cache, small, large, work='epoch'):
    "Data and peak memory for two sizes of data: (bytes of data, peak before, peak after) for each."
    found = []
    for name, shape in (('small', small), ('large', large)):
        files = Path(folder) / ('_'.join([name, *map(str, shape.values())]))
        if not files.exists():
            in_child('make_files', folder=str(files), **shape)
        n = shape['n_sessions'] * shape['n_trials'] * shape['n_frames']
        result = in_child('peak', folder=str(files), cache=cache, work=work)
        assert result['n_frames'] >= n, result
        found.append((n * shape['size'] ** 2, result['before'], result['after']))
    return found


def show_memory(folder, size, frames):
    base = dict(n_sessions=4, n_trials=20, n_frames=frames, size=size)
    print('| tenfold | cache | data, MB | before, MB | peak, MB | added, MB |\n|---|---|---|---|---|---|')
    long = base | dict(n_trials=4, n_frames=5 * frames)
    for what, cache, small, key, work in (
        ('trials', 'stream', base, 'n_trials', 'epoch'),
        ('sessions', 'stream', base, 'n_sessions', 'epoch'),
        ('trials', 'memory', base, 'n_trials', 'epoch'),
        ('frames in a trial, to encode', 'stream', long, 'n_frames', 'pieces'),
    ):
        found = growth(folder, cache, small, small | {key: 10 * small[key]}, work)
        columns = [
            ' -> '.join(f'{v / 1e6:.0f}' for v in column)
            for column in zip(*((n, b, a, a - b) for n, b, a in found))
        ]
        print('|', what, '|', cache, '|', ' | '.join(columns), '|', flush=True)


def show_speed(folder, size, frames, n_sessions_per_batch, device, repeats):
    print(
        '| files | cache | first, frames/s | later, frames/s | a step takes longer by | without reading '
        'ahead |\n|---|---|---|---|---|---|'
    )
    for compression in (None, 'gzip'):
        files = Path(folder) / f'{compression}'
        in_child(
            'make_files',
            folder=str(files),
            n_sessions=4,
            n_trials=20,
            n_frames=frames,
            size=size,
            compression=compression,
        )
        for cache in (['device'] if device != 'cpu' else []) + ['memory', 'stream']:
            r = in_child(
                'speed',
                folder=str(files),
                cache=cache,
                device=device,
                n_sessions_per_batch=n_sessions_per_batch,
                repeats=repeats,
            )
            print(
                f'| {compression or "plain"} | {r["cache"]} | {r["first"]:,.0f} | {r["later"]:,.0f} | '
                f'{r["added"]:.1%} | {r["in_turn"]:.1%} |',
                flush=True,
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('what', choices=('memory', 'speed'))
    parser.add_argument('--size', type=int, default=128, help='pixels, in y and in x')
    parser.add_argument('--frames', type=int, default=100, help='in a trial')
    parser.add_argument('--sessions-per-batch', type=int, default=2)
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--repeats', type=int, default=5)
    parser.add_argument('--folder', help='where the files are made; removed at the end')
    a = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=a.folder) as folder:
        if a.what == 'memory':
            show_memory(folder, a.size, a.frames)
        else:
            show_speed(folder, a.size, a.frames, a.sessions_per_batch, a.device, a.repeats)


if __name__ == '__main__':
    if sys.argv[1:2] == ['child']:
        print(json.dumps(globals()[sys.argv[2]](**json.loads(sys.argv[3]))))
    else:
        main()

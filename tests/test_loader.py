"""Peak memory while the data grow tenfold: flat where trials are streamed, and where sessions are encoded;
growing where they are kept in memory.

    python tests/test_loader.py

The same with more data, and the loader's speed: `python tools/loader_study.py`.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'tools'))
from loader_study import growth

SMALL = dict(n_sessions=4, n_trials=4, n_frames=256, size=64)
MORE_TRIALS, LONGER_TRIALS = SMALL | dict(n_trials=40), SMALL | dict(n_frames=2560)


def added(*what):
    "MB of data, and MB of peak memory, that the large data set has more than the small one."
    (small, _, low), (large, _, high) = growth(folder, *what)
    return (large - small) / 1e6, (high - low) / 1e6


with tempfile.TemporaryDirectory() as folder:
    for cache, large, work in (
        ('stream', MORE_TRIALS, 'epoch'),
        ('stream', LONGER_TRIALS, 'pieces'),
        ('memory', MORE_TRIALS, 'epoch'),
    ):
        data, memory = added(cache, SMALL, large, work)
        print(f'{cache}, {work}: {memory:.0f} MB more memory for {data:.0f} MB more data')
        assert (memory > 0.8 * data) if cache == 'memory' else (memory < 0.2 * data), (
            f'{cache}, {work}: memory grew by {memory:.0f} MB while the data grew by {data:.0f} MB'
        )

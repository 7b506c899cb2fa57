"""How long the explorer takes to answer: from a changed widget to the new pictures, with the network of the paper on one core. Without a browser, which needs its own time to draw.

    python tools/explorer_speed.py            frames of 128 x 128; or python tools/explorer_speed.py 192
"""
import sys
import tempfile
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter

import torch

from mspsvae.explore import explore
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit


def times(act, values, n=60):
    "Milliseconds of each of `n` changes, after three to warm up."
    spent = []
    for _, value in zip(range(n + 3), cycle(values)):
        start = perf_counter()
        act(value)
        spent.append(1000*(perf_counter() - start))
    return spent[3:]


def setter(widget): return lambda value: setattr(widget, 'value', value)


def main(size=128):
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as tmp:
        make_sessions(Path(tmp)/'data', n_sessions=3, n_trials=4, n_frames=20, size=(size, size))
        run = fit(Path(tmp)/'data', out=Path(tmp)/'run', show_progress=False, max_epochs=1, trial_splits=(2, 1, 1, 0), device='cpu')
        shown = explore(run)
        slider = shown.sliders[-1]
        for name, act, values in (('a slider', setter(slider), (slider.min, slider.max)), ('the frame, with that edit', setter(shown.frame), range(20)), ('the background', setter(shown.background), (0, 1, 2)),
                                  ('the trial', setter(shown.trial), range(4)), ('the session', setter(shown.session), range(3))):
            spent = sorted(times(act, values))
            print(f'{name:26} median {median(spent):5.1f} ms, slowest of 20 {spent[-len(spent)//20]:5.1f} ms', flush=True)


if __name__ == '__main__': main(*map(int, sys.argv[1:]))

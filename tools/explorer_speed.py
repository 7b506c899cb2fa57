"""How long the explorer takes to answer, with the network of the paper on one core: first from a changed
widget to the new pictures, then, in a browser, from a pressed key to the pixels on the page.

    OMP_NUM_THREADS=1 python tools/explorer_speed.py            frames of 128 x 128; or another size, such
    as 192

The time of the processor is given beside that of the clock: on a busy machine the clock counts the others'
work too.
"""

import os
import sys
import tempfile
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import torch

from mspsvae.show.explore import explore
from mspsvae.synthetic import make_sessions
from mspsvae.train import fit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'tests'))
import browser
from served import served

KEY = """key => new Promise(done => {
    const image = document.querySelectorAll('img.mspsvae-frame')[2]
    const handles = document.querySelectorAll('.mspsvae .noUi-handle')
    const start = performance.now()
    const watch = new MutationObserver(() => {
        watch.disconnect()
        image.decode().then(() => done(performance.now() - start))
    })
    watch.observe(image, {attributes: true, attributeFilter: ['src']})
    handles[handles.length - 1].dispatchEvent(new KeyboardEvent('keydown', {key: key, bubbles: true}))
})"""


def tell(name, times, more=''):
    print(
        f'{name:28} median {median(times):5.1f} ms, nineteen of twenty below '
        f'{sorted(times)[-len(times) // 20]:5.1f} ms{more}',
        flush=True,
    )


def measure(name, widget, values, n=60):
    "`n` changes of a widget, after three to warm up."
    clock, processor = [], []
    for _, value in zip(range(n + 3), cycle(values)):
        start, busy = perf_counter(), process_time()
        widget.value = value
        clock.append(1000 * (perf_counter() - start))
        processor.append(1000 * (process_time() - busy))
    tell(name, clock[3:], f'; processor: median {median(processor[3:]):5.1f} ms')


def measure_in_browser(path, n=40):
    with (
        served(
            'import torch\ntorch.set_num_threads(1)\nfrom mspsvae.runs import load_run\nfrom '
            'mspsvae.show.explore import explore',
            f'explore(load_run({path!r}))',
        ) as url,
        browser.visit(url) as seen,
    ):
        seen.page.wait_for_selector('img.mspsvae-frame')
        times = [seen.page.evaluate(KEY, 'ArrowRight' if k % 8 < 4 else 'ArrowLeft') for k in range(n + 4)]
    tell('a key, until it is seen', times[4:])


def main(size=128):
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as tmp:
        make_sessions(Path(tmp) / 'data', n_sessions=3, n_trials=4, n_frames=20, size=(size, size))
        run = fit(
            Path(tmp) / 'data',
            out=Path(tmp) / 'run',
            show_progress=False,
            max_epochs=1,
            trial_splits=(2, 1, 1, 0),
            device='cpu',
        )
        shown = explore(run)
        print(
            f'{size} x {size} pixels, '
            f'{len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()} '
            f'cores, load {os.getloadavg()[0] if hasattr(os, "getloadavg") else "unknown"}'
        )
        measure('a slider', shown.sliders[-1], (shown.sliders[-1].min, shown.sliders[-1].max))
        measure('the frame, with that edit', shown.frame, range(20))
        measure('the background', shown.background, (0, 1, 2))
        measure('the trial', shown.trial, range(4))
        measure('the session', shown.session, range(3))
        measure_in_browser(str(run.path))


if __name__ == '__main__':
    main(*map(int, sys.argv[1:]))

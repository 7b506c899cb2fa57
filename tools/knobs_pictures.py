"""Each knob too low, right and too high: a picture of three fits that differ in this setting alone.

    python tools/knobs_pictures.py SEARCH/runs --out nbs/images
    python tools/knobs_pictures.py FOLDER/runs --knobs beta           of knobs_study.py

SEARCH is a search as tutorial 4 makes it. Columns: a test frame and its reconstruction; a label, true (grey) and as
it is read; where the two strongest unsupervised latents act; these two latents, coloured by session.
"""

import argparse
import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from mspsvae.judge.evaluate import frame_table, subspace_slices
from mspsvae.judge.ranking import SEEDS, held_out_terms
from mspsvae.runs import load_run, read_json
from mspsvae.show.plots import session_colours
from mspsvae.show.traversals import decode, difference_maps, frame_latents, pick_frames, read_frames

KNOBS = ('alpha', 'beta', 'delta', 'gamma', 'n_unsupervised', 'n_background', 'learning_rate')
LABEL = 1  # up and down of the left paw


def three_values(folder, knob):
    "Fits that differ in one knob alone, the lowest value first: of several such rows, the longest and best."
    groups = {}
    for path in sorted(p for p in folder.iterdir() if (p / 'best.safetensors').is_file()):
        config = read_json(path / 'config.json')
        if not any(config[s] for s in SEEDS):
            rest = str({k: v for k, v in config.items() if k != knob})
            groups.setdefault(rest, {})[config[knob]] = load_run(path)
    best = max(groups.values(), key=lambda g: (len(g), likelihood(g)))
    return sorted(best.items())


def likelihood(group):
    "Of held-out frames, in the best fit"
    return max(held_out_terms(run)['frames_ll'] for run in group.values())


def plain(axes):
    "No frames and no ticks"
    for ax in axes:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)


def show(ax, image, title=''):
    ax.imshow(image, cmap='gray', vmin=0, vmax=1, interpolation='nearest')
    ax.set_title(title, fontsize=7)


def row(axes, run, titles):
    "One fit."
    (s, t, f), *_ = pick_frames(run, 1)
    frame = read_frames(run, s, t, f, f + 1)[0, 0] / 255
    painted = decode(run, frame_latents(run, [(s, t, f)]))[0, 0]
    show(axes[0], np.concatenate([frame, painted], 1), titles * 'frame | reconstruction')
    table, part = frame_table(run, 'test', 200), subspace_slices(run)
    label = table.labels[:60, LABEL]
    axes[1].plot(label, color='0.6', lw=2)
    axes[1].plot(table.predicted[:60, LABEL], color='#0072B2', lw=1)
    axes[1].set_title(titles * 'a label: true, as read', fontsize=7)
    maps = difference_maps(run, n_frames=30)
    mine = [k for k in maps.ranking if part['unsupervised'].start <= k < part['unsupervised'].stop][:2]
    for ax, k, n in zip(axes[2:4], mine, (1, 2)):
        show(ax, maps.mean_frame[0], titles * f'moved by latent {n}')
        ax.imshow(
            maps.maps[k][0], cmap='plasma', vmin=0, vmax=0.3, alpha=np.clip(4 * maps.maps[k][0], 0, 0.9)
        )
    whole = frame_table(run, 'train', 1200)
    z = whole.latents[:, mine]
    if len(mine) < 2:  # side by side
        z = np.c_[np.random.default_rng(0).normal(size=len(z)), z]
    colours = session_colours(len(run.data['sessions']))
    for s in np.unique(whole.session):
        axes[4].plot(*z[whole.session == s].T, '.', ms=1.5, color=colours[int(s)])
    axes[4].set_title(titles * 'latents 1, 2; colour: session', fontsize=7)


def picture(runs, knob):
    "Three fits below each other, as PNG."
    fig, grid = plt.subplots(
        3, 5, figsize=(9.5, 4.9), width_ratios=[2.1, 1.7, 1, 1, 1.2], layout='constrained'
    )
    for k, (axes, (value, run)) in enumerate(zip(grid, runs)):
        plain(axes)
        row(axes, run, k == 0)
        axes[0].set_ylabel(f'{knob}\n{value:g}', fontsize=9, rotation=0, ha='right', va='center')
        if run.model.n_unsupervised < 2:
            axes[3].set_axis_off()
    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, dpi=90)
    plt.close(fig)
    Image.open(full).convert('RGB').quantize(255, Image.Quantize.MAXCOVERAGE).save(
        small, 'PNG', optimize=True
    )
    return small.getvalue()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('runs', type=Path, help='the folder of run folders of a search')
    parser.add_argument('--out', type=Path, default=Path('nbs/images'))
    parser.add_argument('--knobs', nargs='+', default=KNOBS, choices=KNOBS)
    args = parser.parse_args()
    for knob in args.knobs:
        runs = three_values(args.runs, knob)
        path = args.out / f'knob_{knob}.png'
        path.write_bytes(picture(runs, knob))
        print(
            f'{path}: {", ".join(f"{v:g} {run.path.name}" for v, run in runs)}, {path.stat().st_size // 1000} kB'
        )

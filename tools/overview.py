"""The picture in the README, drawn from a run of the demo.

mspsvae demo --out runs/demo && python tools/overview.py runs/demo
"""

import sys
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np
import torch

from mspsvae.judge.evaluate import frame_table
from mspsvae.runs import load_run

COLOURS = '#0072B2', '#E69F00', '#009E73', '#CC79A7'


def change(
    run, frame, dim, latents
):  # what turning one latent up, from its 5th to its 95th percentile, does to the picture
    low, high = (run.model.posterior(frame)[0] for _ in range(2))
    low[:, dim], high[:, dim] = np.percentile(latents[:, dim], [5, 95])
    return (run.model.decode(high) - run.model.decode(low))[0, 0]


@torch.no_grad()
def main(path):
    run = load_run(path)
    table, infos, n = frame_table(run, 'test'), run.infos(), 3
    names = [name.replace('_', ' ').replace('paw ', 'paw\n') for name in run.data['label_names']] + [
        'unsupervised\n1',
        'unsupervised\n2',
    ]
    dims = [0, 1, 2, 3, run.model.n_latents - 2, run.model.n_latents - 1]
    fig, axes = plt.subplots(n, 1 + len(dims), figsize=(8.4, 3.9), dpi=110)
    for s, row in enumerate(axes):
        with h5py.File(infos[s].session.path) as f:
            frame = torch.from_numpy(f[f'images/{infos[s].trials[-1]}'][:1])
        row[0].imshow(frame[0, 0], cmap='gray', vmin=0, vmax=255)
        row[0].set_ylabel(f'session {s + 1}', color=COLOURS[s])
        for ax, dim in zip(row[1:], dims):
            ax.imshow(change(run, frame, dim, table.latents), cmap='RdBu_r', vmin=-0.35, vmax=0.35)
    for ax, name in zip(axes[0], ['frame', *names]):
        ax.set_title(name, fontsize=9)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    fig.tight_layout(pad=0.4)
    out = Path(__file__).resolve().parent.parent / 'nbs' / 'images' / 'overview.png'
    out.parent.mkdir(exist_ok=True)
    fig.savefig(out)


if __name__ == '__main__':
    main(*sys.argv[1:])

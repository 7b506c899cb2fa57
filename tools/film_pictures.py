"""The two pictures of the page about a real film: what each latent moves, and a hidden label beside the latents.

    python tools/film_pictures.py RUN IMAGES --session fly_0 --label wingR_x

RUN is a fit from which the label was hidden. Writes film_traversals.png and film_traces.png into IMAGES, and prints
for each unsupervised latent its correlation with the label over the whole session, and how well it tells frames in
which the label is high (area under the ROC curve).
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from mspsvae import load_run
from mspsvae.judge.evaluate import frame_table, subspace_slices
from mspsvae.runs import latent_names
from mspsvae.sessions import hidden_labels
from mspsvae.show.plots import OKABE_ITO, Picture, plot_traversals
from mspsvae.show.traversals import find_session


def session_traces(run, session, label):
    "A hidden label, and the unsupervised latents, over all trials of a session in their order."
    table = frame_table(run, 'all')
    own = np.flatnonzero(table.session == find_session(run, session))
    own = own[np.lexsort((table.row[own], table.trial[own]))]
    column = hidden_labels(run.infos()).index(label)
    return table.hidden[own, column], table.latents[own][:, subspace_slices(run)['unsupervised']]


def draw_traces(true, latents, names, label):
    "The label on top, each latent below."
    fig = Picture(0.9 * (len(names) + 1) + 0.5, '')
    axes = fig.subplots(len(names) + 1, 1, sharex=True)
    curves = [(label + ', hidden from the fit', true, 'black')]
    curves += [(name, latents[:, k], OKABE_ITO[k]) for k, name in enumerate(names)]
    for ax, (name, values, colour) in zip(axes, curves):
        ax.plot(values, color=colour, lw=0.8)
        ax.set_title(name, fontsize=9, loc='left')
        ax.spines[['top', 'right']].set_visible(False)
        ax.margins(x=0.01)
    axes[-1].set_xlabel('frame', fontsize=8)
    return fig


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('run', type=Path)
    parser.add_argument('images', type=Path)
    parser.add_argument('--session', required=True)
    parser.add_argument('--label', required=True)
    parser.add_argument('--high', type=float, default=1.5, help='in the units of the file [1.5]')
    args = parser.parse_args()
    run = load_run(args.run)
    hidden = hidden_labels(run.infos())
    if args.label not in hidden:
        parser.error(f'--label: got {args.label!r}; hidden from this fit: {", ".join(hidden) or "nothing"}')
    part = subspace_slices(run)['unsupervised']
    names = latent_names(run)[part]
    true, latents = session_traces(run, args.session, args.label)
    known = np.isfinite(true)
    for k, name in enumerate(names):
        r = np.corrcoef(latents[known, k], true[known])[0, 1]
        area = roc_auc_score(true[known] > args.high, latents[known, k])
        print(f'{name}: r {r:.2f}, area {area:.2f}')
    draw_traces(true, latents, names, args.label).savefig(args.images / 'film_traces.png', dpi=110)
    shown = plot_traversals(run, latents=list(range(part.start, part.stop)))
    shown.savefig(args.images / 'film_traversals.png', dpi=110)


if __name__ == '__main__':
    main()

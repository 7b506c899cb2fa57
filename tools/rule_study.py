"""Does the rule of a search choose what finds the causes? Rank correlations, where the causes are known.

    python tools/rule_study.py SEARCH              of a search on made-up sessions that is there
    python tools/rule_study.py SEARCH --fits 40    makes it first, or goes on with it: settings drawn by the
                                                   search's sampler, bad ones among them, on made-up sessions

The truth of a fit is the mean R2 of the causes from its unsupervised latents, one linear map for all sessions
(`evaluate`, test trials). The rule does not see it. `pick` is the truth of the fit that a score puts first.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mspsvae.config import Arch, Config
from mspsvae.judge.ranking import failed_gates, merit, merit_parts
from mspsvae.judge.search import load_search, search
from mspsvae.synthetic import make_sessions

SPACE = dict(
    alpha=[10, 50, 100, 500, 1000, 3000],
    beta=[1, 5, 20, 100, 300],
    delta=[0, 50, 100, 500, 1000],
    gamma=[0, 30, 100, 300],
    n_unsupervised=[1, 2, 3, 4],
    n_background=[1, 3, 6],
    learning_rate=[5e-4, 1e-3, 2e-3, 4e-3],
    static_background=[True, False],
)


def make(out, n_fits, workers):
    "A search that draws, on small sessions."
    data = out.with_name(out.name + '_data')
    if not data.exists():
        make_sessions(data, n_sessions=3, n_trials=20, n_frames=25, size=(32, 32))
    arch = Arch((8, 16, 32, 64), 5, 2)
    config = Config(arch=arch, n_sessions_per_batch=3, max_epochs=75, early_stop=False, device='cpu')
    return search(data, out, SPACE, config, n_fits=n_fits, workers=workers)


def truth(scores):
    return float(np.mean([max(0.0, v) for v in scores['causes'].values()]))


def columns(all_scores):
    "Name of a score -> its value for each fit, more is better; those that some fit lacks are left out."
    best = max(s['label_r2'] for s in all_scores)
    parts = [merit_parts(s) for s in all_scores]
    out = {k: [p[k] for p in parts] for k in parts[0] if all(k in p for p in parts)}
    out |= {k: [s[k] for s in all_scores] for k in ('mi', 'frames_ll')}
    out['merit'] = [merit(s) for s in all_scores]
    out['the rule'] = [merit(s) - len(failed_gates(s, best)) for s in all_scores]
    return out


def table(all_scores):
    true = [truth(s) for s in all_scores]
    lines = [
        f'{len(true)} fits; truth {min(true):.2f} to {max(true):.2f}',
        '',
        '| score | rank correlation | pick |',
    ]
    lines.append('|---|---|---|')
    for name, values in columns(all_scores).items():
        r = spearmanr(values, true).statistic
        lines.append(f'| {name} | {r:.2f} | {true[int(np.argmax(values))]:.2f} |')
    return '\n'.join(lines)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('search', type=Path, help='folder of the search')
    parser.add_argument('--fits', type=int, help='make so many fits first')
    parser.add_argument('--workers', type=int, default=1)
    args = parser.parse_args()
    found = make(args.search, args.fits, args.workers) if args.fits else load_search(args.search)
    known = [r['scores'] for r in found.rows if r['scores'] and r['scores']['causes']]
    failed = found.count('fail')
    print(table(known) + (f'\n\n{failed} fits failed and have no scores' if failed else ''))

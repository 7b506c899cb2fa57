"""Does the rule of a search choose what finds the causes? Rank correlations, where the causes are known.

    python tools/rule_study.py SEARCH                         of a search on made-up sessions that is there
    python tools/rule_study.py SEARCH --fits 40               makes it first, or goes on with it: settings drawn by
                                                              the search's sampler, bad ones among them
    python tools/rule_study.py SEARCH FOLDER --keep FILE      of several together, and keep their scores in a CSV
    python tools/rule_study.py FILE                           of scores that were kept

A FOLDER contains run folders that were evaluated. The truth of a fit is the mean R2 of the causes from its
unsupervised latents, one linear map for all sessions (`evaluate`, test trials). The rule does not see it. `pick` is the
truth of the fit that a score puts first. Gates compare a fit with those of its own search.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from mspsvae.config import Arch, Config
from mspsvae.judge.evaluate import kept_scores
from mspsvae.judge.ranking import failed_gates, fit_scores, merit, merit_parts, rank_settings
from mspsvae.judge.ranking import too_few_latents, worse_labels
from mspsvae.judge.search import load_search, search
from mspsvae.runs import load_run
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


def of_folder(path):
    "Scores of the run folders in a folder."
    for run in (load_run(p) for p in sorted(path.iterdir()) if (p / 'metrics.json').is_file()):
        scores = fit_scores(run, kept_scores(run), json.loads((run.path / 'leakage.json').read_text()))
        settings = {k: v for k, v in run.config.to_dict().items() if k in (*SPACE, 'seed_model')}
        yield dict(name=run.path.name, settings=settings, scores=scores)


def of_search(path):
    "Scores of a search, of run folders, or of a CSV that was kept; a name, and rows."
    if path.suffix == '.csv':
        with path.open(newline='') as file:
            for row in csv.DictReader(file):
                yield row | {k: json.loads(row[k]) for k in ('settings', 'scores')}
        return
    rows = load_search(path).rows if (path / 'search.json').is_file() else of_folder(path)
    for row in rows:
        if row['scores'] and row['scores']['causes']:
            kept = {k: row[k] for k in ('name', 'settings', 'scores')}
            yield dict(search=path.name, **kept)


def keep(rows, path):
    with path.open('w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(['search', 'name', 'settings', 'scores'])
        for r in rows:
            scores = {k: v for k, v in r['scores'].items() if k != 'warnings'}
            writer.writerow([r['search'], r['name'], json.dumps(r['settings']), json.dumps(rounded(scores))])


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f'{value:.6g}') if isinstance(value, float) else value


def columns(rows):
    "Name of a score -> its value for each fit, more is better; those that some fit lacks are left out."
    parts = [merit_parts(r['scores']) for r in rows]
    out = {k: [p[k] for p in parts] for k in parts[0] if all(k in p for p in parts)}
    out |= {k: [r['scores'][k] for r in rows] for k in ('mi', 'frames_ll')}
    out['merit'] = [merit(r['scores']) for r in rows]
    out['the rule'] = the_rule(rows)
    return out


def the_rule(rows):
    "Of each fit: its merit, less the gates that it failed in its own search."
    out = {}
    for name in dict.fromkeys(r['search'] for r in rows):
        mine = [dict(r, number=k) for k, r in enumerate(rows) if r['search'] == name]
        groups = rank_settings(mine)
        for group in groups:
            lost = sum(gate(group, groups) is not None for gate in (worse_labels, too_few_latents))
            for r in group['rows']:
                out[r['number']] = merit(r['scores']) - len(failed_gates(r['scores'])) - lost
    return [out[k] for k in range(len(rows))]


def table(rows):
    true = [truth(r['scores']) for r in rows]
    lines = [
        f'{len(true)} fits; truth {min(true):.2f} to {max(true):.2f}',
        '',
        '| score | rank correlation | pick |',
    ]
    lines.append('|---|---|---|')
    for name, values in columns(rows).items():
        r = spearmanr(values, true).statistic
        lines.append(f'| {name} | {r:.2f} | {true[int(np.argmax(values))]:.2f} |')
    return '\n'.join(lines)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('searches', type=Path, nargs='+', help='folders of searches or runs, or kept scores')
    parser.add_argument('--fits', type=int, help='make so many fits first')
    parser.add_argument('--workers', type=int, default=1)
    parser.add_argument('--keep', type=Path, help='a CSV for the scores')
    args = parser.parse_args()
    if args.fits:
        make(args.searches[0], args.fits, args.workers)
    rows = [row for path in args.searches for row in of_search(path)]
    if args.keep:
        keep(rows, args.keep)
    for name in dict.fromkeys(r['search'] for r in rows):
        print(f'{name}:', table([r for r in rows if r['search'] == name]), sep='\n', end='\n\n')
    print('all:', table(rows), sep='\n')

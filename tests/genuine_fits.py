"""Bring over genuine fits of BehaveNet and compare the latents with those that BehaveNet saved itself.

    python tests/genuine_fits.py FOLDER

FOLDER contains `results/` (fits as BehaveNet left them) and the sessions in `data64/` (or another folder, given
as `--data`), and perhaps `configs/` (its JSON files). Every fit must come over, with latents that agree to
1e-4, and with the label R2 and the label log-likelihood that `metrics.csv` has for the validation trials of the
best epoch, to 1e-5; exported again, it must be found like one of BehaveNet's own. Or it must be refused with one
reason, its kind of model.
Exit status 1 says that one did not.
"""

import argparse
import csv
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from sklearn.metrics import r2_score

from mspsvae.behavenet import bring_all, fits_table, read_latents_pickle
from mspsvae.behavenet_export import export_behavenet
from mspsvae.behavenet_settings import read_config
from mspsvae.errors import MspsvaeError
from mspsvae.runs import load_run, read_json


def largest_difference(run):
    "Of the latents that were compared when the fit came over; infinite where none were."
    return max(read_json(Path(run) / 'behavenet.json')['latents_compared'].values(), default=float('inf'))


def best_rows(path):
    "Rows of `metrics.csv` about the validation trials of the best epoch, by number of the session (-1: all)."
    with open(path, newline='', encoding='utf-8') as f:
        rows = [r for r in csv.DictReader(f) if r['val_loss']]
    best = max(float(r['best_val_epoch']) for r in rows)
    return {int(r['dataset']): r for r in rows if float(r['epoch']) == best}


def label_scores(run, session):
    """R2 and log-likelihood of the labels in a session's validation trials, as BehaveNet computes them: of each trial,
    labels weighted by their variance, and the mean over trials."""
    info, found = run.infos()[session], []
    for t in run.data['splits']['val'][session]:
        labels = info.session.read(info.trials[t], 'labels').astype(np.float64)
        read = run.predicted_labels()[info.session.name][info.trials[t]].astype(np.float64)
        likelihood = -0.5 * ((labels - read) ** 2 + np.log(2 * np.pi)).sum(1).mean()
        found.append((r2_score(labels, read, multioutput='variance_weighted'), likelihood))
    return np.mean(found, axis=0)


def label_differences(run, version):
    "The largest differences to `metrics.csv`: of label R2, and of label log-likelihoods in units of `1 + |value|`."
    rows, differences = best_rows(version / 'metrics.csv'), []
    for s in range(len(run.data['sessions'])):
        row = rows.get(s, rows[-1])  # a fit of one session has no rows of its own for it
        theirs = np.array([float(row['val_label_r2']), float(row['val_loss_label_ll'])])
        differences.append(np.abs(label_scores(run, s) - theirs) / (1, 1 + abs(theirs[1])))
    return np.max(differences, axis=0)


def export_difference(run, version, folder):
    "The largest difference of latents that were exported again to those in BehaveNet's own pickles."
    out, differences = export_behavenet(run, folder)[0], []
    for path in sorted(version.glob('*_latents.pkl')):
        for a, b in zip(read_latents_pickle(path), read_latents_pickle(out / path.name), strict=True):
            differences.append(np.abs(a - b).max() if a.size else 0.0)
    return max(differences, default=float('inf'))


def judged(row, out):
    "Whether a fit is as it should be, and what to say about it."
    if not row['run']:
        problem = row['problem']
        return problem.startswith('model_class') and '\n' not in problem, problem
    version, run = Path(row['version']), load_run(row['run'])
    latents, (r2, likelihood) = largest_difference(row['run']), label_differences(run, version)
    again = export_difference(run, version, Path(out) / 'exported')
    said = f'latents {latents:.1e}, label R2 {r2:.1e}, label likelihood {likelihood:.1e}, exported again {again:.1e}'
    return max(latents, again) < 1e-4 and max(r2, likelihood) < 1e-5, f'largest differences: {said}'


def check_fits(folder, data):
    "Bring over everything below `results`; the number of fits that are not as they should be."
    n_wrong = 0
    with tempfile.TemporaryDirectory() as out:
        rows = bring_all(folder / 'results', data, out)
        print(fits_table(rows).replace(out, ''))
        for row in rows:
            good, said = judged(row, out)
            n_wrong += not good
            print('ok   ' if good else 'WRONG', Path(row['version']).relative_to(folder), said)
    return n_wrong


def show_configs(folder):
    "Say what becomes of each set of JSON files."
    for config in sorted(p for p in (folder / 'configs').glob('*') if p.is_dir()):
        try:
            read_config(*sorted(config.glob('*.json')))
            print('read    ', config.name)
        except MspsvaeError as e:
            print('refused ', config.name, '|', str(e).replace('\n', ' '))


def main():
    "Check one folder."
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('folder', type=Path)
    parser.add_argument('--data', type=Path, help='folder of the sessions [data64 in FOLDER]')
    args = parser.parse_args()
    warnings.simplefilter('ignore')
    n_wrong = check_fits(args.folder, args.data or args.folder / 'data64')
    show_configs(args.folder)
    return 1 if n_wrong else 0


if __name__ == '__main__':
    sys.exit(main())

"""Bring over genuine fits of BehaveNet and compare the latents with those that BehaveNet saved itself.

    python tests/genuine_fits.py FOLDER

FOLDER contains `results/` (fits as BehaveNet left them) and the sessions in `data64/` (or another folder, given
as `--data`), and perhaps `configs/` (its JSON files). Every fit must come over, with latents that agree to
1e-4; or it must be refused because of its kind of model.
Exit status 1 says that one did not.
"""

import argparse
import sys
import tempfile
import warnings
from pathlib import Path

from mspsvae.behavenet import bring_all, fits_table
from mspsvae.behavenet_settings import read_config
from mspsvae.errors import MspsvaeError
from mspsvae.runs import read_json


def largest_difference(run):
    "Of the latents that were compared when the fit came over; infinite where none were."
    return max(read_json(Path(run) / 'behavenet.json')['latents_compared'].values(), default=float('inf'))


def check_fits(folder, data):
    "Bring over everything below `results`; the number of fits that are not as they should be."
    n_wrong = 0
    with tempfile.TemporaryDirectory() as out:
        rows = bring_all(folder / 'results', data, out)
        print(fits_table(rows).replace(out, ''))
        for row in rows:
            if row['run']:
                difference = largest_difference(row['run'])
                good, said = difference < 1e-4, f'largest difference of latents {difference:.1e}'
            else:
                good, said = 'model_class' in row['problem'], row['problem'].splitlines()[-1]
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

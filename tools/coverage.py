"""Which lines of the library the notebooks' unflagged tests run.

    python tools/coverage.py                       a row for each module, and the lines that never ran
    python tools/coverage.py nbs/05_losses.ipynb   what some notebooks run

A notebook defines in its cells what the module holds. So each exported cell is compiled as if it stood in its
module, at the same lines, and `coverage` (pip install coverage) counts them there, together with what
other notebooks run of the module after importing it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = """
[run]
source = mspsvae
parallel = true
patch = subprocess, _exit
data_file = {data}
[report]
show_missing = true
exclude_also =
    if __name__ == .__main__.
"""


def module_of(notebook, cells):
    "The module that a notebook exports, or None."
    for cell in cells:
        match = re.match(r'#\|\s*default_exp\s+(\S+)', ''.join(cell['source']))
        if match:
            return ROOT / 'mspsvae' / (match[1].replace('.', '/') + '.py')
    return None


def places(module):
    "For each cell id the line of the module where its code begins."
    found = {}
    for number, line in enumerate(module.read_text(encoding='utf-8').splitlines(), 1):
        match = re.match(r'# %% \S+\.ipynb #(\w+)', line)
        if match:
            found[match[1]] = number + 1
    return found


def run_notebook(path):
    "Run the unflagged cells of a notebook, exported ones as lines of their module."
    cells = [c for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code']
    module = module_of(path, cells)
    where = places(module) if module else {}
    os.chdir(path.parent)
    from IPython.display import display

    names = vars(sys.modules['__main__'])  # where pickle looks for a notebook's classes
    names.update(display=display, get_ipython=lambda: None)
    for cell in cells:
        source = ''.join(cell['source'])
        if re.search(r'^#\|\s*(slow|cuda|notest|eval:\s*false)', source, re.MULTILINE):
            continue
        if re.match(r'#\|\s*export', source) and cell['id'] in where:
            code = source.split('\n', 1)[1]  # the line with the directive is not in the module
            shift = where[cell['id']] - 1
            exec(compile('\n' * shift + code, str(module), 'exec'), names)
        else:
            exec(compile(source, f'{path.name}, cell {cell["id"]}', 'exec'), names)


def measure(notebooks, folder, workers):
    "Run notebooks, each in a process of its own; returns those that ended with an error."
    settings = Path(folder) / 'coveragerc'
    settings.write_text(SETTINGS.format(data=Path(folder) / 'data'))
    env = os.environ | dict(OMP_NUM_THREADS='1', MPLBACKEND='agg', IN_TEST='1', PYTHONPATH=str(ROOT))

    def one(path):
        command = [sys.executable, '-m', 'coverage', 'run', f'--rcfile={settings}', __file__, '--run', path]
        done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
        return f'{path}: {done.stderr.strip().splitlines()[-1]}' if done.returncode else None

    with ThreadPoolExecutor(workers) as pool:
        failed = [text for text in pool.map(one, map(str, notebooks)) if text]
    for step in ('combine', 'report'):
        subprocess.run([sys.executable, '-m', 'coverage', step, f'--rcfile={settings}'], cwd=ROOT, env=env)
    return failed


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('notebooks', nargs='*', type=Path)
    parser.add_argument('--run', type=Path, help=argparse.SUPPRESS)
    parser.add_argument('--workers', type=int, default=os.cpu_count())
    args = parser.parse_args()
    if args.run:
        return run_notebook(args.run.resolve())
    every = (p for p in sorted((ROOT / 'nbs').rglob('*.ipynb')) if not p.name.startswith(('.', '_')))
    with tempfile.TemporaryDirectory() as folder:
        failed = measure(args.notebooks or list(every), folder, args.workers)
    print(*failed, sep='\n')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())

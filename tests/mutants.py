"""Plant faults in the library, one at a time, and see whether the tests of its notebooks notice.

    python tests/mutants.py                       all tables in tests/mutants/
    python tests/mutants.py core judge            some of them
    python tests/mutants.py core --name anneal    faults whose name or module contains a word
    python tests/mutants.py --short               those that .ci/run plants, marked `short = true`

A table is TOML. Each fault says what is wrong (`name`), in which `module`, and which text (`before`, there
exactly once) is replaced by which (`after`). It is planted in a copy, in the notebook's cell and in the module
alike; then the notebooks in `notebooks` run (by default only the module's own). A fault is caught when one of
them fails. Survivors are listed at the end, and the exit status is 1 if there are any.

On Linux a notebook runs once for all its faults: `tests/forked.py` forks it before each. What survives that, or
crashes, runs once more in a process of its own. `--plain` does so with all of them.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / 'tests' / 'mutants'
NEEDED = ('nbs', 'mspsvae', 'tests', 'settings.ini', 'pyproject.toml', 'CHANGELOG.md', 'README.md')
RUN = (
    'import sys; from pathlib import Path; from nbdev.config import get_config; from nbdev.test import '
    'test_nb;'
    "sys.exit(not test_nb(Path(sys.argv[1]), skip_flags=get_config()['tst_flags'].split())[0])"
)
TIMEOUT = 600  # seconds; a notebook that never ends has noticed the fault, too


@dataclass
class Fault:
    "One entry of a table."

    name: str  # what is wrong, in words
    module: str  # 'mspsvae/losses.py'
    before: str  # what stands there
    after: str  # what is planted
    # that may notice, such as '05_losses'; default: its own
    notebooks: list = field(default_factory=list)
    short: bool = False  # is it planted by .ci/run, too?
    table: str = ''


def read_tables(names):
    "The faults of some tables, all of them by default."
    paths = [TABLES / f'{name}.toml' for name in names] or sorted(TABLES.glob('*.toml'))
    faults = []
    for path in paths:
        entries = tomllib.loads(path.read_text(encoding='utf-8'))['fault']
        faults += [Fault(**entry, table=path.stem) for entry in entries]
    return faults


def own_notebook(root, module):
    "The notebook that exports a module: the first line of the module says so."
    text = (root / module).read_text(encoding='utf-8')
    match = re.search(r'File to edit: (.+?\.ipynb)', text)
    return (root / module).parent.joinpath(match[1]).resolve()


def replace_once(text, before, after, where):
    if text.count(before) != 1:
        raise SystemExit(f'{where}: expected exactly once, found {text.count(before)} times:\n{before}')
    return text.replace(before, after)


def planted_cell(root, fault):
    "The notebook's content with the fault planted, and the cell that it is planted in."
    content = json.loads(own_notebook(root, fault.module).read_text(encoding='utf-8'))
    cells = [c for c in content['cells'] if c['cell_type'] == 'code' and is_exported(c)]
    holding = [c for c in cells if fault.before in ''.join(c['source'])]
    where = f'{fault.table}, {fault.name!r}, {fault.module}'
    if len(holding) != 1:
        raise SystemExit(f'{where}: in {len(holding)} exported cells, expected one:\n{fault.before}')
    source = replace_once(''.join(holding[0]['source']), fault.before, fault.after, where)
    holding[0]['source'] = source.splitlines(keepends=True)
    return content, holding[0]


def planted_module(root, fault):
    "The module's text with the fault planted."
    text = (root / fault.module).read_text(encoding='utf-8')
    return replace_once(text, fault.before, fault.after, f'{fault.table}, {fault.name!r}, {fault.module}')


def planted_sources(root, fault):
    "The new text of the module and of its notebook: {path: text}."
    content, _ = planted_cell(root, fault)
    module, notebook = root / fault.module, own_notebook(root, fault.module)
    return {module: planted_module(root, fault), notebook: json.dumps(content)}


def is_exported(cell):
    return re.search(r'^#\|\s*export', ''.join(cell['source']), re.MULTILINE)


def environment(root, **more):
    "What a notebook of the copy in `root` runs with."
    return os.environ | dict(PYTHONPATH=str(root), OMP_NUM_THREADS='1', MPLBACKEND='agg', IN_TEST='1', **more)


def passes(root, notebook):
    "Does a notebook of the copy in `root` pass its unflagged tests?"
    command = [sys.executable, '-c', RUN, str(notebook)]
    try:
        done = subprocess.run(command, cwd=root, env=environment(root), capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def first_notebook(root, fault):
    "Where a fault is tried first, such as 'judge/05_search'."
    own = own_notebook(root, fault.module).relative_to(root.resolve() / 'nbs').as_posix()
    return (fault.notebooks or [own.removesuffix('.ipynb')])[0]


def plants_of(root, faults):
    "What `tests/forked.py` reads: each fault's module and cell with the fault in them."
    plants = []
    for number, fault in enumerate(faults):
        _, cell = planted_cell(root, fault)
        source = re.sub(r'^#\|.*\n', '', ''.join(cell['source']), flags=re.MULTILINE)
        text = planted_module(root, fault)
        plants.append(dict(number=number, module=fault.module, text=text, cell=cell['id'], source=source))
    return plants


def try_forked(root, notebook, faults, show):
    "Plant faults in one run of a notebook; returns {number of the fault: what noticed it}, or a complaint."
    scratch = root / 'tmp'
    scratch.mkdir(exist_ok=True)
    scratch.chmod(0o1777)  # as /tmp: tests that give up the rights of root make files here
    command = [sys.executable, str(ROOT / 'tests' / 'forked.py'), str(root / 'nbs' / f'{notebook}.ipynb')]
    noticed = {}
    with tempfile.TemporaryFile('w+') as plants, tempfile.TemporaryFile('w+') as errors:
        plants.write(json.dumps(plants_of(root, faults)))
        plants.seek(0)
        env = environment(root, TMPDIR=str(scratch))
        process = subprocess.Popen(
            command, cwd=root, env=env, stdin=plants, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        for line in process.stdout:
            number, what = json.loads(line)
            if what and what != 'crashed':
                noticed[number] = what
                show(f'caught    {faults[number].table}: {faults[number].name} ({what})', flush=True)
        failed = process.wait()
        errors.seek(0)
        complaint = errors.read().strip()
    shutil.rmtree(scratch)
    return noticed, complaint[-2000:] if failed else ''


def caught_by(root, fault):
    "The notebook that notices a fault, or None; the copy in `root` is put back afterwards."
    sources = planted_sources(root, fault)
    kept = {path: path.read_text(encoding='utf-8') for path in sources}
    notebooks = [root / 'nbs' / f'{n}.ipynb' for n in fault.notebooks]
    try:
        for path, text in sources.items():
            path.write_text(text, encoding='utf-8')
        for notebook in notebooks or [own_notebook(root, fault.module)]:
            if not passes(root, notebook):
                return notebook.stem
    finally:
        for path, text in kept.items():
            path.write_text(text, encoding='utf-8')
    return None


def copies(folder, n):
    "Several copies of what the tests need."
    queue = Queue()
    for k in range(n):
        copy = Path(folder) / f'copy_{k}'
        copy.mkdir()
        for name in NEEDED:
            source = ROOT / name
            if source.is_dir():
                ignore = shutil.ignore_patterns('__pycache__', '.*', '*_files')
                shutil.copytree(source, copy / name, ignore=ignore, symlinks=True)
            elif source.exists():
                shutil.copy(source, copy)
        queue.put(copy)
    return queue


def try_notebook(copy, notebook, faults, plain, show):
    "The faults of one notebook; returns the survivors, and a complaint where it fails without any fault."
    if plain:
        noticed, complaint = {}, '' if passes(copy, copy / 'nbs' / f'{notebook}.ipynb') else notebook
    else:
        noticed, complaint = try_forked(copy, notebook, faults, show)
    if complaint:
        return [], complaint
    survivors = []
    for number, fault in enumerate(faults):
        if number in noticed:
            continue
        begin = perf_counter()
        found = caught_by(copy, fault)
        word = 'caught' if found else 'SURVIVED'
        seconds = perf_counter() - begin
        show(f'{word:8}  {fault.table}: {fault.name} ({found or "unnoticed"}, {seconds:.0f} s)', flush=True)
        survivors += [] if found else [fault]
    return survivors, ''


def try_all(faults, n_workers, plain=False, show=print):
    "Plant every fault; returns the survivors, and the complaints of notebooks that fail without any."
    groups = {}
    for fault in faults:
        groups.setdefault(first_notebook(ROOT, fault), []).append(fault)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(n_workers) as pool:
        Path(folder).chmod(0o755)  # tests give up the rights of root, and still have to reach their files
        queue = copies(folder, n_workers)

        def in_a_copy(notebook):
            copy = queue.get()
            try:
                return try_notebook(copy, notebook, groups[notebook], plain, show)
            finally:
                queue.put(copy)

        results = list(pool.map(in_a_copy, sorted(groups)))
    return [fault for survivors, _ in results for fault in survivors], [c for _, c in results if c]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('tables', nargs='*', help='names of files in tests/mutants/ [all]')
    parser.add_argument('--name', default='', help='only faults whose name or module contains this')
    parser.add_argument('--short', action='store_true', help='only faults marked short')
    parser.add_argument('--plain', action='store_true', help='each fault in a process of its own')
    parser.add_argument('--workers', type=int, default=os.cpu_count())
    args = parser.parse_args()
    faults = [
        f
        for f in read_tables(args.tables)
        if args.name in f'{f.name} {f.module}' and (f.short or not args.short)
    ]
    plain = args.plain or sys.platform != 'linux'
    survivors, broken = try_all(faults, args.workers, plain)
    if broken:
        raise SystemExit('\n'.join(['Without any fault these notebooks fail:', *broken]))
    for fault in survivors:
        print(f'\nSURVIVED: {fault.name} ({fault.module})\n- {fault.before}\n+ {fault.after}')
    print(f'{len(faults) - len(survivors)} of {len(faults)} faults caught')
    raise SystemExit(bool(survivors))


if __name__ == '__main__':
    main()

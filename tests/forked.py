"""Run a notebook once, and fork it for each planted fault. `tests/mutants.py` uses this on Linux.

    python tests/forked.py nbs/05_losses.ipynb < plants.json

Most of the time of a planted fault goes into what runs before it: imports, data, a first fit. Here one process
runs the cells once. Before the cell that contains a fault it forks, and the child goes on with the fault planted.

It forks earlier where a cell has imported the fault's module before, because that module has to contain the
fault as well, and where threads live on between cells, because a child has none of them. The children share one
folder for temporary files ($TMPDIR, theirs alone), which is put back after each.
"""

import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from importlib.util import cache_from_source
from pathlib import Path
from time import perf_counter

from execnb.shell import CaptureShell
from nbdev.config import get_config
from nbdev.frontmatter import FrontmatterProc
from nbdev.process import NBProcessor


class Notebook:
    "The cells of a notebook that run as tests, and the shell that runs them."

    def __init__(self, path):
        flags = set(get_config().tst_flags.split())
        cells = NBProcessor(path, procs=FrontmatterProc, process=True).nb.cells
        self.cells = [cell for cell in cells if runs(cell, flags)]
        self.shell = CaptureShell(path)
        os.chdir(path.parent)

    def run(self, i):
        "Run cell `i`; returns what went wrong, or nothing."
        self.shell.cell(self.cells[i])
        problem = self.shell.exc
        if problem:
            words = ' '.join(str(problem).split())[:100]
            return f'cell {self.cells[i].id}, {type(problem).__name__}: {words}'

    def rest(self, first):
        "Run all cells from `first` on; returns what went wrong, or nothing."
        return next(filter(None, map(self.run, range(first, len(self.cells)))), '')

    def place(self, plant, survey):
        "The cell before which to fork for a plant."
        earliest = [survey['threads'], survey['imports'].get(plant['module'], len(self.cells))]
        return min(earliest + [i for i, cell in enumerate(self.cells) if cell.id == plant['cell']])


def runs(cell, flags):
    "Does `nbdev_test` run a cell?"
    if cell.cell_type != 'code' or 'nbdev_export(' in cell.source:
        return False
    directives = getattr(cell, 'directives_', None) or {}
    off = directives.get('eval:', [''])[0].lower() == 'false'
    return not off and not flags & directives.keys()


def survey_of(notebook, root):
    "Run all cells: which one imports which module first, which leaves threads behind, how long each takes."
    n = len(notebook.cells)
    found = dict(problem='', imports={}, threads=n, seconds=[0.0] * n)
    for i in range(n):
        begin = perf_counter()
        found['problem'] = notebook.run(i)
        found['seconds'][i] = perf_counter() - begin
        if found['problem']:
            break
        files = [getattr(module, '__file__', None) for module in list(sys.modules.values())]
        for file in filter(None, files):
            if Path(file).is_relative_to(root / 'mspsvae'):
                found['imports'].setdefault(Path(file).relative_to(root).as_posix(), i)
        if threading.active_count() > 1 and found['threads'] == n:
            found['threads'] = i
    return found


def in_a_child(job, seconds, folder):
    "What `job()` returns in a forked process; a line in words where that process came to a bad end."
    answer = folder / 'answer.json'
    answer.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()  # with all that it starts, one group, which can be ended together
        signal.alarm(seconds)
        try:
            answer.write_text(json.dumps(job()), encoding='utf-8')
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        pass  # nothing was left of it
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        return f'still running after {seconds} s'
    return json.loads(answer.read_text(encoding='utf-8')) if answer.exists() else 'crashed'


class Scratch:
    "The folder of temporary files, as it was before a child."

    def __init__(self, folder, kept):
        self.folder, self.kept = folder, kept
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(folder, kept, symlinks=True)
        self.state = self.now()

    def now(self):
        "Path, size and time of each file."
        files = [(path, path.lstat()) for path in sorted(self.folder.rglob('*'))]
        return [(path, stat.st_mode, stat.st_size, stat.st_mtime_ns) for path, stat in files]

    def put_back(self):
        if self.now() != self.state:
            for path in self.folder.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            shutil.copytree(self.kept, self.folder, symlinks=True, dirs_exist_ok=True)
            self.state = self.now()


def write_module(path, text):
    "Write a module; its compiled twin goes, whose time stamp has only seconds."
    path.write_text(text, encoding='utf-8')
    Path(cache_from_source(path)).unlink(missing_ok=True)


def with_plant(notebook, plant, first, seconds, root, folder):
    "Run the rest of a notebook with a fault planted; returns what noticed it."

    def planted():
        for cell in notebook.cells:
            if cell.id == plant['cell']:
                cell.source = plant['source']
        return notebook.rest(first)

    module = root / plant['module']
    sound = module.read_text(encoding='utf-8')
    write_module(module, plant['text'])
    try:
        return in_a_child(planted, seconds, folder)
    finally:
        write_module(module, sound)


def main(path, root, folder):
    "One line of JSON for each plant: its number, and what noticed it ('' if nothing did)."
    notebook = Notebook(path)
    scratch = Scratch(Path(tempfile.gettempdir()), folder / 'kept')
    survey = in_a_child(lambda: survey_of(notebook, root), 600, folder)
    scratch.put_back()
    problem = survey if isinstance(survey, str) else survey['problem']
    if problem:
        raise SystemExit(f'{path.name} fails without any fault: {problem}')
    plants = sorted(json.load(sys.stdin), key=lambda plant: notebook.place(plant, survey))
    done = 0
    for plant in plants:
        first = notebook.place(plant, survey)
        while done < first:
            notebook.run(done)
            done += 1
            scratch = None
        if scratch is None:
            scratch = Scratch(Path(tempfile.gettempdir()), folder / 'kept')
        seconds = round(60 + 10 * sum(survey['seconds'][first:]))
        noticed = with_plant(notebook, plant, first, seconds, root, folder)
        scratch.put_back()
        print(json.dumps([plant['number'], noticed]), flush=True)
    # all was well before the last fault, and in a child with no fault it still is
    if in_a_child(lambda: notebook.rest(done), 600, folder):
        raise SystemExit(f'{path.name} fails when it is forked before cell {done}, without any fault')


if __name__ == '__main__':
    here = Path.cwd()
    with tempfile.TemporaryDirectory(dir=here) as own:
        main(Path(sys.argv[1]).resolve(), here.resolve(), Path(own))

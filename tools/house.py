"""How open the code is, in figures: its width, its sizes, its names.

    python tools/house.py                      one table
    python tools/house.py --list               and where what is too long, too wide or doubled stands
    python tools/house.py --against f2a3446    another revision beside it

Gates are what `tools/check.py` insists on; guides are what a reader would like.
"""

import argparse
import ast
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIB = 'mspsvae'
WIDEST = 120  # columns, strings included
LONG_FUNCTION, LONG_PLOT, LONG_CELL = 25, 40, 20  # lines
EXPORTS_IN_A_ROW = 3


def modules(root):
    "Name and path of each module of the library, without what nbdev makes beside them."
    for path in sorted((root / LIB).rglob('*.py')):
        if path.name != '_modidx.py':
            yield path.relative_to(root).as_posix(), path


def notebooks(root):
    return sorted(p for p in (root / 'nbs').rglob('*.ipynb') if not p.name.startswith(('.', '_')))


def code_cells(path):
    "Notebook, cell id and source of each code cell."
    for cell in json.loads(path.read_text(encoding='utf-8'))['cells']:
        if cell['cell_type'] == 'code':
            yield path.name, cell.get('id', ''), ''.join(cell['source'])


def code_lines(source):
    "Lines that are neither empty nor comments alone."
    return [line for line in source.splitlines() if line.strip() and not line.strip().startswith('#')]


def nodes_per_line(root):
    "Nodes of the syntax tree for each line of code, over all modules."
    texts = [path.read_text(encoding='utf-8') for _, path in modules(root)]
    n_nodes = sum(sum(1 for _ in ast.walk(ast.parse(text))) for text in texts)
    return n_nodes / max(sum(len(code_lines(text)) for text in texts), 1)


def wide_lines(root):
    "Lines of modules, notebooks' code, tests and tools that are wider than `WIDEST`."
    texts = [(name, path.read_text(encoding='utf-8')) for name, path in modules(root)]
    for folder in ('tests', 'tools'):
        for path in sorted((root / folder).rglob('*.py')):
            texts.append((path.relative_to(root).as_posix(), path.read_text(encoding='utf-8')))
    for path in notebooks(root):
        texts += [(f'{name}, cell {cell}', source) for name, cell, source in code_cells(path)]
    found = []
    for name, text in texts:
        # not by nbdev
        written = re.sub(r'^# %% auto.*?(?=^# %%)', '', text, flags=re.MULTILINE | re.DOTALL)
        lines = written.splitlines()
        found += [f'{name}: {len(line)} columns' for line in lines if len(line) > WIDEST]
    return found


def functions(root):
    "Place, name and lines of each function; lines are those of its body and signature, comments left out."
    for name, path in modules(root):
        text = path.read_text(encoding='utf-8')
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = '\n'.join(text.splitlines()[node.lineno - 1 : node.end_lineno])
                yield name, node.name, len(code_lines(body))


def long_functions(root):
    "Functions longer than the guide; those that draw may be longer."
    for name, function, n in functions(root):
        limit = LONG_PLOT if 'plot' in function or 'draw' in function else LONG_FUNCTION
        if n > limit:
            yield f'{name}, {function}: {n} lines'


def long_cells(root):
    for path in notebooks(root):
        for name, cell, source in code_cells(path):
            n = len(code_lines(source))
            if n > LONG_CELL and not re.match(r'#\|\s*export', source):
                yield f'{name}, cell {cell}: {n} lines'


def export_runs(root):
    "Where more than three exported cells follow each other before something runs."
    for path in notebooks(root):
        run = []
        for name, cell, source in [*code_cells(path), (path.name, '', '')]:
            is_export = re.match(r'#\|\s*export', source)
            only_imports = not re.search(r'^(def|class|@)', source, re.MULTILINE)
            if is_export and not only_imports:
                run.append(cell)
                continue
            if len(run) > EXPORTS_IN_A_ROW and not is_export:
                yield f'{name}: {len(run)} from cell {run[0]} on'
            if not is_export:
                run = []


def private_imports(root):
    "Names with an underscore that one module takes from another."
    for name, path in modules(root):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            inside = isinstance(node, ast.ImportFrom) and (node.level or (node.module or '').startswith(LIB))
            if inside:
                private = [
                    a.name for a in node.names if a.name.startswith('_') and not a.name.startswith('__')
                ]
                yield from (f'{name}:{node.lineno}: {p} of {node.module}' for p in private)


def public_names(root):
    "Public names and the modules that define them at top level."
    where = defaultdict(set)
    for name, path in modules(root):
        if path.name in ('__init__.py', '__main__.py'):
            continue
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                patched = any('patch' in ast.unparse(d) for d in node.decorator_list)
                names = [] if patched else [node.name]
            elif isinstance(node, ast.Assign):
                targets = [t for t in node.targets for t in getattr(t, 'elts', [t])]
                names = [t.id for t in targets if isinstance(t, ast.Name)]
            else:
                names = []
            for n in names:
                if not n.startswith('_'):
                    where[n].add(name)
    return where


def doubled_names(root):
    return [f'{n}: {", ".join(sorted(w))}' for n, w in sorted(public_names(root).items()) if len(w) > 1]


def undocumented(root):
    "Public functions and classes without a docstring."
    for name, path in modules(root):
        for node in ast.parse(path.read_text(encoding='utf-8')).body:
            public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_')
            if public and not ast.get_docstring(node):
                yield f'{name}, {node.name}'


def ruff(root, *command):
    "What ruff has to say."
    done = subprocess.run(
        [sys.executable, '-m', 'ruff', *command, 'nbs', 'tools', 'tests', 'setup.py'],
        cwd=root,
        capture_output=True,
        text=True,
    )
    return [line for line in done.stdout.splitlines() if line.strip()] if done.returncode else []


def unformatted(root):
    return [line for line in ruff(root, 'format', '--check') if line.startswith('Would reformat')]


def complaints(root):
    return ruff(root, 'check', '--output-format', 'concise')[:-1]


GATES = {
    f'lines over {WIDEST} columns': wide_lines,
    'files that `ruff format` would change': unformatted,
    'complaints of `ruff check`': complaints,
    'private names imported from another module': private_imports,
    'public names in two modules': doubled_names,
}
GUIDES = {
    f'functions over {LONG_FUNCTION} lines ({LONG_PLOT} where they draw)': long_functions,
    f'cells over {LONG_CELL} lines of code (exports left out)': long_cells,
    f'runs of more than {EXPORTS_IN_A_ROW} exports without an example': export_runs,
    'public functions and classes without a docstring': undocumented,
}


def problems(root):
    "What is beyond a gate, one sentence each."
    return [f'{name}: {found}' for name, check in GATES.items() for found in check(root)]


def measures(root):
    "Name -> figure, as text."
    lengths = sorted(n for *_, n in functions(root))
    figures = {
        'syntax nodes per line of code': f'{nodes_per_line(root):.1f}',
        'lines of a function, 90th percentile': str(lengths[len(lengths) * 9 // 10]),
        'lines of the longest function': str(lengths[-1]),
    }
    for name, check in {**GATES, **GUIDES}.items():
        figures[name] = str(len(list(check(root))))
    return figures


def at_revision(revision, folder):
    "The tree of a revision, in a folder."
    archive = subprocess.run(['git', 'archive', revision], cwd=ROOT, capture_output=True, check=True).stdout
    subprocess.run(['tar', '-x', '-C', folder], input=archive, check=True)
    if not (Path(folder) / 'pyproject.toml').read_text().count('[tool.ruff]'):
        (Path(folder) / 'pyproject.toml').write_text((ROOT / 'pyproject.toml').read_text())
    return Path(folder)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--list', action='store_true', help='where everything stands')
    parser.add_argument('--against', help='a git revision to set beside it')
    args = parser.parse_args()
    columns = {'now': measures(ROOT)}
    if args.against:
        with tempfile.TemporaryDirectory() as folder:
            columns = {args.against: measures(at_revision(args.against, folder))} | columns
    print(f'| | {" | ".join(columns)} |\n|---|{"---|" * len(columns)}')
    for name in columns['now']:
        print(f'| {name} | {" | ".join(c[name] for c in columns.values())} |')
    if args.list:
        for name, check in {**GATES, **GUIDES}.items():
            print(f'\n{name}:', *check(ROOT), sep='\n  ')
    sys.exit(bool(problems(ROOT)))


if __name__ == '__main__':
    main()

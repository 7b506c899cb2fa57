"""Imports only run downward: a module may use the modules of notebooks with smaller numbers, never those above it.

python tools/floors.py         lists the floors, and fails where an import climbs
"""

import ast
import json
import re
import sys
from pathlib import Path

LIB = 'mspsvae'
TOP = 'cli'  # what __main__ starts


def floors(root):
    "Module names in the order of the numbers of their notebooks."
    found = []
    for path in sorted((root / 'nbs').glob('[0-9][0-9]*_*.ipynb')):
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        source = '\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'code')
        match = re.search(r'^#\|\s*default_exp\s+(\S+)', source, re.MULTILINE)
        if match:
            found.append(match.group(1))
    return found


def imported(source):
    "Each line of `source` that imports a module of the library, with that module's name; imports inside functions count too."
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join(([LIB] if node.level else []) + ([node.module] if node.module else []))
            names = [f'{base}.{a.name}' for a in node.names] if base == LIB else [base]
        yield from ((node.lineno, n.split('.')[1]) for n in names if n.startswith(LIB + '.'))


def climbing(root):
    "What is wrong, one sentence each: imports that do not run downward, modules that no notebook makes, floors that CONTRIBUTING.md misses."
    order, problems = floors(root), []
    for path in sorted((root / LIB).glob('*.py')):
        if path.stem.startswith('_') and path.stem != '__main__':
            continue
        if path.stem not in [*order, '__main__']:
            problems.append(
                f'{LIB}/{path.name}: no numbered notebook exports it; name it in a `#| default_exp` or delete it'
            )
            continue
        below = [TOP] if path.stem == '__main__' else order[: order.index(path.stem)]
        for line, name in imported(path.read_text(encoding='utf-8')):
            if name in order and name not in below:
                problems.append(
                    f'{LIB}/{path.name}:{line}: imports {name}, which is not below it; move what both need to a floor below'
                )
    listed = re.findall(
        r'^\| \d\d[a-z]? \| `(\w+)` \|', (root / 'CONTRIBUTING.md').read_text(encoding='utf-8'), re.MULTILINE
    )
    if listed != order:
        problems.append(
            f'CONTRIBUTING.md lists the floors {listed}, the notebooks are {order}: bring the table up to date'
        )
    return problems


if __name__ == '__main__':
    root = Path(__file__).resolve().parent.parent
    problems = climbing(root)
    print('\n'.join(problems) or 'imports run downward: ' + ' < '.join(floors(root)))
    sys.exit(bool(problems))

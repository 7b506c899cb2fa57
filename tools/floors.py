"""Imports only run downward: a module may use the modules below it, never those above.

    python tools/floors.py         lists the floors, and fails where an import climbs

The order is that of the notebooks: the core (nbs/00 to 19), the wings `prepare`, `judge` and `show`, and the
doors (nbs/20 and on). A wing stands on the core and on the wings that `WINGS` names; `prepare` uses of the
core only what writes sessions.
"""

import ast
import json
import re
import sys
from pathlib import Path

LIB = 'mspsvae'
TOP = 'cli'  # what __main__ starts
FORMER = ('poses', 'video')  # files by hand that lead from a former name to a module of `prepare`
WINGS = {'prepare': (), 'judge': (), 'show': ('judge',)}  # a wing, and the other wings it may use
FIRST_DOOR = 20
WRITES_SESSIONS = ('errors', 'files', 'settings', 'picking', 'sessions')  # what `prepare` may use of the core


def exported(path):
    "The module that a notebook exports, or None."
    cells = json.loads(path.read_text(encoding='utf-8'))['cells']
    source = '\n'.join(''.join(c['source']) for c in cells if c['cell_type'] == 'code')
    match = re.search(r'^#\|\s*default_exp\s+(\S+)', source, re.MULTILINE)
    return match.group(1) if match else None


def floors(root):
    "Module names, such as `losses` and `judge.leakage`, from the ground up."
    numbered = sorted((root / 'nbs').glob('[0-9][0-9]*_*.ipynb'))
    core = [p for p in numbered if int(p.name[:2]) < FIRST_DOOR]
    doors = [p for p in numbered if int(p.name[:2]) >= FIRST_DOOR]
    wings = [p for wing in WINGS for p in sorted((root / 'nbs' / wing).glob('[0-9][0-9]*_*.ipynb'))]
    return [name for path in [*core, *wings, *doors] if (name := exported(path))]


def wing_of(name):
    return name.split('.')[0] if '.' in name else None


def allowed(name, order):
    "The modules that module `name` may import."
    if name == '__main__':
        return [TOP]
    below = order[: order.index(name)]
    wing = wing_of(name)
    if wing is None:
        return below
    core = WRITES_SESSIONS if wing == 'prepare' else [m for m in below if wing_of(m) is None]
    return [m for m in below if m in core or wing_of(m) in (wing, *WINGS[wing])]


def imported(source, name, order):
    "Each line of `source`, of module `name`, that imports a module of the library, with that module."
    folder = [LIB, *name.split('.')[:-1]]
    for node in ast.walk(ast.parse(source)):  # imports inside functions count too
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            base = '.'.join([*above, *([node.module] if node.module else [])])
            names = [base, *(f'{base}.{a.name}' for a in node.names)]
        found = {n.removeprefix(LIB + '.') for n in names}
        yield from ((node.lineno, n) for n in found if n in order)


def modules(root):
    "Module names and their files."
    for path in sorted((root / LIB).rglob('*.py')):
        if not path.stem.startswith('_') or path.stem == '__main__':
            yield '.'.join(path.relative_to(root / LIB).with_suffix('').parts), path


def climbing(root):
    """What is wrong, one sentence each: climbing imports, modules without a notebook, floors
    CONTRIBUTING.md misses."""
    order, problems = floors(root), []
    for name, path in modules(root):
        where = path.relative_to(root)
        if name in FORMER:
            continue
        if name not in [*order, '__main__']:
            problems.append(
                f'{where}: no numbered notebook exports it; name it in a `#| default_exp` or delete it'
            )
            continue
        may = allowed(name, order)
        for line, other in imported(path.read_text(encoding='utf-8'), name, order):
            if other not in may and other != name:
                problems.append(
                    f'{where}:{line}: imports {other}, which it may not use; move what both need to a '
                    'floor below'
                )
    text = (root / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    listed = re.findall(r'^\| [^|]* \| `([\w.]+)` \|', text, re.MULTILINE)
    if listed != order:
        problems.append(
            f'CONTRIBUTING.md lists the floors {listed}, the notebooks are {order}: bring the table up '
            'to date'
        )
    return problems


if __name__ == '__main__':
    root = Path(__file__).resolve().parent.parent
    problems = climbing(root)
    print('\n'.join(problems) or 'imports run downward: ' + ' < '.join(floors(root)))
    sys.exit(bool(problems))

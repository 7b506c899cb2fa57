"""The checks in tools/ can fail: each finds an error planted in a small project made for it.

python tests/test_tools.py
"""

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'tools'))
import check
import docs
import floors
import knobs_study

from fastcore.test import test_eq

from mspsvae.synthetic import make_sessions
from mspsvae.train import check_fit


def project(root, **modules):
    "A library of two floors; `modules` replaces the text of its modules."
    for folder in ('nbs', 'mspsvae'):
        (root / folder).mkdir()
    for number, name in enumerate(('low', 'high')):
        notebook(root / 'nbs' / f'0{number}_{name}.ipynb', f'#| default_exp {name}')
        (root / 'mspsvae' / f'{name}.py').write_text(modules.get(name, ''))
    (root / 'CONTRIBUTING.md').write_text('| 00 | `low` |\n| 01 | `high` |\n')
    return root


def notebook(path, source, output='', title='# title\n\n> promise'):
    outputs = [dict(output_type='stream', name='stdout', text=[output])]
    cells = [
        dict(cell_type='markdown', id='top', metadata={}, source=[title]),
        dict(cell_type='code', id='one', metadata={}, source=[source], outputs=outputs),
    ]
    path.write_text(json.dumps(dict(cells=cells)))


def found(check, **modules):
    "How many problems `check` finds in such a project."
    with tempfile.TemporaryDirectory() as tmp:
        return len(check(project(Path(tmp), **modules)))


def found_in_cell(check, *cell, **other):
    with tempfile.TemporaryDirectory() as tmp:
        root = project(Path(tmp))
        notebook(root / 'nbs' / '02_top.ipynb', *cell, **other)
        return len(check(root))


# imports that climb: plain, from the package, by the full name, inside a function
test_eq(found(floors.climbing), 0)
test_eq(found(floors.climbing, high='from .low import f\nimport torch'), 0)
test_eq(found(floors.climbing, low='from .high import f'), 1)
test_eq(found(floors.climbing, low='from . import high'), 1)
test_eq(found(floors.climbing, low='from mspsvae import high'), 1)
test_eq(found(floors.climbing, low='def f():\n    import mspsvae.high'), 1)

# outputs, imports and titles of notebooks
test_eq(found_in_cell(check.noisy_outputs, 'print(1)', '1'), 0)
test_eq(found_in_cell(check.noisy_outputs, 'print(1)', 'written to /home/someone/run'), 1)
test_eq(found_in_cell(check.noisy_outputs, 'print(1)', '12.3it/s'), 1)
test_eq(
    list(check.noises(dict(output_type='error', ename='ValueError'), Path('nowhere'))),
    ['the error ValueError'],
)
test_eq(found_in_cell(check.mixed_imports, 'import torch'), 0)
test_eq(found_in_cell(check.mixed_imports, 'import torch\nx = torch.ones(3)'), 1)
test_eq(found_in_cell(check.mixed_imports, '#| export\nimport torch\nx = 3'), 0)
test_eq(found_in_cell(check.lost_prose, 'x = 1'), 0)
test_eq(found_in_cell(check.lost_prose, 'x = 1', title='# title\n\n> promise\n\nmore'), 1)

# links between pages
with tempfile.TemporaryDirectory() as tmp:
    site = Path(tmp)
    test_eq(len(docs.broken_links(site)), 1)
    (site / 'b.html').write_text('<h2 id="here">b</h2>')

    def broken(href):
        (site / 'a.html').write_text(f'<a href="{href}">a</a>')
        return len(docs.broken_links(site))

    test_eq([broken(h) for h in ('b.html', 'b.html#here', '#', 'https://example.org')], [0, 0, 0, 0])
    test_eq(
        [broken(h) for h in ('c.html', 'b.html#there', '#there', '..', docs.on_github('no_such_file'))],
        [1, 1, 1, 1, 1],
    )

# less to see for the learning curves: of eight training trials two are left, with copies of each; others as they were
with tempfile.TemporaryDirectory() as tmp:
    make_sessions(Path(tmp), n_sessions=3, n_trials=10, n_frames=4, size=(32, 32))
    _, infos, splits, _ = check_fit(tmp, knobs_study.START)
    read = [[i.session.read(t, 'images').tobytes() for t in i.trials] for i in infos]
    knobs_study.see_less(tmp, 4)
    for info, before, chosen in zip(infos, read, splits['train']):
        after = [info.session.read(t, 'images').tobytes() for t in info.trials]
        test_eq([after[t] for t in chosen], [before[t] for t in [chosen[0]] * 4 + [chosen[4]] * 4])
        test_eq(all(after[t] == before[t] for t in range(10) if t not in chosen), True)

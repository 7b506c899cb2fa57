"""Import every module of the installed package, where neither the developers' tools nor the notebooks are
at hand."""

import os
import pkgutil
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import mspsvae

names = sorted(
    m.name.removeprefix('mspsvae.')
    for m in pkgutil.walk_packages(mspsvae.__path__, 'mspsvae.')
    if not m.ispkg
)
expected = sorted(
    '.'.join(p.relative_to(os.environ['EXPECTED']).with_suffix('').parts)
    for p in Path(os.environ['EXPECTED']).rglob('*.py')
    if p.stem != '__init__'
)
assert Path(mspsvae.__file__).parent != Path(os.environ['EXPECTED']), (
    'this is the working copy, not the installed package'
)
assert names == expected, f'the wheel holds {names}, the repository {expected}'
assert not [tool for tool in ('nbdev', 'execnb', 'nbconvert') if find_spec(tool)], (
    'a tool of the developers is installed here'
)
for name in names:
    import_module(f'mspsvae.{name}')
print(f'mspsvae {version("mspsvae")} with fastcore {version("fastcore")}: imported', *names)

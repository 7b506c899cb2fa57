"""One model by several processes, in short; `stress_processes.py` does more of it, for as long as one likes.

python tests/test_processes.py
"""

import sys
import tempfile
from pathlib import Path

if sys.platform == 'win32':
    sys.exit(0)  # PyTorch's torchrun does not run everywhere there

import stress_processes as several

with tempfile.TemporaryDirectory() as folder:
    root = Path(folder)
    paths = several.prepare(root)
    several.alike(root, paths, (2, 4))
    several.command_line(root, short=True)
    several.TINY.replace(max_epochs=40).to_json(root / 'config.json')
    whole = several.fit_with(1, root, paths, root / 'whole')
    assert several.stress(root, paths, 1, 3, (2, 3), root / 'killed', whole), (
        'the kill met no running fit; choose another seed'
    )

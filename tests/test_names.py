"""What people import of `prepare`, under today's names and former ones.

python tests/test_names.py
"""

import importlib

import mspsvae
from mspsvae.prepare import poses, read_poses, recipe, to_pixels, video

from fastcore.test import test_eq, test_fail

test_eq(callable(mspsvae.prepare), True)
test_eq(read_poses, poses.read_poses)
test_eq(mspsvae.prepare.Recipe, recipe.Recipe)
test_eq(to_pixels, importlib.import_module('mspsvae.prepare.prepare').to_pixels)
for former, module in dict(poses=poses, video=video).items():
    test_eq(importlib.import_module(f'mspsvae.{former}') is module, True)
test_fail(lambda: mspsvae.prepare.nothing, contains="has no attribute 'nothing'")

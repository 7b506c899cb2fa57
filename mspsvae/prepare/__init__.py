"""From a lab's own files to sessions: video, poses, recipes.

The folder can be called: `from mspsvae import prepare; prepare('mouse.mp4', ...)` is the function of
`mspsvae.prepare.prepare`, while `mspsvae.prepare.video` and its neighbours stay modules.
"""

import sys
from types import ModuleType


class _CallableFolder(ModuleType):
    def __call__(self, *args, **kwargs):
        from .prepare import prepare

        return prepare(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableFolder

"""From a lab's own files to sessions: video, poses, recipes.

The folder can be called: `from mspsvae import prepare; prepare('mouse.mp4', ...)` is the function of
`mspsvae.prepare.prepare`, while `mspsvae.prepare.video` and its neighbours stay modules. What people call beside it
can be imported from here, too: `from mspsvae.prepare import read_poses, to_pixels`.
"""

import sys
from importlib import import_module
from types import ModuleType

_MADE_IN = {
    'prepare_sessions': 'prepare',
    'to_pixels': 'prepare',
    'Recipe': 'recipe',
    'read_poses': 'poses',
    'Poses': 'poses',
    'read_video': 'video',
}


class _CallableFolder(ModuleType):
    def __call__(self, *args, **kwargs):
        from .prepare import prepare

        return prepare(*args, **kwargs)

    def __getattr__(self, name):
        if name not in _MADE_IN:
            raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
        return getattr(import_module(f'{__name__}.{_MADE_IN[name]}'), name)


sys.modules[__name__].__class__ = _CallableFolder

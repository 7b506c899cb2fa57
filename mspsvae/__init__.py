"""One behavioural model for videos of several sessions: the multi-session partitioned subspace VAE."""

__version__ = "0.1.0"

# What users call, and the module that makes it. Each is imported when it is first asked for, so that
# `import mspsvae` costs nothing and nobody waits for torch or matplotlib who does not use them.
_MADE_IN = {
    'Arch': 'config',
    'Config': 'config',
    'check_sessions': 'sessions',
    'find_sessions': 'sessions',
    'write_session': 'sessions',
    'make_sessions': 'synthetic',
    'MSPSVAE': 'models',
    'fit': 'train',
    'quick_look': 'quick',
    'load_run': 'runs',
    'prepare_sessions': 'prepare.prepare',
    'adapt': 'judge.new_sessions',
    'encode': 'judge.new_sessions',
    'evaluate': 'judge.evaluate',
    'leakage': 'judge.leakage',
    'stability': 'judge.evaluate',
    'load_search': 'judge.search',
    'search': 'judge.search',
    'search_page': 'show.search_page',
    'suggest_sizes': 'judge.sizes',
    'explore': 'show.explore',
    'report': 'show.report',
}
__all__ = sorted([*_MADE_IN, 'prepare'])


def __getattr__(name):
    from importlib import import_module

    if name == 'prepare':  # a folder of modules that can be called, see its __init__.py
        return import_module(f'{__name__}.prepare')
    if name not in _MADE_IN:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    value = getattr(import_module(f'{__name__}.{_MADE_IN[name]}'), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})

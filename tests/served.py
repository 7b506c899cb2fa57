"""A notebook on a page of its own: Voila runs its cells and serves the widgets that they show, from
127.0.0.1 and a free port, until the block ends.

    with served('from mspsvae.runs import load_run', 'explore(load_run("runs/demo"))') as url: ...

Voila and not JupyterLab: it runs the notebook when the page is opened and has nothing on the page but its
outputs, so there is nothing to be clicked away, and it starts in seconds. The widgets are drawn by the same
code.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path

import nbformat

# Voila's own page asks for a set of icons there; without a network it goes without them
VOILAS_OWN = 'https://cdn.jsdelivr.net/npm/@fortawesome/'


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def _notebook(path, cells):
    kernel = dict(name='python3', display_name='python3', language='python')
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(c) for c in cells], metadata=dict(kernelspec=kernel)
        ),
        path,
    )


def _templates():
    """Where pip put Voila's templates; Voila itself looks beside this Python, and an environment may
    borrow its packages from another"""
    found = next(f for f in files('voila') if 'share/jupyter/voila/templates/' in f.as_posix())
    return next(str(p) for p in Path(found.locate()).resolve().parents if p.name == 'jupyter')


def _environment(folder):
    """The kernel is this Python, whatever kernels the machine knows; and nothing is read from or written
    to the user's own settings."""
    kernel = folder / 'jupyter' / 'kernels' / 'python3'
    kernel.mkdir(parents=True)
    command = [sys.executable, '-m', 'ipykernel_launcher', '-f', '{connection_file}']
    (kernel / 'kernel.json').write_text(
        json.dumps(dict(argv=command, display_name='python3', language='python'))
    )
    here = [str(folder / 'jupyter'), _templates(), *filter(None, [os.environ.get('JUPYTER_PATH')])]
    own = {f'JUPYTER_{k}_DIR': str(folder / 'jupyter' / k.lower()) for k in ('CONFIG', 'DATA', 'RUNTIME')}
    return (
        os.environ
        | own
        | dict(JUPYTER_PATH=os.pathsep.join(here), IPYTHONDIR=str(folder / 'ipython'), MPLBACKEND='agg')
    )


def _answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _start(folder, environment, seconds):
    "The server and its address; tries again with another port where somebody was quicker."
    for _ in range(3):
        port, log = free_port(), folder / 'voila.log'
        command = [
            sys.executable,
            '-m',
            'voila',
            str(folder / 'page.ipynb'),
            '--no-browser',
            f'--port={port}',
            '--Voila.ip=127.0.0.1',
            '--show_tracebacks=True',
        ]
        with open(log, 'w') as f:
            server = subprocess.Popen(
                command,
                stdout=f,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
                start_new_session=os.name != 'nt',
            )
        end = time.monotonic() + seconds
        while server.poll() is None and time.monotonic() < end:
            if _answers(f'http://127.0.0.1:{port}/voila/static/none'):
                return server, f'http://127.0.0.1:{port}/'
            time.sleep(0.1)
        _stop(server)
    raise RuntimeError(f'voila did not start within {seconds} s:\n{log.read_text()[-3000:]}')


def _stop(server):
    "The server and the kernels that it started."
    if os.name == 'nt':
        subprocess.run(['taskkill', '/F', '/T', '/PID', str(server.pid)], capture_output=True)
    elif server.poll() is None:
        server.send_signal(signal.SIGTERM)  # it ends its kernels
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            pass
    if os.name != 'nt':
        try:
            os.killpg(
                server.pid, signal.SIGKILL
            )  # its process group; kernels are in groups of their own, and end with their parent
        except ProcessLookupError:
            pass
    server.wait(15)


@contextmanager
def served(*cells, seconds=90):
    """The address at which a notebook of these cells is shown; its server is gone afterwards, whatever
    happens. `seconds`: to start in."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = Path(folder)
        _notebook(folder / 'page.ipynb', cells)
        server, url = _start(folder, _environment(folder), seconds)
        try:
            yield url
        finally:
            _stop(server)

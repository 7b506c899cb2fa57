"""The helper of all browser checks sees what is wrong with a page: each fault is planted, and found.

python tests/test_browser.py
"""

import tempfile
import time
from pathlib import Path

import browser
from browser import PHONE, visit

HEAD = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" '
    'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>page</title>'
)


def problems(body, seconds=0):
    "What is wrong with a page; waits up to so many seconds for something to be."
    (folder / 'page.html').write_text(HEAD + body, encoding='utf-8')
    with visit(folder / 'page.html', within=running) as seen:
        end = time.monotonic() + seconds
        while not seen.problems() and time.monotonic() < end:
            seen.page.wait_for_timeout(20)
        return seen.problems()


browser.require()
with tempfile.TemporaryDirectory() as tmp, browser.browser() as running:
    folder = Path(tmp)
    assert (
        problems(
            '<h1>sound</h1><img '
            'src="data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==">'
        )
        == []
    )
    for body, what in (
        ('<script>console.error("planted")</script>', 'console: planted'),
        ('<script>nowhere()</script>', 'uncaught: nowhere is not defined'),
        ('<img src="none.png">', 'none.png: net::ERR_FILE_NOT_FOUND'),
        ('<img src="https://example.org/a.png">', 'asks the network for https://example.org/a.png'),
        (
            '<script>fetch("https://example.org/b").catch(() => 0)</script>',
            'asks the network for https://example.org/b',
        ),
        ('<script>new WebSocket("wss://example.org/c")</script>', 'asks the network for wss://example.org/c'),
    ):
        found = problems(body, seconds=20)
        assert any(what in f for f in found), (body, found)

    (folder / 'wide.html').write_text(
        HEAD + '<div style="width:500px;height:20px;background:gray">wide</div>', encoding='utf-8'
    )
    for size, more in ((browser.DESKTOP, False), (PHONE, True)):
        with visit(folder / 'wide.html', size, within=running) as seen:
            assert (seen.too_wide() > 0) == more, (size, seen.too_wide())
            seen.shot(folder / 'shot.png')
            assert seen.page.evaluate('innerWidth') >= size[0] and (folder / 'shot.png').stat().st_size > 1000

assert [
    browser.is_external(u)
    for u in (
        'file:///a',
        'data:,',
        'blob:null/1',
        'http://127.0.0.1:80/a',
        'ws://localhost:9/',
        'https://cdn.org/x.js',
        'wss://a.org',
    )
] == [False] * 5 + [True] * 2
print('every planted fault was found')

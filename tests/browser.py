"""Pages as people see them: headless Chromium, at the size of a desktop or a phone, with everything it
complains of and every request that leaves the machine.

    with visit('report.html', PHONE) as seen:          # a file, or http://127.0.0.1:...
        seen.page.click('text=traversals')             # a page of Playwright's synchronous interface
        seen.shot('report.png')
        assert not seen.problems(), seen.problems()

It takes the browser of the system (Chromium, Chrome or Edge). Where that or Playwright is missing, a script
that begins with `browser.require()` ends with a message and an error: what was not checked has not
passed. MSPSVAE_SKIP_BROWSER=1 turns that into a pass for those who work on something else; on CI (where the
variable CI is set) it has no effect.
"""

import os
import shutil
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

try:
    from playwright.sync_api import Error, sync_playwright
except ImportError:
    sync_playwright, Error = None, Exception

DESKTOP, PHONE = (1280, 900), (390, 844)  # width and height of the page, in CSS pixels
NAMES = (
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'chrome',
    'microsoft-edge',
    'msedge',
)
CHANNELS = 'chrome', 'msedge'  # looked for by Playwright where each system installs them
FLAGS = (
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-dev-shm-usage',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
)
LOCAL = '127.0.0.1', 'localhost', '::1'
ADVICE = (
    'install Chromium or Chrome (Debian: apt-get install chromium) and Playwright (pip install '
    'playwright; its own browsers are not needed). '
    'MSPSVAE_SKIP_BROWSER=1 leaves these checks out where CI is not set'
)


class NoBrowser(Exception):
    "There is nothing to look at pages with."


def is_external(url):
    "Does asking for this leave the machine?"
    parts = urlsplit(url)
    return parts.scheme in ('http', 'https', 'ws', 'wss', 'ftp') and parts.hostname not in LOCAL


def _launch(playwright):
    path, tried = next(filter(None, map(shutil.which, NAMES)), None), []
    for where in [dict(executable_path=path)] if path else [*({'channel': c} for c in CHANNELS), {}]:
        try:
            return playwright.chromium.launch(args=list(FLAGS), timeout=60_000, **where)
        except Error as e:
            tried.append(f'{where or "Playwright"}: {str(e).splitlines()[0]}')
    raise NoBrowser(f'no browser that starts ({"; ".join(tried)}): {ADVICE}')


@contextmanager
def browser():
    "A running browser with a fresh profile; `NoBrowser` where there is none. One can serve many visits."
    if sync_playwright is None:
        raise NoBrowser(f'Playwright is missing: {ADVICE}')
    with sync_playwright() as playwright:
        running = _launch(playwright)
        try:
            yield running
        finally:
            running.close()


def require():
    """End the script where there is no browser: with an error, or, where that was asked for and this is
    not CI, without."""
    try:
        with browser():
            return
    except NoBrowser as e:
        message = f'NOT CHECKED in a browser: {e}'
    print(message, file=sys.stderr, flush=True)
    sys.exit(0 if os.environ.get('MSPSVAE_SKIP_BROWSER') == '1' and not os.environ.get('CI') else 1)


@dataclass
class Seen:
    "An open page, and what went wrong on it so far."

    page: object  # of Playwright
    errors: list = field(default_factory=list)  # texts of console errors, and of errors nobody caught
    failed: list = field(
        default_factory=list
    )  # requests without an answer, or with one from 400 on: 'URL: reason'
    # URLs that would have left the machine; they were stopped
    external: list = field(default_factory=list)

    def problems(self):
        "Everything that went wrong; empty for a sound page."
        return (
            self.errors
            + [f'failed: {f}' for f in self.failed]
            + [f'asks the network for {u}' for u in self.external]
        )

    def shot(self, path, whole=True):
        "Write what is to be seen as PNG: the whole page, or what fits the window."
        self.page.screenshot(path=str(path), full_page=whole)

    def too_wide(self):
        "CSS pixels by which the page is wider than the window: 0 where nobody has to scroll sideways."
        return self.page.evaluate(
            'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)'
        )

    def wait(self, condition, argument=None, seconds=30):
        "Until a JavaScript function, given `argument`, returns something true; returns that."
        return self.page.wait_for_function(condition, arg=argument, timeout=1000 * seconds).json_value()


def _watch(seen):
    page = seen.page
    page.on('pageerror', lambda e: seen.errors.append(f'uncaught: {e}'))

    def heard(message):
        blocked = (
            is_external(message.location.get('url', '') or '') and 'Failed to load' in message.text
        )  # told as external
        if message.type == 'error' and not blocked:
            seen.errors.append(f'console: {message.text}')

    page.on('console', heard)
    page.on(
        'requestfailed',
        lambda r: (
            None
            if is_external(r.url) or r.failure == 'net::ERR_ABORTED'
            else seen.failed.append(f'{r.url}: {r.failure}')
        ),
    )
    page.on('response', lambda r: seen.failed.append(f'{r.url}: {r.status}') if r.status >= 400 else None)
    page.on('websocket', lambda w: seen.external.append(w.url) if is_external(w.url) else None)

    def ask(route):
        if is_external(route.request.url):
            seen.external.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.context.route('**/*', ask)


@contextmanager
def visit(target, size=DESKTOP, within=None, seconds=60, until='load'):
    """Open a file or a URL and give a `Seen`. `size`: DESKTOP, PHONE (a touch screen that honours the
    page's viewport tag) or (width, height);
    `within`: a running `browser()`; `seconds`: longest wait for the page and for what is asked of it;
    `until`: Playwright's name for an opened page."""
    target = str(target)
    if '://' not in target and not target.startswith('data:'):
        target = Path(target).resolve(strict=True).as_uri()
    with ExitStack() as stack:
        running = within or stack.enter_context(browser())
        phone = dict(is_mobile=True, has_touch=True, device_scale_factor=2) if tuple(size) == PHONE else {}
        context = running.new_context(
            viewport=dict(width=size[0], height=size[1]), service_workers='block', **phone
        )
        stack.callback(context.close)
        seen = Seen(context.new_page())
        seen.page.set_default_timeout(1000 * seconds)
        _watch(seen)
        seen.page.goto(target, timeout=1000 * seconds, wait_until=until)
        yield seen

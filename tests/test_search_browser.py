"""The page of a search in headless Chromium, on a desktop and on a phone: nothing asked from the network, no
errors, no scrolling sideways, every picture decoded, and a link to each report that is there.

python tests/test_search_browser.py [SEARCH.html ...]      looks at these pages; by default at one that it makes
"""

import sys
import tempfile
from pathlib import Path

import browser
from browser import DESKTOP, PHONE, visit
from test_report_browser import BROKEN, WIDE


def make(folder):
    "The page of a search of four fits of some moments, one of which has a report."
    from mspsvae.config import Arch, Config
    from mspsvae.judge.search import search
    from mspsvae.show.report import report
    from mspsvae.show.search_page import search_page
    from mspsvae.synthetic import make_sessions

    make_sessions(folder / 'data', n_sessions=2, n_trials=4, n_frames=8, size=(32, 32))
    config = Config(
        arch=Arch((4, 8), 5, 4), trial_splits=(2, 1, 1, 0), n_unsupervised=1, max_epochs=2, device='cpu'
    )
    space = dict(beta=[1, 100], delta=[1, 50])
    found = search(folder / 'data', folder / 'a <b> & "search"', space, config, say=None)
    report(found.pick(), parts=['data'])
    return [search_page(found)]


def look(path):
    for size in (DESKTOP, PHONE):
        with visit(path, size) as seen:
            assert not seen.problems(), seen.problems()
            assert not seen.page.evaluate(BROKEN), seen.page.evaluate(BROKEN)
            assert not seen.page.evaluate(WIDE), seen.page.evaluate(WIDE)
            assert seen.page.locator('section h2').count() == 4
            assert seen.page.locator('figure img').count() >= 3
    print(f'{path.name}: looked at on a desktop and on a phone')


def follow(path):
    "A click on the best fit opens its report."
    with visit(path, DESKTOP) as seen:
        seen.page.locator('a[href$="report.html"]').first.click()
        seen.page.wait_for_url('**/report.html')


if __name__ == '__main__':
    browser.require()
    given = [Path(p) for p in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        for page in given or make(Path(folder)):
            look(page)
            if not given:
                follow(page)

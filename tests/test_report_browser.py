"""The report in headless Chromium, on a desktop and on a phone: nothing asked from the network, no errors,
no scrolling sideways, every picture decoded, films that run, stop, and stand still where less motion is
wanted.

python tests/test_report_browser.py [REPORT.html ...]      looks at these pages; by default at two that it
                                                           makes: one run, and two side by side
"""

import sys
import tempfile
from pathlib import Path

import browser
from browser import DESKTOP, PHONE, visit

BROKEN = '() => [...document.images].filter(i => !(i.complete && i.naturalWidth > 0)).map(i => i.alt)'
PLACES = "() => [...document.querySelectorAll('.film img')].map(i => getComputedStyle(i).transform)"
WIDE = """() => [...document.querySelectorAll('body *')]
    .filter(e => !e.closest('.scroll, pre, .film, .switch') && e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 120))"""


def make(folder):
    """A page of one run and one of two, of fits of some seconds; a name that is trouble for a page is
    among them."""
    from mspsvae.config import Arch, Config
    from mspsvae.show.report import report
    from mspsvae.synthetic import make_sessions
    from mspsvae.train import fit

    make_sessions(folder / 'data', n_sessions=3, n_trials=10, n_frames=20, size=(48, 48))
    config = Config(
        arch=Arch((8, 16, 32), (5, 5, 5), (2, 2, 2)),
        max_epochs=6,
        anneal_epochs=2,
        learning_rate=2e-3,
        delta=500,
        beta=100,
        n_sessions_per_batch=3,
        device='cpu',
    )
    near, far = (
        fit(folder / 'data', config, out=folder / f'run{delta}', show_progress=False, delta=delta)
        for delta in (500, 0)
    )
    name = '<script>alert(1)</script> & "far" ' + 'long' * 20
    return [
        report(near),
        report(
            {'near': near, name: far},
            folder / 'both.html',
            parts=['data', 'scores', 'leakage', 'mixing', 'traversals', 'repeat'],
        ),
    ]


def moves(seen):
    "How many films stand elsewhere in the next moments?"
    seen.page.wait_for_timeout(200)  # until what was just asked for has been heeded
    places = []
    for wait in (230, 310, 170, 0):  # no film comes back to one place after all of these
        places.append(seen.page.evaluate(PLACES))
        seen.page.wait_for_timeout(wait)
    return sum(len(set(p)) > 1 for p in zip(*places))


def look(path, size, running):
    "One page at one size."
    with visit(path, size, within=running) as seen:
        page = seen.page
        assert (
            page.title()
            and page.locator('h1').count() == 1
            and page.evaluate('document.documentElement.lang') == 'en'
        )
        for d in page.locator('details').all():
            d.evaluate('d => { d.open = true }')
        assert seen.too_wide() == 0, (
            f'{path.name} is {seen.too_wide()} px too wide at {size}: {page.evaluate(WIDE)[:3]}'
        )
        assert page.evaluate(f'({BROKEN})()') == []
        assert page.evaluate("document.querySelectorAll('script').length") == 0
        dead = page.evaluate(
            "[...document.querySelectorAll('nav a')].filter(a => "
            '!document.getElementById(a.hash.slice(1))).length'
        )
        assert dead == 0, f'{dead} links of the contents lead nowhere'
        films = page.locator('.film').count()
        assert moves(seen) == films > 5
        for label in page.locator('.switch + label').all():
            label.click()
        assert moves(seen) == 0, 'films run on after Pause'
        for label in page.locator('.switch + label').all():
            label.click()
        assert moves(seen) == films
        page.emulate_media(reduced_motion='reduce')
        assert moves(seen) == 0, 'films run although less motion is wanted'
        page.locator('.switch + label').first.click()
        assert moves(seen) > 0, 'films cannot be played where less motion is wanted'
        for scheme in ('light', 'dark'):
            page.emulate_media(color_scheme=scheme)
            assert (
                contrast(page, 'p') > 4.5
                and contrast(page, '.verdict .badge') > 4.5
                and contrast(page, 'figcaption') > 4.5
            ), scheme
        page.emulate_media(media='print')
        assert not page.locator('nav').is_visible() and page.locator('h1').is_visible()
        assert seen.problems() == [], seen.problems()


def contrast(page, selector):
    "Contrast (WCAG 2) of the text of the first such element with the page behind it."

    def light(colour):
        parts = [float(v) / 255 for v in colour[colour.index('(') + 1 : -1].split(',')[:3]]
        r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    ink, back = page.evaluate(
        """s => { let e = document.querySelector(s), back = e
        const clear = ['rgba(0, 0, 0, 0)', 'transparent']
        while (back && clear.includes(getComputedStyle(back).backgroundColor)) back = back.parentElement
        return [getComputedStyle(e).color, getComputedStyle(back || document.body).backgroundColor] }""",
        selector,
    )
    low, high = sorted((light(ink), light(back)))
    return (high + 0.05) / (low + 0.05)


if __name__ == '__main__':
    browser.require()
    with tempfile.TemporaryDirectory() as tmp, browser.browser() as running:
        for path in [Path(p) for p in sys.argv[1:]] or make(Path(tmp)):
            for size in (DESKTOP, PHONE):
                look(path, size, running)
            print(f'{path.name}: {path.stat().st_size / 1e6:.1f} MB, sound at {DESKTOP} and {PHONE}')

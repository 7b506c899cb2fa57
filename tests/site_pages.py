"""The pages of the built site, at the width of a desktop: no block of code has to be scrolled sideways, and no
equation is left as TeX. Run `python tools/docs.py site` first.

    python tests/site_pages.py [FOLDER]
"""

import sys
from pathlib import Path

import browser

LOOK = r"""() => {
    const own = e => [...e.childNodes].filter(n => n.nodeType == 3).map(n => n.data).join('')
    const wide = [...document.querySelectorAll('main pre')].filter(e => e.scrollWidth > e.clientWidth + 1)
    const tex = [...document.querySelectorAll('main p, main li, main td, main em')]
        .filter(e => /\$[^$]+\$/.test(own(e)))
    return {
        wide: wide.map(e => e.innerText.slice(0, 80)),
        tex: tex.map(e => e.innerText.slice(0, 80)),
        page: document.documentElement.scrollWidth > innerWidth + 1 ? ['the page itself'] : [],
        equations: document.querySelectorAll('math').length,
    }
}"""


def problems(site):
    "What a reader of the site would stumble over, one sentence each."
    found, n_equations = [], 0
    pages = sorted(Path(site).rglob('*.html'))
    if not pages:
        return [f'{site}: no page there; run `python tools/docs.py site` first']
    with browser.browser() as running:
        page = running.new_page(viewport=dict(width=browser.DESKTOP[0], height=browser.DESKTOP[1]))
        for path in pages:
            page.goto(path.resolve().as_uri(), wait_until='load')  # the style sheets, too
            look, name = page.evaluate(LOOK), path.relative_to(site)
            n_equations += look['equations']
            found += [f'{name}: wider than its place: {text!r}' for text in look['wide'] + look['page']]
            found += [f'{name}: an equation that is still TeX: {text!r}' for text in look['tex']]
    if not n_equations:
        found.append(f'{site}: not one equation on any page; expected those of the method')
    return found


if __name__ == '__main__':
    browser.require()
    found = problems(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / '_docs')
    print('\n'.join(found) or 'every page can be read')
    sys.exit(bool(found))

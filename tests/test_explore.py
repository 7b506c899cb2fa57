"""The explorer in a real browser: hands on sliders, dropdowns and buttons, eyes on the pixels that come back.

    python tests/test_explore.py

A tiny fit is made in a temporary folder, its explorer served by Voila and opened in headless Chromium (see
browser.py), without any network.
"""

import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import browser
from browser import DESKTOP, PHONE, visit
from served import VOILAS_OWN, served

FRAME, RECONSTRUCTION, EDITED, DIFFERENCE = range(4)
PIXELS = """k => {
    const image = document.querySelectorAll('img.mspsvae-frame')[k]
    if (!image || !image.complete || !image.naturalWidth) return ''
    const canvas = document.createElement('canvas')
    canvas.width = image.naturalWidth; canvas.height = image.naturalHeight
    const context = canvas.getContext('2d')
    context.drawImage(image, 0, 0)
    return Array.from(context.getImageData(0, 0, canvas.width, canvas.height).data).join()
}"""
CAPTIONS = "() => [...document.querySelectorAll('.mspsvae-small')].map(e => e.innerText.trim())"
SETTLED = """name => { // the code, which is written last, knows where the slider came to rest
    const sliders = [...document.querySelectorAll('.mspsvae .widget-hslider')]
    const slider = sliders.find(e => e.querySelector('label').innerText == name)
    const code = document.querySelector('.mspsvae-code pre').innerText.split(`'${name}': `)[1]
    const shown = slider.querySelector('.widget-readout').innerText.replace('\u2212', '-')
    return code && parseFloat(code) == parseFloat(shown)
}"""
CUT_OFF = (
    "() => [...document.querySelectorAll('.mspsvae .widget-label, .mspsvae .widget-readout, .mspsvae "
    "button')].filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
)


def fit_something(root):
    "A fit of seconds: three sessions, four labels, 32 x 32 pixels."
    from mspsvae.config import Arch, Config
    from mspsvae.synthetic import make_sessions
    from mspsvae.train import fit

    make_sessions(root / 'data', n_sessions=3, n_trials=8, n_frames=12, size=(32, 32))
    config = Config(
        arch=Arch((8, 8, 16), (5, 5, 5), (2, 2, 2)),
        trial_splits=(5, 1, 2, 0),
        max_epochs=20,
        anneal_epochs=2,
        learning_rate=3e-3,
        n_sessions_per_batch=3,
        device='cpu',
    )
    return fit(root / 'data', config, out=root / 'run', show_progress=False)


class Hands:
    "What a person does with the explorer, and sees of it."

    def __init__(self, seen):
        self.seen, self.page = seen, seen.page

    def pixels(self, k):
        return self.seen.wait(PIXELS, k)

    def captions(self):
        return self.page.evaluate(CAPTIONS)

    def until_new(self, k, old):
        self.seen.wait(f'([k, old]) => {{ const now = ({PIXELS})(k); return now && now != old }}', [k, old])

    def until_caption(self, k, text):
        self.seen.wait(f'([k, text]) => ({CAPTIONS})()[k].includes(text)', [k, text])

    def until_same(self, k, other):
        self.seen.wait(
            f'([k, other]) => {{ const now = ({PIXELS})(k); return now && now == ({PIXELS})(other) }}',
            [k, other],
        )

    def slider(self, name):
        return self.page.locator('.mspsvae .widget-hslider', has=self.page.get_by_text(name, exact=True))

    def dropdown(self, name):
        return self.page.locator(
            '.mspsvae .widget-dropdown', has=self.page.get_by_text(name, exact=True)
        ).locator('select')

    def button(self, name):
        return self.page.locator('.mspsvae button', has_text=name)

    def handle(self, name):
        """The handle of a slider, where it is, and the share of its way that lies near the farther end. Where
        latents stand depends on the last digits of a fit: moved towards a fixed place, a handle may be there
        already, and nothing is set."""
        handle, way = self.slider(name).locator('.noUi-handle'), self.slider(name).locator('.noUi-base')
        handle.scroll_into_view_if_needed()
        a, b = handle.bounding_box(), way.bounding_box()
        x, y = a['x'] + a['width'] / 2, a['y'] + a['height'] / 2
        far = 0.1 if x > b['x'] + b['width'] / 2 else 0.9
        return handle, (x, y), (b['x'] + far * b['width'], b['y'] + b['height'] / 2)

    def drag(self, name):
        "Take the handle of a slider with the mouse and leave it near the farther end."
        _, start, end = self.handle(name)
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=8)
        self.page.mouse.up()

    def press(self, name, times):
        "Move a slider with the arrow keys, towards the farther end."
        handle, start, end = self.handle(name)
        handle.focus()
        for _ in range(times):
            self.page.keyboard.press('ArrowRight' if end[0] > start[0] else 'ArrowLeft')


def as_gray(pixels):
    return np.array(pixels.split(','), int).reshape(-1, 4)[:, 0]


def check_sliders(do):
    frame, recon, edited, difference = map(do.pixels, range(4))
    assert recon == edited and frame != recon, 'before any edit the edited picture is the reconstruction'
    assert 'as reconstructed' in do.captions()[EDITED], (
        'something counts as edited before anybody touched a slider'
    )
    do.press('unsupervised 1', 20)
    do.until_new(EDITED, edited)
    do.until_new(DIFFERENCE, difference)
    do.until_caption(EDITED, '1 latent set')
    once = do.pixels(EDITED)
    do.drag('paw_left_x')
    do.until_caption(EDITED, '2 latents set')
    do.until_new(EDITED, once)
    assert (do.pixels(FRAME), do.pixels(RECONSTRUCTION)) == (frame, recon), (
        'a slider changed more than the edited picture'
    )
    print('sliders: by keyboard and by mouse')


def check_places(do):
    frame, edited = do.pixels(FRAME), do.pixels(EDITED)
    do.dropdown('session').select_option('animal_1')
    do.until_new(FRAME, frame)
    do.until_caption(FRAME, 'animal_1')
    do.until_caption(EDITED, '2 latents set')
    frame = do.pixels(FRAME)
    do.dropdown('trial').select_option(index=2)
    do.until_new(FRAME, frame)
    do.until_caption(FRAME, 'trial_0002, frame 0')
    do.button('reset').click()
    do.until_same(EDITED, RECONSTRUCTION)
    do.until_caption(EDITED, 'as reconstructed')
    edited, recon = do.pixels(EDITED), do.pixels(RECONSTRUCTION)
    do.dropdown('background').select_option('of animal_2')
    do.until_caption(EDITED, 'background of animal_2')
    do.until_new(EDITED, edited)
    assert do.pixels(RECONSTRUCTION) == recon
    print('session, trial, reset and background')


def check_play(do):
    frame = do.pixels(FRAME)
    do.page.locator('.mspsvae .widget-play button').first.click()
    for f in (3, 5):
        do.seen.wait(f'f => +({CAPTIONS})()[0].split("frame ")[1] >= f', f)
    do.until_new(FRAME, frame)
    do.page.locator('.mspsvae .widget-play button').nth(1).click()
    do.until_caption(FRAME, 'frame 0')
    do.until_same(FRAME, FRAME)
    assert do.captions()[EDITED] == 'background of animal_2', 'playing the trial changed the edits'
    print('play and stop')


def check_code(do):
    do.drag('unsupervised 2')
    do.until_caption(EDITED, '1 latent set, background of animal_2')
    do.button('code').click()
    do.seen.wait(SETTLED, 'unsupervised 2')
    made, code = {}, do.page.locator('.mspsvae-code pre').inner_text()
    exec(code, made)
    for k, name in enumerate(('frame', 'reconstruction', 'edited')):
        assert np.abs(as_gray(do.pixels(k)) - 255 * made[name].ravel()).max() < 0.51, (
            f'{name}: the code of the view makes another picture than the one on the page'
        )
    do.page.context.grant_permissions(['clipboard-read', 'clipboard-write'])
    do.button('copy').click()
    assert do.page.evaluate('navigator.clipboard.readText()').split() == code.split(), (
        'copy did not copy the code'
    )
    print('the code of the view makes its pictures')


def check_looks(do, size):
    cut = do.page.evaluate(CUT_OFF)
    assert not cut and not do.seen.too_wide(), (
        f'at {size}: cut off {cut}, page too wide by {do.seen.too_wide()}'
    )
    widths = [i.bounding_box()['width'] for i in do.page.locator('img.mspsvae-frame').all()]
    assert max(widths) - min(widths) < 2 and widths[0] > 140, (
        f'at {size}: pictures of unequal width or too small: {widths}'
    )
    problems = [p for p in do.seen.problems() if not p.startswith(f'asks the network for {VOILAS_OWN}')]
    assert not problems, problems
    print(f'nothing cut off, no errors, no requests of ours to the network at {size}')


@contextmanager
def told(seen):
    "Where something fails, what stood on the page."
    try:
        yield
    except Exception:
        print('The page:', seen.page.inner_text('body')[-3000:], seen.problems(), sep='\n')
        raise


browser.require()
with tempfile.TemporaryDirectory() as tmp:
    run = fit_something(Path(tmp))
    with (
        served(
            'from mspsvae.runs import load_run\nfrom mspsvae.show.explore import explore',
            f'explore(load_run({str(run.path)!r}))',
        ) as url,
        browser.browser() as chromium,
    ):
        for size, checks in (
            (DESKTOP, (check_sliders, check_places, check_play, check_code)),
            (PHONE, (check_sliders,)),
        ):
            with visit(url, size, within=chromium) as seen, told(seen):
                for check in checks:
                    check(Hands(seen))
                check_looks(Hands(seen), size)

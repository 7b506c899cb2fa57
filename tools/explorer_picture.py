"""The picture of the explorer on the site: a run of the demo, opened in a browser and used.

mspsvae demo --out runs/demo && python tools/explorer_picture.py runs/demo
"""

import io
import sys
from pathlib import Path

from PIL import Image, ImageOps

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'tests'))
from browser import visit
from served import served

CELLS = (
    """from mspsvae.runs import load_run
from mspsvae.show.explore import explore""",
    """shown = explore(load_run({path!r}), session=1, frame=12)
shown.view.edit(0, {value}); shown.view.swap(2); shown.refresh()
shown""",
)


def main(path, value=2.0, out=ROOT / 'nbs' / 'images' / 'explorer.png'):
    "`value`: what the first label is set to, in its units"
    imports, show = CELLS
    with (
        served(imports, show.format(path=str(Path(path).resolve()), value=float(value))) as url,
        visit(url, (1064, 700)) as seen,
    ):
        seen.wait(
            "() => [...document.querySelectorAll('img.mspsvae-frame')].filter(i => i.complete && "
            'i.naturalWidth).length == 4'
        )
        picture = Image.open(io.BytesIO(seen.page.locator('.mspsvae').screenshot()))
    Path(out).parent.mkdir(exist_ok=True)
    ImageOps.expand(picture.convert('RGB'), 8, 'white').save(out, optimize=True)
    print(f'{out}: {picture.size[0]} x {picture.size[1]}, {Path(out).stat().st_size // 1000} kB')


if __name__ == '__main__':
    main(*sys.argv[1:])

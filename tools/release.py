"""Do settings.ini, the package, CITATION.cff, CHANGELOG.md and a tag say the same version?

python tools/release.py            what differs, with an exit status of 1
python tools/release.py v0.1.0     and whether this tag fits; then the changelog has to be dated, too
"""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def versions(root):
    "Where a version is written, and which."
    settings = ConfigParser(delimiters=['='])
    settings.read(root / 'settings.ini', encoding='utf-8')
    package = (root / 'mspsvae' / '__init__.py').read_text(encoding='utf-8')
    citation = (root / 'CITATION.cff').read_text(encoding='utf-8')
    return {
        'settings.ini': settings['DEFAULT']['version'],
        'mspsvae/__init__.py': re.search(r'^__version__ = "(.+)"', package, re.MULTILINE)[1],
        'CITATION.cff': re.search(r'^version: (\S+)', citation, re.MULTILINE)[1],
    }


def problems(root, tag=''):
    "What keeps this from being released, one sentence each."
    found = versions(root)
    version = found['settings.ini']
    wrong = [f'{where} says {v}, settings.ini says {version}' for where, v in found.items() if v != version]
    if tag:
        changes = (root / 'CHANGELOG.md').read_text(encoding='utf-8')
        if tag != f'v{version}':
            wrong.append(f'the tag is {tag}, expected v{version}')
        if not re.search(rf'^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d', changes, re.MULTILINE):
            wrong.append(f'CHANGELOG.md has no heading "## [{version}] - YYYY-MM-DD"')
    return wrong


if __name__ == '__main__':
    wrong = problems(ROOT, *sys.argv[1:])
    print('\n'.join(wrong) or f'version {versions(ROOT)["settings.ini"]} everywhere')
    sys.exit(bool(wrong))

"""README.md and the site, from the notebooks.

python tools/docs.py readme            write README.md from nbs/index.ipynb
python tools/docs.py site              build the site into _docs: Quarto's where it is installed, else plain
                                       pages of the same notebooks
python tools/docs.py links [FOLDER]    report every link between the pages of a built site that leads nowhere
"""

import os
import re
import shutil
import subprocess
import sys
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from execnb.nbio import read_nb
from latex2mathml.converter import convert as mathml
from nbconvert import HTMLExporter, MarkdownExporter
from nbdev import processors
from nbdev.config import get_config
from nbdev.doclinks import _nbpath2html, nbglob
from nbformat import from_dict
from pygments.formatters import HtmlFormatter

ROOT = Path(__file__).resolve().parent.parent
NBS, SITE = ROOT / 'nbs', ROOT / '_docs'
README_NOTE = (
    '<!-- Made from nbs/index.ipynb by `python tools/docs.py readme`: edit the notebook, not this file. '
    '-->\n\n'
)
PLAIN = ROOT / 'tools' / 'plain'  # how the pages look where Quarto is missing


class ForReadme(processors.FilterDefaults):
    "What nbdev does to a notebook, less the title's front matter and what belongs to the site only"

    def base_procs(self):
        leave = (
            'FrontmatterProc',
            'add_show_docs',
            'insert_warning',
            'exec_show_docs',
            'clean_show_doc',
            'add_links',
        )
        return [p for p in super().base_procs() if p.__name__ not in leave]


def processed(path, procs=processors.FilterDefaults):
    """The notebook as nbdev hands it to Quarto, with Quarto's own cell options (`#| echo: false`, ...)
    carried out, as a notebook of nbformat's."""
    nb = read_nb(path)
    try:
        procs()(nb)
    except Exception as e:
        raise SystemExit(
            f'{path.name}: its imports and exported cells do not run on their own: {e.__cause__ or e}\n{e}'
        ) from e
    cells = [carry_out_options(c) for c in nb.cells if c.cell_type != 'raw']
    metadata = {'title': path.stem, **getattr(nb, 'frontmatter_', {}), 'language_info': {'name': 'python'}}
    return from_dict(dict(cells=[c for c in cells if c], metadata=metadata, nbformat=4, nbformat_minor=5))


def carry_out_options(cell):
    "One cell as a plain dictionary; None where nothing of it is shown."
    options = dict(re.findall(r'^#\|\s*([\w-]+):\s*(.*?)\s*$', cell.source, re.MULTILINE))
    source = re.sub(r'^#\|.*\n?', '', cell.source, flags=re.MULTILINE).strip('\n')
    if cell.cell_type != 'code':
        return dict(
            cell_type='markdown',
            id=cell.get('id', 'cell'),
            metadata={},
            source=without_links_in_code(re.sub(r'^:::.*$', '', source, flags=re.MULTILINE)),
        )
    outputs = [] if options.get('output') == 'false' else cell.get('outputs', [])
    if options.get('echo') == 'false':
        source = ''
    if options.get('include') == 'false' or not (source or outputs):
        return None
    for o in outputs:
        for mime, text in o.get('data', {}).items():
            text = ''.join(text) if isinstance(text, list) else text
            o['data'][mime] = (
                re.sub(r'(\]\([^)]*\))\{[^}]*\}', r'\1', text) if mime == 'text/markdown' else text
            )
        if 'text' in o:
            o['text'] = ''.join(o['text'])
    hidden = {'transient': {'remove_source': not source}}  # nbconvert's word for echo: false
    return dict(
        cell_type='code',
        id=cell.get('id', 'cell'),
        metadata=hidden,
        source=source,
        outputs=[{**o} for o in outputs],
        execution_count=None,
    )


def without_links_in_code(text):
    "Markdown whose blocks of code have no links: nbdev puts some into signatures, where they are only noise."

    def plain(block):
        return re.sub(r'\[(`[^`]+`)\]\([^)]+\)', r'\1', block[0])

    return re.sub(r'^```.*?^```', plain, text, flags=re.MULTILINE | re.DOTALL)


# README.md


def readme():
    "What README.md and the pictures in it have to be: a dictionary of paths and bytes."
    exporter = MarkdownExporter(
        display_data_priority=['image/png', 'image/svg+xml', 'text/markdown', 'text/plain']
    )
    text, resources = exporter.from_notebook_node(
        processed(NBS / 'index.ipynb', ForReadme), resources={'output_files_dir': 'index_files'}
    )

    def from_root(match):
        target = match[2]
        return (
            match[0]
            if re.match(r'[a-z]+:|#', target)
            else match[1] + os.path.normpath('nbs/' + target).replace(os.sep, '/')
        )

    text = re.sub(r'(\]\((?!index_files/)|src=")([^)"\s]+)', from_root, text)
    text = re.sub(r'\n{3,}', '\n\n', '\n'.join(line.rstrip() for line in text.splitlines())).strip() + '\n'
    return {'README.md': (README_NOTE + text).encode(), **resources['outputs']}


def stale_readme():
    """What is wrong with README.md: not the one that the notebook makes, or links into the repository that
    lead nowhere."""
    made = readme()
    problems = [
        f'{name}: is not what nbs/index.ipynb makes; run `python tools/docs.py readme`'
        for name, content in made.items()
        if not (ROOT / name).exists() or (ROOT / name).read_bytes() != content
    ]
    for target in re.findall(r'(?:\]\(|src=")([^)"\s]+)', made['README.md'].decode()):
        if not leads_into_repo(target):
            problems.append(f'README.md: {target} leads nowhere; mend the link in nbs/index.ipynb')
    return problems


def on_github(path):
    return f'{get_config().git_url}/blob/{get_config().branch}/{path}'


def leads_into_repo(target):
    """Whether a link names a file of this repository, by a relative path or its address on GitHub; other
    addresses are not looked at."""
    target = target.removeprefix(on_github(''))
    return bool(re.match(r'[a-z]+:|#', target)) or (ROOT / target.split('#')[0]).exists()


# the site


def build_site():
    "The whole site in `_docs`, by Quarto or without."
    # newer than the notebook: nbdev_docs then leaves README.md alone
    for name, content in readme().items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_bytes(content)
    if shutil.which('quarto'):
        subprocess.run(
            ['nbdev_docs'], check=True, cwd=ROOT, env={k: v for k, v in os.environ.items() if k != 'IN_TEST'}
        )
    else:
        plain_site()


def plain_site():
    "Each notebook as a page, with the sidebar of _quarto.yml."
    shutil.rmtree(SITE, ignore_errors=True)
    for path in nbglob(NBS, as_path=True, file_glob='', skip_file_re=r'^[_.]|\.ipynb$|\.yml$'):
        (SITE / path.relative_to(NBS)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, SITE / path.relative_to(NBS))
    shutil.copy(PLAIN / 'plain.css', SITE)
    (SITE / 'pygments.css').write_text(HtmlFormatter().get_style_defs('.highlight'))
    notebooks = {page_of(path): processed(path) for path in sorted(nbglob(NBS, as_path=True))}
    quarto = yaml.safe_load((ROOT / '_quarto.yml').read_text(encoding='utf-8'))
    contents = quarto['website']['sidebar']['contents']
    titles = {page: nb.metadata.title for page, nb in notebooks.items()}
    pages = {page: plain_page(page, nb, contents, titles) for page, nb in notebooks.items()}
    ids = {page: {tag['id'] for tag in soup.find_all(id=True)} for page, soup in pages.items()}
    for page, soup in pages.items():
        for a in soup.find_all('a', href=True):
            a['href'] = linked(a['href'], page, ids)
        (SITE / page).parent.mkdir(parents=True, exist_ok=True)
        (SITE / page).write_text(str(soup), encoding='utf-8')


def plain_page(page, nb, contents, titles):
    "One page: its text, the sidebar and a table of contents."
    exporter = HTMLExporter(
        template_name='basic',
        exclude_anchor_links=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    body, toc = headed(with_mathml(exporter.from_notebook_node(nb)[0], page))
    up = '../' * page.count('/')
    parts = dict(title=nb.metadata.title, description=nb.metadata.get('description', ''), body=body, toc=toc)
    html = (PLAIN / 'page.html').read_text(encoding='utf-8')
    html = html.format(nav=sidebar(contents, titles, up, page), up=up, **parts)
    return BeautifulSoup(html, 'html.parser')


def with_mathml(html, page):
    "The page with its equations as MathML, which browsers show without any script."
    soup = BeautifulSoup(html, 'html.parser')
    for text in soup.find_all(string=re.compile(r'\$')):
        if text.find_parent(['pre', 'code', 'script', 'style', 'svg', 'math']):
            continue
        parts = re.split(r'(\$\$.+?\$\$|\$[^$\n]+?\$)', text, flags=re.DOTALL)
        if len(parts) == 1:
            continue
        new = [equation(part, page) if k % 2 else part for k, part in enumerate(parts)]
        text.replace_with(
            BeautifulSoup(
                ''.join(new[k] if k % 2 else escape(new[k]) for k in range(len(new))), 'html.parser'
            )
        )
    return str(soup)


def equation(tex, page):
    "An equation of a notebook, with its dollar signs, as MathML."
    display = 'block' if tex.startswith('$$') else 'inline'
    try:
        return mathml(tex.strip('$').strip(), display=display)
    except Exception as e:
        raise SystemExit(f'{page}: this equation cannot be made MathML ({e}): {tex}') from e


def page_of(path):
    return _nbpath2html(path.relative_to(NBS)).as_posix()


def headed(html):
    "The page with Quarto's ids at its headings, and a table of contents."
    soup, seen, toc = BeautifulSoup(html, 'html.parser'), set(), []
    for h in soup.find_all(['h2', 'h3', 'h4']):
        name = base = (
            re.sub(r'^[^a-z]+', '', re.sub(r'[^\w.\- ]', '', h.get_text().strip().lower()).replace(' ', '-'))
            or 'section'
        )
        n = 0
        while name in seen:
            n += 1
            name = f'{base}-{n}'
        seen.add(name)
        h['id'] = name
        if h.name != 'h4':
            toc.append(f'<li><a href="#{name}">{h.get_text()}</a></li>')
    return str(soup), f'<ul>{"".join(toc)}</ul>'


def sidebar(contents, titles, up, here):
    "Nested lists of links from Quarto's `contents`; a section is open where it has the page that is shown."
    items = []
    for item in contents:
        if isinstance(item, str):
            item = {'text': titles.get(page_of(NBS / item), item), 'href': item}
        if 'contents' in item:
            inside = sidebar(item['contents'], titles, up, here)
            shown = ' open' if 'class="here"' in inside else ''
            items.append(f'<li><details{shown}><summary>{item["section"]}</summary>{inside}</details></li>')
        else:
            current = ' class="here"' if page_of(NBS / item['href']) == here else ''
            items.append(f'<li><a href="{up}{item["href"]}"{current}>{item["text"]}</a></li>')
    return f'<ul>{"".join(items)}</ul>'


def linked(href, page, ids):
    """Where a link of `page` leads on the site: notebooks become pages, and nbdev's absolute links to
    symbols become relative."""
    cfg = get_config()
    absolute = f'{cfg.doc_host}{cfg.doc_baseurl}/'
    if href.startswith(absolute):  # a method that has no heading of its own stands under its class
        target, _, anchor = href[len(absolute) :].partition('#')
        anchor = next((a for a in (anchor, anchor.split('.')[0]) if a in ids.get(target, ())), '')
        return os.path.relpath(target, Path(page).parent).replace(os.sep, '/') + (
            f'#{anchor}' if anchor else ''
        )
    target, _, anchor = href.partition('#')
    if not re.match('[a-z]+:', href) and target.endswith('.ipynb'):
        target = _nbpath2html(Path(target)).as_posix()
    return target + (f'#{anchor}' if anchor else '')


# links


def broken_links(site):
    "Links and pictures on the pages under `site` that lead to no file or no heading, one sentence each."
    pages = {
        path.resolve(): BeautifulSoup(path.read_text(encoding='utf-8'), 'html.parser')
        for path in sorted(site.rglob('*.html'))
        if 'site_libs' not in path.parts
    }
    ids = {
        path: {tag[key] for key in ('id', 'name') for tag in soup.find_all(attrs={key: True})}
        for path, soup in pages.items()
    }
    problems = [] if pages else [f'{site}: no page there; run `python tools/docs.py site` first']
    for path, soup in pages.items():
        for tag in soup.find_all(['a', 'img', 'link']):
            where = tag.get('href') or tag.get('src') or ''
            url = urlsplit(where)
            if url.scheme or url.netloc:
                if not leads_into_repo(where):
                    problems.append(f'{path.name}: {where} names no file of this repository')
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if target.is_dir():
                target /= 'index.html'
            if not target.is_relative_to(site.resolve()):
                problems.append(
                    f'{path.name}: {where} leads out of the site; give the address on GitHub, '
                    f'{on_github("...")}'
                )
            elif not target.exists():
                problems.append(f'{path.name}: {where} leads to no file')
            elif url.fragment and unquote(url.fragment) not in ids.get(target, ()):
                problems.append(f'{path.name}: {where} leads to no heading')
    return problems


def missing_pages():
    "Notebooks that the sidebar of _quarto.yml leaves out, and entries of it that no notebook answers to."

    def leaves(contents):
        for item in contents:
            yield from (
                leaves(item['contents'])
                if 'contents' in item
                else [item if isinstance(item, str) else item['href']]
            )

    quarto = yaml.safe_load((ROOT / '_quarto.yml').read_text(encoding='utf-8'))
    listed = set(leaves(quarto['website']['sidebar']['contents']))
    there = {path.relative_to(NBS).as_posix() for path in nbglob(NBS, as_path=True)}
    return [f'_quarto.yml: the sidebar misses {name}' for name in sorted(there - listed)] + [
        f'_quarto.yml: the sidebar names {name}, which is not there' for name in sorted(listed - there)
    ]


def main(what='', folder=None):
    os.chdir(ROOT)
    os.environ['IN_TEST'] = '1'  # cells see what they see under nbdev_test
    if what == 'readme':
        for name, content in readme().items():
            (ROOT / name).parent.mkdir(exist_ok=True)
            (ROOT / name).write_bytes(content)
    elif what == 'site':
        build_site()
    elif what == 'links':
        problems = broken_links(Path(folder or SITE))
        print('\n'.join(problems) or 'every link leads somewhere')
        return bool(problems)
    else:
        sys.exit(__doc__)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))

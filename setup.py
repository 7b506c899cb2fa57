"""Packaging: everything that varies stands in settings.ini, which nbdev reads as well."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

ini = ConfigParser(delimiters=['='])
ini.read('settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']
oldest = int(cfg['min_python'].split('.')[1])
extras = {
    k.removesuffix('_requirements'): cfg[k].split() for k in cfg if k.endswith('_requirements')
}  # developers need all of them

setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    long_description=Path('README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    author=cfg['author'],
    license='Apache-2.0',
    license_files=['LICENSE'],
    url=cfg['git_url'],
    project_urls={'Documentation': cfg['doc_host'] + cfg['doc_baseurl']},
    keywords=cfg['keywords'].split(),
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Science/Research',
        'Natural Language :: English',
    ]
    + [f'Programming Language :: Python :: 3.{minor}' for minor in range(oldest, 14)],
    packages=find_packages(include=[cfg['lib_name'], cfg['lib_name'] + '.*']),
    package_data={'mspsvae.show': ['*.css']},
    python_requires='>=' + cfg['min_python'],
    install_requires=cfg['requirements'].split(),
    extras_require=extras | {'dev': sorted({r for needs in extras.values() for r in needs})},
    entry_points={
        'console_scripts': cfg['console_scripts'].split('\n'),
        'nbdev': [f'{cfg["lib_path"]}={cfg["lib_path"]}._modidx:d'],
    },
    zip_safe=False,
)

"""How often the leakage report is wrong, on made-up recordings whose truth is known.

    python tools/verdicts_study.py [--repeats 1] [--scenes none half] [--sessions 2 4] [--out FILE.csv]
    python tools/verdicts_study.py --before 1a1ca38 --repeats 2 --out tests/golden/verdicts_before.csv
    python tools/verdicts_study.py --limits --repeats 100 --out tests/golden/limits.csv

Recordings of 2, 4 and 16 sessions, 8, 20 and 100 trials of 30, 100 and 200 frames, time constants of 5, 50
and 200 frames; trials are independent, or pieces of one continuous recording. Three latents each. Behaviour that
is no such process has scenes of its own, with states and bouts of 10, 30 and 100 frames. A line of the table
counts the findings of one setting: how many recordings, and in how many of them the gravest finding about
sessions was what; of the recordings that got no warning, in how many the text allows that more than a fifth of a
variance lies between sessions (`allows`), and in how many it allows less than what was planted (`denies`).
`--before` judges by the module of another revision. `--limits` asks instead how often the share of the variance
between sessions lies below its upper limit and above its lower one.
"""

import argparse
import csv
import importlib.util
import re
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm

from mspsvae.config import Config
from mspsvae.judge.differences import cut, session_differences
from mspsvae.judge.evaluate import cross_validated_accuracy, spaced_in
from mspsvae.judge.leakage import SEVERITIES, judge_latents

SESSIONS, TRIALS, FRAMES, TAUS = (2, 4, 16), (8, 20, 100), (30, 100, 200), (5, 50, 200)
DWELLS = 10, 30, 100  # frames that a state or a bout lasts, in the mean
SCENES = {
    'none': 'sessions do not differ',
    'half': 'means of one latent half a standard deviation apart, every other session',
    'one': 'one session: mean of one latent a standard deviation away',
    'wide': 'one session: a latent swings twice as wide',
    'fields': 'two latents on the fields of a checkerboard of 16: every other session on the black ones',
    'product': 'every other session: the product of the three latents has the other sign',
    'label': 'a latent follows a label (R2 0.8) that differs between sessions by 3 standard deviations',
    'states': 'sessions do not differ; 3 to 5 states, all latents jump between their levels',
    'bouts': 'sessions do not differ; still for four fifths of the time, moving in bouts',
    'heavy': 'sessions do not differ; seldom a large jump (innovations of t with 3 degrees of freedom)',
}
SEEDS = 'none', 'half', 'one', 'wide', 'label', 'states', 'bouts', 'heavy', 'fields', 'product'
IN_STATES = 'states', 'bouts'
MOST_FRAMES = 20_000  # as `leakage` looks at


def wander(rng, shape, tau):
    "Gaussian processes of variance 1, whose correlation decays within `tau` frames; time is the last axis."
    phi = np.exp(-1 / tau)
    noise = rng.normal(size=shape) * np.sqrt(1 - phi**2)
    noise[..., 0] /= np.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], noise)


def recording(rng, setting, n):
    "Latents `[frames, n]`, sessions, trials."
    s, t, f, tau, continuous = setting
    shape = (n, s, t * f) if continuous else (n, s * t, f)
    z = wander(rng, shape, tau).reshape(n, -1).T
    return z, np.repeat(np.arange(s), t * f), np.repeat(np.arange(s * t), f)


def chain(rng, shape, leave):
    "A Markov chain from its stationary distribution; `leave[k]`: probability of leaving state k in a frame."
    stay = 1 / np.array(leave)
    state = np.empty(shape, int)
    state[:, 0] = rng.choice(len(leave), shape[0], p=stay / stay.sum())
    for i in range(1, shape[1]):
        step = rng.integers(1, len(leave), shape[0])
        leaves = rng.random(shape[0]) < np.array(leave)[state[:, i - 1]]
        state[:, i] = (state[:, i - 1] + leaves * step) % len(leave)
    return state


def odd_recording(rng, name, setting):
    "Three latents `[frames, 3]` that are no Gaussian process, the same in all sessions."
    s, t, f, tau, continuous = setting
    shape = (s, t * f) if continuous else (s * t, f)
    if name == 'states':
        n = int(rng.integers(3, 6))
        levels = rng.normal(size=(n, 3))
        levels = (levels - levels.mean(0)) / levels.std(0)
        state = chain(rng, shape, [1 / tau] * n).ravel()
        return np.sqrt(0.9) * levels[state] + np.sqrt(0.1) * rng.normal(size=(s * t * f, 3))
    if name == 'bouts':
        moving = chain(rng, shape, [1 / (4 * tau), 1 / tau])
        z = wander(rng, (3, *shape), tau / 5) * moving + 0.1 * rng.normal(size=(3, *shape))
        z[1] += moving
        return z.reshape(3, -1).T
    phi, start = np.exp(-1 / tau), 5 * tau
    noise = rng.standard_t(3, (3, shape[0], start + shape[1]))
    return lfilter([1], [1, -phi], noise)[..., start:].reshape(3, -1).T * np.sqrt(1 - phi**2)


def on_fields(z, session):
    "Frames on a field of the wrong colour move to the one beside it."
    field = np.floor(4 * norm.cdf(z[:, :2]))
    step = np.where(field[:, 0] < 3, 1, -1) * (field.sum(1) % 2 != session % 2)
    moved = norm.ppf(np.clip(norm.cdf(z[:, 0]) + step / 4, 1e-4, 1 - 1e-4))
    return np.c_[moved, z[:, 1:]]


def by_product(z, session):
    "Latents whose product has the wrong sign turn that of the third."
    wrong = (z > 0).sum(1) % 2 != session % 2
    return np.c_[z[:, :2], np.where(wrong, -1, 1) * z[:, 2]]


def scene(rng, name, setting):
    "Latents, sessions, trials, and labels or None, thinned as the report thins them."
    z, session, trial = recording(rng, setting, 4)
    z, other, labels, last = z[:, :3], z[:, 3], None, session == session.max()
    if name in (*IN_STATES, 'heavy'):
        z = odd_recording(rng, name, setting)
    if name == 'half':
        z[:, 0] += np.where(session % 2, 0.25, -0.25)
    elif name == 'one':
        z[:, 0] += last
    elif name == 'wide':
        z[:, 0] *= 1 + last
    elif name in ('fields', 'product'):
        z = on_fields(z, session) if name == 'fields' else by_product(z, session)
    elif name == 'label':
        labels = (other + 3 * rng.normal(size=setting[0])[session])[:, None]
        z[:, 0] = np.sqrt(0.8) * labels[:, 0] + np.sqrt(0.2) * z[:, 0]
    rows = spaced_in(np.bincount(session).tolist(), MOST_FRAMES)
    return z[rows], session[rows], trial[rows], labels if labels is None else labels[rows]


def verdict_now(z, session, trial, labels):
    "The gravest finding about sessions: severity and text."
    found = judge_latents(z, session, trial, labels)
    return next((f['severity'], f['text']) for f in found if 'ession' in f['text'])


def allowed(text, of):
    "The largest share that a text still allows; 0 where it names none."
    percents = re.findall(rf'(?:(?:at most|up to) (\d+)%|less than 1%){of}', text)
    return max((int(p or 1) / 100 for p in percents), default=0)


def planted(name, n_sessions):
    "Shares of the variance between sessions: of a mean, of how wide a latent swings."
    last, one = np.arange(n_sessions) == n_sessions - 1, np.ones(n_sessions)
    means = dict(half=np.where(np.arange(n_sessions) % 2, 0.25, -0.25), one=1.0 * last)
    width = one + last if name == 'wide' else one
    between, within = np.var(means.get(name, 0 * one)), np.var(width * np.sqrt(2 / np.pi))
    return between / (between + 1), within / (within + np.mean(width**2) * (1 - 2 / np.pi))


def denies(name, n_sessions, severity, text):
    "Is OK said with limits below what was planted?"
    means, shapes = ' of (?:its|the) variance(?: of each latent)? could lie', ' of the variance of how'
    limits = [allowed(text, of) for of in (means, shapes)]
    return severity == 'ok' and any(p > v + 0.005 for p, v in zip(planted(name, n_sessions), limits))


def module_of(revision):
    "The leakage module of another revision, beside ours."
    name = 'mspsvae/judge/leakage.py'
    text = subprocess.run(['git', 'show', f'{revision}:{name}'], capture_output=True, text=True, check=True)
    path = Path(tempfile.mkdtemp()) / 'leakage_before.py'
    path.write_text(text.stdout)
    spec = importlib.util.spec_from_file_location('mspsvae.judge.leakage_before', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def verdict_before(old, z, session, trial, labels):
    "The same by a module that judged by permuted trials and by classifiers."
    names, known = [f'latent {k + 1}' for k in range(3)], None if labels is None else np.isfinite(labels)
    rest = None if labels is None else old.without_labels(z, labels, known, session)
    parts = old.variance_parts(z, session, trial)
    parts_rest = None if rest is None else old.variance_parts(rest, session, trial)

    def look(columns):
        beyond = None
        if rest is not None:
            told = cross_validated_accuracy(rest[:, columns], session, trial)
            beyond = dict(variance=parts_rest.shares(columns, parts), session_accuracy=told)
        told = cross_validated_accuracy(z[:, columns], session, trial)
        return dict(variance=parts.shares(columns), beyond_labels=beyond, session_accuracy=told)

    latents = [dict(name=n, subspace='unsupervised', used=True) | look([k]) for k, n in enumerate(names)]
    whole = look([0, 1, 2]) | dict(n_latents=3)
    report = dict(chance=1 / (session.max() + 1), latents=latents, subspaces=dict(unsupervised=whole))
    return max((f['severity'] for f in old._session_findings(report, Config())), key=SEVERITIES.index), ''


def all_settings(scenes, sessions):
    "Scenes, each with sessions, trials, frames, time constant (or dwell time), continuous or not."
    for name in scenes:
        taus = DWELLS if name in IN_STATES else TAUS
        for setting in product(sessions, TRIALS, FRAMES, taus, (False, True)):
            yield name, setting


def study(args):
    "Rows of the table."
    judge = verdict_now
    if args.before:
        old = module_of(args.before)

        def judge(*case):
            return verdict_before(old, *case)

    for name, setting in all_settings(args.scenes, args.sessions):
        rng = np.random.default_rng([args.seed, SEEDS.index(name), *map(int, setting)])
        told = [judge(*scene(rng, name, setting)) for _ in range(args.repeats)]
        counts = [sum(v == s for v, _ in told) for s in SEVERITIES]
        counts += [sum(v in ('ok', 'note') and allowed(text, '') > 0.2 for v, text in told)]
        yield [
            name,
            *map(int, setting),
            args.repeats,
            *counts,
            sum(denies(name, setting[0], *v) for v in told),
        ]


def limits(args):
    "Rows of the table of limits: sessions whose means are drawn, then scaled to a share."
    for s, (t, f), tau, share in product(
        SESSIONS, ((8, 30), (20, 100), (100, 200)), TAUS, (0, 0.05, 0.3, 0.8, 0.99)
    ):
        rng = np.random.default_rng([args.seed, s, t, f, tau, round(100 * share)])
        mean = rng.normal(size=(args.repeats, s))
        mean = (
            (mean - mean.mean(1, keepdims=True)) / mean.std(1, keepdims=True) * np.sqrt(share / (1 - share))
        )
        z = np.stack([(wander(rng, (s, t * f), tau) + m[:, None]).ravel() for m in mean], 1)
        rows = spaced_in([t * f] * s, MOST_FRAMES)
        d = session_differences(
            cut(z[rows], np.repeat(np.arange(s), t * f)[rows], np.repeat(np.arange(s * t), f)[rows])
        )
        said = [f'{np.median(v):.3f}' for v in (d.at_least, d.at_most)]
        yield [s, t, f, tau, share, args.repeats, sum(d.at_most >= share), sum(d.at_least <= share), *said]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--repeats', type=int, default=10, help='recordings of each setting')
    parser.add_argument('--scenes', nargs='+', choices=list(SCENES), default=list(SCENES))
    parser.add_argument('--sessions', nargs='+', type=int, default=list(SESSIONS))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--before', help='a revision whose module judges instead of ours')
    parser.add_argument('--limits', action='store_true', help='how good limits of the share are, instead')
    parser.add_argument('--out', type=Path, default=Path('tests/golden/verdicts.csv'))
    args = parser.parse_args()
    columns = ['scene', 'sessions', 'trials', 'frames', 'tau', 'continuous', 'recordings', *SEVERITIES]
    columns, rows = [*columns, 'allows', 'denies'], study
    if args.limits:
        columns, rows = (
            ['sessions', 'trials', 'frames', 'tau', 'share', 'recordings', 'above', 'below'],
            limits,
        )
        columns += ['at_least', 'at_most']
    with args.out.open('w', newline='') as file:
        writer = csv.writer(file, lineterminator='\n')
        writer.writerow(columns)
        for row in rows(args):
            writer.writerow(row)
            file.flush()


if __name__ == '__main__':
    main()

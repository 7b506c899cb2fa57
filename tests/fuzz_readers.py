"""Broken files of every kind, thousands of them: each has to end in an error of the library or in success,
never in another exception, a hang or a crash.

    python tests/fuzz_readers.py                          1000 inputs for each reader, some minutes
    python tests/fuzz_readers.py --inputs 20000 --only session checkpoint
    python tests/fuzz_readers.py --random                 other inputs each time

A file is broken in two ways: bytes are flipped, cut, inserted or repeated; or, more wickedly, the file
stays a good HDF5 file, archive or JSON, and only what it holds is wrong.
Memory is limited (where the system can), so that a file that claims a petabyte is found out. The file being
read when the interpreter crashes or hangs is printed.
"""

import argparse
import faulthandler
import io
import json
import math
import pickle
import shutil
import sys
import tempfile
import time
import warnings
import zipfile
from copy import deepcopy
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mspsvae.batches import TrialReader
from mspsvae.behavenet import bring_over, load_checkpoint, read_hparams, read_metrics
from mspsvae.config import Arch, Config
from mspsvae.errors import MspsvaeError
from mspsvae.models import make_model
from mspsvae.prepare.poses import read_poses
from mspsvae.runs import Run, load_run, read_checkpoint
from mspsvae.sessions import check_sessions, find_sessions, write_session
from mspsvae.train import FitParts, fit, make_optimizer, restore

CONFIG = Config(
    arch=Arch((4, 8), 5, 4), trial_splits=(1, 1, 1, 0), max_epochs=2, anneal_epochs=1, device='cpu'
)
SIZE, N_LABELS = (1, 32, 32), 2

# bytes

NUMBERS = st.integers(0, 2**32)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(['flip', 'set', 'cut', 'insert', 'remove', 'repeat', 'zero']),
        NUMBERS,
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
)


def edited(content, edits):
    "Some bytes, changed here and there."
    content = bytearray(content)
    for how, at, new in edits:
        at, n = at % (len(content) + 1), 1 + at // 7 % 64
        if how == 'flip' and at < len(content):
            content[at] ^= 1 << new[0] % 8
        elif how == 'set':
            content[at : at + len(new)] = new
        elif how == 'cut':
            del content[at:]
        elif how == 'insert':
            content[at:at] = new
        elif how == 'remove':
            del content[at : at + n]
        elif how == 'repeat':
            content[at:at] = content[at : at + n]
        elif how == 'zero':
            content[at : at + n] = bytes(len(content[at : at + n]))
    return bytes(content)


def edited_member(content, edits, which):
    "A zip archive of which one member is changed, with the checksums that belong to it."
    out, old = io.BytesIO(), zipfile.ZipFile(io.BytesIO(content))
    names = old.namelist()
    with zipfile.ZipFile(out, 'w') as new:
        for i, name in enumerate(names):
            new.writestr(name, edited(old.read(name), edits) if i == which % len(names) else old.read(name))
    return out.getvalue()


# values

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 12),
    st.sampled_from(
        [
            10**6,
            2**31,
            2**63,
            -(2**63),
            10**30,
            10**400,
            0.5,
            -1.0,
            1e-300,
            1e300,
            math.inf,
            -math.inf,
            math.nan,
        ]
    ),
    st.text(max_size=6),
    st.sampled_from(
        [
            '../../x',
            '/etc/passwd',
            'a\0b',
            'NaN',
            '[' * 50,
            'x' * 5000,
            'auto',
            'all',
            'cuda:0',
            'trial_0000',
            '1;1;1;0',
            '\ud800',
        ]
    ),
    st.sampled_from(
        [[], {}, [[]], [None], {'': None}, [1, 2], [0.5, 'a'], {'channels': [1]}, [[0]], [10**12] * 3]
    ),
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(['set', 'set', 'set', 'remove', 'repeat', 'add']), NUMBERS, STRANGE),
    min_size=1,
    max_size=3,
)


def places(value):
    "All (container, key) within nested dicts and lists."
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [p for k in keys for p in [(value, k), *places(value[k])]]


def changed(value, changes):
    "Nested dicts and lists with some values replaced, taken out, repeated or added; in place."
    for how, at, new in changes:
        found, new = places(value), deepcopy(new)  # nothing stands in two places
        if not found:
            return new
        container, key = found[at % len(found)]
        if how == 'remove':
            del container[key]
        elif how == 'repeat' and isinstance(container, list):
            container.append(deepcopy(container[key]))
        elif how == 'add':
            container.append(new) if isinstance(container, list) else container.__setitem__('strange', new)
        else:
            container[key] = new
    return value


def changed_json(path, changes):
    return json.dumps(changed(json.loads(path.read_text()), changes))


ARRAYS = st.sampled_from(
    [
        lambda v: v[..., :1],
        lambda v: v.double(),
        lambda v: v.long(),
        lambda v: v.to(torch.complex64),
        lambda v: v.flatten()[:1].expand(2**40),
        lambda v: v * math.nan,
        lambda v: v.reshape(-1),
        lambda v: v[None],
        lambda v: v.to_sparse(),
        lambda v: torch.empty(0),
        lambda v: torch.tensor(1.0),
        lambda v: v.to('meta'),
        lambda v: v.bool(),
        lambda v: v.bfloat16(),
        lambda v: [1, 2],
        lambda v: None,
        lambda v: str(v.shape),
        lambda v: v.transpose(0, -1) if v.ndim else v,
    ]
)


def changed_arrays(state, changes, arrays):
    "A state dict or checkpoint with values and tensors changed."
    for (how, at, new), change in zip(changes, arrays):
        found = [p for p in places(state) if isinstance(p[0][p[1]], torch.Tensor)]
        if not found:
            return state
        container, key = found[at % len(found)]
        if how == 'remove':
            del container[key]
        elif how == 'add':
            container['strange'] = new
        elif container[key].ndim == 0 or container[key].numel() > 10**8:
            container[key] = torch.zeros(3)
        else:
            try:
                container[key] = change(container[key])
            except RuntimeError:
                pass  # it was made sparse, or has no memory, already
    return state


def archive(state):
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


# HDF5

HDF5_CHANGES = {
    'other shape': lambda g, k: g.create_dataset(k, data=np.zeros((3, 2), np.uint8)),
    'scalar': lambda g, k: g.create_dataset(k, data=5),
    'empty': lambda g, k: g.create_dataset(k, data=h5py.Empty('f4')),
    'no frames': lambda g, k: g.create_dataset(k, data=np.zeros((0, 1, 32, 32), np.uint8)),
    'text': lambda g, k: g.create_dataset(k, data=['a', 'b']),
    'float images': lambda g, k: g.create_dataset(k, data=np.full((6, 1, 32, 32), np.nan, np.float32)),
    'infinite labels': lambda g, k: g.create_dataset(k, data=np.full((6, 2), np.inf)),
    'huge labels': lambda g, k: g.create_dataset(k, data=np.full((6, 2), 1e308)),
    'complex': lambda g, k: g.create_dataset(k, data=np.zeros((6, 2), complex)),
    'records': lambda g, k: g.create_dataset(k, data=np.zeros(6, [('a', 'i4'), ('b', 'f8')])),
    'claims a petabyte': lambda g, k: g.create_dataset(
        k, shape=(10**6, 1, 32000, 32000), dtype='u1', chunks=(1, 1, 100, 100)
    ),
    'claims long labels': lambda g, k: g.create_dataset(k, shape=(10**12, 2), dtype='f4', chunks=(1000, 2)),
    'group': lambda g, k: g.create_group(k),
    'group in itself': lambda g, k: g.__setitem__(k, g),
    'soft link to nowhere': lambda g, k: g.__setitem__(k, h5py.SoftLink('/nowhere')),
    'soft link to itself': lambda g, k: g.__setitem__(k, h5py.SoftLink(f'{g.name}/{k}')),
    'external link': lambda g, k: g.__setitem__(k, h5py.ExternalLink('/etc/passwd', '/a')),
    'raw data elsewhere': lambda g, k: g.create_dataset(
        k, shape=(6, 1, 32, 32), dtype='u1', external=[('/etc/passwd', 0, 6 * 1024)]
    ),
    'virtual': lambda g, k: g.create_virtual_dataset(k, h5py.VirtualLayout((6, 1, 32, 32), 'u1')),
    'a type': lambda g, k: g.__setitem__(k, np.dtype('f8')),
    'references': lambda g, k: g.create_dataset(
        k, data=np.array([g.ref] * 6, dtype=h5py.ref_dtype), dtype=h5py.ref_dtype
    ),
    'gone': lambda g, k: None,
    'renamed': lambda g, k: g.create_dataset('trial_x', data=np.zeros((6, 2))),
    'same number': lambda g, k: g.create_dataset('trial_0', data=np.zeros((6, 2))),
}
HDF5_EDITS = st.lists(st.tuples(st.sampled_from(list(HDF5_CHANGES)), NUMBERS), min_size=1, max_size=3)


def changed_hdf5(path, edits):
    "Replace groups and arrays of an HDF5 file, attributes as well."
    with h5py.File(path, 'r+') as f:
        for kind, at in edits:
            names = []
            f.visit(names.append)
            if not names:
                return
            name = names[at % len(names)]
            group, key = f[name].parent, name.split('/')[-1]
            if at % 5 == 0:
                f[name].attrs['names'] = [5, ['a'], '["a", 1]', np.zeros((2, 2)), h5py.Empty('f4')][
                    at // 5 % 5
                ]
            del group[key]
            try:
                HDF5_CHANGES[kind](group, key)
            except (ValueError, TypeError, OSError, RuntimeError):
                pass  # the library would not make such a file here


# readers


class Place:
    "A folder with a good file of each kind."

    def __init__(self, root):
        self.root, rng = root, np.random.default_rng(0)

        def labels():
            return [rng.normal(size=(6, N_LABELS)) for _ in range(3)]

        self.sessions = [
            write_session(
                root / f'{name}.hdf5',
                [rng.integers(0, 256, (6, *SIZE), dtype=np.uint8) for _ in range(3)],
                labels(),
                label_names=['paw', 'tongue'],
                masks=[np.ones((6, *SIZE))] * 3,
                labels_masks=[np.ones((6, N_LABELS))] * 3,
                causes=labels(),
            )
            for name in 'ab'
        ]
        self.run = fit(self.sessions, CONFIG, out=root / 'run', show_progress=False)
        self.run.latents()
        self.model = make_model(CONFIG, SIZE, N_LABELS)
        self.csv = root / 'sessions.csv'
        self.csv.write_text('path,animal\n' + ''.join(f'{p.name},x\n' for p in self.sessions))
        self.behavenet = root / 'best_val_model.pt'
        torch.save(behavenet_state(self.model), self.behavenet)
        self.hparams = {
            'model_class': 'msps-vae',
            'model_type': 'conv',
            'n_ae_latents': np.int64(self.model.n_latents),
            'n_labels': N_LABELS,
            'n_background': 3,
            'trial_splits': '1;1;1;0',
            'learning_rate': '0.0001',
            'ae_encoding_n_channels': [4, 8],
            'ae_encoding_kernel_size': [5, 5],
            'ae_encoding_stride_size': [4, 4],
            'n_datasets': 2,
            'seed': torch.get_rng_state(),
            'ps_vae.delta': 50.0,
            'x_pixels': 32,
            'y_pixels': 32,
            'n_input_channels': 1,
        }
        self.metrics = (
            'epoch,dataset,best_val_epoch,tr_loss,tr_loss_data_ll,val_loss,val_loss_zu_mi\n'
            + ''.join(f'{e},-1,,{9.0 - e},-{e}.5,,\n{e},-1,{e},,,{8.0 - e},.5\n' for e in range(4))
        )
        self.poses = make_poses(root)
        self.bad = root / 'bad'
        self.bad.mkdir()

    def file(self, name, content):
        path = self.bad / name
        path.unlink(missing_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode('utf-8', 'surrogatepass'))
        return path

    def bad_run(self):
        shutil.rmtree(self.bad / 'run', ignore_errors=True)
        return Path(shutil.copytree(self.run.path, self.bad / 'run'))


def make_poses(root):
    "A file with poses of each format, by the tools' own libraries."
    import sleap_io

    rng, parts = np.random.default_rng(0), ['nose', 'paw']
    names = pd.MultiIndex.from_product(
        [['net'], parts, ['x', 'y', 'likelihood']], names=['scorer', 'bodyparts', 'coords']
    )
    table = pd.DataFrame(rng.uniform(0, 1, (12, 6)), columns=names)
    for layout in ('table', 'fixed'):
        table.to_hdf(root / f'{layout}.h5', key='df_with_missing', format=layout)
    table.to_csv(root / 'dlc.csv')
    pd.DataFrame(rng.uniform(0, 9, (12, 4)), columns=['nose_x', 'nose_y', 'paw_x', 'paw_y']).rename_axis(
        'frame'
    ).to_csv(root / 'plain.csv')
    table.set_axis([f'labeled-data/cam/img{i:04d}.png' for i in range(12)]).to_csv(root / 'training.csv')
    np.save(root / 'poses.npy', rng.uniform(0, 9, (12, 2, 2)))
    skeleton, track, video = (
        sleap_io.Skeleton(list(parts)),
        sleap_io.Track('ann'),
        sleap_io.Video('nowhere.mp4', open_backend=False),
    )
    labels = sleap_io.Labels(
        [
            sleap_io.LabeledFrame(
                video=video,
                frame_idx=t,
                instances=[
                    sleap_io.PredictedInstance.from_numpy(
                        rng.uniform(0, 9, (2, 2)),
                        skeleton=skeleton,
                        point_scores=np.ones(2),
                        score=1.0,
                        track=track,
                    )
                ],
            )
            for t in range(12)
        ]
    )
    sleap_io.save_slp(labels, str(root / 'sleap.slp'), embed=False, verbose=False)
    sleap_io.save_analysis_h5(labels, root / 'sleap.h5')
    sleap_io.save_csv(labels, str(root / 'sleap.csv'), format='sleap')
    return {
        p.name: p.read_bytes()
        for p in map(
            root.joinpath,
            (
                'table.h5',
                'fixed.h5',
                'dlc.csv',
                'training.csv',
                'plain.csv',
                'poses.npy',
                'sleap.slp',
                'sleap.h5',
                'sleap.csv',
            ),
        )
    }


def behavenet_state(model):
    "A model as BehaveNet would have saved it."
    state, out = model.state_dict(), {}
    for k, v in zip('ACB', model.split(torch.eye(model.n_latents))):
        out[f'encoding.{k}.weight'] = v.T.clone()
    names = {
        'mean': 'encoding.FF',
        'logvar': 'encoding.logvar',
        'label_head': 'encoding.D',
        'decoder.expand': 'decoding.FF',
    }
    for k, v in state.items():
        part, what = k.rsplit('.', 1) if '.' in k else (k, '')
        if part in names:
            out[f'{names[part]}.{what}'] = v
        elif part.startswith('encoder.blocks'):
            out[f'encoding.encoder.conv{part.split(".")[2]}.{what}'] = v
        elif part.startswith('decoder.blocks'):
            out[f'decoding.decoder.convtranspose{part.split(".")[2]}.{what}'] = v
    return out


def read_sessions(path, other):
    "Look for, check and read sessions, as a fit does."
    find_sessions(path)
    check = check_sessions([path, other] if path.suffix != '.csv' else path, CONFIG)
    str(check)
    check.raise_if_wrong()
    with TrialReader(check.infos, CONFIG) as reader:
        for s, info in enumerate(check.infos):
            for t in range(len(info.trials)):
                reader.batch([(s, t, True)])


def read_whole_run(path):
    "Everything that one looks at in someone else's run."
    run = load_run(path)
    run.curve()
    run.latents()
    run.predicted_labels()
    run.infos()


def resume_from(place, path):
    "As a fit goes on from a checkpoint, its next step included."
    state, model = read_checkpoint(path), make_model(CONFIG, SIZE, N_LABELS)
    optimizer = make_optimizer(model, CONFIG)
    restore(Run(place.run.path), state, FitParts(model, optimizer, None, None, CONFIG))
    model(torch.zeros(2, *SIZE)).recon.sum().backward()
    optimizer.step()


def read_pt(path):
    load_checkpoint(path, SIZE, N_LABELS, 3, CONFIG.arch)


def cases(place):
    "Name -> (strategies, what is done with what they give)."
    run, ckpt = place.run.path, (place.run.path / 'last.ckpt').read_bytes()

    def state():
        return read_checkpoint(place.root / 'good.ckpt')

    shutil.copy(run / 'last.ckpt', place.root / 'good.ckpt')
    best, behavenet = (run / 'best.safetensors').read_bytes(), place.behavenet.read_bytes()
    hdf5, table, history = (
        place.sessions[0].read_bytes(),
        place.csv.read_bytes(),
        (run / 'history.csv').read_bytes(),
    )

    def config(change):
        Config.from_json(place.file('config.json', change))

    def csv(edits):
        read_sessions(place.file('../table.csv', edited(table, edits)), None)

    def session(edits):
        read_sessions(place.file('c.hdf5', edited(hdf5, edits)), place.sessions[1])

    def session_inside(edits):
        path = place.file('c.hdf5', hdf5)
        changed_hdf5(path, edits)
        read_sessions(path, place.sessions[1])

    def checkpoint(content):
        resume_from(place, place.file('last.ckpt', content))

    def in_run(name, content):
        folder = place.bad_run()
        (folder / name).write_bytes(
            content if isinstance(content, bytes) else content.encode('utf-8', 'surrogatepass')
        )
        read_whole_run(folder)

    def latents(edits, inside):
        folder = place.bad_run()
        path = folder / 'latents' / f'{place.run.data["sessions"][0]["name"]}.h5'
        if inside:
            changed_hdf5(path, edits)
        else:
            path.write_bytes(edited(path.read_bytes(), edits))
        read_whole_run(folder)

    def pt(content):
        read_pt(place.file('best_val_model.pt', content))

    def poses(which, edits, inside=False):
        names = sorted(n for n in place.poses if not inside or not n.endswith(('.csv', '.npy')))
        name = names[which % len(names)]
        path = place.file(name, place.poses[name] if inside else edited(place.poses[name], edits))
        if inside:
            changed_hdf5(path, edits)
        assert len(read_poses(path, 'training' if name == 'training.csv' else None))

    def hparams(content):
        read_hparams(place.file('meta_tags.pkl', content))

    def metrics(edits):
        read_metrics(place.file('metrics.csv', edited(place.metrics.encode(), edits)), ['a', 'b'], CONFIG)

    def fit_by_behavenet(changes):
        shutil.rmtree(place.bad / 'brought', ignore_errors=True)
        bring_over(
            place.behavenet,
            place.sessions,
            place.bad / 'brought',
            hparams=changed(deepcopy(place.hparams), changes) or {},
        )

    changes, which = dict(changes=CHANGES), dict(which=NUMBERS)
    bytes_of = dict(edits=EDITS)
    tensors = dict(changes=CHANGES, arrays=st.lists(ARRAYS, min_size=3, max_size=3))
    return {
        'config bytes': (bytes_of, lambda edits: config(edited((run / 'config.json').read_bytes(), edits))),
        'config': (changes, lambda changes: config(changed_json(run / 'config.json', changes))),
        'csv': (bytes_of, csv),
        'session bytes': (bytes_of, session),
        'session': (dict(edits=HDF5_EDITS), session_inside),
        'checkpoint bytes': (bytes_of, lambda edits: checkpoint(edited(ckpt, edits))),
        'checkpoint member': (
            bytes_of | which,
            lambda edits, which: checkpoint(edited_member(ckpt, edits, which)),
        ),
        'checkpoint': (
            tensors,
            lambda changes, arrays: checkpoint(archive(changed_arrays(state(), changes, arrays))),
        ),
        'checkpoint values': (changes, lambda changes: checkpoint(archive(changed(state(), changes)))),
        'run config': (
            changes,
            lambda changes: in_run('config.json', changed_json(run / 'config.json', changes)),
        ),
        'run data': (changes, lambda changes: in_run('data.json', changed_json(run / 'data.json', changes))),
        'run data bytes': (
            bytes_of,
            lambda edits: in_run('data.json', edited((run / 'data.json').read_bytes(), edits)),
        ),
        'run history': (bytes_of, lambda edits: in_run('history.csv', edited(history, edits))),
        'run weights': (bytes_of, lambda edits: in_run('best.safetensors', edited(best, edits))),
        'run weights header': (
            bytes_of,
            lambda edits: in_run('best.safetensors', edited_header(best, edits)),
        ),
        'run latents bytes': (bytes_of, lambda edits: latents(edits, False)),
        'run latents': (dict(edits=HDF5_EDITS), lambda edits: latents(edits, True)),
        'poses bytes': (bytes_of | which, lambda which, edits: poses(which, edits)),
        'poses': (dict(edits=HDF5_EDITS) | which, lambda which, edits: poses(which, edits, True)),
        'hparams bytes': (
            bytes_of,
            lambda edits: hparams(edited(pickle.dumps(place.hparams, edits[0][1] % 6), edits)),
        ),
        'hparams': (changes, fit_by_behavenet),
        'metrics bytes': (bytes_of, metrics),
        'behavenet bytes': (bytes_of, lambda edits: pt(edited(behavenet, edits))),
        'behavenet member': (
            bytes_of | which,
            lambda edits, which: pt(edited_member(behavenet, edits, which)),
        ),
        'behavenet': (
            tensors,
            lambda changes, arrays: pt(
                archive(changed_arrays(torch.load(place.behavenet, weights_only=True), changes, arrays))
            ),
        ),
    }


def edited_header(content, edits):
    "A safetensors file with other text in its header, whose length is told rightly."
    n = int.from_bytes(content[:8], 'little')
    header = edited(content[8 : 8 + n], edits)
    return len(header).to_bytes(8, 'little') + header + content[8 + n :]


def fuzz(name, strategies, read, n, random=False, shrink=False):
    """Read `n` broken files; returns how many were refused. Anything but the library's own errors comes
    through; with `shrink`, for the smallest input that brings it about."""
    count = dict(read=0, refused=0)

    def body(**drawn):
        count['read'] += 1
        faulthandler.dump_traceback_later(30, exit=True)
        try:
            read(**drawn)
        except MspsvaeError as e:
            count['refused'] += 1
            assert str(e)
        finally:
            faulthandler.cancel_dump_traceback_later()

    phases = [Phase.generate] + [Phase.shrink] * shrink
    quick = settings(
        max_examples=n,
        phases=phases,
        deadline=20_000,
        database=None,
        derandomize=not random,
        suppress_health_check=list(HealthCheck),
    )
    begin = time.monotonic()
    quick(given(**strategies)(body))()
    print(
        f'{name:20} {count["read"]} files, {count["refused"]} refused, the others read, '
        f'{time.monotonic() - begin:.0f} s',
        flush=True,
    )
    return count['refused']


def limit_memory(gigabytes=8):
    "Let the interpreter have so much address space at most, where the system can do that."
    try:
        import resource
    except ImportError:
        return
    if sys.platform == 'linux':
        resource.setrlimit(resource.RLIMIT_AS, (gigabytes * 2**30, gigabytes * 2**30))


def main(n, only=(), random=False, shrink=False):
    "Fuzz all readers, or those whose name begins with one of `only`."
    faulthandler.enable()
    limit_memory()
    warnings.simplefilter('ignore')
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for name, (strategies, read) in cases(Place(Path(folder))).items():
            if not only or name.startswith(tuple(only)):
                fuzz(name, strategies, read, n, random, shrink)


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--inputs', type=int, default=1000, help='broken files for each reader')
    parser.add_argument('--only', nargs='+', default=[], help='readers whose names begin so')
    parser.add_argument('--random', action='store_true', help='other files each time')
    parser.add_argument(
        '--shrink',
        action='store_true',
        help='make an input that fails as small as possible, which takes up to five minutes',
    )
    args = parser.parse_args()
    main(args.inputs, args.only, args.random, args.shrink)

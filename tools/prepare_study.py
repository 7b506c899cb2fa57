"""What `prepare` takes beside mere decoding: frames a second, processor time and memory, in turns.

    python tools/prepare_study.py                                 five minutes of video, three times each
    python tools/prepare_study.py --minutes 60 --repeats 1        a whole hour
    python tools/prepare_study.py --crf 28                        a video that is easier to decode

The video is H.264, 640 x 480 at 30 frames a second: the made-up animal in the noise of a camera, 50 seconds
of it, repeated packet by packet as long as is asked for. PyAV's own loop decodes it and throws all frames
away;
`prepare` with its defaults looks at the file, decodes, resizes to 128, writes trials and the preview. Both
decode with a thread for each processor, each in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import median

import av
import numpy as np
import psutil

RATE, SIZE, PIECE = 30, (480, 640), 1500


def film(path, crf):
    "The animal in noise, `PIECE` frames of it."
    from mspsvae.synthetic import Scene, draw_frames, draw_look, draw_moves

    rng, scene = np.random.default_rng(0), Scene(noise=0.02)
    look, moves = draw_look(rng, scene), draw_moves(rng, PIECE)
    noise = 255 * scene.noise * rng.standard_normal((40, *SIZE), dtype=np.float32)
    with av.open(str(path), 'w') as file:
        stream = file.add_stream('libx264', rate=RATE, options=dict(crf=str(crf), preset='veryfast'))
        stream.height, stream.width, stream.pix_fmt = *SIZE, 'yuv420p'
        for i in range(0, PIECE, 50):
            for j, frame in enumerate(
                draw_frames({k: v[i : i + 50] for k, v in moves.items()}, look, scene, SIZE)
            ):
                gray = np.clip(255 * frame + noise[(i + j) * 7 % 40], 0, 255).astype(np.uint8)
                file.mux(
                    stream.encode(
                        av.VideoFrame.from_ndarray(np.repeat(gray[..., None], 3, 2), format='rgb24')
                    )
                )
        file.mux(stream.encode())


def repeat(piece, path, times):
    "The same packets several times over, later and later."
    with av.open(str(path), 'w') as out:
        stream, shift = None, 0
        for _ in range(times):
            with av.open(str(piece)) as file:
                video = file.streams.video[0]
                stream = stream or out.add_stream_from_template(video)
                for packet in file.demux(video):
                    if packet.dts is None:
                        continue
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    out.mux(packet)
                shift += video.duration


def decode(path):
    "PyAV alone; returns the number of frames."
    with av.open(path) as file:
        stream = file.streams.video[0]
        stream.thread_type, stream.thread_count = 'AUTO', os.cpu_count()
        return sum(1 for _ in file.decode(stream))


def make(path):
    "`prepare` with its defaults and four keypoints; returns the number of frames."
    from mspsvae.prepare.prepare import prepare
    from mspsvae.prepare.video import look_at_video

    n = look_at_video(path).n_frames
    turn = np.arange(n)[:, None] / 50 + np.arange(4)
    poses = np.stack([320 + 100 * np.sin(turn), 240 + 80 * np.cos(1.1 * turn)], 2)
    with tempfile.TemporaryDirectory(dir=Path(path).parent) as out:
        prepare(path, poses, out, show_progress=False)
    return n


def measure(what, path):
    "One of the processes: do it, and say what it took."
    memory, done = [], threading.Event()

    def watch():
        while not done.wait(0.5):
            memory.append(psutil.Process().memory_info().rss / 1e6)

    if what == 'prepare':
        import mspsvae.prepare.prepare  # noqa: F401 (its import is not measured)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    begin, cpu = time.perf_counter(), time.process_time()
    n = (decode if what == 'PyAV alone' else make)(path)
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    done.set()
    half = memory[len(memory) // 4 : 3 * len(memory) // 4] or [0]
    print(
        json.dumps(
            dict(
                frames=n,
                frames_per_s=n / wall,
                cpu_ms_per_frame=1000 * cpu / n,
                memory_begins_MB=half[0],
                memory_ends_MB=half[-1],
                most_MB=max(memory, default=0),
            )
        )
    )


def study(minutes, crf, repeats):
    with tempfile.TemporaryDirectory() as folder:
        piece, path = Path(folder) / 'piece.mp4', Path(folder) / 'video.mp4'
        film(piece, crf)
        repeat(piece, path, max(1, round(minutes * 60 * RATE / PIECE)))
        print(
            f'{path.stat().st_size / 1e6:.0f} MB, {8 * path.stat().st_size / 1e6 / (60 * minutes):.1f} '
            'Mbit/s',
            flush=True,
        )
        kinds = 'PyAV alone', 'prepare'

        def one(what):
            return json.loads(
                subprocess.run(
                    [sys.executable, __file__, '--measure', what, str(path)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout.splitlines()[-1]
            )

        rounds = [
            {what: one(what) for what in kinds} for _ in range(repeats)
        ]  # in turns: the machine is never equally busy for long
    for what in kinds:
        print(
            f'{what}:',
            ', '.join(f'{k} {median(r[what][k] for r in rounds):.4g}' for k in rounds[0][what]),
            flush=True,
        )
    for k, invert in (('frames_per_s', False), ('cpu_ms_per_frame', True)):
        share = [r['prepare'][k] / r['PyAV alone'][k] for r in rounds]
        print(
            f'prepare beside PyAV alone, by {k}: {median(1 / s if invert else s for s in share):.0%} '
            f'(each: {", ".join(f"{1 / s if invert else s:.0%}" for s in share)})',
            flush=True,
        )


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--minutes', type=float, default=5)
    parser.add_argument(
        '--crf', type=int, default=21, help='quality of the video: less is better, and more to decode'
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--measure', nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(*args.measure)
    else:
        study(args.minutes, args.crf, args.repeats)

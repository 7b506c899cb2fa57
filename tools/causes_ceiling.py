"""How well can causes and labels of the benchmark's scenes be read at all, by a network that is told them?

    python tools/causes_ceiling.py face,hard body,hard [--sessions 4] [--trials 20] [--frames 50] [--size 64]

Trains a small convolutional network to read causes and labels off frames of the training trials, with changes of
brightness and noise against overfitting, and prints the R2 of each on test trials, one map for all sessions.
A fit, which has more to do, should not be expected to do better with as many frames. Minutes a scene.
"""

import argparse
import time

import numpy as np
import torch
from torch import nn

from mspsvae.scenes import Scenario, draw_session

CHANNELS = (1, 16, 32, 64, 64)


def read_frames(scenario):
    "Frames, and causes beside labels, of training trials, and of every tenth trial"
    parts = dict(train=([], []), test=([], []))
    for number in range(scenario.n_sessions):
        session = draw_session(scenario, number)
        told = np.concatenate([session['causes'], session['labels']], axis=-1, dtype=np.float32)
        for t, (images, values) in enumerate(zip(session['images'], told)):
            frames, wanted = parts['test' if t % 10 == 9 else 'train']
            frames.append(images)
            wanted.append(values)
    as_arrays = [[torch.from_numpy(np.concatenate(v)) for v in part] for part in parts.values()]
    return [(frames.float() / 255, wanted) for frames, wanted in as_arrays]


def make_network(size, n_told):
    layers = []
    for a, b in zip(CHANNELS, CHANNELS[1:]):
        layers += [nn.Conv2d(a, b, 5, 2, 2), nn.BatchNorm2d(b), nn.LeakyReLU(0.05)]
    width = CHANNELS[-1] * ((size + 15) // 16) ** 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(width, n_told))


def train(network, frames, told, epochs):
    optimizer = torch.optim.Adam(network.parameters(), 2e-3, weight_decay=1e-4)
    steps = epochs * -(-len(frames) // 50)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(frames)).split(50):
            brighter = 1 + 0.15 * torch.randn(len(rows), 1, 1, 1)
            changed = frames[rows] * brighter + 0.01 * torch.randn_like(frames[rows])
            loss = (network(changed - 0.4) - told[rows]).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def ceiling(scenario, epochs):
    "R2 of each cause and each label on test trials"
    torch.manual_seed(0)
    learn, judge = read_frames(scenario)
    network = make_network(scenario.size, learn[1].shape[1])
    train(network, *learn, epochs)
    with torch.no_grad():
        error = network.eval()(judge[0] - 0.4) - judge[1]
    return 1 - error.pow(2).mean(0) / judge[1].var(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('scenes', nargs='+', help='such as face,hard')
    for name, default in (('sessions', 4), ('trials', 20), ('frames', 50), ('size', 64), ('epochs', 25)):
        parser.add_argument(f'--{name}', type=int, default=default)
    args = parser.parse_args()
    shape = dict(n_sessions=args.sessions, n_trials=args.trials, n_frames=args.frames, size=args.size)
    for scene, difficulty in (words.split(',') for words in args.scenes):
        scenario, begin = Scenario(scene=scene, difficulty=difficulty, **shape), time.monotonic()
        found = zip([*scenario.kind.causes, *scenario.kind.labels], ceiling(scenario, args.epochs).tolist())
        told = ', '.join(f'{cause} {r2:.2f}' for cause, r2 in found)
        print(f'{scene}, {difficulty}: {told} ({time.monotonic() - begin:.0f} s)', flush=True)


if __name__ == '__main__':
    main()

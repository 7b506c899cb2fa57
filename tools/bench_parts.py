"""Where the time of a training step goes, and the memory of large batches: the figures of the benchmarks
page that `mspsvae bench` does not give.

python tools/bench_parts.py layers            each layer by itself, forward and backward: PyTorch's function
                                              beside ours, in turns
python tools/bench_parts.py profile [demo]    shares of the operations in one step; the paper's network, or
                                              the demo's
python tools/bench_parts.py compiled [demo]   one whole step as it is, and with encoder and decoder put
                                              through `torch.compile` (needs a C++ compiler)
python tools/bench_parts.py optimizer         one step of Adam for 8 million weights, plain and fused
python tools/bench_parts.py kl FRAMES [ENTRIES]    time and memory of the terms that compare frames; ENTRIES
                                                   of the pairwise table at one time
"""

import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

from mspsvae.batches import Batch
from mspsvae.bench import ceiling_works, in_turns
from mspsvae.cli import DEMO_CONFIG
from mspsvae.config import Arch, Config
from mspsvae.layers import ConvBlock, ConvTransposeBlock, layer_sizes, plain_conv_transpose
from mspsvae.losses import decomposed_kl, mixture_densities, session_information, triplet_loss
from mspsvae.models import make_model, term_weights
from mspsvae.train import TermMeans, epoch_generator, make_optimizer, train_epoch

CPU = torch.device('cpu')


def _both_ways(run, x, weights):
    out = run(x)
    grad = torch.randn_like(out)
    return lambda: torch.autograd.grad(run(x), (x, *weights), grad)


def _layer_works(size, transposed, dtype, n):
    block = ConvTransposeBlock(size) if transposed else ConvBlock(size)
    block.act = nn.Identity()
    conv = block.conv

    def plain(x):
        w, b = conv.weight.to(dtype), conv.bias.to(dtype)
        return (
            plain_conv_transpose(x, w, b, size)
            if transposed
            else F.conv2d(F.pad(x, block.pad), w, b, size.stride)
        )

    channels, pixels = (size.channels[1], size.size_out) if transposed else (size.channels[0], size.size_in)
    x = torch.randn(n, channels, *pixels).to(dtype)
    last = x.clone(memory_format=torch.channels_last)
    return {
        'plain': _both_ways(plain, x.requires_grad_(), list(conv.parameters())),
        'ours': _both_ways(block, last.requires_grad_(), list(conv.parameters())),
    }


def layers(n=64, repeats=7):
    sizes = layer_sizes((1, 64, 64), Arch())
    for dtype in (torch.float32, torch.bfloat16):
        for size, transposed in [(s, False) for s in sizes] + [(s, True) for s in sizes[::-1]]:
            works = _layer_works(size, transposed, dtype, n)
            ceiling, amounts = ceiling_works(CPU, dtype)
            taken = in_turns(works | dict(matmul=ceiling['matmul']), CPU, repeats)
            flops = (
                3
                * 2
                * n
                * size.channels[0]
                * size.channels[1]
                * size.kernel**2
                * size.size_out[0]
                * size.size_out[1]
                / 1e9
            )
            print(
                str(dtype)[6:],
                'decoder' if transposed else 'encoder',
                size.channels,
                f'plain {flops / taken["plain"]:.0f}, ours {flops / taken["ours"]:.0f}, matrix product '
                f'{1000 * amounts["matmul"] / taken["matmul"]:.0f} GFLOP/s',
                flush=True,
            )


def _step(which, n=192, side=64, compiled=False):
    "One training step of the paper's network, or the demo's, as a function."
    config = Config(
        device='cpu', **({k: v for k, v in DEMO_CONFIG.items() if k != 'device'} if which == 'demo' else {})
    )
    model = make_model(config, (1, side, side), 4)
    model.train_dtype = torch.bfloat16
    if compiled:
        model.encoder.compile()
        model.decoder.compile()
    n_sessions = config.n_sessions_per_batch
    batch = Batch(
        torch.randint(0, 256, (n, 1, side, side), dtype=torch.uint8),
        torch.arange(n) % n_sessions,
        torch.randn(n, 4),
        n_sessions=n_sessions,
    )
    optimizer, means, rng = make_optimizer(model, config), TermMeans(n_sessions), epoch_generator(0, 0)
    weights = term_weights(config)

    def step():
        train_epoch(model, optimizer, [batch], [config.learning_rate], config, weights, rng, means)

    return step


def profile(which='paper'):
    step = _step(which)
    step()
    with torch.profiler.profile() as seen:
        for _ in range(3):
            step()
    events = sorted(seen.key_averages(), key=lambda e: -e.self_cpu_time_total)
    total = sum(e.self_cpu_time_total for e in events)
    for e in events[:14]:
        print(f'{e.self_cpu_time_total / total:6.1%}  {e.key}')


def compiled(which='paper', repeats=7):
    works = dict(plain=_step(which), compiled=_step(which, compiled=True))
    begin = time.monotonic()
    works['compiled']()
    print(f'first compiled step {time.monotonic() - begin:.0f} s')
    print({k: f'{1000 * v:.0f} ms' for k, v in in_turns(works, CPU, repeats).items()})


def optimizer():
    def work(**options):
        weights = [nn.Parameter(torch.randn(1_000_000)) for _ in range(8)]
        for w in weights:
            w.grad = torch.randn_like(w)
        return torch.optim.Adam(weights, lr=1e-4, amsgrad=True, **options).step

    print(
        {
            k: f'{1000 * v:.1f} ms'
            for k, v in in_turns(dict(plain=work(), fused=work(fused=True)), CPU, 9).items()
        }
    )


def kl(n, entries=None, n_sessions=64):
    rng = torch.Generator().manual_seed(0)
    z, mu, logvar, background = (torch.randn(n, d, generator=rng, requires_grad=True) for d in (2, 2, 2, 3))
    session = torch.arange(n) % n_sessions
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    d = mixture_densities(z, mu, logvar, session, entries)
    (
        sum(decomposed_kl(z, mu, logvar, densities=d))
        + session_information(z, mu, logvar, session, densities=d)
    ).backward()
    taken, more = (
        time.process_time() - begin,
        (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    )
    triplet = in_turns(
        dict(t=lambda: torch.autograd.grad(triplet_loss(background, session), background)), CPU, 5
    )['t']
    print(
        f'{n} frames, {entries or "default"} entries: KL terms {taken:.2f} s of processor time, '
        f'{more:.0f} MB on top; triplet loss of {n_sessions} sessions {1000 * triplet:.0f} ms'
    )


if __name__ == '__main__':
    if len(sys.argv) < 2 or sys.argv[1] not in ('layers', 'profile', 'compiled', 'optimizer', 'kl'):
        sys.exit(__doc__)
    name, *words = sys.argv[1:]
    globals()[name](*(int(w) if w.isdigit() else w for w in words))

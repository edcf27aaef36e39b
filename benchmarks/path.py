"""The path of one operation, timed: a scalar chain beside micrograd, a small network beside PyTorch.

Run as `python -m benchmarks.path`, with micrograd and torch installed. Ours and the peer take turns, and the median
ratio is printed: absolute times drift on a shared machine.
"""

import statistics
import time

import numpy as np

import autograd
from autograd import Tensor


def ours_chain(length=1000):
    w, b = Tensor(1.0000001, requires_grad=True), Tensor(0.1, requires_grad=True)
    z = w
    for _ in range(length // 2):
        z = z * w + b
    z.backward()


def micrograd_chain(length=400):  # its recursion ends at Python's limit
    from micrograd.engine import Value

    w, b = Value(1.0000001), Value(0.1)
    z = w
    for _ in range(length // 2):
        z = z * w + b
    z.backward()


def arrays():
    rng = np.random.default_rng(0)
    shapes = ((64, 784), (256, 784), (10, 256), (64, 10))
    return [rng.normal(scale=0.03, size=shape).astype("float32") for shape in shapes]


def ours_network():
    x, w1, w2, t = arrays()
    parameters = [Tensor(a, requires_grad=True) for a in (w1, np.zeros(256, "f4"), w2, np.zeros(10, "f4"))]

    def step():
        w1, b1, w2, b2 = parameters
        error = autograd.linear(autograd.relu(autograd.linear(x, w1, b1)), w2, b2) - t
        (error * error).mean().backward()
        for p in parameters:
            p.data -= 0.01 * p.grad
            p.grad = None

    return step


def torch_network():
    import torch
    from torch.nn.functional import linear

    x, w1, w2, t = map(torch.tensor, arrays())
    parameters = [a.clone().requires_grad_() for a in (w1, torch.zeros(256), w2, torch.zeros(10))]
    optimizer = torch.optim.SGD(parameters, lr=0.01)

    def step():
        w1, b1, w2, b2 = parameters
        error = linear(torch.relu(linear(x, w1, b1)), w2, b2) - t
        optimizer.zero_grad()
        (error * error).mean().backward()
        optimizer.step()

    return step


def seconds(job, calls):
    start = time.perf_counter()
    for _ in range(calls):
        job()
    return (time.perf_counter() - start) / calls


def compare(name, ours, peer, calls, ours_count=1, peer_count=1, rounds=15):
    ours(), peer()
    pairs = [(seconds(ours, calls) / ours_count, seconds(peer, calls) / peer_count) for _ in range(rounds)]
    mine, other = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    spread = f"({ratios[2]:.2f} .. {ratios[-3]:.2f})"
    print(f"{name:50} {mine:8.2f} us {other:8.2f} us  ratio {ratios[rounds // 2]:.2f} {spread}")


if __name__ == "__main__":
    compare("scalar operation, forward + backward | micrograd", ours_chain, micrograd_chain, 30, 1000, 400)
    compare("network 784-256-10, B=64, one step | torch", ours_network(), torch_network(), 50)

"""Single operations, timed by pytest-benchmark: forward without a record, forward with it, and both with the sweep.

    python -m pytest -c /dev/null --rootdir=. benchmarks/bench_operations.py

`--benchmark-only -k conv2d` and `--benchmark-compare` are useful; the sizes are those of the networks in `jobs.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd
import nn.functional as F
from autograd import Tensor

RNG = np.random.default_rng(0)


def floats(*shape: int) -> Any:
    return RNG.normal(size=shape).astype(np.float32)


OPERATIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "add, numbers": (lambda x, y: x + y, (1.5, 2.5)),
    "multiply, numbers": (lambda x, y: x * y, (1.5, 2.5)),
    "add, (64, 256)": (lambda x, y: x + y, (floats(64, 256), floats(64, 256))),
    "add, (64, 256) and (256,)": (lambda x, y: x + y, (floats(64, 256), floats(256))),
    "multiply, (16, 64, 512)": (lambda x, y: x * y, (floats(16, 64, 512), floats(16, 64, 512))),
    "exp, (64, 256)": (np.exp, (floats(64, 256),)),
    "tanh, (32, 64)": (np.tanh, (floats(32, 64),)),
    "sigmoid, (32, 256)": (autograd.sigmoid, (floats(32, 256),)),
    "relu, (64, 8, 28, 28)": (autograd.relu, (floats(64, 8, 28, 28),)),
    "sum, (64, 256)": (lambda x: x.sum(), (floats(64, 256),)),
    "mean over an axis, (16, 64, 128)": (lambda x: x.mean(axis=-1, keepdims=True), (floats(16, 64, 128),)),
    "transpose, (16, 64, 4, 32)": (lambda x: x.transpose(0, 2, 1, 3), (floats(16, 64, 4, 32),)),
    "slice, (50, 32, 64)": (lambda x: x[10], (floats(50, 32, 64),)),
    "stack of 50 (32, 64)": (lambda *xs: autograd.stack(xs), tuple(floats(32, 64) for _ in range(50))),
    "matmul, (64, 784) and (784, 256)": (lambda x, w: x @ w, (floats(64, 784), floats(784, 256))),
    "matmul of 64 (64, 32) and (32, 64)": (lambda x, w: x @ w, (floats(64, 64, 32), floats(64, 32, 64))),
    "linear, (64, 784) to (64, 256)": (F.linear, (floats(64, 784), floats(256, 784), floats(256))),
    "softmax, (64, 64, 64)": (lambda x: F.softmax(x, axis=-1), (floats(64, 64, 64),)),
    "layer norm, (16, 64, 128)": (
        lambda x, w, b: F.layer_norm(x, (128,), w, b),
        (floats(16, 64, 128), floats(128), floats(128)),
    ),
    "cross-entropy, (64, 10)": (lambda z: F.cross_entropy(z, np.arange(64) % 10), (floats(64, 10),)),
    "conv2d, 8 of 5x5 on (64, 1, 28, 28)": (
        lambda x, w, b: F.conv2d(x, w, b, padding=2),
        (floats(64, 1, 28, 28), floats(8, 1, 5, 5), floats(8)),
    ),
    "conv2d, 16 of 3x3 on (64, 8, 14, 14)": (
        lambda x, w, b: F.conv2d(x, w, b, padding=1),
        (floats(64, 8, 14, 14), floats(16, 8, 3, 3), floats(16)),
    ),
    "max pooling, (64, 8, 28, 28)": (lambda x: F.max_pool2d(x, 2), (floats(64, 8, 28, 28),)),
    "dropout, (64, 8, 14, 14)": (lambda x: F.dropout(x, 0.25, rng=RNG), (floats(64, 8, 14, 14),)),
}


@pytest.fixture(params=OPERATIONS)
def operation(request: Any, benchmark: Any) -> tuple[Any, list[Any]]:
    """Return an operation and its arguments as tensors."""
    benchmark.group = request.param
    function, arrays = OPERATIONS[request.param]
    return function, [Tensor(array, requires_grad=True) for array in arrays]


def test_alone(operation: Any, benchmark: Any) -> None:
    function, tensors = operation
    arrays = [t.numpy() for t in tensors]
    benchmark(lambda: function(*arrays))


def test_recorded(operation: Any, benchmark: Any) -> None:
    function, tensors = operation
    assert benchmark(lambda: function(*tensors)).requires_grad


def test_with_sweep(operation: Any, benchmark: Any) -> None:
    function, tensors = operation
    bar = np.ones_like(function(*tensors).numpy())

    def sweep() -> None:
        for t in tensors:
            t.grad = None
        function(*tensors).backward(bar)

    benchmark(sweep)
    assert all(np.isfinite(t.grad).all() for t in tensors)

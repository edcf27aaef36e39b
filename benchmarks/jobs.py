"""The jobs: what is computed, from which data and start weights, for all libraries alike. Made with NumPy only.

A job's weights have the names that they have in our layers and in PyTorch's: `weight` is (out, in, ...).
"""

from __future__ import annotations

import functools
import gzip
import inspect
import itertools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

DATA = "BENCH_MNIST"
"""Environment variable: the directory of MNIST's four IDX files."""

ONE_DIRECTION = "looks along one random direction only"
"""Why a library is missing from the gradient check in all directions."""

Arrays = dict[str, Any]


@dataclass
class Steps:
    """A job in the hands of a library.

    Attributes:
        reset: goes back to the start weights.
        step: does one step, and returns what `number` takes.
        number: makes a float of it, for the comparison before timing; waits for it, where a library is asynchronous.
        phases: forward, sweep and update of a step, where profiling can tell them apart.
    """

    reset: Callable[[], Any]
    step: Callable[[], Any]
    number: Callable[[Any], float] = float
    phases: dict[str, Callable[[Any], Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A row of the table.

    Attributes:
        name: what it is called on the command line.
        title: what it is called in the table.
        kind: the function of a library that does it.
        arrays: returns its data.
        compared: returns other data for the comparison before timing (without dropout); None: the same.
        each: what one time is for: a step, or an operation.
        count: how many of these a step does.
        rounds: at most, for long steps.
        tolerance: of the comparison, relative.
        fresh: measured in a new process each time: "import" or "memory".
    """

    name: str
    title: str
    kind: str
    arrays: Callable[[], Arrays] = dict
    compared: Callable[[], Arrays] | None = None
    each: str = "step"
    count: int = 1
    rounds: int | None = None
    tolerance: float = 1e-3
    fresh: str = ""


def uniform(rng: np.random.Generator, *shape: int) -> Any:
    """Return Glorot's uniform start weights in float32."""
    receptive = int(np.prod(shape[2:]))
    bound = (6 / ((shape[0] + shape[1]) * receptive)) ** 0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32)


def dense(rng: np.random.Generator, name: str, out: int, size: int, bias: float = 0.0) -> Arrays:
    """Return start weights of a dense layer."""
    return {
        f"{name}.weight": uniform(rng, out, size),
        f"{name}.bias": rng.normal(scale=bias, size=out).astype(np.float32),
    }


def convolution(rng: np.random.Generator, name: str, out: int, size: int, kernel: int) -> Arrays:
    """Return start weights of a convolution."""
    return {
        f"{name}.weight": uniform(rng, out, size, kernel, kernel),
        f"{name}.bias": np.zeros(out, np.float32),
    }


def images(rng: np.random.Generator, batch: int, side: int) -> Arrays:
    """Return images between 0 and 1, and labels."""
    return {
        "x": rng.random((batch, 1, side, side), dtype=np.float32),
        "t": rng.integers(0, 10, batch),
    }


def digits_weights(rng: np.random.Generator) -> Arrays:
    """Return the start weights of the digit recognizer F1."""
    return {
        **convolution(rng, "conv1", 8, 1, 5),
        **convolution(rng, "conv2", 16, 8, 3),
        **dense(rng, "dense1", 256, 784),
        **dense(rng, "dense2", 10, 256),
    }


def digits(batch: int, *, check: bool = False) -> Arrays:
    """F1 with dropout (none in the comparison: every library draws in its own way), Adam with rate 0.001."""
    rng = np.random.default_rng(1)
    drop = (0.0, 0.0, 0.0) if check else (0.25, 0.25, 0.5)
    return {**images(rng, batch, 28), "weights": digits_weights(rng), "drop": drop, "lr": 1e-3}


def lenet() -> Arrays:
    """LeNet-5 with ReLU and max pooling, gradient descent with momentum 0.9."""
    rng = np.random.default_rng(2)
    weights = {
        **convolution(rng, "c1", 6, 1, 5),
        **convolution(rng, "c3", 16, 6, 5),
        **convolution(rng, "c5", 120, 16, 5),
        **dense(rng, "f6", 84, 120),
        **dense(rng, "output", 10, 84),
    }
    return {**images(rng, 64, 32), "weights": weights, "lr": 0.01, "momentum": 0.9}


def mlp() -> Arrays:
    """784-256-10 with ReLU, gradient descent."""
    rng = np.random.default_rng(3)
    batch = images(rng, 64, 28)
    batch["x"] = batch["x"].reshape(64, 784)
    weights = {**dense(rng, "hidden", 256, 784), **dense(rng, "output", 10, 256)}
    return {**batch, "weights": weights, "lr": 0.01}


def hvp() -> Arrays:
    """The same network with tanh; a vector of the weights' shapes to multiply the Hessian by."""
    arrays = mlp()
    rng = np.random.default_rng(4)
    v = {name: rng.normal(size=w.shape).astype(np.float32) for name, w in arrays["weights"].items()}
    return {**arrays, "v": v}


def xor() -> Arrays:
    """2-8-1 with ReLU, half the mean squared error, gradient descent."""
    rng = np.random.default_rng(5)
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    weights = {**dense(rng, "hidden", 8, 2, bias=0.1), **dense(rng, "output", 1, 8, bias=0.1)}
    return {"x": x, "t": np.array([[0], [1], [1], [0]], np.float32), "weights": weights, "lr": 0.05}


def chain(length: int, *, check: bool = False) -> Arrays:
    """z <- z w + b, `length` operations on numbers, and z's gradient by w and b; a step down it in the comparison."""
    return {"length": length, "w": 0.99999, "b": 1 / length, "lr": 0.1 / length**2 if check else 0}


SIZES = (12, 16, 16, 1)
OPERATIONS = sum(2 * a * b for a, b in itertools.pairwise(SIZES)) + 2 * SIZES[1] + 2
"""Of the network of single numbers, for one example: products, sums, ReLUs, squared error."""


def neurons(examples: int, *, check: bool = False) -> Arrays:
    """A 12-16-16-1 network with ReLU of single numbers, mean squared error; a step of descent in the comparison."""
    rng = np.random.default_rng(6)
    pairs = list(itertools.pairwise(SIZES))
    return {
        "x": rng.normal(size=(examples, SIZES[0])).tolist(),
        "t": rng.normal(size=examples).tolist(),
        "weights": [(rng.normal(size=(out, size)) / size**0.5).tolist() for size, out in pairs],
        "biases": [rng.normal(size=out).tolist() for _, out in pairs],
        "lr": 0.01 if check else 0,
    }


def recurrent(gates: int, hidden: int) -> Arrays:
    """50 steps of 32 sequences of 32 features; a dense layer and a target at each step, mean squared error."""
    rng = np.random.default_rng(7)
    bound = hidden**-0.5
    shapes = {"weight_ih_l0": (gates * hidden, 32), "weight_hh_l0": (gates * hidden, hidden)}
    weights = {name: rng.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes.items()}
    weights["bias_ih_l0"] = rng.uniform(-bound, bound, gates * hidden).astype(np.float32)
    return {
        "x": rng.normal(size=(50, 32, 32)).astype(np.float32),
        "t": rng.normal(size=(50, 32, 10)).astype(np.float32),
        "hidden": hidden,
        "weights": {f"cell.{name}": w for name, w in weights.items()} | dense(rng, "output", 10, hidden),
        "lr": 0.1,
    }


def transformer() -> Arrays:
    """An encoder layer of size 128 with 4 heads and 512 hidden units, without dropout; mean squared error."""
    rng = np.random.default_rng(8)
    one, zero = np.ones(128, np.float32), np.zeros(128, np.float32)
    weights = {
        "self_attn.in_proj_weight": uniform(rng, 384, 128),
        "self_attn.in_proj_bias": np.zeros(384, np.float32),
        **dense(rng, "self_attn.out_proj", 128, 128),
        **dense(rng, "linear1", 512, 128),
        **dense(rng, "linear2", 128, 512),
        "norm1.weight": one,
        "norm1.bias": zero,
        "norm2.weight": one,
        "norm2.bias": zero,
    }
    x, t = rng.normal(size=(2, 16, 64, 128)).astype(np.float32)
    return {"x": x, "t": t, "weights": weights, "heads": 4, "lr": 0.1}


def epoch(*, check: bool = False) -> Arrays:
    """F1 over MNIST once, reading the files included; five batches without dropout in the comparison."""
    rng = np.random.default_rng(9)
    arrays = digits(1, check=check)
    del arrays["x"], arrays["t"]
    return {
        **arrays,
        "read": functools.partial(mnist, os.environ.get(DATA)),
        "order": rng.permutation(60_000)[: 320 if check else None],
    }


def mnist(directory: str | None) -> tuple[Any, Any]:
    """Return MNIST's training images (60000, 1, 28, 28) as bytes, and labels; random ones without a directory."""
    if directory is None:
        rng = np.random.default_rng(10)
        return rng.integers(0, 256, (60_000, 1, 28, 28), np.uint8), rng.integers(0, 10, 60_000)
    pixels = idx(Path(directory), "train-images-idx3-ubyte")[16:]
    labels = idx(Path(directory), "train-labels-idx1-ubyte")[8:]
    return pixels.reshape(-1, 1, 28, 28), labels.astype(np.int64)


def idx(directory: Path, name: str) -> Any:
    """Return the bytes of a file, compressed or not."""
    plain = directory / name
    return np.frombuffer(plain.read_bytes() if plain.exists() else gzip.open(f"{plain}.gz").read(), np.uint8)


def gradcheck(directions: int = 1) -> Arrays:
    """First and second derivatives of a small network with tanh, about 1,000 parameters, in float64.

    Along one random direction through all parameters; for `directions` 0 in all of them, or in as many as a library
    takes for enough.
    """
    rng = np.random.default_rng(0)
    shapes = [(20, 34), (34,), (34, 8), (8,), (8, 2), (2,)]
    return {
        "directions": directions,
        "x": rng.normal(size=(8, 20)),
        "t": rng.normal(size=(8, 2)),
        "weights": [rng.normal(size=shape) / 4 for shape in shapes],
    }


def _job(name: str, title: str, kind: str, *sizes: int, **options: Any) -> Job:
    function: Callable[..., Arrays] = {"rnn": recurrent, "lstm": recurrent}.get(kind) or globals()[kind]
    apart = "check" in inspect.signature(function).parameters
    compared = functools.partial(function, *sizes, check=True) if apart else None
    return Job(name, title, kind, functools.partial(function, *sizes), compared, **options)


JOBS = {
    job.name: job
    for job in [
        _job("f1-1", "F1 training step, B=1", "digits", 1),
        _job("f1-64", "F1 training step, B=64", "digits", 64),
        _job("f1-256", "F1 training step, B=256", "digits", 256),
        _job("lenet", "LeNet-5 training step, B=64", "lenet"),
        _job("mlp", "MLP 784-256-10 training step, B=64", "mlp"),
        _job("xor", "XOR 2-8-1 training step", "xor"),
        _job("chain-1000", "chain of 1,000 scalar operations", "chain", 1000, each="operation", count=1000),
        _job(
            "chain-100000",
            "chain of 100,000 scalar operations",
            "chain",
            100_000,
            each="operation",
            count=100_000,
            rounds=7,
        ),
        _job("scalars-1000", "scalar MLP, 1,000 operations", "neurons", 1, each="operation", count=OPERATIONS),
        _job(
            "scalars-100000",
            "scalar MLP, 100,000 operations",
            "neurons",
            104,
            each="operation",
            count=104 * OPERATIONS,
            rounds=7,
        ),
        _job("rnn-64", "RNN, 50 steps, B=32, 64 hidden", "rnn", 1, 64),
        _job("rnn-128", "RNN, 50 steps, B=32, 128 hidden", "rnn", 1, 128),
        _job("lstm-64", "LSTM, 50 steps, B=32, 64 hidden", "lstm", 4, 64),
        _job("lstm-128", "LSTM, 50 steps, B=32, 128 hidden", "lstm", 4, 128),
        _job("transformer", "Transformer block, B=16, T=64, d=128", "transformer"),
        _job("hvp", "Hessian-vector product of the MLP", "hvp", each="product"),
        _job("epoch", "F1, one epoch of MNIST", "epoch", each="epoch", rounds=5),
        _job("gradcheck", "gradient check, one direction", "gradcheck", each="check"),
        _job("gradcheck-all", "gradient check, all directions", "gradcheck", 0, each="check", rounds=5),
        Job("import", "import time", "import", each="import", fresh="import", rounds=11),
        _job("memory", "peak memory of F1, B=256", "digits", 256, each="peak", fresh="memory", rounds=5),
    ]
}

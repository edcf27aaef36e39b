"""The jobs in tinygrad on the processor, each step compiled by its TinyJit; it needs clang."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.optim import SGD, Adam

from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks

SLOW = "compiles anew each time: 4 ms an operation at 100 operations, not done within minutes at 1,000"
MISSING = {"chain": SLOW, "neurons": SLOW, "gradcheck": "no gradient check"}

f = SimpleNamespace(
    relu=Tensor.relu,
    tanh=Tensor.tanh,
    sigmoid=Tensor.sigmoid,
    softmax=Tensor.softmax,
    sqrt=Tensor.sqrt,
    stack=lambda tensors: Tensor.stack(*tensors),
    swap=Tensor.transpose,
    conv2d=lambda x, weight, bias, padding: x.conv2d(weight, bias, padding=padding),
    max_pool=Tensor.max_pool2d,
    dropout=Tensor.dropout,
)


def optimizer(p: dict[str, Any], arrays: Arrays) -> Any:
    if "drop" in arrays:
        return Adam(list(p.values()), lr=arrays["lr"])
    return SGD(list(p.values()), lr=arrays["lr"], momentum=arrays.get("momentum", 0.0))


def training(loss: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch; loss(p, x, t)."""
    x, t = Tensor(arrays["x"]), Tensor(arrays["t"])
    reset, once = stepper(loss, arrays)
    compiled = TinyJit(once)
    return Steps(reset, lambda: compiled(x, t), lambda value: value.item())


def stepper(loss: Callable[..., Any], arrays: Arrays) -> tuple[Callable[[], None], Callable[..., Any]]:
    """Return what goes back to the start weights, and the step, which can be compiled."""
    p = parameters(arrays["weights"])
    descent = optimizer(p, arrays)
    moments = [*getattr(descent, "m", []), *getattr(descent, "v", []), *getattr(descent, "b", [])]
    powers = [getattr(descent, name) for name in ("b1_t", "b2_t") if hasattr(descent, name)]

    def reset() -> None:
        for name, w in arrays["weights"].items():
            p[name].assign(Tensor(w.copy()))
        for moment in moments:
            moment.assign(Tensor.zeros(*moment.shape))
        for power in powers:
            power.assign(Tensor.ones(1))
        Tensor.realize(*p.values(), *moments, *powers)

    def once(x: Any, t: Any) -> Any:
        with Context(TRAINING=1):
            descent.zero_grad()
            value = loss(p, x, t)
            value.backward()
            return value.realize(*descent.schedule_step())

    return reset, once


def parameters(weights: Arrays) -> dict[str, Any]:
    return {name: Tensor(w.copy()).is_param_() for name, w in weights.items()}


def squared(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: ((network(p, x) - t) ** 2).mean()


def entropy(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: network(p, x).sparse_categorical_crossentropy(t)


def digits(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)


def lenet(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.lenet(f, p, x)), arrays)


def mlp(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.two_layers(p, x, Tensor.relu)), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.two_layers(p, x, Tensor.relu)), arrays)


def rnn(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.rnn(f, p, x, arrays["hidden"])), arrays)


def lstm(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.lstm(f, p, x, arrays["hidden"])), arrays)


def transformer(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.transformer(f, p, x, arrays["heads"])), arrays)


def hvp(arrays: Arrays) -> Steps:
    x, t = Tensor(arrays["x"]), Tensor(arrays["t"])
    weights, v = parameters(arrays["weights"]), {name: Tensor(part) for name, part in arrays["v"].items()}

    @TinyJit
    def product() -> Any:
        value = networks.two_layers(weights, x, Tensor.tanh).sparse_categorical_crossentropy(t)
        bars = value.gradient(*weights.values())
        along = sum((bar * v[name]).sum() for name, bar in zip(weights, bars, strict=True))
        found = along.gradient(*weights.values())
        Tensor.realize(*found)
        return found

    return Steps(
        lambda: None,
        product,
        lambda found: sum((bar * v[name]).sum().item() for name, bar in zip(weights, found, strict=True)),
    )


def epoch(arrays: Arrays) -> Steps:
    order = arrays["order"]
    network = entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"]))
    reset, once = stepper(network, arrays)
    compiled = TinyJit(once)

    def step() -> Any:
        images, labels = arrays["read"]()
        x, total = images * np.float32(1 / 255), 0.0
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            function = compiled if len(chosen) == 64 else once  # what is compiled keeps to one size
            total += function(Tensor(x[chosen]), Tensor(labels[chosen])).item() * len(chosen)
        return total / len(order)

    return Steps(reset, step)

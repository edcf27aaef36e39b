"""The jobs in HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import autograd.numpy as np
import numpy  # noqa: ICN001 (np is HIPS autograd's)
from autograd.scipy.special import logsumexp
from autograd.test_util import check_grads

from autograd import grad, value_and_grad
from benchmarks.jobs import ONE_DIRECTION, Arrays, Steps
from benchmarks.libraries import networks

RNG = numpy.random.default_rng(0)


def conv2d(x: Any, weight: Any, bias: Any, padding: int) -> Any:
    """One product with the shifted images below one another: much faster than `autograd.scipy.signal.convolve`."""
    out, channels, kh, kw = weight.shape
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)), "constant") if padding else x
    n, _, height, width = x.shape
    h, w = height - kh + 1, width - kw + 1
    shifted = [x[:, :, i : i + h, j : j + w] for i in range(kh) for j in range(kw)]
    columns = np.stack(shifted, 2).reshape(n, channels * kh * kw, h * w)
    return (weight.reshape(out, -1) @ columns).reshape(n, out, h, w) + bias[:, None, None]


def max_pool(x: Any) -> Any:
    n, channels, h, w = x.shape
    return np.max(x.reshape(n, channels, h // 2, 2, w // 2, 2), axis=(3, 5))


def softmax(x: Any) -> Any:
    e = np.exp(x - np.max(x, -1, keepdims=True))
    return e / np.sum(e, -1, keepdims=True)


def cross_entropy(logits: Any, labels: Any) -> Any:
    return np.mean(logsumexp(logits, 1) - logits[numpy.arange(len(labels)), labels])


f = SimpleNamespace(
    relu=lambda x: np.maximum(x, 0),
    tanh=np.tanh,
    sigmoid=lambda x: 0.5 * (np.tanh(0.5 * x) + 1),
    softmax=softmax,
    sqrt=np.sqrt,
    stack=np.stack,
    swap=np.swapaxes,
    conv2d=conv2d,
    max_pool=max_pool,
    dropout=lambda x, p: x * ((RNG.random(x.shape, numpy.float32) >= p) * numpy.float32(1 / (1 - p))) if p else x,
)


def stepper(loss: Callable[..., Any], arrays: Arrays) -> tuple[Callable[[], None], Callable[[Any, Any], Any]]:
    """Return what goes back to the start weights, and a step on a batch; loss(p, x, t)."""
    state: dict[str, Any] = {}
    gradient = value_and_grad(loss)

    def reset() -> None:
        state.update(p={k: w.copy() for k, w in arrays["weights"].items()}, optimizer=networks.optimizer(arrays))

    def once(x: Any, t: Any) -> Any:
        value, bars = gradient(state["p"], x, t)
        for name, w in state["p"].items():
            state["optimizer"].step(name, w, bars[name])
        return value

    return reset, once


def training(loss: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch."""
    reset, once = stepper(loss, arrays)
    return Steps(reset, lambda: once(arrays["x"], arrays["t"]))


def squared(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: np.mean((network(p, x) - t) ** 2)


def entropy(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: cross_entropy(network(p, x), t)


def digits(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)


def lenet(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.lenet(f, p, x)), arrays)


def mlp(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.two_layers(p, x, f.relu)), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.two_layers(p, x, f.relu)), arrays)


def rnn(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.rnn(f, p, x, arrays["hidden"])), arrays)


def lstm(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.lstm(f, p, x, arrays["hidden"])), arrays)


def transformer(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.transformer(f, p, x, arrays["heads"])), arrays)


def scalars(loss: Callable[..., Any], start: Any, rate: float) -> Steps:
    """Return the steps of a descent on single numbers in nested lists."""
    state: dict[str, Any] = {}
    gradient = value_and_grad(loss)

    def descend(p: Any, bar: Any) -> Any:
        return [descend(*pair) for pair in zip(p, bar, strict=True)] if isinstance(p, list) else p - rate * bar

    def step() -> Any:
        value, bars = gradient(state["p"])
        if rate:
            state["p"] = descend(state["p"], bars)
        return value

    return Steps(lambda: state.update(p=start), step)


def chain(arrays: Arrays) -> Steps:
    start = [arrays["w"], arrays["b"]]
    return scalars(lambda p: networks.chain(p[0], p[1], arrays["length"]), start, arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    def loss(p: Any) -> Any:
        # Taken out of the box once: each look into a box is a step of the record.
        weights, biases = [[[*row] for row in layer] for layer in p[0]], [[*layer] for layer in p[1]]
        return networks.neurons(weights, biases, arrays["x"], arrays["t"], f.relu)

    return scalars(loss, [arrays["weights"], arrays["biases"]], arrays["lr"])


def hvp(arrays: Arrays) -> Steps:
    weights, v = arrays["weights"], arrays["v"]
    gradient = grad(lambda p: cross_entropy(networks.two_layers(p, arrays["x"], np.tanh), arrays["t"]))

    def along(p: Any) -> Any:
        bars = gradient(p)
        return sum(np.sum(bars[name] * v[name]) for name in v)

    product = grad(along)
    return Steps(
        lambda: None, lambda: product(weights), lambda found: float(sum((found[name] * v[name]).sum() for name in v))
    )


def epoch(arrays: Arrays) -> Steps:
    reset, once = stepper(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)
    return networks.epoch(arrays, reset, lambda x, t: float(once(x, t)))


def gradcheck(arrays: Arrays) -> Steps:
    x, t = arrays["x"], arrays["t"]

    def loss(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        return np.mean(((np.tanh(np.tanh(x @ a + b) @ c + d) @ e + f) - t) ** 2)

    if arrays["directions"] != 1:
        raise NotImplementedError(ONE_DIRECTION)
    argnums = tuple(range(len(arrays["weights"])))  # by itself it looks at the first argument only

    def step() -> bool:
        check_grads(loss, argnums, modes=["rev"], order=2)(*arrays["weights"])
        return True

    return Steps(lambda: None, step)

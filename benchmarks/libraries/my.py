"""The jobs in MyGrad, without its guard of memory, as its documentation says for speed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet import conv_nd, relu, sigmoid, softmax, softmax_crossentropy
from mygrad.nnet import max_pool as pool

from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks

MISSING = {"hvp": "no second derivatives", "gradcheck": "no gradient check"}
RNG = np.random.default_rng(0)
mg.turn_memory_guarding_off()

f = SimpleNamespace(
    relu=relu,
    tanh=mg.tanh,
    sigmoid=sigmoid,
    softmax=softmax,
    sqrt=mg.sqrt,
    stack=mg.stack,
    swap=mg.swapaxes,
    conv2d=lambda x, weight, bias, padding: conv_nd(x, weight, stride=1, padding=padding) + bias.reshape(1, -1, 1, 1),
    max_pool=lambda x: pool(x, (2, 2), 2),
    dropout=lambda x, p: x * ((RNG.random(x.shape, np.float32) >= p) * np.float32(1 / (1 - p))) if p else x,
)


def stepper(loss: Callable[..., Any], arrays: Arrays) -> tuple[Callable[[], None], Callable[[Any, Any], Any]]:
    """Return what goes back to the start weights, and a step on a batch; loss(p, x, t)."""
    state: dict[str, Any] = {}

    def reset() -> None:
        weights = {name: mg.tensor(w.copy()) for name, w in arrays["weights"].items()}
        state.update(p=weights, optimizer=networks.optimizer(arrays))

    def once(x: Any, t: Any) -> Any:
        value = loss(state["p"], x, t)
        value.backward()
        for name, w in state["p"].items():
            state["optimizer"].step(name, w.data, w.grad)
        return value

    return reset, once


def training(loss: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch."""
    reset, once = stepper(loss, arrays)
    return Steps(reset, lambda: once(arrays["x"], arrays["t"]), lambda value: value.item())


def squared(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: ((network(p, x) - t) ** 2).mean()


def entropy(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t: softmax_crossentropy(network(p, x), t)


def digits(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)


def lenet(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.lenet(f, p, x)), arrays)


def mlp(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.two_layers(p, x, relu)), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.two_layers(p, x, relu)), arrays)


def rnn(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.rnn(f, p, x, arrays["hidden"])), arrays)


def lstm(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.lstm(f, p, x, arrays["hidden"])), arrays)


def transformer(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.transformer(f, p, x, arrays["heads"])), arrays)


def epoch(arrays: Arrays) -> Steps:
    reset, once = stepper(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)
    return networks.epoch(arrays, reset, lambda x, t: once(x, t).item())


def scalars(forward: Callable[[], Any], parameters: list[Any], rate: float) -> Steps:
    """Return the steps of a descent on single numbers."""
    start = [p.item() for p in parameters]

    def reset() -> None:
        for p, value in zip(parameters, start, strict=True):
            p.data[...] = value

    def step() -> Any:
        loss = forward()
        loss.backward()
        for p in parameters if rate else ():
            p.data -= rate * p.grad
        return loss

    return Steps(reset, step, lambda value: value.item())


def chain(arrays: Arrays) -> Steps:
    w, b = mg.tensor(arrays["w"]), mg.tensor(arrays["b"])
    return scalars(lambda: networks.chain(w, b, arrays["length"]), [w, b], arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    weights, biases, parameters = networks.numbers(arrays, mg.tensor)
    return scalars(lambda: networks.neurons(weights, biases, arrays["x"], arrays["t"], relu), parameters, arrays["lr"])

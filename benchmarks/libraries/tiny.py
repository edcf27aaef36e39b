"""The jobs in tinygrad on the processor, each step compiled by its TinyJit; it needs clang."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from tinygrad import Context, Tensor, TinyJit
from tinygrad.nn.optim import SGD, Adam

from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks

SLOW = "compiles anew each time: 4 ms an operation at 100 operations, not done within minutes at 1,000"
UNROLLED = "did not get through within minutes"
MISSING = {
    "chain": SLOW,
    "neurons": SLOW,
    "gradcheck": "no gradient check",
    **dict.fromkeys(("rnn", "lstm", "transformer", "hvp", "epoch"), UNROLLED),
}

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

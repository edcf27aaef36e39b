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
MISSING = {
    "chain": SLOW,
    "neurons": SLOW,
    "gradcheck": "no gradient check",
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


def rnn(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.rnn(f, p, x, arrays["hidden"])), arrays)


def lstm(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.lstm(f, p, x, arrays["hidden"])), arrays)


def transformer(arrays: Arrays) -> Steps:
    heads = arrays["heads"]

    def norm(p: Any, name: str, x: Any) -> Any:
        return x.layernorm(eps=1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]

    def network(p: Any, x: Any) -> Any:
        batch, length, size = x.shape
        qkv = x @ p["self_attn.in_proj_weight"].T + p["self_attn.in_proj_bias"]
        parts = (qkv[:, :, k * size : (k + 1) * size] for k in range(3))
        q, k, v = (part.reshape(batch, length, heads, size // heads).transpose(1, 2) for part in parts)
        found = q.scaled_dot_product_attention(k, v).transpose(1, 2).reshape(batch, length, size)
        x = norm(p, "norm1", x + networks.dense(p, "self_attn.out_proj", found))
        return norm(p, "norm2", x + networks.dense(p, "linear2", networks.dense(p, "linear1", x).relu()))

    return training(squared(network), arrays)


def hvp(arrays: Arrays) -> Steps:
    p, v = parameters(arrays["weights"]), {name: Tensor(w).realize() for name, w in arrays["v"].items()}
    x, t = Tensor(arrays["x"]).realize(), Tensor(arrays["t"]).realize()
    Tensor.realize(*p.values())
    loss = entropy(lambda p, x: networks.two_layers(p, x, Tensor.tanh))

    @TinyJit
    def product(x: Any, t: Any) -> Any:
        bars = loss(p, x, t).gradient(*p.values())
        along = sum((bar * v[name]).sum() for name, bar in zip(p, bars, strict=True))
        found = along.gradient(*p.values())
        Tensor.realize(*found)
        return found

    return Steps(
        lambda: None,
        lambda: product(x, t),
        lambda found: sum((a * b).sum().item() for a, b in zip(found, v.values(), strict=True)),
    )


def epoch(arrays: Arrays) -> Steps:
    """The last batch is smaller, and compiled apart."""
    reset, once = stepper(entropy(lambda p, x: networks.recognizer(f, p, x, arrays["drop"])), arrays)
    full, last = TinyJit(once), TinyJit(once)

    def batch(x: Any, t: Any) -> float:
        compiled = full if len(x) == 64 else last
        return compiled(Tensor(x).realize(), Tensor(t).realize()).item()

    return networks.epoch(arrays, reset, batch)

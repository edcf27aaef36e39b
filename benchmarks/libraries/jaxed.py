"""The jobs in JAX: one compiled function a step, except for the graphs of single numbers.

These stand for graphs that differ from step to step; compiled, a chain of 1,000 numbers would take minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.test_util import check_grads

from benchmarks.jobs import ONE_DIRECTION, Arrays, Steps
from benchmarks.libraries import networks

LONGEST = 10_000
SLOW = "half a millisecond an operation: a minute a step"
KEY = jax.random.key(0)  # for dropout; the other generators were no faster


def conv2d(x: Any, weight: Any, bias: Any, padding: int) -> Any:
    """With the channels last inside, which was as fast or faster here; so was `max` beside `reduce_window` below."""
    y = lax.conv_general_dilated(
        x.transpose(0, 2, 3, 1),
        weight.transpose(2, 3, 1, 0),
        (1, 1),
        [(padding, padding)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return y.transpose(0, 3, 1, 2) + bias[:, None, None]


def max_pool(x: Any) -> Any:
    n, channels, h, w = x.shape
    return x.reshape(n, channels, h // 2, 2, w // 2, 2).max((3, 5))


def cross_entropy(logits: Any, labels: Any) -> Any:
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1).mean()


def namespace(key: Any = None) -> Any:
    """Return what `networks` needs; with a key for each step's dropout."""
    keys = [key]

    def dropout(x: Any, p: float) -> Any:
        if not p:
            return x
        keys[0], own = jax.random.split(keys[0])
        return jnp.where(jax.random.uniform(own, x.shape) >= p, x / (1 - p), 0)

    return SimpleNamespace(
        relu=jax.nn.relu,
        tanh=jnp.tanh,
        sigmoid=jax.nn.sigmoid,
        softmax=jax.nn.softmax,
        sqrt=jnp.sqrt,
        stack=jnp.stack,
        swap=jnp.swapaxes,
        conv2d=conv2d,
        max_pool=max_pool,
        dropout=dropout,
    )


f = namespace()


def adam(lr: float) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the state to begin with, and the update, of Adam."""

    def init(p: Any) -> Any:
        return 0, jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)

    def update(p: Any, bars: Any, state: Any) -> tuple[Any, Any]:
        t, m, v = state
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, bars)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, bars)
        rate, root = lr / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)
        return jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) / root + 1e-8), p, m, v), (t, m, v)

    return init, update


def descent(lr: float, momentum: float = 0.0) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the state to begin with, and the update, of gradient descent."""

    def init(p: Any) -> Any:
        return jax.tree.map(jnp.zeros_like, p) if momentum else None

    def update(p: Any, bars: Any, state: Any) -> tuple[Any, Any]:
        if momentum:
            bars = state = jax.tree.map(lambda v, g: momentum * v + g, state, bars)
        return jax.tree.map(lambda w, g: w - lr * g, p, bars), state

    return init, update


def stepper(loss: Callable[..., Any], arrays: Arrays) -> tuple[Callable[[], Any], Callable[..., Any]]:
    """Return what makes the state to begin with, and the compiled step; loss(p, x, t, key)."""
    lr = arrays["lr"]
    init, update = adam(lr) if "drop" in arrays else descent(lr, arrays.get("momentum", 0.0))

    def step(state: Any, x: Any, t: Any) -> Any:
        p, moments, key = state
        key, own = jax.random.split(key)
        value, bars = jax.value_and_grad(loss)(p, x, t, own)
        p, moments = update(p, bars, moments)
        return (p, moments, key), value

    def begin() -> Any:
        p = {name: jnp.array(w) for name, w in arrays["weights"].items()}
        return p, init(p), jax.random.clone(KEY)

    return begin, jax.jit(step)


def training(loss: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch."""
    begin, compiled = stepper(loss, arrays)
    x, t = jnp.array(arrays["x"]), jnp.array(arrays["t"])
    state: list[Any] = []

    def reset() -> None:
        state[:] = [begin()]

    def step() -> Any:
        state[0], value = compiled(state[0], x, t)
        return value

    return Steps(reset, step)


def squared(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t, _: ((network(p, x) - t) ** 2).mean()


def entropy(network: Callable[..., Any]) -> Callable[..., Any]:
    return lambda p, x, t, _: cross_entropy(network(p, x), t)


def recognizer(drop: Any) -> Callable[..., Any]:
    return lambda p, x, t, key: cross_entropy(networks.recognizer(namespace(key), p, x, drop), t)


def digits(arrays: Arrays) -> Steps:
    return training(recognizer(arrays["drop"]), arrays)


def lenet(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.lenet(f, p, x)), arrays)


def mlp(arrays: Arrays) -> Steps:
    return training(entropy(lambda p, x: networks.two_layers(p, x, f.relu)), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.two_layers(p, x, f.relu)), arrays)


def recurrent(cell: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a recurrent network; cell(p, carried, projected) returns what is carried, and h."""

    def network(p: Any, x: Any) -> Any:
        projected = x @ p["cell.weight_ih_l0"].T + p["cell.bias_ih_l0"]
        zero = jnp.zeros((x.shape[1], arrays["hidden"]))
        _, outputs = lax.scan(lambda carried, part: cell(p, carried, part), (zero, zero), projected)
        return networks.dense(p, "output", outputs)

    return training(squared(network), arrays)


def rnn(arrays: Arrays) -> Steps:
    def cell(p: Any, carried: Any, projected: Any) -> Any:
        h = jnp.tanh(projected + carried[0] @ p["cell.weight_hh_l0"].T)
        return (h, h), h

    return recurrent(cell, arrays)


def lstm(arrays: Arrays) -> Steps:
    def cell(p: Any, carried: Any, projected: Any) -> Any:
        h, c = carried
        h, c = networks.lstm_cell(f, projected + h @ p["cell.weight_hh_l0"].T, c, arrays["hidden"])
        return (h, c), h

    return recurrent(cell, arrays)


def transformer(arrays: Arrays) -> Steps:
    return training(squared(lambda p, x: networks.transformer(f, p, x, arrays["heads"])), arrays)


def scalars(loss: Callable[..., Any], start: Any, rate: float) -> Steps:
    """Return the steps of a descent on single numbers, operation by operation."""
    state: list[Any] = []
    gradient = jax.value_and_grad(loss)

    def step() -> Any:
        value, bars = gradient(state[0])
        if rate:
            state[0] = jax.tree.map(lambda w, g: w - rate * g, state[0], bars)
        return value

    def reset() -> None:
        state[:] = [start]

    return Steps(reset, step)


def chain(arrays: Arrays) -> Steps:
    if arrays["length"] > LONGEST:
        raise NotImplementedError(SLOW)
    return scalars(lambda p: networks.chain(p[0], p[1], arrays["length"]), [arrays["w"], arrays["b"]], arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    if len(arrays["x"]) > 1:
        raise NotImplementedError(SLOW)

    def loss(p: Any) -> Any:
        return networks.neurons(p[0], p[1], arrays["x"], arrays["t"], jax.nn.relu)

    return scalars(loss, [arrays["weights"], arrays["biases"]], arrays["lr"])


def hvp(arrays: Arrays) -> Steps:
    x, t = jnp.array(arrays["x"]), jnp.array(arrays["t"])
    weights, v = jax.tree.map(jnp.array, (arrays["weights"], arrays["v"]))
    gradient = jax.grad(lambda p: cross_entropy(networks.two_layers(p, x, jnp.tanh), t))
    product = jax.jit(lambda p, v: jax.jvp(gradient, (p,), (v,))[1])
    return Steps(
        lambda: None,
        lambda: product(weights, v),
        lambda found: float(sum((found[name] * v[name]).sum() for name in v)),
    )


def epoch(arrays: Arrays) -> Steps:
    begin, compiled = stepper(recognizer(arrays["drop"]), arrays)
    order, state = arrays["order"], list[Any]()

    def reset() -> None:
        state[:] = [begin()]

    def step() -> Any:
        images, labels = arrays["read"]()
        x, total = images * jnp.float32(1 / 255), 0.0
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            state[0], value = compiled(state[0], x[chosen], labels[chosen])
            total += value * len(chosen)
        return total / len(order)

    return Steps(reset, step)


def gradcheck(arrays: Arrays) -> Steps:
    x, t = arrays["x"], arrays["t"]

    def loss(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        return (((jnp.tanh(jnp.tanh(x @ a + b) @ c + d) @ e + f) - t) ** 2).mean()

    if arrays["directions"] != 1:
        raise NotImplementedError(ONE_DIRECTION)

    def step() -> bool:
        with jax.enable_x64(True):
            check_grads(loss, arrays["weights"], order=2, modes=["rev"])
        return True

    return Steps(lambda: None, step)

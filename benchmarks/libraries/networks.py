"""The networks as formulas, for libraries that have no layers of their own; and those of single numbers, for all.

`f` is a library's namespace: relu, tanh, sigmoid, softmax, sqrt, stack, swap (two axes), dropout(x, p),
conv2d(x, weight, bias, padding), max_pool (2 x 2). `p` holds the weights by name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.jobs import Arrays, Steps


def dense(p: Any, name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def convolution(f: Any, p: Any, name: str, x: Any, padding: int = 0) -> Any:
    return f.conv2d(x, p[f"{name}.weight"], p[f"{name}.bias"], padding)


def recognizer(f: Any, p: Any, x: Any, drop: tuple[float, float, float]) -> Any:
    x = f.dropout(f.max_pool(f.relu(convolution(f, p, "conv1", x, 2))), drop[0])
    x = f.dropout(f.max_pool(f.relu(convolution(f, p, "conv2", x, 1))), drop[1])
    x = f.dropout(f.relu(dense(p, "dense1", x.reshape(x.shape[0], -1))), drop[2])
    return dense(p, "dense2", x)


def lenet(f: Any, p: Any, x: Any) -> Any:
    x = f.max_pool(f.relu(convolution(f, p, "c1", x)))
    x = f.max_pool(f.relu(convolution(f, p, "c3", x)))
    x = f.relu(convolution(f, p, "c5", x))
    return dense(p, "output", f.relu(dense(p, "f6", x.reshape(x.shape[0], -1))))


def two_layers(p: Any, x: Any, activation: Callable[..., Any]) -> Any:
    return dense(p, "output", activation(dense(p, "hidden", x)))


def rnn(f: Any, p: Any, x: Any, hidden: int) -> Any:
    projected = x @ p["cell.weight_ih_l0"].T + p["cell.bias_ih_l0"]
    recurrent = p["cell.weight_hh_l0"].T
    h, outputs = np.zeros((x.shape[1], hidden), np.float32), []
    for t in range(x.shape[0]):
        h = f.tanh(projected[t] + (h @ recurrent if t else 0))
        outputs.append(h)
    return dense(p, "output", f.stack(outputs))


def lstm(f: Any, p: Any, x: Any, hidden: int) -> Any:
    projected = x @ p["cell.weight_ih_l0"].T + p["cell.bias_ih_l0"]
    recurrent = p["cell.weight_hh_l0"].T
    h, c, outputs = 0, 0, []
    for t in range(x.shape[0]):
        h, c = lstm_cell(f, projected[t] + (h @ recurrent if t else 0), c, hidden)
        outputs.append(h)
    return dense(p, "output", f.stack(outputs))


def lstm_cell(f: Any, z: Any, c: Any, hidden: int) -> Any:
    i, forget, g, o = (z[:, k * hidden : (k + 1) * hidden] for k in range(4))
    c = f.sigmoid(forget) * c + f.sigmoid(i) * f.tanh(g)
    return f.sigmoid(o) * f.tanh(c), c


def transformer(f: Any, p: Any, x: Any, heads: int) -> Any:
    batch, length, size = x.shape

    def norm(x: Any, name: str) -> Any:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / f.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5)
        return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]

    qkv = x @ p["self_attn.in_proj_weight"].T + p["self_attn.in_proj_bias"]
    parts = (qkv[:, :, k * size : (k + 1) * size] for k in range(3))
    q, k, v = (f.swap(part.reshape(batch, length, heads, size // heads), 1, 2) for part in parts)
    found = f.softmax(q @ f.swap(k, 2, 3) * (size // heads) ** -0.5) @ v
    x = norm(x + dense(p, "self_attn.out_proj", f.swap(found, 1, 2).reshape(batch, length, size)), "norm1")
    return norm(x + dense(p, "linear2", f.relu(dense(p, "linear1", x))), "norm2")


# --- Networks of single numbers --------------------------------------------------------------------------------


def chain(w: Any, b: Any, length: int) -> Any:
    """Return the last z of z <- z w + b."""
    z = w
    for _ in range(length // 2):
        z = z * w + b
    return z


def neurons(weights: Any, biases: Any, xs: Any, ts: Any, relu: Callable[..., Any]) -> Any:
    """Return the mean squared error of a network of single numbers: weights[layer][out][in], biases[layer][out]."""
    total = 0.0
    for x, t in zip(xs, ts, strict=True):
        for place, (layer, offsets) in enumerate(zip(weights, biases, strict=True), 1):
            z = [sum((w * a for w, a in zip(row, x, strict=True)), b) for row, b in zip(layer, offsets, strict=True)]
            x = [relu(a) for a in z] if place < len(weights) else z
        total = total + (x[0] - t) ** 2
    return total / len(xs)


def numbers(arrays: Any, make: Callable[[float], Any]) -> tuple[Any, Any, list[Any]]:
    """Return the weights and biases of `neurons` as a library's numbers, and all of them in one list."""
    weights = [[[make(w) for w in row] for row in layer] for layer in arrays["weights"]]
    biases = [[make(b) for b in layer] for layer in arrays["biases"]]
    return weights, biases, [*(w for layer in weights for row in layer for w in row), *itertools.chain(*biases)]


# --- Optimizers on NumPy's arrays, for libraries that have none ------------------------------------------------


class Descent:
    """Gradient descent, in place, with momentum where there is some."""

    def __init__(self, lr: float, momentum: float = 0.0) -> None:
        self.lr, self.momentum = lr, momentum
        self.v: dict[str, Any] = {}

    def step(self, name: str, w: Any, g: Any) -> None:
        if self.momentum:
            v = self.v.setdefault(name, np.zeros_like(w))
            v *= self.momentum
            v += g
            g = v
        w -= self.lr * g


class Adam:
    """Adam, in place."""

    def __init__(self, lr: float) -> None:
        self.lr = lr
        self.t: dict[str, int] = {}
        self.m: dict[str, Any] = {}
        self.v: dict[str, Any] = {}

    def step(self, name: str, w: Any, g: Any) -> None:
        m, v = self.m.setdefault(name, np.zeros_like(w)), self.v.setdefault(name, np.zeros_like(w))
        t = self.t[name] = self.t.get(name, 0) + 1
        m *= 0.9
        m += 0.1 * g
        v *= 0.999
        v += 0.001 * g * g
        w -= self.lr / (1 - 0.9**t) * m / (np.sqrt(v) / (1 - 0.999**t) ** 0.5 + 1e-8)


def optimizer(arrays: Any) -> Any:
    """Return the optimizer of a job: Adam for F1, which has dropout."""
    return Adam(arrays["lr"]) if "drop" in arrays else Descent(arrays["lr"], arrays.get("momentum", 0.0))


def epoch(arrays: Arrays, reset: Callable[[], Any], batch: Callable[[Any, Any], float]) -> Steps:
    """Return the training over all batches of NumPy's arrays; batch(x, t) trains on one, and returns its loss."""
    order = arrays["order"]

    def step() -> float:
        images, labels = arrays["read"]()
        x = images * np.float32(1 / 255)
        total = 0.0
        for start in range(0, len(order), 64):
            chosen = order[start : start + 64]
            total += batch(x[chosen], labels[chosen]) * len(chosen)
        return total / len(order)

    return Steps(reset, step)

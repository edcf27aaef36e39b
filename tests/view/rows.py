"""The lecture's rows A3 to A7 and a stage of a convolutional network, as computations to look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
from autograd import Tensor


def named(name: str, value: Any) -> Tensor:
    return Tensor(value, requires_grad=True).named(name)


def given(name: str, value: Any) -> Tensor:
    return Tensor(value).named(name)


def logistic(*, penalty: bool) -> Tensor:
    """Return the loss of row A3, or with the penalty that of row A4."""
    w, b, x, t = named("w", 2.0), named("b", 0.5), given("x", 1.0), given("t", 1.0)
    z = (w * x + b).named("z")
    y = autograd.sigmoid(z).named("y")
    loss = ((y - t) ** 2 / 2).named("L")
    if not penalty:
        return loss
    r = (w**2 / 2).named("R")
    return (loss + given("lambda", 0.1) * r).named("Lreg")


def composition(t: float) -> Tensor:
    """Return f of row A5."""
    leaf = named("t", t)
    x, y = np.cos(leaf).named("x"), (leaf**2).named("y")
    return (y + np.exp(x * y)).named("f")


def softmax_regression(*, fused: bool) -> Tensor:
    """Return the loss of row A6, composed of its parts or as one operation."""
    w = named("W", [[0.2, -0.1], [0.4, 0.3], [-0.5, 0.6]])
    b, x, t = named("b", [0.1, 0.0, -0.1]), given("x", [1.0, 2.0]), given("t", [0.0, 1.0, 0.0])
    z = (w @ x + b).named("z")
    if fused:
        return autograd.softmax_cross_entropy(z, t, axis=0).named("L")
    y = autograd.softmax(z).named("y")
    return (-(t * np.log(y)).sum()).named("L")


def perceptron() -> Tensor:
    """Return the loss of row A7 in matrix form."""
    w1, b1 = named("W1", [[0.1, 0.2], [0.3, -0.4]]), named("b1", [0.0, 0.1])
    w2, b2 = named("W2", [[0.5, -0.6], [0.7, 0.8]]), named("b2", [0.1, -0.1])
    x, t = given("x", [1.0, 2.0]), given("t", [1.0, 0.0])
    z = (w1 @ x + b1).named("z")
    h = autograd.sigmoid(z).named("h")
    y = (w2 @ h + b2).named("y")
    return (((t - y) ** 2).sum() / 2).named("L")


def perceptron_by_index() -> Tensor:
    """Return the loss of row A7 in scalars."""
    w1, w2 = [[0.1, 0.2], [0.3, -0.4]], [[0.5, -0.6], [0.7, 0.8]]
    x = [given("x1", 1.0), given("x2", 2.0)]
    t = [given("t1", 1.0), given("t2", 0.0)]

    def layer(weights: Any, offsets: Any, inputs: Any, names: tuple[str, str, str]) -> list[Tensor]:
        weight, offset, out = names
        rows = []
        for i, (row, b) in enumerate(zip(weights, offsets, strict=True), 1):
            terms = [named(f"{weight}_{i}{j}", w) * v for j, (w, v) in enumerate(zip(row, inputs, strict=True), 1)]
            rows.append((terms[0] + terms[1] + named(f"{offset}_{i}", b)).named(f"{out}{i}"))
        return rows

    z = layer(w1, [0.0, 0.1], x, ("v", "a", "z"))
    h = [autograd.sigmoid(zi).named(f"h{i}") for i, zi in enumerate(z, 1)]
    y = layer(w2, [0.1, -0.1], h, ("w", "b", "y"))
    return (((y[0] - t[0]) ** 2 + (y[1] - t[1]) ** 2) / 2).named("L")


def convolution_stage() -> Tensor:
    """Return a loss on one stage of row E9: convolution, ReLU, max-pooling."""
    rng = np.random.default_rng(0)
    x = given("x", rng.integers(-3, 4, (1, 2, 4, 4)).astype(float))
    w = named("W", rng.integers(-2, 3, (3, 2, 3, 3)).astype(float))
    b = named("b", [0.5, -0.5, 0.0])
    z = autograd.conv2d(x, w, b, padding=1).named("z")
    p = autograd.max_pool2d(autograd.relu(z).named("h"), 2).named("p")
    return (p * p).mean().named("L")


ROWS: dict[str, Callable[[], Tensor]] = {
    "A3": lambda: logistic(penalty=False),
    "A4": lambda: logistic(penalty=True),
    "A5": lambda: composition(1.0),
    "A6": lambda: softmax_regression(fused=False),
    "A6_fused": lambda: softmax_regression(fused=True),
    "A7": perceptron,
    "A7_scalar": perceptron_by_index,
    "convolution": convolution_stage,
}
"""What the golden tests draw and write."""

"""Finite differences for the tests: an opinion on derivatives that knows nothing of the engine's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, trees


def directional(f: Callable[..., float], xs: Sequence[np.ndarray], vs: Sequence[np.ndarray]) -> float:
    """Return the derivative of f at xs in direction vs, by Richardson's extrapolation of central differences."""
    scale = max([1.0, *(float(np.max(np.abs(x))) for x in xs if x.size)])
    table: list[list[float]] = []
    best, error = 0.0, np.inf
    for level in range(6):
        h = 1e-2 * scale / 2**level
        high = f(*(x + h * v for x, v in zip(xs, vs, strict=True)))
        low = f(*(x - h * v for x, v in zip(xs, vs, strict=True)))
        row = [(high - low) / (2 * h)]
        for previous in range(level):
            row.append(row[-1] + (row[-1] - table[-1][previous]) / (4 ** (previous + 1) - 1))
        if level and abs(row[-1] - table[-1][-1]) < error:
            best, error = row[-1], abs(row[-1] - table[-1][-1])
        table.append(row)
    return best


def check(function: Callable[..., Any], args: Sequence[Any], *, order: int = 2, tolerance: float = 1e-6, seed: int = 0) -> None:
    """Compare derivatives of `function` at float64 arrays (nested in lists) with differences, up to `order`.

    Each order is checked in a random direction with random bars of the outputs, which a wrong axis, a lost sum or
    a wrong factor does not survive.
    """
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a, dtype=float) for a in trees.leaves(list(args))]

    def outputs(*xs: Any) -> list[Any]:
        result = trees.leaves(function(*trees.rebuild(list(args), iter(xs))))
        return [y for y in result if np.asarray(autograd.tensor.raw(y)).dtype.kind == "f"]

    bars = [rng.normal(size=np.shape(y)) for y in outputs(*map(Tensor, arrays))]

    def loss(*xs: Any) -> Any:
        # Not linear in the outputs, so that second derivatives of linear operations are seen too.
        return sum(((y + 0.25 * y * y) * bar).sum() for y, bar in zip(outputs(*xs), bars, strict=True))

    for level in range(1, order + 1):
        directions = [rng.normal(size=x.shape) for x in arrays]
        numeric = directional(lambda *xs, f=loss: float(autograd.tensor.raw(f(*map(Tensor, xs)))), arrays, directions)
        tensors = [Tensor(x, requires_grad=True) for x in arrays]
        y = loss(*tensors)
        gradients = autograd.grad(y, tensors, allow_unused=True) if isinstance(y, Tensor) and y.requires_grad else ()
        exact = sum(float(np.sum(g * v)) for g, v in zip(gradients, directions, strict=False) if g is not None)
        scale = max(1.0, abs(numeric), abs(exact))
        assert abs(numeric - exact) <= tolerance * scale, f"order {level}: differences {numeric}, engine {exact}"
        loss = _slope(loss, [rng.normal(size=x.shape) for x in arrays])


def _slope(loss: Callable[..., Any], weights: Sequence[np.ndarray]) -> Callable[..., Any]:
    """Return the function xs -> <gradient of loss at xs, weights>, itself differentiable."""

    def slope(*xs: Any) -> Any:
        tensors = [x if x.requires_grad else Tensor(x, requires_grad=True) for x in xs]
        y = loss(*tensors)
        if not isinstance(y, Tensor) or not y.requires_grad:
            return Tensor(0.0)
        gradients = autograd.grad(y, tensors, create_graph=True, allow_unused=True)
        return sum(((g * w).sum() for g, w in zip(gradients, weights, strict=True) if g is not None), Tensor(0.0))

    return slope

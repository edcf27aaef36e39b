"""Finite differences for the tests: an opinion on derivatives that knows nothing of the engine's rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, trees
from autograd.tensor import raw

Stage = Callable[..., list[Any]]
"""Tensors -> floating-point outputs, flat."""


def directional(f: Callable[..., float], xs: Sequence[np.ndarray], vs: Sequence[np.ndarray]) -> float:
    """Return the derivative of f at xs in direction vs, by Richardson's extrapolation of central differences.

    The steps suit elements of any size up to 1e4 or so that are not closer to a singularity than 0.01 |v|.
    Of the table's diagonal it takes the entry that differs least from both its neighbors; it stops early where they
    agree to 1e-11, which at a smooth point they do after four halvings.
    """
    table: list[list[float]] = []
    best, error = 0.0, np.inf
    for level in range(7):
        h = 1e-2 / 2**level
        high = f(*(x + h * v for x, v in zip(xs, vs, strict=True)))
        low = f(*(x - h * v for x, v in zip(xs, vs, strict=True)))
        row = [(high - low) / (2 * h)]
        for previous in range(level):
            row.append(row[-1] + (row[-1] - table[-1][previous]) / (4 ** (previous + 1) - 1))
        if level:
            change = max(abs(row[-1] - row[-2]), abs(row[-1] - table[-1][-1]))
            if change < error:
                best, error = row[-1], change
        table.append(row)
        if level > 1 and error <= 1e-11 * max(1.0, abs(best)):
            break
    return best


def check(
    function: Callable[..., Any], args: Sequence[Any], *, order: int = 2, tolerance: float = 1e-6, seed: int = 0
) -> None:
    """Compare derivatives of `function` at float64 arrays (nested in lists) with differences, up to `order`.

    Each order is checked in a random direction with random bars of the outputs, which a wrong axis, a lost sum or
    a wrong factor does not survive. What is compared at order k + 1 is the gradient of order k, as a function.

    Args:
        function: takes tensors, nested like `args`, and returns tensors; integer outputs are left out.
        args: where.
        order: how many derivatives.
        tolerance: relative to the larger of the two numbers, or 1.
        seed: of the directions and bars.
    """
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(a, dtype=float) for a in trees.leaves(list(args))]

    def stage(*xs: Any) -> list[Any]:
        result = trees.leaves(function(*trees.rebuild(list(args), iter(xs))))
        return [y for y in result if raw(y).dtype.kind == "f"]

    for level in range(1, order + 1):
        tensors = [Tensor(x, requires_grad=True) for x in arrays]
        outputs = stage(*tensors)
        bars = [rng.normal(size=y.shape) for y in outputs]
        directions = [_unit(rng.normal(size=x.shape)) for x in arrays]

        def contracted(*xs: Any, stage: Stage = stage, bars: Sequence[np.ndarray] = bars) -> float:
            ys = stage(*(Tensor(x, requires_grad=True) for x in xs))
            return sum(float(np.sum(raw(y) * bar)) for y, bar in zip(ys, bars, strict=True))

        numeric = directional(contracted, arrays, directions)
        exact = sum(
            float(np.sum(g * v))
            for g, v in zip(_gradient(outputs, tensors, bars), directions, strict=True)
            if g is not None
        )
        limit = tolerance * max(1.0, abs(numeric), abs(exact))
        assert abs(numeric - exact) <= limit, f"order {level}: differences {numeric!r}, engine {exact!r}"
        stage = _slope(stage, bars)


def _unit(v: np.ndarray) -> np.ndarray:
    """Return v scaled so that no element moves by more than the step."""
    return v / np.max(np.abs(v), initial=1e-300)


def _gradient(outputs: Sequence[Any], inputs: Sequence[Any], bars: Sequence[Any], **options: Any) -> Sequence[Any]:
    """Return the gradient of <bars, outputs>, with None for an input that no output depends on."""
    pairs = [(y, b) for y, b in zip(outputs, bars, strict=True) if isinstance(y, Tensor) and y.requires_grad]
    if not pairs:
        return [None] * len(inputs)
    return autograd.grad([y for y, _ in pairs], inputs, [b for _, b in pairs], allow_unused=True, **options)


def _slope(stage: Stage, weights: Sequence[np.ndarray]) -> Stage:
    """Return the gradient of <weights, y + y^2 / 4>, y = stage(xs), itself differentiable.

    It is not linear in y, so that second derivatives of linear operations are seen too.
    """

    def slope(*xs: Any) -> list[Any]:
        ys = stage(*xs)
        bars = [w * (1 + 0.5 * y) for y, w in zip(ys, weights, strict=True)]
        return [g for g in _gradient(ys, xs, bars, create_graph=True) if g is not None]

    return slope

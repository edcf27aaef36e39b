"""A look along one random direction, an order at a time: `check_gradients(..., mode="quick")`.

It tells only that all seems right there; where it does not, the whole check looks for the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.tensor import raw
from autograd.testing.compare import scale_of, size_of
from autograd.testing.report import OK, Report
from autograd.testing.subject import (
    Stage,
    Subject,
    flat,
    gradient_stage,
    leaves_of,
    pulled,
    quadratic_bars,
    split,
    values,
)

TOLERANCE = 2e-6, 1e-3
"""How far the two sides may be apart, relative to the sum of all elements' shares: in float64, and below."""

STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
"""Of the central difference, in units of the direction: balances its error and rounding for smooth functions."""

MOST = 0.01
"""How much of the shares rounding may hide."""


def agrees(subject: Subject, report: Report, order: int, rng: np.random.Generator) -> bool:
    """Compare one derivative of each order, up to the first that does not agree; tell whether all do.

    Args:
        subject: what to check.
        report: to be filled.
        order: of the highest derivative.
        rng: of directions and bars.
    """
    point = flat(subject.arrays)
    sizes = np.concatenate([size_of(a).reshape(-1) for a in subject.arrays])
    doubles = all(a.dtype == np.float64 for a in subject.arrays)
    moving = subject.arrays if doubles else [a.astype(np.float64) for a in subject.arrays]
    stage: Stage = subject.stage
    plain = stage
    for _ in range(order):
        inputs = leaves_of(subject.arrays)
        outputs = stage(*inputs)
        if not outputs or not point.size:
            return False
        here = [np.asarray(raw(y)) for y in outputs]
        scales = [scale_of(y) for y in here]
        bars = [(rng.normal(size=y.shape) / scale).astype(y.dtype) for y, scale in zip(here, scales, strict=True)]
        found = pulled(outputs, inputs, bars, create_graph=False)
        direction = rng.choice([-1.0, 1.0], point.size) * rng.uniform(0.5, 1.5, point.size) * sizes
        shares = flat([raw(g) for g in found]) * direction
        analytic, size = float(shares.sum()), float(np.abs(shares).sum())
        numeric, rounding = _slope(plain, point, direction, moving, bars)
        apart = abs(analytic - numeric)
        if not (apart <= TOLERANCE[not doubles] * size + rounding and rounding <= MOST * size):  # NaN, too
            return False
        report.counts[OK] += 1
        report.accuracy = max(report.accuracy, apart / size if size else 0.0)
        weights = [rng.uniform(0.5, 1.5, y.shape) / scale for y, scale in zip(here, scales, strict=True)]
        stage, plain = gradient_stage(stage, weights, scales), _gradient(stage, weights, scales)
    return True


def _gradient(stage: Stage, weights: Sequence[NDArray[Any]], scales: Sequence[NDArray[Any]]) -> Stage:
    """Return what `gradient_stage` returns, from a sweep that builds no graph."""

    def gradient(*xs: Any) -> list[Any]:
        outputs = stage(*xs)
        bars = [raw(bar) for bar in quadratic_bars([raw(y) for y in outputs], weights, scales)]
        return pulled(outputs, xs, bars, create_graph=False)

    return gradient


def _slope(
    stage: Stage,
    point: NDArray[np.float64],
    direction: NDArray[np.float64],
    like: Sequence[NDArray[Any]],
    bars: Sequence[NDArray[Any]],
) -> tuple[float, float]:
    """Return the central difference of sum(bars * outputs) along a direction, and how far rounding may move it.

    Both are NaN where the outputs do not fit the bars.
    """
    row = flat(bars)
    high, low = (flat(values(stage, split(point + t * direction, like))) for t in (STEP, -STEP))
    if not high.shape == low.shape == row.shape:
        return np.nan, np.nan
    rounding = 4 * np.finfo(np.float64).eps * float(np.abs(row) @ np.abs(high)) / STEP
    return float(row @ (high - low)) / (2 * STEP), rounding

"""A look along one random direction, an order at a time: `check_gradients(..., mode="quick")`.

It looks at values only: that the slope is the engine's gradient, and the gradient linear in the bar. What does not
agree clearly is left to the whole check. What it does not see: errors below `TOLERANCE`, and how the function behaves
besides (repeatability, memory layout, dtypes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.tensor import raw
from autograd.testing.compare import size_of
from autograd.testing.report import OK, Report
from autograd.testing.subject import (
    Stage,
    Subject,
    flat,
    gradient_stage,
    leaves_of,
    pulled,
    same,
    split,
    values,
)

TOLERANCE = 2e-6, 1e-3
"""How far the two sides may be apart, relative to the sum of all elements' shares: in float64, and below."""

STEP = 1e-6
"""Of the central difference, in units of the direction."""

LONGEST = 1e3
"""How much longer an input's part of the direction may be made, so that all inputs have an equal share in the slope."""

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
    for number in range(1, order + 1):
        inputs = leaves_of(subject.arrays)
        outputs = stage(*inputs)
        if not outputs or not point.size:
            return False
        here = [np.asarray(raw(y)) for y in outputs]
        scales = [np.asarray(np.max(np.abs(y), initial=0) or 1.0) for y in here]
        bars = [(rng.normal(size=y.shape) / scale).astype(y.dtype) for y, scale in zip(here, scales, strict=True)]
        found = pulled(outputs, inputs, bars, create_graph=False)
        gradient = flat([raw(g) for g in found])
        if number == 1:  # is it linear in the bar?
            again = pulled(outputs, inputs, [-1.1 * bar for bar in bars], create_graph=False)
            apart = np.max(np.abs(flat([raw(g) for g in again]) + 1.1 * gradient), initial=0)
            if not apart <= TOLERANCE[1] * np.max(np.abs(gradient), initial=0):
                return False
        if not all(map(same, subject.arrays, map(raw, inputs))):  # written to
            return False
        direction = rng.choice([-1.0, 1.0], point.size) * rng.uniform(0.5, 1.5, point.size) * sizes
        lengths = _lengths(gradient * direction, subject.arrays)
        if lengths is None:
            return False
        direction *= lengths
        shares = gradient * direction
        analytic, size = float(shares.sum()), float(np.abs(shares).sum())
        numeric, rounding = _slope(plain, point, direction, moving, bars)
        apart = abs(analytic - numeric)
        if not (apart <= TOLERANCE[not doubles] * size + rounding and rounding <= MOST * size):  # NaN, too
            return False
        report.counts[OK] += 1
        report.accuracy = max(report.accuracy, apart / size if size else 0.0)
        weights = [rng.uniform(0.5, 1.5, y.shape) / scale for y, scale in zip(here, scales, strict=True)]
        plain, stage = (gradient_stage(stage, weights, scales, create_graph=further) for further in (False, True))
    return True


def _lengths(shares: NDArray[np.float64], like: Sequence[NDArray[Any]]) -> NDArray[np.float64] | None:
    """Return a factor for each element with which the shares of all inputs are equally large; None if one is tiny."""
    each = [float(np.abs(part).sum()) for part in np.split(shares, np.cumsum([a.size for a in like])[:-1])]
    most = max(each)
    factors = [most / share if share else 1.0 for share in each]
    if not max(factors) <= LONGEST:  # NaN, too
        return None
    return np.repeat(factors, [a.size for a in like])


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

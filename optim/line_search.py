"""A step length along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Point(NamedTuple):
    """A point on the line: step length, value, slope along the direction, place and gradient."""

    step: float
    value: float
    slope: float
    x: Array
    gradient: Array


def wolfe(
    value_and_gradient: Callable[[Array], tuple[float, Array]],
    start: Point,
    direction: Array,
    *,
    first: float = 1.0,
    decrease: float = 1e-4,
    curvature: float = 0.9,
    trials: int = 30,
) -> Point | None:
    """Return a point x + step direction with enough decrease and a slope that is much flatter, or None.

    Conditions: f(step) <= f(0) + decrease step f'(0) and |f'(step)| <= curvature |f'(0)|. Changes of f below rounding
    count as none.

    Args:
        value_and_gradient: of the function.
        start: the point with step 0; its slope must be negative.
        direction: along which.
        first: step to try first.
        decrease: c1 of the conditions.
        curvature: c2 of the conditions.
        trials: largest number of evaluations.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6.
    """
    noise = 4 * np.finfo(start.x.dtype).eps * abs(start.value)

    def at(step: float) -> Point:
        x = start.x + step * direction
        value, gradient = value_and_gradient(x)
        return Point(step, value, float(gradient @ direction), x, gradient)

    def too_high(point: Point) -> bool:
        return not point.value <= start.value + decrease * point.step * start.slope + noise

    low, high, step = start, None, first
    for _ in range(trials):
        point = at(step)
        if too_high(point) or point.value > low.value + noise:
            high = point
        elif abs(point.slope) <= -curvature * start.slope:
            return point
        else:
            # The minimum lies between this point and the one on the side to which the slope falls.
            if (high is None and point.slope >= 0) or (high is not None and point.slope * (high.step - low.step) >= 0):
                high = low
            low = point
        if high is None:
            step = 3 * step
        else:
            step = _between(low, high)
            if abs(high.step - low.step) <= 1e-14 * max(1.0, low.step):
                break
    return low if low.step > 0 and low.value < start.value else None


def _between(low: Point, high: Point) -> float:
    """Return the minimum of the cubic through both points with their slopes, kept off the ends."""
    width = high.step - low.step
    guess = low.step + width / 2
    if np.isfinite(high.value) and np.isfinite(high.slope):
        d1 = low.slope + high.slope - 3 * (low.value - high.value) / (low.step - high.step)
        root = d1 * d1 - low.slope * high.slope
        if root >= 0:
            d2 = np.copysign(np.sqrt(root), width)
            bottom = high.slope - low.slope + 2 * d2
            if bottom != 0:
                guess = high.step - width * (high.slope + d2 - d1) / bottom
    near, far = low.step + 0.1 * width, low.step + 0.9 * width
    return float(min(max(guess, min(near, far)), max(near, far)))

"""Further opinions, beside the differences: Taylor's remainders and the complex step.

Neither decides; a report shows them. Taylor's remainders need no step, and look at value, gradient and second
derivative at once. The complex step is exact to rounding, where the function also takes complex arrays.

Source: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998).
"""

from __future__ import annotations

import math

import numpy as np

from autograd.tensor import raw
from autograd.testing.compare import UNDEFINED, Level
from autograd.testing.differences import Array, Line
from autograd.testing.subject import Subject, flat, gradient_stage, leaves_of, pulled, quadratic_bars, split, values

STEPS = 1.37 * 2.0 ** -np.arange(3, 21)


def taylor_orders(level: Level, order: int) -> tuple[float, ...]:
    """Return by which powers of the step the remainders of a loss fall along a random line through the point.

    The loss is L = sum(w (y + y^2 / 4s)) of the outputs y. L(x + hv) - L(x), that less h <L', v>, and that less
    h^2 <v, L'' v> / 2 should fall like h, h^2 and h^3.

    Args:
        level: of order 1.
        order: 1 for the first two remainders, 2 or more for all three.

    Returns:
        The powers; infinity for a remainder that is zero to rounding, NaN for one that rounding hides. None at all
        if the gradient is not finite.
    """
    if not level.analytic.size:
        return ()
    point = flat(level.moving)
    signs = level.rng.choice([-1.0, 1.0], point.size)
    vector = signs * level.rng.uniform(0.5, 1.5, point.size) * level.sizes
    inputs = leaves_of(level.moving)
    if order > 1:
        slopes = gradient_stage(level.stage, level.weights, level.scales)(*inputs)
    else:  # a rule may be one that cannot be differentiated again
        outputs = level.stage(*inputs)
        bars = [raw(bar) for bar in quadratic_bars(outputs, level.weights, level.scales)]
        slopes = pulled(outputs, inputs, bars, create_graph=False)
    first = flat([raw(g) for g in slopes])
    if not np.isfinite(first).all():
        return ()
    if order > 1:
        bars = split(vector, level.moving)
        curvature = float(flat([raw(g) for g in pulled(slopes, inputs, bars, create_graph=False)]) @ vector)

    def loss(t: float) -> Array:
        pieces = split(point + t * vector, level.moving)
        try:
            ys = values(level.stage, pieces)
        except UNDEFINED:
            return np.array([math.nan])
        terms = (np.sum(w * (y + y * y / (4 * s))) for w, y, s in zip(level.weights, ys, level.scales, strict=True))
        rounding = flat(pieces) - point - t * vector
        return np.array([float(sum(terms)) - float(first @ rounding)])

    line = Line(loss, level.precision)
    noise = float(max(line.noise[0], line.scatter()[0]))
    change = np.array([loss(float(h))[0] for h in STEPS]) - line.middle[0]
    remainders = [change, change - STEPS * float(first @ vector)]
    if order > 1:
        remainders.append(remainders[1] - STEPS**2 * curvature / 2)
    return tuple(power_of(np.abs(remainder), noise) for remainder in remainders)


def power_of(remainders: Array, noise: float) -> float:
    """Return by which power of the step remainders fall at the smallest steps that stand out from the noise.

    Args:
        remainders: (k,) absolute values at `STEPS`.
        noise: below 30 times this a value says nothing.
    """
    usable = np.isfinite(remainders) & (remainders > 30 * noise)
    if not usable.any():
        return math.inf
    both = usable[1:] & usable[:-1]
    if both.sum() < 2:
        return math.nan
    return float(np.median(np.log2(remainders[:-1][both] / remainders[1:][both])[-3:]))


def complex_step(level: Level, subject: Subject) -> float | None:
    """Return how far the gradient is from the complex step's along a random line, relative to the larger of both.

    Args:
        level: of order 1.
        subject: what is checked.

    Returns:
        The largest difference; None where the function refuses complex arrays, or does not treat them as an analytic
        function does (as the differences along the same line show).
    """
    if not level.analytic.size:
        return None
    direction = next(level.directions("directions"))
    moved = split(level.point + 0j, [a.astype(complex) for a in level.arrays])
    step = 1e-30
    for array, part in zip(moved, split(direction.vector, level.arrays), strict=True):
        array += step * 1j * part
    try:
        found = subject.stage_on_arrays(moved)
    except Exception:  # noqa: BLE001 (the function may refuse complex arrays in any way)
        return None
    if sum(y.size for y in found) != level.rows.shape[1] or not any(y.dtype.kind == "c" for y in found):
        return None
    slopes = level.rows @ np.concatenate([np.imag(y).reshape(-1) for y in found]) / step
    numeric = level.slope(direction)
    usable = np.isfinite(numeric.value)
    slopes, support = slopes[usable], np.flatnonzero(direction.vector)
    if not np.isfinite(slopes).all() or np.any(np.abs(slopes - numeric.value[usable]) > 100 * numeric.error[usable]):
        return None
    analytic = level.analytic[np.ix_(usable, support)] @ direction.vector[support]
    sizes = np.maximum(np.maximum(np.abs(slopes), np.abs(analytic)), 1e-300)
    return float(np.max(np.abs(slopes - analytic) / sizes)) if slopes.size else None

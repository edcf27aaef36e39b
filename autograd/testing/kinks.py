"""What may pass at a kink: any slope among those that the function has nearby, for each output by itself.

The slopes to the left and right along one line do not show all pieces that meet at a point (`sort(x)[1]` of three equal
numbers has the slope of another element at every point nearby), and those of a combination of outputs do not bound what
its terms may do together: relu(x) - relu(y) has slope 0 to both sides along x = y, and its terms anything in 0 .. 1.
So slopes are collected at points nearby, output by output. Only values of the function are used, no gradient.

Source: Clarke, "Optimization and Nonsmooth Analysis", Wiley 1983: the generalized gradient is the convex hull of the
gradients nearby.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from autograd.testing.differences import Array
from autograd.testing.report import KINK, WRONG, Comparison

if TYPE_CHECKING:
    from autograd.testing.compare import Direction, Level

POINTS = 16
"""So many random points nearby."""

SEGMENT = np.linspace(-1.0, 1.0, 9)
"""Where on the line through a point nearby the function is evaluated, in radii."""

ONE_BY_ONE = 16
"""Of the outputs with a kink, so many are compared one by one."""

ALLOWED = "one of the slopes nearby"


def looked_into(level: Level, direction: Direction, found: list[Comparison]) -> tuple[Level, list[Comparison]]:
    """Look at what was found wrong along a direction again, in case it is at a kink.

    Args:
        level: that was compared; its counts are put right.
        direction: along which.
        found: by `level.compare`.

    Returns:
        The level to look further in (one of single outputs, where these are wrong), and the comparisons: those that a
        kink allows now have its status.
    """
    faulty = [c for c in found if c.status == WRONG]
    if not faulty or level.smooth:
        return level, found
    if {c.row for c in level.wrong_nearby(direction)} & {c.row for c in faulty}:
        level.smooth = True
        return level, found
    low, high, margin = slopes_nearby(level, direction)
    if level.single is None:
        bent = np.flatnonzero(high - low > 2 * margin)
        alone = level.of_outputs(level.rng.permutation(bent)[:ONE_BY_ONE])
        wrong = [c for c in alone.compare(direction) if c.status == WRONG]
        wrong = [c for c in wrong if not _is_among(alone, direction, c, low, high, margin)]
        if wrong:
            return alone, [*wrong, *(c for c in found if c.status != WRONG)]
    excused = [c for c in faulty if _is_among(level, direction, c, low, high, margin)]
    level.counts.subtract({WRONG: len(excused), KINK: -len(excused)})
    return level, [dataclasses.replace(c, status=KINK, note=ALLOWED) if c in excused else c for c in found]


def slopes_nearby(level: Level, direction: Direction) -> tuple[Array, Array, Array]:
    """Return for each output the least and the largest slope along a direction near the point, and their error.

    The points nearby are random ones, the point itself, and two at which equal elements are told apart by their
    position, as an operation that takes the first or the last of them does. Around each the slopes are secants of
    pieces of a segment, so that a piece of the function that is narrow is not missed.
    """
    radius = level.own_precision ** (1 / 3)
    order = np.arange(1, level.point.size + 1) / level.point.size
    narrow = 1 / (8 * level.point.size)
    offsets = [(level.rng.uniform(-1, 1, level.point.size), 1.0) for _ in range(POINTS)]
    offsets += [(np.zeros(level.point.size), 1.0), (order, narrow), (-order, narrow)]
    size = level.rows.shape[1]
    low, high, margin = np.full(size, np.inf), np.full(size, -np.inf), np.zeros(size)
    for offset, length in offsets:
        center, steps = radius * offset * level.sizes, radius * length * SEGMENT
        samples = np.array([level.outputs_at(center + t * direction.vector) for t in steps])
        slopes = np.diff(samples, axis=0) / np.diff(steps)[:, None]
        with np.errstate(all="ignore"):
            low, high = (np.fmin(low, np.fmin.reduce(slopes)), np.fmax(high, np.fmax.reduce(slopes)))
            rounding = 4 * level.precision * np.max(np.abs(samples), axis=0) / (steps[1] - steps[0])
            margin = np.fmax(margin, rounding)
    return low, high, margin + 20 * radius * np.fmax(np.abs(low), np.abs(high))


def _is_among(level: Level, direction: Direction, wrong: Comparison, low: Array, high: Array, margin: Array) -> bool:
    """Tell whether an analytic slope is one that its row can have, if each output has one of its slopes nearby."""
    support = np.flatnonzero(direction.vector)
    analytic = level.analytic[wrong.row, support] @ direction.vector[support]
    used = np.flatnonzero(level.rows[wrong.row])
    weights = level.rows[wrong.row, used]
    ends = weights * low[used], weights * high[used]
    least, most = float(np.minimum(*ends).sum()), float(np.maximum(*ends).sum())
    error = float(np.abs(weights) @ margin[used])
    return most - least > 2 * error and least - error <= analytic <= most + error

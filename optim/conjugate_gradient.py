"""The method of conjugate gradients for functions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optim.line_search import Point, wolfe
from optim.objective import Array, Objective


def conjugate_gradient(objective: Objective, x: Array) -> Iterator[Point]:
    """Yield the start and the point after each step.

    The direction is d <- -g + beta d with beta = max(0, g.(g - g_before) / g_before.g_before). The first trial of each
    line search is the minimum of the parabola that the Hessian-vector product gives: on a quadratic function of n
    variables it is exact, and n steps are enough.

    Source: Hestenes and Stiefel (1952); for functions Polak and Ribiere (1969), restarted as in Nocedal and Wright,
    "Numerical optimization" (2006), eq. 5.45.
    """
    value, gradient = objective.value_and_gradient(x)
    direction = -gradient
    while True:
        slope = float(gradient @ direction)
        if slope >= 0:
            direction, slope = -gradient, -float(gradient @ gradient)
        point = Point(0.0, value, slope, x, gradient)
        yield point
        bend = float(direction @ objective.hvp(x, direction))
        first = -slope / bend if bend > 0 else 1 / max(1.0, float(np.linalg.norm(direction)))
        found = wolfe(objective.value_and_gradient, point, direction, first=first, curvature=0.1)
        if found is None:
            return
        before = gradient
        value, x, gradient = found.value, found.x, found.gradient
        beta = max(0.0, float(gradient @ (gradient - before)) / float(before @ before))
        direction = -gradient + beta * direction

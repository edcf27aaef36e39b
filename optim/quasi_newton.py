"""Quasi-Newton methods: curvature learned from the changes of the gradient."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from optim.line_search import Point, wolfe
from optim.objective import Array, Objective


def bfgs(objective: Objective, x: Array) -> Iterator[Point]:
    """Yield the start and the point after each step.

    H approximates the inverse of the Hessian: H <- (I - r s y^T) H (I - r y s^T) + r s s^T with the step s, the change
    of the gradient y and r = 1 / y.s.

    Source: Broyden, Fletcher, Goldfarb, Shanno (1970); Nocedal and Wright, "Numerical optimization" (2006),
    algorithm 6.1.
    """
    inverse = np.eye(x.size, dtype=x.dtype)
    value, gradient = objective.value_and_gradient(x)
    first = 1 / max(1.0, float(np.linalg.norm(gradient)))
    while True:
        direction = -inverse @ gradient
        point = Point(0.0, value, float(gradient @ direction), x, gradient)
        yield point
        found = wolfe(objective.value_and_gradient, point, direction, first=first)
        if found is None:
            return
        s, y = found.x - x, found.gradient - gradient
        value, x, gradient = found.value, found.x, found.gradient
        curvature = float(y @ s)
        if curvature > 0:
            if first != 1:
                inverse *= curvature / float(y @ y)
            rho = 1 / curvature
            left = np.eye(x.size, dtype=x.dtype) - rho * np.outer(s, y)
            inverse = left @ inverse @ left.T + rho * np.outer(s, s)
        first = 1.0


def lbfgs(objective: Objective, x: Array, memory: int = 10) -> Iterator[Point]:
    """Yield the start and the point after each step; like `bfgs`, from the last `memory` steps only.

    Source: Liu and Nocedal (1989); Nocedal and Wright, "Numerical optimization" (2006), algorithms 7.4 and 7.5.
    """
    pairs: deque[tuple[Array, Array, float]] = deque(maxlen=memory)
    value, gradient = objective.value_and_gradient(x)
    first = 1 / max(1.0, float(np.linalg.norm(gradient)))
    while True:
        direction = -_inverse_times(gradient, pairs)
        point = Point(0.0, value, float(gradient @ direction), x, gradient)
        yield point
        found = wolfe(objective.value_and_gradient, point, direction, first=first)
        if found is None:
            return
        s, y = found.x - x, found.gradient - gradient
        value, x, gradient = found.value, found.x, found.gradient
        curvature = float(y @ s)
        if curvature > 0:
            pairs.append((s, y, 1 / curvature))
        first = 1.0


def _inverse_times(q: Array, pairs: deque[tuple[Array, Array, float]]) -> Array:
    """Return the product of the inverse Hessian, as the pairs (s, y, 1 / y.s) have it, with q: two loops over them."""
    weights = []
    for s, y, rho in reversed(pairs):
        weights.append(rho * float(s @ q))
        q = q - weights[-1] * y
    if pairs:
        _, y, rho = pairs[-1]
        q = q / (rho * float(y @ y))
    for s, y, rho in pairs:
        q = q + (weights.pop() - rho * float(y @ q)) * s
    return q

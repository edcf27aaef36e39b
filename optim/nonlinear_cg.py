"""The nonlinear conjugate gradient method for `minimize`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optim.line_search import LineSearchMethod

if TYPE_CHECKING:
    from optim.objective import Array, Point


@dataclass
class NonlinearCG(LineSearchMethod):
    """Steps along d <- -g + b d, with b = max(0, g'^T (g' - g) / |g|^2) (Polak and Ribiere).

    The line search first tries the step at which the parabola with f's slope and curvature along d (one
    Hessian-vector product) has its minimum. On a quadratic that is exact, and the method is the linear conjugate
    gradient method, which needs at most n steps.

    Args:
        c1: see `StrongWolfe`.
        c2: see `StrongWolfe`.

    Raises:
        ValueError: c1 or c2 out of range.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithm 5.4 and eq. 5.45; the first trial:
    Shewchuk, "An introduction to the conjugate gradient method without the agonizing pain" (1994), section 14.2.
    """

    c2: float = 0.1

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        super().__post_init__()
        self.direction: Array | None = None

    def step(self, point: Point) -> Point | None:
        """Return the point after one step; None if no step lowers f."""
        direction = -point.gradient if self.direction is None else self.direction
        following = self.along(point, direction, _first_step(point, direction))
        if following is None and self.direction is not None:
            self.direction = None
            return self.step(point)
        if following is not None:
            self.direction = _next_direction(point.gradient, following.gradient, direction)
        return following


def _first_step(point: Point, direction: Array) -> float:
    slope = float(point.gradient @ direction)
    curvature = float(direction @ point.objective.product(point.x)(direction))
    return -slope / curvature if curvature > 0 else 1 / math.sqrt(float(direction @ direction))


def _next_direction(before: Array, now: Array, direction: Array) -> Array:
    share = max(0.0, float(now @ (now - before)) / float(before @ before))
    following = share * direction - now
    return following if float(following @ now) < 0 else -now

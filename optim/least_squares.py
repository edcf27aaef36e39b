"""The Levenberg-Marquardt method for `minimize`: sums of squares, from the residuals and their Jacobian."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optim.objective import LeastSquares, Objective, Point, Residuals


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Steps p that solve (J^T J + damping D^2) p = -J^T r, D the largest norms of J's columns so far.

    A step that lowers the sum of squares about as much as the linear model promised makes the damping smaller, towards
    the Gauss-Newton step; one that does not is not taken, and makes it larger, towards a short step downhill.

    Args:
        damping: at the start; larger for a start far from the minimum.

    Raises:
        ValueError: a damping that is not positive.

    Source: Marquardt, SIAM J. Appl. Math. 11 (1963); Madsen, Nielsen and Tingleff, "Methods for non-linear least
    squares problems" (2004), algorithm 3.16; D: More, "The Levenberg-Marquardt algorithm" (1978), section 6.
    """

    objective: ClassVar[type[Objective]] = LeastSquares

    damping: float = 1e-3

    def __post_init__(self) -> None:
        if not 0 < self.damping < math.inf:
            raise ValueError(f"minimize: expected damping to be positive, got {self.damping!r}")

    def steps(self, point: Point) -> Generator[Point, None, float]:
        """Yield the point after each step; returns the decrease that the last direction, which failed, promised."""
        damping, growth = self.damping, 2.0
        scale = np.zeros_like(point.x)
        while True:
            assert isinstance(point, Residuals)
            J = point.jacobian
            scale = np.maximum(scale, np.linalg.norm(J, axis=0))
            D = np.where(scale > 0, scale, 1.0)
            # The same p as the least squares solution of [J; sqrt(damping) D] p = [-r; 0], without squaring J.
            p = np.linalg.lstsq(
                np.vstack([J, np.diag(math.sqrt(damping) * D)]), np.concatenate([-point.r, 0 * D]), rcond=None
            )[0]
            promised = 0.5 * float(np.sum((J @ p) ** 2)) + damping * float(np.sum((D * p) ** 2))
            if np.array_equal(point.x + p, point.x) or promised <= point.precision * 1e-3:
                return promised
            following = point.objective.at(point.x + p)
            gain = (point.value - following.value) / promised
            if gain > 0 and following.is_finite():
                damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                growth = 2.0
                yield (point := following)
            else:
                damping *= growth
                growth *= 2

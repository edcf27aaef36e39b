"""The Levenberg-Marquardt method for `minimize`: sums of squares, from the residuals and their Jacobian."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from optim.objective import Array, LeastSquares, Objective, Point, Residuals


@dataclass
class LevenbergMarquardt:
    """Steps p that solve (J^T J + damping D^2) p = -J^T r, D the largest norms of J's columns so far.

    A step that lowers the sum of squares about as much as the linear model promised makes the damping smaller, towards
    the Gauss-Newton step; one that does not is not taken, and makes it larger, towards a short step downhill.

    Args:
        damping: at the start; larger for a start far from the minimum.

    Attributes:
        now: the damping as the last step left it.
        scale: the diagonal of D, (n,).
        promised: the decrease of f that a step without damping promised where no step lowered f.

    Raises:
        ValueError: a damping that is not positive.

    Source: Marquardt, SIAM J. Appl. Math. 11 (1963); Madsen, Nielsen and Tingleff, "Methods for non-linear least
    squares problems" (2004), algorithm 3.16; D: More, "The Levenberg-Marquardt algorithm" (1978), section 6.
    """

    objective: ClassVar[type[Objective]] = LeastSquares

    damping: float = 1e-3

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        if not 0 < self.damping < math.inf:
            raise ValueError(f"minimize: expected damping to be positive, got {self.damping!r}")
        self.now = self.damping
        self.scale: Array | float = 0.0
        self.promised = 0.0

    def step(self, point: Point) -> Point | None:
        """Return the point after one step; None if no step lowers f."""
        assert isinstance(point, Residuals)
        J, r = point.jacobian, point.r
        self.scale = np.maximum(self.scale, np.linalg.norm(J, axis=0))
        D = np.where(self.scale > 0, self.scale, 1.0)
        growth = 2.0
        while True:
            # The same p as the least squares solution of [J; sqrt(damping) D] p = [-r; 0], without squaring J.
            rows = np.vstack([J, np.diag(math.sqrt(self.now) * D)])
            p = np.linalg.lstsq(rows, np.concatenate([-r, 0 * D]), rcond=None)[0]
            promised = float(np.sum((J @ p) ** 2)) / 2 + self.now * float(np.sum((D * p) ** 2))
            if np.array_equal(point.x + p, point.x) or promised <= 1e-3 * point.precision:
                self.promised = float(np.sum((J @ np.linalg.lstsq(J, -r, rcond=None)[0]) ** 2)) / 2
                return None
            following = point.objective.at(point.x + p)
            gain = (point.value - following.value) / promised
            if gain > 0 and following.is_finite():
                self.now *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                return following
            self.now *= growth
            growth *= 2

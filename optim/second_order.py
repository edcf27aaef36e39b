"""Methods that compute curvature: Newton's, and Levenberg and Marquardt's for sums of squares."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optim.line_search import Point, wolfe
from optim.objective import Array, Objective, Residuals


def newton(objective: Objective, x: Array) -> Iterator[Point]:
    """Yield the start and the point after each step.

    The direction solves H d = -g. Where the Hessian is not positive definite, its eigenvalues are taken by their
    absolute values and kept off 0, so that d leads down and away from a saddle.

    Source: Nocedal and Wright, "Numerical optimization" (2006), section 3.4 (eigenvalue modification).
    """
    value, gradient = objective.value_and_gradient(x)
    while True:
        eigenvalues, vectors = np.linalg.eigh(objective.hessian(x))
        size = np.abs(eigenvalues)
        floor = 1e-10 * max(float(size.max(initial=0.0)), 1e-300)
        direction = -vectors @ ((vectors.T @ gradient) / np.maximum(size, floor))
        point = Point(0.0, value, float(gradient @ direction), x, gradient)
        yield point
        found = wolfe(objective.value_and_gradient, point, direction)
        if found is None:
            return
        value, x, gradient = found.value, found.x, found.gradient


def levenberg_marquardt(residuals: Residuals, x: Array) -> Iterator[Point]:
    """Yield the start and the point after each step towards the least half sum of squares of the residuals r.

    The step solves (J^T J + m I) d = -J^T r. The damping m follows how well the linear model predicted the gain: small
    it is Gauss and Newton's step, large a short one down the gradient.

    Source: Levenberg (1944), Marquardt (1963); the damping: Madsen, Nielsen and Tingleff, "Methods for non-linear least
    squares problems" (2004), algorithm 3.16.
    """
    r = residuals.value(x)
    jacobian = residuals.jacobian(x)
    normal = jacobian.T @ jacobian
    damping, growth = 1e-3 * max(float(np.diagonal(normal).max(initial=0.0)), 1e-300), 2.0
    while True:
        gradient = jacobian.T @ r
        value = float(r @ r) / 2
        yield Point(0.0, value, 0.0, x, gradient)
        for _ in range(60):
            step = np.linalg.solve(normal + damping * np.eye(x.size), -gradient)
            tried = residuals.value(x + step)
            predicted = float(step @ (damping * step - gradient)) / 2
            gain = (value - float(tried @ tried) / 2) / predicted if predicted > 0 else -1.0
            if gain > 0:
                break
            damping, growth = damping * growth, 2 * growth
        else:
            return
        damping, growth = damping * max(1 / 3, 1 - (2 * gain - 1) ** 3), 2.0
        x, r = x + step, tried
        jacobian = residuals.jacobian(x)
        normal = jacobian.T @ jacobian

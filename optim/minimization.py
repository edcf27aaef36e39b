"""`minimize`: the minimum of a function of one array, by methods that look at curvature.

Gradients, Hessians, Hessian-vector products and Jacobians come from the engine; each method is in the file of its
family, as a generator of the points that it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd.tensor import Tensor, raw
from optim.conjugate_gradient import conjugate_gradient
from optim.line_search import Point
from optim.objective import Array, Minimum, Objective, Residuals
from optim.quasi_newton import bfgs, lbfgs
from optim.second_order import levenberg_marquardt, newton

METHODS: dict[str, tuple[type[Any], Callable[[Any, Array], Iterator[Point]]]] = {
    "newton": (Objective, newton),
    "cg": (Objective, conjugate_gradient),
    "bfgs": (Objective, bfgs),
    "lbfgs": (Objective, lbfgs),
    "levenberg-marquardt": (Residuals, levenberg_marquardt),
}


def minimize(
    function: Callable[[Tensor], Any],
    x0: Any,
    method: str = "bfgs",
    *,
    tolerance: float = 1e-9,
    iterations: int = 1000,
    callback: Callable[[Array], Any] | None = None,
) -> Minimum:
    """Return a local minimum of a function near x0.

    Args:
        function: takes a Tensor of x0's shape and returns one with a single element, written with the operations of
            `autograd`; for "levenberg-marquardt" it returns residuals of any shape, and half the sum of their squares
            is minimized.
        x0: where to start; integers count as float64.
        method: "newton", "cg" (conjugate gradients), "bfgs", "lbfgs" or "levenberg-marquardt".
        tolerance: converged when no element of the gradient is larger.
        iterations: largest number of steps.
        callback: called with x after each step.

    Raises:
        ValueError: an unknown method, or a start where the function or its gradient is not finite.

    Example:
        >>> found = minimize(lambda x: ((x - 3) ** 2).sum(), np.zeros(2), method="newton")
        >>> found.x, found.iterations
        (array([3., 3.]), 1)
    """
    if method not in METHODS:
        raise ValueError(f"minimize: expected a method of {[*METHODS]}, got {method!r}")
    start = np.array(raw(x0))
    start = start if start.dtype.kind == "f" else start.astype(float)
    kind, steps = METHODS[method]
    objective = kind(function, start.shape)
    found: Minimum | None = None
    for number, point in enumerate(steps(objective, start.reshape(-1))):
        x, gradient = point.x.reshape(start.shape), point.gradient.reshape(start.shape)
        if found is None:
            _check_start(point, method)
            found = Minimum(x, point.value, gradient)
        elif callback is not None:
            callback(x)
        found.x, found.value, found.gradient, found.iterations = x, point.value, gradient, number
        found.trace.append(point.value)
        if np.abs(gradient).max(initial=0.0) <= tolerance:
            found.converged, found.message = True, "the gradient is below the tolerance"
            break
        if number == iterations:
            found.message = f"{iterations} steps were not enough"
            break
    assert found is not None
    if not found.message:
        found.message = "no smaller value was found along the last direction"
    found.calls, found.curvatures = objective.calls, objective.curvatures
    return found


def _check_start(point: Point, method: str) -> None:
    if not (np.isfinite(point.value) and np.isfinite(point.gradient).all()):
        raise ValueError(f"minimize({method}): the function or its gradient is not finite at the start")

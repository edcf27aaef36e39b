"""`minimize`: a smooth function of nested arrays, by methods that use more than one step's gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import trees
from optim.least_squares import LevenbergMarquardt
from optim.newton import Newton
from optim.nonlinear_cg import NonlinearCG
from optim.quasi_newton import BFGS, LBFGS

if TYPE_CHECKING:
    from optim.objective import Objective, Point

METHODS: dict[str, Any] = {
    "newton": Newton,
    "cg": NonlinearCG,
    "bfgs": BFGS,
    "lbfgs": LBFGS,
    "levenberg-marquardt": LevenbergMarquardt,
}


class Iterate(NamedTuple):
    """Where `minimize` was after some iteration.

    Attributes:
        x: nested like x0.
        fun: f there.
        gradient_norm: the largest element of the gradient, in absolute value.
    """

    x: Any
    fun: float
    gradient_norm: float


@dataclass
class Minimization:
    """What `minimize` found, and how.

    Attributes:
        x: nested, shaped and typed like x0.
        fun: f there; by "levenberg-marquardt" half the sum of squares.
        gradient_norm: the largest element of the gradient, in absolute value.
        iterations: steps taken.
        function_evaluations: calls of f.
        gradient_evaluations: backward sweeps; by "levenberg-marquardt" Jacobians.
        hessian_evaluations: Hessians, or products with one.
        success: whether x is a minimum as far as `gtol` or the precision of f tell (a saddle, to start from, may pass).
        message: why it ended.
        trace: the start and the place after each iteration, for plots.
    """

    x: Any
    fun: float
    gradient_norm: float
    iterations: int
    function_evaluations: int
    gradient_evaluations: int
    hessian_evaluations: int
    success: bool
    message: str
    trace: list[Iterate] = field(repr=False)


def minimize(
    f: Callable[[Any], Any],
    x0: Any,
    method: str = "bfgs",
    *,
    gtol: float = 1e-8,
    max_iterations: int = 1000,
    callback: Callable[[Iterate], Any] | None = None,
    keep_trace: bool = True,
    **options: Any,
) -> Minimization:
    """Find a minimum of f near x0.

    | method | uses | for |
    |---|---|---|
    | newton | the Hessian (or products with it) | few numbers, or a saddle to leave; the fewest steps |
    | cg | gradients, a Hessian product a step | many numbers |
    | bfgs | gradients, a matrix (n, n) | up to some thousand numbers |
    | lbfgs | the last gradients | many numbers |
    | levenberg-marquardt | residuals and their Jacobian | sums of squares: curve fitting |

    f should be smooth; a step to where it is nan or infinite is shortened. Between evaluations all arithmetic is in
    float64. To train a module, take its parameters as x and compute with them through `nn.functional`.

    Args:
        f: takes Tensors nested like x0 and returns a Tensor with one element; for "levenberg-marquardt" the residuals,
            half the sum of whose squares is lowered.
        x0: where to start: an array, or nested lists, tuples and dicts of arrays; not changed.
        method: one of the above.
        gtol: success when no element of the gradient is larger.
        max_iterations: steps after which to give up.
        callback: called with each new `Iterate`; ends the search by returning True.
        keep_trace: whether to keep all of them; without, only the first and the last.
        **options: hyper-parameters of the method: `c1` and `c2` of the line search (all but "levenberg-marquardt"),
            `dense` ("newton"), `memory` ("lbfgs"), `damping` ("levenberg-marquardt").

    Raises:
        ValueError: an unknown method, a hyper-parameter out of range, or f is not finite at x0.
        TypeError: an option that the method does not have, or f returns something not computed from x.

    Source: Nocedal and Wright, "Numerical optimization", 2nd edition (2006).

    Example:
        >>> rosenbrock = lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        >>> found = minimize(rosenbrock, [-1.2, 1.0], method="newton")
        >>> print([f"{float(x):.6f}" for x in found.x], found.message)
        ['1.000000', '1.000000'] the gradient is within gtol = 1e-08
    """
    solver = _solver(method, options)
    if not gtol >= 0:
        raise ValueError(f"minimize: expected gtol to be at least 0, got {gtol!r}")
    if max_iterations < 0:
        raise ValueError(f"minimize: expected max_iterations to be at least 0, got {max_iterations!r}")
    objective: Objective = solver.objective(f, x0)
    point = objective.at(objective.start)
    if not point.is_finite():
        raise ValueError(f"minimize: f or its gradient is not finite at x0: f = {point.value}")
    trace = [_iterate(point)]
    iterations = 0
    bottom = -1e20 * max(1.0, abs(point.value))
    while (ending := _ending(point, iterations, gtol, max_iterations, bottom)) is None:
        try:
            following = solver.step(point)
        except KeyboardInterrupt:
            ending = False, "interrupted"
            break
        if following is None:
            ending = _stalled(point, solver.promised)
            break
        point = following
        iterations += 1
        trace[len(trace) if keep_trace else 1 :] = [_iterate(point)]
        if callback is not None and callback(trace[-1]) is True:
            ending = False, "the callback ended it"
            break
    success, message = ending
    return Minimization(
        x=trees.map_leaves(np.array, objective.nested(point.x)),
        fun=point.value,
        gradient_norm=point.gradient_norm,
        iterations=iterations,
        function_evaluations=objective.counts["function"],
        gradient_evaluations=objective.counts["gradient"],
        hessian_evaluations=objective.counts["hessian"],
        success=success,
        message=message,
        trace=trace,
    )


def _solver(method: str, options: dict[str, Any]) -> Any:
    if method not in METHODS:
        raise ValueError(f"minimize: expected method to be one of {[*METHODS]}, got {method!r}")
    known = [each.name for each in dataclasses.fields(METHODS[method])]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise TypeError(f"minimize: method {method!r} has no option {unknown[0]!r}; it has {known}")
    return METHODS[method](**options)


def _iterate(point: Point) -> Iterate:
    return Iterate(point.objective.nested(point.x), point.value, point.gradient_norm)


def _ending(point: Point, iterations: int, gtol: float, max_iterations: int, bottom: float) -> tuple[bool, str] | None:
    """Return success and message if this is the end; a value below `bottom` is taken for a fall without end."""
    if point.gradient_norm <= gtol:
        return True, f"the gradient is within gtol = {gtol:g}"
    if point.value < bottom:
        return False, f"f seems to have no minimum: it has fallen to {point.value:g}"
    if iterations >= max_iterations:
        return False, f"after {iterations} iterations the gradient is {point.gradient_norm:g}, not yet {gtol:g}"
    return None


def _stalled(point: Point, promised: float) -> tuple[bool, str]:
    """Return success and message for an end where no step lowered f, though its derivative promised a decrease."""
    if promised <= 100 * point.precision:
        return True, f"f cannot be lowered further at its precision; the gradient is {point.gradient_norm:g}"
    return False, "no step lowers f: it is not smooth here, or rounding errors hide the decrease"

"""What the methods of `minimize` see: the function with its derivatives, and the report they fill in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd
from autograd.tensor import Tensor, raw

Array = NDArray[Any]


@dataclass
class Minimum:
    """What `minimize` found, and how.

    Attributes:
        x: where, in the shape of the start.
        value: the function's value there.
        gradient: its gradient there.
        converged: whether the gradient is below the tolerance.
        message: why the method ended.
        iterations: number of steps.
        calls: how often the function was computed (with or without its gradient).
        curvatures: how often a Hessian, a Jacobian or a Hessian-vector product was computed.
        trace: the value at the start and after each step.
    """

    x: Array
    value: float
    gradient: Array
    converged: bool = False
    message: str = ""
    iterations: int = 0
    calls: int = 0
    curvatures: int = 0
    trace: list[float] = field(default_factory=list)


class Objective:
    """A scalar function of a flat array, with derivatives by the engine, counting its calls.

    Args:
        function: takes a Tensor of `shape`, returns one with a single element.
        shape: of its argument.
    """

    def __init__(self, function: Callable[[Tensor], Any], shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.calls = 0
        self.curvatures = 0
        self._value_and_grad = autograd.value_and_grad(function)
        self._hessian = autograd.hessian(function)
        self._hvp = autograd.hvp(function)

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Return the value and the gradient at x."""
        self.calls += 1
        value, gradient = self._value_and_grad(x.reshape(self.shape))
        return float(raw(value).item()), np.asarray(raw(gradient), x.dtype).reshape(-1)

    def hessian(self, x: Array) -> Array:
        """Return the matrix of second derivatives at x."""
        self.curvatures += 1
        return np.asarray(raw(self._hessian(x.reshape(self.shape)))).reshape(x.size, x.size)

    def hvp(self, x: Array, v: Array) -> Array:
        """Return the Hessian at x times v."""
        self.curvatures += 1
        return np.asarray(raw(self._hvp(x.reshape(self.shape), v.reshape(self.shape)))).reshape(-1)


class Residuals:
    """A vector-valued function of a flat array, whose sum of squares is to be small, with its Jacobian.

    Args:
        function: takes a Tensor of `shape`, returns one of any shape.
        shape: of its argument.
    """

    def __init__(self, function: Callable[[Tensor], Any], shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.calls = 0
        self.curvatures = 0
        self._function = function
        self._jacobian = autograd.jacobian(function)

    def value(self, x: Array) -> Array:
        """Return the residuals at x."""
        self.calls += 1
        with autograd.no_grad():
            return np.asarray(raw(self._function(Tensor(x.reshape(self.shape)))), x.dtype).reshape(-1)

    def jacobian(self, x: Array) -> Array:
        """Return the derivatives of the residuals by x, (residuals, size)."""
        self.curvatures += 1
        return np.asarray(raw(self._jacobian(x.reshape(self.shape)))).reshape(-1, x.size)

"""First derivatives from elsewhere: the complex step through a formula in NumPy, or torch where it is installed.

The complex step, imag(f(x + ih)) / h with h = 1e-20, has no rounding error to speak of, but wants a formula that
is analytic in its arguments: most references in tests/specs are; `ANALYTIC` has another formula for those which are
not (NumPy computes them for real numbers only, or they take an absolute value), `TORCH` has what is left.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd as ag
from autograd import trees

try:
    import torch
except ImportError:
    torch = None

STEP = 1e-20


class NotAnalyticError(Exception):
    """The formula cannot be used with complex numbers."""


def complex_step(formula: Callable[..., Any], xs: Sequence[np.ndarray], bars: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the gradient of <bars, formula(*xs)> by each of xs, element by element.

    Args:
        formula: takes arrays like xs, real or complex, and returns nested arrays.
        xs: where.
        bars: one for each floating-point output of the formula, in order.

    Raises:
        NotAnalyticError: the formula refuses complex numbers or drops the imaginary part.
    """
    gradients = [np.zeros(x.shape) for x in xs]
    for position, x in enumerate(xs):
        for element in np.ndindex(x.shape):
            z = x.astype(complex)
            z[element] += STEP * 1j
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", np.exceptions.ComplexWarning)
                    outputs = trees.leaves(formula(*xs[:position], z, *xs[position + 1 :]))
            except (TypeError, ValueError, np.exceptions.ComplexWarning) as error:
                raise NotAnalyticError from error
            moving = [np.asarray(y) for y in outputs if np.asarray(y).dtype.kind in "fc"]
            if len(moving) != len(bars) or not any(y.dtype.kind == "c" for y in moving):
                raise NotAnalyticError
            gradients[position][element] = sum(np.sum(b * y.imag) for b, y in zip(bars, moving, strict=True)) / STEP
    return gradients


def by_torch(formula: Callable[..., Any], xs: Sequence[np.ndarray], bars: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the gradient of <bars, formula(*xs)> by each of xs, where formula takes and returns torch's tensors."""
    tensors = [torch.tensor(np.array(x), requires_grad=True) for x in xs]
    outputs = [y for y in trees.leaves(formula(*tensors)) if y.requires_grad]
    found = torch.autograd.grad(outputs, tensors, [torch.tensor(np.asarray(b)) for b in bars], allow_unused=True)
    return [np.zeros(x.shape) if g is None else g.numpy() for x, g in zip(xs, found, strict=True)]


# --- Formulas that are analytic where the reference is not ---------------------------------------------------


def _erf(x: Any) -> Any:
    """Return the error function by its series e^(-x^2) 2x / sqrt(pi) sum_n (2 x^2)^n / (1 3 5 .. (2n + 1))."""
    total = term = np.ones_like(x)
    for n in range(1, 80):
        term = term * (2 * x * x / (2 * n + 1))
        total = total + term
    return 2 / np.sqrt(np.pi) * x * np.exp(-x * x) * total


def _side(x: Any) -> Any:
    """Return the sign of the real part: constant along the step."""
    return np.sign(np.real(x))


def _quotient(rounding: np.ufunc) -> Callable[..., Any]:
    return lambda x, y: x - rounding(np.real(x) / np.real(y)) * y


ANALYTIC: dict[Any, Callable[..., Any]] = {
    ag.remainder: _quotient(np.floor),
    ag.fmod: _quotient(np.trunc),
    ag.cbrt: lambda x: _side(x) * np.exp(np.log(x * _side(x)) / 3),
    ag.logaddexp: lambda x, y: np.log(np.exp(x) + np.exp(y)),
    ag.logaddexp2: lambda x, y: np.log2(np.exp2(x) + np.exp2(y)),
    ag.exp2: lambda x: np.exp(x * np.log(2)),
    ag.deg2rad: lambda x: x * np.pi / 180,
    ag.radians: lambda x: x * np.pi / 180,
    ag.rad2deg: lambda x: x * 180 / np.pi,
    ag.degrees: lambda x: x * 180 / np.pi,
    ag.hypot: lambda x, y: np.sqrt(x * x + y * y),
    # The angle's logarithm: z = (x + iy) / r is e^(i angle), and i may not be used up for the step.
    ag.arctan2: lambda y, x: 2 * np.arctan(y / (np.sqrt(x * x + y * y) + x)),
    ag.absolute: lambda x: x * _side(x),
    ag.fabs: lambda x: x * _side(x),
    ag.copysign: lambda x, y: x * _side(x) * np.copysign(1, y),
    ag.erf: _erf,
    ag.gelu: lambda x: 0.5 * x * (1 + _erf(x / np.sqrt(2))),
}

TORCH: dict[Any, Callable[..., Any]] = {}

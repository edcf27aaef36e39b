"""What `minimize` lowers, as its methods see it: a function of one float64 vector, with the engine's derivatives.

A `Point` is a place where the function was evaluated. Derivatives are computed when they are asked for, and counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import Tensor, concatenate, hessian, no_grad, split, trees, value_and_grad, vjp
from autograd.tensor import raw

Array = NDArray[Any]
Product = Callable[[Array], Array]


class Objective:
    """A scalar function of nested arrays, as a function of one vector that holds all their numbers.

    Args:
        f: takes Tensors nested like x0 and returns a Tensor with one element.
        x0: nested arrays; integers become float64.

    Attributes:
        start: the numbers of x0 in one float64 vector (n,).
        counts: how often "function", "gradient" and "hessian" were computed.

    Raises:
        TypeError: x0 holds something that is no real number.
        ValueError: x0 holds no number.
    """

    def __init__(self, f: Callable[[Any], Any], x0: Any) -> None:
        self.f = f
        self.structure = x0
        arrays = [_floats(leaf) for leaf in trees.leaves(x0)]
        self.layout = [(array.shape, array.dtype) for array in arrays]
        self.cuts: list[int] = np.cumsum([array.size for array in arrays])[:-1].tolist()
        self.start: Array = np.concatenate([array.ravel().astype(np.float64) for array in arrays] or [np.empty(0)])
        self.counts = {"function": 0, "gradient": 0, "hessian": 0}
        if not self.start.size:
            raise ValueError("minimize: x0 holds no number")

    def nested(self, x: Any) -> Any:
        """Return the numbers of a vector, array or Tensor, nested, shaped and typed like x0."""
        parts = split(x, self.cuts) if self.cuts else [x]
        return trees.rebuild(self.structure, map(_as, parts, *zip(*self.layout, strict=True)))

    def scalar(self, x: Any) -> Any:
        """Return f's value at a vector, a Tensor ()."""
        y = _recorded(self.f(self.nested(x)))
        if y.size != 1:
            raise ValueError(f"minimize: expected f to return a tensor with one element, got shape {y.shape}")
        return y.reshape(())

    def at(self, x: Array) -> Point:
        """Evaluate the function."""
        self.counts["function"] += 1
        with no_grad(), np.errstate(all="ignore"):
            return Point(self, x, *vjp(self.scalar, x))

    def hessian(self, x: Array) -> Array:
        """Return the matrix of second derivatives (n, n), symmetric to the bit."""
        self.counts["hessian"] += 1
        with no_grad(), np.errstate(all="ignore"):
            matrix: Array = hessian(self.scalar)(x)
        return (matrix + matrix.T) / 2

    def product(self, x: Array) -> Product:
        """Return the function v -> H v of the Hessian at x; its gradient is recorded once for all products."""
        with no_grad(), np.errstate(all="ignore"):
            _, pullback = vjp(lambda x: value_and_grad(self.scalar)(x)[1], x)

        def product(v: Array) -> Array:
            self.counts["hessian"] += 1
            with no_grad(), np.errstate(all="ignore"):
                answer: Array = pullback(v)[0]
            return answer

        return product


class Point:
    """A place and the function's value there.

    Attributes:
        x: the place, (n,).
        value: the function's value; nan, where it has none, counts as infinite.
        precision: about how large the rounding error of the value is.
    """

    def __init__(self, objective: Objective, x: Array, y: Any, pullback: Callable[[Any], tuple[Any, ...]]) -> None:
        self.objective = objective
        self.x = x
        self.value = _finite_or_infinite(y)
        self.precision = 4 * float(np.finfo(y.dtype).eps) * abs(self.value)
        self._pullback: Callable[[Any], tuple[Any, ...]] | None = pullback
        self._gradient: Array | None = None

    @property
    def gradient(self) -> Array:
        """The gradient (n,)."""
        if self._gradient is None:
            assert self._pullback is not None
            self.objective.counts["gradient"] += 1
            with no_grad(), np.errstate(all="ignore"):
                (self._gradient,) = self._pullback(1.0)
            self._pullback = None  # and with it the graph
        return self._gradient

    @property
    def gradient_norm(self) -> float:
        """The gradient's largest element, in absolute value."""
        return float(np.abs(self.gradient).max())

    def is_finite(self) -> bool:
        """Return whether the value and the gradient are numbers."""
        return math.isfinite(self.value) and bool(np.isfinite(self.gradient).all())


class LeastSquares(Objective):
    """Half the sum of squares of the residuals |r(x)|^2 / 2; f returns r, in one array or nested ones.

    See `Objective`.
    """

    def residuals(self, x: Any) -> Any:
        """Return all residuals at a vector, a Tensor (m,)."""
        y = self.f(self.nested(x))
        if isinstance(y, (list, tuple, dict)):
            return _recorded(concatenate([part.reshape(-1) for part in trees.leaves(y)]))
        if _recorded(y).ndim == 0:
            raise ValueError(
                "minimize: levenberg-marquardt expects f to return the residuals, the sum of whose squares is to be "
                "lowered, got a tensor of shape (); return them before they are squared and summed"
            )
        return y.reshape(-1)

    def at(self, x: Array) -> Residuals:
        """Evaluate the residuals."""
        self.counts["function"] += 1
        with no_grad(), np.errstate(all="ignore"):
            return Residuals(self, x, *vjp(self.residuals, x))


class Residuals(Point):
    """A place, the residuals and half the sum of their squares there.

    Attributes:
        r: the residuals, (m,).
    """

    def __init__(self, objective: Objective, x: Array, r: Array, pullback: Callable[[Any], tuple[Any, ...]]) -> None:
        half = np.multiply(0.5, r @ r, dtype=r.dtype)
        super().__init__(objective, x, half, pullback)
        self.r = r.astype(np.float64)
        self._dtype = r.dtype
        self._jacobian: Array | None = None

    @property
    def jacobian(self) -> Array:
        """The derivatives of the residuals, (m, n): one sweep for each residual, or for each element of x if fewer."""
        if self._jacobian is None:
            assert self._pullback is not None
            self.objective.counts["gradient"] += 1
            with no_grad(), np.errstate(all="ignore"):
                self._jacobian = _jacobian(self._pullback, self.r.astype(self._dtype), self.x)
            self._pullback = None
        return self._jacobian

    @property
    def gradient(self) -> Array:
        """The gradient J^T r, (n,)."""
        return self.jacobian.T @ self.r


def _jacobian(pullback: Callable[[Any], tuple[Any, ...]], r: Array, x: Array) -> Array:
    if r.size <= x.size:
        rows = [pullback(one)[0] for one in np.eye(r.size, dtype=r.dtype)]
        return np.stack(rows) if rows else np.empty((0, x.size))
    # The pullback is linear, ybar -> J^T ybar: its own pullback is v -> J v.
    _, push = vjp(lambda ybar: pullback(ybar)[0], r)
    return np.stack([push(one)[0] for one in np.eye(x.size)], axis=1).astype(np.float64)


def _floats(leaf: Any) -> Array:
    array = np.asarray(raw(leaf))
    if array.dtype.kind not in "fiu":
        raise TypeError(f"minimize: expected x0 to hold floats, got {array.dtype}")
    return array if array.dtype.kind == "f" else array.astype(np.float64)


def _as(part: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    part = part if part.shape == shape else part.reshape(shape)
    return part if part.dtype == dtype else part.astype(dtype)


def _recorded(y: Any) -> Any:
    """Return y if it is a tensor that remembers how it came about."""
    if type(y) is not Tensor or not y.requires_grad:
        raise TypeError(
            f"minimize: expected f to return a tensor computed from x, got {y!r}, which has no gradient; did f use "
            ".item(), .data or float()?"
        )
    return y


def _finite_or_infinite(y: Any) -> float:
    value = float(y)
    return math.inf if math.isnan(value) else value

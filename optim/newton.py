"""Newton's method for `minimize`: with the Hessian, or with its products where it would be too large."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optim.line_search import LineSearchMethod

if TYPE_CHECKING:
    from optim.objective import Array, Point, Product


@dataclass
class Newton(LineSearchMethod):
    """Steps -H^-1 g, made shorter or longer by a line search; one step solves a quadratic.

    Where H is not positive definite, its eigenvalues count by their absolute values, so that the step leads away from
    a saddle. For many numbers, H p = -g is solved inexactly by conjugate gradients from Hessian-vector products; a
    direction of negative curvature ends that.

    Args:
        dense: whether to compute H; None does up to 200 numbers.
        c1: see `StrongWolfe`.
        c2: see `StrongWolfe`.

    Raises:
        ValueError: c1 or c2 out of range.

    Source: Nocedal and Wright, "Numerical optimization" (2006), section 3.4 and algorithm 7.1.
    """

    dense: bool | None = None

    def step(self, point: Point) -> Point | None:
        """Return the point after one step; None if no step lowers f."""
        dense = point.x.size <= 200 if self.dense is None else self.dense
        direction = _dense_direction(point) if dense else _product_direction(point)
        return self.along(point, direction, 1.0)


def _dense_direction(point: Point) -> Array:
    H = point.objective.hessian(point.x)
    if not (np.isfinite(H).all() and H.any()):
        return -point.gradient
    eigenvalues, vectors = np.linalg.eigh(H)
    size = np.abs(eigenvalues)
    smallest = float(np.finfo(np.float64).eps) * size.size * size.max()
    direction: Array = -vectors @ (vectors.T @ point.gradient / np.maximum(size, smallest))
    return direction


def _product_direction(point: Point) -> Array:
    norm = float(np.linalg.norm(point.gradient))
    return conjugate_gradients(point.objective.product(point.x), -point.gradient, min(0.5, math.sqrt(norm)) * norm)


def conjugate_gradients(product: Product, b: Array, tolerance: float) -> Array:
    """Solve A x = b from products with A; in at most n steps, were it not for rounding.

    Args:
        product: v -> A v, with A symmetric (n, n).
        b: right side (n,).
        tolerance: stop when |b - A x| is no larger.

    Returns:
        x, or where A is not positive definite the x before a direction of no or negative curvature (b, if it is the
        first).

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithms 5.2 and 7.1.
    """
    x = np.zeros_like(b)
    residual = direction = b
    square = float(residual @ residual)
    for step in range(2 * b.size):
        if math.sqrt(square) <= tolerance:
            break
        image = product(direction)
        curvature = float(direction @ image)
        if not curvature > 0:
            return b if step == 0 else x
        length = square / curvature
        x = x + length * direction
        residual = residual - length * image
        before, square = square, float(residual @ residual)
        direction = residual + square / before * direction
    return x

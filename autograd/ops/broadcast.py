"""Broadcasting and its adjoint: `broadcast_to` and `sum_to`, each the other's rule."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.numpy_api import register
from autograd.primitive import primitive


def _sum_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    """Return the sum over the axes along which an array of `shape` would be repeated to have x's shape.

    Raises:
        ValueError: x's shape is not a broadcast of `shape`.
    """
    extra = x.ndim - len(shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[extra:], strict=True)):
        raise ValueError(f"an array of shape {x.shape} is no broadcast of shape {shape}")
    axes = (*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and x.shape[extra + i] != 1))
    return x.sum(axis=axes).reshape(shape)


sum_to: Any = primitive(_sum_to, x=lambda ybar, x_shape: _broadcast(ybar, shape=x_shape))


def _broadcast_to(x: Any, *, shape: tuple[int, ...]) -> Any:
    lengths = getattr(x, "shape", ())
    if len(lengths) <= len(shape) and math.prod(shape) < 2**15:  # for more, writing takes longer than making a view
        repeated = np.empty(shape, getattr(x, "dtype", type(x)))
        if lengths:
            np.copyto(repeated, x)
        else:
            repeated.fill(x)
        return repeated
    return np.broadcast_to(x, shape)


_broadcast: Any = primitive(
    _broadcast_to,
    name="broadcast_to",
    x=lambda ybar, x_shape: sum_to(ybar, shape=x_shape),
)


def broadcast_to(array: Any, shape: int | Sequence[int]) -> Any:
    """Return the array repeated to `shape`, as NumPy's broadcasting does.

    Raises:
        ValueError: the array's shape does not broadcast to `shape`.
    """
    return _broadcast(array, shape=tuple(shape) if isinstance(shape, Sequence) else (operator.index(shape),))


__all__ = ["broadcast_to", "sum_to"]
register({np.broadcast_to: broadcast_to})

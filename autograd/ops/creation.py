"""Arrays of a constant, shaped like another: a Tensor for a Tensor, an array for an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.numpy_api import register
from autograd.primitive import primitive

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

Shape = int | Sequence[int] | None


def _zeros_like(a: Any, dtype: DTypeLike | None = None, shape: Shape = None) -> Any:
    """Return zeros with the shape and dtype of `a`, or those given."""
    return np.zeros_like(a, dtype, shape=shape)


def _ones_like(a: Any, dtype: DTypeLike | None = None, shape: Shape = None) -> Any:
    """Return ones with the shape and dtype of `a`, or those given."""
    return np.ones_like(a, dtype, shape=shape)


def _empty_like(a: Any, dtype: DTypeLike | None = None, shape: Shape = None) -> Any:
    """Return an array with the shape and dtype of `a`, or those given, to be written to; it holds zeros.

    Left unset, its elements could be NaN, and a graph that is evaluated again would not give the same.
    """
    return np.zeros_like(a, dtype, shape=shape)


def _full_like(a: Any, fill_value: Any, dtype: DTypeLike | None = None, shape: Shape = None) -> Any:
    """Return `fill_value`, repeated to the shape of `a` and converted to its dtype, or those given.

    Unlike the others it can be differentiated, by `fill_value`.
    """
    return np.full_like(a, fill_value, dtype, shape=shape)


zeros_like, ones_like, empty_like = (primitive(forward, a=None) for forward in (_zeros_like, _ones_like, _empty_like))
full_like = primitive(_full_like, a=None, fill_value=lambda ybar, fill_value_dtype: ybar.astype(fill_value_dtype))

__all__ = ["empty_like", "full_like", "ones_like", "zeros_like"]
register({np.zeros_like: zeros_like, np.ones_like: ones_like, np.empty_like: empty_like, np.full_like: full_like})

"""Operations that move, repeat, pad or pick elements without computing with them, `diff` and `interp`.

Their rules come in pairs, each the other's, or are their own. Joining and splitting is in `joining`, indexing in
`indexing`, broadcasting in `broadcast`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd import numpy_api
from autograd.ops.broadcast import broadcast_to
from autograd.ops.elementwise import clip, where
from autograd.ops.indexing import scatter_add, take
from autograd.primitive import primitive
from autograd.tensor import Tensor

# --- Axes --------------------------------------------------------------------------------------------------

_reshape = primitive(
    lambda a, *, shape: a.reshape(shape), name="reshape", a=lambda ybar, a_shape: ybar.reshape(a_shape)
)


def reshape(a: Any, shape: int | Sequence[int]) -> Any:
    """Return the elements of `a` in another shape, last axis fastest; one length may be -1."""
    return _reshape(a, shape=shape if type(shape) is tuple else _as_tuple(shape))


def ravel(a: Any) -> Any:
    """Return the elements of `a` along one axis."""
    return _reshape(a, shape=(-1,))


flatten = ravel


def _as_tuple(value: Any) -> tuple[int, ...]:
    """Return an integer, or a sequence of them, as a tuple."""
    return tuple(map(operator.index, value)) if np.iterable(value) else (operator.index(value),)


def _inverse(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if axes is None:
        return None
    order = [axis % len(axes) for axis in axes]
    return tuple(map(order.index, range(len(axes))))


_transpose = primitive(
    lambda a, *, axes: a.transpose(axes), name="transpose", a=lambda ybar, axes: transpose(ybar, _inverse(axes))
)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `a` with its axes in another order; reversed if none is given."""
    return _transpose(a, axes=None if axes is None else _as_tuple(axes))


swapaxes = primitive(
    lambda a, axis1=0, axis2=0: a.swapaxes(axis1, axis2),
    name="swapaxes",
    a=lambda ybar, axis1, axis2: ybar.swapaxes(axis1, axis2),
)

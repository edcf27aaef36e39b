"""Sorting, and taking and adding elements along one axis.

`take_along_axis` and `scatter_along_axis` are each the other's rule; the rules of the sorts are made of them.
Results that are places rather than values (`argsort`, `searchsorted`) have no gradient.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.numpy_api import register
from autograd.ops.broadcast import sum_to
from autograd.primitive import primitive

# --- Taking and adding along an axis -----------------------------------------------------------------------


def _take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    """Return the elements of `arr` at `indices` along an axis, as NumPy's `take_along_axis`.

    Args:
        arr: any shape.
        indices: integers, of a shape that broadcasts with arr's but on `axis`.
        axis: along which to take; None: arr is flattened and indices are 1-D.
    """
    return np.take_along_axis(np.asarray(arr), np.asarray(indices), axis=axis)


def _scattered(ybar: Any, indices: Any, arr_shape: tuple[int, ...], axis: int | None) -> Any:
    if axis is not None:
        return scatter_along_axis(ybar, indices, axis=axis, shape=arr_shape)
    return scatter_along_axis(ybar, indices, axis=0, shape=(math.prod(arr_shape),)).reshape(arr_shape)


take_along_axis = primitive(_take_along_axis, arr=_scattered, indices=None)


def _scatter_along_axis(values: Any, indices: Any, axis: int = -1, *, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` to which `values` are added at `indices` along an axis; repeated indices add up.

    Args:
        values: of a shape that broadcasts to that of the indices, themselves broadcast to `shape` but on `axis`.
        indices: integers, of a shape that broadcasts with `shape` but on `axis`.
        axis: along which the indices count.
        shape: of the result.

    Raises:
        IndexError: an index is out of range, or not an integer.
        ValueError: indices do not have the number of axes of `shape`.
    """
    values = np.asarray(values)
    out = np.zeros(math.prod(shape), values.dtype)
    # One flat index: NumPy adds at such places seven times faster than at a grid of several.
    places = np.take_along_axis(np.arange(out.size).reshape(shape), np.asarray(indices), axis=axis)
    np.add.at(out, places.reshape(-1), np.broadcast_to(values, places.shape).reshape(-1))
    return out.reshape(shape)


scatter_along_axis = primitive(
    _scatter_along_axis,
    values=lambda ybar, indices, axis, values_shape: sum_to(
        take_along_axis(ybar, indices, axis=axis), shape=values_shape
    ),
    indices=None,
)

# --- Sorting -----------------------------------------------------------------------------------------------


def _argsort(a: Any, axis: int | None = -1, kind: Any = "stable") -> Any:
    """Return the indices that sort along an axis, equal elements in the order they had; no gradient.

    Args:
        a: any shape.
        axis: along which; None: of the flattened array.
        kind: NumPy's sorting algorithm.
    """
    return np.argsort(a, axis=axis, kind=kind)


argsort = primitive(_argsort, a=None)


def _sort(a: Any, axis: int | None = -1, kind: Any = None) -> Any:
    """Return a sorted copy; each element's bar goes back to where it came from.

    Equal elements count as sorted in the order they had, whatever the algorithm.

    Args:
        a: any shape.
        axis: along which; None: the flattened array.
        kind: NumPy's sorting algorithm.
    """
    return np.sort(a, axis=axis, kind=kind)


sort = primitive(_sort, a=lambda ybar, a, axis: _scattered(ybar, argsort(a, axis=axis), a.shape, axis))


def _argpartition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """Return the indices that `partition` along an axis; no gradient.

    Args:
        a: any shape.
        kth: the place, or the places, whose elements are to be where sorting would put them.
        axis: along which; None: of the flattened array.
    """
    return np.argpartition(a, kth, axis=axis)


argpartition = primitive(_argpartition, a=None, kth=None)


def partition(a: Any, kth: Any, axis: int | None = -1) -> Any:
    """Return a copy with the smaller elements before, the larger ones after the kth; order is else arbitrary.

    Args:
        a: any shape.
        kth: the place, or the places, whose elements are to be where sorting would put them.
        axis: along which; None: the flattened array.
    """
    return take_along_axis(a, argpartition(a, kth, axis=axis), axis=axis)


def _searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Any:
    """Return where `v` would have to be inserted into the sorted 1-D array `a`; no gradient."""
    return np.searchsorted(a, v, side=side, sorter=sorter)  # type: ignore[call-overload]


def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    """Return the number of the bin that each element of x falls into; no gradient."""
    return np.digitize(x, bins, right=right)


searchsorted = primitive(_searchsorted, a=None, v=None)
digitize = primitive(_digitize, x=None, bins=None)

__all__ = [
    "argpartition",
    "argsort",
    "digitize",
    "partition",
    "scatter_along_axis",
    "searchsorted",
    "sort",
    "take_along_axis",
]
register({np.sort: sort, np.argsort: argsort, np.partition: partition, np.argpartition: argpartition})
register({np.searchsorted: searchsorted, np.digitize: digitize, np.take_along_axis: take_along_axis})

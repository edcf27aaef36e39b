"""Indexing: `t[index]`, its adjoint `scatter_add`, item assignment and `take`.

An index is kept as a static parameter, as it was at the time of the call. Tensors in it (`x[x > 0]`, `x[i, mask]`)
are arguments without a gradient instead, so that a graph that is evaluated again computes them anew: the parameter
then has `SLOT` in their places.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd.numpy_api import register
from autograd.ops.broadcast import sum_to
from autograd.ops.elementwise import where
from autograd.primitive import primitive
from autograd.tensor import Tensor, as_array


class _Slot:
    """Stands in an index for the next of the arrays that are passed beside it."""

    def __repr__(self) -> str:
        return "array"


SLOT = _Slot()


# --- The index as a parameter ------------------------------------------------------------------------------


def _split(index: Any) -> tuple[Any, list[Any]]:
    """Return the index with slots for its tensors, safe from later changes, and the tensors."""
    tensors: list[Any] = []
    if type(index) is tuple:
        return tuple([_frozen(item, tensors) for item in index]), tensors
    item = _frozen(index, tensors)
    return ((item,) if tensors else item), tensors


def _frozen(item: Any, tensors: list[Any]) -> Any:
    """Return one item of an index as int, bool, slice, None, Ellipsis, an array of its own, or a slot."""
    kind = type(item)
    if kind is int or kind is bool or item is None or item is Ellipsis:
        return item
    if kind is slice:
        return item if _is_plain(item.start) and _is_plain(item.stop) and _is_plain(item.step) else _plain(item)
    array = _index_array(item)
    if type(array) is Tensor:
        tensors.append(array)
        return SLOT
    return array if array.ndim or array.dtype.kind not in "iub" else array.item()


def _index_array(item: Any) -> Any:
    """Return an index, a list perhaps, as a tensor if there are tensors in it, else as an array of its own."""
    if type(item) is Tensor:
        return item
    if isinstance(item, (list, tuple)):
        if any(type(element) is Tensor for element in item):
            return np.stack(item)
        if not item:
            return np.zeros(0, np.intp)
    return np.array(item)


def _is_plain(bound: Any) -> bool:
    return bound is None or type(bound) is int


def _plain(item: slice) -> slice:
    """Return a slice whose bounds, tensors perhaps, are read now."""
    bounds = (item.start, item.stop, item.step)
    return slice(*(None if bound is None else operator.index(bound) for bound in bounds))


def _joined(index: Any, arrays: tuple[Any, ...]) -> Any:
    """Return the index with the arrays in its slots."""
    if not arrays:
        return index
    following = iter(arrays)
    return tuple(next(following) if item is SLOT else item for item in index)


def _repeats(index: Any, arrays: tuple[Any, ...]) -> bool:
    """Tell whether the index may name an element twice: only arrays of integers can."""
    for item in (*index, *arrays) if type(index) is tuple else (index,):
        if _is_array(item) and item.dtype.kind != "b":
            return True
    return False


def _is_array(item: Any) -> bool:
    return hasattr(item, "ndim") and item.ndim > 0


def _positions(index: Any, shape: tuple[int, ...]) -> Any:
    """Return which elements an index names, counted through an array of this shape."""
    return np.arange(math.prod(shape)).reshape(shape)[index]


# --- getitem and scatter_add: each the other's rule --------------------------------------------------------


def _forward_getitem(x: Any, *arrays: Any, index: Any) -> Any:
    return x[_joined(index, arrays)]


def _forward_scatter_add(values: Any, *arrays: Any, index: Any, shape: tuple[int, ...]) -> Any:
    out = np.zeros(shape, values.dtype)
    full = _joined(index, arrays)
    if not _repeats(index, arrays):
        out[full] = values
        return out
    items = full if type(full) is tuple else (full,)
    if len(items) == len(shape) and all(map(_is_array, items)):
        np.add.at(out, full, values)
        return out
    # np.add.at is quick for one element at a time, and slow for rows: so name every element.
    positions = _positions(full, shape)
    np.add.at(out.reshape(-1), positions.ravel(), np.broadcast_to(values, positions.shape).ravel())
    return out


_getitem: Any = primitive(
    _forward_getitem,
    name="getitem",
    notation="{}[{index}]",
    x=lambda ybar, arrays, index, x_shape: _scatter_add(ybar, *arrays, index=index, shape=x_shape),
    arrays=None,
)
_scatter_add: Any = primitive(
    _forward_scatter_add,
    name="scatter_add",
    values=lambda ybar, arrays, index, values_shape: sum_to(_getitem(ybar, *arrays, index=index), shape=values_shape),
    arrays=None,
)


def getitem(x: Any, index: Any) -> Any:
    """Return `x[index]`: any index that NumPy takes, with tensors in it or not.

    Args:
        x: any shape.
        index: integers, slices, None, Ellipsis, masks, integer arrays, or a tuple of them.
    """
    if type(index) is int:
        return _getitem(x, index=index)
    template, tensors = _split(index)
    return _getitem(x, *tensors, index=template)


def scatter_add(values: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with `values` added at `index`; what is named several times adds up.

    Args:
        values: of a shape that broadcasts to that of `zeros(shape)[index]`.
        index: as for `getitem`.
        shape: of the result.

    Example:
        >>> scatter_add(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]), (3,))
        array([5., 0., 2.])
    """
    template, tensors = _split(index)
    return _scatter_add(as_array(values), *tensors, index=template, shape=tuple(shape))


# --- Item assignment ---------------------------------------------------------------------------------------


def _forward_setitem(x: Any, value: Any, *arrays: Any, index: Any) -> Any:
    out = np.array(x)
    needed = np.result_type(out, value)
    if not np.can_cast(needed, out.dtype, "same_kind"):
        raise TypeError(
            f"setitem: a value of dtype {np.asarray(value).dtype} does not fit into a tensor of dtype {out.dtype}; "
            "convert one of them with .astype()"
        )
    out[_joined(index, arrays)] = value
    return out


def _forward_last_writes(*arrays: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Return for each element that an index names whether no later one names the same."""
    positions = _positions(_joined(index, arrays), shape)
    order = np.arange(positions.size).reshape(positions.shape)
    last = np.empty(math.prod(shape), dtype=np.intp)
    last[positions] = order
    return last[positions] == order


_last_writes = primitive(_forward_last_writes, name="last_writes", arrays=None)


def _value_bar(ybar: Any, arrays: Any, index: Any, value_shape: tuple[int, ...]) -> Any:
    """Return the bar of what was assigned: where several values went to one element, the last of them stayed."""
    share = _getitem(ybar, *arrays, index=index)
    if _repeats(index, arrays):
        share = where(_last_writes(*arrays, index=index, shape=ybar.shape), share, 0)
    # NumPy lets a value have more leading axes of length 1 than its place has axes.
    extra = len(value_shape) - share.ndim
    return sum_to(share if extra <= 0 else share.reshape((1,) * extra + share.shape), shape=value_shape)


_setitem: Any = primitive(
    _forward_setitem,
    name="setitem",
    x=lambda ybar, arrays, index: _setitem(ybar, 0, *arrays, index=index),
    value=_value_bar,
    arrays=None,
)


def setitem(x: Any, index: Any, value: Any) -> Any:
    """Return a copy of x with `value` at `index`, in x's dtype; `t[index] = value` gives it to the handle t.

    Args:
        x: any shape.
        index: as for `getitem`; where it names an element several times, the last value stays.
        value: of a shape that broadcasts to that of `x[index]`.

    Raises:
        TypeError: the value's dtype is of another kind, as a float for an integer tensor.
    """
    template, tensors = _split(index)
    value = np.asarray(value) if isinstance(value, (list, tuple)) else value
    return _setitem(x, value, *tensors, index=template)


# --- By NumPy's functions ----------------------------------------------------------------------------------


def take(a: Any, indices: Any, axis: int | None = None) -> Any:
    """Return the elements of `a` at `indices` along an axis, or of `a` flattened.

    Args:
        a: any shape.
        indices: integers, any shape: it takes the place of the axis.
        axis: along which to take; None: flattened.

    Raises:
        TypeError: a mask for `indices`; write `a[mask]`.
    """
    indices = _index_array(indices)
    if indices.dtype.kind == "b":
        raise TypeError("take: expected integer indices, got bool; for a mask write a[mask]")
    a = as_array(a)
    if axis is None:
        return getitem(a.reshape(-1), indices)
    return getitem(a, (slice(None),) * normalize_axis_index(axis, a.ndim) + (indices,))


def _nonzero(a: Any) -> tuple[Any, ...]:
    """Return where `a` is not zero: an array of positions for each axis; no gradient."""
    return a.nonzero()  # type: ignore[no-any-return]


nonzero = primitive(_nonzero, a=None)

__all__ = ["getitem", "nonzero", "scatter_add", "setitem", "take"]
register({np.take: take, np.nonzero: nonzero})

"""Joining arrays and taking them apart: `concatenate` and `split`, `stack` and `unstack`, each the other's rule."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd.numpy_api import register
from autograd.ops.broadcast import broadcast_to
from autograd.ops.indexing import getitem
from autograd.ops.shape import atleast_1d, atleast_2d, atleast_3d, moveaxis, ravel, reshape
from autograd.primitive import primitive
from autograd.tensor import as_array

# --- Along an axis that is there: concatenate and split ----------------------------------------------------


def _forward_concatenate(*arrays: Any, axis: int) -> Any:
    """Return the arrays one behind the other, and where each begins and ends."""
    out = np.concatenate(arrays, axis)
    ends = itertools.accumulate([a.shape[axis] for a in map(np.asarray, arrays)], initial=0)
    return out, tuple(ends)


def _forward_split(ary: Any, *, points: tuple[int, ...], axis: int) -> Any:
    return tuple(ary[_between(axis, *ends)] for ends in itertools.pairwise(points))


def _between(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop),)


_concatenate = primitive(
    _forward_concatenate,
    name="concatenate",
    residuals=("ends",),
    arrays=lambda ybar, axis, ends, position: getitem(
        ybar, _between(axis % ybar.ndim, ends[position], ends[position + 1])
    ),
)
_split = primitive(_forward_split, name="split", ary=lambda bars, axis: np.concatenate(bars, axis=axis))


def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Return the arrays one behind the other along an axis.

    Args:
        arrays: of shapes that differ along `axis` only.
        axis: along which; None: each flattened.
    """
    if axis is None:
        return _concatenate(*(ravel(as_array(a)) for a in arrays), axis=0)
    return _concatenate(*arrays, axis=axis)


def _cut(ary: Any, indices_or_sections: Any, axis: int, *, equal: bool) -> tuple[Any, ...]:
    """Return the parts of an array; `equal` says that a number of parts must divide the length."""
    axis = normalize_axis_index(axis, ary.ndim)
    length = ary.shape[axis]
    if np.iterable(indices_or_sections):
        cuts = [operator.index(cut) for cut in indices_or_sections]
        points = (0, *(min(max(cut + length if cut < 0 else cut, 0), length) for cut in cuts), length)
        if any(start > stop for start, stop in itertools.pairwise(points)):
            raise ValueError(f"split: expected places to cut in increasing order, got {indices_or_sections}")
    else:
        parts = operator.index(indices_or_sections)
        if parts < 1:
            raise ValueError(f"split: expected at least one part, got {parts}")
        shorter, longer = divmod(length, parts)
        if equal and longer:
            raise ValueError(f"split: an axis of length {length} has no {parts} equal parts; use array_split")
        points = tuple(part * shorter + min(part, longer) for part in range(parts + 1))
    return _split(ary, points=points, axis=axis)  # type: ignore[no-any-return]


def split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Any, ...]:
    """Return the parts of an array along an axis, of equal length or between given places.

    Args:
        ary: at least one axis.
        indices_or_sections: how many parts, or the places before which to cut, in order.
        axis: along which.

    Raises:
        ValueError: the parts cannot be equal, or the places are not in order.
    """
    ary = as_array(ary)
    return _cut(ary, indices_or_sections, axis, equal=True)


def array_split(ary: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Any, ...]:
    """Return the parts of an array along an axis as `split` does; the first may be longer than the others by one."""
    return _cut(ary, indices_or_sections, axis, equal=False)


def vsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> tuple[Any, ...]:
    """Return the parts of an array along axis 0."""
    ary = as_array(ary)
    return split(_at_least(ary, 2, "vsplit"), indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> tuple[Any, ...]:
    """Return the parts of an array along axis 1, of a vector along axis 0."""
    ary = as_array(ary)
    return split(_at_least(ary, 1, "hsplit"), indices_or_sections, min(ary.ndim - 1, 1))


def dsplit(ary: Any, indices_or_sections: int | Sequence[int]) -> tuple[Any, ...]:
    """Return the parts of an array along axis 2."""
    ary = as_array(ary)
    return split(_at_least(ary, 3, "dsplit"), indices_or_sections, 2)


def _at_least(ary: Any, ndim: int, name: str) -> Any:
    if ary.ndim < ndim:
        raise ValueError(f"{name}: expected at least {ndim} axes, got shape {ary.shape}")
    return ary


# --- Along a new axis: stack and unstack -------------------------------------------------------------------

_stack = primitive(
    lambda *arrays, axis: np.stack(arrays, axis),
    name="stack",
    arrays=lambda ybar, axis, position: getitem(ybar, (slice(None),) * (axis % ybar.ndim) + (position,)),
)
_unstack = primitive(
    lambda x, *, axis: tuple(np.moveaxis(x, axis, 0)), name="unstack", x=lambda bars, axis: _stack(*bars, axis=axis)
)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Return the arrays, all of one shape, one behind the other along a new axis.

    Args:
        arrays: of one shape.
        axis: where the new axis stands in the result.
    """
    return _stack(*arrays, axis=axis)


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """Return the arrays that stand one behind the other along an axis.

    Raises:
        ValueError: x has no axis.
    """
    return _unstack(_at_least(x, 1, "unstack"), axis=axis)  # type: ignore[no-any-return]


# --- By NumPy's other names --------------------------------------------------------------------------------


def _several(change: Any, arrays: Sequence[Any]) -> Any:
    """Return the changed arrays, also of a single one, in a tuple."""
    return tuple(change(a) for a in arrays)


def vstack(tup: Sequence[Any]) -> Any:
    """Return the arrays one above the other: along axis 0, vectors as rows."""
    return concatenate(_several(atleast_2d, tup), 0)


def hstack(tup: Sequence[Any]) -> Any:
    """Return the arrays side by side: along axis 1, vectors along axis 0."""
    arrays = _several(atleast_1d, tup)
    return concatenate(arrays, 0 if arrays and arrays[0].ndim == 1 else 1)


def dstack(tup: Sequence[Any]) -> Any:
    """Return the arrays one behind the other along axis 2."""
    return concatenate(_several(atleast_3d, tup), 2)


def column_stack(tup: Sequence[Any]) -> Any:
    """Return the arrays side by side, vectors as columns."""
    arrays = [as_array(a) for a in tup]
    return concatenate([a if a.ndim > 1 else reshape(a, (a.size, 1)) for a in arrays], 1)


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """Return `values` behind `arr` along an axis, or both flattened."""
    return concatenate((arr, values), axis)


def meshgrid(*xi: Any, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    """Return the coordinates of the points of a grid, an array for each axis.

    Args:
        *xi: the coordinates along each axis.
        sparse: leave length 1 along the other axes, for broadcasting.
        indexing: "xy": the first coordinate runs along axis 1, the second along axis 0; "ij": in order.

    Raises:
        ValueError: another `indexing`.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f'meshgrid: expected indexing="xy" or "ij", got {indexing!r}')
    order = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        order[:2] = 1, 0
    arrays = [as_array(a) for a in xi]
    lines = [reshape(a, (-1,) + (1,) * (len(xi) - 1)) for a in arrays]
    grids = [line if axis == 0 else moveaxis(line, 0, axis) for line, axis in zip(lines, order, strict=True)]
    if sparse:
        return tuple(grids)
    shape = np.broadcast_shapes(*(grid.shape for grid in grids))
    return tuple(broadcast_to(grid, shape=shape) for grid in grids)


concat = concatenate

__all__ = [
    "append",
    "array_split",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "meshgrid",
    "split",
    "stack",
    "unstack",
    "vsplit",
    "vstack",
]
register({getattr(np, name): globals()[name] for name in __all__ if hasattr(np, name)})

"""Operations that move, repeat, pad or pick elements without computing with them; also `diff` and `interp`.

The adjoint of each is another of them, a sum, or indexing. Joining and splitting is in `joining`, indexing in
`indexing`, broadcasting in `broadcast`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd.numpy_api import register
from autograd.ops.broadcast import broadcast_to
from autograd.ops.elementwise import clip, where
from autograd.ops.indexing import getitem, scatter_add, take
from autograd.ops.ordering import searchsorted
from autograd.primitive import primitive
from autograd.tensor import as_array

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

# --- Shape and order of the axes ---------------------------------------------------------------------------

_reshape = primitive(
    lambda a, *, shape: a.reshape(shape), name="reshape", a=lambda ybar, a_shape: ybar.reshape(a_shape)
)
_transpose = primitive(
    lambda a, *, axes: a.transpose(axes), name="transpose", a=lambda ybar, axes: ybar.transpose(_inverse(axes))
)
_swapaxes = primitive(
    lambda a, *, axis1, axis2: a.swapaxes(axis1, axis2),
    name="swapaxes",
    a=lambda ybar, axis1, axis2: ybar.swapaxes(axis1, axis2),
)


def _squeeze(a: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Return `a` without those of its axes that have length 1, or without the given ones.

    Raises:
        ValueError: a given axis has another length.
    """
    return a.squeeze(axis)


squeeze = primitive(_squeeze, a=lambda ybar, a_shape: ybar.reshape(a_shape))


def _as_tuple(value: Any) -> tuple[int, ...]:
    """Return an integer, or a sequence of them, as a tuple."""
    return tuple(map(operator.index, value)) if np.iterable(value) else (operator.index(value),)


def _inverse(axes: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return the order that undoes a transposition."""
    if axes is None:
        return None
    order = [axis % len(axes) for axis in axes]
    return tuple(map(order.index, range(len(axes))))


def reshape(a: Any, shape: int | Sequence[int]) -> Any:
    """Return the elements of `a` in another shape, the last axis running fastest; one length may be -1."""
    return _reshape(a, shape=shape if type(shape) is tuple else _as_tuple(shape))


def ravel(a: Any) -> Any:
    """Return the elements of `a` along a single axis."""
    return _reshape(a, shape=(-1,))


flatten = ravel


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """Return `a` with its axes in the order `axes`; reversed if that is left out."""
    return _transpose(a, axes=None if axes is None else _as_tuple(axes))


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """Return `a` with two axes exchanged."""
    return _swapaxes(a, axis1=axis1, axis2=axis2)


def matrix_transpose(x: Any) -> Any:
    """Return x with its last two axes exchanged.

    Raises:
        ValueError: x has fewer than two axes.
    """
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: expected at least two axes, got shape {x.shape}")
    return _swapaxes(x, axis1=-1, axis2=-2)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Return `a` with the axes `source` moved to `destination`; the others keep their order.

    Raises:
        ValueError: another number of sources than of destinations.
    """
    a = as_array(a)
    sources = normalize_axis_tuple(source, a.ndim, "source")
    destinations = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(sources) != len(destinations):
        raise ValueError(f"moveaxis: expected as many sources as destinations, got {sources} and {destinations}")
    order = [axis for axis in range(a.ndim) if axis not in sources]
    for place, axis in sorted(zip(destinations, sources, strict=True)):
        order.insert(place, axis)
    return _transpose(a, axes=tuple(order))


def expand_dims(a: Any, axis: int | Sequence[int]) -> Any:
    """Return `a` with axes of length 1 that stand at `axis` in the result."""
    a = as_array(a)
    ndim = a.ndim + len(_as_tuple(axis))
    new = normalize_axis_tuple(axis, ndim)
    lengths = iter(a.shape)
    return _reshape(a, shape=tuple(1 if place in new else next(lengths) for place in range(ndim)))


def _each(change: Callable[[Any], Any], arrays: Sequence[Any]) -> Any:
    """Return the changed array, or a tuple of them if there are several."""
    changed = tuple(change(as_array(a)) for a in arrays)
    return changed[0] if len(changed) == 1 else changed


def atleast_1d(*arys: Any) -> Any:
    """Return each array with at least one axis; several in a tuple."""
    return _each(lambda a: a if a.ndim else reshape(a, (1,)), arys)


def atleast_2d(*arys: Any) -> Any:
    """Return each array with at least two axes, new ones in front; several in a tuple."""
    return _each(lambda a: a if a.ndim > 1 else reshape(a, (1, a.size)), arys)


def atleast_3d(*arys: Any) -> Any:
    """Return each array with at least three axes: (n,) becomes (1, n, 1), and (m, n) becomes (m, n, 1)."""
    return _each(lambda a: a if a.ndim > 2 else reshape(a, (*a.shape, 1) if a.ndim == 2 else (1, a.size, 1)), arys)


def broadcast_arrays(*args: Any) -> tuple[Any, ...]:
    """Return the arrays, each repeated to the shape that they have together."""
    arrays = [as_array(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple(broadcast_to(a, shape=shape) for a in arrays)


# --- The same elements, copied or converted ----------------------------------------------------------------


def _clone(a: Any) -> Any:
    """Return a copy, recorded as such: gradients flow through it, and the copy can be written to."""
    return a.copy()


clone = primitive(_clone, a=lambda ybar: ybar)
copy = clone

_astype = primitive(lambda x, *, dtype: x.astype(dtype), name="astype", x=lambda ybar, x_dtype: ybar.astype(x_dtype))


def astype(x: Any, dtype: DTypeLike) -> Any:
    """Return x converted to `dtype`; no gradient flows through an integer or boolean one."""
    return _astype(x, dtype=np.dtype(dtype))


# --- The same elements in other places ---------------------------------------------------------------------


def _flip(m: Any, axis: int | tuple[int, ...] | None = None) -> Any:
    """Return `m` in reverse order along one axis, several, or all."""
    return np.flip(m, axis)


flip: Any = primitive(_flip, m=lambda ybar, axis: flip(ybar, axis=axis))


def fliplr(m: Any) -> Any:
    """Return `m` in reverse order along axis 1."""
    return flip(m, axis=1)


def flipud(m: Any) -> Any:
    """Return `m` in reverse order along axis 0."""
    return flip(m, axis=0)


_roll: Any = primitive(
    lambda a, *, shift, axis: np.roll(a, shift, axis),
    name="roll",
    a=lambda ybar, shift, axis: _roll(ybar, shift=tuple(-n for n in shift), axis=axis),
)


def roll(a: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Any:
    """Return `a` with its elements moved on by `shift` places; what leaves at the end comes in at the start.

    Args:
        a: any shape.
        shift: by how many places; one number, or one for each axis.
        axis: along which; None: through the elements in order, last axis fastest.
    """
    return _roll(a, shift=_as_tuple(shift), axis=None if axis is None else _as_tuple(axis))


def _rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Return `m` turned by k quarters in the plane of two axes, from the first towards the second."""
    return np.rot90(m, k, axes)


rot90: Any = primitive(_rot90, m=lambda ybar, k, axes: rot90(ybar, k=-k, axes=axes))


# --- Repeating: the adjoint sums the copies ----------------------------------------------------------------

_repeat = primitive(
    lambda a, *, repeats, axis: a.repeat(repeats, axis),
    name="repeat",
    a=lambda ybar, a_shape, repeats, axis: ybar.reshape(_grouped(a_shape, repeats, axis)).sum(axis=axis + 1),
)
_tile = primitive(
    lambda A, *, reps: np.tile(A, reps),
    name="tile",
    A=lambda ybar, A_shape, reps: (
        ybar.reshape(_tiles(A_shape, reps)).sum(axis=(*range(0, 2 * ybar.ndim, 2),)).reshape(A_shape)
    ),
)


def _grouped(shape: tuple[int, ...], repeats: int, axis: int) -> tuple[int, ...]:
    """Return a shape in which the copies of an element have an axis of their own."""
    return (*shape[: axis + 1], repeats, *shape[axis + 1 :])


def _tiles(shape: tuple[int, ...], reps: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape with two axes for each of the result: which tile, and where in it."""
    ndim = max(len(shape), len(reps))
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - len(shape)) + shape
    return tuple(length for pair in zip(reps, shape, strict=True) for length in pair)


def repeat(a: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return `a` with each element repeated, copies side by side.

    Args:
        a: any shape.
        repeats: how often; one number, or one for each element along the axis.
        axis: along which; None: of `a` flattened.
    """
    a = as_array(a)
    if axis is None:
        a, axis = ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    counts = np.asarray(repeats)
    if counts.size == 1:
        return _repeat(a, repeats=operator.index(counts.item()), axis=axis)
    return take(a, np.arange(a.shape[axis]).repeat(counts), axis)


def tile(A: Any, reps: int | Sequence[int]) -> Any:
    """Return `A` laid out `reps` times along each axis; a short list counts from the last axis."""
    return _tile(A, reps=_as_tuple(reps))


# --- Diagonals and triangles -------------------------------------------------------------------------------


def _diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the diagonal of the matrices in the plane of two axes, along a new last axis.

    Args:
        a: at least two axes.
        offset: how far above the main diagonal.
        axis1: counts the rows of the matrices.
        axis2: counts their columns.
    """
    return a.diagonal(offset, axis1, axis2)


def _forward_from_diagonal(values: Any, *, shape: tuple[int, ...], offset: int, axis1: int, axis2: int) -> Any:
    """Return zeros of `shape` with these values on a diagonal."""
    out = np.zeros(shape, values.dtype)
    steps = np.arange(values.shape[-1])
    np.moveaxis(out, (axis1, axis2), (-2, -1))[..., steps + max(-offset, 0), steps + max(offset, 0)] = values
    return out


diagonal = primitive(
    _diagonal,
    a=lambda ybar, a_shape, offset, axis1, axis2: _from_diagonal(
        ybar, shape=a_shape, offset=offset, axis1=axis1, axis2=axis2
    ),
)
_from_diagonal: Any = primitive(
    _forward_from_diagonal,
    name="from_diagonal",
    values=lambda ybar, offset, axis1, axis2: diagonal(ybar, offset=offset, axis1=axis1, axis2=axis2),
)


def diag(v: Any, k: int = 0) -> Any:
    """Return the matrix with the vector v on its k-th diagonal, or the k-th diagonal of the matrix v.

    Raises:
        ValueError: v has neither one nor two axes.
    """
    v = as_array(v)
    if v.ndim == 2:
        return diagonal(v, offset=k, axis1=0, axis2=1)
    if v.ndim != 1:
        raise ValueError(f"diag: expected a vector or a matrix, got shape {v.shape}")
    size = v.shape[0] + abs(k)
    return _from_diagonal(v, shape=(size, size), offset=k, axis1=0, axis2=1)


def diagflat(v: Any, k: int = 0) -> Any:
    """Return the matrix with the elements of v, flattened, on its k-th diagonal."""
    return diag(ravel(v), k)


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the sum along the diagonal of the matrices in the plane of two axes."""
    a = as_array(a)
    return diagonal(a, offset=offset, axis1=axis1, axis2=axis2).sum(axis=-1)


def _tril(m: Any, k: int = 0) -> Any:
    """Return the matrices with zeros above the k-th diagonal."""
    return np.tril(m, k)


def _triu(m: Any, k: int = 0) -> Any:
    """Return the matrices with zeros below the k-th diagonal."""
    return np.triu(m, k)


tril: Any = primitive(_tril, m=lambda ybar, k: tril(ybar, k=k))
triu: Any = primitive(_triu, m=lambda ybar, k: triu(ybar, k=k))

# --- Padding: the adjoint crops, and adds what was copied to its origin ------------------------------------

_PAD_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _forward_pad(array: Any, *, widths: tuple[tuple[int, int], ...], mode: str, constants: Any) -> Any:
    if mode != "constant" or constants is not None:
        options = {} if constants is None else {"constant_values": constants}
        return np.pad(array, widths, mode, **options)  # type: ignore[call-overload]
    lengths = zip(array.shape, widths, strict=True)
    out = np.zeros([before + n + after for n, (before, after) in lengths], array.dtype)
    out[_inner(array.shape, widths)] = array
    return out


def _inner(shape: tuple[int, ...], widths: tuple[tuple[int, int], ...]) -> tuple[slice, ...]:
    """Return the index of the original in the padded array."""
    return tuple(slice(before, before + n) for n, (before, _) in zip(shape, widths, strict=True))


def _pad_bar(ybar: Any, array_shape: tuple[int, ...], widths: tuple[tuple[int, int], ...], mode: str) -> Any:
    if mode == "constant":
        return getitem(ybar, _inner(array_shape, widths))
    for axis, (length, width) in enumerate(zip(array_shape, widths, strict=True)):
        if any(width):
            origin = np.pad(np.arange(length), width, mode)  # type: ignore[call-overload]
            shape = (*ybar.shape[:axis], length, *ybar.shape[axis + 1 :])
            ybar = scatter_add(ybar, (slice(None),) * axis + (origin,), shape)
    return ybar


_pad = primitive(
    _forward_pad,
    name="pad",
    array=_pad_bar,
)


def _pairs(widths: Any, ndim: int) -> tuple[tuple[Any, Any], ...]:
    """Return (before, after) for each axis from the forms that NumPy takes."""
    if isinstance(widths, Mapping):
        chosen = {normalize_axis_index(axis, ndim): pair for axis, pair in widths.items()}
        return tuple(_pairs(chosen.get(axis, 0), 1)[0] for axis in range(ndim))
    return tuple((before, after) for before, after in np.broadcast_to(np.asarray(widths), (ndim, 2)).tolist())


def pad(array: Any, pad_width: Any, mode: str = "constant", *, constant_values: Any = None) -> Any:
    """Return `array` with elements added at both ends of its axes.

    Args:
        array: any shape.
        pad_width: how many: one number, (before, after), a pair for each axis, or a dict from axis to these.
        mode: "constant"; "edge", the last element; "reflect", mirrored without the last element; "symmetric",
            mirrored with it; "wrap", from the other end.
        constant_values: numbers for mode "constant", in the form of `pad_width`; 0 if left out.

    Raises:
        ValueError: another mode, a negative width, or constants for another mode.
    """
    array = as_array(array)
    if mode not in _PAD_MODES:
        raise ValueError(f"pad: expected a mode of {', '.join(_PAD_MODES)}, got {mode!r}")
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"pad: constant_values are for mode 'constant', the mode is {mode!r}")
    widths = _pairs(pad_width, array.ndim)
    if any(type(n) is not int or n < 0 for pair in widths for n in pair):
        raise ValueError(f"pad: expected widths that are integers and not negative, got {pad_width!r}")
    constants = None if constant_values is None else _pairs(constant_values, array.ndim)
    return _pad(array, widths=widths, mode=mode, constants=constants)


# --- Differences and interpolation -------------------------------------------------------------------------


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Return the differences a[i + 1] - a[i] along an axis, taken n times.

    Args:
        a: at least one axis.
        n: how often.
        axis: along which.
        prepend: what to put in front of `a` first; a number, or an array that fits along the other axes.
        append: what to put behind it.

    Raises:
        ValueError: n is negative, or `a` has no axis.
    """
    a = as_array(a)
    if n < 0 or a.ndim == 0:
        raise ValueError(f"diff: expected n >= 0 and at least one axis, got n = {n} and shape {a.shape}")
    axis = normalize_axis_index(axis, a.ndim)
    before = (slice(None),) * axis
    one = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    if prepend is not None or append is not None:
        ends = [_slab(value, one, a.dtype) for value in (prepend, append)]
        a = np.concatenate([part for part in (ends[0], a, ends[1]) if part is not None], axis=axis)
    subtract = np.not_equal if a.dtype.kind == "b" else np.subtract
    for _ in range(n):
        a = subtract(a[(*before, slice(1, None))], a[(*before, slice(None, -1))])
    return a


def _slab(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Return a number as an array of this shape, a Python number in a dtype that suits `dtype`; an array as it is."""
    if isinstance(value, (int, float)):
        return np.full(shape, value, np.result_type(dtype, value))
    return broadcast_to(value, shape=shape) if value is not None and np.ndim(value) == 0 else value


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: float | None = None) -> Any:
    """Return the function at x that is linear between the points (xp, fp), and constant outside them.

    It can be differentiated by x, xp and fp. Where x is one of the xp, the derivative is that to its right.

    Args:
        x: any shape.
        xp: (n,), increasing.
        fp: (n,).
        left: value for x < xp[0]; fp[0] if left out.
        right: value for x > xp[-1]; fp[-1] if left out.
        period: of the function; then xp can be in any order, and `left` and `right` are not used.

    Raises:
        ValueError: xp and fp are not vectors of one length, of 1 at least, or the period is 0.
    """
    x, xp, fp = (as_array(a) for a in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or xp.size == 0:
        raise ValueError(f"interp: expected xp and fp of one shape (n,), n >= 1, got {xp.shape} and {fp.shape}")
    if period is not None:
        if period == 0:
            raise ValueError("interp: expected a period other than 0")
        period, left, right = abs(period), None, None
        x, xp = x % period, xp % period
        order = np.argsort(xp)
        xp, fp = getitem(xp, order), getitem(fp, order)
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    inside = clip(x, xp[0], xp[-1])
    i = searchsorted(xp, inside, side="right") - 1
    # getitem, since an array would take a tensor in its brackets for a constant.
    x0, x1 = (getitem(xp, k) for k in (i, np.minimum(i + 1, xp.size - 1)))
    y0, y1 = (getitem(fp, k) for k in (i, np.minimum(i + 1, xp.size - 1)))
    width = x1 - x0
    y = y0 + (y1 - y0) / (width + (width == 0)) * (inside - x0)
    y = y if left is None else where(x < xp[0], left, y)
    return y if right is None else where(x > xp[-1], right, y)


permute_dims = transpose

__all__ = [
    "astype",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "clone",
    "copy",
    "diag",
    "diagflat",
    "diagonal",
    "diff",
    "expand_dims",
    "flatten",
    "flip",
    "fliplr",
    "flipud",
    "interp",
    "matrix_transpose",
    "moveaxis",
    "pad",
    "permute_dims",
    "ravel",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "squeeze",
    "swapaxes",
    "tile",
    "trace",
    "transpose",
    "tril",
    "triu",
]
register({getattr(np, name): globals()[name] for name in __all__ if hasattr(np, name)})

"""Convolution (cross-correlation, as the field has it) and its transpose, in one and two dimensions.

A convolution is linear in the input and in the filters. So there are three primitives, y(x, w), xbar(ybar, w) and
wbar(ybar, x), and each has the two others as rules, to any order.

All three are matrix products with the windows as columns. What costs time there is the copying of windows:

- Inside, images lie in memory with the batch as the last axis, (C, H, W, N). The windows of a row are then copied
  as runs of W * N elements, and at a stride > 1 still as runs of N. Results keep that order in memory; by their
  shape they are (N, C, H, W) as ever. What follows (activation, pooling, the next convolution) inherits the order,
  so that a network pays for one conversion at its entrance.
- A k x k filter sees each element k * k times, but a copy for each of its k columns is enough: the copies of a row lie
  together, those of the next row behind them, so that k rows, which is what the filter sees from a row of places, are
  a matrix in one piece, and the matrices of neighbouring rows of places overlap. Only where rows are short, all
  windows are copied, so that several rows go into one product.
- They are copied tile by tile, into as little as fits the processor's cache, and again for the backward pass.
- xbar is the convolution of ybar with the turned filter; where the stride s is larger than 1, it is s * s such
  convolutions, one for each residue of the places, and no product is taken with a zero in between. At stride 1, and
  where that is less work, only the rows of the filter slide, and the bars of its columns are added up: see `_fold`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd.ops.windows import Pads, Sizes, integers, pads, places, spans
from autograd.primitive import primitive

__all__ = ["conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d"]

CACHE = 1 << 21
"""Bytes of windows that are copied at a time, about the second-level cache of a core."""

SHORT = 128
"""Places in a row of the output, times images, below which a product for each row would be too small."""

SMALL = 1_000_000
"""Multiplications in a matrix product up to which OpenBLAS works without packing its operands first."""


FOLD = 3.5
"""How many times as many output as input channels a filter must have for `_fold` to be faster, as measured: it copies
those of the input. Where ybar has only one place for q of the input, a q * q-th of that is enough."""


class Geometry(NamedTuple):
    """How a filter moves: everything but the sizes of the arrays.

    Attributes:
        stride: step, for each axis.
        padding: zeros before and after each axis.
        dilation: distance between the cells of the filter, for each axis.
        groups: number of groups of channels.
    """

    stride: Sizes
    padding: Pads
    dilation: Sizes
    groups: int

    def planar(self) -> Geometry:
        """Return the geometry in two dimensions of one in one dimension."""
        return Geometry((1, *self.stride), ((0, 0), *self.padding), (1, *self.dilation), self.groups)


# --- Matrices of windows: all arrays here are (C, H, W, N) -------------------------------------------------


def _batch_last(x: Any) -> Any:
    """Return x (N, C, H, W) as (C, H, W, N), a view of it or of a copy.

    Elements at a distance of 2^k bytes fall into a few lines of the processor's cache, and each throws out another: it
    takes five times as long to collect them from 64 images of 32 x 32 numbers. The copy has them further apart.
    """
    n, stride = len(x), x.size // max(1, len(x))
    if n > 16 and stride * x.itemsize % 1024 == 0 and x.flags.c_contiguous:
        apart = np.empty((n, stride + 16), x.dtype)[:, :stride].reshape(x.shape)
        apart[...] = x
        x = apart
    return x.transpose(1, 2, 3, 0)


def _seen(x: Any, kernel: Sizes, size: Sizes, move: Geometry, dtype: Any) -> Any:
    """Return what the filter sees of x from `size` places: x with zeros around it, or a part of x."""
    before = [p for p, _ in move.padding]
    extent = [s * (count - 1) + r for count, r, s in zip(size, spans(kernel, move.dilation), move.stride, strict=True)]
    if not any(before) and (*extent,) == x.shape[1:3]:
        return np.ascontiguousarray(x, dtype)
    axes = [*zip(before, extent, x.shape[1:3], strict=True)]
    into = (slice(max(b, 0), max(min(b + n, e), 0)) for b, e, n in axes)
    taken = (slice(max(-b, 0), max(min(n, e - b), 0)) for b, e, n in axes)
    seen = np.zeros((x.shape[0], *extent, x.shape[3]), dtype)
    seen[:, *into] = x[:, *taken]
    return seen


def _tiles(x: Any, kernel: Sizes, size: Sizes, move: Geometry, outputs: int) -> Iterator[tuple[Any, Any]]:
    """Yield tiles of the output with the windows of x that they see.

    Args:
        x: (C, H, W, N), contiguous, as large as all windows reach.
        kernel: (kh, kw).
        size: (OH, OW).
        move: of the filter; its padding is not used.
        outputs: number of filters in a group.

    Yields:
        The index of the tile among (OH, OW), and its windows (groups, rows, parts, C / groups * kh * kw, places) with
        elements in the order of `_flat`, for `_in_products`.
    """
    by_rows = _long_rows if _has_long_rows(kernel, size, x.shape[3], move) else _whole_rows
    yield from by_rows(x, kernel, size, move, outputs)


def _has_long_rows(kernel: Sizes, size: Sizes, n: int, move: Geometry) -> bool:
    """Return whether each row of the output gets products of its own: it is long, and shares rows of x with the next.

    Args:
        kernel: (kh, kw).
        size: (OH, OW).
        n: number of images.
        move: of the filter.
    """
    return size[1] * n >= SHORT and kernel[0] > move.stride[0] // math.gcd(move.stride[0], move.dilation[0])


def _flat(w: Any, size: Sizes, n: int, move: Geometry) -> Any:
    """Return filters (O, C / groups, kh, kw) as matrices (groups, 1, 1, O / groups, elements), for `_tiles`."""
    w = w.swapaxes(1, 2) if _has_long_rows(w.shape[2:], size, n, move) else w
    return w.reshape(move.groups, 1, 1, len(w) // move.groups, -1)


def _unflat(w: Any, kernel: Sizes, size: Sizes, n: int, move: Geometry) -> Any:
    """Return matrices (groups, elements, O / groups) as filters: what `_flat` does, turned and undone."""
    groups, elements, outputs = w.shape
    channels = elements // math.prod(kernel)
    if _has_long_rows(kernel, size, n, move):
        w = w.reshape(groups, kernel[0], channels, kernel[1], outputs).transpose(0, 4, 2, 1, 3)
    else:
        w = w.swapaxes(1, 2)
    return w.reshape(groups * outputs, channels, *kernel)


def _whole_rows(x: Any, kernel: Sizes, size: Sizes, move: Geometry, outputs: int) -> Iterator[tuple[Any, Any]]:
    """Yield the tiles, of rows that go into one product or of a part of one: see `_tiles`."""
    (c, _, _, n), (rows, columns), (kh, kw), groups = x.shape, size, kernel, move.groups
    (sh, sw), (dh, dw), depth = move.stride, move.dilation, c // groups * kh * kw
    (channel, down, right, _), one = x.strides, x.itemsize
    steps = (channel, down * dh, right * dw, down * sh, right * sw, one)
    view = np.ndarray((c, kh, kw, rows, columns, n), x.dtype, x, 0, steps)
    place = max(1, c * kh * kw * n * one)
    width = max(1, min(columns, CACHE // place))
    height = max(1, CACHE // (place * width)) if width == columns else 1
    for row in range(0, rows, height):
        for column in range(0, columns, width):
            tile = (slice(row, row + height), slice(column, column + width))
            seen = view[:, :, :, *tile]
            length = seen.size // (c * kh * kw)
            parts = _parts(length, depth * outputs)
            yield tile, seen.reshape(groups, 1, depth, parts, length // parts).swapaxes(2, 3)


def _long_rows(x: Any, kernel: Sizes, size: Sizes, move: Geometry, outputs: int) -> Iterator[tuple[Any, Any]]:
    """Yield the tiles, with products of their own for each row: see `_tiles`.

    A row of x is copied kw times, as each column of the filter sees it, in one piece (C / groups, kw, OW, N) for each
    group. What the filter sees from one row of places are kh such pieces in a line; the next row starts `step` pieces
    on. A filter with gaps sees only every dh-th row: the rows of places that see the same ones make up a set.
    """
    (c, _, _, n), (rows, columns), (kh, kw), groups = x.shape, size, kernel, move.groups
    (sh, sw), (dh, dw), depth = move.stride, move.dilation, c // groups * kw
    (channel, down, right, _), one = x.strides, x.itemsize
    common = math.gcd(sh, dh)
    sets, step = dh // common, sh // common
    # As wide as still lets kh rows of places share their pieces; as high as leaves the pieces, and the results, room.
    seen, made = max(1, c * kw * n * one), max(1, outputs * groups * n * one)  # bytes for a column of a row
    width = max(1, min(columns, CACHE // (seen * (2 * kh - 1))))
    height = max(1, min((CACHE // (seen * width) - kh) // step + 1, CACHE // (made * width)))
    steps = (channel * (c // groups), down * dh, channel, right * dw, right * sw, one)
    for first in range(min(sets, rows)):
        for row in range(first, rows, height * sets):
            lines = len(range(row, min(row + height * sets, rows), sets))
            shape = (groups, (lines - 1) * step + kh, c // groups, kw, columns, n)
            view = np.ndarray(shape, x.dtype, x, row * sh * down, steps)
            for column in range(0, columns, width):
                pieces = np.ascontiguousarray(view[:, :, :, :, column : column + width])
                length = pieces.shape[4] * n
                parts = _parts(length, kh * depth * outputs)
                run, piece = length // parts, depth * length * one
                places = (pieces.shape[1] * piece, step * piece, run * one, length * one, one)
                windows = np.ndarray((groups, lines, parts, kh * depth, run), x.dtype, pieces, 0, places)
                yield (slice(row, row + lines * sets, sets), slice(column, column + width)), windows


def _parts(length: int, each: int) -> int:
    """Return into how many products to divide one of `length` columns, with `each` multiplications for a column.

    That is as few as make them small; but 1 where equal ones, of at least 64 columns, cannot be.
    """
    most = SMALL // max(1, each)
    if most < 64:
        return 1
    enough = range(max(1, -(-length // most)), length // 64 + 1)
    return next((parts for parts in enough if length % parts == 0), 1)


def _in_products(y: Any, tile: Any, windows: Any) -> Any:
    """Return a tile of y (groups, O, OH, OW, N) as (groups, rows, parts, O, places), to go with its windows.

    It is a view, which can be written to: rows that are put together are whole, and follow each other.
    """
    _, rows, parts, _, places = windows.shape
    return y[:, :, *tile].reshape(*y.shape[:2], rows, parts, places).transpose(0, 2, 3, 1, 4)


def _slide(x: Any, w: Any, b: Any, size: Sizes, move: Geometry) -> Any:
    """Return the correlation (O, OH, OW, N) of x (C, H, W, N) with w (O, C / groups, kh, kw), plus b (O,).

    There are `size` places of the filter, and as much padding after x as they need.
    """
    groups, kernel, n = move.groups, w.shape[2:], x.shape[3]
    outputs = len(w) // groups
    x = _seen(x, kernel, size, move, w.dtype)
    y = np.empty((groups, outputs, *size, n), w.dtype)
    w = _flat(w, size, n, move)
    b = None if b is None else b.reshape(groups, outputs, 1, 1, 1)
    for tile, windows in _tiles(x, kernel, size, move, outputs):
        np.matmul(w, windows, out=_in_products(y, tile, windows))
        if b is not None:
            part = y[:, :, *tile]
            part += b
    return y.reshape(groups * outputs, *size, n)


def _fold(ybar: Any, w: Any, size: Sizes, move: Geometry) -> Any:
    """Return the bar (C, *size, N) of the input, from ybar (O, OH, OW, N) and w (O, C / groups, kh, kw), at stride 1.

    Only the rows of the turned filter slide over ybar; what each of its columns gives is added up at its place. Where
    ybar has fewer rows than the filter, what each of its cells gives is.
    """
    groups, (_, rows, columns, n), (kh, kw), (dh, dw) = move.groups, ybar.shape, w.shape[2:], move.dilation
    (up, _), (left, _) = move.padding
    w = _turned(w, groups)
    if rows < kh:
        taps, slid, before = kh, rows, 0
        w = w.transpose(0, 2, 3, 1)[..., None, None]
    else:
        taps, slid, before, up = 1, size[0], dh * (kh - 1) - up, 0
        w = w[:, :, ::-1].transpose(0, 3, 1, 2)[..., None]
    w = w.reshape(-1, *w.shape[-3:])
    parts = _slide(ybar, w, None, (slid, columns), Geometry((1, 1), ((before, 0), (0, 0)), (dh, 1), groups))
    parts = parts.reshape(len(parts) // (taps * kw), taps, kw, slid, columns, n)
    xbar = np.zeros((len(parts), slid + dh * (taps - 1), columns + dw * (kw - 1), n), w.dtype)
    for i, j in np.ndindex(taps, kw):
        xbar[:, i * dh : i * dh + slid, j * dw : j * dw + columns] += parts[:, i, j]
    return xbar[:, up : up + size[0], left : left + size[1]]


def _residue(first: int, axis: int, length: int, taps: int, move: Geometry) -> tuple[slice, int, int]:
    """Return what the places first, first + stride, .. of the input see of the output, along one axis.

    Place h, where h + padding = stride * q + a, sees output q - (dilation * i - a) / stride through each tap i of
    the filter for which that is whole: a correlation with these taps, last one first.

    Returns:
        The taps, how many zeros come before the output, and the number of places; 0 also where there is no tap.
    """
    stride, dilation = move.stride[axis], move.dilation[axis]
    q, a = divmod(first + move.padding[axis][0], stride)
    last = next((i for i in reversed(range(taps)) if (dilation * i - a) % stride == 0), None)
    if last is None:
        return slice(0), 0, 0
    zeros = (dilation * last - a) // stride - q
    return slice(last, None, -(stride // math.gcd(stride, dilation))), zeros, len(range(first, length, stride))


def _turned(w: Any, groups: int) -> Any:
    """Return w (O, C / groups, kh, kw) with inputs and outputs exchanged: (C, O / groups, kh, kw)."""
    o, c, *kernel = w.shape
    return w.reshape(groups, o // groups, c, *kernel).swapaxes(1, 2).reshape(groups * c, o // groups, *kernel)


# --- The three primitives ----------------------------------------------------------------------------------


def _work_dtype(*arrays: Any) -> tuple[Any, Any]:
    """Return the dtype of the result and that to compute in: float16 is computed in float32."""
    dtype = np.result_type(*arrays)
    return dtype, np.dtype(np.float32) if dtype == np.float16 else dtype


def _forward(x: Any, w: Any, b: Any, *, move: Geometry) -> Any:
    if x.ndim == 3:
        return _forward(x[:, :, None], w[:, :, None], b, move=move.planar())[:, :, 0]
    dtype, work = _work_dtype(x, w) if b is None else _work_dtype(x, w, b)
    size = places("convolution", x.shape[2:], move.padding, spans(w.shape[2:], move.dilation), move.stride)
    y = _slide(_batch_last(x), w.astype(work, copy=False), b, size, move)
    return y.transpose(3, 0, 1, 2).astype(dtype, copy=False)


def _backward_input(ybar: Any, w: Any, *, size: Sizes, move: Geometry) -> Any:
    """Return xbar (N, C, *size) for ybar (N, O, OH, OW) and w (O, C / groups, kh, kw)."""
    if ybar.ndim == 3:
        return _backward_input(ybar[:, :, None], w[:, :, None], size=(1, *size), move=move.planar())[:, :, 0]
    dtype, work = _work_dtype(ybar, w)
    ybar, w = _batch_last(ybar), w.astype(work, copy=False)
    more = math.prod(size) / max(1, math.prod(ybar.shape[1:3]))
    if move.stride == (1, 1) and more * more * len(ybar) > FOLD * w.shape[1] * move.groups:
        return _fold(ybar, w, size, move).transpose(3, 0, 1, 2).astype(dtype, copy=False)
    w = _turned(w, move.groups)
    gaps = tuple(d // math.gcd(d, s) for d, s in zip(move.dilation, move.stride, strict=True))
    xbar = np.zeros((len(w), *size, ybar.shape[3]), dtype)
    for first in np.ndindex(*move.stride):
        (rows, up, height), (columns, left, width) = (
            _residue(first[axis], axis, size[axis], w.shape[2 + axis], move) for axis in range(2)
        )
        if height and width:
            dense = Geometry((1, 1), ((up, 0), (left, 0)), gaps, move.groups)
            part = _slide(ybar, w[:, :, rows, columns], None, (height, width), dense)
            if move.stride == (1, 1):
                xbar = part
            else:
                xbar[:, first[0] :: move.stride[0], first[1] :: move.stride[1]] = part
    return xbar.transpose(3, 0, 1, 2).astype(dtype, copy=False)


def _backward_filter(ybar: Any, x: Any, *, size: Sizes, move: Geometry) -> Any:
    """Return wbar (O, C / groups, *size) for ybar (N, O, OH, OW) and x (N, C, H, W)."""
    if ybar.ndim == 3:
        return _backward_filter(ybar[:, :, None], x[:, :, None], size=(1, *size), move=move.planar())[:, :, 0]
    dtype, work = _work_dtype(ybar, x)
    ybar = np.ascontiguousarray(_batch_last(ybar), work)
    outputs, *counts, n = ybar.shape
    outputs, channels = outputs // move.groups, x.shape[1] // move.groups
    x = _seen(_batch_last(x), size, tuple(counts), move, work)
    ybar = ybar.reshape(move.groups, outputs, *counts, n)
    wbar = np.zeros((move.groups, channels * math.prod(size), outputs), work)
    for tile, windows in _tiles(x, size, tuple(counts), move, outputs):
        part = _in_products(ybar, tile, windows)
        wbar += np.matmul(windows, part.swapaxes(-1, -2)).sum(axis=(1, 2))
    return _unflat(wbar.astype(dtype, copy=False), size, (*counts,), n, move)


_conv: Any = primitive(
    _forward,
    name="convolution",
    x=lambda ybar, w, x_shape, move: _input_bar(ybar, w, size=x_shape[2:], move=move),
    w=lambda ybar, x, w_shape, move: _filter_bar(ybar, x, size=w_shape[2:], move=move),
    b=lambda ybar: ybar.sum(axis=(0, *range(2, ybar.ndim))),
)
_input_bar: Any = primitive(
    _backward_input,
    name="convolution_input_bar",
    ybar=lambda xbar, w, move: _conv(xbar, w, None, move=move),
    w=lambda xbar, ybar, w_shape, move: _filter_bar(ybar, xbar, size=w_shape[2:], move=move),
)
_filter_bar: Any = primitive(
    _backward_filter,
    name="convolution_filter_bar",
    ybar=lambda wbar, x, move: _conv(x, wbar, None, move=move),
    x=lambda wbar, ybar, x_shape, move: _input_bar(ybar, wbar, size=x_shape[2:], move=move),
)

# --- What users call ---------------------------------------------------------------------------------------


def _array(x: Any) -> Any:
    return x if x is None or hasattr(x, "shape") else np.asarray(x)


def _checked(what: str, x: Any, w: Any, b: Any, *, axes: int, groups: Any, transpose: bool) -> tuple[Any, Any, Any]:
    """Return x, w and b as arrays or tensors.

    Raises:
        ValueError: shapes of x, w and b, or a number of groups, that do not go together.
    """
    x, w, b = _array(x), _array(w), _array(b)
    x_shape, w_shape = x.shape, w.shape
    if len(w_shape) != 2 + axes or 0 in w_shape:
        layout = ("C, O / groups" if transpose else "O, C / groups") + (", kh, kw" if axes == 2 else ", k")
        raise ValueError(f"{what}: expected weight ({layout}), got {w_shape}")
    (groups,) = integers(f"{what}: groups", groups, 1)
    if w_shape[0] % groups:
        raise ValueError(f"{what}: groups={groups} does not divide the {w_shape[0]} channels of weight {w_shape}")
    outputs, channels = (w_shape[1] * groups, w_shape[0]) if transpose else (w_shape[0], w_shape[1] * groups)
    if len(x_shape) != 2 + axes or x_shape[1] != channels:
        expected = f"(N, {channels}, {'H, W' if axes == 2 else 'L'}) for weight {w_shape}"
        also = f" and groups={groups}" if groups > 1 else ""
        raise ValueError(f"{what}: expected x {expected}{also}, got {x_shape}")
    if b is not None and b.shape != (outputs,):
        raise ValueError(f"{what}: expected bias ({outputs},) for weight {w_shape}, got {b.shape}")
    return x, w, b


def _convolved(
    what: str, x: Any, w: Any, b: Any, *, axes: int, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    x, w, b = _checked(what, x, w, b, axes=axes, groups=groups, transpose=False)
    steps, gaps = integers(f"{what}: stride", stride, axes), integers(f"{what}: dilation", dilation, axes)
    reach = spans(w.shape[2:], gaps)
    around = pads(what, padding, x.shape[2:], reach, steps)
    places(what, x.shape[2:], around, reach, steps)
    return _conv(x, w, b, move=Geometry(steps, around, gaps, groups))


def _transposed(
    what: str, x: Any, w: Any, b: Any, *, axes: int, stride: Any, padding: Any, more: Any, dilation: Any, groups: Any
) -> Any:
    x, w, b = _checked(what, x, w, b, axes=axes, groups=groups, transpose=True)
    steps, gaps = integers(f"{what}: stride", stride, axes), integers(f"{what}: dilation", dilation, axes)
    added = integers(f"{what}: output_padding", more, axes, 0)
    if any(m >= s for m, s in zip(added, steps, strict=True)):
        raise ValueError(f"{what}: output_padding={more} must be smaller than the stride, {steps}")
    reach = spans(w.shape[2:], gaps)
    around = pads(what, padding, tuple(map(operator.mul, x.shape[2:], steps)), reach, steps)
    axis = zip(x.shape[2:], steps, reach, around, added, strict=True)
    size = tuple((n - 1) * s + r - sum(p) + m for n, s, r, p, m in axis)
    if min(size) < 1:
        raise ValueError(f"{what}: padding {padding!r} leaves a result of size {size} for x {x.shape}")
    y = _input_bar(x, w, size=size, move=Geometry(steps, around, gaps, groups))
    return y if b is None else y + b.reshape(-1, *(1,) * axes)


def conv1d(x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Return the cross-correlation of sequences with filters; as `conv2d`, with one axis.

    Args:
        x: (N, C, L).
        w: (O, C / groups, k).
        b: (O,), or None.
        stride: step of the filter.
        padding: zeros at both ends: a number, "valid", "same" or "full".
        dilation: distance between the elements of the filter.
        groups: number of groups of channels.

    Returns:
        (N, O, OL).

    Raises:
        ValueError: shapes that do not go together, a filter larger than the padded input, a stride below 1.
    """
    return _convolved("conv1d", x, w, b, axes=1, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv2d(x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1) -> Any:
    """Return the cross-correlation of images with filters.

    y[n, o, r, c] = b[o] + sum_kij w[o, k, i, j] x[n, k, r', c'], where r' = stride * r + dilation * i - padding and c'
    likewise; x is 0 outside of the image.

    The result lies in memory with the batch as its last axis.

    Args:
        x: images (N, C, H, W).
        w: filters (O, C / groups, kh, kw).
        b: what to add for each filter (O,), or None.
        stride: step of the filter: a number or a pair.
        padding: zeros around the image: a number, a pair, "valid" (none), "same" (OH = H / stride, rounded up;
            an odd zero goes at the end, as in Keras) or "full" (every overlap).
        dilation: distance between the cells of the filter: a number or a pair.
        groups: channels are divided into that many groups, each seen by O / groups filters of its own.

    Returns:
        (N, O, OH, OW) with OH = (H + zeros - dilation * (kh - 1) - 1) // stride + 1.

    Raises:
        ValueError: shapes that do not go together, a filter larger than the padded image, a stride below 1.

    Example:
        >>> import numpy as np
        >>> image = np.arange(9.0).reshape(1, 1, 3, 3)
        >>> conv2d(image, np.ones((1, 1, 2, 2)))[0, 0]
        array([[ 8., 12.],
               [20., 24.]])
    """
    return _convolved("conv2d", x, w, b, axes=2, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv_transpose1d(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transpose of `conv1d` applied to sequences; as `conv_transpose2d`, with one axis.

    Args:
        x: (N, C, L).
        w: (C, O / groups, k).
        b: (O,), or None.
        stride: distance between the places of neighbouring elements of x in the result.
        padding: taken off both ends of the result: a number, "valid", "same" or "full".
        output_padding: added at the end of the result; less than the stride.
        groups: number of groups of channels.
        dilation: distance between the elements of the filter.

    Returns:
        (N, O, OL).

    Raises:
        ValueError: shapes that do not go together, or a result without elements.
    """
    options = {"stride": stride, "padding": padding, "more": output_padding, "dilation": dilation, "groups": groups}
    return _transposed("conv_transpose1d", x, w, b, axes=1, **options)


def conv_transpose2d(
    x: Any,
    w: Any,
    b: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transpose of `conv2d` applied to images: each element of x adds its multiple of the filter.

    This is the bar of the input of a `conv2d` with the same filter, stride and padding, for the output's bar x.

    Args:
        x: (N, C, H, W).
        w: (C, O / groups, kh, kw).
        b: what to add for each of the O channels of the result, or None.
        stride: distance between the places of neighbouring elements of x in the result: a number or a pair.
        padding: taken off around the result: a number, a pair, "valid" (nothing), "same" (OH = H * stride) or
            "full" (the filter's reach less 1).
        output_padding: rows and columns added at the end of the result; less than the stride.
        groups: channels are divided into that many groups.
        dilation: distance between the cells of the filter: a number or a pair.

    Returns:
        (N, O, OH, OW) with OH = (H - 1) * stride - 2 * padding + dilation * (kh - 1) + 1 + output_padding.

    Raises:
        ValueError: shapes that do not go together, or a result without elements.
    """
    options = {"stride": stride, "padding": padding, "more": output_padding, "dilation": dilation, "groups": groups}
    return _transposed("conv_transpose2d", x, w, b, axes=2, **options)

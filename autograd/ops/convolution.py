"""Convolution (cross-correlation, as the field has it) and its transpose, in one and two dimensions.

A convolution is linear in the input and in the filters. So there are three primitives, y(x, w), xbar(ybar, w) and
wbar(ybar, x), and each has the two others as rules, to any order.

All three are matrix products with the windows as columns. What costs time there is the copying of windows:

- Inside, images lie in memory with the batch as the last axis, (C, H, W, N). The windows of a row are then copied
  as runs of W * N elements, and at a stride > 1 still as runs of N. Results keep that order in memory; by their
  shape they are (N, C, H, W) as ever. What follows (activation, pooling, the next convolution) inherits the order,
  so that a network pays for one conversion at its entrance and one where it flattens.
- Windows are copied tile by tile, into as little as fits the processor's cache, and again for the backward pass:
  nothing that is k * k times as large as the image is ever held.
- xbar is the convolution of ybar with the turned filter; where the stride s is larger than 1, it is s * s such
  convolutions, one for each residue of the places, and no product is taken with a zero in between. Where most of
  what the turned filter sees would be zeros around ybar, the bars of all windows are added up instead.
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

CACHE = 1 << 20
"""Bytes of windows that are copied at a time: the second-level cache of a core."""

SMALL = 1_000_000
"""Multiplications in a matrix product up to which OpenBLAS works without packing its operands first."""


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


def _tiling(columns: int, place: int, n: int, depth: int, outputs: int) -> tuple[int, int, int]:
    """Return height and width of a tile, and in how many products to divide a row of it.

    Args:
        columns: places in a row of the output.
        place: bytes that the windows of a place take, for each of `depth`.
        n: number of images.
        depth: elements of a window in one group.
        outputs: number of filters in a group.
    """
    fit = max(1, CACHE // max(1, depth * place))
    small = max(1, SMALL // max(1, depth * outputs * n))
    most = min(fit, small) if depth * outputs * 128 <= SMALL else fit
    if fit < columns:
        return 1, most, 1
    if most >= columns:
        return most // columns, columns, 1
    parts = next(count for count in range(1, columns + 1) if columns % count == 0 and columns // count <= most)
    return fit // columns, columns, parts


def _tiles(x: Any, kernel: Sizes, size: Sizes, move: Geometry, outputs: int) -> Iterator[tuple[Any, Any]]:
    """Yield tiles of the output with the windows of x that they see.

    Args:
        x: (C, H, W, N), contiguous, as large as all windows reach.
        kernel: (kh, kw).
        size: (OH, OW).
        move: of the filter; its padding is not used.
        outputs: number of filters in a group.

    Yields:
        The index of the tile among (OH, OW), and its windows (groups, products, C / groups * kh * kw, places * N).
    """
    (c, _, _, n), (rows, columns) = x.shape, size
    channel, down, right, one = x.strides
    (sh, sw), (dh, dw) = move.stride, move.dilation
    steps = (channel, down * dh, right * dw, down * sh, right * sw, one)
    view = np.ndarray((c, *kernel, *size, n), x.dtype, x, 0, steps)
    depth = c // move.groups * math.prod(kernel)
    height, width, parts = _tiling(columns, n * x.itemsize * move.groups, n, depth, outputs)
    for row in range(0, rows, height):
        products = parts * min(height, rows - row) if parts > 1 else 1
        for column in range(0, columns, width):
            tile = (slice(row, row + height), slice(column, column + width))
            windows = view[:, :, :, *tile].reshape(move.groups, depth, products, -1)
            yield tile, windows.transpose(0, 2, 1, 3)


def _in_products(y: Any, tile: Any, products: int) -> Any:
    """Return a tile of y (groups, O, OH, OW, N) as a view (groups, O, products, places * N)."""
    return y[:, :, *tile].reshape(*y.shape[:2], products, -1)


def _slide(x: Any, w: Any, b: Any, size: Sizes, move: Geometry) -> Any:
    """Return the correlation (O, OH, OW, N) of x (C, H, W, N) with w (O, C / groups, kh, kw), plus b (O,).

    There are `size` places of the filter, and as much padding after x as they need.
    """
    groups, kernel, n = move.groups, w.shape[2:], x.shape[3]
    outputs = len(w) // groups
    x = _seen(x, kernel, size, move, w.dtype)
    y = np.empty((groups, outputs, *size, n), w.dtype)
    w = np.ascontiguousarray(w).reshape(groups, 1, outputs, -1)
    b = None if b is None else b.reshape(groups, outputs, 1)
    for tile, windows in _tiles(x, kernel, size, move, outputs):
        part = _in_products(y, tile, windows.shape[1])
        np.matmul(w, windows, out=part.transpose(0, 2, 1, 3))
        if b is not None:
            part = y[:, :, *tile].reshape(groups, outputs, -1)
            part += b
    return y.reshape(groups * outputs, *size, n)


def _fold(ybar: Any, w: Any, size: Sizes, move: Geometry) -> Any:
    """Return the bar (C, *size, N) of the input, from ybar (O, OH, OW, N) and w (O, C / groups, kh, kw), at stride 1.

    All windows of the bar, w^T ybar, are added up at their places. That is slower than sliding the turned filter
    over ybar, unless much of what the filter would then see are zeros around ybar.
    """
    groups, kernel, (outputs, rows, columns, n) = move.groups, w.shape[2:], ybar.shape
    w = np.ascontiguousarray(w.reshape(groups, outputs // groups, -1).swapaxes(1, 2))
    ybar = np.ascontiguousarray(ybar, w.dtype).reshape(groups, outputs // groups, rows, columns * n)
    channels = w.shape[1] * groups // math.prod(kernel)
    extent = [count + r - 1 for count, r in zip((rows, columns), spans(kernel, move.dilation), strict=True)]
    xbar = np.zeros((channels, *extent, n), w.dtype)
    # Each element is read once: fewer, longer additions pay more than windows that stay in the cache.
    height = max(1, 4 * CACHE // max(1, groups * w.shape[1] * columns * n * w.itemsize))
    for row in range(0, rows, height):
        part = ybar[:, :, row : row + height]
        count = part.shape[2]
        windows = (w @ part.reshape(groups, outputs // groups, -1)).reshape(channels, *kernel, count, columns, n)
        for i, j in np.ndindex(*kernel):
            down, right = row + i * move.dilation[0], j * move.dilation[1]
            xbar[:, down : down + count, right : right + columns] += windows[:, i, j]
    (up, _), (left, _) = move.padding
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
    y = _slide(x.transpose(1, 2, 3, 0), w.astype(work, copy=False), b, size, move)
    return y.transpose(3, 0, 1, 2).astype(dtype, copy=False)


def _backward_input(ybar: Any, w: Any, *, size: Sizes, move: Geometry) -> Any:
    """Return xbar (N, C, *size) for ybar (N, O, OH, OW) and w (O, C / groups, kh, kw)."""
    if ybar.ndim == 3:
        return _backward_input(ybar[:, :, None], w[:, :, None], size=(1, *size), move=move.planar())[:, :, 0]
    dtype, work = _work_dtype(ybar, w)
    ybar, w = ybar.transpose(1, 2, 3, 0), w.astype(work, copy=False)
    if move.stride == (1, 1) and math.prod(size) > 1.5 * math.prod(ybar.shape[1:3]):
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
    ybar = np.ascontiguousarray(ybar.transpose(1, 2, 3, 0), work)
    outputs, *counts, n = ybar.shape
    outputs, channels = outputs // move.groups, x.shape[1] // move.groups
    x = _seen(x.transpose(1, 2, 3, 0), size, tuple(counts), move, work)
    ybar = ybar.reshape(move.groups, outputs, *counts, n)
    wbar = np.zeros((move.groups, channels * math.prod(size), outputs), work)
    for tile, windows in _tiles(x, size, tuple(counts), move, outputs):
        part = _in_products(ybar, tile, windows.shape[1])
        wbar += np.matmul(windows, part.transpose(0, 2, 3, 1)).sum(axis=1)
    return wbar.swapaxes(1, 2).astype(dtype).reshape(move.groups * outputs, channels, *size)


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

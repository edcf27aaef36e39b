"""Pooling: one value for each window of the last one or two axes, channel by channel, without parameters.

The loops run over the cells of a window, not over the windows: each step is one pass over all places, and nothing
larger than the image is held. Results lie in memory in the order of their argument.
"""

from __future__ import annotations

import functools
import math
import operator
from typing import Any

import numpy as np

from autograd.ops.reduce import median
from autograd.ops.windows import Pads, Sizes, cells, integers, pads, places, windows
from autograd.primitive import primitive

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "max_pool1d",
    "max_pool2d",
    "median_pool1d",
    "median_pool2d",
    "sum_pool1d",
    "sum_pool2d",
]


def _inside(lengths: Sizes, padding: Pads) -> tuple[Any, ...]:
    """Return the index of an array in itself with padding."""
    return (..., *(slice(before, before + n) for n, (before, _) in zip(lengths, padding, strict=True)))


def _padded_shape(shape: Sizes, padding: Pads) -> Sizes:
    lead = len(shape) - len(padding)
    return (*shape[:lead], *(n + sum(p) for n, p in zip(shape[lead:], padding, strict=True)))


def _seen(x: Any, size: Sizes, stride: Sizes, padding: Pads, fill: Any) -> list[Any]:
    """Return for each cell of the window what it sees from all places, with `fill` in the padding."""
    axes = len(size)
    if any(map(any, padding)):
        padded = np.full_like(x, fill, shape=_padded_shape(x.shape, padding))
        padded[_inside(x.shape[-axes:], padding)] = x
        x = padded
    counts = places("pool", x.shape[-axes:], ((0, 0),) * axes, size, stride)
    return [x[index] for _, index in cells(size, counts, stride, (1,) * axes)]


def _in_order_of(x: Any, model: Any) -> Any:
    """Return x with its axes in memory as those of `model`: passes over both together are then fast."""
    if [s // x.itemsize for s in x.strides] == [s // model.itemsize for s in model.strides]:
        return x
    ordered = np.empty_like(model, dtype=x.dtype)
    ordered[...] = x
    return ordered


# --- The largest: its place is kept, and the bar goes there --------------------------------------------------


def _largest(x: Any, *, size: Sizes, stride: Sizes, padding: Pads) -> Any:
    """Return the largest of each window, and which of its cells, row by row, has it first."""
    lowest = -math.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    seen = _seen(x, size, stride, padding, lowest)
    y = np.maximum(seen[0], seen[1 % len(seen)])
    for cell in seen[2:]:
        np.maximum(y, cell, out=y)
    later = seen[0] != y
    index = later.astype(np.min_scalar_type(len(seen))) if len(seen) > 1 else np.zeros_like(later, np.uint8)
    for cell in seen[1:-1]:
        later &= cell != y
        index += later
    return y, index


def _put(ybar: Any, index: Any, *, shape: Sizes, size: Sizes, stride: Sizes, padding: Pads) -> Any:
    """Return zeros of `shape` with each element of ybar added at the cell of its window that `index` tells."""
    ybar, counts = _in_order_of(ybar, index), ybar.shape[-len(size) :]
    whole = _padded_shape((*ybar.shape[: -len(size)], *shape), padding)
    tiled = size == stride and whole[-len(size) :] == tuple(map(operator.mul, counts, size))
    xbar = np.empty_like(ybar, shape=whole) if tiled else np.zeros_like(ybar, shape=whole)
    for number, (_, cell) in enumerate(cells(size, counts, stride, (1,) * len(size))):
        if tiled:
            xbar[cell] = ybar * (index == number)
        else:
            xbar[cell] += ybar * (index == number)
    return xbar[_inside(shape, padding)]


def _pick(x: Any, index: Any, *, size: Sizes, stride: Sizes, padding: Pads) -> Any:
    """Return from each window of x the cell that `index` tells."""
    seen = _seen(x, size, stride, padding, 0)
    y = np.zeros_like(index, dtype=x.dtype)
    for number, cell in enumerate(seen):
        np.copyto(y, cell, where=index == number)
    return y


_max_pool: Any = primitive(
    _largest,
    name="max_pool",
    residuals=("index",),
    x=lambda ybar, index, x_shape, size, stride, padding: _put_at(
        ybar, index, shape=x_shape[-len(size) :], size=size, stride=stride, padding=padding
    ),
)
_put_at: Any = primitive(
    _put,
    name="max_pool_bar",
    ybar=lambda xbar, index, size, stride, padding: _pick_at(xbar, index, size=size, stride=stride, padding=padding),
    index=None,
)
_pick_at: Any = primitive(
    _pick,
    name="max_pool_pick",
    x=lambda ybar, index, x_shape, size, stride, padding: _put_at(
        ybar, index, shape=x_shape[-len(size) :], size=size, stride=stride, padding=padding
    ),
    index=None,
)

# --- The sum: every cell gets the bar --------------------------------------------------------------------------


def _total(x: Any, *, size: Sizes, stride: Sizes, padding: Pads) -> Any:
    first, *others = _seen(x, size, stride, padding, 0)
    return functools.reduce(lambda y, cell: np.add(y, cell, out=y), others, first.copy(order="K"))


def _spread(ybar: Any, *, shape: Sizes, size: Sizes, stride: Sizes, padding: Pads) -> Any:
    """Return zeros of `shape` with each element of ybar added at all cells of its window."""
    axes = len(size)
    xbar = np.zeros_like(ybar, shape=_padded_shape((*ybar.shape[:-axes], *shape), padding))
    for _, cell in cells(size, ybar.shape[-axes:], stride, (1,) * axes):
        xbar[cell] += ybar
    return xbar[_inside(shape, padding)]


_sum_pool: Any = primitive(
    _total,
    name="sum_pool",
    x=lambda ybar, x_shape, size, stride, padding: _sum_pool_bar(
        ybar, shape=x_shape[-len(size) :], size=size, stride=stride, padding=padding
    ),
)
_sum_pool_bar: Any = primitive(
    _spread,
    name="sum_pool_bar",
    ybar=lambda xbar, size, stride, padding: _sum_pool(xbar, size=size, stride=stride, padding=padding),
)

# --- What users call ---------------------------------------------------------------------------------------


def _window(what: str, axes: int, x: Any, *, size: Any, stride: Any, padding: Any = 0) -> tuple[Any, dict[str, Any]]:
    """Return x, and the static parameters of a pooling of it, checked."""
    x = x if hasattr(x, "shape") else np.asarray(x)
    if x.ndim != 2 + axes:
        raise ValueError(f"{what}: expected x (N, C, {'L' if axes == 1 else 'H, W'}), got {x.shape}")
    size = integers(f"{what}: size", size, axes)
    stride = size if stride is None else integers(f"{what}: stride", stride, axes)
    around = pads(what, padding, x.shape[2:], size, stride)
    if any(2 * max(p) > k for k, p in zip(size, around, strict=True)):
        raise ValueError(f"{what}: padding {padding!r} is more than half of the window, {size}")
    places(what, x.shape[2:], around, size, stride)
    return x, {"size": size, "stride": stride, "padding": around}


def max_pool1d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the largest element of each window of sequences; of equal ones the first gets the bar.

    Args:
        x: (N, C, L).
        size: length of the window.
        stride: step of the window; None: its size.
        padding: cells around the sequence, which never win: a number, "valid" (none) or "same"
            (OL = L / stride, rounded up); at most half of the window.

    Returns:
        (N, C, OL) with OL = (L + cells around - size) // stride + 1.

    Raises:
        ValueError: a window larger than the sequence, sizes below 1.
    """
    x, window = _window("max_pool1d", 1, x, size=size, stride=stride, padding=padding)
    return _max_pool(x, **window)


def max_pool2d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the largest element of each window of images, channel by channel.

    One index is kept for each window: that of its largest cell, of several the first, row by row. The bar goes
    there. A window with a NaN has the value NaN, and its bar goes to its last cell.

    Args:
        x: (N, C, H, W).
        size: of the window: a number or a pair.
        stride: step of the window: a number or a pair; None: its size.
        padding: cells around the image, which never win: a number, a pair, "valid" (none) or "same" (OH = H / stride,
            rounded up); at most half of the window.

    Returns:
        (N, C, OH, OW) with OH = (H + cells around - kh) // stride + 1.

    Raises:
        ValueError: a window larger than the padded image, sizes below 1, more padding than half of the window.

    Example:
        >>> import numpy as np
        >>> max_pool2d(np.arange(16).reshape(1, 1, 4, 4), 2)[0, 0]
        array([[ 5,  7],
               [13, 15]])
    """
    x, window = _window("max_pool2d", 2, x, size=size, stride=stride, padding=padding)
    return _max_pool(x, **window)


def sum_pool1d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the sum of each window of sequences, channel by channel.

    Args:
        x: (N, C, L).
        size: length of the window.
        stride: step of the window; None: its size.
        padding: zeros around the sequence: a number, "valid" (none) or "same"
            (OL = L / stride, rounded up); at most half of the window.

    Returns:
        (N, C, OL) with OL = (L + cells around - size) // stride + 1.

    Raises:
        ValueError: a window larger than the sequence, sizes below 1.
    """
    x, window = _window("sum_pool1d", 1, x, size=size, stride=stride, padding=padding)
    return _sum_pool(x, **window)


def sum_pool2d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the sum of each window of images, channel by channel.

    Args:
        x: (N, C, H, W).
        size: of the window: a number or a pair.
        stride: step of the window: a number or a pair; None: its size.
        padding: zeros around the image: a number, a pair, "valid" (none) or "same" (OH = H / stride, rounded up); at
            most half of the window.

    Returns:
        (N, C, OH, OW) with OH = (H + zeros around - kh) // stride + 1.

    Raises:
        ValueError: a window larger than the image, sizes below 1.
    """
    x, window = _window("sum_pool2d", 2, x, size=size, stride=stride, padding=padding)
    return _sum_pool(x, **window)


def avg_pool1d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the mean of each window of sequences, channel by channel.

    Args:
        x: (N, C, L).
        size: length of the window.
        stride: step of the window; None: its size.
        padding: zeros around the sequence, which count: a number, "valid" (none) or "same"
            (OL = L / stride, rounded up); at most half of the window.

    Returns:
        (N, C, OL) with OL = (L + cells around - size) // stride + 1.

    Raises:
        ValueError: a window larger than the sequence, sizes below 1.
    """
    x, window = _window("avg_pool1d", 1, x, size=size, stride=stride, padding=padding)
    return _sum_pool(x, **window) / math.prod(window["size"])


def avg_pool2d(x: Any, size: Any, stride: Any = None, padding: Any = 0) -> Any:
    """Return the mean of each window of images, channel by channel.

    Cells of the padding count, as zeros: the sum is always divided by the number of cells of a window.

    Args:
        x: (N, C, H, W).
        size: of the window: a number or a pair.
        stride: step of the window: a number or a pair; None: its size.
        padding: zeros around the image: a number, a pair, "valid" (none) or "same" (OH = H / stride, rounded up); at
            most half of the window.

    Returns:
        (N, C, OH, OW) with OH = (H + zeros around - kh) // stride + 1.

    Raises:
        ValueError: a window larger than the image, sizes below 1.
    """
    x, window = _window("avg_pool2d", 2, x, size=size, stride=stride, padding=padding)
    return _sum_pool(x, **window) / math.prod(window["size"])


def median_pool1d(x: Any, size: Any, stride: Any = None) -> Any:
    """Return the median of each window of sequences: of an even number, the mean of the middle two.

    Args:
        x: (N, C, L).
        size: length of the window.
        stride: step of the window; None: its size.

    Returns:
        (N, C, OL) with OL = (L - size) // stride + 1.

    Raises:
        ValueError: a window larger than the sequence, sizes below 1.
    """
    x, window = _window("median_pool1d", 1, x, size=size, stride=stride)
    return median(windows(x, window["size"], window["stride"]), axis=2)


def median_pool2d(x: Any, size: Any, stride: Any = None) -> Any:
    """Return the median of each window of images, channel by channel: of an even number, the mean of the middle two.

    Args:
        x: (N, C, H, W).
        size: of the window: a number or a pair.
        stride: step of the window: a number or a pair; None: its size.

    Returns:
        (N, C, OH, OW) with OH = (H - kh) // stride + 1.

    Raises:
        ValueError: a window larger than the image, sizes below 1.
    """
    x, window = _window("median_pool2d", 2, x, size=size, stride=stride)
    seen = windows(x, window["size"], window["stride"])
    return median(seen.reshape(*x.shape[:2], math.prod(window["size"]), *seen.shape[4:]), axis=2)

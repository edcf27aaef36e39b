"""Windows over the last axes of an array and their adjoint `fold`, each the other's rule; also how sizes are read.

The axes of a window come before those of its places, (..., kh, kw, OH, OW): whatever copies windows then copies
runs along a row of places, not along a row of a window. Convolution and pooling share the arithmetic of sizes and
padding, but do not build on `windows`: they never hold all windows of an array at once.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autograd.primitive import primitive

__all__ = ["fold", "windows"]

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]

# --- Sizes -------------------------------------------------------------------------------------------------


def integers(what: str, value: Any, axes: int, least: int = 1) -> Sizes:
    """Return an integer for each of so many axes, from one for all of them or from one for each.

    Args:
        what: names the value in messages.
        value: an integer, or a tuple or list of them.
        axes: how many are wanted.
        least: none may be smaller.

    Raises:
        TypeError: not integers.
        ValueError: too small, or not one for each axis.
    """
    several = tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes
    expected = f"an integer of at least {least}" + (f" or {axes} of them" if axes > 1 else "")
    try:
        found = tuple(map(operator.index, several))
    except TypeError:
        raise TypeError(f"{what}: expected {expected}, got {value!r}") from None
    if len(found) != axes or min(found) < least:
        raise ValueError(f"{what}: expected {expected}, got {value!r}")
    return found


def spans(size: Sizes, dilation: Sizes) -> Sizes:
    """Return how many elements a window reaches over along each axis."""
    return tuple(d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True))


def pads(what: str, padding: Any, lengths: Sizes, reach: Sizes, stride: Sizes) -> Pads:
    """Return how many elements to add before and after each axis.

    Args:
        what: names the operation in messages.
        padding: a number, one for each axis, or "valid" (none), "same" (so many that there are length / stride
            windows, rounded up; an odd one goes at the end) or "full" (every overlap of window and array).
        lengths: of the axes.
        reach: what a window reaches over.
        stride: step of the windows.

    Raises:
        ValueError: another word, or a negative number.
    """
    if not isinstance(padding, str):
        return tuple((p, p) for p in integers(f"{what}: padding", padding, len(lengths), 0))
    if padding == "valid":
        return ((0, 0),) * len(lengths)
    if padding == "full":
        return tuple((r - 1, r - 1) for r in reach)
    if padding == "same":
        more = [max((-(-n // s) - 1) * s + r - n, 0) for n, r, s in zip(lengths, reach, stride, strict=True)]
        return tuple((m // 2, m - m // 2) for m in more)
    raise ValueError(f'{what}: padding: expected a number, "valid", "same" or "full", got {padding!r}')


def places(what: str, lengths: Sizes, padding: Pads, reach: Sizes, stride: Sizes) -> Sizes:
    """Return how many windows there are along each axis: (length + padding - reach) // stride + 1.

    Raises:
        ValueError: a window reaches over more than there is.
    """
    padded = tuple(n + before + after for n, (before, after) in zip(lengths, padding, strict=True))
    if any(r > n for r, n in zip(reach, padded, strict=True)):
        raise ValueError(f"{what}: a window reaches over {reach} elements, but the padded input has only {padded}")
    return tuple((n - r) // s + 1 for n, r, s in zip(padded, reach, stride, strict=True))


def cells(size: Sizes, counts: Sizes, stride: Sizes, dilation: Sizes) -> Iterator[tuple[Sizes, tuple[Any, ...]]]:
    """Yield each cell of a window, row by row, with the index of what it sees from all places of the window.

    Args:
        size: of a window.
        counts: number of places along each axis.
        stride: step of the window.
        dilation: distance between its cells.
    """
    for cell in np.ndindex(*size):
        axes = zip(cell, counts, stride, dilation, strict=True)
        yield cell, (..., *(slice(c * d, c * d + s * (n - 1) + 1, s) for c, n, s, d in axes))


# --- The pair ----------------------------------------------------------------------------------------------


def _view(x: Any, *, size: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    axes = len(size)
    x = np.ascontiguousarray(x)
    lead, steps = x.shape[:-axes], x.strides[-axes:]
    counts = places("windows", x.shape[-axes:], ((0, 0),) * axes, spans(size, dilation), stride)
    within = (step * d for step, d in zip(steps, dilation, strict=True))
    between = (step * s for step, s in zip(steps, stride, strict=True))
    return as_strided(x, (*lead, *size, *counts), (*x.strides[:-axes], *within, *between), writeable=False)


def _added(y: Any, *, shape: Sizes, stride: Sizes, dilation: Sizes) -> Any:
    axes = len(shape)
    size, counts = y.shape[-2 * axes : -axes], y.shape[-axes:]
    out = np.zeros((*y.shape[: -2 * axes], *shape), y.dtype)
    for cell, index in cells(size, counts, stride, dilation):
        out[index] += y[(..., *cell, *(slice(None),) * axes)]
    return out


_windows: Any = primitive(
    _view,
    name="windows",
    x=lambda ybar, x_shape, size, stride, dilation: _fold(
        ybar, shape=x_shape[-len(size) :], stride=stride, dilation=dilation
    ),
)
_fold: Any = primitive(
    _added,
    name="fold",
    y=lambda xbar, y_shape, shape, stride, dilation: _windows(
        xbar, size=y_shape[-2 * len(shape) : -len(shape)], stride=stride, dilation=dilation
    ),
)


def windows(x: Any, size: Any, stride: Any = 1, dilation: Any = 1) -> Any:
    """Return the windows of the last one or two axes, as a read-only view that repeats no element in memory.

    y[..., i, j, r, c] = x[..., r * stride + i * dilation, c * stride + j * dilation]

    Args:
        x: (..., L), or (..., H, W).
        size: of a window: a number for windows of the last axis, a pair for the last two.
        stride: step of the windows: a number, or one for each axis.
        dilation: distance between the elements of a window: a number, or one for each axis.

    Returns:
        (..., k, OL), or (..., kh, kw, OH, OW), where OL = (L - dilation * (k - 1) - 1) // stride + 1.

    Raises:
        ValueError: a window larger than x, or sizes below 1.

    Example:
        >>> import numpy as np
        >>> windows(np.arange(5), 3)
        array([[0, 1, 2],
               [1, 2, 3],
               [2, 3, 4]])
    """
    x = x if hasattr(x, "shape") else np.asarray(x)
    axes = len(size) if isinstance(size, (tuple, list)) else 1
    if axes not in (1, 2) or x.ndim < axes:
        raise ValueError(f"windows: expected a size for one or two axes of x, got size {size!r} for x {x.shape}")
    return _windows(
        x,
        size=integers("windows: size", size, axes),
        stride=integers("windows: stride", stride, axes),
        dilation=integers("windows: dilation", dilation, axes),
    )


def fold(y: Any, shape: Any, stride: Any = 1, dilation: Any = 1) -> Any:
    """Return the array to which all windows were added at their places: the adjoint of `windows`.

    Args:
        y: windows (..., k, OL) or (..., kh, kw, OH, OW).
        shape: lengths of the last axes of the result: L, or (H, W).
        stride: step of the windows.
        dilation: distance between the elements of a window.

    Returns:
        (..., L), or (..., H, W).

    Raises:
        ValueError: there are not as many windows as an array of that shape has.
    """
    y = y if hasattr(y, "shape") else np.asarray(y)
    axes = len(shape) if isinstance(shape, (tuple, list)) else 1
    lengths = integers("fold: shape", shape, axes)
    steps, gaps = integers("fold: stride", stride, axes), integers("fold: dilation", dilation, axes)
    if y.ndim < 2 * axes:
        raise ValueError(f"fold: expected windows (..., sizes, places) for {axes} axes, got {y.shape}")
    size, counts = y.shape[-2 * axes : -axes], y.shape[-axes:]
    expected = places("fold", lengths, ((0, 0),) * axes, spans(size, gaps), steps)
    if counts != expected:
        raise ValueError(f"fold: expected {expected} windows of {size} in {lengths}, got {counts}, y {y.shape}")
    return _fold(y, shape=lengths, stride=steps, dilation=gaps)

"""Reductions and running totals along axes: sums, moments, extremes, products, softmax and its kin.

Each takes `axis` as NumPy does (an integer, a tuple, or None for all) and is exact where it has ties or zeros.
`axis` may be given by position, options by keyword only. Sorting is in `ordering`, vector norms in `linalg`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd.numpy_api import register
from autograd.ops.broadcast import broadcast_to
from autograd.ops.elementwise import where
from autograd.primitive import primitive
from autograd.tensor import raw

Axis = int | tuple[int, ...] | None

# The ufuncs' own reductions take anything that NumPy takes, and save the functions' and methods' detour.
_total: Any = np.add.reduce
_product: Any = np.multiply.reduce
_largest: Any = np.maximum.reduce
_smallest: Any = np.minimum.reduce

# --- What the rules share ----------------------------------------------------------------------------------


def _axes(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return the axes as numbers from 0; none for a number, which NumPy lets have an axis 0 or -1."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(i % ndim for i in (axis if isinstance(axis, tuple) else (axis,))) if ndim else ()


def _kept_shape(shape: tuple[int, ...], axis: Axis) -> tuple[int, ...]:
    """Return the shape of a reduction's result with `keepdims=True`."""
    axes = _axes(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def _count(shape: tuple[int, ...], axis: Axis) -> int:
    """Return how many elements go into each element of the result."""
    return math.prod(shape if axis is None else [shape[i] for i in _axes(axis, len(shape))])


def _restored(y: Any, shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    """Return a reduction's result (or its bar) so that it broadcasts with the reduced array."""
    return y if keepdims or axis is None else y.reshape(_kept_shape(shape, axis))


def _shared(bar: Any, winners: Any, axis: Axis) -> Any:
    """Return the bar of a reduction, restored, in equal parts for the elements that are marked in each slice."""
    count = winners.sum(axis=axis, keepdims=True)
    part = 1 / np.maximum(count, 1)  # in float64: a count may be more than float16 can hold
    return winners * (bar * part.astype(bar.dtype))


def _float_array(x: Any) -> Any:
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(float)


# --- Sums and moments --------------------------------------------------------------------------------------


def _sum(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the sum over axes; 0 over none."""
    return _total(a, axis=axis, keepdims=keepdims)


sum = primitive(
    _sum,
    a=lambda ybar, a_shape, axis, keepdims: broadcast_to(_restored(ybar, a_shape, axis, keepdims), shape=a_shape),
)


def _mean(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the mean over axes; NaN, with NumPy's warning, over no elements."""
    a = np.asarray(a)
    if a.ndim and a.size and a.dtype.char in "fd":  # as ndarray.mean does it, in a third of the time
        return _total(a, axis=axis, keepdims=keepdims) / _count(a.shape, axis)
    return a.mean(axis=axis, keepdims=keepdims)


def _mean_bar(ybar: Any, a_shape: tuple[int, ...], axis: Axis, keepdims: bool) -> Any:
    share = ybar * (1 / (_count(a_shape, axis) or 1))
    return broadcast_to(_restored(share, a_shape, axis, keepdims), shape=a_shape)


mean = primitive(_mean, a=_mean_bar)


def _var(a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Return the variance over axes: sum (a - mean)^2 / (n - ddof).

    Args:
        a: any shape.
        axis: over which to reduce.
        ddof: what to take off the number of elements n; 1 for the unbiased estimate. Where n - ddof is not
            positive, the value is NaN or infinite, with NumPy's warning, and the gradient NaN.
        keepdims: leave the axes in the result, of length 1.
    """
    return np.var(a, axis=axis, ddof=ddof, keepdims=keepdims)


def _var_bar(ybar: Any, a: Any, axis: Axis, ddof: float, keepdims: bool) -> Any:
    freedom = _count(a.shape, axis) - ddof
    share = ybar * (2 / freedom if freedom > 0 else math.nan)
    return _restored(share, a.shape, axis, keepdims) * (a - mean(a, axis=axis, keepdims=True))


var = primitive(_var, a=_var_bar)


def _std(a: Any, axis: Axis = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    """Return the standard deviation over axes, the root of `var`; equal elements have 0, and gradient 0.

    NumPy's rounding error in the mean gives equal elements a deviation of 1e-17 and so a gradient of order 1.
    Here the mean is corrected by the mean of what is left, which makes it exact for equal elements.
    """
    a = _float_array(a)
    center = a.mean(axis=axis, keepdims=True)
    center = center + (a - center).mean(axis=axis, keepdims=True)
    return np.std(a, axis=axis, ddof=ddof, keepdims=keepdims, mean=center)


def _root_bar(ybar: Any, y: Any) -> Any:
    """Return the bar of y^2, and 0 where y is 0."""
    zero = y == 0
    return ybar * np.logical_not(zero) / (2 * (y + zero))


std = primitive(
    _std,
    a=lambda ybar, a, out, axis, ddof, keepdims: _var_bar(_root_bar(ybar, out), a, axis, ddof, keepdims),
)


def _nansum(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the sum over axes of what is not NaN."""
    return np.nansum(a, axis=axis, keepdims=keepdims)


nansum = primitive(
    _nansum,
    a=lambda ybar, a, axis, keepdims: where(np.isnan(a), 0, _restored(ybar, a.shape, axis, keepdims)),
)


def _nanmean(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the mean over axes of what is not NaN; NaN, with NumPy's warning, where all is."""
    return np.nanmean(a, axis=axis, keepdims=keepdims)


nanmean = primitive(
    _nanmean,
    a=lambda ybar, a, axis, keepdims: _shared(
        _restored(ybar, a.shape, axis, keepdims), np.logical_not(np.isnan(a)), axis
    ),
)


def average(a: Any, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    """Return the weighted mean over axes: sum w a / sum w.

    Args:
        a: any shape.
        axis: over which to reduce.
        weights: of a's shape, or of the lengths of the axes in `axis`; None: equal weights. Differentiable.
        keepdims: leave the axes in the result, of length 1.

    Raises:
        TypeError: weights of another shape than a's, and no axis.
        ValueError: weights whose shape does not fit the axes.
        ZeroDivisionError: weights that sum to 0.
    """
    if weights is None:
        return mean(a, axis=axis, keepdims=keepdims)
    a = a if hasattr(a, "dtype") else np.asarray(a)
    weights = weights if hasattr(weights, "dtype") else np.asarray(weights)
    if weights.shape != a.shape:
        weights = _along_axes(weights, a.shape, axis)
    total = sum(weights, axis=axis, keepdims=keepdims)
    if not raw(total).all():
        raise ZeroDivisionError("average: the weights sum to 0, so they cannot be normalized")
    return sum(a * weights, axis=axis, keepdims=keepdims) / total


def _along_axes(weights: Any, shape: tuple[int, ...], axis: Axis) -> Any:
    """Return weights that are given for some axes so that they broadcast with an array of `shape`."""
    if axis is None:
        raise TypeError(f"average: for a {shape} and weights {weights.shape}, of other shape, the axis must be given")
    axes = _axes(axis, len(shape))
    expected = tuple(shape[i] for i in axes)
    if weights.shape != expected:
        raise ValueError(
            f"average: expected weights {expected} or {shape} for a {shape} and axis {axis}, got {weights.shape}"
        )
    if len(axes) > 1:
        weights = weights.transpose(tuple(sorted(range(len(axes)), key=axes.__getitem__)))
    return weights.reshape(tuple(n if i in axes else 1 for i, n in enumerate(shape)))


# --- Extremes ----------------------------------------------------------------------------------------------


def _max(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the largest element along axes. Equal ones share its bar evenly; with a NaN, all get 0."""
    return _largest(a, axis=axis, keepdims=keepdims)


def _min(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the smallest element along axes. Equal ones share its bar evenly; with a NaN, all get 0."""
    return _smallest(a, axis=axis, keepdims=keepdims)


def _extreme_bar(ybar: Any, a: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    winners = a == _restored(out, a.shape, axis, keepdims)
    return _shared(_restored(ybar, a.shape, axis, keepdims), winners, axis)


max = amax = primitive(_max, a=_extreme_bar)
min = amin = primitive(_min, a=_extreme_bar)


def ptp(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the range of the elements along axes: max - min."""
    return max(a, axis=axis, keepdims=keepdims) - min(a, axis=axis, keepdims=keepdims)


def _median(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the median along axes: the mean of the two middle elements where their number is even.

    The middle element gets the bar, the two middle ones half of it each; elements equal to one of them share its
    part evenly. A slice with a NaN has median NaN and gradient 0.
    """
    a = np.asarray(a)
    if a.size == 0:
        nothing = np.zeros(a.shape, bool)
        return np.median(a, axis=axis, keepdims=keepdims), nothing, nothing
    axes = _axes(None, a.ndim) if axis is None else normalize_axis_tuple(axis, a.ndim)
    n = _count(a.shape, axis)
    kept = tuple(length for i, length in enumerate(a.shape) if i not in axes)
    slices = np.moveaxis(a, axes, range(-len(axes), 0)).reshape((*kept, n))
    middle = ((n - 1) // 2, n // 2)
    ordered = np.partition(slices, (*middle, n - 1), axis=-1)
    last = ordered[..., -1]
    missing = np.isnan(last)
    value = np.where(missing, last, np.mean(ordered[..., middle[0] : middle[1] + 1], axis=-1))[()]
    shape = _kept_shape(a.shape, axis)
    low, high = ((a == ordered[..., position].reshape(shape)) & ~missing.reshape(shape) for position in middle)
    return (value.reshape(shape) if keepdims else value), low, high


def _median_bar(ybar: Any, low: Any, high: Any, axis: Axis, keepdims: bool) -> Any:
    half = _restored(0.5 * ybar, low.shape, axis, keepdims)
    return _shared(half, low, axis) + _shared(half, high, axis)


median = primitive(_median, residuals=("low", "high"), a=_median_bar)

# --- Products and running totals ---------------------------------------------------------------------------


def _cumsum(a: Any, axis: int | None = None) -> Any:
    """Return the running sums along an axis; of the flattened array for None."""
    return np.cumsum(a, axis=axis)


def _reverse_cumsum(a: Any, *, axis: int) -> Any:
    return np.flip(np.cumsum(np.flip(a, axis), axis=axis), axis)


cumsum = primitive(
    _cumsum,
    a=lambda ybar, a_shape, axis: reverse_cumsum(ybar, axis=0 if axis is None else axis).reshape(a_shape),
)
reverse_cumsum: Any = primitive(_reverse_cumsum, a=lambda ybar, axis: cumsum(ybar, axis=axis))


def _product_before(x: Any, *, axis: int, reverse: bool = False) -> Any:
    """Return at each place the product of the elements before it along an axis (`reverse`: after it)."""
    x = np.moveaxis(x, axis, 0)[:: -1 if reverse else 1]
    products = np.ones_like(x)
    np.cumprod(x[:-1], axis=0, out=products[1:])
    return np.moveaxis(products[:: -1 if reverse else 1], 0, axis)


def _linear_recurrence(b: Any, c: Any, *, axis: int, reverse: bool = False) -> Any:
    """Return s with s_0 = 0 and s_i = b_(i-1) + c_(i-1) s_(i-1) along an axis (`reverse`: from its end).

    Derivatives of running products are of this form. It needs no division, so zeros do no harm.
    """
    step = -1 if reverse else 1
    b, c = np.moveaxis(b, axis, 0)[::step], np.moveaxis(c, axis, 0)[::step]
    s = np.zeros_like(b)
    for i in range(1, len(b)):
        s[i] = b[i - 1] + c[i - 1] * s[i - 1]
    return np.moveaxis(s[::step], 0, axis)


product_before = primitive(
    _product_before,
    x=lambda ybar, x, out, axis, reverse: out * linear_recurrence(ybar, x, axis=axis, reverse=not reverse),
)
linear_recurrence: Any = primitive(
    _linear_recurrence,
    b=lambda sbar, c, axis, reverse: linear_recurrence(sbar, c, axis=axis, reverse=not reverse),
    c=lambda sbar, c, out, axis, reverse: out * linear_recurrence(sbar, c, axis=axis, reverse=not reverse),
)


def _prod(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return the product over axes; 1 over no elements. Derivatives are exact with zeros, too."""
    return _product(a, axis=axis, keepdims=keepdims)


def _prod_bar(ybar: Any, a: Any, axis: Axis, keepdims: bool) -> Any:
    bar = _restored(ybar, a.shape, axis, keepdims)
    for i in _axes(axis, a.ndim):
        bar = bar * (product_before(a, axis=i) * product_before(a, axis=i, reverse=True))
        a = prod(a, axis=i, keepdims=True)
    return bar


prod = primitive(_prod, a=_prod_bar)


def _cumprod(a: Any, axis: int | None = None) -> Any:
    """Return the running products along an axis; of the flattened array for None. Exact with zeros."""
    return np.cumprod(a, axis=axis)


def _cumprod_bar(ybar: Any, a: Any, axis: int | None) -> Any:
    axis = 0 if axis is None else axis
    x = a.reshape(ybar.shape)
    after = linear_recurrence(ybar * x, x, axis=axis, reverse=True)
    return (product_before(x, axis=axis) * (ybar + after)).reshape(a.shape)


cumprod = primitive(_cumprod, a=_cumprod_bar)

# --- Softmax and its kin -----------------------------------------------------------------------------------


def _less_largest(x: Any, axis: Axis) -> tuple[Any, Any]:
    """Return x minus the largest element along axes, so that no exponential overflows; and that element."""
    largest = _largest(x, axis=axis, keepdims=True, initial=-math.inf)
    return x - largest, largest


def _logsumexp(x: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return log(sum(exp(x))) over axes, without overflow.

    Where every element is -inf, or there is none, it is -inf; the gradient is then 0.

    Args:
        x: any shape.
        axis: an integer, a tuple, or None for all.
        keepdims: leave those axes in the result, with length 1.
    """
    x = _float_array(x)
    largest = _largest(x, axis=axis, keepdims=True, initial=-math.inf)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):
        out = np.log(_total(np.exp(x - largest), axis=axis, keepdims=keepdims))
    return out + (largest if keepdims else largest.reshape(out.shape))


def _logsumexp_bar(ybar: Any, x: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    e = np.exp(x - _restored(where(out == -math.inf, 0, out), x.shape, axis, keepdims))
    # Their sum is 1 but for rounding, which is not small where x is large, and 0 where x is -inf throughout.
    total = e.sum(axis=axis, keepdims=True)
    return _restored(ybar, x.shape, axis, keepdims) * (e / (total + (total == 0)))


logsumexp = primitive(_logsumexp, x=_logsumexp_bar)


def _softmax(x: Any, axis: Axis = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along axes, without overflow; NaN where every element is -inf.

    Args:
        x: any shape, which the result has, too.
        axis: an integer, a tuple, or None for all.
    """
    e = np.exp(_less_largest(_float_array(x), axis)[0])
    e /= _total(e, axis=axis, keepdims=True)
    return e


softmax = primitive(_softmax, x=lambda ybar, out, axis: out * (ybar - (ybar * out).sum(axis=axis, keepdims=True)))


def _log_softmax(x: Any, axis: Axis = -1) -> Any:
    """Return log(softmax(x)) along axes, exact also where softmax(x) would underflow.

    Args:
        x: any shape, which the result has, too.
        axis: an integer, a tuple, or None for all.
    """
    x, _ = _less_largest(_float_array(x), axis)
    with np.errstate(divide="ignore"):
        return x - np.log(_total(np.exp(x), axis=axis, keepdims=True))


log_softmax = primitive(_log_softmax, x=lambda ybar, out, axis: ybar - np.exp(out) * ybar.sum(axis=axis, keepdims=True))


def softmax_cross_entropy(logits: Any, labels: Any, axis: int = 1) -> Any:
    """Return the cross-entropy of softmax(logits) and labels for each example: -sum_c p_c log softmax(logits)_c.

    Args:
        logits: (N, C, ...), with the classes on `axis`.
        labels: class numbers, integers 0 .. C-1 of logits' shape without `axis`; or the probabilities p, of
            logits' shape and any floating type (computed with in that of logits), then differentiable too.
        axis: where the classes are.

    Returns:
        The loss of each example: (N, ...), logits' shape without `axis`.

    Raises:
        ValueError: labels of another shape, or a class number out of range.
        TypeError: class numbers that are not integers.

    Example:
        >>> softmax_cross_entropy(np.array([[0.0, 50.0], [2.0, 2.0]]), [0, 1])
        array([50.        ,  0.69314718])
    """
    logits = logits if hasattr(logits, "dtype") else np.asarray(logits)
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    axis = normalize_axis_index(axis, logits.ndim)
    examples = logits.shape[:axis] + logits.shape[axis + 1 :]
    if labels.dtype.kind in "iu" and labels.shape == examples:
        return _label_cross_entropy(logits, labels, axis=axis)
    if labels.dtype.kind == "f" and labels.shape == logits.shape:
        if logits.dtype.kind == "f" and labels.dtype != logits.dtype:
            labels = labels.astype(logits.dtype)
        return _probability_cross_entropy(logits, labels, axis=axis)
    expected = (
        f"integers {examples} or probabilities {logits.shape} for logits {logits.shape} with classes on axis {axis}"
    )
    # Of the right shape but no integers, or of no kind that could be right: that is a matter of the type.
    error = TypeError if labels.shape == examples or labels.dtype.kind not in "iuf" else ValueError
    raise error(f"softmax_cross_entropy: expected labels {expected}, got {labels.dtype} {labels.shape}")


def _cross_entropy_of_labels(logits: Any, labels: Any, *, axis: int) -> tuple[Any, Any, Any]:
    logits, labels = _float_array(logits), np.asarray(labels)
    classes = logits.shape[axis]
    unsigned = labels.view(labels.dtype.str.replace("i", "u"))  # where a negative number is a large one
    if labels.size and _largest(unsigned, axis=None) >= classes:
        raise ValueError(
            f"softmax_cross_entropy: expected labels in 0 .. {classes - 1}, got {labels.min()} .. {labels.max()}"
        )
    z, largest = _less_largest(logits, axis)
    total = _total(np.exp(z), axis=axis, keepdims=True)
    return np.log(total).reshape(labels.shape) - z[_at_labels(labels, axis)], largest, total


def _at_labels(labels: Any, axis: int) -> tuple[Any, ...]:
    """Return the index into the logits that picks each example's element at its label."""
    examples = [np.arange(n).reshape((-1, *(1,) * (labels.ndim - 1 - i))) for i, n in enumerate(labels.shape)]
    return (*examples[:axis], labels, *examples[axis:])


def _is_label(labels: Any, shape: tuple[int, ...], axis: int) -> Any:
    """Return, in the shape of the logits, whether a class is the label of its example."""
    classes = np.arange(shape[axis]).reshape((-1, *(1,) * (len(shape) - 1 - axis)))
    return labels.reshape(_kept_shape(shape, axis)) == classes


def _logits_bar(ybar: Any, logits: Any, labels: Any, axis: int, largest: Any, total: Any) -> Any:
    """Return ybar (softmax(logits) - one-hot labels), with what the forward pass had of the softmax, if given."""
    ybar = ybar.reshape(_kept_shape(logits.shape, axis))
    if total is None:
        return ybar * (softmax(logits, axis=axis) - _is_label(labels, logits.shape, axis))
    bar = np.exp(logits - largest)
    bar /= total
    bar[_at_labels(labels, axis)] -= 1
    bar *= ybar
    return bar


_label_cross_entropy = primitive(
    _cross_entropy_of_labels,
    name="softmax_cross_entropy",
    residuals=("largest", "total"),
    logits=_logits_bar,
    labels=None,
)


def _cross_entropy_of_probabilities(logits: Any, p: Any, *, axis: int) -> Any:
    return -_total(p * _log_softmax(logits, axis), axis=axis)


_probability_cross_entropy = primitive(
    _cross_entropy_of_probabilities,
    name="softmax_cross_entropy",
    logits=lambda ybar, logits, p, axis: (
        ybar.reshape(_kept_shape(logits.shape, axis))
        * (softmax(logits, axis=axis) * p.sum(axis=axis, keepdims=True) - p)
    ),
    p=lambda ybar, logits, axis: -ybar.reshape(_kept_shape(logits.shape, axis)) * log_softmax(logits, axis=axis),
)

# --- Without a gradient: recorded, so that a graph can be evaluated again -----------------------------------


def _argmax(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return where the largest element is, the first of equal ones; in the flattened array for None."""
    return np.argmax(a, axis=axis, keepdims=keepdims)


def _argmin(a: Any, axis: int | None = None, *, keepdims: bool = False) -> Any:
    """Return where the smallest element is, the first of equal ones; in the flattened array for None."""
    return np.argmin(a, axis=axis, keepdims=keepdims)


def _any(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return whether any element along axes is not 0."""
    return np.any(a, axis=axis, keepdims=keepdims)


def _all(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return whether no element along axes is 0."""
    return np.all(a, axis=axis, keepdims=keepdims)


def _count_nonzero(a: Any, axis: Axis = None, *, keepdims: bool = False) -> Any:
    """Return how many elements along axes are not 0."""
    return np.count_nonzero(a, axis=axis, keepdims=keepdims)


argmax, argmin = primitive(_argmax, a=None), primitive(_argmin, a=None)
any, all = primitive(_any, a=None), primitive(_all, a=None)
count_nonzero = primitive(_count_nonzero, a=None)

__all__ = [
    "all",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "average",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "median",
    "min",
    "nanmean",
    "nansum",
    "prod",
    "ptp",
    "softmax",
    "softmax_cross_entropy",
    "std",
    "sum",
    "var",
]
register({np.sum: sum, np.mean: mean, np.var: var, np.std: std})
register({np.nansum: nansum, np.nanmean: nanmean, np.average: average})
register({np.max: max, np.amax: max, np.min: min, np.amin: min, np.ptp: ptp, np.median: median})
register({np.cumsum: cumsum, np.cumprod: cumprod, np.prod: prod})
register({np.argmax: argmax, np.argmin: argmin, np.any: any, np.all: all, np.count_nonzero: count_nonzero})

"""Specs of autograd.ops.reduce."""

import numpy as np

import autograd as ag
from autograd.ops import reduce

from .spec import Constant, Sample, Spec, values

X, M, SCALAR = values(2, 3, 4), values(3, 4), values()
HOLLOW = values(0, 3)
AXES = ({}, {"axis": 1}, {"axis": -1, "keepdims": True}, {"axis": (2, 0)}, {"axis": (0, -1), "keepdims": True})
EVERY = tuple(Sample(X, **keywords) for keywords in (*AXES, {"axis": (), "keepdims": True}, {"keepdims": True}))
EVERY += (Sample(SCALAR), Sample(SCALAR, axis=()), Sample(M, axis=0), Sample(HOLLOW, axis=-1))
EVERY += (Sample(values(2, 3, 4, seed=1), axis=-2), Sample(X[::-1].copy(), axis=(-1, -2)))
GAPS = (np.where(M > 0.5, np.nan, M), np.where(M < -0.5, np.nan, M))
MISSING = tuple(Sample(a, axis=axis) for a in GAPS for axis in (None, 0, -1))


def reduction(function, reference, *further, samples=EVERY, **options):
    """Spec of a reduction over any axes."""
    return Spec(function, reference, (*samples, *further), **options)


def total(a, axis, keepdims=True):
    return np.sum(a, axis=axis, keepdims=keepdims)


def var(a, axis=None, *, ddof=0, keepdims=False):
    """Return np.var by a formula that is analytic: NumPy takes absolute values."""
    n = np.size(a) // (np.size(np.sum(a, axis=axis)) or 1)
    return total((a - np.mean(a, axis=axis, keepdims=True)) ** 2, axis, keepdims) / (n - ddof)


def std(a, axis=None, *, ddof=0, keepdims=False):
    return np.sqrt(var(a, axis, ddof=ddof, keepdims=keepdims))


def softmax(x, axis=-1):
    return np.exp(x) / total(np.exp(x), axis)


def log_softmax(x, axis=-1):
    return np.log(softmax(x, axis))


def average(a, axis=None, weights=None, *, keepdims=False):
    if weights is not None and weights.shape != a.shape:
        axes = axis if isinstance(axis, tuple) else (axis,)
        letters = "abc"[: a.ndim]
        repeated = np.einsum(f"{''.join(letters[i] for i in axes)},{letters}->{letters}", weights, np.ones(a.shape))
        return average(a, axis, repeated, keepdims=keepdims)
    weights = np.ones(a.shape) if weights is None else weights
    return total(a * weights, axis, keepdims) / total(weights, axis, keepdims)


def cross_entropy(logits, labels, axis=1):
    p = labels
    if labels.dtype.kind in "iu":
        p = np.moveaxis(np.eye(logits.shape[axis])[labels], -1, axis)
    return -total(p * log_softmax(logits, axis), axis, keepdims=False)


def before(x, axis, reverse):
    """Return the products of what comes before (`reverse`: after) each element, one element at a time."""
    rows = np.moveaxis(x, axis, 0)[:: -1 if reverse else 1]
    found = [np.prod(rows[:i], axis=0) for i in range(len(rows))]
    return np.moveaxis(np.reshape(found, rows.shape)[:: -1 if reverse else 1], 0, axis)


def recurrence(b, c, axis, reverse):
    """Return each term as a sum of products: s_i = sum_(j < i) b_j c_(j+1) .. c_(i-1)."""
    b, c = (np.moveaxis(a, axis, 0)[:: -1 if reverse else 1] for a in (b, c))
    s = [sum(b[j] * np.prod(c[j + 1 : i], axis=0) for j in range(i)) + 0 * b[i] for i in range(len(b))]
    return np.moveaxis(np.array(s)[:: -1 if reverse else 1], 0, axis)


WITH_ZEROS = values(4, 3)
WITH_ZEROS[1, 0] = WITH_ZEROS[0, 1] = WITH_ZEROS[2, 1] = WITH_ZEROS[0, 2] = WITH_ZEROS[1, 2] = WITH_ZEROS[3, 2] = 0
ZEROS = (Sample(WITH_ZEROS), Sample(WITH_ZEROS, axis=0), Sample(WITH_ZEROS, axis=1))
RUNNING = (*(Sample(X, axis=axis) for axis in (None, 0, -1)), Sample(M[0]), Sample(SCALAR), Sample(SCALAR, axis=0))
RUNNING += (Sample(HOLLOW), Sample(HOLLOW, axis=0), Sample(HOLLOW, axis=1))

WEIGHTS = values(2, 3, 4, low=0.3, seed=1)
NUMBERS = np.random.default_rng(0).integers(0, 3, (2, 4))
P = values(2, 3, 4, low=0.1, high=1, seed=1)
SOFTMAX = (Sample(M), *(Sample(X, axis=axis) for axis in (-1, 0, (0, 2), None)))
SOFTMAX += (Sample(SCALAR, axis=-1), Sample(HOLLOW, axis=-1), Sample(HOLLOW, axis=0))

SPECS = [
    reduction(ag.sum, np.sum, Sample(HOLLOW), Sample(HOLLOW, axis=0)),
    reduction(ag.mean, np.mean),
    reduction(
        ag.var, var, Sample(X, axis=1, ddof=1), Sample(X, axis=(0, 1), ddof=2, keepdims=True), Sample(M, ddof=0.5)
    ),
    reduction(
        ag.std,
        std,
        Sample(X, axis=1, ddof=1),
        Sample(X, axis=(0, 1), ddof=2, keepdims=True),
        Sample(M[:2], axis=0, ddof=1),
        Sample(values(2, 3, 4, seed=1), axis=-2),
        samples=[Sample(X, **keywords) for keywords in AXES] + [Sample(M, axis=0), Sample(HOLLOW, axis=-1)],
    ),
    reduction(ag.nansum, np.nansum, Sample(HOLLOW, axis=0), *MISSING),
    reduction(ag.nanmean, np.nanmean, *MISSING),
    Spec(
        ag.average,
        average,
        (
            Sample(X),
            Sample(X, axis=(0, 1)),
            *(Sample(X, Constant(axis), WEIGHTS) for axis in (None, 0, (2, 0))),
            Sample(X, Constant(1), WEIGHTS[0, :, 0], keepdims=True),
            Sample(X, Constant(-1), WEIGHTS[0, 0]),
            Sample(X, Constant((1, 0)), WEIGHTS[:, :, 0].T),
            Sample(X, Constant(1), Constant(WEIGHTS[0, :, 0])),
            Sample(HOLLOW, Constant(1), WEIGHTS[0, :, 0]),
        ),
    ),
    reduction(ag.max, np.max),
    reduction(ag.min, np.min),
    reduction(ag.ptp, np.ptp),
    reduction(ag.median, np.median, Sample(M[:, :3]), Sample(M[:, :3], axis=1), Sample(M[:, :3], axis=0)),
    reduction(
        ag.prod,
        np.prod,
        *ZEROS,
        Sample(HOLLOW),
        Sample(HOLLOW, axis=0),
        covers=(reduce.product_before, reduce.linear_recurrence),
    ),
    Spec(
        ag.cumprod,
        np.cumprod,
        (*RUNNING, *ZEROS),
        order=3,
        covers=(reduce.product_before, reduce.linear_recurrence),
    ),
    Spec(ag.cumsum, np.cumsum, RUNNING, covers=(reduce.reverse_cumsum,)),
    # The adjoints by themselves: as part of a gradient their own rules would be seen in the second order only.
    Spec(
        reduce.reverse_cumsum,
        lambda a, axis: np.flip(np.cumsum(np.flip(a, axis), axis), axis),
        (Sample(X, axis=0), Sample(X, axis=-1), Sample(M[0], axis=0), Sample(HOLLOW, axis=0)),
    ),
    Spec(
        reduce.product_before,
        before,
        tuple(
            Sample(x, axis=axis, reverse=reverse)
            for x, axis in ((WITH_ZEROS, 0), (X, -1), (X[::-1].copy(), -1), (HOLLOW, 0))
            for reverse in (False, True)
        ),
    ),
    Spec(
        reduce.linear_recurrence,
        recurrence,
        tuple(
            Sample(b, c, axis=axis, reverse=reverse)
            for b, c, axis in ((M, WITH_ZEROS.T, 1), (X, WEIGHTS, 1), (WEIGHTS, X, 1), (X, WEIGHTS, -1))
            for reverse in (False, True)
        ),
    ),
    reduction(
        ag.logsumexp,
        lambda x, axis=None, keepdims=False: np.log(total(np.exp(x), axis, keepdims)),
        order=3,
    ),
    Spec(ag.softmax, softmax, SOFTMAX, order=3),
    Spec(ag.log_softmax, log_softmax, SOFTMAX, order=3),
    Spec(
        ag.softmax_cross_entropy,
        cross_entropy,
        (
            Sample(M, Constant(np.array([3, 0, 3]))),
            Sample(values(3, 4, seed=1), Constant(np.array([1, 3, 0]))),
            Sample(X, Constant(NUMBERS)),
            Sample(X, Constant(NUMBERS[:, :3].astype(np.uint8)), axis=-1),
            Sample(M[0], Constant(np.array(2)), axis=0),
            Sample(HOLLOW, Constant(np.zeros(0, int))),
            Sample(X, P),
            Sample(X[::-1].copy(), P[:, ::-1].copy()),
            Sample(X, P, axis=-1),
            Sample(M, Constant(P[0, :, :])),
            Sample(M[0], P[0, 0], axis=0),
            Sample(HOLLOW, HOLLOW),
        ),
        order=3,
        covers=(reduce._label_cross_entropy, reduce._probability_cross_entropy),
    ),
    *(
        Spec(
            function,
            reference,
            (Sample(X), Sample(X, axis=0), Sample(M, axis=-1, keepdims=True), Sample(SCALAR)),
            order=0,
        )
        for function, reference in ((ag.argmax, np.argmax), (ag.argmin, np.argmin))
    ),
    *(
        reduction(
            function,
            reference,
            Sample(Constant(X > 0), axis=(0, 1)),
            Sample(Constant(np.arange(6).reshape(2, 3)), axis=0),
            Sample(WITH_ZEROS, axis=0),
            Sample(HOLLOW, axis=0),
            order=0,
        )
        for function, reference in ((ag.any, np.any), (ag.all, np.all), (ag.count_nonzero, np.count_nonzero))
    ),
]

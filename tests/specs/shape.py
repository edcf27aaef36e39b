"""Specs of autograd.ops.shape."""

import numpy as np

import autograd as ag
from autograd.ops import shape

from .spec import Constant, Sample, Spec, values

V, M, X = values(5), values(3, 4), values(2, 3, 4)
SCALAR, EMPTY = values(), values(0, 3)


def spec(function, reference, samples, **options):
    """Spec of an operation that NumPy has under a name of its own."""
    return Spec(function, reference, tuple(samples), **options)


def each(arrays, *parameters, **keywords):
    """Return samples of each array with the same parameters."""
    return [Sample(a, *map(Constant, parameters), **keywords) for a in arrays]


def as_type(x, dtype):
    """Return x in `dtype`; complex numbers as they are, for the complex step."""
    return x.astype(x.dtype if x.dtype.kind == "c" else dtype)


def interpolated(x, xp, fp, left=None, right=None, period=None):
    """Return np.interp by a formula that is analytic."""
    if period is not None:
        x, xp = x - np.floor(np.real(x) / period) * period, xp - np.floor(np.real(xp) / period) * period
        order = np.argsort(np.real(xp))
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    found = []
    for point in np.ravel(x):
        i = int(np.searchsorted(np.real(xp), np.real(point), side="right"))
        if i == 0:
            found.append(fp[0] if left is None or period else left)
        elif i == len(xp):
            found.append(fp[-1] if right is None or period or point == xp[-1] else right)
        else:
            found.append(fp[i - 1] + (fp[i] - fp[i - 1]) * (point - xp[i - 1]) / (xp[i] - xp[i - 1]))
    return np.array(found, np.result_type(x, xp, fp)).reshape(np.shape(x))


KNOTS = np.array([-1.5, -0.4, 0.3, 1.9])
POINTS = np.array([[-2.5, -1.1, -0.1], [0.9, 1.7, 2.6]])

SPECS = [
    spec(
        ag.reshape,
        np.reshape,
        [
            *each([X], (4, 6)),
            *each([X], [-1, 8]),
            *each([X, SCALAR, EMPTY], -1),
            *each([SCALAR], (1, 1)),
            *each([EMPTY], (3, 0)),
            *each([SCALAR], ()),
        ],
        covers=(shape._reshape,),
    ),
    spec(ag.ravel, np.ravel, each([V, X, SCALAR, EMPTY])),
    spec(
        ag.transpose,
        np.transpose,
        [*each([V, M, X, SCALAR, EMPTY]), *each([X], axes=(2, 0, 1)), *each([X], [-1, 0, -2]), *each([X], axes=None)],
        covers=(shape._transpose,),
    ),
    spec(ag.matrix_transpose, np.matrix_transpose, each([M, X, EMPTY])),
    spec(
        ag.swapaxes,
        np.swapaxes,
        [*each([X], 0, 2), *each([X], -1, 1), *each([EMPTY], 0, 1)],
        covers=(shape._swapaxes,),
    ),
    spec(
        ag.moveaxis,
        np.moveaxis,
        [
            *each([X], 0, -1),
            *each([X], (0, 1), (-1, 0)),
            *each([X], [2], [0]),
            *each([EMPTY], 1, 0),
            *each([X], (), ()),
        ],
    ),
    spec(
        ag.expand_dims,
        np.expand_dims,
        [*each([V, X, SCALAR, EMPTY], 0), *each([X, SCALAR], -1), *each([M, SCALAR], (0, -1)), *each([M], [1, 2])],
    ),
    spec(
        ag.squeeze,
        np.squeeze,
        [
            *each([values(1, 3, 1), values(1, 1), M, SCALAR, EMPTY]),
            *each([values(1, 3, 1)], axis=-1),
            *each([values(1, 3, 1)], axis=(0, 2)),
            *each([values(1, 0)], axis=0),
        ],
    ),
    spec(ag.atleast_1d, np.atleast_1d, [*each([V, X, SCALAR, EMPTY]), Sample(SCALAR, V, M)]),
    spec(ag.atleast_2d, np.atleast_2d, [*each([V, X, SCALAR, EMPTY]), Sample(SCALAR, V, M)]),
    spec(ag.atleast_3d, np.atleast_3d, [*each([V, M, X, SCALAR, EMPTY]), Sample(SCALAR, V, M)]),
    spec(
        ag.broadcast_arrays,
        np.broadcast_arrays,
        [Sample(M, values(3, 1), values(4)), Sample(SCALAR, V), Sample(EMPTY, values(1))],
    ),
    spec(ag.clone, np.copy, each([V, X, SCALAR, EMPTY])),
    spec(
        ag.astype,
        as_type,
        [*each([X, SCALAR, EMPTY], float), *each([X], "float64")],
        dtypes=(np.float64,),
        covers=(shape._astype,),
    ),
    spec(
        lambda x: ag.astype(x, int),
        lambda x: x.astype(int),
        each([X, SCALAR, EMPTY]),
        order=0,
        name="astype_integer",
    ),
    spec(
        ag.flip,
        np.flip,
        [*each([V, X, SCALAR, EMPTY]), *each([X], axis=1), *each([X], axis=-1), *each([X], axis=(0, 2))],
    ),
    spec(ag.fliplr, np.fliplr, each([M, X, EMPTY])),
    spec(ag.flipud, np.flipud, each([V, M, X, EMPTY])),
    spec(
        ag.roll,
        np.roll,
        [
            *each([V, X, SCALAR, EMPTY], 2),
            *each([X], -1, axis=1),
            *each([X], 7, axis=-1),
            *each([X], (1, -2), axis=(0, 2)),
            *each([X], 1, axis=(0, 1)),
            *each([X], [1, 2], axis=[1, 1]),
            *each([EMPTY], 1, axis=1),
        ],
        covers=(shape._roll,),
    ),
    spec(
        ag.rot90,
        np.rot90,
        [*each([M, X, EMPTY]), *each([M], k=-1), *each([X], k=2, axes=(2, 0)), *each([X], k=5, axes=(-1, 1))],
    ),
    spec(
        ag.repeat,
        np.repeat,
        [
            *each([V, X, SCALAR, EMPTY], 3),
            *each([X], 2, axis=1),
            *each([X], 2, axis=-1),
            *each([X], 0, axis=0),
            *each([EMPTY], 2, axis=1),
            *each([X], [1, 0, 3], axis=1),
            *each([M], np.array([2, 0, 1]), axis=0),
            *each([V], [2, 0, 1, 1, 3]),
            *each([M], [2], axis=1),
        ],
        covers=(shape._repeat,),
    ),
    spec(
        ag.tile,
        np.tile,
        [
            *each([V, X, SCALAR, EMPTY], 2),
            *each([M], (2, 3)),
            *each([V], (2, 1, 3)),
            *each([X], (2,)),
            *each([X], (2, 1)),
            *each([M], (0, 2)),
            *each([M], ()),
        ],
        covers=(shape._tile,),
    ),
    spec(
        ag.diagonal,
        np.diagonal,
        [
            *each([M, X, EMPTY]),
            *each([M], offset=1),
            *each([M], offset=-2),
            *each([M], offset=4),
            *each([X], offset=1, axis1=-1, axis2=1),
            *each([X], axis1=0, axis2=2),
        ],
        covers=(shape._from_diagonal,),
    ),
    spec(
        ag.diag,
        np.diag,
        [*each([V, M, EMPTY, values(0)]), *each([V, M], k=1), *each([V, M], k=-2), *each([M], k=-5)],
    ),
    spec(ag.diagflat, np.diagflat, [*each([V, M, SCALAR]), *each([M], k=-1)]),
    spec(
        ag.trace,
        np.trace,
        [*each([M, X, EMPTY]), *each([M], offset=-1), *each([M], offset=9), *each([X], offset=1, axis1=2, axis2=0)],
    ),
    spec(ag.tril, np.tril, [*each([V, M, X, EMPTY]), *each([M, X], k=1), *each([M], k=-2), *each([M], k=9)]),
    spec(ag.triu, np.triu, [*each([V, M, X, EMPTY]), *each([M, X], k=1), *each([M], k=-2), *each([M], k=9)]),
    spec(
        ag.pad,
        np.pad,
        [
            *each([V, X, EMPTY], 2),
            *each([SCALAR], 0),
            *each([M], (1, 2)),
            *each([M], ((0, 2), (1, 0))),
            *each([M], ((1, 2),)),
            *each([M], [[1], [2]]),
            *each([M], 1, constant_values=1.5),
            *each([M], (1, 2), constant_values=((1, 2), (3, 4))),
            *(
                sample
                for mode in ("edge", "reflect", "symmetric", "wrap")
                for sample in each([V, X], (1, 2), mode=mode)
            ),
            *(sample for mode in ("edge", "reflect", "symmetric", "wrap") for sample in each([M], 7, mode=mode)),
            *each([values(2, 0)], ((1, 1), (0, 0)), mode="edge"),
        ],
        covers=(shape._pad,),
    ),
    spec(
        ag.diff,
        np.diff,
        [
            *each([V, M, X, EMPTY]),
            *each([X], n=2, axis=1),
            *each([X], n=0),
            *each([M], n=5),
            *each([M], axis=0),
            *each([values(1), values(0)]),
            *each([M], prepend=0.5, append=1.0),
        ],
    ),
    spec(
        lambda a, b, c: ag.diff(a, axis=-2, prepend=b, append=c),
        lambda a, b, c: np.diff(a, axis=-2, prepend=b, append=c),
        [Sample(X, values(2, 2, 4), values(2, 1, 4)), Sample(X, values(), values(2, 1, 4))],
        name="diff_with_ends",
    ),
    spec(
        ag.interp,
        interpolated,
        [
            *(Sample(x, Constant(KNOTS), values(4)) for x in (POINTS, np.array(0.7), values(0))),
            Sample(POINTS, Constant(KNOTS), Constant(values(4))),
            Sample(Constant(POINTS), Constant(KNOTS), values(4)),
            Sample(POINTS, values(1), values(1, seed=1)),
            Sample(POINTS, Constant(KNOTS), values(4), left=-3.0, right=4.0),
            Sample(POINTS, Constant(np.array([1.45, -0.8, 0.6, 2.85])), values(4), period=2.4),
        ],
    ),
    spec(
        lambda x, steps, fp: ag.interp(x, np.cumsum(steps * steps) - 1.7, fp),
        lambda x, steps, fp: interpolated(x, np.cumsum(steps * steps) - 1.7, fp),
        [Sample(POINTS, np.array([0.4, 1.1, 0.8, 1.3]), values(4))],
        name="interp_by_knots",
    ),
]

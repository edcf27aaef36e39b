"""Specs of autograd.ops.ordering."""

import numpy as np

import autograd as ag

from .spec import Constant, Sample, Spec, values

# Far enough from each other that a finite difference does not change their order.
X = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 6 - 2.04
M, SCALAR = X[1] + 0.02, values()
HOLLOW = values(0, 3)
SORTED = (
    Sample(X),
    Sample(X, axis=0),
    Sample(X, axis=1),
    Sample(X, axis=None),
    Sample(M[0]),
    Sample(SCALAR, axis=None),
)
SORTED += (Sample(HOLLOW), Sample(HOLLOW, axis=0), Sample(HOLLOW, axis=None), Sample(M, kind="heapsort"))

PLACES = np.array([[[0, -1, 1, 0, 0]], [[2, 2, 2, 1, 0]]])
ONE_AXIS = np.array([[0, 3, 3, -1]])
TAKEN = (
    (X, np.moveaxis(PLACES, 1, 2), {"axis": 1}),
    (M, ONE_AXIS, {"axis": 1}),
    (M, ONE_AXIS.T % 3, {"axis": 0}),
    (M, ONE_AXIS % 3, {"axis": -2}),
    (M, np.zeros((3, 0), int), {"axis": 1}),
    (M[:1], np.array([[1, 0], [0, 1], [1, 1]]), {"axis": -1}),
    (HOLLOW, np.zeros((0, 2), int), {"axis": 1}),
    (HOLLOW, np.zeros((0, 3), np.uint8), {"axis": 0}),
)


def scatter(values, indices, axis=-1, *, shape):
    """Return the sum of a zero array for each value that has it at its place."""
    out = np.zeros(shape, values.dtype)
    for place in np.ndindex(np.broadcast_shapes(values.shape, indices.shape)):
        target = [0 if n == 1 else i for i, n in zip(place, shape, strict=True)]
        target[axis] = np.broadcast_to(indices, np.broadcast_shapes(values.shape, indices.shape))[place]
        out[tuple(target)] += np.broadcast_to(values, np.broadcast_shapes(values.shape, indices.shape))[place]
    return out


STEPS = np.array([-1.5, -0.5, 0.0, 0.75])

SPECS = [
    Spec(ag.sort, np.sort, SORTED, covers=(ag.scatter_along_axis,)),
    Spec(ag.argsort, lambda a, axis=-1, kind="stable": np.argsort(a, axis=axis, kind=kind), SORTED, order=0),
    # With three elements, the second in place leaves nothing to chance.
    Spec(
        ag.partition,
        np.partition,
        (
            Sample(X, Constant(1), axis=1),
            Sample(X[0, 0, :3], Constant(-2)),
            Sample(X[1], Constant((0, 1, 2, 3))),
            Sample(M[0, :3], Constant(1), axis=None),
            Sample(HOLLOW, Constant(1)),
        ),
    ),
    Spec(
        ag.argpartition,
        np.argpartition,
        (
            Sample(X, Constant(1), axis=1),
            Sample(X[1], Constant((0, 1, 2, 3))),
            Sample(M[0, :3], Constant(1), axis=None),
        ),
        order=0,
    ),
    Spec(
        ag.take_along_axis,
        np.take_along_axis,
        (
            *(Sample(x, Constant(indices), **keywords) for x, indices, keywords in TAKEN),
            Sample(M, Constant(ONE_AXIS - 1), axis=1),
            Sample(M, Constant(np.array([0, 11, -1, 0])), axis=None),
            Sample(SCALAR, Constant(np.array([0, 0])), axis=None),
        ),
    ),
    Spec(
        ag.scatter_along_axis,
        scatter,
        (
            *(
                Sample(values(*np.take_along_axis(x, i, **k).shape), Constant(i), shape=x.shape, **k)
                for x, i, k in TAKEN
            ),
            Sample(values(1, 3), Constant(np.array([[0, 4, 0], [3, 3, 3]])), shape=(2, 5)),
            Sample(values(1, 3), Constant(np.array([[1, 4, 1], [0, 3, 2]])), shape=(2, 5)),
            Sample(SCALAR, Constant(np.array([[0, 4, 0], [3, 3, 3]])), axis=0, shape=(5, 3)),
            Sample(values(2, 3), Constant(np.array([[0, 4, 0]])), shape=(2, 5)),
        ),
    ),
    Spec(
        ag.searchsorted,
        np.searchsorted,
        (
            Sample(STEPS, X),
            Sample(STEPS, SCALAR),
            Sample(STEPS, STEPS, side="right"),
            Sample(Constant(STEPS[::-1].copy()), M, sorter=np.array([3, 2, 1, 0])),
            Sample(STEPS, HOLLOW),
        ),
        order=0,
    ),
    Spec(
        ag.digitize,
        np.digitize,
        (Sample(X, STEPS), Sample(SCALAR, STEPS), Sample(STEPS, Constant(STEPS), right=True), Sample(HOLLOW, STEPS)),
        order=0,
    ),
]

"""Specs of autograd.ops.indexing."""

import numpy as np

import autograd as ag
from autograd.ops import indexing

from .spec import Constant, Sample, Spec, values

X = values(3, 4, 5)
ROWS = np.array([[0, 2, 0], [1, 1, -1]])
COLUMNS = np.array([3, 0, 3])
MASK = values(3, 4, seed=1) > 0

BASIC = (
    1,
    -1,
    slice(None, None, -2),
    None,
    ...,
    (0, 1, 2),
    (..., 0),
    (None, slice(1, 3), ..., None, -1),
    (),
    slice(3, 1),
)
ADVANCED = (
    ROWS,
    (ROWS, COLUMNS, 2),
    (slice(None), ROWS),
    (ROWS, slice(None), COLUMNS),
    (ROWS[0], None, 1),
    (0, COLUMNS - 3, slice(None, None, -1)),
    (..., COLUMNS),
    [0, 0, 1],
    [],
    range(2),
    ((0, 1), (1, 2)),
    np.int64(1),
    np.array(1),
    MASK,
    X > 0,
    (slice(None), [True, False, True, False]),
    (MASK[:, 0], COLUMNS[:1]),
    True,
    False,
)


def add_at(values, index, shape):
    """Return zeros with `values` added at `index`, one after the other."""
    out = np.zeros(shape, np.asarray(values).dtype)
    places = np.arange(out.size).reshape(shape)[index]
    for place, value in zip(np.ravel(places), np.ravel(np.broadcast_to(values, np.shape(places))), strict=True):
        out.reshape(-1)[place] += value
    return out


def assigned(x, index, value):
    """Return a copy of x with `value` at `index`."""
    out = np.array(x, np.result_type(x, value))
    out[index] = value
    return out


def at_each(x, *others):
    """Return samples with x, each of the indices, and what else they take."""
    return tuple(Sample(x, Constant(index), *others) for index in (*BASIC, *ADVANCED))


SPECS = [
    Spec(
        ag.getitem,
        lambda x, index: x[index],
        (
            *at_each(X),
            Sample(values(), Constant(...)),
            Sample(values(), Constant(None)),
            Sample(values(), Constant(())),
            Sample(values(0, 3), Constant((slice(None), 1))),
            *(Sample(X, index) for index in (ROWS, ROWS[::-1].copy(), MASK, ~MASK, np.array(1), np.array(2))),
        ),
        covers=(indexing._getitem, indexing._scatter_add),
    ),
    Spec(
        lambda x, i, mask: x[i, :, mask],
        lambda x, i, mask: x[i, :, mask],
        (Sample(X, ROWS[:, :2], COLUMNS[:2]), Sample(X, np.array([2, 2]), np.array([True, False, False, True, False]))),
        name="getitem_by_tensors",
    ),
    Spec(
        lambda x: x[x > 0],
        lambda x: x[np.real(x) > 0],
        (Sample(np.array([[1.0, -1.5, 0.5], [2.0, -0.7, 1.2]])), Sample(np.array(1.5)), Sample(values(0, 2))),
        name="getitem_by_own_mask",
    ),
    Spec(
        ag.scatter_add,
        add_at,
        (
            *(Sample(np.asarray(values(*np.shape(X[i]))), Constant(i), shape=X.shape) for i in (*BASIC, *ADVANCED)),
            Sample(values(5), Constant(ROWS), shape=(3, 4, 5)),
            Sample(values(3), COLUMNS, shape=(4,)),
            Sample(values(3), COLUMNS - 1, shape=(4,)),
            Sample(values(), Constant(COLUMNS), shape=(4, 2)),
            Sample(values(), Constant(()), shape=()),
        ),
        covers=(indexing._scatter_add, indexing._getitem),
    ),
    Spec(
        ag.setitem,
        assigned,
        (
            *(Sample(X, Constant(i), np.asarray(values(*np.shape(X[i])))) for i in (*BASIC, *ADVANCED)),
            *at_each(X, values()),
            *at_each(X, Constant(0.5)),
            Sample(X, Constant(1), values(1, 4, 5)),
            Sample(X, Constant(1), values(1, 1, 4, 1)),
            Sample(X, Constant(COLUMNS - 1), values(1, 1, 3, 1, 5)),
            Sample(X, ROWS, values(2, 3, 4, 5)),
            Sample(X, ROWS[::-1, ::-1].copy(), values(2, 3, 4, 5)),
            Sample(X, MASK, values(int(MASK.sum()), 5)),
            Sample(values(), Constant(()), values(seed=1)),
            Sample(values(0, 2), Constant((slice(None), 0)), values(1)),
        ),
        covers=(indexing._setitem, indexing._last_writes, indexing._getitem),
    ),
    Spec(
        ag.take,
        np.take,
        (
            *(Sample(X, Constant(ROWS), axis=axis) for axis in (None, 0, 1, -1)),
            Sample(X, COLUMNS, axis=1),
            Sample(X, Constant(-1)),
            Sample(X, Constant([2, 2]), axis=-2),
            Sample(X, Constant([]), axis=1),
            Sample(values(), Constant([0, 0])),
            Sample(values(0, 2), Constant([1]), axis=1),
        ),
    ),
    Spec(
        ag.nonzero,
        np.nonzero,
        (Sample(np.array([[1.0, 0.0, -2.0], [0.0, 0.0, 3.0]])), Sample(values(0, 2)), Sample(MASK)),
        order=0,
    ),
]

"""Specs of autograd.ops.joining."""

import numpy as np

import autograd as ag
from autograd.ops import joining

from .spec import Constant, Sample, Spec, values

V, W, M, X = values(3), values(2, seed=1), values(2, 3), values(4, 6, 5)
SCALAR = values()

SPECS = [
    Spec(
        ag.concatenate,
        np.concatenate,
        (
            Sample([V, W]),
            Sample((M, values(1, 3), values(0, 3))),
            Sample([M, values(2, 1)], axis=1),
            Sample([values(2, 1, 2), values(2, 2, 2)], axis=-2),
            Sample([M, SCALAR, W], axis=None),
            Sample([M, Constant(np.ones((2, 3))), M]),
            Sample([M]),
            Sample(values(2, 3, 2)),
        ),
        covers=(joining._concatenate,),
    ),
    Spec(
        ag.split,
        lambda *args, **keywords: tuple(np.split(*args, **keywords)),
        (
            Sample(X, Constant(2)),
            Sample(X, Constant(3), axis=1),
            Sample(X, Constant(5), axis=-1),
            Sample(X, Constant([1, 3]), axis=1),
            Sample(X, Constant((-2,)), axis=1),
            Sample(X, Constant([0, 2, 2, 9]), axis=0),
            Sample(V, Constant([])),
            Sample(values(0, 2), Constant(2)),
        ),
        covers=(joining._split, joining._concatenate),
    ),
    Spec(
        ag.array_split,
        lambda *args, **keywords: tuple(np.array_split(*args, **keywords)),
        (
            Sample(X, Constant(3)),
            Sample(X, Constant(4), axis=1),
            Sample(V, Constant(5)),
            Sample(X, Constant([2]), axis=2),
        ),
    ),
    Spec(
        ag.hsplit,
        lambda *args: tuple(np.hsplit(*args)),
        (Sample(X, Constant(3)), Sample(V, Constant([1]))),
    ),
    Spec(ag.vsplit, lambda *args: tuple(np.vsplit(*args)), (Sample(X, Constant(2)), Sample(M, Constant([1])))),
    Spec(ag.dsplit, lambda *args: tuple(np.dsplit(*args)), (Sample(X, Constant(5)), Sample(X, Constant([1, 3])))),
    Spec(
        ag.stack,
        np.stack,
        (
            Sample([V, values(3, seed=1)]),
            Sample((M, values(2, 3, seed=1), Constant(np.ones((2, 3)))), axis=1),
            Sample([M, values(2, 3, seed=1)], axis=-1),
            Sample([M, M], axis=-3),
            Sample([SCALAR, values(seed=1)]),
            Sample([values(0, 2), values(0, 2)], axis=2),
            Sample(M),
        ),
        covers=(joining._stack,),
    ),
    Spec(
        ag.unstack,
        lambda x, axis=0: tuple(np.moveaxis(x, axis, 0)),
        (Sample(V), Sample(X), Sample(X, axis=1), Sample(M, axis=-1), Sample(values(2, 0))),
        covers=(joining._unstack, joining._stack),
    ),
    Spec(ag.vstack, np.vstack, (Sample([V, M]), Sample([SCALAR, values(2, 1)]), Sample([X, X]), Sample((M,)))),
    Spec(ag.hstack, np.hstack, (Sample([V, W, SCALAR]), Sample([M, values(2, 1)]), Sample([X, X]), Sample((SCALAR,)))),
    Spec(ag.dstack, np.dstack, (Sample([V, values(1, 3)]), Sample([M, values(2, 3, 2)]), Sample([SCALAR, SCALAR]))),
    Spec(ag.column_stack, np.column_stack, (Sample([W, M]), Sample([V, V]), Sample([SCALAR, values(1)]))),
    Spec(
        ag.append,
        np.append,
        (Sample(M, V), Sample(M, values()), Sample(M, values(1, 3), axis=0), Sample(M, values(2, 2), axis=-1)),
    ),
    Spec(
        ag.meshgrid,
        np.meshgrid,
        (
            Sample(V),
            Sample(V, W),
            Sample(V, W, indexing="ij"),
            Sample(V, W, values(4)),
            Sample(V, W, SCALAR, sparse=True),
            Sample(V, W, values(4), sparse=True, indexing="ij"),
            Sample(values(0), W),
        ),
    ),
]

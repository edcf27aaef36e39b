"""Specs of autograd.ops.products."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd as ag
from autograd.ops import products

from .spec import Constant, Sample, Spec, values

PAIRS = [
    *[((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4))],
    *[((3,), (4, 3, 2)), ((4, 2, 3), (3,)), ((3,), (2, 2, 3, 2)), ((2, 2, 4, 3), (3,))],
    *[
        ((4, 2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((4, 2, 3), (4, 3, 2)),
        ((2, 1, 2, 3), (4, 3, 2)),
        ((1, 2, 3), (4, 3, 1)),
    ],
    *[((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 2)), ((0,), (0,)), ((2, 0), (0,)), ((4, 2, 0), (0, 3))],
]
"""Shapes of x and y for every case of the matrix product, the batches that broadcast and the empty ones among them."""


def pairs(*shapes: Any) -> list[Sample]:
    return [Sample(values(*a), values(*b, seed=1)) for a, b in shapes]


def samples(*given: Any) -> tuple[Sample, ...]:
    """Return samples of shapes: the last of each tuple may be a dict of keywords."""
    found = []
    for shapes in given:
        keywords = shapes[-1] if isinstance(shapes[-1], dict) else {}
        arrays = [values(*shape, seed=i) for i, shape in enumerate(s for s in shapes if s is not keywords)]
        found.append(Sample(*arrays, **keywords))
    return tuple(found)


def sum_of_products(a, b, axis=-1):
    return (a * b).sum(axis=axis)


def affine(x, w, b=None):
    return np.tensordot(x, w, (-1, -1)) + (0 if b is None else b)


def put_diagonals(y, labels, shape):
    """Return zeros with y where the indices on axes with equal labels are equal."""
    out = np.zeros(shape, y.dtype)
    order = list(dict.fromkeys(labels))
    for place in np.ndindex(*y.shape):
        out[tuple(place[order.index(label)] for label in labels)] = y[place]
    return out


def einsum(subscripts: str, *shapes: tuple[int, ...]) -> Sample:
    return Sample(Constant(subscripts), *(values(*shape, seed=i) for i, shape in enumerate(shapes)))


EINSUMS = (
    *(
        einsum("ij,jk->ik", (2, 3), (3, 4)),
        einsum("ij,jk", (2, 3), (3, 4)),
        Sample(Constant("ij,jk->ik"), values(2, 3, seed=3), values(3, 4, seed=4)),
        einsum("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    ),
    *(
        einsum("ij->ji", (2, 3)),
        einsum("ij->", (2, 3)),
        einsum("ij->j", (2, 3)),
        einsum("ba", (2, 3)),
        einsum("i->i", (0,)),
    ),
    *(
        einsum("i,j->ij", (2,), (3,)),
        einsum("ij,j->", (2, 3), (3,)),
        einsum("ij,kl->il", (2, 3), (2, 2)),
        einsum(",", (), ()),
    ),
    *(
        einsum("i,ij,j->", (2,), (2, 3), (3,)),
        einsum("ab,bc,cd->da", (2, 3), (3, 2), (2, 4)),
        einsum(",ij,->ij", (), (2, 3), ()),
    ),
    *(
        einsum("...ij,...jk->...ik", (4, 2, 3), (3, 2)),
        einsum("...i,i...", (2, 3), (3, 2)),
        einsum("i...->...", (2, 3, 2)),
    ),
    *(
        einsum("...,...", (2, 3), (3,)),
        einsum("...i->i...", (2, 1, 3)),
        einsum("...ij,...j->...i", (2, 1, 2, 3), (4, 3)),
    ),
    *(einsum("ij,ij->ij", (1, 3), (2, 3)), einsum("ij,ij->", (2, 3), (1, 3)), einsum("ij,jk->ik", (2, 0), (0, 3))),
)
DIAGONALS = (
    *(einsum("ii", (3, 3)), einsum("ii->i", (3, 3)), einsum("iij->ij", (2, 2, 3)), einsum("iji->j", (2, 3, 2))),
    *(
        einsum("ii,ij->j", (3, 3), (3, 2)),
        einsum("...ii->...i", (2, 3, 3)),
        einsum("iii", (2, 2, 2)),
        einsum("ii", (0, 0)),
    ),
)

SPECS = [
    Spec(ag.matmul, np.matmul, tuple(pairs(*PAIRS)), covers=(products._matmul,)),
    Spec(
        ag.linear,
        affine,
        (
            *samples(((4, 3), (2, 3)), ((3,), (2, 3)), ((2, 4, 3), (2, 3)), ((0, 3), (2, 3)), ((4, 0), (2, 0))),
            *samples(((4, 3), (2, 3), (2,)), ((3,), (2, 3), (2,)), ((2, 4, 3), (2, 3), (2,)), ((0, 3), (2, 3), (2,))),
            *samples(((2, 3), (4, 3)), ((1, 3), (2, 3)), ((1, 1), (2, 1)), ((1, 1, 1), (2, 1)), ((1, 1), (2, 1), (2,))),
            *samples(((4, 3), (0, 3), (0,)), ((2, 4, 0), (2, 0), (2,)), ((4, 3), (1, 3), (1,))),
            *samples(((4, 3), (2, 3), (4, 2)), ((2, 4, 3), (2, 3), (2, 4, 2)), ((2, 3), (20, 3), (20,))),
            Sample(values(4, 3, seed=3), values(2, 3, seed=4)),
            Sample(values(4, 3, seed=3), values(2, 3, seed=4), values(2, seed=5)),
        ),
        covers=(products._linear, products._linear_with_bias),
    ),
    Spec(
        ag.dot,
        np.dot,
        (
            *pairs(*[pair for pair in PAIRS if max(map(len, pair)) <= 2 or len(pair[1]) <= 2 or len(pair[0]) == 1]),
            *samples(((), (2, 3)), ((3,), ()), ((), ()), ((2, 3), (4, 3, 2)), ((2, 1, 3), (2, 3, 2))),
        ),
    ),
    Spec(
        ag.inner,
        np.inner,
        samples(
            *[((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 3), (4, 3)), ((2, 3), (2, 2, 3)), ((2, 2, 3), (4, 3))],
            *[((3,), (2, 2, 3)), ((), (3,)), ((2,), ()), ((), ()), ((0,), (0,)), ((2, 0), (3, 0))],
        ),
    ),
    Spec(ag.outer, np.outer, samples(((2,), (3,)), ((2, 2), (3,)), ((), (3,)), ((2,), ()), ((0,), (3,)))),
    Spec(
        ag.vdot,
        lambda a, b: (a.ravel() * b.ravel()).sum(),
        samples(((3,), (3,)), ((2, 3), (3, 2)), ((), ()), ((0,), (0,))),
    ),
    Spec(
        ag.tensordot,
        np.tensordot,
        samples(
            *[((2, 3), (3, 4), {"axes": 1}), ((2, 3), (2, 3)), ((2,), (3,), {"axes": 0}), ((), (2,), {"axes": 0})],
            *[((2, 3, 4), (4, 3, 2), {"axes": ([1, 2], [1, 0])}), ((2, 3, 4), (3, 2), {"axes": (1, 0)})],
            *[((2, 3, 2), (2, 2, 3), {"axes": ((-1, 1), (0, -1))}), ((2, 0), (0, 3), {"axes": 1})],
        ),
    ),
    Spec(ag.einsum, np.einsum, EINSUMS, covers=(products.einsum_spelled,)),
    Spec(
        lambda *args: ag.einsum(*args, optimize=False),
        np.einsum,
        (EINSUMS[0], EINSUMS[2], EINSUMS[12]),
        name="einsum without matrix products",
    ),
    Spec(
        ag.einsum,
        np.einsum,
        DIAGONALS,
        covers=(products.take_diagonals, products.put_diagonals),
        name="einsum of diagonals",
    ),
    Spec(
        products.put_diagonals,
        put_diagonals,
        (
            Sample(values(3), labels="ii", shape=(3, 3)),
            Sample(values(2, 3), labels="iji", shape=(2, 3, 2)),
            Sample(values(4, 2, 3), labels="aijj", shape=(4, 2, 3, 3)),
            Sample(values(0), labels="ii", shape=(0, 0)),
        ),
    ),
    Spec(
        ag.kron,
        np.kron,
        samples(
            *[
                ((2,), (3,)),
                ((2, 3), (3, 2)),
                ((2,), (3, 2)),
                ((2, 2, 1), (2, 3)),
                ((), (2, 3)),
                ((), ()),
                ((0, 2), (2, 3)),
            ],
        ),
    ),
    Spec(
        ag.cross,
        np.cross,
        samples(
            *[((3,), (3,)), ((4, 3), (4, 3)), ((4, 3), (3,)), ((3,), (4, 3)), ((2, 1, 3), (4, 3)), ((0, 3), (3,))],
            *[((3, 4), (3, 4), {"axis": 0}), ((3, 4), (4, 3), {"axisa": 0}), ((4, 3), (4, 3), {"axisc": 0})],
            *[((2, 3, 4), (3, 2, 4), {"axisa": 1, "axisb": 0, "axisc": -2})],
        ),
        covers=(products._cross,),
    ),
    Spec(
        ag.vecdot,
        sum_of_products,
        samples(((3,), (3,)), ((4, 3), (3,)), ((2, 1, 3), (4, 3)), ((3, 2), (3, 2), {"axis": 0}), ((2, 0), (0,))),
    ),
    Spec(
        ag.matvec,
        lambda x, y: np.einsum("...ij,...j->...i", x, y),
        samples(((2, 3), (3,)), ((4, 2, 3), (3,)), ((2, 3), (4, 3)), ((4, 2, 3), (4, 3)), ((2, 0), (0,))),
    ),
    Spec(
        ag.vecmat,
        lambda x, y: np.einsum("...i,...ij->...j", x, y),
        samples(((3,), (3, 2)), ((3,), (4, 3, 2)), ((4, 3), (3, 2)), ((4, 3), (4, 3, 2)), ((0,), (0, 2))),
    ),
]

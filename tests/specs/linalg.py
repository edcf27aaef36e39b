"""Specs of autograd.linalg and autograd.ops.decompositions.

Eigenvectors and singular vectors have arbitrary signs, which may change between neighboring matrices; their specs
look at functions of them that do not depend on the signs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import linalg
from autograd.ops import decompositions
from tests import oracles

from .products import samples
from .spec import FLOATS, Constant, Sample, Spec, values

LAPACK = (np.float32, np.float64)


def heavy(*shape: int, seed: int = 0) -> np.ndarray:
    """Return matrices with large diagonals: invertible, and positive definite when made symmetric."""
    x = values(*shape, seed=seed)
    return x + 7 * np.eye(*shape[-2:])


def stacks(*shapes: Any) -> tuple[Sample, ...]:
    return tuple(Sample(heavy(*shape)) for shape in shapes)


SQUARE = stacks((3, 3), (1, 1), (2, 3, 3), (2, 1, 4, 4), (0, 0), (0, 2, 2), (2, 3, 2, 2))
SQUARE += (Sample(heavy(3, 3, seed=1)), Sample(heavy(2, 3, 3, seed=1)))
ANY = tuple(Sample(values(*shape)) for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (2, 2, 3), (1, 1), (2, 1, 3, 2)))
ANY += (Sample(values(3, 3, seed=1)),)


def spec(name: str, given: tuple[Sample, ...], build: Callable[..., Any], *, covers: Any = (), **options: Any) -> Spec:
    """Return the spec of what `build` makes of a library's linalg, judged by torch."""
    function = build(linalg)

    def judge(*args: Any, **kwargs: Any) -> Any:
        return build(oracles.torch.linalg)(*args, **kwargs)

    oracles.TORCH[function] = judge
    return Spec(function, build(np.linalg), given, covers=covers, name=name, **{"dtypes": LAPACK, **options})


def symmetric(x: Any) -> Any:
    return (x + x.swapaxes(-1, -2)) / 2


def cholesky(library: Any, **keywords: Any) -> Any:
    return lambda a: library.cholesky(symmetric(a), **keywords)


def qr(library: Any) -> Any:
    return lambda a: tuple(library.qr(a))


def triangle(library: Any) -> Any:
    return lambda a: library.qr(a).R if library is getattr(oracles.torch, "linalg", None) else library.qr(a, mode="r")


def svd(library: Any) -> Any:
    def function(a: Any) -> Any:
        u, s, vh = library.svd(a, full_matrices=False)
        joined = sum((i + 1) * u[..., :, i, None] * vh[..., i, None, :] for i in range(s.shape[-1]))
        return u * u, s, vh * vh, joined

    return function


def eigh(library: Any) -> Any:
    def function(a: Any) -> Any:
        w, v = library.eigh(symmetric(a))
        return w, sum((i + 1) * v[..., :, i, None] * v[..., None, :, i] for i in range(w.shape[-1]))

    return function


def by_axes(library: Any) -> Any:
    """Return the norm with NumPy's keywords."""
    if library is linalg or library is np.linalg:
        return library.norm
    return lambda x, ord=None, axis=None, keepdims=False: library.norm(x, ord, axis, keepdims)


def identity(library: Any) -> Any:
    return lambda a: library.matrix_power(a, 0)


def log_of_determinant(a: Any) -> Any:
    sign = np.sign(np.linalg.det(a).real)
    return sign, np.log(np.linalg.det(a) * sign)


oracles.ANALYTIC[linalg.slogdet] = log_of_determinant

VECTORS = (
    *samples(((3,),), ((2, 3),), ((),), ((2, 2, 3),), ((0,),), ((2, 3), {"keepdims": True}), ((2, 3), {"axis": -1})),
    *(Sample(values(5), ord=order) for order in (None, 1, 2, 3, 4, 2.5, np.inf, -np.inf)),
    *(Sample(values(2, 3, 2), ord=order, axis=1, keepdims=True) for order in (None, 1, 2, 3, np.inf, -np.inf)),
    *(Sample(values(2, 3), ord=order, axis=-2) for order in (1, 3, np.inf)),
)
MATRICES = tuple(
    Sample(values(*shape), ord=order, **keywords)
    for order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    for shape, keywords in (
        ((2, 3), {}),
        ((3, 3), {"keepdims": True}),
        ((2, 3, 2), {"axis": (1, 2)}),
        ((3, 2, 2), {"axis": (2, 0), "keepdims": True}),
    )
)

SPECS = [
    Spec(linalg.inv, np.linalg.inv, SQUARE, dtypes=LAPACK),
    Spec(
        linalg.solve,
        np.linalg.solve,
        tuple(
            Sample(heavy(*a), values(*b, seed=1))
            for a, b in [
                *[((3, 3), (3,)), ((3, 3), (3, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (3, 2)), ((3, 3), (2, 3, 1))],
                *[((2, 1, 3, 3), (2, 3, 2)), ((3, 3), (3, 0)), ((0, 0), (0,)), ((0, 2, 2), (2, 1))],
            ]
        ),
        dtypes=LAPACK,
        covers=(decompositions.solve_matrix,),
    ),
    Spec(linalg.det, np.linalg.det, SQUARE, dtypes=LAPACK, covers=(decompositions.cofactor,)),
    Spec(
        decompositions.cofactor,
        lambda a: np.linalg.det(a)[..., None, None] * np.linalg.inv(a).swapaxes(-1, -2),
        SQUARE,
        dtypes=LAPACK,
    ),
    Spec(linalg.slogdet, np.linalg.slogdet, SQUARE[:4], dtypes=LAPACK),
    spec("cholesky", SQUARE, cholesky, covers=(decompositions.lower_cholesky,)),
    spec("cholesky, upper", SQUARE[:3], lambda library: cholesky(library, upper=True)),
    spec("qr", ANY, qr, covers=(decompositions.tall_qr,)),
    spec("qr, R only", ANY, triangle),
    spec("svd", ANY, svd, covers=(decompositions.reduced_svd,), tolerance=1e-5),
    spec("svdvals", ANY, lambda library: library.svdvals),
    spec("eigh", SQUARE[:4], eigh, covers=(decompositions.eigh,)),
    spec("eigvalsh", SQUARE[:4], lambda library: lambda a: library.eigvalsh(symmetric(a))),
    spec("norm of vectors", VECTORS, by_axes, covers=(linalg._power_norm,), dtypes=FLOATS),
    spec("norm of matrices", MATRICES, by_axes),
    spec("pinv", ANY, lambda library: library.pinv, covers=(linalg.pinv,)),
    spec("cond", ANY, lambda library: library.cond),
    Spec(
        linalg.matrix_power,
        np.linalg.matrix_power,
        (
            *(Sample(heavy(3, 3), Constant(n)) for n in (1, 2, 3, 5, -1, -2)),
            *(Sample(heavy(2, 2, 2), Constant(n)) for n in (1, 4, -3)),
        ),
        dtypes=LAPACK,
    ),
    Spec(
        identity(linalg),
        identity(np.linalg),
        (Sample(heavy(3, 3)), Sample(heavy(2, 2, 2))),
        order=0,
        covers=(linalg._zeroth_power,),
        name="matrix_power, 0",
    ),
    Spec(linalg.matrix_rank, np.linalg.matrix_rank, ANY, order=0, dtypes=LAPACK),
    Spec(
        linalg.multi_dot,
        np.linalg.multi_dot,
        tuple(
            Sample([values(*shape, seed=i) for i, shape in enumerate(shapes)])
            for shapes in [
                *[((2, 3), (3, 2)), ((3,), (3,)), ((2, 4), (4, 1), (1, 3)), ((2,), (2, 3), (3, 2), (2,))],
                *[((3, 1), (1, 4), (4, 2), (2, 3), (3, 1)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 0), (0, 3), (3, 1))],
            ]
        ),
    ),
    Spec(
        linalg.tensorinv,
        np.linalg.tensorinv,
        (
            Sample(heavy(4, 4).reshape(4, 2, 2), ind=1),
            Sample(heavy(4, 4).reshape(2, 2, 2, 2)),
            Sample(heavy(6, 6).reshape(2, 3, 6), ind=2),
        ),
        dtypes=LAPACK,
    ),
    Spec(
        linalg.tensorsolve,
        np.linalg.tensorsolve,
        (
            Sample(heavy(6, 6).reshape(2, 3, 6), values(2, 3)),
            Sample(heavy(6, 6).reshape(6, 2, 3), values(6)),
            Sample(np.moveaxis(heavy(6, 6).reshape(2, 3, 6), 2, 1), values(2, 3), axes=(1,)),
        ),
        dtypes=LAPACK,
    ),
    Spec(linalg.trace, np.linalg.trace, samples(((3, 3),), ((2, 3, 2), {"offset": -1}), ((2, 4, 3), {"offset": 1}))),
    Spec(
        linalg.diagonal, np.linalg.diagonal, samples(((3, 3),), ((2, 3, 2), {"offset": -1}), ((2, 4, 3), {"offset": 1}))
    ),
    Spec(linalg.matrix_transpose, np.linalg.matrix_transpose, samples(((2, 3),), ((2, 3, 4),), ((0, 2),))),
    Spec(linalg.cross, np.linalg.cross, samples(((3,), (3,)), ((4, 3), (3,)), ((3, 2), (3, 2), {"axis": 0}))),
]

"""Hypothesis strategies for gradients: arrays fit to be differentiated at, axes, indices, and whole programs.

Values are drawn so that they shrink to short numbers; `Program` and how programs grow is in `programs`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.testing.programs import LARGEST, NAMES, SHAPES, USES, Program, grown

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ImportError as error:
    raise ImportError("autograd.testing.strategies needs Hypothesis: pip install 'bargrad[test]'") from error

__all__ = [
    "arrays",
    "axes",
    "broadcastable",
    "dtypes",
    "indices",
    "laid_out",
    "matrices",
    "numbers",
    "programs",
    "shapes",
]

Shape = tuple[int, ...]

TINY = 2.0**-10
"""Between limits around 0, what is smaller than this part of them is drawn as 0."""


def numbers(
    low: float = -2.0,
    high: float = 2.0,
    *,
    away_from: Sequence[float] = (),
    gap: float = 0.1,
    at: Sequence[float] = (),
    dtype: Any = np.float64,
) -> st.SearchStrategy[float]:
    """Draw numbers to differentiate at, of a size that keeps finite differences meaningful.

    Args:
        low: the least.
        high: the largest.
        away_from: kinks and poles, from which to keep a distance.
        gap: that distance.
        at: points to be hit on purpose, every other time.
        dtype: numbers that it can represent.

    Raises:
        ValueError: nothing is left between the limits.
    """
    bits = np.dtype(dtype).itemsize * 8
    edges = [low, *(edge for kink in sorted(away_from) for edge in (kink - gap, kink + gap)), high]
    pieces = [
        _not_tiny(st.floats(_up(start, dtype), _down(end, dtype), width=bits, allow_subnormal=False), start, end)
        for start, end in zip(edges[::2], edges[1::2], strict=True)
        if _up(max(start, low), dtype) <= _down(min(end, high), dtype)
    ]
    if not pieces:
        raise ValueError(f"numbers: nothing is left of {low} .. {high} at a distance of {gap} from {[*away_from]}")
    drawn: st.SearchStrategy[float] = st.one_of(pieces)
    return drawn if not at else st.one_of(st.sampled_from([float(x) for x in at]), drawn)


def _not_tiny(drawn: st.SearchStrategy[float], start: float, end: float) -> st.SearchStrategy[float]:
    """Draw 0 for what is next to nothing between limits around 0: 1 / x^2 of it would overflow."""
    if not start <= 0 <= end:
        return drawn
    return drawn.map(lambda x: x if abs(x) >= TINY * max(-start, end) else 0.0)


def _up(x: float, dtype: Any) -> float:
    """Return the least number of the dtype that is not below x."""
    found = np.dtype(dtype).type(x)
    return float(found if found >= x else np.nextafter(found, np.dtype(dtype).type(math.inf)))


def _down(x: float, dtype: Any) -> float:
    return -_up(-x, dtype)


def shapes(*, min_dims: int = 0, max_dims: int = 3, min_side: int = 0, max_side: int = 4) -> st.SearchStrategy[Shape]:
    """Draw shapes of small arrays, 0-d and empty ones among them.

    Args:
        min_dims: the fewest axes.
        max_dims: the most.
        min_side: the least length of an axis.
        max_side: the largest.
    """
    return hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=min_side, max_side=max_side)


LAYOUTS = ("contiguous", "columns first", "every second", "backward", "read-only")


@st.composite
def arrays(
    draw: st.DrawFn,
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    low: float = -2.0,
    high: float = 2.0,
    away_from: Sequence[float] = (),
    gap: float = 0.1,
    at: Sequence[float] = (),
    dtype: Any = np.float64,
    layouts: Sequence[str] = LAYOUTS,
) -> NDArray[Any]:
    """Draw arrays to differentiate at, in any layout in memory.

    Args:
        draw: given by Hypothesis.
        shape: of the array, or a strategy for it; any of up to three axes if left out.
        low: the least element.
        high: the largest.
        away_from: kinks and poles, from which elements keep a distance.
        gap: that distance.
        at: points to be hit on purpose, by every other element.
        dtype: of the array, or a strategy for it.
        layouts: which of `LAYOUTS` to use: in C's order, in Fortran's, with gaps, from the end, or locked.

    Example:
        >>> from hypothesis import given
        >>> @given(arrays((2, 3), away_from=[0]))
        ... def test_sign_is_never_zero(x):
        ...     assert np.all(np.abs(x) >= 0.1)
        >>> test_sign_is_never_zero()
    """
    shape = draw(shape if isinstance(shape, st.SearchStrategy) else shapes() if shape is None else st.just(shape))
    dtype = draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
    elements = numbers(low, high, away_from=away_from, gap=gap, at=at, dtype=dtype)
    # Without `fill`, most elements of an array are equal, and equal elements hide a wrong order.
    found = draw(hnp.arrays(dtype, shape, elements=elements, fill=st.nothing()))
    return laid_out(found, draw(st.sampled_from(layouts)))


def laid_out(array: NDArray[Any], layout: str) -> NDArray[Any]:
    """Return the same numbers in another layout in memory.

    Args:
        array: of any shape.
        layout: one of `LAYOUTS`.
    """
    if layout == "columns first":
        return np.asfortranarray(array)
    if layout in ("every second", "backward") and array.ndim:
        step = 2 if layout == "every second" else -1
        buffer = np.zeros([abs(step) * n for n in array.shape], array.dtype)
        view = buffer[(slice(None, None, step),) * array.ndim]
        view[...] = array
        return view
    if layout == "read-only":
        array = array.copy()
        array.flags.writeable = False
    return array


@st.composite
def broadcastable(draw: st.DrawFn, /, count: int = 2, **options: Any) -> tuple[NDArray[Any], ...]:
    """Draw arrays whose shapes go together by broadcasting.

    Args:
        draw: given by Hypothesis.
        count: how many.
        **options: as for `arrays`, without the shape.
    """
    found = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, min_side=0, max_side=3, max_dims=3))
    return tuple(draw(arrays(shape, **options)) for shape in found.input_shapes)


def dtypes() -> st.SearchStrategy[Any]:
    """Draw float64 or float32."""
    return st.sampled_from([np.float64, np.float32])


@st.composite
def axes(draw: st.DrawFn, ndim: int, *, several: bool = True) -> int | tuple[int, ...] | None:
    """Draw the `axis` of a reduction: None, an integer, negative or not, or several of them.

    Args:
        draw: given by Hypothesis.
        ndim: of the array.
        several: whether a tuple may be drawn.
    """
    kinds: list[Any] = [st.none()]
    if ndim:
        kinds.append(st.integers(-ndim, ndim - 1))
        if several:
            chosen = st.lists(st.integers(0, ndim - 1), unique=True)
            kinds.append(chosen.flatmap(lambda axes: st.tuples(*(st.sampled_from([a, a - ndim]) for a in axes))))
    return draw(st.one_of(kinds))  # type: ignore[no-any-return]


@st.composite
def indices(draw: st.DrawFn, shape: Shape) -> Any:
    """Draw what may stand in `x[...]`: slices, integers, None, an ellipsis, integer arrays (repeating), or a mask.

    Args:
        draw: given by Hypothesis.
        shape: of x.
    """
    kinds: list[Any] = [hnp.basic_indices(shape, allow_newaxis=True)]
    if shape and 0 not in shape:
        kinds.append(hnp.integer_array_indices(shape, result_shape=shapes(min_dims=1, max_dims=2, min_side=1)))
        kinds.append(hnp.arrays(bool, shape))
    return draw(st.one_of(kinds))


KINDS = ("regular", "symmetric", "positive definite", "orthogonal", "triangular")


@st.composite
def matrices(
    draw: st.DrawFn, n: int | st.SearchStrategy[int] = 3, *, kind: str = "regular", condition: float = 10.0
) -> NDArray[np.float64]:
    """Draw square matrices that linear algebra can be differentiated at.

    Singular values (eigenvalues of a symmetric matrix) lie in 1/condition .. 1 and apart from each other.

    Args:
        draw: given by Hypothesis.
        n: rows and columns.
        kind: one of `KINDS`; "triangular" is a lower one.
        condition: quotient of the largest and the smallest singular value.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"matrices: expected kind to be one of {KINDS}, got {kind!r}")
    n = draw(n) if isinstance(n, st.SearchStrategy) else n
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    left, right = (np.linalg.qr(rng.normal(size=(n, n)))[0] for _ in range(2))
    values = np.geomspace(1 / condition, 1, n) if n > 1 else np.ones(n)
    if kind == "orthogonal":
        return np.asarray(left)
    if kind == "symmetric":
        values = values * rng.choice([-1, 1], n)
    if kind in ("symmetric", "positive definite"):
        found = left * values @ left.T
        return np.asarray((found + found.T) / 2)
    found = left * values @ right
    return np.asarray(np.tril(found) + np.diag(np.sign(np.diag(found))) if kind == "triangular" else found)


@st.composite
def _genes(draw: st.DrawFn) -> tuple[int, ...]:
    """Draw what a step of a program is made from; what its operation does not use is 0, so that it shrinks fast."""
    operation = draw(st.integers(0, len(NAMES) - 1))
    used = USES[NAMES[operation]]
    return (operation, *(draw(st.integers(0, most)) if i < used else 0 for i, most in enumerate(LARGEST)))


@st.composite
def programs(draw: st.DrawFn, *, min_operations: int = 1, max_operations: int = 10, max_results: int = 2) -> Program:
    """Draw whole computations: fan-out, broadcasting, views, reductions, indexing, item assignment, control flow.

    A program keeps away from kinks and ends of domains, and its values stay below 100. It shrinks to few operations,
    and its repr is Python that can be run.

    Args:
        draw: given by Hypothesis.
        min_operations: the fewest that are tried; some may turn out impossible and are replaced by tanh.
        max_operations: the most; steps that the results do not need are left out.
        max_results: how many of the values that no other is computed from are returned, at most; one more may be.

    Example:
        >>> from hypothesis import given, settings
        >>> from autograd.testing import check_gradients
        >>> @settings(max_examples=5, deadline=None)
        ... @given(programs())
        ... def test_engine(program):
        ...     check_gradients(program, *program.inputs, mode="directions")
        >>> test_engine()
    """
    seed = draw(st.integers(0, 100))
    first, second = draw(st.tuples(*[st.integers(0, len(SHAPES) - 1)] * 2))
    genes = draw(st.lists(_genes(), min_size=min_operations, max_size=max_operations))
    return grown(seed, (first, second), genes, draw(st.integers(0, 3)), max_results)

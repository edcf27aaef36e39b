"""Linear algebra, named as in `numpy.linalg`: the decompositions, norms, and what is composed of them.

float32 and float64 are kept; float16 is refused, as in NumPy. Where a matrix is singular, or eigenvalues are
equal, each function says what becomes of its gradient.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd import numpy_api
from autograd.ops.decompositions import LinAlgError, check_matrices, cholesky, det, eigh, inv, qr, slogdet, solve, svd
from autograd.ops.products import cross as _cross
from autograd.ops.products import matmul, outer, tensordot, vecdot
from autograd.ops.shape import clone, moveaxis
from autograd.ops.shape import diagonal as _diagonal
from autograd.ops.shape import trace as _trace
from autograd.primitive import primitive
from autograd.tensor import as_array

# --- Norms -------------------------------------------------------------------------------------------------


def _norm(x: Any, *, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    if p == 2:
        return np.sqrt((x * x).sum(axis=axis, keepdims=keepdims))
    return (np.abs(x) ** p).sum(axis=axis, keepdims=keepdims) ** (1 / p)


def _norm_bar(ybar: Any, x: Any, out: Any, p: float, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Return the bar of x in y = (sum |x|^p)^(1/p): ybar sign(x) (|x| / y)^(p - 1), and 0 where x is 0."""
    if not keepdims:
        ybar, out = _restored(ybar, x.shape, axis), _restored(out, x.shape, axis)
    positive = out + (out == 0)
    if p == 2:
        return ybar * (x / positive * (out != 0))
    return ybar * (np.sign(x) * ((np.absolute(x) + (x == 0)) / positive) ** (p - 1))


def _restored(y: Any, shape: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    """Return a reduction's result with the axes that were reduced, of length 1."""
    return y.reshape(tuple(1 if i in axis else n for i, n in enumerate(shape)))


_power_norm = primitive(_norm, x=_norm_bar)


def _vector_norm(x: Any, order: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if order in (math.inf, -math.inf):
        y = np.absolute(x)
        return y.max(axis=axis, keepdims=keepdims) if order > 0 else y.min(axis=axis, keepdims=keepdims)
    if order == 0:
        return (x != 0).astype(x.dtype).sum(axis=axis, keepdims=keepdims)
    if order == 1:
        return np.absolute(x).sum(axis=axis, keepdims=keepdims)
    if order in ("fro", "nuc"):
        raise ValueError(f"norm: ord={order!r} is for matrices, and there is one axis")
    return _power_norm(x, p=order, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Any, order: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    if order in ("f", "fro"):
        return _power_norm(x, p=2, axis=axis, keepdims=keepdims)
    if order in (1, -1, math.inf, -math.inf):
        sums = np.absolute(x).sum(axis=axis[0] if abs(order) == 1 else axis[1], keepdims=True)
        return sums.max(axis=axis, keepdims=keepdims) if order > 0 else sums.min(axis=axis, keepdims=keepdims)
    if order not in ("nuc", 2, -2):
        raise ValueError(
            f"norm: expected ord None, 'fro', 'nuc', 1, 2, inf or their negatives for matrices, got {order!r}"
        )
    s = svdvals(moveaxis(x, axis, (-2, -1)))
    y = s.sum(axis=-1) if order == "nuc" else s.max(axis=-1) if order == 2 else s.min(axis=-1)
    return _restored(y, x.shape, axis) if keepdims else y


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the norm of vectors or matrices. The gradient at 0 is 0.

    Args:
        x: any shape.
        ord: None for the root of the sum of squares. For vectors a number p, (sum |x|^p)^(1/p), inf or
            -inf (largest and smallest |x|), or 0 (how many are not 0). For matrices "fro"; "nuc", the sum of the
            singular values; 2 or -2, the largest or smallest of them; 1 or -1, the largest or smallest
            sum of a column of |x|; inf or -inf, of a row.
        axis: one axis for vectors, two for matrices; None: x is one vector or one matrix, or, without `ord`, all
            of x is taken as one vector.
        keepdims: leave the axes in the result, of length 1.

    Raises:
        ValueError: an `ord` that is not known, or that needs another number of axes.
    """
    x = _as_float(x)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    if ord is None:
        return _power_norm(x, p=2, axis=axes, keepdims=keepdims)
    if len(axes) == 1:
        return _vector_norm(x, ord, axes, keepdims)
    if len(axes) == 2:
        return _matrix_norm(x, ord, axes, keepdims)
    raise ValueError(f"norm: ord={ord!r} is for vectors (one axis) or matrices (two), got {len(axes)} axes")


def vector_norm(x: Any, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Return the norm of vectors along one axis, or along several taken together (None: all)."""
    x = _as_float(x)
    axes = tuple(range(x.ndim)) if axis is None else normalize_axis_tuple(axis, x.ndim)
    return _vector_norm(x, ord, axes, keepdims)


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Return the norm of matrices in the last two axes; see `norm`."""
    return norm(x, ord, axis=(-2, -1), keepdims=keepdims)


def _as_float(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype.kind == "f" else x.astype(float)


# --- Values alone, ranks, condition ------------------------------------------------------------------------


def svdvals(x: Any) -> Any:
    """Return the singular values of each matrix, falling; see `svd`."""
    return svd(x, full_matrices=False).S


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Return the eigenvalues of each symmetric matrix, rising; see `eigh`."""
    return eigh(a, UPLO=UPLO).eigenvalues


def _matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    """Return the rank of each matrix: the number of singular values above a tolerance. It has no gradient."""
    return np.linalg.matrix_rank(A, tol, hermitian, rtol=rtol)


matrix_rank = primitive(_matrix_rank, A=None)


def cond(x: Any, p: Any = None) -> Any:
    """Return the condition number of each matrix, |x| |x^-1|.

    Args:
        x: (..., m, n); square unless p is None, 2 or -2.
        p: which norm, as `ord` of `norm`; None and 2: the largest singular value over the smallest.

    Raises:
        LinAlgError: a norm other than these, and a matrix that has no inverse.
    """
    if p in (None, 2, -2):
        s = svdvals(x)
        return s[..., 0] / s[..., -1] if p != -2 else s[..., -1] / s[..., 0]
    return norm(x, p, axis=(-2, -1)) * norm(inv(x), p, axis=(-2, -1))


def trace(x: Any, *, offset: int = 0) -> Any:
    """Return the sum of the diagonal of each matrix."""
    return _trace(as_array(x), offset, -2, -1)


def diagonal(x: Any, *, offset: int = 0) -> Any:
    """Return the diagonal of each matrix."""
    return _diagonal(as_array(x), offset=offset, axis1=-2, axis2=-1)


def matrix_transpose(x: Any) -> Any:
    """Return each matrix with rows and columns exchanged."""
    return as_array(x).swapaxes(-1, -2)


# --- Pseudo-inverse, powers, chains --------------------------------------------------------------------------


def _pinv(a: Any, rcond: Any = None, *, rtol: Any = None) -> Any:
    """Return the pseudo-inverse of each matrix.

    The gradient is that for matrices of the same rank: the pseudo-inverse jumps where the rank changes.

    Args:
        a: (..., m, n).
        rcond: singular values below this part of the largest count as 0.
        rtol: the same, under NumPy 2's name.

    Raises:
        LinAlgError: a has less than two axes, or the algorithm did not converge.
    """
    check_matrices("pinv", a)
    return np.linalg.pinv(a, rcond) if rtol is None else np.linalg.pinv(a, rcond, rtol=rtol)


def _pinv_bar(ybar: Any, a: Any, out: Any) -> Any:
    """Return the bar of a in P = pinv(a).

    With X = P^T, Y = ybar: -X Y X + (1 - a P) Y^T P X + X P Y^T (1 - P a).

    Source: Golub and Pereyra, SIAM J. Numer. Anal. 10 (1973), equation 4.12.
    """
    pt, yt = out.swapaxes(-1, -2), ybar.swapaxes(-1, -2)
    left, right = yt @ (out @ pt), (pt @ out) @ yt
    return left - a @ (out @ left) + right - (right @ out) @ a - pt @ ybar @ pt


pinv = primitive(_pinv, a=_pinv_bar)


def _identity(a: Any) -> Any:
    return np.linalg.matrix_power(a, 0)


_zeroth_power = primitive(_identity, name="matrix_power", a=None)


def matrix_power(a: Any, n: int) -> Any:
    """Return the n-th power of each matrix: of the inverse if n is negative, the identity if it is 0.

    Args:
        a: (..., m, m).
        n: an integer.

    Raises:
        LinAlgError: a matrix is not square; n is negative and it has no inverse.
    """
    a, n = as_array(a), operator.index(n)
    check_matrices("matrix_power", a, square=True)
    if n == 0:
        return _zeroth_power(a)
    if n < 0:
        a, n = inv(a), -n
    if n == 1:
        return clone(a)
    result = None
    while True:
        if n % 2:
            result = a if result is None else result @ a
        n //= 2
        if not n:
            return result
        a = a @ a


def multi_dot(arrays: Sequence[Any]) -> Any:
    """Return the matrix product of all arrays, multiplied in the order that takes the least work.

    Args:
        arrays: at least two matrices; the first and the last may be vectors.

    Raises:
        ValueError: less than two arrays, other numbers of axes, or shapes that do not fit.

    Source: Cormen et al., Introduction to Algorithms, section 15.2.
    """
    arrays = [as_array(x) for x in arrays]
    last = len(arrays) - 1
    if last < 1:
        raise ValueError(f"multi_dot: expected at least two arrays, got {len(arrays)}")
    if any(x.ndim != 2 and not (x.ndim == 1 and i in (0, last)) for i, x in enumerate(arrays)):
        raise ValueError(
            f"multi_dot: expected matrices (first and last may be vectors), got {[x.shape for x in arrays]}"
        )
    sizes = [1 if arrays[0].ndim == 1 else arrays[0].shape[0], *(x.shape[-1] for x in arrays)]
    sizes[-1] = 1 if arrays[-1].ndim == 1 else sizes[-1]
    sizes[-2] = arrays[-1].shape[0]
    cost = dict.fromkeys(((i, i) for i in range(last + 1)), 0)
    split = {}
    for length in range(1, last + 1):
        for i in range(last + 1 - length):
            j = i + length
            cost[i, j], split[i, j] = min(
                (cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Any:
        return arrays[i] if i == j else matmul(product(i, split[i, j]), product(split[i, j] + 1, j))

    return product(0, last)


def tensorinv(a: Any, ind: int = 2) -> Any:
    """Return the inverse of `a` with regard to `tensordot` over its first `ind` axes.

    Args:
        a: the product of the first `ind` lengths is that of the others.
        ind: positive.

    Raises:
        ValueError: `ind` is not positive.
        LinAlgError: a is not square in this sense, or has no inverse.
    """
    if ind <= 0:
        raise ValueError(f"tensorinv: expected a positive ind, got {ind}")
    a = as_array(a)
    rows, columns = a.shape[:ind], a.shape[ind:]
    return inv(a.reshape((math.prod(rows), math.prod(columns)))).reshape((*columns, *rows))


def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    """Return x with tensordot(a, x, x.ndim) = b.

    Args:
        a: shape b.shape + x.shape, after the axes named in `axes` went to the right.
        b: any shape.
        axes: axes of a that go to the right first.

    Raises:
        LinAlgError: a is not square in this sense, or is singular.
    """
    a, b = as_array(a), as_array(b)
    if axes is not None:
        a = moveaxis(a, tuple(axes), tuple(range(a.ndim - len(axes), a.ndim)))
    unknown = a.shape[b.ndim :]
    return solve(a.reshape((b.size, math.prod(unknown))), b.reshape(b.size)).reshape(unknown)


def cross(x1: Any, x2: Any, *, axis: int = -1) -> Any:
    """Return the vector products of the vectors, of 3 elements, along `axis`."""
    return _cross(x1, x2, axis=axis)


# --- Not available -------------------------------------------------------------------------------------------


def _refused(name: str) -> Any:
    """Return a function that raises TypeError, with what to use instead of `numpy.linalg`'s `name`."""
    advice = numpy_api.REFUSED[f"linalg.{name}"]

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(f"linalg.{name} is not available, it is not differentiable: {advice}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Raise TypeError: not differentiable; {advice}."
    return refuse


eig, eigvals, lstsq = map(_refused, ("eig", "eigvals", "lstsq"))

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]
numpy_api.register(
    {
        getattr(np.linalg, name): globals()[name]
        for name in __all__
        if name not in ("LinAlgError", "eig", "eigvals", "lstsq") and hasattr(np.linalg, name)
    }
)

"""What inverts or factors a matrix: `inv`, `solve`, `det`, `slogdet`, `cholesky`, `qr`, `svd`, `eigh` and their rules.

All work on stacks of matrices, (..., n, n) or (..., m, n), in float32 or float64. The rules are spelled with
these operations themselves, so they can be differentiated again. Public names, norms and all that is composed
of these are in `autograd.linalg`.

Source: Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), for inv, solve and det; the others name theirs.
"""

from __future__ import annotations

import functools
from typing import Any, Literal

import numpy as np

from autograd.ops.joining import concatenate
from autograd.primitive import primitive
from autograd.tensor import as_array

LinAlgError = np.linalg.LinAlgError


def transposed(x: Any) -> Any:
    """Return the matrices with rows and columns exchanged."""
    return x.swapaxes(-1, -2)


def _quotient(x: Any, y: Any) -> Any:
    """Return x / y with 0 / 0 = 0: where nothing comes in, no pole of the derivative matters."""
    return x / (y + ((x == 0) & (y == 0)))


def _over_gaps(x: Any, gaps: Any, *bars: Any) -> Any:
    """Return the antisymmetric x over the gaps between (eigen)values, 0 on the diagonal.

    Where two values are equal their vectors are not unique and the result is NaN or infinite, unless nothing comes
    in through any vector (all `bars` are 0).
    """
    idle = np.logical_not(functools.reduce(np.logical_or, [(b != 0).any(axis=(-2, -1), keepdims=True) for b in bars]))
    excused = (gaps == 0) & (idle | np.eye(gaps.shape[-1], dtype=bool))
    return x / (gaps + excused)


def check_matrices(name: str, a: Any, *, square: bool = False) -> None:
    """Raise unless a is a stack of matrices (of square ones)."""
    shape = np.shape(a)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        kind, axes = ("square matrices", "n, n") if square else ("matrices", "m, n")
        raise LinAlgError(f"{name}: expected {kind} of shape (..., {axes}), got shape {shape}")


# --- Inverse, systems of equations, determinant --------------------------------------------------------------


def _inv(a: Any) -> Any:
    """Return the inverse of each matrix.

    Args:
        a: (..., n, n).

    Raises:
        LinAlgError: a matrix is not square or has no inverse.
    """
    check_matrices("inv", a, square=True)
    return np.linalg.inv(a)


inv = primitive(_inv, a=lambda ybar, out: -(transposed(out) @ ybar @ transposed(out)))


def _solve(a: Any, b: Any) -> Any:
    check_matrices("solve", a, square=True)
    if np.shape(b)[-2:-1] != np.shape(a)[-1:]:
        raise LinAlgError(f"solve: expected b (n,) or (..., n, k) for a {np.shape(a)}, got {np.shape(b)}")
    return np.linalg.solve(a, b)


solve_matrix: Any = primitive(
    _solve,
    name="solve",
    shared=lambda xbar, a: solve_matrix(transposed(a), xbar),
    a=lambda _, shared, out: -(shared @ transposed(out)),
    b=lambda _, shared: shared,
)


def solve(a: Any, b: Any) -> Any:
    """Return x with a @ x = b.

    Args:
        a: (..., n, n).
        b: (n,), one vector for all matrices, or (..., n, k); batch axes broadcast.

    Returns:
        x: (..., n) for one vector, else (..., n, k).

    Raises:
        LinAlgError: a matrix is singular, or the shapes do not fit.
    """
    a, b = as_array(a), as_array(b)
    return solve_matrix(a, b[:, None])[..., 0] if b.ndim == 1 else solve_matrix(a, b)


def _cofactor(a: Any) -> Any:
    """Return the cofactors of each matrix, det(a) inv(a)^T, also where there is no inverse.

    With a = U diag(s) V^T they are det(U) det(V) U diag(s_1 .. s_(i-1) s_(i+1) .. s_n) V^T.
    """
    u, s, vh = np.linalg.svd(a)
    others = np.where(np.eye(s.shape[-1], dtype=bool), 1, s[..., None, :]).prod(axis=-1)
    sign = np.rint(np.linalg.det(u @ vh))
    return (u * (sign[..., None] * others)[..., None, :]) @ vh


def _cofactor_bar(cbar: Any, a: Any, out: Any) -> Any:
    """Return the bar of a in C = det(a) a^-T; the derivative by a singular matrix is not had in this form.

    Raises:
        LinAlgError: a matrix is singular.
    """
    y = transposed(inv(a))
    return (cbar * y).sum(axis=(-2, -1), keepdims=True) * out - out @ transposed(cbar) @ y


cofactor = primitive(_cofactor, a=_cofactor_bar)


def _det(a: Any) -> Any:
    """Return the determinant of each matrix.

    The gradient is the matrix of cofactors, also at a singular matrix; there the second derivative raises.

    Args:
        a: (..., n, n).

    Raises:
        LinAlgError: a matrix is not square.
    """
    check_matrices("det", a, square=True)
    return np.linalg.det(a)


det = primitive(_det, a=lambda ybar, a: ybar[..., None, None] * cofactor(a))


def _slogdet(a: Any) -> Any:
    """Return the sign of the determinant of each matrix, and the logarithm of its absolute value.

    Args:
        a: (..., n, n). At a singular matrix the logarithm is -inf and the gradient raises.

    Returns:
        sign and logabsdet, of the shape of the batch.

    Raises:
        LinAlgError: a matrix is not square.
    """
    check_matrices("slogdet", a, square=True)
    return np.linalg.slogdet(a)


slogdet = primitive(_slogdet, a=lambda bars, a: bars[1][..., None, None] * transposed(inv(a)))

# --- Cholesky ------------------------------------------------------------------------------------------------


def _lower_half(x: Any) -> Any:
    """Return the lower triangle of x with the diagonal halved."""
    n = x.shape[-1]
    return x * np.tri(n, k=-1, dtype=bool) + 0.5 * (x * np.eye(n, dtype=bool))


def _symmetric(x: Any) -> Any:
    return 0.5 * (x + transposed(x))


def _cholesky(a: Any) -> Any:
    check_matrices("cholesky", a, square=True)
    return np.linalg.cholesky(a)


def _cholesky_bar(lbar: Any, out: Any) -> Any:
    """Return the bar of a = L L^T, symmetric: with P the lower half of L^T Lbar, the half of L^-T P L^-1.

    Source: Murray, "Differentiation of the Cholesky decomposition", arXiv:1602.07527, equation 10.
    """
    upper = transposed(out)
    left = solve_matrix(upper, _lower_half(upper @ lbar))
    return _symmetric(solve_matrix(upper, transposed(left)))


lower_cholesky = primitive(_cholesky, name="cholesky", a=_cholesky_bar)


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """Return the lower triangular L with a = L @ L^T (or L^T).

    As in NumPy only one triangle of a is read; the bar is symmetric, as a is.

    Args:
        a: (..., n, n), symmetric and positive definite.
        upper: return L^T, from the upper triangle.

    Raises:
        LinAlgError: a matrix is not square or not positive definite.
    """
    return transposed(lower_cholesky(transposed(as_array(a)))) if upper else lower_cholesky(a)


# --- QR ------------------------------------------------------------------------------------------------------


def _tall_qr(a: Any) -> Any:
    return np.linalg.qr(a)


def _mirrored_lower(x: Any) -> Any:
    """Return the symmetric matrix with x's lower triangle."""
    half = _lower_half(x)
    return half + transposed(half)


def _qr_bar(bars: Any, out: Any) -> Any:
    """Return the bar of a = Q R: (Qbar + Q S) R^-T, S the lower triangle of R Rbar^T - Qbar^T Q, mirrored.

    Source: Walter and Lehmann, arXiv:1009.6112; in this form Liao et al., arXiv:1903.09650, equation 5.
    """
    (qbar, rbar), (q, r) = bars, out
    inner = _mirrored_lower(r @ transposed(rbar) - transposed(qbar) @ q)
    return transposed(solve_matrix(r, transposed(qbar + q @ inner)))


tall_qr = primitive(_tall_qr, name="qr", a=_qr_bar)


def qr(a: Any, mode: str = "reduced") -> Any:
    """Return Q with orthonormal columns and the upper triangular R with a = Q @ R.

    Args:
        a: (..., m, n). The gradient raises where the first min(m, n) columns are linearly dependent.
        mode: "reduced" for Q (..., m, k) and R (..., k, n) with k = min(m, n); "r" for R only.

    Raises:
        ValueError: another mode.
        LinAlgError: a has less than two axes.
    """
    if mode not in ("reduced", "r"):
        raise ValueError(f'qr: expected mode="reduced" or "r", got {mode!r}; the further columns of Q are not unique')
    a = as_array(a)
    check_matrices("qr", a)
    m, n = a.shape[-2:]
    result = tall_qr(a if m >= n else a[..., :m])
    if m < n:  # a = [X Y] = Q [U V]
        rest = transposed(result.Q) @ a[..., m:]
        result = result._replace(R=concatenate([result.R, rest], axis=-1))
    return result.R if mode == "r" else result


# --- Singular values and eigenvalues -------------------------------------------------------------------------


def _antisymmetric(x: Any) -> Any:
    return x - transposed(x)


def _svd(a: Any) -> Any:
    return np.linalg.svd(a, full_matrices=False)


def _svd_bar(bars: Any, out: Any) -> Any:
    """Return the bar of a = U diag(s) V^T.

    With F_ij = 1 / (s_j^2 - s_i^2), A(X) = X - X^T:  U [F A(U^T Ubar) S + diag(sbar) + S F A(V^T Vbar)] V^T
    + (1 - U U^T) Ubar S^-1 V^T + U S^-1 Vbar^T (1 - V V^T).

    Source: Townsend, "Differentiating the singular value decomposition" (2016), equation 30 and section 3.
    """
    (ubar, sbar, vhbar), (u, s, vh) = bars, out
    row, column = s[..., None, :], s[..., None]
    gaps = (row - column) * (row + column)
    ut_ubar, vhbar_v = transposed(u) @ ubar, vhbar @ transposed(vh)
    left = _over_gaps(_antisymmetric(ut_ubar), gaps, ubar, vhbar)
    right = _over_gaps(_antisymmetric(transposed(vhbar_v)), gaps, ubar, vhbar)
    u_inner = u @ (left * row + column * right) + u * sbar[..., None, :]
    if u.shape[-2] > u.shape[-1]:
        u_inner = u_inner + _quotient(ubar - u @ ut_ubar, row)
    bar = u_inner @ vh
    if vh.shape[-1] > vh.shape[-2]:
        bar = bar + u @ _quotient(vhbar - vhbar_v @ vh, column)
    return bar


reduced_svd = primitive(_svd, name="svd", a=_svd_bar)


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Return U, S, Vh with a = U @ diag(S) @ Vh, U and Vh with orthonormal columns and rows, S falling.

    Gradients through U and Vh become infinite as singular values become equal (or zero, if m != n), since the vectors
    are not unique there; those through S alone are right wherever S is differentiable. The signs of the
    vectors are arbitrary, so a function of them should not depend on these.

    Args:
        a: (..., m, n).
        full_matrices: True, NumPy's default, is available for square matrices only. With False, U is
            (..., m, k) and Vh (..., k, n), with k = min(m, n).
        compute_uv: False for S only.
        hermitian: must be False; use `eigh` for symmetric matrices.

    Raises:
        ValueError: full_matrices with a matrix that is not square, or hermitian.
        LinAlgError: a has less than two axes, or the algorithm did not converge.
    """
    a = as_array(a)
    check_matrices("svd", a)
    if hermitian:
        raise ValueError("svd: hermitian=True is not available: use linalg.eigh")
    if compute_uv and full_matrices and a.shape[-1] != a.shape[-2]:
        raise ValueError(
            f"svd: pass full_matrices=False for shape {a.shape}: the further columns of full matrices are not unique "
            "and have no derivative"
        )
    result = reduced_svd(a)
    return result if compute_uv else result.S


def _eigh(a: Any, UPLO: Literal["L", "U"] = "L") -> Any:
    """Return the eigenvalues, rising, and eigenvectors of symmetric matrices: a = V diag(w) V^T.

    As in NumPy only one triangle of a is read; the bar is symmetric, as a is. Gradients through the eigenvectors become
    infinite as eigenvalues become equal, since the vectors are not unique there.

    Args:
        a: (..., n, n), symmetric.
        UPLO: the triangle that is read, "L" or "U".

    Returns:
        eigenvalues (..., n) and eigenvectors (..., n, n), in columns.

    Raises:
        LinAlgError: a matrix is not square, or the algorithm did not converge.
    """
    check_matrices("eigh", a, square=True)
    return np.linalg.eigh(a, UPLO)


def _eigh_bar(bars: Any, out: Any) -> Any:
    """Return the bar of a = V diag(w) V^T: V [diag(wbar) + F (V^T Vbar - Vbar^T V) / 2] V^T, F_ij = 1 / (w_j - w_i).

    Source: Giles (2008), section 3.1, with the bar made symmetric.
    """
    (wbar, vbar), (w, v) = bars, out
    turned = _over_gaps(0.5 * _antisymmetric(transposed(v) @ vbar), w[..., None, :] - w[..., None], vbar)
    return (v * wbar[..., None, :] + v @ turned) @ transposed(v)


eigh = primitive(_eigh, a=_eigh_bar)

__all__ = ["LinAlgError", "cholesky", "det", "eigh", "inv", "qr", "slogdet", "solve", "svd"]

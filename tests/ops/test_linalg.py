"""Linear algebra where it is singular, degenerate or refused, and NumPy's spellings. The rest: tests/specs."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, linalg, trees
from tests import oracles
from tests.finite import check
from tests.specs import linalg as specs
from tests.specs.linalg import heavy, symmetric
from tests.specs.spec import values

SINGULAR = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]])
"""Of rank 2."""


def tracked(a) -> Tensor:
    return Tensor(a, requires_grad=True)


def gradient(f, a) -> np.ndarray:
    return ag.value_and_grad(f)(np.asarray(a, float))[1]


# --- Bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "eigvalsh"])
@pytest.mark.parametrize("shape", [(2, 3), (4, 2, 3), (3,), ()])
def test_square_matrices_are_expected(name, shape):
    for a in (tracked(values(*shape)), values(*shape)):
        with pytest.raises(linalg.LinAlgError) as caught:
            getattr(linalg, name)(a)
        shown = name.replace("vals", "")
        assert str(caught.value).startswith(f"{shown}: expected square matrices of shape (..., n, n), got shape")


@pytest.mark.parametrize("name", ["qr", "svd", "pinv", "svdvals"])
def test_matrices_are_expected(name):
    with pytest.raises(linalg.LinAlgError, match=r"expected matrices of shape \(..., m, n\), got shape \(3,\)"):
        getattr(linalg, name)(tracked(values(3)))


@pytest.mark.parametrize("name", ["inv", "det", "slogdet", "cholesky", "eigh", "qr", "svd", "pinv"])
def test_float16_is_refused_as_in_numpy(name):
    with pytest.raises(TypeError, match="float16 is unsupported in linalg"):
        getattr(linalg, name)(tracked(np.eye(2, dtype=np.float16)))


def test_singular_matrices_raise_as_in_numpy():
    a = tracked([[1.0, 2.0], [2.0, 4.0]])
    for f in (linalg.inv, lambda a: linalg.solve(a, np.ones(2)), lambda a: linalg.matrix_power(a, -1)):
        with pytest.raises(linalg.LinAlgError, match="Singular matrix"):
            f(a)
    with pytest.raises(linalg.LinAlgError, match="not positive definite"):
        linalg.cholesky(a)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((3, 3), (2,), "solve: expected b (n,) or (..., n, k) for a (3, 3), got (2, 1)"),
        ((3, 3), (4, 2), "solve: expected b (n,) or (..., n, k) for a (3, 3), got (4, 2)"),
        ((3, 3), (), "solve: expected b (n,) or (..., n, k) for a (3, 3), got ()"),
        ((2, 3), (2,), "solve: expected square matrices of shape (..., n, n), got shape (2, 3)"),
    ],
)
def test_solve_says_what_it_expects(a, b, message):
    with pytest.raises(linalg.LinAlgError) as caught:
        linalg.solve(tracked(values(*a)), tracked(values(*b)))
    assert str(caught.value) == message


def test_options_that_have_no_derivative_are_refused():
    a = tracked(values(3, 2))
    with pytest.raises(ValueError, match=r'qr: expected mode="reduced" or "r", got \'complete\''):
        linalg.qr(a, mode="complete")
    with pytest.raises(ValueError, match=r"svd: pass full_matrices=False for shape \(3, 2\)"):
        linalg.svd(a)
    with pytest.raises(ValueError, match=r"svd: hermitian=True is not available: use linalg\.eigh"):
        linalg.svd(a, full_matrices=False, hermitian=True)


@pytest.mark.parametrize(
    ("name", "args", "instead"), [("eig", 1, "eigh"), ("eigvals", 1, "eigh"), ("lstsq", 2, "pinv")]
)
def test_functions_that_are_refused_name_others(name, args, instead):
    a = tracked(heavy(2, 2))
    with pytest.raises(TypeError, match=f"linalg.{name} is not available, .*{instead}"):
        getattr(linalg, name)(*[a] * args)
    with pytest.raises(TypeError, match=instead):
        getattr(np.linalg, name)(*[a] * args)


def test_norm_says_what_it_expects():
    with pytest.raises(ValueError, match="norm: ord='fro' is for matrices, and there is one axis"):
        linalg.norm(tracked(values(3)), "fro")
    with pytest.raises(
        ValueError, match=r"norm: expected ord None, 'fro', 'nuc', 1, 2, inf or their negatives .* got 3"
    ):
        linalg.norm(tracked(values(3, 3)), 3)
    with pytest.raises(ValueError, match=r"norm: ord=2 is for vectors \(one axis\) or matrices \(two\), got 3 axes"):
        linalg.norm(tracked(values(3, 3, 3)), 2)


def test_multi_dot_says_what_it_expects():
    with pytest.raises(ValueError, match="multi_dot: expected at least two arrays"):
        linalg.multi_dot([values(2, 2)])
    with pytest.raises(ValueError, match=r"multi_dot: expected matrices .*, got \[\(2,\), \(2,\), \(2, 2\)\]"):
        linalg.multi_dot([tracked(values(2)), values(2), values(2, 2)])
    with pytest.raises(ValueError, match=r"matmul: shapes .* cannot be multiplied"):
        linalg.multi_dot([tracked(values(2, 3)), values(2, 3), values(3, 2)])


def test_matrix_power_wants_an_integer():
    with pytest.raises(TypeError, match="integer"):
        linalg.matrix_power(tracked(heavy(2, 2)), 0.5)
    with pytest.raises(linalg.LinAlgError, match="matrix_power: expected square matrices"):
        linalg.matrix_power(tracked(values(2, 3)), 2)


# --- Singular and degenerate matrices ------------------------------------------------------------------------


def cofactors(a: np.ndarray) -> np.ndarray:
    """Return the cofactors by their definition."""
    n = len(a)
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array([[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)])


@pytest.mark.parametrize(
    "a",
    [
        SINGULAR,
        SINGULAR[::-1],
        np.outer([1.0, 2.0, 3.0], [1.0, -1.0, 2.0]),
        np.zeros((3, 3)),
        np.zeros((1, 1)),
        np.zeros((2, 2)),
        np.diag([1.0, 1e-9, -2.0, 3.0]),
        np.diag([2.0, 0.0, -3.0, 1.0])[[1, 0, 2, 3]],
        -np.eye(3),
    ],
)
def test_gradient_of_det_is_the_matrix_of_cofactors(a):
    np.testing.assert_allclose(gradient(linalg.det, a), cofactors(a), rtol=1e-12, atol=1e-12)


def test_second_derivative_of_det_at_a_singular_matrix_raises():
    a = tracked(np.diag([1.0, 0.0]))
    (g,) = ag.grad(linalg.det(a), a, create_graph=True)
    with pytest.raises(linalg.LinAlgError, match="Singular matrix"):
        ag.grad(g.sum(), a)


def test_det_and_inv_to_third_order():
    for f in (linalg.det, linalg.inv, lambda a: linalg.slogdet(a).logabsdet):
        check(f, [heavy(3, 3)], order=3)


def test_slogdet_of_a_singular_matrix():
    a = tracked(np.zeros((2, 2)))
    sign, logarithm = linalg.slogdet(a)
    assert sign.item() == 0
    assert logarithm.item() == -math.inf
    with pytest.raises(linalg.LinAlgError, match="Singular matrix"):
        logarithm.backward()


def test_slogdet_of_a_negative_determinant():
    a = np.diag([-2.0, 3.0])
    y = linalg.slogdet(tracked(a))
    assert y.sign.item() == -1
    np.testing.assert_allclose(gradient(lambda a: linalg.slogdet(a).logabsdet, a), np.linalg.inv(a).T)


def test_dependent_columns_have_no_qr_gradient():
    for a in (np.zeros((3, 2)), [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [[0.0, 1.0, 2.0], [0.0, 3.0, 4.0]]):
        y = linalg.qr(tracked(a)).R.sum()
        with pytest.raises(linalg.LinAlgError, match="Singular matrix"):
            y.backward()


@pytest.mark.parametrize("a", [np.eye(3), np.zeros((3, 3)), np.diag([2.0, 1.0, 1.0]), symmetric(SINGULAR)])
def test_equal_eigenvalues_with_a_gradient_through_the_values_only(a):
    np.testing.assert_allclose(gradient(lambda a: linalg.eigvalsh(a).sum(), a), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(gradient(lambda a: (linalg.eigvalsh(a) ** 2).sum(), a), 2 * a, atol=1e-13)


def test_equal_eigenvalues_with_a_gradient_through_the_vectors_show():
    with pytest.warns(RuntimeWarning):
        g = gradient(lambda a: (linalg.eigh(a).eigenvectors * values(3, 3)).sum(), np.eye(3))
    assert not np.all(np.isfinite(g))


@pytest.mark.parametrize("a", [np.eye(3), np.eye(4, 2), np.eye(2, 4), 2 * np.eye(3)[:, ::-1]])
def test_equal_singular_values_with_a_gradient_through_the_values_only(a):
    np.testing.assert_allclose(gradient(lambda a: linalg.norm(a, "nuc"), a), a / np.max(a), atol=1e-14)
    np.testing.assert_allclose(gradient(lambda a: (linalg.svdvals(a) ** 2).sum(), a), 2 * a, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_zero_singular_values_with_a_gradient_through_the_values_only(shape):
    for a in (np.zeros(shape), np.outer(values(shape[0]), values(shape[1], seed=1))):
        np.testing.assert_allclose(gradient(lambda a: (linalg.svdvals(a) ** 2).sum(), a), 2 * a, atol=1e-13)


def test_equal_singular_values_with_a_gradient_through_the_vectors_show():
    with pytest.warns(RuntimeWarning):
        g = gradient(lambda a: (linalg.svd(a).U * values(3, 3)).sum(), np.eye(3))
    assert not np.all(np.isfinite(g))


def test_pinv_of_a_singular_matrix_follows_the_matrices_of_its_rank():
    left, right = values(4, 2), values(2, 3, seed=1)
    check(lambda x, y: linalg.pinv(x @ y, rcond=1e-8), [left, right])
    check(lambda x, y: linalg.pinv(x @ y, rtol=1e-8), [left, right])


def test_cond_of_a_singular_matrix():
    with pytest.raises(linalg.LinAlgError, match="Singular matrix"):
        linalg.cond(tracked(np.zeros((2, 2))), 1)
    assert linalg.cond(tracked(np.diag([4.0, 2.0])), -2).item() == 0.5
    for p in (1, -1, np.inf, "fro", "nuc"):
        a = heavy(2, 3, 3)
        np.testing.assert_allclose(linalg.cond(a, p), np.linalg.cond(a, p))
        check(lambda a, p=p: linalg.cond(a, p), [a])


# --- Symmetric bars ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upper", [False, True])
def test_cholesky_reads_one_triangle_and_gives_a_symmetric_bar(upper):
    a = symmetric(heavy(3, 3))
    half = np.triu(a) if upper else np.tril(a)
    weights = values(3, 3, seed=1)
    expected = np.linalg.cholesky(a).T if upper else np.linalg.cholesky(a)
    np.testing.assert_allclose(linalg.cholesky(half, upper=upper), expected)
    g = gradient(lambda a: (linalg.cholesky(a, upper=upper) * weights).sum(), half)
    np.testing.assert_array_equal(g, g.T)
    np.testing.assert_allclose(g, gradient(lambda a: (linalg.cholesky(symmetric(a), upper=upper) * weights).sum(), a))


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_eigh_reads_one_triangle_and_gives_a_symmetric_bar(triangle):
    a = symmetric(values(3, 3))
    half = np.triu(a) if triangle == "U" else np.tril(a)
    weights = values(3, 3, seed=1)
    np.testing.assert_allclose(linalg.eigvalsh(half, UPLO=triangle), np.linalg.eigvalsh(a))
    np.testing.assert_allclose(linalg.eigvalsh(half, triangle), np.linalg.eigvalsh(a))
    g = gradient(lambda a: (linalg.eigh(a, triangle).eigenvectors * weights).sum(), half)
    np.testing.assert_allclose(g, g.T, atol=1e-13)


# --- Norms at 0 and at ties ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [None, 0, 1, 2, 3, 2.5, 1.5, math.inf, -math.inf])
def test_norm_of_a_zero_vector_has_gradient_zero(order):
    x = tracked(np.zeros(3))
    y = linalg.norm(x, order)
    assert y.item() == 0
    if order != 0:
        (g,) = ag.grad(y, x, create_graph=True)
        np.testing.assert_array_equal(g.data, 0)
        if g.requires_grad:
            np.testing.assert_array_equal(ag.grad(g.sum(), x)[0], 0)


@pytest.mark.parametrize("order", [None, "fro", 1, -1, math.inf, -math.inf])
def test_norm_of_a_zero_matrix_has_gradient_zero(order):
    np.testing.assert_array_equal(gradient(lambda x: linalg.norm(x, order), np.zeros((2, 3))), 0)


def test_norm_of_rows_of_which_one_is_zero():
    x = np.array([[3.0, 4.0], [0.0, 0.0]])
    g = gradient(lambda x: linalg.norm(x, axis=1).sum(), x)
    np.testing.assert_allclose(g, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-15)


def test_norm_where_single_elements_are_zero():
    x = np.array([0.0, 2.0, -1.0])
    for p in (1, 1.5, 3):
        expected = np.sign(x) * (np.abs(x) / np.linalg.norm(x, p)) ** (p - 1)
        np.testing.assert_allclose(gradient(lambda x, p=p: linalg.norm(x, p), x), expected)


def test_second_derivative_of_norm_where_single_elements_are_zero():
    """(1 - u u^T) / |x|, u = x / |x|: not 0 in the direction of an element that is 0."""
    x = np.array([3.0, 0.0, -4.0])
    t = tracked(x)
    (g,) = ag.grad(linalg.norm(t), t, create_graph=True)
    rows = [ag.grad(g, t, row, retain_graph=True)[0] for row in np.eye(3)]
    np.testing.assert_allclose(rows, (np.eye(3) - np.outer(x, x) / 25) / 5, atol=1e-15)


def test_largest_elements_share_the_gradient_of_the_maximum_norm():
    g = gradient(lambda x: linalg.norm(x, math.inf), [2.0, -2.0, 1.0])
    np.testing.assert_array_equal(g, [0.5, -0.5, 0])


def test_norm_of_order_zero_counts():
    y = linalg.norm(tracked([0.0, 2.0, -1.0]), 0)
    assert y.item() == 2
    assert not y.requires_grad


def test_norms_of_integers():
    x = np.array([[3, -4], [1, 2]])
    for order in (None, 1, 2, math.inf, "nuc"):
        np.testing.assert_allclose(linalg.norm(Tensor(x), order).data, np.linalg.norm(x, order))
    np.testing.assert_allclose(linalg.vector_norm(Tensor(x), ord=1).data, 10)


def test_vector_norm_takes_several_axes_together():
    x = values(2, 3, 4)
    for order in (1, 2, 3, math.inf):
        for axis in (None, 1, (0, 2)):
            expected = np.linalg.vector_norm(x, ord=order, axis=axis, keepdims=True)
            np.testing.assert_allclose(linalg.vector_norm(x, ord=order, axis=axis, keepdims=True), expected)
        check(lambda x, order=order: linalg.vector_norm(x, ord=order, axis=(0, 2)), [x])


# --- Forms of results ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "a", "fields"),
    [
        ("slogdet", heavy(2, 2), ("sign", "logabsdet")),
        ("qr", values(3, 2), ("Q", "R")),
        ("qr", values(2, 3), ("Q", "R")),
        ("svd", values(2, 2), ("U", "S", "Vh")),
        ("eigh", symmetric(values(2, 2)), ("eigenvalues", "eigenvectors")),
    ],
)
def test_several_outputs_are_numpys_named_tuples(name, a, fields):
    for x, library in ((tracked(a), linalg), (tracked(a), np.linalg), (Tensor(a), linalg)):
        y = getattr(library, name)(x)
        expected = getattr(np.linalg, name)(a)
        assert type(y) is type(expected)
        for field in fields:
            assert isinstance(getattr(y, field), Tensor)
            np.testing.assert_allclose(getattr(y, field).data, getattr(expected, field), atol=1e-14)


@pytest.mark.parametrize(
    ("name", "args", "keywords"),
    [
        *[(name, (heavy(3, 3),), {}) for name in ("cond", "det", "diagonal", "inv", "matrix_norm", "matrix_transpose")],
        *[(name, (heavy(3, 3),), {}) for name in ("norm", "pinv", "svdvals", "trace", "vector_norm")],
        *[(name, (symmetric(heavy(3, 3)),), {}) for name in ("cholesky", "eigvalsh")],
        *[(name, (heavy(3, 3), values(3, 3)), {}) for name in ("solve", "matmul", "tensordot", "vecdot", "cross")],
        ("outer", (values(3), values(3)), {}),
        ("cholesky", (symmetric(heavy(3, 3)),), {"upper": True}),
        ("diagonal", (heavy(2, 3, 3),), {"offset": 1}),
        ("eigvalsh", (symmetric(heavy(3, 3)),), {"UPLO": "U"}),
        ("matrix_norm", (values(2, 3),), {"ord": "nuc", "keepdims": True}),
        ("matrix_power", (heavy(3, 3), 3), {}),
        ("norm", (values(2, 3),), {"ord": 1, "axis": 1, "keepdims": True}),
        ("svd", (values(3, 2),), {"compute_uv": False}),
        ("pinv", (values(3, 2),), {"rcond": 1e-9}),
        ("tensordot", (values(2, 3), values(3, 2)), {"axes": 1}),
        ("tensorinv", (heavy(4, 4).reshape(2, 2, 4),), {"ind": 2}),
        ("tensorsolve", (heavy(4, 4).reshape(2, 2, 4), values(2, 2)), {}),
        ("trace", (heavy(2, 3, 3),), {"offset": -1}),
        ("vecdot", (values(3, 2), values(3, 2)), {"axis": 0}),
        ("vector_norm", (values(2, 3),), {"ord": 3, "axis": 0}),
    ],
)
def test_numpys_function_records(name, args, keywords):
    function = getattr(np.linalg, name)
    y = function(tracked(args[0]), *args[1:], **keywords)
    assert isinstance(y, Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.data, function(*args, **keywords), rtol=1e-12, atol=1e-14)


def test_numpys_multi_dot_and_matrix_rank_record():
    a = tracked(heavy(3, 3))
    assert np.linalg.multi_dot([np.eye(3), a, np.eye(3)]).requires_grad
    rank = np.linalg.matrix_rank(tracked(SINGULAR))
    assert rank.item() == 2
    assert not rank.requires_grad
    assert np.linalg.matrix_rank(a, tol=1e3).item() == 0


def test_multi_dot_takes_the_cheapest_order():
    shapes = [(2, 30), (30, 1), (1, 30), (30, 2)]
    y = linalg.multi_dot([tracked(values(*shape, seed=i)) for i, shape in enumerate(shapes)])
    work = [node.shape for node in ag.graph(y) if node.plan is not None]
    assert sorted(work) == [(1, 2), (2, 1), (2, 2)]


def test_powers_are_no_aliases_of_the_matrix():
    a = tracked(heavy(2, 2))
    y = linalg.matrix_power(a, 1)
    assert y is not a
    assert not np.shares_memory(y.data, a.data)
    np.testing.assert_array_equal(linalg.matrix_power(a, 0).data, np.eye(2))


def test_inputs_of_integers_give_floats():
    a = np.array([[2, 1], [1, 3]])
    np.testing.assert_allclose(linalg.inv(Tensor(a)).data, np.linalg.inv(a))
    np.testing.assert_allclose(linalg.solve(tracked(a.astype(float)), [1, 2]).data, np.linalg.solve(a, [1, 2]))


@pytest.mark.parametrize("shape", [(30, 30), (40, 20), (20, 40)])
@pytest.mark.parametrize("build", [specs.svd, specs.qr, specs.eigh, specs.cholesky, lambda library: library.pinv])
def test_larger_matrices_agree_with_torch(build, shape):
    torch = pytest.importorskip("torch", reason="torch is the oracle here and is not installed")
    a = values(*shape)
    if build in (specs.eigh, specs.cholesky):
        a = a @ a.T + np.diag(np.arange(1.0, len(a) + 1))
    x = tracked(a)
    outputs = trees.leaves(build(linalg)(x))
    bars = [values(*y.shape, seed=i) for i, y in enumerate(outputs)]
    (expected,) = oracles.by_torch(build(torch.linalg), [a], bars)
    (found,) = ag.grad(outputs, x, bars)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.max(np.abs(expected)))


def test_eigh_at_equal_eigenvalues_is_nan_through_vectors_and_right_through_values():
    identity = Tensor(np.eye(2), requires_grad=True)
    w, v = ag.linalg.eigh(identity)
    with np.errstate(all="ignore"):
        (bar,) = ag.grad((((v * w**2) @ v.T) * np.array([[1.0, 2.0], [3.0, 4.0]])).sum(), identity)
    assert np.isnan(bar).any() or np.isinf(bar).any()
    (bar,) = ag.grad((ag.linalg.eigvalsh(identity) ** 2).sum(), identity)
    np.testing.assert_allclose(bar, 2 * np.eye(2))

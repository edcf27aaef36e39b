"""Products of arrays: what they refuse, dtypes that meet, NumPy's spellings. Values and derivatives: tests/specs."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from tests.finite import check
from tests.specs.spec import values


def tracked(*shape: int, dtype: type = float, seed: int = 0) -> Tensor:
    return Tensor(values(*shape, seed=seed).astype(dtype), requires_grad=True)


# --- matmul and linear ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ((2, 3), (2, 3), "the last axis of the first has length 3, the second to last axis of the second 2"),
        ((3,), (2,), "the last axis of the first has length 3, the axis of the second 2"),
        ((2, 3), (2,), "the last axis of the first has length 3, the axis of the second 2"),
        ((), (2, 3), "both need at least one axis; use * to multiply by a number"),
        ((2, 3), (), "both need at least one axis; use * to multiply by a number"),
        ((2, 4, 3), (5, 3, 2), "the batch axes (2,) and (5,) do not broadcast"),
    ],
)
def test_matmul_says_which_lengths_do_not_fit(x, y, reason):
    for wrap in (tracked, values):
        with pytest.raises(ValueError) as caught:
            ag.matmul(wrap(*x), wrap(*y))
        assert str(caught.value) == f"matmul: shapes {x} and {y} cannot be multiplied: {reason}"


def test_matmul_of_a_tensor_with_itself():
    check(lambda x: x @ x, [values(3, 3)])
    check(lambda x: x @ x, [values(3)])
    check(lambda x: x.T @ x, [values(2, 3)])


@pytest.mark.parametrize("other", [np.eye(3), [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])
def test_matmul_operator_with_arrays_and_lists_on_either_side(other):
    x = tracked(3, 3)
    for y in (x @ other, other @ x):
        assert isinstance(y, Tensor)
        (g,) = ag.grad(y.sum(), x)
        np.testing.assert_array_equal(g, np.ones((3, 3)))


def test_matmul_of_a_number():
    with pytest.raises(ValueError, match=r"use \* to multiply by a number"):
        tracked(3) @ 2.0


def test_bars_keep_the_dtype_of_each_side():
    x, y = tracked(2, 3, dtype=np.float32), tracked(3, 2)
    z = x @ y
    assert z.dtype == np.float64
    z.backward(np.ones((2, 2)))
    assert x.grad.dtype == np.float32
    assert y.grad.dtype == np.float64


def test_linear_promotes_like_its_formula():
    x, w, b = tracked(2, 3, dtype=np.float32), tracked(4, 3, dtype=np.float32), tracked(4)
    z = ag.linear(x, w, b)
    assert z.dtype == np.float64
    np.testing.assert_array_equal(z.data, x.data @ w.data.T + b.data)
    integers = ag.linear(np.arange(6).reshape(2, 3), np.ones((4, 3), int), b.data)
    np.testing.assert_array_equal(integers, np.array([[3], [12]]) + b.data)


def test_linear_is_one_operation():
    z = ag.linear(tracked(2, 3), tracked(4, 3), tracked(4))
    assert len(ag.graph(z)) == 4


@pytest.mark.parametrize("shape", [(700, 2), (7, 100, 2)])
def test_an_offset_of_many_rows_is_summed_over_all_of_them(shape):
    x, b, zbar = tracked(*shape), tracked(3), values(*shape[:-1], 3, seed=1)
    ag.linear(x, tracked(3, 2), b).backward(zbar)
    np.testing.assert_allclose(b.grad, zbar.reshape(-1, 3).sum(axis=0), rtol=1e-12)
    b.grad = None
    (bar,) = ag.grad(ag.linear(x, tracked(3, 2), b), b, zbar, create_graph=True)
    np.testing.assert_allclose(bar.data, zbar.reshape(-1, 3).sum(axis=0), rtol=1e-12)


def test_a_batch_that_is_the_inner_axis_in_memory_stays_there():
    x, w, b = Tensor(np.asfortranarray(values(5, 3)), requires_grad=True), tracked(4, 3), tracked(4)
    bars = []
    h = np.tanh(x)
    h.register_hook(bars.append)
    z = ag.linear(h, w, b)
    assert z.data.flags.f_contiguous
    np.testing.assert_allclose(z.data, np.tanh(x.data) @ w.data.T + b.data, rtol=1e-12)
    z.backward(np.asfortranarray(values(5, 4)))
    assert bars[0].flags.f_contiguous
    assert all(leaf.grad.flags.c_contiguous for leaf in (x, w, b))


LINEAR = "linear: expected x (..., in), w (out, in) and b (out,) or (..., out), got "


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 3), (3, 4)), "linear: expected x (..., in) and w (out, in), got (2, 3) and (3, 4)"),
        (((), (4, 3)), "linear: expected x (..., in) and w (out, in), got () and (4, 3)"),
        (((3,), (3,)), "linear: expected x (..., in) and w (out, in), got (3,) and (3,)"),
        (((2, 3), (4, 3), (3,)), LINEAR + "(2, 3), (4, 3) and (3,)"),
        (((2, 3), (4, 3), (1, 4)), LINEAR + "(2, 3), (4, 3) and (1, 4)"),
        (((2, 3), (4, 3), ()), LINEAR + "(2, 3), (4, 3) and ()"),
    ],
)
def test_linear_says_what_it_expects(shapes, message):
    for wrap in (tracked, values):
        with pytest.raises(ValueError) as caught:
            ag.linear(*(wrap(*shape) for shape in shapes))
        assert str(caught.value) == message


# --- einsum --------------------------------------------------------------------------------------------------


def test_einsum_with_lists_of_labels():
    x, y = values(2, 3), values(3, 4, seed=1)
    np.testing.assert_allclose(ag.einsum(x, [0, 1], y, [1, 2], [2, 0]), (x @ y).T)
    np.testing.assert_allclose(ag.einsum(x, [5, 1], y, [1, 2]), np.einsum(x, [5, 1], y, [1, 2]))
    np.testing.assert_allclose(ag.einsum(y, [Ellipsis, 1], [1, Ellipsis]), y.T)
    check(lambda x, y: ag.einsum(x, [0, 1], y, [1, 2], [2, 0]), [x, y])


def test_einsum_output_is_alphabetical_where_it_is_implicit():
    for subscripts in ("ba", "bA", "zi,ij", "Ca,aB", "...ba", " b a "):
        arrays = [values(2, 2, seed=i) for i in range(subscripts.count(",") + 1)]
        np.testing.assert_allclose(ag.einsum(subscripts, *arrays), np.einsum(subscripts, *arrays))


def test_einsum_of_one_tensor_several_times():
    check(lambda x: ag.einsum("ij,jk,ki->", x, x, x), [values(3, 3)], order=3)
    check(lambda x: ag.einsum("ii,jj->", x, x), [values(2, 2)])


@pytest.mark.parametrize(
    ("subscripts", "shapes", "message"),
    [
        ("ij,jk->ik", [(2, 3), (4, 2)], "einsum: label 'j' of 'ij,jk->ik' has lengths 3 and 4 in operands of shapes"),
        ("ij,jk->ik", [(2, 3)], "einsum: 'ij,jk->ik' is for 2 operands, got 1"),
        ("ij", [(2,)], "einsum: 'ij' of 'ij' does not fit an operand with 1 axes"),
        ("i", [(2, 3)], "einsum: 'i' of 'i' does not fit an operand with 2 axes"),
        ("ij...", [(2,)], "einsum: 'ij...' of 'ij...' does not fit an operand with 1 axes"),
        ("i...->i", [(2, 3)], "einsum: the output of 'i...->i' needs '...'"),
        ("i->ii", [(2,)], "einsum: each label of the output of 'i->ii' must be there once"),
        ("i->j", [(2,)], "einsum: each label of the output of 'i->j' must be there once"),
        ("i1->i", [(2, 3)], "einsum: expected letters, '...', ',' and '->', got 'i1->i'"),
        ("ii->i", [(2, 3)], "einsum: a label repeated in 'ii' needs axes of equal length, got shape (2, 3)"),
    ],
)
def test_einsum_says_what_does_not_fit(subscripts, shapes, message):
    with pytest.raises(ValueError) as caught:
        ag.einsum(subscripts, *(tracked(*shape) for shape in shapes))
    assert str(caught.value).startswith(message)


def test_einsum_that_is_a_view_of_a_leaf_keeps_its_value():
    w = tracked(2, 3)
    before = w.numpy()
    turned, diagonal = ag.einsum("ij->ji", w), ag.einsum("ii->i", w[:, :2])
    with ag.no_grad():
        w -= 1
    np.testing.assert_array_equal(turned.data, before.T)
    np.testing.assert_array_equal(diagonal.data, before.diagonal())


# --- The others ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (np.matmul, [(2, 3), (3, 2)]),
        (np.dot, [(2, 3), (3,)]),
        (np.inner, [(2, 3), (4, 3)]),
        (np.outer, [(2,), (3,)]),
        (np.vdot, [(2, 3), (2, 3)]),
        (np.tensordot, [(2, 3), (2, 3)]),
        (np.kron, [(2,), (2, 3)]),
        (np.cross, [(2, 3), (3,)]),
        (np.vecdot, [(2, 3), (3,)]),
        *(
            (getattr(np, n), s)
            for n, s in {"matvec": [(2, 3), (3,)], "vecmat": [(2,), (2, 3)]}.items()
            if hasattr(np, n)
        ),
    ],
)
def test_numpys_function_records_on_either_side(function, shapes):
    a, b = (values(*shape, seed=i) for i, shape in enumerate(shapes))
    expected = function(a, b)
    for x, y in ((Tensor(a, requires_grad=True), b), (a, Tensor(b, requires_grad=True))):
        z = function(x, y)
        assert isinstance(z, Tensor)
        assert z.requires_grad
        np.testing.assert_allclose(z.data, expected, rtol=1e-14)


def test_numpys_einsum_records():
    x, y = tracked(2, 3), values(3, 2)
    for z in (np.einsum("ij,jk->ik", x, y), np.einsum("ij,jk->ik", x, y, optimize="greedy")):
        assert z.requires_grad
        np.testing.assert_allclose(z.data, x.data @ y)


def test_method_dot():
    x = tracked(2, 3)
    np.testing.assert_array_equal(x.dot(np.ones(3)).data, x.data.dot(np.ones(3)))


@pytest.mark.parametrize("axes", [1, ([0], [0]), ([0, 1], [0, 1])])
def test_tensordot_refuses_axes_of_other_lengths(axes):
    with pytest.raises(ValueError, match=r"tensordot: axes .* of shapes \(2, 3\) and \(4, 5\) have different lengths"):
        ag.tensordot(tracked(2, 3), tracked(4, 5), axes=axes)


def test_cross_takes_vectors_of_three():
    with pytest.raises(
        ValueError, match=r"cross: expected vectors of 3 elements along the axis, got \(2,\) and \(3,\)"
    ):
        ag.cross(tracked(2), tracked(3))


def test_products_take_lists_beside_tensors():
    x = tracked(3)
    for f in (ag.dot, ag.inner, ag.outer, ag.vdot, ag.kron, ag.cross, ag.vecdot):
        np.testing.assert_allclose(f([1.0, 2.0, 3.0], x).data, f(np.array([1.0, 2.0, 3.0]), x.data))


@pytest.mark.parametrize(
    "shapes", [((4, 1), (3, 1)), ((2, 4, 1), (3, 1)), ((4, 3), (1, 3)), ((1, 3), (2, 3)), ((1,), (2, 1))]
)
def test_products_of_columns_and_rows(shapes):
    x, w = (Tensor(values(*shape), requires_grad=True) for shape in shapes)
    bar = values(*shapes[0][:-1], shapes[1][0])
    z = ag.linear(x, w)
    np.testing.assert_allclose(z.data, x.data @ w.data.T, rtol=0, atol=1e-15)
    z.backward(bar)
    np.testing.assert_allclose(x.grad, bar @ w.data, rtol=0, atol=1e-15)
    rows, bars = x.data.reshape(-1, shapes[0][-1]), bar.reshape(-1, shapes[1][0])
    np.testing.assert_allclose(w.grad, bars.T @ rows, rtol=0, atol=1e-15)

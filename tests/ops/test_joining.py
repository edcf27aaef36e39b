"""Joining and splitting: outputs without a bar, mixed dtypes, many pieces, bad input."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

V = np.array([1.0, 2.0, 3.0, 4.0])
M = np.arange(6.0).reshape(2, 3)


def tracked(values, dtype=float):
    return Tensor(np.array(values, dtype), requires_grad=True)


@pytest.mark.parametrize(
    "function",
    [
        lambda t: np.concatenate([t, M]),
        lambda t: np.concatenate((M, t), axis=1),
        lambda t: np.concat([t, [[9.0, 9.0, 9.0]]]),
        np.concatenate,
        lambda t: np.stack([M, t], axis=-1),
        lambda t: np.vstack([t, [1.0, 2.0, 3.0]]),
        lambda t: np.hstack([t, M]),
        lambda t: np.dstack([t, M]),
        lambda t: np.column_stack([t, [1.0, 2.0]]),
        lambda t: np.append(t, 5.0),
        lambda t: np.append(M, t, axis=0),
        lambda t: np.meshgrid(t, [1.0, 2.0])[0],
        lambda t: np.split(t, 3, axis=1)[1],
        lambda t: np.array_split(t, 2, axis=1)[0],
        lambda t: np.vsplit(t, 2)[1],
        lambda t: np.hsplit(t, [1])[1],
        lambda t: np.dsplit(t[None], 3)[2],
    ],
)
def test_numpy_functions_record(function):
    y = function(tracked(M))
    assert isinstance(y, Tensor)
    np.testing.assert_array_equal(y.data, function(M), strict=True)


@pytest.mark.parametrize("function", [lambda x: ag.split(x, 2), ag.unstack])
def test_parts_that_are_not_used_have_a_bar_of_zeros(function):
    x = tracked(V)
    parts = function(x)
    assert type(parts) is tuple
    (parts[1] * 5).sum().backward()
    expected = np.zeros(4)
    expected[2:] = 5
    if len(parts) == 4:
        expected = np.array([0, 5, 0, 0])
    assert x.grad.tolist() == expected.tolist()


def test_a_piece_that_appears_twice():
    x = tracked([1.0, 2.0])
    (ag.concatenate([x, x]) * V).sum().backward()
    assert x.grad.tolist() == [1 + 3, 2 + 4]
    assert ag.grad((ag.stack([x, x]) * [[1.0], [2.0]]).sum(), x)[0].tolist() == [3, 3]


def test_pieces_of_different_dtype_keep_theirs():
    x, y = tracked(V, np.float32), tracked(V)
    joined = ag.concatenate([x, y, np.array([1])])
    assert joined.dtype == np.float64
    joined.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_many_pieces():
    xs = [tracked(float(i)) for i in range(3000)]
    weights = np.arange(3000.0)
    (ag.stack(xs) * weights).sum().backward()
    assert [x.grad.item() for x in xs] == weights.tolist()
    ys = [tracked([1.0] * (i % 3)) for i in range(3000)]
    joined = ag.concatenate(ys)
    (joined * np.arange(joined.size)).sum().backward()
    assert np.concatenate([y.grad for y in ys]).tolist() == list(range(joined.size))


@pytest.mark.parametrize("cuts", [[1, 3], [-1], [0, 0, 9], (2,), np.array([1, 2]), [], 1, 2, 4], ids=str)
def test_cuts_are_numpys(cuts):
    x = tracked(V)
    parts = ag.split(x, cuts)
    assert [part.data.tolist() for part in parts] == [part.tolist() for part in np.split(V, cuts)]
    assert ag.grad([(part * part).sum() for part in parts], x)[0].tolist() == (2 * V).tolist()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: ag.concatenate([]), ValueError, "need at least one array"),
        (lambda x: ag.concatenate([x, x[0]]), ValueError, "same number of dimensions"),
        (lambda x: ag.concatenate([x, x[:, :1]]), ValueError, "must match exactly"),
        (lambda x: ag.concatenate([x, x], axis=2), np.exceptions.AxisError, "out of bounds"),
        (lambda x: ag.stack([x, x[0]]), ValueError, "same shape"),
        (lambda x: ag.stack([]), ValueError, "need at least one array"),
        (lambda x: ag.split(x, 3, axis=0), ValueError, "an axis of length 2 has no 3 equal parts; use array_split"),
        (lambda x: ag.split(x, 0), ValueError, "at least one part, got 0"),
        (lambda x: ag.array_split(x, -1), ValueError, "at least one part, got -1"),
        (lambda x: ag.split(x, [2, 1], axis=1), ValueError, r"increasing order, got \[2, 1\]"),
        (lambda x: ag.split(x, 1, axis=5), np.exceptions.AxisError, "out of bounds"),
        (lambda x: ag.vsplit(x[0], 1), ValueError, r"vsplit: expected at least 2 axes, got shape \(3,\)"),
        (lambda x: ag.hsplit(x[0, 0], 1), ValueError, r"hsplit: expected at least 1 axes, got shape \(\)"),
        (lambda x: ag.dsplit(x, 1), ValueError, "dsplit: expected at least 3 axes"),
        (lambda x: ag.unstack(x[0, 0]), ValueError, "unstack: expected at least 1 axes"),
        (
            lambda x: ag.meshgrid(x[0], indexing="yx"),
            ValueError,
            """meshgrid: expected indexing="xy" or "ij", got 'yx'""",
        ),
        (lambda x: np.block([[x, x]]), TypeError, "np.block is not available"),
        (lambda x: np.delete(x, 0), TypeError, "np.delete is not available"),
        (lambda x: np.insert(x, 0, 1.0), TypeError, "np.insert is not available"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(tracked(M))


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="np.unstack came with NumPy 2.1")
def test_unstack_of_numpy_records():
    first, _ = np.unstack(tracked(M))
    assert first.requires_grad

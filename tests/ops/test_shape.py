"""Shapes: forms of methods, NumPy's functions on tensors, padding, differences, interpolation, bad input."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

M = np.arange(6.0).reshape(2, 3)
CUBE = np.arange(24.0).reshape(2, 3, 4)


def tracked(values, dtype=float):
    return Tensor(np.array(values, dtype), requires_grad=True)


@pytest.mark.parametrize(
    "method",
    [
        lambda a: a.reshape(3, 2),
        lambda a: a.reshape((3, 2)),
        lambda a: a.reshape([3, -1]),
        lambda a: a.reshape(-1),
        lambda a: a.transpose(),
        lambda a: a.transpose(1, 0),
        lambda a: a.transpose((1, 0)),
        lambda a: a.transpose([-1, -2]),
        lambda a: a.transpose(None),
        lambda a: a.T,
        lambda a: a.mT,
        lambda a: a.ravel(),
        lambda a: a.flatten(),
        lambda a: a.swapaxes(0, 1),
        lambda a: a[None].squeeze(),
        lambda a: a[None].squeeze(0),
        lambda a: a.repeat(2, 1),
        lambda a: a.repeat([1, 2], axis=0),
        lambda a: a.diagonal(1),
        lambda a: a.trace(),
        lambda a: a.take([1, 0], axis=1),
        lambda a: a.astype(np.float32),
        lambda a: a.astype("float16"),
    ],
)
def test_methods_are_those_of_arrays(method):
    x = tracked(M)
    y = method(x)
    np.testing.assert_array_equal(y.data, method(M), strict=True)
    y.sum().backward()
    assert x.grad.shape == M.shape


def test_reshape_of_nothing_but_a_call():
    assert tracked(2.0)[None].reshape().shape == ()


@pytest.mark.parametrize(
    ("function", "args", "keywords"),
    [
        (np.reshape, ((3, 2),), {}),
        (np.ravel, (), {}),
        (np.transpose, (), {"axes": (1, 0)}),
        (np.permute_dims, ((1, 0),), {}),
        (np.matrix_transpose, (), {}),
        (np.swapaxes, (0, 1), {}),
        (np.moveaxis, (0, 1), {}),
        (np.expand_dims, (), {"axis": 1}),
        (np.squeeze, (), {}),
        (np.atleast_1d, (), {}),
        (np.atleast_2d, (), {}),
        (np.atleast_3d, (), {}),
        (np.copy, (), {}),
        (np.astype, (np.float32,), {}),
        (np.flip, (1,), {}),
        (np.fliplr, (), {}),
        (np.flipud, (), {}),
        (np.roll, (1,), {"axis": 1}),
        (np.rot90, (), {}),
        (np.repeat, (2,), {"axis": 0}),
        (np.tile, ((2, 1),), {}),
        (np.diagonal, (), {"offset": 1}),
        (np.diag, (1,), {}),
        (np.diagflat, (), {}),
        (np.trace, (), {}),
        (np.tril, (), {"k": -1}),
        (np.triu, (1,), {}),
        (np.pad, (1,), {"mode": "edge"}),
        (np.pad, (1, "constant"), {"constant_values": 2.0}),
        (np.diff, (), {"n": 2}),
        (np.interp, ([0.0, 9.0], [1.0, 2.0]), {"right": 5.0}),
    ],
)
def test_numpy_functions_record(function, args, keywords):
    x = tracked(M)
    y = function(x, *args, **keywords)
    assert y.requires_grad
    np.testing.assert_array_equal(y.data, function(M, *args, **keywords), strict=True)


def test_names_of_keywords_are_numpys():
    x = tracked(M)
    assert np.flip(m=x, axis=0).data.tolist() == np.flip(M, 0).tolist()
    assert np.moveaxis(x, source=0, destination=1).shape == (3, 2)
    assert ag.tile(A=x, reps=2).shape == (2, 6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: x.reshape(4, 2), ValueError, "cannot reshape array of size 6 into shape"),
        (lambda x: x.reshape(2.0, 3), TypeError, "integer"),
        (lambda x: x.transpose(0, 0), ValueError, "repeated axis"),
        (lambda x: x.transpose(0), ValueError, "axes don't match"),
        (lambda x: x[0].mT, ValueError, r"matrix_transpose: expected at least two axes, got shape \(3,\)"),
        (lambda x: x.swapaxes(0, 2), np.exceptions.AxisError, "out of bounds"),
        (lambda x: ag.moveaxis(x, (0, 1), 0), ValueError, "as many sources as destinations"),
        (lambda x: ag.moveaxis(x, 0, 2), np.exceptions.AxisError, "destination"),
        (lambda x: ag.expand_dims(x, (1, 1)), ValueError, "repeated axis"),
        (lambda x: x.squeeze(0), ValueError, "size not equal to one"),
        (lambda x: x.astype(complex), TypeError, "astype: expected results of a real dtype"),
        (lambda x: ag.repeat(x, -1), ValueError, "negative"),
        (lambda x: ag.repeat(x, 1.5), TypeError, "integer"),
        (lambda x: ag.repeat(x, [1, 2, 3], axis=0), ValueError, "broadcast"),
        (lambda x: ag.diag(x[None]), ValueError, r"diag: expected a vector or a matrix, got shape \(1, 2, 3\)"),
        (lambda x: ag.pad(x, -1), ValueError, "pad: expected widths that are integers and not negative, got -1"),
        (lambda x: ag.pad(x, 1.5), ValueError, "pad: expected widths"),
        (lambda x: ag.pad(x, 1, mode="mean"), ValueError, "pad: expected a mode of constant, edge, .* got 'mean'"),
        (lambda x: ag.pad(x, 1, mode="edge", constant_values=1), ValueError, "constant_values are for mode"),
        (lambda x: ag.pad(x[:0], 1, mode="edge"), ValueError, "empty axis 0"),
        (lambda x: ag.diff(x, n=-1), ValueError, "diff: expected n >= 0"),
        (lambda x: ag.diff(x[0, 0]), ValueError, r"at least one axis, got n = 1 and shape \(\)"),
        (lambda x: ag.interp(x, [0, 1], [1, 2, 3]), ValueError, r"interp: .*got \(2,\) and \(3,\)"),
        (lambda x: ag.interp(x, [], []), ValueError, "n >= 1"),
        (lambda x: ag.interp(x, [0, 1], [1, 2], period=0), ValueError, "a period other than 0"),
        (lambda x: np.resize(x, (3, 3)), TypeError, "np.resize is not available for Tensors"),
        (lambda x: np.rollaxis(x, 1), TypeError, "moveaxis"),
        (lambda x: np.ravel(x, order="F"), TypeError, "order"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(tracked(M))


# --- Views, copies, dtypes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "view",
    [
        lambda w: w.reshape(-1),
        lambda w: w.T,
        lambda w: w.swapaxes(0, 1),
        lambda w: ag.expand_dims(w, 0),
        ag.flip,
        ag.diagonal,
        lambda w: ag.split(w, 2)[0],
        lambda w: ag.unstack(w)[0],
        lambda w: ag.broadcast_arrays(w, 1.0)[0],
        lambda w: ag.atleast_1d(w)[0],
        ag.clone,
        lambda w: w.astype(float),
    ],
)
def test_results_stay_when_the_leaf_is_written(view):
    w = tracked(M)
    y = view(w)
    with ag.no_grad():
        w[0, 0] = 7.0
    assert w.data[0, 0] == 7
    np.testing.assert_array_equal(y.data, view(Tensor(M)).data)


def test_parameters_that_are_changed_afterwards_were_kept_as_they_were():
    axes, counts, widths = [2, 0, 1], np.array([1, 2]), [[1, 0], [0, 0], [0, 0]]
    x = tracked(CUBE)
    results = [ag.transpose(x, axes), ag.repeat(x, counts, axis=0), ag.pad(x, widths)]
    expected = [y.data for y in results]
    axes[:], counts[:], widths[0][:] = [0, 1, 2], [5, 5], [9, 9]
    for y, e in zip(results, expected, strict=True):
        np.testing.assert_array_equal(ag.graph(y).evaluate(), e)
        assert ag.grad(y.sum(), x)[0].shape == CUBE.shape


def test_a_clone_has_a_record_of_its_own():
    x = tracked([1.0, 2.0])
    y = ag.clone(x)
    assert y.data is not x.data
    (y * y).sum().backward()
    assert x.grad.tolist() == [2, 4]
    assert ag.copy is ag.clone


def test_a_conversion_converts_the_bar_back():
    x = tracked(M, np.float32)
    y = x.astype(np.float64)
    (y * y).sum().backward()
    assert y.dtype == np.float64
    assert x.grad.dtype == np.float32
    np.testing.assert_array_equal(x.grad, 2 * M)


@pytest.mark.parametrize("dtype", [int, np.uint8, bool])
def test_no_gradient_flows_through_integers(dtype):
    x = tracked(M)
    y = x.astype(dtype)
    assert y.dtype == dtype
    assert not y.requires_grad
    (y * x).sum().backward()
    np.testing.assert_array_equal(x.grad, M.astype(dtype))
    assert ag.graph(y).evaluate({x: M + 1}).tolist() == (M + 1).astype(dtype).tolist()


# --- Padding, differences, interpolation ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [0, 1, 5, (2, 0), ((1, 2), (0, 9))], ids=str)
def test_padding_counts_how_often_an_element_appears(mode, width):
    x = tracked(M)
    y = ag.pad(x, width, mode=mode)
    np.testing.assert_array_equal(y.data, np.pad(M, width, mode=mode), strict=True)
    y.sum().backward()
    places = np.pad(
        np.arange(6).reshape(2, 3), width, mode=mode, **({"constant_values": 6} if mode == "constant" else {})
    )
    np.testing.assert_array_equal(x.grad.ravel(), np.bincount(places.ravel(), minlength=7)[:6])


def test_padding_by_a_dict():
    x = tracked(M)
    np.testing.assert_array_equal(ag.pad(x, {-1: (1, 2)}).data, np.pad(M, ((0, 0), (1, 2))))
    np.testing.assert_array_equal(ag.pad(x, {0: 1}).data, np.pad(M, ((1, 1), (0, 0))))


def test_padding_keeps_integers():
    assert ag.pad(Tensor([1, 2]), 1).data.tolist() == [0, 1, 2, 0]


def test_differences_with_a_number_at_the_end_keep_the_dtype():
    assert ag.diff(tracked(M, np.float32), prepend=0.5).dtype == np.float32
    assert ag.diff(tracked(M), append=tracked(1.0)).shape == M.shape


def test_differences_of_truth_values():
    assert ag.diff(Tensor([True, True, False])).data.tolist() == [False, True]


KNOTS, HEIGHTS = np.array([0.1, 0.4, 0.7, 1.9]), np.array([1.0, 3.0, -2.0, 0.3])


@pytest.mark.parametrize("options", [{}, {"left": -1.0, "right": 9.0}, {"period": 0.7}, {"period": -0.7}], ids=str)
def test_interpolation_is_numpys_to_the_bit(options):
    x = np.concatenate([KNOTS, np.linspace(-1, 3, 50), [np.inf, -np.inf, np.nan] if "period" not in options else []])
    y = ag.interp(Tensor(x), KNOTS, HEIGHTS, **options)
    np.testing.assert_array_equal(y.data, np.interp(x, KNOTS, HEIGHTS, **options))


def test_slope_of_an_interpolation():
    """To the right of a point where x is one; zero outside, also infinitely far."""
    x = tracked([-np.inf, 0.0, 0.1, 0.2, 0.4, 1.9, 3.0, np.inf])
    fp = tracked(HEIGHTS)
    ag.interp(x, KNOTS, fp).sum().backward()
    rise = (HEIGHTS[1] - HEIGHTS[0]) / (0.4 - 0.1)
    fall = (HEIGHTS[2] - HEIGHTS[1]) / (0.7 - 0.4)
    np.testing.assert_array_equal(x.grad, [0, 0, rise, rise, fall, 0, 0, 0])
    # Three points at or below the first, one a third of the way to the second, one there, three at the last or above.
    np.testing.assert_allclose(fp.grad, [3 + 2 / 3, 1 / 3 + 1, 0, 3], rtol=1e-12)


def test_interpolation_by_tensors_is_computed_again():
    x, xp, fp = tracked([0.5, 1.5]), tracked([0.0, 1.0, 2.0]), tracked([0.0, 10.0, 0.0])
    graph = ag.graph(ag.interp(x, xp, fp))
    assert (
        graph.evaluate({x: [1.5, 0.25], xp: [0.0, 0.5, 2.0]}).tolist()
        == np.interp([1.5, 0.25], [0.0, 0.5, 2.0], [0.0, 10.0, 0.0]).tolist()
    )

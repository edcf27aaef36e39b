"""Ties, repeated indices and bad input of autograd.ops.ordering; values and derivatives are in tests/specs."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

RNG = np.random.default_rng(0)


def pulled_back(function, x, bar):
    """Return the bar of x for the bar of function(x)."""
    t = Tensor(np.array(x, float), requires_grad=True)
    function(t).backward(np.array(bar, float))
    return t.grad.tolist()


# --- Sorting -------------------------------------------------------------------------------------------------


def test_equal_elements_keep_their_order():
    assert pulled_back(ag.sort, [2, 1, 2, 1], [1, 2, 3, 4]) == [3, 1, 4, 2]
    assert pulled_back(lambda t: ag.sort(t, kind="heapsort"), [2, 1, 2, 1], [1, 2, 3, 4]) == [3, 1, 4, 2]
    many = RNG.integers(0, 3, 1000).astype(float)
    assert pulled_back(ag.sort, many, np.arange(1000)) == np.argsort(np.argsort(many, kind="stable")).tolist()
    assert ag.argsort(np.zeros(100)).tolist() == list(range(100))


def test_nan_sorts_last():
    x = [np.nan, 3, np.nan, 1]
    np.testing.assert_array_equal(ag.sort(np.array(x)), [1, 3, np.nan, np.nan])
    assert pulled_back(ag.sort, x, [1, 2, 3, 4]) == [3, 2, 4, 1]


def test_sort_method_returns_a_copy():
    t = Tensor([3.0, 1.0, 2.0], requires_grad=True)
    assert t.sort().data.tolist() == [1, 2, 3]
    assert t.data.tolist() == [3, 1, 2]
    assert t.argsort().data.tolist() == [1, 2, 0]


@pytest.mark.parametrize("axis", [0, 1, -1, None])
@pytest.mark.parametrize("kth", [0, 7, -3, (2, 5), [1]])
def test_partition_puts_the_kth_in_place(axis, kth):
    x = RNG.normal(size=(20, 30))
    expected = np.sort(x, axis=axis)
    places = np.atleast_1d(kth)
    along = 0 if axis is None else axis
    t = Tensor(x, requires_grad=True)
    y = ag.partition(t, kth, axis=axis)
    np.testing.assert_array_equal(y.data.take(places, along), expected.take(places, along))
    np.testing.assert_array_equal(np.sort(y.data, axis=along), expected)
    np.testing.assert_array_equal(ag.take_along_axis(x, ag.argpartition(x, kth, axis=axis), axis=axis), y.data)
    for place in places:
        before, after = np.split(y.data, [int(place) % y.shape[along]], axis=along)
        pivot = expected.take([place], along)
        assert np.all(before <= pivot)
        assert np.all(after >= pivot)
    ag.sum(y * y).backward()
    np.testing.assert_array_equal(t.grad, 2 * x)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.sort(t, axis=0),
        lambda t: np.sort(t, None),
        lambda t: np.sort(t, kind="stable"),
        lambda t: np.partition(t, 1),
        lambda t: np.take_along_axis(t, np.array([[0], [1], [1]]), axis=1),
    ],
)
def test_numpy_functions_record(call):
    x = RNG.normal(size=(3, 3))
    y = call(Tensor(x, requires_grad=True))
    assert y.requires_grad
    np.testing.assert_array_equal(y.data, call(x))


@pytest.mark.parametrize(
    "call",
    [
        lambda t: np.argsort(t, axis=0, kind="stable"),
        lambda t: np.argpartition(t, 1),
        lambda t: np.searchsorted(np.array([-1.0, 0.0, 1.0]), t, side="right"),
        lambda t: np.digitize(t, np.array([-1.0, 0.0, 1.0])),
    ],
)
def test_places_have_no_gradient(call):
    x = RNG.normal(size=(3, 3))
    y = call(Tensor(x, requires_grad=True))
    assert not y.requires_grad
    np.testing.assert_array_equal(y.data, call(x), strict=True)


def test_unique_is_refused():
    with pytest.raises(TypeError, match=r"np\.unique is not available for Tensors: .*t\.numpy\(\)"):
        np.unique(Tensor([1.0, 1.0]))


def test_bad_axis_names_the_operation():
    for function in (ag.sort, ag.argsort):
        with pytest.raises(np.exceptions.AxisError) as caught:
            function(Tensor(np.ones((2, 2)), requires_grad=True), axis=2)
        assert f"in {function.__name__}(float64[2, 2])" in caught.value.__notes__[0]


# --- Taking and adding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "indices_shape", "axis"),
    [((4,), (7,), 0), ((3, 4), (3, 9), 1), ((3, 4), (1, 5), -1), ((1, 4), (6, 2), 1), ((3, 4, 2), (5, 1, 2), 0)],
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_taking_and_scattering_are_adjoint(shape, indices_shape, axis, dtype):
    x = RNG.integers(-8, 8, shape).astype(dtype)
    indices = RNG.integers(-shape[axis], shape[axis], indices_shape)
    taken = ag.take_along_axis(x, indices, axis)
    y = RNG.integers(-8, 8, taken.shape).astype(dtype)
    scattered = ag.scatter_along_axis(y, indices, axis, shape=shape)
    assert scattered.dtype == taken.dtype == dtype
    assert np.sum(taken * y, dtype=float) == np.sum(x * scattered, dtype=float)


def test_repeated_indices_add_up():
    indices = np.array([[0, 0, -1], [1, 1, 1]])
    values = np.array([[1.0, 2, 3], [4, 5, 6]])
    assert ag.scatter_along_axis(values, indices, shape=(2, 4)).tolist() == [[3, 0, 0, 3], [0, 15, 0, 0]]
    x = np.zeros((2, 4))
    assert pulled_back(lambda t: ag.take_along_axis(t, indices, 1), x, values) == [[3, 0, 0, 3], [0, 15, 0, 0]]
    assert ag.scatter_along_axis(np.float32(2), indices, shape=(2, 4)).tolist() == [[4, 0, 0, 2], [0, 6, 0, 0]]


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        (np.array([[0, 4]]), IndexError, "out of bounds"),
        (np.array([[-5]]), IndexError, "out of bounds"),
        (np.array([[0.5]]), IndexError, "integer"),
        (np.array([1]), ValueError, "same number of dimensions"),
    ],
)
def test_bad_indices(indices, error, message):
    x = Tensor(np.ones((1, 4)), requires_grad=True)
    with pytest.raises(error, match=message):
        ag.take_along_axis(x, indices, axis=1)
    with pytest.raises(error, match=message):
        ag.scatter_along_axis(Tensor(np.ones(indices.shape), requires_grad=True), indices, axis=1, shape=(1, 4))


# --- Beside torch --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1])
def test_gradients_at_ties_are_torchs(axis):
    torch = pytest.importorskip("torch", reason="torch is the oracle here and is not installed")
    x = RNG.integers(0, 3, (6, 7)).astype(float)
    bar = RNG.normal(size=x.shape)
    u = torch.tensor(x, requires_grad=True)
    torch.sort(u, dim=axis, stable=True).values.backward(torch.tensor(bar))
    np.testing.assert_array_equal(pulled_back(lambda t: ag.sort(t, axis=axis), x, bar), u.grad.numpy())

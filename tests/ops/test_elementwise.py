"""Element-wise operations at special values: large, small, infinite, and where a formula loses its digits."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

INF = math.inf


def derivative(function, *xs, by=0, dtype=float):
    """Return the derivative of the sum of function(*xs) by one of xs."""
    tensors = [Tensor(x, requires_grad=True, dtype=dtype) for x in xs]
    return ag.grad(function(*tensors).sum(), tensors[by])[0]


# --- No overflow, no cancellation ----------------------------------------------------------------------------

EXTREMES = [
    ("sigmoid", ag.sigmoid, [-1000.0, -40.0, 0.0, 1000.0], [0, math.exp(-40), 0.5, 1], [0, math.exp(-40), 0.25, 0]),
    (
        "softplus",
        ag.softplus,
        [-1000.0, -40.0, 0.0, 1000.0],
        [0, math.exp(-40), math.log(2), 1000],
        [0, math.exp(-40), 0.5, 1],
    ),
    ("swish", ag.swish, [-1000.0, 0.0, 1000.0], [0, 0, 1000], [0, 0.5, 1]),
    ("gelu", ag.gelu, [-1000.0, 0.0, 1000.0], [0, 0, 1000], [0, 0.5, 1]),
    ("gelu-tanh", lambda x: ag.gelu(x, "tanh"), [-1000.0, 0.0, 1000.0], [0, 0, 1000], [0, 0.5, 1]),
    ("elu", ag.elu, [-1000.0, -1e-10, 1000.0], [-1, math.expm1(-1e-10), 1000], [0, math.exp(-1e-10), 1]),
    ("tanh", ag.tanh, [-1000.0, 0.0, 1000.0], [-1, 0, 1], [0, 1, 0]),
    ("erf", ag.erf, [-30.0, 0.0, 30.0], [-1, 0, 1], [0, 2 / math.sqrt(math.pi), 0]),
    ("arctan", ag.arctan, [-1e200, 0.0, 1e200], [-math.pi / 2, 0, math.pi / 2], [0, 1, 0]),
    ("log1p", ag.log1p, [1e-20, 1e300], [1e-20, math.log(1e300)], [1, 1e-300]),
    ("expm1", ag.expm1, [1e-20, -1000.0], [1e-20, -1], [1, 0]),
    ("cbrt", ag.cbrt, [-8.0, 1e-300], [-2, 1e-100], [1 / 12, 1e200 / 3]),
    ("arcsinh", ag.arcsinh, [1e-10, 1e300], [1e-10, math.log(2) + math.log(1e300)], [1, 1e-300]),
    ("arccosh", ag.arccosh, [1e300], [math.log(2) + math.log(1e300)], [1e-300]),
]


@pytest.mark.parametrize(
    ("function", "x", "value", "slope"), [row[1:] for row in EXTREMES], ids=[row[0] for row in EXTREMES]
)
def test_extremes(function, x, value, slope):
    with np.errstate(over="ignore", under="ignore"):  # an intermediate may, where its reciprocal counts
        np.testing.assert_allclose(function(np.array(x)), value, rtol=1e-12)
        np.testing.assert_allclose(derivative(function, x), slope, rtol=1e-10, atol=1e-305)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("function", [ag.sigmoid, ag.softplus, ag.elu, ag.swish, ag.gelu, ag.tanh, ag.relu])
def test_activation_stays_finite_in_small_types(function, dtype):
    x = np.array([-200.0, -20.0, 0.0, 20.0, 200.0], dtype)
    assert np.isfinite(function(x)).all()
    assert np.isfinite(derivative(function, x, dtype=dtype)).all()


@pytest.mark.parametrize("x", [300.0, 30_000.0])
@pytest.mark.parametrize("function", [ag.arcsinh, ag.arccosh, ag.log1p, ag.log])
def test_slope_of_large_float16_numbers(function, x):
    np.testing.assert_allclose(derivative(function, x, dtype=np.float16), 1 / x, rtol=1e-2)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_hypot_and_arctan2_at_any_scale(scale):
    y, x = 3 * scale, 4 * scale
    np.testing.assert_allclose(derivative(ag.hypot, y, x), 0.6)
    np.testing.assert_allclose(derivative(ag.hypot, y, x, by=1), 0.8)
    np.testing.assert_allclose(derivative(ag.arctan2, y, x), 0.16 / scale, rtol=1e-12)
    np.testing.assert_allclose(derivative(ag.arctan2, y, x, by=1), -0.12 / scale, rtol=1e-12)


@pytest.mark.parametrize("x", [0.0, 1e-310, 1e-160, 1e-8, 1e-4, 0.1, 0.16, 0.3, 0.5, 1.0])
def test_sinc_near_zero(x):
    """sinc x = sum (-1)^n (pi x)^2n / (2n + 1)!, and its derivatives term by term."""
    terms = range(25)
    series = [(-1) ** n * math.pi ** (2 * n) / math.factorial(2 * n + 1) for n in terms]
    first = sum(c * 2 * n * x ** (2 * n - 1) for n, c in zip(terms, series, strict=True) if n)
    second = sum(c * 2 * n * (2 * n - 1) * x ** (2 * n - 2) for n, c in zip(terms, series, strict=True) if n)
    t = Tensor(x, requires_grad=True)
    (slope,) = ag.grad(ag.sinc(t), t, create_graph=True)
    np.testing.assert_allclose(ag.sinc(t).data, np.sinc(x), rtol=1e-14)
    np.testing.assert_allclose(slope.data, first, rtol=1e-9)
    np.testing.assert_allclose(ag.grad(slope, t)[0], second, rtol=1e-9)


# --- Powers --------------------------------------------------------------------------------------------------

POWERS = [
    # x, y, d/dx, d/dy
    (2.0, 3.0, 12.0, 8 * math.log(2)),
    (0.0, 0.0, 0.0, 0.0),
    (0.0, 1.0, 1.0, 0.0),
    (0.0, 2.0, 0.0, 0.0),
    (0.0, 3.0, 0.0, 0.0),
    (2.0, 0.0, 0.0, math.log(2)),
    (4.0, 0.5, 0.25, 2 * math.log(4)),
    (1.0, -3.0, -3.0, 0.0),
]


@pytest.mark.parametrize(("x", "y", "by_x", "by_y"), POWERS)
def test_power(x, y, by_x, by_y):
    np.testing.assert_allclose(derivative(ag.power, x, y), by_x, rtol=1e-14)
    np.testing.assert_allclose(derivative(ag.power, x, y, by=1), by_y, rtol=1e-14)


def test_power_of_arrays_is_that_of_numbers():
    """Numbers take another way through the rules than arrays do, where x = 0 is an element among others."""
    x, y, by_x, by_y = np.array(POWERS).T
    np.testing.assert_allclose(derivative(ag.power, x, y), by_x, rtol=1e-14)
    np.testing.assert_allclose(derivative(ag.power, x, y, by=1), by_y, rtol=1e-14)
    np.testing.assert_allclose(derivative(lambda t: t**y, x), by_x, rtol=1e-14)
    np.testing.assert_allclose(derivative(lambda t: x**t, y), by_y, rtol=1e-14)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_whole_power_of_negative_numbers_and_zero_to_any_order(n):
    x = Tensor([-2.0, 0.0, 3.0], requires_grad=True)
    y, expected, factor = x**n, x.data**n, 1.0
    for order in range(1, 5):
        (y,) = ag.grad(y, x, np.ones(3), create_graph=True)
        factor *= n - order + 1
        expected = factor * x.data ** max(n - order, 0)
        np.testing.assert_allclose(y.data, expected)
        if not y.requires_grad:
            assert factor == 0
            break


def test_negative_base_with_a_fractional_exponent_is_nan():
    with np.errstate(invalid="ignore"):
        assert np.isnan(derivative(ag.power, -2.0, 0.5))


# --- Infinities and NaN --------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [ag.maximum, ag.minimum])
def test_maximum_and_minimum_hand_nan_on(function):
    assert np.isnan(function(np.nan, 1.0))


@pytest.mark.parametrize("function", [ag.fmax, ag.fmin])
def test_fmax_and_fmin_pass_nan_over(function):
    x, y = Tensor([np.nan, 2.0, np.nan], requires_grad=True), Tensor([1.0, np.nan, np.nan], requires_grad=True)
    z = function(x, y)
    assert z.tolist()[:2] == [1, 2]
    z.sum().backward()
    assert x.grad[:2].tolist() == [0, 1]
    assert y.grad[:2].tolist() == [1, 0]


def test_logaddexp_of_infinities():
    np.testing.assert_array_equal(derivative(ag.logaddexp, [0.0, 1.0], [-INF, -INF]), [1, 1])
    np.testing.assert_array_equal(derivative(ag.logaddexp, [0.0, 1.0], [-INF, -INF], by=1), [0, 0])


def test_clip_with_infinite_and_missing_bounds():
    x = [-5.0, 0.5, 5.0]
    assert derivative(lambda t: ag.clip(t, -INF, 1), x).tolist() == [1, 1, 0]
    assert derivative(lambda t: ag.clip(t, max=1), x).tolist() == [1, 1, 0]
    assert derivative(lambda t: ag.clip(t, 0), x).tolist() == [0, 1, 1]
    assert derivative(ag.clip, x).tolist() == [1, 1, 1]


def test_clip_where_the_bounds_cross():
    """NumPy's minimum of the maximum: the upper bound wins, and gets the gradient."""
    x, low, high = (Tensor(v, requires_grad=True) for v in (0.0, 3.0, 1.0))
    y = ag.clip(x, low, high)
    assert y.item() == np.clip(0.0, 3.0, 1.0) == 1
    y.backward()
    assert (float(x.grad), float(low.grad), float(high.grad)) == (0, 0, 1)


@pytest.mark.parametrize("shape", [(), (1,)])
def test_second_derivatives_of_power_at_exponent_zero(shape):
    """d^2 x^y / dx dy = x^(y - 1) (1 + y log x), and d^2 x^y / dx^2 = y (y - 1) x^(y - 2)."""
    x, y = (Tensor(np.full(shape, v), requires_grad=True) for v in (4.0, 0.0))
    (slope,) = ag.grad((x**y).sum(), x, create_graph=True)
    by_x, by_y = ag.grad(slope.sum(), [x, y])
    np.testing.assert_allclose([by_x.item(), by_y.item()], [0, 1 / 4], rtol=1e-14)


def test_clip_at_a_bound_gives_the_bar_to_the_array():
    """And where the bounds are equal, to the upper one; to the array only if it is equal to both."""
    x, low, high = np.array([[1, 1, 3], [3, 1, 3], [0, 2, 2], [5, 2, 2], [2, 2, 2], [3, 3, 2]], float).T
    by_x, by_low, by_high = (derivative(ag.clip, x, low, high, by=i).tolist() for i in range(3))
    assert by_x == [1, 1, 0, 0, 1, 0]
    assert by_low == [0, 0, 0, 0, 0, 0]
    assert by_high == [0, 0, 1, 1, 0, 1]


@pytest.mark.parametrize("x", [1000.0, -1000.0])
def test_second_derivative_of_elu_does_not_overflow(x):
    t = Tensor([x], requires_grad=True)
    (slope,) = ag.grad(ag.elu(t), t, np.ones(1), create_graph=True)
    assert ag.grad(slope, t, np.ones(1))[0] == 0


def test_clip_keeps_integers():
    n = ag.clip(Tensor([-5, 0, 5]), min=-1)
    assert n.dtype == np.int64
    assert n.tolist() == [-1, 0, 5]


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.uint8, np.uint64])
def test_clip_keeps_small_integers(dtype):
    n = ag.clip(Tensor(np.array([1, 5, 9], dtype)), max=5)
    assert n.dtype == dtype
    assert n.tolist() == [1, 5, 5]


# --- Bad input -----------------------------------------------------------------------------------------------


def test_gelu_of_another_kind_is_refused():
    with pytest.raises(ValueError, match='gelu: expected approximate="none" or "tanh", got \'quick\''):
        ag.gelu(Tensor(1.0), approximate="quick")


def test_remainder_follows_the_sign_of_the_divisor():
    x, y = [7.0, -7.0, 7.0, -7.0], [3.0, 3.0, -3.0, -3.0]
    np.testing.assert_array_equal(ag.remainder(np.array(x), np.array(y)), [1, 2, -2, -1])
    np.testing.assert_array_equal(derivative(ag.remainder, x, y, by=1), [-2, 3, 3, -2])
    np.testing.assert_array_equal(derivative(ag.fmod, x, y, by=1), [-2, 2, 2, -2])


def test_sigmoid_of_integers():
    for dtype, expected in (
        (np.uint8, [1.0, 0.73106, 0.5]),
        (np.int8, [1.0, 0.73106, 0.5]),
        (bool, [0.73106, 0.73106, 0.5]),
    ):
        found = ag.sigmoid(np.array([100, 1, 0]).astype(dtype))
        assert np.allclose(found, expected, atol=1e-3)
    assert ag.sigmoid(np.array([-12], np.int8))[0] > 0


def test_relu_keeps_its_dtype_whatever_the_size():
    for dtype in (bool, np.int8, np.int64, np.float16, np.float32, np.float64):
        assert ag.relu(np.ones(3000, dtype)).dtype == ag.relu(np.ones(3, dtype)).dtype

"""Dense, dropout and what only arranges."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare_modules, values


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (3,)])
def test_dense_agrees_with_torch(bias, shape):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    compare_modules(nn.Dense(3, 2, bias=bias), torch.nn.Linear(3, 2, bias=bias), [values(*shape)])


def test_dense_starts_reproducibly_in_float32():
    a, b = nn.Linear(3, 2, rng=1), nn.Dense(3, 2, rng=1, init=nn.init.glorot_uniform)
    assert nn.Linear is nn.Dense
    assert np.array_equal(a.weight.data, b.weight.data)
    assert (a.weight.dtype, a.weight.shape) == (np.float32, (2, 3))
    assert not a.bias.data.any()
    with pytest.raises(ValueError, match=r"got \(4, 5\), \(2, 3\)"):
        a(np.ones((4, 5)))


def test_flatten_and_reshape():
    x = values(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(2)(x).shape == (2, 3, 4)
    assert nn.Flatten()(x[:0]).shape == (0, 12)
    assert nn.Reshape(4, 3)(x).shape == (2, 4, 3)
    assert nn.Reshape(-1)(x).shape == (2, 12)


# --- Dropout -----------------------------------------------------------------------------------------------


def test_g15_dropout_drops_for_each_example_and_keeps_the_expectation():
    layer = nn.Dropout(0.25, rng=0)
    y = layer(np.ones((1000, 40), np.float32))
    assert set(np.unique(y)) == {0, np.float32(1 / 0.75)}
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert not np.array_equal(y[0], y[1])


@pytest.mark.parametrize("p", [1 / 256, 0.1, 0.25, 0.5, 0.7, 255 / 256])
def test_g15_dropout_drops_with_the_probability_given(p):
    """Within five standard deviations of the binomial distribution."""
    n = 200_000
    dropped = np.count_nonzero(F.dropout(np.ones(n, np.float32), p, rng=1) == 0)
    assert abs(dropped - n * p) < 5 * (n * p * (1 - p)) ** 0.5


def test_g15_dropout_does_nothing_at_test_time():
    x = values(3, 4)
    assert nn.Dropout(0.5).eval()(x) is x
    assert F.dropout(x, 0.5, False) is x
    assert F.dropout(x, 0.0) is x


def test_dropout_is_its_own_derivative():
    x = Tensor(values(3, 4), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    y.sum().backward()
    np.testing.assert_allclose(x.grad * x.data, y.data)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3, 4, 5)])
def test_dropout_keeps_dtype_and_shape_also_of_transposed_arrays(dtype, shape):
    x = np.ones(shape, dtype)
    assert F.dropout(x, 0.5, rng=0).dtype == dtype
    turned = F.dropout(x.transpose(), 0.5, rng=0)
    assert turned.shape == shape[::-1]
    assert turned.dtype == dtype


def test_dropout_repeats_with_its_seed_and_refuses():
    x = values(5, 5)
    assert np.array_equal(nn.Dropout(rng=3)(x), nn.Dropout(rng=3)(x))
    rng = np.random.default_rng(3)
    assert not np.array_equal(F.dropout(x, rng=rng), F.dropout(x, rng=rng))
    for p in (1.0, -0.1):
        with pytest.raises(ValueError, match=r"p in \[0, 1\)"):
            nn.Dropout(p)
        with pytest.raises(ValueError, match=r"p in \[0, 1\)"):
            F.dropout(x, p)


def test_a_graph_evaluated_again_drops_the_same_elements():
    x = Tensor(np.ones(50), requires_grad=True)
    y = nn.Dropout(0.5, rng=0)(x)
    again = autograd.graph(y).evaluate({x: np.full(50, 2.0)})
    np.testing.assert_array_equal(again, 2 * y.data)

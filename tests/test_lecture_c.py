"""Rows C1 to C11 of the lecture: activations, to the digits given; each as function and as layer."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
from autograd import Tensor

Z = np.linspace(-6, 6, 121)
WIDE = np.array([-1000.0, -50.0, 50.0, 1000.0])


def tracked(value):
    return Tensor(value, requires_grad=True)


def slope(f, x):
    """Return the derivative of an element-wise function at each element of x."""
    x = tracked(x)
    f(x).sum().backward()
    return x.grad


def agree(found, expected, digits=8):
    """Compare to the digits that the material gives."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.51 * 10.0**-digits)


LAYERS = [
    (nn.Sigmoid(), F.sigmoid),
    (nn.Tanh(), F.tanh),
    (nn.ReLU(), F.relu),
    (nn.LeakyReLU(0.1), lambda x: F.leaky_relu(x, 0.1)),
    (nn.ELU(0.5), lambda x: F.elu(x, 0.5)),
    (nn.Softplus(), F.softplus),
    (nn.Swish(), F.swish),
    (nn.Softmax(), F.softmax),
]


@pytest.mark.parametrize(("layer", "function"), LAYERS, ids=[type(layer).__name__ for layer, _ in LAYERS])
def test_C1_to_C10_each_layer_is_its_function(layer, function):
    np.testing.assert_array_equal(layer(Tensor(Z)).data, function(Tensor(Z)).data)
    assert layer.parameters() == []


# --- Squashing functions ---------------------------------------------------------------------------------------


def test_C1_sigmoid():
    assert F.sigmoid(Tensor(0.0)).item() == 0.5
    agree(F.sigmoid(Tensor(2.5)).item(), 0.92414182)
    s = F.sigmoid(Tensor(Z)).data
    np.testing.assert_allclose(s, 1 / (1 + np.exp(-Z)), rtol=1e-15)
    np.testing.assert_allclose(F.sigmoid(Tensor(-Z)).data, 1 - s, atol=1e-15)
    np.testing.assert_allclose(slope(F.sigmoid, Z), s * (1 - s), atol=1e-15)
    np.testing.assert_allclose(F.sigmoid(Tensor(WIDE)).data, [0, 0, 1, 1], atol=1e-20)


def test_C2_tanh_in_three_forms():
    forms = [
        np.tanh,
        lambda z: 2 / (1 + np.exp(-2 * z)) - 1,
        lambda z: 2 * F.sigmoid(2 * z) - 1,
        lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    ]
    for form in forms:
        agree(form(Tensor(0.7)).item(), 0.60436778)
        np.testing.assert_allclose(form(Tensor(Z)).data, np.tanh(Z), atol=1e-15)
        np.testing.assert_allclose(slope(form, Z), 1 - np.tanh(Z) ** 2, atol=1e-14)


# --- Rectifiers ------------------------------------------------------------------------------------------------


def test_C3_relu():
    assert F.relu(Tensor([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]
    assert slope(F.relu, [-2.0, 0.0, 3.0]).tolist() == [0, 0, 1]


def test_C4_leaky_relu():
    def f(x):
        return F.leaky_relu(x, 0.1)

    assert f(Tensor(-2.0)).item() == pytest.approx(-0.2, abs=1e-15)
    np.testing.assert_allclose(f(Tensor(Z)).data, np.maximum(0.1 * Z, Z))
    assert slope(f, [-2.0, 0.0, 3.0]).tolist() == [0.1, 0.1, 1]
    assert F.leaky_relu(Tensor(-2.0), 0.01).item() == pytest.approx(-0.02)


def test_C4_the_slope_can_be_learned():
    layer = nn.PReLU(start=0.1)
    assert [p.tolist() for p in layer.parameters()] == [[pytest.approx(0.1)]]
    layer(Tensor(np.array([[-2.0, 3.0, -0.5]], np.float32))).sum().backward()
    assert layer.weight.grad.tolist() == [-2.5]


@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_C5_elu_in_two_forms(alpha):
    as_sum = np.maximum(0, Z) + alpha * np.minimum(0, np.exp(Z) - 1)
    np.testing.assert_allclose(F.elu(Tensor(Z), alpha).data, as_sum, atol=1e-15)
    expected = np.where(Z > 0, 1, alpha * np.exp(Z))
    np.testing.assert_allclose(slope(lambda x: F.elu(x, alpha), Z), expected, atol=1e-15)


def test_C5_elu():
    agree(F.elu(Tensor(-1.0)).item(), -0.63212056)
    assert F.elu(Tensor(WIDE)).tolist() == [-1, -1, 50, 1000]


def test_C6_generalized_relu():
    x = Tensor(Z)
    np.testing.assert_array_equal(F.generalized_relu(x, 0).data, F.relu(x).data)
    np.testing.assert_allclose(F.generalized_relu(x, 0.1).data, F.leaky_relu(x, 0.1).data, atol=1e-15)
    np.testing.assert_array_equal(F.generalized_relu(x, -1).data, np.abs(Z))
    alpha = tracked(0.3)
    F.generalized_relu(x, alpha).sum().backward()
    assert alpha.grad == pytest.approx(np.minimum(0, Z).sum())


def test_C7_maxout():
    layer = nn.Maxout(3, 2, pieces=2, rng=0).astype(np.float64)
    layer.bias.data = np.array([0.1, -0.2, 0.3, 0.0])
    x = np.random.default_rng(0).normal(size=(20, 3))
    w, b = layer.weight.data.reshape(2, 2, 3), layer.bias.data.reshape(2, 2)
    pieces = np.einsum("opi,ni->nop", w, x) + b
    np.testing.assert_allclose(layer(Tensor(x)).data, np.maximum(pieces[..., 0], pieces[..., 1]), atol=1e-14)
    # max(x, -x) and max(x, 0) are maxouts, too
    both = np.stack([Z, -Z], axis=1)
    np.testing.assert_array_equal(F.maxout(Tensor(both), 2).data[:, 0], np.abs(Z))
    np.testing.assert_array_equal(F.maxout(Tensor(np.stack([Z, 0 * Z], axis=1)), 2).data[:, 0], np.maximum(Z, 0))


def test_C7_the_bar_goes_to_the_largest_piece():
    x = tracked([[1.0, 4.0, -1.0, -3.0]])
    F.maxout(x, 2).sum().backward()
    assert x.grad.tolist() == [[0, 1, 1, 0]]


# --- Smooth rectifiers, softmax --------------------------------------------------------------------------------


def test_C8_softplus():
    agree(F.softplus(Tensor(0.0)).item(), 0.69314718)
    np.testing.assert_allclose(F.softplus(Tensor(Z)).data, np.log(1 + np.exp(Z)), rtol=1e-13)
    np.testing.assert_allclose(slope(F.softplus, Z), F.sigmoid(Tensor(Z)).data, atol=1e-15)
    np.testing.assert_allclose(F.softplus(Tensor(WIDE)).data, [0, 0, 50, 1000], atol=1e-20)


def test_C9_swish():
    agree(F.swish(Tensor(1.0)).item(), 0.73105858)
    s = 1 / (1 + np.exp(-Z))
    np.testing.assert_allclose(F.swish(Tensor(Z)).data, Z * s, atol=1e-15)
    np.testing.assert_allclose(slope(F.swish, Z), s + Z * s * (1 - s), atol=1e-14)
    np.testing.assert_allclose(F.swish(Tensor(Z), 2.0).data, Z / (1 + np.exp(-2 * Z)), atol=1e-14)


def test_C10_softmax():
    z = np.random.default_rng(0).normal(size=(5, 4))
    y = F.softmax(Tensor(z)).data
    np.testing.assert_allclose(y, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_allclose(F.softmax(Tensor(z + 7.5)).data, y, rtol=1e-14)
    np.testing.assert_allclose(F.softmax(Tensor(z), axis=0).data.sum(axis=0), 1, rtol=1e-15)


def test_C10_softmax_is_exact_at_inputs_of_1000():
    z = np.array([1000.0, 1001.0, 998.0])
    np.testing.assert_allclose(F.softmax(Tensor(z)).data, F.softmax(Tensor(z - 1000)).data, rtol=1e-15)
    assert F.softmax(Tensor([1000.0, 0.0])).tolist() == [1, 0]
    assert F.log_softmax(Tensor([1000.0, 0.0])).tolist() == [0, -1000]


def test_C10_jacobian_of_softmax():
    z = np.array([0.3, -1.0, 2.0])
    y = F.softmax(Tensor(z)).data
    np.testing.assert_allclose(ag.jacobian(F.softmax)(z), np.diag(y) - np.outer(y, y), atol=1e-15)


# --- Saturation ------------------------------------------------------------------------------------------------


def test_C11_saturation():
    assert slope(F.sigmoid, 10.0) == pytest.approx(4.54e-5, abs=0.005e-5)
    assert slope(F.sigmoid, 0.0) == 0.25
    assert (slope(F.sigmoid, WIDE) < 1e-20).all()
    assert slope(F.relu, 10.0) == 1


@pytest.mark.parametrize(("g", "low", "high"), [(F.sigmoid, 0, 1e-4), (F.relu, 0.1, 100)], ids=["sigmoid", "relu"])
def test_C11_through_many_layers_sigmoids_let_the_bar_vanish(g, low, high):
    """Each passes a quarter of it at most."""
    rng = np.random.default_rng(0)
    x = tracked(rng.normal(size=(30, 20)))
    h = x
    for _ in range(10):
        h = g(h @ nn.init.he_normal((20, 20), rng=rng, dtype=np.float64))
    h.sum().backward()
    assert low < np.abs(x.grad).max() < high

"""Activations, rows C1 to C11, as functions and layers."""

import math

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare, compare_modules, values


def slope(function, x):
    t = Tensor(x, requires_grad=True)
    return autograd.grad(function(t), t)[0].item()


def test_c1_sigmoid():
    z = values(9, low=-6, high=6)
    np.testing.assert_allclose(F.sigmoid(z), 1 / (1 + np.exp(-z)))
    assert slope(F.sigmoid, 0.0) == 0.25
    assert F.sigmoid(np.array([-1000.0, 1000.0])).tolist() == [0, 1]


def test_c2_the_three_forms_of_tanh_agree():
    z = values(9)
    forms = [
        2 / (1 + np.exp(-2 * z)) - 1,
        2 * F.sigmoid(2 * z) - 1,
        (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    ]
    for form in forms:
        np.testing.assert_allclose(form, F.tanh(z), rtol=1e-12)
    assert f"{F.tanh(0.7):.8f}" == "0.60436778"


def test_c3_relu():
    assert F.relu(np.array([-2.0, 0.0, 3.0])).tolist() == [0, 0, 3]
    assert [slope(F.relu, x) for x in (-2.0, 0.0, 3.0)] == [0, 0, 1]


def test_c4_leaky_relu():
    assert F.leaky_relu(-2.0, slope=0.1) == pytest.approx(-0.2)
    assert F.leaky_relu(np.array([5.0]), slope=0.1) == [5.0]
    z = values(9)
    np.testing.assert_allclose(F.leaky_relu(z, slope=0.1), np.maximum(0.1 * z, z))


def test_c5_elu():
    assert f"{F.elu(-1.0):.8f}" == "-0.63212056"
    z = values(9)
    np.testing.assert_allclose(F.elu(z, alpha=0.7), np.maximum(0, z) + 0.7 * np.minimum(0, np.exp(z) - 1))


def test_c6_generalized_relu():
    z = np.array([-2.0, -0.5, 0.0, 3.0])
    assert F.generalized_relu(z, 0).tolist() == F.relu(z).tolist()
    assert F.generalized_relu(z, -1).tolist() == np.abs(z).tolist()
    assert F.generalized_relu(z, 0.1).tolist() == F.leaky_relu(z, slope=0.1).tolist()
    alpha = Tensor(0.5, requires_grad=True)
    F.generalized_relu(z, alpha).sum().backward()
    assert alpha.grad == -2.5


def test_c7_maxout_is_the_larger_of_two_affine_functions():
    layer = nn.Maxout(3, 2, rng=0).astype(np.float64)
    layer.bias.data = values(4)
    x, w, b = values(5, 3), layer.weight.data, layer.bias.data
    z = x @ w.T + b
    np.testing.assert_allclose(layer(x).data, np.stack([z[:, :2].max(1), z[:, 2:].max(1)], axis=1))
    assert layer(x).shape == (5, 2)
    with pytest.raises(ValueError, match="3 pieces do not divide axis 1"):
        F.maxout(np.ones((2, 4)), 3)


def test_c8_softplus_and_its_derivative_the_sigmoid():
    assert f"{F.softplus(0.0):.8f}" == "0.69314718"
    z = Tensor(values(9), requires_grad=True)
    F.softplus(z).sum().backward()
    np.testing.assert_allclose(z.grad, F.sigmoid(z.data))
    assert F.softplus(np.array([1000.0])) == [1000.0]


def test_c9_swish():
    assert f"{F.swish(1.0):.8f}" == "0.73105858"
    assert F.silu is F.swish


def test_c10_softmax_sums_to_1_is_shift_invariant_and_exact_at_1000():
    z = values(4, 5)
    y = F.softmax(z, axis=1)
    np.testing.assert_allclose(y.sum(axis=1), 1)
    np.testing.assert_allclose(F.softmax(z + 100, axis=1), y)
    assert F.softmax(np.array([1000.0, 1000.0, -1000.0])).tolist() == [0.5, 0.5, 0.0]
    assert F.softmax(np.array([1000.0, 1001.0]))[1] == pytest.approx(1 / (1 + math.exp(-1)))


def test_c11_saturation():
    assert f"{slope(F.sigmoid, 10.0):.2e}" == "4.54e-05"


def test_b1_threshold():
    assert F.threshold(np.array([-1.0, 0.0, 0.5])).tolist() == [0, 0, 1]
    assert not F.threshold(Tensor([1.0], requires_grad=True)).requires_grad


LAYERS = {
    "Sigmoid": (nn.Sigmoid(), "Sigmoid", {}),
    "Tanh": (nn.Tanh(), "Tanh", {}),
    "ReLU": (nn.ReLU(), "ReLU", {}),
    "LeakyReLU": (nn.LeakyReLU(0.2), "LeakyReLU", {"negative_slope": 0.2}),
    "ELU": (nn.ELU(0.7), "ELU", {"alpha": 0.7}),
    "Softplus": (nn.Softplus(), "Softplus", {}),
    "SiLU": (nn.SiLU(), "SiLU", {}),
    "GELU": (nn.GELU(), "GELU", {}),
    "GELU tanh": (nn.GELU("tanh"), "GELU", {"approximate": "tanh"}),
    "Softmax": (nn.Softmax(1), "Softmax", {"dim": 1}),
    "LogSoftmax": (nn.LogSoftmax(1), "LogSoftmax", {"dim": 1}),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree_with_torch(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    ours, theirs, options = LAYERS[name]
    compare(ours, getattr(torch.nn, theirs)(**options), [values(3, 4, 2, low=-5, high=5)])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 4)])
def test_prelu_agrees_with_torch(channels, shape):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    compare_modules(nn.PReLU(channels), torch.nn.PReLU(channels), [values(*shape)])


@pytest.mark.parametrize("layer", [nn.Sigmoid(), nn.ELU(), nn.GELU(), nn.Swish(2.0), nn.PReLU(), nn.LogSoftmax()])
def test_layers_keep_float32(layer):
    assert layer(np.ones((2, 3), np.float32)).dtype == np.float32

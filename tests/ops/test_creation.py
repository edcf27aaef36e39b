"""Constants shaped like another array."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

X = np.array([1.0, -2.0, 3.0], np.float32)


@pytest.mark.parametrize(
    ("function", "theirs"),
    [(ag.zeros_like, np.zeros_like), (ag.ones_like, np.ones_like), (ag.empty_like, np.empty_like)],
)
def test_a_tensor_for_a_tensor_and_an_array_for_an_array(function, theirs):
    x = Tensor(X, requires_grad=True)
    for y in (function(x), theirs(x)):
        assert isinstance(y, Tensor)
        assert not y.requires_grad
        assert (y.shape, y.dtype) == ((3,), np.float32)
    assert isinstance(function(X), np.ndarray)
    assert theirs(x, dtype=int, shape=(2, 2)).dtype == int


def test_an_empty_array_holds_zeros():
    with ag.detect_anomaly():
        assert ag.empty_like(Tensor(X, requires_grad=True), shape=1000).data.tolist() == [0.0] * 1000


def test_a_tensor_of_a_constant_can_be_filled():
    x = Tensor(X, requires_grad=True)
    y = np.zeros_like(x)
    y[1:] = x[:2] * 2
    y.sum().backward()
    assert x.grad.tolist() == [2, 2, 0]


def test_the_value_to_fill_with_has_a_gradient():
    x, value = Tensor(X, requires_grad=True), Tensor(2.0, requires_grad=True)
    y = np.full_like(x, value)
    assert y.dtype == np.float32
    (y * x).sum().backward()
    assert value.grad == X.sum()
    assert value.grad.dtype == np.float64
    assert x.grad.tolist() == [2, 2, 2]


def test_the_shape_is_computed_again():
    x = Tensor(X, requires_grad=True)
    y = x[x > 0]
    assert ag.graph(y + np.ones_like(y)).evaluate({x: np.ones(3)}).tolist() == [2, 2, 2]

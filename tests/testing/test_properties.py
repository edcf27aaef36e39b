"""`@gradients(...)`: a property test of any function in two lines."""

import numpy as np
import pytest

from autograd import Tensor, primitive
from autograd.testing import GradientError, gradients
from autograd.testing.strategies import arrays, broadcastable, matrices

cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3.003 * ybar * x * x)


@gradients(arrays((2, 3)), arrays((3,), away_from=[0]), examples=5)
def test_by_position(x, y):
    """Keep this docstring."""
    return np.tanh(x) / y


@gradients(y=arrays((2,)), x=matrices(2), examples=5)
def test_by_name(x, y):
    return np.linalg.solve(x, y)


@gradients(broadcastable(2), examples=5)
def test_nested(pair):
    return pair[0] * pair[1]


class Layer:
    def __init__(self):
        self.w = Tensor(np.float32([[1, 2, 0.5]]), requires_grad=True)

    def named_parameters(self):
        return [("w", self.w)]

    def __call__(self, x):
        return np.tanh(x @ self.w.T)


test_layer = gradients(arrays((4, 3), dtype=np.float32), examples=5)(Layer())


def test_the_test_has_the_name_of_the_function():
    assert test_by_position.__name__ == "test_by_position"
    assert test_by_position.__doc__ == "Keep this docstring."


def test_a_wrong_one_fails_at_the_simplest_point():
    @gradients(arrays(low=-1, high=1), examples=50)
    def wrong(x):
        return cube(x)

    with pytest.raises(GradientError, match="cube, the rule for 'x'") as caught:
        wrong()
    assert "x () float64" in str(caught.value)


def test_points_without_a_finite_value_are_passed_over():
    @gradients(arrays((2,), low=-1, high=1), examples=10)
    def logarithm(x):
        return np.log(x)

    with np.errstate(all="ignore"):
        logarithm()


def test_bad_use():
    with pytest.raises(TypeError, match="either by position or by name"):
        gradients()
    with pytest.raises(TypeError, match="there is no strategy for \\['y'\\]"):
        gradients(x=arrays())(lambda x, y: x)
    with pytest.raises(TypeError, match="there is no argument \\['z'\\]"):
        gradients(x=arrays(), z=arrays())(lambda x: x)

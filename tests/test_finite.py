"""The checkers of this test suite are checked: planted faults are caught, right rules pass."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import primitive
from autograd.ops.broadcast import sum_to
from autograd.tensor import raw

from . import oracles
from .finite import check, directional

X, Y = np.array([[0.3, -0.8], [1.2, 0.5]]), np.array([[1.0, 0.4], [-0.6, 0.9]])

FIRST_ORDER = {
    "factor": primitive(np.tanh, name="f", x=lambda ybar, out: 2 * ybar * (1 - out * out)),
    "sign": primitive(np.sin, name="f", x=lambda ybar, x: -ybar * np.cos(x)),
    "argument for result": primitive(np.tanh, name="f", x=lambda ybar, x: ybar * (1 - x * x)),
    "bar dropped": primitive(np.exp, name="f", x=lambda ybar, out: out),
    "transposed": primitive(np.positive, name="f", x=lambda ybar: ybar.T),
    "reversed": primitive(np.positive, name="f", x=lambda ybar: ybar[::-1]),
    "spread evenly": primitive(np.positive, name="f", x=lambda ybar: ybar * 0 + ybar.sum() / 4),
    "one element": primitive(lambda x: x.sum(axis=0), name="f", x=lambda ybar: ybar * np.array([[1, 1], [0, 0]])),
    "wrong axis": primitive(lambda x: x.sum(axis=0), name="f", x=lambda ybar: ybar.reshape(2, 1) * np.ones((2, 2))),
    "no gradient": primitive(np.exp, name="f", x=None),
    "slightly": primitive(np.exp, name="f", x=lambda ybar, out: ybar * out * (1 + 1e-5)),
}


@pytest.mark.parametrize("fault", FIRST_ORDER.values(), ids=FIRST_ORDER)
def test_fault_of_first_order_is_caught(fault):
    with pytest.raises(AssertionError, match="order 1"):
        check(fault, [X], order=1)


SECOND_ORDER = {
    "value instead of tensor": primitive(np.exp, name="f", x=lambda ybar, out: ybar * raw(out)),
    "bar's value": primitive(np.exp, name="f", x=lambda ybar, out: raw(ybar) * out),
    "constant slope": primitive(np.sin, name="f", x=lambda ybar, x: ybar * np.cos(raw(x))),
    "wrong adjoint": primitive(
        lambda x: 2 * x, name="f", x=primitive(lambda y: 2 * y, name="g", y=lambda bar: 3 * bar)
    ),
}


@pytest.mark.parametrize("fault", SECOND_ORDER.values(), ids=SECOND_ORDER)
def test_fault_of_second_order_is_caught(fault):
    check(fault, [X], order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check(fault, [X], order=2)


def test_swapped_rules_are_caught():
    swapped = primitive(np.multiply, name="f", x=lambda zbar, x: zbar * x, y=lambda zbar, y: zbar * y)
    with pytest.raises(AssertionError, match="order 1"):
        check(swapped, [X, Y], order=1)


def test_right_rules_pass_to_high_order():
    check(lambda x, y: ag.tanh(x * y) / (2 + ag.sin(x)), [X, Y[0]], order=4, tolerance=1e-5)
    check(lambda x: sum_to(x, shape=(2,)), [X])
    check(lambda x: x > 0, [X])


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [(np.exp, 0.7, np.exp(0.7)), (np.log, 1e-2 + 1, 1 / 1.01), (np.sin, 1e3, np.cos(1e3))],
)
def test_differences_are_accurate(function, x, expected):
    assert abs(directional(lambda x: float(function(x)), [np.array(x)], [np.array(1.0)]) - expected) < 1e-9


def test_complex_step_is_accurate():
    (found,) = oracles.complex_step(lambda x: np.exp(np.sin(x)) * np.log(1 + x), [np.array([0.5, 2.0])], [np.ones(2)])
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(found, np.exp(np.sin(x)) * (np.cos(x) * np.log(1 + x) + 1 / (1 + x)), rtol=1e-15)


@pytest.mark.parametrize("formula", [np.abs, np.hypot, lambda x: x.real, np.floor, lambda x: x * 0 > 1])
def test_complex_step_refuses_what_is_not_analytic(formula):
    with pytest.raises(oracles.NotAnalyticError):
        oracles.complex_step(formula, [X], [X])


OWN = [function for function in oracles.ANALYTIC if function in vars(ag.ops.elementwise).values()]


@pytest.mark.parametrize("formula", OWN, ids=lambda f: f.__name__)
def test_each_analytic_formula_has_the_value(formula):
    """The formulas in tests/oracles.py compute the function that they stand for."""
    arguments = {ag.arctan2: [X, np.abs(Y)]}.get(formula, [X, Y])
    count = (
        2 if formula in (ag.remainder, ag.fmod, ag.logaddexp, ag.logaddexp2, ag.hypot, ag.arctan2, ag.copysign) else 1
    )
    np.testing.assert_allclose(
        oracles.ANALYTIC[formula](*arguments[:count]), formula(*arguments[:count]), rtol=1e-14, atol=1e-15
    )

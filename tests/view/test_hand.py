"""Hand checks: right expressions pass; each planted mistake is found, named first, and explained."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.view import rows


def sigmoid_slope(z: Any) -> Any:
    s = 1 / (1 + np.exp(-z))
    return s * (1 - s)


LOGISTIC: dict[str, Any] = {
    "Lregbar": 1.0,
    "Rbar": lambda Lregbar, lambda_: Lregbar * lambda_,
    "Lbar": lambda Lregbar: Lregbar,
    "ybar": lambda Lbar, y, t: Lbar * (y - t),
    "zbar": lambda ybar, z: ybar * sigmoid_slope(z),
    "wbar": lambda zbar, x, Rbar, w: zbar * x + Rbar * w,
    "bbar": lambda zbar: zbar,
}

PERCEPTRON: dict[str, Any] = {
    "ybar": lambda Lbar, y, t: Lbar * (y - t),
    "W2bar": lambda ybar, h: np.outer(ybar, h),
    "b2bar": lambda ybar: ybar,
    "hbar": lambda W2, ybar: W2.T @ ybar,
    "zbar": lambda hbar, z: hbar * sigmoid_slope(z),
    "W1bar": lambda zbar, x: np.outer(zbar, x),
    "b1bar": lambda zbar: zbar,
}


def regression() -> Tensor:
    """Return a mean squared error over a batch of four."""
    rng = np.random.default_rng(0)
    x, t = rows.given("x", rng.normal(size=(4, 3))), rows.given("t", rng.normal(size=(4, 2)))
    w, b = rows.named("W", rng.normal(size=(3, 2))), rows.named("b", rng.normal(size=2))
    y = (x @ w + b).named("y")
    return ((y - t) ** 2).mean().named("L")


REGRESSION: dict[str, Any] = {
    "ybar": lambda Lbar, y, t: Lbar * 2 * (y - t) / 8,
    "Wbar": lambda x, ybar: x.T @ ybar,
    "bbar": lambda ybar: ybar.sum(axis=0),
}


@pytest.mark.parametrize(
    ("compute", "expressions"),
    [(lambda: rows.logistic(penalty=True), LOGISTIC), (rows.perceptron, PERCEPTRON), (regression, REGRESSION)],
    ids=["A4", "A7", "batch"],
)
def test_right_expressions_pass(compute: Callable[[], Tensor], expressions: dict[str, Any]) -> None:
    report = autograd.graph(compute()).check_by_hand(expressions)
    assert report
    assert repr(report) == f"all {len(expressions)} bars are right"
    assert [comparison.right for comparison in report] == [True] * len(expressions)


MISTAKES: dict[str, tuple[Any, dict[str, Any], str, str]] = {
    "sign": (lambda: rows.logistic(penalty=True), {"ybar": lambda Lbar, y, t: Lbar * (t - y)}, "ybar", "the sign"),
    "missing slope": (lambda: rows.logistic(penalty=True), {"zbar": lambda ybar: ybar}, "zbar", "σ'\\(z\\) is missing"),
    "lost fan-out": (
        lambda: rows.logistic(penalty=True),
        {"wbar": lambda zbar, x: zbar * x},
        "wbar",
        "share that comes from R is missing",
    ),
    "function for slope": (
        lambda: rows.logistic(penalty=True),
        {"zbar": lambda ybar, y: ybar * y},
        "zbar",
        "in the place of σ'\\(z\\)",
    ),
    "missing factor": (lambda: rows.logistic(penalty=True), {"Rbar": lambda Lregbar: Lregbar}, "Rbar", "λ is missing"),
    "wrong argument": (
        rows.perceptron,
        {"W1bar": lambda zbar, h: np.outer(zbar, h)},
        "W1bar",
        "h in the place of x",
    ),
    "missing transpose": (
        rows.perceptron,
        {"hbar": lambda W2, ybar: W2 @ ybar},
        "hbar",
        "W₂ and its transpose are mixed up",
    ),
    "transposed": (rows.perceptron, {"W2bar": lambda ybar, h: np.outer(h, ybar)}, "W2bar", "transposed"),
    "missing 1/N": (regression, {"ybar": lambda Lbar, y, t: Lbar * 2 * (y - t)}, "ybar", "1/8 of the mean is missing"),
    "the 2 of the square": (regression, {"ybar": lambda Lbar, y, t: Lbar * (y - t) / 8}, "ybar", "factor 2 is missing"),
    "missing sum": (regression, {"bbar": lambda ybar: ybar}, "bbar", "sum over axis 0 is missing"),
    "mean for sum": (regression, {"bbar": lambda ybar: ybar.mean(axis=0)}, "bbar", "1/4 is too much"),
    "raises": (regression, {"Wbar": lambda x, ybar: x @ ybar}, "Wbar", "it raises ValueError"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistakes_are_found_and_explained(mistake: str) -> None:
    compute, wrong, name, slip = MISTAKES[mistake]
    right = next(
        known for known in (LOGISTIC, PERCEPTRON, REGRESSION) if known.keys() >= wrong.keys() and fits(compute, known)
    )
    report = autograd.graph(compute()).check_by_hand({**right, **wrong})
    assert not report
    assert report.first_wrong is not None
    assert report.first_wrong.name == name
    assert [comparison.name for comparison in report if not comparison.right] == [name]
    assert re.search(slip, report.first_wrong.slip), report.first_wrong.slip
    assert repr(report).startswith(f"the first wrong bar is {name}: expected ")


def fits(compute: Callable[[], Tensor], expressions: dict[str, Any]) -> bool:
    """Tell whether these are the expressions for this computation."""
    try:
        return bool(autograd.graph(compute()).check_by_hand(expressions))
    except KeyError:
        return False


def convolution() -> Tensor:
    rng = np.random.default_rng(0)
    x, w = rows.given("x", rng.normal(size=(1, 1, 5, 5))), rows.named("w", rng.normal(size=(1, 1, 3, 3)))
    y = autograd.conv2d(x, w).named("y")
    return (y * rng.normal(size=(1, 1, 3, 3))).sum().named("L")


def filter_bar(x: Any, ybar: Any) -> Any:
    """Return the bar of a 3 x 3 filter for a single image."""
    return np.array([[np.sum(x[0, 0, i : i + 3, j : j + 3] * ybar[0, 0]) for j in range(3)] for i in range(3)])[
        None, None
    ]


def test_a_turned_kernel() -> None:
    graph = autograd.graph(convolution())
    assert graph.check_by_hand({"wbar": filter_bar})
    report = graph.check_by_hand({"wbar": lambda x, ybar: filter_bar(x, ybar)[..., ::-1, ::-1]})
    assert report.first_wrong is not None
    assert report.first_wrong.slip.startswith("it is reversed along both spatial axes")


def test_odd_values_are_compared_in_silence() -> None:
    with np.errstate(all="ignore"):
        x = rows.named("x", [0.0, 1.0])
        graph = autograd.graph(np.log(x).sum().named("L"))
        assert graph.check_by_hand({"xbar": lambda Lbar, x: Lbar / x})
    report = graph.check_by_hand({"xbar": lambda Lbar, x: Lbar * x})
    assert not report


def test_rounding_of_short_floats_is_no_mistake() -> None:
    rng = np.random.default_rng(0)
    x = Tensor(rng.normal(size=(64, 300)).astype(np.float32)).named("x")
    w = Tensor(rng.normal(size=(300, 10)).astype(np.float32), requires_grad=True).named("W")
    graph = autograd.graph((np.tanh((x @ w).named("z")) ** 2).sum().named("L"))
    slope = {"zbar": lambda Lbar, z: Lbar * 2 * np.tanh(z.astype(float)) * (1 - np.tanh(z.astype(float)) ** 2)}
    assert graph.check_by_hand(slope)
    assert not graph.check_by_hand({"zbar": lambda Lbar, z: 1.001 * slope["zbar"](Lbar, z)})


def test_one_bar_is_said_to_be_one() -> None:
    report = autograd.graph(rows.logistic(penalty=False)).check_by_hand({"bbar": lambda zbar: zbar})
    assert repr(report) == "the bar is right"


def test_unknown_names() -> None:
    graph = autograd.graph(rows.logistic(penalty=False))
    with pytest.raises(KeyError, match="no line for 'qbar'"):
        graph.check_by_hand({"qbar": 1.0})
    with pytest.raises(KeyError, match="no value is known for 'q'"):
        graph.check_by_hand({"zbar": lambda q: q})
    with pytest.raises(KeyError, match="write zbar"):
        graph.check_by_hand({"z": 1.0})

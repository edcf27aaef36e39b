"""Hand checks: right expressions pass; each planted mistake is found, named first, and explained."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
import nn.functional as F
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
    "transpose without which the shapes do not fit": (
        regression,
        {"Wbar": lambda x, ybar: x @ ybar},
        "Wbar",
        "a transpose is missing: xᵀ in the place of x",
    ),
    "shapes do not fit": (
        regression,
        {"Wbar": lambda x, ybar: ybar @ x},
        "Wbar",
        "it raises ValueError.*is a transpose missing, or the order wrong",
    ),
    "raises": (regression, {"bbar": lambda ybar: ybar[7]}, "bbar", "it raises IndexError"),
    "factor too much": (
        lambda: rows.logistic(penalty=True),
        {"bbar": lambda zbar, z: zbar * z},
        "bbar",
        "^the factor z is too much$",
    ),
    "slope at the output": (
        lambda: rows.logistic(penalty=True),
        {"zbar": lambda ybar, y: ybar * sigmoid_slope(y)},
        "zbar",
        r"the slope is taken at y: σ'\(z\) = y \(1 − y\)",
    ),
    "input for output in the slope": (
        lambda: rows.logistic(penalty=True),
        {"zbar": lambda ybar, z: ybar * z * (1 - z)},
        "zbar",
        r"z in the place of y: σ'\(z\) = y \(1 − y\)",
    ),
    "slope without a factor": (
        lambda: rows.logistic(penalty=True),
        {"zbar": lambda ybar, y: ybar * (1 - y)},
        "zbar",
        r"the factor y is missing: σ'\(z\) = y \(1 − y\)",
    ),
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


def layers() -> Tensor:
    """Return the loss of a network with a tanh between two products of matrices."""
    rng = np.random.default_rng(0)
    x, b = rows.given("X", rng.normal(size=(4, 3))), rows.named("b", rng.normal(size=2))
    w1, w2 = rows.named("W1", rng.normal(size=(3, 2))), rows.named("W2", rng.normal(size=(2, 5)))
    h = np.tanh((x @ w1 + b).named("Z")).named("H")
    return ((h @ w2).named("O") ** 2).sum().named("L")


@pytest.mark.parametrize(
    ("name", "expression", "slip"),
    [
        ("W2bar", lambda H, Obar: H @ Obar, "a transpose is missing: Hᵀ in the place of H"),
        ("Hbar", lambda W2, Obar: Obar @ W2, "a transpose is missing: W₂ᵀ in the place of W₂"),
        ("Zbar", lambda Hbar, Z: Hbar * (1 - Z**2), "Z in the place of H: tanh'(Z) = 1 − H²"),
        ("Zbar", lambda Hbar, H: Hbar * (1 - np.tanh(H) ** 2), "the slope is taken at H: tanh'(Z) = 1 − H²"),
        ("Zbar", lambda Hbar, H: Hbar * (1 - H), "H in the place of H²: tanh'(Z) = 1 − H²"),
        ("Zbar", lambda Hbar, H: Hbar * (1 + H**2), "the sign of −H²: tanh'(Z) = 1 − H²"),
        ("Zbar", lambda Hbar, H: -Hbar * H**2, "the term 𝟏 is missing: tanh'(Z) = 1 − H²"),
        ("Zbar", lambda Hbar, H: Hbar * (1 - H**2) * H, "the factor H is too much"),
        ("W1bar", lambda X, Zbar: X.T.T @ Zbar, "a transpose is missing: Xᵀ in the place of X"),
    ],
)
def test_slips_in_a_layer(name: str, expression: Any, slip: str) -> None:
    report = autograd.graph(layers()).check_by_hand({name: expression})
    assert report.first_wrong is not None
    assert report.first_wrong.slip == slip


def test_a_transpose_too_many_is_not_called_missing() -> None:
    x, w = rows.given("x", np.ones((2, 3))), rows.named("W", np.ones((3, 4)))
    graph = autograd.graph(((x @ w).named("y") ** 2).sum().named("L"))
    report = graph.check_by_hand({"Wbar": lambda x, ybar: x @ ybar.T})
    assert report.first_wrong is not None
    assert "it raises ValueError" in report.first_wrong.slip
    report = graph.check_by_hand({"Wbar": lambda x, ybar: x.T @ ybar.T})
    assert report.first_wrong is not None
    assert report.first_wrong.slip == "ȳ and its transpose are mixed up"


def test_as_many_digits_as_it_takes() -> None:
    w, b = rows.named("w", 2.0), rows.named("b", [1.0, 2.0])
    z = (0.1 * w).named("z")
    graph = autograd.graph((z * z + (b * b).sum()).named("L"))
    (one,) = graph.check_by_hand({"zbar": lambda Lbar, z: 2 * Lbar * z + 3e-6})
    assert str(one).startswith("zbar: expected 0.4, got 0.400003.")
    (one,) = graph.check_by_hand({"bbar": lambda Lbar, b: 2 * Lbar * b + np.array([0.0, 1e-5])})
    assert str(one).startswith("bbar: expected 4 at [1], got 4.00001 at [1].")


def test_a_ratio_that_says_nothing_is_not_told() -> None:
    graph = autograd.graph(rows.logistic(penalty=True))
    right = graph.equations()["bbar"].value
    for factor, said in (
        (131.2593, ""),
        (1.0015, ""),
        (3.0, "it is 3 times too large"),
        (0.2, "the factor 5 is missing"),
    ):
        (one,) = graph.check_by_hand({"bbar": factor * right})
        assert one.slip == said


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


@pytest.mark.parametrize(
    ("count", "said"), [(4, "the factor 1/4 of the mean is missing"), (2, "it is 2 times too large")]
)
def test_a_factor_is_known_by_its_value_where_float32_has_lost_digits(count: int, said: str) -> None:
    """Y - T of nearly 0 has few digits, which must not make the factor 3.9999."""
    z = Tensor(np.array([[5.0, 0.1]] * count, np.float32), requires_grad=True).named("Z")
    t = np.array([[1, 0]] * count, np.float32)
    y = F.softmax(z, axis=1).named("Y")
    loss = (-(t * np.log(y)).sum() / count).named("L")
    loss.backward(retain_graph=True)
    checked = autograd.graph(loss, names={"T": t}).check_by_hand({"Zbar": lambda Y: (Y - t) * (1 + 3e-5)})
    assert said in str(checked)

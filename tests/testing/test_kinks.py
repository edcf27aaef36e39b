"""At kinks any slope among those nearby is right, along every direction, and what is not among them is wrong."""

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd import primitive
from autograd.testing import check_gradients, examine

RNG = np.random.default_rng(0)
TIES = RNG.integers(-1, 2, size=200).astype(float)
TABLE = RNG.integers(-1, 2, size=(20, 30)).astype(float)
IMAGES = RNG.integers(-2, 3, size=(2, 3, 8, 8)).astype(float)

RIGHT = {
    "max-pooling": (lambda x: F.max_pool2d(x, 2), IMAGES),
    "max-pooling in float32": (lambda x: F.max_pool2d(x, 2), IMAGES.astype(np.float32)),
    "max-pooling of zeros": (lambda x: F.max_pool2d(x, 2), np.zeros((1, 1, 8, 8))),
    "a convolutional layer at zeros": (
        lambda x, k: F.max_pool2d(ag.relu(F.conv2d(x, k, padding=1)), 2).sum(),
        np.zeros((2, 3, 8, 8)),
        RNG.normal(size=(4, 3, 3, 3)),
    ),
    "relu": (ag.relu, TIES),
    "sum of relu": (lambda x: ag.relu(x).sum(), TIES),
    "two layers of relu": (lambda x, w: ag.relu(ag.relu(x) @ w).sum(), TABLE, RNG.integers(-1, 2, (30, 10)) * 1.0),
    "abs": (ag.absolute, TIES),
    "clip at its bounds": (lambda x: ag.clip(x, -1, 1), TIES),
    "sort": (ag.sort, TIES),
    "a function of sort": (lambda x: (ag.sort(x) ** 2 * np.arange(200)).sum(), TIES),
    "sort of equal numbers": (ag.sort, np.zeros(20)),
    "median": (lambda x: ag.median(x, axis=0), TABLE),
    "median of equal numbers": (ag.median, np.zeros(20)),
    "max": (ag.max, TABLE),
    "max by rows": (lambda x: ag.max(x, axis=1), TABLE),
    "min by columns": (lambda x: ag.min(x, axis=0), TABLE),
    "maximum": (ag.maximum, TIES, TIES[::-1].copy()),
    "norms of zeros": (lambda x: ag.linalg.norm(x, axis=1), np.zeros((20, 5))),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_at_ties_is_not_called_wrong(name):
    function, *inputs = RIGHT[name]
    for seed in range(3):
        report = check_gradients(function, *inputs, mode="directions", seed=seed)
        assert report.kinks or report.undecided


@pytest.mark.parametrize("function", [ag.sort, ag.median], ids=["sort", "median"])
def test_coordinates_of_many_equal_numbers(function):
    check_gradients(function, np.zeros(12), mode="coordinates", order=1)


def chosen(x, slope):
    """Return a rule that multiplies the bar at zeros by a slope."""
    return (x > 0) + slope * (x == 0)


WRONG = {
    "both win at a tie": (
        lambda x, y: np.maximum(x, y),
        {"x": lambda bar, x, y: bar * (x >= y), "y": lambda bar, x, y: bar * (y >= x)},
    ),
    "none wins at a tie": (
        lambda x, y: np.maximum(x, y),
        {"x": lambda bar, x, y: bar * (x > y), "y": lambda bar, x, y: bar * (y > x)},
    ),
    "relu with a slope of 1.2 at 0": (lambda x: np.maximum(x, 0), {"x": lambda bar, x: bar * chosen(x, 1.2)}),
    "relu with a slope of -0.2 at 0": (lambda x: np.maximum(x, 0), {"x": lambda bar, x: bar * chosen(x, -0.2)}),
    "sort with a factor at zeros": (
        lambda x: np.sort(x),
        {"x": lambda bar, x: bar[np.argsort(np.argsort(x, kind="stable"))] * (1 + 0.1 * (x == 0))},
    ),
    "a smooth function with kinks elsewhere": (
        lambda x: np.maximum(x, 0) + np.sin(x),
        {"x": lambda bar, x: bar * ((x > 0) + np.cos(x) * (1 + 1e-4 * (x > 0.5)))},
    ),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("outer", [lambda y: y, lambda y: (y * np.cos(np.arange(200))).sum()], ids=["each", "sum"])
def test_what_is_wrong_at_ties_only_is_found(name, outer):
    forward, rules = WRONG[name]
    operation = primitive(forward, name="faulty", **rules)
    inputs = (TIES, TIES[::-1].copy())[: len(rules)]
    report = examine(lambda *xs: outer(operation(*xs)), *inputs, order=1)
    assert not report.ok
    assert report.blame.operation == "faulty"


def test_all_tied_elements_get_the_whole_bar():
    rules = {"x": lambda bar, x, out: bar[:, None] * (x == out[:, None])}
    wrong = primitive(lambda x: np.max(x, axis=1), name="wrong_max", **rules)
    report = examine(wrong, TABLE, order=1)
    assert report.blame.operation == "wrong_max"
    assert report.worst.output.startswith("output[")  # one output, not a combination of them


def test_a_wrong_slope_at_a_kink_is_told_with_both_slopes():
    wrong = primitive(lambda x: np.maximum(x, 0), name="wrong", x=lambda bar, x: bar * chosen(x, 2))
    report = examine(wrong, np.array([0.0, 1.0]))
    assert str(report.worst) == (
        "d output[0] / d x[0]: analytic 2, slopes 0 to the left and 1 to the right "
        "(outside of the slopes to both sides of a kink)"
    )

"""The tool that plants faults in rules: what it makes of a rule, and what it says of a suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, primitive
from autograd.testing import check_gradients
from autograd.testing.edits import edited
from autograd.testing.mutation import mutants, planted, score

X, Y = np.array([[0.5, -1.0], [0.3, 2.0]]), np.array([2.0, 0.7])


def _weighted(bar, y):
    bar = bar * y
    return bar + 0


def mixed(forward=lambda x, y: x * y + np.sin(x)):
    """Return an operation with rules of several kinds: a lambda, one with a helper, a function."""
    return primitive(
        forward,
        name="mixed",
        x=lambda bar, x, y: _weighted(bar, y) + bar * np.cos(x),
        y=lambda bar, x: (bar * x).sum(axis=0),
    )


def test_score_of_a_weak_and_a_strong_suite():
    operation = mixed()
    weak = score([operation], [lambda: check_gradients(lambda x: operation(x, Y), X, order=1)])
    strong = score(
        [operation], [lambda: check_gradients(operation, X, Y), lambda: check_gradients(operation, X + 1, Y)]
    )
    assert weak.percent < strong.percent
    assert "y: sign lost" in str(weak)
    # The sweep sums by itself what broadcasting repeated, and at 64 bits nothing is lost by more.
    unseen = {"reduction lost: (bar * x).sum(axis=0) -> bar * x", "always float64"}
    assert {mutant.fault for mutant in strong.survivors} == unseen
    explained = {("mixed", "y", "reduction lost: (bar * x).sum(axis=0) -> bar * x"): "summed by the sweep"}
    explained |= {("mixed", "*", "always float64"): "tried at 64 bits only", ("*", "y", "sign lost"): "wrong"}
    again = score([operation], [lambda: check_gradients(operation, X, Y)], explained | {("mixed", "z", "none"): ""})
    assert {m.fault for m in again.equivalent} == unseen
    assert [str(m) for m in again.refuted] == ["mixed, rule of y: sign lost"]
    assert again.unused == [("mixed", "z", "none")]


def test_table():
    operation = mixed()
    found = score([operation], [lambda: check_gradients(operation, X, Y)])
    killed, equivalent, survived = found.by_operation()["mixed"]
    assert (killed, equivalent, survived) == (len(found.killed), 0, len(found.survivors))
    assert found.table().splitlines()[-1] == f"| **all** | {killed + survived} | {killed} | 0 | {survived} |"


EXPECTED = """
sign lost
off by a thousandth
wrong at the last element
nothing
always float64
always float32
forgets its bar
takes its bar for a constant
reads its bar in the order of memory
writes to its bar
uses what an earlier call used
takes what it uses for a constant
reads what it uses in the order of memory
writes to what it uses
takes x and y for each other
in _weighted, factor lost: bar * y -> bar
in _weighted, factor lost: bar * y -> y
in _weighted, left out: weighted = bar * y
term lost: _weighted(bar, y) + bar * np.cos(x) -> _weighted(bar, y)
term lost: _weighted(bar, y) + bar * np.cos(x) -> bar * np.cos(x)
sign: _weighted(bar, y) + bar * np.cos(x) -> _weighted(bar, y) - bar * np.cos(x)
call lost: _weighted(bar, y) -> bar
factor lost: bar * np.cos(x) -> bar
factor lost: bar * np.cos(x) -> np.cos(x)
call lost: np.cos(x) -> x
"""


def test_faults_of_a_rule():
    found = [mutant.fault for mutant in mutants(mixed()) if mutant.argument == "x"]
    assert sorted(found) == sorted(EXPECTED.strip().splitlines())


def edits_of(rule: Callable[..., Any]) -> list[str]:
    return [fault for fault, _ in edited(rule)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (lambda bar, x: bar - x, ["term lost: bar - x -> bar", "term lost: bar - x -> -x", "sign: bar - x -> bar + x"]),
        (lambda bar, x: bar / x, ["factor lost: bar / x -> bar", "not divided: bar / x -> bar * x"]),
        (lambda bar, x: bar @ x, ["operands exchanged: bar @ x -> x @ bar"]),
        (lambda bar: -bar.T, ["sign lost: -bar.T -> bar.T", "not transposed: bar.T -> bar"]),
        (lambda bar: bar.swapaxes(*bar.shape), ["not moved: bar.swapaxes(*bar.shape) -> bar"]),
        (
            lambda bar, x: bar > x,
            ["opposite: bar > x -> bar <= x", "tie on the other side: bar > x -> bar >= x"],
        ),
        (
            lambda bar, x: np.where(x, bar, x),
            [
                "branches exchanged: np.where(x, bar, x) -> np.where(x, x, bar)",
                "where lost: np.where(x, bar, x) -> bar",
                "where lost: np.where(x, bar, x) -> x",
            ],
        ),
        (
            lambda bar, axis: bar.sum(axis, keepdims=True),
            [
                "reduction lost: bar.sum(axis, keepdims=True) -> bar",
                "keyword lost: bar.sum(axis, keepdims=True) -> bar.sum(axis)",
                "turned: True -> False",
            ],
        ),
        (lambda bar: bar[1], ["index lost: bar[1] -> bar", "off by one: 1 -> 2"]),
        (lambda bar, x: bar if x else -bar, ["always True: x", "always False: x", "sign lost: -bar -> bar"]),
    ],
)  # fmt: skip
def test_edits(rule, expected):
    assert edits_of(rule) == expected


def test_edited_rule_computes_what_it_says():
    factor = 3.0

    def rule(bar, x, *, power=2):
        if bar.ndim:
            return factor * bar * x**power
        return bar

    results = {fault: changed(np.array([2.0]), np.array([5.0])).item() for fault, changed in edited(rule)}
    assert results == {
        "always True: bar.ndim": 150.0,
        "always False: bar.ndim": 2.0,
        "factor lost: factor * bar * x ** power -> factor * bar": 6.0,
        "factor lost: factor * bar * x ** power -> x ** power": 25.0,
        "factor lost: factor * bar -> factor": 75.0,
        "factor lost: factor * bar -> bar": 50.0,
        "power or division lost: x ** power -> x": 30.0,
    }


def test_a_rule_without_source_has_the_other_faults():
    namespace: dict[str, Any] = {}
    exec("rule = lambda bar, x: bar * 2 * x", namespace)
    operation = primitive(lambda x: x * x, name="squared", x=namespace["rule"])
    found = {mutant.fault for mutant in mutants(operation)}
    assert "sign lost" in found
    assert not any("->" in fault for fault in found)


def test_a_fault_is_taken_out_again():
    operation = primitive(lambda x: x * x, name="squared", x=lambda bar, x: 2 * bar * x)
    right = operation.primitive.rules["x"]
    for mutant in mutants(operation):
        with planted(mutant):
            assert operation.primitive.rules["x"] is mutant.rule
    assert operation.primitive.rules["x"] is right
    check_gradients(operation, Y)


def test_ignored_parameters_show_where_no_test_gives_them():
    operation = primitive(lambda x, *, scale=1.0: scale * x, name="scaled", x=lambda bar, scale: bar * scale)
    found = score([operation], [lambda: check_gradients(operation, Y)])
    assert "scaled, rule of x: ignores scale" in map(str, found.survivors)
    found = score([operation], [lambda: check_gradients(lambda x: operation(x, scale=3.0), Y)])
    assert "scaled, rule of x: ignores scale" in map(str, found.killed)


def test_a_suite_that_fails_by_itself_is_no_suite():
    operation = primitive(np.sin, name="sine", x=lambda bar, x: bar * np.sin(x))
    with pytest.raises(AssertionError, match="a check fails without a fault"):
        score([operation], [lambda: check_gradients(operation, np.array([0.5]))])


def test_failures_of_pytest_count():
    """`pytest.raises` fails with what is no `Exception`."""
    operation = primitive(np.sqrt, name="root", x=lambda bar, out: bar / (2 * out))

    def slope_at_zero_is_refused():
        with ag.detect_anomaly(), np.errstate(all="ignore"), pytest.raises(FloatingPointError):
            ag.grad(operation(Tensor(0.0, requires_grad=True)), Tensor(0.0))

    found = score([operation], [slope_at_zero_is_refused])
    assert "root, rule of x: nothing" in map(str, found.killed)

"""The tool that plants faults in rules: what it makes of a rule, and what it says of a suite."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, primitive
from autograd.testing.edits import edited, recompiled
from autograd.testing.mutation import mutants, planted, score
from tests.finite import check

X, Y = np.array([[0.5, -1.0], [0.3, 2.0]]), np.array([2.0, 0.7])


def _weighted(bar, y):
    factor = y
    return bar * factor


def mixed(forward=lambda x, y: x * y + np.sin(x)):
    """Return an operation with rules of several kinds: a lambda, one with a helper, a function."""
    return primitive(
        forward,
        name="mixed",
        x=lambda bar, x, y: _weighted(bar, y) + bar * np.cos(x),
        y=lambda bar, x: (bar * x).sum(axis=0),
    )


def suite(operation):
    return lambda: check(operation, [X, Y]), lambda: check(operation, [X + 1, Y - 1])


def test_score_of_a_weak_and_a_strong_suite():
    operation = mixed()
    weak = score([operation], [lambda: check(lambda x: operation(x, Y), [X], order=1)])
    strong = score([operation], suite(operation))
    assert weak.percent < strong.percent
    assert "mixed, rule of y: sign lost" in str(weak)
    # The sweep sums by itself what broadcasting repeated.
    assert [str(m) for m in strong.survivors if "->" in m.fault] == [f"mixed, rule of y: {SUMMED[2]}"]


SUMMED = ("mixed", "y", "reduction lost: (bar * x).sum(axis=0) -> bar * x")


def test_reasons():
    operation = mixed()
    given = {
        SUMMED: "the sweep sums",
        ("mixed", "*", "always float64"): "tried at 64 bits only",
        ("mixed", "y", "sign lost"): "wrong",
        ("mixed", "z", "none"): "there is none",
    }
    found = score([operation], suite(operation), given)
    assert {m.argument + m.fault for m in found.equivalent} == {"y" + SUMMED[2], "xalways float64", "yalways float64"}
    assert [str(m) for m in found.refuted] == ["mixed, rule of y: sign lost"]
    assert found.unused == [("mixed", "z", "none")]
    assert "said to be without effect, but noticed: mixed, rule of y: sign lost" in str(found)


def test_table():
    operation = mixed()
    found = score([operation], suite(operation))
    killed, equivalent, survived = found.by_operation()["mixed"]
    assert (killed, equivalent, survived) == (len(found.killed), 0, len(found.survivors))
    assert found.table().splitlines()[-1] == f"| **all** | {killed + survived} | {killed} | 0 | {survived} |"


EXPECTED = """
sign lost
off by a thousandth
wrong at the last element
nothing
transposed
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
in _weighted, factor lost: bar * factor -> bar
in _weighted, factor lost: bar * factor -> factor
in _weighted, left out: factor = y
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


def test_recompiled_rules_are_as_before():
    forward = lambda x, y: x * y + np.sin(x)
    operation = mixed(forward)
    definition = operation.primitive
    for argument, rule in list(definition.rules.items()):
        again = recompiled(rule)
        assert again is not rule
        assert again.__code__.co_filename == "<mutant>"
        definition.rules[argument] = again
    check(primitive(forward, name="mixed", **definition.rules), [X, Y])


def test_a_rule_without_source_has_the_other_faults():
    namespace: dict[str, Any] = {}
    exec("rule = lambda bar, x: bar * 2 * x", namespace)
    operation = primitive(lambda x: x * x, name="squared", x=namespace["rule"])
    found = {mutant.fault for mutant in mutants(operation)}
    assert "sign lost" in found
    assert not any("->" in fault for fault in found)


def test_a_fault_is_taken_out_again():
    operation = mixed()
    right, before = operation.primitive.rules["x"], (X.copy(), Y.copy())
    for mutant in mutants(operation):
        with planted(mutant):
            assert operation.primitive.rules[mutant.argument] is mutant.rule
            bar = np.ones((2, 2))
            with contextlib.suppress(NameError):  # "left out"
                mutant.rule(bar, *((X, Y) if mutant.argument == "x" else (X,)))
        assert (bar == 1).all()
    assert operation.primitive.rules["x"] is right
    np.testing.assert_array_equal((*X, Y), (*before[0], before[1]))


def test_a_parameter_that_no_test_gives():
    operation = primitive(lambda x, *, scale=1.0: scale * x, name="scaled", x=lambda bar, scale: bar * scale)
    by_default = score([operation], [lambda: check(operation, [Y])])
    assert "scaled, rule of x: ignores scale" in map(str, by_default.survivors)
    otherwise = score([operation], [lambda: check(lambda x: operation(x, scale=3.0), [Y])])
    assert "scaled, rule of x: ignores scale" in map(str, otherwise.killed)


def test_a_suite_that_fails_by_itself_is_no_suite():
    operation = primitive(np.sin, name="sine", x=lambda bar, x: bar * np.sin(x))
    with pytest.raises(AssertionError, match="a check fails without a fault"):
        score([operation], [lambda: check(operation, [Y])])


def test_failures_of_pytest_count():
    """`pytest.raises` fails with what is no `Exception`."""
    operation = primitive(np.sqrt, name="root", x=lambda bar, out: bar / (2 * out))

    def infinite_slope_is_refused():
        x = Tensor([0.0], requires_grad=True)
        with np.errstate(all="ignore"), ag.detect_anomaly(), pytest.raises(FloatingPointError):
            ag.grad(operation(x), x, np.ones(1))

    found = score([operation], [infinite_slope_is_refused])
    assert "root, rule of x: factor lost: 2 * out -> 2" in map(str, found.killed)

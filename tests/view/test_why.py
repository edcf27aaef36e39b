"""Why a bar is zero, not finite or missing: each planted cause is named with the step and the line; and paths."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import numpy as np
import pytest

import autograd
from autograd import Tensor


def leaf(value: object, name: str = "x") -> Tensor:
    return Tensor(value, requires_grad=True).named(name)


def dead_relu(x: Tensor) -> Tensor:
    return autograd.relu(x - 10.0).sum()


def saturated_sigmoid(x: Tensor) -> Tensor:
    return autograd.sigmoid(x + 800.0).sum()


def saturated_tanh(x: Tensor) -> Tensor:
    return np.tanh(x * 1e6).sum()


def unselected_branch(x: Tensor) -> Tensor:
    return autograd.where(np.array([False, False]), x, 1.0).sum()


def multiplied_by_zero(x: Tensor) -> Tensor:
    return (x * np.zeros(2)).sum()


def clipped(x: Tensor) -> Tensor:
    return autograd.clip(x, 5.0, 6.0).sum()


def not_the_largest(x: Tensor) -> Tensor:
    return np.maximum(x, 100.0).sum()


def only_compared(x: Tensor) -> Tensor:
    return ((x > 0) * 1.0 + x * 0.0).sum()


def logarithm_of_zero(x: Tensor) -> Tensor:
    return np.log(x - 1.0).sum()


def hidden_branch(x: Tensor) -> Tensor:
    y = x - 1.0
    return autograd.where(y > 0, np.log(y), 0.0 * y).sum()


def root_of_zero(x: Tensor) -> Tensor:
    return np.sqrt(x - 1.0).sum()


def divided_by_zero(x: Tensor) -> Tensor:
    return (1.0 / (x - 1.0)).sum()


def cancelled(x: Tensor) -> Tensor:
    return (x - x.mean()).sum()


def cancelled_later(x: Tensor) -> Tensor:
    y = x * 2.0
    return (y * 3.0 - y * 3.0).sum()


def too_large(x: Tensor) -> Tensor:
    y = 1.5 * x
    return (y * 1e308 + y * 1e308).sum()


def underflow(x: Tensor) -> Tensor:
    return (x * 1e-200 * 1e-200).sum()


def overflow(x: Tensor) -> Tensor:
    y = np.exp(x * 1000.0)
    return (y - y).sum()


PLANTED: list[tuple[Callable[[Tensor], Tensor], str, str]] = [
    (dead_relu, "zero", r"relu is dead: its input v\S+ is nowhere positive \(at most −8\)"),
    (saturated_sigmoid, "zero", r"sigmoid is saturated: its input v\S+ is 801 to 802"),
    (saturated_tanh, "zero", "tanh is saturated"),
    (unselected_branch, "zero", "where does not select x anywhere"),
    (multiplied_by_zero, "zero", r"x is multiplied by v\S+, which is 0"),
    (clipped, "zero", "clip holds x, which is 1 to 2, at its bounds"),
    (not_the_largest, "zero", "maximum does not select x"),
    (only_compared, "zero", "greater has no derivative by x"),
    (cancelled, "zero", r"contributions to x̄ cancel: −1 by v\S+ = mean\(x\), 1 by v\S+ = subtract"),
    (cancelled_later, "zero", r"contributions to v̄\S+ cancel: 3 by .*, −3 by "),
    (underflow, "zero", r"hands on 0: its bar is 1e−200, and that times its slope is too small for a number"),
    (too_large, "infinite", "add up to what is not finite: 1e.308 by .*, 1e.308 by "),
    (logarithm_of_zero, "infinite", "log has an infinite slope at v"),
    (hidden_branch, "nan", r"0 times infinity; choose before, log\(where"),
    (root_of_zero, "infinite", "sqrt has an infinite slope"),
    (divided_by_zero, "infinite", "which is 0"),
    (overflow, "nan", r"exp\(.*\) gave infinity in the forward pass"),
]


@pytest.mark.parametrize(("compute", "kind", "reason"), PLANTED, ids=[compute.__name__ for compute, _, _ in PLANTED])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_planted_causes_are_named(compute: Callable[[Tensor], Tensor], kind: str, reason: str) -> None:
    x = leaf([2.0, 1.0] if kind == "infinite" else [1.0, 2.0])
    with autograd.record():
        loss = compute(x)
    answer = autograd.graph(loss).why(x)
    assert answer.kind == kind
    assert any(re.search(reason, str(culprit)) for culprit in answer.culprits), str(answer)
    lines, start = inspect.getsourcelines(compute)
    for culprit in answer.culprits:
        assert culprit.line is not None
        file, _, line = culprit.line.rpartition(":")
        assert file.endswith("test_why.py")
        assert start < int(line) < start + len(lines)


def test_nan_is_followed_to_where_the_bar_became_infinite() -> None:
    z = leaf(40.0, "z")
    with autograd.record(), np.errstate(all="ignore"):
        y = autograd.sigmoid(z).named("y")
        loss = (-np.log(1.0 - y)).named("L")
    first, last = map(str, autograd.graph(loss).why("z").culprits)
    assert re.match(r"log has an infinite slope at v\S+ = 0 \(at ", first)
    assert last.startswith("y = sigmoid(z) makes NaN of the infinite bar")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_place_is_told_once() -> None:
    w = leaf(1000.0, "w")
    with autograd.record():
        e = np.exp(w).named("e")
        loss = e - e
    answer = str(autograd.graph(loss).why(w))
    assert "gave infinity in the forward pass" in answer
    assert answer.count("test_why.py") == 1


def test_factors_of_paths_have_their_signs() -> None:
    x, a = leaf(0.5), leaf(0.7, "a")
    loss = np.exp(-a * x**2) * np.cos(3.0 * x)
    for quantity in (a, x):
        answer = autograd.graph(loss).why(quantity)
        assert sum(path.factor for path in answer.paths) == pytest.approx(
            float(autograd.grad(loss, quantity, retain_graph=True)[0])
        )
    assert str(autograd.graph(loss).why(a)).endswith("a factor of −0.0148")


def test_numbers_of_the_code_are_not_suspected_of_being_detached() -> None:
    w = leaf(2.0, "w")
    loss = ((((w > 0.0) * 1.0) - 3.0) ** 2 + Tensor(1.0, requires_grad=True)).named("L")
    answer = str(autograd.graph(loss).why("w"))
    assert "greater has no derivative by w" in answer
    assert "detached" not in answer


def test_detached() -> None:
    x = leaf([1.0, 2.0])
    h = (x * 2.0).detach()
    w = leaf([1.0, 1.0], "w")
    answer = autograd.graph((h * w).sum()).why(x)
    assert answer.kind == "absent"
    assert "the result was not computed from it" in str(answer)
    assert "detached?" in str(autograd.graph((x.detach() * w).sum()).why(x))
    with autograd.record() as graph:
        h = (x * 2.0).named("h")
        (h.detach() * w).sum()
    answer = graph.why(x)
    assert answer.kind == "absent" or answer.culprits


def test_a_constant_has_no_bar() -> None:
    w, t = leaf(1.0, "w"), Tensor(2.0).named("t")
    assert str(autograd.graph(w * t).why(t)) == "t has no bar: it does not require a gradient"


def test_only_compared_at_all() -> None:
    x, w = leaf([1.0, -1.0]), leaf([1.0, 1.0], "w")
    answer = autograd.graph(((x > 0) * w).sum()).why(x)
    assert answer.kind == "absent"
    assert "greater has no derivative by x" in str(answer)


def test_a_result_that_is_no_number_needs_a_bar_to_start_with() -> None:
    w = leaf(np.ones((2, 3)), "w")
    assert str(autograd.graph((w * 2.0).named("y")).why("w")) == (
        "no bar arrives at w: the result y is no number but 2×3, and the bar that it got is not known: "
        "compute it inside autograd.record(), then call backward(bar)"
    )
    with autograd.record():
        y = (w * 2.0).named("y")
    y.backward(np.ones((2, 3)))
    assert autograd.graph(y).why("w").kind == "ordinary"


def test_a_step_without_a_derivative_is_told_once() -> None:
    w, u = leaf(2.5, "w"), leaf(2.0, "u")
    answer = autograd.graph(np.floor(w) * u).why("w")
    assert [culprit.reason for culprit in answer.culprits] == ["floor has no derivative by w"]


def test_a_cast_to_integers_is_what_cuts() -> None:
    w, u = leaf(2.5, "w"), leaf(2.0, "u")
    n = (w * 3.0).astype(int).named("n")
    (culprit,) = autograd.graph(n * u).why("w").culprits
    assert culprit.quantity.symbol == "n"
    assert re.fullmatch(r"n = astype\(v\S+\) is of int64: no bar flows through integers", culprit.reason)


def test_both_arguments_of_a_step_are_one_path() -> None:
    a = leaf(2.0, "a")
    y = (a * a * 3.0).named("y")
    answer = autograd.graph((y * y + 0.5 * a).named("L")).why("a")
    assert [(path.quantities[1].symbol, path.factor) for path in answer.paths] == [("v2", 288.0), ("v7", 0.5)]


def test_tiny_bars_have_paths() -> None:
    x = leaf(1.0)
    (path,) = autograd.graph(x * 1e-150 * 1e-150).why("x").paths
    assert path.factor == pytest.approx(1e-300, rel=1e-9)


def test_an_empty_bar_is_said_to_be_empty() -> None:
    x = leaf(np.zeros(0))
    assert str(autograd.graph((x * 2.0).sum()).why("x")) == "x̄ is empty: x has no elements"


def test_an_ordinary_bar_names_the_strongest_paths() -> None:
    x = leaf(0.5)
    a, b = (3.0 * x).named("a"), (0.001 * x).named("b")
    y = (np.tanh(a) + b).named("y")
    answer = autograd.graph(y).why("x")
    assert answer.kind == "ordinary"
    assert [q.symbol for q in answer.paths[0].quantities][:2] == ["x", "a"]
    assert [round(path.factor, 4) for path in answer.paths] == [round(3 * (1 - np.tanh(1.5) ** 2), 4), 0.001]
    assert sum(path.factor for path in answer.paths) == pytest.approx(float(autograd.grad(y, x)[0]))
    assert answer.paths[0].weakest[0].operation is not None
    assert answer.paths[0].weakest[0].operation.name == "tanh"


def test_unknown_name() -> None:
    with pytest.raises(KeyError, match="there is no quantity 'q'"):
        autograd.graph(leaf(1.0) * 2.0).why("q")

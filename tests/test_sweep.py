"""The backward sweep: sums over children, broadcasting undone, repeated and stale sweeps, release."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import GraphError, Tensor

from .finite import check

AGAIN = "backward a second time through a graph that was released: pass retain_graph=True"


def tracked(*values):
    return Tensor(values[0] if len(values) == 1 else values, requires_grad=True)


# --- Sums ----------------------------------------------------------------------------------------------------


def test_bar_is_the_sum_over_children():
    x = tracked(3.0)
    y = x * x
    z = y * x + y + ag.sin(x)
    z.backward()
    np.testing.assert_allclose(x.grad, 3 * 9 + 2 * 3 + np.cos(3.0))


def test_bar_is_complete_before_it_is_passed_on():
    """A diamond of diamonds: 2^20 paths, 40 nodes."""
    x = tracked(1.0)
    y = x
    calls = []
    for _ in range(20):
        y = y + y
    y.register_hook(calls.append)
    y.backward()
    assert x.grad == 2**20
    assert len(calls) == 1


BROADCAST = [((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 3), ()), ((1, 3), (2, 1)), ((4, 1, 3), (2, 1)), ((0, 3), (1, 3))]


@pytest.mark.parametrize(("left", "right"), BROADCAST)
def test_broadcasting_is_undone(left, right):
    x, y = np.random.default_rng(0).normal(size=left), np.random.default_rng(1).normal(size=right)
    check(lambda x, y: x * y + y / (2 + x * x), [x, y])
    a, b = tracked(x), tracked(y)
    (a * b).sum().backward()
    assert (a.grad.shape, b.grad.shape) == (left, right)


def test_bar_has_the_dtype_of_its_value_where_dtypes_meet():
    x, y = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32), tracked(3.0, 4.0)
    z = x * y
    assert z.dtype == np.float64
    z.sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)


def test_bar_that_is_given_is_taken():
    x = tracked(1.0, 2.0)
    (x * x).backward(np.array([10.0, 100.0]))
    assert x.grad.tolist() == [20, 400]
    x.grad = None
    (x * x).backward([1, 2])
    assert x.grad.tolist() == [2, 8]
    x.grad = None
    (x * x).backward(Tensor([1.0, 2.0]))
    assert x.grad.tolist() == [2, 8]


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_bar_of_one_element_may_be_left_out(shape):
    x = tracked(np.full(shape, 3.0))
    (x * x).backward()
    assert x.grad.shape == shape
    assert x.grad.item() == 6


def test_leaf_itself():
    x = tracked(3.0)
    x.backward()
    x.backward()
    assert x.grad == 2


def test_several_outputs_that_depend_on_each_other():
    x = tracked(3.0)
    y = x * x
    z = y * x
    (g,) = ag.grad([y, z, y], x, [1.0, 10.0, 100.0])
    assert g == 101 * 6 + 10 * 27


# --- A second sweep ------------------------------------------------------------------------------------------

GRAPHS = {
    "keeps arguments": lambda x: x * x,
    "keeps the result": ag.exp,
    "keeps nothing": lambda x: x + x,
    "keeps a shape": lambda x: x.reshape(1).reshape(()),
    "long": lambda x: ag.tanh(x * x + 1) - x,
}


@pytest.mark.parametrize("function", GRAPHS.values(), ids=GRAPHS)
def test_second_sweep_is_always_the_same_clear_error(function):
    for first in (lambda y, x: y.backward(), ag.grad):
        for second in (
            lambda y, x: y.backward(),
            ag.grad,
            lambda y, x: ag.grad(y, x, create_graph=True),
        ):
            x = tracked(2.0)
            y = function(x)
            first(y, x)
            with pytest.raises(GraphError, match=AGAIN):
                second(y, x)


@pytest.mark.parametrize("function", GRAPHS.values(), ids=GRAPHS)
def test_second_sweep_with_retain_graph_gives_the_same(function):
    x = tracked(2.0)
    y = function(x)
    y.backward(retain_graph=True)
    first = x.grad.copy()
    y.backward(retain_graph=True)
    np.testing.assert_array_equal(x.grad, 2 * first)
    y.backward()
    np.testing.assert_array_equal(x.grad, 3 * first)
    with pytest.raises(GraphError, match=AGAIN):
        y.backward()


def test_second_loss_over_a_released_trunk_is_the_same_error():
    x = tracked(2.0)
    trunk = x * x
    first, second = trunk * 3, trunk * 4
    first.backward()
    with pytest.raises(GraphError, match=AGAIN):
        second.backward()


def test_second_output_of_a_released_operation_is_the_same_error():
    first, second = ag.split(tracked(1.0, 2.0), 2)
    first.sum().backward()
    with pytest.raises(GraphError, match=AGAIN):
        second.sum().backward()


def test_failed_sweep_leaves_the_bars_as_they_were():
    x, w = tracked(2.0), tracked(3.0)
    trunk = x * x
    first = trunk * 3
    second = trunk * 4 + w
    first.backward()
    with pytest.raises(GraphError):
        second.backward()
    assert w.grad is None
    assert x.grad == 12


def test_create_graph_retains():
    x = tracked(2.0)
    y = x * x * x
    ag.grad(y, x, create_graph=True)
    y.backward()
    assert x.grad == 12


def test_release_frees_what_was_kept():
    x = tracked(1.0, 2.0)
    y = ag.exp(x)
    z = y * y
    nodes = [node for node in ag.graph(z) if node.primitive is not None]
    assert all(node.kept for node in nodes)
    z.sum().backward()
    assert all(node.kept is None for node in nodes)


# --- Bars of chosen inputs -----------------------------------------------------------------------------------


def test_grad_of_inputs_that_are_results():
    x = tracked(2.0)
    y = x * x
    z = y * y + x
    gy, gx = ag.grad(z, [y, x])
    assert (gy, gx) == (8, 33)


def test_grad_calls_only_the_rules_that_lead_to_an_input():
    called = []
    noted = ag.primitive(lambda x: x * 2, name="noted", x=lambda ybar: called.append(1) or ybar * 2)
    x, w = tracked(1.0), tracked(2.0)
    y = noted(x) * w
    assert ag.grad(y, w, retain_graph=True)[0] == 2
    assert not called
    assert ag.grad(y, x)[0] == 4
    assert called


def test_grad_of_one_input_twice():
    x = tracked(3.0)
    first, second = ag.grad(x * x, [x, x])
    assert first == second == 6
    assert first is not second


def test_sweeps_work_under_no_grad():
    x = tracked(3.0)
    y = x * x * x
    with ag.no_grad():
        (slope,) = ag.grad(y, x, create_graph=True)
        y.backward(retain_graph=True)
    assert ag.grad(slope, x)[0] == 18
    assert x.grad == 27


def test_grad_puts_nothing_into_grad():
    x, w = tracked(2.0), tracked(3.0)
    ag.grad(x * w, x)
    assert x.grad is None
    assert w.grad is None


def test_grad_of_the_output_itself():
    x = tracked(2.0)
    y = x * x
    gy, gx = ag.grad(y, [y, x], create_graph=True)
    assert (gy.item(), gx.item()) == (1, 4)


# --- Against each other: random programs ---------------------------------------------------------------------


def test_repeated_sweeps_are_equal_to_the_bit():
    rng = np.random.default_rng(0)
    w = [tracked(rng.normal(size=(4, 4))) for _ in range(3)]
    x = rng.normal(size=(5, 4))
    y = x
    for weight in w:
        y = ag.tanh(y @ weight)
    y.backward(np.ones(y.shape), retain_graph=True)
    first = [weight.grad.copy() for weight in w]
    for weight in w:
        weight.grad = None
    y.backward(np.ones(y.shape))
    for weight, expected in zip(w, first, strict=True):
        np.testing.assert_array_equal(weight.grad, expected)


def test_integer_part_of_a_graph_does_not_disturb():
    x = tracked(1.5, 2.5)
    y = x * (x // 1) + np.floor(x)
    y.sum().backward()
    assert x.grad.tolist() == [1, 2]


def test_hook_on_one_bar_leaves_another_alone_under_create_graph():
    x, y = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))

    def scale(bar):
        bar *= 10

    x.register_hook(scale)
    gx, gy = ag.grad((x + y).sum(), [x, y], create_graph=True)
    assert gx.tolist() == gy.tolist() == [1.0, 1.0]


def test_rule_must_return_what_broadcasting_explains():
    wrong = ag.primitive(lambda x: x * 2, name="wrong", x=lambda ybar: np.broadcast_to(2 * ybar, (3, 2)))
    with pytest.raises(ValueError, match=r"rule returned a bar of shape \(3, 2\), and the argument has shape \(2,\)"):
        wrong(Tensor([1.0, 2.0], requires_grad=True)).sum().backward()
    number = ag.primitive(lambda x: x * 2, name="number", x=lambda ybar: 2.0)
    with pytest.raises(TypeError, match="expected the rule to return an array, got float"):
        number(Tensor(1.0, requires_grad=True)).backward()


def test_anomaly_sees_changes_in_operands_of_a_variadic_operation_and_in_several_outputs():
    x, c = Tensor([1.0, 2.0], requires_grad=True), np.array([3.0, 4.0])
    with ag.detect_anomaly():
        y = ag.einsum("i,i->", x, c)
    c[:] = 100
    with pytest.raises(ag.GraphError, match="einsum: an argument was written to"):
        y.backward()
    a = Tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)
    with ag.detect_anomaly():
        w, v = ag.linalg.eigh(a)
        z = (w * w).sum()
    v.data[:] = 0
    with pytest.raises(ag.GraphError, match="eigh: its result was written to"):
        z.backward()

"""Rows A1 to A10 of the lecture: the engine and the bar notation, to the digits given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
from autograd import Tensor
from autograd.program import run

from .finite import check, directional


def tracked(value):
    return Tensor(value, requires_grad=True)


def agree(found, expected, digits=8):
    """Compare to the digits that the material gives."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.51 * 10.0**-digits)


# --- A1: order, and the sum over children --------------------------------------------------------------------

BINARY = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / (2 + b * b), np.logaddexp]
UNARY = [ag.tanh, ag.sin, ag.sigmoid, lambda a: a * a, lambda a: -a, lambda a: ag.exp(-a * a), ag.arctan]


@st.composite
def programs(draw):
    """A random program: for each step an operation and the numbers of earlier quantities; three inputs."""
    steps = []
    for number in range(3, 3 + draw(st.integers(1, 12))):
        one = draw(st.booleans())
        operation = draw(st.sampled_from(UNARY if one else BINARY))
        steps.append((operation, [draw(st.integers(0, number - 1)) for _ in range(1 if one else 2)]))
    return steps


def compute(steps, inputs):
    """Return the sum of all quantities that a program computes, so that each is used."""
    quantities = list(inputs)
    for operation, arguments in steps:
        quantities.append(operation(*(quantities[i] for i in arguments)))
    total = quantities[3]
    for quantity in quantities[4:]:
        total = total + quantity
    return total


INPUTS = [np.array(0.6), np.array([-0.7, 0.4]), np.array([[1.1], [-0.3]])]


@given(programs())
def test_A1_random_programs_agree_with_finite_differences(steps):
    check(lambda *xs: compute(steps, xs), INPUTS)


@given(programs())
def test_A1_parents_come_before_children_for_any_program(steps):
    graph = ag.graph(compute(steps, [tracked(x) for x in INPUTS]))
    assert [graph.number(node) for node in graph] == list(range(1, len(graph) + 1))
    for node in graph:
        assert all(graph.number(parent) < graph.number(node) for parent in graph.parents(node))


@given(programs())
def test_A1_bar_of_every_quantity_is_the_derivative_of_the_loss_by_it(steps):
    """Each node in turn is given another value, and the program below it run again."""
    with ag.record() as graph:
        loss = compute(steps, [tracked(x) for x in INPUTS]).sum()
    loss.backward()
    rng = np.random.default_rng(0)
    for node in graph:
        if node.primitive is None or node.note.bar is None:
            continue
        v = rng.uniform(-1, 1, size=node.shape)
        numeric = directional(lambda x, node=node: float(run([loss._node], {node: x})[0]), [node.note.value], [v])
        np.testing.assert_allclose(np.sum(node.note.bar * v), numeric, rtol=1e-6, atol=1e-8)
    assert loss.bar == 1


def test_A1_bar_is_the_sum_over_children_of_their_bars_times_local_derivatives():
    v1, v2 = tracked(0.5), tracked(-1.5)
    with ag.record():
        v3 = v1 * v2
        v4 = ag.sin(v3)
        v5 = v3 + v4 * v1
        v6 = v5 * v5
    v6.backward()
    assert v6.bar == 1
    agree(v5.bar, v6.bar * 2 * v5.data, 15)
    agree(v4.bar, v5.bar * v1.data, 15)
    agree(v3.bar, v5.bar * 1 + v4.bar * np.cos(v3.data), 15)
    agree(v2.bar, v3.bar * v1.data, 15)
    agree(v1.bar, v3.bar * v2.data + v5.bar * v4.data, 15)


# --- A2 to A4: univariate logistic least squares -------------------------------------------------------------


def univariate():
    """Return the quantities of row A3, recorded."""
    w, b, x, t = tracked(2.0).named("w"), tracked(0.5).named("b"), 1.0, 1.0
    with ag.record() as graph:
        z = (w * x + b).named("z")
        y = ag.sigmoid(z).named("y")
        loss = ((y - t) ** 2 / 2).named("L")
    return graph, w, b, x, t, z, y, loss


def test_A2_every_quantity_has_a_bar():
    graph, w, b, _, _, z, y, loss = univariate()
    loss.backward()
    assert {node.name for node in graph if node.name} == {"w", "b", "z", "y", "L"}
    assert all(isinstance(v.bar, np.ndarray) and v.bar.shape == () for v in (w, b, z, y, loss))
    assert all(node.note.bar is not None for node in graph if node.requires_grad)


def test_A3_univariate_logistic_least_squares():
    _, w, b, x, t, z, y, loss = univariate()
    loss.backward()
    assert z.item() == 2.5
    agree(y.item(), 0.92414182)
    agree(loss.item(), 0.00287723)
    agree(y.bar, -0.07585818)
    for quantity in (z, w, b):
        agree(quantity.bar, -0.00531794)
    agree(y.bar, y.item() - t, 16)
    agree(z.bar, y.bar * y.item() * (1 - y.item()), 16)
    agree(w.bar, z.bar * x, 16)
    agree(b.bar, z.bar, 16)


def test_A4_fan_out():
    _, w, b, x, _, z, _, loss = univariate()
    with ag.record():
        penalty = w**2 / 2
        regularized = loss + 0.1 * penalty
    regularized.backward()
    agree(regularized.item(), 0.20287723)
    agree(penalty.bar, 0.1)
    agree(w.bar, 0.19468206)
    agree(b.bar, -0.00531794)
    agree(w.bar, z.bar * x + penalty.bar * w.item(), 16)


# --- A5 to A7 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("t", "expected"), [(0.0, 0.0), (1.0, 2.41047902), (2.0, 2.99653931)])
def test_A5_chain_rule_of_two_paths(t, expected):
    """f(x, y) = y + e^(xy), x = cos t, y = t^2."""
    t_ = tracked(t)
    with ag.record():
        x, y = np.cos(t_), t_**2
        f = y + np.exp(x * y)
    f.backward()
    agree(t_.bar, expected)
    by_formula = (y.item() * np.exp(x.item() * y.item())) * -np.sin(t) + (
        1 + x.item() * np.exp(x.item() * y.item())
    ) * 2 * t
    agree(t_.bar, by_formula, 14)


def test_A6_multiclass_logistic_regression():
    rng = np.random.default_rng(0)
    w, b, x = tracked(rng.normal(size=(4, 3))), tracked(rng.normal(size=4)), rng.normal(size=3)
    for t in (np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.1, 0.2, 0.3, 0.4])):
        w.grad = b.grad = None
        with ag.record():
            z = w @ x + b
            y = ag.softmax(z)
            loss = -(t * np.log(y)).sum()
        loss.backward()
        np.testing.assert_allclose(z.bar, y.data - t, atol=1e-15)
        np.testing.assert_allclose(w.bar, np.outer(z.bar, x), atol=1e-15)
        np.testing.assert_allclose(b.bar, z.bar, atol=1e-15)


X = np.array([1.0, 2.0])
W1, B1 = np.array([[0.1, 0.2], [0.3, -0.4]]), np.array([0.0, 0.1])
W2, B2 = np.array([[0.5, -0.6], [0.7, 0.8]]), np.array([0.1, -0.1])
T = np.array([1.0, 0.0])


def test_A7_multilayer_perceptron_vectorised():
    w1, b1, w2, b2 = map(tracked, (W1, B1, W2, B2))
    with ag.record():
        z = w1 @ X + b1
        h = ag.sigmoid(z)
        y = w2 @ h + b2
        loss = ((T - y) ** 2).sum() / 2
    loss.backward()
    agree(y.data, [0.170442, 0.656771], 6)
    agree(loss.item(), 0.559757, 6)
    agree(h.bar, [0.044961, 1.023152], 6)
    agree(z.bar, [0.010566, 0.245823], 6)
    agree(w1.bar, [[0.010566, 0.021132], [0.245823, 0.491646]], 6)
    for found, formula in [
        (y.bar, y.data - T),
        (w2.bar, np.outer(y.bar, h.data)),
        (b2.bar, y.bar),
        (h.bar, W2.T @ y.bar),
        (z.bar, h.bar * h.data * (1 - h.data)),
        (w1.bar, np.outer(z.bar, X)),
        (b1.bar, z.bar),
    ]:
        np.testing.assert_allclose(found, formula, rtol=1e-15)


def test_A7_multilayer_perceptron_in_index_form():
    w1, w2 = ([[tracked(v) for v in row] for row in w] for w in (W1, W2))
    b1, b2 = ([tracked(v) for v in b] for b in (B1, B2))
    with ag.record():
        z = [sum((w1[i][j] * X[j] for j in range(2)), b1[i]) for i in range(2)]
        h = [ag.sigmoid(z[i]) for i in range(2)]
        y = [sum((w2[k][i] * h[i] for i in range(2)), b2[k]) for k in range(2)]
        loss = sum((T[k] - y[k]) ** 2 for k in range(2)) / 2
    loss.backward()
    agree([q.item() for q in y], [0.170442, 0.656771], 6)
    agree(loss.item(), 0.559757, 6)
    agree([q.bar for q in h], [0.044961, 1.023152], 6)
    agree([q.bar for q in z], [0.010566, 0.245823], 6)
    agree([[q.bar for q in row] for row in w1], [[0.010566, 0.021132], [0.245823, 0.491646]], 6)
    agree([q.bar for q in b1], [q.bar for q in z], 15)


# --- A8 to A10 -----------------------------------------------------------------------------------------------


def test_A8_delta_recursion_layer_by_layer():
    """R = 1/N sum (y - f)^2 / 2; delta_l = -(y - z_l) g'(a_l), delta_k = (sum_l delta_l w_kl) g'(a_k)."""
    rng = np.random.default_rng(0)
    n, sizes = 7, [4, 5, 3, 2]
    x, y = rng.normal(size=(n, sizes[0])), rng.normal(size=(n, sizes[-1]))
    weights = [rng.normal(size=size) for size in itertools.pairwise(sizes)]

    z = [x]
    for w in weights:
        z.append(np.tanh(z[-1] @ w))
    deltas = [-(y - z[-1]) * (1 - z[-1] ** 2)]
    for w, out in zip(reversed(weights[1:]), reversed(z[1:-1]), strict=True):
        deltas.insert(0, (deltas[0] @ w.T) * (1 - out**2))
    by_recursion = [out.T @ delta / n for out, delta in zip(z, deltas, strict=False)]

    tensors = [tracked(w) for w in weights]
    with ag.record():
        activations, out = [], x
        for w in tensors:
            activations.append(out @ w)
            out = np.tanh(activations[-1])
        risk = ((y - out) ** 2).sum() / 2 / n
    risk.backward()
    for w, gradient, a, delta in zip(tensors, by_recursion, activations, deltas, strict=True):
        np.testing.assert_allclose(w.bar, gradient, rtol=1e-12)
        np.testing.assert_allclose(a.bar, delta / n, rtol=1e-12)


def test_A9_one_step_by_hand_and_by_engine():
    """dL/dw = dL/da da/dz dz/dw; w <- w - alpha dL/dw, with the x that one printed line drops."""
    w, x, t, alpha = tracked(0.8), 1.5, 0.2, 0.1
    a = ag.sigmoid(w * x)
    ((a - t) ** 2 / 2).backward()
    s = 1 / (1 + np.exp(-0.8 * 1.5))
    by_hand = (s - t) * s * (1 - s) * x
    with ag.no_grad():
        w -= alpha * w.grad
    agree(w.item(), 0.8 - alpha * by_hand, 15)


def test_A10_cost_gradient_is_the_mean_of_the_gradients_of_the_examples():
    rng = np.random.default_rng(0)
    w, x, t = tracked(rng.normal(size=(3, 2))), rng.normal(size=(6, 3)), rng.normal(size=(6, 2))

    def loss(inputs, targets):
        return ((np.tanh(inputs @ w) - targets) ** 2).sum(axis=-1).mean()

    each = [ag.grad(loss(x[i : i + 1], t[i : i + 1]), w)[0] for i in range(6)]
    np.testing.assert_allclose(ag.grad(loss(x, t), w)[0], np.mean(each, axis=0), rtol=1e-13)

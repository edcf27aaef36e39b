"""Derivatives of functions: each transform on nested arguments, in each other, and against differences."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd import GraphError, Tensor, primitive
from autograd.transforms import CheckpointError
from examples.digits import small_recognizer

from .finite import check, directional

X = np.array([0.5, -1.5, 2.0])


def tracked(a: Any) -> Tensor:
    return Tensor(a, requires_grad=True)


def rosenbrock(x):
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_hessian(x, y):
    return [[1200 * x * x - 400 * y + 2, -400 * x], [-400 * x, 200]]


# --- Higher derivatives --------------------------------------------------------------------------------------


def test_third_derivative_of_tanh():
    x = tracked(np.linspace(-2, 2, 9))
    first, second, third = x, None, None
    y = ag.tanh(x)
    (first,) = ag.grad(y, x, np.ones(9), create_graph=True)
    (second,) = ag.grad(first, x, np.ones(9), create_graph=True)
    (third,) = ag.grad(second, x, np.ones(9))
    t = np.tanh(x.data)
    np.testing.assert_allclose(first.data, 1 - t**2, rtol=1e-14)
    np.testing.assert_allclose(second.data, -2 * t * (1 - t**2), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(third, (6 * t**2 - 2) * (1 - t**2), rtol=1e-13, atol=1e-15)


def test_tenth_derivative_of_exp():
    x = tracked(0.7)
    y = ag.exp(x)
    for _ in range(10):
        (y,) = ag.grad(y, x, create_graph=True)
    np.testing.assert_allclose(y.data, np.exp(0.7), rtol=1e-14)


@pytest.mark.parametrize("point", [(-1.2, 1.0), (1.0, 1.0), (0.0, 0.0)])
def test_hessian_of_rosenbrock(point):
    np.testing.assert_allclose(ag.hessian(rosenbrock)(np.array(point)), rosenbrock_hessian(*point), rtol=1e-14)


def network(w, x):
    """Return the loss of a small network on a batch x: tanh, sigmoid and softplus layers, quadratic loss."""
    h = ag.tanh(x @ w["first"]["weight"] + w["first"]["bias"])
    h = ag.sigmoid(h @ w["second"][0] + w["second"][1])
    return ag.square(ag.softplus(h @ w["third"]) - 0.5).sum() / len(x)


def network_weights(rng):
    return {
        "first": {"weight": rng.normal(size=(4, 6)), "bias": rng.normal(size=6)},
        "second": [rng.normal(size=(6, 5)), rng.normal(size=5)],
        "third": rng.normal(size=(5, 3)),
    }


def test_hessian_vector_product_of_a_network_against_differences():
    rng = np.random.default_rng(0)
    w, v, u = network_weights(rng), network_weights(rng), network_weights(rng)
    x = rng.normal(size=(8, 4))
    product = ag.hvp(lambda w: network(w, x))(w, v)
    leaves, rebuild = ag.trees.leaves, ag.trees.rebuild
    assert product.keys() == w.keys()

    def slope(*parameters):
        """Return the derivative in direction u."""
        bars = ag.value_and_grad(lambda w: network(w, x))(rebuild(w, iter(parameters)))[1]
        return sum(float(np.sum(bar * a)) for bar, a in zip(leaves(bars), leaves(u), strict=True))

    numeric = directional(slope, leaves(w), leaves(v))
    exact = sum(float(np.sum(p * a)) for p, a in zip(leaves(product), leaves(u), strict=True))
    assert abs(numeric - exact) <= 1e-6 * abs(exact)


def test_hessian_vector_product_of_the_demos_network_against_differences():
    """The digit recognizer with all its layers but dropout, which is off, in float64."""
    rng = np.random.default_rng(0)
    model = small_recognizer(rng).eval()
    modules = dict(model.named_modules())
    places = [path.rpartition(".") for path, _ in model.named_parameters()]
    weights = [parameter.data.astype(float) for parameter in model.parameters()]
    images, labels = rng.normal(size=(3, 1, 8, 8)), np.array([3, 1, 4])

    def loss(parameters):
        for (path, _, name), parameter in zip(places, parameters, strict=True):
            setattr(modules[path], name, parameter)
        return F.cross_entropy(model(images), labels)

    v = [rng.normal(size=w.shape) for w in weights]
    product = ag.hvp(loss)(weights, v)
    h = 1e-6
    high, low = (ag.value_and_grad(loss)([w + s * h * a for w, a in zip(weights, v, strict=True)])[1] for s in (1, -1))
    difference = [(a - b) / (2 * h) for a, b in zip(high, low, strict=True)]
    error = np.sqrt(sum(np.sum((p - d) ** 2) for p, d in zip(product, difference, strict=True)))
    assert error <= 1e-6 * np.sqrt(sum(np.sum(d**2) for d in difference))


# --- grad ----------------------------------------------------------------------------------------------------


def test_grad_gives_arrays_and_under_create_graph_tensors():
    x = tracked(X)
    assert type(ag.grad((x * x).sum(), x)[0]) is np.ndarray
    (first,) = ag.grad((x * x).sum(), x, create_graph=True)
    assert type(first) is Tensor
    assert first.requires_grad


def test_grad_of_an_unused_input():
    x, w = tracked(2.0), tracked(3.0)
    with pytest.raises(GraphError, match=r"input 1 \(shape \(\)\) appears not to have been used in the graph"):
        ag.grad(x * x, [x, w])
    gx, gw = ag.grad(x * x, [x, w], allow_unused=True)
    assert gx == 4
    assert gw is None


def test_grad_outputs():
    x = tracked(X)
    (g,) = ag.grad([x * 2, x * 3], x, [np.ones(3), X])
    np.testing.assert_array_equal(g, 2 + 3 * X)
    with pytest.raises(ValueError, match="grad: expected 2 grad_outputs, got 1"):
        ag.grad([x * 2, x * 3], x, [np.ones(3)])


def test_grad_is_differentiable_by_its_grad_outputs():
    x, bar = tracked(X), tracked(np.ones(3))
    (g,) = ag.grad(x * x, x, bar, create_graph=True)
    np.testing.assert_array_equal(ag.grad(g, bar, np.ones(3))[0], 2 * X)


def test_gradient_penalty():
    """A loss that contains a gradient (as in WGAN-GP) trains through both."""

    def loss(w):
        x = tracked(X)
        y = ag.tanh(x * w).sum()
        (g,) = ag.grad(y, x, create_graph=True)
        return y + (ag.sqrt((g * g).sum()) - 1) ** 2

    check(loss, [np.array([0.3, 0.8, -0.5])])


# --- value_and_grad ------------------------------------------------------------------------------------------


def test_value_and_grad():
    value, bars = ag.value_and_grad(lambda x: (x * x).sum())(X)
    assert type(value) is type(bars) is np.ndarray
    assert value == np.sum(X * X)
    np.testing.assert_array_equal(bars, 2 * X)


def test_value_and_grad_by_several_arguments_and_with_keywords():
    f = lambda x, y, *, factor=1.0: factor * (x * y).sum()
    value, (by_y, by_x) = ag.value_and_grad(f, argnums=(1, 0))(X, X + 1, factor=2.0)
    assert value == 2 * np.sum(X * (X + 1))
    np.testing.assert_array_equal(by_y, 2 * X)
    np.testing.assert_array_equal(by_x, 2 * (X + 1))
    assert ag.value_and_grad(f, argnums=-1)(X, X)[1].tolist() == X.tolist()


class Layer(NamedTuple):
    weight: Any
    bias: Any


def test_nested_lists_tuples_and_dicts():
    f = lambda w: (w["layers"][0].weight * w["layers"][1][0]).sum() + w["layers"][0].bias
    w = {"layers": [Layer(X, np.array(1.0)), (X + 1,)]}
    value, bars = ag.value_and_grad(f)(w)
    assert value == np.sum(X * (X + 1)) + 1
    assert type(bars["layers"][0]) is Layer
    np.testing.assert_array_equal(bars["layers"][0].weight, X + 1)
    assert bars["layers"][0].bias == 1
    np.testing.assert_array_equal(bars["layers"][1][0], X)


def test_unused_arguments_have_zero_bars():
    _, (_, b) = ag.value_and_grad(lambda a, b: (a * a).sum(), argnums=(0, 1))(X, np.ones((2, 2), np.float32))
    np.testing.assert_array_equal(b, np.zeros((2, 2), np.float32), strict=True)
    assert ag.value_and_grad(lambda a: Tensor(3.0))(X)[1].tolist() == [0, 0, 0]


FUNCTIONS_THAT_DO_NOT_FIT = [
    (lambda: ag.value_and_grad(lambda x: x * x)(X), "expected the function to return a tensor with one element"),
    (lambda: ag.value_and_grad(lambda x: (x, x))(X), "expected the function to return a tensor with one element"),
    (lambda: ag.value_and_grad(lambda x: x, argnums=1)(X), "there is no argument 1, the function was called with 1"),
    (lambda: ag.hessian(lambda x: x)(X), "expected the function to return a tensor with one element"),
    (lambda: ag.jvp(lambda x: x, [X], [X[:2]]), r"jvp: expected directions of shapes \[\(3,\)\], got \[\(2,\)\]"),
    (lambda: ag.vjp(lambda x: (x, x), X)[1](X), "pullback: expected a sequence of 2, got ndarray"),
    (lambda: ag.vjp(lambda x: x, X)[1](X[:2]), r"expected a gradient of shape \(3,\), got \(2,\)"),
]


@pytest.mark.parametrize(("call", "message"), FUNCTIONS_THAT_DO_NOT_FIT)
def test_function_that_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("transform", [ag.value_and_grad, ag.jacobian])
def test_integers_cannot_be_differentiated_by(transform):
    with pytest.raises(TypeError, match="floating-point inputs to differentiate by, got int64"):
        transform(lambda x: (x * x).sum())(np.array([1, 2]))


# --- vjp, jvp, jacobian, hvp ---------------------------------------------------------------------------------


def pair(x, y):
    return {"product": x * y, "sine": ag.sin(x)}


def test_vjp_takes_bars_of_the_outputs_to_bars_of_the_inputs_any_number_of_times():
    y, pullback = ag.vjp(pair, X, X + 1)
    np.testing.assert_array_equal(y["product"], X * (X + 1))
    for factor in (1.0, 2.0):
        by_x, by_y = pullback({"product": np.full(3, factor), "sine": X})
        np.testing.assert_allclose(by_x, factor * (X + 1) + X * np.cos(X), rtol=1e-15)
        np.testing.assert_allclose(by_y, factor * X, rtol=1e-15)


def test_jvp_against_differences():
    rng = np.random.default_rng(0)
    v, bars = [rng.normal(size=3), rng.normal(size=3)], {k: rng.normal(size=3) for k in ("product", "sine")}
    y, ydot = ag.jvp(pair, [X, X + 1], v)

    def contracted(*xs):
        out = pair(*map(Tensor, xs))
        return sum(float(np.sum(out[k].data * bars[k])) for k in bars)

    numeric = directional(contracted, [X, X + 1], v)
    assert abs(numeric - sum(np.sum(ydot[k] * bars[k]) for k in bars)) < 1e-9
    np.testing.assert_array_equal(y["sine"], np.sin(X))


def test_jvp_of_what_does_not_depend_on_x_is_zero():
    _, (zero, one) = ag.jvp(lambda x: (Tensor([1.0, 2.0]), x * 1), [X], [X])
    np.testing.assert_array_equal(zero, np.zeros(2))
    np.testing.assert_array_equal(one, X)


JACOBIANS = [
    (lambda x: x * x, X, np.diag(2 * X)),
    (lambda x: x.sum(), X, np.ones(3)),
    (lambda x: x[:, None] * x, X, X[:, None, None] * np.eye(3)[None] + X[None, :, None] * np.eye(3)[:, None]),
    (lambda x: x * 2, np.array(3.0), np.array(2.0)),
    (lambda x: x[:0], X, np.zeros((0, 3))),
    (lambda x: x * x, np.zeros(0), np.zeros((0, 0))),
    (lambda x: Tensor([1.0, 2.0]), X, np.zeros((2, 3))),
]


@pytest.mark.parametrize(("function", "x", "expected"), JACOBIANS)
def test_jacobian(function, x, expected):
    np.testing.assert_allclose(ag.jacobian(function)(x), expected, rtol=1e-15, strict=True)


def test_jacobian_of_nested_outputs_by_nested_inputs():
    found = ag.jacobian(lambda w: {"y": w[0] * w[1], "z": w[1].sum()})([X, X + 1])
    np.testing.assert_array_equal(found["y"][0], np.diag(X + 1))
    np.testing.assert_array_equal(found["y"][1], np.diag(X))
    np.testing.assert_array_equal(found["z"][0], np.zeros(3))
    np.testing.assert_array_equal(found["z"][1], np.ones(3))


def test_hessian_of_nested_inputs():
    found = ag.hessian(lambda w: (w["a"] * w["a"] * w["b"]).sum())({"a": X, "b": X + 1})
    np.testing.assert_allclose(found["a"]["a"], np.diag(2 * (X + 1)))
    np.testing.assert_allclose(found["a"]["b"], np.diag(2 * X))
    np.testing.assert_allclose(found["b"]["a"], np.diag(2 * X))
    np.testing.assert_array_equal(found["b"]["b"], np.zeros((3, 3)))


def test_hessian_of_a_linear_function_is_zero():
    np.testing.assert_array_equal(ag.hessian(lambda x: x.sum())(X), np.zeros((3, 3)))
    np.testing.assert_array_equal(ag.hvp(lambda x: x.sum())(X, X), np.zeros(3))


def test_hvp_is_the_hessian_times_the_vector():
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(ag.hvp(rosenbrock)(X, v), ag.hessian(rosenbrock)(X) @ v, rtol=1e-13)


# --- In each other, and beside tensors from outside ----------------------------------------------------------


def test_transforms_nest():
    third = lambda f: ag.jacobian(ag.hessian(f))
    np.testing.assert_allclose(third(lambda x: (x**4).sum())(np.array([1.0, 2.0]))[1, 1, 1], 48)
    inner = lambda x: ag.value_and_grad(lambda y: (y * y * x).sum())(x)[1]
    np.testing.assert_allclose(ag.jacobian(inner)(X), np.diag(4 * X))
    np.testing.assert_allclose(
        ag.jvp(lambda x: ag.jvp(ag.sin, [x], [x])[1], [X], [X])[1], X * np.cos(X) - X * X * np.sin(X)
    )


def test_inner_derivative_keeps_variables_apart():
    """d/dx [x d/dy (x + y)] = 1: no perturbation confusion."""
    inner = lambda x: x * ag.value_and_grad(lambda y: x + y)(1.0)[1]
    assert ag.value_and_grad(inner)(1.0)[1] == 1


def test_results_are_tensors_where_a_tracked_tensor_takes_part():
    w = tracked(X)
    value, bars = ag.value_and_grad(lambda x: (x * x * w).sum())(X)
    assert type(value) is type(bars) is Tensor
    (bars * bars).sum().backward()
    np.testing.assert_allclose(w.grad, 8 * X * X * w.data)
    bars = ag.value_and_grad(lambda x: (x * x).sum())(w)[1]
    assert bars.requires_grad
    with ag.no_grad():
        assert type(ag.value_and_grad(lambda x: (x * x * w).sum())(X)[1]) is np.ndarray


def test_transforms_differentiate_under_no_grad():
    with ag.no_grad():
        np.testing.assert_array_equal(ag.value_and_grad(lambda x: (x * x).sum())(X)[1], 2 * X)
        np.testing.assert_allclose(ag.hessian(rosenbrock)(X[:2]), rosenbrock_hessian(*X[:2]))


def test_dtype_is_kept():
    x = X.astype(np.float32)
    f = lambda x: ag.tanh(x * 2).sum()
    assert ag.value_and_grad(f)(x)[1].dtype == np.float32
    assert ag.jacobian(ag.tanh)(x).dtype == np.float32
    assert ag.hessian(f)(x).dtype == np.float32
    assert ag.hvp(f)(x, x).dtype == np.float32
    assert ag.jvp(ag.tanh, [x], [x])[1].dtype == np.float32


# --- checkpoint ----------------------------------------------------------------------------------------------


def block(x, w):
    h = ag.tanh(x * w)
    return ag.exp(h) * h


def test_checkpoint_gives_the_same_values_and_derivatives():
    check(ag.checkpoint(block), [X, X + 0.5], order=3)
    x, w = tracked(X), tracked(X + 0.5)
    plain, checkpointed = block(x, w), ag.checkpoint(block)(x, w)
    np.testing.assert_array_equal(plain.data, checkpointed.data)
    for a, b in zip(ag.grad(plain, [x, w], X), ag.grad(checkpointed, [x, w], X), strict=True):
        np.testing.assert_array_equal(a, b)


def test_checkpoint_computes_again_once_a_sweep_and_keeps_nothing_inside():
    calls = []

    def counted(x):
        calls.append(1)
        return ag.exp(x), ag.tanh(x)

    x = tracked(X)
    a, b = ag.checkpoint(counted)(x)
    assert len(calls) == 1
    assert [node.primitive.name for node in ag.graph(a) if node.primitive] == ["checkpoint", "output"]
    (a * b).sum().backward()
    assert len(calls) == 2


def test_checkpoint_reaches_tensors_that_the_function_uses_without_taking_them():
    x, w = tracked(X), tracked(X + 1)
    ag.checkpoint(lambda x: x * w * w)(x).sum().backward()
    np.testing.assert_array_equal(w.grad, 2 * X * (X + 1))
    np.testing.assert_array_equal(x.grad, (X + 1) ** 2)


def test_checkpoint_of_nested_arguments_and_results():
    x = tracked(X)
    result = ag.checkpoint(lambda d: {"a": d["x"] * 2, "b": (d["x"] * d["x"],)})({"x": x})
    (result["a"] * result["b"][0]).sum().backward()
    np.testing.assert_allclose(x.grad, 6 * X * X)


def test_checkpoint_restores_random_generators():
    rng = np.random.default_rng(0)

    def noisy(x):
        return x * rng.normal(size=3) * np.random.normal(size=3)

    x = tracked(X)
    np.random.seed(0)
    y = ag.checkpoint(noisy, generators=[rng])(x)
    after = rng.bit_generator.state, np.random.get_state()[1].copy()
    y.sum().backward()
    np.testing.assert_allclose(x.grad, y.data / X)
    assert rng.bit_generator.state == after[0]
    np.testing.assert_array_equal(np.random.get_state()[1], after[1])


def test_checkpoint_raises_if_the_second_result_differs():
    rng = np.random.default_rng(0)
    y = ag.checkpoint(lambda x: x * rng.normal(size=3))(tracked(X))
    with pytest.raises(CheckpointError, match=r"gave another result.*generators=\[\.\.\.\]"):
        y.sum().backward()


def test_checkpoint_of_a_changed_leaf_raises():
    x, w = tracked(X), tracked(X + 1)
    y = ag.checkpoint(lambda x: x * w)(x)
    with ag.no_grad():
        w += 1.0
    with pytest.raises((CheckpointError, GraphError)):
        y.sum().backward()


def test_checkpoint_under_no_grad_and_without_inputs_that_require_a_gradient_is_the_function():
    with ag.no_grad():
        assert ag.checkpoint(block)(tracked(X), X)._node is None
    assert ag.checkpoint(block)(Tensor(X), X)._node is None


def test_checkpoint_can_be_swept_and_evaluated_again():
    x = tracked(X)
    y = ag.checkpoint(lambda x: x * x)(x) + 0.0
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, 4 * X)
    np.testing.assert_array_equal(ag.graph(y).evaluate({x: X + 1}), (X + 1) ** 2)


def test_checkpoint_nests():
    inner = ag.checkpoint(lambda x: ag.tanh(x) * x)
    check(ag.checkpoint(lambda x: inner(x) + inner(x * 2)), [X])


# --- Functions that change what they are given ----------------------------------------------------------------


def _doubled_in_place(x):
    x *= 2.0
    return (x * x * x).sum()


def _item_assigned(x):
    x[0] = x[0] * x[1]
    return x.sum()


def _emptied(d):
    a = d.pop("a")
    return 10 * a + d["b"]


def test_function_may_give_its_argument_another_value():
    np.testing.assert_allclose(ag.hessian(_doubled_in_place)(np.array([1.0])), [[48.0]])
    np.testing.assert_allclose(ag.hvp(_doubled_in_place)(np.array([1.0]), np.array([1.0])), [48.0])
    tracked = Tensor([1.0], requires_grad=True)
    np.testing.assert_allclose(ag.value_and_grad(_doubled_in_place)(tracked)[1].data, [24.0])
    assert tracked.data == [1.0]
    np.testing.assert_allclose(ag.hessian(_item_assigned)(np.array([2.0, 3.0])), [[0, 1], [1, 0]])


def test_function_may_change_its_containers():
    given = {"a": np.array(1.0), "b": np.array(2.0)}
    _, bars = ag.value_and_grad(_emptied)(given)
    assert {name: float(bar) for name, bar in bars.items()} == {"a": 10.0, "b": 1.0}
    assert [*given] == ["a", "b"]


def test_dicts_match_by_key():
    xs, vs = {"a": np.array(1.0), "b": np.array(2.0)}, {"b": np.array(0.0), "a": np.array(1.0)}
    _, ydot = ag.jvp(lambda d: d["a"] * 10 + d["b"], [xs], [vs])
    assert float(ydot) == 10.0
    _, pullback = ag.vjp(lambda x: {"p": x * 2, "q": x * 3}, np.array(1.0))
    assert float(pullback({"q": np.array(0.0), "p": np.array(1.0)})[0]) == 2.0
    with pytest.raises(ValueError, match=r"pullback: expected a dict with the keys \['p', 'q'\]"):
        pullback({"p": np.array(1.0)})


def test_bars_under_create_graph_are_handles_of_their_own():
    x, y = (Tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    gx, gy = ag.grad((x + y).sum(), [x, y], create_graph=True)
    gx *= 3
    assert gy.tolist() == [1.0, 1.0]
    v = Tensor([1.0, 1.0])
    (g,) = ag.grad(x + 1.0, x, v, create_graph=True)
    g *= 5
    assert v.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("rows", [1, 40])
def test_jacobian_by_rows_and_by_columns(rows):
    a = np.arange(2.0 * rows).reshape(rows, 2) / rows
    x = np.array([0.3, -0.2])
    found = ag.jacobian(lambda d: {"y": np.tanh(a @ d["x"]) * d["s"]})(
        {"x": x, "s": np.array(2.0), "none": np.zeros(0)}
    )
    np.testing.assert_allclose(found["y"]["x"], 2 * (1 - np.tanh(a @ x) ** 2)[:, None] * a)
    np.testing.assert_allclose(found["y"]["s"], np.tanh(a @ x))
    assert found["y"]["none"].shape == (rows, 0)


def test_checkpoint_keeps_the_values_that_it_was_called_with():
    x = Tensor([0.3, 0.4], requires_grad=True)
    h = x * 2
    y = ag.checkpoint(lambda t, scale: np.sin(t) * scale)(h, scale=3.0)
    h += 1
    y.sum().backward()
    np.testing.assert_allclose(x.grad, 6 * np.cos([0.6, 0.8]))


def test_evaluation_returns_an_array_of_its_own():
    x = Tensor([1.0, 2.0], requires_grad=True)
    result = ag.graph(x.reshape(2, 1)).evaluate()
    result[0] = 99
    assert x.tolist() == [1.0, 2.0]


def test_checkpoint_of_a_function_that_hands_its_argument_through():
    w = Tensor([1.0, 2.0], requires_grad=True)
    same, doubled = ag.checkpoint(lambda w: (w, 2 * w))(w)
    (same * same + doubled).sum().backward()
    assert w.grad.tolist() == [4.0, 6.0]
    alone = ag.checkpoint(lambda x: x)(w)
    assert alone.requires_grad
    with ag.no_grad():
        w[0] = 9.0
    assert alone.data.tolist() == [1.0, 2.0]


# --- Whose array it is ---------------------------------------------------------------------------------------


CONSTANT = np.full(3, 7.0)
ALIASING = {
    "its own bar": lambda ybar, x: ybar,
    "what it uses": lambda ybar, x: x,
    "an array that lives on": lambda ybar, x: CONSTANT,
    "a view": lambda ybar, x: np.array([[1.0, 2.0, 3.0], [0, 0, 0]])[0],
    "an array of its own": lambda ybar, x: ybar * x,
    "not contiguous": lambda ybar, x: np.asfortranarray(np.ones((3, 2)))[:, 0],
}


@pytest.mark.parametrize("rule", ALIASING.values(), ids=ALIASING)
@pytest.mark.parametrize("by", ["backward", "grad"])
def test_gradients_share_nothing_whatever_a_rule_hands_out(rule, by):
    aliasing = primitive(lambda x: x * 1.0, name="aliasing", x=rule)
    given, values = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0])
    x, u = Tensor(values, requires_grad=True), Tensor(values, requires_grad=True)
    y = aliasing(x) + aliasing(u)
    if by == "backward":
        y.backward(given, retain_graph=True)
        first, second = x.grad, u.grad
    else:
        first, second = ag.grad(y, [x, u], given, retain_graph=True)
    before = first.copy()
    assert first.flags.c_contiguous
    assert first.flags.writeable
    first[...] = 99
    np.testing.assert_array_equal(second, before)
    np.testing.assert_array_equal(given, [1, 2, 3])
    np.testing.assert_array_equal(x.data, [4, 5, 6])
    np.testing.assert_array_equal(CONSTANT, 7)
    np.testing.assert_array_equal(ag.grad(y, x, given)[0], before)  # nothing that the record keeps has changed


def test_an_array_that_only_the_sweep_has_is_handed_out_as_it_is():
    made = []

    def rule(ybar, x):
        made.append(id(result := ybar * x))
        return result

    x = Tensor(np.ones(3), requires_grad=True)
    y = primitive(lambda x: x * 1.0, name="counted", x=rule)(x).sum()
    y.backward()
    assert id(x.grad) == made[0]


def test_an_input_asked_for_twice_gets_two_arrays():
    x = Tensor(np.ones(3), requires_grad=True)
    first, second = ag.grad((x * x).sum(), [x, x])
    first[...] = 5
    np.testing.assert_array_equal(second, 2)


@pytest.mark.parametrize("transform", [ag.value_and_grad, ag.jacobian])
def test_a_function_that_writes_to_its_input_leaves_the_callers_array_alone(transform):
    x = np.array([1.0, 2.0])

    def f(t):
        y = (t * t * t).sum()
        with ag.no_grad():
            t -= 1
            t.data[...] = 0
        return y

    with pytest.raises(GraphError, match="written in place"):  # the sweep needs the old values
        transform(f)(x)
    np.testing.assert_array_equal(x, [1, 2])


def test_the_pullback_of_vjp_keeps_values_of_its_own():
    x = np.array([1.0, 2.0])
    _, pullback = ag.vjp(lambda t: t * t, x)
    x[...] = 100
    np.testing.assert_array_equal(pullback(np.ones(2))[0], [2, 4])


def test_a_function_that_returns_its_input_does_not_hand_out_the_callers_array():
    x = np.array([[1.0, 2.0]])
    for y, _ in (ag.jvp(lambda t: t, [x], [x]), ag.jvp(lambda t: t[0], [x], [x])):
        y[...] = 9
    np.testing.assert_array_equal(x, [[1, 2]])


# --- Arrays of the caller's ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transformed", "expected"),  # with f = w (sum x^3 + sum x^2) at (1, 2): the derivative by w
    [
        (lambda f, x: ag.value_and_grad(f)(x)[0], 14),
        (lambda f, x: ag.value_and_grad(f)(x)[1].sum(), 21),
        (lambda f, x: ag.hvp(f)(x, np.ones(2)).sum(), 22),
        (lambda f, x: ag.jvp(f, [x], [np.ones(2)])[1], 21),
        (lambda f, x: ag.vjp(f, x)[0], 14),
    ],
)
def test_the_caller_may_write_to_an_array_before_a_result_is_differentiated_further(transformed, expected):
    w, x = tracked(2.0), np.array([1.0, 2.0])
    result = transformed(lambda x: ((x.reshape(2, 1) ** 3).sum() + (x * x).sum()) * w, x)
    x *= 10
    result.backward()
    assert float(w.grad) == expected


def test_a_result_is_no_view_of_the_callers_array():
    w, x = tracked(3.0), np.array([1.0, 2.0])
    (y, _), _ = ag.jvp(lambda x: (x.reshape(2, 1), x * w), [x], [np.ones(2)])
    x[0] = 99
    assert y.data.tolist() == [[1], [2]]


def test_a_graph_can_be_released_by_the_sweep_that_makes_another():
    x = tracked(3.0)
    y = x * x * x
    (first,) = ag.grad(y, x, create_graph=True, retain_graph=False)
    assert float(first.data) == 27
    with pytest.raises(GraphError, match="a second time"):
        y.backward()

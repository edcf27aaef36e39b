"""Defining an operation: what rules may ask for, what is kept, several outputs, and errors that name the place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, primitive
from autograd.ops.elementwise import where
from autograd.tensor import raw

from .finite import check

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])


def tracked(a: Any = X) -> Tensor:
    return Tensor(a, requires_grad=True)


# --- Users define operations by the call that ours use -------------------------------------------------------

cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3 * ybar * x * x)


def _scaled(x: Any, factor: float = 2.0, *, power: int = 1) -> Any:
    """Return factor x^power."""
    return factor * x**power


scaled = primitive(_scaled, x=lambda ybar, x, factor, power: ybar * (factor * power * x ** (power - 1)))
logistic = primitive(lambda x: 1 / (1 + np.exp(-x)), name="logistic", x=lambda ybar, out: ybar * (out * (1 - out)))
hinge = primitive(
    lambda x: (np.maximum(x, 0), x > 0), name="hinge", residuals=("mask",), x=lambda ybar, mask: where(mask, ybar, 0)
)
blend = primitive(
    lambda *terms: sum(2.0**i * term for i, term in enumerate(terms)),
    name="blend",
    terms=lambda ybar, position: ybar * 2.0**position,
)
weighted = primitive(
    lambda *terms, weights: sum(w * t * t for w, t in zip(weights, terms, strict=True)),
    name="weighted",
    terms=lambda ybar, terms, weights, position: ybar * (2 * weights[position] * terms[position]),
)
polar = primitive(
    lambda x, y: (x * y, x + y),
    name="polar",
    x=lambda bars, y: bars[0] * y + bars[1],
    y=lambda bars, x: bars[0] * x + bars[1],
)
flatter = primitive(lambda x: x.reshape(-1), name="flatter", x=lambda ybar, x_shape: ybar.reshape(x_shape))
doubled = primitive(np.sinh, name="doubled", x=lambda ybar, x: ybar * np.cosh(x))

OWN: list[tuple[Any, list[np.ndarray]]] = [
    (cube, [X]),
    (scaled, [X]),
    (lambda x: scaled(x, 3.0, power=3), [X]),
    (lambda x: scaled(x, factor=0.5), [X]),
    (logistic, [X]),
    (hinge, [X]),
    (blend, [X, X[0], X[:, :1]]),
    (lambda *xs: weighted(*xs, weights=(1.0, 2.0)), [X, X[0]]),
    (polar, [X, X[0]]),
    (lambda x, y: polar(x, y)[1], [X, X[0]]),
    (lambda x: polar(x, x)[0] * polar(x, 2.0)[1], [X]),
    (flatter, [X]),
    (doubled, [X]),
]


@pytest.mark.parametrize(("function", "args"), OWN)
def test_own_operation_has_derivatives_of_any_order(function, args):
    check(function, args, order=3)


def test_operation_says_what_it_is():
    assert cube.__name__ == "cube"
    assert scaled.__name__ == "scaled"
    assert scaled.__doc__ == "Return factor x^power."
    assert repr(scaled.primitive) == "<Primitive scaled(x, factor, power)>"
    assert (cube(tracked())._node.primitive) is cube.primitive


@pytest.mark.parametrize("function", [cube, scaled, logistic, hinge, blend, flatter, doubled])
def test_raw_arrays_give_raw_arrays(function):
    assert type(function(X)) is np.ndarray


def test_raw_arrays_give_a_plain_tuple_of_outputs():
    product, total = polar(X, 2.0)
    np.testing.assert_array_equal(product, 2 * X)
    np.testing.assert_array_equal(total, X + 2)


def test_arguments_and_parameters_by_position_and_by_keyword():
    t = tracked()
    for y in (scaled(t, 3.0), scaled(t, factor=3.0), scaled(x=t, factor=3.0)):
        np.testing.assert_array_equal(y.data, 3 * X)
    with pytest.raises(TypeError, match=r"scaled: unexpected \['weight'\].*factor"):
        scaled(t, weight=1.0)
    with pytest.raises(TypeError, match=r"weighted: missing \['weights'\]"):
        weighted(t)


def test_parameter_must_not_be_a_tensor():
    with pytest.raises(TypeError, match=r"scaled: factor must be a plain value, not a tensor; pass factor=t\.item\(\)"):
        scaled(tracked(), factor=Tensor(2.0))


def test_none_means_no_gradient():
    step = primitive(lambda x, y: (x > 0) * y, name="step", x=None, y=lambda zbar, x: zbar * (x > 0))
    x, y = tracked(), tracked()
    assert not step(x, 1.0).requires_grad
    step(x, y).sum().backward()
    assert x.grad is None
    np.testing.assert_array_equal(y.grad, X > 0)


# --- What is kept --------------------------------------------------------------------------------------------


def kept(y: Tensor) -> list[Any]:
    return [value for value in y._node.kept if value is not None]


def test_only_what_a_rule_names_is_kept():
    x, y = tracked(), tracked()
    assert kept(x + y) == []
    assert [value is x.data for value in kept(x * Tensor(X))] == [False]
    z = ag.tanh(x)
    assert [value is z.data for value in kept(z)] == [True]
    assert {id(value) for value in kept(x * y)} == {id(x.data), id(y.data)}
    assert kept(flatter(x)) == [(2, 3)]


def test_only_what_is_needed_for_the_arguments_that_require_a_gradient_is_kept():
    x, constant = tracked(), np.ones((2, 3))
    (only,) = kept(x * constant)
    assert only is constant
    big = np.ones(1000)
    assert not any(value is big for value in kept(x.sum() * Tensor(2.0) + big))


def test_rule_is_called_only_for_an_argument_that_needs_it():
    called = []
    noted = primitive(
        lambda x, y: x + y,
        name="noted",
        x=lambda zbar: called.append("x") or zbar,
        y=lambda zbar: called.append("y") or zbar,
    )
    noted(tracked(), X).sum().backward()
    assert called == ["x"]
    x, y = tracked(), tracked()
    ag.grad(noted(x, y), y, X)
    assert called == ["x", "y"]


def test_residual_of_floats_is_not_there_where_the_gradient_is_to_be_differentiated():
    """A rule would take it for a constant, and second derivatives would be silently wrong."""
    seen = []

    def rule(ybar, x, slope):
        seen.append(slope)
        return ybar * (2 * x if slope is None else slope)

    square = primitive(lambda x: (x * x, 2 * x), name="square", residuals=("slope",), x=rule)
    check(square, [X])
    seen.clear()
    x = tracked()
    y = square(x).sum()
    ag.grad(y, x, retain_graph=True)
    ag.grad(y, x, create_graph=True)
    np.testing.assert_array_equal(seen[0], 2 * X)
    assert seen[1] is None


def test_rule_that_needs_a_residual_of_floats_raises_where_the_gradient_is_to_be_differentiated():
    wrong = primitive(lambda x: (x * x, 2 * x), name="wrong", residuals=("slope",), x=lambda ybar, slope: ybar * slope)
    x = tracked()
    y = wrong(x).sum()
    with pytest.raises(TypeError) as caught:
        ag.grad(y, x, create_graph=True)
    assert "a rule gets None for a residual of floats" in notes(caught)


@pytest.mark.parametrize(
    ("made", "handed_on"),
    [
        (lambda x: np.exp(1j * x), False),
        (lambda x: {"sin": np.sin(x)}, False),
        (lambda x: float(x.sum()), False),
        (lambda x: (x, 1), False),
        (lambda x: x > 0, True),
        (lambda x: [3, (4, x > 0)], True),
    ],
    ids=["complex", "a dict", "a number", "a tuple with floats", "booleans", "integers"],
)
def test_what_contains_floats_is_not_handed_on_to_be_differentiated(made, handed_on):
    seen = []
    noted = primitive(
        lambda x: (x * 1.0, made(x)), name="noted", residuals=("kept",), x=lambda ybar, kept: seen.append(kept) or ybar
    )
    x = tracked()
    y = noted(x)
    ag.grad(y, x, np.ones((2, 3)), retain_graph=True)
    ag.grad(y, x, np.ones((2, 3)), create_graph=True)
    assert seen[0] is not None
    assert (seen[1] is not None) == handed_on


# --- What rules share ----------------------------------------------------------------------------------------


def quotient(called):
    """Return division, whose rules share ybar / y."""

    def share(ybar, y):
        called.append(type(ybar))
        return ybar / y

    return primitive(
        lambda x, y: x / y,
        name="quotient",
        shared=share,
        x=lambda ybar, shared: shared,
        y=lambda ybar, shared, out: -shared * out,
    )


def test_what_rules_share_is_computed_once_a_sweep():
    called = []
    divide = quotient(called)
    x, y = tracked(), tracked(X + 1)
    z = divide(x, y).sum()
    z.backward(retain_graph=True)
    assert called == [np.ndarray]
    np.testing.assert_allclose(x.grad, 1 / (X + 1))
    np.testing.assert_allclose(y.grad, -X / (X + 1) ** 2)
    ag.grad(z, x, retain_graph=True)
    ag.grad(z, [x, y], create_graph=True)
    assert called == [np.ndarray, np.ndarray, Tensor]
    check(divide, [X, X + 1])


def test_what_rules_share_is_not_computed_where_none_asks_for_it():
    called = []
    both = primitive(
        lambda x, y: x + y,
        name="both",
        shared=lambda zbar: called.append(1) or zbar,
        x=lambda zbar: zbar,
        y=lambda zbar, shared: shared,
    )
    both(tracked(), X).sum().backward()
    assert called == []
    both(X, tracked()).sum().backward()
    assert called == [1]


def test_drawing_and_equations_know_what_rules_share():
    x, y = tracked(np.array(3.0)).named("x"), tracked(np.array(2.0)).named("y")
    z = quotient([])(x, y).named("z")
    z.backward(retain_graph=True)
    text = ag.graph(z).text()
    assert "x̄ = z̄ / y" in text
    assert "ȳ = −z̄ z / y" in text


@pytest.mark.parametrize("create_graph", [False, True])
def test_error_in_what_rules_share_names_the_operation(create_graph):
    broken = primitive(
        lambda x: x * 2, name="broken", shared=lambda ybar: ybar.undefined, x=lambda ybar, shared: shared
    )
    x = tracked()
    with pytest.raises(AttributeError) as caught:
        ag.grad(broken(x), x, np.ones((2, 3)), create_graph=create_graph)
    assert "in the rule of broken for all arguments" in notes(caught)
    assert "the output's bar has shape [(2, 3)]" in notes(caught)


def test_what_rules_share_is_computed_only_for_rules_that_are_called():
    called = []
    product = primitive(
        lambda x, y: x * y,
        name="product",
        shared=lambda zbar, x: called.append(1) or zbar * x,
        x=lambda zbar, y: zbar * y,
        y=lambda zbar, shared: shared,
    )
    x, y = tracked(), tracked()
    z = product(x, y).sum()
    ag.grad(z, x, retain_graph=True)
    assert called == []
    ag.grad(z, y)
    assert called == [1]


def test_shared_is_refused_where_it_says_nothing():
    with pytest.raises(TypeError, match="asks for 'shared'"):
        primitive(lambda x: x, name="nothing", x=lambda ybar, shared: shared)
    with pytest.raises(TypeError, match="no rule asks for it"):
        primitive(lambda x: x, name="unasked", shared=lambda ybar: ybar, x=lambda ybar: ybar)
    with pytest.raises(TypeError, match="'shared' would mean two things to a rule"):
        primitive(lambda x, *, shared=1: x, name="clash", shared=lambda ybar: ybar, x=lambda ybar, shared: shared)
    with pytest.raises(TypeError, match="what the rules share asks for 'position'"):
        primitive(lambda *xs: xs[0], name="many", shared=lambda ybar, position: ybar, xs=lambda ybar, shared: shared)


# --- Several outputs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("used", [[0], [1], [0, 1], [1, 1, 0]])
def test_bars_of_some_of_several_outputs(used):
    x, y = tracked(), tracked(X + 1)
    outputs = polar(x, y)
    ag.grad([outputs[i] for i in used], [x, y], [X] * len(used))  # each output is a tensor of its own
    outputs = polar(x, y)
    sum((outputs[i] * X).sum() for i in used).backward()
    expected = sum(((X + 1), np.ones_like(X))[i] * X for i in used)
    np.testing.assert_allclose(x.grad, expected)


def test_outputs_that_nothing_depends_on_have_zero_bars():
    seen = []
    noted = primitive(lambda x: (x, 2 * x), name="noted", x=lambda bars: seen.append(bars) or bars[0] + 2 * bars[1])
    x = tracked()
    first, _ = noted(x)
    first.sum().backward()
    ((used, unused),) = seen
    np.testing.assert_array_equal(used, np.ones((2, 3)))
    np.testing.assert_array_equal(unused, np.zeros((2, 3)), strict=True)


# --- Errors --------------------------------------------------------------------------------------------------


def test_missing_rule_names_operation_and_argument():
    half = primitive(lambda x, y: x * y, name="half", x=lambda zbar, y: zbar * y)
    half(tracked(), X).sum().backward()
    with pytest.raises(NotImplementedError, match=r"half: no rule for argument 'y'.*y=None"):
        half(X, tracked()).sum().backward()


CONSTANT = Tensor(2.0)
DEFINITIONS: list[tuple[str, Any, str]] = [
    (
        "a need that does not exist",
        lambda: primitive(lambda x: x, name="op", x=lambda ybar, z: ybar),
        r"op: the rule for 'x' asks for 'z'; it can have the arguments \('x',\)",
    ),
    (
        "a rule for an argument that does not exist",
        lambda: primitive(lambda x: x, name="op", y=lambda ybar: ybar),
        r"op: there is a rule for 'y', but the arguments are \('x',\)",
    ),
    (
        "too few rules for a ufunc",
        lambda: primitive(np.add, x=lambda ybar: ybar),
        r"add: expected a rule or None for each of 2 arguments, got \['x'\]",
    ),
    (
        "position without variadic arguments",
        lambda: primitive(lambda x: x, name="op", x=lambda ybar, position: ybar),
        "op: the rule for 'x' asks for 'position'",
    ),
    (
        "a tensor as a default",
        lambda: primitive(lambda x, k=CONSTANT: x * k, name="op", x=lambda ybar, k: ybar * k),
        r"op: k must be a plain value, not a tensor; pass k=t.item\(\)",
    ),
    (
        "a parameter called like the result",
        lambda: primitive(lambda x, out=3.0: x * out, name="op", x=lambda ybar, out: ybar * out),
        "op: 'out' would mean two things to a rule",
    ),
    (
        "a parameter called like an argument's shape",
        lambda: primitive(lambda x, x_shape=3.0: x * x_shape, name="op", x=lambda ybar, x_shape: ybar * x_shape),
        "op: 'x_shape' would mean two things to a rule",
    ),
    (
        "a residual called like an argument",
        lambda: primitive(lambda x: (x, 2), name="op", residuals=("x",), x=lambda ybar, x: ybar * x),
        "op: 'x' would mean two things to a rule",
    ),
]


@pytest.mark.parametrize(("define", "message"), [row[1:] for row in DEFINITIONS], ids=[row[0] for row in DEFINITIONS])
def test_bad_definition(define, message):
    with pytest.raises(TypeError, match=message):
        define()


@pytest.mark.parametrize("returned", [lambda x: x, lambda x: (x, x, x)])
@pytest.mark.parametrize("argument", [X, Tensor(X, requires_grad=True)])
def test_forward_returns_its_residuals(returned, argument):
    operation = primitive(returned, name="op", residuals=("r",), x=lambda ybar, r: ybar * r)
    with pytest.raises(TypeError, match=r"op: expected forward to return the result and \('r',\), as a tuple"):
        operation(argument)


def test_parameters_that_are_left_out_may_be_lists():
    shifted = primitive(lambda x, by=[1, 2]: x + by[0], name="shifted", x=lambda ybar: ybar)
    assert shifted(tracked(1.0))._node.parameters == {"by": (1, 2)}


def notes(caught: Any) -> str:
    return "\n".join(caught.value.__notes__)


def test_error_in_a_forward_names_the_operation_and_the_shapes():
    with pytest.raises(ValueError, match="could not be broadcast") as caught:
        tracked() * tracked(np.ones((2, 4)))
    assert "in multiply(float64[2, 3], float64[2, 4])" in notes(caught)


@pytest.mark.parametrize("create_graph", [False, True])
def test_error_in_a_rule_names_operation_argument_and_shapes(create_graph):
    broken = primitive(lambda x: x.sum(axis=0), name="broken", x=lambda ybar: ybar.undefined)
    x = tracked()
    y = broken(x)
    with pytest.raises(AttributeError) as caught:
        ag.grad(y, x, np.ones(3), create_graph=create_graph)
    assert "in the rule of broken for 'x'" in notes(caught)
    assert "the output's bar has shape [(3,)], the argument (2, 3)" in notes(caught)


WRONG_SHAPES: list[tuple[str, Any]] = [
    ("too small", lambda ybar: ybar[:1]),
    ("transposed", lambda ybar: ybar.T),
    ("a sum", lambda ybar: ybar.sum()),
    ("another number of axes", lambda ybar: ybar.reshape(-1)),
]


@pytest.mark.parametrize("rule", [rule for _, rule in WRONG_SHAPES], ids=[name for name, _ in WRONG_SHAPES])
def test_rule_with_a_wrong_shape_is_an_error_that_names_it(rule):
    wrong = primitive(lambda x: x * 1.0, name="wrong", x=rule)
    with pytest.raises(ValueError, match="shape") as caught:
        wrong(tracked()).sum().backward()
    assert "in the rule of wrong for 'x'" in notes(caught)


@pytest.mark.parametrize("returned", [None, [1.0, 2.0], "text"])
def test_rule_that_returns_no_array_is_an_error_that_names_it(returned):
    wrong = primitive(lambda x: x * 1.0, name="wrong", x=lambda ybar: returned)
    with pytest.raises((TypeError, AttributeError, ValueError)) as caught:
        wrong(tracked()).sum().backward()
    assert "in the rule of wrong for 'x'" in notes(caught)


def test_result_of_an_unknown_dtype_is_refused():
    complex_ = primitive(lambda x: x * 1j, name="turn", x=lambda ybar: ybar)
    with pytest.raises(TypeError, match=r"turn: expected results of a real dtype.*got complex128"):
        complex_(tracked())


def test_forward_that_returns_a_python_number():
    area = primitive(lambda x: float(np.sum(x)), name="area", x=lambda ybar, x_shape: ybar * np.ones(x_shape))
    x = tracked()
    area(x).backward()
    np.testing.assert_array_equal(x.grad, np.ones((2, 3)))


# --- Operands ------------------------------------------------------------------------------------------------


def test_lists_and_numbers_are_operands():
    x = tracked(np.array([1.0, 2.0]))
    assert ag.add(x, [1, 2]).tolist() == [2, 4]
    assert ag.multiply(3, x).tolist() == [3, 6]
    (x * True).sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_the_same_tensor_twice():
    x = tracked(np.array([1.0, 2.0]))
    (x * x + x / x - x).sum().backward()
    assert x.grad.tolist() == [1, 3]
    check(lambda x: x * x * x, [X], order=3)


def test_integer_operands_have_no_gradient():
    x, n = tracked(np.array([1.0, 2.0])), Tensor([2, 3])
    (x * n).sum().backward()
    assert x.grad.tolist() == [2, 3]
    assert n.grad is None


# --- How arguments may be passed -----------------------------------------------------------------------------


def test_arguments_by_name_go_where_forward_has_them():
    less = primitive(lambda y, x: y - 2 * x, name="less", y=lambda bar: bar, x=lambda bar: -2 * bar)
    for wrap in (float, lambda value: Tensor(value, requires_grad=True)):
        ten, one = wrap(10.0), wrap(1.0)
        assert float(np.asarray(raw(less(y=ten, x=one)))) == 8
        assert float(np.asarray(raw(less(x=one, y=ten)))) == 8
        assert float(np.asarray(raw(less(ten, x=one)))) == 8
        assert float(np.asarray(raw(less(ten, one)))) == 8
    with pytest.raises(TypeError, match=r"less: missing argument 'x'"):
        less(10.0)
    with pytest.raises(TypeError, match=r"less: unexpected \['z'\]"):
        less(10.0, 1.0, z=3)
    assert np.linalg.inv(a=Tensor(np.eye(2), requires_grad=True)).requires_grad


def test_an_operation_without_arguments_returns_an_array():
    assert np.array_equal(primitive(lambda: np.ones(3), name="ones")(), np.ones(3))


@pytest.mark.parametrize("result", [(1.0, 2.0), 3, [1.0, 2.0], np.float32(2.0), np.ones(2, int), True])
def test_results_of_another_kind_take_the_long_way(result):
    constant = primitive(lambda x: result, name="constant", x=lambda bar: bar)
    found = constant(Tensor(2.0, requires_grad=True))
    if isinstance(result, tuple):
        assert [float(np.asarray(raw(part))) for part in found] == [1, 2]
    else:
        assert np.array_equal(raw(found), result)
        assert found.requires_grad == (np.asarray(result).dtype.kind == "f")

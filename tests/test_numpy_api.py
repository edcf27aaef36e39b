"""NumPy functions and operators on Tensors: the closed table, operands of every kind, and what is refused."""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import overrides

import autograd as ag
from autograd import Tensor, numpy_api

X = np.array([[1.5, -2.0, 3.0], [0.5, 2.5, -1.0]])


def tracked(a: Any = X) -> Tensor:
    return Tensor(a, requires_grad=True)


# --- The table -----------------------------------------------------------------------------------------------


def overridable() -> dict[str, Any]:
    """Return every NumPy function and ufunc that users can call and that asks its arguments first."""
    for module in ("char", "fft", "lib.recfunctions", "ma", "polynomial", "strings"):  # some are known once imported
        importlib.import_module(f"numpy.{module}")
    found = overrides.get_overridable_numpy_array_functions() | overrides.get_overridable_numpy_ufuncs()
    named = {f"{getattr(f, '__module__', None) or 'numpy'}.{f.__name__}": f for f in found}
    return {name: f for name, f in sorted(named.items()) if not f.__name__.startswith("_")}


def test_every_numpy_function_is_mapped_or_refused():
    missing = [
        name for name, f in overridable().items() if f not in numpy_api.FUNCTIONS and numpy_api.advice(f) is None
    ]
    assert not missing, f"{len(missing)} NumPy functions are in no table: {missing}"


def test_no_numpy_function_is_mapped_and_refused():
    both = [name for name, f in overridable().items() if f in numpy_api.FUNCTIONS and numpy_api.advice(f)]
    assert not both


def test_each_refusal_advises_and_is_of_a_function_that_exists():
    names = {name.removeprefix("numpy.") for name in overridable()}
    for name, advice in numpy_api.REFUSED.items():
        # An older NumPy lacks some, and does not let others be overridden; 2.4 has dropped in1d.
        # Once numpy.strings is imported its ufuncs say that they belong there.
        assert (
            name in names
            or f"strings.{name}" in names
            or name == "in1d"
            or np.lib.NumpyVersion(np.__version__) < "2.4.0"
        ), name
        assert len(advice) > 10, name
        assert not advice.endswith("."), name


@pytest.mark.parametrize(
    "function", [np.sin, np.tanh, np.multiply, np.add, np.where, np.sum, np.concatenate, np.matmul]
)
def test_numpy_function_records(function):
    t = tracked()
    args = {np.where: (X > 0, t, 0.0), np.concatenate: ([t, X],), np.matmul: (t, X.T)}.get(
        function, (t, X)[: getattr(function, "nin", 1)]
    )
    y = function(*args)
    assert isinstance(y, Tensor)
    assert y.requires_grad


# --- Operators -----------------------------------------------------------------------------------------------

ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv, operator.mod, operator.pow]
WITHOUT_GRADIENT = [
    *(operator.floordiv, operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
]
BASE = np.array([[1.5, 2.0, 3.0], [0.5, 2.5, 1.0]])
OTHERS: dict[str, Any] = {
    "array": np.array([[2.0, 0.5, 1.5], [3.0, 1.0, 2.5]]),
    "row": np.array([2.0, 0.5, 1.5]),
    "0-d array": np.array(2.5),
    "np.float64": np.float64(2.5),
    "float": 2.5,
    "int": 2,
    "bool": True,
    "list": [2.0, 0.5, 1.5],
    "integers": np.array([2, 3, 1]),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("function", ARITHMETIC + WITHOUT_GRADIENT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("side", ["left", "right"])
def test_operator_with_operand(function, kind, side):
    t, other = tracked(BASE), OTHERS[kind]
    if side == "left":
        y, expected = function(other, t), function(other if kind != "list" else np.array(other), BASE)
    else:
        y, expected = function(t, other), function(BASE, other if kind != "list" else np.array(other))
    assert type(y) is Tensor
    assert y.requires_grad == (function in ARITHMETIC)
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.data, expected, rtol=1e-15, strict=True)


@pytest.mark.parametrize("side", ["left", "right"])
def test_matmul_operator_with_array(side):
    t = tracked()
    y, expected = (X.T @ t, X.T @ X) if side == "left" else (t @ X.T, X @ X.T)
    assert type(y) is Tensor
    assert y.requires_grad
    np.testing.assert_allclose(y.data, expected)


@pytest.mark.parametrize("kind", ["float", "int", "bool"])
@pytest.mark.parametrize("function", ARITHMETIC, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_python_numbers_do_not_widen(function, kind, dtype):
    t = tracked(BASE.astype(dtype))
    assert function(t, OTHERS[kind]).dtype == dtype
    assert function(OTHERS[kind], t).dtype == dtype


@pytest.mark.parametrize("function", [operator.and_, operator.or_, operator.xor], ids=lambda f: f.__name__)
def test_logic_of_masks(function):
    a, b = np.array([True, True, False]), np.array([True, False, False])
    for y in (function(Tensor(a), b), function(a, Tensor(b)), function(Tensor(a), Tensor(b))):
        np.testing.assert_array_equal(y.data, function(a, b), strict=True)


@pytest.mark.parametrize("function", [operator.neg, operator.pos, abs], ids=lambda f: f.__name__)
def test_unary_operator(function):
    y = function(tracked())
    assert y.requires_grad
    np.testing.assert_array_equal(y.data, function(X), strict=True)


def test_tensor_with_an_object_of_another_kind_is_refused():
    for other in ("text", None, object(), {}):
        with pytest.raises(TypeError):
            tracked() + other
        with pytest.raises(TypeError):
            other * tracked()


# --- Arguments -----------------------------------------------------------------------------------------------


def test_tensor_as_keyword():
    t = tracked()
    assert np.sum(a=t).requires_grad
    assert np.sum(a=t, axis=0).shape == (3,)
    assert np.transpose(a=t, axes=(1, 0)).shape == (3, 2)


def test_tensors_nested_in_lists():
    t = tracked()
    assert np.concatenate(([t, X], t)[0], axis=1).shape == (2, 6)
    y = np.stack([t[0], X[0], t[1]])
    assert y.requires_grad
    assert y.shape == (3, 3)


def test_numpy_order_of_positional_arguments():
    """np.sum(a, axis, dtype, out, keepdims): the third argument is not ours."""
    t = tracked()
    assert np.sum(t, 0, None, None, True).shape == (1, 3)
    with pytest.raises(TypeError, match="dtype"):
        np.sum(t, 0, np.float32)
    np.testing.assert_allclose(np.std(t, 0, None, None, 1).data, np.std(X, 0, ddof=1))


DEFAULTS: list[tuple[str, Callable[[Any], Any]]] = [
    ("dtype", lambda t: np.sum(t, dtype=None)),
    ("out", lambda t: np.sum(t, out=None)),
    ("axis and out", lambda t: np.mean(t, axis=1, out=None, keepdims=True)),
    ("initial", lambda t: np.max(t, initial=np._NoValue)),
]


@pytest.mark.parametrize(("option", "call"), DEFAULTS, ids=[name for name, _ in DEFAULTS])
def test_option_at_its_default_is_no_option(option, call):
    np.testing.assert_allclose(call(tracked()).data, call(X))


REFUSED: list[tuple[str, Callable[[Tensor], Any], str]] = [
    ("out of a ufunc", lambda t: np.sin(t, out=np.empty((2, 3))), r"np\.sin\(out=\.\.\.\).*use the result"),
    ("out of a ufunc, a tensor", lambda t: np.sin(X, out=t), r"np\.sin\(out=\.\.\.\).*use the result"),
    ("out of a function", lambda t: np.sum(t, out=np.empty(())), r"np\.sum\(out=\.\.\.\)"),
    ("where of a ufunc", lambda t: np.add(t, 1, where=X > 0), r"np\.add\(where=\.\.\.\).*np\.where"),
    ("where of a function", lambda t: np.sum(t, where=X > 0), r"np\.sum\(where=\.\.\.\)"),
    ("dtype of a ufunc", lambda t: np.add(t, 1, dtype=np.float32), r"np\.add\(dtype=\.\.\.\).*astype"),
    ("initial", lambda t: np.sum(t, initial=1.0), r"np\.sum\(initial=\.\.\.\)"),
    ("reduce", np.add.reduce, r"np\.add\.reduce.*np\.sum"),
    ("accumulate", np.add.accumulate, r"np\.add\.accumulate.*np\.cumsum"),
    ("outer", lambda t: np.multiply.outer(t, t), r"np\.multiply\.outer.*\[:, None\]"),
    ("at", lambda t: np.add.at(t, [0], 1.0), r"np\.add\.at.*item assignment"),
    ("at of an array", lambda t: np.add.at(X.copy(), [0], t[0]), r"np\.add\.at.*item assignment"),
    ("reduceat", lambda t: np.add.reduceat(t, [0, 1]), r"np\.add\.reduceat"),
    ("a function we do not have", np.unwrap, r"np\.unwrap is not available for Tensors: .*"),
    ("a ufunc we do not have", np.spacing, r"np\.spacing is not available for Tensors: .*"),
    ("a function that writes", lambda t: np.copyto(X.copy(), t), r"np\.copyto is not available for Tensors: .*"),
]


@pytest.mark.parametrize(("call", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused_with_what_to_use_instead(call, message):
    with pytest.raises(TypeError, match=message):
        call(tracked())


AUGMENTED = [
    (operator.iadd, r"\+"),
    (operator.isub, "-"),
    (operator.imul, r"\*"),
    (operator.itruediv, "/"),
    (operator.ipow, r"\*\*"),
]


@pytest.mark.parametrize(("function", "symbol"), AUGMENTED, ids=[f.__name__ for f, _ in AUGMENTED])
def test_array_cannot_take_a_tensor_in_place(function, symbol):
    array = X.copy()
    with pytest.raises(TypeError, match=rf"array {symbol}= tensor.*write `result = array {symbol} tensor`"):
        function(array, tracked())
    np.testing.assert_array_equal(array, X)


def test_array_takes_the_value_of_an_untracked_tensor_by_assignment():
    array = X.copy()
    array[0] = Tensor(X[1])
    np.testing.assert_array_equal(array[0], X[1])
    with pytest.raises((TypeError, ValueError)):
        array[0] = tracked(X[1])


def test_no_recursion_into_numpy():
    """A refused function, a wrong argument and an unknown type end in an error of their own, not in a deep stack."""
    t = tracked()
    for call in (
        lambda: np.unwrap(p=t),
        lambda: np.linalg.eig(a=t),
        lambda: np.sum(a=t, axis=7),
        lambda: np.concatenate([[t, t], [t]]),
        lambda: np.array([t, t]),
    ):
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        assert not isinstance(caught.value, RecursionError)
        assert len(caught.traceback) < 20


def test_functions_without_a_derivative_give_tensors_without_a_gradient():
    t = tracked()
    for function in (np.sign, np.floor, np.isnan, np.argmax, np.argsort, np.round):
        y = function(t)
        assert type(y) is Tensor
        assert not y.requires_grad
        np.testing.assert_array_equal(y.data, function(X))


MASKS = {
    "isclose": (lambda t: t * np.isclose(t, 2.0), [5.0, 2.0], [0.0, 2.0]),
    "isin": (lambda t: t * np.isin(t, [2.0, 7.0]), [5.0, 2.0], [0.0, 2.0]),
    "isposinf": (lambda t: np.where(np.isposinf(t), 0.0, t), [np.inf, 2.0], [0.0, 2.0]),
    "isneginf": (lambda t: np.where(np.isneginf(t), 0.0, t), [-np.inf, 2.0], [0.0, 2.0]),
    "isnan": (lambda t: np.where(np.isnan(t), 0.0, t), [np.nan, 2.0], [0.0, 2.0]),
    "nanargmax": (lambda t: t[np.nanargmax(t)], [5.0, 2.0], 5.0),
    "nanargmin": (lambda t: t[np.nanargmin(t)], [5.0, 2.0], 2.0),
    "argmax": (lambda t: t[np.argmax(t)], [5.0, 2.0], 5.0),
    "argpartition": (lambda t: t[np.argpartition(t, 0)], [5.0, 2.0], [2.0, 5.0]),
    "flatnonzero": (lambda t: t[np.flatnonzero(t > 3)], [5.0, 2.0], [5.0]),
    "nonzero": (lambda t: t[np.nonzero(t > 3)], [5.0, 2.0], [5.0]),
    "argwhere": (lambda t: t[np.argwhere(t > 3)], [5.0, 2.0], [[5.0]]),
    "searchsorted": (lambda t: t * np.searchsorted([1.0, 3.0], t), [5.0, 2.0], [10.0, 2.0]),
    "digitize": (lambda t: t * np.digitize(t, [1.0, 3.0]), [5.0, 2.0], [10.0, 2.0]),
    "count_nonzero": (lambda t: t * np.count_nonzero(t > 1), [0.5, 2.0], [0.5, 2.0]),
    "any": (lambda t: t * np.any(t > 4.5), [5.0, 2.0], [5.0, 2.0]),
}


@pytest.mark.parametrize(("function", "values", "expected"), MASKS.values(), ids=MASKS)
def test_masks_and_indices_are_computed_anew_when_a_graph_is_evaluated(function, values, expected):
    """None is detached in silence: it is recorded, or the function is refused."""
    t = tracked(np.array([2.0, 4.0]))
    try:
        y = function(t)
    except TypeError as error:
        assert "is not available for Tensors" in str(error)  # noqa: PT017
        return
    np.testing.assert_array_equal(ag.graph(y).evaluate({t: values}), expected)


def test_shape_functions_read():
    t = tracked()
    assert np.shape(t) == (2, 3)
    assert np.ndim(t) == 2
    assert np.size(t) == 6
    assert np.size(t, 1) == 3


def test_raw_arrays_stay_raw():
    assert type(ag.tanh(X)) is np.ndarray
    assert type(ag.add(X, 1.0)) is np.ndarray
    assert type(ag.multiply(2.0, 3.0)) is np.float64

"""Equations: the lecture's lines, simplification, and that the numbers are the engine's."""

from __future__ import annotations

import inspect
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import settings

import autograd
from autograd import Tensor
from autograd.view.equations import Equations
from autograd.view.snapshot import Snapshot
from autograd.view.symbols import ASCII, LATEX
from tests.view import rows
from tests.view.random_graphs import computations


def equations(*outputs: Tensor, **options: Any) -> Equations:
    return Equations(Snapshot(autograd.graph(*outputs)), **options)


def assert_numbers_are_the_engines(loss: Tensor, tensors: list[Tensor]) -> None:
    """Compare the right sides, evaluated, and the values shown with the engine's values and bars."""
    loss.backward()
    values = {t._node: t.data for t in tensors if t._node is not None}
    bars = {t._node: t.bar for t in tensors if t._node is not None and t.requires_grad}
    graph = autograd.graph(loss)
    nodes = list(graph)
    lines = Equations(Snapshot(graph))
    compared = 0
    for line in lines:
        node = nodes[line.quantity.number - 1]
        known = bars if line.bar else values
        if node not in known:
            continue
        expected = known[node]
        scale = 1 + np.max(np.abs(expected), initial=0)
        np.testing.assert_allclose(line.value, expected, rtol=1e-9, atol=1e-12 * scale, err_msg=repr(line))
        np.testing.assert_allclose(line.evaluated(), expected, rtol=1e-8, atol=1e-10 * scale, err_msg=repr(line))
        assert line.latex().count("{") == line.latex().count("}")
        compared += 1
    assert compared >= 2


@settings(max_examples=200, deadline=None)
@hypothesis.given(computations())
def test_numbers_first_order(compute: Any) -> None:
    with autograd.record():
        loss, tensors = compute()
    assert_numbers_are_the_engines(loss, tensors)


@settings(max_examples=200, deadline=None)
@hypothesis.given(computations(steps=5))
def test_numbers_second_order(compute: Any) -> None:
    with autograd.record():
        loss, tensors = compute()
        leaves = [t for t in tensors if t.is_leaf and t.requires_grad]
        first = autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        used = [g for g in first if g is not None and g.requires_grad]
        if not used:
            return
        second = sum(((g * g).sum() for g in used), Tensor(0.0)).named("S")
    if second.requires_grad:
        assert_numbers_are_the_engines(second, [*tensors, *used, second])


# --- The lecture's lines -----------------------------------------------------------------------------------


LINES = {
    "A3": (
        lambda: rows.logistic(penalty=False),
        """
        z = w x + b = (2)(1) + 0.5 = 2.5
        y = sigma(z) = 0.9241
        L = (y - t)^2 / 2 = (0.9241 - 1)^2 / 2 = 0.0029
        Lbar = 1
        ybar = Lbar (y - t) = (1)(0.9241 - 1) = -0.0759
        zbar = ybar sigma'(z) = (-0.0759)(0.0701) = -0.0053
        wbar = zbar x = (-0.0053)(1) = -0.0053
        bbar = zbar = -0.0053
        """,
    ),
    "A4": (
        lambda: rows.logistic(penalty=True),
        """
        z = w x + b = (2)(1) + 0.5 = 2.5
        y = sigma(z) = 0.9241
        L = (y - t)^2 / 2 = (0.9241 - 1)^2 / 2 = 0.0029
        R = w^2 / 2 = 2^2 / 2 = 2
        Lreg = L + lambda R = 0.0029 + (0.1)(2) = 0.2029
        Lregbar = 1
        Rbar = Lregbar lambda = (1)(0.1) = 0.1
        Lbar = Lregbar = 1
        ybar = Lbar (y - t) = (1)(0.9241 - 1) = -0.0759
        zbar = ybar sigma'(z) = (-0.0759)(0.0701) = -0.0053
        wbar = zbar x + Rbar w = (-0.0053)(1) + (0.1)(2) = 0.1947
        bbar = zbar = -0.0053
        """,
    ),
    "A5": (
        lambda: rows.composition(1.0),
        """
        x = cos(t) = 0.5403
        y = t^2 = 1^2 = 1
        f = y + e^(x y) = 1 + 1.7165 = 2.7165
        fbar = 1
        ybar = fbar e^(x y) x + fbar = (1)(1.7165)(0.5403) + 1 = 1.9274
        xbar = fbar e^(x y) y = (1)(1.7165)(1) = 1.7165
        tbar = -xbar sin(t) + 2 ybar t = -(1.7165)(0.8415) + 2 (1.9274)(1) = 2.4105
        """,
    ),
    "A6": (
        lambda: rows.softmax_regression(fused=False),
        """
        z = W x + b = [0.1, 1, 0.6]
        y = softmax(z) = [0.1958, 0.4815, 0.3228]
        L = -sum(t * log(y)) = 0.7309
        Lbar = 1
        ybar = -Lbar t / y = [0, -2.0769, 0]
        zbar = y * (ybar - sum(ybar * y)) = [0.1958, -0.5185, 0.3228]
        Wbar = zbar x^T = [[0.1958, 0.3915], [-0.5185, -1.037], [0.3228, 0.6455]]
        bbar = zbar = [0.1958, -0.5185, 0.3228]
        """,
    ),
    "A6 fused": (
        lambda: rows.softmax_regression(fused=True),
        """
        z = W x + b = [0.1, 1, 0.6]
        L = softmax_cross_entropy(z, t, axis=0) = 0.7309
        Lbar = 1
        zbar = Lbar (softmax(z) - t) = [0.1958, -0.5185, 0.3228]
        Wbar = zbar x^T = [[0.1958, 0.3915], [-0.5185, -1.037], [0.3228, 0.6455]]
        bbar = zbar = [0.1958, -0.5185, 0.3228]
        """,
    ),
    "A7": (
        rows.perceptron,
        """
        z = W1 x + b1 = [0.5, -0.4]
        h = sigma(z) = [0.6225, 0.4013]
        y = W2 h + b2 = [0.1704, 0.6568]
        L = sum (t - y)^2 / 2 = 0.5598
        Lbar = 1
        ybar = Lbar (y - t) = [-0.8296, 0.6568]
        W2bar = ybar h^T = [[-0.5164, -0.3329], [0.4088, 0.2636]]
        b2bar = ybar = [-0.8296, 0.6568]
        hbar = W2^T ybar = [0.045, 1.0232]
        zbar = hbar * sigma'(z) = [0.0106, 0.2458]
        W1bar = zbar x^T = [[0.0106, 0.0211], [0.2458, 0.4916]]
        b1bar = zbar = [0.0106, 0.2458]
        """,
    ),
}


@pytest.mark.parametrize("keepdims", [False, True], ids=["vector", "batch"])
def test_a6_of_exponentials_prints_the_softmax_rule(keepdims: bool) -> None:
    z = named("z", [[0.1, 1.0, 0.6], [0.3, 0.4, 1.0]] if keepdims else [0.1, 1.0, 0.6])
    t = rows.given("t", [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]] if keepdims else [0.0, 1.0, 0.0])
    e = np.exp(z)
    y = (e / e.sum(axis=1, keepdims=True) if keepdims else e / e.sum()).named("y")
    lines = equations((-(t * np.log(y)).sum()).named("L"))
    axis = "_1" if keepdims else ""
    assert lines["y"].text(ASCII, numbers=False) == f"y = e^z / (sum{axis} e^z)"
    assert lines["zbar"].text(ASCII, numbers=False) == f"zbar = y * (ybar - sum{axis}(ybar * y))"
    np.testing.assert_allclose(lines["zbar"].evaluated(), lines["y"].value - t.data, rtol=1e-12)


@pytest.mark.parametrize(
    ("scores", "labels", "axis", "expected"),
    [
        ((4, 3), np.array([0, 2, 1, 1]), 1, "zbar = Lbar (softmax(z) - onehot(t)) / 4"),
        ((3,), 1, 0, "zbar = Lbar (softmax(z) - onehot(1))"),
        ((1, 3), np.array([2]), 1, "zbar = Lbar (softmax(z) - onehot(t))"),
    ],
)
def test_fused_loss_of_labels(scores: Any, labels: Any, axis: int, expected: str) -> None:
    z = named("z", np.random.default_rng(0).normal(size=scores))
    loss = autograd.softmax_cross_entropy(z, labels, axis=axis).mean().named("L")
    lines = Equations(Snapshot(autograd.graph(loss, names={"t": labels})))
    assert lines["zbar"].text(ASCII, numbers=False) == expected
    np.testing.assert_allclose(lines["zbar"].evaluated(), lines["zbar"].value, rtol=1e-12)


def test_a_minus_before_a_negative_number() -> None:
    lines = equations((-named("a", -10.0)).named("L"))
    assert lines["L"].text(ASCII) == "L = -a = -(-10) = 10"


def test_names_that_a_session_gives_do_not_count() -> None:
    w = Tensor(2.0, requires_grad=True)
    loss = w * 3.0
    graph = autograd.graph(loss, names={"_": w, "_12": loss, "w": w})
    assert graph.text(unicode=False).splitlines() == ["v3 = 3 w = 3 (2) = 6", "v3bar = 1", "wbar = 3 v3bar = 3 (1) = 3"]


def test_looking_at_what_is_not_finite_is_silent() -> None:
    with np.errstate(all="ignore"):
        loss = -np.log(1.0 - autograd.sigmoid(named("z", 40.0)))
    graph = autograd.graph(loss.named("L"))
    assert "zbar = " in graph.text(unicode=False)  # warnings are errors here
    assert r"\infty" in graph.latex()


def test_functions_that_latex_has_a_command_for() -> None:
    x = Tensor([0.5, 0.2], requires_grad=True).named("x")
    for function in (np.sin, np.cos, np.tan, np.tanh, np.log, np.max):
        name = function.__name__.removeprefix("a")
        assert f"\\{name}\\left(x\\right)" in autograd.graph(function(x).sum().named("L")).latex()
    assert "\\operatorname{softplus}" in autograd.graph(autograd.softplus(x).sum()).latex()


@pytest.mark.parametrize(
    ("name", "written", "bar"),
    [
        ("\\frac", r"\mathrm{{\backslash}frac}", r"\overline{\mathrm{{\backslash}frac}}"),
        ("λ", r"\lambda", r"\bar{\lambda}"),
        ("λ1", r"\lambda_{1}", r"\bar{\lambda}_{1}"),
        ("Σ", r"\mathrm{{\Sigma}}", r"\overline{\mathrm{{\Sigma}}}"),
        ("a\nb", r"\mathrm{a b}", r"\overline{\mathrm{a b}}"),
        ("~a^2", r"\mathrm{{\sim}a{\wedge}2}", r"\overline{\mathrm{{\sim}a{\wedge}2}}"),
    ],
)
def test_names_in_latex(name: str, written: str, bar: str) -> None:
    assert LATEX.name(name) == written
    assert LATEX.name(name, bar=True) == bar


def test_an_input_of_ones_is_no_number() -> None:
    w = Tensor([[2.0], [3.0]], requires_grad=True).named("w")
    assert autograd.graph((Tensor(np.ones((4, 2))) @ w).sum().named("L")).text().startswith("L = Σ(v₂ w) = 20")


def test_a_name_stays_on_its_line() -> None:
    graph = autograd.graph((Tensor(2.0, requires_grad=True).named("a\nb") ** 2).named("L"))
    assert graph.text().splitlines()[0] == "L = a b² = 2² = 4"
    assert len(graph.text().splitlines()) == 3


def test_signs_in_latex() -> None:
    a, b = named("a", 2.0), named("b", 3.0)
    with autograd.record():
        signs = {name: compare.named(name) for name, compare in zip("npqrs", (a != b, a >= b, a <= b, a == b, a > b))}
        power = (a**b).named("u")
    latex = {name: Equations(Snapshot(autograd.graph(found))).forward[-1].latex() for name, found in signs.items()}
    assert latex["n"] == r"n &= a \neq b = \text{True}"
    assert latex["p"] == r"p &= a \geq b = \text{False}"
    assert latex["q"] == r"q &= a \leq b = \text{True}"
    assert latex["r"] == r"r &= a \stackrel{?}{=} b = \text{False}"
    assert latex["s"] == r"s &= a > b = \text{False}"
    assert equations(power)["abar"].latex(numbers=False) == r"\bar{a} &= \bar{u} b a^{b - 1}"
    assert equations(a / (b + 1))["abar"].latex(numbers=False) == r"\bar{a} &= \frac{\bar{v}_{5}}{b + 1}"


@pytest.mark.parametrize("row", LINES)
def test_the_lectures_lines(row: str) -> None:
    compute, expected = LINES[row]
    lines = equations(compute())
    assert lines.text(ASCII).splitlines() == inspect.cleandoc(expected).splitlines()
    for line in lines:
        np.testing.assert_allclose(line.evaluated(), line.value, rtol=1e-12)


def test_a6_zbar_is_y_minus_t() -> None:
    lines = equations(rows.softmax_regression(fused=False))
    y, t = lines["y"].value, np.array([0.0, 1.0, 0.0])
    np.testing.assert_allclose(lines["zbar"].value, y - t, rtol=1e-12)
    np.testing.assert_allclose(equations(rows.softmax_regression(fused=True))["zbar"].value, y - t, rtol=1e-12)


def test_a7_by_index_agrees_with_matrices() -> None:
    matrices, scalars = equations(rows.perceptron()), equations(rows.perceptron_by_index())
    for i in (1, 2):
        np.testing.assert_allclose(scalars[f"z{i}bar"].value, matrices["zbar"].value[i - 1], rtol=1e-12)
        for j in (1, 2):
            np.testing.assert_allclose(scalars[f"w_{i}{j}bar"].value, matrices["W2bar"].value[i - 1, j - 1], rtol=1e-12)
            np.testing.assert_allclose(scalars[f"v_{i}{j}bar"].value, matrices["W1bar"].value[i - 1, j - 1], rtol=1e-12)
    assert scalars["h1bar"].text(ASCII) == "h1bar = y1bar w_11 + y2bar w_21 = (-0.8296)(0.5) + (0.6568)(0.7) = 0.045"


def test_matrix_products_as_scalar_sums() -> None:
    lines = equations(rows.perceptron())
    assert lines["z"].text(ASCII, indexed=True, numbers=False) == "z[i] = sum[j] W1[i,j] x[j] + b1[i]"
    assert lines["W2bar"].text(ASCII, indexed=True, numbers=False) == "W2bar[i,j] = ybar[i] h[j]"
    assert lines["hbar"].text(ASCII, indexed=True, numbers=False) == "hbar[i] = sum[j] ybar[j] W2[j,i]"
    assert lines["h"].text(ASCII, indexed=True, numbers=False) == "h[i] = sigma(z[i])"
    assert lines["zbar"].text(ASCII, indexed=True, numbers=False) == "zbar[i] = hbar[i] sigma'(z[i])"
    assert lines["ybar"].text(ASCII, indexed=True, numbers=False) == "ybar[i] = Lbar (y[i] - t[i])"
    assert lines["L"].text(ASCII, indexed=True, numbers=False) == "L = sum[i] (t[i] - y[i])^2 / 2"


# --- Simplification ----------------------------------------------------------------------------------------

SCALARS = {name: 0.5 + 0.25 * place for place, name in enumerate("abcd")}


def bars_of(compute: Any, **options: Any) -> str:
    """Return the lines of bars, without numbers, of a loss computed from scalars a, b, c, d."""
    leaves = {name: named(name, value) for name, value in SCALARS.items()}
    arguments = [leaves[name] for name in inspect.signature(compute).parameters]
    lines = equations(compute(*arguments).named("L"), **options).backward
    return "; ".join(line.text(ASCII, numbers=False) for line in lines[1:])


named = rows.named


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda a: a + 0.0, "abar = Lbar"),
        (lambda a: 1.0 * a, "abar = Lbar"),
        (lambda a: a - a, "abar = 0"),
        (lambda a: a + a, "abar = 2 Lbar"),
        (lambda a: a * a * a, "abar = 3 Lbar a^2"),
        (lambda a: a**1.5, "abar = 1.5 Lbar a^0.5"),
        (lambda a: a**-2, "abar = -2 Lbar / a^3"),
        (lambda a, b: a / b, "abar = Lbar / b; bbar = -Lbar L / b"),
        (lambda a: 1 / a, "abar = -Lbar L / a"),
        (lambda a: a / 3, "abar = Lbar / 3"),
        (lambda a: 2 * a / 3, "abar = 2 Lbar / 3"),
        (lambda a: np.negative(-a), "abar = Lbar"),
        (lambda a, b: -(a - b), "abar = -Lbar; bbar = Lbar"),
        (lambda a, b: (a - b) ** 2, "abar = 2 Lbar (a - b); bbar = 2 Lbar (b - a)"),
        (lambda a, b: (a + b) * (a - b), "abar = Lbar (a - b) + Lbar (a + b); bbar = Lbar (a - b) - Lbar (a + b)"),
        (lambda a: np.exp(a), "abar = Lbar L"),
        (lambda a: np.exp(a * a), "abar = 2 Lbar L a"),
        (lambda a: np.log(a), "abar = Lbar / a"),
        (lambda a: np.log(np.exp(a)), "abar = Lbar"),
        (lambda a: np.sin(a), "abar = Lbar cos(a)"),
        (lambda a: np.sqrt(a), "abar = Lbar / (2 L)"),
        (lambda a: np.tanh(a), "abar = Lbar tanh'(a)"),
        (lambda a: autograd.sigmoid(2 * a), "abar = 2 Lbar sigma'(2 a)"),
        (lambda a: autograd.softplus(a), "abar = Lbar sigma(a)"),
        (lambda a, b: np.hypot(a, b), "abar = Lbar a / L; bbar = Lbar b / L"),
        (lambda a, b: a**b, "abar = Lbar b a^(b - 1); bbar = Lbar L log(a)"),
        (
            lambda a, b, c, d: a * b * c * d,
            "abar = Lbar d c b; bbar = Lbar d c a; cbar = Lbar d a b; dbar = Lbar a b c",
        ),
    ],
)
def test_bars_as_a_person_would_write_them(compute: Any, expected: str) -> None:
    assert bars_of(compute) == expected


def test_derivatives_written_out() -> None:
    assert bars_of(lambda a: autograd.sigmoid(a), expand=True) == "abar = Lbar L (1 - L)"
    assert bars_of(lambda a: np.tanh(a), expand=True) == "abar = Lbar (1 - L^2)"


@pytest.mark.parametrize(
    "compute", [lambda a: a**1e9, lambda a: a * 1e308 * 1e308, lambda a: (2.0 * a) ** 1e6, lambda a: a + np.inf]
)
def test_extreme_constants(compute: Any) -> None:
    with np.errstate(all="ignore"):
        assert bars_of(compute)


def arrays(compute: Any) -> str:
    """Return the lines of bars, without numbers, of a loss computed from x (3), A (2, 3), B (3, 4), X (5, 3)."""
    rng = np.random.default_rng(0)
    shapes = {"x": (3,), "y": (3,), "A": (2, 3), "B": (3, 4), "X": (5, 3), "b": (2,), "s": ()}
    names = list(inspect.signature(compute).parameters)
    lines = equations(compute(*(named(n, rng.normal(size=shapes[n])) for n in names)).named("L")).backward
    for line in lines:
        np.testing.assert_allclose(line.evaluated(), line.value, rtol=1e-9)
    return "; ".join(line.text(ASCII, numbers=False) for line in lines if line.quantity.operation is None)


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda x: x.sum(), "xbar = Lbar ones"),
        (lambda x: x.mean(), "xbar = Lbar ones / 3"),
        (lambda x, y: x @ y, "xbar = Lbar y; ybar = Lbar x"),
        (lambda x, y: (x * y).sum(), "xbar = Lbar y; ybar = Lbar x"),
        (lambda x: (x * x).sum(), "xbar = 2 Lbar x"),
        (lambda A, x: (A @ x).sum(), "Abar = Lbar ones x^T; xbar = Lbar sum_0 A"),
        (lambda A, x: ((A @ x) ** 2).sum(), "Abar = 2 Lbar A x x^T; xbar = 2 Lbar A^T A x"),
        (lambda A, B: (A @ B).sum(), "Abar = Lbar ones (sum_1 B)^T; Bbar = Lbar (sum_0 A) ones^T"),
        (lambda A: (A.T * 1.0).sum(axis=0)[0], "Abar = scatter_add(Lbar, index=0) ones^T"),
        (
            lambda X, A, b: ((X @ A.T + b) ** 2).sum() / 2,
            "Xbar = Lbar (X A^T + b) A; Abar = Lbar (X A^T + b)^T X; bbar = Lbar sum_0(X A^T + b)",
        ),
        (lambda s, x: (s * x).sum(), "sbar = Lbar sum x; xbar = Lbar s ones"),
        (lambda x: (x / x.sum()).max() * 0 + (x[:, None] * x[None, :]).sum(), None),
        (lambda A: np.einsum("ij,kj->ik", A, A).sum(), "Abar = 2 Lbar ones (sum_0 A)^T"),
    ],
)
def test_bars_of_arrays_as_a_person_would_write_them(compute: Any, expected: str | None) -> None:
    found = arrays(compute)
    assert expected is None or found == expected

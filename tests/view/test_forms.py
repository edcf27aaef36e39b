"""All forms of random computations: none raises, all say the same."""

from __future__ import annotations

import json
import time
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

import autograd
from autograd import Tensor
from autograd.view.forms import View
from tests.view import rows
from tests.view.random_graphs import computations

_SETTINGS = hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)


@_SETTINGS
@hypothesis.given(computations(), st.booleans(), st.booleans())
def test_no_form_raises_and_all_have_every_line(monkeypatch: Any, compute: Any, recording: bool, swept: bool) -> None:
    monkeypatch.setattr("autograd.view.page.svg", lambda source, **options: f"<svg>{len(source)}</svg>")
    if recording:
        with autograd.record():
            loss, tensors = compute()
    else:
        loss, tensors = compute()
    if swept:
        loss.backward()
    graph = autograd.graph(loss)
    view = View(graph)
    lines = list(view.equations())
    assert len(view.text().splitlines()) == len(lines)
    assert len(view.text(unicode=False, indexed=True, expand=True).splitlines()) >= len(lines)
    assert view.latex().count("&=") == len(lines)
    assert view.markdown().count("\n") == len(lines) + 3
    view.text(unicode=False).encode("ascii")
    for show in ("forward", "backward", "both"):
        assert view.dot(show=show).startswith("digraph")
    assert view.dot(constants=False, collapse=True, budget=5).startswith("digraph")
    page = view.html(check=False)
    trace = page.partition('id="trace">')[2].partition("</script>")[0]
    assert len(json.loads(trace)["steps"]) >= len(lines)
    for tensor in tensors:
        answer = graph.why(tensor)
        assert str(answer)
        if tensor._node in graph.nodes and answer.kind == "zero":
            assert not np.any(view.replay.bars[graph.number(tensor._node)])


@_SETTINGS
@hypothesis.given(computations())
def test_shares_add_up_to_bars(compute: Any) -> None:
    loss, _ = compute()
    view = View(autograd.graph(loss))
    for quantity in view.snapshot.quantities:
        shares = [s for (c, i), s in view.replay.shares.items() if view.snapshot[c].parents[i] == quantity.number]
        if (
            quantity.number in view.replay.bars
            and quantity.number not in view.snapshot.outputs
            and not isinstance(quantity.dtype, tuple)
        ):
            np.testing.assert_allclose(sum(shares), view.replay.bars[quantity.number], rtol=1e-9, atol=1e-12)


# --- A tensor in a notebook --------------------------------------------------------------------------------


def test_a_tensor_in_a_notebook_is_its_text_and_what_it_comes_from() -> None:
    loss = rows.logistic(penalty=True)
    shown = loss._repr_html_()
    assert shown is not None
    assert "<pre>Tensor(0.20287723" in shown
    assert "a number, float64" in shown
    assert '<details><summary>Computed from</summary><img alt="computation graph" src="data:image/svg+xml;' in shown
    assert "<script" not in shown
    leaf = Tensor([[1.0, 2.0]], requires_grad=True).named("<a>")
    assert leaf._repr_html_() == (
        "<pre>Tensor([[1., 2.]], name=&#x27;&lt;a&gt;&#x27;, requires_grad=True)</pre><p>1 × 2, float64</p>"
    )


def test_a_tensor_in_a_notebook_is_small_and_soon_there() -> None:
    x = Tensor(np.ones((1000, 100)), requires_grad=True)
    for _ in range(5_000):
        x = -x
    start = time.perf_counter()
    shown = x._repr_html_()
    assert time.perf_counter() - start < 0.5
    assert shown is not None
    assert len(shown) < 2_000
    assert "<img" not in shown


def test_a_tensor_in_a_notebook_never_raises(monkeypatch: Any, tmp_path: Any) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise ZeroDivisionError

    y = Tensor(2.0, requires_grad=True) * 3.0
    with monkeypatch.context() as patch:
        patch.setattr("autograd.view.snapshot.Snapshot.__init__", fail)
        assert y._repr_html_() == "<pre>Tensor(6., operation=multiply)</pre><p>a number, float64</p>"
    with monkeypatch.context() as patch:
        patch.setattr("numpy.array2string", fail)
        assert y._repr_html_() is None


def test_looking_at_a_tensor_records_nothing() -> None:
    with autograd.record() as recorded:
        y = Tensor(2.0, requires_grad=True) * 3.0
        y._repr_html_()
    assert len(recorded) == len(autograd.graph(y))


@pytest.mark.parametrize(
    ("compare", "line"),
    [
        (lambda a, b: a > b, "m = a > b"),
        (lambda a, b: a >= b, "m = a >= b"),
        (lambda a, b: a < b, "m = a < b"),
        (lambda a, b: a <= b, "m = a <= b"),
        (lambda a, b: a == b, "m = a == b"),
        (lambda a, b: a != b, "m = a != b"),
    ],
)
def test_comparisons_are_written_with_their_signs(compare: Any, line: str) -> None:
    a, b = Tensor(1.0, requires_grad=True).named("a"), Tensor(2.0).named("b")
    with autograd.record():
        mask = compare(a, b).named("m")
        product = compare(a + 1.0, b) * a
    assert autograd.graph(mask).text(unicode=False).startswith(line + " = ")
    total = (compare(a, b) + b * 2.0 - compare(b, a)).named("s")
    written = autograd.graph(total, a * 1.0).text(unicode=False)
    sign = line.split()[3]
    assert f"s = (a {sign} b) + 4 - (b {sign} a) = " in written
    assert f"({line[4:].replace('a', 'a + 1', 1)}) a" in autograd.graph(product).text(unicode=False).replace(
        "(a + 1)", "a + 1"
    )


@pytest.mark.parametrize(
    ("index", "written"),
    [
        (0, "x[0]"),
        ((slice(1, None), slice(None, None, 2)), "x[1:, ::2]"),
        ((Ellipsis, None, -1), "x[..., None, -1]"),
        (np.arange(12).reshape(3, 4) > 3, "x[mask]"),
        ((np.array([0, 1]), 1), "x[array, 1]"),
    ],
)
def test_indices_are_written_as_typed(index: Any, written: str) -> None:
    x = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True).named("x")
    with autograd.record():
        loss = (x[index].named("y") ** 2).sum().named("L")
    loss.backward()
    graph = autograd.graph(loss)
    assert graph.text(unicode=False).startswith(f"y = {written} = ")
    assert f'label="y = {written}\\n' in graph.dot()
    assert graph.text().count("\n") == 4
    assert graph.latex()
    assert graph.html(check=False)
    assert str(graph.why(x))


def test_a_step_with_thousands_of_arguments_takes_time_in_proportion():
    leaves = [Tensor(i % 11 / 10, requires_grad=True) for i in range(10_000)]
    loss = np.stack([np.sin(x) * 0.5 for x in leaves]).sum()
    loss.backward()
    graph = autograd.graph(loss)
    start = time.process_time()
    for form in (graph.dot, graph.text, graph.latex, graph.html):
        assert form()
    assert time.process_time() - start < 15

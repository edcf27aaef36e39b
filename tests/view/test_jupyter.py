"""What JupyterLab shows of a graph and of a tensor: in a notebook that is trusted, and in one that is not.

An untrusted notebook blanks scripts and frames; the picture and the table must still be there.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autograd
from tests.view import rows

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("jupyterlab") is None, reason="needs the extra bargrad[notebooks]: jupyterlab"
)

START_SECONDS = 120
"""What a server, and then a notebook in it, may take on a busy machine."""

TRUSTED, UNTRUSTED = "trusted", "untrusted"


def output(shown: Any, source: str) -> dict[str, Any]:
    """Return a cell with the output that running it would have stored."""
    data = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
    if hasattr(shown, "_repr_svg_"):
        data["image/svg+xml"] = shown._repr_svg_()
    result = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": data}
    return {
        "cell_type": "code",
        "id": source[:5],
        "metadata": {},
        "source": source,
        "execution_count": 1,
        "outputs": [result],
    }


def write_notebook(path: Path) -> None:
    """Write a notebook with stored outputs; no two are equal, since trust is in the contents, not in the file."""
    with autograd.record():
        loss = rows.logistic(penalty=True)
    loss.backward()
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": [output(autograd.graph(loss), f"graph  # {path.stem}"), output(loss, "loss")],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start JupyterLab on two such notebooks, one of them signed; give the address of a notebook, to be filled in."""
    folder = tmp_path_factory.mktemp("notebooks")
    home = tmp_path_factory.mktemp("jupyter")
    places = ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTERLAB_SETTINGS_DIR")
    environment = os.environ | {place: str(home / place.lower()) for place in places}
    for name in (TRUSTED, UNTRUSTED):
        write_notebook(folder / f"{name}.ipynb")
    trust = [sys.executable, "-m", "jupyter", "trust", f"{TRUSTED}.ipynb"]
    subprocess.run(trust, cwd=folder, env=environment, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    options = [
        *("--no-browser", "--allow-root", "--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={folder}"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--IdentityProvider.token={token}"),
    ]
    with (home / "log").open("w+") as log:
        command = [sys.executable, "-m", "jupyter", "lab", *options]
        server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, home / "log")
            yield f"http://127.0.0.1:{port}/lab/workspaces/{{name}}/tree/{{name}}.ipynb?reset&token={token}"
        finally:
            stop(server)


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:  # it waits for its kernels, which take long to start on a busy machine
        server.kill()
        server.wait()


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


class Notebook:
    """A notebook in the browser, with the outputs of its two cells."""

    def __init__(self, browser: Any, address: str, name: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        self.browser = browser
        browser.get(address.format(name=name))
        waiting = WebDriverWait(browser, START_SECONDS)
        waiting.until(lambda _: all(browser.execute_script(_IS_LOADED, image) for image in self.images()))
        waiting.until(lambda _: len(self.images()) == 2)

    def outputs(self) -> list[Any]:
        return self.browser.find_elements("css selector", ".jp-OutputArea-output")

    def images(self) -> list[Any]:
        return self.browser.find_elements("css selector", '.jp-OutputArea-output img[src^="data:image/svg+xml"]')

    def open(self, summary: str) -> Any:
        """Open a `details` by mouse and return it."""
        for found in self.browser.find_elements("css selector", ".jp-OutputArea-output summary"):
            if found.text == summary:
                self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
                found.click()
                return found.find_element("xpath", "..")
        raise LookupError(summary)


_IS_LOADED = "return arguments[0].complete && arguments[0].naturalWidth > 200"


@pytest.mark.parametrize("name", [UNTRUSTED, TRUSTED])
def test_picture_and_table_are_there(browser: Any, lab: str, name: str) -> None:
    notebook = Notebook(browser, lab, name)
    graph_image, tensor_image = notebook.images()
    assert graph_image.is_displayed()
    assert browser.execute_script(_IS_LOADED, graph_image)
    assert "Tensor(0.20287723" in notebook.outputs()[1].text
    assert not tensor_image.is_displayed()
    notebook.open("Computed from")
    assert tensor_image.is_displayed()
    table = notebook.open("All steps").find_element("css selector", "table")
    assert table.is_displayed()
    cells = [cell.text for cell in table.find_elements("css selector", "td")]
    assert "w̄ = z̄ x + R̄ w" in cells
    assert "(−0.0053)(1) + (0.1)(2)" in cells
    assert "0.1947" in cells
    frames = notebook.open("Step by step").find_elements("css selector", "iframe")
    if name == UNTRUSTED:
        assert not any(frame.get_attribute("srcdoc") for frame in frames)
        return
    (frame,) = frames
    browser.switch_to.frame(frame)
    browser.find_element("css selector", "#next").click()
    assert browser.find_element("css selector", "#now").text.endswith("forward pass: v₅ = w x = (2)(1) = 2")
    browser.switch_to.default_content()

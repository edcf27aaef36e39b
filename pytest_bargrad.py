"""A plugin for pytest: the fixture `check_gradients`, and a page for each test that fails by a wrong gradient.

Installing the package registers it. `--gradient-pages=DIRECTORY` says where pages go; an empty one turns them off.

It stands outside of the packages and imports them when they are needed: pytest loads plugins before it measures
coverage, and a plugin that nobody uses should not take time.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest

DIRECTORY = "gradient-pages"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.getgroup("gradients").addoption(
        "--gradient-pages",
        default=DIRECTORY,
        metavar="DIRECTORY",
        help=f"where pages on wrong gradients are saved (default: {DIRECTORY}); empty for nowhere",
    )


@pytest.fixture
def check_gradients() -> Callable[..., Any]:
    """`autograd.testing.check_gradients`: compare a function's derivatives at a point with finite differences."""
    from autograd.testing import check_gradients

    return check_gradients


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save the page of a failed test and say where it is.

    Args:
        item: the test.
        call: how it ended.
    """
    result = yield
    directory = item.config.getoption("--gradient-pages")
    error = None if call.excinfo is None else pictured(call.excinfo.value)
    if error is not None and directory:
        name = re.sub(r"[^\w.-]+", "_", item.nodeid).strip("_")
        path = item.config.invocation_params.dir / directory / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(error.html(), encoding="utf-8")
        result.sections.append(("gradients", f"report, plot and drawing: {path}"))
    return result


def pictured(error: BaseException) -> Any:
    """Return the error with a page that an error is, comes from, or holds (Hypothesis reports several as a group).

    Args:
        error: what a test failed by.
    """
    report = sys.modules.get("autograd.testing.report")
    if report is None:  # then nothing can have raised one
        return None
    if isinstance(error, report.PicturedError):
        return error
    inner = [*getattr(error, "exceptions", ()), error.__cause__, error.__context__]
    return next((found for e in inner if e is not None and (found := pictured(e)) is not None), None)

"""The plugin for pytest, in a pytest of its own."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pytest_bargrad
from autograd.testing import GradientError, Report

ROOT = Path(pytest_bargrad.__file__).parent

pytest_plugins = ["pytester"]

MINE = """
    import numpy as np
    from autograd import primitive
    from autograd.testing import gradients
    from autograd.testing.strategies import arrays

    square = primitive(lambda x: x * x, name="square", x=lambda ybar, x: 2 * ybar * x)
    wrong = primitive(lambda x: x * x, name="wrong", x=lambda ybar, x: 3 * ybar * x)
"""

TWO_LINES = """
    def test_fixture(check_gradients):
        check_gradients(wrong, np.array([0.5, 1.5]))

    test_drawn = gradients(arrays((2,)), examples=5)(wrong)

    @gradients(x=arrays(), examples=5)
    def test_right(x):
        return square(x)

    def test_unrelated():
        assert square(3.0).item() == 10
"""

PROGRAM = """
    from hypothesis import Phase, given, settings
    from autograd.ops import elementwise
    from autograd.testing.programs import check_program
    from autograd.testing.strategies import programs

    @settings(deadline=None, max_examples=300, database=None, derandomize=True, phases=[Phase.generate])
    @given(programs())
    def test_engine(program):
        check_program(program)

    def setup_module():
        elementwise.tanh.primitive.rules["x"] = lambda ybar: ybar
        for plan in elementwise.tanh.primitive._plans.values():
            plan.shares = ((0, lambda bar: bar, None, None),)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on a file with the plugin, as if the package was installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    def run(text, *options):
        pytester.makepyfile(test_mine=text)
        plugin = ("-p", "no:bargrad", "-p", "pytest_bargrad", "-p", "no:cacheprovider")
        return pytester.runpytest_subprocess(*plugin, *options)

    return run


def test_it_is_what_the_package_registers():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"bargrad": "pytest_bargrad"}


def test_it_imports_nothing_of_ours_before_it_is_used():
    code = "import sys, pytest_bargrad; print([m for m in sys.modules if m.split('.')[0] in ('autograd', 'numpy')])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_a_page_for_each_wrong_gradient(run, pytester):
    result = run(MINE + TWO_LINES)
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines([f"report, plot and drawing: {pytester.path}/gradient-pages/*.html"])
    pages = {page.name: page.read_text() for page in (pytester.path / "gradient-pages").iterdir()}
    assert pages.keys() == {"test_mine.py_test_fixture.html", "test_mine.py_test_drawn.html"}
    for page in pages.values():
        assert "operation to blame: wrong" in page
        assert "<svg" in page


def test_pages_elsewhere_or_nowhere(run, pytester):
    run(MINE + TWO_LINES, "--gradient-pages=", "-k", "fixture")
    assert not (pytester.path / "gradient-pages").exists()
    run(MINE + TWO_LINES, "--gradient-pages=build/wrong", "-k", "fixture")
    assert len([*(pytester.path / "build" / "wrong").iterdir()]) == 1


def test_a_page_for_a_program_that_goes_wrong(run, pytester):
    run(PROGRAM).assert_outcomes(failed=1)
    (page,) = (pytester.path / "gradient-pages").iterdir()
    assert "np.tanh(" in page.read_text()
    assert "check_gradients(program, x0" in page.read_text()


def test_an_error_is_found_in_a_group_and_behind_others():
    error = GradientError(Report("f"))
    assert pytest_bargrad.pictured(ExceptionGroup("several", [ValueError(), error])) is error
    other = ValueError()
    other.__cause__ = error
    assert pytest_bargrad.pictured(other) is error
    assert pytest_bargrad.pictured(ValueError()) is None

"""Planted wrong rules are found and blamed on the right operation; right functions are never called wrong."""

import numpy as np
import pytest

from autograd.testing import examine

from . import planted, right


@pytest.mark.parametrize("case", planted.CASES, ids=lambda case: case.name)
def test_a_wrong_rule_is_found_and_blamed(case):
    planted.SEEN.clear()
    report = examine(planted.surrounded(case.ours(), np), *case.inputs)
    assert not report.ok
    assert report.problems[0].kind in case.kinds
    assert report.blame is not None, report
    assert report.blame.operation == "planted"
    assert report.blame.argument in case.arguments
    assert "planted.py:" in report.blame.line


def test_there_are_enough_cases():
    assert len(planted.CASES) >= 25
    assert len(right.CASES) >= 200


@pytest.mark.parametrize("group", ["smooth", "program", "float32", "ill-scaled", "kink"])
def test_what_is_right_is_never_called_wrong(group):
    for case in right.CASES:
        if case.group == group:
            report = examine(case.ours, *case.inputs, seed=len(case.name))
            assert report.ok, f"{case.name}: {report}"
            if group in ("smooth", "program", "float32"):
                assert not report.undecided, case.name
                assert report.accuracy < (0.03 if group == "float32" else 1e-3), case.name

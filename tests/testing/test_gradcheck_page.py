"""The tables of docs/gradcheck.md say what comes out: ours, and torch's gradcheck where torch is installed."""

import warnings

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch stands beside ours in the tables; .ci/run installs it")

from benchmarks import gradcheck

PAGE = gradcheck.PAGE.read_text()


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # torch warns of float32
        yield


def test_faults():
    rows = gradcheck.faults()
    assert "\n".join(gradcheck.table_of_faults(rows)) in PAGE
    assert all(ours == "found, rule named" for _, ours, _ in rows)


def test_false_alarms():
    rows = gradcheck.false_alarms()
    assert "\n".join(gradcheck.table_of_alarms(rows)) in PAGE
    assert sum(count for _, count, _, _ in rows) >= 200
    assert not any(ours for _, _, ours, _ in rows)

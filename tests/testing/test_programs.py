"""Random programs find faults of the engine and shrink to a few lines; without a fault they agree with NumPy."""

import os

import pytest
from hypothesis import HealthCheck, find, given, settings

from autograd.testing import GradientError
from autograd.testing.programs import check_program
from autograd.testing.strategies import programs

from .faults import BUFFERS, FAULTS

FULL = os.environ.get("BARGRAD_TEST_FULL") == "1"


@settings(max_examples=1000 if FULL else 100, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(max_operations=15))
def test_programs_agree_with_numpy_and_differences(program):
    check_program(program)


def is_wrong(program):
    BUFFERS.clear()
    try:
        check_program(program)
    except (AssertionError, ValueError, IndexError):
        return True
    return False


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_engine_is_found_and_shrunk(name):
    options = settings(max_examples=500, deadline=None, database=None, derandomize=True)
    with FAULTS[name]():
        smallest = find(programs(max_operations=10), is_wrong, settings=options)
        print(name, smallest)
        assert len(smallest) <= 5
    check_program(smallest)  # it was the fault, not the program


def test_a_program_prints_as_python_that_runs():
    with FAULTS["fan-out: the last contribution wins"]():
        options = settings(max_examples=500, deadline=None, database=None, derandomize=True)
        smallest = find(programs(), is_wrong, settings=options)
        with pytest.raises(GradientError):
            exec(repr(smallest), {})
    exec(repr(smallest), {})
    assert len(smallest.graph()) >= len(smallest)

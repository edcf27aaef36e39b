"""What importing the package sets for the process (autograd/process.py), each time in a fresh interpreter."""

import os
import platform
import subprocess
import sys

import pytest

from autograd import process

GC = "import gc; before = gc.get_threshold(); import autograd; print(*before, *gc.get_threshold())"
FAULTS = """
import resource
import numpy as np
import autograd

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def step():
    return [np.ones(1_000_000) for _ in range(6)]

for _ in range(3):
    step()
before = faults()
for _ in range(10):
    step()
print(faults() - before)
"""


def run(code, **environment):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_", "BARGRAD_"))}
    found = subprocess.run(
        [sys.executable, "-c", code], env=own | environment, capture_output=True, text=True, check=True
    )
    return [int(number) for number in found.stdout.split()]


def test_the_collector_looks_less_often():
    *before, young, middle, old = run(GC)
    assert (young, middle, old) == process.THRESHOLDS[tuple(before)]


def test_nothing_is_set_where_the_environment_says_so():
    *before, young, middle, old = run(GC, BARGRAD_PROCESS="0")
    assert before == [young, middle, old]
    assert tuple(before) in process.THRESHOLDS


@pytest.mark.parametrize("own", [(0, 10, 10), (123_456, 10, 10), (700, 11, 10), (700, 10, 9)])
def test_thresholds_of_the_users_own_are_left_alone(own):
    code = f"import gc; gc.set_threshold(*{own}); import autograd; print(*gc.get_threshold())"
    assert run(code) == [*own]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the setting is one of glibc's")
def test_freed_arrays_are_used_again():
    (kept,) = run(FAULTS)
    (returned,) = run(FAULTS, BARGRAD_PROCESS="0")
    assert kept < 10
    assert returned > 60  # more than a page for each array, even with huge pages


@pytest.mark.parametrize(
    ("name", "value", "own"),
    [
        ("MALLOC_MMAP_THRESHOLD_", "65536", True),
        ("GLIBC_TUNABLES", "glibc.malloc.trim_threshold=1", True),
        ("GLIBC_TUNABLES", "glibc.rtld.nns=4", False),
    ],
)
def test_an_allocator_of_the_users_own_is_left_alone(monkeypatch, name, value, own):
    for known in ("MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(known, raising=False)
    monkeypatch.setenv(name, value)
    assert process._allocator_is_set() == own

"""What a spec of an operation says: its value in NumPy, where to try it, and how often it can be differentiated.

Every primitive, and every public function made of primitives, has an entry in one of the modules beside this
one (`SPECS`); tests/test_specs.py runs all checks on each entry and fails where one is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FLOATS = (np.float16, np.float32, np.float64)


@dataclass(frozen=True)
class Constant:
    """An argument that is not differentiated by: a mask, an index, a raw number."""

    value: Any


class Sample:
    """Arguments of one call: float64 arrays are differentiated by, `Constant`s and keywords are not.

    A list or tuple of arrays (for concatenate and its kin) is differentiated by each of them.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        shapes = [f"{a.shape}" if isinstance(a, np.ndarray) else repr(a) for a in self.args]
        return f"Sample({', '.join(shapes)}, {self.kwargs})"


@dataclass(frozen=True)
class Spec:
    """One operation.

    Attributes:
        function: ours, as the user calls it.
        reference: the same on arrays, by NumPy or a plain loop; never ours.
        samples: where to check it; include 0-d, empty, several axes, negative axes, keywords.
        order: how many derivatives are compared with finite differences; 0 for operations without a gradient.
        domain: for an element-wise operation, (low, high) of each argument: then Hypothesis also draws
            broadcastable shapes of such values. None: samples only.
        dtypes: floating types that it keeps.
        ulps: how far the recorded value may be from the raw one, in units in the last place (4 where NumPy's
            scalar and array arithmetic differ).
        tolerance: relative tolerance against finite differences in float64.
        covers: further primitives that this entry exercises (adjoints that users do not call).
        smooth: False where second differences are not defined at the samples (then order counts but
            the check stays one-sided); samples should simply avoid kinks otherwise.
        name: for the test's id; the default is the function's name.
    """

    function: Callable[..., Any]
    reference: Callable[..., Any]
    samples: tuple[Sample, ...]
    order: int = 2
    domain: tuple[tuple[float, float], ...] | None = None
    dtypes: tuple[type, ...] = FLOATS
    ulps: int = 0
    tolerance: float = 1e-6
    covers: tuple[Callable[..., Any], ...] = ()
    name: str = field(default="")

    def __str__(self) -> str:
        return self.name or self.function.__name__


def values(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 0) -> np.ndarray:
    """Return reproducible float64 values, uniform in low .. high; distinct with probability one."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)

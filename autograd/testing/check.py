"""`check_gradients`: every derivative of a function beside finite differences, with a verdict that needs no tolerance.

The numeric side brings its own error bound (`differences`), and so does the analytic side: how far the engine's gradient
moves when inputs and bars change in their last digits. A derivative is wrong where the two differ by more than
`FACTOR` times both bounds. What an operation is to blame for is found by `nodes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import trees
from autograd.testing import nodes
from autograd.testing.differences import Array, Estimate, Line, remainder_order
from autograd.testing.report import (
    EDGE,
    KINK,
    OK,
    UNDECIDED,
    WRONG,
    Blame,
    Comparison,
    GradientError,
    Problem,
    Report,
    describe_array,
)
from autograd.testing.subject import (
    Stage,
    Subject,
    flat,
    gradient_stage,
    gradients,
    is_tracked,
    leaves_of,
    pulled,
    quiet,
    split,
    values,
)

FACTOR = 8.0
"""How many error bounds apart two derivatives must be to be called different: the bounds are estimates."""

EACH_OUTPUT = 16
"""Up to so many outputs are differentiated one by one; of more, random combinations."""

EACH_COORDINATE = {1: 128, 2: 32}
"""Up to so many coordinates are tried one by one, by order (3 and up as 2); of more, random directions."""

MODES = ("auto", "coordinates", "directions", "complex")

OUTSIDE = (ValueError, ArithmeticError)
"""What a function may raise where it is not defined (NumPy's LinAlgError among it)."""


def check_gradients(
    f: Callable[..., Any], *inputs: Any, order: int = 2, mode: str = "auto", seed: int = 0
) -> Report:
    """Check the derivatives of a function at a point against finite differences, and how it behaves.

    Central differences, extrapolated by Richardson's method, come with an error bound, and so does the engine's
    gradient; no step and no tolerance is to be set. float32 functions are evaluated in float64 where they allow it.
    At a kink every slope between the left and the right one is right. Also found: results that are not repeatable,
    arrays that are written to, bars of the wrong dtype, dependence on the layout in memory, and records that a value
    bypasses (`.item()`, `.numpy()`, `detach`).

    Args:
        f: takes and returns nested lists, tuples and dicts of arrays; it is called with tensors. A layer
            (anything with `named_parameters()`) is also checked by its parameters. Integer and boolean outputs are
            left out.
        *inputs: where. Floating-point arrays and tensors are differentiated by; anything else is passed on.
        order: how many derivatives; each is compared as the slope of the one before.
        mode: "coordinates": by each element of the inputs; "directions": by random directions; "auto":
            coordinates while there are at most 128 (32 for higher orders). "complex": as "auto", but first
            derivatives by the complex step, which is exact to rounding, for an f that also takes complex arrays.
        seed: of directions, bars and weights.

    Returns:
        The report: what was compared, at which accuracy, and where kinks are.

    Raises:
        GradientError: something is wrong; an AssertionError with the same report in `.report`.
        TypeError: there is nothing to differentiate, or f has no floating-point output.
        ValueError: a bad order or mode, or f is not finite at the point.

    Example:
        >>> import numpy as np
        >>> report = check_gradients(lambda x: np.tanh(x).sum(), np.array([0.5, -1.0]))
        >>> report.ok
        True
    """
    if mode not in MODES:
        raise ValueError(f"check_gradients: expected mode to be one of {MODES}, got {mode!r}")
    if order < 1:
        raise ValueError(f"check_gradients: expected order to be 1 or more, got {order}")
    subject = Subject(f, inputs)
    report = examine(subject, order, mode, seed)
    if not report.ok:
        raise GradientError(report)
    return report


def examine(subject: Subject, order: int, mode: str, seed: int) -> Report:
    """Do what `check_gradients` does, and return the report also where something is wrong."""
    shown = [describe_array(name, array) for name, array in zip(subject.names, subject.arrays, strict=True)]
    report = Report(subject.function_name, shown)
    check = _Check(subject, report, order, mode, np.random.default_rng(seed))
    check.run()
    if not report.ok and not any(problem.blame for problem in report.problems):
        nodes.find_blame(subject, report, order)
    return report


@dataclass(frozen=True, eq=False)
class Direction:
    """A way to move the inputs: by `vector` per unit of t.

    Attributes:
        vector: (n,) for all elements of all inputs.
        input: name of what moves.
        index: the coordinate, where it is one.
        unit: the vector's length in units of that coordinate, for showing slopes by it.
        wide: exponent of 2 of the step that is as large as the inputs are.
    """

    vector: Array
    input: str
    index: tuple[int, ...] | None = None
    unit: float = 1.0
    wide: int = 0


class _Check:
    """One run of `check_gradients`."""

    def __init__(
        self, subject: Subject, report: Report, order: int, mode: str, rng: np.random.Generator
    ) -> None:
        self.subject = subject
        self.report = report
        self.order = order
        self.mode = mode
        self.rng = rng

    def run(self) -> None:
        """Fill the report."""
        stage: Stage = self.subject.stage
        outputs = self._called_twice(stage)
        if not self.report.ok:
            return
        weights = [self._weights(y) for y in outputs]
        scales = [_scales(y) for y in outputs]
        for level in range(1, self.order + 1):
            if not self._sweeps(stage, outputs, level):
                return
            try:
                Level(self, stage, outputs, level).run()
            except Exception as error:
                self._fail("error", f"order {level}: {type(error).__name__}: {error}", cause=error)
                return
            if self.report.problems:
                break
            if level < self.order:
                stage = gradient_stage(stage, weights, scales)
                outputs = self._derivative(stage, level)
                if outputs is None:
                    return
                weights, scales = [self._weights(y) for y in outputs], [_scales(y) for y in outputs]
        self.report.problems += nodes.hygiene(self.subject)

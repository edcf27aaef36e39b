"""What finite differences say of one operation's rules, at the values it had."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.modes import enable_grad
from autograd.primitive import _record
from autograd.testing import Report, examine
from autograd.testing.check import run
from autograd.testing.subject import Subject
from autograd.view.replay import usable

if TYPE_CHECKING:
    from autograd.view.snapshot import Quantity, Snapshot

_SECONDS = 5e-6
"""What a check takes for each element of the arguments and the result, roughly; and at least a millisecond."""

_SMALL = 5_000
"""Elements up to which a check goes down to the element that is wrong, and to all kinks that meet at the point."""


def effort(snapshot: Snapshot, quantity: Quantity) -> float:
    """Return about how many seconds the check of an operation will take."""
    return 1e-3 + _SECONDS * _elements(snapshot, quantity)


def _elements(snapshot: Snapshot, quantity: Quantity) -> int:
    quantities = [quantity, *(snapshot[parent] for parent in quantity.parents)]
    return sum(
        sum(map(math.prod, one.shape)) if isinstance(one.dtype, tuple) else math.prod(one.shape) for one in quantities
    )


def verdict(snapshot: Snapshot, quantity: Quantity) -> str:
    """Return in a few words whether the operation's derivatives agree with finite differences.

    Args:
        snapshot: of the graph.
        quantity: what the operation computed.
    """
    operation = quantity.operation
    assert operation is not None
    parents = [snapshot[parent] for parent in quantity.parents]
    values = [usable(parent) for parent in parents]
    moving = [position for position in quantity.wanted if parents[position].dtype.kind == "f"]
    if any(value is None and not parent.is_absent for value, parent in zip(values, parents, strict=True)):
        return "not checked: a value is not known"

    def alone(*xs: Any) -> Any:
        arguments = list(values)
        for position, x in zip(moving, xs, strict=True):
            arguments[position] = x
        return _record(operation, tuple(arguments), dict(quantity.parameters))

    point = [np.array(values[position]) for position in moving]
    small = _elements(snapshot, quantity) <= _SMALL
    report = examine(alone, *point, order=1, mode="directions") if small else _looked_at(alone, point)
    if not report.ok and "kink" in report.problems[0].message and _looked_at(alone, _moved(point)).ok:
        # Many kinks at once, such as the ties in a max-pooling of zeros: no slope along a line is that of the
        # rule, though it is right at each.
        return "agree a little away; there are kinks here"
    if not report.ok:
        problem = report.problems[0]
        return f"differ: {problem.kind}: {problem.message}"
    return "agree, at a kink" if report.kinks else "agree"


def _looked_at(function: Any, point: list[Any]) -> Report:
    """Return a report that only tells right from wrong, and along one direction each."""
    report = Report("")
    with enable_grad():
        run(Subject(function, point), report, 1, "directions", np.random.default_rng(0), brief=True)
    return report


def _moved(point: list[Any]) -> list[Any]:
    rng = np.random.default_rng(0)
    found = []
    for array in point:
        size = np.abs(array).max(initial=0) or 1
        found.append((array + 0.01 * size * rng.uniform(-1, 1, array.shape)).astype(array.dtype))
    return found

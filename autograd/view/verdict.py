"""What finite differences say of one operation's rules, at the values it had."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.primitive import _record
from autograd.view.replay import usable

if TYPE_CHECKING:
    from autograd.view.snapshot import Quantity, Snapshot

LARGEST = 200_000
"""Elements of arguments and result up to which an operation is checked."""


def verdict(snapshot: Snapshot, quantity: Quantity) -> str:
    """Return in a few words whether the operation's derivatives agree with finite differences.

    Args:
        snapshot: of the graph.
        quantity: what the operation computed.
    """
    from autograd.testing import examine

    operation = quantity.operation
    assert operation is not None
    parents = [snapshot[parent] for parent in quantity.parents]
    values = [usable(parent) for parent in parents]
    moving = [position for position in quantity.wanted if parents[position].dtype.kind == "f"]
    if any(value is None and not parent.is_absent for value, parent in zip(values, parents, strict=True)):
        return "not checked: a value is not known"
    shapes = [*(p.shape for p in parents), *(quantity.shape if isinstance(quantity.dtype, tuple) else [quantity.shape])]
    if sum(map(math.prod, shapes)) > LARGEST:
        return "not checked: too large for a page"

    def alone(*xs: Any) -> Any:
        arguments = list(values)
        for position, x in zip(moving, xs, strict=True):
            arguments[position] = x
        return _record(operation, tuple(arguments), dict(quantity.parameters))

    with np.errstate(all="ignore"):
        report = examine(alone, *(np.array(values[position]) for position in moving), order=1, mode="directions")
    if not report.ok:
        problem = report.problems[0]
        return f"differ: {problem.kind}: {problem.message}"
    return "agree, at a kink" if report.kinks else "agree"

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

    point = [np.array(values[position]) for position in moving]
    with np.errstate(all="ignore"):
        report = examine(alone, *point, order=1, mode="directions")
        if not report.ok and "kink" in report.problems[0].message:
            # Many kinks at once, such as the ties in a max-pooling of zeros: no slope along a line is that of the
            # rule, though it is right at each.
            nearby = examine(alone, *_moved(point), order=1, mode="directions")
            if nearby.ok:
                return "agree a little away; there are kinks here"
    if not report.ok:
        problem = report.problems[0]
        return f"differ: {problem.kind}: {problem.message}"
    return "agree, at a kink" if report.kinks else "agree"


def _moved(point: list[Any]) -> list[Any]:
    rng = np.random.default_rng(0)
    found = []
    for array in point:
        size = np.abs(array).max(initial=0) or 1
        found.append((array + 0.01 * size * rng.uniform(-1, 1, array.shape)).astype(array.dtype))
    return found

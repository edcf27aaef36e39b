"""How far rounding moves a result: the recorded program run again, with every value and bar changed in its last digit.

Source: Vignes, "A stochastic arithmetic for reliable scientific computation", Mathematics and Computers in Simulation
35 (1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.primitive import OUTPUT, _record
from autograd.program import Node, reached
from autograd.tensor import Tensor, raw
from autograd.testing.subject import Stage, leaves_of

REPEATS = 3
"""Runs from which the error is estimated at first."""

REPEATS_IN_DOUBT = 12
"""Further runs, before a derivative is called wrong."""


class Program:
    """The record of one call of a stage, to be run again.

    Args:
        stage: what to call.
        arrays: its inputs.
    """

    def __init__(self, stage: Stage, arrays: Sequence[NDArray[Any]]) -> None:
        inputs = leaves_of(arrays)
        self.outputs = stage(*inputs)
        self.arrays = arrays
        self._inputs = [x._node for x in inputs]
        starts = [y._node for y in self.outputs if type(y) is Tensor and y._node is not None]
        self._order = reached(starts, wanted_only=False)

    def again(self, rng: np.random.Generator | None) -> tuple[list[Any], list[Tensor]]:
        """Return the outputs with all rounding changed, and the inputs that they were computed from.

        A sweep over them also has its bars changed. Without a generator nothing is changed.
        """
        inputs = leaves_of([a if rng is None else _jittered(a, rng) for a in self.arrays])
        results: dict[Node, Any] = {node: x for node, x in zip(self._inputs, inputs, strict=True) if node is not None}
        for node in self._order:
            if node in results:
                continue
            if node.plan is None:
                results[node] = _constant(node)
                continue
            values = [results[parent] if type(parent) is Node else parent for parent in node.parents]
            if node.plan.primitive is OUTPUT:
                results[node] = values[0][node.parameters["position"]]
                continue
            result = _record(node.plan.primitive, tuple(values), node.parameters)
            for output in result if isinstance(result, tuple) else (result,):
                if rng is not None and type(output) is Tensor and output.dtype.kind == "f":
                    _disturb(output, rng, keep_value=_is_selection(output, values))
            results[node] = result
        outputs = [results[y._node] if type(y) is Tensor and y._node is not None else y for y in self.outputs]
        return outputs, inputs


def _constant(node: Node) -> Any:
    """Return a leaf that is no input: itself where it is tracked, so that the record stays the same."""
    value = None if node.note is None else node.note.value
    return value if value is None else Tensor(value, requires_grad=node.requires_grad)


def _is_selection(output: Any, values: Sequence[Any]) -> bool:
    """Tell whether an operation only chose among the elements of its arguments, so that nothing was rounded.

    Its rule may look for its result among them, and must find it.
    """
    some = raw(output).reshape(-1)[:50]
    found = np.zeros(some.shape, dtype=bool)
    for value in values:
        if value is not None:
            found |= np.isin(some, raw(value))
    return bool(found.all())


def _jittered(a: Any, rng: np.random.Generator) -> Any:
    """Return an array with every element one or two units in the last place larger or smaller."""
    if a.dtype.kind != "f":
        return a
    with np.errstate(all="ignore"):
        return (a * _factor(a, rng)).astype(a.dtype)


def _factor(a: Any, rng: np.random.Generator) -> Any:
    """Return 1 + eps or 1 - eps for each element, in the dtype of `a`."""
    return (1 + np.finfo(a.dtype).eps * rng.choice([-1.0, 1.0], a.shape)).astype(a.dtype)


def _disturb(output: Tensor, rng: np.random.Generator, keep_value: bool) -> None:
    """Change a result, what its own rules keep of it, and the bar that comes back to it."""
    node = output._node
    if not keep_value:
        before = output._value
        output._value = after = _jittered(before, rng)
        if node is not None and node.kept and node.plan is not None:
            node.kept = tuple(
                after if source is not None and source.kind == "out" and kept is before else kept
                for source, kept in zip(node.plan.sources, node.kept, strict=True)
            )
    if node is not None and node.requires_grad:
        output.register_hook(lambda bar: bar * _factor(bar, rng))

"""The backward pass once more, from a snapshot: every bar, and what each consumer contributed to it.

The sweep keeps only sums. Here each rule is called once again on the snapshot's values, and the shares are kept.
`needs` says what a rule is called with, for this and for the derivation of equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.ops.broadcast import sum_to
from autograd.primitive import differentiable_residual
from autograd.tensor import Tensor

if TYPE_CHECKING:
    from autograd.primitive import Source
    from autograd.view.snapshot import Quantity, Snapshot

Unknown = LookupError
"""Raised where a value that a rule needs is not known."""


class Replay:
    """Bars and shares of a graph.

    Attributes:
        bars: by number of the quantity; no entry where no bar arrives or where it cannot be known. Where a value
            that a rule needs was written over, it is the bar that the last sweep left.
        shares: by (number of the consumer, position of the argument): what that argument's bar gets from it.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.bars: dict[int, Any] = {}
        self.shares: dict[tuple[int, int], Any] = {}
        unknown: set[int] = set()
        self.bars.update(seeds(snapshot))
        with np.errstate(all="ignore"):
            self._walk(snapshot, unknown)

    def _walk(self, snapshot: Snapshot, unknown: set[int]) -> None:
        """Take the quantities in falling order, and what each one's bar gives to its arguments."""
        for quantity in reversed(snapshot.quantities):
            number = quantity.number
            if number in unknown or (quantity.hooked and number in self.bars):
                # What the last sweep left is known, though not how it came about; a hook is not called again.
                self.bars.pop(number, None)
                if quantity.bar is None or quantity.operation is None:  # a leaf's is the sum over many sweeps
                    unknown.update(quantity.parents[position] for position in quantity.wanted)
                    continue
                self.bars[number] = quantity.bar
            bar = self.bars.get(number)
            if bar is None or quantity.operation is None:
                continue
            if quantity.output is not None:
                self._collect(snapshot, quantity, bar)
                continue
            if isinstance(bar, list):
                bar = self.bars[number] = tuple(bar)
            arguments = [usable(snapshot[parent]) for parent in quantity.parents]
            for position in quantity.wanted:
                parent = quantity.parents[position]
                try:
                    share = numeric_share(snapshot, quantity, position, bar, arguments)
                except Exception:  # noqa: BLE001 (a value is unknown, or a user's rule fails: a dash)
                    unknown.add(parent)
                    continue
                self.shares[number, position] = share
                self.bars[parent] = self.bars[parent] + share if parent in self.bars else share

    def _collect(self, snapshot: Snapshot, quantity: Quantity, bar: Any) -> None:
        """Add the bar of one output to those of the operation with several."""
        assert quantity.output is not None
        (parent,) = quantity.parents
        bars = self.bars.get(parent)
        if bars is None:
            shapes, dtypes = snapshot[parent].shape, snapshot[parent].dtype
            bars = self.bars[parent] = [np.zeros(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        bars[quantity.output] = bars[quantity.output] + bar
        self.shares[quantity.number, 0] = bar


def seeds(snapshot: Snapshot) -> dict[int, Any]:
    """Return the bars that the backward pass starts with, by number of the result.

    Those that the last sweep started with, if one was recorded; else 1 for each result with a single element.
    """
    results = [snapshot[number] for number in snapshot.outputs]
    recorded = {q.number: q.bar for q in results if q.operation is not None and q.bar is not None}
    single = [q for q in results if q.requires_grad and not isinstance(q.dtype, tuple) and q.size == 1]
    return recorded or {quantity.number: np.ones(quantity.shape, quantity.dtype) for quantity in single}


def numeric_share(
    snapshot: Snapshot, quantity: Quantity, position: int, bar: Any, arguments: Sequence[Any] | None = None
) -> Any:
    """Return what the argument at `position` gets from the quantity's bar, in the argument's shape and dtype.

    Args:
        snapshot: where the quantity is.
        quantity: whose rule to call.
        position: of the argument.
        bar: of the quantity.
        arguments: their values, if they have been looked up already.

    Raises:
        Unknown: a value that the rule needs is not known.
    """
    operation = quantity.operation
    assert operation is not None
    rule = operation.rule(position)
    assert rule is not None
    if arguments is None:
        arguments = [usable(snapshot[parent]) for parent in quantity.parents]
    found = needs(snapshot, quantity, position, bar, arguments, quantity.value)
    share = np.asarray(rule(bar, *found))
    parent = snapshot[quantity.parents[position]]
    if share.shape != parent.shape:
        share = sum_to(share, shape=parent.shape)
    return share.astype(parent.dtype)


def needs(
    snapshot: Snapshot, quantity: Quantity, position: int, bar: Any, arguments: Sequence[Any], out: Any
) -> list[Any]:
    """Return what the rule for an argument takes after the bar.

    Args:
        snapshot: where the quantity is.
        quantity: whose rule it is.
        position: of the argument.
        bar: of the quantity, or what stands for it.
        arguments: to hand to the rule: values, or what stands for them; None if unknown.
        out: likewise, for the result.

    Raises:
        Unknown: something that the rule needs is not known.
    """
    operation = quantity.operation
    assert operation is not None
    parents = quantity.parents

    def need(source: Source) -> Any:
        kind, key = source.kind, source.key
        if kind == "argument":
            return _known(arguments[key], snapshot[parents[key]])
        if kind == "arguments":
            return tuple(map(_known, arguments[key:], map(snapshot.__getitem__, parents[key:])))
        if kind == "out":
            return _known(out, quantity)
        if kind == "parameter":
            return quantity.parameters[key]
        if kind == "residual":
            residual = _residuals(snapshot, quantity)[key]
            first = bar[0] if isinstance(bar, tuple) else bar
            return differentiable_residual(residual) if type(first) is Tensor else residual
        if kind == "shared":
            assert operation.shared is not None
            known = snapshot.shared.get(quantity.number)
            if known is None or known[0] is not bar:
                known = bar, operation.shared(bar, *map(need, operation.shared_needs))
                snapshot.shared[quantity.number] = known
            return known[1]
        if kind == "position":
            return key
        if kind in ("shape", "dtype"):
            return getattr(snapshot[parents[key]], kind)
        return tuple(getattr(snapshot[parent], kind[:-1]) for parent in parents[key:])

    return [need(source) for source in operation.sources(position)]


def _residuals(snapshot: Snapshot, quantity: Quantity) -> tuple[Any, ...]:
    """Return what forward hands to the rules besides the result, computed once for the rules of all arguments."""
    found = snapshot.residuals.get(quantity.number)
    if found is None:
        assert quantity.operation is not None
        parents = [snapshot[parent] for parent in quantity.parents]
        values = [_known(usable(parent), parent) for parent in parents]
        found = snapshot.residuals[quantity.number] = quantity.operation.compute(values, dict(quantity.parameters))[1]
    return found


def usable(quantity: Quantity) -> Any:
    """Return the value that a consumer saw; None where the leaf was written since."""
    return None if quantity.changed else quantity.value


def _known(value: Any, quantity: Quantity) -> Any:
    if value is None and not quantity.is_absent:
        raise Unknown(f"the value of {quantity.symbol}, which a rule needs, is not known")
    return value

"""The backward sweep: from the bars of some outputs to the bars of what they were computed from.

For i = N .. 1 it takes the finished bar of v_i and hands each parent its share, vbar_i dv_i/dv_parent, as
the primitive's rules have it; leaves come last, in no particular order. In a backward pass this is the only place
where rules are called, where what broadcasting repeated is summed up again, and where a bar gets the shape and dtype of
its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd.modes import with_grad
from autograd.ops.broadcast import sum_to
from autograd.primitive import explain_rule, fingerprint, lifted, tensor
from autograd.program import GraphError, Node, last_write, leaf_value, reached, refuse_changed
from autograd.tensor import Tensor, raw

_float64 = np.float64
_ndarray = np.ndarray
_FLOAT64 = np.dtype(np.float64)


def sweep(
    outputs: Sequence[Node],
    bars: Sequence[Any],
    inputs: Sequence[Node] | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool = False,
    stop_at_inputs: bool = False,
) -> dict[Node, Any]:
    """Return the bars of `inputs`, or of all leaves, by node.

    Args:
        outputs: where the sweep starts.
        bars: the bar of each output, with its shape and dtype.
        inputs: nodes whose bars are wanted, leaves or not; None: every leaf that requires a gradient.
        create_graph: call the rules with Tensors, so that the bars have a record themselves.
        retain_graph: leave what the rules need in place for another sweep.
        stop_at_inputs: take the inputs as independent, though one may have been computed from another.

    Raises:
        GraphError: the graph was released by an earlier sweep, or a value that a rule needs has changed.
    """
    floor = 0 if inputs is None else min((node.index for node in inputs), default=0)
    targets = frozenset() if inputs is None else frozenset(inputs)
    order = reached(outputs, wanted_only=True, floor=floor, stop=targets if stop_at_inputs else frozenset())
    _refuse_stale(order)
    active = None if inputs is None else _leading_to(targets, order)
    if active is not None and stop_at_inputs:
        active -= targets
    release = not retain_graph
    if create_graph:
        bars = [_as_tensor(bar) for bar in bars]
        with with_grad():
            return _walk(order, outputs, bars, targets, active, create_graph=True, release=release)
    return _walk(order, outputs, bars, targets, active, create_graph=False, release=release)


def _walk(
    order: list[Node],
    outputs: Sequence[Node],
    output_bars: Sequence[Any],
    targets: frozenset[Node],
    active: set[Node] | None,
    *,
    create_graph: bool,
    release: bool,
) -> dict[Node, Any]:
    """Walk `order` backward and return bars.

    Args:
        order: the computed nodes that the outputs reach, in topological order.
        outputs: where the sweep starts.
        output_bars: their bars.
        targets: whose bars are wanted.
        active: the nodes whose rules lead to a target; None: all, and the bars of all leaves are wanted.
        create_graph: call the rules with Tensors.
        release: drop what a node kept once its rules have been called.
    """
    bars: dict[Node, Any] = {}
    summed: set[Node] = set()  # whose bar is a sum made here: no one else has it, so add to it in place
    results: dict[Node, Any] = {}
    for node, bar in zip(outputs, output_bars, strict=True):
        bars[node] = bar if node not in bars else bars[node] + bar

    for node in reversed(order):
        plan = node.plan
        if plan is None:
            continue
        bar = bars.pop(node, None)
        note = node.note
        if note is not None:
            bar = _note_bar(node, bar)
        if bar is None:
            continue
        if active is not None:
            if node in targets:
                results[node] = bar
            if node not in active:
                continue
        kept: Any = node.kept
        if kept is None:
            raise GraphError(_RELEASED)
        if type(bar) is list:
            bar = _filled(node, bar, create_graph)
        if create_graph:
            kept = lifted(node)
        if release and (note is None or not note.recorded):
            node.kept = None
        parents = node.parents
        if plan.common is not None:
            asking = [parents[position] for position in plan.common.positions]
            if active is None or any(parent in active or parent in targets for parent in asking):
                kept = plan.with_shared(bar, kept)
        for position, rule, need, more_needs in plan.shares:
            parent = parents[position]
            if active is not None and parent not in active and parent not in targets:
                continue
            if rule is None:
                _add_output_bar(bars, parent, node.parameters["position"], bar)
                continue
            try:
                if need is None:
                    share = rule(bar)
                elif more_needs is None:
                    share = rule(bar, kept[need])
                else:
                    share = rule(bar, kept[need], *[kept[i] for i in more_needs])
                if type(share) is not _float64 or parent.dtype is not _FLOAT64 or parent.shape:
                    share = _fitted(share, parent, node.shape)
            except Exception as error:
                if type(error) is FloatingPointError and note is not None and note.fingerprints is not None:
                    raise FloatingPointError(_not_finite(node, position, str(error))) from error
                name = repr(plan.primitive.argument_name(position))
                explain_rule(error, plan, name, bar, f", the argument {parent.shape}")
                raise
            if note is not None and note.fingerprints is not None:
                _refuse_not_finite(node, position, share)
            other = bars.get(parent)
            if other is None:
                bars[parent] = share
            elif type(other) is _float64:
                bars[parent] = other + share
            elif parent in summed and type(share) is _ndarray:
                other += share
            else:
                bars[parent] = total = other + share
                if type(total) is _ndarray:
                    summed.add(parent)

    for leaf, bar in bars.items():
        if active is None or leaf in targets:
            results[leaf] = bar if leaf.note is None else _note_bar(leaf, bar)
    return results


def _fitted(share: Any, parent: Node, output_shape: tuple[Any, ...]) -> Any:
    """Return a bar in the shape and dtype of its value: broadcasting is undone here, and only here."""
    if not hasattr(share, "shape"):
        raise TypeError(f"expected the rule to return an array, got {type(share).__name__}")
    if share.shape != parent.shape:
        _check_repeated(share.shape, parent.shape, output_shape)
        share = sum_to(share, shape=parent.shape)
    if share.dtype is not parent.dtype:
        share = share.astype(parent.dtype)
    return share


def _check_repeated(shape: tuple[int, ...], to: tuple[int, ...], output_shape: tuple[Any, ...]) -> None:
    """Raise unless a bar has more axes, or longer ones, than its value only where the output has them too."""
    extra = len(shape) - len(to)
    repeated = [i for i, length in enumerate(shape) if i < extra or length != to[i - extra]]
    if output_shape and isinstance(output_shape[0], tuple):  # several outputs: broadcasting is their own affair
        output_shape = shape
    if extra < 0 or any(i >= len(output_shape) or shape[i] != output_shape[i] for i in repeated):
        raise ValueError(
            f"the rule returned a bar of shape {shape}, and the argument has shape {to}: expected that, or what "
            f"broadcasting made of it in the output {output_shape}"
        )


def _as_tensor(bar: Any) -> Tensor:
    return bar if type(bar) is Tensor else Tensor(bar)


def _leading_to(targets: frozenset[Node], order: list[Node]) -> set[Node]:
    """Return the nodes with an argument that is a target or leads to one."""
    active: set[Node] = set()
    for node in order:
        for position in node.plan.wanted if node.plan is not None else ():
            parent = node.parents[position]
            if parent in targets or parent in active:
                active.add(node)
                break
    return active


def _note_bar(node: Node, bar: Any) -> Any:
    """Run the node's hooks on its finished bar and store it where a drawing will want it."""
    note = node.note
    assert note is not None
    if note.fingerprints is not None and node.kept is not None:
        _refuse_overwritten(node)
    if type(bar) is list:  # of several outputs: each of them has a node of its own, and there its hooks
        return bar
    if bar is not None and note.hooks:
        for hook in list(note.hooks.values()):
            changed = hook(tensor(bar._value, bar._node) if type(bar) is Tensor else np.array(bar))
            if changed is None:
                continue
            if np.shape(changed) != node.shape:
                raise ValueError(f"hook: expected a bar of shape {node.shape}, got {np.shape(changed)}")
            given = changed if type(changed) is Tensor and type(bar) is Tensor else raw(changed).astype(node.dtype)
            bar = _as_tensor(given) if type(bar) is Tensor else given
    if note.recorded or (note.hooks and node.plan is not None):  # a drawing cannot guess what a hook made of a bar
        note.bar = None if bar is None else np.array(raw(bar))
    return bar


def _add_output_bar(bars: dict[Node, Any], node: Node, position: int, bar: Any) -> None:
    """Add the bar of one output to the list of bars of the node with several outputs."""
    collected = bars.setdefault(node, [None] * len(node.shape))
    collected[position] = bar if collected[position] is None else collected[position] + bar


def _filled(node: Node, collected: list[Any], create_graph: bool) -> tuple[Any, ...]:
    """Return a bar for each output: zeros where nothing depends on it."""
    given = [
        np.zeros(shape, dtype) if bar is None else bar
        for bar, shape, dtype in zip(collected, node.shape, node.dtype, strict=True)
    ]
    return tuple(map(_as_tensor, given) if create_graph else given)


# --- What stops a sweep ------------------------------------------------------------------------------------


_RELEASED = (
    "backward a second time through a graph that was released: pass retain_graph=True to the earlier backward() or "
    "grad(), or compute the result again"
)


def _refuse_stale(order: list[Node]) -> None:
    """Raise if an operation kept the value of a leaf that was written in place afterwards."""
    oldest = next((node.index for node in order if node.plan is not None), None)
    if oldest is None or oldest > last_write[0]:
        return
    changed: dict[Node, None] = {}
    for node in order:
        for parent in node.parents:
            if type(parent) is Node and parent.note is not None and parent.note.written > oldest:
                changed[parent] = None
    for node in order if changed else ():
        if node.plan is None or not node.kept:
            continue
        for source, kept in zip(node.plan.sources, node.kept, strict=True):
            if source is not None and source.kind in ("argument", "arguments"):
                several = source.kind == "arguments"
                for parent in node.parents[source.key : None if several else source.key + 1]:
                    if type(parent) is Node and parent in changed:
                        refuse_changed(parent, node)
            for end in changed:  # also through what was a view of its array
                if _shares_memory(kept, leaf_value(end)):
                    refuse_changed(end, node)


def _shares_memory(kept: Any, array: Any) -> bool:
    if isinstance(kept, tuple):
        return any(_shares_memory(part, array) for part in kept)
    return type(kept) is _ndarray and np.may_share_memory(kept, array)


def _refuse_overwritten(node: Node) -> None:
    """Raise if a kept array no longer has the contents it had under `detect_anomaly()`."""
    assert node.note is not None
    assert node.note.fingerprints is not None
    assert node.plan is not None
    for source, kept, before in zip(node.plan.sources, node.kept or (), node.note.fingerprints, strict=True):
        if before is not None and fingerprint(kept) != before:
            which = "an argument"
            if source is not None and source.kind == "argument":
                which = f"its argument {node.plan.primitive.arguments[source.key]!r}"
            elif source is not None and source.kind in ("out", "residual"):
                which = "its result" if source.kind == "out" else "what its forward pass wrote down"
            raise GraphError(
                f"{node.plan.primitive.name}: {which} was written to between the forward and the backward pass, "
                f"and its rule needs the old values. The operation was called at {node.note.line}"
            )


def _refuse_not_finite(node: Node, position: int, share: Any) -> None:
    value = raw(share)
    if not np.all(np.isfinite(value)):
        raise FloatingPointError(_not_finite(node, position, "NaN" if np.any(np.isnan(value)) else "infinity"))


def _not_finite(node: Node, position: int, what: str) -> str:
    assert node.plan is not None
    assert node.note is not None
    what = "NaN" if "NaN" in what else "infinity"
    definition = node.plan.primitive
    return (
        f"{definition.name}: the backward pass returned {what} for argument {definition.argument_name(position)!r}; "
        f"the operation was called at {node.note.line}"
    )

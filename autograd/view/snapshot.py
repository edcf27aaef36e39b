"""`Snapshot`: what a drawing, a text or an equation says about a graph, read once and never changed after.

Every form is made from it, so all say the same. Values come from the record where `record()` kept them, else
they are computed again from the leaves; where a leaf was written since, what depends on its old value is
unknown (None), never guessed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd.modes import ModuleName
from autograd.primitive import OUTPUT, Primitive
from autograd.program import Graph, Node, last_write
from autograd.tensor import Tensor

PARAMETER, INPUT, CONSTANT, OPERATION, LOSS = "parameter", "input", "constant", "operation", "loss"
"""The kinds of quantities: a leaf that wants a gradient; another tensor, or an array that the computation starts
from; a raw number or array that took part later on; a computed quantity; one that the graph is of."""


class Quantity(NamedTuple):
    """One quantity of the computation: a vertex of the drawing, a row of the trace.

    Attributes:
        number: its place in the order, from 1.
        symbol: what forms call it: the user's name, else "v" and the number.
        name: what the user calls it, or None.
        kind: one of the kinds above.
        operation: what computed it; None for a leaf.
        parameters: static parameters of the operation.
        output: which output of its one parent it is, where that has several; else None.
        parents: numbers of the quantities it was computed from, in the order of the arguments.
        shape, dtype: of the value (tuples of them for an operation with several outputs).
        value: an array or NumPy scalar; None if unknown.
        bar: dLoss/d(this); None if no sweep has left one.
        requires_grad: whether bars flow through here.
        wanted: positions of the arguments that its bar flows on to.
        scope: path of the module it belongs to.
        line: the user's source line as "file:line", if recorded.
        changed: whether the leaf was written after the graph had used it.
        hooked: whether a hook may change its bar.
    """

    number: int
    symbol: str
    name: str | None
    kind: str
    operation: Primitive | None
    parameters: Mapping[str, Any]
    output: int | None
    parents: tuple[int, ...]
    shape: Any
    dtype: Any
    value: Any
    bar: Any
    requires_grad: bool
    wanted: tuple[int, ...]
    scope: tuple[str, ...]
    line: str | None
    changed: bool
    hooked: bool

    @property
    def is_absent(self) -> bool:
        """Whether it is no quantity at all: an argument that was None."""
        return self.kind == CONSTANT and self.dtype == object

    @property
    def size(self) -> int:
        """Number of elements of the value."""
        return math.prod(self.shape)

    @property
    def as_number(self) -> Any:
        """The number that forms write for a constant without a name that is the same everywhere; None for others."""
        if self.kind not in (INPUT, CONSTANT) or self.name is not None or self.value is None:
            return None
        if self.kind == INPUT and self.shape:
            return None  # that an input holds the same number everywhere is a coincidence
        value = np.asarray(self.value)
        if not value.size or value.dtype.kind not in "fiub" or not (value == value.flat[0]).all():
            return None
        return value.flat[0].item()


class Snapshot:
    """The quantities of a graph in order, with values, bars, names and modules.

    Args:
        graph: what to read.

    Attributes:
        quantities: in topological order; `quantities[i].number == i + 1`.
        outputs: numbers of the quantities that the graph is of.
        classes: by path of a module: the name of its class, where that is known.
        residuals: by number: what an operation's forward hands to its rules, once one of them has asked for it.
        shared: by number: a bar, and what an operation's rules share where the bar is that one.
    """

    def __init__(self, graph: Graph) -> None:
        self.residuals: dict[int, tuple[Any, ...]] = {}
        self.shared: dict[int, tuple[Any, Any]] = {}
        order = graph.nodes
        outputs = {node.index for node in graph.outputs}
        changed = _changed(graph)
        names = _names(order, graph.names)
        scopes = _scopes(graph)
        constants = _constants(graph)
        number = {node.index: place for place, node in enumerate(order, start=1)}
        self.outputs = tuple(sorted(number[index] for index in outputs))
        self.classes = {
            scope[:depth]: module.kind
            for scope in set(scopes)
            for depth, module in enumerate(scope, start=1)
            if isinstance(module, ModuleName)
        }
        self.quantities = tuple(
            self._quantity(graph, node, number, symbol, name, value, scope, outputs, constants, changed)
            for node, symbol, name, value, scope in zip(
                order, _symbols(names), names, _values(graph, changed), scopes, strict=True
            )
        )

    def _quantity(
        self,
        graph: Graph,
        node: Node,
        number: Mapping[int, int],
        symbol: str,
        name: str | None,
        value: Any,
        scope: tuple[str, ...],
        outputs: set[int],
        constants: set[int],
        changed: set[int],
    ) -> Quantity:
        index, plan, note = node.index, node.plan, node.note
        kind = _kind(node, index in outputs, index in constants)
        operation = None if plan is None else plan.primitive
        return Quantity(
            number[index],
            symbol,
            name,
            kind,
            operation,
            node.parameters,
            node.parameters["position"] if operation is OUTPUT else None,
            tuple([number[parent.index] for parent in graph.parents(node)]),
            node.shape,
            node.dtype,
            value,
            None if note is None or note.bar is None else np.array(note.bar),
            node.requires_grad,
            () if plan is None else plan.wanted,
            () if kind == INPUT else scope,
            None if note is None else note.line,
            index in changed,
            note is not None and bool(note.hooks),
        )

    def __len__(self) -> int:
        return len(self.quantities)

    def __getitem__(self, number: int) -> Quantity:
        """Return the quantity with this number."""
        return self.quantities[number - 1]

    def children(self) -> list[list[int]]:
        """Return for each quantity the numbers of those computed from it directly, once for each use."""
        found: list[list[int]] = [[] for _ in self.quantities]
        for quantity in self.quantities:
            for parent in quantity.parents:
                found[parent - 1].append(quantity.number)
        return found


def _kind(node: Node, is_output: bool, is_constant: bool) -> str:
    if node.plan is not None:
        return LOSS if is_output else OPERATION
    if node.requires_grad:
        return PARAMETER
    return CONSTANT if is_constant else INPUT


def _constants(graph: Graph) -> set[int]:
    """Return the indices of raw operands, but not of arrays that meet only leaves: those are data coming in."""
    found: set[int] = set()
    for node in graph:
        parents = graph.parents(node)
        raw = [parent for parent, given in zip(parents, node.parents, strict=False) if type(given) is not Node]
        if raw:
            starts_here = all(parent.plan is None for parent in parents)
            found.update(parent.index for parent in raw if not (starts_here and parent.shape))
    return found


def _names(order: Sequence[Node], given: Mapping[str, Any]) -> list[str | None]:
    """Return what the user calls each node: by `named`, as a parameter, or as a variable in `given`.

    Names such as `_` and `_12`, which an interactive session gives to what it has shown, do not count.
    """
    variables = [(name, value) for name, value in reversed(list(given.items())) if not name.startswith("_")]
    tensors = {value._node: name for name, value in variables if type(value) is Tensor}
    arrays = {id(value): name for name, value in variables if isinstance(value, np.ndarray)}
    found = []
    for node in order:
        operand = None if node.plan is not None or node.note is None else node.note.value
        found.append(node.name or tensors.get(node) or arrays.get(id(operand)))
    return found


def _symbols(given: Sequence[str | None]) -> list[str]:
    """Return what to call each node: its name, with a number where several share it, else v and its place."""
    uses = Counter(name for name in given if name)
    letter = next(x for x in "vuqs" if x == "s" or not any(re.fullmatch(rf"{x}_?\d+", name) for name in uses))
    shared = {name for name, count in uses.items() if count > 1}
    seen: Counter[str] = Counter()
    symbols = []
    for number, name in enumerate(given, start=1):
        if name in shared:
            seen[name] += 1
            symbols.append(f"{name}#{seen[name]}")
        else:
            symbols.append(name or f"{letter}{number}")
    return symbols


def _changed(graph: Graph) -> set[int]:
    """Return the indices of leaves that were written after something had been computed from them."""
    return {
        parent.index
        for node in graph
        if node.index < last_write[0]
        for parent in graph.parents(node)
        if parent.plan is None and parent.note is not None and parent.note.written > node.index
    }


def _values(graph: Graph, changed: set[int]) -> list[Any]:
    """Return each node's value, recorded or computed again; None where it cannot be known."""
    known: dict[int, Any] = {}
    absent = {node.index for node in graph if node.plan is None and node.dtype == object}
    with np.errstate(all="ignore"):
        for node in graph:
            note = node.note
            if node.plan is None:
                value = None if note is None else note.value
                known[node.index] = None if value is None else np.array(value)[()]
            elif note is not None and note.recorded:
                known[node.index] = note.value
            else:
                parents = graph.parents(node)
                arguments = [known[parent.index] for parent in parents]
                missing = any(p.index in changed or (known[p.index] is None and p.index not in absent) for p in parents)
                known[node.index] = None if missing else _computed(node.plan.primitive, arguments, node.parameters)
    return list(known.values())


def _computed(operation: Primitive, arguments: list[Any], parameters: dict[str, Any]) -> Any:
    try:
        return operation.compute(arguments, parameters)[0]
    except Exception:  # noqa: BLE001 (whatever a user's function does, a drawing shows a dash)
        return None


def _scopes(graph: Graph) -> list[tuple[str, ...]]:
    """Return each node's module path; a leaf belongs to the module that uses it."""
    if not any(node.note.scope for node in graph if node.note is not None):
        return [()] * len(graph)
    told_apart = _told_apart(graph)
    scopes: dict[int, tuple[str, ...]] = {
        node.index: told_apart(node.note.scope) if node.note is not None else ()
        for node in graph
        if node.plan is not None
    }
    for node in graph:
        scope = scopes[node.index] if node.plan is not None else ()
        for parent in graph.parents(node):
            if parent.plan is None:
                scopes[parent.index] = _common(scopes[parent.index], scope) if parent.index in scopes else scope
    return [scopes.get(node.index, ()) for node in graph]


def _told_apart(graph: Graph) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return what tells paths apart whose outermost modules only share their name: "Sequential", "Sequential 2"."""
    roots = {id(node.note.scope[0]): node.note.scope[0] for node in graph if node.note is not None and node.note.scope}
    numbers: dict[str, dict[int, int]] = {}
    for root in roots.values():
        found = numbers.setdefault(root, {})
        found.setdefault(getattr(root, "identity", 0), len(found) + 1)

    def told_apart(scope: tuple[str, ...]) -> tuple[str, ...]:
        if not scope or not isinstance(scope[0], ModuleName):
            return scope
        root = scope[0]
        number = numbers[root][root.identity]
        if number == 1:
            return scope
        return (ModuleName(f"{root} {number}", root.kind, root.identity), *scope[1:])

    return told_apart


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Return the beginning that two paths share."""
    length = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    return first[:length] if length is not None else min(first, second, key=len)

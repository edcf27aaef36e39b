"""The record of a computation: `Node`, one step of it, and `Graph`, the steps below some results.

A node never holds the result it stands for (the handle does, and a rule that needs it), so a record has
no reference cycle and a value lives no longer than somebody needs it. Computing and recording a step is
`primitive`'s work, walking it backward `sweep`'s; nothing here knows a derivative.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from autograd.primitive import Plan, Primitive
    from autograd.tensor import Tensor
    from autograd.view.equations import Equations
    from autograd.view.hand import HandCheck
    from autograd.view.why import Why

next_index: Callable[[], int] = itertools.count(1).__next__
"""The clock of the process: it numbers nodes and writes, so that comparing two numbers tells which came first."""

last_write = [0]
"""The index of the process's last write to a leaf: a sweep over younger nodes need not look for changes."""

NO_PARAMETERS: dict[str, Any] = {}


class GraphError(RuntimeError):
    """A record was used in a way that would give a wrong result: released, changed since, or not recorded."""


class Note:
    """What a leaf, a name, a hook or a mode adds to a node.

    Attributes:
        value: a leaf's array; under `record()` every node's.
        bar: a leaf's accumulated gradient; under `record()` every node's of the last sweep, as with hooks.
        shared: whether a result handed out elsewhere is a view of a leaf's array.
        written: the index at which a leaf was last written in place; 0 if never.
        name: what the user calls the quantity.
        hooks: functions called with the bar, in order of registration.
        line: the user's source line, as "file:line", under `record()` and `detect_anomaly()`.
        scope: the path of the module that was running, under `record()`.
        recorded: whether `record()` was on, so that sweeps store the bar.
        fingerprints: hashes of the kept arrays, under `detect_anomaly()`.
    """

    __slots__ = ("bar", "fingerprints", "hooks", "line", "name", "recorded", "scope", "shared", "value", "written")

    def __init__(self) -> None:
        self.value: Any = None
        self.bar: Any = None
        self.written = 0
        self.shared = False
        self.name: str | None = None
        self.hooks: dict[int, Callable[[Any], Any]] | None = None
        self.line: str | None = None
        self.scope: tuple[str, ...] = ()
        self.recorded = False
        self.fingerprints: list[int | None] | None = None


class Node:
    """One step of a computation: a vertex of the graph.

    Attributes:
        plan: the operation and the rules of those of its arguments that require a gradient; None for a leaf.
        parents: one slot an argument: the Node that made it, or the raw value of a constant.
        parameters: static keyword arguments of the call.
        index: when it was made. Parents have smaller indices: order of index is topological order.
        requires_grad: whether a bar is wanted here.
        kept: what the rules of the wanted arguments asked for; None once released.
        shape, dtype: of the value, and so of its bar (tuples of them for an operation with several outputs).
        note: see `Note`; None for most nodes.
    """

    __slots__ = (
        "dtype",
        "index",
        "kept",
        "note",
        "parameters",
        "parents",
        "plan",
        "requires_grad",
        "shape",
    )

    plan: Plan | None
    parents: tuple[Any, ...]
    parameters: dict[str, Any]
    index: int
    requires_grad: bool
    kept: tuple[Any, ...] | None
    shape: Any
    dtype: Any
    note: Note | None

    def __repr__(self) -> str:
        operation = "leaf" if self.plan is None else self.plan.primitive.name
        name = f" {self.note.name!r}" if self.note is not None and self.note.name else ""
        return f"<Node {self.index}{name}: {operation}, shape {self.shape}, {self.dtype}>"

    @property
    def primitive(self) -> Primitive | None:
        """The operation that computed this quantity; None for a leaf."""
        return None if self.plan is None else self.plan.primitive

    @property
    def name(self) -> str | None:
        """What the user calls this quantity, or None."""
        return None if self.note is None else self.note.name


def leaf(value: Any, requires_grad: bool) -> Node:
    """Return a new leaf that holds `value`."""
    node = Node()
    node.plan = None
    node.parents = ()
    node.parameters = NO_PARAMETERS
    node.index = next_index()
    node.requires_grad = requires_grad
    node.kept = ()
    node.shape = np.shape(value)
    node.dtype = np.asarray(value).dtype
    node.note = Note()
    node.note.value = value
    return node


def note_of(node: Node) -> Note:
    """Return the node's note, made on first use."""
    if node.note is None:
        node.note = Note()
    return node.note


def reached(
    outputs: Iterable[Node], *, wanted_only: bool, floor: int = 0, stop: Container[Node] = frozenset()
) -> list[Node]:
    """Return the nodes that `outputs` depend on, themselves included, in topological order.

    Args:
        outputs: where to start.
        wanted_only: follow only the arguments that require a gradient, as the backward sweep does, and leave out
            leaves, which have no rules to call (outputs are in it all the same).
        floor: leave out nodes with a smaller index (what was made before cannot depend on what came after).
        stop: nodes below which not to go.
    """
    waiting = list(dict.fromkeys(outputs))
    seen = set(waiting)
    found = []
    while waiting:
        node = waiting.pop()  # the last one: what was computed together lies together in memory
        found.append(node)
        plan = node.plan
        if plan is None or (stop and node in stop):
            continue
        parents = node.parents
        if wanted_only:
            for position in plan.wanted:
                parent = parents[position]
                if parent.plan is not None and parent not in seen and parent.index >= floor:
                    seen.add(parent)
                    waiting.append(parent)
        else:
            for parent in parents:
                if type(parent) is Node and parent not in seen and parent.index >= floor:
                    seen.add(parent)
                    waiting.append(parent)
    found.sort(key=_INDEX)
    return found


_INDEX = attrgetter("index")


class Graph:
    """The steps of a computation below some outputs, in topological order, as an object to read.

    Every input, constant and computed quantity is a node, and an edge leads to it from each quantity that
    it was computed from directly (a constant operand, kept as a raw value in the record, is given a leaf of
    its own here). Numbers run from 1 to `len(graph)`, parents first, as v_1 .. v_N in the lecture.

    Args:
        outputs: Tensors whose computation is wanted.
        names: what drawings and equations call tensors that have no name of their own.

    Raises:
        GraphError: an output was not computed under recording.
        TypeError: an output is no Tensor.
    """

    def __init__(self, outputs: Sequence[Tensor], names: Mapping[str, object] | None = None) -> None:
        self.names = dict(names or {})
        starts = []
        for output in outputs:
            if not hasattr(output, "_node"):
                raise TypeError(f"graph: expected Tensors, got {type(output).__name__}")
            if output._node is None:
                raise GraphError(
                    "graph: this tensor has no record: nothing it was computed from requires a gradient. "
                    "Make an input with requires_grad=True, or compute inside `with autograd.record():`"
                )
            starts.append(output._node)
        self._read(starts)

    @classmethod
    def of_nodes(cls, outputs: Iterable[Node]) -> Graph:
        """Return the graph below nodes.

        Args:
            outputs: nodes of a record, as `Graph.nodes` has them.
        """
        graph = cls.__new__(cls)
        graph.names = {}
        graph._read(list(outputs))
        return graph

    def _read(self, outputs: list[Node]) -> None:
        self.outputs = outputs
        self.nodes: list[Node] = []
        self._parents: dict[int, tuple[Node, ...]] = {}
        arrays: dict[int, Node] = {}  # by identity: an array that several steps use is one leaf
        for node in reached(outputs, wanted_only=False):
            parents = []
            for parent in node.parents:
                found = parent if type(parent) is Node else arrays.get(id(parent))
                if found is None:
                    found = leaf(parent, requires_grad=False)
                    self.nodes.append(found)
                    if type(parent) is np.ndarray:
                        arrays[id(parent)] = found
                parents.append(found)
            self._parents[node.index] = tuple(parents)
            self.nodes.append(node)
        self._numbers = {node.index: number for number, node in enumerate(self.nodes, start=1)}

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __contains__(self, node: object) -> bool:
        return isinstance(node, Node) and node.index in self._numbers

    def __len__(self) -> int:
        return len(self.nodes)

    def __repr__(self) -> str:
        leaves = sum(node.plan is None for node in self.nodes)
        return f"<Graph: {len(self) - leaves} operations on {leaves} leaves>"

    def parents(self, node: Node) -> tuple[Node, ...]:
        """Return the nodes that `node` was computed from, in the order of its arguments."""
        return self._parents.get(node.index, ())

    def number(self, node: Node) -> int:
        """Return the node's place in the order, from 1."""
        return self._numbers[node.index]

    def cone(self, *outputs: Tensor | Node) -> Graph:
        """Return the part of this graph that `outputs` were computed from.

        Raises:
            GraphError: one of them is not in this graph.
        """
        nodes = [output if isinstance(output, Node) else output._node for output in outputs]
        for node in nodes:
            if node is None or node.index not in self._numbers:
                raise GraphError(f"cone: {node!r} is not a node of this graph")
        part = Graph.of_nodes(node for node in nodes if node is not None)
        part.names = self.names
        return part

    def evaluate(self, values: Mapping[Tensor, Any] | None = None) -> Any:
        """Run the recorded program again on new leaf values; nothing is recorded.

        Comparisons, masks and indices are recomputed. What Python decided while recording is not part of
        the record and stays as it was: random draws, `.item()`, `if` and loops.

        Args:
            values: a new value for some leaves; the others keep theirs.

        Returns:
            The output's array; a list of arrays for a graph with several outputs.

        Raises:
            GraphError: a key is not a leaf of this graph, or a leaf that is not given was written since.
            ValueError: a value's shape is not the leaf's.
        """
        given = self._values_by_leaf(values or {})
        found = [np.array(value) for value in run(self.outputs, given)]
        return found[0] if len(found) == 1 else found

    def _values_by_leaf(self, values: Mapping[Tensor, Any]) -> dict[Node, Any]:
        given = {}
        for tensor, value in values.items():
            node = tensor._node
            if node is None or node.plan is not None or node.index not in self._numbers:
                raise GraphError(f"evaluate: {tensor!r} is not a leaf of this graph")
            array = np.array(value, dtype=node.dtype)
            if array.shape != node.shape:
                raise ValueError(f"evaluate: expected shape {node.shape} for {describe(node)}, got {array.shape}")
            given[node] = array
        return given

    def dot(self, **options: Any) -> str:
        """Return the drawing of the graph in DOT, the language of Graphviz.

        Args:
            **options: `show` ("forward", "backward" or "both"; the default is both once a backward pass has been
                run), `constants=False` to leave them out, `collapse` (modules to fold: True for the
                innermost, a depth, or their paths; known where the computation ran under `autograd.record()`),
                `budget` (vertices to draw one by one).
        """
        from autograd.view.forms import View

        return View(self).dot(**options)

    def svg(self, **options: Any) -> str:
        """Return the drawing of the graph as an SVG picture.

        Args:
            **options: as for `dot`; and `time_limit`, the seconds that the layout may take (30).

        Raises:
            RenderError: nothing that can lay out a graph is installed, or it took too long.
        """
        from autograd.view.forms import View

        return View(self).svg(**options)

    def text(self, **options: Any) -> str:
        """Return what the computation does, forward and backward, one line a quantity.

        Args:
            **options: `unicode=False` for plain ASCII, `indexed=True` to write products of arrays with indices,
                `expand=True` to write derivatives out.
        """
        from autograd.view.forms import View

        return View(self).text(**options)

    def html(self, **options: Any) -> str:
        """Return a page, complete in one file, that replays the computation forward and backward, step by step.

        Args:
            **options: `title`; `check`, the seconds to take for comparing the operations with finite differences (True:
                2, which keeps the page soon there; False: none). The page says which were not compared.
        """
        from autograd.view.forms import View

        return View(self).html(**options)

    def latex(self, **options: Any) -> str:
        """Return the equations of the forward and the backward pass in LaTeX; options as for `text`."""
        from autograd.view.forms import View

        return View(self).latex(**options)

    def equations(self, **options: Any) -> Equations:
        """Return the equations of the forward and the backward pass, to read one by one.

        Args:
            **options: `expand=True` to write derivatives out, y (1 - y), instead of sigma'(z).
        """
        from autograd.view.forms import View

        return View(self).equations(**options)

    def why(self, quantity: Tensor | str) -> Why:
        """Return why the bar of a quantity is zero, NaN, infinite or missing, or which paths make it what it is.

        Args:
            quantity: a tensor of this graph, or its name.

        Raises:
            KeyError: there is no quantity of that name.
        """
        from autograd.view.forms import View

        return View(self).why(quantity)

    def check_by_hand(self, expressions: Mapping[str, Any], *, tolerance: float = 1e-6) -> HandCheck:
        """Compare your own expressions for bars with the engine's: which is the first wrong one, and why.

        Args:
            expressions: by the bar's name: a function whose parameters are called like the quantities ("x") and
                bars ("zbar") that it uses, or a value. Each is evaluated with the right values of those.
            tolerance: how far an element may be off, relative to the largest; bars of float32 and float16 may be off
                by 1e-4 and 1e-2 in any case.

        Raises:
            KeyError: there is no such bar, or nothing that a parameter is called like.

        Example:
            >>> import autograd
            >>> w, x = autograd.Tensor(3.0, requires_grad=True).named("w"), autograd.Tensor(5.0).named("x")
            >>> z = (w * x).named("z")
            >>> report = autograd.graph((z * z).named("L")).check_by_hand({"zbar": lambda Lbar, z: Lbar * z})
            >>> report.first_wrong.slip
            'the factor 2 is missing'
        """
        from autograd.view.forms import View

        return View(self).check_by_hand(expressions, tolerance=tolerance)

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write the graph to a file; its ending says how: .dot, .svg, .png, .pdf, .html, .txt, .md or .tex.

        Args:
            path: the file.
            **options: those of the form: as for `dot`, `svg`, `html`, `text`, `latex`.

        Raises:
            ValueError: another ending.
            RenderError: see `svg`; the DOT source is then written beside.
        """
        from autograd.view.forms import View

        View(self).save(path, **options)

    def _repr_svg_(self) -> str | None:
        from autograd.view.forms import svg_repr

        return svg_repr(self)

    def _repr_html_(self) -> str | None:
        from autograd.view.forms import html_repr

        return html_repr(self)


def run(outputs: Sequence[Node], given: Mapping[Node, Any]) -> list[Any]:
    """Compute `outputs` again from the leaves' present values, with those of some nodes given.

    Raises:
        GraphError: a leaf that is not given was written since an operation used it.
    """
    order = reached(outputs, wanted_only=False, stop=given.keys())
    last_use = {parent: node for node in order for parent in node.parents if type(parent) is Node}
    last_use.update((node, node) for node in outputs)
    results: dict[Node, Any] = dict(given)
    for node in order:
        if node in given:
            continue
        if node.plan is None:
            results[node] = leaf_value(node)
            continue
        parents = [parent for parent in node.parents if type(parent) is Node]
        for parent in parents:
            if parent.plan is None and parent not in given:
                refuse_changed(parent, node)
        values = [results[parent] if type(parent) is Node else parent for parent in node.parents]
        results[node] = node.plan.primitive.compute(values, node.parameters)[0]
        for parent in set(parents):
            if last_use[parent] is node:
                del results[parent]
    return [results[node] for node in outputs]


def leaf_value(node: Node) -> Any:
    """Return a leaf's present value."""
    return None if node.note is None else node.note.value


def stamp(node: Node) -> None:
    """Note that the leaf was written in place just now."""
    note_of(node).written = last_write[0] = next_index()


def describe(node: Node) -> str:
    """Return how a message names this node: by its name, else by its kind and shape."""
    kind = "leaf" if node.plan is None else node.plan.primitive.name
    return f"{kind} {node.name!r}" if node.name else f"the {kind} of shape {node.shape}"


def refuse_changed(changed: Node, reader: Node) -> None:
    """Raise if the leaf `changed` was written after `reader` was computed from it."""
    if changed.note is not None and changed.note.written > reader.index:
        operation = "an operation" if reader.plan is None else repr(reader.plan.primitive.name)
        raise GraphError(
            f"{describe(changed)} was written in place after {operation} had used its value, so the "
            "record no longer matches it. Compute the result again, or write the leaf after the sweep"
        )

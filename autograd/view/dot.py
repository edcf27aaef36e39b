"""The drawing in DOT: a vertex for each quantity, told apart by shape as well as colour, modules as clusters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import graphviz
import numpy as np

from autograd.view.derive import computed
from autograd.view.reduce import Drawing, Edge, Fold
from autograd.view.snapshot import CONSTANT, INPUT, LOSS, OPERATION, PARAMETER, Quantity, Snapshot
from autograd.view.symbols import UNICODE
from autograd.view.write import Writer, short_name

if TYPE_CHECKING:
    from autograd.view.replay import Replay

_FONT = "Helvetica,Arial,sans-serif"
_GRAPH = {"rankdir": "TB", "fontname": _FONT, "fontsize": "11", "nodesep": "0.25", "ranksep": "0.3", "bgcolor": "white"}
_NODE = {"fontname": _FONT, "fontsize": "10", "style": "filled", "margin": "0.1,0.05", "height": "0.3", "width": "0.5"}
_EDGE = {"arrowsize": "0.6", "color": "#555555", "fontname": _FONT, "fontsize": "9", "fontcolor": "#a3200d"}
_CLUSTER = {"labeljust": "l", "labelloc": "t", "style": "rounded", "color": "#9a9a9a", "fontcolor": "#222222"}

_WIDTH = 28
"""Characters of what a quantity is computed by that fit into a vertex."""

# Colours of Okabe and Ito, lightened: also told apart by those who do not see red and green.
_LOOKS = {
    PARAMETER: {"shape": "box", "style": "filled,rounded,bold", "fillcolor": "#fff0c2", "color": "#b27700"},
    INPUT: {"shape": "hexagon", "fillcolor": "#d3f0e6", "color": "#007a5a"},
    CONSTANT: {"shape": "note", "fillcolor": "#eeeeee", "color": "#777777"},
    OPERATION: {"shape": "ellipse", "fillcolor": "#e3f1fb", "color": "#2f76a8"},
    LOSS: {"shape": "doubleoctagon", "fillcolor": "#fbdcc8", "color": "#b3470c"},
}
_FOLDED = {"shape": "folder", "fillcolor": "#ece4f5", "color": "#6a4c93"}

FORWARD, BACKWARD, BOTH = "forward", "backward", "both"


class Line(NamedTuple):
    """A line of a vertex: what it says ("name", "fixed", "value" or "bar"), the text, and of which quantity."""

    kind: str
    text: str
    number: int


def dot(
    snapshot: Snapshot,
    drawing: Drawing,
    replay: Replay | None = None,
    *,
    show: str = BOTH,
    classes: bool = False,
) -> str:
    """Return the drawing as DOT source; vertices are named v1, v2, ... in topological order.

    Args:
        snapshot: of the graph.
        drawing: what of it to draw.
        replay: the backward pass, whose bars and shares to write; None: none are known.
        show: "forward" for values only; "backward" for bars only, with edges along which they flow; "both".
        classes: whether to give vertices and edges a class by which a page's script finds them: v3, e3-5.
    """
    source = graphviz.Digraph("computation", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    if drawing.note:
        source.attr(label=graphviz.escape(drawing.note), labelloc="b", fontcolor="#444444")
    painter = Painter(snapshot, replay if show != FORWARD else None, show, classes=classes)
    tree = _Cluster("", ())
    for vertex in drawing.vertices:
        tree.below(vertex.scope).members.append(vertex)
    tree.draw(source, painter)
    for edge in drawing.edges:
        painter.edge(source, edge)
    return str(source.source)


class _Cluster:
    """A module in the drawing: the vertices that belong to it and the modules inside."""

    def __init__(self, name: str, path: tuple[str, ...]) -> None:
        self.name = name
        self.path = path
        self.members: list[Quantity | Fold] = []
        self.inner: dict[str, _Cluster] = {}

    def below(self, path: tuple[str, ...]) -> _Cluster:
        """Return the cluster at this path from here, made on first use."""
        cluster = self
        for depth, name in enumerate(path, start=1):
            if name not in cluster.inner:
                cluster.inner[name] = _Cluster(name, path[:depth])
            cluster = cluster.inner[name]
        return cluster

    def draw(self, source: Any, painter: Painter) -> None:
        """Add the vertices and the clusters inside to the source."""
        for vertex in self.members:
            looks = _FOLDED if isinstance(vertex, Fold) else _LOOKS[vertex.kind]
            label = graphviz.nohtml("\\n".join(graphviz.escape(line.text) for line in painter.lines(vertex)))
            source.node(f"v{vertex.number}", label=label, **looks, **painter.class_of(f"v{vertex.number}"))
        for cluster in self.inner.values():
            with source.subgraph(name="cluster_" + ".".join(cluster.path)) as inside:
                inside.attr(label=graphviz.escape(painter.titled(cluster.name, cluster.path)), **_CLUSTER)
                cluster.draw(inside, painter)


class Painter:
    """Writes vertices and edges of one drawing."""

    def __init__(self, snapshot: Snapshot, replay: Replay | None, show: str, *, classes: bool = False) -> None:
        self.classes = classes
        self.snapshot = snapshot
        self.replay = replay
        self.show = show
        self.writer = Writer(UNICODE, lambda number: snapshot[number].symbol)

    def class_of(self, name: str) -> dict[str, str]:
        """Return the attribute that gives an element a class, if it is to have one."""
        return {"class": name} if self.classes else {}

    def titled(self, name: str, path: tuple[str, ...] | None) -> str:
        """Return what a module is called: its name and its class, "conv1: Conv2d"."""
        kind = self.snapshot.classes.get(path, "") if path is not None else ""
        return f"{name}: {kind}" if kind and kind != name.partition(" ")[0] else name

    def lines(self, vertex: Quantity | Fold) -> list[Line]:
        """Return the lines of a vertex: what it is, its value or shape, its bar."""
        if isinstance(vertex, Fold):
            return self._fold(vertex)
        name, number = UNICODE.name(vertex.symbol), vertex.number
        lines: list[Line] = []
        if vertex.operation is not None:
            lines = [Line("name", text, number) for text in self._computation(vertex, f"{name} = ")]
        elif vertex.name or vertex.kind != CONSTANT or vertex.shape:
            lines = [Line("name", name, number)]
        if self.show != BACKWARD or vertex.kind == CONSTANT:
            lines += summary(vertex)
        lines += self._bar(vertex)
        if vertex.changed:
            lines.append(Line("fixed", "changed since", number))
        return lines

    def _bar(self, quantity: Quantity) -> list[Line]:
        """Return the line of a quantity's bar, if one is known."""
        if self.replay is None:
            return []
        bar = self.replay.bars.get(quantity.number)
        if bar is not None and not isinstance(bar, tuple):
            return [Line("bar", f"{UNICODE.name(quantity.symbol, bar=True)} = {extent(bar)}", quantity.number)]
        if quantity.kind == PARAMETER and quantity.bar is not None:
            # The sum over all sweeps: not this graph's bar.
            return [Line("bar", f"grad = {extent(quantity.bar)}", quantity.number)]
        return []

    def _fold(self, fold: Fold) -> list[Line]:
        """Return the lines of a box: the module and its class, what is inside, and what it hands on with its bar."""
        times = f" \N{MULTIPLICATION SIGN}{fold.repeats}" if fold.repeats > 1 else ""
        told = [self.titled(fold.label, fold.module) + times]
        if fold.operations > 1 or not fold.kind:
            names = Counter(short_name(member.operation) for member in fold.members if member.operation is not None)
            inside = ", ".join(name if count == 1 else f"{count:,} {name}" for name, count in names.items())
            told.append(inside if len(inside) <= _WIDTH else _counted(fold.operations, "operation"))
        if fold.parameters:
            told.append(_counted(fold.parameters, "parameter"))
        lines = [Line("fixed", text, fold.number) for text in told]
        for quantity in fold.outputs[-_OUTPUTS:]:
            lines += self._handed_on(quantity)
        if len(fold.outputs) > _OUTPUTS:
            lines.append(Line("fixed", f"and {len(fold.outputs) - _OUTPUTS} further outputs", fold.number))
        return lines

    def _handed_on(self, quantity: Quantity) -> list[Line]:
        """Return the lines of a box's output: its shape, value and bar."""
        first, *rest = summary(quantity)
        name = UNICODE.name(quantity.symbol)
        text = f"{name} = {first.text}" if first.kind == "value" else f"{name}: {first.text}"
        lines = [first._replace(text=text), *rest]
        if self.show == BACKWARD:
            lines = [line for line in lines if line.kind != "value"]
        return lines + self._bar(quantity)

    def _computation(self, quantity: Quantity, start: str) -> list[str]:
        """Return what a step computes, as the equations have it, "y = w x", in one line or two.

        What would take more is cut short: "conv(x, ...)".
        """
        assert quantity.operation is not None
        form = computed(self.snapshot, quantity)
        written = short_name(quantity.operation) if form is None else self.writer.form(form)
        if len(written) <= _WIDTH:
            return [start + written]
        first = written[: written.rfind(", ", 0, _WIDTH) + 1]
        rest = written[len(first) + 1 :]
        if first and len(rest) <= _WIDTH:
            return [start + first, rest]
        name = short_name(quantity.operation)
        begun = f"{name}({UNICODE.name(self.snapshot[quantity.parents[0]].symbol)}, \N{HORIZONTAL ELLIPSIS})"
        return [start + (begun if len(begun) <= _WIDTH else name)]

    def edge(self, source: Any, edge: Edge) -> None:
        """Add an edge: with what flows back along it, where that is known."""
        parent = self.snapshot[edge.uses[0].parent]
        share = self._message(edge)
        message = {"label": f" {extent(share)} "} if share is not None else {}
        named = self.class_of(f"e{edge.start}-{edge.end}")
        if self.show == BACKWARD:
            if any(use.position in self.snapshot[use.consumer].wanted for use in edge.uses):
                source.edge(f"v{edge.end}", f"v{edge.start}", color="#a3200d", style="dashed", **message, **named)
            return
        if message:
            message["label"] = f" \N{LEFTWARDS ARROW}{message['label']}"
        straight = "3" if parent.operation is not None else "1"
        source.edge(f"v{edge.start}", f"v{edge.end}", weight=straight, **message, **named)

    def _message(self, edge: Edge) -> Any:
        """Return what one quantity's bar gets along an edge; None if it is not known, or is not one quantity's."""
        if self.replay is None or len({use.parent for use in edge.uses}) > 1:
            return None
        shares = [self.replay.shares.get((use.consumer, use.position)) for use in edge.uses]
        known = [share for share in shares if share is not None]
        return sum(known[1:], known[0]) if known and not isinstance(known[0], tuple) else None


_OUTPUTS = 3
"""Outputs of a box that are told of."""


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def summary(quantity: Quantity) -> list[Line]:
    """Return the value of a scalar (a dash where it is unknown), the shape, dtype and range of a tensor."""
    if isinstance(quantity.dtype, tuple):
        return [Line("fixed", f"{len(quantity.shape)} outputs", quantity.number)]
    if quantity.shape == ():
        return [Line("value", number(quantity.value), quantity.number)]
    lengths = "\N{MULTIPLICATION SIGN}".join(map(str, quantity.shape))
    lines = [Line("fixed", f"{lengths} {quantity.dtype}", quantity.number)]
    return lines if quantity.value is None else [*lines, Line("value", extent(quantity.value), quantity.number)]


def number(value: Any) -> str:
    """Return a number as it is put into a vertex."""
    return UNICODE.value(value)


def extent(value: Any) -> str:
    """Return a number, the elements of a short vector or of a 2 x 2 matrix, or the range of an array."""
    array = np.asarray(value)
    if array.ndim == 0 or (array.ndim == 1 and array.size <= _SHORT) or array.shape == (2, 2):
        return number(array)
    if not array.size:
        return "empty"
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return f"{int((~np.isfinite(array)).sum()):,} not finite"
    if (array == array.flat[0]).all():
        return f"all {number(array.flat[0])}"
    low, high = (f"{end:.3g}".replace("-", UNICODE.minus) for end in (array.min(), array.max()))
    return f"{low} \N{HORIZONTAL ELLIPSIS} {high}"


_SHORT = 3

"""The drawing in DOT: a vertex for each quantity, told apart by shape as well as colour, modules as clusters."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import graphviz
import numpy as np

from autograd.view.reduce import Drawing, Fold
from autograd.view.snapshot import CONSTANT, INPUT, LOSS, OPERATION, PARAMETER, Quantity, Snapshot
from autograd.view.symbols import UNICODE
from autograd.view.write import shown

if TYPE_CHECKING:
    from autograd.primitive import Primitive
    from autograd.view.replay import Replay

_FONT = "Helvetica,Arial,sans-serif"
_GRAPH = {"rankdir": "TB", "fontname": _FONT, "fontsize": "11", "nodesep": "0.25", "ranksep": "0.3", "bgcolor": "white"}
_NODE = {"fontname": _FONT, "fontsize": "10", "style": "filled", "margin": "0.1,0.05", "height": "0.3", "width": "0.5"}
_EDGE = {"arrowsize": "0.6", "color": "#555555", "fontname": _FONT, "fontsize": "9", "fontcolor": "#a3200d"}
_CLUSTER = {"labeljust": "l", "labelloc": "t", "style": "rounded", "color": "#9a9a9a", "fontcolor": "#222222"}

_WIDTH = 22
"""Characters of an operation's arguments that fit into a vertex."""

# Colours of Okabe and Ito, lightened: also told apart by those who do not see red and green.
_LOOKS = {
    PARAMETER: {"shape": "box", "style": "filled,rounded,bold", "fillcolor": "#fff0c2", "color": "#b27700"},
    INPUT: {"shape": "hexagon", "fillcolor": "#d3f0e6", "color": "#007a5a"},
    CONSTANT: {"shape": "note", "fillcolor": "#eeeeee", "color": "#777777"},
    OPERATION: {"shape": "ellipse", "fillcolor": "#e3f1fb", "color": "#2f76a8"},
    LOSS: {"shape": "doubleoctagon", "fillcolor": "#fbdcc8", "color": "#b3470c"},
}
_FOLDED = {"shape": "box3d", "fillcolor": "#ece4f5", "color": "#6a4c93"}

FORWARD, BACKWARD, BOTH = "forward", "backward", "both"


Line = tuple[str, str]
"""A line of a vertex: what it says ("name", "fixed", "value" or "bar"), and the text."""


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
        painter.edge(source, *edge)
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
            lines = [text for _, text in painter.lines(vertex)]
            label = graphviz.nohtml("\\n".join(map(graphviz.escape, lines)))
            source.node(f"v{vertex.number}", label=label, **looks, **painter.class_of(f"v{vertex.number}"))
        for cluster in self.inner.values():
            with source.subgraph(name="cluster_" + ".".join(cluster.path)) as inside:
                inside.attr(label=graphviz.escape(cluster.name), **_CLUSTER)
                cluster.draw(inside, painter)


class Painter:
    """Writes vertices and edges of one drawing."""

    def __init__(self, snapshot: Snapshot, replay: Replay | None, show: str, *, classes: bool = False) -> None:
        self.classes = classes
        self.snapshot = snapshot
        self.replay = replay
        self.show = show
        self.uses = Counter(
            quantity.parents[position] for quantity in snapshot.quantities for position in quantity.wanted
        )

    def class_of(self, name: str) -> dict[str, str]:
        """Return the attribute that gives an element a class, if it is to have one."""
        return {"class": name} if self.classes else {}

    def lines(self, vertex: Quantity | Fold) -> list[Line]:
        """Return the lines of a vertex: what it is, its value or shape, its bar."""
        if isinstance(vertex, Fold):
            return [("fixed", text) for text in self._fold(vertex)]
        lines: list[Line] = []
        if vertex.name or vertex.kind != CONSTANT or vertex.shape:
            lines = [("name", UNICODE.name(vertex.symbol))]
        if vertex.operation is not None:
            lines = [("name", f"{lines[0][1]} = {self._computation(vertex, vertex.operation)}")]
        if self.show != BACKWARD or vertex.kind == CONSTANT:
            lines += summary(vertex)
        bar = None if self.replay is None else self.replay.bars.get(vertex.number)
        if bar is not None and not isinstance(bar, tuple):
            lines.append(("bar", f"{UNICODE.name(vertex.symbol, bar=True)} = {extent(bar)}"))
        elif self.replay is not None and vertex.kind == PARAMETER and vertex.bar is not None:
            lines.append(("bar", f"grad = {extent(vertex.bar)}"))  # the sum over all sweeps: not this graph's bar
        if vertex.changed:
            lines.append(("fixed", "changed since"))
        return lines

    def _fold(self, fold: Fold) -> list[str]:
        lines = [fold.label + (f" \N{MULTIPLICATION SIGN}{fold.repeats}" if fold.repeats > 1 else "")]
        names = Counter(member.operation.name for member in fold.members if member.operation is not None)
        inside = ", ".join(name if count == 1 else f"{count} {name}" for name, count in names.items())
        lines.append(inside if len(inside) <= _WIDTH else _counted(fold.operations, "operation"))
        if fold.parameters:
            lines.append(_counted(fold.parameters, "parameter"))
        return lines + ([text for _, text in summary(fold.last)[:1]] if fold.module is not None else [])

    def _computation(self, quantity: Quantity, operation: Primitive) -> str:
        """Return the operation on its arguments, e.g. "v6 + b"; its name alone where that is too long."""
        arguments = [
            number(parent.value) if parent.kind == CONSTANT and parent.shape == () else UNICODE.name(parent.symbol)
            for parent in map(self.snapshot.__getitem__, quantity.parents)
            if not parent.is_absent
        ]
        written = f"{operation.name}({', '.join(arguments)})"
        if operation.notation is not None and operation.notation.count("{}") == len(arguments):
            parameters = {name: shown(value) for name, value in quantity.parameters.items()}
            written = UNICODE.function(operation.notation).format(*arguments, **parameters)
        return written if len(written) <= _WIDTH else operation.name

    def edge(self, source: Any, start: int, end: int, position: int) -> None:
        """Add an edge: with what flows back along it, where that is known."""
        share = None if self.replay is None else self.replay.shares.get((end, position))
        told = share is not None and (not np.shape(share) or self.uses[start] > 1)
        message = {"label": f" {extent(share)}"} if told else {}
        named = self.class_of(f"e{start}-{end}")
        if self.show == BACKWARD:
            if self.snapshot[start].requires_grad and position in (-1, *self.snapshot[end].wanted):
                source.edge(f"v{end}", f"v{start}", color="#a3200d", style="dashed", **message, **named)
            return
        if message:
            message["label"] = f" \N{LEFTWARDS ARROW}{message['label']}"
        straight = "3" if self.snapshot[start].operation is not None else "1"
        source.edge(f"v{start}", f"v{end}", weight=straight, **message, **named)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"


def summary(quantity: Quantity) -> list[Line]:
    """Return the value of a scalar (a dash where it is unknown), the shape, dtype and range of a tensor."""
    if isinstance(quantity.dtype, tuple):
        return [("fixed", f"{len(quantity.shape)} outputs")]
    if quantity.shape == ():
        return [("value", number(quantity.value))]
    lengths = "\N{MULTIPLICATION SIGN}".join(map(str, quantity.shape))
    lines = [("fixed", f"{lengths} {quantity.dtype}")]
    return lines if quantity.value is None else [*lines, ("value", extent(quantity.value))]


def number(value: Any) -> str:
    """Return a number as it is put into a vertex."""
    return UNICODE.value(value)


def extent(value: Any) -> str:
    """Return a number, the elements of a short vector, or the range of an array."""
    array = np.asarray(value)
    if array.ndim == 0 or (array.ndim == 1 and array.size <= _SHORT):
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

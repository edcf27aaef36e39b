"""The drawing in DOT: a vertex for each quantity, told apart by shape as well as colour, modules as clusters."""

from __future__ import annotations

import math
from typing import Any

import graphviz
import numpy as np

from autograd.primitive import Primitive
from autograd.view.snapshot import CONSTANT, INPUT, LOSS, OPERATION, PARAMETER, Quantity, Snapshot

_FONT = "Helvetica,Arial,sans-serif"
_GRAPH = {"rankdir": "TB", "fontname": _FONT, "fontsize": "11", "nodesep": "0.25", "ranksep": "0.3", "bgcolor": "white"}
_NODE = {"fontname": _FONT, "fontsize": "10", "style": "filled", "margin": "0.1,0.05", "height": "0.3", "width": "0.5"}
_EDGE = {"arrowsize": "0.6", "color": "#555555", "fontname": _FONT, "fontsize": "8", "fontcolor": "#b3261e"}

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


def dot(snapshot: Snapshot) -> str:
    """Return the drawing as DOT source; vertices are named v1, v2, ... in topological order."""
    drawing = graphviz.Digraph("computation", graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    tree = _Cluster("", ())
    for quantity in snapshot.quantities:
        tree.below(quantity.scope).members.append(quantity)
    tree.draw(drawing, snapshot)
    for quantity in snapshot.quantities:
        for parent in quantity.parents:
            straight = "3" if snapshot[parent].operation is not None else "1"
            drawing.edge(f"v{parent}", f"v{quantity.number}", weight=straight)
    return str(drawing.source)


class _Cluster:
    """A module in the drawing: the quantities that belong to it and the modules inside."""

    def __init__(self, name: str, path: tuple[str, ...]) -> None:
        self.name = name
        self.path = path
        self.members: list[Quantity] = []
        self.inner: dict[str, _Cluster] = {}

    def below(self, path: tuple[str, ...]) -> _Cluster:
        """Return the cluster at this path from here, made on first use."""
        cluster = self
        for depth, name in enumerate(path, start=1):
            if name not in cluster.inner:
                cluster.inner[name] = _Cluster(name, path[:depth])
            cluster = cluster.inner[name]
        return cluster

    def draw(self, drawing: Any, snapshot: Snapshot) -> None:
        """Add the vertices and the clusters inside to the drawing."""
        for quantity in self.members:
            drawing.node(f"v{quantity.number}", label=_label(quantity, snapshot), **_LOOKS[quantity.kind])
        for cluster in self.inner.values():
            with drawing.subgraph(name="cluster_" + ".".join(cluster.path)) as inside:
                inside.attr(label=graphviz.escape(cluster.name), labeljust="l", style="rounded", color="#9a9a9a")
                cluster.draw(inside, snapshot)


def _label(quantity: Quantity, snapshot: Snapshot) -> Any:
    """Return the lines of a vertex: what it is, its value or shape, its bar."""
    lines = [quantity.symbol] if quantity.name or quantity.kind != CONSTANT or quantity.shape else []
    if quantity.operation is not None:
        lines = [f"{quantity.symbol} = {_computation(quantity, quantity.operation, snapshot)}"]
    lines.append(summary(quantity))
    if quantity.bar is not None and not np.shape(quantity.bar):
        lines.append(f"bar {number(quantity.bar)}")
    if quantity.changed:
        lines.append("changed since")
    return graphviz.nohtml("\\n".join(graphviz.escape(line) for line in lines))


def _computation(quantity: Quantity, operation: Primitive, snapshot: Snapshot) -> str:
    """Return the operation on its arguments, e.g. "v6 + b"; its name alone where that is too long for a vertex."""
    arguments = [
        number(parent.value) if parent.kind == CONSTANT and parent.shape == () else parent.symbol
        for parent in map(snapshot.__getitem__, quantity.parents)
    ]
    template = operation.notation if operation.notation is not None else f"{operation.name}({{}})"
    if template.count("{}") != len(arguments):
        template, arguments = f"{operation.name}({{}})", [", ".join(arguments)]
    written = template.format(*arguments)
    return written if len(written) <= _WIDTH else operation.name


def summary(quantity: Quantity) -> str:
    """Return the value of a scalar (a dash where it is unknown), the shape and dtype of a tensor."""
    if isinstance(quantity.shape, tuple) and quantity.shape and isinstance(quantity.shape[0], tuple):
        return f"{len(quantity.shape)} outputs"
    if quantity.shape == ():
        return "\N{EN DASH}" if quantity.value is None else number(quantity.value)
    lengths = "\N{MULTIPLICATION SIGN}".join(map(str, quantity.shape))
    return f"{lengths} {quantity.dtype}"


def number(value: Any) -> str:
    """Return a number as a person would write it: four significant digits."""
    value = np.asarray(value).item()
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    return f"{value:.4g}"

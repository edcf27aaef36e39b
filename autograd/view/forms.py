"""`View`: one graph in all its forms, each made when it is first asked for."""

from __future__ import annotations

import html
import os
import time
import weakref
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.program import Graph, Node
from autograd.view.dot import BACKWARD, BOTH, FORWARD, dot
from autograd.view.reduce import BUDGET, MOST, reduce
from autograd.view.render import PICTURES, TIME_LIMIT, or_none, render, save, svg, write
from autograd.view.replay import Replay
from autograd.view.snapshot import Snapshot
from autograd.view.symbols import ASCII, UNICODE

if TYPE_CHECKING:
    from autograd.tensor import Tensor
    from autograd.view.equations import Equations
    from autograd.view.hand import HandCheck
    from autograd.view.why import Why


REPR_LIMIT = 50_000
"""Quantities up to which a notebook shows a graph with its steps unasked: a second or two."""

FOLDED_LIMIT = 300_000
"""Quantities up to which it shows a folded drawing unasked: a few seconds."""

REPR_SECONDS = 5.0
"""What the layouts that a notebook did not ask for may take, all together."""

TENSOR_LIMIT = 40
"""Quantities up to which a notebook draws what a tensor was computed from."""


class View:
    """A graph as it is now, for all forms that are made of it.

    Args:
        graph: what to look at.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.snapshot = Snapshot(graph)

    @cached_property
    def replay(self) -> Replay:
        """The backward pass with every share."""
        return Replay(self.snapshot)

    def dot(
        self,
        *,
        show: str | None = None,
        constants: bool = True,
        collapse: bool | int | Collection[str] = False,
        budget: int = BUDGET,
    ) -> str:
        """Return the drawing in DOT; see `Graph.dot`.

        Raises:
            ValueError: `show` is none of "forward", "backward" and "both".
        """
        if show is None:
            show = BOTH if any(quantity.bar is not None for quantity in self.snapshot.quantities) else FORWARD
        if show not in (FORWARD, BACKWARD, BOTH):
            raise ValueError(f'dot: expected show="forward", "backward" or "both", got {show!r}')
        drawing = reduce(self.snapshot, constants, backward=show == BACKWARD, collapse=collapse, budget=budget)
        return dot(self.snapshot, drawing, self.replay if show != FORWARD else None, show=show)

    def svg(self, *, time_limit: float = TIME_LIMIT, budget: int = BUDGET, **options: Any) -> str:
        """Return the drawing as an SVG picture; see `Graph.svg`."""
        source = self.dot(budget=min(budget, MOST), **options)
        return render(source, "svg", time_limit=time_limit).decode()

    def equations(self, *, expand: bool = False) -> Equations:
        """Return the equations; see `Graph.equations`."""
        from autograd.view.equations import Equations

        return Equations(self.snapshot, self.replay, expand=expand)

    def text(self, *, unicode: bool = True, indexed: bool = False, expand: bool = False) -> str:
        """Return all equations as text; see `Graph.text`."""
        return self.equations(expand=expand).text(UNICODE if unicode else ASCII, indexed=indexed)

    def latex(self, *, indexed: bool = False, expand: bool = False) -> str:
        """Return all equations in LaTeX; see `Graph.latex`."""
        return self.equations(expand=expand).latex(indexed=indexed)

    def html(self, *, title: str = "Computation", check: bool | float = True) -> str:
        """Return the page that replays the computation; see `Graph.html`."""
        from autograd.view.page import page

        return page(self.snapshot, self.replay, title=title, check=check)

    def notebook(self, seconds: float = TIME_LIMIT) -> str:
        """Return what a notebook shows; its layouts together may take so many seconds."""
        from autograd.view.page import notebook

        return notebook(self.snapshot, self.replay, seconds)

    def check_by_hand(self, expressions: Mapping[str, Any], *, tolerance: float = 1e-6) -> HandCheck:
        """Compare a student's bar expressions with the engine's bars; see `Graph.check_by_hand`."""
        from autograd.view.hand import check_by_hand

        return check_by_hand(self.equations(), expressions, tolerance=tolerance)

    def why(self, quantity: Tensor | str) -> Why:
        """Return why a bar is zero, not finite, or what it is; see `Graph.why`.

        Raises:
            KeyError: there is no quantity of that name.
        """
        from autograd.view.why import ABSENT, Why, why

        if isinstance(quantity, str):
            found = [q.number for q in self.snapshot.quantities if q.symbol == quantity]
            if not found:
                known = ", ".join(q.symbol for q in self.snapshot.quantities)
                raise KeyError(f"why: there is no quantity {quantity!r}; there are {known}")
            return why(self.snapshot, self.replay, found[0])
        node = quantity._node
        if node is None or node not in self._graph.nodes:
            value = np.asarray(quantity._value)
            copies = [
                q
                for q in self.snapshot.quantities
                if q.operation is None and not q.requires_grad and np.array_equal(q.value, value)
            ]
            hint = f"; the constant {copies[0].symbol} has its value: detached?" if copies else ""
            name = quantity.name or "this tensor"
            return Why(None, ABSENT, f"no bar arrives at {name}: the result was not computed from it{hint}")
        return why(self.snapshot, self.replay, self._graph.number(node))

    def save(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write one form to a file; see `Graph.save`."""
        target = Path(path)
        ending = target.suffix[1:].lower()
        texts: dict[str, Callable[..., str]] = {
            "txt": self.text,
            "tex": self.latex,
            "md": self.markdown,
            "html": self.html,
        }
        if ending in texts:
            write(target, f"{texts[ending](**options)}\n".encode())
        elif ending == "dot":
            write(target, self.dot(**options).encode())
        elif ending in PICTURES:
            time_limit = options.pop("time_limit", TIME_LIMIT)
            source = self.dot(budget=min(options.pop("budget", BUDGET), MOST), **options)
            save(source, target, time_limit=time_limit)
        else:
            known = ", ".join(f".{name}" for name in ("dot", *PICTURES, *texts))
            raise ValueError(f"save: expected a file name that ends in one of {known}, got {str(path)!r}")

    def markdown(self, **options: Any) -> str:
        """Return the equations as a Markdown table; options as for `text`."""
        return self.equations(expand=options.pop("expand", False)).markdown(**options)


def svg_repr(graph: Graph) -> str | None:
    """Return the picture that a notebook shows; None if the graph is huge or cannot be drawn."""
    if len(graph) > REPR_LIMIT:
        return None
    if graph in _late:
        _late.discard(graph)
        return None
    return or_none(lambda: svg(View(graph).dot(), time_limit=REPR_SECONDS))


def html_repr(graph: Graph) -> str | None:
    """Return the picture, the table and the page that a notebook shows; of a huge graph, a folded picture or text."""
    if len(graph) > REPR_LIMIT:
        return or_none(lambda: _folded(graph))
    start = time.monotonic()
    shown = or_none(lambda: View(graph).notebook(REPR_SECONDS))
    if time.monotonic() - start > REPR_SECONDS:
        _late.add(graph)
    return shown


_late: weakref.WeakSet[Graph] = weakref.WeakSet()
"""Graphs whose HTML form took longer than its time: a notebook asks for the picture next, and must not wait again."""


def _folded(graph: Graph) -> str:
    """Return what a notebook shows of a huge graph: what it is, and up to a limit the forward pass, folded."""
    what = f"<pre>{html.escape(repr(graph))}</pre>"
    if len(graph) > FOLDED_LIMIT:
        return f"{what}<p>Too large to draw unasked: graph.svg() folds it, graph.cone(...) is a part of it.</p>"
    from autograd.view.page import image

    snapshot = View(graph).snapshot
    drawing = reduce(snapshot)
    source = dot(snapshot, drawing, show=FORWARD)
    picture = or_none(lambda: image(svg(source, time_limit=REPR_SECONDS)))
    return f"{what}<p>{html.escape(drawing.note)}</p>{picture or ''}"


def tensor_repr(tensor: Tensor) -> str | None:
    """Return what a notebook shows for a tensor: its text and, where little leads to it, the drawing of that.

    None where even the text cannot be made.
    """

    def drawn() -> str:
        from autograd.view.page import image

        node = tensor._node
        if node is None or node.plan is None or not _at_most(node, TENSOR_LIMIT):
            return ""
        picture = svg(View(Graph([tensor])).dot(), time_limit=REPR_SECONDS)
        return f"<details><summary>Computed from</summary>{image(picture)}</details>"

    def text() -> str:
        shape = " \N{MULTIPLICATION SIGN} ".join(map(str, tensor.shape)) or "a number"
        return f"<pre>{html.escape(repr(tensor))}</pre><p>{shape}, {tensor.dtype}</p>{or_none(drawn) or ''}"

    return or_none(text)


def _at_most(node: Node, limit: int) -> bool:
    """Tell whether no more than `limit` quantities lead to this one, without looking at many more."""
    found = {node: None}
    waiting = [node]
    constants = 0
    while waiting and len(found) + constants <= limit:
        parents = waiting.pop().parents
        new = [parent for parent in parents if type(parent) is Node and parent not in found]
        constants += sum(type(parent) is not Node for parent in parents)
        found.update(dict.fromkeys(new))
        waiting += new
    return len(found) + constants <= limit

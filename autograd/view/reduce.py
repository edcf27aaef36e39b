"""From a snapshot to what a drawing shows: vertices and edges, with modules, repeats and long stretches folded.

A drawing of more than `BUDGET` vertices says little and takes long to lay out. Modules are folded first, deepest
last, then repeated blocks in a row, then stretches of the order; what was folded is said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from autograd.view.snapshot import CONSTANT, PARAMETER, Quantity, Snapshot
from autograd.view.symbols import UNICODE

BUDGET = 500
"""Vertices that are drawn one by one."""

MOST = 3000
"""Vertices that are ever laid out: more take minutes."""

SPAN = 3
"""Ranks that all edges together cross, for each vertex of the budget: a layout with more of them takes minutes."""

STRETCHES = 20
"""Boxes that a graph without modules is folded into where it is over the budget."""

Path = tuple[str, ...]


@dataclass(eq=False)
class Fold:
    """A box that stands for several quantities.

    Attributes:
        number: of its last quantity; it takes that one's place in the order.
        label: the module, or the stretch of the order.
        scope: path of the modules around it.
        members: the quantities, in order.
        repeats: how many equal blocks in a row it stands for.
        module: path of the module that it is, or None for a stretch.
        kind: name of the module's class; "" if it is not known.
        outputs: the members that are used outside, or are results.
    """

    number: int
    label: str
    scope: Path
    members: list[Quantity]
    repeats: int = 1
    module: Path | None = None
    kind: str = ""
    outputs: list[Quantity] = field(default_factory=list)

    @property
    def operations(self) -> int:
        """How many operations are inside."""
        return len([member for member in self.members if member.operation is not None])

    @property
    def parameters(self) -> int:
        """How many trainable numbers are inside."""
        return sum(member.size for member in self.members if member.kind == PARAMETER)


class Use(NamedTuple):
    """One use of a quantity by another: of what, by which, at which place among its arguments."""

    parent: int
    consumer: int
    position: int


class Edge(NamedTuple):
    """An arrow from a vertex to another, by their numbers, and the uses that it stands for: several at a fold."""

    start: int
    end: int
    uses: tuple[Use, ...]


@dataclass
class Drawing:
    """What is drawn.

    Attributes:
        vertices: quantities and folds, in order of their numbers.
        edges: one for each use; at a fold one for each pair of vertices.
        note: what was left out or folded; "" if nothing.
    """

    vertices: list[Quantity | Fold]
    edges: list[Edge]
    note: str = ""

    def span(self) -> int:
        """Return about how many ranks the edges cross; a weight that each of many steps in a row uses has long ones."""
        parents: dict[int, list[int]] = {vertex.number: [] for vertex in self.vertices}
        for edge in self.edges:
            parents[edge.end].append(edge.start)
        rank: dict[int, int] = {}
        for number, above in parents.items():
            rank[number] = 1 + max((rank.get(parent, 0) for parent in above), default=-1)
        below: dict[int, int] = {}
        for edge in self.edges:
            below[edge.start] = min(rank[edge.end], below.get(edge.start, rank[edge.end]))
        starts = {
            n: rank[n] if parents[n] else below.get(n, 1) - 1 for n in parents
        }  # an input stands by its first use
        return sum(abs(rank[edge.end] - starts[edge.start]) for edge in self.edges)

    def fits(self, budget: int) -> bool:
        """Tell whether it can be laid out in a second or so."""
        return len(self.vertices) <= budget and self.span() <= SPAN * budget


def reduce(
    snapshot: Snapshot,
    constants: bool = True,
    *,
    backward: bool = False,
    collapse: bool | int | Collection[str] = False,
    budget: int = BUDGET,
) -> Drawing:
    """Return what to draw.

    Args:
        snapshot: of the graph.
        constants: whether to show constants.
        backward: whether to show only what bars flow through.
        collapse: modules to fold: True for those that hold no others (the layers), a depth (0: the outermost), or
            paths such as "encoder.0"; False for none, unless there are more than `budget` vertices, or edges so long
            that the layout would take minutes.
        budget: how many vertices to draw at most.

    Raises:
        ValueError: there is no module of a path in `collapse`.
    """
    if not isinstance(collapse, int):
        collapse = _known_modules(snapshot, [collapse] if isinstance(collapse, str) else collapse)
    present = [quantity for quantity in snapshot.quantities if not quantity.is_absent]
    shown = [q for q in present if q.requires_grad or (not backward and (constants or q.kind != CONSTANT))]

    def drawn(assignment: dict[int, Path]) -> Drawing:
        folds = _merge_repeats(snapshot, _module_folds(snapshot, shown, assignment))
        return _drawing(snapshot, len(present), shown, folds)

    if collapse is not False:
        drawing = drawn(_folded_modules(shown, collapse))
        if len(drawing.vertices) <= budget:
            return drawing
    for depth in range(max((len(q.scope) for q in shown), default=0), -1, -1):
        assignment = _folded_modules(shown, depth)
        if len(shown) - len(assignment) <= budget or (depth == 0 and assignment):
            drawing = drawn(assignment)
            if drawing.fits(budget):
                return drawing
    return _drawing(snapshot, len(present), shown, _stretches(snapshot, shown))


def _known_modules(snapshot: Snapshot, paths: Collection[str]) -> Collection[str]:
    """Return the paths.

    Raises:
        ValueError: there is no module of one of these paths.
    """
    innermost = {quantity.scope for quantity in snapshot.quantities}
    scopes = {scope[:depth] for scope in innermost for depth in range(1, len(scope) + 1)}
    known = {".".join(scope) for scope in scopes} | {".".join(scope[1:]) for scope in scopes}
    unknown = [path for path in paths if path not in known]
    if unknown:
        there = ", ".join(sorted(known - {""})) or "none; modules are known where it ran under autograd.record()"
        raise ValueError(f"collapse: there is no module {unknown[0]!r}; there are {there}")
    return paths


def _folded_modules(shown: Sequence[Quantity], collapse: bool | int | Collection[str]) -> dict[int, Path]:
    """Return the module that each quantity is folded into, by number."""
    scopes = {quantity.scope for quantity in shown}
    containers = {scope[:depth] for scope in scopes for depth in range(len(scope))}

    def folded(scope: Path) -> Path | None:
        if collapse is True:
            return scope if scope and scope not in containers else None
        if isinstance(collapse, int):
            return scope[: collapse + 1] if len(scope) > collapse else None
        around = (scope[:depth] for depth in range(1, len(scope) + 1))
        return next((names for names in around if ".".join(names) in collapse or ".".join(names[1:]) in collapse), None)

    modules = {scope: folded(scope) for scope in scopes}
    return {q.number: module for q in shown if (module := modules[q.scope]) is not None}


def _module_folds(snapshot: Snapshot, shown: Iterable[Quantity], assignment: dict[int, Path]) -> list[Fold]:
    """Return a fold for each run of a module: one that is called twice has two, so that no circle arises."""
    runs: dict[Path, _Run] = {}
    folds: list[Fold] = []
    leaves: dict[Path, list[Quantity]] = {}
    for quantity in shown:
        path = assignment.get(quantity.number)
        if path is None:
            continue
        if quantity.operation is None:
            leaves.setdefault(path, []).append(quantity)
            continue
        run = runs.get(path)
        if run is None or not run.takes(quantity, snapshot):
            fold = Fold(quantity.number, path[-1], path[:-1], [], module=path, kind=snapshot.classes.get(path, ""))
            run = runs[path] = _Run(quantity.number, fold)
            folds.append(run.fold)
        for member in (*leaves.pop(path, []), quantity):
            run.inside.add(member.number)
            run.fold.members.append(member)
        run.fold.number = quantity.number
    return folds


class _Run:
    """One call of a module: a fold that is still growing."""

    def __init__(self, start: int, fold: Fold) -> None:
        self.start = start
        self.fold = fold
        self.inside: set[int] = set()

    def takes(self, quantity: Quantity, snapshot: Snapshot) -> bool:
        """Tell whether a step belongs here: nothing it needs was computed outside since the run began."""
        return all(p in self.inside or p < self.start or snapshot[p].operation is None for p in quantity.parents)


def _merge_repeats(snapshot: Snapshot, folds: list[Fold]) -> list[Fold]:
    """Return the folds with equal blocks in a row, each fed by the one before only, put together with a count."""
    found: list[Fold] = []
    outside = {number: fold for fold in folds for number in (member.number for member in fold.members)}
    for fold in folds:
        before = found[-1] if found else None
        if before is not None and before.scope == fold.scope and _signature(fold) == _signature_of_last(before):
            feeding = {
                outside.get(parent)
                for member in fold.members
                for parent in member.parents
                if outside.get(parent) is not fold and snapshot[parent].operation is not None
            }
            last = before.members[-len(fold.members) :]
            if feeding and all(source is not None and source.members[-1] in last for source in feeding):
                before.members += fold.members
                before.repeats += 1
                before.number = fold.number
                continue
        found.append(replace(fold, members=list(fold.members)))
    return found


def _signature(fold: Fold) -> list[tuple[str, object]]:
    return [(m.operation.name if m.operation else m.kind, m.shape) for m in fold.members]


def _signature_of_last(fold: Fold) -> list[tuple[str, object]]:
    size = len(fold.members) // fold.repeats
    return _signature(Fold(0, "", (), fold.members[-size:]))


def _stretches(snapshot: Snapshot, shown: Sequence[Quantity]) -> list[Fold]:
    """Return folds that cut the order into stretches of equal length; results stay outside."""
    rest = [quantity for quantity in shown if quantity.number not in snapshot.outputs]
    size = -(-len(rest) // STRETCHES)
    folds = []
    for start in range(0, len(rest), size):
        members = rest[start : start + size]
        label = f"{UNICODE.name(members[0].symbol)} \N{HORIZONTAL ELLIPSIS} {UNICODE.name(members[-1].symbol)}"
        folds.append(Fold(members[-1].number, label, (), members))
    return folds


def _drawing(snapshot: Snapshot, present: int, shown: Sequence[Quantity], folds: list[Fold]) -> Drawing:
    place: dict[int, int] = {quantity.number: quantity.number for quantity in shown}
    inside: dict[int, Fold] = {}
    for fold in folds:
        for member in fold.members:
            place[member.number] = fold.number
            inside[member.number] = fold
    vertices: list[Quantity | Fold] = [q for q in shown if q.number not in inside]
    vertices = sorted([*vertices, *folds], key=lambda vertex: vertex.number)
    edges: dict[tuple[int, int, int], list[Use]] = {}
    handed_on = set(snapshot.outputs)
    for quantity in shown:
        end = place[quantity.number]
        for position, parent in enumerate(quantity.parents):
            start = place.get(parent, end)
            if start != end:
                handed_on.add(parent)
                at_fold = parent in inside or quantity.number in inside
                uses = edges.setdefault((start, end, -1 if at_fold else position), [])
                uses.append(Use(parent, quantity.number, position))
    for number in sorted(handed_on & inside.keys()):
        if snapshot[number].operation is not None:
            inside[number].outputs.append(snapshot[number])
    folded = sum(len(fold.members) for fold in folds)
    parts = []
    if folded:
        what = "module" if folds[0].module is not None else "stretch"
        what += "" if len(folds) == 1 else "s" if what == "module" else "es"
        more = " of the order; graph.cone(...) draws a part" if folds[0].module is None else ""
        parts.append(f"{folded:,} of {present:,} quantities are folded into {len(folds)} {what}{more}")
    trainable = sum(quantity.size for quantity in shown if quantity.kind == PARAMETER)
    if folded and folds[0].module is not None:
        parts.append(f"{trainable:,} parameters in all")
    if len(shown) < present:
        left_out = present - len(shown)
        what = "constants and inputs are" if left_out > 1 else "constant or input is"
        parts.append(f"{left_out:,} {what} not shown")
    arrows = [Edge(start, end, tuple(uses)) for (start, end, _), uses in edges.items()]
    return Drawing(vertices, arrows, "; ".join(parts))

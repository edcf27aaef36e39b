"""The page: one self-contained HTML file that replays the computation, forward and backward, step by step.

The drawings are laid out here; the steps travel as JSON. The page asks nobody for anything: its policy allows the
one script and the one style sheet that are in it, by their hashes. Without a script the table still says all.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.view.dot import BOTH, Painter, dot
from autograd.view.equations import Equation, Equations
from autograd.view.reduce import BUDGET, Drawing, Fold, reduce
from autograd.view.render import TIME_LIMIT, RenderError, svg
from autograd.view.symbols import UNICODE
from autograd.view.verdict import effort, verdict

if TYPE_CHECKING:
    from autograd.view.replay import Replay
    from autograd.view.snapshot import Quantity, Snapshot

HERE = Path(__file__).parent
CHECK_SECONDS = 2.0
"""How long the operations of a page are compared with finite differences unless another time is given."""


def page(
    snapshot: Snapshot,
    replay: Replay,
    *,
    title: str = "Computation",
    check: bool | float = True,
    deadline: float = math.inf,
) -> str:
    """Return the page.

    Args:
        snapshot: of the graph.
        replay: its backward pass.
        title: of the page.
        check: how many seconds to take for comparing operations with finite differences: True for as many as keep
            the page soon there, False for none.
        deadline: when the drawings must be there, of `time.monotonic`.
    """
    seconds = (CHECK_SECONDS / 4 if len(snapshot) > _HUGE else CHECK_SECONDS) if check is True else float(check)
    verdicts = _verdicts(snapshot, seconds) if seconds else {}
    equations = Equations(snapshot, replay, inline=False)
    shares = _shares(snapshot, replay)
    steps = [_step(snapshot, shares, equation) for equation in _in_order(equations)]
    drawings = _drawings(snapshot)
    opened = _opened(snapshot, drawings)
    first = drawings[0][1]
    pictures, problem = _pictures(snapshot, replay, drawings, deadline)
    del drawings[len(pictures) :]
    opened = {path: place for path, place in opened.items() if place < len(pictures)}
    trace = {
        "steps": steps,
        "quantities": {q.number: _told(q, verdicts) for q in _told_of(snapshot)},
        "drawings": [_places(snapshot, replay, drawing) for _, drawing in drawings],
        "open": {".".join(path): place for path, place in opened.items()},
        "fold": {".".join(path): opened[path[:-1]] for path in opened if path and path[:-1] in opened},
    }
    notes = [text for text in (first.note, equations.note, problem, _unchecked(snapshot, verdicts)) if text]
    script, style = ((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    parts = {
        "policy": policy,
        "title": html.escape(title),
        "note": html.escape(". ".join(notes)),
        "style": style,
        "drawings": "\n".join(pictures),
        "rows": "\n".join(_cells("td", _texts(i, step), f' id="step{i}"') for i, step in enumerate(steps)),
        "head": _cells("th", _COLUMNS),
        "trace": json.dumps(trace, ensure_ascii=False).replace("</", "<\\/"),
        "script": script,
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def notebook(snapshot: Snapshot, replay: Replay, seconds: float = TIME_LIMIT) -> str:
    """Return what a notebook shows: a picture and a table, which need no trust, and then the page in a frame.

    A notebook that is not trusted leaves out the frame and keeps the rest. The page is left out where all would be
    larger than a megabyte.

    Args:
        snapshot: of the graph.
        replay: its backward pass.
        seconds: what all layouts together may take.
    """
    deadline = time.monotonic() + seconds
    drawing = reduce(snapshot)
    parts = []
    try:
        picture = svg(dot(snapshot, drawing, replay, show=BOTH), time_limit=seconds)
        parts.append(image(picture))
    except RenderError as error:
        parts.append(f"<p>{html.escape(str(error))}</p>")
    shares = _shares(snapshot, replay)
    steps = [_step(snapshot, shares, equation) for equation in _in_order(Equations(snapshot, replay))]
    rows = "".join(_cells("td", _texts(i, step)) for i, step in enumerate(steps))
    parts.append(f"<details><summary>All steps</summary><table>{_cells('th', _COLUMNS)}{rows}</table></details>")
    whole = html.escape(page(snapshot, replay, check=False, deadline=deadline))
    if len(whole) < _MEGABYTE:
        parts.append(
            "<details><summary>Step by step</summary><p>Nothing below? The notebook is not trusted.</p>"
            '<iframe sandbox="allow-scripts" width="100%" height="700" '
            f'srcdoc="{whole}"></iframe></details>'
        )
    return "\n".join(parts)


_MEGABYTE = 900_000


def image(picture: str) -> str:
    """Return an SVG picture as an image, which a notebook shows without trust."""
    encoded = base64.b64encode(picture.encode()).decode()
    return f'<img alt="computation graph" src="data:image/svg+xml;base64,{encoded}">'


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _in_order(equations: Equations) -> list[Equation]:
    """Return the lines in the order of the engine: forward, then bars by falling number."""
    return [*equations.forward, *sorted(equations.backward, key=lambda line: -line.quantity.number)]


Shares = dict[int, list[tuple[int, Any]]]
"""By number: the consumers of a quantity, and what each gives to its bar."""


def _shares(snapshot: Snapshot, replay: Replay) -> Shares:
    found: Shares = {}
    for (consumer, position), share in replay.shares.items():
        found.setdefault(snapshot[consumer].parents[position], []).append((consumer, share))
    return found


def _step(snapshot: Snapshot, all_shares: Shares, equation: Equation) -> dict[str, Any]:
    left, right, *rest = equation.parts()
    number = equation.quantity.number
    shares = all_shares.get(number, [])
    return {
        "quantity": number,
        "phase": "backward" if equation.bar else "forward",
        "equation": f"{left} = {right}",
        "sums": _sums(equation),
        "numbers": rest[0] if len(rest) > 1 else "",
        "value": rest[-1] if rest else right,
        "line": _short(equation.quantity.line),
        "shares": [(UNICODE.name(snapshot[consumer].symbol), UNICODE.value(share)) for consumer, share in shares]
        if equation.bar
        else [],
        "consumers": [consumer for consumer, _ in shares] if equation.bar else [],
    }


def _sums(equation: Equation) -> str:
    """Return the line for one element, z[i] = sum over j of W[i,j] x[j], where products of arrays are small."""
    if sum(math.prod(letter.shape) for letter in equation.letters()) > _SMALL:
        return ""
    text = equation.text(numbers=False, indexed=True)
    return text if text.count("[") > 1 and text != equation.text(numbers=False) else ""


_SMALL = 200
"""Elements of the factors up to which a product is also written element by element."""


def _short(line: str | None) -> str:
    """Return "file.py:12" without the folders."""
    return "" if line is None else re.split(r"[/\\]", line)[-1]


_COLUMNS = ("step", "pass", "equation", "with numbers", "value", "line")


def _texts(place: int, step: dict[str, Any]) -> Sequence[str]:
    return str(place + 1), step["phase"], step["equation"], step["numbers"], step["value"], step["line"]


def _cells(kind: str, texts: Sequence[str], name: str = "") -> str:
    """Return a row of a table."""
    return f"<tr{name}>" + "".join(f"<{kind}>{html.escape(text)}</{kind}>" for text in texts) + "</tr>"


# --- Quantities --------------------------------------------------------------------------------------------


_HUGE = 20 * BUDGET
"""Quantities from which on reading a graph has taken seconds already."""


def _told_of(snapshot: Snapshot) -> list[Quantity]:
    """Return the quantities of which the page tells: those nearest to the results."""
    return [quantity for quantity in snapshot.quantities[-4 * BUDGET :] if not quantity.is_absent]


def _told(quantity: Quantity, verdicts: dict[int, str]) -> dict[str, Any]:
    return {
        "name": UNICODE.name(quantity.symbol),
        "kind": quantity.kind,
        "given": quantity.operation is None,
        "shape": "" if quantity.shape == () else f"{quantity.shape} {quantity.dtype}",
        "value": UNICODE.value(quantity.value),
        "module": " / ".join(quantity.scope),
        "line": _short(quantity.line),
        "why": "none arrives" if quantity.requires_grad else "none: it does not require a gradient",
        "verdict": verdicts.get(quantity.number, ""),
    }


# --- Finite differences ------------------------------------------------------------------------------------


def _verdicts(snapshot: Snapshot, seconds: float) -> dict[int, str]:
    """Return what finite differences say of each operation, by number: the small ones first, while there is time."""
    deadline = time.monotonic() + seconds
    operations = [q for q in _told_of(snapshot) if q.wanted and q.output is None]
    found = {}
    for quantity in sorted(operations, key=lambda quantity: effort(snapshot, quantity)):
        in_time = time.monotonic() + effort(snapshot, quantity) < deadline
        found[quantity.number] = verdict(snapshot, quantity) if in_time else _NO_TIME.format(seconds=seconds)
    return found


_NO_TIME = "not checked: the checks of a page together have {seconds:g} s; html(check=60) gives them a minute"


def _unchecked(snapshot: Snapshot, verdicts: dict[int, str]) -> str:
    """Return which operations were not compared with finite differences, and why."""
    by_reason: dict[str, list[int]] = {}
    for number, text in sorted(verdicts.items()):
        if text.startswith("not checked: "):
            by_reason.setdefault(text.removeprefix("not checked: "), []).append(number)
    parts = []
    for reason, numbers in by_reason.items():
        names = ", ".join(UNICODE.name(snapshot[number].symbol) for number in numbers[:_NAMED])
        names += " ..." if len(numbers) > _NAMED else ""
        parts.append(f"{len(numbers):,} of {len(verdicts):,} operations ({names}): {reason}")
    return f"Not compared with finite differences: {'; '.join(parts)}" if parts else ""


_NAMED = 20
"""Operations that the page names when it says which were not checked."""


# --- Drawings ----------------------------------------------------------------------------------------------


def _drawings(snapshot: Snapshot) -> list[tuple[str, Drawing]]:
    """Return the drawings that the page switches between: all steps, then modules folded from the inside out."""
    depth = max((len(quantity.scope) for quantity in snapshot.quantities), default=0)
    first = reduce(snapshot)
    found = [("overview" if _folds(first) else "all steps", first)]
    for level in range(depth - 1, -1, -1):
        drawing = reduce(snapshot, collapse=level)
        smaller = len(drawing.vertices) < 0.8 * len(found[-1][1].vertices)
        if _folds(drawing) > 1 and smaller and drawing.fits(BUDGET) and len(found) < _LEVELS:
            found.append(("modules" if len(found) == 1 else "outer modules", drawing))
    return found


def _folds(drawing: Drawing) -> int:
    return sum(isinstance(vertex, Fold) for vertex in drawing.vertices)


def _opened(snapshot: Snapshot, found: list[tuple[str, Drawing]]) -> dict[tuple[str, ...], int]:
    """Add, for each module, the drawing where it and those around it are open and all others are folded.

    Returns:
        By path of the module, the place of that drawing; () for the one with all folded. The inner ones come last.
    """
    scopes = dict.fromkeys(quantity.scope for quantity in snapshot.quantities)
    paths = dict.fromkeys(scope[:depth] for scope in scopes for depth in range(len(scope) + 1))
    places = {_key(drawing): place for place, (_, drawing) in enumerate(found)}
    opened: dict[tuple[str, ...], int] = {}
    most = 2 if len(snapshot) > _HUGE else _OPENED
    for path in sorted(paths, key=len)[:most] if len(paths) > 1 else []:
        around = {path[:depth] for depth in range(len(path) + 1)}
        folded = [".".join(other) for other in paths if other and other not in around and other[:-1] in around]
        drawing = reduce(snapshot, collapse=folded)
        if not drawing.fits(BUDGET):
            continue
        key = _key(drawing)
        if key not in places:
            places[key] = len(found)
            found.append(("", drawing))
        opened[path] = places[key]
    return opened


def _key(drawing: Drawing) -> tuple[tuple[int, bool], ...]:
    return tuple((vertex.number, isinstance(vertex, Fold)) for vertex in drawing.vertices)


_LEVELS = 3

_OPENED = 40
"""Modules that can be opened one by one."""


def _pictures(
    snapshot: Snapshot, replay: Replay, drawings: Sequence[tuple[str, Drawing]], deadline: float
) -> tuple[list[str], str]:
    """Return the drawings as SVG in a `div` each, as many as there is room for, and what went wrong instead."""
    found: list[str] = []
    room = _ROOM
    try:
        for label, drawing in drawings:
            source = dot(snapshot, drawing, replay, show=BOTH, classes=True)
            picture = svg(source, time_limit=min(TIME_LIMIT, deadline - time.monotonic()))
            picture = picture[picture.index("<svg") :]
            picture = re.sub(r' id="[^"]*"', "", picture)
            hidden = " hidden" if found else ""
            room -= len(picture)
            if found and room < 0:
                break
            found.append(f'<div data-label="{html.escape(label)}"{hidden}>{picture}</div>')
    except RenderError as error:
        return [], f"There is no drawing: {error}"
    return found, ""


_ROOM = 450_000
"""Characters of the drawings of a page, of which it has the first in any case: with the steps, less than a megabyte."""


def _places(snapshot: Snapshot, replay: Replay, drawing: Drawing) -> dict[str, Any]:
    """Return for each vertex which quantities it stands for and what its lines say."""
    painter = Painter(snapshot, replay, BOTH)
    found = {}
    for vertex in drawing.vertices:
        members = [m.number for m in vertex.members] if isinstance(vertex, Fold) else [vertex.number]
        lines = painter.lines(vertex)
        kind = "module" if isinstance(vertex, Fold) else vertex.kind
        found[f"v{vertex.number}"] = {
            "members": members[-_MEMBERS:],
            "fold": isinstance(vertex, Fold),
            "module": ".".join(vertex.module) if isinstance(vertex, Fold) and vertex.module else "",
            "lines": lines,
            "label": f"{kind} {lines[0].text}",
        }
    return found


_MEMBERS = 300
"""Quantities of one box that the page knows of."""

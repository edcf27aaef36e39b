"""The page: one self-contained HTML file that replays the computation, forward and backward, step by step.

The drawings are laid out here; the steps travel as JSON. The page asks nobody for anything: its policy allows the
one script and the one style sheet that are in it, by their hashes. Without a script the table still says all.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograd.view.dot import BOTH, Painter, dot
from autograd.view.equations import Equation, Equations
from autograd.view.reduce import BUDGET, Drawing, Fold, reduce
from autograd.view.render import RenderError, svg
from autograd.view.symbols import UNICODE
from autograd.view.verdict import verdict

if TYPE_CHECKING:
    from autograd.view.replay import Replay
    from autograd.view.snapshot import Quantity, Snapshot

HERE = Path(__file__).parent
CHECK_SECONDS = 2.0
"""How long the operations of a page are compared with finite differences; then the rest is not."""


def page(snapshot: Snapshot, replay: Replay, *, title: str = "Computation", check: bool = True) -> str:
    """Return the page.

    Args:
        snapshot: of the graph.
        replay: its backward pass.
        title: of the page.
        check: whether to compare each operation with finite differences.
    """
    equations = Equations(snapshot, replay, inline=False)
    steps = [_step(snapshot, replay, equation) for equation in _in_order(equations)]
    drawings = _drawings(snapshot)
    pictures, problem = _pictures(snapshot, replay, drawings)
    trace = {
        "steps": steps,
        "quantities": _quantities(snapshot, check),
        "drawings": [_places(snapshot, replay, drawing) for _, drawing in drawings],
    }
    notes = [text for text in (drawings[0][1].note, equations.note, problem) if text]
    script, style = ((HERE / name).read_text(encoding="utf-8") for name in ("page.js", "page.css"))
    policy = f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}"
    parts = {
        "policy": policy,
        "title": html.escape(title),
        "note": html.escape(". ".join(notes)),
        "style": style,
        "drawings": pictures,
        "rows": "\n".join(_cells("td", _texts(i, step), f' id="step{i}"') for i, step in enumerate(steps)),
        "head": _cells("th", _COLUMNS),
        "trace": json.dumps(trace, ensure_ascii=False).replace("</", "<\\/"),
        "script": script,
    }
    template = (HERE / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], template)


def notebook(snapshot: Snapshot, replay: Replay) -> str:
    """Return what a notebook shows: a picture and a table, which need no trust, and then the page in a frame.

    A notebook that is not trusted leaves out the frame and keeps the rest. The page is left out where all would be
    larger than a megabyte.
    """
    drawing = reduce(snapshot)
    parts = []
    try:
        picture = svg(dot(snapshot, drawing, replay, show=BOTH))
        encoded = base64.b64encode(picture.encode()).decode()
        parts.append(f'<img alt="computation graph" src="data:image/svg+xml;base64,{encoded}">')
    except RenderError as error:
        parts.append(f"<p>{html.escape(str(error))}</p>")
    steps = [_step(snapshot, replay, equation) for equation in _in_order(Equations(snapshot, replay))]
    rows = "".join(_cells("td", _texts(i, step)) for i, step in enumerate(steps))
    parts.append(f"<details><summary>All steps</summary><table>{_cells('th', _COLUMNS)}{rows}</table></details>")
    whole = html.escape(page(snapshot, replay, check=False))
    if len(whole) < _MEGABYTE:
        parts.append(
            "<details><summary>Step by step</summary><p>Nothing below? The notebook is not trusted.</p>"
            '<iframe sandbox="allow-scripts" width="100%" height="700" '
            f'srcdoc="{whole}"></iframe></details>'
        )
    return "\n".join(parts)


_MEGABYTE = 900_000


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _in_order(equations: Equations) -> list[Equation]:
    """Return the lines in the order of the engine: forward, then bars by falling number."""
    return [*equations.forward, *sorted(equations.backward, key=lambda line: -line.quantity.number)]


def _step(snapshot: Snapshot, replay: Replay, equation: Equation) -> dict[str, Any]:
    left, right, *rest = equation.parts()
    number = equation.quantity.number
    shares = [(key, share) for key, share in replay.shares.items() if snapshot[key[0]].parents[key[1]] == number]
    return {
        "quantity": number,
        "phase": "backward" if equation.bar else "forward",
        "equation": f"{left} = {right}",
        "numbers": rest[0] if len(rest) > 1 else "",
        "value": rest[-1] if rest else "",
        "line": _short(equation.quantity.line),
        "shares": [(UNICODE.name(snapshot[consumer].symbol), UNICODE.value(share)) for (consumer, _), share in shares]
        if equation.bar
        else [],
        "edges": [f"e{number}-{consumer}" for (consumer, _), _ in shares] if equation.bar else [],
    }


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


def _quantities(snapshot: Snapshot, check: bool) -> dict[int, dict[str, Any]]:
    deadline = time.monotonic() + CHECK_SECONDS
    return {
        quantity.number: _told(snapshot, quantity, check, deadline)
        for quantity in snapshot.quantities[-4 * BUDGET :]
        if not quantity.is_absent
    }


def _told(snapshot: Snapshot, quantity: Quantity, check: bool, deadline: float) -> dict[str, Any]:
    found = {
        "name": UNICODE.name(quantity.symbol),
        "kind": quantity.kind,
        "given": quantity.operation is None,
        "shape": "" if quantity.shape == () else f"{quantity.shape} {quantity.dtype}",
        "value": UNICODE.value(quantity.value),
        "module": " / ".join(quantity.scope),
        "line": _short(quantity.line),
        "why": "none arrives" if quantity.requires_grad else "none: it does not require a gradient",
        "verdict": "",
    }
    if check and quantity.wanted and quantity.output is None:
        in_time = time.monotonic() < deadline
        found["verdict"] = verdict(snapshot, quantity) if in_time else "not checked: the page was to be ready soon"
    return found


# --- Drawings ----------------------------------------------------------------------------------------------


def _drawings(snapshot: Snapshot) -> list[tuple[str, Drawing]]:
    """Return the drawings that the page switches between: all steps, then modules folded from the inside out."""
    depth = max((len(quantity.scope) for quantity in snapshot.quantities), default=0)
    found = [("all steps", reduce(snapshot))]
    for level in range(depth - 1, -1, -1):
        drawing = reduce(snapshot, collapse=level)
        folds = [vertex for vertex in drawing.vertices if isinstance(vertex, Fold)]
        if len(folds) > 1 and len(drawing.vertices) < len(found[-1][1].vertices) and len(found) < _LEVELS:
            found.append(("modules" if len(found) == 1 else "outer modules", drawing))
    return found


_LEVELS = 3


def _pictures(snapshot: Snapshot, replay: Replay, drawings: Sequence[tuple[str, Drawing]]) -> tuple[str, str]:
    """Return the drawings as SVG in a `div` each, and what went wrong instead."""
    found = []
    try:
        for label, drawing in drawings:
            picture = svg(dot(snapshot, drawing, replay, show=BOTH, classes=True))
            picture = picture[picture.index("<svg") :]
            picture = re.sub(r' id="[^"]*"', "", picture)
            found.append(f'<div data-label="{html.escape(label)}">{picture}</div>')
    except RenderError as error:
        return "", f"There is no drawing: {error}"
    return "\n".join(found), ""


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
            "lines": lines,
            "label": f"{kind} {lines[0][1]}",
        }
    return found


_MEMBERS = 300
"""Quantities of one box that the page knows of."""

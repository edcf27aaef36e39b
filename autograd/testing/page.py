"""Pictures of a report: the convergence at the worst comparison as SVG, and a page that is complete in one file."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence

from autograd.program import Graph
from autograd.testing.report import Comparison, Report

WIDTH, HEIGHT, MARGIN = 560, 340, 72
COLORS = {"to the analytic slope": "#c0392b", "to the numeric slope": "#2471a3"}


def convergence_svg(report: Report) -> str:
    """Return the distance of the central differences to both slopes over the step, both axes logarithmic.

    A right gradient's curve falls with the numeric one; a wrong one's stays level. Empty if nothing is wrong.

    Args:
        report: of a check.
    """
    worst = report.worst
    if worst is None or not worst.table:
        return ""
    curves = {
        label: [(step, abs(difference - slope)) for step, difference in worst.table]
        for label, slope in zip(COLORS, (worst.analytic, worst.numeric), strict=True)
    }
    visible = {
        label: [(math.log10(step), math.log10(y)) for step, y in curve if math.isfinite(y) and y > 0]
        for label, curve in curves.items()
    }
    points = [point for curve in visible.values() for point in curve]
    if not points:
        return ""
    left, right = _limits([x for x, _ in points])
    bottom, top = _limits([y for _, y in points])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            MARGIN + (WIDTH - 2 * MARGIN) * (x - left) / (right - left),
            HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (y - bottom) / (top - bottom),
        )

    parts = [_axes(place, (left, right), (bottom, top))]
    parts.append(f'<text x="8" y="16" font-weight="bold">{html.escape(_title(worst))}</text>')
    for number, (label, curve) in enumerate(visible.items()):
        color = COLORS[label]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in sorted(curve)))
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{color}"/>' for x, y in (place(*p) for p in curve)]
        parts.append(f'<text x="{MARGIN + 8}" y="{36 + 16 * number}" fill="{color}">{label}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12" role="img" aria-label="{html.escape(_title(worst))}">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(parts)}</svg>'
    )


def _title(worst: Comparison) -> str:
    return f"Distance of central differences: d {worst.output} / d {worst.where}"


def _limits(values: Sequence[float]) -> tuple[int, int]:
    least, most = math.floor(min(values)), math.ceil(max(values))
    return least, max(most, least + 1)


def _axes(place: Callable[[float, float], tuple[float, float]], across: tuple[int, int], up: tuple[int, int]) -> str:
    """Return frame, ticks at powers of ten, and the axes' names."""
    width, height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    parts = [f'<rect x="{MARGIN}" y="{MARGIN}" width="{width}" height="{height}" fill="none" stroke="#999"/>']
    for x in range(across[0], across[1] + 1, max(1, (across[1] - across[0]) // 6)):
        at, _ = place(x, up[0])
        parts.append(f'<text x="{at:.0f}" y="{HEIGHT - MARGIN + 16}" text-anchor="middle">1e{x}</text>')
    for y in range(up[0], up[1] + 1, max(1, (up[1] - up[0]) // 6)):
        _, at = place(across[0], y)
        parts.append(f'<text x="{MARGIN - 6}" y="{at + 4:.0f}" text-anchor="end">1e{y}</text>')
    parts.append(f'<text x="{WIDTH / 2:.0f}" y="{HEIGHT - 12}" text-anchor="middle">step</text>')
    return "".join(parts)


def fragment(report: Report) -> str:
    """Return the report's text and the convergence plot as HTML that fits into another page.

    Args:
        report: of a check.
    """
    return _text(str(report)) + (convergence_svg(report) if report.worst is not None else "")


def page(title: str, text: str, plot: str = "", graph: Graph | None = None) -> str:
    """Return an HTML page, complete in one file, with a drawing of the graph where it can be drawn.

    Args:
        title: its headline.
        text: what is to be read first.
        plot: an SVG to stand below, or nothing.
        graph: of the computation, or None.
    """
    sections = [f"<h1>{html.escape(title)}</h1>", _text(text), plot]
    drawing = None if graph is None else graph._repr_svg_()
    if drawing is not None:
        sections += ["<h2>The computation</h2>", drawing[max(drawing.find("<svg"), 0) :]]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        "<style>body{font-family:sans-serif;margin:2em;max-width:70em}</style></head>"
        f"<body>{''.join(sections)}</body></html>\n"
    )


def _text(text: str) -> str:
    return f'<pre style="background:#f6f6f6;padding:1em;white-space:pre-wrap">{html.escape(text)}</pre>'

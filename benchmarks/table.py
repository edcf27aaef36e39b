"""The table of results, as text for the terminal and for RESULTS.md."""

from __future__ import annotations

from benchmarks.measuring import Result, quartiles
from benchmarks.processes import LIBRARIES

UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def quantity(value: float, result: Result) -> str:
    """Return a time, or an amount of memory, with its unit."""
    if result.job.fresh == "memory":
        return f"{value / 2**20:.3g} MiB"
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), UNITS[-1])
    return f"{value / size:.3g} {unit}"


def ratio(result: Result, peer: str) -> str:
    """Return the median ratio to a peer, with the quartiles."""
    middle, low, high = result.ratios(peer)
    return f"{middle:.2f} ({low:.2f}-{high:.2f})" if middle >= 0.01 else f"{middle:.1g}"


def rows(results: list[Result], peers: list[str]) -> list[list[str]]:
    """Return the table's cells, the heading first."""
    table = [["job", "one", "ours", "best peer", "ratio to it", *(LIBRARIES[name].title for name in peers)]]
    for result in results:
        best = result.best()
        ours = result.times.get("ours")
        row = [result.job.title, result.job.each, quantity(quartiles(ours)[0], result) if ours else "-"]
        if best and ours:
            theirs = quantity(quartiles(result.times[best])[0], result)
            row += [f"{LIBRARIES[best].title}, {theirs}", ratio(result, best)]
        else:
            row += ["-", "-"]
        row += [ratio(result, name) if ours and name in result.times else "-" for name in peers]
        table.append(row)
    return table


def text(results: list[Result], peers: list[str]) -> str:
    """Return the table in Markdown, its columns aligned, with the reasons for what is missing below."""
    cells = rows(results, peers)
    empty = [i for i, column in enumerate(zip(*cells[1:], strict=True)) if i > 4 and set(column) == {"-"}]
    cells = [[cell for i, cell in enumerate(row) if i not in empty] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    missing: dict[str, list[str]] = {}
    for result in results:
        for name, reason in result.reasons.items():
            missing.setdefault(f"{LIBRARIES[name].title}: {reason}", []).append(result.job.name)
    reasons = [f"- {reason} ({', '.join(jobs)})" for reason, jobs in missing.items()]
    return "\n".join([*lines, *(["", "Missing:", "", *reasons] if reasons else [])])

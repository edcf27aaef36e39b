"""What a check found: `Report`, the comparisons and problems in it, and `GradientError`, which carries it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

OK, KINK, EDGE, UNDECIDED, WRONG = "ok", "kink", "edge", "undecided", "wrong"
"""What a comparison can come to: the slope is the analytic one; it has a kink here (or a jump, or an infinite slope)
and the analytic one is allowed; it is defined to one side only and agrees there; the numeric one is too uncertain to
tell; they differ."""

ROUGH = "it oscillates over far smaller steps too"
"""The note of what is wrong by differences that may all be too long."""

OUTSIDE = "outside of the slopes to both sides of a kink"
"""The note of what is wrong at a kink."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One analytic derivative beside the numeric one.

    Attributes:
        order: of the derivative.
        input: name of the input, or "all inputs" for a direction through all of them.
        index: the coordinate of that input; None for a random direction.
        row: number of the output or combination.
        output: which output, or which random combination of outputs, is differentiated.
        analytic: by the engine.
        numeric: by differences.
        error: bound of the error of the difference between the two.
        left, right: the slopes to either side, where they were looked at.
        status: one of the constants above.
        note: what is to be said besides.
        table: (step, central difference), falling.
    """

    order: int
    input: str
    index: tuple[int, ...] | None
    row: int
    output: str
    analytic: float
    numeric: float
    error: float
    left: float = math.nan
    right: float = math.nan
    status: str = OK
    note: str = ""
    table: tuple[tuple[float, float], ...] = ()

    @property
    def ratio(self) -> float:
        """Analytic / numeric: -1 for a lost sign, 2 for a factor."""
        return self.analytic / self.numeric if self.numeric else math.nan

    @property
    def where(self) -> str:
        """What was differentiated by: "w[1, 2]"."""
        if self.index is None:
            return f"{self.input} (a random direction)"
        return f"{self.input}[{', '.join(map(str, self.index))}]" if self.index else self.input

    def __str__(self) -> str:
        text = f"d {self.output} / d {self.where}: analytic {self.analytic:.10g}, "
        if self.status == KINK or self.note == OUTSIDE or not math.isfinite(self.numeric):
            text += f"slopes {self.left:.6g} to the left and {self.right:.6g} to the right"
        else:
            text += f"numeric {self.numeric:.10g} +- {self.error:.1g}"
            if self.status == WRONG and math.isfinite(self.ratio) and abs(self.numeric) > self.error:
                text += f", ratio {self.ratio:.6g}"
        return text + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True)
class Blame:
    """The operation that is wrong.

    Attributes:
        operation: its name.
        argument: which argument it is about, if it is about one.
        line: the user's source line, as "file:line".
        finding: what is wrong with it.
        node: index of the node in the recorded graph.
        part: "rule" if the argument's rule is wrong, "operand" if what it got is.
    """

    operation: str
    argument: str | None
    line: str | None
    finding: str
    node: int | None = None
    part: str = "rule"

    def __str__(self) -> str:
        what = f", the {self.part} for {self.argument!r}" if self.argument else ""
        return f"{self.operation}{what}, called at {self.line or 'an unknown line'}: {self.finding}"


@dataclass(frozen=True)
class Problem:
    """Something that makes a check fail.

    Attributes:
        kind: "wrong", "not finite", "detached", "error", "non-deterministic", "mutation", "dtype", "shape",
            "not linear", "layout" or "create_graph".
        message: for a person.
        input: the input in question, if it is about one.
        comparison: the derivative in question, if it is about one.
        blame: the operation that is wrong, if it was found.
    """

    kind: str
    message: str
    input: str | None = None
    comparison: Comparison | None = None
    blame: Blame | None = None


@dataclass(eq=False, repr=False)
class Report:
    """The result of `check_gradients`.

    Attributes:
        function: name of what was checked.
        inputs: its floating-point inputs, as "x (3, 4) float64".
        problems: why the check fails; empty if it passes.
        counts: how many comparisons came to what, by status.
        comparisons: those that are not plainly right, at most a few hundred.
        accuracy: the largest relative error bound among the comparisons that were decided.
        orders: by which powers of the step the Taylor remainders fall: 1, 2, 3 if value, gradient and
            second derivative are right; infinity for a remainder that is zero, NaN where rounding hides it.
        complex_step: relative distance of the gradient to the complex step's along a random line; None where that
            does not apply.
        notes: what else is worth saying.
        graph: the recorded computation, where an operation was looked for.
        bent: whether no operation alone is wrong, but some are at kinks.
        shaky: whether what is wrong is no more than a change of the last digits makes.
    """

    function: str
    inputs: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    comparisons: list[Comparison] = field(default_factory=list)
    accuracy: float = 0.0
    orders: tuple[float, ...] = ()
    complex_step: float | None = None
    notes: list[str] = field(default_factory=list)
    graph: Any = None
    bent: bool = False
    shaky: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def kinks(self) -> list[Comparison]:
        """The comparisons at kinks, where any slope between left and right is accepted."""
        return [comparison for comparison in self.comparisons if comparison.status == KINK]

    @property
    def undecided(self) -> list[Comparison]:
        """The comparisons in which differences are too uncertain to tell."""
        return [comparison for comparison in self.comparisons if comparison.status == UNDECIDED]

    @property
    def worst(self) -> Comparison | None:
        """The first wrong comparison, or None."""
        return next((c for c in self.comparisons if c.status == WRONG), None)

    @property
    def rough(self) -> bool:
        """Whether all that is wrong is so by differences that may be too long."""
        wrong = [c for c in self.comparisons if c.status == WRONG]
        return bool(wrong) and all(c.note == ROUGH for c in wrong)

    @property
    def blame(self) -> Blame | None:
        """The operation that is wrong, or None."""
        return next((problem.blame for problem in self.problems if problem.blame is not None), None)

    def table(self) -> str:
        """Return the convergence table of the worst comparison: steps, central differences, their distances."""
        worst = self.worst
        if worst is None or not worst.table or not math.isfinite(worst.analytic):
            return ""
        lines = ["        step   central difference   its distance to the analytic   to the numeric"]
        settled = [row for row in worst.table if abs(row[1] - worst.numeric) < abs(worst.numeric)] or list(worst.table)
        for step, difference in settled[:: max(1, len(settled) // 8)]:
            lines.append(
                f"    {step:8.1e}   {difference:18.11g}   {abs(difference - worst.analytic):27.1e}   "
                f"{abs(difference - worst.numeric):14.1e}"
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        lines = [f"gradients of {self.function}({', '.join(self.inputs)}): {'right' if self.ok else 'NOT RIGHT'}"]
        total = sum(self.counts.values())
        if total:
            counted = ", ".join(f"{number} {status}" for status, number in self.counts.most_common() if number)
            lines.append(f"  {total} comparisons: {counted}; relative accuracy {self.accuracy:.0e}")
        if self.orders:
            shown = ", ".join(
                "zero" if math.isinf(o) else "hidden by rounding" if math.isnan(o) else f"{o:.2f}" for o in self.orders
            )
            expected = ", ".join(str(i + 1) for i in range(len(self.orders)))
            lines.append(f"  Taylor remainders fall with the step's powers {shown} (expected {expected})")
        if self.complex_step is not None:
            lines.append(f"  the complex step differs by {self.complex_step:.0e}, relative")
        for problem in self.problems:
            lines.append(f"  {problem.kind}: {problem.message}")
            if problem.blame is not None:
                lines.append(f"  operation to blame: {problem.blame}")
        wrong = [c for c in self.comparisons if c.status == WRONG]
        lines += [f"    also {c}" for c in wrong[1:5]]
        if self.counts[WRONG] > 5:
            lines.append(f"    and {self.counts[WRONG] - 5} more")
        if self.table():
            lines += [f"  convergence at d {wrong[0].output} / d {wrong[0].where}:", self.table()]
        for status in (KINK, EDGE, UNDECIDED):
            found = [c for c in self.comparisons if c.status == status]
            lines += [f"  {status}: order {c.order}: {c}" for c in found[:3]]
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    def svg(self) -> str:
        """Return a picture of the convergence at the worst comparison: distance to the analytic over the step."""
        from autograd.testing.page import convergence_svg

        return convergence_svg(self)

    def html(self) -> str:
        """Return a page with the report, the plot and the recorded graph, complete in one file."""
        from autograd.testing.page import page

        return page(f"Gradients of {self.function}", str(self), self.svg(), self.graph)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from autograd.testing.page import fragment

        return fragment(self)


class PicturedError(AssertionError):
    """What a test fails by, and a page can show; the plugin for pytest saves it."""

    def html(self) -> str:
        """Return a page on it, complete in one file."""
        raise NotImplementedError


class GradientError(PicturedError):
    """A gradient is not right, or cannot be trusted.

    Args:
        report: what was found.
        explain: completes the report (with the operation to blame) when somebody looks at it.
    """

    def __init__(self, report: Report, explain: Callable[[], None] | None = None) -> None:
        super().__init__()
        self._report = report
        self._explain = explain

    @property
    def report(self) -> Report:
        """What was found."""
        if self._explain is not None:
            explain, self._explain = self._explain, None
            explain()
        return self._report

    def __str__(self) -> str:
        return str(self.report)

    def html(self) -> str:
        """Return a page with the report, the plot and the recorded graph, complete in one file."""
        return self.report.html()

    def __reduce__(self) -> Any:
        return type(self), (replace(self.report, graph=None),)


def describe_array(name: str, array: np.ndarray[Any, Any]) -> str:
    """Return "x (3, 4) float64"."""
    return f"{name} {array.shape} {array.dtype}"

"""`check_gradients`: how a function behaves at a point, and every derivative of it beside finite differences.

What a derivative is compared with, and the verdict, is in `compare`; which operation is to blame for a wrong one in
`nodes`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.modes import enable_grad
from autograd.testing import kinks, nodes, quick
from autograd.testing.behavior import call_twice, following, look_at_layout, look_at_sweep
from autograd.testing.compare import Level, size_of
from autograd.testing.opinions import complex_step, taylor_orders
from autograd.testing.report import KINK, UNDECIDED, WRONG, Comparison, GradientError, Problem, Report, describe_array
from autograd.testing.subject import Stage, Subject, gradient_stage, leaves_of, pulled, quiet

MODES = ("auto", "coordinates", "directions", "quick")

MOST_SHOWN = 200
"""Comparisons that a report keeps."""


def check_gradients(f: Callable[..., Any], *inputs: Any, order: int = 2, mode: str = "auto", seed: int = 0) -> Report:
    """Check the derivatives of a function at a point against finite differences, and how it behaves.

    Central differences, extrapolated by Richardson's method, come with an error bound, and so does the engine's
    gradient; no step and no tolerance is to be set. float32 functions are evaluated in float64 where they allow it.
    At a kink every slope between the left and the right one is right. Also found: results that are not repeatable,
    arrays that are written to, bars of the wrong dtype, dependence on the layout in memory, and records that a value
    bypasses (`.item()`, `.numpy()`, `detach`).

    Args:
        f: takes and returns nested lists, tuples and dicts of arrays; it is called with tensors. A layer
            (anything with `named_parameters()`) is also checked by its parameters. Integer and boolean outputs are
            left out.
        *inputs: where. Floating-point arrays and tensors are differentiated by; anything else is passed on.
        order: how many derivatives; each is compared as the slope of the one before.
        mode: "coordinates": each output (while there are at most 16) by each element of the inputs; "directions":
            random combinations of outputs along random directions; "auto": coordinates while there are at most 64
            (16 for higher orders); "quick": values along one direction an order, fifty times as fast (not whether all
            is repeatable or of the right dtype, nor layouts in memory), and "auto" where they do not agree.
        seed: of directions, bars and weights.

    Returns:
        The report: what was compared, at which accuracy, and where kinks are.

    Raises:
        GradientError: something is wrong; an AssertionError with the same report in `.report`.
        TypeError: there is nothing to differentiate, or f has no floating-point output.
        ValueError: a bad order or mode, or no output is finite.

    Example:
        >>> import numpy as np
        >>> report = check_gradients(lambda x: np.tanh(x).sum(), np.array([0.5, -1.0]))
        >>> report.ok
        True
    """
    report = examine(f, *inputs, order=order, mode=mode, seed=seed)
    if not report.ok:
        raise GradientError(report)
    return report


def examine(f: Callable[..., Any], *inputs: Any, order: int = 2, mode: str = "auto", seed: int = 0) -> Report:
    """Do what `check_gradients` does, but return the report also where something is wrong.

    Args:
        f: the function, or a layer.
        *inputs: where.
        order: how many derivatives.
        mode: "coordinates", "directions", "auto" or "quick".
        seed: of directions, bars and weights.

    Returns:
        The report; `.ok` tells whether all is right.

    Raises:
        TypeError: there is nothing to differentiate, or f has no floating-point output.
        ValueError: a bad order or mode, or no output is finite.

    Example:
        >>> import numpy as np
        >>> examine(np.sin, np.array([0.5])).ok
        True
    """
    report, explain = examined(f, inputs, order, mode, seed)
    explain()
    return report


def examined(
    f: Callable[..., Any], inputs: Sequence[Any], order: int, mode: str, seed: int
) -> tuple[Report, Callable[[], None]]:
    """Return the report, and what completes it with the operation to blame, if something is wrong."""
    if mode not in MODES:
        raise ValueError(f"check_gradients: expected mode to be one of {MODES}, got {mode!r}")
    if order < 1:
        raise ValueError(f"check_gradients: expected order to be 1 or more, got {order}")
    subject = Subject(f, inputs)
    shown = [describe_array(name, array) for name, array in zip(subject.names, subject.arrays, strict=True)]
    report = Report(subject.function_name, shown)
    if mode == "quick":
        with enable_grad(), subject.untouched(), quiet(), contextlib.suppress(Exception):  # what raises, raises again
            if quick.agrees(subject, report, order, np.random.default_rng(seed)):
                return report, lambda: None
        report, mode = Report(subject.function_name, shown), "auto"
    with enable_grad(), subject.untouched():
        call_elsewhere(subject, order)
        stages = run(subject, report, order, mode, np.random.default_rng(seed))

    def explain() -> None:
        if not report.ok and report.blame is None and not report.bent:
            with enable_grad(), subject.untouched():
                nodes.find_blame(subject, report, stages)

    if any(problem.kind == "wrong" for problem in report.problems):
        uncertain = ""
        if report.shaky:
            uncertain = "the gradient loses its digits here: with the last of the inputs it changes so much"
        elif report.rough:
            uncertain = "the function oscillates over steps that are as short as rounding lets them be"
        if uncertain or _right_nearby(subject, order, seed):
            explain()
            if report.bent:
                _accept(report, KINK, "several kinks meet here, and their conventions do not add up to a slope of all")
            elif uncertain and report.blame is None:
                _accept(report, UNDECIDED, uncertain)
    return report, explain


def run(
    subject: Subject | nodes.NodeSubject,
    report: Report,
    order: int,
    mode: str,
    rng: np.random.Generator,
    *,
    brief: bool = False,
) -> list[Stage]:
    """Fill the report, up to the first order at which something is wrong; return the stages up to there.

    Args:
        subject: what to check.
        report: to be filled.
        order: as for `check_gradients`.
        mode: as for `check_gradients`.
        rng: of directions, bars and weights.
        brief: only tell right from wrong: no further opinions, and no search for the coordinate.
    """
    stages: list[Stage] = [subject.stage]
    if not sum(a.size for a in subject.arrays):
        report.notes.append("the inputs are empty: there is nothing to compare")
    with quiet():
        outputs = call_twice(subject, report)
    if not report.ok:
        return stages
    now = 1
    with quiet():
        try:
            for number in range(1, order + 1):
                now = number
                untracked = look_at_sweep(stages[-1], subject, outputs, number, report)
                if not report.ok:
                    break
                each_output = mode != "directions" or isinstance(subject, nodes.NodeSubject)
                level = Level(stages[-1], subject.arrays, outputs, subject.names, number, rng, each_output=each_output)
                if number == 1 and isinstance(subject, Subject) and not level.is_repeated():
                    report.problems.append(nodes.written(subject))
                    break
                look_at_layout(level, report)
                if number == 1 and not brief and isinstance(subject, Subject):
                    report.complex_step = complex_step(level, subject)
                    with contextlib.suppress(Exception):  # what raises in second order is found in its place
                        report.orders = taylor_orders(level, order)
                _compare(level, mode, report, untracked, brief)
                if not report.ok:
                    break
                if number < order:
                    now = number + 1
                    stage, outputs = following(level, report)
                    stages.append(stage)
            if report.ok:
                nodes.hygiene(subject, report)
        except Exception as error:  # noqa: BLE001 (rules and functions are the user's)
            notes = "".join(f"; {note}" for note in getattr(error, "__notes__", []))
            report.problems.append(Problem("error", f"order {now}: {type(error).__name__}: {error}{notes}"))
    return stages


def call_elsewhere(subject: Subject, order: int) -> None:
    """Do all that a check does at another point first, so that what is kept from an earlier call is not right.

    There the elements are in reverse, which leaves most functions in their domain (a symmetric matrix symmetric).
    """
    arrays = [(0.97 * a.reshape(-1)[::-1].reshape(a.shape)).astype(a.dtype) for a in subject.arrays]
    stage: Stage = subject.stage
    with quiet(), contextlib.suppress(Exception):
        for _ in range(order):
            inputs = leaves_of(arrays)
            outputs = stage(*inputs)
            ones = [np.ones(y.shape, y.dtype) for y in outputs]
            pulled(outputs, inputs, ones, create_graph=False)
            stage = gradient_stage(stage, ones, ones)


def _right_nearby(subject: Subject, order: int, seed: int) -> bool:
    """Tell whether all is right a little away from the point, so that what is wrong at it comes from kinks."""
    rng = np.random.default_rng(seed)
    here = subject.arrays
    subject.arrays = [(a + 0.01 * size_of(a) * rng.uniform(-1, 1, a.shape)).astype(a.dtype) for a in here]
    report = Report(subject.function_name)
    try:
        with enable_grad(), subject.untouched():
            run(subject, report, order, "directions", rng, brief=True)
    except (TypeError, ValueError):
        return False
    finally:
        subject.arrays = here
    return report.ok


def _accept(report: Report, status: str, note: str) -> None:
    """Accept what is wrong though no operation is to blame, and say why; a gradient that is not finite stays wrong."""
    if any(problem.kind != "wrong" for problem in report.problems):
        return
    report.problems, report.notes = [], [text for text in report.notes if text != nodes.UNEXPLAINED]
    report.counts[status] += report.counts.pop(WRONG, 0)
    report.comparisons = [
        dataclasses.replace(c, status=status, note=note) if c.status == WRONG else c for c in report.comparisons
    ]


def _compare(level: Level, mode: str, report: Report, untracked: bool, brief: bool) -> None:
    """Compare along the directions of the level and add what it comes to to the report."""
    if level.nonlinear is not None:
        text = f"order {level.order}: the gradient by {level.nonlinear} is not linear in the output's bar"
        report.problems.append(Problem("not linear", text, input=level.nonlinear))
        return
    wrong: list[Comparison] = []
    if not level.analytic.size:
        return
    bent, shaky = None, True
    for direction in level.directions(mode):
        closer, found = kinks.looked_into(level, direction, level.compare(direction))
        faulty = [c for c in found if c.status == WRONG]
        shaky = shaky and (not faulty or closer.is_shaky(direction, faulty))
        if faulty and direction.index is None:
            coordinate = None if brief else closer.localized(direction, faulty[0])
            wrong += faulty if coordinate is None else [coordinate, *faulty]
            break
        wrong += faulty
        bent = bent or (direction if direction.index is None and any(c.status == KINK for c in found) else None)
        report.comparisons += [c for c in found if c.status != WRONG][: MOST_SHOWN - len(report.comparisons)]
    if bent is not None and not wrong:  # many kinks along a line hide what else is wrong along it
        wrong = [dataclasses.replace(c, note="at a point nearby") for c in level.wrong_nearby(bent)]
        shaky = False
        level.counts[WRONG] += len(wrong)
    report.counts.update(level.counts)
    report.accuracy = max(report.accuracy, level.accuracy)
    if wrong:
        report.shaky = shaky and bool(report.problems == [])
        wrong.sort(key=_least_telling_last)
        worst = wrong[0]
        report.comparisons = [*wrong[:MOST_SHOWN], *report.comparisons]
        kind = "wrong" if np.isfinite(worst.analytic) else "not finite"
        if untracked and worst.analytic == 0:
            kind = "detached"
        report.problems.append(Problem(kind, f"order {level.order}: {worst}", input=worst.input, comparison=worst))


def _least_telling_last(comparison: Comparison) -> tuple[bool, float]:
    """Sort by this to have single coordinates first, and those that are farthest off before others."""
    finite = np.nan_to_num([comparison.analytic, comparison.numeric], posinf=0, neginf=0)
    return comparison.index is None, -abs(float(finite[0] - finite[1]))

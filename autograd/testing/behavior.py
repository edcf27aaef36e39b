"""How a function and its sweep behave, apart from the numbers: repeatable, without writes, in any memory layout."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.primitive import primitive
from autograd.tensor import raw
from autograd.testing.compare import FACTOR, Level
from autograd.testing.report import Problem, Report
from autograd.testing.subject import (
    Stage,
    flat,
    gradient_stage,
    gradients,
    is_tracked,
    leaves_of,
    pulled,
    same,
    split,
    values,
)


def call_twice(subject: Any, report: Report) -> list[NDArray[Any]]:
    """Call the function twice; report what it writes to and whether it repeats itself; return its outputs."""
    constants = [(x, np.array(raw(x))) for x in subject.constants]
    inputs = leaves_of(subject.arrays)
    first = [np.array(raw(y)) for y in subject.stage(*inputs)]
    if not first:
        raise TypeError(f"check_gradients: {subject.function_name} returned no floating-point array or tensor")
    for name, x, before in zip(subject.names, inputs, subject.arrays, strict=True):
        if not same(raw(x), before):
            report.problems.append(Problem("mutation", f"the function wrote to its input {name!r}"))
    if not all(same(raw(x), before) for x, before in constants):
        report.problems.append(Problem("mutation", "the function wrote to an array that it was given"))
    if report.problems:
        return first
    second = values(subject.stage, subject.arrays)
    if len(first) != len(second) or not all(map(same, first, second)):
        report.problems.append(
            Problem(
                "non-deterministic",
                "two calls with the same inputs gave different results: make what is random inside the function, "
                "from a fixed seed, or switch it off (model.eval())",
            )
        )
    finite = [np.isfinite(y) for y in first]
    if not all(f.all() for f in finite):
        if not any(f.any() for f in finite):
            raise ValueError(f"check_gradients: no output of {subject.function_name} is finite at this point")
        report.notes.append("some outputs are NaN or infinite; their derivatives are not compared")
    return first


def look_at_sweep(stage: Stage, subject: Any, outputs: Sequence[NDArray[Any]], number: int, report: Report) -> bool:
    """Sweep twice over one record; report what the sweep writes to and whether it repeats itself.

    Returns:
        Whether an output has no record.
    """
    rng = np.random.default_rng(number)
    bars = [rng.normal(size=y.shape).astype(y.dtype) for y in outputs]
    given = [bar.copy() for bar in bars]
    inputs = leaves_of(subject.arrays)
    results = stage(*inputs)
    first = [np.array(raw(g)) for g in pulled(results, inputs, given, create_graph=False)]
    second = [np.array(raw(g)) for g in pulled(results, inputs, given, create_graph=False)]
    written = [
        f"the input {n!r}" for n, x, a in zip(subject.names, inputs, subject.arrays, strict=True) if not same(raw(x), a)
    ]
    written += ["an output" for y, before in zip(results, outputs, strict=True) if not same(raw(y), before)]
    written += ["the bar of an output" for bar, before in zip(given, bars, strict=True) if not same(bar, before)]
    order = f"order {number}: "
    if written:
        report.problems.append(Problem("mutation", f"{order}the backward sweep wrote to {' and '.join(written)}"))
    elif not all(map(same, first, second)):
        report.problems.append(
            Problem("non-deterministic", f"{order}two sweeps over the same record gave different gradients")
        )
    return not all(map(is_tracked, results))


def _forward_scattered(x: Any) -> Any:
    x = np.asarray(x)
    if not x.ndim:
        return x[()]
    buffer = np.full(tuple(2 * n for n in reversed(x.shape)), np.nan, x.dtype)
    out = buffer.T[(slice(None, None, 2),) * x.ndim]
    out[...] = x
    return out


_scattered: Any = primitive(_forward_scattered, name="scattered", x=lambda ybar: _scattered(ybar))
"""The same values in memory that is neither contiguous nor in order, with NaN between them."""


def look_at_layout(level: Level, report: Report) -> None:
    """Report a gradient that changes when arrays lie in memory differently."""
    if level.order > 1 or not level.analytic.size:
        return
    bar = split(level.rows.sum(axis=0), level.outputs)  # all outputs at once: each must find its own place
    (plain,), (scattered,) = (
        gradients(level.stage, level.arrays, [bar], wrap=wrap) for wrap in (lambda x: x, _scattered)
    )
    before, after = flat(plain), flat(scattered)
    with np.errstate(invalid="ignore"):
        allowed = FACTOR * level.blur.sum(axis=0) + 100 * level.own_precision * np.abs(level.analytic).sum(axis=0)
        wrong = (np.abs(after - before) > allowed) | (np.isnan(after) & np.isfinite(before))
    if wrong.any():
        position = int(np.flatnonzero(wrong)[0])
        where = level.coordinate(position)
        report.problems.append(
            Problem(
                "layout",
                f"the gradient by {where.input}{list(where.index or ())} is {before[position]:.10g} for contiguous "
                f"inputs and {after[position]:.10g} for the same numbers in strided memory",
                input=where.input,
            )
        )


def following(level: Level, report: Report) -> tuple[Stage, list[NDArray[Any]]]:
    """Return the stage of the next order and its values; report where create_graph gives another gradient."""
    weights, scales = level.weights, level.scales
    stage = gradient_stage(level.stage, weights, scales)
    outputs = values(stage, level.arrays)
    plain = values(gradient_stage(level.stage, weights, scales, create_graph=False), level.arrays)
    for name, ours, other in zip(level.names, outputs, plain, strict=True):
        largest = np.max(np.abs(ours), initial=0, where=np.isfinite(ours))
        if not np.allclose(ours, other, rtol=0, atol=1e3 * level.own_precision * largest, equal_nan=True):
            report.problems.append(
                Problem(
                    "create_graph", f"order {level.order}: the gradient by {name!r} is another under create_graph=True"
                )
            )
    return stage, outputs

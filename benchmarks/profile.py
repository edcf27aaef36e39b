"""Say where the time goes in this engine: `python -m benchmarks.profile [JOB]`, see --help.

Of one job first the phases of a step, each timed by itself, with page faults and the garbage collector's share; then
the functions by their own time, from cProfile (which makes Python code look slower than it is, beside NumPy's). Without
a job a table of all of them, in Markdown.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from autograd import no_grad
from benchmarks.jobs import JOBS, Steps


class Collector:
    """Adds up the garbage collector's time and runs, while it is in `gc.callbacks`."""

    def __init__(self) -> None:
        self.seconds, self.runs, self.started = 0.0, 0, 0.0

    def __call__(self, phase: str, info: dict[str, int]) -> None:  # noqa: ARG002 (as gc calls it)
        if phase == "start":
            self.started = time.perf_counter()
        else:
            self.seconds += time.perf_counter() - self.started
            self.runs += 1


@dataclass
class Profile:
    """Where a step spends its time.

    Attributes:
        steps: the job.
        count: steps that were timed.
        seconds: of a step, in processor time.
        faults: page faults of a step.
        collected: the garbage collector's share of the time.
        runs: of the garbage collector, in a step.
        phases: median seconds of each phase, in processor time; empty where a job has none.
        alone: the same of the forward pass under `no_grad`.
    """

    steps: Steps
    count: int
    seconds: float
    faults: float
    collected: float
    runs: float
    phases: dict[str, float] = field(default_factory=dict)
    alone: float = 0.0


def profile(name: str, seconds: float) -> Profile:
    """Return the profile of a job; each part of the measurement takes about so many seconds."""
    from benchmarks.libraries import ours

    steps: Steps = getattr(ours, JOBS[name].kind)(JOBS[name].arrays())
    steps.reset()
    for _ in range(3):
        first = _seconds(steps.step)
    count = max(1, round(seconds / max(first, 1e-6)))
    collector = Collector()
    gc.callbacks.append(collector)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    whole = _seconds(steps.step, count)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    gc.callbacks.remove(collector)
    found = Profile(steps, count, whole / count, faults / count, collector.seconds / whole, collector.runs / count)
    steps.reset()
    if steps.phases:
        found.phases = phases(steps, max(5, count // 2))
        found.alone = found.phases.pop("forward under no_grad")
    return found


def phases(steps: Steps, count: int) -> dict[str, float]:
    """Return the median seconds of each phase of a step, in processor time, and of its forward without a record."""
    spent: dict[str, list[float]] = {"forward under no_grad": []}
    for _ in range(count):
        value = None
        for name, phase in steps.phases.items():
            if name == "forward":
                spent["forward under no_grad"].append(_seconds(lambda phase=phase: _without_record(phase)))
            start = time.process_time()
            result = phase(value)
            spent.setdefault(name, []).append(time.process_time() - start)
            value = result if name == "forward" else value
    return {name: statistics.median(times) for name, times in spent.items()}


def _without_record(forward: Callable[[None], Any]) -> None:
    with no_grad():
        forward(None)


def _seconds(function: Callable[[], Any], count: int = 1) -> float:
    start = time.process_time()
    for _ in range(count):
        function()
    return time.process_time() - start


def show(name: str, seconds: float, lines: int) -> None:
    """Print the profile of a job, and the functions that take the time."""
    found = profile(name, seconds)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    each = f"{found.seconds * 1e6:.0f} us a step in processor time"
    print(f"{JOBS[name].title}: {each} ({found.count} steps, {threads} threads)")
    print(f"page faults a step: {found.faults:.1f}")
    print(f"garbage collector: {found.collected:.1%} of the time, {found.runs:.2g} runs a step\n")
    if found.phases:
        for phase, spent in found.phases.items():
            print(f"{phase:8} {spent * 1e6:10.1f} us {spent / sum(found.phases.values()):6.1%}")
        print(f"(forward under no_grad: {found.alone * 1e6:.1f} us)\n")
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(max(1, found.count // 2)):
        found.steps.step()
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(lines)


def table(names: list[str], seconds: float) -> str:
    """Return the phases of all jobs that have some, in microseconds of processor time, as a table in Markdown."""
    rows = [["job", "forward", "sweep", "update", "page faults", "collector"]]
    for name in tqdm(names, unit="job", dynamic_ncols=True):
        found = profile(name, seconds)
        if found.phases:
            update = found.phases["update"] + found.phases["zero"]
            spent = [found.phases["forward"], found.phases["sweep"], update]
            cells = [f"{1e6 * part:,.0f}" for part in spent]
            rows.append([JOBS[name].title, *cells, f"{found.faults:.0f}", f"{found.collected:.0%}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def main() -> None:
    """Run the command."""
    names = [name for name, job in JOBS.items() if not job.fresh]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.partition("\n")[0])
    parser.add_argument("job", nargs="?", choices=names, help="none: a table of all")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each part of the measurement, about (1)")
    parser.add_argument("--lines", type=int, default=20, help="functions to list (20)")
    given = parser.parse_args()
    if given.job:
        show(given.job, given.seconds, given.lines)
    else:
        print(table(names, given.seconds))


if __name__ == "__main__":
    main()

"""Say where a job's time goes in this engine: `python -m benchmarks.profile JOB`, see --help.

First the phases of a step, each timed by itself, with page faults and the garbage collector's share; then the functions
by their own time, from cProfile (which makes Python code look slower than it is, beside NumPy's).
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


def _without_record(forward: object) -> None:
    with no_grad():
        forward(None)  # type: ignore[operator]


def _seconds(function: object) -> float:
    start = time.process_time()
    function()  # type: ignore[operator]
    return time.process_time() - start


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.partition("\n")[0])
    parser.add_argument("job", choices=[name for name, job in JOBS.items() if not job.fresh])
    parser.add_argument("--seconds", type=float, default=1.0, help="of each part of the measurement, about (1)")
    parser.add_argument("--lines", type=int, default=20, help="functions to list (20)")
    given = parser.parse_args()
    from benchmarks.libraries import ours

    job = JOBS[given.job]
    steps: Steps = getattr(ours, job.kind)(job.arrays())
    steps.reset()
    for _ in range(3):
        first = _seconds(steps.step)
    count = max(1, round(given.seconds / max(first, 1e-6)))

    collector = Collector()
    gc.callbacks.append(collector)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    start = time.process_time()
    for _ in range(count):
        steps.step()
    whole = time.process_time() - start
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    gc.callbacks.remove(collector)
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"{job.title}: {whole / count * 1e6:.0f} us a step in processor time ({count} steps, {threads} threads)")
    print(f"page faults a step: {faults / count:.1f}")
    print(f"garbage collector: {collector.seconds / whole:.1%} of the time, {collector.runs / count:.2g} runs a step\n")
    steps.reset()
    if steps.phases:
        found = phases(steps, max(5, count // 2))
        alone = found.pop("forward under no_grad")
        for name, seconds in found.items():
            print(f"{name:8} {seconds * 1e6:10.1f} us {seconds / sum(found.values()):6.1%}")
        print(f"(forward under no_grad: {alone * 1e6:.1f} us)")
        print()
    profiler = cProfile.Profile()
    profiler.enable()
    for _ in range(max(1, count // 2)):
        steps.step()
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(given.lines)


if __name__ == "__main__":
    main()

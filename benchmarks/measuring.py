"""Rounds of turns: each library's process does a few steps of a job, then the next one's."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.jobs import Job
from benchmarks.processes import Failure, Process

LONG = 20
"""Seconds of a turn from which on a library takes part in the first round only."""

PAUSE = 0.05
"""Seconds between two turns: the threads of a library go on spinning for a while after its last product."""


@dataclass
class Result:
    """What was measured for a job.

    Attributes:
        times: seconds (or bytes) of each round, by library.
        reasons: why a library has none.
        losses: of the comparison, by library.
    """

    job: Job
    times: dict[str, list[float]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    losses: dict[str, list[float]] = field(default_factory=dict)

    def ratios(self, peer: str) -> tuple[float, float, float]:
        """Return the median and the quartiles of our time over a peer's, round by round, as far as it took part."""
        return quartiles([a / b for a, b in zip(self.times["ours"], self.times[peer], strict=False)])

    def best(self) -> str | None:
        """Return the fastest peer; of imports, NumPy, which ours cannot do without."""
        if self.job.fresh == "import" and "numpy" in self.times:
            return "numpy"
        peers = [name for name in self.times if name != "ours"]
        return min(peers, key=lambda name: statistics.median(self.times[name]), default=None)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the median, and the lower and the upper quartile."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def measure(
    job: Job, processes: dict[str, Process], rounds: int, seconds: float, progress: Callable[[str], None]
) -> Result:
    """Return the times of a job: compare the losses, then time in rounds.

    Args:
        job: what to do.
        processes: by library, ours first.
        rounds: how often each library has its turn.
        seconds: of a turn, about.
        progress: told what is being done.
    """
    result = Result(job)
    rounds = min(rounds, job.rounds or rounds)
    if job.fresh:
        turns = {name: _fresh(job, process) for name, process in processes.items()}
        if job.fresh == "import":  # files are read, and our modules compiled, only the first time
            for name, turn in turns.items():
                with contextlib.suppress(Failure):
                    progress(f"{job.name}: {name} gets ready")
                    turn()
    else:
        turns = {}
        for name, process in processes.items():
            progress(f"{job.name}: {name} gets ready")
            try:
                turns[name] = _prepared(job, process, seconds, result)
            except Failure as failure:
                result.reasons[name] = str(failure)
    for number in range(rounds):
        progress(f"{job.name}: round {number + 1} of {rounds}")
        order = list(turns)
        first = number % max(1, len(order))
        for name in order[first:] + order[:first]:
            time.sleep(PAUSE)
            try:
                times = result.times.setdefault(name, [])
                times.append(turns[name]())
                if not job.fresh and times[-1] * job.count > LONG:
                    del turns[name]
            except Failure as failure:
                result.reasons[name] = str(failure)
                del turns[name]
                del result.times[name]
    return result


def _fresh(job: Job, process: Process) -> Callable[[], float]:
    if job.fresh == "import":
        return process.import_time

    def growth() -> float:
        process.close()
        found: float = process.ask("memory", job=job.name, count=10)
        process.close()
        return found

    return growth


def _prepared(job: Job, process: Process, seconds: float, result: Result) -> Callable[[], float]:
    """Return what does a library's turn, after the comparison of its losses with ours."""
    name = process.library.name
    result.losses[name] = process.ask("losses", job=job.name, count=5 if job.each == "step" else 2)
    for ours, theirs in zip(result.losses.get("ours", result.losses[name]), result.losses[name], strict=True):
        if not abs(ours - theirs) <= job.tolerance * abs(ours):
            raise Failure(f"losses differ from ours: {theirs:.6g} for {ours:.6g}")
    count, expected = process.ask("calibrate", job=job.name, seconds=seconds, timeout=600)

    def turn() -> float:
        found: float = process.ask("turn", job=job.name, count=count, timeout=60 + 10 * expected) / job.count
        return found

    return turn

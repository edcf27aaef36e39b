"""The process that one library runs in: takes requests as lines of JSON, and answers each with one.

Started by `benchmarks.processes` as `python -m benchmarks.worker LIBRARY`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
import warnings
from pathlib import Path
from typing import Any

# Installed packages first: HIPS autograd has our package's name, and must be found in its own environment.
sys.path.append(sys.path.pop(0))

from benchmarks.jobs import JOBS, Arrays, Steps

LIMIT = 10_000_000
"""Of the recursion: micrograd's is as deep as its graph."""

LONG = 20
"""Seconds after which a step is no longer called a second time to find out how long it takes."""

CLOCK = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter
"""Time of the processor, of all threads together, helps on a busy machine, with one thread."""


class Worker:
    """What a library's process can be asked for, one method a request."""

    def __init__(self, library: str) -> None:
        self.library = library

    @functools.cached_property
    def module(self) -> Any:
        """The library's jobs; it is imported at the first request, not at the start."""
        return importlib.import_module(f"benchmarks.libraries.{self.library}")

    def steps(self, job: str, arrays: Arrays) -> Steps:
        """Return a job, made anew."""
        kind = JOBS[job].kind
        if not hasattr(self.module, kind):
            raise NotImplementedError(getattr(self.module, "MISSING", {}).get(kind, "not written for this library"))
        made: Steps = getattr(self.module, kind)(arrays)
        return made

    @functools.lru_cache(maxsize=1)  # noqa: B019 (one worker a process)
    def prepared(self, job: str) -> Steps:
        """Return a job, made once and kept until another is asked for."""
        return self.steps(job, JOBS[job].arrays())

    def about(self, packages: list[str]) -> dict[str, str]:
        """Return the versions of packages, and Python's."""
        found = {name: importlib.metadata.version(name) for name in packages}
        return {**found, "python": platform.python_version()}

    def losses(self, job: str, count: int) -> list[float]:
        """Return the losses of the first steps, without dropout."""
        compared = JOBS[job].compared
        steps = self.prepared(job) if compared is None else self.steps(job, compared())
        steps.reset()
        return [float(steps.number(steps.step())) for _ in range(count)]

    def calibrate(self, job: str, seconds: float) -> tuple[int, float]:
        """Return how many steps fit into a turn of so many seconds, and how long such a turn takes."""
        steps = self.prepared(job)
        steps.reset()
        if (first := _time(steps, 1)) > LONG:
            return 1, first
        count = 1
        while (spent := _time(steps, count)) < seconds / 4:
            count *= 2
        enough = max(1, round(count * seconds / spent))
        return enough, spent * enough / count

    def turn(self, job: str, count: int) -> float:
        """Return the seconds a step takes, from so many steps after the start weights."""
        steps = self.prepared(job)
        steps.reset()
        _time(steps, count // 20)  # caches are filled, threads awake
        return _time(steps, count) / count

    def memory(self, job: str, count: int) -> int:
        """Return by how many bytes some steps raise the peak of resident memory over that after the import."""
        _ = self.module
        before = _restart_peak()
        steps = self.prepared(job)
        steps.reset()
        for _ in range(count):
            last = steps.step()
        steps.number(last)
        return _status("VmHWM") - before


def _time(steps: Steps, count: int) -> float:
    step, last = steps.step, None
    start = CLOCK()
    for _ in range(count):
        last = step()
    if count:
        steps.number(last)
    return CLOCK() - start


def _restart_peak() -> int:
    """Let Linux forget the peak, which importing may have set, and return the memory in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main() -> None:
    """Answer requests until the input ends."""
    sys.setrecursionlimit(LIMIT)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    worker = Worker(sys.argv[1])
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        try:
            answer = {"answer": getattr(worker, request.pop("do"))(**request)}
        except NotImplementedError as error:
            answer = {"error": str(error)}
        except Exception as error:
            text = str(error).strip() or repr(error)
            answer = {"error": f"{type(error).__name__}: {text.splitlines()[0][:200]}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()

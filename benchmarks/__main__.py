"""Time this engine beside its peers: `python -m benchmarks`, see --help.

Each library runs in a process and an environment of its own (made at first use below build/). Before a job is timed,
the losses of its first steps must agree. Then the libraries take turns, and the ratios are those of one round.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tqdm import tqdm

from benchmarks import table
from benchmarks.jobs import DATA, JOBS
from benchmarks.measuring import Result, measure
from benchmarks.processes import LIBRARIES, ROOT, Process, interpreter

RESULTS = ROOT / "benchmarks" / "RESULTS.md"
PEERS = [name for name in LIBRARIES if name != "ours"]


def options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--jobs", nargs="+", default=[], metavar="JOB", help="those whose name begins so: " + " ".join(JOBS)
    )
    parser.add_argument(
        "--peers", nargs="+", choices=PEERS, help="all but torch.compile, which takes minutes to compile"
    )
    parser.add_argument(
        "--full", action="store_true", help="torch.compile too; the table goes to benchmarks/RESULTS.md"
    )
    parser.add_argument("--quick", action="store_true", help="3 short rounds, for a first look")
    parser.add_argument("--rounds", type=int, help="turns of each library (11)")
    parser.add_argument("--seconds", type=float, help="of a turn, about (0.3)")
    parser.add_argument("--threads", type=int, default=2, help="of each library, on as many cores (2)")
    parser.add_argument("--cpu", action="store_true", help="processor time, for a busy machine: with --threads 1")
    parser.add_argument("--mnist", metavar="DIR", help=f"its four IDX files; also by {DATA}; random images otherwise")
    parser.add_argument(
        "--python",
        nargs="+",
        default=[],
        metavar="LIBRARY=PATH",
        help="interpreters to use instead of new environments",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw figures there")
    given = parser.parse_args()
    given.peers = given.peers or [name for name in PEERS if given.full or name != "compile"]
    given.rounds = given.rounds or (3 if given.quick else 11)
    given.seconds = given.seconds or (0.1 if given.quick else 0.3)
    given.python = dict(pair.split("=", 1) for pair in given.python)
    given.jobs = [job for job in JOBS.values() if not given.jobs or chosen(job.name, given.jobs)]
    if not given.jobs:
        parser.error("no job has such a name; there are " + ", ".join(JOBS))
    os.environ["BENCH_CLOCK"] = "cpu" if given.cpu else "wall"
    if given.mnist:
        os.environ[DATA] = given.mnist
    return given


def chosen(name: str, given: list[str]) -> bool:
    """Return whether a job was given by its name, or by the beginning of its name."""
    return name in given or any(name.startswith(start) for start in given if start not in JOBS)


def processes(given: argparse.Namespace) -> tuple[dict[str, Process], dict[str, str]]:
    """Return the libraries' processes, ours first, and why some cannot be had."""
    found, reasons = {}, {}
    for name in ("ours", *given.peers):
        library = LIBRARIES[name]
        try:
            found[name] = Process(library, interpreter(library, given.python), given.threads)
        except subprocess.CalledProcessError:
            reasons[name] = "could not be installed"
    return found, reasons


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    return names[0].partition(":")[2].strip() if names else platform.processor()


def circumstances(found: dict[str, Process], given: argparse.Namespace) -> str:
    """Return machine, versions, date and how it was measured."""
    versions = []
    for name, process in found.items():
        library = process.library
        if library.module and name != "compile":
            packages = [package.partition("==")[0] for package in library.packages]
            about = process.ask("about", packages=packages)
            python = about.pop("python")
            label = f"{library.title}: " if name == "ours" else ""
            versions.append(label + ", ".join(f"{key} {value}" for key, value in about.items()) + f" (Python {python})")
    where = f"{processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    clock = " of processor time" if given.cpu else ""
    images = "of MNIST" if os.environ.get(DATA) else "over random images as many as MNIST's, which were not given"
    lines = [
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {where}; {given.threads} threads for each library",
        f"{given.rounds} rounds (epoch and memory 5, graphs of 100,000 7) in turns of about {given.seconds} s{clock}",
        "every library at its defaults: optimizers, garbage collector; JAX and tinygrad with compiled steps",
        "ratios are our time over the peer's in the same round: median (quartiles); below 1 we are faster",
        f"the epoch is {images}",
        *versions,
    ]
    return "\n".join(f"- {line}" for line in lines)


def figures(results: list[Result]) -> list[dict[str, object]]:
    """Return the raw figures."""
    return [
        {
            "job": r.job.name,
            "seconds" if r.job.fresh != "memory" else "bytes": r.times,
            "losses": r.losses,
            "missing": r.reasons,
        }
        for r in results
    ]


def main() -> None:
    """Run the command."""
    given = options()
    found, unavailable = processes(given)
    results: list[Result] = []
    with tqdm(given.jobs, unit="job", dynamic_ncols=True) as bar:
        for job in bar:
            taking_part = {
                name: process
                for name, process in found.items()
                if job.fresh == "import" or (process.library.module and not (job.fresh == "memory" and name == "numpy"))
            }
            results.append(measure(job, taking_part, given.rounds, given.seconds, bar.set_description_str))
            results[-1].reasons.update(unavailable)
    written = f"{circumstances(found, given)}\n\n{table.text(results, given.peers)}\n"
    for process in found.values():
        process.close()
    print(f"\n{written}")
    if given.json:
        given.json.write_text(json.dumps(figures(results), indent=1))
    if given.full:
        RESULTS.write_text(f"# Beside other libraries\n\nWritten by `make bench`.\n\n{written}")
        print(f"Written to {RESULTS.relative_to(ROOT)}.", file=sys.stderr)


if __name__ == "__main__":
    main()

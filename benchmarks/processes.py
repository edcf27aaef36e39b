"""Libraries in environments of their own, each kept alive in a process that is asked for one turn after the other."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"


@dataclass(frozen=True)
class Library:
    """A library, and where it comes from.

    Attributes:
        name: on the command line.
        title: in the table.
        module: in `benchmarks.libraries`; none if it only takes part in the comparison of import times.
        environment: its directory is build/bench-<environment>; "" is the interpreter that runs this.
        packages: what is installed there.
        imports: the package to import.
    """

    name: str
    title: str
    module: str | None
    environment: str
    packages: tuple[str, ...]
    imports: str


TORCH = "torch==2.13.0"

LIBRARIES = {
    library.name: library
    for library in [
        Library("ours", "ours", "ours", "", ("numpy",), "autograd"),
        Library("numpy", "NumPy", None, "", ("numpy",), "numpy"),
        Library("torch", "torch", "pytorch", "torch", (TORCH, "numpy"), "torch"),
        Library("compile", "torch.compile", "compiled", "torch", (TORCH, "numpy"), "torch"),
        Library("jax", "JAX", "jaxed", "jax", ("jax==0.10.0", "numpy"), "jax"),
        Library("micrograd", "micrograd", "micro", "micrograd", ("micrograd==0.1.0", "numpy"), "micrograd.engine"),
        Library("hips", "HIPS autograd", "hips", "hips", ("autograd==1.8.0", "scipy", "numpy"), "autograd"),
        Library("mygrad", "MyGrad", "my", "mygrad", ("mygrad==2.5.0", "numpy"), "mygrad"),
        Library("tinygrad", "tinygrad", "tiny", "tinygrad", ("tinygrad==0.14.0", "numpy"), "tinygrad"),
    ]
}


def interpreter(library: Library, given: dict[str, str]) -> str:
    """Return the Python of a library's environment, which is made if it is not there.

    Args:
        library: whose.
        given: interpreters to use instead, by the library's name.

    Raises:
        subprocess.CalledProcessError: the packages cannot be installed.
    """
    if library.name in given:
        return given[library.name]
    if not library.environment:
        return sys.executable
    directory = BUILD / f"bench-{library.environment}"
    python = directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = directory / "installed.txt"
    if not done.exists() or done.read_text() != "\n".join(library.packages):
        print(f"Installing {' and '.join(library.packages)} into {directory.relative_to(ROOT)}", flush=True)
        venv.create(directory, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if library.environment == "torch":  # without CUDA, where that is to be had: 0.2 GB instead of 3
            wheels = ["--no-deps", "--retries", "0", "--index-url", "https://download.pytorch.org/whl/cpu"]
            subprocess.run([*install, *wheels, TORCH], check=False)  # noqa: S603
        subprocess.run([*install, *library.packages], check=True)  # noqa: S603
        done.write_text("\n".join(library.packages))
    return str(python)


class Failure(Exception):  # noqa: N818 (what a library ends in here is no error)
    """A library could not do what it was asked for."""


class Process:
    """A library's process: started at the first request, and again after it has died.

    Args:
        library: which.
        python: its interpreter.
        threads: that it may use, on as many cores.
    """

    def __init__(self, library: Library, python: str, threads: int) -> None:
        self.library = library
        self.python = python
        self.threads = threads
        self.process: subprocess.Popen[str] | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment variables that keep a library to its threads, and to its own packages."""
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CPU_COUNT")
        own = {**os.environ, **dict.fromkeys(names, str(self.threads)), "JAX_PLATFORMS": "cpu"}
        own.pop("PYTHONDONTWRITEBYTECODE", None)  # installed packages are compiled, ours are at the first import
        if self.library.name != "ours":
            own.pop("PYTHONPATH", None)
        return own

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        """Start its interpreter, kept to the cores."""
        process = subprocess.Popen(  # noqa: S603
            [self.python, *arguments],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if self.library.name != "ours" else None,
            text=True,
        )
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[: self.threads])
        return process

    def ask(self, do: str, *, timeout: float = 180, **request: Any) -> Any:
        """Return the answer to a request.

        Raises:
            Failure: the library raised an error, died, or took longer than `timeout` seconds.
        """
        if self.process is None:
            self.process = self.run("-m", "benchmarks.worker", str(self.library.module))
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps({"do": do, **request}), file=self.process.stdin, flush=True)
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            self.close()
            raise Failure("its process died" if ready else f"took longer than {timeout:.0f} s")
        answer = json.loads(line)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["answer"]

    def import_time(self) -> float:
        """Return the seconds that importing the library takes in a new process, without the interpreter's start."""
        timed = f"from time import perf_counter as t; s = t(); import {self.library.imports}; print(t() - s)"
        # -P: other libraries are not to find ours in the working directory.
        process = self.run(*([] if self.library.name == "ours" else ["-P"]), "-c", timed)
        found, _ = process.communicate(timeout=180)
        if process.returncode:
            raise Failure("cannot be imported")
        return float(found)

    def close(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

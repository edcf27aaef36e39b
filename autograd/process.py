"""What importing the package sets for the whole process, and why; `BARGRAD_PROCESS=0` in the environment prevents it.

Two defaults of the platform cost half of a training step, and neither can be set for our arrays alone:

- The C library of Linux (glibc) hands each large array back to the system when it is freed, and the next step gets
  its pages one by one, filled with zeros. We ask it to keep up to `KEPT` bytes of free memory for reuse.
- Python's garbage collector looks for cycles whenever 700 more objects live than before, though a record has no
  cycles: its nodes go when the last handle goes. We ask it to look when there are `OBJECTS` more.

Settings of the user's own, made before the import, are left alone.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys

KEPT = 256 * 2**20
"""Bytes of free memory that the process keeps; also the size from which an array gets memory of its own."""

OBJECTS = 10_000
"""By how many the objects in the process grow between two runs of the garbage collector."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, in glibc's malloc.h


def prepare() -> None:
    """Make the settings, unless the environment says not to; a platform without them is left as it is."""
    if os.environ.get("BARGRAD_PROCESS") == "0":
        return
    if sys.platform == "linux" and not _allocator_is_set():
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_TRIM_THRESHOLD, KEPT)
            if not mallopt(_MMAP_THRESHOLD, KEPT):
                mallopt(_MMAP_THRESHOLD, 32 * 2**20)  # the most that glibc took before 2.35
    young, *older = gc.get_threshold()
    if 0 < young < OBJECTS:
        gc.set_threshold(OBJECTS, *older)


def _allocator_is_set() -> bool:
    """Return whether the user has set these thresholds in the environment."""
    own = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_")
    return any(name in os.environ for name in own) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")

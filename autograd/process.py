"""What importing the package sets for the whole process, and why; `BARGRAD_PROCESS=0` in the environment prevents it.

Two defaults of the platform cost half of a training step, and neither can be set for our arrays alone:

- The C library of Linux (glibc) hands large arrays back to the system when they are freed, and the next step gets
  their pages one by one, filled with zeros. We ask it to take arrays of up to `HEAP` bytes from its heap, and to keep
  up to `KEPT` bytes that are free at the heap's end. (Free memory in between stays in the process, as in any heap.)
- Python's garbage collector looks for cycles whenever some hundred more objects live than before, though a record has
  no cycles: its nodes go when the last handle goes. We ask it to look at the youngest when there are 10,000 more, which
  the processor's cache still holds; at those that outlived that after 200 such looks; and at all objects after two of
  these (from Python 3.14, at a part of them each time). On a record of 100,000 operations a step takes a third less.

Settings of the user's own, made before the import, are left alone.
"""

from __future__ import annotations

import gc
import os
import sys

HEAP = 32 * 2**20
"""Size in bytes from which an array gets memory of its own, which goes back when it is freed; glibc's own limit."""

KEPT = 256 * 2**20
"""Bytes of free memory at the end of the heap that the process keeps."""

THRESHOLDS = {
    (700, 10, 10): (10_000, 200, 2),  # up to Python 3.12
    (2000, 10, 10): (10_000, 200, 2),  # 3.13
    (2000, 10, 0): (10_000, 50, 0),  # from 3.14, which looks at a part of the older objects each time
}
"""The garbage collector's thresholds: Python's, and what we make of them. Others are the user's own."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, in glibc's malloc.h


def prepare() -> None:
    """Make the settings, unless the environment says not to; a platform without them is left as it is."""
    if os.environ.get("BARGRAD_PROCESS") == "0":
        return
    if sys.platform == "linux" and not _allocator_is_set():
        _keep_memory()
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS.get(before, before))


def _keep_memory() -> None:
    try:
        import ctypes

        mallopt = ctypes.CDLL(None).mallopt
    except (ImportError, OSError, AttributeError):  # Python without libffi, a static build, another C library
        return
    mallopt(_TRIM_THRESHOLD, KEPT)
    mallopt(_MMAP_THRESHOLD, HEAP)


def _allocator_is_set() -> bool:
    """Return whether the user has set these thresholds in the environment."""
    own = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_MMAP_MAX_")
    return any(name in os.environ for name in own) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")

"""The step of a long short-term memory in three operations: its gates, its memory, its output.

Spelled with sigmoid, tanh, products and slices, a step takes sixteen operations on small arrays, and what it costs to
call and record them is twice the arithmetic. The gates i, f, g, o lie side by side in one array (..., 4 H).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd.ops.elementwise import sigmoid
from autograd.primitive import primitive

__all__ = ["lstm_gates", "lstm_memory", "lstm_output"]

_sigmoid = sigmoid.primitive.forward


def _quarter(gates: Any, which: int) -> Any:
    """Return i, f, g or o: a view of (..., H)."""
    size = gates.shape[-1] // 4
    return gates[..., which * size : (which + 1) * size]


def _check(what: str, gates: Any, c: Any) -> None:
    if gates.shape != (*c.shape[:-1], 4 * c.shape[-1]):
        raise ValueError(f"{what}: expected gates (..., 4 H) for a memory (..., H), got {gates.shape} and {c.shape}")


def _lstm_gates(a: Any) -> Any:
    """Return sigmoid of the first, second and last quarter of `a` (..., 4 H), and tanh of the third."""
    gates = _sigmoid(a)
    np.tanh(_quarter(a, 2), out=_quarter(gates, 2))
    return gates


@lru_cache
def _is_candidate(size: int, dtype: Any) -> Any:
    """Return (4 H,) with 1 for the third quarter and 0 for the others."""
    return np.repeat(np.array([0, 0, 1, 0], dtype), size // 4)


# sigmoid' = s (1 - s) and tanh' = (1 + t) (1 - t), for all gates at once.
lstm_gates = primitive(
    _lstm_gates,
    name="lstm_gates",
    a=lambda ybar, out: ybar * ((out + _is_candidate(out.shape[-1], out.dtype)) * (1 - out)),
)


def _lstm_memory(gates: Any, c: Any) -> Any:
    """Return the next memory c' = f c + i g, (..., H), from gates (..., 4 H) and the memory c (..., H)."""
    _check("lstm_memory", gates, c)
    return _quarter(gates, 1) * c + _quarter(gates, 0) * _quarter(gates, 2)


def _memory_to_gates(ybar: Any, gates: Any, c: Any) -> Any:
    parts = [ybar * _quarter(gates, 2), ybar * c, ybar * _quarter(gates, 0), np.zeros(c.shape, c.dtype)]
    return np.concatenate(parts, axis=-1)


lstm_memory = primitive(
    _lstm_memory,
    name="lstm_memory",
    gates=_memory_to_gates,
    c=lambda ybar, gates: ybar * _quarter(gates, 1),
)


def _lstm_output(gates: Any, c: Any) -> Any:
    """Return the output h = o tanh(c), (..., H), from gates (..., 4 H) and the new memory c (..., H)."""
    _check("lstm_output", gates, c)
    return _quarter(gates, 3) * np.tanh(c)


def _output_to_gates(ybar: Any, c: Any) -> Any:
    zeros = np.zeros((*c.shape[:-1], 3 * c.shape[-1]), c.dtype)
    return np.concatenate([zeros, ybar * np.tanh(c)], axis=-1)


def _output_to_memory(ybar: Any, gates: Any, c: Any) -> Any:
    t = np.tanh(c)
    return ybar * _quarter(gates, 3) * (1 - t * t)


lstm_output = primitive(_lstm_output, name="lstm_output", gates=_output_to_gates, c=_output_to_memory)

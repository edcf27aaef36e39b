"""Vectors for discrete things, and for places."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class Embedding(Module):
    """A learned vector for each of `count` things, such as the words of a vocabulary.

    Args:
        count: number of things.
        size: length of a vector.
        rng: generator or seed for the initial vectors, normal with variance 1.

    Attributes:
        weight: (count, size).

    Raises:
        ValueError: a number below 1.
    """

    def __init__(self, count: int, size: int, *, rng: initializers.Rng = None) -> None:
        if min(count, size) < 1:
            raise ValueError(f"Embedding: expected a count and a size of at least 1, got {count} and {size}")
        self.count = count
        self.size = size
        self.weight = Tensor(initializers.normal((count, size), 1.0, rng=rng), requires_grad=True)

    def forward(self, ids: Any) -> Any:
        """Return (..., size) for integers (...).

        Raises:
            ValueError: ids that are no integers in 0 .. count - 1.
        """
        return F.embedding(ids, self.weight)


class PositionalEncoding(Module):
    """Add waves of many lengths to a sequence, so that a place can be told from the values there.

    p[t, 2i] = sin(t / 10000^(2i / size)),  p[t, 2i + 1] = cos(t / 10000^(2i / size)).

    Nothing is learned, and there is no longest sequence.

    Args:
        size: length of the vectors.
        batch_first: whether sequences are (N, T, size) instead of (T, N, size).

    Raises:
        ValueError: a size below 1; (when called) a sequence of another size.

    Source: Vaswani et al., arXiv:1706.03762, section 3.5.
    """

    def __init__(self, size: int, *, batch_first: bool = False) -> None:
        if size < 1:
            raise ValueError(f"PositionalEncoding: expected a size of at least 1, got {size}")
        self.size = size
        self.batch_first = batch_first

    def forward(self, x: Any) -> Any:
        """Return x (T, N, size), or (N, T, size) with `batch_first`, with the places added."""
        if x.ndim != 3 or x.shape[2] != self.size:
            order = "N, T" if self.batch_first else "T, N"
            raise ValueError(f"PositionalEncoding: expected x ({order}, {self.size}), got {x.shape}")
        if self.batch_first:
            return x + _waves(x.shape[1], self.size).astype(x.dtype)
        return x + _waves(x.shape[0], self.size)[:, None].astype(x.dtype)


@lru_cache(maxsize=8)
def _waves(length: int, size: int) -> Any:
    """Return p of `PositionalEncoding`, (length, size) in float64."""
    angle = np.arange(length)[:, None] / 10000.0 ** (np.arange(0, size, 2) / size)
    return np.stack([np.sin(angle), np.cos(angle)], axis=-1).reshape(length, -1)[:, :size]

"""Vectors for discrete things, and for places."""

from __future__ import annotations

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
    """

    def __init__(self, count: int, size: int, *, rng: initializers.Rng = None) -> None:
        self.count = count
        self.size = size
        self.weight = Tensor(initializers.normal((count, size), 1.0, rng=rng), requires_grad=True)

    def forward(self, ids: Any) -> Any:
        """Return (..., size) for integers (...)."""
        return F.embedding(ids, self.weight)


class PositionalEncoding(Module):
    """Add waves of many lengths to a sequence, so that a place can be told from the values there.

    p[t, 2i] = sin(t / 10000^(2i / size)),  p[t, 2i + 1] = cos(t / 10000^(2i / size)).

    Args:
        size: length of the vectors.
        max_length: longest sequence.

    Attributes:
        table: buffer (max_length, size).

    Raises:
        ValueError: (when called) a sequence longer than `max_length`.

    Source: Vaswani et al., arXiv:1706.03762, section 3.5.
    """

    def __init__(self, size: int, max_length: int = 1000) -> None:
        self.size = size
        self.max_length = max_length
        angle = np.arange(max_length)[:, None] / 10000.0 ** (np.arange(0, size, 2) / size)
        self.table = np.zeros((max_length, size), np.float32)
        self.table[:, 0::2] = np.sin(angle)
        self.table[:, 1::2] = np.cos(angle)[:, : size // 2]

    def forward(self, x: Any) -> Any:
        """Return x (N, T, size) with the places added."""
        if x.shape[-2] > self.max_length:
            raise ValueError(f"PositionalEncoding: expected at most {self.max_length} places, got {x.shape}")
        return x + self.table[: x.shape[-2]]

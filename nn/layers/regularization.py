"""Layers that hinder a model from learning its training data by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nn import functional as F
from nn.module import Module

if TYPE_CHECKING:
    from nn.init import Rng


class Dropout(Module):
    """Set each element to 0 with probability p while training, and divide the others by 1 - p.

    Args:
        p: in [0, 1).
        rng: generator or seed.

    Attributes:
        rng: the generator that it draws from; its state is saved in checkpoints.

    Raises:
        ValueError: p outside [0, 1).

    Source: Srivastava et al., "Dropout", JMLR 15 (2014).
    """

    def __init__(self, p: float = 0.5, *, rng: Rng = None) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: expected p in [0, 1), got {p}")
        self.p = p
        self.rng = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        """Return x, with elements dropped while training; of x's shape."""
        return F.dropout(x, self.p, self.training, rng=self.rng)

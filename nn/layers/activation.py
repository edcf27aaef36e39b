"""Activations as layers; the functions are in `nn.functional`."""

from __future__ import annotations

from typing import Any

from nn import functional as F
from nn.module import Module


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Return max(x, 0)."""
        return F.relu(x)


class Softmax(Module):
    """e^x / sum e^x along an axis.

    Args:
        axis: along which the values become probabilities.
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the probabilities."""
        return F.softmax(x, axis=self.axis)

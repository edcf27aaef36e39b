"""Layers that only arrange."""

from __future__ import annotations

from typing import Any

from nn import functional as F
from nn.module import Module


class Flatten(Module):
    """(N, C, H, W) to (N, C H W).

    Args:
        start: the first of the axes that become one.
    """

    def __init__(self, start: int = 1) -> None:
        self.start = start

    def forward(self, x: Any) -> Any:
        """Return x with its last axes made into one."""
        return F.flatten(x, self.start)


class Reshape(Module):
    """Give each example another shape.

    Args:
        *shape: of an example, without the axis of the batch; one entry may be -1.
    """

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def forward(self, x: Any) -> Any:
        """Return (N, *shape) for x (N, ...)."""
        return x.reshape(x.shape[0], *self.shape)

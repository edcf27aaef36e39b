"""Pooling layers: one value for each window, the channels kept, no parameters."""

from __future__ import annotations

from typing import Any

from nn import functional as F
from nn.module import Module


class MaxPool(Module):
    """The largest value of each window of images (N, C, H, W).

    Args:
        kernel_size: height and width of the window: a number or a pair.
        stride: step of the window; the default is its size.
        padding: cells around the image that never win.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding

    def forward(self, x: Any) -> Any:
        """Return (N, C, H', W') for x (N, C, H, W)."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)


MaxPool2d = MaxPool

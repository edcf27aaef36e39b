"""Pooling layers: one value for each window, the channels kept, no parameters."""

from __future__ import annotations

from typing import Any

from nn import functional as F
from nn.module import Module

Size = int | tuple[int, ...]


class _Pool(Module):
    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size | str = 0) -> None:
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding


class MaxPool(_Pool):
    """The largest value of each window of images (N, C, H, W); of equal ones the first gets the bar.

    Args:
        kernel_size: height and width of the window: a number or a pair.
        stride: step of the window; the default is its size.
        padding: cells around the image that never win: a number, a pair or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, H', W') for x (N, C, H, W)."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)


class MaxPool1d(_Pool):
    """The largest value of each window of sequences (N, C, L); of equal ones the first gets the bar.

    Args:
        kernel_size: length of the window.
        stride: step of the window; the default is its size.
        padding: cells around the sequence that never win: a number or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, L') for x (N, C, L)."""
        return F.max_pool1d(x, self.kernel_size, self.stride, self.padding)


class AvgPool(_Pool):
    """The mean of each window of images (N, C, H, W).

    Args:
        kernel_size: height and width of the window: a number or a pair.
        stride: step of the window; the default is its size.
        padding: zeros around the image, which count in the mean: a number, a pair or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, H', W') for x (N, C, H, W)."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding)


class AvgPool1d(_Pool):
    """The mean of each window of sequences (N, C, L).

    Args:
        kernel_size: length of the window.
        stride: step of the window; the default is its size.
        padding: zeros around the sequence, which count in the mean: a number or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, L') for x (N, C, L)."""
        return F.avg_pool1d(x, self.kernel_size, self.stride, self.padding)


class SumPool(_Pool):
    """The sum of each window of images (N, C, H, W).

    Args:
        kernel_size: height and width of the window: a number or a pair.
        stride: step of the window; the default is its size.
        padding: zeros around the image: a number, a pair or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, H', W') for x (N, C, H, W)."""
        return F.sum_pool2d(x, self.kernel_size, self.stride, self.padding)


class SumPool1d(_Pool):
    """The sum of each window of sequences (N, C, L).

    Args:
        kernel_size: length of the window.
        stride: step of the window; the default is its size.
        padding: zeros around the sequence: a number or "same".
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, L') for x (N, C, L)."""
        return F.sum_pool1d(x, self.kernel_size, self.stride, self.padding)


class _MedianPool(Module):
    def __init__(self, kernel_size: Size, stride: Size | None = None) -> None:
        self.kernel_size = kernel_size
        self.stride = stride


class MedianPool(_MedianPool):
    """The median of each window of images (N, C, H, W).

    Args:
        kernel_size: height and width of the window: a number or a pair.
        stride: step of the window; the default is its size.
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, H', W') for x (N, C, H, W)."""
        return F.median_pool2d(x, self.kernel_size, self.stride)


class MedianPool1d(_MedianPool):
    """The median of each window of sequences (N, C, L).

    Args:
        kernel_size: length of the window.
        stride: step of the window; the default is its size.
    """

    def forward(self, x: Any) -> Any:
        """Return (N, C, L') for x (N, C, L)."""
        return F.median_pool1d(x, self.kernel_size, self.stride)


class GlobalAvgPool(Module):
    """The mean of each channel over all places: (N, C, ...) to (N, C)."""

    def forward(self, x: Any) -> Any:
        """Return (N, C)."""
        return x.mean(axis=tuple(range(2, x.ndim)))


class GlobalMaxPool(Module):
    """The largest value of each channel over all places: (N, C, ...) to (N, C)."""

    def forward(self, x: Any) -> Any:
        """Return (N, C)."""
        return x.max(axis=tuple(range(2, x.ndim)))


MaxPool2d, AvgPool2d, SumPool2d, MedianPool2d = MaxPool, AvgPool, SumPool, MedianPool

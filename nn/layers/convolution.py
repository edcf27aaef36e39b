"""Convolutional layers (cross-correlation, as the field has it)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class Conv2d(Module):
    """Slide `out_channels` filters over images (N, C, H, W).

    Args:
        in_channels: C.
        out_channels: number of filters.
        kernel_size: height and width of a filter: a number or a pair.
        stride: step of the window.
        padding: zeros around the image: a number, a pair, "valid" (none), "same" (size / stride, rounded up) or
            "full" (every overlap).
        dilation: distance between the filter's elements.
        groups: the channels are divided into that many groups, each with filters of its own.
        bias: whether to add a number for each filter, which starts at 0.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: (out_channels, C / groups, height, width).
        bias: (out_channels,), or None.

    Raises:
        ValueError: sizes below 1, channels that `groups` does not divide.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = 0,
        *,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        init: Callable[..., Any] = initializers.glorot_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(f"Conv2d: groups={groups} does not divide {in_channels} and {out_channels} channels")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.init = init
        window = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if min(in_channels, out_channels, *window) < 1 or len(window) != 2:
            raise ValueError(
                f"Conv2d: expected channels of at least 1 and a kernel of 1 or 2 sizes of at least 1, got "
                f"{in_channels}, {out_channels} and {kernel_size}"
            )
        self.weight = Tensor(init((out_channels, in_channels // groups, *window), rng=rng), requires_grad=True)
        self.bias = Tensor(initializers.zeros((out_channels,)), requires_grad=True) if bias else None

    def forward(self, x: Any) -> Any:
        """Return (N, out_channels, H', W') for x (N, C, H, W)."""
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

"""Convolutional layers (cross-correlation, as the field has it), their transposes, and locally connected ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class _Convolution(Module):
    """What the layers with sliding filters share; a subclass says over how many axes they slide, and how.

    Attributes:
        axes: number of axes that the filters slide along.
    """

    axes = 2

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        *,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        init: Callable[..., Any] = initializers.glorot_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        name = type(self).__name__
        window = (kernel_size,) * self.axes if isinstance(kernel_size, int) else tuple(kernel_size)
        if min(in_channels, out_channels, groups, *window) < 1 or len(window) != self.axes:
            raise ValueError(
                f"{name}: expected channels, groups and the {self.axes} sizes of the kernel to be at least 1, got "
                f"{in_channels}, {out_channels}, {groups} and {kernel_size}"
            )
        if in_channels % groups or out_channels % groups:
            raise ValueError(f"{name}: groups={groups} does not divide {in_channels} and {out_channels} channels")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.init = init
        self.weight = Tensor(init(self._weight_shape(window), rng=rng), requires_grad=True)
        self.bias = Tensor(initializers.zeros((out_channels,)), requires_grad=True) if bias else None

    def _weight_shape(self, window: tuple[int, ...]) -> tuple[int, ...]:
        return (self.out_channels, self.in_channels // self.groups, *window)


class Conv2d(_Convolution):
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

    def forward(self, x: Any) -> Any:
        """Return (N, out_channels, H', W') for x (N, C, H, W)."""
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Conv1d(_Convolution):
    """Slide `out_channels` filters over sequences (N, C, L).

    Args:
        in_channels: C.
        out_channels: number of filters.
        kernel_size: width of a filter.
        stride: step of the window.
        padding: zeros around the sequence: a number, "valid" (none), "same" (size / stride, rounded up) or "full".
        dilation: distance between the filter's elements.
        groups: the channels are divided into that many groups, each with filters of its own.
        bias: whether to add a number for each filter, which starts at 0.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: (out_channels, C / groups, width).
        bias: (out_channels,), or None.

    Raises:
        ValueError: sizes below 1, channels that `groups` does not divide.
    """

    axes = 1

    def forward(self, x: Any) -> Any:
        """Return (N, out_channels, L') for x (N, C, L)."""
        return F.conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Convolution):
    """The transpose of `Conv2d`: each element of the input adds its multiple of a filter to the output.

    With stride 2 an image becomes twice as large.

    Args:
        in_channels: C.
        out_channels: channels of the result.
        kernel_size: height and width of a filter: a number or a pair.
        stride: distance between the places of neighbouring elements in the result.
        padding: what is taken off around the result.
        output_padding: rows and columns added at the end of the result; less than the stride.
        dilation: distance between the filter's elements.
        groups: the channels are divided into that many groups.
        bias: whether to add a number for each channel of the result.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: (in_channels, out_channels / groups, height, width).
        bias: (out_channels,), or None.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, ...],
        stride: int | tuple[int, ...] = 1,
        padding: int | tuple[int, ...] | str = 0,
        *,
        output_padding: int | tuple[int, ...] = 0,
        dilation: int | tuple[int, ...] = 1,
        groups: int = 1,
        bias: bool = True,
        init: Callable[..., Any] = initializers.glorot_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        self.output_padding = output_padding
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            init=init,
            rng=rng,
        )

    def _weight_shape(self, window: tuple[int, ...]) -> tuple[int, ...]:
        return (self.in_channels, self.out_channels // self.groups, *window)

    def forward(self, x: Any) -> Any:
        """Return (N, out_channels, H', W') for x (N, in_channels, H, W)."""
        return F.conv_transpose2d(
            x, self.weight, self.bias, self.stride, self.padding, self.output_padding, self.groups, self.dilation
        )


class LocallyConnected2d(Module):
    """Like a convolution, but with a filter of its own at each place: weights are not shared.

    Args:
        in_channels: C.
        out_channels: number of filters at each place.
        input_size: height and width of the images: a number or a pair.
        kernel_size: height and width of a filter: a number or a pair.
        stride: step of the window: a number or a pair.
        bias: whether to add a number for each filter and place, which starts at 0.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: (out_channels, C, height, width, H', W').
        bias: (out_channels, H', W'), or None.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        input_size: int | tuple[int, int],
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        *,
        bias: bool = True,
        init: Callable[..., Any] = initializers.lecun_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.input_size = input_size
        self.kernel_size = kernel_size
        self.stride = stride
        self.init = init
        shape = self.weight_shape(in_channels, out_channels, input_size, kernel_size, stride)
        places = shape[4:]
        # The fan of one filter, not that of the whole array, decides the spread.
        one = init((out_channels * places[0] * places[1], *shape[1:4]), rng=rng)
        values = one.reshape(out_channels, *places, *shape[1:4]).transpose(0, 3, 4, 5, 1, 2)
        self.weight = Tensor(values, requires_grad=True)
        self.bias = Tensor(initializers.zeros((out_channels, *places)), requires_grad=True) if bias else None

    @staticmethod
    def weight_shape(
        in_channels: int,
        out_channels: int,
        input_size: int | tuple[int, int],
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
    ) -> tuple[int, ...]:
        """Return the shape that the weight of such a layer has, to count it without making one.

        Args:
            in_channels: C.
            out_channels: number of filters at each place.
            input_size: height and width of the images: a number or a pair.
            kernel_size: height and width of a filter: a number or a pair.
            stride: step of the window: a number or a pair.

        Raises:
            ValueError: a kernel larger than the image, or sizes below 1.
        """
        (height, width), (kh, kw), (sh, sw) = map(_pair, (input_size, kernel_size, stride))
        if min(in_channels, out_channels, kh, kw, sh, sw) < 1 or kh > height or kw > width:
            raise ValueError(
                f"LocallyConnected2d: expected a kernel and a stride of at least 1 within {input_size}, "
                f"got {kernel_size} and {stride}"
            )
        return (out_channels, in_channels, kh, kw, (height - kh) // sh + 1, (width - kw) // sw + 1)

    def forward(self, x: Any) -> Any:
        """Return (N, out_channels, H', W') for x (N, C, H, W)."""
        if x.shape[1:] != (self.in_channels, *_pair(self.input_size)):
            expected = (self.in_channels, *_pair(self.input_size))
            raise ValueError(f"LocallyConnected2d: expected x (N, {', '.join(map(str, expected))}), got {x.shape}")
        return F.locally_connected2d(x, self.weight, self.bias, self.stride)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size

"""Layers that bring values to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class BatchNorm(Module):
    """Normalize each channel over the batch and all places, then scale and shift it.

    Args:
        channels: length of axis 1.
        eps: keeps the root of the variance away from 0.
        momentum: share of the batch in the running mean and variance.

    Attributes:
        weight: factor of each channel, (channels,), at first 1.
        bias: what is added, (channels,), at first 0.
        running_mean, running_var: buffers (channels,), used in evaluation mode.
        num_batches_tracked: buffer: the number of batches seen.

    Source: Ioffe and Szegedy, arXiv:1502.03167.
    """

    def __init__(self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1) -> None:
        self.channels = channels
        self.eps = eps
        self.momentum = momentum
        self.weight = Tensor(initializers.constant((channels,), 1), requires_grad=True)
        self.bias = Tensor(initializers.zeros((channels,)), requires_grad=True)
        self.running_mean = np.zeros(channels, np.float32)
        self.running_var = np.ones(channels, np.float32)
        self.num_batches_tracked = np.zeros((), np.int64)

    def forward(self, x: Any) -> Any:
        """Return x (N, channels, ...) normalized."""
        if x.ndim < 2 or x.shape[1] != self.channels:
            raise ValueError(f"BatchNorm: expected x (N, {self.channels}, ...), got {x.shape}")
        y = F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )
        if self.training:
            self.num_batches_tracked += 1
        return y


BatchNorm1d = BatchNorm2d = BatchNorm


class LayerNorm(Module):
    """Normalize each example over its last axes, then scale and shift each element.

    Args:
        normalized_shape: lengths of those axes; a number for one.
        eps: keeps the root of the variance away from 0.

    Attributes:
        weight: factors, of the normalized shape, at first 1.
        bias: what is added, of the normalized shape, at first 0.

    Source: Ba et al., arXiv:1607.06450.
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], *, eps: float = 1e-5) -> None:
        self.normalized_shape = normalized_shape
        self.eps = eps
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.weight = Tensor(initializers.constant(shape, 1), requires_grad=True)
        self.bias = Tensor(initializers.zeros(shape), requires_grad=True)

    def forward(self, x: Any) -> Any:
        """Return x (..., *normalized_shape) normalized."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)

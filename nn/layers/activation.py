"""Activations as layers; the functions are in `nn.functional`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class Sigmoid(Module):
    """1 / (1 + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Return sigmoid(x), of x's shape."""
        return F.sigmoid(x)


class Tanh(Module):
    """(e^x - e^-x) / (e^x + e^-x)."""

    def forward(self, x: Any) -> Any:
        """Return tanh(x), of x's shape."""
        return F.tanh(x)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Return max(x, 0), of x's shape."""
        return F.relu(x)


class LeakyReLU(Module):
    """x where it is positive, else slope x.

    Args:
        slope: for negative x.

    Source: Maas et al., "Rectifier nonlinearities improve neural network acoustic models", ICML 2013.
    """

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = slope

    def forward(self, x: Any) -> Any:
        """Return the leaky ReLU of x, of x's shape."""
        return F.leaky_relu(x, slope=self.slope)


class ELU(Module):
    """x where it is positive, else alpha (e^x - 1).

    Args:
        alpha: minus the limit for negative x.

    Source: Clevert et al., arXiv:1511.07289.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Return the exponential linear unit of x, of x's shape."""
        return F.elu(x, alpha=self.alpha)


class GeneralizedReLU(Module):
    """max(0, x) + alpha min(0, x) with a learned alpha for each channel (axis 1), or one for all.

    Args:
        channels: length of axis 1, or 1.
        start: alpha's initial value.

    Attributes:
        weight: alpha, (channels,).

    Source: He et al., arXiv:1502.01852 (PReLU).
    """

    def __init__(self, channels: int = 1, start: float = 0.25) -> None:
        self.channels = channels
        self.start = start
        self.weight = Tensor(initializers.constant((channels,), start), requires_grad=True)

    def forward(self, x: Any) -> Any:
        """Return the generalized ReLU of x (N, channels, ...)."""
        return F.generalized_relu(x, self.weight.reshape(self.channels, *(1,) * max(0, x.ndim - 2)))


PReLU = GeneralizedReLU


class Maxout(Module):
    """The largest of several affine functions: max_k (w_k x + b_k).

    Args:
        in_features: length of x's last axis.
        out_features: length of the output's.
        pieces: number of affine functions for each output.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: (out_features * pieces, in_features), the pieces of one output beside each other.
        bias: (out_features * pieces,).

    Source: Goodfellow et al., "Maxout networks", arXiv:1302.4389.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        pieces: int = 2,
        *,
        init: Callable[..., Any] = initializers.glorot_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        self.in_features = in_features
        self.out_features = out_features
        self.pieces = pieces
        self.init = init
        rng = np.random.default_rng(rng)
        parts = [init((out_features, in_features), rng=rng) for _ in range(pieces)]
        self.weight = Tensor(np.stack(parts, axis=1).reshape(-1, in_features), requires_grad=True)
        self.bias = Tensor(initializers.zeros((out_features * pieces,)), requires_grad=True)

    def forward(self, x: Any) -> Any:
        """Return (..., out_features) for x (..., in_features)."""
        return F.maxout(F.linear(x, self.weight, self.bias), self.pieces)


class Softplus(Module):
    """log(1 + e^x)."""

    def forward(self, x: Any) -> Any:
        """Return log(1 + e^x), of x's shape."""
        return F.softplus(x)


class Swish(Module):
    """x sigmoid(beta x).

    Args:
        beta: how sharp the switch is.

    Source: Ramachandran et al., arXiv:1710.05941.
    """

    def __init__(self, beta: float = 1.0) -> None:
        self.beta = beta

    def forward(self, x: Any) -> Any:
        """Return x sigmoid(beta x), of x's shape."""
        return F.swish(x, beta=self.beta)


SiLU = Swish


class GELU(Module):
    """x Phi(x), with Phi the normal distribution function.

    Args:
        approximate: "none" for the exact value, "tanh" for the faster approximation.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Return x Phi(x), of x's shape."""
        return F.gelu(x, approximate=self.approximate)


class Softmax(Module):
    """e^x / sum e^x along an axis.

    Args:
        axis: along which the values become probabilities.
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the probabilities, of x's shape."""
        return F.softmax(x, axis=self.axis)


class LogSoftmax(Module):
    """x - log sum e^x along an axis.

    Args:
        axis: along which the values become log-probabilities.
    """

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward(self, x: Any) -> Any:
        """Return the log-probabilities, of x's shape."""
        return F.log_softmax(x, axis=self.axis)

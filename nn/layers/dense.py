"""Fully connected layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd import Tensor
from nn import functional as F
from nn import init as initializers
from nn.module import Module


class Dense(Module):
    """y = x W^T + b.

    Args:
        in_features: length of x's last axis.
        out_features: length of y's.
        bias: whether to add b, which starts at 0.
        init: initial weights, a function of shape and `rng`.
        rng: generator or seed for them.

    Attributes:
        weight: W, (out_features, in_features).
        bias: b, (out_features,), or None.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        bias: bool = True,
        init: Callable[..., Any] = initializers.glorot_uniform,
        rng: initializers.Rng = None,
    ) -> None:
        self.in_features = in_features
        self.out_features = out_features
        self.init = init
        self.weight = Tensor(init((out_features, in_features), rng=rng), requires_grad=True)
        self.bias = Tensor(initializers.zeros((out_features,)), requires_grad=True) if bias else None

    def forward(self, x: Any) -> Any:
        """Return y (..., out_features) for x (..., in_features)."""
        return F.linear(x, self.weight, self.bias)


Linear = Dense

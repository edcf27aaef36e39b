"""Gradient descent, plain and with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from optim.optimizer import Array, Optimizer, State, require


class SGD(Optimizer):
    """Gradient descent: w <- w - lr g, with or without momentum.

    With momentum a a velocity takes the place of g:
    classical  v <- a v + g;           w <- w - lr v    (also PyTorch's)
    averaging  v <- a v + (1 - a) g;   w <- w - lr v    (the lecture's: v is a running mean of the gradients)
    nesterov   v <- a v + g;           w <- w - lr (g + a v)
    The averaging form with rate lr is the classical form with rate (1 - a) lr.

    Args:
        parameters: tensors, or groups of them.
        lr: step size per update.
        momentum: a, in 0 .. 1; 0 for plain descent.
        averaging: weigh the gradient by 1 - a.
        nesterov: look ahead along the velocity.
        weight_decay: lambda of a penalty lambda/2 |w|^2, added to the gradient as lambda w.

    Raises:
        ValueError: a hyper-parameter out of range; `nesterov` without momentum or with `averaging`.

    Source: Polyak, "Some methods of speeding up the convergence of iteration methods" (1964), eq. 9; Sutskever et
    al., "On the importance of initialization and momentum in deep learning", ICML 2013, eq. 1-4.

    Example:
        >>> from autograd import Tensor
        >>> w = Tensor(0.0, requires_grad=True)
        >>> descent = SGD([w], lr=1.0, momentum=0.9, averaging=True)
        >>> for _ in range(3):
        ...     w.grad = 1.0
        ...     descent.step()
        ...     print(f"{w.item():.3f}")
        -0.100
        -0.290
        -0.561
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        momentum: float = 0.0,
        *,
        averaging: bool = False,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr=lr, momentum=momentum, averaging=averaging, nesterov=nesterov, weight_decay=weight_decay
        )

    def check(  # type: ignore[override]
        self, lr: float, momentum: float, averaging: bool, nesterov: bool, weight_decay: float
    ) -> None:
        """Raise ValueError for a hyper-parameter that is out of range."""
        super().check(lr)
        require(self, 0 <= momentum < 1, "momentum", "in [0, 1)", momentum)
        require(self, weight_decay >= 0, "weight_decay", "at least 0", weight_decay)
        if nesterov and (momentum == 0 or averaging):
            raise ValueError("SGD: nesterov needs momentum > 0, in the classical form (averaging=False)")

    def init(self, w: Array) -> State:
        """Return a velocity of 0."""
        return {"v": np.zeros_like(w)}

    def update(  # type: ignore[override]
        self,
        w: Array,
        g: Array,
        state: State,
        *,
        lr: float,
        momentum: float,
        averaging: bool,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        """Do one step."""
        if weight_decay:
            g = g + weight_decay * w
        if momentum:
            v = state["v"]
            v *= momentum
            v += (1 - momentum) * g if averaging else g
            g = g + momentum * v if nesterov else v
        w -= lr * g

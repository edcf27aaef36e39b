"""Optimizers that adapt the step to each weight: AdaGrad, RMSProp, Adam, AdamW."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from optim.optimizer import Array, Optimizer, State, require


class Adam(Optimizer):
    """Steps by the running mean of the gradients over the root of the running mean of their squares.

    m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2;  w <- w - lr m' / (sqrt(v') + eps),
    with m' = m / (1 - b1^t) and v' = v / (1 - b2^t), free of the bias towards the start at 0.

    Args:
        parameters: tensors, or groups of them.
        lr: step size per update: about how far a weight moves in a step.
        betas: b1 and b2, each in [0, 1).
        eps: keeps the step finite where gradients are 0.
        weight_decay: lambda of a penalty lambda/2 |w|^2, added to the gradient as lambda w.

    Raises:
        ValueError: a hyper-parameter out of range.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", arXiv:1412.6980, algorithm 1.
    """

    decoupled = False

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        *,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def check(  # type: ignore[override]
        self, lr: float, betas: tuple[float, float], eps: float, weight_decay: float
    ) -> None:
        """Raise ValueError for a hyper-parameter that is out of range."""
        super().check(lr)
        require(self, len(betas) == 2 and all(0 <= b < 1 for b in betas), "betas", "two numbers in [0, 1)", betas)
        require(self, eps >= 0, "eps", "at least 0", eps)
        require(self, weight_decay >= 0, "weight_decay", "at least 0", weight_decay)

    def init(self, w: Array) -> State:
        """Return means of 0, and the number of steps."""
        return {"t": 0, "m": np.zeros_like(w), "v": np.zeros_like(w)}

    def update(  # type: ignore[override]
        self,
        w: Array,
        g: Array,
        state: State,
        *,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
    ) -> None:
        """Do one step."""
        if weight_decay and self.decoupled:
            w *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * w
        state["t"] += 1
        t, m, v = state["t"], state["m"], state["v"]
        b1, b2 = betas
        # One scratch array for all intermediate results: fresh ones cost more than the arithmetic.
        scratch = np.multiply(g, 1 - b1, out=np.empty_like(w))
        m *= b1
        m += scratch
        np.multiply(g, g, out=scratch)
        scratch *= 1 - b2
        v *= b2
        v += scratch
        np.sqrt(v, out=scratch)
        scratch /= math.sqrt(1 - b2**t)
        scratch += eps
        np.divide(m, scratch, out=scratch)
        scratch *= lr / (1 - b1**t)
        w -= scratch


class AdamW(Adam):
    """Adam with the weights shrunk beside the step, not through the gradient: w <- (1 - lr lambda) w - Adam's step.

    Args:
        parameters: tensors, or groups of them.
        lr: step size per update.
        betas: b1 and b2, each in [0, 1).
        eps: keeps the step finite where gradients are 0.
        weight_decay: lambda.

    Raises:
        ValueError: a hyper-parameter out of range.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", arXiv:1711.05101, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        *,
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps=eps, weight_decay=weight_decay)


class AdaGrad(Optimizer):
    """Steps over the root of the sum of all squared gradients: r <- r + g^2;  w <- w - lr g / (eps + sqrt r).

    Args:
        parameters: tensors, or groups of them.
        lr: step size of the first update.
        eps: keeps the step finite where gradients are 0.
        weight_decay: lambda of a penalty lambda/2 |w|^2, added to the gradient as lambda w.

    Raises:
        ValueError: a hyper-parameter out of range.

    Source: Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12
    (2011), in the form of Goodfellow et al., "Deep learning" (2016), algorithm 8.4.
    """

    def __init__(
        self, parameters: Iterable[Any], lr: float = 1e-2, *, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr=lr, eps=eps, weight_decay=weight_decay)

    def check(self, lr: float, eps: float, weight_decay: float) -> None:  # type: ignore[override]
        """Raise ValueError for a hyper-parameter that is out of range."""
        super().check(lr)
        require(self, eps >= 0, "eps", "at least 0", eps)
        require(self, weight_decay >= 0, "weight_decay", "at least 0", weight_decay)

    def init(self, w: Array) -> State:
        """Return a sum of squares of 0."""
        return {"r": np.zeros_like(w)}

    def update(  # type: ignore[override]
        self, w: Array, g: Array, state: State, *, lr: float, eps: float, weight_decay: float
    ) -> None:
        """Do one step."""
        if weight_decay:
            g = g + weight_decay * w
        r = state["r"]
        r += g * g
        w -= lr * g / (np.sqrt(r) + eps)


class RMSProp(Optimizer):
    """Steps over the root of the running mean of squared gradients.

    r <- G r + (1 - G) g^2;  w <- w - lr g / (sqrt r + eps)

    Args:
        parameters: tensors, or groups of them.
        lr: step size per update.
        alpha: G, in [0, 1).
        eps: keeps the step finite where gradients are 0.
        weight_decay: lambda of a penalty lambda/2 |w|^2, added to the gradient as lambda w.
        momentum: of a velocity v <- momentum v + g / (sqrt r + eps), which then is the direction of the step.

    Raises:
        ValueError: a hyper-parameter out of range.

    Source: Hinton, "Neural networks for machine learning", lecture 6e (2012); Goodfellow et al., "Deep learning"
    (2016), algorithm 8.5.
    """

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        *,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)

    def check(  # type: ignore[override]
        self, lr: float, alpha: float, eps: float, weight_decay: float, momentum: float
    ) -> None:
        """Raise ValueError for a hyper-parameter that is out of range."""
        super().check(lr)
        require(self, 0 <= alpha < 1, "alpha", "in [0, 1)", alpha)
        require(self, eps >= 0, "eps", "at least 0", eps)
        require(self, weight_decay >= 0, "weight_decay", "at least 0", weight_decay)
        require(self, 0 <= momentum < 1, "momentum", "in [0, 1)", momentum)

    def init(self, w: Array) -> State:
        """Return a mean of squares and a velocity of 0."""
        return {"r": np.zeros_like(w), "v": np.zeros_like(w)}

    def update(  # type: ignore[override]
        self,
        w: Array,
        g: Array,
        state: State,
        *,
        lr: float,
        alpha: float,
        eps: float,
        weight_decay: float,
        momentum: float,
    ) -> None:
        """Do one step."""
        if weight_decay:
            g = g + weight_decay * w
        r = state["r"]
        r *= alpha
        r += (1 - alpha) * g * g
        direction = g / (np.sqrt(r) + eps)
        if momentum:
            v = state["v"]
            v *= momentum
            v += direction
            direction = v
        w -= lr * direction

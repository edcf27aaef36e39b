"""Quasi-Newton methods for `minimize`, which learn the Hessian from the gradients: BFGS and L-BFGS."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optim.line_search import LineSearchMethod

if TYPE_CHECKING:
    from optim.objective import Array, Point


class _InverseHessian:
    """What the steps so far tell of the inverse Hessian; `times` and `learn` are what the two methods differ in."""

    def times(self, g: Array) -> Array:
        raise NotImplementedError

    def learn(self, s: Array, y: Array) -> None:
        """Take note of a step s that changed the gradient by y, with s^T y > 0."""
        raise NotImplementedError


class _Matrix(_InverseHessian):
    """H <- (I - s y^T / c) H (I - y s^T / c) + s s^T / c, with c = s^T y; (n, n)."""

    def __init__(self) -> None:
        self.H: Array | None = None

    def times(self, g: Array) -> Array:
        return g if self.H is None else self.H @ g

    def learn(self, s: Array, y: Array) -> None:
        c = s @ y
        if self.H is None:
            self.H = c / (y @ y) * np.eye(s.size)
        Hy = self.H @ y
        self.H += np.outer((1 + y @ Hy / c) / c * s, s) - np.outer(Hy / c, s) - np.outer(s / c, Hy)


class _Pairs(_InverseHessian):
    """The same from the last pairs (s, y) only, without a matrix."""

    def __init__(self, memory: int) -> None:
        self.pairs: deque[tuple[Array, Array, float]] = deque(maxlen=memory)

    def times(self, g: Array) -> Array:
        q, shares = g, []
        for s, y, c in reversed(self.pairs):
            shares.append(s @ q / c)
            q = q - shares[-1] * y
        if self.pairs:
            s, y, c = self.pairs[-1]
            q = c / (y @ y) * q
        for (s, y, c), share in zip(self.pairs, reversed(shares), strict=True):
            q = q + (share - y @ q / c) * s
        return q

    def learn(self, s: Array, y: Array) -> None:
        self.pairs.append((s, y, float(s @ y)))


@dataclass
class BFGS(LineSearchMethod):
    """Steps -H g along which a line search goes, H being an estimate (n, n) of the inverse Hessian.

    Args:
        c1: see `StrongWolfe`.
        c2: see `StrongWolfe`.

    Raises:
        ValueError: c1 or c2 out of range.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithm 6.1, eq. 6.17 and 6.20.
    """

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        super().__post_init__()
        self.estimate: _InverseHessian | None = None

    def _nothing_known(self) -> _InverseHessian:
        return _Matrix()

    def step(self, point: Point) -> Point | None:
        """Return the point after one step; None if no step lowers f."""
        g = point.gradient
        if self.estimate is None:
            following = self.along(point, -g, min(1.0, 1 / float(np.abs(g).sum())))
        else:
            following = self.along(point, -self.estimate.times(g), 1.0)
            if following is None:  # what was learnt misleads
                self.estimate = None
                return self.step(point)
        if following is not None:
            self._learn(following.x - point.x, following.gradient - g)
        return following

    def _learn(self, s: Array, y: Array) -> None:
        if float(s @ y) > np.finfo(np.float64).eps * float(np.linalg.norm(s) * np.linalg.norm(y)):
            self.estimate = self._nothing_known() if self.estimate is None else self.estimate
            self.estimate.learn(s, y)


@dataclass
class LBFGS(BFGS):
    """BFGS that keeps the last steps only, not a matrix: for many numbers.

    Args:
        memory: how many steps to remember.

    Raises:
        ValueError: a memory below 1, c1 or c2 out of range.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithms 7.4 and 7.5.
    """

    memory: int = 10

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        super().__post_init__()
        if self.memory < 1:
            raise ValueError(f"minimize: expected memory to be at least 1, got {self.memory!r}")

    def _nothing_known(self) -> _InverseHessian:
        return _Pairs(self.memory)

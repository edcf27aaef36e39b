"""Quasi-Newton methods for `minimize`, which learn the Hessian from the gradients: BFGS and L-BFGS."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
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


@dataclass(frozen=True)
class BFGS(LineSearchMethod):
    """Steps -H g along which a line search goes, H being an estimate (n, n) of the inverse Hessian.

    Args:
        c1: see `StrongWolfe`.
        c2: see `StrongWolfe`.

    Raises:
        ValueError: c1 or c2 out of range.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithm 6.1, eq. 6.17 and 6.20.
    """

    def _estimate(self) -> _InverseHessian:
        return _Matrix()

    def steps(self, point: Point) -> Generator[Point, None, float]:
        """Yield the point after each step; returns the decrease that the last direction, which failed, promised."""
        search = self.search()
        estimate, fresh = self._estimate(), True
        while True:
            direction = -estimate.times(point.gradient)
            first = min(1.0, 1 / float(np.abs(direction).sum())) if fresh else 1.0
            following = search(point, direction, first) if float(direction @ point.gradient) < 0 else None
            if following is None:
                if fresh:
                    return -first * float(direction @ point.gradient)
                estimate, fresh = self._estimate(), True
                continue
            yield following
            s, y = following.x - point.x, following.gradient - point.gradient
            if float(s @ y) > np.finfo(np.float64).eps * float(np.linalg.norm(s) * np.linalg.norm(y)):
                estimate.learn(s, y)
                fresh = False
            point = following


@dataclass(frozen=True)
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
        super().__post_init__()
        if self.memory < 1:
            raise ValueError(f"minimize: expected memory to be at least 1, got {self.memory!r}")

    def _estimate(self) -> _InverseHessian:
        return _Pairs(self.memory)

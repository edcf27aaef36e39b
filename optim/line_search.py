"""Line search: how far to go along a direction; and the base of the methods of `minimize` that do one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from optim.objective import Array, Objective, Point


@dataclass(frozen=True)
class StrongWolfe:
    """Finds a step a with f(x + a d) <= f(x) + c1 a s and |s(a)| <= c2 |s|, where s(a) = d^T grad f(x + a d), s = s(0).

    The first condition asks for enough decrease, the second for a slope that is flat enough. Where the decrease drowns
    in f's rounding error, the slopes decide.

    Args:
        c1: share of the decrease that the slope promises, in (0, c2).
        c2: share of the slope that may remain, in (c1, 1): small for an exact search.
        max_trials: evaluations of f before giving up.

    Raises:
        ValueError: not 0 < c1 < c2 < 1, or no trial.

    Source: Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6, eq. 3.59.
    """

    c1: float = 1e-4
    c2: float = 0.9
    max_trials: int = 40

    def __post_init__(self) -> None:
        if not 0 < self.c1 < self.c2 < 1:
            raise ValueError(f"minimize: expected 0 < c1 < c2 < 1, got c1 = {self.c1!r} and c2 = {self.c2!r}")
        if self.max_trials < 1:
            raise ValueError(f"minimize: expected max_trials to be at least 1, got {self.max_trials!r}")

    def __call__(self, start: Point, direction: Array, first: float) -> Point | None:
        """Return the point of the step found; where the trials do not suffice a lower one, or None if there is none.

        Args:
            start: from where.
            direction: along which f falls, (n,).
            first: step to try first.
        """
        search = _Search(self, start, direction)
        origin = low = _Trial(0.0, start, search.slope)
        step = first
        while search.trials < self.max_trials:
            trial = search.at(step)
            if trial.point.value == -math.inf:
                return trial.point
            if not search.is_lower(trial) or (low is not origin and search.is_higher(trial, low)):
                return search.between(low, trial)
            if search.is_flat(trial):
                return trial.point
            if trial.slope >= 0:
                return search.between(trial, low)
            step = _extrapolated(low, trial)
            low = trial
        return search.best(low)


@dataclass
class LineSearchMethod:
    """Base of the methods that choose a direction and search along it; a subclass writes `step`.

    Args:
        c1: see `StrongWolfe`.
        c2: see `StrongWolfe`.

    Attributes:
        search: the line search.
        promised: the decrease of f that the last direction promised.

    Raises:
        ValueError: c1 or c2 out of range.
    """

    objective: ClassVar[type[Objective]] = Objective

    c1: float = 1e-4
    c2: float = 0.9

    def __post_init__(self) -> None:
        """Check the hyper-parameters."""
        self.search = StrongWolfe(self.c1, self.c2)
        self.promised = 0.0

    def step(self, point: Point) -> Point | None:
        """Return the point after one step; None if no step lowers f."""
        raise NotImplementedError

    def along(self, point: Point, direction: Array, first: float) -> Point | None:
        """Return the point that the line search finds, if any, and note what the direction promised."""
        self.promised = -first * float(point.gradient @ direction)
        return self.search(point, direction, first) if self.promised > 0 else None


# --- One search --------------------------------------------------------------------------------------------


class _Trial:
    """A step along the direction; its slope costs a gradient, unless it is known."""

    def __init__(self, step: float, point: Point, slope: float | None = None, direction: Array | None = None) -> None:
        self.step = step
        self.point = point
        self._slope = slope
        self.direction = direction

    @property
    def has_slope(self) -> bool:
        return self._slope is not None

    @property
    def slope(self) -> float:
        if self._slope is None:
            self._slope = float(self.point.gradient @ self.direction)
        return self._slope


class _Search:
    """One search: where it started, and how many trials it made."""

    def __init__(self, rule: StrongWolfe, start: Point, direction: Array) -> None:
        self.rule = rule
        self.start = start
        self.direction = direction
        self.slope = float(start.gradient @ direction)
        self.trials = 0

    def at(self, step: float) -> _Trial:
        self.trials += 1
        point = self.start.objective.at(self.start.x + step * self.direction)
        return _Trial(step, point, direction=self.direction)

    def is_lower(self, trial: _Trial) -> bool:
        promised = self.rule.c1 * trial.step * self.slope
        return trial.point.value <= self.start.value + promised + self.start.precision and math.isfinite(trial.slope)

    def is_higher(self, trial: _Trial, other: _Trial) -> bool:
        return trial.point.value > other.point.value + self.start.precision

    def is_flat(self, trial: _Trial) -> bool:
        return abs(trial.slope) <= -self.rule.c2 * self.slope

    def between(self, low: _Trial, high: _Trial) -> Point | None:
        """Return a point that fulfils the conditions, between the lowest trial so far and one on its far side."""
        margin = 0.1
        while self.trials < self.rule.max_trials:
            step = _interpolated(low, high, margin)
            margin = min(2 * margin, 0.5)
            if step in (low.step, high.step):
                break
            trial = self.at(step)
            if not self.is_lower(trial) or self.is_higher(trial, low):
                high = trial
                continue
            if self.is_flat(trial):
                return trial.point
            if trial.slope * (high.step - low.step) >= 0:
                high = low
            low = trial
        return self.best(low)

    def best(self, low: _Trial) -> Point | None:
        """Return the lowest point after a search that ran out of trials, if it is lower than the start."""
        return low.point if low.point.value < self.start.value else None


def _interpolated(low: _Trial, high: _Trial, margin: float) -> float:
    """Return where the polynomial through both has its minimum, but at least a share `margin` away from either end."""
    width = high.step - low.step
    if not math.isfinite(high.point.value):
        return low.step + 0.5 * width
    if high.has_slope:
        step = _cubic(low, high)
    else:
        # The parabola through f and s at the low end and f at the high one.
        bend = high.point.value - low.point.value - low.slope * width
        step = low.step - low.slope * width * width / (2 * bend) if bend > 0 else math.nan
    share = (step - low.step) / width
    return low.step + width * (min(max(share, margin), 1 - margin) if math.isfinite(share) else 0.5)


def _extrapolated(before: _Trial, last: _Trial) -> float:
    """Return where the cubic through both has its minimum, between 1.1 and 10 times the last step."""
    step = _cubic(before, last)
    return min(max(step, 1.1 * last.step), 10 * last.step) if step > last.step else 10 * last.step


def _cubic(a: _Trial, b: _Trial) -> float:
    """Return where the cubic with the values and slopes of two trials has its minimum; nan if it has none."""
    width = b.step - a.step
    d1 = a.slope + b.slope - 3 * (b.point.value - a.point.value) / width
    square = d1 * d1 - a.slope * b.slope
    if not (math.isfinite(square) and square >= 0):
        return math.nan
    d2 = math.copysign(math.sqrt(square), width)
    bottom = b.slope - a.slope + 2 * d2
    return b.step - width * (b.slope + d2 - d1) / bottom if bottom else math.nan

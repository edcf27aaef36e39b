"""Slopes by finite differences, each with an error bound that is measured from the samples themselves.

A `Line` is a function of one number t with any number of components. It is sampled at geometric ladders of steps
around 0 ("windows"), each is extrapolated by Richardson's method, and what the windows say is brought together:
small steps are trusted for what is near, large ones for precision where they agree. Nothing here knows of rules,
tensors or gradients.

Source: Ridders, "Accurate computation of F'(x) and F'(x) F''(x)", Advances in Engineering Software 4 (1982).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEVELS = 4
"""Steps in a window, each half the one before."""

SPACING = 8
"""Binary orders of magnitude from one window's first step to the next window's."""

CENTRAL, LEFT, RIGHT = 4.0, 2.0, 2.0
"""By what the leading error terms of these differences fall when the step is halved, each after the other."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A slope for each component, with a bound of its error.

    Attributes:
        value: (m,) the slopes; NaN where there is no sample to tell.
        error: (m,) bounds; infinite where there is no sample to tell.
    """

    value: Array
    error: Array

    def differs_from(self, other: Estimate | Array, factor: float) -> NDArray[np.bool_]:
        """Tell for each component whether the other value lies outside `factor` times the bounds."""
        value, error = (other.value, other.error) if isinstance(other, Estimate) else (other, 0.0)
        with np.errstate(invalid="ignore"):
            return np.abs(self.value - value) > factor * (self.error + error)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Samples of a line at +-h, +-h/2, +-h/4 ...

    Attributes:
        steps: (LEVELS,) falling.
        high: (LEVELS, m) the line at +step.
        low: (LEVELS, m) the line at -step.
    """

    steps: Array
    high: Array
    low: Array

    def central(self) -> Array:
        """Return the central differences, (LEVELS, m)."""
        return np.asarray((self.high - self.low) / (2 * self.steps[:, None]))

    def one_sided(self, side: int, middle: Array) -> Array:
        """Return the differences to the right (side = 1) or to the left (-1), (LEVELS, m)."""
        beyond = self.high if side > 0 else self.low
        return np.asarray((beyond - middle) * side / self.steps[:, None])


def extrapolated(differences: Array, steps: Array, noise: Array, falls_by: float) -> Estimate:
    """Return the best entry of Richardson's table for each component.

    An entry's bound is its distance to the entry of the order below with the same smallest step, plus what the noise
    of the samples makes of it. The entry with the least bound is taken.

    Args:
        differences: (levels, m), for falling steps.
        steps: (levels,), each half the one before.
        noise: (m,) how far a sample may be off.
        falls_by: factor by which the leading error term falls when the step is halved; later ones by falls_by
            times that for central differences and one-sided ones alike (4, 16, 64 .. and 2, 4, 8 ..).
    """
    column = differences
    values, errors = [], []
    for order in range(1, len(steps)):
        finer = column[1:]
        column = finer + (finer - column[:-1]) / (falls_by**order - 1)
        values.append(column)
        errors.append(np.abs(column - finer) + 2 * noise / steps[order:, None])
    value, error = np.concatenate(values), np.concatenate(errors)
    before, last = np.abs(np.diff(differences, axis=0)[-2:])
    irregular = (last > 1.4 / falls_by * before) & (last > 4 * noise / steps[-1])  # a kink of the slope, as elu's at 0
    error = np.where(irregular, np.maximum(error, last), error)
    error[np.isnan(error)] = np.inf
    best = np.argmin(error, axis=0)
    each = np.arange(value.shape[1])
    return Estimate(value[best, each], error[best, each])


def merged(estimates: list[Estimate]) -> Estimate:
    """Return what estimates with rising steps say together.

    A larger step gives a more precise slope where it agrees with the smaller steps; where it does not, it has
    stepped over something (a kink nearby, an oscillation), and the smaller ones are right.
    """
    value, error = estimates[0].value, estimates[0].error
    for wider in estimates[1:]:
        agrees = ~Estimate(value, error).differs_from(wider, 3.0)
        better = (wider.error < error) & (agrees | ~np.isfinite(error))
        value, error = np.where(better, wider.value, value), np.where(better, wider.error, error)
    return Estimate(value, error)


class Line:
    """A function of one number with m components, known by samples around 0.

    Args:
        at: t -> (m,) values; NaN where the function is not defined.
        precision: relative rounding error of the values, as the eps of their dtype.
        noise: (m,) how far a value may be off.

    Attributes:
        middle: (m,) the values at t = 0.
        noise: as above.
        windows: exponent of 2 of the first step -> samples.
    """

    def __init__(self, at: Callable[[float], Array], precision: float, noise: Array | float = 0.0) -> None:
        self.at = at
        self.precision = precision
        self.middle = at(0.0)
        self.windows: dict[int, Window] = {}
        self.noise = np.maximum(noise, precision * np.nan_to_num(np.abs(self.middle)))

    @property
    def start(self) -> int:
        """Exponent of the first step to try: for values of order 1 it balances rounding and truncation."""
        return round(math.log2(self.precision) / 6.5)

    def scatter(self) -> Array:
        """Return how far values are off, from the scatter of nine neighbors on one side about a parabola.

        The side with less of it counts: a jump at the point itself is no scatter.
        """
        sides = [self._scatter_beside(sign) for sign in (-1, 1)]
        return np.asarray(np.nan_to_num(np.fmin(*sides), posinf=0))

    def _scatter_beside(self, sign: int) -> Array:
        numbers = np.arange(1, 10)
        values = np.array([self.at(float(t)) for t in 61.7 * self.precision * sign * numbers])
        basis, _ = np.linalg.qr(numbers[:, None] ** np.arange(3.0))
        centered = values - values[0]
        return np.asarray(2 * np.max(np.abs(centered - basis @ (basis.T @ centered)), axis=0))

    def sample(self, exponent: int) -> None:
        """Sample the window whose first step is 1.37 * 2^exponent (an odd factor, to be out of step with f)."""
        steps: Array = np.asarray(1.37 * 2.0 ** (exponent - np.arange(LEVELS)), dtype=np.float64)
        high = np.array([self.at(float(h)) for h in steps])
        low = np.array([self.at(float(-h)) for h in steps])
        self.windows[exponent] = Window(steps, high, low)

    @property
    def nearest(self) -> Window:
        """The window with the smallest steps."""
        return self._ordered()[0]

    def _ordered(self) -> list[Window]:
        return [window for _, window in sorted(self.windows.items())]

    def _noise(self, window: Window) -> Array:
        """Return how far the samples of a window are off: also by the rounding of the step where the line is curved."""
        size = np.maximum(np.abs(window.high), np.abs(window.low))
        curved = np.abs(window.high + window.low - 2 * self.middle) / window.steps[:, None]
        noise: Array = np.maximum(self.noise, self.precision * np.nan_to_num(np.max(size + curved, axis=0)))
        return noise

    def slope(self, *, ignore_flat: bool = False) -> Estimate:
        """Return the slopes at 0 by central differences, from all windows.

        Args:
            ignore_flat: leave out, component by component, windows in which nothing changes: where the step is too
                small for values of limited precision, the line is a staircase.
        """
        found = []
        for window in self._ordered():
            differences = window.central()
            estimate = extrapolated(differences, window.steps, self._noise(window), CENTRAL)
            if ignore_flat:
                flat = np.any(differences == 0, axis=0)
                estimate = Estimate(estimate.value, np.where(flat, np.inf, estimate.error))
            found.append(estimate)
        return merged(found)

    def follows(self, slope: Array) -> NDArray[np.bool_]:
        """Tell for each component whether the smallest step is small enough to show a slope, if there was one.

        It is not where the slope would lead far beyond all that is seen, as in an oscillation shorter than the step.
        """
        window = self.nearest
        seen = np.max(np.abs(np.concatenate([window.high, window.low]) - self.middle), axis=0)
        return np.asarray(np.abs(slope) * window.steps[-1] <= 4 * seen)

    def is_flat(self, slope: Array) -> NDArray[np.bool_]:
        """Tell for each component whether nothing is seen of a slope in the first window: not even a millionth."""
        window = self.windows[self.start]
        seen = np.max(np.abs(np.concatenate([window.high, window.low]) - self.middle), axis=0)
        with np.errstate(invalid="ignore"):
            return np.asarray(seen < 1e-6 * np.abs(slope) * window.steps[-1])

    def is_rough(self) -> NDArray[np.bool_]:
        """Tell for each component whether it changes nearly as much over far smaller steps, and so oscillates."""
        windows = self._ordered()
        with np.errstate(invalid="ignore"):
            changes = [np.max(np.abs(np.concatenate([w.high, w.low]) - self.middle), axis=0) for w in windows]
            most = np.fmax.reduce(changes)
            found = [
                (change > 0.05 * most) & (change > 30 * self.precision * np.abs(self.middle))
                for w, change in zip(windows, changes, strict=True)
                if w.steps[0] < 1e-4 * windows[-1].steps[0]
            ]
        return np.asarray(np.any(found, axis=0)) if found else np.zeros(len(self.middle), dtype=bool)

    def one_sided(self, side: int) -> Estimate:
        """Return the slopes to the right of 0 (side = 1) or to the left (-1)."""
        found = [
            extrapolated(w.one_sided(side, self.middle), w.steps, 2 * self._noise(w), RIGHT) for w in self._ordered()
        ]
        return merged(found)

    def diverges(self, side: int) -> NDArray[np.bool_]:
        """Tell for each component whether the slope to one side grows without bound as the step falls."""
        quotients = np.concatenate([w.one_sided(side, self.middle) for w in reversed(self._ordered())])
        size = np.abs(quotients)
        with np.errstate(invalid="ignore"):
            growing = np.all(size[1 - LEVELS :] > 1.1 * size[-LEVELS:-1], axis=0)
            least = np.min(np.where(np.isfinite(size), size, np.inf), axis=0)
            return np.asarray(growing & (size[-1] > 100 * least) & (len(self.windows) > 1))

    def approaches(self, side: int, slope: float) -> NDArray[np.bool_]:
        """Tell for each component whether the slope to one side comes nearer and nearer to a number.

        Where the terms of the error are no integer powers of the step (x ** 1.5 at 0), extrapolation does not help.
        """
        quotients = np.concatenate([w.one_sided(side, self.middle) for w in reversed(self._ordered())])
        with np.errstate(invalid="ignore"):
            distance = np.abs(quotients - slope)
            falling = np.all(distance[1:] < 0.9 * distance[:-1], axis=0)
            return np.asarray(falling & (distance[-1] < 1e-3 * distance[0]))

    def defined(self, side: int) -> NDArray[np.bool_]:
        """Tell for each component whether the function has values near 0 to one side."""
        finite: NDArray[np.bool_] = np.isfinite((self.nearest.high if side > 0 else self.nearest.low)[-1])
        return finite

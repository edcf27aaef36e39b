"""Learning-rate schedules: the rate as a function of the number of epochs, or of steps, that have been done.

A schedule changes the optimizer's rates whenever its `step()` is called. As a callback of `fit` it calls that itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optim.callbacks import Callback
from optim.optimizer import Optimizer

if TYPE_CHECKING:
    from optim.training import Training


class Schedule(Callback):
    """Base of the schedules; a subclass writes `rate`.

    Args:
        optimizer: whose rates to set; those it has now are the initial ones.
        per_step: whether `fit` is to call `step()` after each step rather than each epoch.

    Attributes:
        count: how often `step()` was called.
        initial: each group's rate at the start.
    """

    def __init__(self, optimizer: Optimizer, *, per_step: bool = False) -> None:
        self.optimizer = optimizer
        self.per_step = per_step
        self.count = 0
        self.initial = [float(group["lr"]) for group in optimizer.param_groups]
        self._apply()

    def rate(self, initial: float, count: int) -> float:
        """Return the rate after `count` calls of `step()`."""
        raise NotImplementedError

    def _apply(self) -> None:
        for group, initial in zip(self.optimizer.param_groups, self.initial, strict=True):
            group["lr"] = self.rate(initial, self.count)

    def step(self) -> None:
        """Go on to the next rate."""
        self.count += 1
        self._apply()

    def on_step(self, training: Training) -> None:
        """Go on to the next rate, if this schedule counts steps."""
        if self.per_step:
            self.step()

    def on_epoch(self, training: Training) -> None:
        """Go on to the next rate, if this schedule counts epochs."""
        if not self.per_step:
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs to go on from here."""
        return {"count": self.count, "initial": list(self.initial)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        if len(state["initial"]) != len(self.optimizer.param_groups):
            raise ValueError(
                f"load_state_dict: expected rates of {len(self.optimizer.param_groups)} groups, "
                f"got {len(state['initial'])}"
            )
        self.count = int(state["count"])
        self.initial = [float(initial) for initial in state["initial"]]
        self._apply()


class OneCycle(Schedule):
    """Rise from lr / `start` to lr along half a cosine, then fall to almost 0 along another; counted in steps.

    Args:
        optimizer: whose rates to set; those it has now are the largest.
        total: number of steps of the training; afterwards the rate stays.
        rise: share of the steps in which it rises.
        start: largest rate over the first.
        end: first rate over the last.

    Raises:
        ValueError: `total` below 1, or `rise` outside 0 .. 1.

    Source: Smith and Topin, "Super-convergence", arXiv:1708.07120, with cosines for the straight lines as in fastai.
    """

    def __init__(
        self, optimizer: Optimizer, total: int, *, rise: float = 0.3, start: float = 25.0, end: float = 1e4
    ) -> None:
        if total < 1 or not 0 <= rise <= 1:
            raise ValueError(f"OneCycle: expected total >= 1 and rise in [0, 1], got {total} and {rise}")
        self.total = total
        self.rise = rise
        self.start = start
        self.end = end
        super().__init__(optimizer, per_step=True)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate after `count` steps."""
        top, last = self.rise * self.total - 1, self.total - 1
        low = initial / self.start
        if count < top:
            return _between(low, initial, count / top)
        return _between(initial, low / self.end, min(1.0, (count - top) / max(1e-12, last - top)))


def _between(first: float, last: float, share: float) -> float:
    """Return the point at `share` of half a cosine from `first` to `last`."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))

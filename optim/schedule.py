"""Learning-rate schedules: the rate as a function of the number of epochs, or of steps, that have been done.

A schedule changes the optimizer's rates whenever its `step()` is called. As a callback of `fit` it calls that itself.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from optim.callbacks import Callback

if TYPE_CHECKING:
    from optim.optimizer import Optimizer
    from optim.training import Training


class Schedule(Callback):
    """Base of the schedules; a subclass writes `rate`.

    Args:
        optimizer: whose rates to set.
        per_step: whether `fit` is to call `step()` after each step rather than each epoch.
        initial: each group's rate to start from; the default is what the optimizer has, or had before another
            schedule that has not begun was made for it (as the parts of a `SequentialLR` are).

    Attributes:
        count: how often `step()` was called.
        initial: each group's rate at the start.
    """

    def __init__(self, optimizer: Optimizer, *, per_step: bool = False, initial: Sequence[float] | None = None) -> None:
        self.optimizer = optimizer
        self.per_step = per_step
        self.count = 0
        self.initial = _initial_rates(optimizer) if initial is None else list(initial)
        self._apply()
        optimizer.schedule = self

    def rate(self, initial: float, count: int) -> float:
        """Return the rate after `count` calls of `step()`, for a group whose rate was `initial` at the start."""
        raise NotImplementedError

    def rates(self) -> list[float]:
        """Return each group's rate now."""
        return [self.rate(initial, self.count) for initial in self.initial]

    def _apply(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates(), strict=True):
            group["lr"] = rate

    def step(self) -> None:
        """Go on to the next rate."""
        self.count += 1
        self._apply()

    def on_step(self, training: Training) -> None:  # noqa: ARG002
        """Go on to the next rate, if this schedule counts steps."""
        if self.per_step:
            self.step()

    def on_epoch(self, training: Training) -> None:  # noqa: ARG002
        """Go on to the next rate, if this schedule counts epochs."""
        if not self.per_step:
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs to go on from here."""
        return {"count": self.count, "initial": list(self.initial)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which `state_dict` returned.

        Raises:
            ValueError: another number of groups.
        """
        if len(state["initial"]) != len(self.optimizer.param_groups):
            raise ValueError(
                f"load_state_dict: expected rates of {len(self.optimizer.param_groups)} groups, "
                f"got {len(state['initial'])}"
            )
        self.count = int(state["count"])
        self.initial = [float(initial) for initial in state["initial"]]
        self._apply()


def _initial_rates(optimizer: Optimizer) -> list[float]:
    """Return the rates of the groups, not counting what a schedule that has not begun made of them."""
    present = [float(group["lr"]) for group in optimizer.param_groups]
    before = optimizer.schedule
    if before is not None and before.count == 0 and before.rates() == present:
        return list(before.initial)
    return present


class LambdaLR(Schedule):
    """The initial rate times a function of the count.

    Args:
        optimizer: whose rates to set.
        factor: count -> factor.
        per_step: whether `fit` counts steps rather than epochs.
    """

    def __init__(self, optimizer: Optimizer, factor: Callable[[int], float], *, per_step: bool = False) -> None:
        self.factor = factor
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        return initial * self.factor(count)


class StepLR(Schedule):
    """The rate times gamma after every `step_size`.

    Args:
        optimizer: whose rates to set.
        step_size: epochs (or steps) between two changes.
        gamma: factor of a change.
        per_step: whether `fit` counts steps rather than epochs.

    Raises:
        ValueError: `step_size` below 1.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, *, per_step: bool = False) -> None:
        if step_size < 1:
            raise ValueError(f"StepLR: expected step_size >= 1, got {step_size}")
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        return float(initial * self.gamma ** (count // self.step_size))


class ExponentialLR(Schedule):
    """The rate times gamma every time.

    Args:
        optimizer: whose rates to set.
        gamma: factor.
        per_step: whether `fit` counts steps rather than epochs.
    """

    def __init__(self, optimizer: Optimizer, gamma: float, *, per_step: bool = False) -> None:
        self.gamma = gamma
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        return float(initial * self.gamma**count)


class CosineAnnealingLR(Schedule):
    """Down to `eta_min` along half a cosine over `T_max`, and up again after that.

    Args:
        optimizer: whose rates to set.
        T_max: epochs (or steps) from the initial rate to the smallest.
        eta_min: smallest rate.
        per_step: whether `fit` counts steps rather than epochs.

    Raises:
        ValueError: `T_max` below 1.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", arXiv:1608.03983, eq. 5.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, *, per_step: bool = False) -> None:
        if T_max < 1:
            raise ValueError(f"CosineAnnealingLR: expected T_max >= 1, got {T_max}")
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        return _between(initial, self.eta_min, count / self.T_max)


class LinearLR(Schedule):
    """Warm-up: from `start_factor` to `end_factor` of the initial rate in equal steps, then constant.

    Args:
        optimizer: whose rates to set.
        start_factor: of the first rate.
        end_factor: of the rate that stays.
        total_iters: epochs (or steps) until then.
        per_step: whether `fit` counts steps rather than epochs.

    Raises:
        ValueError: `total_iters` below 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        *,
        per_step: bool = False,
    ) -> None:
        if total_iters < 1:
            raise ValueError(f"LinearLR: expected total_iters >= 1, got {total_iters}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        share = min(count, self.total_iters) / self.total_iters
        return initial * (self.start_factor + (self.end_factor - self.start_factor) * share)


class SequentialLR(Schedule):
    """One schedule after the other, each counting from its own start, such as a warm-up before a cosine.

    Args:
        optimizer: whose rates to set, the one that the schedules were made for.
        schedulers: the schedules.
        milestones: the counts at which the second, third, ... begins.
        per_step: whether `fit` counts steps rather than epochs.

    Raises:
        ValueError: milestones that do not rise, or not one less than schedules.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[Schedule],
        milestones: Sequence[int],
        *,
        per_step: bool = False,
    ) -> None:
        if len(milestones) != len(schedulers) - 1 or sorted(set(milestones)) != list(milestones):
            raise ValueError(
                f"SequentialLR: expected {len(schedulers) - 1} rising milestones for {len(schedulers)} schedules, "
                f"got {list(milestones)}"
            )
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        super().__init__(optimizer, per_step=per_step)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate at this count."""
        position = bisect_right(self.milestones, count)
        begun = self.milestones[position - 1] if position else 0
        return self.schedulers[position].rate(initial, count - begun)


class OneCycleLR(Schedule):
    """Rise from max_lr / `div_factor` to max_lr along half a cosine, then fall along another; counted in steps.

    Args:
        optimizer: whose rates to set.
        max_lr: largest rate, or one for each group.
        total_steps: of the training; afterwards the rate stays.
        pct_start: share of the steps in which it rises.
        div_factor: largest rate over the first.
        final_div_factor: first rate over the last.

    Raises:
        ValueError: `total_steps` below 1, `pct_start` outside 0 .. 1, or another number of rates than groups.

    Source: Smith and Topin, "Super-convergence", arXiv:1708.07120, with cosines for the straight lines as in fastai.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int,
        pct_start: float = 0.3,
        *,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        if total_steps < 1 or not 0 <= pct_start <= 1:
            raise ValueError(
                f"OneCycleLR: expected total_steps >= 1 and pct_start in 0 .. 1, got {total_steps} and {pct_start}"
            )
        self.total_steps = total_steps
        self.pct_start = pct_start
        self.div_factor = div_factor
        self.final_div_factor = final_div_factor
        count = len(optimizer.param_groups)
        largest = [float(max_lr)] * count if isinstance(max_lr, (int, float)) else list(max_lr)
        if len(largest) != count:
            raise ValueError(f"OneCycleLR: expected a rate for each of {count} groups, got {len(largest)}")
        super().__init__(optimizer, per_step=True, initial=largest)

    def rate(self, initial: float, count: int) -> float:
        """Return the rate after `count` steps; `initial` is the largest."""
        top, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        low = initial / self.div_factor
        if count < top:
            return _between(low, initial, count / top)
        share = (count - top) / (last - top) if last > top else 1.0
        return _between(initial, low / self.final_div_factor, min(1.0, share))


class ReduceLROnPlateau(Callback):
    """Multiply the rates by `factor` when a figure has not improved for more than `patience` epochs.

    Args:
        optimizer: whose rates to set.
        mode: "min" if smaller figures are better, "max" if larger.
        factor: of a reduction, in (0, 1).
        patience: epochs without improvement that are let pass.
        threshold: what counts as improvement, as a share of the best figure.
        cooldown: epochs after a reduction in which nothing is counted.
        min_lr: rates are not reduced below this.
        monitor: the figure of the history to watch, when used as a callback.

    Raises:
        ValueError: an unknown mode, or a factor outside (0, 1).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        *,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        monitor: str = "val_loss",
    ) -> None:
        if mode not in ("min", "max") or not 0 < factor < 1:
            raise ValueError(
                f'ReduceLROnPlateau: expected mode "min" or "max" and 0 < factor < 1, got {mode}, {factor}'
            )
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.threshold = threshold
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.monitor = monitor
        self.best: float | None = None
        self.waited = 0
        self.cooling = 0

    def step(self, figure: float) -> None:
        """Take note of this epoch's figure, and reduce the rates if it is time."""
        if self.best is None or self._better(figure, self.best):
            self.best = figure
            self.waited = 0
        else:
            self.waited += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.waited = 0
        if self.waited > self.patience:
            for group in self.optimizer.param_groups:
                group["lr"] = min(group["lr"], max(self.min_lr, group["lr"] * self.factor))
            self.cooling = self.cooldown
            self.waited = 0

    def _better(self, figure: float, best: float) -> bool:
        if self.mode == "min":
            return figure < best * (1 - self.threshold)
        return figure > best * (1 + self.threshold)

    def on_epoch(self, training: Training) -> None:
        """Take the watched figure from the history."""
        self.step(training.figure(self.monitor))

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs to go on from here."""
        return {"best": self.best, "waited": self.waited, "cooling": self.cooling}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which `state_dict` returned."""
        self.best = None if state["best"] is None else float(state["best"])
        self.waited = int(state["waited"])
        self.cooling = int(state["cooling"])


def _between(first: float, last: float, share: float) -> float:
    """Return the point at `share` of half a cosine from `first` to `last`."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))

"""What `fit` calls between steps and epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optim.training import Training


class Callback:
    """Something to do while training: a subclass writes one or several of these methods.

    Each gets the `Training`, with `model`, `optimizer`, `history`, `epoch` and `stop(reason)`.
    """

    def on_start(self, training: Training) -> None:
        """Do something before the first step."""

    def on_step(self, training: Training) -> None:
        """Do something after each step."""

    def on_epoch(self, training: Training) -> None:
        """Do something after each epoch; its figures are `training.history.epochs[-1]`."""

    def on_end(self, training: Training) -> None:
        """Do something at the end, also after Ctrl-C."""

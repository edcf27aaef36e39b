"""What `fit` calls between steps and epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from optim.clipping import clip_grad_norm

if TYPE_CHECKING:
    from optim.training import Training


class Callback:
    """Something to do while training: a subclass writes one or several of these methods.

    Each gets the `Training`, with `model`, `optimizer`, `history`, `epoch` and `stop(reason)`.
    """

    def on_start(self, training: Training) -> None:
        """Do something before the first step."""

    def on_backward(self, training: Training) -> None:
        """Do something in each step when the bars are there and the parameters not yet changed."""

    def on_step(self, training: Training) -> None:
        """Do something after each step."""

    def on_epoch(self, training: Training) -> None:
        """Do something after each epoch; its figures are `training.history.epochs[-1]`."""

    def on_end(self, training: Training) -> None:
        """Do something at the end, also after Ctrl-C."""


class EarlyStopping(Callback):
    """End the training when a figure has not improved for `patience` epochs, and go back to the best weights.

    Args:
        patience: epochs without improvement after which to stop; 10 to 100, usually 10 or 20.
        monitor: the figure of the history to watch.
        mode: "min" if smaller figures are better, "max" if larger.
        min_delta: by how much a figure must be better to count.
        restore_best: whether to load the best epoch's weights at the end, however the training ends.

    Attributes:
        best: the best figure, None before the first epoch.
        best_epoch: its epoch.

    Raises:
        ValueError: an unknown mode, or a patience below 1.
    """

    def __init__(
        self,
        patience: int = 10,
        *,
        monitor: str = "val_loss",
        mode: str = "min",
        min_delta: float = 0.0,
        restore_best: bool = True,
    ) -> None:
        if mode not in ("min", "max") or patience < 1:
            raise ValueError(f'EarlyStopping: expected mode "min" or "max" and patience >= 1, got {mode}, {patience}')
        self.patience = patience
        self.monitor = monitor
        self.mode = mode
        self.min_delta = min_delta
        self.restore_best = restore_best
        self.best: float | None = None
        self.best_epoch = 0
        self.best_state: dict[str, Any] | None = None

    def on_epoch(self, training: Training) -> None:
        """Keep the weights if this epoch is the best so far; stop if the best is long past."""
        figure = training.figure(self.monitor)
        if self.best is None or self._gain(figure, self.best) > self.min_delta:
            self.best = figure
            self.best_epoch = training.epoch
            self.best_state = training.model.state_dict()
        elif training.epoch - self.best_epoch >= self.patience:
            training.stop(f"no better {self.monitor} than {self.best:.6g} for {self.patience} epochs")

    def _gain(self, figure: float, best: float) -> float:
        return best - figure if self.mode == "min" else figure - best

    def on_end(self, training: Training) -> None:
        """Go back to the best weights."""
        if self.restore_best and self.best_state is not None:
            training.model.load_state_dict(self.best_state)


class ClipGradients(Callback):
    """Shorten the gradient of all parameters to a largest norm before each update.

    Args:
        max_norm: see `clip_grad_norm`.
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = max_norm

    def on_backward(self, training: Training) -> None:
        """Shorten the gradient."""
        clip_grad_norm(training.optimizer.parameters, self.max_norm)

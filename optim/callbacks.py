"""What `fit` calls between steps and epochs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nn.checkpoint import load, save
from optim.clipping import clip_grad_norm

if TYPE_CHECKING:
    from optim.training import Training


class Callback:
    """Something to do while training: a subclass writes one or several of these methods.

    Each gets the `Training`, with `model`, `optimizer`, `history`, `epoch` and `stop(reason)`.
    """

    def on_start(self, training: Training) -> None:
        """Do something before the first step of `training`."""

    def on_backward(self, training: Training) -> None:
        """Do something in each step of `training`, when the bars are there and the parameters not yet changed."""

    def on_step(self, training: Training) -> None:
        """Do something after each step of `training`."""

    def on_epoch(self, training: Training) -> None:
        """Do something after each epoch; its figures are `training.history.epochs[-1]`."""

    def on_end(self, training: Training) -> None:
        """Do something at the end of `training`, also after Ctrl-C."""


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

    def state_dict(self) -> dict[str, Any]:
        """Return what `load_state_dict` needs to go on from here."""
        return {"best": self.best, "best_epoch": self.best_epoch, "best_state": self.best_state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which `state_dict` returned."""
        self.best, self.best_epoch, self.best_state = state["best"], state["best_epoch"], state["best_state"]

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


class Checkpoint(Callback):
    """Save everything that a training needs to go on: model, optimizer, data, callbacks, history, random generators.

    A training that is resumed after a checkpoint ends with the same weights, to the bit, as one that was never stopped.
    Put it last among the callbacks, so that it saves what the others have done in the epoch.

    Args:
        path: the file, written anew after each epoch; an old one is replaced only by a complete new one.
        every: number of epochs between two checkpoints; the last epoch is always saved.
        resume: whether to go on from the file if there is one. The epochs asked for include those already done.

    Raises:
        ValueError: `every` below 1.
        CheckpointFileError: (when the training starts) the file is damaged, or of another training.
    """

    def __init__(self, path: str | Path, *, every: int = 1, resume: bool = False) -> None:
        if every < 1:
            raise ValueError(f"Checkpoint: expected every >= 1, got {every}")
        self.path = Path(path)
        self.every = every
        self.resume = resume

    def on_start(self, training: Training) -> None:
        """Go on from the file, if that is wanted and there is one."""
        if self.resume and self.path.exists():
            load(self.path, **self._objects(training))

    def on_epoch(self, training: Training) -> None:
        """Write the file, if it is time."""
        if training.epoch % self.every == 0 or training.epoch == training.epochs or training.history.stopped:
            save(self.path, **self._objects(training))

    @staticmethod
    def _objects(training: Training) -> dict[str, Any]:
        stateful = [callback for callback in training.callbacks if hasattr(callback, "state_dict")]
        objects: dict[str, Any] = {f"callback {i}": callback for i, callback in enumerate(stateful)}
        if hasattr(training.data, "state_dict"):
            objects["data"] = training.data
        return {"model": training.model, "optimizer": training.optimizer, "training": training, **objects}

"""Training: `fit`, which runs the epochs, its `History`, and `evaluate` and `predict`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from autograd import no_grad
from autograd.tensor import raw
from nn.data import Batches

if TYPE_CHECKING:
    from nn.module import Module
    from optim.callbacks import Callback
    from optim.optimizer import Optimizer

Array = NDArray[Any]
Loss = Callable[..., Any]
Metrics = Mapping[str, Callable[[Any, Any], float]]


@dataclass
class History:
    """What happened in training.

    Attributes:
        epochs: for each epoch a dict: "epoch" (from 1), "loss", the metrics, the same of the validation data with
            "val_" before them, "lr" and "seconds". Training figures are means over the epoch, dropout included.
        steps: the loss of every step.
        stopped: why the training ended before its last epoch: "interrupted" by Ctrl-C, or a callback's reason.
    """

    epochs: list[dict[str, float]] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    stopped: str | None = None

    def __getitem__(self, name: str) -> list[float]:
        """Return one figure over the epochs, e.g. history["val_loss"]."""
        return [row[name] for row in self.epochs]

    def plot(self, path: str | Path, name: str = "loss") -> None:
        """Write a picture of a figure against the epoch, for training and, if there was one, validation.

        Args:
            path: the file; its ending says how (.png, .svg, .pdf).
            name: "loss" or a metric.
        """
        figure, axes = _figure()
        numbers = self["epoch"]
        axes.plot(numbers, self[name], marker=".", label="training")
        if self.epochs and f"val_{name}" in self.epochs[0]:
            axes.plot(numbers, self[f"val_{name}"], marker=".", label="validation")
        axes.set(xlabel="epoch", ylabel=name, title=f"{name.capitalize()} against epoch")
        axes.grid(alpha=0.3)
        axes.legend()
        figure.savefig(path)

    def plot_trace(self, path: str | Path) -> None:
        """Write a picture of the loss at every step, on a logarithmic scale.

        Args:
            path: the file; its ending says how (.png, .svg, .pdf).
        """
        figure, axes = _figure()
        axes.plot(np.arange(1, len(self.steps) + 1), self.steps, linewidth=0.8)
        axes.set(xlabel="step", ylabel="loss", title="Trace of the loss", yscale="log")
        axes.grid(alpha=0.3)
        figure.savefig(path)


def _figure() -> tuple[Any, Any]:
    """Return a new matplotlib figure that no window shows, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


class Training:
    """A training under way, as callbacks see it.

    Attributes:
        model, loss, optimizer: what is trained.
        history: what has happened so far.
        epoch: the number of the current epoch, from 1.
        epochs: how many there are to be.
        data: what it is trained on.
        callbacks: what is called in between.
        started: when the current epoch began, in seconds.
    """

    def __init__(
        self,
        model: Module,
        loss: Loss,
        optimizer: Optimizer,
        data: Iterable[Any],
        epochs: int,
        *,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.data = data
        self.history = History()
        self.epoch = 0
        self.epochs = epochs
        self.callbacks = callbacks
        self.started = 0.0

    def stop(self, reason: str) -> None:
        """End the training after this epoch; the history keeps the reason."""
        self.history.stopped = reason

    def figure(self, name: str) -> float:
        """Return a figure of the epoch that has just ended, by its name in the history, e.g. "val_loss".

        Raises:
            KeyError: there is no such figure.
        """
        figures = self.history.epochs[-1]
        if name not in figures:
            raise KeyError(
                f"there is no figure {name!r} in the history, which has {[*figures]}; pass validation= to fit"
            )
        return figures[name]

    def state_dict(self) -> dict[str, Any]:
        """Return how far the training is, in epochs and steps, and its history."""
        return {"epoch": self.epoch, "step": len(self.history.steps), "history": asdict(self.history)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`, which `state_dict` returned."""
        self.epoch = int(state["epoch"])
        for name, value in state["history"].items():
            setattr(self.history, name, value)

    def step(self, inputs: Sequence[Any], targets: Any) -> tuple[Any, float]:
        """Do one step; returns outputs and loss.

        Args:
            inputs: what the model is called with.
            targets: what the loss compares its outputs with.

        Raises:
            FloatingPointError: the loss is not finite.
        """
        outputs = self.model(*inputs)
        value = self.loss(outputs, targets)
        number = value.item()
        if not np.isfinite(number):
            raise FloatingPointError(
                f"fit: the loss is {number} in epoch {self.epoch}: try a smaller learning rate, or run a step under "
                "autograd.detect_anomaly() to see where it comes from"
            )
        self.optimizer.zero_grad()
        value.backward()
        for callback in self.callbacks:
            callback.on_backward(self)
        self.optimizer.step()
        self.history.steps.append(number)
        return outputs, number


def fit(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    data: Iterable[Any],
    epochs: int,
    *,
    validation: Iterable[Any] | None = None,
    callbacks: Sequence[Callback] = (),
    metrics: Metrics | None = None,
    progress: bool | str = True,
) -> History:
    """Train a model by gradient descent on mini-batches.

    A step: outputs = model(*inputs), loss(outputs, targets), its bars, the optimizer's update.

    Args:
        model: put into training mode for the epochs, into evaluation mode for the validation and at the end.
        loss: function of outputs and targets with a scalar value, e.g. `F.cross_entropy`.
        optimizer: holds the model's parameters.
        data: batches `(*inputs, targets)`, to be gone through once an epoch: a `Batches`, or a list of such tuples.
        epochs: how often to go through the data.
        validation: batches to evaluate on after each epoch.
        callbacks: see `Callback`; called in order.
        metrics: functions of outputs and targets, by name, averaged over the examples.
        progress: show a progress bar with the epoch's loss and metrics so far and the learning rate; a text stands
            before it.

    Returns:
        The history. Ctrl-C ends the training early; the history says so.

    Raises:
        FloatingPointError: the loss is not finite.
        TypeError: a loss, an optimizer or batches of another kind.
    """
    if not callable(loss):
        raise TypeError(f"fit: expected a function for loss, such as F.cross_entropy, got {loss!r}")
    if not hasattr(optimizer, "param_groups"):
        raise TypeError(f"fit: expected an optimizer, such as optim.Adam(model.parameters()), got {optimizer!r}")
    training = Training(model, loss, optimizer, data, epochs, callbacks=callbacks)
    history = training.history
    steps = len(data) if isinstance(data, Sized) else None
    for callback in callbacks:
        callback.on_start(training)
    bar = _progress_bar(progress, training.epoch, epochs, steps)
    try:
        while training.epoch < epochs and history.stopped is None:
            training.epoch += 1
            figures = _epoch(training, metrics or {}, bar)
            if validation is not None:
                found = evaluate(model, loss, validation, metrics=metrics)
                figures |= {f"val_{name}": value for name, value in found.items()}
            history.epochs.append(figures | {"seconds": time.perf_counter() - training.started})
            for callback in callbacks:
                callback.on_epoch(training)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        model.eval()
        if bar is not None:
            bar.close()
    for callback in callbacks:
        callback.on_end(training)
    return history


def _epoch(training: Training, metrics: Metrics, bar: Any) -> dict[str, float]:
    """Go once through the data; returns the epoch's figures."""
    training.started = time.perf_counter()
    rate = float(training.optimizer.param_groups[0]["lr"])
    training.model.train()
    means = _Means()
    for inputs, targets in map(_parts, training.data):
        outputs, loss = training.step(inputs, targets)
        means.add(len(targets), loss=loss, **_figures(metrics, outputs, targets))
        for callback in training.callbacks:
            callback.on_step(training)
        if bar is not None:
            bar.update()
            bar.set_description_str(_summary(training, means.values), refresh=False)
    return {"epoch": float(training.epoch), **means.values, "lr": rate}


def evaluate(model: Module, loss: Loss, data: Iterable[Any], *, metrics: Metrics | None = None) -> dict[str, float]:
    """Return the mean "loss" and metrics over all examples, in evaluation mode and without recording.

    Args:
        model: called with the inputs of each batch; afterwards in the mode in which it was.
        loss: function of outputs and targets with a scalar value, the mean over its batch.
        data: batches `(*inputs, targets)`.
        metrics: functions of outputs and targets, by name.
    """
    means = _Means()
    with evaluating(model):
        for inputs, targets in map(_parts, data):
            outputs = model(*inputs)
            means.add(len(targets), loss=loss(outputs, targets).item(), **_figures(metrics or {}, outputs, targets))
    return means.values


def predict(model: Module, inputs: Any, *, batch_size: int = 256) -> Array:
    """Return the model's outputs for all inputs, in evaluation mode and without recording.

    Args:
        model: called with one batch after the other; afterwards in the mode in which it was.
        inputs: (N, ...).
        batch_size: examples in a batch.

    Returns:
        An array (N, ...), in the order of the inputs.
    """
    with evaluating(model):
        parts = [raw(model(part)) for (part,) in Batches(inputs, batch_size=batch_size, shuffle=False)]
    return np.concatenate(parts)


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Put the model into evaluation mode, without recording, and back into what it was."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with no_grad():
            yield
    finally:
        for module, mode in modes:
            module.training = mode


class _Means:
    """Means of figures over examples."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: dict[str, float] = {}

    def add(self, count: int, **figures: float) -> None:
        self.count += count
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value * count

    @property
    def values(self) -> dict[str, float]:
        return {name: total / self.count for name, total in self.sums.items()}


def _parts(batch: Any) -> tuple[Sequence[Any], Any]:
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        told = f"{type(batch).__name__} {np.shape(batch)}" if hasattr(batch, "shape") else type(batch).__name__
        raise TypeError(
            "expected batches (*inputs, targets), as nn.data.Batches(inputs, targets, batch_size=32) yields them, got "
            f"{told} for a batch"
        )
    *inputs, targets = batch
    return inputs, targets


def _figures(metrics: Metrics, outputs: Any, targets: Any) -> dict[str, float]:
    return {name: metric(raw(outputs), raw(targets)) for name, metric in metrics.items()}


def _summary(training: Training, figures: Mapping[str, float]) -> str:
    shown = [f"{name} {value:.4f}" for name, value in figures.items()]
    rate = float(training.optimizer.param_groups[0]["lr"])
    return ", ".join([f"epoch {training.epoch}/{training.epochs}", *shown, f"lr {rate:.3g}"])


def _progress_bar(progress: bool | str, done: int, epochs: int, steps: int | None) -> Any:
    if not progress:
        return None
    from tqdm import tqdm

    title = progress.replace("{", "{{").replace("}", "}}") + " " if isinstance(progress, str) else ""

    return tqdm(
        total=None if steps is None else steps * epochs,
        initial=0 if steps is None else steps * done,
        unit="step",
        bar_format=f"{title}{{percentage:3.0f}}% |{{bar:24}}| {{elapsed}}<{{remaining}} {{desc}}",
        mininterval=0.2,
    )

"""Sequences that need a memory, read by an RNN, an LSTM, a GRU and a Transformer (rows F7 and F8 of the lecture).

`python -m examples.sequences` trains each of them on two tasks; what happened is drawn in out/.

adding: 30 random numbers, of which two are marked, one in each half: what is their sum? Whoever knows nothing says 1
and is wrong by 1/6 in the mean square. (Hochreiter and Schmidhuber, Neural Computation 9, 1997, experiment 4.)

digits: the 1,797 handwritten digits of scikit-learn, one row of 8 pixels at each step: which digit is it?
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import nn
import nn.functional as F
import optim
from examples.digits import new_figure
from nn.data import Batches

TOLERANCE = 0.04
"""How far a sum may be off and still count as right."""


# --- Models: (N, T, inputs) to (N, outputs) ----------------------------------------------------------------


class Reader(nn.Module):
    """A recurrent layer that reads the sequence, and a dense layer on its last output."""

    def __init__(self, layer: Any, outputs: int, rng: np.random.Generator) -> None:
        self.layer = layer
        self.head = nn.Dense(layer.hidden_size, outputs, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return (N, outputs) for x (N, T, inputs)."""
        y, _ = self.layer(x)
        return self.head(y[:, -1])


class Transformer(nn.Module):
    """Two encoder layers that see all places at once, and a dense layer on the mean over the places."""

    def __init__(self, inputs: int, outputs: int, rng: np.random.Generator, size: int = 32) -> None:
        self.into = nn.Dense(inputs, size, rng=rng)
        self.places = nn.PositionalEncoding(size, batch_first=True)
        self.layers = [
            nn.TransformerEncoderLayer(size, 4, 2 * size, 0.0, norm_first=True, batch_first=True, rng=rng)
            for _ in range(2)
        ]
        self.head = nn.Dense(size, outputs, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return (N, outputs) for x (N, T, inputs)."""
        x = self.places(self.into(x))
        for layer in self.layers:
            x = layer(x)
        return self.head(x.mean(axis=1))


def tanh_rnn(inputs: int, outputs: int, rng: np.random.Generator) -> Reader:
    """Return the vanilla network with tanh: what it remembers fades within some ten steps."""
    return Reader(nn.RNN(inputs, 48, batch_first=True, rng=rng), outputs, rng)


def relu_rnn(inputs: int, outputs: int, rng: np.random.Generator) -> Reader:
    """Return the vanilla network with ReLU whose recurrent weights start as the identity: it keeps what it has.

    Source: Le et al., "A simple way to initialize recurrent networks of rectified linear units", arXiv:1504.00941.
    """
    layer = nn.RNN(inputs, 48, nonlinearity="relu", batch_first=True, rng=rng)
    layer.weight_hh_l0.data = np.eye(48, dtype=np.float32)
    return Reader(layer, outputs, rng)


def lstm(inputs: int, outputs: int, rng: np.random.Generator) -> Reader:
    """Return a long short-term memory."""
    return Reader(nn.LSTM(inputs, 48, batch_first=True, rng=rng), outputs, rng)


def gru(inputs: int, outputs: int, rng: np.random.Generator) -> Reader:
    """Return a gated recurrent unit."""
    return Reader(nn.GRU(inputs, 48, batch_first=True, rng=rng), outputs, rng)


MODELS: dict[str, tuple[Callable[..., nn.Module], float]] = {
    "RNN, tanh": (tanh_rnn, 1e-2),
    "RNN, ReLU": (relu_rnn, 5e-3),
    "LSTM": (lstm, 2e-2),
    "GRU": (gru, 1e-2),
    "Transformer": (Transformer, 5e-3),
}
"""Models and their learning rates."""


def train(name: str, loss: Any, training: Any, test: Any, epochs: int, **metrics: Any) -> optim.History:
    """Train a model of the table with Adam, the rate rising and falling again; evaluate after each epoch."""
    make, rate = MODELS[name]
    rng = np.random.default_rng(0)
    outputs = training[1].shape[1] if training[1].ndim > 1 else int(training[1].max()) + 1
    model = make(training[0].shape[2], outputs, rng)
    batches = Batches(*training, batch_size=64, rng=rng)
    optimizer = optim.Adam(model.parameters(), lr=rate)
    return optim.fit(
        model,
        loss,
        optimizer,
        batches,
        epochs,
        validation=Batches(*test, batch_size=500, shuffle=False),
        callbacks=[optim.ClipGradients(1.0), optim.OneCycleLR(optimizer, rate, len(batches) * epochs)],
        metrics=metrics,
        progress=f"{name:12}",
    )


# --- Tasks -------------------------------------------------------------------------------------------------


def sums(count: int, steps: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return sequences (count, steps, 2) of numbers in 0 .. 1 beside marks 0 or 1, and the marked sums (count, 1)."""
    numbers = rng.random((count, steps), dtype=np.float32)
    marks = np.zeros_like(numbers)
    for first, last in ((0, steps // 2), (steps // 2, steps)):
        marks[np.arange(count), rng.integers(first, last, count)] = 1
    return np.stack([numbers, marks], axis=-1), (numbers * marks).sum(axis=1, keepdims=True)


def near(outputs: Any, targets: Any) -> float:
    """Return the share of sums that are right to `TOLERANCE`."""
    return float((np.abs(outputs - targets) < TOLERANCE).mean())


def adding(out: Path, epochs: int = 10, steps: int = 30, count: int = 6400) -> dict[str, float]:
    """Train all models on the adding problem; returns the mean square errors on sequences never seen."""
    rng = np.random.default_rng(0)
    training, test = sums(count, steps, rng), sums(2000, steps, rng)
    print(
        f"Adding problem: {steps} numbers, two of them marked; {count:,} sequences to learn from, 2,000 for the test."
    )
    histories = {}
    for name in MODELS:
        histories[name] = history = train(name, F.mse_loss, training, test, epochs, right=near)
        print(
            f"{name}: mean square error {history['val_loss'][-1]:.5f} (knowing nothing: {1 / 6:.3f}), "
            f"{history['val_right'][-1]:.1%} of the sums right to {TOLERANCE}; {sum(history['seconds']):.0f} s"
        )
    draw(histories, "val_loss", "mean square error of the sum", out / "adding.png", guess=1 / 6)
    return {name: history["val_loss"][-1] for name, history in histories.items()}


def digits(out: Path, epochs: int = 20) -> dict[str, float]:
    """Train all models on digits read row by row; returns the accuracies on the fifth that was held out."""
    images, labels = nn.data.digits()
    x, x_test, y, y_test = nn.data.split(images[:, 0], labels, fraction=0.2, stratify=labels, rng=0)
    print(f"Digits row by row: {len(x):,} to learn from, {len(x_test)} for the test.")
    histories = {}
    for name in MODELS:
        histories[name] = history = train(
            name, F.cross_entropy, (x, y), (x_test, y_test), epochs, accuracy=optim.accuracy
        )
        print(
            f"{name}: {history['val_accuracy'][-1]:.2%} of the digits held out are recognized; "
            f"{sum(history['seconds']):.0f} s"
        )
    draw(histories, "val_accuracy", "share recognized", out / "rows.png")
    return {name: history["val_accuracy"][-1] for name, history in histories.items()}


def draw(histories: dict[str, Any], figure: str, label: str, path: Path, guess: float | None = None) -> None:
    """Draw a figure on the test data against the epoch, for all models."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture, axes = new_figure(1, 1, width=6.4, height=4.2)
    for name, history in histories.items():
        axes.plot(history["epoch"], history[figure], marker=".", label=name)
    if guess is not None:
        axes.axhline(guess, color="gray", linestyle="--", linewidth=1, label="knowing nothing")
        axes.set_yscale("log")
    axes.set(xlabel="epoch", ylabel=label, title=f"Test: {label}")
    axes.grid(alpha=0.3)
    axes.legend()
    picture.savefig(path)
    print(f"  picture: {path}")


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.sequences", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("task", nargs="?", choices=["adding", "digits"], help="only this task")
    parser.add_argument("--epochs", type=int, help="how often to go through the data (adding 10, digits 20)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the pictures (out)")
    options = parser.parse_args(arguments)
    epochs = {} if options.epochs is None else {"epochs": options.epochs}
    if options.task != "digits":
        adding(options.out, **epochs)
    if options.task != "adding":
        digits(options.out, **epochs)


if __name__ == "__main__":
    main()

"""Transfer learning (row F10 of the lecture): a network that knows the digits 0 to 4 learns 5 to 9 from few examples.

`python -m examples.transfer` trains on scikit-learn's digits 0 to 4, freezes the convolutions, replaces the head, and
trains that on a few examples of each of 5 to 9; beside it a head on frozen random convolutions learns from the same
examples. A plot goes to out/transfer.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import nn
import nn.functional as F
import optim
from nn.data import Batches


def network(rng: np.random.Generator) -> nn.Sequential:
    """Return features and a head for five classes of 8 x 8 digits."""
    features = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding="same", rng=rng),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding="same", rng=rng),
        nn.ReLU(),
        nn.MaxPool(2),
        nn.Flatten(),
    )
    return nn.Sequential({"features": features, "head": nn.Dense(512, 5, rng=rng)})


def train(model: nn.Module, data: Any, test: Any, *, epochs: int, title: str) -> optim.History:
    """Train with Adam; what is frozen stays."""
    return optim.fit(
        model,
        F.cross_entropy,
        optim.Adam([p for p in model.parameters() if p.requires_grad]),
        Batches(*data, batch_size=10, rng=0),
        epochs,
        validation=[test],
        metrics={"accuracy": optim.accuracy},
        progress=title,
    )


def few(x: Any, y: Any, count: int) -> tuple[Any, Any]:
    """Return the first `count` examples of each class."""
    chosen = np.concatenate([np.flatnonzero(y == label)[:count] for label in np.unique(y)])
    return x[chosen], y[chosen]


def plot(histories: dict[str, optim.History], path: Path) -> None:
    """Draw the test accuracy of each training against the epoch."""
    figure = Figure(figsize=(6.4, 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for name, history in histories.items():
        axes.plot(history["epoch"], history["val_accuracy"], marker=".", label=name)
    axes.set(xlabel="epoch", ylabel="test accuracy", title="Digits 5 to 9 from a few examples of each")
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    """Run the program; returns accuracies, and whether the frozen parameters stayed as they were."""
    parser = argparse.ArgumentParser(prog="python -m examples.transfer", description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=15, help="how often to go through each set (15)")
    parser.add_argument("--examples", type=int, default=10, help="examples of each of the digits 5 to 9 (10)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the plot (out)")
    options = parser.parse_args(arguments)
    images, labels = nn.data.digits()
    low, high = labels < 5, labels >= 5
    x, x_test, y, y_test = nn.data.split(images[high], labels[high] - 5, fraction=0.5, stratify=labels[high], rng=0)
    examples = few(x, y, options.examples)
    with threadpool_limits(1):
        model = network(np.random.default_rng(0))
        old = (images[low], labels[low])
        train(model, old, old, epochs=max(1, options.epochs // 3), title="digits 0 to 4")
        model["features"].freeze()
        model["head"] = nn.Dense(512, 5, rng=1)
        before = model["features"].state_dict()
        transferred = train(model, examples, (x_test, y_test), epochs=options.epochs, title="transfer to 5 to 9")
        untrained = network(np.random.default_rng(2))
        untrained["features"].freeze()
        untrained["head"] = nn.Dense(512, 5, rng=1)
        baseline = train(untrained, examples, (x_test, y_test), epochs=options.epochs, title="random features")
    after = model["features"].state_dict()
    identical = all(np.array_equal(before[name], after[name]) for name in before)
    plot({"features from 0 to 4": transferred, "random features": baseline}, options.out / "transfer.png")
    found = {
        "transferred": transferred["val_accuracy"][-1],
        "random": baseline["val_accuracy"][-1],
        "identical": identical,
    }
    print(
        f"Digits 5 to 9 from {len(examples[0])} examples: {found['transferred']:.1%} right with the features of 0 to "
        f"4, {found['random']:.1%} with random ones.\n"
        f"The frozen parameters are {'the same to the bit' if identical else 'CHANGED'}."
    )
    return found


if __name__ == "__main__":
    main()

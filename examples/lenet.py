"""LeNet-5 on handwritten digits (row F3 of the lecture).

`python -m examples.lenet --mnist DIR` trains on MNIST, whose four IDX files are in DIR; without it, on the 1,797 digits
that ship with scikit-learn, enlarged to 32 x 32. A plot of the loss goes to out/lenet.png.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import nn
import nn.functional as F
import optim
from nn.data import Batches


def lenet(rng: np.random.Generator) -> nn.Sequential:
    """Return LeNet-5 for images (N, 1, 32, 32), with every map of C3 seeing all of S2, ReLU and max pooling.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", Proc. IEEE 86 (1998).
    """
    return nn.Sequential(
        {
            "c1": nn.Conv2d(1, 6, 5, rng=rng),
            "relu1": nn.ReLU(),
            "s2": nn.MaxPool(2),
            "c3": nn.Conv2d(6, 16, 5, rng=rng),
            "relu3": nn.ReLU(),
            "s4": nn.MaxPool(2),
            "c5": nn.Conv2d(16, 120, 5, rng=rng),
            "relu5": nn.ReLU(),
            "flatten": nn.Flatten(),
            "f6": nn.Dense(120, 84, rng=rng),
            "relu6": nn.ReLU(),
            "output": nn.Dense(84, 10, rng=rng),
        }
    )


def padded(images: Any) -> Any:
    """Return MNIST's images (N, 1, 28, 28) with the border that LeNet-5 expects: (N, 1, 32, 32)."""
    return np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))


def enlarged(images: Any) -> Any:
    """Return images (N, 1, 8, 8) with each pixel 4 x 4 times: (N, 1, 32, 32)."""
    return images.repeat(4, axis=2).repeat(4, axis=3)


def train(training: Any, test: Any, epochs: int, out: Path) -> float:
    """Train, plot the loss, and return the accuracy on the test data, which decide nothing."""
    model = lenet(np.random.default_rng(0))
    print(nn.summary(model, (1, 32, 32)))
    batches = Batches(*training, batch_size=64, rng=0)
    optimizer = optim.Adam(model.parameters())
    history = optim.fit(
        model,
        F.cross_entropy,
        optimizer,
        batches,
        epochs,
        validation=Batches(*test, batch_size=500, shuffle=False),
        callbacks=[optim.OneCycleLR(optimizer, 3e-3, len(batches) * epochs)],
        metrics={"accuracy": optim.accuracy},
        progress="LeNet-5",
    )
    out.mkdir(parents=True, exist_ok=True)
    history.plot(out / "lenet.png")
    accuracy = history["val_accuracy"][-1]
    spent = sum(history["seconds"])
    print(f"LeNet-5 recognizes {accuracy:.2%} of {len(test[0]):,} test digits after {epochs} epochs, {spent:.0f} s.")
    return accuracy


def main(arguments: list[str] | None = None) -> float:
    """Run the program; returns the accuracy."""
    parser = argparse.ArgumentParser(prog="python -m examples.lenet", description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="train on the four IDX files there (.gz or not)")
    parser.add_argument("--epochs", type=int, default=12, help="how often to go through the data (12)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the plot (out)")
    options = parser.parse_args(arguments)
    with threadpool_limits(1):
        if options.mnist is not None:
            training, test = ((padded(x), y) for x, y in nn.data.mnist(options.mnist))
        else:
            images, labels = nn.data.digits()
            x, x_test, y, y_test = nn.data.split(enlarged(images), labels, fraction=0.2, stratify=labels, rng=0)
            training, test = (x, y), (x_test, y_test)
        return train(training, test, options.epochs, options.out)


if __name__ == "__main__":
    main()

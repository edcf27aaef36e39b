"""The digit recognizer on MNIST with everything that helps (row F1 of the lecture).

`python -m examples.mnist --mnist DIR` holds out a tenth of the training images, augments the rest by small rotations,
shifts and changes of size, halves the rate when the held-out loss has not improved for more than two epochs, stops when
it has not for eight, and goes back to the best weights; the test images are looked at once, at the end. A plot goes to
out/mnist.png, a checkpoint after each epoch to out/mnist.safetensors: run it again with --resume to go on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import nn
import nn.functional as F
import optim
from examples.digits import recognizer
from nn.data import Batches


def main(arguments: list[str] | None = None) -> float:
    """Run the program; returns the accuracy on the test images."""
    parser = argparse.ArgumentParser(prog="python -m examples.mnist", description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", type=Path, metavar="DIR", required=True, help="the four IDX files (.gz or not)")
    parser.add_argument("--epochs", type=int, default=30, help="how often to go through the data at most (30)")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for plot and checkpoint (out)")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    (images, labels), (x_test, y_test) = nn.data.mnist(options.mnist)
    x, x_held, y, y_held = nn.data.split(images, labels, fraction=0.1, stratify=labels, rng=0)
    augment = nn.data.Affine(degrees=10, shift=1.5, scale=0.1)
    batches = Batches(x, y, batch_size=64, transform=augment, prefetch=4, rng=0)
    model = recognizer(np.random.default_rng(0))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    callbacks = [
        optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=2),
        optim.EarlyStopping(patience=8),
        optim.Checkpoint(options.out / "mnist.safetensors", resume=options.resume),
    ]
    with threadpool_limits(1):
        history = optim.fit(
            model,
            F.cross_entropy,
            optimizer,
            batches,
            options.epochs,
            validation=Batches(x_held, y_held, batch_size=500, shuffle=False),
            callbacks=callbacks,
            metrics={"accuracy": optim.accuracy},
            progress="MNIST",
        )
        test = Batches(x_test, y_test, batch_size=500, shuffle=False)
        accuracy = optim.evaluate(model, F.cross_entropy, test, metrics={"accuracy": optim.accuracy})["accuracy"]
    history.plot(options.out / "mnist.png")
    ending = f" ({history.stopped})" if history.stopped else ""
    print(
        f"{accuracy:.2%} of the {len(y_test):,} test digits are recognized after {len(history.epochs)} epochs{ending}, "
        f"{sum(history['seconds']):.0f} s; {max(history['val_accuracy']):.2%} of those held out."
    )
    return accuracy


if __name__ == "__main__":
    main()

"""Recognize handwritten digits with a convolutional network (row F1 of the lecture).

`python -m examples.digits` trains on the 1,797 digits of 8 x 8 pixels that ship with scikit-learn, three times with
different fifths held out. `python -m examples.digits --mnist DIR` trains the same kind of network, in its full size,
on the 28 x 28 digits of MNIST, whose four IDX files are in DIR. Pictures go to out/.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import autograd
import nn
import nn.functional as F
import optim
from nn.data import Batches

SPLITS = (0, 1, 2)
"""Seeds of the held-out fifths, fixed before any was looked at; choices were made on seeds 100 to 107."""


def small_recognizer(rng: np.random.Generator) -> nn.Sequential:
    """Return the network for 8 x 8 pixels: more filters than for 28 x 28, as there are fewer places to put them."""
    return recognizer(side=8, filters=(32, 64), drop=(0.1, 0.1, 0.5), rng=rng)


def recognizer(
    rng: np.random.Generator,
    side: int = 28,
    filters: tuple[int, int] = (8, 16),
    drop: tuple[float, float, float] = (0.25, 0.25, 0.5),
) -> nn.Sequential:
    """Return the digit recognizer: two stages of convolution and pooling, two dense layers; (N, 1, side, side)."""
    first, second = filters
    return nn.Sequential(
        {
            "conv1": nn.Conv2d(1, first, 5, padding="same", rng=rng),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool(2),
            "drop1": nn.Dropout(drop[0], rng=rng),
            "conv2": nn.Conv2d(first, second, 3, padding="same", rng=rng),
            "relu2": nn.ReLU(),
            "pool2": nn.MaxPool(2),
            "drop2": nn.Dropout(drop[1], rng=rng),
            "flatten": nn.Flatten(),
            "dense1": nn.Dense(second * (side // 4) ** 2, 256, rng=rng),
            "relu3": nn.ReLU(),
            "drop3": nn.Dropout(drop[2], rng=rng),
            "dense2": nn.Dense(256, 10, rng=rng),
        }
    )


def train(
    model: nn.Module,
    training: Any,
    test: Any,
    *,
    epochs: int,
    batch_size: int,
    rate: float,
    seed: int,
    title: str,
    transform: Any = None,
) -> optim.History:
    """Train with Adam, the rate rising to `rate` and falling again; evaluate on the test data after each epoch.

    The test data decide nothing: no early stopping, no choice of an epoch.
    """
    batches = Batches(*training, batch_size=batch_size, transform=transform, rng=seed)
    optimizer = optim.Adam(model.parameters(), lr=rate)
    return optim.fit(
        model,
        F.cross_entropy,
        optimizer,
        batches,
        epochs,
        validation=Batches(*test, batch_size=500, shuffle=False),
        callbacks=[optim.OneCycleLR(optimizer, rate, len(batches) * epochs)],
        metrics={"accuracy": optim.accuracy},
        progress=title,
    )


def small_digits(epochs: int, out: Path, splits: tuple[int, ...] = SPLITS) -> float:
    """Train on scikit-learn's digits, once for each split; returns the mean accuracy on what was held out."""
    images, labels = nn.data.digits()
    print(f"{len(images):,} digits of 8 x 8 pixels; a fifth is held out for the test, in {len(splits)} different ways.")
    found = []
    for seed in splits:
        rng = np.random.default_rng(seed)
        x, x_test, y, y_test = nn.data.split(images, labels, fraction=0.2, stratify=labels, rng=rng)
        model = small_recognizer(rng)
        title = f"split {seed + 1} of {len(splits)}"
        history = train(
            model,
            (x, y),
            (x_test, y_test),
            epochs=epochs,
            batch_size=32,
            rate=3e-3,
            seed=seed,
            title=title,
            # A digit that is turned, shifted or scaled a little is the same digit: new ones in each epoch.
            transform=nn.data.Affine(degrees=10, shift=0.7, scale=0.1),
        )
        found.append(history["val_accuracy"][-1])
        print(f"  {found[-1]:.2%} of the {len(x_test)} digits held out are recognized; {seconds(history)}")
        if seed == splits[0]:
            pictures(model, history, (x_test, y_test), out)
    mean = float(np.mean(found))
    print(f"Accuracy on held-out digits, mean of {len(splits)} splits: {mean:.2%}")
    return mean


def large_digits(directory: Path, epochs: int, out: Path) -> float:
    """Train on MNIST; returns the accuracy on its test images."""
    training, test = nn.data.mnist(directory)
    print(f"{len(training[0]):,} digits of 28 x 28 pixels for training, {len(test[0]):,} for the test.")
    model = recognizer(np.random.default_rng(0))
    history = train(model, training, test, epochs=epochs, batch_size=64, rate=2e-3, seed=0, title="MNIST")
    for row in history.epochs:
        print(
            f"  epoch {row['epoch']:.0f}: loss {row['loss']:.4f}, accuracy {row['accuracy']:.2%} (with dropout), "
            f"test loss {row['val_loss']:.4f}, test accuracy {row['val_accuracy']:.2%}, {row['seconds']:.1f} s"
        )
    accuracy = history["val_accuracy"][-1]
    print(f"{accuracy:.2%} of the {len(test[0]):,} test digits are recognized; {seconds(history)}")
    pictures(model, history, test, out)
    return accuracy


def seconds(history: optim.History) -> str:
    """Say how long the training took."""
    total = sum(history["seconds"])
    return f"{total:.1f} s for {len(history.epochs)} epochs, {total / len(history.epochs):.2f} s each"


# --- Pictures ----------------------------------------------------------------------------------------------


def pictures(model: nn.Sequential, history: optim.History, test: Any, out: Path) -> None:
    """Write all pictures to the directory `out`."""
    out.mkdir(parents=True, exist_ok=True)
    images, labels = test
    history.plot(out / "loss.png")
    draw_confusion(labels, optim.predict(model, images).argmax(axis=1), out / "confusion.png")
    draw_filters(model, out / "filters.png")
    draw_feature_maps(model, images[0], out / "feature_maps.png")
    draw_graph(model, images[:2], labels[:2], out / "graph.svg")
    print(f"  pictures in {out}/: loss.png, confusion.png, filters.png, feature_maps.png, graph.svg")


def draw_confusion(labels: Any, predicted: Any, path: Path) -> None:
    """Draw how often each digit was taken for which."""
    counts = optim.confusion_matrix(labels, predicted, classes=10)
    figure, axes = new_figure(1, 1, width=6, height=5.4)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shade = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", color=color, fontsize=8)
    axes.set(xlabel="recognized as", ylabel="digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"Confusion matrix: {int(np.trace(counts))} of {len(labels)} right")
    figure.colorbar(shade, label="share of the digit's images")
    figure.savefig(path)


def draw_filters(model: nn.Sequential, path: Path) -> None:
    """Draw the first layer's filters."""
    filters = model["conv1"].weight.data[:, 0]
    limit = np.abs(filters).max()
    shown = {f"{number}": picture for number, picture in enumerate(filters, start=1)}
    draw_row(shown, "Filters of the first layer (blue positive, red negative)", path, "RdBu", -limit, limit)


def draw_feature_maps(model: nn.Sequential, image: Any, path: Path) -> None:
    """Draw what each filter of the first layer makes of one digit, after ReLU."""
    maps = optim.predict(model[:2], image[None])[0]
    scale = maps.max() / max(image.max(), 1e-9)
    shown = {"digit": image[0] * scale} | {f"{number}": picture for number, picture in enumerate(maps, start=1)}
    draw_row(shown, "A digit and its feature maps in the first layer, one for each filter", path, "gray", 0, maps.max())


def draw_row(pictures: dict[str, Any], title: str, path: Path, colors: str, low: float, high: float) -> None:
    """Draw small pictures side by side, in rows of 17 at most, on one scale of colors."""
    rows = -(-len(pictures) // 17)
    columns = -(-len(pictures) // rows)
    figure, axes = new_figure(rows, columns, width=0.8 * columns, height=0.4 + rows)
    for one in axes.flat:
        one.axis("off")
    for one, (name, picture) in zip(axes.flat, pictures.items(), strict=False):
        one.imshow(picture, cmap=colors, vmin=low, vmax=high)
        one.set_title(name, fontsize=8)
    figure.suptitle(title, fontsize=9)
    figure.savefig(path)


def draw_graph(model: nn.Sequential, images: Any, labels: Any, path: Path) -> None:
    """Draw the computation graph of one training step, with the bars that the backward sweep leaves."""
    model.train()
    with autograd.record():
        x, t = autograd.Tensor(images).named("images"), autograd.Tensor(labels).named("labels")
        loss = F.cross_entropy(model(x), t).named("loss")
    loss.backward()
    autograd.graph(loss).save(str(path))
    model.zero_grad()
    model.eval()


def new_figure(rows: int, columns: int, *, width: float, height: float) -> tuple[Any, Any]:
    """Return a matplotlib figure that no window shows, and its axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def peak_memory() -> str:
    """Say how much memory this process has used at most."""
    try:
        import resource
    except ImportError:
        return "unknown on this system"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{peak / (2**30 if sys.platform == 'darwin' else 2**20):.2f} GB"


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m examples.digits", description=__doc__.partition("\n")[0])
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="train on the four IDX files there (.gz or not)")
    parser.add_argument("--epochs", type=int, help="how often to go through the data (30; with --mnist 10)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the pictures (out)")
    options = parser.parse_args(arguments)
    started = time.perf_counter()
    # Products of this size gain nothing from a second thread, and lose much where another program has the core.
    with threadpool_limits(1):
        if options.mnist is not None:
            large_digits(options.mnist, options.epochs or 10, options.out)
        else:
            small_digits(options.epochs or 30, options.out)
    print(f"Done in {time.perf_counter() - started:.0f} s; peak memory {peak_memory()}.")


if __name__ == "__main__":
    main()

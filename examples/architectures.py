"""Convolutional architectures of the lecture (rows F2, F4, F5): their tables, and one training step of each.

`python -m examples.architectures` prints the tables and steps on a few of scikit-learn's digits, enlarged. AlexNet has
61 million parameters and takes about 1 GB for that. A plot of where the parameters and the multiply-adds are goes to
out/architectures.png.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

import nn
import nn.functional as F
import optim


def strided_network(rng: np.random.Generator) -> nn.Sequential:
    """Return row F2's network for images (N, 3, 32, 32): two convolutions, the second strided, and two dense layers."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 1, "same", rng=rng),
        nn.ReLU(),
        nn.Conv2d(8, 16, 5, 2, "same", rng=rng),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dense(16 * 16 * 16, 512, rng=rng),
        nn.ReLU(),
        nn.Dense(512, 4, rng=rng),
    )


def alexnet(rng: np.random.Generator, classes: int = 1000) -> nn.Sequential:
    """Return AlexNet for images (N, 3, 227, 227): 5 convolutions, 3 of them in two groups, and 3 dense layers.

    The normalization across channels of the paper is left out, as everybody does today.

    Source: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", NIPS 2012.
    """
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, 4, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.MaxPool(3, 2),
        nn.Conv2d(96, 256, 5, 1, 2, groups=2, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.MaxPool(3, 2),
        nn.Conv2d(256, 384, 3, 1, 1, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.Conv2d(384, 384, 3, 1, 1, groups=2, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, 1, 1, groups=2, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.MaxPool(3, 2),
        nn.Flatten(),
        nn.Dropout(0.5, rng=rng),
        nn.Dense(9216, 4096, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.5, rng=rng),
        nn.Dense(4096, 4096, init=nn.init.he_normal, rng=rng),
        nn.ReLU(),
        nn.Dense(4096, classes, rng=rng),
    )


def vgg(
    rng: np.random.Generator,
    blocks: Sequence[tuple[int, int]] = ((16, 1), (32, 1), (64, 2)),
    *,
    side: int = 32,
    hidden: int = 128,
    classes: int = 10,
) -> nn.Sequential:
    """Return a network of VGG's blocks: 3 x 3 convolutions with stride 1 and padding 1, then pooling by 2.

    VGG-16 has the blocks ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), side 224, hidden 4096 and 1000 classes.

    Args:
        rng: for the initial weights and dropout.
        blocks: number of filters and of convolutions of each block.
        side: height and width of the images.
        hidden: units of each of the two dense layers.
        classes: number of outputs.

    Source: Simonyan and Zisserman, arXiv:1409.1556.
    """
    layers: list[nn.Module] = []
    channels = 3
    for filters, convolutions in blocks:
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, filters, 3, 1, 1, init=nn.init.he_normal, rng=rng), nn.ReLU()]
            channels = filters
        layers.append(nn.MaxPool(2))
    features = channels * (side // 2 ** len(blocks)) ** 2
    layers += [nn.Flatten(), nn.Dense(features, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng)]
    layers += [nn.Dense(hidden, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng)]
    return nn.Sequential(*layers, nn.Dense(hidden, classes, rng=rng))


def enlarged_digits(shape: tuple[int, ...], classes: int, count: int) -> tuple[Any, Any]:
    """Return the first digits below `classes`, each pixel repeated until the images have a shape (C, H, W)."""
    images, labels = nn.data.digits()
    chosen = np.flatnonzero(labels < classes)[:count]
    channels, height, width = shape
    rows, columns = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    large = images[chosen][:, :, rows][..., columns].repeat(channels, axis=1)
    return 2 * large - 1, labels[chosen]


def training_step(model: nn.Module, shape: tuple[int, ...], classes: int, *, examples: int = 2) -> tuple[float, float]:
    """Do one step of gradient descent on a few digits; returns their loss before and after it, without dropout."""
    images, labels = enlarged_digits(shape, classes, examples)
    before = optim.evaluate(model, F.cross_entropy, [(images, labels)])["loss"]
    model.train()
    optimizer = optim.SGD(model.parameters(), lr=1e-3)
    F.cross_entropy(model(images), labels).backward()
    optimizer.step()
    optimizer.zero_grad()
    return before, optim.evaluate(model, F.cross_entropy, [(images, labels)])["loss"]


NETWORKS = {
    "F2, the strided network": (strided_network, (3, 32, 32), 4),
    "F5, a small VGG": (vgg, (3, 32, 32), 10),
    "F4, AlexNet": (alexnet, (3, 227, 227), 1000),
}


def plot(tables: dict[str, nn.Summary], path: Path) -> None:
    """Draw how many parameters and multiply-adds each layer with weights has, on logarithmic scales."""
    figure = Figure(figsize=(4.2 * len(tables), 4.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    for axes, (name, table) in zip(figure.subplots(1, len(tables), squeeze=False)[0], tables.items(), strict=True):
        rows = [row for row in table.rows if row.parameters]
        places = np.arange(len(rows))
        axes.bar(places - 0.2, [row.parameters for row in rows], 0.4, label="parameters")
        axes.bar(places + 0.2, [row.multiply_adds for row in rows], 0.4, label="multiply-adds")
        axes.set_xticks(places, [f"{row.name} {row.kind}" for row in rows], rotation=60, ha="right", fontsize="small")
        axes.set(title=f"{name}: {table.parameters:,}", yscale="log")
        axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(prog="python -m examples.architectures", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the plot (out)")
    options = parser.parse_args(arguments)
    tables = {}
    for name, (make, shape, classes) in tqdm(NETWORKS.items(), unit="network"):
        started = time.perf_counter()
        model = make(np.random.default_rng(0))
        tables[name] = table = nn.summary(model, shape)
        before, after = training_step(model, shape, classes)
        seconds = time.perf_counter() - started
        tqdm.write(f"\n{name}\n{table}")
        tqdm.write(
            f"{table.parameters:,} parameters; loss {before:.3f} before and {after:.3f} after one step; {seconds:.1f} s"
        )
    plot(tables, options.out / "architectures.png")


if __name__ == "__main__":
    main()

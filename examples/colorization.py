"""Colorization by a small U-Net (row F11 of the lecture): a color for each pixel of a gray image.

`python -m examples.colorization` gives each of scikit-learn's digits a color that depends on which digit it is, on a
dark ground of the opposite color, and trains a U-Net to get the colors back from the gray images alone. Gray, guessed
and true images of test digits go to out/colorization.png.
"""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

import autograd
import nn
import nn.functional as F
import optim
from nn.data import Batches


class UNet(nn.Module):
    """Two stages down, two up; each stage up also sees what the stage of its size on the way down found.

    Args:
        rng: for the initial weights.
        channels: filters of the first stage; the second has twice as many, the bottom four times.

    Source: Ronneberger et al., "U-Net", arXiv:1505.04597.
    """

    def __init__(self, rng: np.random.Generator, channels: int = 12) -> None:
        wide, deep = 2 * channels, 4 * channels
        self.down1 = self.stage(1, channels, rng)
        self.down2 = self.stage(channels, wide, rng)
        self.bottom = self.stage(wide, deep, rng)
        self.up2 = nn.ConvTranspose2d(deep, wide, 2, 2, rng=rng)
        self.join2 = self.stage(2 * wide, wide, rng)
        self.up1 = nn.ConvTranspose2d(wide, channels, 2, 2, rng=rng)
        self.join1 = self.stage(2 * channels, channels, rng)
        self.output = nn.Conv2d(channels, 3, 1, rng=rng)
        self.pool = nn.MaxPool(2)

    @staticmethod
    def stage(before: int, after: int, rng: np.random.Generator) -> nn.Sequential:
        """Return a 3 x 3 convolution with batch normalization and ReLU."""
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding="same", bias=False, rng=rng), nn.BatchNorm(after), nn.ReLU()
        )

    def forward(self, gray: Any) -> Any:
        """Return logits of the colors (N, 3, H, W) for gray images (N, 1, H, W); H and W multiples of 4."""
        fine = self.down1(gray)
        coarse = self.down2(self.pool(fine))
        bottom = self.bottom(self.pool(coarse))
        coarse = self.join2(autograd.concatenate([self.up2(bottom), coarse], axis=1))
        fine = self.join1(autograd.concatenate([self.up1(coarse), fine], axis=1))
        return self.output(fine)


def colored(gray: Any, labels: Any) -> Any:
    """Return images (N, 3, H, W): strokes in the digit's color, the ground in a dark shade of the opposite one."""
    bright = np.array([colorsys.hsv_to_rgb(digit / 10, 1.0, 1.0) for digit in range(10)], np.float32)
    dark = np.array([colorsys.hsv_to_rgb((digit / 10 + 0.5) % 1, 0.8, 0.35) for digit in range(10)], np.float32)
    stroke, ground = bright[labels][:, :, None, None], dark[labels][:, :, None, None]
    return gray * stroke + (1 - gray) * ground


def error(logits: Any, target: Any) -> float:
    """Return the mean absolute error of the guessed colors, in 0 .. 1."""
    return float(np.abs(F.sigmoid(logits) - target).mean())


def draw(model: nn.Module, gray: Any, target: Any, path: Path) -> None:
    """Draw gray images, what the model makes of them, and the truth, one below the other."""
    guessed = F.sigmoid(optim.predict(model, gray))
    figure = Figure(figsize=(len(gray), 3.2), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, len(gray))
    for column in range(len(gray)):
        axes[0, column].imshow(gray[column, 0], cmap="gray", vmin=0, vmax=1)
        axes[1, column].imshow(guessed[column].transpose(1, 2, 0))
        axes[2, column].imshow(target[column].transpose(1, 2, 0))
    for row, title in enumerate(("gray", "guessed", "true")):
        axes[row, 0].set_title(title, fontsize=8, loc="left")
    for one in axes.flat:
        one.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> tuple[float, float]:
    """Run the program; returns the error of the guessed colors, and that of guessing the mean color of each pixel."""
    parser = argparse.ArgumentParser(prog="python -m examples.colorization", description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=10, help="how often to go through the data (10)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the picture (out)")
    options = parser.parse_args(arguments)
    images, labels = nn.data.digits()
    gray = images.repeat(2, axis=2).repeat(2, axis=3)
    parts = nn.data.split(gray, colored(gray, labels), labels, fraction=0.2, stratify=labels, rng=0)
    x, x_test, y, y_test, _, labels_test = parts
    model = UNet(np.random.default_rng(0))
    optimizer = optim.Adam(model.parameters())
    batches = Batches(x, y, batch_size=32, rng=0)
    with threadpool_limits(1):
        history = optim.fit(
            model,
            F.binary_cross_entropy_with_logits,
            optimizer,
            batches,
            options.epochs,
            validation=Batches(x_test, y_test, batch_size=120, shuffle=False),
            callbacks=[optim.OneCycleLR(optimizer, 1e-2, len(batches) * options.epochs)],
            metrics={"error": error},
            progress="U-Net",
        )
        one_of_each = [int(np.flatnonzero(labels_test == digit)[0]) for digit in range(10)]
        draw(model, x_test[one_of_each], y_test[one_of_each], options.out / "colorization.png")
    found, baseline = history["val_error"][-1], float(np.abs(y_test - y.mean(axis=0)).mean())
    print(
        f"U-Net: mean error of a test image's colors {found:.3f} (the mean image: {baseline:.3f}) after "
        f"{options.epochs} epochs, {sum(history['seconds']):.0f} s; picture in {options.out}/colorization.png"
    )
    return found, baseline


if __name__ == "__main__":
    main()

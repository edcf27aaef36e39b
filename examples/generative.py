"""Draw digits: an autoencoder, a variational autoencoder and a generative adversarial network (row F9 of the lecture).

`python -m examples.generative` trains them on the 1,797 digits of 8 x 8 pixels that ship with scikit-learn, a fifth of
them held out, and writes the images that they make to out/. How good drawn images are is printed: how far they are
from the nearest digit that was learned from, beside how far digits are that were held out, and which share of them
each of the ten digits has.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

import nn
import nn.functional as F
import optim
from autograd import split
from examples.digits import new_figure
from nn.data import Batches

PIXELS = 64
BATCH = 64
DEVIATION = 0.2
"""By how much the variational autoencoder lets a pixel deviate: less leaves more to the code, 1 makes all gray."""


def data() -> tuple[Any, Any, Any]:
    """Return digits to learn from (N, 64), their labels, and those held out."""
    images, labels = nn.data.digits()
    x, held_out, y, _ = nn.data.split(images.reshape(-1, PIXELS), labels, fraction=0.2, stratify=labels, rng=0)
    return x, y, held_out


# --- Autoencoder -------------------------------------------------------------------------------------------


class Autoencoder(nn.Module):
    """An encoder from 64 pixels to a short code, and a decoder back.

    Args:
        size: length of the code.
        rng: generator or seed.

    Source: Hinton and Salakhutdinov, Science 313 (2006).
    """

    def __init__(self, size: int = 8, *, rng: Any = None) -> None:
        rng = np.random.default_rng(rng)
        self.encoder = nn.Sequential(nn.Dense(PIXELS, 128, rng=rng), nn.ReLU(), nn.Dense(128, size, rng=rng))
        self.decoder = nn.Sequential(nn.Dense(size, 128, rng=rng), nn.ReLU(), nn.Dense(128, PIXELS, rng=rng))

    def forward(self, x: Any) -> Any:
        """Return what is left of x (N, 64)."""
        return F.sigmoid(self.decoder(self.encoder(x)))


def autoencoder(out: Path, epochs: int = 100) -> float:
    """Train the autoencoder; returns the mean square error of a pixel on held-out digits."""
    x, _, held_out = data()
    model = Autoencoder(rng=0)
    history = fit(model, F.mse_loss, x, held_out, epochs, "autoencoder")
    restored = optim.predict(model, held_out)
    error = float(np.square(restored - held_out).mean())
    print(
        f"Autoencoder: 8 numbers in place of 64 pixels leave a root mean square error of {error**0.5:.3f} on "
        f"{len(held_out)} digits held out (8 principal components: {principal_components(x, held_out, 8) ** 0.5:.3f}); "
        f"{sum(history['seconds']):.0f} s"
    )
    rows = np.concatenate([half for i in (0, 16) for half in (held_out[i : i + 16], restored[i : i + 16])])
    draw(rows, out / "autoencoder.png", "Digits held out; below each what the autoencoder makes of it")
    curves = {"training": history["loss"], "held out": history["val_loss"]}
    draw_losses(curves, out / "autoencoder_loss.png", "epoch", "mean square error")
    return error


def principal_components(x: Any, held_out: Any, count: int) -> float:
    """Return the mean square error of the best linear code of that length."""
    mean = x.mean(axis=0)
    axes = np.linalg.svd(x - mean, full_matrices=False)[2][:count]
    centred = held_out - mean
    return float(np.square(centred - centred @ axes.T @ axes).mean())


# --- Variational autoencoder -------------------------------------------------------------------------------


class VariationalAutoencoder(nn.Module):
    """An autoencoder whose code is a normal distribution, pulled towards N(0, 1): codes drawn from that give digits.

    Args:
        size: length of the code.
        rng: generator or seed, also for the codes drawn while training.

    Source: Kingma and Welling, "Auto-encoding variational Bayes", arXiv:1312.6114.
    """

    def __init__(self, size: int = 8, *, rng: Any = None) -> None:
        self.rng = np.random.default_rng(rng)
        self.size = size
        self.encoder = nn.Sequential(
            nn.Dense(PIXELS, 256, rng=self.rng), nn.ReLU(), nn.Dense(256, 2 * size, rng=self.rng)
        )
        self.decoder = nn.Sequential(
            nn.Dense(size, 256, rng=self.rng), nn.ReLU(), nn.Dense(256, PIXELS, rng=self.rng), nn.Sigmoid()
        )

    def forward(self, x: Any) -> tuple[Any, Any, Any]:
        """Return the pixels (N, 64), and mean and log variance of the codes (N, size)."""
        mean, log_variance = split(self.encoder(x), 2, axis=-1)
        noise = self.rng.standard_normal(mean.shape, dtype=np.float32)
        return self.decoder(mean + np.exp(log_variance / 2) * noise), mean, log_variance

    def sample(self, count: int, rng: Any = None) -> Any:
        """Return images (count, 64) from codes drawn from N(0, 1)."""
        codes = np.random.default_rng(rng).standard_normal((count, self.size), dtype=np.float32)
        return optim.predict(self.decoder, codes)


def negative_bound(outputs: tuple[Any, Any, Any], x: Any) -> Any:
    """Return the bound on -log p(x), in nats an image: the pixels' log density and the codes' divergence."""
    pixels, mean, log_variance = outputs
    missed = F.gaussian_nll_loss(pixels, x, np.float32(DEVIATION**2), full=True, reduction="sum")
    return (missed + F.gaussian_kl(mean, log_variance).sum()) / len(x)


def variational_autoencoder(out: Path, epochs: int = 150) -> Any:
    """Train the variational autoencoder; returns images that it draws (1000, 64)."""
    x, labels, held_out = data()
    model = VariationalAutoencoder(rng=0)
    history = fit(model, negative_bound, x, held_out, epochs, "variational autoencoder")
    samples = model.sample(1000, rng=1)
    print(
        f"Variational autoencoder: log p >= {-history['val_loss'][-1]:.1f} nats for a digit held out; "
        f"{quality(samples, x, labels, held_out)}; {sum(history['seconds']):.0f} s"
    )
    draw(samples[:80], out / "vae.png", "Drawn by the variational autoencoder")
    curves = {"training": history["loss"], "held out": history["val_loss"]}
    draw_losses(curves, out / "vae_loss.png", "epoch", "bound in nats")
    return samples


def fit(model: nn.Module, loss: Any, x: Any, held_out: Any, epochs: int, title: str) -> optim.History:
    """Train a model that is to return its input, with Adam, the rate rising and falling again."""
    batches = Batches(x, x, batch_size=BATCH, rng=0)
    optimizer = optim.Adam(model.parameters(), lr=4e-3)
    schedule = optim.OneCycleLR(optimizer, 4e-3, len(batches) * epochs)
    test = Batches(held_out, held_out, batch_size=500, shuffle=False)
    return optim.fit(model, loss, optimizer, batches, epochs, validation=test, callbacks=[schedule], progress=title)


# --- Generative adversarial network ------------------------------------------------------------------------


class Adversaries:
    """A generator that makes images from noise, and a discriminator that tells them from digits.

    Args:
        noise: length of the noise.
        rng: generator or seed, also for the noise.

    Source: Goodfellow et al., arXiv:1406.2661; Adam's b1 and batch normalization: Radford et al., arXiv:1511.06434;
    digits counted as real to 0.9: Salimans et al., arXiv:1606.03498.
    """

    def __init__(self, noise: int = 16, *, rng: Any = None) -> None:
        rng = self.rng = np.random.default_rng(rng)
        self.noise = noise
        self.generator = nn.Sequential(
            *(nn.Dense(noise, 128, rng=rng), nn.BatchNorm(128), nn.ReLU()),
            *(nn.Dense(128, 256, rng=rng), nn.BatchNorm(256), nn.ReLU()),
            *(nn.Dense(256, PIXELS, rng=rng), nn.Sigmoid()),
        )
        self.discriminator = nn.Sequential(
            *(nn.Dense(PIXELS, 256, rng=rng), nn.LeakyReLU(0.2), nn.Dropout(0.3, rng=rng)),
            *(nn.Dense(256, 128, rng=rng), nn.LeakyReLU(0.2), nn.Dropout(0.3, rng=rng)),
            nn.Dense(128, 1, rng=rng),
        )
        self.optimizers = [
            optim.Adam(model.parameters(), lr=5e-4, betas=(0.5, 0.999))
            for model in (self.generator, self.discriminator)
        ]

    def step(self, real: Any) -> tuple[float, float]:
        """Let the discriminator learn from digits (N, 64) and as many forgeries, then the generator from it.

        Returns:
            The losses of generator and discriminator.
        """
        for_generator, for_discriminator = self.optimizers
        forged = self.generator(self.draw_noise(len(real)))
        judged = self.discriminator(real), self.discriminator(forged.detach())
        caught = _judgement(judged[0], 0.9) + _judgement(judged[1], 0.0)
        for_discriminator.zero_grad()
        caught.backward()
        for_discriminator.step()
        believed = _judgement(self.discriminator(forged), 1.0)
        for_generator.zero_grad()
        believed.backward()
        for_generator.step()
        return believed.item(), caught.item()

    def draw_noise(self, count: int) -> Any:
        """Return noise (count, noise)."""
        return self.rng.standard_normal((count, self.noise), dtype=np.float32)

    def sample(self, count: int) -> Any:
        """Return images (count, 64)."""
        return optim.predict(self.generator, self.draw_noise(count))


def _judgement(logits: Any, truth: float) -> Any:
    return F.binary_cross_entropy_with_logits(logits, np.full(logits.shape, truth, np.float32))


def adversarial_network(out: Path, epochs: int = 200) -> Any:
    """Train generator and discriminator; returns images that the generator draws (1000, 64)."""
    from tqdm import tqdm

    x, labels, held_out = data()
    started = time.perf_counter()
    network = Adversaries(rng=0)
    batches = Batches(x, batch_size=BATCH, drop_last=True, rng=0)
    losses = []
    for _ in (bar := tqdm(range(epochs), desc="adversarial network", unit="epoch", ncols=100)):
        losses.append(np.mean([network.step(real) for (real,) in batches], axis=0))
        bar.set_postfix_str("generator {:.3f}, discriminator {:.3f}".format(*losses[-1]), refresh=False)
    seconds = time.perf_counter() - started
    samples = network.sample(1000)
    print(f"Generative adversarial network: {quality(samples, x, labels, held_out)}; {seconds:.0f} s")
    draw(samples[:80], out / "gan.png", "Drawn by the generator")
    curves = dict(zip(("generator", "discriminator"), np.transpose(losses), strict=True))
    draw_losses(curves, out / "gan_loss.png", "epoch", "cross-entropy")
    return samples


# --- How good, and how it looks ----------------------------------------------------------------------------


def nearest(images: Any, x: Any) -> tuple[Any, Any]:
    """Return for each image (N, 64) which of the digits x is nearest, and how far it is."""
    squares = np.square(images).sum(axis=1)[:, None] - 2 * images @ x.T + np.square(x).sum(axis=1)
    chosen = squares.argmin(axis=1)
    return chosen, np.sqrt(np.maximum(squares[np.arange(len(images)), chosen], 0))


def quality(samples: Any, x: Any, labels: Any, held_out: Any) -> str:
    """Say how far images are from digits, and how often each digit is among them."""
    chosen, distances = nearest(samples, x)
    shares = np.bincount(labels[chosen], minlength=10) / len(samples)
    return (
        f"its images are {np.median(distances):.2f} from the nearest digit learned from (digits held out "
        f"{np.median(nearest(held_out, x)[1]):.2f}), each digit has {shares.min():.0%} to {shares.max():.0%} of them"
    )


def draw(images: Any, path: Path, title: str) -> None:
    """Draw images (N, 64) in rows of 16."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = -(-len(images) // 16)
    figure, axes = new_figure(rows, 16, width=8, height=0.5 * rows + 0.4)
    for one, image in zip(axes.flat, images, strict=True):
        one.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        one.axis("off")
    figure.suptitle(title, fontsize=9)
    figure.savefig(path)
    print(f"  pictures: {path} and {path.stem}_loss.png")


def draw_losses(curves: dict[str, Any], path: Path, x_label: str, y_label: str) -> None:
    """Draw losses against the epoch."""
    figure, axes = new_figure(1, 1, width=6.4, height=4.2)
    for name, values in curves.items():
        axes.plot(np.arange(1, len(values) + 1), values, label=name)
    axes.set(xlabel=x_label, ylabel=y_label, title=f"{y_label.capitalize()} against {x_label}")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


PROGRAMS = {"autoencoder": autoencoder, "vae": variational_autoencoder, "gan": adversarial_network}


def main(arguments: list[str] | None = None) -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.generative", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("model", nargs="?", choices=[*PROGRAMS], help="only this one")
    parser.add_argument("--epochs", type=int, help="how often to go through the data (100, 150, 200)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the pictures (out)")
    options = parser.parse_args(arguments)
    epochs = {} if options.epochs is None else {"epochs": options.epochs}
    for name, program in PROGRAMS.items():
        if options.model in (None, name):
            program(options.out, **epochs)


if __name__ == "__main__":
    main()

"""examples/generative.py, shortened: row F9 of the lecture."""

import numpy as np
import pytest

import autograd
from examples import generative

PNG = b"\x89PNG"


def pictures(directory):
    return sorted(path.name for path in directory.iterdir() if path.read_bytes().startswith(PNG))


def judged(samples):
    """Return the median distance to the nearest digit, and the smallest share that a digit has."""
    x, labels, _ = generative.data()
    assert samples.shape == (1000, 64)
    assert 0 <= samples.min() < samples.max() <= 1
    chosen, distances = generative.nearest(samples, x)
    return np.median(distances), np.bincount(labels[chosen], minlength=10).min() / len(samples)


def test_F9_autoencoder_beats_principal_components(tmp_path, capsys):
    x, _, held_out = generative.data()
    error = generative.autoencoder(tmp_path, epochs=20)
    assert error < 0.9 * generative.principal_components(x, held_out, 8)
    assert pictures(tmp_path) == ["autoencoder.png", "autoencoder_loss.png"]
    assert f"root mean square error of {error**0.5:.3f} on 359 digits" in capsys.readouterr().out


def test_F9_variational_autoencoder_draws_digits(tmp_path, capsys):
    distance, share = judged(generative.variational_autoencoder(tmp_path, epochs=20))
    assert distance < 1.5  # digits held out 1.03, pixels shuffled among the digits 2.16
    assert share > 0.03
    assert pictures(tmp_path) == ["vae.png", "vae_loss.png"]
    assert f"its images are {distance:.2f} from the nearest" in capsys.readouterr().out


def test_F9_adversarial_network_draws_digits(tmp_path, capsys):
    distance, share = judged(generative.adversarial_network(tmp_path, epochs=20))
    assert distance < 1.75
    assert share > 0.02
    assert pictures(tmp_path) == ["gan.png", "gan_loss.png"]
    assert f"its images are {distance:.2f} from the nearest" in capsys.readouterr().out


def test_F9_the_discriminator_teaches_the_generator_only():
    network, (x, *_) = generative.Adversaries(rng=0), generative.data()
    before = [model.state_dict() for model in (network.generator, network.discriminator)]
    believed, caught = network.step(x[:64])
    after = [model.state_dict() for model in (network.generator, network.discriminator)]
    assert all(not np.array_equal(old["0.weight"], new["0.weight"]) for old, new in zip(before, after, strict=True))
    assert believed > 0
    assert caught > 0
    # Adam's first step is of the learning rate's size, one for each model.
    for old, new in zip(before, after, strict=True):
        assert np.abs(new["0.weight"] - old["0.weight"]).max() == pytest.approx(5e-4, rel=0.01)


def test_F9_the_bound_is_the_formula():
    x = np.random.default_rng(0).random((3, 64))
    pixels, mean, log_variance = (
        np.random.default_rng(seed).normal(size=s) for seed, s in enumerate([(3, 64), (3, 2), (3, 2)])
    )
    var = 0.2**2
    density = -0.5 * np.log(2 * np.pi * var) - np.square(x - pixels) / (2 * var)
    divergence = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    expected = (divergence.sum() - density.sum()) / 3
    outputs = tuple(autograd.Tensor(a, requires_grad=True) for a in (pixels, mean, log_variance))
    assert generative.negative_bound(outputs, x).item() == pytest.approx(expected, rel=1e-6)


def test_nearest_is_the_plain_search():
    rng = np.random.default_rng(0)
    images, x = rng.random((5, 64)), rng.random((7, 64))
    chosen, distances = generative.nearest(images, x)
    plain = np.array([[np.linalg.norm(a - b) for b in x] for a in images])
    assert chosen.tolist() == plain.argmin(axis=1).tolist()
    np.testing.assert_allclose(distances, plain.min(axis=1))


def test_the_program_runs_what_it_is_told(tmp_path, capsys):
    generative.main(["autoencoder", "--epochs", "1", "--out", str(tmp_path)])
    assert pictures(tmp_path) == ["autoencoder.png", "autoencoder_loss.png"]
    assert capsys.readouterr().out.startswith("Autoencoder: 8 numbers")

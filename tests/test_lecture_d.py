"""Rows D1 to D10 of the lecture: losses, to the digits given."""

from __future__ import annotations

import math

import numpy as np
import pytest

import nn
import nn.functional as F
import optim
from autograd import Tensor
from nn.data import Batches

from .finite import check

RNG = np.random.default_rng(0)
F_, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
"""What a model says, and what is right."""
LOGITS = RNG.normal(size=(6, 4)) * 2
LABELS = np.array([0, 3, 1, 1, 2, 0])


def tracked(value):
    return Tensor(value, requires_grad=True)


def bar(loss, f):
    """Return the loss and its derivative by f."""
    f = tracked(f)
    value = loss(f)
    value.backward()
    return value.item(), f.grad


# --- Regression ------------------------------------------------------------------------------------------------


def test_D1_half_squared_error_has_the_residual_as_bar():
    value, fbar = bar(lambda f: F.half_squared_error(f, Y, reduction="sum"), F_)
    assert value == pytest.approx(((Y - F_) ** 2).sum() / 2)
    np.testing.assert_allclose(fbar, F_ - Y, atol=1e-15)
    assert F.half_squared_error(Tensor(0.92414182), 1.0).item() == pytest.approx(0.00287723, abs=5e-9)


def test_D2_mean_squared_error():
    value, fbar = bar(lambda f: F.mse_loss(f, Y), F_)
    assert value == pytest.approx(((Y - F_) ** 2).mean())
    np.testing.assert_allclose(fbar, 2 * (F_ - Y) / F_.size, atol=1e-15)


def test_D3_mean_absolute_error():
    value, fbar = bar(lambda f: F.l1_loss(f, Y), F_)
    assert value == pytest.approx(np.abs(Y - F_).mean())
    np.testing.assert_allclose(fbar, np.sign(F_ - Y) / F_.size, atol=1e-15)
    assert bar(lambda f: F.l1_loss(f, np.zeros(2)), np.zeros(2))[1].tolist() == [0, 0]


def test_D5_the_loss_of_a_mini_batch_is_the_mean_over_its_examples():
    w = tracked(RNG.normal(size=(3, 2)))
    x, y = RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2))
    losses, gradients = [], []
    for one in range(8):
        w.grad = None
        loss = F.mse_loss(x[one : one + 1] @ w, y[one : one + 1])
        loss.backward()
        losses.append(loss.item())
        gradients.append(w.grad)
    w.grad = None
    whole = F.mse_loss(x @ w, y)
    whole.backward()
    assert whole.item() == pytest.approx(np.mean(losses))
    np.testing.assert_allclose(w.grad, np.mean(gradients, axis=0), rtol=1e-12)


# --- Classification --------------------------------------------------------------------------------------------


def test_D4_binary_cross_entropy_from_probabilities_and_from_logits():
    z, t = LOGITS[:, 0], np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    p = 1 / (1 + np.exp(-z))
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    np.testing.assert_allclose(F.binary_cross_entropy(Tensor(p), t, reduction="none").data, expected, rtol=1e-12)
    logits_form = F.binary_cross_entropy_with_logits(Tensor(z), t, reduction="none")
    np.testing.assert_allclose(logits_form.data, expected, rtol=1e-12)
    _, zbar = bar(lambda z: F.binary_cross_entropy_with_logits(z, t, reduction="sum"), z)
    np.testing.assert_allclose(zbar, p - t, atol=1e-15)
    _, zbar = bar(lambda z: F.binary_cross_entropy(F.sigmoid(z), t, reduction="sum"), z)
    np.testing.assert_allclose(zbar, p - t, atol=1e-13)


def test_D4_from_logits_no_input_is_too_large():
    value, zbar = bar(lambda z: F.binary_cross_entropy_with_logits(z, np.array([1.0, 0.0])), [-1000.0, 1000.0])
    assert value == 1000
    assert zbar.tolist() == [-0.5, 0.5]


def test_D6_categorical_cross_entropy_is_the_negative_log_likelihood():
    p = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    expected = -np.log(p[np.arange(6), LABELS])
    one_hot = F.one_hot(LABELS, 4, dtype=np.float64)
    for loss in (
        F.cross_entropy(Tensor(LOGITS), LABELS, reduction="none"),
        F.cross_entropy(Tensor(LOGITS), one_hot, reduction="none"),
        F.nll_loss(F.log_softmax(Tensor(LOGITS)), LABELS, reduction="none"),
        -(one_hot * np.log(F.softmax(Tensor(LOGITS)))).sum(axis=1),
    ):
        np.testing.assert_allclose(loss.data, expected, rtol=1e-12)


def test_D7_gaussian_likelihood_is_the_squared_error_up_to_a_constant():
    """-log N(y; f, sigma^2), the density's constant being 1 / sqrt(2 pi sigma^2)."""
    sigma = 0.7
    density = np.exp(-((Y - F_) ** 2) / (2 * sigma**2)) / np.sqrt(2 * np.pi * sigma**2)
    loss = F.gaussian_nll_loss(Tensor(F_), Y, np.full_like(F_, sigma**2), full=True, reduction="sum")
    assert loss.item() == pytest.approx(-np.log(density).sum())
    squared = ((Y - F_) ** 2).sum() / (2 * sigma**2)
    assert loss.item() - squared == pytest.approx(F_.size * math.log(2 * math.pi * sigma**2) / 2)
    assert F.gaussian_nll_loss(Tensor(F_), Y, np.ones_like(F_)).item() == pytest.approx(
        F.half_squared_error(Tensor(F_), Y).item()
    )


def test_D7_bernoulli_likelihood_is_the_binary_cross_entropy():
    p, t = np.array([0.2, 0.9, 0.5]), np.array([0.0, 1.0, 1.0])
    likelihood = np.prod(p**t * (1 - p) ** (1 - t))
    assert F.binary_cross_entropy(Tensor(p), t, reduction="sum").item() == pytest.approx(-np.log(likelihood))


def test_D7_multinoulli_likelihood_is_the_cross_entropy():
    likelihood = np.prod(F.softmax(Tensor(LOGITS)).data ** np.eye(4)[LABELS])
    assert F.cross_entropy(Tensor(LOGITS), LABELS, reduction="sum").item() == pytest.approx(-np.log(likelihood))


def test_D8_softmax_cross_entropy_of_three_scores():
    scores = np.array([[3.2, 5.1, -1.7]])
    np.testing.assert_allclose(F.softmax(Tensor(scores)).data, [[0.1300, 0.8690, 0.0010]], atol=0.51e-4)
    value, zbar = bar(lambda z: F.cross_entropy(z, [0]), scores)
    assert value == pytest.approx(2.0404, abs=0.51e-4)
    np.testing.assert_allclose(zbar, [[0.1300 - 1, 0.8690, 0.0010]], atol=0.51e-4)


# --- Output units, a loss of one's own -------------------------------------------------------------------------

UNITS = {
    "linear": (lambda z: z, F.half_squared_error, Y[:, :3]),
    "sigmoid": (F.sigmoid, F.binary_cross_entropy, np.eye(3)[LABELS % 3]),
    "softmax": (F.softmax, lambda y, t, reduction: -(t * np.log(y)).sum(), np.eye(3)[LABELS % 3]),
}


@pytest.mark.parametrize("name", UNITS)
def test_D9_an_output_unit_with_the_loss_of_its_likelihood_has_the_residual_as_bar(name):
    unit, loss, t = UNITS[name]
    _, zbar = bar(lambda z: loss(unit(z), t, reduction="sum"), F_)
    np.testing.assert_allclose(zbar, unit(Tensor(F_)).data - t, atol=1e-13)


def test_D9_a_sigmoid_with_the_squared_error_saturates():
    """Wrong by almost 1, and hardly any bar: why the loss has to fit the unit."""
    _, zbar = bar(lambda z: F.half_squared_error(F.sigmoid(z), 1.0), -10.0)
    assert -1e-4 < zbar < 0
    _, zbar = bar(lambda z: F.binary_cross_entropy_with_logits(z, 1.0), -10.0)
    assert zbar == pytest.approx(-1, abs=1e-4)


def huber(f, y, delta=1.0):
    """A user's loss: squared near 0, straight beyond."""
    distance = abs(f - y)
    return np.where(distance < delta, distance**2 / 2, delta * (distance - delta / 2)).mean()


def test_D10_a_loss_written_by_the_user():
    check(lambda f: huber(f, 3 * Y), [F_])
    x = np.linspace(-1, 1, 40, dtype=np.float32)[:, None]
    y = 2 * x - 0.5
    y[::8] += 30  # outliers
    slopes = {}
    for loss in (huber, F.mse_loss):
        model = nn.Dense(1, 1, rng=0)
        optim.fit(model, loss, optim.Adam(model.parameters(), lr=0.1), Batches(x, y, rng=0), 150, progress=False)
        slopes[loss] = abs(model.bias.data[0] + 0.5)
    assert slopes[huber] < 0.3 < 3 < slopes[F.mse_loss]

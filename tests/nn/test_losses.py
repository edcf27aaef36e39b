"""Losses: the lecture's rows D1 to D10, agreement with PyTorch, warnings and bad input."""

import math

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare, values

# --- Rows of the lecture -----------------------------------------------------------------------------------


def test_d1_half_squared_error():
    y = Tensor([3.0, -1.0], requires_grad=True)
    loss = F.half_squared_error(y, np.array([1.0, 1.0]), reduction="sum")
    loss.backward()
    assert loss.item() == 4
    assert y.grad.tolist() == [2.0, -2.0]


def test_d2_mean_squared_error():
    assert F.mse_loss(np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 1.0])) == pytest.approx(13 / 3)


def test_d3_mean_absolute_error():
    assert F.l1_loss(np.array([1.0, 2.0, 4.0]), np.array([1.0, 0.0, 5.0])) == pytest.approx(1)


def test_d4_binary_cross_entropy_from_probabilities_and_from_logits():
    z, t = values(8, low=-4, high=4), (np.arange(8) % 2).astype(float)
    p = 1 / (1 + np.exp(-z))
    expected = -np.where(t == 1, np.log(p), np.log(1 - p))
    np.testing.assert_allclose(F.binary_cross_entropy(p, t, reduction="none"), expected)
    np.testing.assert_allclose(F.binary_cross_entropy_with_logits(z, t, reduction="none"), expected)


def test_d4_extremes_are_finite():
    certain = F.binary_cross_entropy(np.array([0.0, 1.0]), np.array([0.0, 1.0]), reduction="none")
    assert certain.tolist() == [0.0, 0.0]
    assert np.isfinite(F.binary_cross_entropy(np.array([0.0]), np.array([1.0])))
    z = Tensor([1000.0, -1000.0], requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(z, np.array([0.0, 0.0]), reduction="none")
    assert loss.data.tolist() == [1000.0, 0.0]
    loss.sum().backward()
    assert z.grad.tolist() == [1.0, 0.0]


def test_d5_the_loss_of_a_mini_batch_is_the_mean_and_so_is_its_gradient():
    w = Tensor(values(3), requires_grad=True)
    x, t = values(5, 3), values(5, seed=1)
    (mean_bar,) = autograd.grad(F.mse_loss(x @ w, t), [w])
    bars = [autograd.grad(F.mse_loss((x[i : i + 1] @ w), t[i : i + 1]), [w])[0] for i in range(5)]
    np.testing.assert_allclose(mean_bar, np.mean(bars, axis=0))


def test_d6_cross_entropy_is_nll_from_indices_and_from_one_hot():
    logits, labels = values(6, 4), np.array([0, 1, 2, 3, 0, 2])
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.log(p[np.arange(6), labels])
    np.testing.assert_allclose(F.cross_entropy(logits, labels, reduction="none"), expected)
    hot = F.one_hot(labels, 4, dtype=float)
    np.testing.assert_allclose(F.cross_entropy(logits, hot, reduction="none"), expected)
    np.testing.assert_allclose(F.nll_loss(F.log_softmax(logits, axis=1), labels, reduction="none"), expected)


def test_d7_gaussian_likelihood_is_squared_error_up_to_a_constant():
    x, t = values(9), values(9, seed=1)
    nll = F.gaussian_nll_loss(x, t, np.ones(9), full=True, reduction="none")
    np.testing.assert_allclose(nll - F.half_squared_error(x, t, reduction="none"), 0.5 * math.log(2 * math.pi))
    density = np.exp(-((x - t) ** 2) / (2 * 0.49)) / np.sqrt(2 * math.pi * 0.49)
    nll = F.gaussian_nll_loss(x, t, np.full(9, 0.49), full=True, reduction="none")
    np.testing.assert_allclose(nll, -np.log(density))


def test_d7_bernoulli_likelihood_is_binary_cross_entropy():
    p, t = values(7, low=0.05, high=0.95), (np.arange(7) % 2).astype(float)
    np.testing.assert_allclose(F.binary_cross_entropy(p, t, reduction="none"), -np.log(p**t * (1 - p) ** (1 - t)))


def test_d7_multinoulli_likelihood_is_cross_entropy():
    logits, labels = values(5, 3), np.array([2, 0, 1, 1, 2])
    p = np.exp(F.log_softmax(logits, axis=1))
    likelihood = np.prod(p ** F.one_hot(labels, 3), axis=1)
    np.testing.assert_allclose(F.cross_entropy(logits, labels, reduction="none"), -np.log(likelihood))


def test_d8_softmax_cross_entropy_of_the_lectures_scores():
    scores = np.array([[3.2, 5.1, -1.7]])
    assert [f"{p:.4f}" for p in F.softmax(scores)[0]] == ["0.1300", "0.8690", "0.0010"]
    assert f"{F.cross_entropy(scores, [0]):.4f}" == "2.0404"


@pytest.mark.parametrize(
    ("unit", "loss", "target"),
    [
        (lambda z: z, F.half_squared_error, np.array([0.3, -1.0])),
        (F.sigmoid, F.binary_cross_entropy, np.array([0.0, 1.0])),
        (F.softmax, lambda y, t, reduction: -(t * np.log(y)).sum(), np.array([0.0, 1.0])),
    ],
    ids=["linear", "sigmoid", "softmax"],
)
def test_d9_each_output_unit_with_its_loss_has_the_residual_as_bar(unit, loss, target):
    z = Tensor([0.7, -0.4], requires_grad=True)
    y = unit(z)
    loss(y, target, reduction="sum").backward()
    np.testing.assert_allclose(z.grad, y.data - target, rtol=1e-12)


def test_d10_a_loss_written_by_the_user():
    def log_cosh(x, target):
        return np.log(np.cosh(x - target)).mean()

    x = Tensor([0.5, -2.0], requires_grad=True)
    log_cosh(x, np.zeros(2)).backward()
    np.testing.assert_allclose(x.grad, np.tanh(x.data) / 2)


# --- Against PyTorch ---------------------------------------------------------------------------------------


def torch_functional():
    return pytest.importorskip("torch", reason="PyTorch is the oracle here").nn.functional


REDUCTIONS = ["mean", "sum", "none"]


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss"])
def test_regression_losses_agree_with_torch(name, reduction):
    theirs = getattr(torch_functional(), name)
    arrays = [values(4, 3), values(4, 3, seed=1)]
    compare(
        lambda x, t: getattr(F, name)(x, t, reduction=reduction), lambda x, t: theirs(x, t, reduction=reduction), arrays
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("full", [True, False])
def test_gaussian_nll_agrees_with_torch(reduction, full):
    theirs = torch_functional().gaussian_nll_loss
    arrays = [values(4, 3), values(4, 3, seed=1), values(4, 3, low=0.5, high=2, seed=2)]
    compare(
        lambda *a: F.gaussian_nll_loss(*a, full=full, reduction=reduction),
        lambda *a: theirs(*a, full=full, reduction=reduction),
        arrays,
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_binary_cross_entropy_agrees_with_torch(reduction):
    theirs, torch = torch_functional(), pytest.importorskip("torch")
    target, weight = values(5, 2, low=0, high=1, seed=1), values(2, low=0.5, high=2)
    pair = {"target": target, "weight": weight}
    other = {name: torch.tensor(a) for name, a in pair.items()}
    compare(
        lambda p: F.binary_cross_entropy(p, **pair, reduction=reduction),
        lambda p: theirs.binary_cross_entropy(p, **other, reduction=reduction),
        [values(5, 2, low=0.1, high=0.9)],
    )
    factor = np.array([0.5, 3.0])
    compare(
        lambda z: F.binary_cross_entropy_with_logits(z, **pair, pos_weight=factor, reduction=reduction),
        lambda z: theirs.binary_cross_entropy_with_logits(
            z, **other, pos_weight=torch.tensor(factor), reduction=reduction
        ),
        [values(5, 2, low=-30, high=30)],
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2), (2, 4, 2, 3)])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("soft", [False, True])
def test_cross_entropy_agrees_with_torch(reduction, shape, smoothing, weighted, soft):
    theirs, torch = torch_functional(), pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    weight = rng.uniform(0.5, 2, 4) if weighted else None
    target = rng.dirichlet(np.ones(4), (shape[0], *shape[2:])) if soft else rng.integers(0, 4, (shape[0], *shape[2:]))
    target = np.moveaxis(target, -1, 1) if soft else target
    options = {"label_smoothing": smoothing, "reduction": reduction}
    compare(
        lambda z: F.cross_entropy(z, target, weight=weight, **options),
        lambda z: theirs.cross_entropy(
            z, torch.tensor(target), weight=None if weight is None else torch.tensor(weight), **options
        ),
        [values(*shape, low=-5, high=5)],
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2)])
def test_nll_agrees_with_torch(reduction, weighted, shape):
    theirs, torch = torch_functional(), pytest.importorskip("torch")
    weight = np.array([0.5, 1.0, 2.0, 0.1]) if weighted else None
    labels = np.random.default_rng(0).integers(0, 4, (shape[0], *shape[2:]))
    compare(
        lambda x: F.nll_loss(x, labels, weight=weight, reduction=reduction),
        lambda x: theirs.nll_loss(
            x, torch.tensor(labels), weight=None if weight is None else torch.tensor(weight), reduction=reduction
        ),
        [values(*shape)],
    )


def test_gaussian_kl_agrees_with_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")

    def theirs(mean, log_variance):
        normal = torch.distributions.Normal
        return torch.distributions.kl_divergence(normal(mean, (log_variance / 2).exp()), normal(0.0, 1.0))

    compare(F.gaussian_kl, theirs, [values(3, 2), values(3, 2, seed=1)])


MODULES = [
    (nn.MSELoss(), F.mse_loss, {}),
    (nn.L1Loss(reduction="sum"), F.l1_loss, {"reduction": "sum"}),
    (nn.BCEWithLogitsLoss(pos_weight=2.0), F.binary_cross_entropy_with_logits, {"pos_weight": 2.0}),
    (nn.CrossEntropyLoss(label_smoothing=0.2), F.cross_entropy, {"label_smoothing": 0.2}),
    (nn.CrossEntropyLoss(np.ones(3), reduction="none"), F.cross_entropy, {"reduction": "none"}),
]


@pytest.mark.parametrize(("module", "function", "options"), MODULES)
def test_a_loss_module_does_what_its_function_does(module, function, options):
    x, t = values(4, 3), np.full((4, 3), 1 / 3)
    np.testing.assert_allclose(module(x, t), function(x, t, **options))


def test_further_loss_modules():
    p, labels = values(4, 3, low=0.1, high=0.9), np.array([0, 1, 2, 0])
    assert nn.BCELoss()(p, p) == F.binary_cross_entropy(p, p)
    assert nn.NLLLoss()(np.log(p), labels) == F.nll_loss(np.log(p), labels)
    assert nn.GaussianNLLLoss()(p, p, np.ones((4, 3))) == 0
    assert nn.GaussianNLLLoss(full=True)(p, p, np.ones((4, 3))) == pytest.approx(np.log(2 * np.pi) / 2)
    weight = np.array([0.5, 1.0, 2.0])
    assert nn.BCELoss(weight)(p, p) == F.binary_cross_entropy(p, p, weight=weight)
    weighted = F.binary_cross_entropy_with_logits(p, p, weight=weight, pos_weight=3.0)
    assert nn.BCEWithLogitsLoss(3.0, weight=weight)(p, p) == weighted


# --- Penalties ---------------------------------------------------------------------------------------------


def test_g14_l1_and_l2_penalties():
    weights = [Tensor([1.0, -2.0], requires_grad=True), Tensor(-3.0, requires_grad=True)]
    assert F.l1_penalty(weights, 0.1).item() == pytest.approx(0.6)
    assert F.l2_penalty(weights, 0.1).item() == pytest.approx(1.4)
    bars = autograd.grad(F.l1_penalty(weights, 0.1), weights)
    assert bars[0].tolist() == [0.1, -0.1]
    bars = autograd.grad(F.l2_penalty(weights, 0.1 / 2), weights)
    assert bars[0].tolist() == pytest.approx([0.1, -0.2])


# --- Warnings and bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "loss", [F.mse_loss, F.l1_loss, F.half_squared_error, F.binary_cross_entropy, F.binary_cross_entropy_with_logits]
)
def test_a_loss_warns_where_shapes_would_broadcast_by_accident(loss):
    with pytest.warns(UserWarning, match=r"prediction has shape \(4, 1\) and the target \(4,\)"):
        loss(np.full((4, 1), 0.5), np.full(4, 0.5))


def test_the_gaussian_loss_warns_too():
    with pytest.warns(UserWarning, match=r"prediction has shape \(4, 1\) and the target \(4,\)"):
        F.gaussian_nll_loss(np.ones((4, 1)), np.ones(4), 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: F.mse_loss(np.ones(2), np.ones(2), reduction="avg"), "got 'avg'"),
        (lambda: nn.MSELoss(reduction="avg"), "got 'avg'"),
        (lambda: F.cross_entropy(np.ones((2, 3)), np.array([0, 3])), r"labels in 0 .. 2"),
        (lambda: F.cross_entropy(np.ones((2, 3)), np.array([0, 3]), label_smoothing=0.1), r"labels in 0 .. 2, got 3"),
        (lambda: F.cross_entropy(np.ones((2, 3)), np.ones((2, 4))), r"got float64 \(2, 4\)"),
        (lambda: F.nll_loss(np.ones((2, 3)), np.array([0, -1])), r"labels in 0 .. 2, got -1"),
        (lambda: F.nll_loss(np.ones((2, 3)), np.array([0])), r"expected labels \(2,\)"),
        (lambda: F.one_hot(np.array([0.5]), 3), "integer labels"),
        (lambda: F.binary_cross_entropy(np.array([1.5]), np.array([1.0])), "are these logits"),
        (lambda: F.gaussian_nll_loss(np.ones(1), np.ones(1), np.zeros(1)), "greater than 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_classes_that_are_masked_out_do_not_spoil_a_weighted_cross_entropy():
    z = Tensor([[0.0, -np.inf, 1.0]], requires_grad=True)
    loss = F.cross_entropy(z, [0], weight=np.ones(3))
    loss.backward()
    assert loss.item() == F.cross_entropy(z.data, [0])
    assert np.isfinite(z.grad).all()

"""Losses as functions, under PyTorch's names where it has them; also in `nn.functional`.

Each takes what the model says, then what is right, and reduces the losses of all elements or examples to their mean
(`reduction="mean"`), their sum ("sum") or not at all ("none"). They compose operations of `autograd`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd import absolute, clip, exp, log, softmax_cross_entropy, softplus, square, take, take_along_axis
from autograd.tensor import raw

# --- Regression --------------------------------------------------------------------------------------------


def mse_loss(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return (x - target)^2, the squared error; warns if the shapes differ.

    Args:
        x: predictions, any shape.
        target: observations, of x's shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another reduction.
    """
    _warn_if_broadcast("mse_loss", x, target)
    return reduce(square(x - target), reduction)


def half_squared_error(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return (x - target)^2 / 2, whose derivative is the residual x - target; warns if the shapes differ.

    Args:
        x: predictions, any shape.
        target: observations, of x's shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another reduction.
    """
    _warn_if_broadcast("half_squared_error", x, target)
    return reduce(square(x - target) / 2, reduction)


def l1_loss(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return |x - target|, the absolute error; warns if the shapes differ.

    Args:
        x: predictions, any shape.
        target: observations, of x's shape.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another reduction.
    """
    _warn_if_broadcast("l1_loss", x, target)
    return reduce(absolute(x - target), reduction)


def gaussian_nll_loss(x: Any, target: Any, variance: Any, *, full: bool = False, reduction: str = "mean") -> Any:
    """Return -log N(target; mean x, variance): (log variance + (x - target)^2 / variance) / 2.

    With a fixed variance this is the squared error over 2 variance, up to a constant.

    Args:
        x: means.
        target: observations, of x's shape.
        variance: positive, of a shape that broadcasts with x.
        full: whether to add the constant log(2 pi) / 2.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: a variance that is not positive.
    """
    _warn_if_broadcast("gaussian_nll_loss", x, target)
    if not (raw(variance) > 0).all():
        raise ValueError("gaussian_nll_loss: expected variances greater than 0")
    losses = (log(variance) + square(x - target) / variance) / 2
    return reduce(losses + math.log(2 * math.pi) / 2 if full else losses, reduction)


def gaussian_kl(mean: Any, log_variance: Any) -> Any:
    """Return the divergence KL(N(mean, variance) || N(0, 1)) of each element: (mean^2 + v - 1 - log v) / 2.

    Args:
        mean: any shape.
        log_variance: log v, of mean's shape.

    Source: Kingma and Welling, "Auto-encoding variational Bayes", arXiv:1312.6114, appendix B.
    """
    return (square(mean) + exp(log_variance) - 1 - log_variance) / 2


# --- Classification ----------------------------------------------------------------------------------------


def binary_cross_entropy(p: Any, target: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    """Return -(t log p + (1 - t) log(1 - p)) in nats, for probabilities p; the Bernoulli negative log-likelihood.

    A probability of exactly 0 or 1 counts as the smallest normal number away from it, and gets no gradient there:
    `binary_cross_entropy_with_logits` has no such edge.

    Args:
        p: probabilities of class 1.
        target: 0, 1, or probabilities between, of p's shape.
        weight: factor for each element, of a shape that broadcasts with p.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: p outside 0 .. 1.
    """
    _warn_if_broadcast("binary_cross_entropy", p, target)
    values = raw(p)
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("binary_cross_entropy: expected probabilities in 0 .. 1; are these logits?")
    smallest = float(np.finfo(values.dtype).tiny)
    losses = -(target * log(clip(p, smallest, 1)) + (1 - target) * log(clip(1 - p, smallest, 1)))
    return reduce(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    z: Any, target: Any, *, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return the binary cross-entropy of sigmoid(z) and the target, exact for any z.

    Args:
        z: logits of class 1.
        target: 0, 1, or probabilities between, of z's shape.
        weight: factor for each element, of a shape that broadcasts with z.
        pos_weight: factor for the part of class 1.
        reduction: "mean", "sum" or "none".
    """
    _warn_if_broadcast("binary_cross_entropy_with_logits", z, target)
    positive = target if pos_weight is None else pos_weight * target
    losses = positive * softplus(-z) + (1 - target) * softplus(z)
    return reduce(losses if weight is None else losses * weight, reduction)


def cross_entropy(
    logits: Any, labels: Any, *, weight: Any = None, label_smoothing: float = 0.0, reduction: str = "mean"
) -> Any:
    """Return -log softmax(logits) at the labels, in nats: the negative log-likelihood of the classes.

    Args:
        logits: (N, classes, ...): unnormalized log-probabilities.
        labels: integers (N, ...), or probabilities of logits' shape that sum to 1 over the classes (one-hot, soft).
        weight: (classes,): factor for the examples of each class; the mean is weighted by it.
        label_smoothing: share s of the probability to spread evenly: labels (1 - s) t + s / classes.
        reduction: "mean" over the examples, "sum" or "none".

    Raises:
        ValueError: labels of another shape, a label outside 0 .. classes - 1, or an unknown reduction.

    Example:
        >>> scores = np.array([[3.2, 5.1, -1.7]])
        >>> print(f"{cross_entropy(scores, [0]):.4f}")
        2.0404
    """
    indexed = raw(labels).ndim < logits.ndim
    if label_smoothing == 0 and (weight is None or indexed):
        losses = softmax_cross_entropy(logits, labels, axis=1)
        return reduce(losses, reduction) if weight is None else _reduce_weighted(losses, labels, weight, reduction)
    classes = logits.shape[1]
    targets = np.moveaxis(one_hot(labels, classes, dtype=logits.dtype), -1, 1) if indexed else labels
    scale = 1 if weight is None else raw(weight).astype(logits.dtype).reshape(1, classes, *(1,) * (logits.ndim - 2))
    losses = softmax_cross_entropy(
        logits, scale * ((1 - label_smoothing) * targets + label_smoothing / classes), axis=1
    )
    if reduction == "mean" and indexed:
        return losses.sum() / (scale * targets).sum()
    return reduce(losses, reduction)


def nll_loss(log_p: Any, labels: Any, *, weight: Any = None, reduction: str = "mean") -> Any:
    """Return -log_p at the labels: the cross-entropy of log-probabilities, as `log_softmax` gives them.

    Args:
        log_p: (N, classes, ...).
        labels: integers (N, ...).
        weight: (classes,): factor for the examples of each class; the mean is weighted by it.
        reduction: "mean" over the examples, "sum" or "none".

    Raises:
        ValueError: labels of another shape, or outside 0 .. classes - 1.
    """
    labels = raw(labels)
    if labels.shape != (log_p.shape[0], *log_p.shape[2:]):
        expected = (log_p.shape[0], *log_p.shape[2:])
        raise ValueError(
            f"nll_loss: expected labels {expected} for log-probabilities {log_p.shape}, got {labels.shape}"
        )
    check_labels(labels, log_p.shape[1], "nll_loss")
    losses = -take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    return reduce(losses, reduction) if weight is None else _reduce_weighted(losses, labels, weight, reduction)


def one_hot(labels: Any, classes: int, *, dtype: Any = np.float32) -> Any:
    """Return labels (...) as rows (..., classes) with a 1 at the label and 0 elsewhere.

    Args:
        labels: integers, any shape.
        classes: number of classes.
        dtype: of the result.

    Raises:
        ValueError: labels that are no integers in 0 .. classes - 1.

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    check_labels(raw(labels), classes, "one_hot")
    return (labels[..., None] == np.arange(classes)).astype(dtype)


# --- Penalties on weights ----------------------------------------------------------------------------------


def l1_penalty(weights: Iterable[Any], alpha: float) -> Any:
    """Return alpha sum |w| over all weights. (The lecture's formula lacks the absolute value.).

    Args:
        weights: tensors of any shapes.
        alpha: strength of the penalty.
    """
    return alpha * sum(absolute(w).sum() for w in weights)


def l2_penalty(weights: Iterable[Any], alpha: float) -> Any:
    """Return alpha sum w^2 over all weights; alpha = lambda / 2 gives lambda/2 |w|^2, `weight_decay=lambda`.

    Args:
        weights: tensors of any shapes.
        alpha: strength of the penalty.
    """
    return alpha * sum(square(w).sum() for w in weights)


# --- Shared ------------------------------------------------------------------------------------------------


def reduce(losses: Any, reduction: str) -> Any:
    """Return the losses as they are ("none"), their mean or their sum."""
    check_reduction(reduction)
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _reduce_weighted(losses: Any, labels: Any, weight: Any, reduction: str) -> Any:
    """Return the losses of examples times the factors of their classes, reduced; the mean is weighted by these."""
    factors = take(raw(weight).astype(losses.dtype), labels)
    if reduction == "mean":
        return (losses * factors).sum() / factors.sum()
    return reduce(losses * factors, reduction)


def check_reduction(reduction: str) -> None:
    """Raise ValueError for an unknown reduction."""
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f'expected reduction "mean", "sum" or "none", got {reduction!r}')


def _warn_if_broadcast(name: str, x: Any, target: Any) -> None:
    """Warn where prediction and target differ in shape, so that subtracting them would repeat one of them."""
    if np.shape(x) != np.shape(target):
        warnings.warn(
            f"{name}: the prediction has shape {np.shape(x)} and the target {np.shape(target)}; broadcasting them is "
            "seldom meant: reshape one of them",
            UserWarning,
            stacklevel=3,
        )


def check_labels(labels: Any, classes: int, name: str) -> None:
    """Raise ValueError unless the labels are integers in 0 .. classes - 1."""
    if labels.dtype.kind not in "iub":
        raise ValueError(f"{name}: expected integer labels, got {labels.dtype}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels[(labels < 0) | (labels >= classes)].ravel()[0]
        raise ValueError(f"{name}: expected labels in 0 .. {classes - 1}, got {wrong}")

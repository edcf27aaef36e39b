"""The mathematics of layers and losses as functions, under PyTorch's names; imported as `F`.

All of them compose operations of `autograd`; there is no derivative here. Arrays may stand for Tensors.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

import autograd
from autograd import (
    avg_pool2d,
    conv2d,
    elu,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    max_pool2d,
    relu,
    sigmoid,
    softmax,
    softmax_cross_entropy,
    softplus,
    swish,
    tanh,
)
from autograd.tensor import raw

__all__ = [
    "avg_pool2d",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "flatten",
    "gelu",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swish",
    "tanh",
]

silu = swish

# --- Layers ------------------------------------------------------------------------------------------------


def flatten(x: Any, start: int = 1) -> Any:
    """Return x with its axes from `start` on made into one: (N, C, H, W) to (N, C H W)."""
    return x.reshape(*x.shape[:start], math.prod(x.shape[start:]))


def dropout(x: Any, p: float = 0.5, training: bool = True, *, rng: np.random.Generator | int | None = None) -> Any:
    """Return x with each element set to 0 with probability p, the others divided by 1 - p; x where not training.

    The draw is part of the record: a graph that is evaluated again drops the same elements.

    Args:
        x: any shape.
        p: in [0, 1).
        training: whether to drop at all.
        rng: generator or seed.

    Raises:
        ValueError: p outside [0, 1).

    Source: Srivastava et al., "Dropout", JMLR 15 (2014); scaled while training, so that the expectation stays.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: expected p in [0, 1), got {p}")
    if not training or p == 0:
        return x
    keep = np.random.default_rng(rng).random(x.shape, dtype=np.float32) >= p
    return x * np.multiply(keep, 1 / (1 - p), dtype=x.dtype)


def one_hot(labels: Any, classes: int, *, dtype: Any = np.float32) -> Any:
    """Return labels (...) as rows (..., classes) with a 1 at the label and 0 elsewhere.

    Raises:
        ValueError: labels that are no integers in 0 .. classes - 1.

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    labels = labels if hasattr(labels, "dtype") else np.asarray(labels)
    _check_labels(raw(labels), classes, "one_hot")
    return (labels[..., None] == np.arange(classes)).astype(dtype)


# --- Losses ------------------------------------------------------------------------------------------------


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
    if weight is None and label_smoothing == 0:
        return reduce(softmax_cross_entropy(logits, labels, axis=1), reduction)
    classes = logits.shape[1]
    indexed = raw(labels).ndim < logits.ndim
    targets = np.moveaxis(one_hot(labels, classes, dtype=logits.dtype), -1, 1) if indexed else labels
    scale = 1
    if weight is not None:
        scale = raw(weight).astype(logits.dtype).reshape(1, classes, *(1,) * (logits.ndim - 2))
    losses = softmax_cross_entropy(
        logits, scale * ((1 - label_smoothing) * targets + label_smoothing / classes), axis=1
    )
    if reduction == "mean" and indexed:
        return losses.sum() / (scale * targets).sum()
    return reduce(losses, reduction)


def mse_loss(x: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Return (x - target)^2; warns if the shapes differ."""
    warn_if_broadcast("mse_loss", x, target)
    return reduce(autograd.square(x - target), reduction)


def reduce(losses: Any, reduction: str) -> Any:
    """Return the losses as they are ("none"), their mean or their sum."""
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction != "none":
        raise ValueError(f'expected reduction "mean", "sum" or "none", got {reduction!r}')
    return losses


def warn_if_broadcast(name: str, x: Any, target: Any) -> None:
    """Warn where prediction and target differ in shape, so that subtracting them would repeat one of them."""
    if np.shape(x) != np.shape(target):
        warnings.warn(
            f"{name}: the prediction has shape {np.shape(x)} and the target {np.shape(target)}; broadcasting them is "
            "seldom meant: reshape one of them",
            UserWarning,
            stacklevel=3,
        )


def _check_labels(labels: Any, classes: int, name: str) -> None:
    """Raise ValueError unless the labels are integers in 0 .. classes - 1."""
    if labels.dtype.kind not in "iub":
        raise ValueError(f"{name}: expected integer labels, got {labels.dtype}")
    if labels.size and not (labels.min() >= 0 and labels.max() < classes):
        wrong = labels[(labels < 0) | (labels >= classes)].ravel()[0]
        raise ValueError(f"{name}: expected labels in 0 .. {classes - 1}, got {wrong}")

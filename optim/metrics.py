"""How good predictions are: functions of arrays, for `fit` and `evaluate`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.tensor import raw

Array = NDArray[Any]


def accuracy(outputs: Any, labels: Any) -> float:
    """Return the share of examples whose largest output stands at the label.

    Args:
        outputs: scores or probabilities (N, classes, ...).
        labels: integers (N, ...), or one-hot of outputs' shape.

    Raises:
        ValueError: shapes that do not belong together.

    Example:
        >>> accuracy(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
        0.5
    """
    outputs, labels = raw(outputs), raw(labels)
    labels = labels.argmax(axis=1) if labels.shape == outputs.shape else labels
    predicted = outputs.argmax(axis=1)
    if predicted.shape != labels.shape:
        raise ValueError(f"accuracy: expected labels {predicted.shape} for outputs {outputs.shape}, got {labels.shape}")
    return float((predicted == labels).mean())


def confusion_matrix(labels: Any, predicted: Any, classes: int | None = None) -> Array:
    """Return how often an example of class i (row) was taken for class j (column).

    Args:
        labels: integers (N,).
        predicted: integers (N,).
        classes: number of classes; the default is the largest label seen, plus one.

    Raises:
        ValueError: different shapes, or a label outside 0 .. classes - 1.

    Example:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1])
        array([[1, 1],
               [0, 1]])
    """
    labels, predicted = raw(labels), raw(predicted)
    if labels.shape != predicted.shape or labels.ndim != 1:
        raise ValueError(f"confusion_matrix: expected two lists of labels, got {labels.shape} and {predicted.shape}")
    both = np.concatenate([labels, predicted]).astype(int)
    classes = int(both.max(initial=-1)) + 1 if classes is None else classes
    if both.size and not 0 <= both.min() <= both.max() < classes:
        raise ValueError(f"confusion_matrix: expected labels in 0 .. {classes - 1}, got {both.min()} .. {both.max()}")
    counts = np.bincount(labels.astype(int) * classes + predicted.astype(int), minlength=classes * classes)
    return counts.reshape(classes, classes)

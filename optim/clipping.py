"""Limits on gradients, between `backward()` and `step()`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from autograd import Tensor


def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> float:
    """Shorten the gradient of all parameters together to a norm of at most `max_norm`, in place.

    Args:
        parameters: those without a gradient are passed over.
        max_norm: largest length of the vector of all gradients.

    Returns:
        The norm before.

    Raises:
        ValueError: a negative `max_norm`, or a gradient that is not finite.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks", arXiv:1211.5063, algorithm 1.
    """
    if max_norm < 0:
        raise ValueError(f"clip_grad_norm: expected max_norm >= 0, got {max_norm}")
    bars = [bar for parameter in parameters if (bar := parameter.grad) is not None]
    norm = math.sqrt(sum(float(np.sum(np.square(bar, dtype=np.float64))) for bar in bars))
    if not math.isfinite(norm):
        raise ValueError(f"clip_grad_norm: the norm of the gradients is {norm}")
    if norm > max_norm:
        for bar in bars:
            bar *= max_norm / norm
    return norm


def clip_grad_value(parameters: Iterable[Tensor], clip_value: float) -> None:
    """Limit each element of the gradients to -clip_value .. clip_value, in place.

    Args:
        parameters: those without a gradient are passed over.
        clip_value: largest absolute value of an element.

    Raises:
        ValueError: a negative `clip_value`.
    """
    if clip_value < 0:
        raise ValueError(f"clip_grad_value: expected clip_value >= 0, got {clip_value}")
    for parameter in parameters:
        bar = parameter.grad
        if bar is not None:
            np.clip(bar, -clip_value, clip_value, out=bar)

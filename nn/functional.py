"""The mathematics of layers and losses as functions, mostly under PyTorch's names; imported as `F`.

All of them compose operations of `autograd`; there is no derivative here. Arrays may stand for Tensors. The losses
live in `nn.losses`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import (
    avg_pool2d,
    conv2d,
    elu,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    max_pool2d,
    maximum,
    minimum,
    relu,
    sigmoid,
    softmax,
    softplus,
    swish,
    tanh,
)
from nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    gaussian_kl,
    gaussian_nll_loss,
    half_squared_error,
    l1_loss,
    l1_penalty,
    l2_penalty,
    mse_loss,
    nll_loss,
    one_hot,
)

__all__ = [
    "avg_pool2d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "elu",
    "flatten",
    "gaussian_kl",
    "gaussian_nll_loss",
    "gelu",
    "generalized_relu",
    "half_squared_error",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "leaky_relu",
    "linear",
    "log_softmax",
    "max_pool2d",
    "maxout",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "swish",
    "tanh",
    "threshold",
]

silu = swish

# --- Activations that are no operations of their own -------------------------------------------------------


def threshold(x: Any) -> Any:
    """Return 1 where x > 0, else 0, in x's dtype: the perceptron's hard threshold, without a gradient."""
    return (x > 0).astype(x.dtype)


def generalized_relu(x: Any, alpha: Any) -> Any:
    """Return max(0, x) + alpha min(0, x).

    alpha = 0 is ReLU, a small one the leaky ReLU, -1 the absolute value; a Tensor can be learned.

    Source: Goodfellow et al., "Deep learning" (2016), section 6.3.1; learned: He et al., arXiv:1502.01852.
    """
    return maximum(x, 0) + alpha * minimum(x, 0)


def maxout(x: Any, pieces: int, axis: int = -1) -> Any:
    """Return the largest of each `pieces` neighbours along an axis, which becomes that much shorter.

    Raises:
        ValueError: `pieces` does not divide the axis' length.

    Source: Goodfellow et al., "Maxout networks", arXiv:1302.4389.
    """
    axis %= x.ndim
    if pieces < 1 or x.shape[axis] % pieces:
        raise ValueError(f"maxout: {pieces} pieces do not divide axis {axis} of {x.shape}")
    split = x.reshape((*x.shape[:axis], x.shape[axis] // pieces, pieces, *x.shape[axis + 1 :]))
    return split.max(axis=axis + 1)


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

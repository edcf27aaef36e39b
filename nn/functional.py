"""The mathematics of layers and losses as functions, mostly under PyTorch's names; imported as `F`.

All of them compose operations of `autograd`; there is no derivative here. Arrays may stand for Tensors. The losses
live in `nn.losses`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import (
    avg_pool1d,
    avg_pool2d,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    elu,
    gelu,
    leaky_relu,
    linear,
    log_softmax,
    max_pool1d,
    max_pool2d,
    maximum,
    median_pool1d,
    median_pool2d,
    minimum,
    relu,
    sigmoid,
    softmax,
    softplus,
    split,
    sqrt,
    square,
    sum_pool1d,
    sum_pool2d,
    swish,
    tanh,
    where,
    windows,
)
from autograd.ops.recurrent import lstm, lstm_cell
from autograd.tensor import raw
from nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    check_labels,
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
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "causal_mask",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "flatten",
    "gaussian_kl",
    "gaussian_nll_loss",
    "gelu",
    "generalized_relu",
    "gru_cell",
    "half_squared_error",
    "l1_loss",
    "l1_penalty",
    "l2_penalty",
    "layer_norm",
    "leaky_relu",
    "linear",
    "locally_connected2d",
    "log_softmax",
    "lstm",
    "lstm_cell",
    "max_pool1d",
    "max_pool2d",
    "maxout",
    "median_pool1d",
    "median_pool2d",
    "mse_loss",
    "nll_loss",
    "one_hot",
    "relu",
    "rnn_cell",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "sum_pool1d",
    "sum_pool2d",
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

    Args:
        x: any shape.
        pieces: how many neighbours compete.
        axis: along which they stand.

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


def locally_connected2d(x: Any, weight: Any, bias: Any = None, stride: Any = 1) -> Any:
    """Return y[n, o, i, j] = sum_ckl x[n, c, s i + k, s j + l] w[o, c, k, l, i, j] + b[o, i, j].

    Args:
        x: (N, C, H, W).
        weight: (O, C, kh, kw, H', W'): a filter for each place.
        bias: (O, H', W'), or None.
        stride: step of the window: a number or a pair.

    Raises:
        ValueError: as many places as the weight has do not fit into x.
    """
    out, channels, kh, kw, *places = weight.shape
    seen = windows(x, (kh, kw), stride)
    if seen.shape[1] != channels or list(seen.shape[4:]) != places:
        raise ValueError(f"locally_connected2d: x {x.shape} does not fit the weight {weight.shape} at stride {stride}")
    count, size = math.prod(places), channels * kh * kw
    # One matrix product for each place: (places, N, size) @ (places, size, O).
    rows = seen.transpose(4, 5, 0, 1, 2, 3).reshape(count, x.shape[0], size)
    filters = weight.transpose(4, 5, 1, 2, 3, 0).reshape(count, size, out)
    y = (rows @ filters).transpose(1, 2, 0).reshape(x.shape[0], out, *places)
    return y if bias is None else y + bias


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
    # Drawn in the order in which x lies in memory: convolutions return images with the batch as innermost axis.
    strides = raw(x).strides
    order = sorted(range(x.ndim), key=lambda axis: -strides[axis])
    keep = _kept(p, [x.shape[axis] for axis in order], np.random.default_rng(rng)).transpose(np.argsort(order))
    return x * np.multiply(keep, 1 / (1 - p), dtype=x.dtype)


def _kept(p: float, shape: list[int], rng: np.random.Generator) -> Any:
    """Return an array of True with probability 1 - p, else False."""
    if p * 256 == int(p * 256):  # as 1/2 and 1/4 are: a byte decides, which takes a third of the time
        return np.frombuffer(rng.bytes(math.prod(shape)), np.uint8).reshape(shape) >= int(p * 256)
    return rng.random(shape, dtype=np.float32) >= p


def batch_norm(
    x: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    *,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Return (x - mean) / sqrt(variance + eps) * weight + bias, for each channel over batch and places.

    While training, mean and variance are the batch's, and the running ones, arrays (C,), move towards them by
    `momentum`, in place; otherwise the running ones are used (the batch's, where there are none).

    Args:
        x: (N, C, ...).
        running_mean: array (C,), or None.
        running_var: array (C,), or None.
        weight: (C,), or None.
        bias: (C,), or None.
        training: which mean and variance to use.
        momentum: share of the batch in the running figures.
        eps: keeps the root away from 0.

    Raises:
        ValueError: only one value for each channel while training.

    Source: Ioffe and Szegedy, arXiv:1502.03167, algorithms 1 and 2.
    """
    axes = (0, *range(2, x.ndim))
    shape = (1, x.shape[1], *(1,) * (x.ndim - 2))
    if training or running_mean is None:
        count = x.size // x.shape[1] if x.size else 0
        if training and count < 2:
            raise ValueError(f"batch_norm: expected more than one value for each channel while training, got {x.shape}")
        mean = x.mean(axis=axes, keepdims=True)
        centred = x - mean
        variance = square(centred).mean(axis=axes, keepdims=True)
        if training and running_mean is not None:
            running_mean += momentum * (raw(mean).reshape(-1) - running_mean)
            running_var += momentum * (raw(variance).reshape(-1) * (count / (count - 1)) - running_var)
    else:
        centred = x - running_mean.reshape(shape)
        variance = running_var.reshape(shape)
    scale = 1 / sqrt(variance + eps)
    if weight is not None:
        scale = scale * weight.reshape(shape)
    return centred * scale if bias is None else centred * scale + bias.reshape(shape)


def layer_norm(
    x: Any, normalized_shape: tuple[int, ...], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """Return (x - mean) / sqrt(variance + eps) * weight + bias over the last axes of each example.

    Args:
        x: (..., *normalized_shape).
        normalized_shape: lengths of the axes to normalize over.
        weight: of that shape, or None.
        bias: of that shape, or None.
        eps: keeps the root away from 0.

    Raises:
        ValueError: x does not end in those axes.

    Source: Ba et al., "Layer normalization", arXiv:1607.06450.
    """
    count = len(normalized_shape)
    if x.shape[x.ndim - count :] != tuple(normalized_shape):
        raise ValueError(f"layer_norm: expected x (..., {', '.join(map(str, normalized_shape))}), got {x.shape}")
    axes = tuple(range(-count, 0))
    centred = x - x.mean(axis=axes, keepdims=True)
    y = centred / sqrt(square(centred).mean(axis=axes, keepdims=True) + eps)
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def embedding(ids: Any, weight: Any) -> Any:
    """Return the rows of weight (count, size) at integer ids (...): (..., size).

    Args:
        ids: integers, any shape.
        weight: (count, size).

    Raises:
        ValueError: ids that are no integers in 0 .. count - 1.
    """
    check_labels(raw(ids), weight.shape[0], "embedding")
    return weight[ids]


# --- Attention ---------------------------------------------------------------------------------------------


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    mask: Any = None,
    *,
    dropout_p: float = 0.0,
    rng: np.random.Generator | int | None = None,
) -> Any:
    """Return softmax(Q K^T / sqrt(size)) V: for each query the values, weighted by how well their keys fit.

    Args:
        query: (..., T, size).
        key: (..., S, size).
        value: (..., S, size of values).
        mask: True where a query may look at a key; broadcasts to (..., T, S). A query that may look nowhere gets 0.
        dropout_p: probability with which a weight is dropped.
        rng: generator or seed for that.

    Source: Vaswani et al., "Attention is all you need", arXiv:1706.03762, eq. 1.
    """
    scores = query @ key.swapaxes(-1, -2) * (1 / math.sqrt(query.shape[-1]))
    if mask is None:
        weights = softmax(scores, axis=-1)
    else:
        # A large negative number, not -inf, keeps all derivatives finite; what it leaves is set to 0.
        lowest = float(np.finfo(scores.dtype).min) / 2
        weights = where(mask, softmax(where(mask, scores, lowest), axis=-1), 0)
    return dropout(weights, dropout_p, rng=rng) @ value


def causal_mask(length: int) -> Any:
    """Return the mask (length, length) with which a position sees itself and what came before.

    Args:
        length: number of positions.
    """
    return np.tri(length, dtype=bool)


# --- One step of a recurrent network -----------------------------------------------------------------------


def rnn_cell(projected: Any, h: Any, weight: Any, bias: Any = None, *, nonlinearity: Any = tanh) -> Any:
    """Return h' = s(projected + h U^T): one step of a vanilla (Elman) network.

    Args:
        projected: what the input contributes, x W^T + b: (N, H).
        h: the state before, (N, H).
        weight: U, (H, H).
        bias: a second bias, or None.
        nonlinearity: s.

    Source: Elman, "Finding structure in time", Cognitive Science 14 (1990).
    """
    return nonlinearity(projected + linear(h, weight, bias))


def gru_cell(projected: Any, h: Any, weight: Any, bias: Any = None) -> Any:
    """Return the next state h' of a gated recurrent unit.

    With the gates r, z = sigmoid(.): n = tanh(x W_n^T + b_n + r (h U_n^T));  h' = (1 - z) n + z h. The reset gate
    acts on the product, as in PyTorch and cuDNN (in the paper: on h before it).

    Args:
        projected: what the input contributes to r, z, n: (N, 3 H).
        h: the state before, (N, H).
        weight: (3 H, H).
        bias: a second bias, or None.

    Source: Cho et al., arXiv:1406.1078; the form: Appleyard et al., arXiv:1604.01946.
    """
    xr, xz, xn = split(projected, 3, axis=-1)
    hr, hz, hn = split(linear(h, weight, bias), 3, axis=-1)
    z = sigmoid(xz + hz)
    n = tanh(xn + sigmoid(xr + hr) * hn)
    return n + z * (h - n)

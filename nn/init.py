"""Initial values of weights: each function returns a new array.

Weights have shape (out, in, ...): one row for each output unit, further axes for the window of a convolution. `rng` is
a `numpy.random.Generator`, or a seed for one; without it the values differ from run to run.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

Rng = np.random.Generator | int | None
"""A generator, a seed for one, or None for a fresh one."""

GAINS: dict[str, float] = {
    "linear": 1.0,
    "sigmoid": 1.0,
    "tanh": 5 / 3,
    "relu": math.sqrt(2),
    "selu": 3 / 4,
}
"""By how much an activation makes the next layer's values smaller: the factor that undoes it."""


def gain(activation: str, slope: float = 0.01) -> float:
    """Return the factor of the standard deviation that keeps the size of the values behind an activation.

    Args:
        activation: "linear", "sigmoid", "tanh", "relu", "leaky_relu" or "selu".
        slope: of "leaky_relu" for negative inputs.

    Raises:
        ValueError: another activation.

    Source: He et al., arXiv:1502.01852, eq. 10 and 15, for ReLU and its leaky form; the others as PyTorch has them.
    """
    if activation == "leaky_relu":
        return math.sqrt(2 / (1 + slope * slope))
    if activation not in GAINS:
        raise ValueError(f"gain: expected one of {[*GAINS, 'leaky_relu']}, got {activation!r}")
    return GAINS[activation]


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return how many inputs feed one unit and how many units one input feeds, for a weight (out, in, *window).

    Args:
        shape: of the weight.

    Raises:
        ValueError: fewer than two axes.

    Example:
        >>> fans((16, 8, 3, 3))
        (72, 144)
    """
    if len(shape) < 2:
        raise ValueError(f"fans: expected a weight of shape (out, in, ...), got {shape}")
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


def _fan(shape: tuple[int, ...], mode: str) -> int:
    if mode not in ("in", "out"):
        raise ValueError(f'fan: expected "in" or "out", got {mode!r}')
    return fans(shape)[mode == "out"]


def zeros(shape: tuple[int, ...], *, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return zeros: right for biases; as weights they would keep all units of a layer equal.

    Args:
        shape: of the result.
        dtype: of the result.
    """
    return np.zeros(shape, dtype)


def constant(shape: tuple[int, ...], value: float, *, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return an array filled with one value.

    Args:
        shape: of the result.
        value: of each element.
        dtype: of the result.
    """
    return np.full(shape, value, dtype)


def normal(
    shape: tuple[int, ...], std: float = 0.01, *, mean: float = 0.0, rng: Rng = None, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return draws from the normal distribution N(mean, std^2).

    Args:
        shape: of the result.
        std: standard deviation.
        mean: of the distribution.
        rng: generator or seed.
        dtype: of the result.
    """
    return np.random.default_rng(rng).normal(mean, std, shape).astype(dtype)


def uniform(
    shape: tuple[int, ...], low: float = -0.05, high: float = 0.05, *, rng: Rng = None, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return draws from the uniform distribution over low .. high.

    Args:
        shape: of the result.
        low: smallest value.
        high: largest value.
        rng: generator or seed.
        dtype: of the result.
    """
    return np.random.default_rng(rng).uniform(low, high, shape).astype(dtype)


def glorot_uniform(
    shape: tuple[int, ...], *, gain: float = 1.0, rng: Rng = None, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return draws uniform over -a .. a with a = gain sqrt(6 / (fan_in + fan_out)).

    The middle between what keeps the variance of the values forward and of the bars backward.

    Args:
        shape: of the weight, (out, in, ...).
        gain: see `gain`.
        rng: generator or seed.
        dtype: of the result.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, eq. 16.
    """
    a = gain * math.sqrt(6 / sum(fans(shape)))
    return uniform(shape, -a, a, rng=rng, dtype=dtype)


def glorot_normal(
    shape: tuple[int, ...], *, gain: float = 1.0, rng: Rng = None, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return normal draws with standard deviation gain sqrt(2 / (fan_in + fan_out)).

    Args:
        shape: of the weight, (out, in, ...).
        gain: see `gain`.
        rng: generator or seed.
        dtype: of the result.

    Source: Glorot and Bengio, AISTATS 2010, eq. 12.
    """
    return normal(shape, gain * math.sqrt(2 / sum(fans(shape))), rng=rng, dtype=dtype)


def he_uniform(
    shape: tuple[int, ...],
    *,
    fan: str = "in",
    gain: float = math.sqrt(2),
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    """Return draws uniform over -a .. a with a = gain sqrt(3 / fan).

    Args:
        shape: of the weight, (out, in, ...).
        fan: "in" keeps the variance of the values forward, "out" that of the bars backward.
        gain: see `gain`; the default is that of ReLU.
        rng: generator or seed.
        dtype: of the result.

    Raises:
        ValueError: another `fan`, or fewer than two axes.

    Source: He et al., "Delving deep into rectifiers", arXiv:1502.01852, eq. 10 and 14.
    """
    a = gain * math.sqrt(3 / _fan(shape, fan))
    return uniform(shape, -a, a, rng=rng, dtype=dtype)


def he_normal(
    shape: tuple[int, ...],
    *,
    fan: str = "in",
    gain: float = math.sqrt(2),
    rng: Rng = None,
    dtype: DTypeLike = np.float32,
) -> NDArray[Any]:
    """Return normal draws with standard deviation gain / sqrt(fan).

    Args:
        shape: of the weight, (out, in, ...).
        fan: "in" keeps the variance of the values forward, "out" that of the bars backward.
        gain: see `gain`; the default is that of ReLU.
        rng: generator or seed.
        dtype: of the result.

    Raises:
        ValueError: another `fan`, or fewer than two axes.

    Source: He et al., "Delving deep into rectifiers", arXiv:1502.01852, eq. 10 and 14.
    """
    return normal(shape, gain / math.sqrt(_fan(shape, fan)), rng=rng, dtype=dtype)


def lecun_uniform(shape: tuple[int, ...], *, rng: Rng = None, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Return draws uniform over -a .. a with a = sqrt(3 / fan_in): variance 1 / fan_in.

    Args:
        shape: of the weight, (out, in, ...).
        rng: generator or seed.
        dtype: of the result.

    Source: LeCun et al., "Efficient BackProp" (1998), section 4.6.
    """
    return he_uniform(shape, gain=1.0, rng=rng, dtype=dtype)


def orthogonal(
    shape: tuple[int, ...], *, gain: float = 1.0, rng: Rng = None, dtype: DTypeLike = np.float32
) -> NDArray[Any]:
    """Return a weight whose rows (or columns, where there are fewer) are orthogonal and have length `gain`.

    Axes after the first count as one. The signs are chosen so that every orthogonal matrix is as likely.

    Args:
        shape: of the weight, (out, in, ...).
        gain: length of the rows.
        rng: generator or seed.
        dtype: of the result.

    Raises:
        ValueError: fewer than two axes.

    Source: Saxe et al., arXiv:1312.6120; the signs: Mezzadri, arXiv:math-ph/0609050.
    """
    fans(shape)
    rows, columns = shape[0], math.prod(shape[1:])
    draws = np.random.default_rng(rng).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(draws)
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (gain * (q if rows >= columns else q.T)).reshape(shape).astype(dtype)


xavier_uniform, xavier_normal = glorot_uniform, glorot_normal
kaiming_uniform, kaiming_normal = he_uniform, he_normal

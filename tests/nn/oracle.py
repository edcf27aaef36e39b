"""PyTorch as an oracle: value and gradients of a function of ours beside one of its."""

import numpy as np
import pytest

from autograd import Tensor


def values(*shape, low=-2.0, high=2.0, seed=0):
    """Return reproducible float64 values."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def compare(ours, theirs, arrays, *, rtol=1e-9, atol=1e-10):
    """Compare values and gradients by all arrays, with random bars.

    Args:
        ours: function of Tensors.
        theirs: function of torch tensors.
        arrays: float64 arrays to differentiate by.
    """
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    mine = [Tensor(a, requires_grad=True) for a in arrays]
    other = [torch.tensor(a, requires_grad=True) for a in arrays]
    y, expected = ours(*mine), theirs(*other)
    assert y.shape == tuple(expected.shape)
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=rtol, atol=atol)
    bar = values(*y.shape, seed=99)
    y.backward(bar)
    expected.backward(torch.tensor(bar))
    for a, b in zip(mine, other, strict=True):
        found = np.zeros(a.shape) if a.grad is None else a.grad
        np.testing.assert_allclose(found, np.zeros(a.shape) if b.grad is None else b.grad.numpy(), rtol=rtol, atol=atol)

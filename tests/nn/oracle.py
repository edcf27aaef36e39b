"""PyTorch as an oracle: value and gradients of a function of ours beside one of its."""

import numpy as np
import pytest

from autograd import Tensor


def values(*shape, low=-2.0, high=2.0, seed=0):
    """Return reproducible float64 values."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def compare(ours, theirs, arrays, *, rtol=1e-10, atol=1e-10):
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


def compare_modules(ours, theirs, inputs, *, call=None, rtol=1e-10, atol=1e-10):
    """Give our module torch's weights (same names), then compare outputs and all gradients, in float64.

    Args:
        ours: module of ours.
        theirs: module of torch.
        inputs: float64 arrays.
        call: how to call torch's module and ours to get one output; the default is `module(*inputs)`.
    """
    call = call or (lambda module, *xs: module(*xs))
    ours.astype(np.float64)
    theirs.double()
    ours.load_state_dict({name: value.detach().numpy() for name, value in theirs.state_dict().items()})
    for bar in theirs.parameters():
        bar.grad = None
    ours.zero_grad()
    compare(lambda *xs: call(ours, *xs), lambda *xs: call(theirs, *xs), inputs, rtol=rtol, atol=atol)
    expected = {name: p.grad for name, p in theirs.named_parameters()}
    found = dict(ours.named_parameters())
    assert found.keys() == expected.keys()
    for name, bar in expected.items():
        np.testing.assert_allclose(found[name].grad, bar.numpy(), rtol=rtol, atol=atol, err_msg=name)

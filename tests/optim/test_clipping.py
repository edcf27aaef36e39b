"""Limits on gradients."""

import math

import numpy as np
import pytest

import optim
from autograd import Tensor


def parameters():
    found = [Tensor(np.zeros(n), requires_grad=True) for n in (2, 1, 3)]
    found[0].grad = [3.0, 0.0]
    found[1].grad = [-4.0]
    return found


def test_clip_grad_norm():
    p = parameters()
    bar = p[0].grad
    assert optim.clip_grad_norm(p, 1.0) == 5
    assert p[0].grad is bar
    assert p[0].grad.tolist() == pytest.approx([0.6, 0])
    assert p[1].grad.tolist() == pytest.approx([-0.8])
    assert p[2].grad is None
    assert optim.clip_grad_norm(p, 2.0) == pytest.approx(1)
    assert p[1].grad.tolist() == pytest.approx([-0.8])


def test_clip_grad_norm_agrees_with_torch():
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    p, bars = parameters(), [np.array([3.0, 0.0]), np.array([-4.0])]
    other = [torch.zeros(len(b), requires_grad=True, dtype=torch.float64) for b in bars]
    for q, b in zip(other, bars, strict=True):
        q.grad = torch.tensor(b)
    assert optim.clip_grad_norm(p, 2.5) == pytest.approx(float(torch.nn.utils.clip_grad_norm_(other, 2.5)))
    for q, r in zip(p, other, strict=False):
        np.testing.assert_allclose(q.grad, r.grad.numpy(), rtol=1e-6)


def test_clip_grad_value():
    p = parameters()
    optim.clip_grad_value(p, 3.5)
    assert p[0].grad.tolist() == [3.0, 0.0]
    assert p[1].grad.tolist() == [-3.5]


def test_bad_input():
    p = parameters()
    with pytest.raises(ValueError, match="max_norm"):
        optim.clip_grad_norm(p, -1)
    with pytest.raises(ValueError, match="clip_value"):
        optim.clip_grad_value(p, -1)
    p[0].grad = [math.nan, 1.0]
    with pytest.raises(ValueError, match="norm of the gradients is nan"):
        optim.clip_grad_norm(p, 1)

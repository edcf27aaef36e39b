"""Attention and Transformer blocks, against PyTorch."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare, compare_modules, values


def oracle():
    return pytest.importorskip("torch", reason="PyTorch is the oracle here")


MASKS = {"none": None, "causal": np.tri(4, 5, dtype=bool), "each": np.random.default_rng(0).random((2, 3, 4, 5)) < 0.7}


@pytest.mark.parametrize("mask", MASKS)
def test_scaled_dot_product_attention_agrees_with_torch(mask):
    torch, mask = oracle(), MASKS[mask]
    theirs = torch.nn.functional.scaled_dot_product_attention
    arrays = [values(2, 3, 4, 6), values(2, 3, 5, 6), values(2, 3, 5, 2)]
    compare(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask),
        lambda q, k, v: theirs(q, k, v, None if mask is None else torch.tensor(mask)),
        arrays,
    )


def test_a_query_that_may_look_nowhere_gets_zero_and_finite_gradients():
    q = Tensor(values(2, 3), requires_grad=True)
    found = F.scaled_dot_product_attention(q, values(4, 3), values(4, 3), np.array([[False] * 4, [True] * 4]))
    assert not found.data[0].any()
    found.sum().backward()
    assert not q.grad[0].any()
    assert np.isfinite(q.grad).all()


def test_f8_multi_head_attention_agrees_with_torch():
    torch = oracle()
    mask = np.tri(5, dtype=bool)

    def self_attention(module, x):
        if isinstance(module, torch.nn.Module):
            return module(x, x, x, attn_mask=torch.tensor(~mask), need_weights=False)[0]
        return module(x, mask=mask)

    def cross_attention(module, x, memory):
        if isinstance(module, torch.nn.Module):
            return module(x, memory, memory, need_weights=False)[0]
        return module(x, memory)

    theirs = torch.nn.MultiheadAttention(6, 3, batch_first=True)
    compare_modules(nn.MultiHeadAttention(6, 3), theirs, [values(2, 5, 6)], call=self_attention)
    compare_modules(nn.MultiHeadAttention(6, 3), theirs, [values(2, 5, 6), values(2, 4, 6)], call=cross_attention)


@pytest.mark.parametrize("norm_first", [False, True])
def test_f8_encoder_layer_agrees_with_torch(norm_first):
    torch = oracle()
    theirs = torch.nn.TransformerEncoderLayer(6, 2, 8, 0.0, batch_first=True, norm_first=norm_first)
    ours = nn.TransformerEncoderLayer(6, 2, 8, 0.0, norm_first=norm_first)
    compare_modules(ours, theirs, [values(2, 5, 6)], rtol=1e-8)


@pytest.mark.parametrize("norm_first", [False, True])
def test_f8_decoder_layer_agrees_with_torch(norm_first):
    torch = oracle()
    theirs = torch.nn.TransformerDecoderLayer(6, 2, 8, 0.0, batch_first=True, norm_first=norm_first)
    ours = nn.TransformerDecoderLayer(6, 2, 8, 0.0, norm_first=norm_first)

    def call(module, x, memory):
        if isinstance(module, torch.nn.Module):
            return module(x, memory, tgt_mask=torch.tensor(~np.tri(5, dtype=bool)))
        return module(x, memory)

    compare_modules(ours, theirs, [values(2, 5, 6), values(2, 4, 6)], call=call, rtol=1e-8)


def test_a_causal_mask_hides_what_comes_later():
    block = nn.TransformerEncoderLayer(4, 2, 8, 0.0, rng=0)
    x = values(1, 5, 4)
    changed = x.copy()
    changed[:, 3:] += 1
    a, b = (block(z, mask=F.causal_mask(5)).data for z in (x, changed))
    assert np.allclose(a[:, :3], b[:, :3])
    assert not np.allclose(a[:, 3:], b[:, 3:])


def test_f8_positional_encoding():
    table = nn.PositionalEncoding(5, 50).table
    assert table[0].tolist() == [0, 1, 0, 1, 0]
    assert table[7, 2] == pytest.approx(np.sin(7 / 10000 ** (2 / 5)))
    assert table[7, 3] == pytest.approx(np.cos(7 / 10000 ** (2 / 5)))
    x = np.zeros((2, 3, 5), np.float32)
    assert np.array_equal(nn.PositionalEncoding(5)(x)[1], table[:3])
    with pytest.raises(ValueError, match="at most 4 places"):
        nn.PositionalEncoding(5, 4)(np.zeros((1, 6, 5)))


def test_dropout_acts_only_while_training():
    block = nn.TransformerEncoderLayer(4, 2, 8, 0.5, rng=0)
    x = values(1, 5, 4)
    assert not np.array_equal(block(x).data, block(x).data)
    block.eval()
    assert np.array_equal(block(x).data, block(x).data)


def test_heads_must_divide_the_size():
    with pytest.raises(ValueError, match="heads to divide size 6, got 4"):
        nn.MultiHeadAttention(6, 4)


# --- Embedding and normalization ---------------------------------------------------------------------------


def test_embedding_agrees_with_torch_also_for_repeated_ids():
    torch = oracle()
    ids = np.array([[0, 2, 2], [1, 0, 2]])

    def call(module, scale):
        return module(torch.tensor(ids) if isinstance(module, torch.nn.Module) else ids) * scale

    compare_modules(nn.Embedding(4, 3), torch.nn.Embedding(4, 3), [values(2, 3, 3)], call=call)
    with pytest.raises(ValueError, match="labels in 0 .. 3, got 4"):
        nn.Embedding(4, 3)(np.array([4]))
    with pytest.raises(ValueError, match="integer"):
        nn.Embedding(4, 3)(np.array([1.0]))


@pytest.mark.parametrize("shape", [(6,), (5, 6)])
def test_layer_norm_agrees_with_torch(shape):
    torch = oracle()
    compare_modules(nn.LayerNorm(shape), torch.nn.LayerNorm(shape), [values(2, 5, 6)], rtol=1e-8)
    with pytest.raises(ValueError, match=r"layer_norm: expected x \(..., 3\), got \(2, 4\)"):
        nn.LayerNorm(3)(np.ones((2, 4)))


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_batch_norm_agrees_with_torch_while_training_and_after(shape):
    torch = oracle()
    kind = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d"}[len(shape)]
    ours, theirs = nn.BatchNorm(3), getattr(torch.nn, kind)(3)
    compare_modules(ours, theirs, [values(*shape)], rtol=1e-8)
    for seed in (1, 2):
        ours(values(*shape, seed=seed))
        theirs(torch.tensor(values(*shape, seed=seed)))
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-9)
    ours.eval()
    theirs.eval()
    compare_modules(ours, theirs, [values(*shape, seed=3)], rtol=1e-8)
    assert ours.num_batches_tracked == 3


def test_batch_norm_makes_mean_0_and_variance_1_and_keeps_float32():
    model = nn.BatchNorm2d(2)
    y = model(values(5, 2, 4, 4, low=3, high=9).astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.data.var(axis=(0, 2, 3)), 1, rtol=1e-3)
    assert model.running_mean.dtype == np.float32
    with pytest.raises(ValueError, match=r"expected x \(N, 2, ...\), got \(5, 3\)"):
        model(np.ones((5, 3)))
    with pytest.raises(ValueError, match="more than one value"):
        model(np.ones((1, 2)))


def test_second_derivatives_of_the_normalizations():
    x = Tensor(values(3, 4), requires_grad=True)
    for layer in (nn.LayerNorm(4).astype(np.float64), nn.BatchNorm(4).astype(np.float64)):
        (bar,) = autograd.grad((layer(x) ** 3).sum(), x, create_graph=True)
        (second,) = autograd.grad((bar * values(3, 4, seed=1)).sum(), x)
        assert np.isfinite(second).all()
        assert second.any()

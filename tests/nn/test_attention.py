"""Attention, Transformer layers, places, embedding and normalization: against PyTorch, what they learn, bad input."""

import numpy as np
import pytest

import nn
import nn.functional as F
import optim
from autograd import Tensor
from nn.layers.attention import MultiHeadAttention, TransformerDecoderLayer, TransformerEncoderLayer
from nn.layers.embedding import Embedding, PositionalEncoding
from nn.layers.normalization import BatchNorm, LayerNorm
from tests.finite import check

from .oracle import compare, compare_modules, values


def oracle():
    return pytest.importorskip("torch", reason="PyTorch is the oracle here")


def count(module):
    return sum(p.size for p in module.parameters())


# --- One attention -----------------------------------------------------------------------------------------

MASKS = {"none": None, "causal": np.tri(4, 5, dtype=bool), "each": np.random.default_rng(0).random((2, 3, 4, 5)) < 0.7}


@pytest.mark.parametrize("mask", MASKS)
def test_F8_scaled_dot_product_attention_agrees_with_torch(mask):
    torch, mask = oracle(), MASKS[mask]
    theirs = torch.nn.functional.scaled_dot_product_attention
    arrays = [values(2, 3, 4, 6), values(2, 3, 5, 6), values(2, 3, 5, 2)]
    compare(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, mask),
        lambda q, k, v: theirs(q, k, v, None if mask is None else torch.tensor(mask)),
        arrays,
        rtol=1e-10,
    )


def test_a_query_that_may_look_nowhere_gets_zero_and_finite_gradients():
    q = Tensor(values(2, 3), requires_grad=True)
    found = F.scaled_dot_product_attention(q, values(4, 3), values(4, 3), np.array([[False] * 4, [True] * 4]))
    assert not found.data[0].any()
    found.sum().backward()
    assert not q.grad[0].any()
    assert np.isfinite(q.grad).all()


# --- Several, and the layers around them -------------------------------------------------------------------


def is_torch(module):
    return not isinstance(module, nn.Module)


every_layout = pytest.mark.parametrize("batch_first", [False, True])
every_order = pytest.mark.parametrize("norm_first", [False, True])


def sequence(places, sequences, batch_first, seed=0):
    x = values(places, sequences, 6, seed=seed)
    return x.swapaxes(0, 1).copy() if batch_first else x


@every_layout
def test_F8_self_attention_agrees_with_torch(batch_first):
    def call(module, x):
        if is_torch(module):
            return module(x, x, x, attn_mask=oracle().ones(5, 5).triu(1).bool(), need_weights=False)[0]
        return module(x, causal=True)

    theirs = oracle().nn.MultiheadAttention(6, 3, batch_first=batch_first)
    ours = MultiHeadAttention(6, 3, batch_first=batch_first)
    compare_modules(ours, theirs, [sequence(5, 2, batch_first)], call=call, rtol=1e-10)


@every_layout
def test_F8_attention_to_another_sequence_agrees_with_torch(batch_first):
    keep = np.array([[True, True, False, True], [True, False, False, False]])

    def call(module, query, key, value):
        if is_torch(module):
            return module(query, key, value, key_padding_mask=oracle().tensor(~keep), need_weights=False)[0]
        return module(query, key, value, mask=keep[:, None, None, :])

    theirs = oracle().nn.MultiheadAttention(6, 2, batch_first=batch_first)
    ours = MultiHeadAttention(6, 2, batch_first=batch_first)
    inputs = [sequence(places, 2, batch_first, seed) for seed, places in enumerate((5, 4, 4))]
    compare_modules(ours, theirs, inputs, call=call, rtol=1e-10)


@every_layout
@every_order
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_F8_encoder_layer_agrees_with_torch(batch_first, norm_first, activation):
    options = {"batch_first": batch_first, "norm_first": norm_first}
    theirs = oracle().nn.TransformerEncoderLayer(6, 2, 8, 0.0, activation=activation, **options)
    ours = TransformerEncoderLayer(6, 2, 8, 0.0, activation=getattr(F, activation), **options)
    assert count(ours) == sum(p.numel() for p in theirs.parameters())
    compare_modules(ours, theirs, [sequence(5, 2, batch_first)], rtol=1e-10)


@every_layout
@every_order
def test_F8_decoder_layer_agrees_with_torch(batch_first, norm_first):
    def call(module, x, memory):
        if is_torch(module):
            return module(x, memory, tgt_mask=oracle().ones(5, 5).triu(1).bool())
        return module(x, memory)

    options = {"batch_first": batch_first, "norm_first": norm_first}
    theirs = oracle().nn.TransformerDecoderLayer(6, 2, 8, 0.0, **options)
    ours = TransformerDecoderLayer(6, 2, 8, 0.0, **options)
    assert count(ours) == sum(p.numel() for p in theirs.parameters())
    inputs = [sequence(5, 2, batch_first), sequence(4, 2, batch_first, seed=1)]
    compare_modules(ours, theirs, inputs, call=call, rtol=1e-10)


def test_F8_parameter_counts():
    attention = 4 * (6 * 6 + 6)
    dense, norm = (6 * 8 + 8) + (8 * 6 + 6), 2 * 6
    assert count(MultiHeadAttention(6, 3)) == attention
    assert count(TransformerEncoderLayer(6, 3, 8)) == attention + dense + 2 * norm
    assert count(TransformerDecoderLayer(6, 3, 8)) == 2 * attention + dense + 3 * norm


def test_F8_second_derivatives():
    layer = TransformerEncoderLayer(2, 1, 3, 0.0, activation=F.gelu, rng=0).astype(np.float64)
    check(lambda x: layer(x, causal=True), [values(3, 1, 2)], order=2, tolerance=1e-5)


def test_causal_hides_what_comes_later_also_beside_a_mask():
    layer = MultiHeadAttention(4, 2, batch_first=True, rng=0)
    x, keep = values(1, 5, 4), np.array([True, False, True, True, True])
    changed = x.copy()
    changed[:, 3:] += 1
    changed[:, 1] -= 1
    a, b = (layer(z, mask=keep, causal=True).data for z in (x, changed))
    assert np.allclose(a[:, [0, 2]], b[:, [0, 2]])
    assert not np.allclose(a[:, 3:], b[:, 3:])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_is_kept(dtype):
    x = values(3, 2, 4).astype(dtype)
    encoder = TransformerEncoderLayer(4, 2, 8, 0.5, rng=0).astype(dtype)
    decoder = TransformerDecoderLayer(4, 2, 8, 0.5, rng=0).astype(dtype)
    y = decoder(x, encoder(PositionalEncoding(4)(x), mask=np.tri(3, dtype=bool)))
    y.sum().backward()
    assert {y.dtype, *(p.grad.dtype for p in [*encoder.parameters(), *decoder.parameters()])} == {np.dtype(dtype)}


def test_dropout_acts_only_while_training():
    block = TransformerEncoderLayer(4, 2, 8, 0.5, rng=0)
    x = values(1, 5, 4)
    assert not np.array_equal(block(x).data, block(x).data)
    block.eval()
    assert np.array_equal(block(x).data, block(x).data)


# --- Places ------------------------------------------------------------------------------------------------


def test_F8_positional_encoding():
    p = PositionalEncoding(5)(np.zeros((50, 2, 5)))
    assert p[0].tolist() == [[0, 1, 0, 1, 0]] * 2
    for t in (1, 7, 49):
        for i in (0, 1, 2):
            assert p[t, 1, 2 * i] == pytest.approx(np.sin(t / 10000 ** (2 * i / 5)), abs=1e-14)
        for i in (0, 1):
            assert p[t, 0, 2 * i + 1] == pytest.approx(np.cos(t / 10000 ** (2 * i / 5)), abs=1e-14)
    assert np.array_equal(PositionalEncoding(5, batch_first=True)(np.zeros((2, 50, 5))), p.swapaxes(0, 1))


def test_the_places_of_a_call_do_not_change_those_of_the_next():
    layer, x = PositionalEncoding(4), np.zeros((3, 1, 4))
    first = layer(x)
    kept = first.copy()
    first += 1
    assert np.array_equal(layer(x), kept)
    y = Tensor(x, requires_grad=True)
    layer(y).sum().backward()
    assert y.grad.tolist() == np.ones((3, 1, 4)).tolist()


# --- Learning ----------------------------------------------------------------------------------------------


class Reverser(nn.Module):
    """Reads symbols 0 .. 7 with an encoder layer, and writes them in reverse order with a decoder layer."""

    def __init__(self, rng):
        self.symbols = Embedding(9, 16, rng=rng)
        self.places = PositionalEncoding(16)
        self.encoder = TransformerEncoderLayer(16, 2, 32, 0.0, rng=rng)
        self.decoder = TransformerDecoderLayer(16, 2, 32, 0.0, rng=rng)
        self.output = nn.Dense(16, 8, rng=rng)

    def forward(self, read, written):
        memory = self.encoder(self.places(self.symbols(read)))
        return self.output(self.decoder(self.places(self.symbols(written)), memory))


def test_F8_a_transformer_learns_to_reverse_a_sequence():
    rng = np.random.default_rng(0)
    model = Reverser(rng)
    steps = 300
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    schedule = optim.OneCycleLR(optimizer, 0.01, steps)
    for _ in range(steps):
        read = rng.integers(0, 8, (6, 32))
        target = read[::-1]
        before = np.concatenate([np.full((1, 32), 8), target[:-1]])
        optimizer.zero_grad()
        F.cross_entropy(model(read, before).reshape(-1, 8), target.reshape(-1)).backward()
        optimizer.step()
        schedule.step()
    read = rng.integers(0, 8, (6, 100))
    written = np.full((1, 100), 8)
    for _ in range(6):  # each symbol is written after what the model itself wrote before
        symbol = model(read, written).data[-1].argmax(axis=-1)
        written = np.concatenate([written, symbol[None]])
    assert (written[1:] == read[::-1]).mean() > 0.98


# --- Embedding and normalization ---------------------------------------------------------------------------


def test_embedding_agrees_with_torch_also_for_repeated_ids():
    ids = np.array([[0, 2, 2], [1, 0, 2]])

    def call(module, scale):
        return module(oracle().tensor(ids) if is_torch(module) else ids) * scale

    compare_modules(Embedding(4, 3), oracle().nn.Embedding(4, 3), [values(2, 3, 3)], call=call, rtol=1e-10)


@pytest.mark.parametrize("shape", [(6,), (5, 6)])
def test_F8_layer_norm_agrees_with_torch(shape):
    compare_modules(LayerNorm(shape), oracle().nn.LayerNorm(shape), [values(2, 5, 6)], rtol=1e-10)


@pytest.mark.parametrize("shape", [(6, 3), (2, 3, 4), (2, 3, 4, 5)])
def test_batch_norm_agrees_with_torch_while_training_and_after(shape):
    torch = oracle()
    kind = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d"}[len(shape)]
    ours, theirs = BatchNorm(3), getattr(torch.nn, kind)(3)
    compare_modules(ours, theirs, [values(*shape)], rtol=1e-10)
    for seed in (1, 2):
        ours(values(*shape, seed=seed))
        theirs(torch.tensor(values(*shape, seed=seed)))
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-10)
    ours.eval()
    theirs.eval()
    compare_modules(ours, theirs, [values(*shape, seed=3)], rtol=1e-10)
    assert ours.num_batches_tracked == 3


def test_batch_norm_makes_mean_0_and_variance_1_and_keeps_float32():
    model = BatchNorm(2)
    y = model(values(5, 2, 4, 4, low=3, high=9).astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.data.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(y.data.var(axis=(0, 2, 3)), 1, rtol=1e-3)
    assert model.running_mean.dtype == np.float32


def test_second_derivatives_of_the_normalizations():
    for layer in (LayerNorm(4).astype(np.float64), BatchNorm(4).astype(np.float64)):
        check(layer, [values(3, 4)], order=2, tolerance=1e-5)


# --- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MultiHeadAttention(6, 4), "heads to divide size 6, got 4"),
        (lambda: MultiHeadAttention(6, 2, dropout=1.0), r"dropout in \[0, 1\)"),
        (lambda: MultiHeadAttention(6, 2)(np.ones((5, 6))), r"queries \(T, N, 6\) .*, got \(5, 6\), \(5, 6\)"),
        (lambda: MultiHeadAttention(6, 2)(np.ones((5, 2, 6)), np.ones((5, 3, 6))), r"values \(S, N, 6\), got \(5, 2"),
        (
            lambda: MultiHeadAttention(6, 2, batch_first=True)(np.ones((5, 2, 6)), np.ones((4, 2, 6))),
            r"\(N, T, 6\) and keys and values \(N, S, 6\)",
        ),
        (lambda: PositionalEncoding(5)(np.zeros((1, 6, 4))), r"x \(T, N, 5\), got \(1, 6, 4\)"),
        (lambda: PositionalEncoding(0), "at least 1"),
        (lambda: Embedding(0, 3), "at least 1, got 0 and 3"),
        (lambda: Embedding(4, 3)(np.array([4])), r"in 0 .. 3, got 4"),
        (lambda: Embedding(4, 3)(np.array([-1])), r"in 0 .. 3, got -1"),
        (lambda: Embedding(4, 3)(np.array([1.0])), "integer"),
        (lambda: LayerNorm(3)(np.ones((2, 4))), r"layer_norm: expected x \(..., 3\), got \(2, 4\)"),
        (lambda: BatchNorm(2)(np.ones((5, 3))), r"expected x \(N, 2, ...\), got \(5, 3\)"),
        (lambda: BatchNorm(2)(np.ones((1, 2))), "more than one value"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Attention and the Transformer's blocks; the batch is the first axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import Tensor, split
from nn import functional as F
from nn import init as initializers
from nn.layers.dense import Dense
from nn.layers.normalization import LayerNorm
from nn.layers.regularization import Dropout
from nn.module import Module


class MultiHeadAttention(Module):
    """Several attentions side by side, each on its own projection of queries, keys and values.

    Args:
        size: length of the vectors.
        heads: number of attentions; divides `size`.
        dropout: probability with which an attention weight is dropped while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        in_proj_weight: projections for queries, keys and values, one below the other: (3 size, size).
        in_proj_bias: (3 size,).
        out_proj: Dense layer on the joined results.

    Raises:
        ValueError: `heads` does not divide `size`.

    Source: Vaswani et al., arXiv:1706.03762, section 3.2.2.
    """

    def __init__(self, size: int, heads: int, *, dropout: float = 0.0, rng: initializers.Rng = None) -> None:
        if heads < 1 or size % heads:
            raise ValueError(f"MultiHeadAttention: expected heads to divide size {size}, got {heads}")
        self.size = size
        self.heads = heads
        self.dropout = dropout
        self.rng = np.random.default_rng(rng)
        self.in_proj_weight = Tensor(initializers.glorot_uniform((3 * size, size), rng=self.rng), requires_grad=True)
        self.in_proj_bias = Tensor(initializers.zeros((3 * size,)), requires_grad=True)
        self.out_proj = Dense(size, size, rng=self.rng)

    def forward(self, query: Any, key: Any = None, value: Any = None, *, mask: Any = None) -> Any:
        """Return (N, T, size).

        Args:
            query: (N, T, size).
            key: (N, S, size); the default is the query (self-attention).
            value: (N, S, size); the default is the key.
            mask: True where a query may look at a key: (T, S), or what broadcasts to (N, heads, T, S).
        """
        key = query if key is None else key
        value = key if value is None else value
        if query is key is value:
            parts = split(F.linear(query, self.in_proj_weight, self.in_proj_bias), 3, axis=-1)
        else:
            weights, biases = split(self.in_proj_weight, 3), split(self.in_proj_bias, 3)
            parts = tuple(F.linear(*arguments) for arguments in zip((query, key, value), weights, biases, strict=True))
        q, k, v = (self._apart(part) for part in parts)
        dropped = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=dropped, rng=self.rng)
        return self.out_proj(found.swapaxes(1, 2).reshape(query.shape))

    def _apart(self, x: Any) -> Any:
        """Return x (N, T, size) as (N, heads, T, size / heads)."""
        return x.reshape((*x.shape[:2], self.heads, self.size // self.heads)).swapaxes(1, 2)


MultiheadAttention = MultiHeadAttention


class TransformerEncoderLayer(Module):
    """Self-attention, then two dense layers at each place, each with dropout, a bypass and a layer norm.

    Args:
        size: length of the vectors.
        heads: of the attention.
        hidden: length between the two dense layers.
        dropout: probability while training.
        activation: between the two dense layers.
        norm_first: normalize before attention and dense layers (easier to train) rather than after the bypass.
        rng: generator or seed.

    Source: Vaswani et al., arXiv:1706.03762, section 3.1; norm first: Xiong et al., arXiv:2002.04745.
    """

    def __init__(
        self,
        size: int,
        heads: int,
        hidden: int = 2048,
        dropout: float = 0.1,
        *,
        activation: Callable[..., Any] = F.relu,
        norm_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.activation = activation
        self.norm_first = norm_first
        self.self_attn = MultiHeadAttention(size, heads, dropout=dropout, rng=rng)
        self.linear1 = Dense(size, hidden, rng=rng)
        self.linear2 = Dense(hidden, size, rng=rng)
        self.norm1 = LayerNorm(size)
        self.norm2 = LayerNorm(size)
        self.drop = Dropout(dropout, rng=rng)

    def forward(self, x: Any, *, mask: Any = None) -> Any:
        """Return (N, T, size) for x (N, T, size); `mask` as in `MultiHeadAttention`."""
        x = _bypass(x, lambda y: self.drop(self.self_attn(y, mask=mask)), self.norm1, self.norm_first)
        return _bypass(x, self._dense, self.norm2, self.norm_first)

    def _dense(self, x: Any) -> Any:
        return self.drop(self.linear2(self.drop(self.activation(self.linear1(x)))))


class TransformerDecoderLayer(Module):
    """Like the encoder's layer, with attention to the encoder's result between; sees no later place of its own.

    Args:
        size: length of the vectors.
        heads: of the attentions.
        hidden: length between the two dense layers.
        dropout: probability while training.
        activation: between the two dense layers.
        norm_first: normalize before attention and dense layers rather than after the bypass.
        rng: generator or seed.

    Source: Vaswani et al., arXiv:1706.03762, section 3.1.
    """

    def __init__(
        self,
        size: int,
        heads: int,
        hidden: int = 2048,
        dropout: float = 0.1,
        *,
        activation: Callable[..., Any] = F.relu,
        norm_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.activation = activation
        self.norm_first = norm_first
        self.self_attn = MultiHeadAttention(size, heads, dropout=dropout, rng=rng)
        self.multihead_attn = MultiHeadAttention(size, heads, dropout=dropout, rng=rng)
        self.linear1 = Dense(size, hidden, rng=rng)
        self.linear2 = Dense(hidden, size, rng=rng)
        self.norm1 = LayerNorm(size)
        self.norm2 = LayerNorm(size)
        self.norm3 = LayerNorm(size)
        self.drop = Dropout(dropout, rng=rng)

    def forward(self, x: Any, memory: Any, *, mask: Any = None, memory_mask: Any = None) -> Any:
        """Return (N, T, size).

        Args:
            x: (N, T, size).
            memory: the encoder's result, (N, S, size).
            mask: where x may look at itself; the default is itself and what came before.
            memory_mask: where x may look at the memory; the default is everywhere.
        """
        mask = F.causal_mask(x.shape[1]) if mask is None else mask
        x = _bypass(x, lambda y: self.drop(self.self_attn(y, mask=mask)), self.norm1, self.norm_first)
        x = _bypass(
            x, lambda y: self.drop(self.multihead_attn(y, memory, mask=memory_mask)), self.norm2, self.norm_first
        )
        return _bypass(x, self._dense, self.norm3, self.norm_first)

    def _dense(self, x: Any) -> Any:
        return self.drop(self.linear2(self.drop(self.activation(self.linear1(x)))))


def _bypass(x: Any, branch: Callable[[Any], Any], norm: LayerNorm, norm_first: bool) -> Any:
    """Return x plus what the branch makes of it, normalized before the branch or after the sum."""
    return x + branch(norm(x)) if norm_first else norm(x + branch(x))

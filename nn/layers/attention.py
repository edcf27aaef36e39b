"""Attention and the Transformer's blocks, with PyTorch's layout and parameter names.

A batch of sequences is (T, N, size): T places in N sequences; with `batch_first=True` it is (N, T, size). A mask is
True where a query may look at a key, as in Keras and in `F.scaled_dot_product_attention`; PyTorch's layers take the
opposite. Whatever the layout, its axes are (N, heads, T, S), or what broadcasts to that: (T, S) for one that all
share, `keep[:, None, None, :]` for keys (N, S) that are not padding.
"""

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
        batch_first: whether sequences are (N, T, size) instead of (T, N, size).
        rng: generator or seed for weights and dropout.

    Attributes:
        in_proj_weight: projections for queries, keys and values, one below the other: (3 size, size).
        in_proj_bias: (3 size,).
        out_proj: Dense layer on the joined results.

    Raises:
        ValueError: `heads` does not divide `size`.

    Source: Vaswani et al., arXiv:1706.03762, section 3.2.2.
    """

    def __init__(
        self,
        size: int,
        heads: int,
        *,
        dropout: float = 0.0,
        batch_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        if size < 1 or heads < 1 or size % heads:
            raise ValueError(f"MultiHeadAttention: expected heads to divide size {size}, got {heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"MultiHeadAttention: expected dropout in [0, 1), got {dropout}")
        self.size = size
        self.heads = heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.rng = np.random.default_rng(rng)
        self.in_proj_weight = Tensor(initializers.glorot_uniform((3 * size, size), rng=self.rng), requires_grad=True)
        self.in_proj_bias = Tensor(initializers.zeros((3 * size,)), requires_grad=True)
        self.out_proj = Dense(size, size, rng=self.rng)

    def forward(self, query: Any, key: Any = None, value: Any = None, *, mask: Any = None, causal: bool = False) -> Any:
        """Return what each query finds, (T, N, size), or (N, T, size) with `batch_first`.

        Args:
            query: (T, N, size), or (N, T, size) with `batch_first`.
            key: (S, N, size) or (N, S, size); the default is the query (self-attention).
            value: of the key's shape; the default is the key.
            mask: True where a query may look at a key: broadcasts to (N, heads, T, S). The default is everywhere.
            causal: a query sees no later place than its own (besides what the mask hides).

        Raises:
            ValueError: the shapes do not fit.
        """
        key = query if key is None else key
        value = key if value is None else value
        self._check(query, key, value)
        if query is key is value:
            parts = split(F.linear(query, self.in_proj_weight, self.in_proj_bias), 3, axis=-1)
        else:
            weights, biases = split(self.in_proj_weight, 3), split(self.in_proj_bias, 3)
            parts = tuple(F.linear(*arguments) for arguments in zip((query, key, value), weights, biases, strict=True))
        q, k, v = (self._apart(part) for part in parts)
        if causal:
            earlier = np.tri(q.shape[2], k.shape[2], dtype=bool)
            mask = earlier if mask is None else mask & earlier
        dropped = self.dropout if self.training else 0.0
        found = F.scaled_dot_product_attention(q, k, v, mask, dropout_p=dropped, rng=self.rng)
        return self.out_proj(found.transpose(self._order()).reshape(query.shape))

    def _check(self, query: Any, key: Any, value: Any) -> None:
        batch = 0 if self.batch_first else 1
        shapes = [part.shape for part in (query, key, value)]
        same = all(len(shape) == 3 and shape[2] == self.size for shape in shapes) and shapes[1] == shapes[2]
        if not same or shapes[0][batch] != shapes[1][batch]:
            order = "(N, T, {0}) and keys and values (N, S, {0})", "(T, N, {0}) and keys and values (S, N, {0})"
            expected = order[batch].format(self.size)
            raise ValueError(f"MultiHeadAttention: expected queries {expected}, got {', '.join(map(str, shapes))}")

    def _order(self) -> tuple[int, ...]:
        """Return the axes of (N, heads, T, .) in the order in which the layer's sequences have them."""
        return (0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3)

    def _apart(self, x: Any) -> Any:
        """Return a sequence as (N, heads, T, size / heads)."""
        x = x.reshape((*x.shape[:2], self.heads, self.size // self.heads))
        return x.transpose((0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))


class _TransformerLayer(Module):
    """What encoder and decoder layers share: two dense layers at each place, and how a part is bypassed."""

    def __init__(
        self,
        size: int,
        heads: int,
        hidden: int = 2048,
        dropout: float = 0.1,
        *,
        activation: Callable[..., Any] = F.relu,
        norm_first: bool = False,
        batch_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.size = size
        self.heads = heads
        self.hidden = hidden
        self.dropout = dropout
        self.activation = activation
        self.norm_first = norm_first
        self.batch_first = batch_first
        self.self_attn = MultiHeadAttention(size, heads, dropout=dropout, batch_first=batch_first, rng=rng)
        self.linear1 = Dense(size, hidden, rng=rng)
        self.linear2 = Dense(hidden, size, rng=rng)
        self.norm1 = LayerNorm(size)
        self.norm2 = LayerNorm(size)
        self.drop = Dropout(dropout, rng=rng)

    def _bypass(self, x: Any, part: Callable[[Any], Any], norm: LayerNorm) -> Any:
        """Return x plus what the part makes of it, normalized before the part or after the sum."""
        return x + self.drop(part(norm(x))) if self.norm_first else norm(x + self.drop(part(x)))

    def _dense(self, x: Any) -> Any:
        return self.linear2(self.drop(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_TransformerLayer):
    """Self-attention, then two dense layers at each place, each with dropout, a bypass and a layer norm.

    Args:
        size: length of the vectors.
        heads: of the attention.
        hidden: length between the two dense layers.
        dropout: probability while training.
        activation: between the two dense layers.
        norm_first: normalize before attention and dense layers (easier to train) rather than, as in the paper, after
            the bypass.
        batch_first: whether sequences are (N, T, size) instead of (T, N, size).
        rng: generator or seed for weights and dropout.

    Source: Vaswani et al., arXiv:1706.03762, section 3.1; norm first: Xiong et al., arXiv:2002.04745.
    """

    def forward(self, x: Any, *, mask: Any = None, causal: bool = False) -> Any:
        """Return a sequence of x's shape; x, `mask` and `causal` as in `MultiHeadAttention`."""
        x = self._bypass(x, lambda y: self.self_attn(y, mask=mask, causal=causal), self.norm1)
        return self._bypass(x, self._dense, self.norm2)


class TransformerDecoderLayer(_TransformerLayer):
    """Like the encoder's layer, with attention to the encoder's result between; sees no later place of its own.

    Args:
        size: length of the vectors.
        heads: of the attentions.
        hidden: length between the two dense layers.
        dropout: probability while training.
        activation: between the two dense layers.
        norm_first: normalize before attention and dense layers rather than, as in the paper, after the bypass.
        batch_first: whether sequences are (N, T, size) instead of (T, N, size).
        rng: generator or seed for weights and dropout.

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
        batch_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        super().__init__(
            size,
            heads,
            hidden,
            dropout,
            activation=activation,
            norm_first=norm_first,
            batch_first=batch_first,
            rng=rng,
        )
        self.multihead_attn = MultiHeadAttention(size, heads, dropout=dropout, batch_first=batch_first, rng=rng)
        self.norm3 = LayerNorm(size)

    def forward(self, x: Any, memory: Any, *, mask: Any = None, memory_mask: Any = None) -> Any:
        """Return a sequence of x's shape.

        Args:
            x: (T, N, size), or (N, T, size) with `batch_first`.
            memory: the encoder's result, (S, N, size) or (N, S, size).
            mask: where x may look at itself, apart from later places, which it never sees; as in
                `MultiHeadAttention`.
            memory_mask: where x may look at the memory; the default is everywhere.
        """
        x = self._bypass(x, lambda y: self.self_attn(y, mask=mask, causal=True), self.norm1)
        x = self._bypass(x, lambda y: self.multihead_attn(y, memory, mask=memory_mask), self.norm2)
        return self._bypass(x, self._dense, self.norm3)

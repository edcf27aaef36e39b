"""Recurrent networks over sequences, with PyTorch's layout, gate order and parameter names.

A batch of sequences is (T, N, features): T steps of N sequences; with `batch_first=True` it is (N, T, features). By
default each gate has one bias; `biases=2` adds the second one that PyTorch has, so that its weights can be loaded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor, concatenate, stack, unstack
from nn import functional as F
from nn import init as initializers
from nn.layers.dense import Dense
from nn.module import Module

State = tuple[Any, ...]
"""What a layer carries from one step to the next, each (N, hidden_size): (h,), or (h, c) for an LSTM."""


class _Recurrent(Module):
    """Layers of cells, each running over the whole sequence before the next; a subclass has `_cell`, or its own `_run`.

    Attributes:
        gates: how many times `hidden_size` rows the weights have.
        carried: how many arrays a state consists of.
    """

    gates = 1
    carried = 1
    weight_hh_l0: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        biases: int = 1,
        batch_first: bool = False,
        dropout: float = 0.0,
        rng: initializers.Rng = None,
    ) -> None:
        if min(input_size, hidden_size, num_layers) < 1 or biases not in (0, 1, 2) or not 0 <= dropout < 1:
            raise ValueError(
                f"{type(self).__name__}: expected sizes of at least 1, biases 0, 1 or 2 and dropout in [0, 1), got "
                f"{input_size}, {hidden_size}, {num_layers}, {biases} and {dropout}"
            )
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.biases = biases
        self.batch_first = batch_first
        self.dropout = dropout
        self.rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(hidden_size)
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, hidden_size if layer else input_size),
                "weight_hh": (rows, hidden_size),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
            }
            for name, shape in list(shapes.items())[: 2 + biases]:
                values = initializers.uniform(shape, -bound, bound, rng=self.rng)
                setattr(self, f"{name}_l{layer}", Tensor(values, requires_grad=True))

    def _cell(self, projected: Any, state: State, weight: Any, bias: Any) -> State:
        """Return the next state; its first array is the output."""
        raise NotImplementedError

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Return the last layer's outputs, and the final state of every layer.

        Args:
            x: (T, N, input_size), or (N, T, input_size) with `batch_first`; T >= 1.
            state: to begin with, (num_layers, N, hidden_size) also with `batch_first`; a pair (h, c) of these for an
                LSTM; zeros by default.

        Returns:
            The outputs, laid out like x: (T, N, hidden_size) or (N, T, hidden_size), and a state like `state`, with
            which the next part of the sequence can go on.

        Raises:
            ValueError: x or the state has another shape.
        """
        _check_sequence(self, x)
        x = x.swapaxes(0, 1) if self.batch_first else x
        start = self._start(state, x)
        final = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training, rng=self.rng)
            x, last = self._run(x, layer, tuple(part[layer] for part in start))
            final.append(last)
        parts = [concatenate(layers) if len(layers) > 1 else layers[0] for layers in zip(*final, strict=True)]
        return x.swapaxes(0, 1) if self.batch_first else x, parts[0] if self.carried == 1 else tuple(parts)

    def _start(self, state: Any, x: Any) -> State:
        """Return the arrays to begin with, each (num_layers, N, hidden_size)."""
        shape = (self.num_layers, x.shape[1], self.hidden_size)
        if state is None:
            return (np.zeros(shape, np.result_type(x.dtype, self.weight_hh_l0.dtype)),) * self.carried
        parts = (state,) if self.carried == 1 else tuple(state)
        if [np.shape(part) for part in parts] != [shape] * self.carried:
            expected = shape if self.carried == 1 else f"a pair of {shape}"
            raise ValueError(
                f"{type(self).__name__}: expected a state {expected}, got {', '.join(str(np.shape(p)) for p in parts)}"
            )
        return parts

    def _parameters(self, layer: int) -> tuple[Any, Any, Any, Any]:
        """Return a layer's weights for the input and for the state, and its biases or None."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        weight, recurrent, bias, second = (getattr(self, f"{name}_l{layer}", None) for name in names)
        return weight, recurrent, bias, second

    def _run(self, x: Any, layer: int, state: State) -> tuple[Any, State]:
        """Return the outputs of one layer over the sequence, and its final state, each array of it (1, N, H)."""
        weight, recurrent, bias, second = self._parameters(layer)
        outputs = []
        for projected in unstack(F.linear(x, weight, bias)):
            state = self._cell(projected, state, recurrent, second)
            outputs.append(state[0])
        return stack(outputs), tuple(part[None] for part in state)


def _check_sequence(layer: Any, x: Any) -> None:
    if x.ndim != 3 or x.shape[2] != layer.input_size or x.shape[layer.batch_first] < 1:
        order = "N, T >= 1" if layer.batch_first else "T >= 1, N"
        raise ValueError(f"{type(layer).__name__}: expected x ({order}, {layer.input_size}), got {x.shape}")


class RNN(_Recurrent):
    """The vanilla recurrent network: h_t = tanh(W x_t + U h_{t-1} + b).

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        num_layers: layers; each takes the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        biases: 1; 2 as PyTorch has them; 0.
        batch_first: whether sequences are (N, T, features) instead of (T, N, features).
        dropout: probability between layers while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, ...: W (H, input), U (H, H), b (H,) of each layer.

    Raises:
        ValueError: an option out of range.

    Source: Elman, Cognitive Science 14 (1990).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        nonlinearity: str = "tanh",
        biases: int = 1,
        batch_first: bool = False,
        dropout: float = 0.0,
        rng: initializers.Rng = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'RNN: expected nonlinearity "tanh" or "relu", got {nonlinearity!r}')
        self.nonlinearity = nonlinearity
        super().__init__(
            input_size, hidden_size, num_layers, biases=biases, batch_first=batch_first, dropout=dropout, rng=rng
        )

    def _cell(self, projected: Any, state: State, weight: Any, bias: Any) -> State:
        (h,) = state
        return (F.rnn_cell(projected, h, weight, bias, nonlinearity=getattr(F, self.nonlinearity)),)


class LSTM(_Recurrent):
    """Long short-term memory; see `F.lstm_cell` for one of its steps. Its state is a pair (h, c).

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t and c_t.
        num_layers: layers; each takes the outputs of the one before.
        biases: for each gate 1; 2 as PyTorch has them; 0.
        batch_first: whether sequences are (N, T, features) instead of (T, N, features).
        dropout: probability between layers while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, ...: rows for the gates i, f, g, o, one below the other.

    Raises:
        ValueError: an option out of range.

    Source: Hochreiter and Schmidhuber, Neural Computation 9 (1997), with the forget gate of Gers et al. (2000).
    """

    gates = 4
    carried = 2

    def _run(self, x: Any, layer: int, state: State) -> tuple[Any, State]:
        weight, recurrent, bias, second = self._parameters(layer)
        if bias is None:
            bias = np.zeros(len(weight), weight.dtype)
        outputs, c = F.lstm(x, *state, weight, recurrent, bias if second is None else bias + second)
        return outputs, (outputs[-1:], c[None])


class GRU(_Recurrent):
    """Gated recurrent unit; see `F.gru_cell`.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        num_layers: layers; each takes the outputs of the one before.
        biases: for each gate 1; 2 as PyTorch has them; 0.
        batch_first: whether sequences are (N, T, features) instead of (T, N, features).
        dropout: probability between layers while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, ...: rows for the gates r, z, n, one below the other.

    Raises:
        ValueError: an option out of range.

    Source: Cho et al., arXiv:1406.1078; the form: Appleyard et al., arXiv:1604.01946.
    """

    gates = 3

    def _cell(self, projected: Any, state: State, weight: Any, bias: Any) -> State:
        (h,) = state
        return (F.gru_cell(projected, h, weight, bias),)


class Elman(Module):
    """A hidden layer that also sees itself one step before, and an output layer: the hidden-fed context layer.

    h_t = tanh(W x_t + U h_{t-1} + b);  y_t = V h_t + c.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        output_size: length of y_t.
        batch_first: whether sequences are (N, T, features) instead of (T, N, features).
        rng: generator or seed.

    Source: Elman, Cognitive Science 14 (1990).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        batch_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.batch_first = batch_first
        self.hidden = RNN(input_size, hidden_size, batch_first=batch_first, rng=rng)
        self.output = Dense(hidden_size, output_size, rng=rng)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Return the outputs y, laid out like x: (T, N, output_size), and the context h_T: (1, N, hidden_size).

        Args:
            x: (T, N, input_size), or (N, T, input_size) with `batch_first`; T >= 1.
            state: the context to begin with; zeros by default.
        """
        h, state = self.hidden(x, state)
        return self.output(h), state


class Jordan(Module):
    """A hidden layer that also sees the output one step before: the output-fed context layer.

    h_t = tanh(W x_t + U y_{t-1} + b);  y_t = V h_t + c.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        output_size: length of y_t.
        batch_first: whether sequences are (N, T, features) instead of (T, N, features).
        rng: generator or seed.

    Source: Jordan, "Serial order: a parallel distributed processing approach", ICS report 8604 (1986).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        *,
        batch_first: bool = False,
        rng: initializers.Rng = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.batch_first = batch_first
        self.input = Dense(input_size, hidden_size, rng=rng)
        self.context = Dense(output_size, hidden_size, bias=False, rng=rng)
        self.output = Dense(hidden_size, output_size, rng=rng)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Return the outputs y, laid out like x: (T, N, output_size), and the context y_T: (1, N, output_size).

        Args:
            x: (T, N, input_size), or (N, T, input_size) with `batch_first`; T >= 1.
            state: the context to begin with; zeros by default.
        """
        _check_sequence(self, x)
        x = x.swapaxes(0, 1) if self.batch_first else x
        shape = (1, x.shape[1], self.output_size)
        state = np.zeros(shape, np.result_type(x.dtype, self.output.weight.dtype)) if state is None else state
        if np.shape(state) != shape:
            raise ValueError(f"Jordan: expected a state {shape}, got {np.shape(state)}")
        y = state[0]
        outputs = []
        for projected in unstack(self.input(x)):
            y = self.output(F.tanh(projected + self.context(y)))
            outputs.append(y)
        return stack(outputs, axis=1 if self.batch_first else 0), y[None]

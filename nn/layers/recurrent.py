"""Recurrent networks over sequences (N, T, features); the batch is the first axis.

Weights have PyTorch's names and order. By default each gate has one bias; `biases=2` adds the second one that PyTorch
has, so that its weights can be loaded.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd import Tensor, stack, unstack
from nn import functional as F
from nn import init as initializers
from nn.layers.dense import Dense
from nn.module import Module


class _Recurrent(Module):
    """Layers of cells, each running over the whole sequence before the next; a subclass has the cell.

    Attributes:
        gates: how many times `hidden_size` rows the weights have.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        biases: int = 1,
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
        self.dropout = dropout
        self.rng = np.random.default_rng(rng)
        bound = 1 / math.sqrt(hidden_size)
        rows = self.gates * hidden_size
        for layer in range(num_layers):
            shapes = {"weight_ih": (rows, input_size if layer == 0 else hidden_size), "weight_hh": (rows, hidden_size)}
            shapes |= dict.fromkeys(("bias_ih", "bias_hh")[:biases], (rows,))
            for name, shape in shapes.items():
                values = initializers.uniform(shape, -bound, bound, rng=self.rng)
                setattr(self, f"{name}_l{layer}", Tensor(values, requires_grad=True))

    def _cell(self, projected: Any, state: Any, weight: Any, bias: Any) -> Any:
        """Return the next state; the output is the state, or the first of a tuple."""
        raise NotImplementedError

    def _zeros(self, x: Any) -> Any:
        return np.zeros((x.shape[0], self.hidden_size), x.dtype)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Return the last layer's outputs (N, T, hidden_size) and the final state of each layer.

        Args:
            x: (N, T, input_size).
            state: a list with a state (N, hidden_size) for each layer to begin with (a pair of such for an LSTM); the
                default is zeros.
        """
        if x.ndim != 3 or x.shape[2] != self.input_size or x.shape[1] < 1:
            raise ValueError(f"{type(self).__name__}: expected x (N, T >= 1, {self.input_size}), got {x.shape}")
        if state is not None and len(state) != self.num_layers:
            raise ValueError(f"{type(self).__name__}: expected a state for each of {self.num_layers} layers")
        final = []
        for layer in range(self.num_layers):
            if layer:
                x = F.dropout(x, self.dropout, self.training, rng=self.rng)
            x, last = self._run(x, layer, self._zeros(x) if state is None else state[layer])
            final.append(last)
        return x, final

    def _run(self, x: Any, layer: int, state: Any) -> tuple[Any, Any]:
        """Return the outputs of one layer over the sequence, and its final state."""
        weight, recurrent, bias, second = (
            getattr(self, f"{name}_l{layer}", None) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        outputs = []
        for projected in unstack(F.linear(x, weight, bias), axis=1):
            state = self._cell(projected, state, recurrent, second)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return stack(outputs, axis=1), state


class RNN(_Recurrent):
    """The vanilla recurrent network: h_t = tanh(W x_t + U h_{t-1} + b).

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        num_layers: layers; each takes the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        biases: 1; 2 as PyTorch has them; 0.
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
        dropout: float = 0.0,
        rng: initializers.Rng = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f'RNN: expected nonlinearity "tanh" or "relu", got {nonlinearity!r}')
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, num_layers, biases=biases, dropout=dropout, rng=rng)

    def _cell(self, projected: Any, state: Any, weight: Any, bias: Any) -> Any:
        return F.rnn_cell(projected, state, weight, bias, nonlinearity=getattr(F, self.nonlinearity))


class LSTM(_Recurrent):
    """Long short-term memory; see `F.lstm_cell`. Its state is a pair (h, c) for each layer.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t and c_t.
        num_layers: layers; each takes the outputs of the one before.
        biases: for each gate 1; 2 as PyTorch has them; 0.
        dropout: probability between layers while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, ...: rows for the gates i, f, g, o, one below the other.

    Raises:
        ValueError: an option out of range.
    """

    gates = 4

    def _zeros(self, x: Any) -> Any:
        return super()._zeros(x), super()._zeros(x)

    def _cell(self, projected: Any, state: Any, weight: Any, bias: Any) -> Any:
        return F.lstm_cell(projected, *state, weight, bias)


class GRU(_Recurrent):
    """Gated recurrent unit; see `F.gru_cell`.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        num_layers: layers; each takes the outputs of the one before.
        biases: for each gate 1; 2 as PyTorch has them; 0.
        dropout: probability between layers while training.
        rng: generator or seed for weights and dropout.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, ...: rows for the gates r, z, n, one below the other.

    Raises:
        ValueError: an option out of range.
    """

    gates = 3

    def _cell(self, projected: Any, state: Any, weight: Any, bias: Any) -> Any:
        return F.gru_cell(projected, state, weight, bias)


class Elman(Module):
    """A hidden layer that also sees itself one step before, and an output layer: the hidden-fed context layer.

    h_t = tanh(W x_t + U h_{t-1} + b);  y_t = V h_t + c.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        output_size: length of y_t.
        rng: generator or seed.

    Source: Elman, Cognitive Science 14 (1990).
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, *, rng: initializers.Rng = None) -> None:
        rng = np.random.default_rng(rng)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.hidden = RNN(input_size, hidden_size, rng=rng)
        self.output = Dense(hidden_size, output_size, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return y (N, T, output_size) for x (N, T, input_size)."""
        return self.output(self.hidden(x)[0])


class Jordan(Module):
    """A hidden layer that also sees the output one step before: the output-fed context layer.

    h_t = tanh(W x_t + U y_{t-1} + b);  y_t = V h_t + c.

    Args:
        input_size: length of x_t.
        hidden_size: length of h_t.
        output_size: length of y_t.
        rng: generator or seed.

    Source: Jordan, "Serial order: a parallel distributed processing approach", ICS report 8604 (1986).
    """

    def __init__(self, input_size: int, hidden_size: int, output_size: int, *, rng: initializers.Rng = None) -> None:
        rng = np.random.default_rng(rng)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.input = Dense(input_size, hidden_size, rng=rng)
        self.context = Dense(output_size, hidden_size, bias=False, rng=rng)
        self.output = Dense(hidden_size, output_size, rng=rng)

    def forward(self, x: Any) -> Any:
        """Return y (N, T, output_size) for x (N, T, input_size)."""
        y: Any = np.zeros((x.shape[0], self.output_size), x.dtype)
        outputs = []
        for projected in unstack(self.input(x), axis=1):
            y = self.output(F.tanh(projected + self.context(y)))
            outputs.append(y)
        return stack(outputs, axis=1)

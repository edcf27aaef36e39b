"""Long short-term memory: `lstm_cell`, one step in ordinary operations, and `lstm`, a layer as one operation.

The layer computes what the cell does at each step, in half the time: it has one product with [x_t, h, 1] a step,
and works in place on arrays that stay in the cache. In them the batch is the last axis, so that what belongs to one
gate lies together, and the gates stand in the order i, f, o, g, so that sigmoid is taken of three at once. Its loops
call NumPy's functions by local names, with the array for the result as last argument: as operators, or with `out=`,
so many calls on so few numbers take a tenth longer.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd.ops.elementwise import sigmoid
from autograd.ops.joining import split, stack
from autograd.ops.products import linear
from autograd.primitive import primitive

__all__ = ["lstm", "lstm_cell"]


def lstm_cell(projected: Any, h: Any, c: Any, weight: Any, bias: Any = None) -> tuple[Any, Any]:
    """Return the next state (h', c') of a long short-term memory.

    With the gates i, f, o = sigmoid(.) and the candidate g = tanh(.), all affine in x and h:
    c' = f c + i g;  h' = o tanh(c').

    Args:
        projected: what the input contributes to i, f, g, o: (N, 4 H).
        h: the output before, (N, H).
        c: the memory before, (N, H).
        weight: (4 H, H).
        bias: a second bias, or None.

    Raises:
        ValueError: the shapes do not fit.

    Source: Hochreiter and Schmidhuber, Neural Computation 9 (1997), with the forget gate of Gers et al. (2000).
    """
    if projected.shape != (*h.shape[:-1], 4 * h.shape[-1]) or h.shape != c.shape:
        raise ValueError(
            f"lstm_cell: expected projected (N, 4 H), h and c (N, H), got {projected.shape}, {h.shape} and {c.shape}"
        )
    i, f, g, o = split(linear(h, weight, projected if bias is None else projected + bias), 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def _lstm(x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias: Any) -> tuple[tuple[Any, Any], Any]:
    """Return a long short-term memory's outputs at all steps, (T, N, H), and its last memory, (N, H); see `lstm_cell`.

    Beside these it returns what its rules need of the steps: for each of them i, f, o, g, the memory before it and tanh
    of the memory after it, (T + 1, 6, H, N); at the end only the last memory.

    Args:
        x: the inputs (T, N, features); T >= 1.
        h: the output before the first step, (N, H).
        c: the memory before the first step, (N, H).
        weight_ih: (4 H, features), rows for i, f, g, o one below the other.
        weight_hh: (4 H, H).
        bias: (4 H,).

    Raises:
        ValueError: the shapes do not fit.
    """
    if x.ndim != 3 or len(x) == 0:
        raise ValueError(f"lstm: expected x (T >= 1, N, features), got {x.shape}")
    (steps, batch, features), size = x.shape, h.shape[-1]
    shapes = [h.shape, c.shape, weight_ih.shape, weight_hh.shape, bias.shape]
    if shapes != [(batch, size), (batch, size), (4 * size, features), (4 * size, size), (4 * size,)]:
        raise ValueError(
            "lstm: expected x (T, N, features), h and c (N, H), weights (4 H, features) and (4 H, H), a bias (4 H,), "
            f"got {x.shape}, {', '.join(map(str, shapes))}"
        )
    dtype = np.result_type(x, h, c, weight_ih, weight_hh, bias, np.float16)
    one = np.ones((), dtype)  # cheaper than 1, which every operation would have to make an array of
    add, multiply, divide, exp, tanh, dot = np.add, np.multiply, np.divide, np.exp, np.tanh, np.dot
    i, f, g, o = np.concatenate([weight_ih, weight_hh, bias[:, None]], axis=1, dtype=dtype).reshape(4, size, -1)
    weights = np.concatenate([-i, -f, -o, g])  # sigmoid(a) = 1 / (1 + exp(-a))
    seen = np.empty((steps + 1, features + size + 1, batch), dtype)  # x_t, h_{t-1} and 1
    seen[:-1, :features] = x.transpose(0, 2, 1)
    outputs = seen[:, features:-1]
    outputs[0] = h.T
    seen[:, -1] = 1
    trace = np.empty((steps + 1, 6, size, batch), dtype)
    trace[0, 4] = c.T
    products = i_g, f_c = np.empty((2, size, batch), dtype)
    views = zip(
        seen[:-1],
        trace[:-1, :4].reshape(steps, 4 * size, batch),
        trace[:-1, :3],
        trace[:-1, 2],
        trace[:-1, 3],
        trace[:-1, :2],
        trace[:-1, 3:5],
        trace[1:, 4],
        trace[:-1, 5],
        outputs[1:],
        strict=True,
    )
    with np.errstate(over="ignore"):  # exp(-a) = inf: the gate is 0
        for now, affine, gates, o, g, i_f, g_c, memory, bounded, output in views:
            dot(weights, now, affine)
            exp(gates, gates)
            add(gates, one, gates)
            divide(one, gates, gates)
            tanh(g, g)
            multiply(i_f, g_c, products)
            add(i_g, f_c, memory)
            tanh(memory, bounded)
            multiply(o, bounded, output)
    return (np.ascontiguousarray(outputs[1:].transpose(0, 2, 1)), memory.T.copy()), trace


def _lstm_bars(h_bars: Any, c_bar: Any, *arguments: Any, trace: Any = None) -> tuple[Any, Any, Any]:
    """Return the bars of what the gates are functions of, (4 H, T N), and of the first h and c, (N, H).

    Args:
        h_bars: of the outputs, (T, N, H).
        c_bar: of the last memory, (N, H).
        *arguments: those of `lstm`: x, h, c, weight_ih, weight_hh, bias.
        trace: what `lstm` wrote down of its steps, (T + 1, 6, H, N); None: it is called again.
    """
    if trace is None:
        _, trace = _lstm(*arguments)
    _, _, _, _, weight_hh, _ = arguments
    steps, _, size, batch = trace.shape
    steps -= 1
    one = np.ones((), trace.dtype)
    add, multiply, subtract, dot = np.add, np.multiply, np.subtract, np.dot
    i, f, g, o = weight_hh.reshape(4, size, size)
    turned = np.concatenate([i, f, o, g], dtype=trace.dtype).T.copy()
    h_bars = np.ascontiguousarray(h_bars.transpose(0, 2, 1))
    h_bar, c_bar = np.zeros((size, batch), trace.dtype), c_bar.T.copy()
    bars = np.empty((steps, 4, size, batch), trace.dtype)
    slopes, part = np.empty((3, size, batch), trace.dtype), np.empty((size, batch), trace.dtype)
    backward = trace[-2::-1]
    views = zip(
        h_bars[::-1],
        backward[:, :3],
        backward,
        bars[::-1].reshape(steps, 4 * size, batch),
        bars[::-1, :3],
        bars[::-1],
        strict=True,
    )
    # What the sigmoids' bars have in common with others comes first, their slopes s (1 - s) last.
    for h_bar_here, gates, (i, f, o, g, before, bounded), affine_bar, gate_bars, (i_bar, f_bar, o_bar, g_bar) in views:
        add(h_bar, h_bar_here, h_bar)
        multiply(h_bar, o, h_bar)
        multiply(h_bar, bounded, o_bar)
        add(c_bar, h_bar, c_bar)  # + h_bar o (1 - tanh^2)
        multiply(o_bar, bounded, part)
        subtract(c_bar, part, c_bar)
        multiply(c_bar, i, g_bar)
        multiply(g_bar, g, i_bar)
        multiply(i_bar, g, part)  # tanh' = 1 - g^2
        subtract(g_bar, part, g_bar)
        multiply(c_bar, f, c_bar)
        multiply(c_bar, before, f_bar)
        subtract(one, gates, slopes)
        multiply(gate_bars, slopes, gate_bars)
        dot(turned, affine_bar, h_bar)
    found = np.empty((4, size, steps, batch), trace.dtype)
    for row, gate in enumerate((0, 1, 3, 2)):  # i, f, g, o, as the rows of the weights
        np.copyto(found[row].transpose(1, 0, 2), bars[:, gate])
    return found.reshape(4 * size, steps * batch), h_bar.T.copy(), c_bar.T.copy()


def _bars_by_steps(h_bars: Any, c_bar: Any, x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias: Any) -> Any:
    """Return what `lstm_bars` returns, from a backward pass through `lstm_cell`s, so that it can be differentiated."""
    from autograd.transforms import vjp

    def run(projected: Any, h: Any, c: Any) -> Any:
        outputs = []
        for step in projected:
            h, c = lstm_cell(step, h, c, weight_hh)
            outputs.append(h)
        return stack(outputs), c

    _, pullback = vjp(run, linear(x, weight_ih, bias), h, c)
    bars, h_bar, c_bar = pullback((h_bars, c_bar))
    return bars.reshape(-1, bars.shape[-1]).T, h_bar, c_bar


def _bars_of_bars(bars: Any, h_bars: Any, c_bar: Any, arguments: Any) -> Any:
    """Return the bars of all arguments of `lstm_bars`."""
    from autograd.transforms import vjp

    _, pullback = vjp(_bars_by_steps, h_bars, c_bar, *arguments)
    return pullback(bars)


lstm_bars = primitive(
    _lstm_bars,
    shared=_bars_of_bars,
    h_bars=lambda _, shared: shared[0],
    c_bar=lambda _, shared: shared[1],
    arguments=lambda _, shared, position: shared[2 + position],
)


def _shared_bars(bars: Any, x: Any, h: Any, c: Any, weight_ih: Any, weight_hh: Any, bias: Any, trace: Any) -> Any:
    """Return what `lstm_bars` returns: all that goes back through the steps, for the rules of all arguments."""
    return lstm_bars(*bars, x, h, c, weight_ih, weight_hh, bias, trace=trace)


def _inputs_bar(_: Any, shared: Any, x_shape: tuple[int, int, int], weight_ih: Any) -> Any:
    steps, batch, features = x_shape
    return (weight_ih.T @ shared[0]).reshape(features, steps, batch).transpose(1, 2, 0)


def _recurrent_weight_bar(_: Any, shared: Any, h: Any, out: Any) -> Any:
    first, later = shared[0][:, : len(h)], shared[0][:, len(h) :]
    return first @ h + later @ out[0][:-1].reshape(-1, h.shape[1])


lstm = primitive(
    _lstm,
    residuals=("trace",),
    shared=_shared_bars,
    x=_inputs_bar,
    h=lambda _, shared: shared[1],
    c=lambda _, shared: shared[2],
    weight_ih=lambda _, shared, x: shared[0] @ x.reshape(-1, x.shape[2]),
    weight_hh=_recurrent_weight_bar,
    bias=lambda _, shared: shared[0] @ np.ones(shared[0].shape[1], shared[0].dtype),  # thrice as fast as .sum(axis=1)
)

"""Specs of autograd.ops.recurrent."""

import numpy as np

from autograd.ops import recurrent

from .spec import Sample, Spec, values


def logistic(x):
    return 1 / (1 + np.exp(-x))


def cell(projected, h, c, weight, bias=None):
    i, f, g, o = np.split(projected + h @ weight.T + (0 if bias is None else bias), 4, axis=-1)
    c = logistic(f) * c + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def layer(x, h, c, weight_ih, weight_hh, bias):
    outputs = []
    for step in x:
        h, c = cell(step @ weight_ih.T + bias, h, c, weight_hh)
        outputs.append(h)
    return np.stack(outputs), c


def bars(h_bars, c_bar, x, h, c, weight_ih, weight_hh, bias):
    """Return the bars by going back through the recursion, step by step."""
    states = [(h, c)]
    for step in x:
        states.append(cell(step @ weight_ih.T + bias, *states[-1], weight_hh))
    h_bar, found = np.zeros_like(h), []
    for t in reversed(range(len(x))):
        h, before = states[t]
        i, f, g, o = np.split(x[t] @ weight_ih.T + bias + h @ weight_hh.T, 4, axis=-1)
        i, f, g, o, tanh = logistic(i), logistic(f), np.tanh(g), logistic(o), np.tanh(states[t + 1][1])
        h_bar = h_bar + h_bars[t]
        c_bar = c_bar + h_bar * o * (1 - tanh**2)
        parts = [c_bar * g * i * (1 - i), c_bar * before * f * (1 - f), c_bar * i * (1 - g * g)]
        found.append(np.concatenate([*parts, h_bar * tanh * o * (1 - o)], axis=-1))
        h_bar, c_bar = found[-1] @ weight_hh, c_bar * f
    return np.concatenate(found[::-1]).T, h_bar, c_bar


def sample(steps, batch, features, size, *before):
    sizes = (steps, batch, features), (batch, size), (batch, size), (4 * size, features), (4 * size, size), (4 * size,)
    return Sample(*before, *(values(*shape, seed=seed) for seed, shape in enumerate(sizes)))


SIZES = (3, 2, 3, 2), (1, 1, 1, 1), (2, 3, 1, 2), (2, 0, 2, 2)

SPECS = [
    Spec(
        recurrent.lstm_cell,
        cell,
        (
            Sample(values(3, 8), values(3, 2), values(3, 2, seed=1), values(8, 2)),
            Sample(values(1, 4), values(1, 1), values(1, 1, seed=1), values(4, 1), values(4)),
            Sample(values(0, 4), values(0, 1), values(0, 1), values(4, 1)),
        ),
    ),
    Spec(recurrent.lstm, layer, tuple(sample(*sizes) for sizes in SIZES)),
    Spec(
        recurrent.lstm_bars,
        bars,
        tuple(
            sample(*sizes, values(sizes[0], sizes[1], sizes[3], seed=7), values(sizes[1], sizes[3], seed=8))
            for sizes in SIZES
        ),
    ),
]

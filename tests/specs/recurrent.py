"""Specs of autograd.ops.recurrent."""

import numpy as np

from autograd.ops import recurrent

from .spec import Sample, Spec, values


def logistic(x):
    return 1 / (1 + np.exp(-x))


def gates(a):
    i, f, g, o = np.split(a, 4, axis=-1)
    return np.concatenate([logistic(i), logistic(f), np.tanh(g), logistic(o)], axis=-1)


def memory(gates, c):
    i, f, g, _ = np.split(gates, 4, axis=-1)
    return f * c + i * g


def output(gates, c):
    return np.split(gates, 4, axis=-1)[3] * np.tanh(c)


PAIRS = tuple(Sample(values(*lead, 4 * h), values(*lead, h, seed=1)) for *lead, h in ((2,), (3, 2), (0, 2), (2, 2, 1)))
PAIRS += (Sample(values(3, 8, seed=2), values(3, 2, seed=3)),)

SPECS = [
    Spec(recurrent.lstm_gates, gates, tuple(Sample(pair.args[0]) for pair in PAIRS)),
    Spec(recurrent.lstm_memory, memory, PAIRS),
    Spec(recurrent.lstm_output, output, PAIRS),
]

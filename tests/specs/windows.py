"""Specs of autograd.ops.windows."""

import itertools

import numpy as np

import autograd as ag
from autograd.ops import windows as module

from .spec import Sample, Spec, values


def places(size, counts, stride, dilation):
    """Yield (cell, place, index): which element of the array a cell of the window sees at a place."""
    for cell in itertools.product(*map(range, size)):
        for place in itertools.product(*map(range, counts)):
            moves = zip(place, stride, cell, dilation, strict=True)
            yield (..., *cell, *place), (..., *(p * s + c * d for p, s, c, d in moves))


def each_axis(value, axes):
    return value if isinstance(value, tuple) else (value,) * axes


def windows(x, size, stride=1, dilation=1):
    size = each_axis(size, 1)
    axes = len(size)
    stride, dilation = each_axis(stride, axes), each_axis(dilation, axes)
    counts = [
        (n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[-axes:], size, stride, dilation, strict=True)
    ]
    y = np.zeros((*x.shape[:-axes], *size, *counts), x.dtype)
    for window, element in places(size, counts, stride, dilation):
        y[window] = x[element]
    return y


def fold(y, shape, stride=1, dilation=1):
    shape = each_axis(shape, 1)
    axes = len(shape)
    x = np.zeros((*y.shape[: -2 * axes], *shape), y.dtype)
    counts, size = y.shape[-axes:], y.shape[-2 * axes : -axes]
    for window, element in places(size, counts, each_axis(stride, axes), each_axis(dilation, axes)):
        x[element] += y[window]
    return x


ROW, IMAGE = values(2, 7), values(2, 5, 6)

SPECS = [
    Spec(
        ag.windows,
        windows,
        (
            Sample(values(4), 2),
            Sample(ROW, 3, stride=2),
            Sample(ROW, (2,), dilation=3),
            Sample(ROW, 7),
            Sample(IMAGE, (2, 3)),
            Sample(IMAGE, (3, 2), stride=(1, 2), dilation=(2, 1)),
            Sample(IMAGE, (1, 1), stride=3),
            Sample(values(0, 5, 5), (2, 2)),
        ),
        covers=(module._windows, module._fold),
    ),
    Spec(
        ag.fold,
        fold,
        (
            Sample(values(2, 3), 4),
            Sample(values(2, 3, 3), 7, stride=2),
            Sample(values(2, 2, 3, 4, 4), (5, 6)),
            Sample(values(3, 2, 1, 3), (5, 7), stride=(1, 2), dilation=(2, 2)),
            Sample(values(0, 2, 2, 4, 4), (5, 5)),
        ),
        covers=(module._windows, module._fold),
    ),
]

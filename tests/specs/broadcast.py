"""Specs of autograd.ops.broadcast."""

import numpy as np

import autograd as ag
from autograd.ops.broadcast import _broadcast, sum_to

from .spec import Sample, Spec, values


def summed(x, shape):
    """Return x summed over each axis that `shape` lacks or has length 1 in."""
    for axis in reversed(range(x.ndim)):
        place = axis - x.ndim + len(shape)
        if place < 0:
            x = x.sum(axis=axis)
        elif shape[place] == 1:
            x = x.sum(axis=axis, keepdims=True)
    return x


SPECS = [
    Spec(
        ag.broadcast_to,
        np.broadcast_to,
        (
            Sample(values(3), shape=(2, 3)),
            Sample(values(3, 1), shape=(2, 3, 4)),
            Sample(values(), shape=(2, 2)),
            Sample(values(2, 3), shape=(2, 3)),
            Sample(values(), shape=()),
            Sample(values(1, 3), shape=(0, 3)),
            Sample(values(0, 1), shape=(2, 0, 3)),
        ),
        covers=(_broadcast,),
    ),
    Spec(
        sum_to,
        summed,
        (
            Sample(values(2, 3), shape=(3,)),
            Sample(values(2, 3, 4), shape=(3, 1)),
            Sample(values(2, 3), shape=()),
            Sample(values(2, 3), shape=(1, 1)),
            Sample(values(2, 3), shape=(2, 3)),
            Sample(values(), shape=()),
            Sample(values(0, 3), shape=(1, 3)),
        ),
    ),
]

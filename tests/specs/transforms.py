"""Specs of what autograd.transforms records: a checkpointed function has all derivatives of the function."""

import numpy as np

import autograd as ag

from .spec import Sample, Spec, values


def function(x, y):
    return np.sin(x) * y, np.exp(y).sum(axis=0)


SPECS = [
    Spec(
        ag.checkpoint(function),
        function,
        (
            Sample(values(3, 4), values(3, 4, seed=1)),
            Sample(values(3, 4, seed=2), values(4)),
            Sample(values(2), values(1)),
            Sample(values(0, 2), values(0, 2)),
        ),
        name="checkpoint",
    ),
]

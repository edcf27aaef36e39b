"""Specs of autograd.ops.creation."""

import numpy as np

import autograd as ag

from .spec import Sample, Spec, values

SAMPLES = (
    *(Sample(a) for a in (values(3, 4), values(), values(0, 2))),
    Sample(values(3), shape=(2, 2)),
    Sample(values(3), shape=5),
    Sample(values(3), dtype=np.int32),
)

SPECS = [
    Spec(ag.zeros_like, np.zeros_like, SAMPLES, order=0),
    Spec(ag.ones_like, np.ones_like, SAMPLES, order=0),
    Spec(ag.empty_like, np.zeros_like, SAMPLES, order=0),
    Spec(
        ag.full_like,
        lambda a, fill_value, shape=None: np.zeros_like(a, shape=shape) + fill_value,
        (
            Sample(values(3, 4), values()),
            Sample(values(3, 4), values(4)),
            Sample(values(3, 4), values(3, 1), shape=(3, 2)),
            Sample(values(), values(seed=1)),
            Sample(values(0, 2), values()),
        ),
    ),
]

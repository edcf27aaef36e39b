"""Specs of autograd.ops.elementwise."""

import math

import numpy as np

import autograd as ag

from .spec import Constant, Sample, Spec, values

REAL, POSITIVE, UNIT = (-2.0, 2.0), (0.3, 3.0), (-0.9, 0.9)


def unary(function, reference, domain=REAL, **options):
    low, high = domain
    points = (values(3, 4, low=low, high=high), values(low=low, high=high), values(0, 2))
    return Spec(function, reference, tuple(map(Sample, points)), domain=(domain,), **options)


def binary(function, reference, left=REAL, right=REAL, **options):
    x, y = values(3, 4, low=left[0], high=left[1]), values(3, 4, low=right[0], high=right[1], seed=1)
    samples = (Sample(x, y), Sample(x, y[0]), Sample(x[:, :1], y[0]), Sample(x[0, 0], y), Sample(x[:0], y[:1]))
    samples += (Sample(x, Constant(float(y[0, 0]))), Sample(Constant(float(x[0, 0])), y))
    return Spec(function, reference, samples, domain=(left, right), **options)


SPECS = [
    binary(ag.add, np.add),
    binary(ag.subtract, np.subtract),
    binary(ag.multiply, np.multiply),
    binary(ag.divide, np.divide, right=POSITIVE),
    binary(ag.power, np.power, left=POSITIVE, ulps=4),
    unary(ag.tanh, np.tanh),
    unary(ag.log, np.log, POSITIVE),
    unary(ag.sigmoid, lambda x: 1 / (1 + np.exp(-x)), ulps=0),
    unary(ag.erf, np.vectorize(math.erf, otypes=[float])),
]

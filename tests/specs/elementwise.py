"""Specs of autograd.ops.elementwise."""

import math

import numpy as np

import autograd as ag
from autograd.ops import elementwise

from .spec import Constant, Sample, Spec, values

REAL, POSITIVE, NEGATIVE, UNIT, ABOVE_ONE = (-2.0, 2.0), (0.3, 3.0), (-3.0, -0.3), (-0.9, 0.9), (1.2, 3.0)
ERF = np.vectorize(math.erf, otypes=[float])


def unary(function, reference, domain=REAL, *, parameters=(), **options):
    """Spec of a function of one array, also with each dict of `parameters`."""
    low, high = domain
    points = (values(3, 4, low=low, high=high), values(low=low, high=high), values(0, 2))
    points += (values(3, 4, low=low, high=high, seed=1),)
    samples = (*map(Sample, points), *(Sample(points[0], **chosen) for chosen in parameters))
    return Spec(function, reference, samples, domain=(domain,), **options)


def binary(function, reference, left=REAL, right=REAL, **options):
    """Spec of a function of two arrays, also broadcast and with a number on either side."""
    x, y = values(3, 4, low=left[0], high=left[1]), values(3, 4, low=right[0], high=right[1], seed=1)
    samples = (Sample(x, y), Sample(x, y[0]), Sample(x[:, :1], y[0]), Sample(x[0, 0], y), Sample(x[:0], y[:1]))
    samples += (Sample(x[1, 1], y[1, 1]), Sample(x[::-1].copy(), y[:, ::-1].copy()))
    samples += (Sample(x, Constant(float(y[0, 0]))), Sample(Constant(float(x[0, 0])), y))
    return Spec(function, reference, samples, domain=(left, right), **options)


def constant(function, *samples, reference):
    """Spec of a function without a gradient, at samples of its own."""
    return Spec(function, reference, samples, order=0)


X, Y = values(3, 4), values(3, 4, seed=1)
MASK = np.array([True, False, True, True])
INTEGERS, FEWER = np.arange(12).reshape(3, 4), np.array([3, 5, 6, 9])
SPECIAL = np.array([[0.0, -0.0, 1.5, -2.5], [np.inf, -np.inf, np.nan, 0.5]])
WHOLE = np.array([[2.0, -1.0, 0.0], [3.0, 1.0, -2.0]])

SPECS = [
    # Arithmetic
    binary(ag.add, np.add),
    binary(ag.subtract, np.subtract),
    binary(ag.multiply, np.multiply),
    binary(ag.divide, np.divide, right=POSITIVE),
    unary(ag.negative, np.negative),
    unary(ag.positive, np.positive),
    unary(ag.square, np.square),
    unary(ag.reciprocal, np.reciprocal, NEGATIVE),
    binary(ag.remainder, np.remainder, right=POSITIVE),
    binary(ag.fmod, np.fmod, right=POSITIVE),
    binary(ag.power, np.power, left=POSITIVE, ulps=4),
    Spec(
        ag.power,
        np.power,
        (*(Sample(WHOLE, Constant(p)) for p in (0, 1, 2, 3, 2.0)), Sample(X, Constant(-2.0))),
        ulps=4,
        name="power-whole",
    ),
    # Exponentials, logarithms, roots
    unary(ag.exp, np.exp),
    unary(ag.exp2, np.exp2),
    unary(ag.expm1, np.expm1),
    unary(ag.log, np.log, POSITIVE),
    unary(ag.log2, np.log2, POSITIVE),
    unary(ag.log10, np.log10, POSITIVE),
    unary(ag.log1p, np.log1p, (-0.5, 2.0)),
    unary(ag.sqrt, np.sqrt, POSITIVE),
    unary(ag.cbrt, np.cbrt, NEGATIVE),
    binary(ag.logaddexp, np.logaddexp),
    binary(ag.logaddexp2, np.logaddexp2),
    # Trigonometry and hyperbolic functions
    unary(ag.sin, np.sin),
    unary(ag.cos, np.cos),
    unary(ag.tan, np.tan, (-1.2, 1.2)),
    unary(ag.arcsin, np.arcsin, UNIT),
    unary(ag.arccos, np.arccos, UNIT),
    unary(ag.arctan, np.arctan),
    unary(ag.sinh, np.sinh),
    unary(ag.cosh, np.cosh),
    unary(ag.tanh, np.tanh),
    unary(ag.arcsinh, np.arcsinh),
    unary(ag.arccosh, np.arccosh, ABOVE_ONE),
    unary(ag.arctanh, np.arctanh, UNIT),
    unary(ag.deg2rad, np.deg2rad, (-180.0, 180.0)),
    unary(ag.rad2deg, np.rad2deg),
    unary(ag.degrees, np.degrees),
    unary(ag.radians, np.radians, (-180.0, 180.0)),
    binary(ag.hypot, np.hypot),
    binary(ag.arctan2, np.arctan2),
    unary(ag.sinc, np.sinc),
    # Absolute value, choices
    unary(ag.absolute, np.absolute),
    unary(ag.fabs, np.fabs),
    Spec(
        ag.copysign,
        np.copysign,
        (Sample(X, Constant(Y)), Sample(X[0], Constant(Y)), Sample(X, Constant(-0.0)), Sample(X[0, 0], Constant(2))),
    ),
    binary(ag.maximum, np.maximum),
    binary(ag.minimum, np.minimum),
    binary(ag.fmax, np.fmax),
    binary(ag.fmin, np.fmin),
    Spec(
        ag.where,
        np.where,
        (
            Sample(Constant(MASK), X, Y),
            Sample(Constant(MASK), X[0], Y[:, :1]),
            Sample(Constant(MASK), X, Constant(0.0)),
            Sample(Constant(MASK), Constant(1), X),
            Sample(Constant(False), X[0, 0], Y[0, 0]),
            Sample(Constant(MASK[:0]), X[:, :1], Y[0, 0]),
        ),
    ),
    Spec(
        ag.clip,
        lambda x, min=None, max=None: np.minimum(
            np.maximum(x, -np.inf if min is None else min), np.inf if max is None else max
        ),
        (
            Sample(X, Constant(-1.0), Constant(1)),
            Sample(X, Constant(-0.5)),
            Sample(X, max=0.7),
            Sample(X),
            Sample(X, values(3, 1, low=-1, high=-0.5), values(4, low=0.5, high=1)),
            Sample(X[0, 0], Constant(-1.0), Constant(1.0)),
            Sample(X[:0], Constant(-1.0), Constant(1.0)),
            Sample(X, Y[:1], Y[1:2]),
            Sample(values(4, low=-2, high=-1.2), values(4, low=-1, high=-0.5), values(4, low=0.5, high=1)),
            Sample(values(4, low=1.2, high=2), values(4, low=-1, high=-0.5), values(4, low=0.5, high=1)),
        ),
        domain=(REAL, (-1.0, -0.5), (0.5, 1.0)),
        covers=(elementwise._clip,),
    ),
    # Activations
    unary(ag.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    unary(ag.relu, lambda x: np.maximum(x, 0)),
    unary(ag.softplus, lambda x: np.log1p(np.exp(x))),
    unary(ag.leaky_relu, lambda x, slope=0.01: np.where(x > 0, x, slope * x), parameters=({"slope": 0.1},)),
    unary(ag.elu, lambda x, alpha=1.0: np.where(x > 0, x, alpha * (np.exp(x) - 1)), parameters=({"alpha": 0.5},)),
    unary(ag.erf, ERF),
    unary(ag.swish, lambda x, beta=1.0: x / (1 + np.exp(-beta * x)), parameters=({"beta": 2.0},)),
    unary(ag.gelu, lambda x: 0.5 * x * (1 + ERF(x / math.sqrt(2)))),
    unary(
        lambda x: ag.gelu(x, approximate="tanh"),
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
        name="gelu-tanh",
    ),
    # Without a gradient
    *(
        constant(function, Sample(X), Sample(SPECIAL), Sample(X[0, 0]), Sample(X[:0]), reference=reference)
        for function, reference in [
            (ag.sign, np.sign),
            (ag.floor, np.floor),
            (ag.ceil, np.ceil),
            (ag.trunc, np.trunc),
            (ag.rint, np.rint),
            (ag.isnan, np.isnan),
            (ag.isinf, np.isinf),
            (ag.isfinite, np.isfinite),
            (ag.signbit, np.signbit),
            (ag.logical_not, np.logical_not),
        ]
    ),
    *(
        constant(
            function,
            Sample(X, Y),
            Sample(X, X[0]),
            Sample(SPECIAL, SPECIAL[:, ::-1].copy()),
            Sample(X[0, 0], Constant(0.5)),
            Sample(Constant(1), X),
            Sample(INTEGERS, FEWER),
            reference=reference,
        )
        for function, reference in [
            (ag.greater, np.greater),
            (ag.greater_equal, np.greater_equal),
            (ag.less, np.less),
            (ag.less_equal, np.less_equal),
            (ag.equal, np.equal),
            (ag.not_equal, np.not_equal),
            (ag.logical_and, np.logical_and),
            (ag.logical_or, np.logical_or),
            (ag.logical_xor, np.logical_xor),
        ]
    ),
    constant(
        ag.floor_divide,
        Sample(X, np.abs(Y)),
        Sample(INTEGERS, FEWER),
        Sample(X, Constant(2)),
        reference=np.floor_divide,
    ),
    constant(ag.heaviside, Sample(X, Constant(0.5)), Sample(WHOLE, Constant(1.0)), reference=np.heaviside),
    *(
        constant(
            function,
            Sample(INTEGERS, FEWER),
            Sample(MASK, ~MASK[:1]),
            Sample(INTEGERS, Constant(1)),
            reference=reference,
        )
        for function, reference in [
            (ag.bitwise_and, np.bitwise_and),
            (ag.bitwise_or, np.bitwise_or),
            (ag.bitwise_xor, np.bitwise_xor),
        ]
    ),
    constant(ag.invert, Sample(INTEGERS), Sample(MASK), reference=np.invert),
    constant(ag.round, Sample(X), Sample(X, decimals=1), Sample(SPECIAL), reference=np.round),
    constant(ag.isclose, Sample(X, Y), Sample(X, Constant(0.5), rtol=0.5), Sample(X[0, 0], X), reference=np.isclose),
    constant(ag.isposinf, Sample(SPECIAL), Sample(X), reference=np.isposinf),
    constant(ag.isneginf, Sample(SPECIAL), Sample(X), reference=np.isneginf),
]

"""Operations element by element: arithmetic, exponentials, trigonometry, choices, activations.

What broadcasting repeats is summed by the sweep, so no rule here thinks of shapes. Derivatives at ties and kinks
follow docs/conventions.md. Constants in rules are Python numbers: they take on the dtype of the arrays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd.numpy_api import register
from autograd.primitive import primitive
from autograd.tensor import as_array

LN2, LN10 = math.log(2), math.log(10)

# --- Arithmetic --------------------------------------------------------------------------------------------

add = primitive(np.add, notation="{} + {}", x=lambda zbar: zbar, y=lambda zbar: zbar)
subtract = primitive(np.subtract, notation="{} - {}", x=lambda zbar: zbar, y=lambda zbar: -zbar)
multiply = primitive(np.multiply, notation="{} * {}", x=lambda zbar, y: zbar * y, y=lambda zbar, x: zbar * x)
divide = primitive(
    np.true_divide, notation="{} / {}", x=lambda zbar, y: zbar / y, y=lambda zbar, y, out: -zbar * out / y
)
negative = primitive(np.negative, notation="-{}", x=lambda ybar: -ybar)
positive = primitive(np.positive, notation="{}", x=lambda ybar: ybar)
square = primitive(np.square, notation="{}^2", x=lambda ybar, x: 2 * ybar * x)
reciprocal = primitive(np.reciprocal, notation="1 / {}", x=lambda ybar, out: -ybar * out * out)
remainder = primitive(np.remainder, x=lambda zbar: zbar, y=lambda zbar, x, y: -zbar * np.floor_divide(x, y))
fmod = primitive(np.fmod, x=lambda zbar: zbar, y=lambda zbar, x, y: -zbar * np.trunc(x / y))


def _one_less(x: Any, y: Any) -> Any:
    """Return the exponent y - 1, but 0 where x and y are 0: there the derivative by x is 0 * 0**0 = 0."""
    if isinstance(y, (int, float)):
        return y - 1 if y != 0 else y
    return y - ~((x == 0) & (y == 0))


def _log(x: Any) -> Any:
    """Return log(x), and 0 for x = 0: the derivative of 0**y by y is 0."""
    if isinstance(x, (int, float)) and x > 0:
        return math.log(x)
    return np.log(x + (x == 0))


power = primitive(
    np.power,
    notation="{} ^ {}",
    x=lambda zbar, x, y: zbar * (y * x ** _one_less(x, y)),
    y=lambda zbar, x, out: zbar * out * _log(x),
)

# --- Exponentials, logarithms, roots -----------------------------------------------------------------------

exp = primitive(np.exp, notation="e^{}", x=lambda ybar, out: ybar * out)
exp2 = primitive(np.exp2, x=lambda ybar, out: ybar * (LN2 * out))
expm1 = primitive(np.expm1, x=lambda ybar, out: ybar * (out + 1))
log = primitive(np.log, x=lambda ybar, x: ybar / x)
log2 = primitive(np.log2, x=lambda ybar, x: ybar / (LN2 * x))
log10 = primitive(np.log10, x=lambda ybar, x: ybar / (LN10 * x))
log1p = primitive(np.log1p, x=lambda ybar, x: ybar / (1 + x))
sqrt = primitive(np.sqrt, x=lambda ybar, out: ybar / (2 * out))
cbrt = primitive(np.cbrt, x=lambda ybar, out: ybar / (3 * out * out))
logaddexp = primitive(
    np.logaddexp, x=lambda zbar, x, out: zbar * np.exp(x - out), y=lambda zbar, y, out: zbar * np.exp(y - out)
)
logaddexp2 = primitive(
    np.logaddexp2, x=lambda zbar, x, out: zbar * np.exp2(x - out), y=lambda zbar, y, out: zbar * np.exp2(y - out)
)

# --- Trigonometry and hyperbolic functions -----------------------------------------------------------------

sin = primitive(np.sin, x=lambda ybar, x: ybar * np.cos(x))
cos = primitive(np.cos, x=lambda ybar, x: -ybar * np.sin(x))
tan = primitive(np.tan, x=lambda ybar, out: ybar * (1 + out * out))
arcsin = primitive(np.arcsin, x=lambda ybar, x: ybar / np.sqrt((1 - x) * (1 + x)))
arccos = primitive(np.arccos, x=lambda ybar, x: -ybar / np.sqrt((1 - x) * (1 + x)))
arctan = primitive(np.arctan, x=lambda ybar, x: ybar / (1 + x * x))
sinh = primitive(np.sinh, x=lambda ybar, x: ybar * np.cosh(x))
cosh = primitive(np.cosh, x=lambda ybar, x: ybar * np.sinh(x))
tanh = primitive(np.tanh, x=lambda ybar, out: ybar * (1 - out * out))
arcsinh = primitive(np.arcsinh, x=lambda ybar, x: ybar / np.hypot(x, 1))
arccosh = primitive(np.arccosh, x=lambda ybar, x: ybar / (np.sqrt(x - 1) * np.sqrt(x + 1)))
arctanh = primitive(np.arctanh, x=lambda ybar, x: ybar / ((1 - x) * (1 + x)))
deg2rad = primitive(np.deg2rad, x=lambda ybar: ybar * (math.pi / 180))
rad2deg = primitive(np.rad2deg, x=lambda ybar: ybar * (180 / math.pi))
degrees = primitive(np.degrees, x=lambda ybar: ybar * (180 / math.pi))
radians = primitive(np.radians, x=lambda ybar: ybar * (math.pi / 180))


def _nonzero(r: Any) -> Any:
    """Return r, and 1 where it is 0: the derivatives of hypot and arctan2 there are 0."""
    return r + (r == 0)


# Divided before it is multiplied, so that large and small sides neither overflow nor vanish.
hypot = primitive(
    np.hypot,
    x=lambda zbar, x, out: zbar * (x / _nonzero(out)),
    y=lambda zbar, y, out: zbar * (y / _nonzero(out)),
)


def _over_square(side: Any, y: Any, x: Any) -> Any:
    r = _nonzero(np.hypot(y, x))
    return side / r / r


arctan2 = primitive(
    np.arctan2,
    y=lambda zbar, y, x: zbar * _over_square(x, y, x),
    x=lambda zbar, y, x: -zbar * _over_square(y, y, x),
)

# --- Absolute value, choices -------------------------------------------------------------------------------

absolute = primitive(np.absolute, notation="|{}|", x=lambda ybar, x: ybar * np.sign(x))
fabs = primitive(np.fabs, notation="|{}|", x=lambda ybar, x: ybar * np.sign(x))
copysign = primitive(np.copysign, x=lambda zbar, x, out: zbar * (np.sign(x) * np.sign(out)), y=None)


def _winner_share(zbar: Any, mine: Any, other: Any, out: Any) -> Any:
    """Return the bar of the larger (smaller) one; half of it to each where they are equal."""
    return zbar * (mine == out) - (0.5 * zbar) * (mine == other)


def _choice(ufunc: np.ufunc) -> Any:
    return primitive(
        ufunc,
        x=lambda zbar, x, y, out: _winner_share(zbar, x, y, out),
        y=lambda zbar, x, y, out: _winner_share(zbar, y, x, out),
    )


maximum, minimum, fmax, fmin = _choice(np.maximum), _choice(np.minimum), _choice(np.fmax), _choice(np.fmin)


def _where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition holds, else y; what is not chosen gets no gradient."""
    return np.where(condition, x, y)


where: Any = primitive(
    _where,
    condition=None,
    x=lambda zbar, condition: where(condition, zbar, 0),
    y=lambda zbar, condition: where(condition, 0, zbar),
)

_clip = primitive(
    lambda x, low, high: np.clip(x, low, high),
    name="clip",
    x=lambda ybar, x, out: ybar * (x == out),
    low=lambda ybar, x, low, high: ybar * ((x < low) & (low < high)),
    high=lambda ybar, x, low, high: ybar * ((x > high) | (high <= low) & (x != high)),
)


def clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    """Return `a` limited to a_min .. a_max, or min .. max; either bound may be None.

    At a bound the derivative by `a` is 1.

    Args:
        a: any shape.
        a_min: lower bound, of a shape that broadcasts with `a`.
        a_max: upper bound; wins where it is below the lower one.
        min: another name for `a_min`, as NumPy has it.
        max: another name for `a_max`.
    """
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    if low is None and high is None:
        return positive(a)
    dtype = a.dtype if hasattr(a, "dtype") else np.asarray(a).dtype
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    if low is None:
        low = limits.min if limits else -math.inf
    if high is None:
        high = limits.max if limits else math.inf
    return _clip(a, low, high)


# --- Activations -------------------------------------------------------------------------------------------


_FLOAT64 = np.dtype(np.float64)


def _sigmoid(x: Any) -> Any:
    """Return the logistic function 1 / (1 + e^-x); where e^-x is too large for the dtype, 0."""
    dtype = getattr(x, "dtype", _FLOAT64)
    if dtype.kind != "f":
        return _sigmoid(x.astype(np.result_type(dtype, np.float16)))
    if dtype == np.float16:  # there e^12 is too large already
        return _sigmoid(x.astype(np.float32)).astype(np.float16)
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


sigmoid = primitive(_sigmoid, elementwise=True, notation="sigma({})", x=lambda ybar, out: ybar * (out * (1 - out)))


def _relu(x: Any) -> Any:
    """Return max(x, 0); the derivative at 0 is 0."""
    # NumPy takes vector instructions for the larger of two arrays, but not for that of an array and a number.
    large = getattr(x, "size", 1) > 2000 and x.dtype.kind == "f"
    return np.maximum(x, np.zeros_like(x) if large else 0)


relu = primitive(_relu, elementwise=True, x=lambda ybar, out: ybar * (out > 0))


def _softplus(x: Any) -> Any:
    """Return log(1 + e^x), exact for large |x|."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


softplus = primitive(_softplus, elementwise=True, x=lambda ybar, x: ybar * sigmoid(x))


def _leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """Return x where it is positive, else slope * x; the derivative at 0 is `slope`."""
    return np.where(x > 0, x, slope * x)


leaky_relu = primitive(_leaky_relu, x=lambda ybar, x, slope: where(x > 0, ybar, slope * ybar))


def _elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where it is positive, else alpha (e^x - 1); the derivative at 0 is `alpha`.

    Source: Clevert et al., arXiv:1511.07289.
    """
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


elu = primitive(_elu, x=lambda ybar, x, alpha: where(x > 0, ybar, ybar * (alpha * np.exp(np.minimum(x, 0)))))

_erf_of_numbers = np.frompyfunc(math.erf, 1, 1)


def _erf(x: Any) -> Any:
    """Return the error function 2/sqrt(pi) int_0^x e^(-t^2) dt, by Python's math library element by element."""
    return np.asarray(_erf_of_numbers(x), dtype=np.asarray(x).dtype)


erf = primitive(_erf, elementwise=True, x=lambda ybar, x: ybar * (2 / math.sqrt(math.pi) * np.exp(-x * x)))


def swish(x: Any, beta: float = 1.0) -> Any:
    """Return x sigmoid(beta x).

    Source: Ramachandran et al., arXiv:1710.05941.
    """
    x = as_array(x)
    return x * sigmoid(x if beta == 1 else beta * x)


def gelu(x: Any, approximate: str = "none") -> Any:
    """Return x Phi(x), Phi the normal distribution function.

    Args:
        x: any shape.
        approximate: "none" for the exact value, "tanh" for the faster approximation.

    Raises:
        ValueError: another value for `approximate`.

    Source: Hendrycks and Gimpel, arXiv:1606.08415.
    """
    x = as_array(x)
    if approximate == "none":
        return x * (0.5 * (1 + erf(x * math.sqrt(0.5))))
    if approximate == "tanh":
        return x * (0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x)))))
    raise ValueError(f'gelu: expected approximate="none" or "tanh", got {approximate!r}')


_SINC_SERIES = [(-1) ** k / math.factorial(2 * k + 1) for k in range(10)]


def sinc(x: Any) -> Any:
    """Return sin(pi x) / (pi x), and 1 at 0; near 0 by its series, which keeps the digits of the derivatives."""
    x = as_array(x)
    y = math.pi * x
    near = absolute(y) < 0.5
    square = where(near, y, 0) ** 2
    series = 0 * square
    for coefficient in reversed(_SINC_SERIES):
        series = series * square + coefficient
    far = where(near, 1, y)
    return where(near, series, np.sin(far) / far)


# --- Without a gradient: recorded, so that a graph can be evaluated again -----------------------------------


def _constant(ufunc: np.ufunc) -> Any:
    if ufunc.nin == 1:
        return primitive(ufunc, x=None)
    sign_of = {
        np.greater: ">",
        np.greater_equal: ">=",
        np.less: "<",
        np.less_equal: "<=",
        np.equal: "==",
        np.not_equal: "!=",
    }
    return primitive(ufunc, notation=f"{{}} {sign_of[ufunc]} {{}}" if ufunc in sign_of else None, x=None, y=None)


sign, floor, ceil, trunc, rint = map(_constant, (np.sign, np.floor, np.ceil, np.trunc, np.rint))
floor_divide, heaviside = map(_constant, (np.floor_divide, np.heaviside))
greater, greater_equal, less, less_equal = map(_constant, (np.greater, np.greater_equal, np.less, np.less_equal))
equal, not_equal = map(_constant, (np.equal, np.not_equal))
logical_and, logical_or = map(_constant, (np.logical_and, np.logical_or))
logical_not, logical_xor = map(_constant, (np.logical_not, np.logical_xor))
bitwise_and, bitwise_or, bitwise_xor = map(_constant, (np.bitwise_and, np.bitwise_or, np.bitwise_xor))
invert, isnan, isinf, isfinite, signbit = map(_constant, (np.invert, np.isnan, np.isinf, np.isfinite, np.signbit))


def _isclose(a: Any, b: Any, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False) -> Any:
    """Return where |a - b| <= atol + rtol |b|."""
    return np.isclose(a, b, rtol, atol, equal_nan)


isclose = primitive(_isclose, a=None, b=None)


def _isposinf(x: Any) -> Any:
    """Return where x is +infinity."""
    return np.isposinf(x)


def _isneginf(x: Any) -> Any:
    """Return where x is -infinity."""
    return np.isneginf(x)


isposinf, isneginf = primitive(_isposinf, x=None), primitive(_isneginf, x=None)


def _round(x: Any, decimals: int = 0) -> Any:
    """Return x rounded to this many decimals, halves to even."""
    return np.round(x, decimals)


round = primitive(_round, x=None)

# NumPy's second names.
abs, mod, true_divide, pow = absolute, remainder, divide, power
acos, asin, atan, atan2 = arccos, arcsin, arctan, arctan2
acosh, asinh, atanh = arccosh, arcsinh, arctanh
bitwise_not = bitwise_invert = invert
conj = conjugate = positive
around, fix = round, trunc


def _wraps_ufunc(call: Any) -> bool:
    return hasattr(call, "primitive") and isinstance(call.primitive.raw, np.ufunc)


__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "add",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "around",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_not",
    "bitwise_or",
    "bitwise_xor",
    "cbrt",
    "ceil",
    "clip",
    "conj",
    "conjugate",
    "copysign",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "divide",
    "elu",
    "equal",
    "erf",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "fix",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "gelu",
    "greater",
    "greater_equal",
    "heaviside",
    "hypot",
    "invert",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logaddexp2",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "mod",
    "multiply",
    "negative",
    "not_equal",
    "positive",
    "pow",
    "power",
    "rad2deg",
    "radians",
    "reciprocal",
    "relu",
    "remainder",
    "rint",
    "round",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "subtract",
    "swish",
    "tan",
    "tanh",
    "true_divide",
    "trunc",
    "where",
]
register({call.primitive.raw: call for call in list(globals().values()) if _wraps_ufunc(call)})
register(
    {
        np.isclose: isclose,
        np.isposinf: isposinf,
        np.isneginf: isneginf,
        np._core.umath.clip: clip,  # type: ignore[attr-defined]
        np.conjugate: positive,
        np.fix: trunc,
        np.where: where,
        np.clip: clip,
        np.sinc: sinc,
        np.round: round,
        np.around: round,
    }
)

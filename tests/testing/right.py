"""More than 200 right functions at points that are hard for a checker: none may be called wrong.

Each is written once, in terms of a namespace `xp`: our operations, or torch's for the comparison with its gradcheck.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd as ag


@dataclass(frozen=True)
class Right:
    """A function that is differentiated rightly, and where.

    Attributes:
        name: for messages.
        group: "smooth", "float32", "ill-scaled", "kink" or "program".
        function: takes the namespace and the inputs.
        inputs: arrays.
    """

    name: str
    group: str
    function: Callable[..., Any]
    inputs: tuple[np.ndarray, ...]

    def ours(self, *xs: Any) -> Any:
        """Run on our operations."""
        return self.function(ag, *xs)


RNG = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    """Return normal values."""
    return RNG.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    """Return values in 0.3 .. 3."""
    return RNG.uniform(0.3, 3, shape)


def unit(*shape: int) -> np.ndarray:
    """Return values in -0.9 .. 0.9."""
    return RNG.uniform(-0.9, 0.9, shape)


UNARY = {
    **dict.fromkeys("exp expm1 sin cos tanh sinh cosh arctan arcsinh square sigmoid softplus negative".split(), normal),
    **dict.fromkeys("log log2 log10 log1p sqrt reciprocal".split(), positive),
    **dict.fromkeys("arcsin arccos arctanh tan erf".split(), unit),
}
BINARY = {
    **dict.fromkeys("add subtract multiply arctan2 logaddexp maximum minimum hypot".split(), normal),
    **dict.fromkeys(["divide", "power"], positive),
}


def call(name: str, scale_in: float = 1, scale_out: float = 1) -> Callable[..., Any]:
    """Return scale_out * name(scale_in * x, ...)."""
    return lambda xp, *xs: scale_out * getattr(xp, name)(*(scale_in * x for x in xs))


def smooth() -> list[Right]:
    """Return elementary functions at ordinary points."""
    cases = [Right(name, "smooth", call(name), (values(3),)) for name, values in UNARY.items()]
    return cases + [Right(name, "smooth", call(name), (values(2, 3), values(3))) for name, values in BINARY.items()]


def single() -> list[Right]:
    """Return the same in float32."""
    return [
        Right(f"{case.name} in float32", "float32", case.function, tuple(x.astype(np.float32) for x in case.inputs))
        for case in (*smooth(), *programs())
    ]


def ill_scaled() -> list[Right]:
    """Return functions whose arguments or values are as small as 1e-12 or as large as 1e12."""
    cases = []
    for name in ("exp", "sin", "tanh", "log1p", "sqrt", "log", "arctan", "sigmoid"):
        for scale in (1e-12, 1e12):
            inputs = UNARY[name](3) / scale
            cases.append(Right(f"{name}({scale:g} x)", "ill-scaled", call(name, scale), (inputs,)))
            cases.append(Right(f"{scale:g} {name}(x)", "ill-scaled", call(name, 1, scale), (UNARY[name](3),)))
    wide = 10.0 ** np.array([-12, -6, 0, 6, 12])
    for name in ("log", "sqrt", "reciprocal", "square", "negative", "arcsinh"):
        cases.append(Right(f"{name} of 1e-12 .. 1e12", "ill-scaled", call(name), (wide,)))
    further = {
        "tiny and huge factors": (lambda xp, x, y: x * y, (wide, wide[::-1].copy())),
        "sum of tiny and huge": (lambda xp, x: x.sum() * x, (wide,)),
        "quotient": (lambda xp, x, y: x / y, (wide, wide[::-1].copy())),
        "difference of large": (lambda xp, x: (x + 1e8) - 1e8, (normal(3),)),
        "cancelling squares": (lambda xp, x: (x + 1000) * (x + 1000) - x * x, (normal(3),)),
        "norm of tiny": (lambda xp, x: xp.sqrt((x * x).sum()), (1e-12 * normal(4),)),
        "norm of huge": (lambda xp, x: xp.sqrt((x * x).sum()), (1e12 * normal(4),)),
        "softmax of huge": (lambda xp, x: xp.softmax(1e3 * x, -1), (normal(4),)),
        "saturated tanh": (lambda xp, x: xp.tanh(x), (np.array([15.0, -20.0, 25.0]),)),
        "saturated sigmoid": (lambda xp, x: xp.sigmoid(x), (np.array([40.0, -40.0, 700.0]),)),
        "fast oscillation": (lambda xp, x: xp.sin(1e6 * x), (normal(3),)),
        "small fast oscillation": (lambda xp, x: x + 1e-3 * xp.sin(1e5 * x), (normal(3),)),
        "near a pole": (lambda xp, x: 1 / (x - 1), (np.array([1 + 1e-6, 1 - 1e-5]),)),
        "near the end of the domain": (lambda xp, x: xp.sqrt(1 - x), (np.array([1 - 1e-9, 0.5]),)),
        "1e-300": (lambda xp, x: x * 1e-300, (normal(3),)),
        "1e300": (lambda xp, x: x * 1e300, (normal(3),)),
        "sine of 1e6": (lambda xp, x: xp.sin(x), (1e6 * normal(3),)),
        "constant": (lambda xp, x: 0 * x + 5, (normal(3),)),
        "zero": (lambda xp, x: x * 0, (normal(3),)),
        "rounding noise": (lambda xp, x: ((x * 1e10 + 1) - x * 1e10) * x, (positive(3),)),
    }
    return cases + [Right(name, "ill-scaled", f, xs) for name, (f, xs) in further.items()]


def kinks() -> list[Right]:
    """Return functions at ties, kinks and the ends of their domain."""
    around, tie = np.array([0.0, 1.0, -1.0]), np.array([1.0, 2.0, 2.0, -1.0])
    zero, near = np.zeros(3), np.array([1e-4, -1e-6, 1e-9])
    square = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, -1.0]])
    ties, table = RNG.integers(-1, 2, 100).astype(float), RNG.integers(-1, 2, (8, 12)).astype(float)
    cases: dict[str, tuple[Callable[..., Any], Any]] = {
        "relu": (lambda xp, x: xp.relu(x), (around,)),
        "relu at zeros": (lambda xp, x: xp.relu(x), (zero,)),
        "relu near 0": (lambda xp, x: xp.relu(x), (near,)),
        "abs": (lambda xp, x: xp.absolute(x), (around,)),
        "abs near 0": (lambda xp, x: xp.absolute(x), (near,)),
        "leaky relu": (lambda xp, x: xp.leaky_relu(x), (around,)),
        "elu": (lambda xp, x: xp.elu(x), (around,)),
        "maximum at ties": (lambda xp, x, y: xp.maximum(x, y), (tie, tie.copy())),
        "minimum at ties": (lambda xp, x, y: xp.minimum(x, y), (tie, tie.copy())),
        "maximum with 0": (lambda xp, x: xp.maximum(x, 0 * x), (around,)),
        "clip at its bounds": (lambda xp, x: xp.clip(x, -1, 1), (around,)),
        "max of all, tied": (lambda xp, x: xp.max(x), (tie,)),
        "min of all, tied": (lambda xp, x: xp.min(x), (square,)),
        "max by row, tied": (lambda xp, x: xp.amax(x, 1), (square,)),
        "min by column, tied": (lambda xp, x: xp.amin(x, 0), (square,)),
        "sort with ties": (lambda xp, x: xp.sort(x), (tie,)),
        "norm at 0": (lambda xp, x: xp.linalg.norm(x), (zero,)),
        "norm": (lambda xp, x: xp.linalg.norm(x), (normal(3),)),
        "sqrt at 0": (lambda xp, x: xp.sqrt(x), (np.array([0.0, 1.0, 4.0]),)),
        "hypot at 0": (lambda xp, x, y: xp.hypot(x, y), (around, around * 0)),
        "arcsin at 1": (lambda xp, x: xp.arcsin(x), (np.array([1.0, 0.5]),)),
        "arccos at -1": (lambda xp, x: xp.arccos(x), (np.array([-1.0, 0.5]),)),
        "x |x|": (lambda xp, x: x * xp.absolute(x), (around,)),
        "|x| |x|": (lambda xp, x: xp.absolute(x) * xp.absolute(x), (around,)),
        "relu squared": (lambda xp, x: xp.square(xp.relu(x)), (around,)),
        "relu of relu": (lambda xp, x: xp.relu(xp.relu(x)), (around,)),
        "relu(x) - relu(-x)": (lambda xp, x: xp.relu(x) - xp.relu(-x), (around,)),
        "where": (lambda xp, x: xp.where(x > 0, x * x, -x), (around,)),
        "a step": (lambda xp, x: xp.where(x > 0, x, x - 1), (around,)),
        "sign": (lambda xp, x: xp.sign(x) * x, (around,)),
        "floor": (lambda xp, x: xp.floor(x) + x, (np.array([0.5, 1.0, 2.0]),)),
        "prod with zeros": (lambda xp, x: xp.prod(x), (around,)),
        "prod with two zeros": (lambda xp, x: xp.prod(x), (np.array([0.0, 0.0, 3.0]),)),
        "0 ** 2": (lambda xp, x: x**2, (around,)),
        "0 ** 1.5": (lambda xp, x: xp.absolute(x) ** 1.5, (around,)),
        "var of constants": (lambda xp, x: ((x - x.mean()) ** 2).mean(), (np.ones(4),)),
        "cumsum of relu": (lambda xp, x: xp.cumsum(xp.relu(x), 0), (around,)),
        "a network at 0": (lambda xp, x, w: xp.relu(w @ x).sum(), (np.zeros(3), normal(4, 3))),
        "a network with zero weights": (
            lambda xp, x, w, v: v @ xp.relu(w @ x),
            (normal(3), np.zeros((4, 3)), normal(4)),
        ),
        "median-like": (lambda xp, x: xp.sort(x)[1], (np.array([2.0, 2.0, 2.0]),)),
        "fractional power at 0": (lambda xp, x: x**0.5, (np.array([0.0, 1.0]),)),
        "relu at many zeros": (lambda xp, x: xp.relu(x), (ties,)),
        "abs at many zeros, weighted": (lambda xp, x: (xp.absolute(x) * xp.cos(x)).sum(), (ties,)),
        "maximum at many ties": (lambda xp, x, y: xp.maximum(x, y), (ties, ties[::-1].copy())),
        "clip at many bounds": (lambda xp, x: xp.clip(x, -1, 1), (ties,)),
        "sort with many ties": (lambda xp, x: xp.sort(x), (ties,)),
        "max by row, many ties": (lambda xp, x: xp.amax(x, 1), (table,)),
        "two relu layers with zeros": (lambda xp, x, w: xp.relu(xp.relu(x) @ w).sum(), (table, table.T.copy())),
        "sum of sqrt at 0": (lambda xp, x: xp.sqrt(x).sum(), (np.array([0.0, 1.0, 4.0]),)),
        "infinite slope times 0": (lambda xp, x: 0 * xp.sqrt(x), (np.array([1.0, 4.0]),)),
    }
    return [Right(name, "kink", f, xs) for name, (f, xs) in cases.items()]


def programs() -> list[Right]:
    """Return functions of several operations."""
    a, b, v = normal(3, 4), normal(4, 2), normal(4)
    regular = normal(3, 3) + 3 * np.eye(3)
    labels = np.array([0, 2, 1])
    cases: dict[str, tuple[Callable[..., Any], Any]] = {
        "matrix product": (lambda xp, x, y: x @ y, (a, b)),
        "matrix times vector": (lambda xp, x, y: x @ y, (a, v)),
        "batched product": (lambda xp, x, y: x @ y, (normal(2, 3, 4), b)),
        "einsum": (lambda xp, x, y: xp.einsum("ij,kj->ik", x, y), (a, normal(2, 4))),
        "layer": (lambda xp, x, w, c: xp.tanh(x @ w + c), (a, b, normal(2))),
        "two layers": (lambda xp, x, w, c: xp.sigmoid(xp.tanh(x @ w) @ c).sum(), (a, normal(4, 5), normal(5))),
        "relu network": (lambda xp, x, w, c: (xp.relu(x @ w) @ c).sum(), (a, normal(4, 8), normal(8))),
        "softmax": (lambda xp, x: xp.softmax(x, -1), (a,)),
        "log softmax": (lambda xp, x: xp.log_softmax(x, -1), (a,)),
        "cross-entropy": (lambda xp, x: -xp.log_softmax(x, -1)[np.arange(3), labels].mean(), (a,)),
        "normalized": (lambda xp, x: x / xp.sqrt((x * x).sum()), (v,)),
        "fan-out": (lambda xp, x: x * x * x + x * x + x, (v,)),
        "sum over an axis": (lambda xp, x: xp.exp(x.sum(0)), (a,)),
        "mean": (lambda xp, x: (x - x.mean()) ** 2, (a,)),
        "cumsum": (lambda xp, x: xp.cumsum(x, 0) * x, (v,)),
        "indexing": (lambda xp, x: x[1:, ::2] * x[:2, 1::2], (a,)),
        "repeated index": (lambda xp, x: x[[0, 0, 2]] ** 2, (a,)),
        "transpose": (lambda xp, x: x.T @ x, (a,)),
        "reshape": (lambda xp, x: xp.sin(x.reshape(2, 6)), (a,)),
        "concatenate": (lambda xp, x, y: xp.tanh(xp.concatenate([x, y])), (v, normal(3))),
        "stack": (lambda xp, x: xp.stack([x, x * x]) ** 2, (v,)),
        "where": (lambda xp, x: xp.where(x > 0, xp.exp(x), x * x), (a,)),
        "max": (lambda xp, x: xp.amax(x, 0) ** 2, (a,)),
        "sort": (lambda xp, x: xp.sort(x) * xp.sort(x), (v,)),
        "inverse": (lambda xp, x: xp.linalg.inv(x), (regular,)),
        "determinant": (lambda xp, x: xp.linalg.det(x), (regular,)),
        "solve": (lambda xp, x, y: xp.linalg.solve(x, y), (regular, normal(3, 2))),
        "broadcasting": (lambda xp, x, y: x * y, (normal(3, 1), normal(1, 4))),
        "scalar": (lambda xp, x: xp.sin(x) * x, (np.array(0.7),)),
        "of every element": (lambda xp, x: xp.exp(-(x**2).sum()), (normal(100) / 10,)),
        "large": (lambda xp, x: xp.tanh(x) * x, (normal(500),)),
        "wide layer": (lambda xp, x, w: xp.tanh(x @ w).sum(), (normal(4, 30), normal(30, 20))),
        "empty": (lambda xp, x: xp.exp(x), (np.zeros((0, 3)),)),
        "recurrence": (lambda xp, x, w: recurrence(xp, x, w), (normal(3), normal(3, 3) / 2)),
        "Rosenbrock": (lambda xp, x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), (v,)),
    }
    return [Right(name, "program", f, xs) for name, (f, xs) in cases.items()]


def recurrence(xp: Any, x: Any, w: Any) -> Any:
    """Return the state after ten steps."""
    for _ in range(10):
        x = xp.tanh(w @ x)
    return x


CASES = [*smooth(), *programs(), *single(), *ill_scaled(), *kinks()]

"""Wrong rules, planted in operations that a user might define: a checker must find each and name its operation.

Each is written once, in terms of a namespace `xp`: NumPy for ours, torch for the comparison with its gradcheck.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Tensor, primitive
from autograd.tensor import raw

Rule = Callable[..., Any]


@dataclass(frozen=True)
class Planted:
    """An operation with a fault, and where it shows.

    Attributes:
        name: what is wrong.
        forward: takes the namespace and the arguments.
        rules: for each argument, takes the namespace, the bar, a tuple of the arguments and the output.
        inputs: arrays.
        arguments: whose rule may be blamed; None where it is not a rule.
        only_ours: whether the fault has no counterpart in torch.
        kinds: what the first problem of the report may be.
    """

    name: str
    forward: Callable[..., Any]
    rules: tuple[Rule | None, ...]
    inputs: tuple[np.ndarray, ...]
    arguments: tuple[str | None, ...] = ("x",)
    only_ours: bool = False
    kinds: tuple[str, ...] = field(default=("wrong",))

    def ours(self) -> Callable[..., Any]:
        """Return the operation as one of ours."""
        forward, rules = self.forward, self.rules
        if len(rules) == 1:
            (rule,) = rules
            return primitive(
                lambda x: forward(np, x),
                name="planted",
                x=None if rule is None else lambda bar, x, out: rule(np, bar, (x,), out),
            )
        first, second = rules
        return primitive(
            lambda x, y: forward(np, x, y),
            name="planted",
            x=lambda bar, x, y, out: first(np, bar, (x, y), out),
            y=lambda bar, x, y, out: second(np, bar, (x, y), out),
        )


def surrounded(operation: Callable[..., Any], xp: Any) -> Callable[..., Any]:
    """Return a function in which the operation stands between others that are right."""

    def function(*xs: Any) -> Any:
        before = [2 * x for x in xs]
        return xp.sin(operation(*before)) * 0.5 + (xs[0] * xs[0]).sum()

    return function


RNG = np.random.default_rng(3)


def normal(*shape: int) -> np.ndarray:
    """Return normal values."""
    return RNG.normal(size=shape)


def unary(
    name: str, forward: Callable[..., Any], rule: Rule | None, x: np.ndarray | None = None, **options: Any
) -> Planted:
    """Return a fault in an operation with one argument; the rule takes xp, bar, x, out."""
    adapted = None if rule is None else lambda xp, bar, xs, out: rule(xp, bar, xs[0], out)
    return Planted(name, forward, (adapted,), (normal(3) if x is None else x,), **options)


def sin(xp: Any, x: Any) -> Any:
    return xp.sin(x)


def sin_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    return bar * xp.cos(x)


def cube(xp: Any, x: Any) -> Any:
    return x * x * x


def cube_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    return 3 * bar * x * x


def only(xp: Any, x: Any, position: int, factor: float) -> Any:
    """Return ones like x, with a factor at one position of the last axis."""
    ones = np.ones(tuple(x.shape))
    ones[..., position] = factor
    return ones if xp is np else xp.tensor(ones)


def constant(x: Any) -> Any:
    """Return a value cut off from the record."""
    return raw(x) if isinstance(x, Tensor) or isinstance(x, (np.ndarray, np.generic)) else x.detach()


def is_array(x: Any) -> bool:
    """Tell whether a rule runs on an array of NumPy's."""
    return isinstance(x, np.ndarray)


def own_order(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Read the elements in the order in which they lie in memory."""
    if is_array(x):
        return bar * np.cos(x.ravel(order="K").reshape(x.shape))
    return bar * xp.cos(x)


def own_bytes(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Take for granted that the array owns all of its memory from the first element on."""
    if is_array(x) and x.size and not x.flags.c_contiguous:
        return bar * np.lib.stride_tricks.as_strided(x, x.shape, [x.itemsize] * x.ndim)
    return bar * 2 * x


def single_only(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Go wrong by a thousandth in single precision."""
    return bar * xp.cos(x) * (1.001 if str(x.dtype).endswith("32") else 1)


def wide(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Return double precision whatever came in."""
    return bar * xp.cos(x) * np.float64(1.0)


CALLS = itertools.count()
SEEN: list[Any] = []


def unsteady(xp: Any, x: Any) -> Any:
    return xp.sin(x) * (1 + 1e-9 * (next(CALLS) % 7))


def unsteady_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    return bar * xp.cos(x) * (1 + 1e-9 * (next(CALLS) % 7))


def stale_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Use the argument of an earlier call."""
    SEEN.append(constant(x).copy() if xp is np else x.detach().clone())
    earlier = SEEN[0] if SEEN[0].shape == x.shape else x
    return bar * xp.cos(earlier)


def scaling(xp: Any, x: Any) -> Any:
    """Scale x in place before use."""
    if is_array(x) and x.ndim:
        x *= 1.5
    elif xp is not np:
        x.mul_(1.5)
    return xp.sin(x)


def scaling_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Scale the bar in place."""
    if is_array(bar) and bar.ndim:
        bar *= np.cos(x)
        return bar
    return bar * xp.cos(x) if xp is np else bar.mul_(xp.cos(x))


def writing_rule(xp: Any, bar: Any, x: Any, out: Any) -> Any:
    """Write to the argument once it is used."""
    result = bar * xp.cos(x)
    if is_array(x) and x.ndim:
        x += 1e-3
    elif xp is not np:
        x.data += 1e-3
    return result


def softmax(xp: Any, x: Any) -> Any:
    e = xp.exp(x)
    return e / e.sum(-1)[..., None]


def bias(xp: Any, x: Any, y: Any) -> Any:
    return x + y


def product(xp: Any, x: Any, y: Any) -> Any:
    return x @ y


def weighted(xp: Any, x: Any, y: Any) -> Any:
    return (x * y).sum(0)


def first_of(rule: Rule) -> Rule:
    """Return a rule for two arguments from one for the first."""
    return lambda xp, bar, xs, out: rule(xp, bar, *xs)


SQUARE = normal(3, 3)
AROUND = np.array([-1.5, -0.2, 0.4, 1.7])
MANY = np.linspace(-2, 2, 2000)
TIES = RNG.integers(-1, 2, 200).astype(float)

CASES = [
    unary("wrong sign", sin, lambda xp, bar, x, out: -bar * xp.cos(x)),
    unary("factor 1.001", cube, lambda xp, bar, x, out: 1.001 * cube_rule(xp, bar, x, out)),
    unary("factor 1.000001", cube, lambda xp, bar, x, out: 1.000001 * cube_rule(xp, bar, x, out)),
    unary("factor 1 + 1e-9", cube, lambda xp, bar, x, out: (1 + 1e-9) * cube_rule(xp, bar, x, out)),
    unary("lost factor", lambda xp, x: xp.tanh(2 * x), lambda xp, bar, x, out: bar * (1 - out * out), 0.2 * normal(3)),
    unary("lost term", lambda xp, x: x * xp.exp(x), lambda xp, bar, x, out: bar * xp.exp(x)),
    unary("small lost term", lambda xp, x: xp.sin(x) + 1e-6 * x * x, sin_rule),
    unary("gradient of zero", sin, lambda xp, bar, x, out: 0 * bar),
    unary("no gradient declared", sin, None, kinds=("wrong", "detached")),
    unary("wrong at one coordinate", sin, lambda xp, bar, x, out: sin_rule(xp, bar, x, out) * only(xp, x, 1, 2)),
    unary(
        "wrong at one coordinate of 2,000",
        sin,
        lambda xp, bar, x, out: sin_rule(xp, bar, x, out) * only(xp, x, 777, 1.01),
        MANY,
    ),
    unary(
        "wrong for large values", sin, lambda xp, bar, x, out: bar * xp.cos(x) * (1 + (x > 20)), np.array([1.0, 11.0])
    ),
    unary("right for positive values only", lambda xp, x: abs(x), lambda xp, bar, x, out: bar * (x > 0), AROUND),
    unary(
        "outside of the slopes at a kink",
        lambda xp, x: abs(x),
        lambda xp, bar, x, out: bar * (xp.sign(x) + 3 * (x == 0)),
        np.array([0.0, 1.0]),
    ),
    unary(
        "a small output wrong",
        lambda xp, x: x * x * only(xp, x, 0, 1e-9),
        lambda xp, bar, x, out: bar * x * 2 * only(xp, x, 0, 1.1e-9),
    ),
    unary("wrong in second order: a constant", cube, lambda xp, bar, x, out: 3 * bar * constant(x * x)),
    unary("wrong in second order: the bar", sin, lambda xp, bar, x, out: constant(bar) * xp.cos(x)),
    unary(
        "wrong in second order: a sign",
        sin,
        lambda xp, bar, x, out: bar * (constant(xp.cos(x)) * 2 - xp.cos(x)),
    ),
    unary(
        "not linear in the bar", sin, lambda xp, bar, x, out: bar * abs(bar) * xp.cos(x), kinds=("wrong", "not linear")
    ),
    unary("sign of the bar lost", sin, lambda xp, bar, x, out: abs(bar) * xp.cos(x), kinds=("wrong", "not linear")),
    unary("a constant added", sin, lambda xp, bar, x, out: bar * xp.cos(x) + 1e-6, kinds=("wrong", "not linear")),
    unary("reads memory in its order", sin, own_order, SQUARE, kinds=("layout",), only_ours=True),
    unary("takes memory for contiguous", lambda xp, x: x * x, own_bytes, SQUARE, kinds=("layout",), only_ours=True),
    unary("wrong in float32 only", sin, single_only, normal(3).astype(np.float32)),
    unary("float64 for float32", sin, wide, normal(3).astype(np.float32), kinds=("dtype",), only_ours=True),
    unary("another result each call", unsteady, sin_rule, kinds=("non-deterministic",), arguments=(None,)),
    unary("another gradient each call", sin, unsteady_rule, kinds=("non-deterministic",)),
    unary("argument of an earlier call", sin, stale_rule),
    unary("writes to its argument", scaling, sin_rule, kinds=("wrong",), arguments=(None,)),
    unary("writes to the bar", sin, scaling_rule, kinds=("mutation",)),
    unary("writes to what it kept", sin, writing_rule, kinds=("non-deterministic",)),
    unary("sum over the wrong axis", softmax, lambda xp, bar, x, out: out * (bar - (bar * out).sum(0)), SQUARE),
    unary("sum lost", softmax, lambda xp, bar, x, out: out * bar * (1 - out), SQUARE),
    unary("running sum not reversed", lambda xp, x: xp.cumsum(x, 0), lambda xp, bar, x, out: xp.cumsum(bar, 0)),
    unary("rolled the wrong way", lambda xp, x: xp.roll(x, 1), lambda xp, bar, x, out: xp.roll(bar, 1), normal(5)),
    unary(
        "mean over n - 1",
        lambda xp, x: x.mean(0),
        lambda xp, bar, x, out: (0 * x + 1) * bar / (len(x) - 1),
        normal(4),
    ),
    unary(
        "derivative of another function", lambda xp, x: xp.log(1 + xp.exp(x)), lambda xp, bar, x, out: bar * xp.tanh(x)
    ),
    unary("degrees for radians", sin, lambda xp, bar, x, out: bar * xp.cos(x) * (math.pi / 180)),
    Planted(
        "matrix not transposed",
        product,
        (lambda xp, bar, xs, out: bar @ xs[1], lambda xp, bar, xs, out: xs[0].T @ bar),
        (SQUARE, normal(3, 3)),
    ),
    Planted(
        "matrices in the wrong order",
        product,
        (lambda xp, bar, xs, out: bar @ xs[1].T, lambda xp, bar, xs, out: bar @ xs[0].T),
        (SQUARE, normal(3, 3)),
        arguments=("y",),
    ),
    Planted(
        "arguments exchanged",
        lambda xp, x, y: x * y,
        (lambda xp, bar, xs, out: bar * xs[0], lambda xp, bar, xs, out: bar * xs[1]),
        (normal(3), normal(3)),
        arguments=("x", "y"),
    ),
    Planted(
        "what was broadcast not summed",
        bias,
        (lambda xp, bar, xs, out: bar, lambda xp, bar, xs, out: bar[0]),
        (normal(4, 3), normal(3)),
        arguments=("y",),
    ),
    Planted(
        "mean for what was broadcast",
        weighted,
        (lambda xp, bar, xs, out: bar * xs[1], lambda xp, bar, xs, out: (bar * xs[0]).mean(1)[..., None]),
        (normal(4, 3), normal(4, 1)),
        arguments=("y",),
    ),
    unary(
        "factor 1.001 beside many kinks",
        lambda xp, x: abs(x) + xp.sin(x),
        lambda xp, bar, x, out: bar * (xp.sign(x) + 1.001 * xp.cos(x)),
        TIES,
    ),
    unary(
        "outside of the slopes at many kinks",
        lambda xp, x: abs(x),
        lambda xp, bar, x, out: bar * (xp.sign(x) + 1.2 * (x == 0)),
        TIES,
    ),
    Planted(
        "both win at a tie",
        lambda xp, x, y: xp.maximum(x, y),
        (lambda xp, bar, xs, out: bar * (xs[0] >= xs[1]), lambda xp, bar, xs, out: bar * (xs[1] >= xs[0])),
        (np.array([1.0, 2.0, -1.0]), np.array([1.0, 0.5, -1.0])),
        arguments=(None, "x", "y"),
    ),
]

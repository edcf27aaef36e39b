"""Bad input, each with its message: what was expected, what came, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import GraphError, Tensor, primitive


def tracked(*shape: int) -> Tensor:
    return Tensor(np.ones(shape), requires_grad=True)


def _twice() -> None:
    x = tracked(2)
    y = (x * x).sum()
    y.backward()
    y.backward()


def _nan_under_detect_anomaly() -> None:
    with np.errstate(invalid="ignore"), ag.detect_anomaly():
        np.log(-tracked(2))


def _changed_array_under_detect_anomaly() -> None:
    x, a = tracked(2), np.ones(2)
    with ag.detect_anomaly():
        y = (x * a).sum()
    a[0] = 5.0
    y.backward()


def _changed_leaf() -> None:
    w = tracked(2).named("weight")
    y = (w * w).sum()
    with ag.no_grad():
        w -= 1.0
    y.backward()


def _rule_with_a_wrong_shape() -> None:
    wrong = primitive(lambda x: x.sum(axis=0), name="column_sum", x=lambda ybar: ybar[:1])
    wrong(tracked(3, 2)).sum().backward()


CASES: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    (
        "shape mismatch in matmul",
        lambda: tracked(2, 3) @ tracked(2, 3),
        ValueError,
        r"matmul.*\(2, 3\).*\(2, 3\)|in matmul\(float64\[2, 3\], float64\[2, 3\]\)",
    ),
    (
        "shape mismatch in a convolution",
        lambda: ag.conv2d(tracked(32, 1, 28, 28), tracked(16, 3, 5, 5)),
        ValueError,
        r"conv2d: expected x \(N, 3, H, W\) for weight \(16, 3, 5, 5\), got \(32, 1, 28, 28\)",
    ),
    (
        "shape mismatch in broadcasting",
        lambda: tracked(2, 3) + tracked(2, 4),
        ValueError,
        r"could not be broadcast.*\(2,3\) \(2,4\)\s+in add\(float64\[2, 3\], float64\[2, 4\]\)",
    ),
    (
        "integer tensor that requires a gradient",
        lambda: Tensor([1, 2], requires_grad=True),
        TypeError,
        r"requires_grad: only floating-point tensors have gradients, got int64; pass dtype=float",
    ),
    (
        "integer tensor that is made to require a gradient",
        lambda: setattr(Tensor([1, 2]), "requires_grad", True),
        TypeError,
        r"requires_grad: only floating-point tensors have gradients, got int64",
    ),
    (
        "backward on several elements without a gradient",
        (tracked(2, 3) * 2).backward,
        GraphError,
        r"backward: a gradient can be left out only for one element, and this tensor has shape \(2, 3\): pass its",
    ),
    (
        "backward with a gradient of another shape",
        lambda: (tracked(2, 3) * 2).backward(np.ones(3)),
        ValueError,
        r"backward: expected a gradient of shape \(2, 3\), got \(3,\)",
    ),
    (
        "backward of a tensor without a record",
        lambda: Tensor([1.0]).backward(),
        GraphError,
        r"backward: this tensor does not require a gradient: no input .* requires_grad=True, or .* no_grad",
    ),
    (
        "backward twice without retain_graph",
        _twice,
        GraphError,
        r"backward a second time through a graph that was released: pass retain_graph=True to .* or compute the result",
    ),
    (
        "an input that the outputs do not depend on",
        lambda: ag.grad(tracked(1) * 2, tracked(3)),
        GraphError,
        r"input 0 \(shape \(3,\)\) appears not to have been used in the graph of the outputs; pass allow_unused=True",
    ),
    (
        "a NumPy function that we do not have",
        lambda: np.unwrap(tracked(3)),
        TypeError,
        r"np\.unwrap is not available for Tensors: .{10}",
    ),
    (
        "float of a tracked tensor",
        lambda: float(tracked(1)),
        TypeError,
        r"float\(\) of a tensor that requires a gradient would lose its record.*\.item\(\) for a number",
    ),
    (
        "asarray of a tracked tensor",
        lambda: np.asarray(tracked(2)),
        TypeError,
        r"conversion to an array of a tensor that requires a gradient .*\.numpy\(\) for a copy, \.detach\(\)",
    ),
    (
        "a tensor of a tracked tensor",
        lambda: Tensor(tracked(2)),
        TypeError,
        r"Tensor\(t\): t requires a gradient and would lose its record here; write t\.clone\(\) .* or t\.detach\(\)",
    ),
    (
        "unknown dtype",
        lambda: Tensor([1.0], dtype="float31"),
        TypeError,
        r"unknown dtype 'float31': expected float16, float32, float64, an integer type or bool",
    ),
    ("complex data", lambda: Tensor([1j]), TypeError, r"dtype complex128 is not supported: expected float16, float32"),
    ("text as data", lambda: Tensor("abc"), TypeError, r"dtype <U3 is not supported: expected float16, float32"),
    ("objects as data", lambda: Tensor([None]), TypeError, r"dtype object is not supported"),
    (
        "extended precision",
        lambda: Tensor(np.ones(2, np.longdouble)),
        TypeError,
        r"dtype (float128|longdouble) is not sup",
    ),
    (
        "NaN under detect_anomaly",
        _nan_under_detect_anomaly,
        FloatingPointError,
        rf"log: the forward pass returned NaN, at {re.escape(__file__)}:\d+",
    ),
    (
        "a kept array that the user changed in between, under detect_anomaly",
        _changed_array_under_detect_anomaly,
        GraphError,
        rf"multiply: its argument 'y' was written to between .* The operation was called at {re.escape(__file__)}:\d+",
    ),
    (
        "a leaf that was written to in between",
        _changed_leaf,
        GraphError,
        r"leaf 'weight' was written in place after 'multiply' had used its value.*[Cc]ompute the result again",
    ),
    (
        "a user's rule with a wrong shape",
        _rule_with_a_wrong_shape,
        ValueError,
        r"(?s)\(1,\).*\(3, 2\).*in the rule of column_sum for 'x'.*bar has shape \[\(2,\)\], the argument \(3, 2\)",
    ),
    (
        "a hook on a constant",
        lambda: Tensor(1.0).register_hook(print),
        GraphError,
        r"register_hook: .* no bar reaches it",
    ),
    ("grad of what is no tensor", lambda: ag.grad(1.0, [tracked(1)]), TypeError, r"[Tt]ensor"),
    ("graph of what is no tensor", lambda: ag.graph(np.ones(2)), TypeError, r"[Tt]ensor"),
    ("an index out of bounds", lambda: tracked(2)[5], IndexError, r"(?s)index 5 is out of bounds.*in getitem"),
]


def message(error: BaseException) -> str:
    """Return what a traceback shows of an error: its text and its notes."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


@pytest.mark.parametrize(("call", "kind", "pattern"), [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_message(call, kind, pattern):
    with pytest.raises(kind) as caught:
        call()
    assert re.search(pattern, message(caught.value)), message(caught.value)

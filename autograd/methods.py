"""Operators and methods of `Tensor`: put on the class from the operations, once, when the package is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import numpy_api, transforms
from autograd.modes import grad_enabled
from autograd.ops import elementwise, indexing, shape
from autograd.program import describe
from autograd.tensor import Tensor, raw

_BINARY = {
    "add": elementwise.add,
    "sub": elementwise.subtract,
    "mul": elementwise.multiply,
    "truediv": elementwise.divide,
    "floordiv": elementwise.floor_divide,
    "mod": elementwise.remainder,
    "pow": elementwise.power,
    "and": elementwise.bitwise_and,
    "or": elementwise.bitwise_or,
    "xor": elementwise.bitwise_xor,
}

_COMPARISONS = {
    "lt": elementwise.less,
    "le": elementwise.less_equal,
    "gt": elementwise.greater,
    "ge": elementwise.greater_equal,
    "eq": elementwise.equal,
    "ne": elementwise.not_equal,
}

_UNARY = {
    "neg": elementwise.negative,
    "pos": elementwise.positive,
    "abs": elementwise.absolute,
    "invert": elementwise.invert,
}


def install(operations: dict[str, Any]) -> None:
    """Put operators and methods on `Tensor`.

    Args:
        operations: the public operations by name.
    """
    binary = _BINARY | {"matmul": operations["matmul"]}
    for name, operation in binary.items():
        setattr(Tensor, f"__{name}__", operation)
        setattr(Tensor, f"__r{name}__", _reflected(operation))
        setattr(Tensor, f"__i{name}__", _augmented(name, operation))
    for name, operation in (_COMPARISONS | _UNARY).items():
        setattr(Tensor, f"__{name}__", operation)
    Tensor.__array_ufunc__ = numpy_api.array_ufunc  # type: ignore[attr-defined]
    Tensor.__array_function__ = numpy_api.array_function  # type: ignore[attr-defined]
    for name in METHODS:
        if name in operations:
            setattr(Tensor, name, operations[name])
    forms = {
        "backward": transforms.backward,
        "reshape": _reshape,
        "transpose": _transpose,
        "T": property(shape.transpose),
        "mT": property(shape.matrix_transpose),
        "__getitem__": indexing.getitem,
        "__setitem__": _assign,
    }
    for name, form in forms.items():
        setattr(Tensor, name, form)


METHODS = (
    *("sum", "mean", "var", "std", "prod", "max", "min", "argmax", "argmin", "cumsum", "cumprod", "all", "any"),
    *("reshape", "transpose", "swapaxes", "squeeze", "ravel", "flatten", "repeat", "diagonal", "trace", "take"),
    *("sort", "argsort", "partition", "argpartition", "nonzero", "clip", "round", "dot"),
    *("astype", "clone", "copy", "conj"),
    *("tanh", "exp", "log", "sqrt", "sigmoid", "relu"),
)


def _reflected(operation: Callable[..., Any]) -> Callable[..., Any]:
    def reflected(self: Tensor, other: Any) -> Any:
        return operation(other, self)

    return reflected


def _augmented(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    what = f"`tensor {_SYMBOLS.get(name, name)}= value`"

    def augmented(self: Tensor, other: Any) -> Tensor:
        def result(before: Any) -> Any:
            return _same_kind(before, operation(before, other), what)

        _write(self, result, what)
        return self

    return augmented


_SYMBOLS = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and": "&",
    "or": "|",
    "xor": "^",
}


def _assign(self: Tensor, index: Any, value: Any) -> None:
    """Do `self[index] = value`: the handle gets the new value, and what was computed earlier keeps the old one."""
    _write(self, lambda before: indexing.setitem(before, index, value), "`tensor[index] = value`")


def _write(target: Tensor, result: Callable[[Any], Any], what: str) -> None:
    """Give the handle another value: recorded, or in place for a leaf that requires a gradient.

    Raises:
        RuntimeError: a leaf while operations are recorded, or a recorded result while they are not.
    """
    if target.requires_grad and target.is_leaf == grad_enabled():
        assert target._node is not None
        if target.is_leaf:
            raise RuntimeError(
                f"{what} on {describe(target._node)}, a leaf that requires a gradient: write it under "
                "`with autograd.no_grad():`, or work on a copy, t.clone()"
            )
        raise RuntimeError(
            f"{what} under no_grad on {describe(target._node)}, a recorded result: it would be cut off from what it "
            "was computed from; write `t = t.detach()` first"
        )
    if target.requires_grad and target.is_leaf:
        target.data = result(raw(target))
        return
    after = result(target)
    target._value, target._node = after._value, after._node


def _reshape(self: Tensor, *lengths: Any) -> Any:
    """Return the elements in another shape: `t.reshape(2, 3)` or `t.reshape((2, 3))`; one length may be -1."""
    return shape.reshape(self, lengths[0] if len(lengths) == 1 else lengths)


def _transpose(self: Tensor, *axes: Any) -> Any:
    """Return the tensor with its axes in another order: `t.transpose(1, 0)`, `t.transpose((1, 0))`, or reversed."""
    return shape.transpose(self, axes[0] if len(axes) == 1 else axes or None)


def _same_kind(before: Any, after: Any, what: str) -> Any:
    """Return the result of an augmented assignment, which keeps shape and dtype."""
    if after.shape != before.shape:
        raise ValueError(f"{what}: the result has shape {after.shape} and does not fit into {before.shape}")
    if not np.can_cast(after.dtype, before.dtype, "same_kind"):
        raise TypeError(f"{what}: the result has dtype {after.dtype} and does not fit into {before.dtype}")
    return after if after.dtype == before.dtype else after.astype(before.dtype)

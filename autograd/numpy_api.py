"""NumPy functions on Tensors: one closed table, so that nothing is detached without a word.

`np.sin(t)`, `array * t` and `np.concatenate([t, u])` come here by NumPy's protocols. A function has a
differentiable equivalent, or is known to have no derivative, or is refused with what to use instead.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.tensor import Tensor

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
}
"""NumPy function or ufunc -> ours. Functions without a derivative are primitives without rules."""

REFUSED: dict[Any, str] = {}
"""NumPy function or ufunc -> what to do instead."""


def register(functions: dict[Any, Callable[..., Any]]) -> None:
    """Add NumPy functions with their equivalents to the table."""
    FUNCTIONS.update(functions)


def array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """Do `ufunc(*inputs)` where an input is a Tensor (NumPy's `__array_ufunc__`)."""
    out = options.pop("out", None)
    if out is not None and type(out[0]) is not Tensor and inputs and inputs[0] is out[0]:
        raise TypeError(
            f"an array cannot take a Tensor in place (`array {_symbol(ufunc)}= tensor`): the record would be lost; "
            f"write `result = array {_symbol(ufunc)} tensor`"
        )
    if method != "__call__":
        raise TypeError(f"np.{ufunc.__name__}.{method} is not supported for Tensors: {_METHODS.get(method, '')}")
    if out is not None:
        raise TypeError(f"np.{ufunc.__name__}(out=...) is not supported for Tensors: use the result it returns")
    if options:
        raise TypeError(
            f"np.{ufunc.__name__}({', '.join(options)}=...) is not supported for Tensors: use np.where or astype"
        )
    found = FUNCTIONS.get(ufunc)
    if found is None:
        raise TypeError(_refusal(ufunc))
    return found(*inputs)


_METHODS = {
    "reduce": "use np.sum, np.prod, np.max, np.min, np.any or np.all",
    "accumulate": "use np.cumsum or np.cumprod",
    "outer": "insert axes: x[:, None] and y[None, :]",
    "at": "use item assignment, t[index] = value, or autograd.scatter_add",
    "reduceat": "take slices and sum them",
}


def _symbol(ufunc: np.ufunc) -> str:
    symbols = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "true_divide": "/", "power": "**"}
    return symbols.get(ufunc.__name__, ufunc.__name__)


def array_function(self: Tensor, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Do `function(*args, **kwargs)` where an argument holds a Tensor (NumPy's `__array_function__`)."""
    found = FUNCTIONS.get(function)
    if found is None:
        raise TypeError(_refusal(function))
    return found(*args, **(_translated(function, found, args, kwargs) if kwargs else {}))


def _translated(function: Any, found: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return NumPy's keyword arguments under our names, without those left at their default."""
    theirs = list(_parameters(function))
    ours = _parameters(found)
    names = list(ours)
    translated = {}
    for name, value in kwargs.items():
        if name in ours:
            translated[name] = value
        elif name in theirs and theirs.index(name) < len(names) and _leading(names[theirs.index(name)], ours):
            translated[names[theirs.index(name)]] = value
        elif not (value is None or value is np._NoValue):
            raise TypeError(f"np.{function.__name__}({name}=...) is not supported for Tensors; it takes {names}")
    return translated


def _leading(name: str, parameters: Any) -> bool:
    """Tell whether the parameter is an array argument, whose name differs from library to library."""
    return parameters[name].default is inspect.Parameter.empty


def _parameters(function: Any) -> Any:
    try:
        return inspect.signature(function).parameters
    except ValueError:
        return {}


def _refusal(function: Any) -> str:
    name = getattr(function, "__name__", str(function))
    advice = REFUSED.get(function, "use another function, t.numpy() for a copy of the value, or define a primitive")
    return f"np.{name} is not available for Tensors: {advice}"

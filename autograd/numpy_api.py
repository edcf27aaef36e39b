"""NumPy functions on Tensors: one closed table, so that nothing is detached without a word.

`np.sin(t)`, `array * t` and `np.concatenate([t, u])` come here by NumPy's protocols. A function has a
differentiable equivalent, or is known to have no derivative, or is refused with what to use instead.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import trees
from autograd.tensor import Tensor, raw

FUNCTIONS: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
}
"""NumPy function or ufunc -> ours. Functions without a derivative are primitives without rules."""


def _on_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` computed on the values of Tensors: its result is a plain value, no part of a record."""

    def compute(*args: Any, **kwargs: Any) -> Any:
        values = trees.map_leaves(lambda leaf: raw(leaf) if type(leaf) is Tensor else leaf, (list(args), kwargs))
        return function(*values[0], **values[1])

    return compute


# What cannot take part in a computation: truth, text, dtypes, memory, positions that follow from a shape.
FUNCTIONS |= {
    function: _on_values(function)
    for function in (
        *(np.allclose, np.array_equal, np.array_equiv, np.iscomplexobj, np.isrealobj, np.array2string, np.array_repr),
        *(np.array_str, np.can_cast, np.common_type, np.result_type, np.min_scalar_type, np.may_share_memory),
        *(np.shares_memory, np.tril_indices_from, np.triu_indices_from, np.diag_indices_from, np.einsum_path),
    )
}

_REFUSED_MODULES = {
    "numpy.fft": "results are complex",
    "numpy.lib.recfunctions": "tensors have no fields",
    "numpy.lib._scimath_impl": "results may be complex; use the function in NumPy's main namespace",
    "numpy.lib.scimath": "results may be complex; use the function in NumPy's main namespace",
    "numpy.polynomial": "write it with sums and products",
    "numpy.strings": "tensors hold numbers",
    "numpy.char": "tensors hold numbers",
}

_REFUSED_NAMES = {
    "write into a tensor with t[index] = value": "copyto fill_diagonal place put put_along_axis putmask",
    "use t.numpy() and save that, or nn.save": "save savetxt savez savez_compressed",
    "make the array with NumPy, then Tensor(array)": "arange array asanyarray asarray ascontiguousarray asfortranarray"
    " empty eye frombuffer fromfile fromfunction fromiter fromstring full genfromtxt identity loadtxt ones require tri"
    " zeros linspace logspace geomspace",
    "tensors are real": "angle imag iscomplex isreal real real_if_close sort_complex",
    "write the loop, or use broadcasting": "apply_along_axis apply_over_axes",
    "index with a boolean tensor, t[mask], or use np.where": "choose ix_ compress extract piecewise select",
    "index with the positions to keep, and np.concatenate": "delete insert resize trim_zeros",
    "use np.concatenate or np.stack": "block",
    "the result is of integers, or depends on the values only by counting: use t.numpy()": "bincount histogram"
    " histogram2d histogram_bin_edges histogramdd intersect1d setdiff1d setxor1d union1d unique unique_all"
    " unique_counts unique_inverse unique_values packbits unpackbits ravel_multi_index unravel_index",
    "tensors hold no dates": "busday_count busday_offset datetime_as_string is_busday isnat",
    "use np.nansum, np.nanmean or np.where(np.isnan(t), 0, t)": "nan_to_num nancumprod nancumsum nanmax nanmedian"
    " nanmin nanpercentile nanprod nanquantile nanstd nanvar",
    "use np.sort or np.argsort, and index": "lexsort percentile quantile",
    "write it with sums and products": "convolve corrcoef correlate cov ediff1d gradient i0 poly polyadd polyder"
    " polydiv polyfit polyint polymul polysub polyval roots trapezoid unwrap vander",
    "use np.cumsum or np.cumprod": "cumulative_prod cumulative_sum",
    "use np.moveaxis": "rollaxis",
    "use np.nonzero": "argwhere flatnonzero",
    "use np.argmax(np.where(np.isnan(t), -np.inf, t)), or argmin": "nanargmax nanargmin",
    "compare with each, and use np.any": "in1d isin",
    "use autograd.windows": "lib.stride_tricks.sliding_window_view",
    "use np.remainder and np.floor_divide": "divmod",
    "use x - np.trunc(x) and np.trunc(x)": "modf",
    "use x * 2.0 ** n": "ldexp frexp",
    "use np.power": "float_power",
    "a step to the next float has no derivative": "nextafter spacing",
    "only integers have it: use t.numpy()": "bitwise_count gcd lcm left_shift right_shift",
    "eigenvalues of a general matrix are complex: use np.linalg.eigh for a symmetric one": "linalg.eig linalg.eigvals",
    "use np.linalg.solve, or np.linalg.pinv(a) @ b": "linalg.lstsq",
    "tensors hold numbers": "count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace"
    " istitle isupper rfind rindex startswith str_len",
}


REFUSED = {name: advice for advice, names in _REFUSED_NAMES.items() for name in names.split()}
"""Name of a NumPy function or ufunc, without "numpy." -> what to do instead."""


def advice(function: Any) -> str | None:
    """Return what to do instead of a NumPy function that is refused on purpose, or None."""
    module = getattr(function, "__module__", None) or "numpy"
    name = f"{module}.{getattr(function, '__name__', '')}".removeprefix("numpy.")
    of_module = (text for known, text in _REFUSED_MODULES.items() if f"{module}.".startswith(f"{known}."))
    return REFUSED.get(name) or next(of_module, None)


def register(functions: dict[Any, Callable[..., Any]]) -> None:
    """Add NumPy functions with their equivalents to the table."""
    FUNCTIONS.update(functions)


def array_ufunc(_self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
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
        remedy = "use np.where or astype" if ufunc.signature is None else f"use autograd.{ufunc.__name__}"
        raise TypeError(f"np.{ufunc.__name__}({', '.join(options)}=...) is not supported for Tensors: {remedy}")
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


def array_function(_self: Tensor, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
    """Do `function(*args, **kwargs)` where an argument holds a Tensor (NumPy's `__array_function__`)."""
    found = FUNCTIONS.get(function)
    if found is None:
        raise TypeError(_refusal(function))
    ours = _parameters(found)
    leading = sum(parameter.default is inspect.Parameter.empty for parameter in ours.values())
    if kwargs or len(args) > leading:
        args, kwargs = _translated(function, ours, leading, args, kwargs)
    return found(*args, **kwargs)


def _translated(function: Any, ours: Any, leading: int, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """Return NumPy's arguments under our names, without those left at their default.

    Arrays come first and have other names with us; what follows has NumPy's name, or is not there.
    """
    names, theirs = list(ours), _parameters(function)
    order = list(theirs)
    if any(p.kind is p.VAR_POSITIONAL for p in (*ours.values(), *theirs.values())) or not theirs:
        return args, kwargs
    given = dict(zip(order[len(args[:leading]) :], args[leading:], strict=False)) | kwargs
    translated = {}
    for name, value in given.items():
        place = order.index(name) if name in order else len(names)
        if name in ours:
            translated[name] = value
        elif place < leading:
            translated[names[place]] = value
        elif value is not theirs[name].default and value is not None and value is not np._NoValue:
            raise TypeError(f"np.{function.__name__}({name}=...) is not supported for Tensors; it takes {names}")
    return args[:leading], translated


@functools.cache
def _parameters(function: Any) -> Any:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _refusal(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    name = f"{module}.{getattr(function, '__name__', function)}".removeprefix("numpy.")
    otherwise = "use another function, t.numpy() for a copy of the value, or define a primitive"
    return f"np.{name} is not available for Tensors: {advice(function) or otherwise}"

"""What is checked: a function of nested arrays, as a function of the flat list of its floating-point arrays.

`Subject` calls it on arrays of the checker's choosing and asks the engine for gradients; the stages of higher order
(the gradient as a function, its gradient ...) have the same form, so that one comparison serves all orders.
"""

from __future__ import annotations

import contextlib
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import transforms, trees
from autograd.tensor import Tensor, raw

Stage = Callable[..., list[Any]]
"""Tensors -> floating-point outputs, flat: tensors, or arrays where nothing was recorded."""


class Subject:
    """A function and the point at which it is checked.

    Args:
        function: takes and returns nested arrays or tensors. A layer's parameters are inputs as well: what its
            `named_parameters()` yields, or its `parameters()`.
        inputs: its arguments. Floating-point arrays and tensors are differentiated by; everything else is passed
            as it is.

    Attributes:
        arrays: copies of what is differentiated by, parameters last.
        constants: further arrays among the arguments.
        names: how messages call each of them.
        function_name: how messages call the function.

    Raises:
        TypeError: there is nothing to differentiate by.
    """

    def __init__(self, function: Callable[..., Any], inputs: Sequence[Any]) -> None:
        self.function = function
        self.function_name = getattr(function, "__name__", type(function).__name__)
        self._tree = list(inputs)
        given = trees.leaves(self._tree)
        self._moving = [_is_floating(leaf) for leaf in given]
        self._given = given
        self.constants = [leaf for leaf in given if isinstance(leaf, np.ndarray) and not _is_floating(leaf)]
        self._parameters = _parameters_of(function)
        floating = [leaf for leaf, moving in zip(given, self._moving, strict=True) if moving]
        self.arrays = [np.array(raw(leaf)) for leaf in (*floating, *self._parameters.values())]
        if not self.arrays:
            raise TypeError(
                f"check_gradients: {self.function_name} got no floating-point array to differentiate by; pass arrays "
                "or tensors of floats (numbers and arrays of integers are passed on as they are)"
            )
        names = [
            name for name, moving in zip(_argument_names(function, self._tree), self._moving, strict=True) if moving
        ]
        self.names = [*names, *self._parameters]

    @contextlib.contextmanager
    def untouched(self) -> Iterator[None]:
        """Give the buffers and generators of a layer their states back after the block (running means change)."""
        named = getattr(self.function, "named_buffers", list), getattr(self.function, "named_generators", list)
        buffers = [(buffer, buffer.copy()) for _, buffer in named[0]()]
        generators = [(generator.bit_generator, generator.bit_generator.state) for _, generator in named[1]()]
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer[...] = before
            for generator, state in generators:
                generator.state = state

    def stage_on_arrays(self, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Call the function on plain arrays of any type; return its outputs that are no integers.

        Raises:
            TypeError: it has parameters of its own.
            Exception: whatever the function raises.
        """
        if self._parameters:
            raise TypeError("a layer's parameters are tensors")
        following = iter(arrays)
        leaves = (next(following) if moving else leaf for leaf, moving in zip(self._given, self._moving, strict=True))
        result = trees.leaves(self.function(*trees.rebuild(self._tree, leaves)))
        return [np.asarray(y) for y in result if np.asarray(y).dtype.kind in "fc"]

    def stage(self, *tensors: Any) -> list[Any]:
        """Call the function on tensors in place of its floating-point inputs; return its floating-point outputs."""
        arguments = iter(tensors)
        leaves = (next(arguments) if moving else leaf for leaf, moving in zip(self._given, self._moving, strict=True))
        rebuilt = trees.rebuild(self._tree, leaves)
        with _standing_in(self._parameters.values(), arguments):
            result = self.function(*rebuilt)
        return [np.float64(y) if type(y) is float else y for y in trees.leaves(result) if _is_output(y)]


def leaves_of(arrays: Sequence[NDArray[Any]]) -> list[Tensor]:
    """Return a new tensor for each array, to differentiate by."""
    return [Tensor(array, requires_grad=True) for array in arrays]


def values(stage: Stage, arrays: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the stage's outputs as arrays.

    Raises:
        Exception: whatever the function raises.
    """
    return [np.array(raw(y)) for y in stage(*leaves_of(arrays))]


def flat(arrays: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return all elements in one float64 vector."""
    if len(arrays) == 1:
        return np.asarray(arrays[0], dtype=np.float64).reshape(-1)
    return np.concatenate([np.asarray(a, dtype=np.float64).reshape(-1) for a in arrays]) if arrays else np.zeros(0)


def split(vector: NDArray[Any], like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the pieces of a vector in the shapes and dtypes of some arrays."""
    pieces, start = [], 0
    for a in like:
        pieces.append(vector[start : start + a.size].reshape(a.shape).astype(a.dtype))
        start += a.size
    return pieces


def gradients(
    stage: Stage,
    arrays: Sequence[NDArray[Any]],
    cotangents: Sequence[Sequence[NDArray[Any]]],
    *,
    create_graph: bool = False,
    wrap: Callable[[Any], Any] = lambda x: x,
) -> list[list[NDArray[Any]]]:
    """Return for each cotangent the bars of the inputs, as the engine has them.

    Args:
        stage: what to differentiate.
        arrays: where.
        cotangents: each a list with a bar for each output of the stage.
        create_graph: ask for gradients that can be differentiated again.
        wrap: applied to each input before the call and to each output after it (an identity that changes the
            layout in memory).
    """
    inputs = leaves_of(arrays)
    outputs = [wrap(y) for y in stage(*map(wrap, inputs))]
    return [[np.array(raw(g)) for g in pulled(outputs, inputs, bars, create_graph=create_graph)] for bars in cotangents]


def pulled(outputs: Sequence[Any], inputs: Sequence[Any], bars: Sequence[Any], *, create_graph: bool) -> list[Any]:
    """Return the bars of `inputs`: the gradient of sum(outputs * bars), with zeros where nothing leads."""
    pairs = [(y, bar) for y, bar in zip(outputs, bars, strict=True) if is_tracked(y)]
    if not pairs:
        return [np.zeros(x.shape, x.dtype) for x in inputs]
    found = transforms.grad(
        [y for y, _ in pairs],
        inputs,
        [bar for _, bar in pairs],
        create_graph=create_graph,
        retain_graph=True,
        allow_unused=True,
    )
    return [np.zeros(x.shape, x.dtype) if g is None else g for g, x in zip(found, inputs, strict=True)]


def is_tracked(y: Any) -> bool:
    """Tell whether a gradient flows through this output."""
    return type(y) is Tensor and y.requires_grad


def gradient_stage(
    stage: Stage, weights: Sequence[NDArray[Any]], scales: Sequence[NDArray[Any]], *, create_graph: bool = True
) -> Stage:
    """Return the gradient of sum(weights * (y + y^2 / 4 scale)), y = stage(xs), as a function of xs.

    It is not linear in y, so that its derivative also sees the second order of linear operations and the bar's way
    through a rule.

    Args:
        stage: what to differentiate.
        weights: for the outputs.
        scales: sizes of the outputs.
        create_graph: ask for gradients that can be differentiated again.
    """

    def gradient(*xs: Any) -> list[Any]:
        outputs = stage(*xs)
        bars = quadratic_bars(outputs if create_graph else [raw(y) for y in outputs], weights, scales)
        return pulled(outputs, xs, bars, create_graph=create_graph)

    return gradient


def quadratic_bars(
    outputs: Sequence[Any], weights: Sequence[NDArray[Any]], scales: Sequence[NDArray[Any]]
) -> list[Any]:
    """Return the bars of the outputs y of sum(weights * (y + y^2 / 4 scale))."""
    return [
        w.astype(y.dtype) * (1 + y * (0.5 / s).astype(y.dtype))
        for y, w, s in zip(outputs, weights, scales, strict=True)
    ]


def same(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Tell whether two arrays have the same shape, dtype and bytes."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let the function be tried outside its domain without warnings."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _standing_in(parameters: Any, tensors: Iterator[Any]) -> Iterator[None]:
    """Give the handles of a layer's parameters other values and nodes inside the block."""
    handles = list(parameters)
    before = [(handle._value, handle._node) for handle in handles]
    try:
        for handle, tensor in zip(handles, tensors, strict=True):
            handle._value, handle._node = tensor._value, tensor._node
        yield
    finally:
        for handle, (data, node) in zip(handles, before, strict=True):
            handle._value, handle._node = data, node


def _is_floating(leaf: Any) -> bool:
    """Tell whether this is an array or a tensor of floats."""
    return isinstance(leaf, (Tensor, np.ndarray, np.generic)) and leaf.dtype.kind == "f"


def _is_output(leaf: Any) -> bool:
    """Tell whether an output is a float or holds some."""
    return type(leaf) is float or _is_floating(leaf)


def _parameters_of(function: Callable[..., Any]) -> dict[str, Any]:
    if hasattr(function, "named_parameters"):
        found = dict(function.named_parameters())
    elif hasattr(function, "parameters") and callable(function.parameters):
        found = {f"parameter {i}": p for i, p in enumerate(function.parameters())}
    else:
        return {}
    return {name: parameter for name, parameter in found.items() if parameter.requires_grad}


def _argument_names(function: Callable[..., Any], tree: list[Any]) -> list[str]:
    """Return for each leaf of the arguments the name of the parameter, with the way to the leaf behind it."""
    try:
        signature = inspect.signature(getattr(function, "forward", function))
        bound = signature.bind(*tree).arguments
        variadic = {p.name for p in signature.parameters.values() if p.kind is p.VAR_POSITIONAL}
    except (TypeError, ValueError):
        bound, variadic = {}, set()
    tops: list[str] = []
    for name, value in bound.items():
        tops.extend(f"{name}[{i}]" for i in range(len(value))) if name in variadic else tops.append(name)
    if len(tops) != len(tree):
        tops = [f"input {position}" for position in range(len(tree))]
    return [name for top, branch in zip(tops, tree, strict=True) for name in _paths(top, branch)]


def _paths(prefix: str, tree: Any) -> list[str]:
    if isinstance(tree, dict):
        return [path for key, branch in tree.items() for path in _paths(f"{prefix}[{key!r}]", branch)]
    if isinstance(tree, (list, tuple)):
        return [path for i, branch in enumerate(tree) for path in _paths(f"{prefix}[{i}]", branch)]
    return [prefix]

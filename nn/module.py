"""`Module`, what every layer and model is, and the containers `Sequential` and `ModuleList`.

A module is a plain object. Its parameters are the leaf Tensors among its attributes, its buffers the arrays, its
children the modules; they are found by walking the attributes, also through lists, tuples and dicts, whenever somebody
asks. Nothing is registered, so there is no constructor to call first.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from autograd import Tensor
from autograd.modes import ScopeLayer, current, effective
from autograd.tensor import raw


class Module:
    """A layer or a model: parameters, buffers and children as attributes, and the computation in `forward`.

    A leaf Tensor is a parameter, frozen (`requires_grad=False`) or not; an ndarray is a buffer: saved, not trained. A
    computed Tensor is ignored. What is reachable in several ways counts once, under the first name.

    Attributes:
        training: whether dropout drops and batch normalization uses the batch's statistics; see `train`, `eval`.

    Example:
        >>> class Line(Module):
        ...     def __init__(self):
        ...         self.slope = Tensor(2.0, requires_grad=True)
        ...         self.offset = Tensor(1.0, requires_grad=True)
        ...
        ...     def forward(self, x):
        ...         return self.slope * x + self.offset
        >>> line = Line()
        >>> line(3.0).item()
        7.0
        >>> [name for name, _ in line.named_parameters()]
        ['slope', 'offset']
    """

    training: bool = True
    _path: str | None = None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; what a subclass writes. Call the module itself, not this.

        Args:
            *args: what the module was called with.
            **kwargs: the same, by keyword.
        """
        raise NotImplementedError(f"{type(self).__name__} has no forward(): define the computation there")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return `forward(*args, **kwargs)`.

        The first call names the parameters by their path from the outermost module, e.g. "conv1.weight". Under
        `autograd.record()` the steps recorded meanwhile carry the module's path, with the names of the classes.
        """
        if self._path is None:
            self._name_members()
        if current() is None:
            return self.forward(*args, **kwargs)
        mode = effective()
        if mode is None or not mode.recordings:
            return self.forward(*args, **kwargs)
        if not mode.scope:
            self._name_members()
        enclosing = "".join(f"{name}." for name in mode.scope[1:])
        scope = ScopeLayer(str(self._path).removeprefix(enclosing), type(self).__name__, id(self))
        scope.open()
        try:
            return self.forward(*args, **kwargs)
        finally:
            scope.close()

    def _name_members(self) -> None:
        """Tell every module below its path from here, and name the parameters that have no longer name."""
        for path, module in self.named_modules():
            module._path = path or type(self).__name__
        for path, parameter in self.named_parameters():
            if parameter.name is None or path.endswith(f".{parameter.name}"):
                parameter.named(path)

    # --- What it holds -------------------------------------------------------------------------------------

    def _members(self) -> Iterable[tuple[str, Any]]:
        """Yield what to walk, by name."""
        return vars(self).items()

    def named_children(self) -> list[tuple[str, Module]]:
        """Return the modules directly below this one, by name."""
        return [(path, value) for path, value in _spread(self._members()) if isinstance(value, Module)]

    def children(self) -> list[Module]:
        """Return the modules directly below this one."""
        return [module for _, module in self.named_children()]

    def named_modules(self) -> list[tuple[str, Module]]:
        """Return this module (named "") and all below it, each once, parents first."""
        found: dict[int, tuple[str, Module]] = {}
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            path, module = stack.pop()
            if id(module) not in found:
                found[id(module)] = (path, module)
                prefix = f"{path}." if path else ""
                stack.extend((prefix + name, child) for name, child in reversed(module.named_children()))
        return list(found.values())

    def modules(self) -> list[Module]:
        """Return this module and all below it, each once, parents first."""
        return [module for _, module in self.named_modules()]

    def _named(self, wanted: Callable[[Any], bool]) -> list[tuple[str, Any]]:
        """Return the wanted members of all modules by path, each once."""
        found: dict[int, tuple[str, Any]] = {}
        for path, module in self.named_modules():
            prefix = f"{path}." if path else ""
            for name, value in _spread(module._members()):
                if wanted(value):
                    found.setdefault(id(value), (prefix + name, value))
        return list(found.values())

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        """Return every parameter with its path, e.g. ("conv1.weight", ...), each once."""
        return self._named(_is_parameter)

    def own_parameters(self) -> list[Tensor]:
        """Return the parameters that this module holds itself, not through another module."""
        return [value for _, value in _spread(self._members()) if _is_parameter(value)]

    def parameters(self) -> list[Tensor]:
        """Return every parameter once."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_buffers(self) -> list[tuple[str, np.ndarray[Any, Any]]]:
        """Return every buffer with its path, each once. Only an array that is itself an attribute is a buffer."""
        found: dict[int, tuple[str, np.ndarray[Any, Any]]] = {}
        for path, module in self.named_modules():
            for name, value in module._members():
                if isinstance(value, np.ndarray):
                    found.setdefault(id(value), (f"{path}.{name}" if path else name, value))
        return list(found.values())

    def buffers(self) -> list[np.ndarray[Any, Any]]:
        """Return every buffer once."""
        return [buffer for _, buffer in self.named_buffers()]

    def named_generators(self) -> list[tuple[str, np.random.Generator]]:
        """Return every random generator with its path, each once (a checkpoint keeps their states)."""
        return self._named(lambda value: isinstance(value, np.random.Generator))

    # --- Its state -----------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of all parameters and buffers, by path."""
        return {name: np.array(raw(value)) for name, value in self._state()}

    def _state(self) -> list[tuple[str, Any]]:
        return [*self.named_parameters(), *self.named_buffers()]

    def load_state_dict(self, state: Mapping[str, Any], *, strict: bool = True) -> tuple[list[str], list[str]]:
        """Write arrays into the parameters and buffers, by path; all of them, or none if one does not fit.

        Args:
            state: arrays (or tensors) by path, as `state_dict` gives them.
            strict: whether entries that are missing or unexpected are an error.

        Returns:
            The paths that were missing and those that were unexpected.

        Raises:
            ValueError: an entry is missing, unexpected, or of another shape or kind of number; the message names all.
        """
        own = dict(self._state())
        arrays = {name: raw(value) for name, value in state.items()}
        missing = [name for name in own if name not in arrays]
        unexpected = [name for name in arrays if name not in own]
        problems = [_misfit(name, raw(own[name]), arrays[name]) for name in own if name in arrays]
        if strict:
            problems += [f"missing {name} {raw(own[name]).shape}" for name in missing]
            problems += [f"unexpected {name} {arrays[name].shape}" for name in unexpected]
        found = [problem for problem in problems if problem]
        if found:
            raise ValueError(f"load_state_dict: {type(self).__name__} does not fit: " + "; ".join(found))
        for name, target in own.items():
            if name in arrays:
                if isinstance(target, Tensor):
                    target.data = arrays[name]
                else:
                    target[...] = arrays[name]
        return missing, unexpected

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it into training mode (or out of it); returns the module."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Put this module and all below it into evaluation mode; returns the module."""
        return self.train(mode=False)

    def freeze(self) -> Self:
        """Make all parameters constants: no gradient is computed, no optimizer changes them; returns the module."""
        return self._set_requires_grad(False)

    def unfreeze(self) -> Self:
        """Undo `freeze`; returns the module."""
        return self._set_requires_grad(True)

    def _set_requires_grad(self, value: bool) -> Self:
        if not value:
            self.zero_grad()
        for parameter in self.parameters():
            if parameter.dtype.kind == "f":
                parameter.requires_grad = value
        return self

    def zero_grad(self) -> None:
        """Drop the gradients of all parameters."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    def apply(self, function: Callable[[Module], Any]) -> Self:
        """Call `function` on every module below this one and then on itself; returns the module."""
        for module in reversed(self.modules()):
            function(module)
        return self

    def astype(self, dtype: Any) -> Self:
        """Convert all floating-point parameters and buffers; returns the module.

        The Tensors stay the same objects, so an optimizer made before goes on with them. Their gradients are dropped.

        Raises:
            TypeError: `dtype` is no floating type.
        """
        wanted = np.dtype(dtype)
        if wanted.kind != "f":
            raise TypeError(f"astype: expected a floating type for parameters, got {wanted}")
        for parameter in self.parameters():
            if parameter.dtype.kind == "f":
                converted = Tensor(raw(parameter), dtype=wanted, requires_grad=parameter.requires_grad)
                if parameter.name is not None:
                    converted.named(parameter.name)
                parameter._value, parameter._node = converted._value, converted._node
        for module in self.modules():
            for name, value in list(vars(module).items()):
                if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                    setattr(module, name, value.astype(wanted))
        return self

    # --- How it shows --------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        head = f"{type(self).__name__}({_arguments(self)})"
        children = [f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()]
        if not children:
            return head
        own = head.removesuffix("()")  # with arguments: Elman(3, 4, 2)(...)
        return f"{own}(\n  " + "\n  ".join(children) + "\n)"


def _is_parameter(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_leaf


def _spread(members: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield the members with lists, tuples and dicts taken apart, as ("layers.0", ...)."""
    for name, value in members:
        if isinstance(value, dict):
            yield from _spread((f"{name}.{key}", branch) for key, branch in value.items())
        elif isinstance(value, (list, tuple)):
            yield from _spread((f"{name}.{i}", branch) for i, branch in enumerate(value))
        else:
            yield name, value


def _misfit(name: str, own: Any, given: Any) -> str | None:
    """Say why `given` cannot be written into `own`; None if it can."""
    if own.shape != given.shape:
        return f"{name}: expected shape {own.shape}, got {given.shape}"
    if not np.can_cast(given.dtype, own.dtype, "same_kind"):
        return f"{name}: expected {own.dtype}, got {given.dtype}"
    return None


def _arguments(module: Module) -> str:
    """Return the constructor's arguments, as far as the module kept them under their names."""
    shown = []
    for name, parameter in inspect.signature(type(module)).parameters.items():
        value = getattr(module, name, parameter.default)
        if value is None and parameter.default is True:
            value = False
        if isinstance(value, (Tensor, np.ndarray, np.random.Generator, Module)) or value is parameter.empty:
            continue
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            shown.append(f"{value!r}")
        elif parameter.kind is not parameter.VAR_POSITIONAL and value != parameter.default:
            shown.append(f"{name}={value!r}")
    return ", ".join(shown)


class Sequential(Module):
    """Modules one after the other: each takes what the one before returned.

    Args:
        *layers: modules, or functions of one argument such as `np.tanh`; or one dict of them, which gives them names.

    Raises:
        TypeError: a layer that cannot be called.

    Example:
        >>> import numpy as np
        >>> double = Sequential(lambda x: x + x, np.negative)
        >>> float(double(3.0))
        -6.0
    """

    def __init__(self, *layers: Any) -> None:
        named = layers[0] if len(layers) == 1 and isinstance(layers[0], Mapping) else dict(enumerate(layers))
        self._layers: dict[str, Any] = {str(name): _callable(layer, name) for name, layer in named.items()}

    def forward(self, x: Any) -> Any:
        """Return the last layer's output for the input x."""
        for layer in self._layers.values():
            x = layer(x)
        return x

    def append(self, layer: Any) -> Self:
        """Add a layer at the end; returns the module."""
        self._layers[str(len(self._layers))] = _callable(layer, len(self._layers))
        return self

    def _members(self) -> Iterable[tuple[str, Any]]:
        return self._layers.items()

    def __len__(self) -> int:
        return len(self._layers)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._layers.values())

    def __getitem__(self, key: int | slice | str) -> Any:
        """Return a layer by number or name, or a Sequential of the layers of a slice."""
        if isinstance(key, str):
            return self._layers[key]
        if isinstance(key, slice):
            return Sequential(dict(list(self._layers.items())[key]))
        return list(self._layers.values())[key]

    def __setitem__(self, key: int | str, layer: Any) -> None:
        """Replace a layer."""
        name = key if isinstance(key, str) else list(self._layers)[key]
        self._layers[name] = _callable(layer, name)


def _callable(layer: Any, name: Any) -> Any:
    if not callable(layer):
        raise TypeError(f"Sequential: layer {name} is a {type(layer).__name__}, expected a module or a function")
    return layer


class ModuleList(Module):
    """A list of modules, for a `forward` that loops over them. A plain list does the same.

    Args:
        modules: the modules.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._list = list(modules)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns the list."""
        self._list.append(module)
        return self

    def _members(self) -> Iterable[tuple[str, Any]]:
        return ((str(i), module) for i, module in enumerate(self._list))

    def __len__(self) -> int:
        return len(self._list)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._list)

    def __getitem__(self, index: int) -> Module:
        return self._list[index]

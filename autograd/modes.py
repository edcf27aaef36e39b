"""Modes: `no_grad`, `enable_grad`, `record` and `detect_anomaly`, local to the thread and the async task.

`current()` is None in the plain mode, which is all that the fast path of an operation asks.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from types import FrameType, TracebackType
from typing import Any, Literal, Self, TypeVar, cast

from autograd.program import Graph, Node

F = TypeVar("F", bound=Callable[..., Any])


class Mode:
    """What is in force: the layers of all open `with` blocks, innermost last, and their sum.

    Attributes:
        grad: whether operations are recorded.
        recordings: lists that take every recorded node, one for each open `record()`.
        anomaly: whether values are checked for NaN and infinity.
        scope: names of the modules that are running, outermost first.
        uncertain: whether a generator opened one of the layers, so that it may be suspended now.
        computes_only: whether an operation is to do nothing but compute, as under `no_grad`; not where `uncertain`.
    """

    __slots__ = ("anomaly", "computes_only", "grad", "layers", "recordings", "scope", "uncertain")

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        self.layers = layers
        self.uncertain = any(layer.owner is not None for layer in layers)
        self.grad = True
        self.anomaly = False
        self.recordings: list[list[Node]] = []
        self.scope: tuple[str, ...] = ()
        for layer in layers:
            layer.apply(self)
        self.computes_only = not self.grad and not self.anomaly and not self.uncertain


_mode: ContextVar[Mode | None] = ContextVar("autograd_mode", default=None)
current: Callable[[], Mode | None] = _mode.get
_layers: ContextVar[tuple[Layer, ...]] = ContextVar("autograd_layers", default=())


def _bring_into_force(layers: tuple[Layer, ...]) -> None:
    """Set the open layers, and their sum: None if it is the plain mode, so that operations stay fast."""
    layers = tuple(layer for layer in layers if not layer.closed)
    mode = Mode(layers)
    plain = mode.grad and not mode.recordings and not mode.anomaly and not mode.uncertain
    _layers.set(layers)
    _mode.set(None if plain else mode)


def effective() -> Mode | None:
    """Return the mode without the layers that a suspended generator left open.

    A generator runs in its caller's context, so a block that it entered and has not left would be in force
    while the caller runs. Such a layer counts only while the generator is on the stack, and then inside the
    blocks of whoever called it.
    """
    mode = _mode.get()
    if mode is None or not mode.uncertain:
        return mode
    heights: dict[int | None, int] = {}
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        heights[id(frame)] = -len(heights)
        frame = frame.f_back
    heights[None] = -len(heights)
    layers = [layer for layer in mode.layers if not layer.closed and layer.owner in heights]
    layers.sort(key=lambda layer: heights[layer.owner])
    return Mode(tuple(layers)) if layers else None


def grad_enabled() -> bool:
    """Return whether operations on tensors that require a gradient are recorded here."""
    mode = effective()
    return mode is None or mode.grad


class Layer:
    """One open `with` block."""

    owner: int | None = None  # id of the generator's frame that opened it, if one did
    closed = False  # for contexts in which the layer is still listed: copies, and other threads

    def apply(self, mode: Mode) -> None:
        """Put this layer's setting into the mode."""
        raise NotImplementedError

    def open(self) -> None:
        """Bring the layer into force, inside the innermost generator that is running, if one is."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and not _is_bare_generator(frame):
            frame = frame.f_back
        self.owner = None if frame is None else id(frame)
        _bring_into_force((*_layers.get(), self))

    def close(self) -> None:
        """Take out this layer, wherever it stands."""
        self.closed = True
        _bring_into_force(_layers.get())


def _is_bare_generator(frame: FrameType) -> bool:
    """Tell whether `frame` is a generator that is not the body of a context manager."""
    if not frame.f_code.co_flags & (inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR):
        return False
    caller = frame.f_back
    return caller is None or caller.f_globals.get("__name__") != "contextlib"


class _GradLayer(Layer):
    def __init__(self, enabled: bool) -> None:
        self.enabled = enabled

    def apply(self, mode: Mode) -> None:
        mode.grad = self.enabled


class _AnomalyLayer(Layer):
    def apply(self, mode: Mode) -> None:
        mode.anomaly = True


class _RecordLayer(Layer):
    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def apply(self, mode: Mode) -> None:
        mode.recordings.append(self.nodes)


class ModuleName(str):
    """A module's name in a path.

    Attributes:
        kind: the name of its class.
        identity: tells it from other modules of the same name, while both live.
    """

    __slots__ = ("identity", "kind")

    kind: str
    identity: int

    def __new__(cls, name: str, kind: str, identity: int) -> Self:
        """Return the name of a module of this class."""
        self = super().__new__(cls, name)
        self.kind = kind
        self.identity = identity
        return self

    def __getnewargs__(self) -> tuple[str, str, int]:  # type: ignore[override]
        """Return what copying makes another one from."""
        return str(self), self.kind, self.identity


class ScopeLayer(Layer):
    """The module that is running: nodes recorded meanwhile carry its path.

    Args:
        name: of the module.
        kind: name of its class.
        identity: of the module, as `id` gives it.
    """

    def __init__(self, name: str, kind: str = "", identity: int = 0) -> None:
        self.name = ModuleName(name, kind, identity)

    def apply(self, mode: Mode) -> None:
        """Add the module's name to the scope."""
        mode.scope = (*mode.scope, self.name)


class _Block:
    """A mode as a `with` block (also nested and reused) and as a decorator."""

    def __init__(self) -> None:
        self._open: list[Layer] = []

    def _layer(self) -> Layer:
        raise NotImplementedError

    def _leave(self) -> Layer:
        """Close and return the innermost layer that this block opened in this thread or task."""
        layer = next((layer for layer in reversed(_layers.get()) if layer in self._open), self._open[-1])
        self._open.remove(layer)
        layer.close()
        return layer

    def __enter__(self) -> Any:
        layer = self._layer()
        layer.open()
        self._open.append(layer)
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._leave()
        return False

    def __call__(self, function: F) -> F:
        """Return `function` (plain, generator, coroutine or async generator) run under this mode."""
        layer = self._layer

        if inspect.isasyncgenfunction(function):
            raise TypeError(f"{type(self).__name__}: async generators are not supported as decorated functions")
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run_coroutine(*args: Any, **kwargs: Any) -> Any:
                opened = layer()
                opened.open()
                try:
                    return await function(*args, **kwargs)
                finally:
                    opened.close()

            return cast("F", run_coroutine)

        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def run_generator(*args: Any, **kwargs: Any) -> Any:
                generator = function(*args, **kwargs)
                resume: Callable[..., Any] = generator.send
                message: tuple[Any, ...] = (None,)
                try:
                    while True:
                        opened = layer()
                        opened.open()
                        try:
                            item = resume(*message)
                        except StopIteration as stop:
                            return stop.value
                        finally:
                            opened.close()
                        try:
                            resume, message = generator.send, ((yield item),)
                        except GeneratorExit:
                            raise
                        except BaseException as error:  # noqa: BLE001 (whatever is thrown in goes on to the generator)
                            resume, message = generator.throw, (error,)
                finally:
                    opened = layer()
                    opened.open()
                    try:
                        generator.close()
                    finally:
                        opened.close()

            return cast("F", run_generator)

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            opened = layer()
            opened.open()
            try:
                return function(*args, **kwargs)
            finally:
                opened.close()

        return cast("F", run)


class no_grad(_Block):  # noqa: N801 (a mode is spelled like a function, as in PyTorch)
    """Compute without recording: `with no_grad():` or `@no_grad()`.

    Results are constants, and a leaf can be written in place (`w -= rate * w.grad`).
    """

    def _layer(self) -> Layer:
        return _GradLayer(enabled=False)


class enable_grad(_Block):  # noqa: N801
    """Record again, inside a `no_grad` block."""

    def _layer(self) -> Layer:
        return _GradLayer(enabled=True)


def with_grad() -> AbstractContextManager[None]:
    """Return a block in which operations are recorded; where they are in any case, none has to be opened."""
    return _NO_BLOCK if grad_enabled() else enable_grad()


_NO_BLOCK: AbstractContextManager[None] = nullcontext()


class detect_anomaly(_Block):  # noqa: N801
    """Stop at the first NaN or infinity, forward or backward, naming the operation and the source line.

    Also stops a sweep that meets a kept array which somebody wrote to in the meantime. Slow: for debugging.

    Raises:
        FloatingPointError: an operation or a rule returned NaN or infinity.
        GraphError: an array that a rule needs has changed.
    """

    def _layer(self) -> Layer:
        return _AnomalyLayer()


class record(_Block):  # noqa: N801
    """Keep every value and every bar: the lecture's view of a computation.

    Inside, each operation is recorded (also on constants) with its value, the user's source line and the
    running module, and each sweep leaves the bars on the nodes: `z.bar` works for every quantity. A graph
    made here is not released by `backward()`. The block's target is the `Graph` of all that was computed,
    complete when the block is left.

    Example:
        >>> import autograd
        >>> w = autograd.Tensor(3.0, requires_grad=True)
        >>> with autograd.record() as graph:
        ...     z = w * w
        ...     y = z * 2
        >>> y.backward()
        >>> float(z.bar)
        2.0
        >>> len(graph)
        4
    """

    def __init__(self) -> None:
        super().__init__()
        self._graphs: list[Graph] = []

    def _layer(self) -> Layer:
        return _RecordLayer()

    def __enter__(self) -> Graph:
        layer = self._layer()
        layer.open()
        self._open.append(layer)
        self._graphs.append(Graph([]))
        return self._graphs[-1]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        layer = cast("_RecordLayer", self._leave())
        used = {parent.index for node in layer.nodes for parent in node.parents if type(parent) is Node}
        self._graphs.pop()._read([node for node in layer.nodes if node.index not in used])
        return False


def user_line() -> str:
    """Return the innermost source line outside this library and NumPy: "file:line", in a notebook "In[7]:line"."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in _LIBRARY:
            return f"{_cell(frame.f_code.co_filename) or frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return "<unknown>"


def _cell(filename: str) -> str | None:
    """Return what IPython calls the cell behind one of its temporary files; None where it is no cell."""
    ipython = sys.modules.get("IPython")  # not imported: without it there are no cells
    shell = getattr(ipython, "get_ipython", lambda: None)()
    told = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(filename)  # since IPython 8
    return None if told is None else str(told[1])


_LIBRARY = {"autograd", "nn", "optim", "numpy"}

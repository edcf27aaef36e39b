"""Derivatives of functions: `grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`, `checkpoint`.

All of them run the one backward sweep. Functions take and return Tensors; the transforms take nested lists,
tuples and dicts of arrays and return such. Their results are arrays, unless something from outside that
requires a gradient takes part (an argument that is a tracked tensor, a parameter that the function uses): then
they are Tensors and can be differentiated further. Under `no_grad` they are always arrays.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograd import trees
from autograd.modes import grad_enabled, with_grad
from autograd.ops.joining import stack
from autograd.primitive import primitive, tensor
from autograd.program import GraphError, Node, leaf, next_index, reached, run
from autograd.sweep import sweep
from autograd.tensor import Tensor, raw

_FLOATS = frozenset(map(np.dtype, (np.float16, np.float32, np.float64)))

_identity = primitive(lambda x: x, name="input", x=lambda ybar: ybar)


def backward(self: Tensor, gradient: Any = None, *, retain_graph: bool = False) -> None:
    """Compute dL/dx for every leaf x that requires a gradient, and add it to `x.grad`.

    Args:
        self: the result L.
        gradient: the bar of this tensor, of its shape; may be left out for one element, where it is 1.
        retain_graph: keep what another sweep over the same graph needs.

    Raises:
        GraphError: nothing here requires a gradient; the graph was released by an earlier call; a value
            that a rule needs has changed; or no `gradient` for several elements.
        ValueError: `gradient` has another shape.
    """
    node = _tracked_node(self, "backward")
    found = sweep([node], [_bar_of(node, gradient, "backward")], retain_graph=retain_graph)
    leaves = [end for end in found if end.note is not None and end.requires_grad]
    for end, bar in zip(leaves, _taken(found, leaves), strict=True):
        note = end.note
        assert note is not None
        note.bar = bar if note.bar is None else note.bar + bar


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor] | None = None,
    grad_outputs: Any = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """Return the bars of `inputs`: the gradient of sum(outputs * grad_outputs). Nothing is put into `.grad`.

    Args:
        outputs: a tensor or several.
        inputs: the tensors whose bars are wanted, leaves or results.
        grad_outputs: the bar of each output, of its shape; may be left out where it has one element.
        retain_graph: keep what another sweep needs; the default is `create_graph`.
        create_graph: return Tensors that can be differentiated again.
        allow_unused: give None for an input that no output depends on, instead of raising.

    Returns:
        A tuple with an array for each input (a Tensor under create_graph).

    Raises:
        GraphError: an output does not require a gradient, or no output depends on an input.
        ValueError: a bar of another shape than its output, or another number of them.
        TypeError: something else than tensors; a function (see `value_and_grad`).

    Example:
        >>> x = Tensor(3.0, requires_grad=True)
        >>> (first,) = grad(x * x * x, x, create_graph=True)
        >>> (second,) = grad(first, x)
        >>> float(first.data), float(second)
        (27.0, 18.0)
    """
    if inputs is None:
        told = "; for the gradient of a function: value_and_grad(f)(x)" if callable(outputs) else ""
        raise TypeError(f"grad: expected outputs and the inputs to differentiate them by, got one argument{told}")
    outputs, inputs = _as_tensors(outputs, "grad", "outputs"), _as_tensors(inputs, "grad", "inputs")
    if grad_outputs is None:
        grad_outputs = [None] * len(outputs)
    elif isinstance(grad_outputs, (Tensor, np.ndarray, np.generic, float, int)):
        grad_outputs = [grad_outputs]
    if len(grad_outputs) != len(outputs):
        raise ValueError(f"grad: expected {len(outputs)} grad_outputs, got {len(grad_outputs)}")
    nodes = [_tracked_node(output, "grad") for output in outputs]
    wanted = [_tracked_node(x, "grad with respect to a tensor that") for x in inputs]
    bars = [_bar_of(node, bar, "grad", create_graph) for node, bar in zip(nodes, grad_outputs, strict=True)]
    retain_graph = create_graph if retain_graph is None else retain_graph
    found = sweep(nodes, bars, wanted, create_graph=create_graph, retain_graph=retain_graph)
    for position, node in enumerate(wanted):
        if node not in found and not allow_unused:
            raise GraphError(
                f"grad: input {position} (shape {node.shape}) appears not to have been used in the graph of the "
                "outputs; pass allow_unused=True to get None for it"
            )
    return tuple(np.array(bar) if isinstance(bar, np.generic) else bar for bar in _taken(found, wanted))


def _as_tensors(given: Any, what: str, which: str) -> list[Tensor]:
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    for t in found:
        if type(t) is not Tensor:
            raise TypeError(f"{what}: expected a Tensor or a sequence of them as {which}, got {type(t).__name__}")
    return found


def _tracked_node(t: Tensor, what: str) -> Node:
    node = t._node
    if node is None or not node.requires_grad:
        raise GraphError(
            f"{what}: this tensor does not require a gradient: no input it was computed from has requires_grad=True,"
            " or it was computed under no_grad"
        )
    return node


def _bar_of(node: Node, bar: Any, what: str, create_graph: bool = False) -> Any:
    if bar is None:
        if math.prod(node.shape) != 1:
            raise GraphError(
                f"{what}: a gradient can be left out only for one element, and this tensor has shape {node.shape}: "
                "pass its bar, or reduce it first, e.g. with .sum() or .mean()"
            )
        return node.dtype.type(1) if node.shape == () else np.ones(node.shape, node.dtype)
    if np.shape(bar) != node.shape:
        raise ValueError(f"{what}: expected a gradient of shape {node.shape}, got {np.shape(bar)}")
    if create_graph and type(bar) is Tensor:
        return bar
    return raw(bar).astype(node.dtype, copy=False)  # a sweep writes only into bars that it made itself


def _taken(found: dict[Node, Any], nodes: Sequence[Node]) -> list[Any]:
    """Return the bars of some nodes, which share nothing with anything else; empty `found`, what a sweep returned.

    An array that nothing else holds is handed out itself; others are copied. For a rule may hand out its own bar, a
    view, a value, an array of the user's, and a node may be asked for twice. Copying all would be safe as well, but
    takes a twentieth of a training step. The number of references tells who else holds an array, as it tells NumPy
    which temporary results it may write over. NumPy's scalars cannot be written to, and need no copy.
    """
    bars = [found.get(node) for node in nodes]
    found.clear()
    taken = []
    for bar, count in zip(bars, _references(bars), strict=True):
        if type(bar) is np.ndarray and (count != _ALONE or bar.base is not None or not bar.flags.carray):
            bar = np.array(bar, order="C")
        elif type(bar) is Tensor:
            bar = tensor(bar._value, bar._node)
        taken.append(bar)
    return taken


def _references(bars: list[Any]) -> list[int]:
    """Return how many references there are to each bar, those of the list and of this function among them."""
    count = getattr(sys, "getrefcount", None)  # not in every Python
    return [0 if count is None else count(bar) for bar in bars]


_ALONE = _references([np.empty(1)])[0] or -1
"""What `_references` returns for an array that only the list holds; where it cannot count, a number that it never
returns, so that every array is copied."""


# --- Functions of nested arrays ----------------------------------------------------------------------------


class _Traced:
    """One call of a function on tensors of its own: inputs, outputs, and whether outer gradients take part.

    Args:
        function: takes and returns nested arrays (as Tensors).
        args: what it is called with.
        argnums: positions of the arguments to differentiate by.
        lasting: whether the pullback outlives the caller's call, so that the caller's arrays are copied at once. (Else
            they are only where results are Tensors, which outlive it, too.)
    """

    def __init__(
        self, function: Callable[..., Any], args: Sequence[Any], argnums: Sequence[int], *, lasting: bool = False
    ) -> None:
        outer = grad_enabled()
        start = next_index()
        made = _traced_copy if lasting else _traced_input
        with with_grad():
            traced = [trees.map_leaves(made, arg) if position in argnums else arg for position, arg in enumerate(args)]
            # Handles of our own: the function may give its own another value (`x *= 2`), or change a container.
            self.inputs = [tensor(x._value, x._node) for position in argnums for x in trees.leaves(traced[position])]
            self.structures = [args[position] for position in argnums]
            self.result = function(*traced)
        self.outputs = trees.leaves(self.result)
        nodes = [y._node for y in self.outputs if type(y) is Tensor and y.requires_grad and y._node is not None]
        steps = reached(nodes, wanted_only=True, floor=start)
        self.differentiable = outer and (any(node.index < start for node in nodes) or bool(_outside(steps, start)))
        if self.differentiable and not lasting:
            self._copy_callers(steps)

    def _copy_callers(self, steps: Sequence[Node]) -> None:
        """Put copies in place of the caller's arrays and views of them: results that are Tensors outlive the call."""
        given = [x for x in self.inputs if x._node is not None and x._node.note is not None and x._node.note.shared]
        arrays = [x._value for x in given]
        for node in steps:
            node.kept = _without(arrays, node.kept)
        for y in self.outputs:
            if type(y) is Tensor:
                y._value = _without(arrays, y._value)
        for x in given:
            assert x._node is not None
            assert x._node.note is not None
            x._value = x._node.note.value = _without(arrays, x._value)

    def release(self, value: Any) -> Any:
        """Return a result as the caller gets it: a Tensor if it depends on something outside, else an array."""
        if type(value) is Tensor and not self.differentiable:
            return value.numpy()
        return value

    def bars(self, outputs: Sequence[Any], output_bars: Sequence[Any], create_graph: bool, retain: bool) -> list[Any]:
        """Return the bars of all inputs, in one list; zeros where nothing depends on one."""
        inputs = self.inputs
        pairs = [(y, b) for y, b in zip(outputs, output_bars, strict=True) if type(y) is Tensor and y.requires_grad]
        if not pairs:
            return [np.zeros(x.shape, x.dtype) for x in inputs]
        found = grad(
            [y for y, _ in pairs],
            inputs,
            [b for _, b in pairs],
            create_graph=create_graph,
            retain_graph=retain or create_graph,
            allow_unused=True,
        )
        return [np.zeros(x.shape, x.dtype) if bar is None else bar for x, bar in zip(inputs, found, strict=True)]

    def pullback(self, ybar: Any, *, retain: bool = True) -> tuple[Any, ...]:
        """Return a bar for each argument, from one nested like the result."""
        given = trees.leaves_like(self.result, ybar, "pullback")
        further = self.differentiable or any(type(bar) is Tensor and bar.requires_grad for bar in given)
        return tuple(self.arrange(self.bars(self.outputs, given, further and grad_enabled(), retain)))

    def arrange(self, values: Sequence[Any]) -> list[Any]:
        """Return a flat list over all inputs in the nesting of the arguments."""
        iterator = iter(values)
        return [trees.rebuild(structure, iterator) for structure in self.structures]


def _without(arrays: Sequence[Any], value: Any) -> Any:
    """Return a value with copies in place of these arrays, and of what shares memory with them."""
    if type(value) is tuple:
        return tuple(_without(arrays, part) for part in value)
    is_one = type(value) is np.ndarray and any(np.may_share_memory(value, array) for array in arrays)
    return np.array(value) if is_one else value


def _outside(steps: Sequence[Node], start: int) -> list[Node]:
    """Return the nodes from before `start` that the steps were computed from and that require a gradient."""
    found: dict[Node, None] = {}
    for node in steps:
        for position in node.plan.wanted if node.plan is not None else ():
            parent = node.parents[position]
            if parent.index < start:
                found[parent] = None
    return list(found)


def _traced_copy(x: Any) -> Tensor:
    """Return a tensor of the call's own: a step after x if x is tracked, else a new leaf with a copy of it."""
    if type(x) is Tensor and x.requires_grad:
        return _identity(x)  # type: ignore[no-any-return]
    value = raw(x)
    if value.dtype.kind in "iub":
        raise TypeError(f"expected floating-point inputs to differentiate by, got {value.dtype}; pass floats")
    return Tensor(value, requires_grad=True)


def _traced_input(x: Any) -> Tensor:
    """Return the same, with the caller's array itself where it is one; it is copied before anybody writes to it."""
    if type(x) is not np.ndarray or x.dtype not in _FLOATS or x.ndim == 0:
        return _traced_copy(x)
    node = leaf(x, requires_grad=True)
    assert node.note is not None
    node.note.shared = True
    return tensor(x, node)


def _positions(argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for position in positions:
        if not -count <= position < count:
            raise ValueError(f"argnums: there is no argument {position}, the function was called with {count}")
    return tuple(position % count for position in positions)


def _scalar(traced: _Traced, what: str) -> Tensor:
    result = traced.result
    if type(result) is not Tensor or result.size != 1:
        shape = result.shape if type(result) is Tensor else type(result).__name__
        raise ValueError(f"{what}: expected the function to return a tensor with one element, got {shape}")
    return result


def value_and_grad(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., tuple[Any, Any]]:
    """Return a function that gives `function`'s value and its gradient.

    Args:
        function: takes nested arrays (as Tensors) and returns a tensor with one element.
        argnums: which argument or arguments to differentiate by.

    Returns:
        A function of the same arguments that returns `(value, bars)`; the bars have the nesting of the argument
        (a tuple of such for several argnums).

    Raises:
        ValueError: (when called) the result has several elements, or there is no such argument.

    Example:
        >>> value, bars = value_and_grad(lambda w: (w["a"] * w["b"]).sum())({"a": np.ones(2), "b": np.full(2, 3.0)})
        >>> float(value), bars["a"].tolist()
        (6.0, [3.0, 3.0])
    """

    def call(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        positions = _positions(argnums, len(args))
        traced = _Traced(lambda *xs: function(*xs, **kwargs), args, positions)
        y = _scalar(traced, "value_and_grad")
        bars = traced.bars([y], [np.ones(y.shape, y.dtype)], traced.differentiable, retain=False)
        arranged = traced.arrange(bars)
        return traced.release(y), (arranged[0] if isinstance(argnums, int) else tuple(arranged))

    return call


def vjp(function: Callable[..., Any], *xs: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return `function(*xs)` and its pullback, which takes ybar to the bars of all xs.

    Args:
        function: takes and returns nested arrays (as Tensors).
        *xs: where.

    Returns:
        `(y, pullback)`; `pullback(ybar)` takes the nesting of y and returns a tuple with a bar for each x. It can
        be called any number of times.

    Example:
        >>> y, pullback = vjp(lambda x: x * x, np.array([1.0, 2.0]))
        >>> pullback(np.array([1.0, 10.0]))[0]
        array([ 2., 40.])
    """
    traced = _Traced(function, xs, range(len(xs)), lasting=True)
    return trees.map_leaves(traced.release, traced.result), traced.pullback


def jvp(function: Callable[..., Any], xs: Sequence[Any], vs: Sequence[Any]) -> tuple[Any, Any]:
    """Return `function(*xs)` and its derivative in the direction `vs`.

    The pullback is linear in ybar, so its own derivative by ybar, applied to vs, is the forward derivative
    (two sweeps; every rule can be differentiated).

    Args:
        function: takes and returns nested arrays (as Tensors).
        xs: where: a sequence of the function's arguments.
        vs: the direction, nested like xs.

    Returns:
        `(y, ydot)`, nested like the function's result.

    Raises:
        ValueError: vs is not nested or shaped like xs.

    Example:
        >>> y, ydot = jvp(lambda x: x * x, [np.array([1.0, 2.0])], [np.array([1.0, 10.0])])
        >>> ydot
        array([ 2., 40.])
    """
    traced = _Traced(function, xs, range(len(xs)))
    inputs = traced.inputs
    directions = trees.leaves_like(traced.structures, list(vs), "jvp")
    if [np.shape(x) for x in inputs] != [np.shape(v) for v in directions]:
        raise ValueError(
            f"jvp: expected directions of shapes {[x.shape for x in inputs]}, got {[np.shape(v) for v in directions]}"
        )
    outer = grad_enabled() and (traced.differentiable or any(type(v) is Tensor and v.requires_grad for v in directions))
    ydot = _Pushforward(traced)(directions, create_graph=outer)
    return trees.map_leaves(traced.release, traced.result), trees.rebuild(traced.result, iter(ydot))


class _Pushforward:
    """The forward derivative of a traced call.

    Its pullback is linear in ybar, so the derivative of the pullback by ybar is the pullback's transpose.
    """

    def __init__(self, traced: _Traced) -> None:
        with with_grad():
            like = map(_as_float, traced.outputs)
            self.ybars = [Tensor(np.zeros(y.shape, y.dtype), requires_grad=True) for y in like]
            self.xbars = traced.bars(traced.outputs, self.ybars, create_graph=True, retain=True)

    def __call__(self, directions: Sequence[Any], create_graph: bool) -> list[Any]:
        """Return the derivative of each output in these directions, one for each input."""
        pairs = zip(self.xbars, directions, strict=True)
        tracked = [(xbar, v) for xbar, v in pairs if type(xbar) is Tensor and xbar.requires_grad]
        found: Sequence[Any] = [None] * len(self.ybars)
        if tracked:
            xbars, vs = zip(*tracked, strict=True)
            found = grad(xbars, self.ybars, vs, retain_graph=True, create_graph=create_graph, allow_unused=True)
        zeros = (np.zeros(ybar.shape, ybar.dtype) for ybar in self.ybars)
        return [zero if ydot is None else ydot for ydot, zero in zip(found, zeros, strict=True)]


def _as_float(y: Any) -> Any:
    value = raw(y)
    return value if value.dtype.kind == "f" else value.astype(float)


def jacobian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return a function that gives dy/dx: for each output the nesting of x, of shape (*y.shape, *x.shape).

    Args:
        function: takes and returns nested arrays (as Tensors).
        argnums: which argument to differentiate by.

    Example:
        >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        traced = _Traced(lambda *xs: function(*xs, **kwargs), args, _positions(argnums, len(args)))
        inputs, outputs = (sum(int(np.size(x)) for x in xs) for xs in (traced.inputs, traced.outputs))
        rows = _by_inputs(traced) if 0 < inputs < outputs / 3 else [_by_outputs(traced, y) for y in traced.outputs]
        return trees.rebuild(traced.result, iter([traced.arrange(row)[0] for row in rows]))

    return call


def _by_outputs(traced: _Traced, y: Any) -> list[Any]:
    """Return dy/dx for each input: one sweep for each element of y."""
    rows = [traced.bars([y], [one], traced.differentiable, retain=True) for one in _unit_arrays(_as_float(y))]
    if not rows:
        return [np.zeros((*np.shape(y), *x.shape), x.dtype) for x in traced.inputs]
    columns = zip(*rows, strict=True)
    return [stack(column).reshape((*np.shape(y), *x.shape)) for x, column in zip(traced.inputs, columns, strict=True)]


def _by_inputs(traced: _Traced) -> list[list[Any]]:
    """Return dy/dx for each output and each input: one sweep for each element of the inputs."""
    push = _Pushforward(traced)
    blocks: list[list[Any]] = [[] for _ in traced.outputs]
    zeros: list[Any] = [np.zeros(x.shape, x.dtype) for x in traced.inputs]
    for position, x in enumerate(traced.inputs):
        before, after = zeros[:position], zeros[position + 1 :]
        columns = [push([*before, one, *after], traced.differentiable) for one in _unit_arrays(x)]
        for number, (block, y) in enumerate(zip(blocks, traced.outputs, strict=True)):
            empty = np.zeros((*np.shape(y), 0), x.dtype)
            block.append(stack([column[number] for column in columns], axis=-1) if columns else empty)
            block[-1] = block[-1].reshape((*np.shape(y), *x.shape))
    return blocks


def _unit_arrays(like: Any) -> Iterator[Any]:
    """Yield an array for each element, 1 there and 0 elsewhere."""
    for position in range(like.size):
        one = np.zeros(like.size, like.dtype)
        one[position] = 1
        yield one.reshape(like.shape)


def hessian(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return a function that gives the second derivatives of a scalar function.

    For one array x the result has shape (*x.shape, *x.shape); for nested x, each leaf of the gradient's nesting
    holds the nesting of x.

    Args:
        function: takes nested arrays (as Tensors) and returns a scalar.
        argnums: which argument to differentiate by.

    Example:
        >>> hessian(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]))
        array([[ 6.,  0.],
               [ 0., 12.]])
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return value_and_grad(function, argnums)(*args, **kwargs)[1]

    return jacobian(gradient, argnums)


def hvp(function: Callable[..., Any], argnums: int = 0) -> Callable[..., Any]:
    """Return a function that gives the Hessian of a scalar function times a vector, without the Hessian.

    The returned function takes the arguments of `function` followed by v, nested like the argument at `argnums`.

    Source: Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

    Example:
        >>> hvp(lambda x: (x * x * x).sum())(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
        array([  6., 120.])
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        *arguments, v = args
        position = _positions(argnums, len(arguments))[0]

        def gradient(x: Any) -> Any:
            replaced = [*arguments[:position], x, *arguments[position + 1 :]]
            return value_and_grad(function, position)(*replaced, **kwargs)[1]

        # The Hessian is symmetric, so its product with v is the pullback of the gradient.
        return _Traced(gradient, [arguments[position]], [0]).pullback(v, retain=False)[0]

    return call


# --- Recomputing instead of keeping ------------------------------------------------------------------------


class CheckpointError(RuntimeError):
    """A checkpointed function gave another result when it was computed again."""


def _own_handles(tree: Any) -> Any:
    """Return the same values in handles of their own: giving a handle another value changes no other."""
    return trees.map_leaves(lambda x: tensor(x._value, x._node) if type(x) is Tensor else x, tree)


class _Segment:
    """A checkpointed call: enough to run it again, and the bars of the last sweep through it.

    Attributes:
        parents: the nodes from before the call that its result was computed from.
        values: the outputs' values.
    """

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, generators: Sequence[Any]) -> None:
        self.function = function
        self.args = _own_handles(args)
        self.kwargs = _own_handles(kwargs)
        self.states = [(generator, copy.deepcopy(generator.bit_generator.state)) for generator in generators]
        self.global_state = np.random.get_state()  # noqa: NPY002 (user code may draw from it)
        self.parents: list[Node] = []
        self.values: tuple[Any, ...] = ()
        self.recorded = False
        self._bars: tuple[Any, list[Any]] | None = None

    def again(self) -> list[Any]:
        """Compute the outputs with the random generators set back; their present states are kept."""
        now = [copy.deepcopy(generator.bit_generator.state) for generator, _ in self.states]
        global_now = np.random.get_state()  # noqa: NPY002
        try:
            for generator, state in self.states:
                generator.bit_generator.state = copy.deepcopy(state)
            np.random.set_state(self.global_state)  # noqa: NPY002
            with with_grad():
                return trees.leaves(self.function(*_own_handles(self.args), **_own_handles(self.kwargs)))
        finally:
            np.random.set_state(global_now)  # noqa: NPY002
            for (generator, _), state in zip(self.states, now, strict=True):
                generator.bit_generator.state = state

    def compute(self, inputs: Sequence[Any]) -> tuple[Any, ...]:
        """Return the outputs: the first time the known ones, later those for other values of the parents."""
        if not self.recorded:
            self.recorded = True
            return self.values
        nodes = [y._node for y in self.again()]
        return tuple(run(nodes, dict(zip(self.parents, inputs, strict=True))))

    def bars(self, output_bars: tuple[Any, ...]) -> list[Any]:
        """Return the bars of the parents: computed once a sweep, for all of them."""
        if self._bars is not None and self._bars[0] is output_bars:
            return self._bars[1]
        outputs = self.again()
        for before, now in zip(self.values, outputs, strict=True):
            if not np.array_equal(before, raw(now), equal_nan=True):
                raise CheckpointError(
                    "checkpoint: the function gave another result when it was computed again. It must depend on its "
                    "arguments only; pass random generators that it draws from as generators=[...]"
                )
        create_graph = any(type(bar) is Tensor for bar in output_bars)
        found = sweep(
            [y._node for y in outputs],
            output_bars,
            self.parents,
            create_graph=create_graph,
            retain_graph=create_graph,
            stop_at_inputs=True,
        )
        self._bars = output_bars, [found.get(p, np.zeros(p.shape, p.dtype)) for p in self.parents]
        return self._bars[1]


def _run_segment(*inputs: Any, segment: _Segment) -> tuple[Any, ...]:
    return segment.compute(inputs)


_checkpointed = primitive(
    _run_segment,
    name="checkpoint",
    inputs=lambda output_bars, segment, position: segment.bars(output_bars)[position],
)


def checkpoint(function: Callable[..., Any], *, generators: Sequence[np.random.Generator] = ()) -> Callable[..., Any]:
    """Return `function` with its inner values not kept for the backward sweep, but computed again in it.

    Trades time (one more forward pass) for memory. Gradients also reach tensors that the function uses without
    taking them as arguments. NumPy's global random state, and the generators named here, are set back for the
    second computation.

    Args:
        function: takes and returns nested tensors; must compute the same again.
        generators: random generators that it draws from.

    Raises:
        CheckpointError: (in the sweep) the second result differs from the first.
        TypeError: (in the call) an output that does not require a gradient.

    Source: Chen et al., "Training deep nets with sublinear memory cost", arXiv:1604.06174.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        segment = _Segment(function, args, kwargs, generators)
        start = next_index()
        result = function(*args, **kwargs)
        outputs = trees.leaves(result)
        nodes = [y._node for y in outputs if type(y) is Tensor and y.requires_grad and y._node is not None]
        if not grad_enabled() or not nodes:
            return result
        if len(nodes) != len(outputs):
            raise TypeError("checkpoint: every output of the function must be a tensor that requires a gradient")
        before = [node for node in nodes if node.index < start]  # handed through
        segment.parents = list(
            dict.fromkeys([*before, *_outside(reached(nodes, wanted_only=True, floor=start), start)])
        )
        segment.values = tuple(y._value.copy() if y._node.index < start else y._value for y in outputs)
        handles = [tensor(np.empty(node.shape, node.dtype), node) for node in segment.parents]
        return trees.rebuild(result, iter(_checkpointed(*handles, segment=segment)))

    return call

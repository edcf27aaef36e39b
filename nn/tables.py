"""`summary`: the table of a model's layers, read from the record of one forward pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import Graph, Node, Tensor
from nn.module import Module


@dataclass(frozen=True)
class Row:
    """One layer of the table.

    Attributes:
        name: its path in the model.
        kind: its class.
        output: shape of an example of its output.
        parameters: number of its parameters, those counted in an earlier row left out.
        field: height (or length) of the part of the input that one value of its output sees; None for all of it.
        multiply_adds: multiplications with a weight, for one example.
        memory: bytes of all values that it computes for one example.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    field: int | None
    multiply_adds: int
    memory: int


@dataclass(frozen=True)
class Summary:
    """The table of a model: print it.

    Attributes:
        rows: one for each layer, in the order in which they computed.
        trainable: number of parameters that are not frozen.
        frozen: number of those that are.
    """

    rows: tuple[Row, ...]
    trainable: int
    frozen: int

    @property
    def parameters(self) -> int:
        """Number of all parameters."""
        return self.trainable + self.frozen

    @property
    def multiply_adds(self) -> int:
        """Multiplications with a weight, for one example."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def memory(self) -> int:
        """Bytes of all values computed for one example."""
        return sum(row.memory for row in self.rows)

    def __str__(self) -> str:
        head = ("layer", "output", "parameters", "sees", "multiply-adds", "memory")
        cells = [
            (
                f"{row.name} ({row.kind})" if row.name else row.kind,
                " x ".join(map(str, row.output)) or "1",
                f"{row.parameters:,}",
                "all" if row.field is None else f"{row.field}",
                f"{row.multiply_adds:,}",
                _bytes(row.memory),
            )
            for row in self.rows
        ]
        total = ("", "", f"{self.parameters:,}", "", f"{self.multiply_adds:,}", _bytes(self.memory))
        widths = [max(len(line[i]) for line in (head, *cells, total)) for i in range(len(head))]
        rule = "-" * (sum(widths) + 2 * len(widths) - 2)
        lines = [_line(head, widths), rule, *(_line(line, widths) for line in cells), rule, _line(total, widths)]
        if self.frozen:
            lines.append(f"{self.trainable:,} parameters are trained, {self.frozen:,} are frozen")
        return "\n".join(lines)

    __repr__ = __str__


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.ljust(width) if i < 2 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join(aligned).rstrip()


def _bytes(count: float) -> str:
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.4g} {unit}"
        count /= 1000
    return f"{count:.4g} GB"


def summary(model: Module, *input_shape: Any) -> Summary:
    """Return a table of the model's layers: output shapes, parameters, receptive field, multiply-adds, memory.

    The model computes zeros once, in training mode and under `record()`; its buffers, modes and random generators are
    put back afterwards.

    Args:
        model: any module.
        *input_shape: the shape of an example of each input, without the axis of the batch; or the inputs themselves,
            as arrays with it (integers for an embedding).

    Example:
        >>> import nn
        >>> print(summary(nn.Sequential(nn.Dense(784, 32), nn.ReLU(), nn.Dense(32, 10)), (784,)))
        layer      output  parameters  sees  multiply-adds  memory
        ----------------------------------------------------------
        0 (Dense)  32          25,120   all         25,088   128 B
        1 (ReLU)   32               0   all              0   128 B
        2 (Dense)  10             330   all            320    40 B
        ----------------------------------------------------------
                               25,450               25,408   296 B
    """
    inputs = [_example(model, shape) for shape in input_shape]
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.copy()) for _, buffer in model.named_buffers()]
    generators = [(generator, generator.bit_generator.state) for _, generator in model.named_generators()]
    try:
        model.train()
        with autograd.record() as graph:
            model(*inputs)
    finally:
        for module, mode in modes:
            module.training = mode
        for buffer, value in buffers:
            buffer[...] = value
        for generator, state in generators:
            generator.bit_generator.state = state
    counts = [(parameter.size, parameter.requires_grad) for parameter in model.parameters()]
    return Summary(
        rows=tuple(_rows(model, graph, inputs)),
        trainable=sum(size for size, trained in counts if trained),
        frozen=sum(size for size, trained in counts if not trained),
    )


def _example(model: Module, shape: Any) -> Tensor:
    """Return two examples of zeros of this shape (batch normalization needs two), or what is an array already."""
    if isinstance(shape, (np.ndarray, Tensor)):
        return shape if isinstance(shape, Tensor) else Tensor(shape)
    dtype = next((parameter.dtype for parameter in model.parameters()), np.dtype(np.float32))
    return Tensor(np.zeros((2, *shape), dtype))


def _rows(model: Module, graph: Graph, inputs: Sequence[Tensor]) -> list[Row]:
    """Return a row for each module that computed something itself, and for each with parameters that did not."""
    computed: dict[str, list[Node]] = {}
    for node in graph:
        if node.plan is not None and node.note is not None and isinstance(node.dtype, np.dtype):
            computed.setdefault(".".join(node.note.scope[1:]), []).append(node)
    modules = dict(model.named_modules())
    batch = inputs[0].shape[0] if inputs else 1
    fields = _fields(graph, inputs)
    counted: set[int] = set()
    rows = []
    for path in [*computed, *(path for path in modules if path not in computed)]:
        module, nodes = modules[path], computed.get(path, [])
        parameters = [parameter for parameter in module.own_parameters() if id(parameter) not in counted]
        counted.update(map(id, parameters))
        if nodes:
            last = nodes[-1]
            shape = last.shape[1:] if last.shape[:1] == (batch,) else last.shape
            work = sum(_multiply_adds(graph, node) for node in nodes) // batch
            memory = sum(math.prod(node.shape) * node.dtype.itemsize for node in nodes) // batch
            size = sum(parameter.size for parameter in parameters)
            rows.append(Row(path, type(module).__name__, shape, size, fields[last.index], work, memory))
        elif parameters:
            size = sum(parameter.size for parameter in parameters)
            rows.append(Row(path, f"{type(module).__name__}, not called", (), size, None, 0, 0))
    return rows


def _multiply_adds(graph: Graph, node: Node) -> int:
    """Return how many products with a weight (or of two computed things) this step takes."""
    operation = node.plan.primitive.name if node.plan is not None else ""
    shapes: list[tuple[int, ...]] = [parent.shape for parent in graph.parents(node)]
    size: int = math.prod(node.shape)
    if operation == "convolution":
        return size * math.prod(shapes[1][1:])
    if operation == "convolution_input_bar":
        return math.prod(shapes[0]) * math.prod(shapes[1][1:])
    if operation in ("linear", "matmul"):
        return size * shapes[0][-1]
    return 0


# --- The receptive field -----------------------------------------------------------------------------------

_Field = tuple[int, float] | None
"""How much of the input one value sees, and how far apart in the input neighbouring values are; None: all of it."""


def _fields(graph: Graph, inputs: Sequence[Tensor]) -> dict[int, int | None]:
    """Return for each node how high the part of the input is that one of its values sees; 0 for weights."""
    starts = {x._node.index for x in inputs if x._node is not None}
    fields: dict[int, _Field] = {}
    for node in graph:
        if node.plan is None:
            fields[node.index] = (int(node.index in starts), 1.0)
            continue
        seen: list[_Field] = [fields[parent.index] for parent in graph.parents(node)]
        # A product of two computed things is attention: each sees all of the other.
        product = node.plan.primitive.name == "matmul" and all(field is None or field[0] for field in seen)
        widest = None if None in seen or product else max(filter(None, seen))
        fields[node.index] = _wider(node, graph, *widest) if widest is not None and widest[0] else widest
    return {index: None if field is None else field[0] for index, field in fields.items()}


def _wider(node: Node, graph: Graph, field: int, jump: float) -> _Field:
    """Return the field behind an operation, from that before: r + (k - 1) jump, jump * stride."""
    operation = node.plan.primitive.name if node.plan is not None else "leaf"
    if operation == "convolution":
        move = node.parameters["move"]
        window = move.dilation[0] * (graph.parents(node)[1].shape[2] - 1)
        return field + round(window * jump), jump * move.stride[0]
    if operation == "convolution_input_bar":
        move = node.parameters["move"]
        window = math.ceil(graph.parents(node)[1].shape[2] / move.stride[0]) - 1
        return field + math.ceil(window * jump), jump / move.stride[0]
    if operation in ("max_pool", "sum_pool", "windows"):
        return field + round((node.parameters["size"][0] - 1) * jump), jump * node.parameters["stride"][0]
    if operation in ("linear", "matmul") and len(node.shape) == 2:
        return None
    return field, jump

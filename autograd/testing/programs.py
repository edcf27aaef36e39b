"""Random programs: straight computations of many operations, as Python text that runs on tensors, NumPy and torch.

A program grows from a list of genes, each five small integers: which operation, which operands, which parameters.
Every list of genes is a valid program, so that Hypothesis can shrink it by leaving genes out.
"""

from __future__ import annotations

import contextlib
import functools
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.tensor import raw
from autograd.testing.differences import Line
from autograd.testing.report import PicturedError
from autograd.testing.subject import flat, gradient_stage, gradients, leaves_of, pulled, values

__all__ = ["Program", "ProgramError", "Step", "check_program"]

DIALECTS = ("autograd", "numpy", "torch")

SHAPES: tuple[tuple[int, ...], ...] = ((3,), (2, 3), (), (3, 1), (3, 3), (1, 3), (2, 1, 3), (2, 2), (1,), (4,))

MOST_ELEMENTS, LARGEST_VALUE, GAP = 24, 100.0, 1e-3


@dataclass(frozen=True)
class Step:
    """One step of a program.

    Attributes:
        target: the name that it gives a new value.
        text: Python, for tensors of ours.
        reads: the names that it uses.
        operation: name of the operation.
        numpy: the text for plain NumPy, where it is another.
        torch: that for torch.
    """

    target: str
    text: str
    reads: tuple[str, ...]
    operation: str
    numpy: str | None = None
    torch: str | None = None

    def in_dialect(self, dialect: str) -> str:
        """Return the text for plain NumPy, torch or tensors of ours.

        Args:
            dialect: one of `DIALECTS`.
        """
        return getattr(self, dialect, None) or self.text


@dataclass(frozen=True, eq=False)
class Program:
    """A function of some arrays, as text.

    Attributes:
        inputs: where it was grown, x0, x1 ...
        lines: the steps.
        outputs: names of the results.
    """

    inputs: tuple[NDArray[np.float64], ...]
    lines: tuple[Step, ...]
    outputs: tuple[str, ...]

    __name__ = "program"

    def source(self, dialect: str = "autograd") -> str:
        """Return the function's definition as text.

        Args:
            dialect: "autograd" for tensors of ours, "numpy" or "torch".
        """
        names = ", ".join(f"x{i}" for i in range(len(self.inputs)))
        body = "\n".join(line.in_dialect(dialect) for line in self.lines)
        returned = ", ".join(self.outputs)
        return f"def program({names}):\n{textwrap.indent(body, '    ')}\n    return [{returned}]\n"

    def compiled(self, dialect: str = "autograd") -> Callable[..., list[Any]]:
        """Return the function.

        Args:
            dialect: as for `source`.
        """
        return _compiled(self.source(dialect), dialect)

    def __call__(self, *xs: Any) -> list[Any]:
        """Run on tensors of ours.

        Args:
            *xs: in place of `inputs`.
        """
        return self.compiled()(*xs)

    def __len__(self) -> int:
        return len(self.lines)

    def __repr__(self) -> str:
        given = "".join(f"x{i} = np.array({array.tolist()})\n" for i, array in enumerate(self.inputs))
        names = ", ".join(f"x{i}" for i in range(len(self.inputs)))
        return (
            "\nimport numpy as np\nfrom autograd.testing import check_gradients\n\n\n"
            f"{self.source()}\n\n{given}check_gradients(program, {names})\n"
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def graph(self) -> Any:
        """Return the record of one run, to be drawn."""
        from autograd.modes import record
        from autograd.tensor import Tensor

        with record() as graph:
            self(*(Tensor(x, requires_grad=True).named(f"x{i}") for i, x in enumerate(self.inputs)))
        return graph


@functools.lru_cache(maxsize=64)
def _compiled(source: str, dialect: str) -> Callable[..., list[Any]]:
    namespace: dict[str, Any] = {"np": np}
    if dialect == "torch":
        import torch

        namespace["torch"] = torch
    exec(compile(source, "<program>", "exec"), namespace)  # noqa: S102 (the text is made here)
    found: Callable[..., list[Any]] = namespace["program"]
    return found


def check_program(program: Program, seed: int = 0) -> None:
    """Compare a program on tensors with the same program in plain NumPy: values, and slopes along a random line.

    It is what a test of the engine needs, and quicker than `check_gradients`, which tells more: the slope of the
    results against differences of the NumPy text, and that of the gradient against differences of the gradient.

    Args:
        program: drawn by `strategies.programs()`, or grown.
        seed: of the weights of the results and of the line.

    Raises:
        ProgramError: they disagree, or the program does not run on tensors; an AssertionError that holds the program
            and a drawing of it.
    """
    try:
        _compare(program, seed)
    except Exception as error:
        raise ProgramError(program, f"{type(error).__name__}: {error}") from error


class ProgramError(PicturedError):
    """A program gives another result on tensors than in plain NumPy.

    Args:
        program: as text and as a drawing.
        finding: what is different.
    """

    def __init__(self, program: Program, finding: str) -> None:
        super().__init__(finding)
        self.program = program

    def html(self) -> str:
        """Return a page with the program and its drawing, complete in one file."""
        from autograd.testing.page import page

        graph = None
        with contextlib.suppress(Exception):  # the program may be one that does not run
            graph = self.program.graph()
        return page("A program that goes wrong", f"{self}\n{self.program!r}", graph=graph)


def _compare(program: Program, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plain = program.compiled("numpy")
    expected = [np.asarray(y) for y in plain(*(x.copy() for x in program.inputs))]
    values_ = values(program, program.inputs)
    for name, y, e in zip(program.outputs, values_, expected, strict=True):
        np.testing.assert_allclose(y, e, rtol=1e-12, atol=1e-14, err_msg=f"value of {name}")
    weights = [rng.uniform(0.5, 1.5, y.shape) for y in expected]
    ways = [rng.uniform(-1, 1, x.shape) for x in program.inputs]
    others = [rng.uniform(-1, 1, x.shape) for x in program.inputs]
    gradient = gradient_stage(program, weights, [np.ones_like(y) for y in expected])
    inputs = leaves_of(program.inputs)
    found = gradient(*inputs)

    def loss(*xs: Any) -> float:
        return sum(float(np.sum(w * (y + y * y / 4))) for w, y in zip(weights, plain(*xs), strict=True))

    _assert_slope(loss, program.inputs, ways, float(flat([raw(g) for g in found]) @ flat(ways)), "first")

    def slope(*xs: Any) -> float:
        bars = [w * (1 + y / 2) for w, y in zip(weights, plain(*xs), strict=True)]
        return float(flat(gradients(program, xs, [bars])[0]) @ flat(others))

    second = flat([raw(g) for g in pulled(found, inputs, others, create_graph=False)]) @ flat(ways)
    _assert_slope(slope, program.inputs, ways, float(second), "second")


def _assert_slope(
    function: Callable[..., float],
    inputs: Sequence[NDArray[Any]],
    ways: Sequence[NDArray[Any]],
    analytic: float,
    order: str,
) -> None:
    """Compare a slope with differences, with smaller and smaller steps until they agree or none is left."""
    line = Line(lambda t: np.array([function(*(x + t * v for x, v in zip(inputs, ways, strict=True)))]), 2.0**-52)
    line.noise = 100 * np.abs(line.noise) + 1e-14
    for exponent in (-8, -16, -24):
        line.sample(exponent)
        numeric = line.slope()
        if not numeric.differs_from(np.array([analytic]), 10.0)[0]:
            return
    raise AssertionError(
        f"{order} derivative: {analytic!r}, by differences {numeric.value[0]!r} +- {numeric.error[0]:.0e}"
    )


# --- The operations ----------------------------------------------------------------------------------------------


class ImpossibleError(Exception):
    """An operation does not fit its operands; another is taken."""


Values = Sequence[Any]
Build = Callable[[Values, int, int], tuple[str, str]]
"""(operands, two integers to choose by) -> text for NumPy and ours, and text for torch, with {0}, {1} for operands."""


def _same(text: str) -> Build:
    return lambda _values, _p, _q: (text, text.replace("np.", "torch."))


def _distance(values: Any) -> None:
    """Refuse a kink that is near: the smallest of these distances must be large enough."""
    if np.min(np.abs(values), initial=np.inf) < GAP:
        raise ImpossibleError


def _kinked(text: str, distance: Callable[..., Any], torch: str | None = None) -> Build:
    def build(values: Values, _p: int, _q: int) -> tuple[str, str]:
        _distance(distance(*values))
        return text, torch or text.replace("np.", "torch.")

    return build


def _axis_of(x: Any, p: int) -> int:
    if not x.ndim:
        raise ImpossibleError
    return int(p % (2 * x.ndim) - x.ndim)


def _reduction(name: str, torch: str) -> Build:
    def build(values: Values, p: int, q: int) -> tuple[str, str]:
        axis = _axis_of(values[0], p)
        if name == "max":
            ordered = np.sort(values[0], axis=axis)
            _distance(np.diff(ordered, axis=axis))
        keep = ", keepdims=True" if q % 2 else ""
        return f"np.{name}({{0}}, axis={axis}{keep})", f"torch.{torch}({{0}}, dim={axis}{keep.replace('dims', 'dim')})"

    return build


def _cumulative(values: Values, p: int, _q: int) -> tuple[str, str]:
    axis = _axis_of(values[0], p)
    return f"np.cumsum({{0}}, axis={axis})", f"torch.cumsum({{0}}, dim={axis})"


def _reshape(values: Values, p: int, _q: int) -> tuple[str, str]:
    size = values[0].size
    shapes = [(size,), (1, size), (size, 1), *((n, size // n) for n in (2, 3) if size % n == 0)]
    shape = shapes[p % len(shapes)]
    return f"{{0}}.reshape({shape})", f"{{0}}.reshape({shape})"


def _swap(values: Values, p: int, q: int) -> tuple[str, str]:
    if values[0].ndim < 2:
        raise ImpossibleError
    a, b = p % values[0].ndim, q % values[0].ndim
    return f"np.swapaxes({{0}}, {a}, {b})", f"torch.swapaxes({{0}}, {a}, {b})"


INDICES = ("0", "1:", "[0, 0, 1]", "..., 0", "None", ":-1", "[-1, 0, -1]", "::2", "..., None", "-1", "..., [1, 0, 1]")
"""What may stand in the brackets of x[...]."""


def _once(index: str, shape: tuple[int, ...]) -> str:
    """Return an index with each place named once: where one value goes to a place twice, torch counts its bar twice."""
    before, bracket, numbers = index.partition("[")
    if not bracket:
        return index
    length = shape[-1] if before else shape[0]
    return f"{before}{sorted({int(number) % length for number in numbers.rstrip(']').split(',')})}"


def _index(x: Any, p: int) -> str:
    """Return the first index from number p on that x can take."""
    for index in (*INDICES[p % len(INDICES) :], *INDICES):
        with contextlib.suppress(IndexError):
            _ = x[eval(f"np.s_[{index}]", {"np": np})]  # noqa: S307 (one of the texts above)
            return index
    raise ImpossibleError


def _getitem(values: Values, p: int, _q: int) -> tuple[str, str]:
    text = f"{{0}}[{_index(values[0], p)}]"
    return text, text


def _reversed(values: Values, _p: int, _q: int) -> tuple[str, str]:
    if not values[0].ndim:
        raise ImpossibleError
    return "{0}[::-1]", "torch.flip({0}, [0])"


def _mask(values: Values, _p: int, _q: int) -> tuple[str, str]:
    if not values[0].ndim:
        raise ImpossibleError
    _distance(values[0])
    return "{0}[{0} > 0]", "{0}[{0} > 0]"


def _matmul(values: Values, _p: int, _q: int) -> tuple[str, str]:
    x, y = values
    if x.ndim and y.ndim and x.shape[-1] == y.shape[max(-2, -y.ndim)]:
        return "{0} @ {1}", "{0} @ {1}"
    if x.ndim == y.ndim == 2 and x.shape[-1] == y.shape[-1]:
        return "{0} @ {1}.T", "{0} @ {1}.T"
    raise ImpossibleError


def _joined(name: str) -> Build:
    def build(values: Values, p: int, _q: int) -> tuple[str, str]:
        axis = _axis_of(values[0], p)
        text = f"{name}([{{0}}, {{1}}], %s={axis})"
        return "np." + text % "axis", "torch." + text % "dim"

    return build


def _broadcast(values: Values, _p: int, _q: int) -> tuple[str, str]:
    shape = (2, *values[0].shape)
    return f"np.broadcast_to({{0}}, {shape})", f"torch.broadcast_to({{0}}, {shape})"


def _where(values: Values, _p: int, _q: int) -> tuple[str, str]:
    _distance(np.subtract(*values))
    return "np.where({0} > {1}, {0} * {1}, {1})", "torch.where({0} > {1}, {0} * {1}, {1})"


def _sorted(values: Values, p: int, _q: int) -> tuple[str, str]:
    axis = _axis_of(values[0], p)
    _distance(np.diff(np.sort(values[0], axis=axis), axis=axis))
    return f"np.sort({{0}}, axis={axis})", f"torch.sort({{0}}, dim={axis}).values"


def _branch(values: Values, p: int, _q: int) -> tuple[str, str]:
    total = float(np.sum(values[0]))
    limit = (0.0, 0.5, -1.0)[p % 3]
    _distance(total - limit)
    text = f"if {{0}}.sum().item() > {limit}:\n    {{t}} = {{0}} * np.tanh({{1}})\nelse:\n    {{t}} = {{0}} - {{1}}"
    return text, text.replace("np.", "torch.")


def _loop(_values: Values, p: int, _q: int) -> tuple[str, str]:
    text = f"{{t}} = {{0}}\nfor _ in range({2 + p % 3}):\n    {{t}} = np.sin({{t}} + {{1}}) * {{0}}"
    return text, text.replace("np.", "torch.")


def _checked_shape(values: Values) -> None:
    """Refuse operands that would be broadcast to more than `MOST_ELEMENTS`, or cannot be broadcast."""
    try:
        shape = np.broadcast_shapes(*(np.shape(v) for v in values))
    except ValueError:
        raise ImpossibleError from None
    if np.prod(shape) > MOST_ELEMENTS:
        raise ImpossibleError


UNARY: dict[str, Build] = {
    "tanh": _same("np.tanh({0})"),
    "negative": _same("-{0}"),
    "sin": _same("np.sin({0})"),
    "exp": _same("np.exp(-{0} * {0})"),
    "square": _same("{0} * {0}"),
    "power": _same("{0} ** 3"),
    "scaled": _same("0.5 * {0} + 0.25"),
    "log": _same("np.log(1.5 + np.square({0}))"),
    "sqrt": _same("np.sqrt(np.square({0}) + 0.5)"),
    "quotient": _same("1 / (1 + np.exp({0}))"),
    "arctan": _same("np.arctan({0})"),
    "absolute": _kinked("np.abs({0})", lambda x: x),
    "relu": _kinked("np.maximum({0}, 0)", lambda x: x, "torch.relu({0})"),
    "clip": _kinked("np.clip({0}, -0.5, 0.75)", lambda x: (x + 0.5) * (x - 0.75), "torch.clamp({0}, -0.5, 0.75)"),
    "sum": _reduction("sum", "sum"),
    "mean": _reduction("mean", "mean"),
    "max": _reduction("max", "amax"),
    "cumsum": _cumulative,
    "reshape": _reshape,
    "swapaxes": _swap,
    "getitem": _getitem,
    "reversed": _reversed,
    "mask": _mask,
    "broadcast_to": _broadcast,
    "sort": _sorted,
    "total": _same("{0}.sum()"),
}

BINARY: dict[str, Build] = {
    "add": _same("{0} + {1}"),
    "multiply": _same("{0} * {1}"),
    "subtract": _same("{0} - {1}"),
    "divide": _same("{0} / (1 + np.square({1}))"),
    "maximum": _kinked("np.maximum({0}, {1})", np.subtract),
    "where": _where,
    "branch": _branch,
    "loop": _loop,
}

FITTED: dict[str, Build] = {"matmul": _matmul, "concatenate": _joined("concatenate"), "stack": _joined("stack")}

NAMES = (*UNARY, *BINARY, *FITTED, "getitem", "assign", "assign")
"""What the first integer of a gene chooses from."""

LARGEST = (7, 7, 11, 1)
"""The largest value of a gene's other integers: two operands, counted from the last, and two parameters."""

PLAIN = (
    *("tanh", "negative", "sin", "exp", "square", "power", "scaled", "log", "sqrt", "quotient", "arctan"),
    *("absolute", "relu", "clip", "reversed", "mask", "broadcast_to", "total"),
)

USES = {
    name: 1
    if name in PLAIN
    else 2
    if name in ("add", "multiply", "subtract", "divide", "maximum", "where", "matmul")
    else 4
    for name in NAMES
}
"""Name of an operation -> how many of these integers it looks at."""

# --- Growing -----------------------------------------------------------------------------------------------------


class _Growth:
    """A program in the making: its lines so far and the value of each name."""

    def __init__(self, inputs: Sequence[NDArray[np.float64]]) -> None:
        self.values: dict[str, Any] = {f"x{i}": x for i, x in enumerate(inputs)}
        self.lines: list[Step] = []
        self.unread = list(self.values)

    def operand(self, choice: int) -> str:
        """Return a name: the last made for 0, the one before for 1, and so on up to the first."""
        names = list(self.values)
        return names[-1 - min(choice, len(names) - 1)]

    def add(self, gene: Sequence[int]) -> None:
        """Add the line that a gene describes, or a tanh where that is not possible."""
        operation = NAMES[gene[0] % len(NAMES)]
        first, second = self.operand(gene[1]), self.operand(gene[2])
        attempts = ((operation, first, second), (operation, first, first), ("tanh", first, first))
        for attempt in attempts:
            with contextlib.suppress(ImpossibleError):
                self._add(*attempt, gene[3], gene[4])
                return

    def _add(self, operation: str, first: str, second: str, p: int, q: int) -> None:
        if operation == "assign":
            self._assign(first, second, p)
            return
        reads = (first,) if operation in UNARY else (first, second)
        values = [self.values[name] for name in reads]
        if operation in BINARY:
            _checked_shape(values)
        build = UNARY.get(operation) or BINARY.get(operation) or FITTED[operation]
        ours, torch = build(values, p, q)
        target = f"v{len(self.lines)}"
        ours, torch = (_placed(text, target, reads) for text in (ours, torch))
        self._append(Step(target, ours, reads, operation, torch=torch if torch != ours else None))

    def _assign(self, target: str, value: str, p: int) -> None:
        """Assign to part of a value that exists, and that others may have read before."""
        if target.startswith("x") or target == value:
            self._append(Step(f"v{len(self.lines)}", f"v{len(self.lines)} = {target} * 1.5", (target,), "multiply"))
            target = self.lines[-1].target
        if not np.ndim(self.values[target]):
            raise ImpossibleError
        index = _index(self.values[target], p)
        place = f"{target}[{index}]"
        text = f"{place} = {value}.sum() * 0.5"
        line = Step(
            target,
            text,
            (target, value),
            "assign",
            numpy=f"{target} = {target}.copy()\n{text}",
            torch=f"{target} = {target}.clone()\n{text.replace(index, _once(index, np.shape(self.values[target])))}",
        )
        self._append(line)

    def _append(self, line: Step) -> None:
        """Run a line, and take it if its value is finite and of a moderate size."""
        scope = {"np": np, **self.values}
        try:
            with np.errstate(all="ignore"):
                exec(line.in_dialect("numpy"), scope)  # noqa: S102 (the text is made here)
        except (ValueError, IndexError):
            raise ImpossibleError from None
        value = np.asarray(scope[line.target])
        if value.size > MOST_ELEMENTS or not value.size or not np.all(np.abs(value) <= LARGEST_VALUE):
            raise ImpossibleError
        self.values.pop(line.target, None)  # so that the last made is last
        self.values[line.target] = scope[line.target]
        self.lines.append(line)
        self.unread = [name for name in self.unread if name not in (*line.reads, line.target)] + [line.target]


def _placed(text: str, target: str, reads: Sequence[str]) -> str:
    """Return the text with its names in place, as an assignment to the target."""
    placed = text.format(*reads, t=target)
    return placed if "{t}" in text else f"{target} = {placed}"


def grown(
    seed: int, shapes: Sequence[int], genes: Sequence[Sequence[int]], further: int = 0, most_results: int = 2
) -> Program:
    """Return the program that grows from some genes.

    Args:
        seed: of the inputs' values.
        shapes: for each input, which of `SHAPES`.
        genes: see above.
        further: also return the value that is so many before the last, though others are computed from it.
        most_results: so many of the values that nothing was computed from are returned, the last ones.
    """
    rng = np.random.default_rng(seed)
    drawn = [
        rng.uniform(0.2, 1.5, SHAPES[i % len(SHAPES)]) * rng.choice([-1, 1], SHAPES[i % len(SHAPES)]) for i in shapes
    ]
    growth = _Growth([np.round(x, 3) for x in drawn])
    for gene in genes:
        growth.add(gene)
    results = [name for name in growth.unread if name.startswith("v")][-most_results:]
    results += [name for name in (growth.operand(further),) if name not in results]
    return _pruned(tuple(np.asarray(growth.values[f"x{i}"]) for i in range(len(shapes))), growth.lines, results)


def _pruned(inputs: tuple[NDArray[np.float64], ...], lines: Sequence[Step], results: Sequence[str]) -> Program:
    """Return the program without the lines and inputs that its results do not need."""
    needed, kept = set(results), []
    for line in reversed(lines):
        if line.target in needed:
            needed -= {line.target}
            needed |= set(line.reads)
            kept.append(line)
    return Program(inputs, tuple(reversed(kept)), tuple(results))

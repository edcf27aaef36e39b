"""Expressions from the record: what each quantity is, and what its rules make of a bar, as `algebra.Form`s.

A rule is a plain function that also runs on Tensors. So it is run once on Tensors that stand for the bar, the arguments
and the result; what it records is read as an expression in them. `MEANINGS` tells which primitives are
arithmetic (the algebra then simplifies them); all others stay calls, written by their own notation.
"""

from __future__ import annotations

import contextvars
import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import modes
from autograd.ops import broadcast as broadcasting
from autograd.ops import elementwise, indexing, products, reduce
from autograd.ops import shape as shaping
from autograd.primitive import OUTPUT, SHARED, Primitive, tensor
from autograd.program import Node, leaf, reached
from autograd.tensor import Tensor
from autograd.view import algebra
from autograd.view.algebra import Absent, Array, Call, Form, Letter, Share, Slope, constant, of
from autograd.view.replay import needs

if TYPE_CHECKING:
    from autograd.view.snapshot import Quantity, Snapshot


class Step(NamedTuple):
    """An operation on forms.

    Attributes:
        forms: of its arguments.
        parameters: static ones.
        shape: of the result.
    """

    forms: Sequence[Form]
    parameters: Mapping[str, Any]
    shape: Any


Meaning = Callable[[Step], Form | None]
"""What a step makes of its forms; None: no arithmetic after all."""


def _sum(step: Step) -> Form:
    (x,) = step.forms
    axis = step.parameters.get("axis")
    axes = range(x.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis
    return algebra.total(x, list(axes), bool(step.parameters.get("keepdims", False)))


def _mean(step: Step) -> Form:
    size, kept = (int(np.prod(lengths)) for lengths in (step.forms[0].shape, step.shape))
    return algebra.scale(_sum(step), Fraction(kept, size))


def _sum_to(step: Step) -> Form:
    return sum_to(step.forms[0], step.shape)


def sum_to(form: Form, shape: tuple[int, ...]) -> Form:
    """Return the form summed over what broadcasting from `shape` had repeated."""
    extra = form.ndim - len(shape)
    repeated = [extra + axis for axis, n in enumerate(shape) if n == 1 and form.shape[extra + axis] != 1]
    if repeated:
        form = algebra.total(form, repeated, keepdims=True)
    return algebra.total(form, list(range(extra))) if extra else form


def _transpose(step: Step) -> Form:
    axes = step.parameters["axes"]
    order = range(len(step.shape))
    return algebra.transpose(step.forms[0], order[::-1] if axes is None else [order[axis] for axis in axes])


def _swapaxes(step: Step) -> Form:
    order = list(range(len(step.shape)))
    first, second = step.parameters["axis1"], step.parameters["axis2"]
    order[first], order[second] = order[second], order[first]
    return algebra.transpose(step.forms[0], order)


def _reshape(step: Step) -> Form | None:
    return algebra.reshape(step.forms[0], step.shape)


def _getitem(step: Step) -> Form | None:
    """Read an index that only inserts or drops axes of length 1, `x[:, None]`, as no change."""
    return _reshape(step) if _keeps_all(step, step.forms[0].shape) else None


def _scatter_add(step: Step) -> Form | None:
    return _reshape(step) if _keeps_all(step, step.shape) else None


def _keeps_all(step: Step, shape: tuple[int, ...]) -> bool:
    """Tell whether the step's index names every element of an array of this shape once, in order."""
    if len(step.forms) > 1:
        return False
    places = np.arange(math.prod(shape))
    return np.array_equal(places.reshape(shape)[step.parameters["index"]].ravel(), places)


def _power(step: Step) -> Form | None:
    exponent = step.forms[1].number()
    return None if exponent is None else algebra.power(algebra.broadcast(step.forms[0], step.shape), exponent)


def _where(step: Step) -> Form | None:
    """Where one choice is 0, return the other times the condition, which counts as 1 or 0."""
    condition, x, y = (algebra.broadcast(form, step.shape) for form in step.forms)
    if condition.number() is not None:
        return x if condition.number() else y
    if y.number() == 0:
        return algebra.multiply(x, condition)
    if x.number() == 0:
        return algebra.multiply(y, algebra.subtract(constant(1, step.shape), condition))
    return None


def _and(step: Step) -> Form | None:
    numbers = [form.number() for form in step.forms]
    return constant(0, step.shape) if 0 in numbers else None


def _not(step: Step) -> Form | None:
    number = step.forms[0].number()
    return constant(1 - number, step.shape) if number in (0, 1) else None


def _linear(step: Step) -> Form:
    x, w, *offset = step.forms
    return algebra.add(algebra.matmul(x, algebra.transpose(w, (1, 0))), *offset)


def _einsum(step: Step) -> Form:
    inputs, _, output = step.parameters["subscripts"].partition("->")
    labels = list(dict.fromkeys([*output, *inputs.replace(",", "")]))
    return algebra.einsum(
        step.forms, [[labels.index(label) for label in term] for term in inputs.split(",")], step.shape
    )


def _first(step: Step) -> Form:
    return algebra.broadcast(step.forms[0], step.shape)


def _recorded(compute: Callable[..., Tensor], *shapes: tuple[int, ...]) -> Primitive:
    """Return the primitive that `compute` records on arrays of these shapes."""
    node = contextvars.Context().run(lambda: compute(*(Tensor(np.ones(s), requires_grad=True) for s in shapes)))._node
    assert node is not None
    assert node.primitive is not None
    return node.primitive


MEANINGS: dict[Primitive, Meaning] = {
    _recorded(elementwise.add, (), ()): lambda step: algebra.add(*step.forms),
    _recorded(elementwise.subtract, (), ()): lambda step: algebra.subtract(*step.forms),
    _recorded(elementwise.multiply, (), ()): lambda step: algebra.multiply(*step.forms),
    _recorded(elementwise.divide, (), ()): lambda step: algebra.divide(*step.forms),
    _recorded(elementwise.negative, ()): lambda step: algebra.scale(step.forms[0], -1),
    _recorded(elementwise.square, ()): lambda step: algebra.power(step.forms[0], 2),
    _recorded(elementwise.reciprocal, ()): lambda step: algebra.power(step.forms[0], -1),
    _recorded(elementwise.power, (), ()): _power,
    _recorded(lambda x, y: elementwise.where(True, x, y), (), ()): _where,
    _recorded(elementwise.positive, ()): _first,
    _recorded(lambda x: elementwise.bitwise_and(x > 0, x > 0), ()): _and,
    _recorded(lambda x: elementwise.invert(x > 0), ()): _not,
    _recorded(lambda x: broadcasting.broadcast_to(x, shape=(2,)), ()): _first,
    _recorded(lambda x: broadcasting.sum_to(x, shape=()), (2,)): _sum_to,
    _recorded(lambda x: reduce.sum(x, axis=0), (2,)): _sum,
    _recorded(lambda x: reduce.mean(x, axis=0), (2,)): _mean,
    _recorded(products.matmul, (2, 2), (2, 2)): lambda step: algebra.matmul(*step.forms),
    _recorded(products.linear, (2, 2), (2, 2)): _linear,
    _recorded(products.linear, (2, 2), (2, 2), (2,)): _linear,
    _recorded(lambda x, y: products.einsum("i,ij->j", x, y), (2,), (2, 2)): _einsum,
    _recorded(shaping.transpose, (2, 2)): _transpose,
    _recorded(lambda x: shaping.swapaxes(x, 0, 1), (2, 2)): _swapaxes,
    _recorded(lambda x: shaping.reshape(x, (1, 2)), (2,)): _reshape,
    _recorded(lambda x: shaping.squeeze(x, 0), (1, 2)): _reshape,
    _recorded(lambda x: indexing.getitem(x, None), (2,)): _getitem,
    _recorded(lambda x: indexing.scatter_add(x, None, (2,)), (1, 2)): _scatter_add,
}


_MEAN = _recorded(lambda x: reduce.mean(x, axis=0), (2,))
_SUM = _recorded(lambda x: reduce.sum(x, axis=0), (2,))
_GUARDS = {
    _recorded(elementwise.equal, (), ()): False,
    _recorded(elementwise.not_equal, (), ()): True,
}
"""Comparisons with a number by which rules avoid a division by zero, and what they give where there is none."""


def expression(operation: Primitive, forms: Sequence[Form], parameters: Mapping[str, Any], shape: Any) -> Form:
    """Return what an operation with one output makes of these forms."""
    meaning = MEANINGS.get(operation)
    found = None if meaning is None else meaning(Step(forms, parameters, shape))
    return found if found is not None else of(Call(operation, forms, dict(parameters), shape))


def stand_in(quantity: Quantity) -> Form:
    """Return what stands for a quantity where it is used: a number if it is a constant one, else its letter."""
    if quantity.is_absent:
        return of(Absent())
    value = quantity.as_number
    return of(Letter(quantity.number, quantity.shape)) if value is None else constant(value, quantity.shape)


def computed(snapshot: Snapshot, quantity: Quantity) -> Form | None:
    """Return one step in terms of its arguments; None for a step with several outputs, or one of those."""
    parents = [snapshot[parent] for parent in quantity.parents]
    if any(isinstance(part.dtype, tuple) for part in (quantity, *parents)):
        return None
    assert quantity.operation is not None
    forms = [stand_in(parent) for parent in parents]
    found = expression(quantity.operation, forms, quantity.parameters, quantity.shape)
    trivial = found.number() is not None or isinstance(found.atom(), Letter)  # x + 0: it is to be seen what it was
    return of(Call(quantity.operation, forms, dict(quantity.parameters), quantity.shape)) if trivial else found


class Derivation:
    """Expressions for the quantities of a snapshot and for the shares that bars are made of.

    Args:
        snapshot: what to read.
        expand: write the derivative of a function as its rule has it, y (1 - y), instead of sigma'(z).
    """

    def __init__(self, snapshot: Snapshot, *, expand: bool = False) -> None:
        self.snapshot = snapshot
        self.expand = expand
        self.known: dict[Any, Form] = {}

    def name(self, form: Form, letter: Letter) -> None:
        """Let the letter stand for the form wherever that turns up again."""
        if form.size() > 2:
            self.known[form.key] = of(letter)

    def forward(self, quantity: Quantity, forms: Sequence[Any]) -> Any:
        """Return what the quantity is, in terms of its parents' forms; a tuple if it has several outputs."""
        assert quantity.operation is not None
        return _applied(quantity.operation, forms, quantity.parameters, quantity.shape, quantity.dtype)

    def share(self, quantity: Quantity, position: int, bar: Any, forms: Sequence[Form], out: Any) -> Form:
        """Return what the argument at `position` gets from the quantity's bar.

        Args:
            quantity: the consumer.
            position: of the argument.
            bar: the form of its bar (a tuple of forms for several outputs).
            forms: of its arguments.
            out: the form of the quantity itself.
        """
        assert quantity.operation is not None
        parent = self.snapshot[quantity.parents[position]]
        try:
            trace = Trace(self.snapshot, quantity, position)
        except Exception:  # noqa: BLE001 (a residual is unknown, a user's rule does not run on tensors, or it is long)
            argument = quantity.operation.argument_name(position)
            bars = bar if isinstance(bar, tuple) else (bar,)
            return of(Share(quantity.operation, argument, [*bars, *forms], parent.shape))
        if not quantity.operation.elementwise or isinstance(bar, tuple):
            return sum_to(trace.read(bar, forms, out, self.known), parent.shape)
        one = constant(1, quantity.shape)
        slope = algebra.broadcast(trace.read(one, forms, out, self.known), quantity.shape)
        if not self.expand and len(forms) == 1 and not _is_short(trace, forms[0].shape):
            slope = of(Slope(quantity.operation, forms[0], slope))
        return sum_to(algebra.multiply(bar, slope), parent.shape)


def _is_short(trace: Trace, shape: tuple[int, ...]) -> bool:
    """Tell whether the derivative of a function is itself a product of powers and functions of x or f(x)."""
    x, out = of(Letter(0, shape)), of(Letter(-1, shape))
    slope = trace.read(constant(1, shape), [x], out, {})
    if len(slope.terms) > 1:
        return False
    atoms = [factor.atom for term in slope.terms for factor in term.factors]
    return all(
        isinstance(atom, Letter)
        or (isinstance(atom, Call) and [form.atom() is not None for form in atom.arguments] == [True])
        for atom in atoms
    )


LONGEST = 100
"""Operations of a rule up to which it is written out: longer ones, as that of an LSTM's backward pass, go by name."""


class Trace:
    """A rule, run once on Tensors: the record that it left, and what its leaves stand for.

    Raises:
        ValueError: the rule takes more than `LONGEST` operations.
        Exception: whatever the rule raises.
    """

    def __init__(self, snapshot: Snapshot, quantity: Quantity, position: int) -> None:
        self.bars: dict[Node, int] = {}
        self.arguments: dict[Node, int] = {}
        self.outs: dict[Node, int] = {}
        self.residuals: dict[int, str] = {}
        self.counts = quantity.operation is _MEAN
        self.constants = {i for i, p in enumerate(quantity.parents) if not snapshot[p].requires_grad}
        # In a context of its own: what is open around, a recording or no_grad, is not to see the run, nor to change it.
        self.result = contextvars.Context().run(self._run, snapshot, quantity, position)
        if type(self.result) is Tensor and self.result._node is not None:
            steps = reached([self.result._node], wanted_only=False)
            if sum(step.plan is not None for step in steps) > LONGEST:
                raise ValueError(f"{quantity.operation}: the rule takes {len(steps)} steps")

    def _run(self, snapshot: Snapshot, quantity: Quantity, position: int) -> Any:
        operation = quantity.operation
        assert operation is not None
        rule = operation.rule(position)
        assert rule is not None
        several = isinstance(quantity.dtype, tuple)
        outputs = (
            list(zip(quantity.shape, quantity.dtype, strict=True)) if several else [(quantity.shape, quantity.dtype)]
        )
        values = quantity.value if several and quantity.value is not None else [quantity.value] * len(outputs)
        bars = [self._leaf(np.ones(shape, dtype), self.bars, i) for i, (shape, dtype) in enumerate(outputs)]
        outs = [
            self._leaf(_value_or_ones(value, shape, dtype), self.outs, i)
            for i, (value, (shape, dtype)) in enumerate(zip(values, outputs, strict=True))
        ]
        needed: set[int] = set()
        sources = operation.sources(position)
        for source in [*sources, *(operation.shared_needs if SHARED in sources else ())]:
            if source.kind in ("argument", "arguments"):
                end = source.key + 1 if source.kind == "argument" else len(quantity.parents)
                needed.update(range(source.key, end))
        arguments = [
            self._argument(snapshot[parent], i) if i in needed else None for i, parent in enumerate(quantity.parents)
        ]
        with modes.record(), np.errstate(all="ignore"):
            bar, out = (tuple(bars), tuple(outs)) if several else (bars[0], outs[0])
            found = needs(snapshot, quantity, position, bar, arguments, out)
            for source, value in zip(sources, found, strict=True):
                if source.kind == "residual":
                    self.residuals[id(value)] = operation.residuals[source.key]
            self.kept = found  # so that no other object gets the id of a residual
            return rule(bar, *found)

    def _argument(self, parent: Quantity, place: int) -> Any:
        if parent.is_absent:
            return None
        value = _value_or_ones(parent.value, parent.shape, parent.dtype)
        if parent.shape == () and parent.as_number is not None:
            return parent.value
        if isinstance(value, tuple):
            return value
        return self._leaf(value, self.arguments, place)

    def _leaf(self, value: Any, places: dict[Node, int], place: int) -> Tensor:
        node = leaf(value, requires_grad=np.asarray(value).dtype.kind == "f")
        places[node] = place
        return tensor(value, node)

    def read(self, bar: Any, forms: Sequence[Form], out: Any, known: Mapping[Any, Form]) -> Form:
        """Return the rule's result as a form.

        Args:
            bar: what the bar stands for; a tuple of forms for several outputs.
            forms: what the arguments stand for.
            out: what the result stands for; a tuple likewise.
            known: forms that have a letter of their own, by key.
        """
        bars = bar if isinstance(bar, tuple) else (bar,)
        outs = out if isinstance(out, tuple) else (out,)
        result = self.result
        if type(result) is not Tensor or result._node is None:
            return _literal(result)
        found: dict[Node, Any] = {node: bars[place] for node, place in self.bars.items()}
        found |= {node: outs[place] for node, place in self.outs.items()}
        found |= {node: forms[place] for node, place in self.arguments.items()}
        for node in reached([result._node], wanted_only=False):
            if node in found:
                continue
            if node.plan is None:
                found[node] = self._operand(None if node.note is None else node.note.value)
                continue
            parents = [found[p] if type(p) is Node else self._operand(p) for p in node.parents]
            made = self._sums_to_one(node, _step(node, parents))
            found[node] = known.get(made.key, made) if isinstance(made, Form) else made
        form: Form = found[result._node]
        return form

    def _operand(self, value: Any) -> Form:
        name = self.residuals.get(id(value))
        if name is not None:
            return of(Array(value, name))
        form = _literal(value)
        number = form.number()
        if self.counts and isinstance(number, float):  # 1 / n, whatever n is
            return constant(Fraction(number).limit_denominator(10**9), form.shape)
        return form

    def _sums_to_one(self, node: Node, form: Any) -> Any:
        """Return 1 for a sum of constants that is 1: probabilities."""
        if node.primitive is _SUM and node.note is not None and np.allclose(node.note.value, 1, rtol=1e-12):
            below = reached([node], wanted_only=False)
            if all(step.plan is not None or self.arguments.get(step) in self.constants for step in below):
                return constant(1, node.shape)
        return form


def _applied(operation: Primitive, forms: Sequence[Any], parameters: Mapping[str, Any], shape: Any, dtype: Any) -> Any:
    """Return what an operation makes of these forms; a tuple of forms if it has several outputs."""
    if isinstance(dtype, tuple):
        return tuple(of(Call(operation, forms, dict(parameters), one, i)) for i, one in enumerate(shape))
    if operation is OUTPUT:
        return forms[0][parameters["position"]]
    return expression(operation, forms, parameters, shape)


def _step(node: Node, forms: Sequence[Any]) -> Any:
    """Return the form of a recorded step."""
    operation = node.primitive
    assert operation is not None
    if operation in _GUARDS and any(form.number() is not None for form in forms):
        usual = _GUARDS[operation]
        if node.note is not None and np.all(node.note.value == usual):
            return constant(int(usual), node.shape)
    return _applied(operation, forms, node.parameters, node.shape, node.dtype)


def _literal(value: Any) -> Form:
    """Return a number or array that the rule itself brought in."""
    if value is None:
        return of(Absent())
    array = np.asarray(value._value if type(value) is Tensor else value)
    if array.size and (array == array.flat[0]).all() and array.dtype.kind in "fiub":
        return constant(array.flat[0].item(), array.shape)
    return of(Array(array))


def _value_or_ones(value: Any, shape: Any, dtype: Any) -> Any:
    """Return the value; where it is unknown, ones: an expression does not depend on values."""
    if value is not None:
        return value
    if isinstance(dtype, tuple):
        return tuple(np.ones(*both) for both in zip(shape, dtype, strict=True))
    return np.ones(shape, dtype)

"""The path of one operation: `primitive` turns a NumPy function and its rules into an operation that records.

A call computes with NumPy and, if an argument requires a gradient, adds one `Node` that keeps just what the
rules of the arguments in question ask for. Rules are called by `sweep`; see `primitive` for their form.
"""

from __future__ import annotations

import inspect
import operator
import types
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn

import numpy as np

from autograd.modes import Mode, current, effective, user_line
from autograd.program import NO_PARAMETERS, Node, leaf, next_index, note_of
from autograd.tensor import Tensor

_new: Callable[[type], Any] = object.__new__
_float64 = np.float64
_FLOAT64 = np.dtype(np.float64)

_OPERANDS = frozenset({np.ndarray, float, int, bool, np.float64, np.float32, np.float16, np.int64, np.bool_})
"""Types of raw operands that NumPy's operators take as they are."""

_RESULTS = frozenset({np.ndarray, np.float64, np.float32, np.float16})
"""Types of results that need no conversion."""

_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.true_divide: operator.truediv,
    np.power: operator.pow,
    np.negative: operator.neg,
}
"""Python's operators do the same as these ufuncs, and on NumPy's scalars five times faster."""


class Source(NamedTuple):
    """Where what a rule needs comes from: kind ("argument", "out", "parameter", ...) and which one."""

    kind: str
    key: Any = None


SHARED = Source("shared")
"""What a primitive's `shared` computes for its rules."""


class Common(NamedTuple):
    """How the sweep computes what several rules share.

    Attributes:
        entry: of the node's `kept` that takes it.
        needs: entries that `shared` takes after the bar.
        positions: of the arguments whose rules ask for it.
    """

    entry: int
    needs: tuple[int, ...]
    positions: tuple[int, ...]


Share = tuple[int, Callable[..., Any] | None, int | None, tuple[int, ...] | None]
"""How the sweep computes one argument's share of the bar: (position, rule, need, more_needs).

The argument's position; its rule, None where the sweep only collects (see `collect`); the entry of the node's `kept`
that the rule takes first, None if it takes none; the further entries, or None. Python takes plain tuples apart faster.
"""


def collect(_: Any) -> NoReturn:
    """Stand for a rule that is not called: the sweep only collects the bars of several outputs (see `OUTPUT`)."""
    raise NotImplementedError


class Plan:
    """What to keep and which rules to call, for one set of arguments that require a gradient.

    Attributes:
        primitive: the operation.
        wanted: positions of the arguments that require a gradient and have one.
        sources: what each entry of a node's `kept` is (None: an entry left empty).
        keep: a function of a call, (values, result, residuals, parameters), that returns these entries; see `_keeper`.
        shares: a `Share` for each wanted position.
        common: see `Common`; None where no rule asks for what `shared` computes.
    """

    __slots__ = ("common", "keep", "primitive", "shares", "sources", "wanted")

    def __init__(self, primitive: Primitive, tracked: tuple[int, ...]) -> None:
        self.primitive = primitive
        rules = {position: primitive.rule(position) for position in tracked}
        self.wanted = tuple(position for position, rule in rules.items() if rule is not None)
        needs = {position: primitive.sources(position) for position in self.wanted}
        used = list(dict.fromkeys(source for sources in needs.values() for source in sources))
        if SHARED in used:
            used = list(dict.fromkeys([*used, *primitive.shared_needs]))
        layout: list[Source | None] = list(used)
        if primitive.layout is not None:
            layout = [source if source in used else None for source in primitive.layout]
        self.sources = tuple(layout)
        self.keep = _keeper(layout)
        place = {source: entry for entry, source in enumerate(layout)}
        entries = {position: [place[source] for source in needs[position]] for position in self.wanted}
        called = {position: None if rule is collect else rule for position, rule in rules.items()}
        self.shares: tuple[Share, ...] = tuple(
            (position, called[position], kept[0] if kept else None, tuple(kept[1:]) or None)
            for position, kept in entries.items()
        )
        self.common: Common | None = None
        if SHARED in used:
            asking = tuple(position for position in self.wanted if SHARED in needs[position])
            self.common = Common(place[SHARED], tuple(place[source] for source in primitive.shared_needs), asking)

    def with_shared(self, bar: Any, kept: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what a node kept with what `shared` makes of it and of the bar, in the place for it."""
        assert self.common is not None
        assert self.primitive.shared is not None
        try:
            found = self.primitive.shared(bar, *[kept[need] for need in self.common.needs])
        except Exception as error:
            explain_rule(error, self, "all arguments", bar)
            raise
        return (*kept[: self.common.entry], found, *kept[self.common.entry + 1 :])


def _keeper(layout: list[Source | None]) -> Callable[..., tuple[Any, ...]]:
    """Return a function of a call, (values, result, residuals, parameters), that returns what its rules need."""
    entries = ["None" if source is None else _ENTRIES[source.kind].format(source.key) for source in layout]
    return _from_text("".join(f"{entry}, " for entry in entries))


@lru_cache
def _from_text(entries: str) -> Callable[..., tuple[Any, ...]]:
    """Return the function that returns these entries: one expression takes a third of the time of a loop over needs.

    Most operations have one of a few texts, which an import compiles once.
    """
    names = {"shape": lambda value: getattr(value, "shape", ()), "dtype": lambda value: np.asarray(value).dtype}
    text = f"lambda values, result, residuals, parameters: ({entries})"
    return eval(text, names)  # type: ignore[no-any-return] # noqa: S307 (the text is ours)


_ENTRIES = {
    "argument": "values[{}]",
    "arguments": "tuple(values[{}:])",
    "shape": "shape(values[{}])",
    "shapes": "tuple(map(shape, values[{}:]))",
    "dtype": "dtype(values[{}])",
    "dtypes": "tuple(map(dtype, values[{}:]))",
    "out": "result",
    "residual": "residuals[{}]",
    "parameter": "parameters[{!r}]",
    "position": "{}",
    "shared": "None",  # computed by the sweep, from the bar
}
"""What an entry of a node's `kept` is, by the kind of source: an expression of the call, {} for the source's key."""


class Primitive:
    """An operation: its forward, its rules and what they need. Made by `primitive`.

    Attributes:
        name: as messages and drawings write it.
        forward: the computation in NumPy.
        arguments: names of the arguments that may be tensors.
        variadic: whether the last of them stands for any number of arguments.
        defaults: static parameters with their defaults (`inspect.Parameter.empty`: must be given).
        complete: whether all of them have one.
        positional: the static parameters that may be given by position.
        rules: argument name -> rule, or None for "no gradient".
        residuals: names of what forward returns after the result, for its rules.
        shared: computes from the bar what several rules need, or None.
        shared_needs: what it needs besides the bar.
        notation: how a drawing writes the operation, with {} for each argument; None: by name.
        elementwise: whether each element of the result depends only on the same elements of the arguments.
        layout: the entries of `kept` where the recorders for one and for two arguments apply, else None.
    """

    def __init__(
        self,
        forward: Callable[..., Any],
        name: str,
        residuals: tuple[str, ...],
        notation: str | None,
        elementwise: bool,
        rules: dict[str, Callable[..., Any] | None],
        shared: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self.forward: Callable[..., Any] = _OPERATORS.get(forward, forward)
        self.raw = forward
        self.residuals = residuals
        self.notation = notation
        self.rules = rules
        self.variadic = False
        self.defaults: dict[str, Any] = {}
        self.positional: tuple[str, ...] = ()
        if isinstance(forward, np.ufunc):
            self.arguments = tuple(rules)
            if len(rules) != forward.nin:
                raise TypeError(f"{name}: expected a rule or None for each of {forward.nin} arguments, got {[*rules]}")
        else:
            self.arguments = self._read_signature(forward)
        for key in rules:
            if key not in self.arguments:
                raise TypeError(f"{name}: there is a rule for {key!r}, but the arguments are {self.arguments}")
        self.complete = inspect.Parameter.empty not in self.defaults.values()
        self.elementwise = elementwise or (isinstance(forward, np.ufunc) and forward.signature is None)
        self._refuse_ambiguous(shared is not None)
        self.shared = shared
        self.shared_needs = [] if shared is None else self._read_needs("what the rules share", shared, {})
        more = {"position": Source("position")} if self.variadic else {}
        more |= {"shared": SHARED} if shared is not None else {}
        self._needs = {
            name: self._read_needs(f"the rule for {name!r}", rule, more)
            for name, rule in rules.items()
            if rule is not None
        }
        if shared is not None and not any(SHARED in needs for needs in self._needs.values()):
            raise TypeError(f"{name}: shared= is given, but no rule asks for it")
        self.layout = self._fixed_layout()
        self._plans: dict[tuple[int, ...], Plan] = {}

    def _refuse_ambiguous(self, shares: bool) -> None:
        """Raise if a name that a rule can ask for would mean two things."""
        reserved = ["out", *[name + what for name in self.arguments for what in ("_shape", "_dtype")]]
        reserved += ["position"] * self.variadic + ["shared"] * shares
        names = [*reserved, *self.arguments, *self.defaults, *self.residuals]
        if len(set(names)) < len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise TypeError(
                f"{self.name}: {', '.join(map(repr, twice))} would mean two things to a rule: rename the argument, "
                f"parameter or residual ({', '.join(reserved)} are what a rule can have in any case)"
            )

    def _read_signature(self, forward: Callable[..., Any]) -> tuple[str, ...]:
        """Sort the parameters: positional ones without a default may be tensors, the others are static."""
        arguments = []
        for name, kind, default in _parameters(forward):
            if kind is inspect.Parameter.VAR_POSITIONAL:
                self.variadic = True
                arguments.append(name)
            elif kind is not inspect.Parameter.KEYWORD_ONLY and default is inspect.Parameter.empty:
                arguments.append(name)
            else:
                self.defaults[name] = _static(self.name, name, default)
                if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
                    self.positional += (name,)
        return tuple(arguments)

    def _fixed_layout(self) -> list[Source] | None:
        if self.variadic or self.defaults or self.residuals or len(self.arguments) not in (1, 2):
            return None
        layout = [*(Source("argument", position) for position in range(len(self.arguments))), Source("out")]
        return layout if all(set(needs) <= set(layout) for needs in self._needs.values()) else None

    def argument_name(self, position: int) -> str:
        """Return the name of the argument at this position."""
        return self.arguments[min(position, len(self.arguments) - 1)]

    def rule(self, position: int) -> Callable[..., Any] | None:
        """Return the rule of the argument at this position; None if it has no gradient."""
        name = self.argument_name(position)
        if name in self.rules:
            return self.rules[name]

        def missing(bar: Any) -> NoReturn:
            raise NotImplementedError(
                f"{self.name}: no rule for argument {name!r}. Pass {name}=<rule> to primitive(), "
                f"or {name}=None if its gradient is zero"
            )

        return missing

    def _read_needs(self, what: str, rule: Callable[..., Any], more: dict[str, Source]) -> list[Source]:
        """Return what a rule needs, from the names of its parameters after the bar.

        Args:
            what: how a message calls the rule.
            rule: the function.
            more: what it can have besides what all have.
        """
        spread = self.arguments[-1] if self.variadic else None
        sources = []
        for need in [name for name, _, _ in _parameters(rule)][1:]:
            base, _, suffix = need.rpartition("_")
            if need in self.arguments:
                sources.append(Source("arguments" if need == spread else "argument", self.arguments.index(need)))
            elif base in self.arguments and suffix in ("shape", "dtype"):
                sources.append(Source(suffix + "s" if base == spread else suffix, self.arguments.index(base)))
            elif need == "out":
                sources.append(Source("out"))
            elif need in self.defaults:
                sources.append(Source("parameter", need))
            elif need in self.residuals:
                sources.append(Source("residual", self.residuals.index(need)))
            elif need in more:
                sources.append(more[need])
            else:
                raise TypeError(
                    f"{self.name}: {what} asks for {need!r}; it can have the arguments {self.arguments}, their _shape "
                    f"and _dtype, the parameters {(*self.defaults,)}, the residuals {self.residuals}, {['out', *more]}"
                )
        return sources

    def sources(self, position: int) -> list[Source]:
        """Return what the rule of the argument at this position needs."""
        spread = position - len(self.arguments) + 1
        needs = self._needs.get(self.argument_name(position), [])
        return [Source("position", spread) if source.kind == "position" else source for source in needs]

    def plan(self, tracked: tuple[int, ...]) -> Plan:
        """Return the plan for a call in which the arguments at the positions `tracked` require a gradient."""
        found = self._plans.get(tracked)
        if found is None:
            if len(self._plans) > 200:  # a variadic operation called with ever more arguments
                self._plans.clear()
            found = self._plans[tracked] = Plan(self, tracked)
        return found

    def compute(self, values: tuple[Any, ...] | list[Any], parameters: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        """Return forward's result (an array, a NumPy scalar, or a tuple of them) and its residuals."""
        try:
            value = self.forward(*values, **parameters)
        except Exception as error:
            explain(error, self, values)
            raise
        return (value, ()) if type(value) in _RESULTS and not self.residuals else self.split_residuals(value)

    def split_residuals(self, value: Any) -> tuple[Any, tuple[Any, ...]]:
        """Split what forward returned into the result and its residuals.

        Raises:
            TypeError: it did not return as many.
        """
        residuals: tuple[Any, ...] = ()
        if self.residuals:
            if not isinstance(value, tuple) or len(value) != 1 + len(self.residuals):
                raise TypeError(f"{self.name}: expected forward to return the result and {self.residuals}, as a tuple")
            value, *rest = value
            residuals = tuple(rest)
        if isinstance(value, tuple):
            if not all(isinstance(output, (np.ndarray, np.generic)) for output in value):
                value = tuple(map(np.asarray, value))
        elif not isinstance(value, (np.ndarray, np.generic)):
            value = np.asarray(value)
        return value, residuals

    def __repr__(self) -> str:
        return f"<Primitive {self.name}({', '.join([*self.arguments, *self.defaults])})>"


def primitive(
    forward: Callable[..., Any],
    *,
    name: str | None = None,
    residuals: tuple[str, ...] = (),
    notation: str | None = None,
    elementwise: bool = False,
    shared: Callable[..., Any] | None = None,
    **rules: Callable[..., Any] | None,
) -> Any:
    """Return an operation that computes `forward`, records itself and is differentiated by `rules`.

    Parameters of `forward` without a default are arguments, which may be tensors; the others are static.
    A ufunc's arguments are the keywords here, in order. A rule takes the bar of the output and whatever else
    it names: arguments, `out`, static parameters, `x_shape` and `x_dtype` of an argument x, residuals, `shared`,
    and in a variadic operation the `position`. Only that is kept for the backward sweep. It returns the bar of
    its argument; the sweep sums over what broadcasting had repeated. `None` means that an argument has no
    gradient. For several outputs the rule's bar is a tuple.

    A rule is called with arrays, and with Tensors when the gradient itself is to be differentiated; it may use
    operators, methods that both have, NumPy ufuncs and other primitives, and must not write to what it gets.

    Args:
        forward: computes the result from arrays; must not write to them. With `residuals` it returns the
            result followed by each of them.
        name: how to call the operation; the default is forward's name.
        residuals: names of what else forward hands to its rules. Where the gradient itself is to be differentiated
            they get only arrays of integers or booleans, and None in place of all else, which would be taken for a
            constant: they must then compute it from the arguments.
        notation: how drawings write the operation, e.g. "{} + {}".
        elementwise: whether forward works element by element (known for ufuncs).
        shared: a function of the bar, and of what it names, like a rule; called once for all rules that ask for
            `shared`, they get what it returns.
        **rules: a rule, or None, for each argument.

    Example:
        >>> import numpy as np
        >>> from autograd import Tensor, primitive
        >>> cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3 * ybar * x * x)
        >>> x = Tensor(2.0, requires_grad=True)
        >>> cube(x).backward()
        >>> float(x.grad)
        12.0
    """
    name = name or forward.__name__.strip("_")
    definition = Primitive(forward, name, residuals, notation, elementwise, rules, shared)
    short = None
    if definition.layout is not None:
        short = _unary_recorder(definition) if len(definition.arguments) == 1 else _binary_recorder(definition)
    call: Any = short if isinstance(forward, np.ufunc) and short is not None else _general_recorder(definition, short)
    call.primitive = definition
    call.__name__ = call.__qualname__ = definition.name
    if isinstance(forward, np.ufunc):
        kind = inspect.Parameter.POSITIONAL_ONLY
        call.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in definition.arguments])
        call.__doc__ = f"NumPy's `{forward.__name__}`, element by element, with broadcasting."
    else:
        call.__wrapped__ = forward  # inspect.signature, and so help(), reads the signature there
        call.__doc__ = forward.__doc__
    return call


def _parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Return name, kind and default of each parameter, as `inspect.signature` has them.

    What a plain function or a lambda takes is read from its code object: the signatures of all operations and rules
    would take as long as the rest of the import.
    """
    plain = isinstance(function, types.FunctionType) and not {"__wrapped__", "__signature__"} & function.__dict__.keys()
    if not plain or function.__code__.co_posonlyargcount:
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]
    kinds, empty = inspect.Parameter, inspect.Parameter.empty
    code = function.__code__
    positional, names = code.co_argcount, code.co_varnames
    defaults = (empty,) * (positional - len(function.__defaults__ or ())) + (function.__defaults__ or ())
    found: list[tuple[str, Any, Any]] = [
        (name, kinds.POSITIONAL_OR_KEYWORD, default) for name, default in zip(names, defaults, strict=False)
    ]
    end = positional + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        found.append((names[end], kinds.VAR_POSITIONAL, empty))
    by_name = function.__kwdefaults__ or {}
    found += [(name, kinds.KEYWORD_ONLY, by_name.get(name, empty)) for name in names[positional:end]]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        found.append((names[end + bool(code.co_flags & inspect.CO_VARARGS)], kinds.VAR_KEYWORD, empty))
    return found


# --- Recorders: one step of the record ---------------------------------------------------------------------
#
# `_record` takes anything. The short recorders do the same without its loops for what is commonest: one or two
# arguments, no static parameters, the plain mode, one floating-point result. They hand everything else to it.


def _unary_recorder(definition: Primitive) -> Any:
    forward = definition.forward
    plan = definition.plan((0,))
    keep_x, keep_out = (source is not None for source in plan.sources)
    differentiable = bool(plan.wanted)

    def unary(x: Any, /) -> Any:
        if type(x) is not Tensor or not differentiable or current() is not None:
            return _record(definition, (x,), NO_PARAMETERS)
        parent = x._node
        if parent is None or not parent.requires_grad:
            return _record(definition, (x,), NO_PARAMETERS)
        x_value = x._value
        try:
            value = forward(x_value)
        except Exception as error:
            explain(error, definition, (x_value,))
            raise
        if type(value) is not _float64 and (type(value) not in _RESULTS or value.dtype.kind != "f"):
            return _record(definition, (x,), NO_PARAMETERS, value)
        node = Node()
        node.plan = plan
        node.parents = (parent,)
        node.parameters = NO_PARAMETERS
        node.index = next_index()
        node.requires_grad = True
        node.kept = (x_value if keep_x else None, value if keep_out else None)
        node.note = None
        if type(value) is _float64:
            node.shape = ()
            node.dtype = _FLOAT64
        else:
            node.shape = value.shape
            node.dtype = value.dtype
            if value.base is not None or value is x_value:
                _note_view(value, (parent,))
        out = _new(Tensor)
        out._value = value
        out._node = node
        return out

    return unary


_NOTHING = (None, None, None)
"""What an operation with two arguments keeps whose rules need nothing."""


def _binary_recorder(definition: Primitive) -> Any:
    forward = definition.forward
    plans = [definition.plan(tracked) for tracked in ((0,), (1,), (0, 1))]
    cases: list[Any] = [(plan, any(plan.sources), *(source is not None for source in plan.sources)) for plan in plans]
    left_only, right_only, both = cases
    differentiable = all(plan.wanted for plan in plans)

    def binary(x: Any, y: Any, /) -> Any:
        if not differentiable or current() is not None:
            return _record(definition, (x, y), NO_PARAMETERS)
        if type(x) is Tensor:
            left = x._node
            if left is None:
                return _record(definition, (x, y), NO_PARAMETERS)
            x_tracked = left.requires_grad
            x_value = x._value
        elif type(x) in _OPERANDS:
            left = x_value = x
            x_tracked = False
        else:
            return _record(definition, (x, y), NO_PARAMETERS)
        if type(y) is Tensor:
            right = y._node
            if right is None:
                return _record(definition, (x, y), NO_PARAMETERS)
            y_value = y._value
            if right.requires_grad:
                plan, keeps, keep_x, keep_y, keep_out = both if x_tracked else right_only
            elif x_tracked:
                plan, keeps, keep_x, keep_y, keep_out = left_only
            else:
                return _record(definition, (x, y), NO_PARAMETERS)
        elif x_tracked and type(y) in _OPERANDS:
            right = y_value = y
            plan, keeps, keep_x, keep_y, keep_out = left_only
        else:
            return _record(definition, (x, y), NO_PARAMETERS)
        try:
            value = forward(x_value, y_value)
        except Exception as error:
            explain(error, definition, (x_value, y_value))
            raise
        if type(value) is not _float64 and (type(value) not in _RESULTS or value.dtype.kind != "f"):
            return _record(definition, (x, y), NO_PARAMETERS, value)
        node = Node()
        node.plan = plan
        node.parents = (left, right)
        node.parameters = NO_PARAMETERS
        node.index = next_index()
        node.requires_grad = True
        if keeps:
            node.kept = (
                x_value if keep_x else None,
                y_value if keep_y else None,
                value if keep_out else None,
            )
        else:
            node.kept = _NOTHING
        node.note = None
        if type(value) is _float64:
            node.shape = ()
            node.dtype = _FLOAT64
        else:
            node.shape = value.shape
            node.dtype = value.dtype
            if value.base is not None or value is x_value or value is y_value:
                _note_view(value, (left, right))
        out = _new(Tensor)
        out._value = value
        out._node = node
        return out

    return binary


def _general_recorder(definition: Primitive, short: Callable[..., Any] | None) -> Any:
    """Return a recorder that sorts what was passed by name, and then calls the short one, if there is one."""
    count = None if definition.variadic else len(definition.arguments)
    defaults, complete = definition.defaults, definition.complete

    def general(*args: Any, **parameters: Any) -> Any:
        if count is not None and len(args) != count:
            args, parameters = _bind(definition, args, parameters)
        if parameters or not complete:
            parameters = _complete(definition, parameters)
        # Nodes share the dict of defaults: nobody writes to a node's parameters.
        return _record(definition, args, parameters or defaults) if short is None else short(*args)

    return general


def _bind(definition: Primitive, args: tuple[Any, ...], parameters: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
    """Sort what was passed by position and by keyword into arguments and static parameters."""
    names = definition.arguments
    extra = args[len(names) :]
    given = dict(zip(definition.positional, extra, strict=False))
    if len(given) < len(extra) or not given.keys().isdisjoint(parameters):
        raise TypeError(f"{definition.name}: got {len(args)} positional arguments for {definition!r}")
    args = args[: len(names)]
    try:
        by_keyword = tuple(parameters[name] for name in names[len(args) :])
    except KeyError as error:
        raise TypeError(f"{definition.name}: missing argument {error} of {definition!r}") from None
    rest = {name: value for name, value in parameters.items() if name not in names}
    return args + by_keyword, given | rest


def _complete(definition: Primitive, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the static parameters with defaults filled in, safe from later changes."""
    complete = {**definition.defaults, **parameters}
    if len(complete) != len(definition.defaults):
        unknown = sorted(parameters.keys() - definition.defaults.keys())
        raise TypeError(f"{definition.name}: unexpected {unknown}; the parameters are {[*definition.defaults]}")
    if not _CHECKED.isdisjoint(map(type, complete.values())):
        for name, value in complete.items():
            if value is inspect.Parameter.empty:
                raise TypeError(f"{definition.name}: missing {[name]}; the parameters are {[*definition.defaults]}")
            complete[name] = _static(definition.name, name, value)
    return complete


def _static(operation: str, name: str, value: Any) -> Any:
    """Return a static parameter as a node keeps it: a list, which may change, as a tuple.

    Raises:
        TypeError: a tensor, which would lose its record here.
    """
    if type(value) is Tensor:
        raise TypeError(f"{operation}: {name} must be a plain value, not a tensor; pass {name}=t.item()")
    return tuple(value) if type(value) is list else value


_CHECKED = frozenset({list, Tensor, type(inspect.Parameter.empty)})
"""Types of static parameters that need a look."""


_NOT_COMPUTED = object()


def _record(
    definition: Primitive, args: tuple[Any, ...], parameters: dict[str, Any], computed: Any = _NOT_COMPUTED
) -> Any:
    """Compute an operation on any arguments, in any mode, and record it where that is due.

    Args:
        definition: the operation.
        args: tensors and whatever NumPy takes for arrays.
        parameters: all static parameters.
        computed: what forward returned, if it has been called already.
    """
    if Tensor not in map(type, args):
        return _raw_call(definition, args, parameters)
    mode = current()
    if mode is not None:
        if mode.computes_only:
            return _compute_only(definition, args, parameters)
        mode = effective()
    values: list[Any] = []
    parents: list[Any] = []
    tracked: tuple[int, ...] = ()
    due = bare = False  # whether a node is due; whether nothing has recorded some constant so far
    for argument in args:
        kind = type(argument)
        if kind is Tensor:
            node = argument._node
            if node is None:
                bare = True
            elif node.requires_grad:
                tracked += (len(values),)
            elif node.plan is not None:
                due = True
            values.append(argument._value)
            parents.append(node)
        else:
            if kind not in _OPERANDS:
                argument = _as_array(definition, argument)
            values.append(argument)
            parents.append(argument)
    if computed is _NOT_COMPUTED:
        value, residuals = definition.compute(values, parameters)
    else:
        value, residuals = definition.split_residuals(computed)
    due = due or tracked != ()
    if mode is not None:
        if mode.anomaly:
            _refuse_not_finite(definition, value)
        due = mode.grad and (due or bool(mode.recordings))
    if not due:
        return _constant(definition, value, values)
    several = isinstance(value, tuple)
    for output in value if several else (value,):
        if output.dtype.kind not in "fiub":
            _refuse_dtype(definition, output)
    if bare:
        parents = [_leaf_of(a) if type(a) is Tensor and p is None else p for a, p in zip(args, parents, strict=True)]
    plan = definition.plan(tracked)
    node = Node()
    node.plan = plan
    node.parents = tuple(parents)
    node.parameters = parameters
    node.index = next_index()
    if several:
        node.shape = tuple(output.shape for output in value)
        node.dtype = tuple(output.dtype for output in value)
        node.requires_grad = bool(plan.wanted)
    else:
        node.shape = value.shape
        node.dtype = value.dtype
        node.requires_grad = bool(plan.wanted) and value.dtype.kind == "f"
    node.kept = plan.keep(values, value, residuals, parameters) if node.requires_grad else ()
    node.note = None
    for output in value if several else (value,):
        if output.base is not None or id(output) in map(id, values):
            _note_view(output, node.parents)
    if mode is not None:
        _annotate(node, value, mode)
    if several:
        return _outputs(value, value, node)
    return tensor(value, node)


def _compute_only(definition: Primitive, args: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Compute an operation on tensors and others where nothing is to be recorded."""
    values = [a._value if type(a) is Tensor else a if type(a) in _OPERANDS else _as_array(definition, a) for a in args]
    value, _ = definition.compute(values, parameters)
    return _constant(definition, value, values)


def _raw_call(definition: Primitive, args: tuple[Any, ...], parameters: dict[str, Any]) -> Any:
    """Compute on arrays: the result is an array, and nothing is recorded."""
    if not _OPERANDS.issuperset(map(type, args)):
        args = tuple([_as_array(definition, a) for a in args])
    try:
        result = definition.raw(*args, **parameters)
    except Exception as error:
        explain(error, definition, args)
        raise
    return definition.split_residuals(result)[0] if definition.residuals else result


def _as_array(definition: Primitive, argument: Any) -> Any:
    """Return what is not a tensor as forward takes it: numbers, None and NumPy's scalars as they are."""
    if type(argument) in _OPERANDS or argument is None or isinstance(argument, np.generic):
        return argument
    if isinstance(argument, np.ma.MaskedArray):
        raise TypeError(f"{definition.name}: masked arrays are not supported; use np.where, or .filled()")
    return np.asarray(argument)


def lifted(node: Node) -> tuple[Any, ...]:
    """Return what the node kept with Tensors in place of arrays that have a record of their own."""
    assert node.plan is not None
    assert node.kept is not None
    found: list[Any] = []
    for source, value in zip(node.plan.sources, node.kept, strict=True):
        if source is not None and source.kind == "argument":
            found.append(_lift(value, node.parents[source.key]))
        elif source is not None and source.kind == "arguments":
            parents = node.parents[source.key :]
            found.append(tuple(_lift(v, parent) for v, parent in zip(value, parents, strict=True)))
        elif source is not None and source.kind == "out":
            found.append(_outputs(value, value, node) if isinstance(value, tuple) else tensor(value, node))
        elif source is not None and source.kind == "residual":
            found.append(differentiable_residual(value))
        else:
            found.append(value)
    return tuple(found)


def differentiable_residual(value: Any) -> Any:
    """Return what a rule gets for a residual where the gradient is to be differentiated: integers, booleans or None.

    Floats depend on the arguments, and would be taken for constants; so would what merely contains floats.
    """
    return value if _is_discrete(value) else None


def _is_discrete(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_discrete, value))
    return isinstance(value, (np.ndarray, np.generic, int)) and np.asarray(value).dtype.kind in "iub"


def _lift(value: Any, parent: Any) -> Any:
    return tensor(value, parent) if type(parent) is Node else value


def tensor(value: Any, node: Node | None) -> Tensor:
    """Return a handle of a computed value, without copying it."""
    out = _new(Tensor)
    out._value = value
    out._node = node
    return out  # type: ignore[no-any-return]


def _leaf_of(constant: Tensor) -> Node:
    """Return the leaf of a tensor that nothing has recorded so far, made on first use."""
    constant._node = leaf(constant._value, requires_grad=False)
    return constant._node


def _outputs(kind: tuple[Any, ...], values: Sequence[Any], node: Node | None) -> Any:
    """Return a handle for each of several outputs, in a tuple of the same kind (NumPy's are named)."""
    handles = [tensor(value, None if node is None else output_node(node, i, value)) for i, value in enumerate(values)]
    return kind._make(handles) if hasattr(kind, "_make") else tuple(handles)


def output_node(node: Node, position: int, value: Any) -> Node:
    """Return a new node for one output of a node with several."""
    out = Node()
    out.plan = OUTPUT.plan((0,) if node.requires_grad and value.dtype.kind == "f" else ())
    out.parents = (node,)
    out.parameters = {"position": position}
    out.index = next_index()
    out.shape = value.shape
    out.dtype = value.dtype
    out.requires_grad = bool(out.plan.wanted)
    out.kept = ()
    out.note = None
    mode = None if current() is None else effective()
    if mode is not None:
        _annotate(out, value, mode)
    return out


def _output(values: tuple[Any, ...], *, position: int) -> Any:
    return values[position]


OUTPUT = Primitive(_output, "output", (), None, False, {"values": collect})
"""One of several outputs: the sweep collects the bars for the node with the outputs."""


def _constant(definition: Primitive, value: Any, arguments: Sequence[Any]) -> Any:
    """Return the result of a computation that is not recorded."""
    if isinstance(value, tuple):
        return _outputs(value, [_own(definition, output, arguments) for output in value], None)
    return tensor(value if type(value) is _float64 else _own(definition, value, arguments), None)


def _own(definition: Primitive, value: Any, arguments: Sequence[Any]) -> Any:
    """Return a constant result that is no view of an argument: a tensor is a value of its own.

    Raises:
        TypeError: a dtype that no tensor has.
    """
    if value.dtype.kind not in "fiub":
        _refuse_dtype(definition, value)
    is_view = value.base is not None and any(np.may_share_memory(value, v) for v in arguments)
    return value.copy() if is_view or id(value) in map(id, arguments) else value


def _note_view(value: Any, parents: Any) -> None:
    """Note on each leaf whose array `value` is a view of that it must be copied before it is written in place."""
    for parent in parents:
        if type(parent) is Node and parent.plan is None and parent.note is not None:
            parent.note.shared |= np.may_share_memory(value, parent.note.value)


# --- Modes and messages ------------------------------------------------------------------------------------


def _annotate(node: Node, value: Any, mode: Mode) -> None:
    """Add what the modes in force want a node to remember."""
    if not mode.recordings and not mode.anomaly:
        return
    note = note_of(node)
    note.line = user_line()
    if mode.recordings:
        note.recorded = True
        note.value = value
        note.scope = mode.scope
        for nodes in mode.recordings:
            nodes.append(node)
    if mode.anomaly:
        note.fingerprints = [fingerprint(kept) for kept in node.kept or ()]


def fingerprint(kept: Any) -> int | None:
    """Return a hash of the contents of an array, or of the arrays in a tuple; None for what is neither."""
    if isinstance(kept, tuple):
        return hash(tuple(map(fingerprint, kept)))
    return hash(kept.tobytes()) if isinstance(kept, np.ndarray) else None


def _refuse_not_finite(definition: Primitive, value: Any) -> None:
    for output in value if isinstance(value, tuple) else (value,):
        if output.dtype.kind == "f" and not np.all(np.isfinite(output)):
            what = "NaN" if np.any(np.isnan(output)) else "infinity"
            raise FloatingPointError(f"{definition.name}: the forward pass returned {what}, at {user_line()}")


def _refuse_dtype(definition: Primitive, value: Any) -> NoReturn:
    raise TypeError(
        f"{definition.name}: expected results of a real dtype (float16/32/64, integer or bool), got {value.dtype}"
    )


def explain(error: Exception, definition: Primitive, values: Any, argument: str | None = None) -> None:
    """Add to an error from a forward or a rule which operation it was, and on what."""
    shown = ", ".join(_shown(value) for value in values)
    where = f"in {definition.name}({shown})" if argument is None else f"in the rule of {definition.name} for {argument}"
    error.add_note(where)


def explain_rule(error: Exception, plan: Plan, argument: str, bar: Any, also: str = "") -> None:
    """Add to an error from a rule, or from what rules share, whose it is and the shapes: the bar's, and `also`."""
    bars = bar if isinstance(bar, tuple) else (bar,)
    explain(error, plan.primitive, (), argument)
    error.add_note(f"the output's bar has shape {[np.shape(b) for b in bars]}{also}")
    if type(bars[0]) is Tensor and plan.primitive.residuals:
        error.add_note("where the gradient is to be differentiated, a rule gets None for a residual of floats")


def _shown(value: Any) -> str:
    if isinstance(value, (np.ndarray, np.generic, Tensor)):
        return f"{value.dtype}{list(value.shape)}"
    return f"{type(value).__name__}"

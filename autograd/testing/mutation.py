"""The mutation score of rules: faults planted in them one by one, and which of these a test suite notices.

`mutants` makes the faults of an operation: some wrap any rule (a sign, a thousandth, the argument of an earlier call, what
it uses cut off from the record), the others change its source (a lost term, factor, reduction or transposition, operands
exchanged, a comparison turned). `score` plants each and runs a suite.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.tensor import Tensor, raw

Rule = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Mutant:
    """A fault of one rule.

    Attributes:
        primitive: the operation.
        argument: whose rule it is.
        fault: what was changed, for a person.
        rule: the faulty rule; takes what the right one takes.
    """

    primitive: Primitive
    argument: str
    fault: str
    rule: Rule

    def __str__(self) -> str:
        return f"{self.primitive.name}, {self.argument}: {self.fault}"


@dataclass(eq=False)
class Score:
    """What a suite made of some mutants.

    Attributes:
        killed: those that it noticed.
        survivors: those that it did not.
    """

    killed: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """How many of a hundred were noticed."""
        total = len(self.killed) + len(self.survivors)
        return 100.0 * len(self.killed) / total if total else 100.0

    def __str__(self) -> str:
        lines = [
            f"{len(self.killed)} of {len(self.killed) + len(self.survivors)} faults noticed ({self.percent:.1f} %)"
        ]
        return "\n".join(lines + [f"  survived: {mutant}" for mutant in self.survivors])


def score(operations: Iterable[Any], suite: Callable[[Any], None]) -> Score:
    """Plant every fault of some operations, one at a time, and run a suite on each.

    Args:
        operations: what `primitive` returned.
        suite: called with the operation; raises anything if it notices a fault.

    Raises:
        AssertionError: the suite fails without a fault.

    Example:
        >>> from autograd import primitive
        >>> from autograd.testing import check_gradients
        >>> cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3 * ybar * x * x)
        >>> found = score([cube], lambda operation: check_gradients(operation, np.array([0.5, -2.0])))
        >>> found.percent
        100.0
    """
    result = Score()
    for operation in operations:
        try:
            suite(operation)
        except Exception as error:
            raise AssertionError(f"{operation.primitive.name}: the suite fails without a fault: {error}") from error
        for mutant in mutants(operation):
            survived = True
            with planted(mutant):
                try:
                    suite(operation)
                except Exception:  # noqa: BLE001 (however it notices)
                    survived = False
            (result.survivors if survived else result.killed).append(mutant)
    return result


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Put a fault into its operation for the time of a `with` block."""
    definition = mutant.primitive
    original = definition.rules[mutant.argument]
    _install(definition, mutant.argument, mutant.rule)
    try:
        yield
    finally:
        _install(definition, mutant.argument, original)


def _install(definition: Primitive, argument: str, rule: Rule | None) -> None:
    definition.rules[argument] = rule
    for plan in definition._plans.values():
        plan.shares = tuple(
            share._replace(rule=rule) if definition.argument_name(share.position) == argument else share
            for share in plan.shares
        )


def mutants(operation: Any) -> Iterator[Mutant]:
    """Yield the faults that can be planted in the rules of an operation."""
    definition: Primitive = operation.primitive
    for argument, rule in definition.rules.items():
        if rule is not None:
            for fault, faulty in (*_wrapped(definition, argument, rule), *_rewritten(rule)):
                yield Mutant(definition, argument, fault, faulty)


# --- Faults of any rule ------------------------------------------------------------------------------------------


def _wrapped(definition: Primitive, argument: str, rule: Rule) -> Iterator[tuple[str, Rule]]:
    yield "sign lost", lambda bar, *needs: -rule(bar, *needs)
    yield "off by a thousandth", lambda bar, *needs: rule(bar, *needs) * 1.001
    if _uses_values(definition, argument):
        yield "what it uses is a constant", lambda bar, *needs: rule(bar, *map(_cut_off, needs))
        yield "what an earlier call used", _stale(rule)


def _uses_values(definition: Primitive, argument: str) -> bool:
    """Tell whether a rule uses its output, or an argument through which a gradient flows."""
    for kind, key in definition._needs[argument]:
        if kind == "out" or (kind in ("argument", "arguments") and definition.rules.get(definition.arguments[key])):
            return True
    return False


def _cut_off(need: Any) -> Any:
    if type(need) is Tensor:
        return raw(need)
    if isinstance(need, tuple):
        found = [_cut_off(part) for part in need]
        return need._make(found) if hasattr(need, "_make") else tuple(found)
    return need


def _stale(rule: Rule) -> Rule:
    """Return a rule that uses the arrays of its first call with arrays of these shapes."""
    first: dict[Any, tuple[Any, ...]] = {}

    def stale(bar: Any, *needs: Any) -> Any:
        return rule(bar, *_earlier(first.setdefault(_shapes(needs), needs), needs))

    return stale


def _shapes(needs: Any) -> Any:
    if isinstance(needs, tuple):
        return tuple(map(_shapes, needs))
    return needs.shape if _is_float(needs) else None


def _earlier(before: Any, now: Any) -> Any:
    """Return nested tuples with the arrays of an earlier call, and the rest as it is now."""
    if isinstance(now, tuple):
        found = [_earlier(b, n) for b, n in zip(before, now, strict=True)]
        return now._make(found) if hasattr(now, "_make") else tuple(found)
    return before if _is_float(now) else now


def _is_float(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic, Tensor)) and x.dtype.kind == "f"


# --- Faults in the source of a rule ------------------------------------------------------------------------------


def _rewritten(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield the rule with one expression changed, for every expression of a kind that can be lost or confused."""
    tree = _source_of(rule)
    if tree is None:
        return
    count = sum(1 for _ in ast.walk(tree))
    seen = {ast.dump(tree)}
    for number in range(count):
        for way in range(_MOST_WAYS):
            changed = _source_of(rule)
            assert changed is not None
            editor = _Editor(number, way)
            changed = editor.visit(changed)
            if not editor.done or ast.dump(changed) in seen:
                continue
            seen.add(ast.dump(changed))
            yield editor.fault, _compiled(changed, rule)


_MOST_WAYS = 2

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}

_REDUCTIONS = ("sum", "mean", "sum_to", "cumsum")
_LAYOUTS = ("transpose", "transposed", "swapaxes", "matrix_transpose", "flip", "roll", "moveaxis")


class _Editor(ast.NodeTransformer):
    """Changes the expression that is met as number so and so, in one of the ways that there are for it."""

    def __init__(self, number: int, way: int) -> None:
        self.countdown = number
        self.way = way
        self.done = False
        self.fault = ""

    def visit(self, node: ast.AST) -> Any:
        """Return the node, changed if it is the one."""
        if self.countdown == 0:
            self.countdown = -1
            changed = self._changed(node)
            if changed is not None:
                self.done = True
                self.fault = f"{changed[0]}: {ast.unparse(node)}"
                return ast.copy_location(changed[1], node)
            return node
        self.countdown -= 1
        return self.generic_visit(node)

    def _changed(self, node: ast.AST) -> tuple[str, ast.AST] | None:
        if isinstance(node, ast.BinOp):
            return self._changed_binary(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and self.way == 0:
            return "minus lost", node.operand
        if isinstance(node, ast.Compare) and type(node.ops[0]) in _TURNED and self.way == 0:
            return "comparison turned", ast.Compare(node.left, [_TURNED[type(node.ops[0])]()], node.comparators)
        if isinstance(node, ast.Attribute) and node.attr in ("T", "mT") and self.way == 0:
            return "not transposed", node.value
        if isinstance(node, ast.Call):
            return self._changed_call(node)
        return None

    def _changed_binary(self, node: ast.BinOp) -> tuple[str, ast.AST] | None:
        kind = type(node.op)
        if kind in (ast.Add, ast.Sub):
            return ("term lost", node.left) if self.way == 0 else ("term lost", node.right)
        if kind in (ast.Mult, ast.Div):
            return ("factor lost", node.left) if self.way == 0 else ("factor lost", node.right)
        if kind is ast.MatMult and self.way == 0:
            return "operands exchanged", ast.BinOp(node.right, node.op, node.left)
        return None

    def _changed_call(self, node: ast.Call) -> tuple[str, ast.AST] | None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        is_method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") != "np"
        inner = node.func.value if is_method and isinstance(node.func, ast.Attribute) else next(iter(node.args), None)
        if name in _REDUCTIONS and inner is not None and self.way == 0:
            return "reduction lost", inner
        if name in _LAYOUTS and inner is not None and self.way == 0:
            return "not transposed or moved", inner
        if name == "where" and len(node.args) == 3 and self.way == 0:
            return "branches exchanged", ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
        return None


def _source_of(rule: Rule) -> ast.Lambda | ast.FunctionDef | None:
    """Return the syntax tree of a lambda or a function; None if its source cannot be had."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return None
    try:
        module = ast.parse("".join(inspect.findsource(rule)[0]))
    except (OSError, SyntaxError):
        return None
    positions = [p for p in code.co_positions() if p[0] is not None and p[2] is not None]
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name and node.lineno == code.co_firstlineno:
            node.decorator_list, node.returns = [], None
            return node
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
            body = node.body
            inside = all(
                (body.lineno, body.col_offset) <= (line, column or 0)
                and (end or line, end_column or 0) <= (body.end_lineno or 0, body.end_col_offset or 0)
                for line, end, column, end_column in positions
                if line is not None and (line, column, end_column) != (code.co_firstlineno, 0, 0)
            )
            names = [argument.arg for argument in node.args.args]
            if inside and positions and names == list(code.co_varnames[: code.co_argcount]):
                return node
    return None


def _compiled(tree: ast.Lambda | ast.FunctionDef, rule: Rule) -> Rule:
    """Return the function of a changed tree, in the surroundings of the rule that it comes from."""
    assert isinstance(rule, types.FunctionType)
    cells = dict(zip(rule.__code__.co_freevars, rule.__closure__ or (), strict=True))
    function: ast.stmt
    if isinstance(tree, ast.Lambda):
        function = ast.Assign([ast.Name("changed", ast.Store())], tree)
    else:
        tree.name = "changed"
        function = tree
    outer = ast.parse(textwrap.dedent(f"def outer({', '.join(cells)}):\n    return changed"))
    definition = outer.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.body.insert(0, function)
    namespace: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(outer), "<mutant>", "exec"), namespace)  # noqa: S102 (our own source, changed)
    inner: types.FunctionType = namespace["outer"](*[None] * len(cells))
    closure = tuple(cells[name] for name in inner.__code__.co_freevars)
    return types.FunctionType(inner.__code__, rule.__globals__, "mutant", rule.__defaults__, closure)


def names(found: Sequence[Mutant]) -> list[str]:
    """Return the mutants as texts, for messages and lists of the known."""
    return [str(mutant) for mutant in found]

"""One expression of a function changed, in every way in which a person might get it wrong.

`edited` reads the source of a rule and of the helpers that it calls from its own module, and yields the rule once for
each change. What the changes are is in `_edits`; `mutation` makes faults of them.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import inspect
import types
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

Function = Callable[..., Any]

REDUCTIONS = frozenset({"sum", "mean", "sum_to", "cumsum", "trace", "diagonal", "max", "min", "prod", "any", "all"})
LAYOUTS = frozenset({"transpose", "swapaxes", "matrix_transpose", "moveaxis", "flip", "roll", "T", "mT"})

_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
_BEYOND: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
}


def edited(rule: Function) -> Iterator[tuple[str, Function]]:
    """Yield (fault, rule with this fault) for each change of the rule's source and of its helpers'.

    Helpers are the functions of the rule's module that it calls, and those that they call. Nothing is yielded for a
    function whose source cannot be had.
    """
    if not isinstance(rule, types.FunctionType):
        return
    helpers = _helpers(rule)
    for name, function in {"": rule, **helpers}.items():
        tree = _source_of(function)
        if tree is None:
            continue
        seen = {ast.dump(tree)}
        count: Counter[str] = Counter()
        for node in _expressions(tree.body):
            for fault, change in _edits(node):
                changed = _with(tree, node, change)
                text = ast.dump(changed)
                if text not in seen:
                    seen.add(text)
                    count[fault] += 1
                    number = f" (number {count[fault]})" if count[fault] > 1 else ""
                    where = f"in {name}, " if name else ""
                    yield f"{where}{fault}{number}", _rebuilt(rule, helpers, name, changed)


def _expressions(tree: Any) -> Iterator[ast.AST]:
    """Yield a tree and all below it, but for annotations, and what only looks for errors."""
    if isinstance(tree, list):
        for part in tree:
            yield from _expressions(part)
    elif isinstance(tree, ast.keyword) and tree.arg == "strict":
        return
    elif isinstance(tree, ast.AST) and not isinstance(tree, (ast.Raise, ast.Assert)):
        yield tree
        for name, value in ast.iter_fields(tree):
            if name != "annotation":
                yield from _expressions(value)


# --- The changes -------------------------------------------------------------------------------------------------


def _edits(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield (fault, what stands in the node's place)."""
    for fault, change in _changes(node):
        yield f"{fault}: {ast.unparse(node)} -> {ast.unparse(change)}", change
    if isinstance(node, (ast.If, ast.IfExp)):
        for value in (True, False):
            rest = {name: getattr(node, name) for name in node._fields} | {"test": ast.Constant(value)}
            yield f"always {value}: {ast.unparse(node.test)}", type(node)(**rest)
    elif isinstance(node, (ast.Assign, ast.AugAssign)):
        yield f"left out: {ast.unparse(node)}", ast.Pass()


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.BinOp():
            yield from _changed_operator(node)
        case ast.UnaryOp(op=ast.USub()):
            yield "sign lost", node.operand
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield "negation lost", node.operand
        case ast.BoolOp():
            yield "and, or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        case ast.Compare(ops=[op]) if type(op) in _NEGATED:
            yield "opposite", ast.Compare(node.left, [_NEGATED[type(op)]()], node.comparators)
            if type(op) in _BEYOND:
                yield "tie on the other side", ast.Compare(node.left, [_BEYOND[type(op)]()], node.comparators)
        case ast.Attribute(attr="T" | "mT"):
            yield "not transposed", node.value
        case ast.Call():
            yield from _changed_call(node)
        case ast.Subscript(ctx=ast.Load()):
            yield "index lost", node.value
        case ast.Constant(value=bool()):
            yield "turned", ast.Constant(not node.value)
        case ast.Constant(value=int() | float() as number):
            yield "off by one", ast.Constant(number + 1)


def _changed_operator(node: ast.BinOp) -> Iterator[tuple[str, ast.expr]]:
    left, right = node.left, node.right
    match node.op:
        case ast.Add():
            yield "term lost", left
            yield "term lost", right
            yield "sign", ast.BinOp(left, ast.Sub(), right)
        case ast.Sub():
            yield "term lost", left
            yield "term lost", ast.UnaryOp(ast.USub(), right)
            yield "sign", ast.BinOp(left, ast.Add(), right)
        case ast.Mult():
            yield "factor lost", left
            yield "factor lost", right
        case ast.Div():
            yield "factor lost", left
            yield "not divided", ast.BinOp(left, ast.Mult(), right)
        case ast.Pow() | ast.Mod() | ast.FloorDiv():
            yield "power or division lost", left
        case ast.MatMult():
            yield "operands exchanged", ast.BinOp(right, ast.MatMult(), left)
        case ast.BitAnd() | ast.BitOr():
            yield "condition lost", left
            yield "condition lost", right


def _changed_call(node: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    function, arguments = node.func, node.args
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if hasattr(builtins, name) and isinstance(function, ast.Name):
        return
    of_module = isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in ("np", "numpy", "math")
    inner: ast.expr | None = arguments[0] if arguments and not isinstance(arguments[0], ast.Starred) else None
    if isinstance(function, ast.Attribute) and not of_module:
        inner = function.value
    if name == "where" and len(arguments) == 3:
        condition, x, y = arguments
        yield "branches exchanged", ast.Call(function, [condition, y, x], node.keywords)
        yield "where lost", x
        yield "where lost", y
    elif inner is not None:
        yield "reduction lost" if name in REDUCTIONS else "not moved" if name in LAYOUTS else "call lost", inner
    for keyword in node.keywords:
        yield "keyword lost", ast.Call(function, arguments, [k for k in node.keywords if k is not keyword])


def _with(tree: Any, old: ast.AST, new: ast.AST) -> Any:
    """Return a tree with one node replaced; the rest is shared with the old tree."""
    if tree is old:
        return new
    if isinstance(tree, list):
        return [_with(part, old, new) for part in tree]
    if not isinstance(tree, ast.AST):
        return tree
    return type(tree)(**{name: _with(value, old, new) for name, value in ast.iter_fields(tree)})


# --- From functions to trees and back ----------------------------------------------------------------------------


def _helpers(rule: types.FunctionType) -> dict[str, types.FunctionType]:
    """Return the functions of the rule's module that it calls, directly or not, by name."""
    found: dict[str, types.FunctionType] = {}
    waiting = [rule.__code__]
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
        for name in sorted({step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}):
            value = rule.__globals__.get(name)
            function: Any = getattr(value, "__wrapped__", value)  # as `lru_cache` leaves it
            is_helper = isinstance(function, types.FunctionType) and function.__globals__ is rule.__globals__
            if is_helper and not hasattr(value, "primitive") and name not in found:
                found[name] = function
                waiting.append(function.__code__)
    return found


def _source_of(function: types.FunctionType) -> ast.Lambda | ast.FunctionDef | None:
    """Return the syntax tree of a function; None if its source cannot be had."""
    code = function.__code__
    try:
        module = _parsed("".join(inspect.findsource(function)[0]))
    except (OSError, SyntaxError):
        return None
    for node in module:
        if isinstance(node, ast.Lambda):
            if code.co_name == "<lambda>" and _is_lambda_of(node, code):
                return node
        elif (node.name, _first_line(node)) == (code.co_name, code.co_firstlineno):
            return ast.FunctionDef("changed", node.args, node.body, [], None)
    return None


def _first_line(node: ast.FunctionDef) -> int:
    return node.decorator_list[0].lineno if node.decorator_list else node.lineno


@functools.lru_cache(maxsize=64)
def _parsed(source: str) -> list[ast.Lambda | ast.FunctionDef]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.Lambda, ast.FunctionDef))]


def _is_lambda_of(node: ast.Lambda, code: types.CodeType) -> bool:
    """Tell whether the code was compiled from this lambda: several can stand in one line."""
    body = node.body
    assert body.end_lineno is not None
    assert body.end_col_offset is not None
    arguments = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    positions = [p for p in code.co_positions() if p[0] is not None and p[2] is not None and p[2] != p[3]]
    return (
        bool(positions)
        and arguments == [*code.co_varnames[: len(arguments)]]
        and all(
            (body.lineno, body.col_offset) <= (line or 0, column or 0)
            and (end or 0, end_column or 0) <= (body.end_lineno, body.end_col_offset)
            for line, end, column, end_column in positions
        )
    )


def _rebuilt(
    rule: types.FunctionType, helpers: dict[str, types.FunctionType], name: str, changed: ast.Lambda | ast.FunctionDef
) -> Function:
    """Return the rule with a changed body of its own (`name` is empty) or of one of its helpers."""
    namespace = dict(rule.__globals__)
    namespace.update({key: _moved(helper, namespace) for key, helper in helpers.items()})
    if not name:
        return _compiled(changed, rule, namespace)
    namespace[name] = _compiled(changed, helpers[name], namespace)
    return _moved(rule, namespace)


def recompiled(rule: Function) -> Function:
    """Return the rule with it and its helpers compiled again, unchanged: what `edited` does but for the change."""
    if not isinstance(rule, types.FunctionType):
        return rule
    namespace, found = dict(rule.__globals__), {"": rule, **_helpers(rule)}
    for name, function in reversed(found.items()):
        tree = _source_of(function)
        namespace[name] = _moved(function, namespace) if tree is None else _compiled(tree, function, namespace)
    return namespace[""]  # type: ignore[no-any-return]


def _moved(
    function: types.FunctionType, namespace: dict[str, Any], code: types.CodeType | None = None
) -> types.FunctionType:
    """Return the function, perhaps of other code, where these are its module's names."""
    code = code or function.__code__
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    closure = tuple(cells[free] for free in code.co_freevars)
    moved = types.FunctionType(code, namespace, function.__name__, function.__defaults__, closure)
    moved.__kwdefaults__ = function.__kwdefaults__
    return moved


def _compiled(tree: ast.Lambda | ast.FunctionDef, function: types.FunctionType, namespace: dict[str, Any]) -> Function:
    """Return the function of a changed tree, in the surroundings of the one that it comes from."""
    definition: ast.stmt = tree if isinstance(tree, ast.FunctionDef) else ast.Assign([_stored("changed")], tree)
    free = function.__code__.co_freevars
    outer = ast.parse(f"def outer({', '.join(free)}):\n    return changed")
    assert isinstance(outer.body[0], ast.FunctionDef)
    outer.body[0].body.insert(0, definition)
    code = compile(ast.unparse(ast.fix_missing_locations(outer)), "<mutant>", "exec")
    made = _nested(_nested(code, "outer"), "changed" if isinstance(tree, ast.FunctionDef) else "<lambda>")
    return _moved(function, namespace, made)


def _stored(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _nested(code: types.CodeType, name: str) -> types.CodeType:
    return next(c for c in code.co_consts if isinstance(c, types.CodeType) and c.co_name == name)

"""The recorded graph checked node by node: each operation alone, its forward and its rules, at the values it had.

`hygiene` looks at what a sweep does not show (arrays written to, bars of the wrong dtype); `find_blame` names the
first operation whose own derivatives are wrong, or the place where a value went past the record.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.modes import record
from autograd.primitive import OUTPUT, Primitive, _record
from autograd.program import Graph, Node
from autograd.tensor import Tensor, raw
from autograd.testing.compare import same_but_rounding
from autograd.testing.report import Blame, Problem, Report
from autograd.testing.subject import Stage, Subject, leaves_of, quiet

STANDARD_LIBRARY = str(Path(inspect.__file__).parent)

MOST_NODES = 2000
"""Operations that are checked one by one, in the order in which they were made."""

PAST = (
    "it is a constant for the record, but changes with the inputs: it was computed past the record (.item(), .numpy(), "
    ".data, detach(), no_grad, or grad() without create_graph)"
)
UNEXPLAINED = "each operation alone is right, and the record is complete: this may be a fault of the engine"
RANDOM = "it changes from call to call: it is random, or kept from an earlier call"
"""What may be said of an operand."""


def recorded(stage: Stage, arrays: Sequence[NDArray[Any]], names: Sequence[str] = ()) -> tuple[Graph, list[Tensor]]:
    """Return the record of one call, with every value kept, and the inputs, named if there are names."""
    inputs = leaves_of(arrays)
    for x, name in zip(inputs, names, strict=False):
        x.named(name)
    with record() as graph:
        stage(*inputs)
    return graph, inputs


def operations(graph: Graph) -> Iterator[Node]:
    """Yield the nodes that a derivative can be wrong in."""
    for node in graph.nodes[:]:
        if node.plan is not None and node.plan.primitive is not OUTPUT:
            yield node


def arguments(graph: Graph, node: Node) -> list[Any]:
    """Return the values that an operation was computed from."""
    return [None if parent.note is None else parent.note.value for parent in graph.parents(node)]


def line_of(node: Node) -> str | None:
    """Return the user's source line that made the node, or None.

    Where an operation was checked by itself, and the report is completed when it is printed, the line is none of his.
    """
    line = None if node.note is None else node.note.line
    ours = line is None or (line.startswith(STANDARD_LIBRARY) and "site-packages" not in line)
    return None if ours else line


def blame(node: Node, argument: str | None, finding: str) -> Blame:
    """Return the blame of one node."""
    assert node.plan is not None
    return Blame(node.plan.primitive.name, argument, line_of(node), finding, node.index)


class NodeSubject:
    """One operation of a record as a function of those of its arguments that a gradient flows to.

    It stands where `subject.Subject` stands for a user's function.
    """

    constants: tuple[Any, ...] = ()

    def __init__(self, graph: Graph, node: Node) -> None:
        assert node.plan is not None
        self.definition: Primitive = node.plan.primitive
        self.parameters = node.parameters
        self.function_name = self.definition.name
        self.values = arguments(graph, node)
        self.moving = [
            position
            for position, parent in enumerate(graph.parents(node))
            if parent.requires_grad and np.asarray(self.values[position]).dtype.kind == "f"
        ]
        self.arrays = [np.array(self.values[position]) for position in self.moving]
        self.names = [self.name(position) for position in self.moving]

    def name(self, position: int) -> str:
        """Return how messages call an argument."""
        name = self.definition.argument_name(position)
        spread = len(self.definition.arguments) - 1
        return f"{name}[{position - spread}]" if self.definition.variadic and position >= spread else name

    def stage(self, *xs: Any) -> list[Any]:
        """Do the operation, with `xs` for the arguments that move; return its floating-point outputs."""
        values = list(self.values)
        for position, x in zip(self.moving, xs, strict=True):
            values[position] = x
        result = _record(self.definition, tuple(values), self.parameters)
        outputs = result if isinstance(result, tuple) else (result,)
        return [y for y in outputs if y.dtype.kind == "f"]


# --- Each rule called by itself ----------------------------------------------------------------------------------


def hygiene(subject: Subject | NodeSubject, report: Report) -> None:
    """Call every operation of the record, and each of its rules, on read-only arrays; report what is wrong."""
    graph, inputs = recorded(subject.stage, subject.arrays)
    for node in operations(graph):
        problem = examine_rules(graph, node)
        if problem is not None:
            report.problems.append(problem)
            return
    known = {x._node for x in inputs}
    others = [node for node in graph.nodes if node.plan is None and node.requires_grad and node not in known]
    if others:
        shown = ", ".join(f"{node.name or 'one'} of shape {node.shape}" for node in others[:3])
        report.notes.append(f"tensors that require a gradient and are no inputs were not checked: {shown}")


def written(subject: Subject) -> Problem:
    """Return what is to be said of a record whose values are not those that it comes to when it is run again.

    To blame is the first operation that has another value now than it makes of its arguments.
    """
    graph, _ = recorded(subject.stage, subject.arrays)
    for node in operations(graph):
        if node.requires_grad and node.plan is not None and not _holds(graph, node):
            text = (
                f"what {node.plan.primitive.name} kept was written to, past the record (.data, or an array after use)"
            )
            return Problem("mutation", text, blame=blame(node, None, text))
    return Problem("mutation", "a recorded value was written to, past the record (.data)")


def _holds(graph: Graph, node: Node) -> bool:
    """Tell whether the value of an operation still is what it makes of its arguments."""
    assert node.plan is not None
    assert node.note is not None
    try:
        again, _ = node.plan.primitive.compute(_copied(arguments(graph, node), writeable=True), node.parameters)
    except Exception:  # noqa: BLE001 (it went well with what it was given first)
        return False
    now = node.note.value
    pairs = zip(again, now, strict=True) if isinstance(again, tuple) else [(again, now)]
    return all(same_but_rounding(a, b) for a, b in pairs)


def examine_rules(graph: Graph, node: Node) -> Problem | None:
    """Return what an operation or a rule does wrong to the arrays that it gets or returns, or None."""
    plan = node.plan
    assert plan is not None
    definition = plan.primitive
    values = arguments(graph, node)
    found = _without_writing(lambda *xs: definition.compute(list(xs), node.parameters)[0], values)
    if not isinstance(found, Refused) and _writes(lambda *xs: definition.compute(list(xs), node.parameters), values):
        found = Refused("mutation", "writes to an array that it is given")
    if isinstance(found, Refused):
        return Problem(found.kind, f"{definition.name}: {found.text}", blame=blame(node, None, found.text))
    if node.kept is None or not node.requires_grad:
        return None
    rng = np.random.default_rng(0)
    outputs = found if isinstance(found, tuple) else (found,)
    bars = tuple(rng.normal(size=y.shape).astype(y.dtype) for y in outputs)
    bar = bars if isinstance(found, tuple) else bars[0]
    kept_all = node.kept if plan.common is None else _without_writing(plan.with_shared, [bar, node.kept])
    if isinstance(kept_all, Refused):
        text = f"what its rules share {kept_all.text}"
        return Problem(kept_all.kind, f"{definition.name}: {text}", blame=blame(node, None, text))
    for position, rule, need, more_needs in plan.shares:
        if rule is None:
            continue
        kept = [] if need is None else [kept_all[i] for i in (need, *(more_needs or ()))]
        name = definition.argument_name(position)
        result = _without_writing(rule, [bar, *kept])
        if not isinstance(result, Refused):
            result = _unfit(result, graph.parents(node)[position], outputs) or result
        if isinstance(result, Refused):
            text = f"the rule for {name!r} {result.text}"
            return Problem(result.kind, f"{definition.name}: {text}", blame=blame(node, name, text))
    return None


@dataclasses.dataclass(frozen=True)
class Refused:
    """Why a call is not right."""

    kind: str
    text: str


def _without_writing(function: Callable[..., Any], values: Sequence[Any]) -> Any:
    """Return `function(*values)`, or `Refused` if it raises, writes to what it gets, or does not repeat itself."""
    results = []
    for _ in range(2):
        try:
            results.append(function(*_copied(values, writeable=False)))
        except Exception as error:  # noqa: BLE001 (rules are the user's)
            given = _copied(values, writeable=True)
            try:
                results.append(function(*given))
            except Exception:  # noqa: BLE001
                return Refused("error", f"raises {type(error).__name__}: {error}")
            if not all(map(_alike, given, values)):
                return Refused("mutation", "writes to an array that it is given")
    if not _alike(*results):
        return Refused("non-deterministic", "gives another result in a second call with the same arrays")
    return results[0]


def _writes(function: Callable[..., Any], values: Sequence[Any]) -> bool:
    """Tell whether a function writes to what it gets when it is called with the other signs.

    What it was recorded with may have been written to already, so that writing again changes nothing.
    """
    turned = [-v if isinstance(v, np.ndarray) and v.dtype.kind == "f" else v for v in values]
    given = _copied(turned, writeable=True)
    with contextlib.suppress(Exception):
        function(*given)
    return not all(map(_alike, given, turned))


def _copied(values: Any, writeable: bool) -> Any:
    """Return copies of the arrays in nested tuples and lists."""
    if isinstance(values, (list, tuple)):
        copies = [_copied(value, writeable) for value in values]
        return values._make(copies) if hasattr(values, "_make") else type(values)(copies)
    if isinstance(values, np.ndarray):
        copy = values.copy()
        copy.flags.writeable = writeable
        return copy
    return values


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_alike, a, b))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.shape == np.shape(b) and a.tobytes() == np.asarray(b).tobytes()
    return True


def _unfit(share: Any, parent: Node, outputs: Sequence[Any]) -> Refused | None:
    """Return why a rule's result cannot be the bar of an argument, or None.

    It may have the dtype of the argument, or that of an output which another argument made wider.
    """
    if not isinstance(share, (np.ndarray, np.generic)):
        return Refused("shape", f"returns {type(share).__name__}, not an array")
    if share.dtype not in (parent.dtype, *(y.dtype for y in outputs)):
        return Refused("dtype", f"returns {share.dtype} for an argument of {parent.dtype}")
    extra = share.ndim - len(parent.shape)
    if extra < 0 or any(n not in (1, m) for n, m in zip(parent.shape, share.shape[extra:], strict=True)):
        return Refused("shape", f"returns shape {share.shape} for an argument of shape {parent.shape}")
    return None


# --- Who is to blame -------------------------------------------------------------------------------------------------


def find_blame(subject: Subject, report: Report, stages: Sequence[Stage]) -> None:
    """Look for the operation to blame, and put it into the report's problems.

    Args:
        subject: what was checked.
        report: with what is wrong.
        stages: the function and its gradients, up to the order at which something is wrong.
    """
    with quiet():
        found, bent = _first_wrong(subject, report, stages)
        if found is None:
            found = _past_the_record(subject, stages[-1], report)
    if found is not None:
        report.problems = [dataclasses.replace(p, blame=p.blame or found) for p in report.problems]
    elif bent:
        where = ", ".join(f"{node.plan.primitive.name} at {line_of(node)}" for node in bent[:3] if node.plan)
        why = "at a kink"
        if any(problem.kind == "not finite" for problem in report.problems):
            why = "an infinite slope times zero, or less another one, is not a number"
        report.notes.append(f"each operation alone is right; {why}: {where}")
        report.bent = True
    elif not _tell_what_is_not_finite(report) and all(problem.kind != "mutation" for problem in report.problems):
        report.notes = [*(note for note in report.notes if note != UNEXPLAINED), UNEXPLAINED]


def _tell_what_is_not_finite(report: Report) -> bool:
    """Where a gradient is not finite, note the first operation whose value is not; return whether there is one."""
    if report.graph is None or all(problem.kind != "not finite" for problem in report.problems):
        return False
    for node in operations(report.graph):
        value = None if node.note is None else raw(node.note.value)
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f" and not np.isfinite(value).all():
            assert node.plan is not None
            report.notes.append(
                f"the values of {node.plan.primitive.name} at {line_of(node)} are not all finite: its slope there, "
                "times a bar of zero, is not a number; choose a safe argument first, f(where(safe, x, 1))"
            )
            return True
    return False


def _first_wrong(subject: Subject, report: Report, stages: Sequence[Stage]) -> tuple[Blame | None, list[Node]]:
    """Return the first operation whose own derivatives are wrong, and those that are at a kink."""
    from autograd.testing.check import run

    plan = [(stages[-1], 1)] if len(stages) == 1 else [(stages[-1], 1), (stages[0], len(stages))]
    if any(problem.kind == "error" for problem in report.problems):
        plan.append((stages[0], len(stages) + 1))  # it may be the next stage that could not be made
    bent: list[Node] = []
    for stage, order in plan:
        try:
            graph, _ = recorded(stage, subject.arrays, subject.names)
        except Exception as error:  # noqa: BLE001
            report.notes.append(f"the operations could not be looked at one by one: {type(error).__name__}: {error}")
            continue
        report.graph = graph if report.graph is None else report.graph
        for node in list(operations(graph))[:MOST_NODES]:
            problem = examine_rules(graph, node)
            if problem is not None:
                return problem.blame, bent
            alone = NodeSubject(graph, node)
            if not alone.arrays:
                continue
            result = Report(alone.function_name)
            try:
                run(alone, result, order, "directions", np.random.default_rng(0), brief=True)
                if not result.ok:
                    closer = Report(alone.function_name)
                    run(alone, closer, order, "auto", np.random.default_rng(0))
                    result = closer if not closer.ok else result
            except (TypeError, ValueError):  # no floating-point output, or none that is finite
                continue
            if not result.ok and not (report.rough and result.rough):
                problem = result.problems[0]
                argument = problem.input if problem.input in alone.names else None
                return blame(node, argument, f"{problem.kind}: {problem.comparison or problem.message}"), bent
            if result.kinks:
                bent.append(node)
    return None, bent


def _past_the_record(subject: Subject, stage: Stage, report: Report) -> Blame | None:
    """Return the first operation with a constant that is none: it changes when the inputs are moved."""
    rng = np.random.default_rng(0)
    moved = [(a * (1 + 1e-3 * rng.uniform(0.5, 1, a.shape)) + 1e-3 * (a == 0)).astype(a.dtype) for a in subject.arrays]
    again = any(problem.kind == "non-deterministic" for problem in report.problems)
    try:
        (before, first), (after, second) = (
            recorded(stage, subject.arrays),
            recorded(stage, subject.arrays if again else moved),
        )
    except Exception:  # noqa: BLE001 (the function is the user's, and the point is another)
        return None
    inputs = {t._node.index for t in (*first, *second) if t._node is not None}
    for old, new in zip(operations(before), operations(after), strict=False):
        assert old.plan is not None
        assert new.plan is not None
        if old.plan.primitive is not new.plan.primitive:
            return None
        pairs = zip(before.parents(old), after.parents(new), strict=False)
        for position, (a, b) in enumerate(pairs):
            if a.plan is None and b.plan is None and a.index not in inputs and not _same_value(a, b):
                found = blame(old, old.plan.primitive.argument_name(position), RANDOM if again else PAST)
                return dataclasses.replace(found, part="operand")
        if not again and repr(old.parameters) != repr(new.parameters):
            changed = [k for k in old.parameters if repr(old.parameters[k]) != repr(new.parameters.get(k))]
            return blame(
                old, None, f"its parameter {changed[0]} changes with the inputs, but no gradient flows through it"
            )
    return None


def _same_value(a: Node, b: Node) -> bool:
    if a.note is None or b.note is None:
        return True
    return np.array_equal(raw(a.note.value), raw(b.note.value), equal_nan=np.asarray(a.note.value).dtype.kind == "f")

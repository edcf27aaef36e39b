"""The mutation score of rules: faults planted in them one by one, and which of these a test suite notices.

A fault that no test notices is a derivative that no test checks. `mutants` makes the faults of an operation: some wrap
its rule, whatever it computes (a sign, a thousandth, one wrong element, the values of an earlier call, an ignored
parameter, a value cut off from the record, a write to what it gets, another dtype or layout in memory); the others
change one expression of its source, or of a helper's (a lost term, factor, sum, transposition, mask or keyword,
operands exchanged, a comparison or a condition turned, a number off by one; all of them are in `edits`). `score` plants
each and runs the tests that call the rule, until one fails.

Only rules are changed, each for as long as its mutant is planted; forward passes are not. Where no fault can be seen
at all, as where only the sign of a zero changes, the mutant is called equivalent, and the reason is the user's to give.

Source: DeMillo, Lipton and Sayward, "Hints on test data selection", Computer 11 (1978).
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from autograd.primitive import Primitive
from autograd.tensor import Tensor, raw
from autograd.testing.edits import edited, recompiled

Rule = Callable[..., Any]
Check = Callable[[], object]
Key = tuple[str, str, str]


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

    @property
    def keys(self) -> set[Key]:
        """Under what a reason can stand for why it cannot be noticed: (operation, argument or "*", fault)."""
        return {(self.primitive.name, argument, self.fault) for argument in (self.argument, "*")}

    def __str__(self) -> str:
        return f"{self.primitive.name}, rule of {self.argument}: {self.fault}"


@dataclass(eq=False)
class Score:
    """What a suite made of some mutants.

    Attributes:
        killed: those that it noticed.
        equivalent: those that it did not, and for which there is a reason.
        survivors: those that it did not, without one.
        refuted: those that it noticed although there was said to be a reason why it cannot.
        unused: reasons for mutants that there are not.
    """

    killed: list[Mutant] = field(default_factory=list)
    equivalent: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)
    refuted: list[Mutant] = field(default_factory=list)
    unused: list[Key] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """How many of a hundred were noticed, of those that can be."""
        total = len(self.killed) + len(self.survivors)
        return 100.0 * len(self.killed) / total if total else 100.0

    def by_operation(self) -> dict[str, tuple[int, int, int]]:
        """Return operation -> number of mutants killed, equivalent, survived; in alphabetical order."""
        groups = (self.killed, self.equivalent, self.survivors)
        names = sorted({mutant.primitive.name for group in groups for mutant in group})
        return {name: tuple(sum(m.primitive.name == name for m in group) for group in groups) for name in names}  # type: ignore[misc]

    def table(self) -> str:
        """Return a table in Markdown with a line for each operation."""
        lines = ["| operation | mutants | killed | equivalent | survived |", "|---|---|---|---|---|"]
        rows = {**self.by_operation(), "**all**": (len(self.killed), len(self.equivalent), len(self.survivors))}
        return "\n".join(
            lines + [f"| {name} | {sum(row)} | {' | '.join(map(str, row))} |" for name, row in rows.items()]
        )

    def __str__(self) -> str:
        total = len(self.killed) + len(self.equivalent) + len(self.survivors)
        counts = (
            f"{total} faults: {len(self.killed)} noticed, {len(self.equivalent)} without effect, "
            f"{len(self.survivors)} survived ({self.percent:.1f} %)"
        )
        survived = [f"  survived: {mutant}" for mutant in self.survivors]
        refuted = [f"  said to be without effect, but noticed: {mutant}" for mutant in self.refuted]
        return "\n".join([counts, *survived, *refuted])


def score(operations: Iterable[Any], checks: Iterable[Check], equivalent: Mapping[Key, str] | None = None) -> Score:
    """Plant every fault of some operations, one at a time, and see which of them the checks notice.

    A check is any function without arguments that raises if something is wrong: a test, or a call of
    `check_gradients` in a lambda. All are run once without a fault; each fault is then tried on those that called its
    rule, up to the first failure. Those come first that noticed an earlier fault of the rule, then those that call the
    fewest other rules.

    Args:
        operations: what `primitive` returned, or a `Primitive`.
        checks: the test suite.
        equivalent: (name of the operation, argument, fault) -> why no test can notice it; "*" stands for any argument.
            These do not count, but if a check notices one, it is among the score's `refuted`.

    Raises:
        AssertionError: a check fails without a fault.

    Example:
        >>> from autograd import primitive
        >>> from autograd.testing import check_gradients
        >>> cube = primitive(lambda x: x * x * x, name="cube", x=lambda ybar, x: 3 * ybar * x * x)
        >>> once = score([cube], [lambda: check_gradients(cube, np.array([1.0]), order=1)])
        >>> for mutant in once.survivors:
        ...     print(mutant)
        cube, rule of x: transposed
        cube, rule of x: always float64
        cube, rule of x: takes its bar for a constant
        cube, rule of x: reads its bar in the order of memory
        cube, rule of x: takes what it uses for a constant
        cube, rule of x: reads what it uses in the order of memory
        cube, rule of x: factor lost: 3 * ybar * x * x -> 3 * ybar * x

        Points other than 1, second derivatives, another dtype and matrices are still to be tried:

        >>> x = np.array([[0.5, -2.0], [1.5, 3.0]])
        >>> checks = [lambda: check_gradients(cube, x), lambda: check_gradients(cube, x.astype(np.float32))]
        >>> score([cube], checks).percent
        100.0
    """
    reasons = dict(equivalent or {})
    definitions = [getattr(operation, "primitive", operation) for operation in operations]
    callers = _callers(definitions, list(checks))
    result = Score()
    used = set()
    for mutant in (mutant for definition in definitions for mutant in mutants(definition)):
        noticed = _noticed(mutant, callers[mutant.primitive, mutant.argument])
        explained = mutant.keys & reasons.keys()
        used |= explained
        (result.killed if noticed else result.equivalent if explained else result.survivors).append(mutant)
        if noticed and explained:
            result.refuted.append(mutant)
    result.unused = [key for key in reasons if key not in used]
    return result


def _callers(definitions: list[Primitive], checks: list[Check]) -> dict[tuple[Primitive, str], list[Check]]:
    """Run the checks without a fault; return for each rule those that call it, the most specific first.

    Rules are compiled again for it, as they are for the faults: only what is changed shall make a difference.
    """
    calls: set[tuple[Primitive, str]] = set()
    found: dict[tuple[Primitive, str], list[tuple[int, float, Check]]] = {}

    def watched(place: tuple[Primitive, str], rule: Rule) -> Rule:
        def watching(*args: Any) -> Any:
            calls.add(place)
            return rule(*args)

        return watching

    with contextlib.ExitStack() as stack:
        for definition in definitions:
            for argument, rule in _rules(definition).items():
                place = definition, argument
                found[place] = []
                right = watched(place, recompiled(rule))
                stack.enter_context(planted(Mutant(definition, argument, "none", right)))
        for check in checks:
            calls.clear()
            start = time.perf_counter()
            error = _failure(check)
            if error is not None:
                raise AssertionError(f"a check fails without a fault: {error}") from error
            seconds = time.perf_counter() - start
            for place in calls:
                found[place].append((len(calls), seconds, check))
    return {place: [check for *_, check in sorted(each, key=lambda t: t[:2])] for place, each in found.items()}


def _noticed(mutant: Mutant, checks: list[Check]) -> bool:
    """Tell whether one of the checks notices the fault; put that one first, for it may notice the next one, too."""
    with planted(mutant), np.errstate(all="ignore"):
        for place, check in enumerate(checks):
            if _failure(check) is not None:
                checks.insert(0, checks.pop(place))
                return True
    return False


def _failure(check: Check) -> BaseException | None:
    """Return what a check raises; pytest's failures are no `Exception`s."""
    try:
        check()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 (however it notices)
        return error
    return None


@contextlib.contextmanager
def planted(mutant: Mutant) -> Iterator[None]:
    """Put a fault into its operation for the time of a `with` block; what the fault wrote to is put back in the end.

    Args:
        mutant: one of `mutants`.
    """
    definition = mutant.primitive
    original = _rules(definition)[mutant.argument]
    _install(definition, mutant.argument, mutant.rule)
    try:
        yield
    finally:
        _install(definition, mutant.argument, original)
        while _OVERWRITTEN:
            array, contents = _OVERWRITTEN.pop()
            if array.flags.writeable:
                array[...] = contents


def _rules(definition: Primitive) -> dict[str, Rule]:
    """Return the rules by argument, and what they share."""
    rules = {argument: rule for argument, rule in definition.rules.items() if rule is not None}
    return rules if definition.shared is None else {**rules, "shared": definition.shared}


def _install(definition: Primitive, argument: str, rule: Rule) -> None:
    if argument == "shared":
        definition.shared = rule
        return
    definition.rules[argument] = rule
    for plan in definition._plans.values():
        plan.shares = tuple(
            (position, rule if definition.argument_name(position) == argument else before, need, more_needs)
            for position, before, need, more_needs in plan.shares
        )


def mutants(operation: Any) -> Iterator[Mutant]:
    """Yield the faults that can be planted in the rules of an operation.

    Args:
        operation: what `primitive` returned, or a `Primitive`.
    """
    definition: Primitive = getattr(operation, "primitive", operation)
    for argument, rule in _rules(definition).items():
        for fault, faulty in (*_wrapped(definition, argument, rule), *edited(rule)):
            yield Mutant(definition, argument, fault, faulty)


# --- Faults of any rule ------------------------------------------------------------------------------------------


def _wrapped(definition: Primitive, argument: str, rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield faults that need no knowledge of what the rule computes."""
    for fault, change in _RESULTS.items():
        yield fault, lambda bar, *needs, change=change: _each(change, rule(bar, *needs))
    needs = definition.shared_needs if argument == "shared" else definition._needs[argument]
    shared = [i for i, need in enumerate(needs) if need.kind == "shared"]
    for fault, change in _BARS.items():
        yield fault, _with_bar(rule, change, shared)
    yield "writes to its bar", lambda bar, *needs: _then_overwritten(rule(bar, *needs), bar)

    arrays = [i for i, need in enumerate(needs) if need.kind in ("argument", "arguments", "out")]
    if arrays:
        yield "uses what an earlier call used", _stale(rule)
    if any(_carries_gradient(definition, needs[i]) for i in arrays):
        yield "takes what it uses for a constant", lambda bar, *needs: rule(bar, *_each(_cut_off, needs))
        yield "reads what it uses in the order of memory", lambda bar, *needs: rule(bar, *_each(_in_memory, needs))
        yield "writes to what it uses", lambda bar, *needs: _then_overwritten(rule(bar, *needs), needs)
    for i, j in combinations(arrays, 2):
        if "arguments" not in (needs[i].kind, needs[j].kind):
            names = " and ".join(_name(definition, needs[k]) for k in (i, j))
            yield f"takes {names} for each other", _exchanged(rule, i, j)
    for i, need in enumerate(needs):
        if need.kind == "parameter" and not _is_missing(definition.defaults[need.key]):
            yield f"ignores {need.key}", _ignoring(rule, i, definition.defaults[need.key])


def _wrong_at_the_end(result: Any) -> Any:
    weights = np.ones(result.shape, result.dtype)
    weights.reshape(-1)[-1:] = 1.1
    return result * weights


_RESULTS: dict[str, Callable[[Any], Any]] = {
    "sign lost": lambda result: -result,
    "off by a thousandth": lambda result: result * 1.001,
    "wrong at the last element": _wrong_at_the_end,
    "nothing": lambda result: result * 0,
    "transposed": lambda result: result.swapaxes(-1, -2) if result.ndim > 1 else result,
    "always float64": lambda result: result.astype(np.float64),
    "always float32": lambda result: result.astype(np.float32),
}


def _cut_off(x: Any) -> Any:
    return np.array(raw(x)) if type(x) is Tensor else x


def _in_memory(x: Any) -> Any:
    """Return an array with its elements in the order in which they lie in memory; anything else as it is."""
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous:
        return x
    forward = x[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in x.strides)]
    return forward.ravel(order="K").reshape(x.shape)


_BARS: dict[str, Callable[[Any], Any]] = {
    "forgets its bar": lambda bar: bar * 0 + 1,
    "takes its bar for a constant": _cut_off,
    "reads its bar in the order of memory": _in_memory,
}


def _each(change: Callable[[Any], Any], values: Any) -> Any:
    """Return nested tuples with `change` applied to the floating-point arrays in them."""
    if isinstance(values, tuple):
        found = [_each(change, value) for value in values]
        return values._make(found) if hasattr(values, "_make") else tuple(found)
    return change(values) if _is_float(values) else values


def _is_float(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic, Tensor)) and x.dtype.kind == "f"


_OVERWRITTEN: list[tuple[Any, Any]] = []
"""Arrays, perhaps of the test suite, that a planted fault wrote to, with their contents before."""


def _then_overwritten(result: Any, values: Any) -> Any:
    def overwrite(x: Any) -> Any:
        array = raw(x)
        if isinstance(array, np.ndarray):
            _OVERWRITTEN.append((array, array.copy()))
            array.fill(np.nan)
        return x

    _each(overwrite, values)
    return result


def _stale(rule: Rule) -> Rule:
    """Return a rule that uses the arrays of its first call with arrays of these shapes and dtypes."""
    first: dict[Any, Any] = {}

    def stale(bar: Any, *needs: Any) -> Any:
        return rule(bar, *_earlier(first.setdefault(_shapes(needs), needs), needs))

    return stale


def _shapes(needs: Any) -> Any:
    if isinstance(needs, tuple):
        return tuple(map(_shapes, needs))
    return (needs.shape, needs.dtype) if hasattr(needs, "dtype") else None


def _earlier(before: Any, now: Any) -> Any:
    """Return nested tuples with the arrays of an earlier call, and the rest as it is now."""
    if isinstance(now, tuple):
        found = [_earlier(b, n) for b, n in zip(before, now, strict=True)]
        return now._make(found) if hasattr(now, "_make") else tuple(found)
    return before if hasattr(now, "dtype") else now


def _exchanged(rule: Rule, i: int, j: int) -> Rule:
    def exchanged(bar: Any, *needs: Any) -> Any:
        order = list(needs)
        order[i], order[j] = order[j], order[i]
        return rule(bar, *order)

    return exchanged


def _with_bar(rule: Rule, change: Callable[[Any], Any], shared: list[int]) -> Rule:
    """Return a rule that gets its bar changed, and what was made of the bar for all rules."""

    def changed(bar: Any, *needs: Any) -> Any:
        return rule(_each(change, bar), *(_each(change, need) if i in shared else need for i, need in enumerate(needs)))

    return changed


def _ignoring(rule: Rule, i: int, default: Any) -> Rule:
    return lambda bar, *needs: rule(bar, *needs[:i], default, *needs[i + 1 :])


def _is_missing(default: Any) -> bool:
    return default is inspect.Parameter.empty


def _name(definition: Primitive, need: Any) -> str:
    return "out" if need.kind == "out" else definition.arguments[need.key]


def _carries_gradient(definition: Primitive, need: Any) -> bool:
    return need.kind == "out" or definition.rules.get(definition.arguments[need.key]) is not None

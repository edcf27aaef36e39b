"""Why a bar is what it is: the step that blocks or breaks every path to it, or the paths that contribute most.

The shares of `replay` say what each consumer hands on. Where a bar is zero (or not finite), the search goes from
consumer to consumer for those that get something else and hand on zero (or what is not finite): there it arises.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd.view.replay import Replay, numeric_share, usable
from autograd.view.snapshot import CONSTANT, INPUT, Quantity, Snapshot
from autograd.view.symbols import UNICODE

ZERO, NAN, INFINITE, ABSENT, ORDINARY = "zero", "nan", "infinite", "absent", "ordinary"

PATHS = 3
"""How many of the strongest paths are told."""


@dataclass(frozen=True)
class Culprit:
    """A step at which a bar is lost or spoiled.

    Attributes:
        quantity: what the step computes.
        reason: what happens there.
        line: where the user wrote it, as "file:line"; None where that was not recorded.
    """

    quantity: Quantity
    reason: str
    line: str | None

    def __str__(self) -> str:
        return self.reason + (f" (at {self.line})" if self.line else "")


@dataclass(frozen=True)
class Path:
    """A way from a quantity to a result.

    Attributes:
        quantities: along it.
        factor: the product of the steps' derivatives, of their sizes where they are between arrays.
        weakest: the step that shrinks the bar most, and by how much.
    """

    quantities: tuple[Quantity, ...]
    factor: float
    weakest: tuple[Quantity, float]

    def __str__(self) -> str:
        way = " → ".join(UNICODE.name(quantity.symbol) for quantity in self.quantities)
        return f"{way}, a factor of {UNICODE.number(self.factor)}"


@dataclass(frozen=True)
class Why:
    """An answer.

    Attributes:
        quantity: whose bar it is about; None if it is not in the graph.
        kind: "zero", "nan", "infinite", "absent" (no bar arrives) or "ordinary".
        text: the first sentence.
        culprits: where it arises.
        paths: the strongest paths, for an ordinary bar.
    """

    quantity: Quantity | None
    kind: str
    text: str
    culprits: tuple[Culprit, ...] = ()
    paths: tuple[Path, ...] = ()

    def __str__(self) -> str:
        return "\n".join([self.text, *(f"- {part}" for part in (*self.culprits, *self.paths))])

    __repr__ = __str__


def why(snapshot: Snapshot, replay: Replay, number: int) -> Why:
    """Return why the bar of the quantity with this number is what it is."""
    quantity = snapshot[number]
    search = _Search(snapshot, replay)
    name = UNICODE.name(quantity.symbol, bar=True)
    bar = replay.bars.get(number)
    if bar is None:
        return search.absent(quantity)
    array = np.asarray(bar)
    if np.isnan(array).any():
        culprits = (*search.origins(number, _not_finite, search.spoiled), *search.made_nan(number))
        return _because(quantity, NAN, f"{name} is NaN{_partly(np.isnan(array))}", culprits)
    if np.isinf(array).any():
        culprits = search.origins(number, _not_finite, search.spoiled)
        return _because(quantity, INFINITE, f"{name} is infinite{_partly(np.isinf(array))}", culprits)
    if not array.size:
        return Why(quantity, ZERO, f"{name} is empty: {UNICODE.name(quantity.symbol)} has no elements")
    if not array.any():
        if number in snapshot.outputs:
            return Why(quantity, ZERO, f"{name} is 0: the backward pass was started with that")
        return _because(quantity, ZERO, f"{name} is 0", search.origins(number, _zero, search.blocked))
    paths = search.strongest(number)
    how = "comes by" if paths else "is what the last backward pass left: a value on the way was written over since"
    return Why(quantity, ORDINARY, f"{name} = {UNICODE.value(bar)} {how}", (), paths)


def _because(quantity: Quantity, kind: str, what: str, culprits: tuple[Culprit, ...]) -> Why:
    """Return the answer that the bar is what it is because of the culprits."""
    if not culprits:
        return Why(quantity, kind, f"{what}: a value that is needed to tell where from was written over since")
    return Why(quantity, kind, f"{what}, because", culprits)


def _partly(mask: Any) -> str:
    return "" if mask.all() else f" in {int(mask.sum())} of {mask.size} elements"


class _Search:
    """Looks through the shares of one graph."""

    def __init__(self, snapshot: Snapshot, replay: Replay) -> None:
        self.snapshot = snapshot
        self.replay = replay
        self.uses: list[list[tuple[int, int]]] = [[] for _ in snapshot.quantities]
        for quantity in snapshot.quantities:
            for position, parent in enumerate(quantity.parents):
                self.uses[parent - 1].append((quantity.number, position))

    # --- No bar at all -------------------------------------------------------------------------------------

    def absent(self, quantity: Quantity) -> Why:
        """Say why no bar arrives."""
        symbol = UNICODE.name(quantity.symbol)
        if not quantity.requires_grad:
            if quantity.operation is None:
                text = f"{symbol} has no bar: it does not require a gradient"
                return Why(quantity, ABSENT, text)
            return Why(quantity, ABSENT, f"{symbol} has no bar: nothing it was computed from requires a gradient")
        if not self.replay.bars:
            return Why(quantity, ABSENT, f"no bar arrives at {symbol}: {self._no_start()}")
        culprits = []
        seen: set[int] = set()
        stack = [quantity.number]
        while stack:
            number = stack.pop()
            for consumer, position in self.uses[number - 1]:
                child = self.snapshot[consumer]
                if position in child.wanted:
                    if consumer not in seen and consumer not in self.replay.bars:
                        seen.add(consumer)
                        stack.append(consumer)
                elif consumer not in seen:
                    seen.add(consumer)
                    culprits.append(self.cut(child, number))
        culprits = culprits or [
            self.culprit(
                c, f"{UNICODE.name(c.symbol)} is a constant of the same value as {UNICODE.name(s.symbol)}: detached?"
            )
            for c, s in self._copies(quantity)
        ]
        if culprits:
            return Why(quantity, ABSENT, f"no bar arrives at {symbol}, because", tuple(culprits))
        return Why(
            quantity,
            ABSENT,
            f"no bar arrives at {symbol}: a value that a rule needs is not known, or nothing depends on it",
        )

    def _no_start(self) -> str:
        """Say why there is no bar to start with."""
        result = self.snapshot[self.snapshot.outputs[-1]]
        if not result.requires_grad:
            return f"the result {UNICODE.name(result.symbol)} does not require a gradient"
        if isinstance(result.dtype, tuple):
            return f"the bar of the result {UNICODE.name(result.symbol)}, several arrays, is not known"
        lengths = "\N{MULTIPLICATION SIGN}".join(map(str, result.shape))
        name = UNICODE.name(result.symbol)
        return (
            f"the result {name} is no number but {lengths}, and the bar that it got is not known: "
            "compute it inside autograd.record(), then call backward(bar)"
        )

    def cut(self, child: Quantity, number: int) -> Culprit:
        """Return what keeps the bar of a step from this argument: the step, or that the argument is of integers."""
        operation, argument = child.operation, self.snapshot[number]
        assert operation is not None
        if (
            not isinstance(argument.dtype, tuple)
            and argument.operation is not None
            and np.dtype(argument.dtype).kind in "iub"
        ):
            return self.culprit(
                argument, f"{self._step(argument)} is of {argument.dtype}: no bar flows through integers"
            )
        return self.culprit(child, f"{operation.name} has no derivative by {UNICODE.name(argument.symbol)}")

    def _copies(self, quantity: Quantity) -> list[tuple[Quantity, Quantity]]:
        """Return constants with the value of the quantity, or of something computed from it."""
        below = {quantity.number}
        for other in self.snapshot.quantities[quantity.number :]:
            if below.intersection(other.parents):
                below.add(other.number)
        sources = [self.snapshot[number] for number in sorted(below)]
        return [
            (constant, source)
            for constant in self.snapshot.quantities
            if constant.kind in (INPUT, CONSTANT) and constant.name is None and constant.value is not None
            for source in sources
            if source.value is not None
            and source.shape == constant.shape
            and np.array_equal(source.value, constant.value)
            and not (constant.shape == () and float(constant.value).is_integer())  # more likely a number in the code
        ]

    # --- Zero and not finite -------------------------------------------------------------------------------

    def origins(self, number: int, bad: Any, reason: Any) -> tuple[Culprit, ...]:
        """Return the steps above that hand on a bad share, though the bar they get is not bad.

        Where good shares add up to a bad bar, it is that sum.
        """
        found: dict[tuple[int, bool], Culprit] = {}
        seen: set[tuple[int, int]] = set()
        stack = [number]
        while stack:
            current = stack.pop()
            total = self._sum(current, bad)
            if total is not None:
                found[current, True] = total
            for consumer, position in self.uses[current - 1]:
                if (consumer, position) in seen:
                    continue
                seen.add((consumer, position))
                child = self.snapshot[consumer]
                share = self.replay.shares.get((consumer, position))
                if share is None:
                    if position not in child.wanted and bad(np.zeros(1)):
                        found.setdefault((consumer, False), self.cut(child, current))
                    continue
                if not bad(share):
                    continue
                bar = self.replay.bars.get(consumer)
                bad_bar = bar is not None and bad(bar)
                if bad_bar and consumer not in self.snapshot.outputs:
                    stack.append(consumer)
                    continue
                why = f"the backward pass was started with {UNICODE.value(bar)}" if bad_bar else reason(child, position)
                found.setdefault((consumer, False), self.culprit(child, why))
        return tuple(found[key] for key in sorted(found, reverse=True))

    def _sum(self, number: int, bad: Any) -> Culprit | None:
        """Return that shares which are not bad add up to a bad bar, if they do: they cancel, or overflow."""
        quantity = self.snapshot[number]
        uses = [use for use in dict.fromkeys(self.uses[number - 1]) if use in self.replay.shares]
        good = [use for use in uses if not bad(self.replay.shares[use])]
        if isinstance(quantity.dtype, tuple) or not good or (bad is not _zero and len(good) < len(uses)):
            return None
        parts = [
            f"{_range(self.replay.shares[consumer, position])} by {self._step(self.snapshot[consumer])}"
            for consumer, position in good
        ]
        what = "cancel" if bad is _zero else "add up to what is not finite"
        name = UNICODE.name(quantity.symbol, bar=True)
        line = quantity.line or self.snapshot[good[-1][0]].line  # a leaf has none: that of the last step that uses it
        return Culprit(quantity, f"the contributions to {name} {what}: {', '.join(parts)}", line)

    def made_nan(self, number: int) -> tuple[Culprit, ...]:
        """Return the steps above that make NaN of an infinite bar."""

        def reason(child: Quantity, _: int) -> str:
            return f"{self._step(child)} makes NaN of the infinite bar: infinity times 0, or minus infinity"

        found = self.origins(number, _nan, reason)
        return tuple(c for c in found if np.isinf(_norm(self.replay.bars.get(c.quantity.number))))

    def culprit(self, quantity: Quantity, reason: str) -> Culprit:
        """Return a culprit with the user's line."""
        return Culprit(quantity, reason, quantity.line)

    def blocked(self, child: Quantity, position: int) -> str:
        """Say why a step hands on zero."""
        operation = child.operation
        assert operation is not None
        argument = self.snapshot[child.parents[position]]
        symbol, name = UNICODE.name(argument.symbol), operation.name
        value = usable(argument)
        if self._underflows(child, position):
            bar = _range(self.replay.bars[child.number])
            return (
                f"{self._step(child)} hands on 0: its bar is {bar}, and that times its slope is too small for a number"
            )
        others = [self.snapshot[p] for place, p in enumerate(child.parents) if place != position]
        if name == "relu" and value is not None and (np.asarray(value) <= 0).all():
            return f"relu is dead: its input {symbol} is nowhere positive (at most {UNICODE.number(np.max(value))})"
        if name in ("sigmoid", "tanh", "softplus") and value is not None:
            return f"{name} is saturated: its input {symbol} is {_range(value)}, where its slope is 0"
        if name == "where":
            return f"where does not select {symbol} anywhere"
        if name == "clip":
            return f"clip holds {symbol}, which is {_range(value)}, at its bounds"
        if name in ("maximum", "minimum", "fmax", "fmin", "max", "min", "max_pool"):
            return f"{name} does not select {symbol} where a bar arrives"
        zeros = [o for o in others if usable(o) is not None and not np.asarray(usable(o)).any()]
        if name in ("multiply", "matmul") and zeros:
            return f"{symbol} is multiplied by {UNICODE.name(zeros[0].symbol)}, which is 0"
        if np.any(self.replay.bars.get(child.number)) and value is not None and not np.asarray(value).any():
            return f"{self._step(child)} has the slope 0 at {symbol} = 0"
        return f"{self._step(child)} hands on 0: its slope is 0 at {symbol}, which is {_range(value)}"

    def _underflows(self, child: Quantity, position: int) -> bool:
        """Tell whether a step would hand on something if its bar were larger."""
        bar = self.replay.bars[child.number]
        if isinstance(bar, tuple):
            return False
        with np.errstate(all="ignore"):
            return bool(np.any(numeric_share(self.snapshot, child, position, bar / np.max(np.abs(bar)))))

    def spoiled(self, child: Quantity, position: int) -> str:
        """Say why a step hands on what is not finite."""
        operation = child.operation
        assert operation is not None
        argument = self.snapshot[child.parents[position]]
        symbol, name = UNICODE.name(argument.symbol), operation.name
        value = usable(argument)
        before = self._first_not_finite(argument, child)
        if before is not None:
            return before
        bar = np.asarray(self.replay.bars[child.number])
        array = None if value is None else np.asarray(value)
        zero = array is not None and bool((array == 0).any())
        if name in ("log", "log2", "log10", "sqrt", "cbrt", "reciprocal", "power", "norm") and zero:
            selected = " although no bar is meant to flow there: 0 times infinity" if (bar == 0).any() else ""
            cure = "; choose before, log(where(x > 0, x, 1)), not after" if selected else ""
            return f"{name} has an infinite slope at {symbol} = 0{selected}{cure}"
        if name in ("divide", "true_divide") and any(
            (np.asarray(usable(self.snapshot[p])) == 0).any() for p in child.parents[1:]
        ):
            return f"{self._step(child)} divides by {UNICODE.name(self.snapshot[child.parents[1]].symbol)}, which is 0"
        itself = self._first_not_finite(child, child)
        if itself is not None:
            return itself
        return (
            f"{self._step(child)} turns a bar of {_range(bar)} into what is not finite, at {symbol} of {_range(value)}"
        )

    def _first_not_finite(self, quantity: Quantity, culprit: Quantity) -> str | None:
        """Say which step of the forward pass first gave what is not finite, if one up to this quantity did."""
        below = {quantity.number}
        for other in reversed(self.snapshot.quantities[: quantity.number]):
            if other.number in below:
                below.update(other.parents)
        for number in sorted(below):
            other = self.snapshot[number]
            value = other.value
            if (
                value is None
                or isinstance(value, tuple)
                or np.asarray(value).dtype.kind != "f"
                or np.isfinite(value).all()
            ):
                continue
            what = "NaN" if np.isnan(value).any() else "infinity"
            if other.operation is None:
                return f"the input {UNICODE.name(other.symbol)} holds {what}"
            at = f" at {other.line}" if other.line and other.line != culprit.line else ""
            return f"{self._step(other)} gave {what} in the forward pass{at}"
        return None

    def _step(self, quantity: Quantity) -> str:
        assert quantity.operation is not None
        arguments = ", ".join(UNICODE.name(self.snapshot[parent].symbol) for parent in quantity.parents)
        return f"{UNICODE.name(quantity.symbol)} = {quantity.operation.name}({arguments})"

    # --- An ordinary bar -----------------------------------------------------------------------------------

    def strongest(self, number: int) -> tuple[Path, ...]:
        """Return the paths to a result along which the product of the derivatives' sizes is largest.

        A step's size is the norm of what it hands on over the norm of what it gets; between numbers, the derivative.
        """
        best: dict[int, list[tuple[float, tuple[int, int] | None]]] = {}
        for output in self.snapshot.outputs:
            best[output] = [(1.0, None)]
        for quantity in reversed(self.snapshot.quantities[number - 1 :]):
            found = best.get(quantity.number, [])
            for consumer in dict.fromkeys(consumer for consumer, _ in self.uses[quantity.number - 1]):
                share, bar = self._handed_on(consumer, quantity.number), self.replay.bars.get(consumer)
                if share is None or bar is None or not _norm(bar):
                    continue
                size = _norm(share) / _norm(bar)
                if not isinstance(bar, tuple) and np.size(share) == np.size(bar) == 1:
                    size = float(np.sum(share) / np.sum(bar))  # with its sign
                found += [(size * factor, (consumer, rank)) for rank, (factor, _) in enumerate(best.get(consumer, []))]
            best[quantity.number] = sorted(found, key=lambda entry: -abs(entry[0]))[:PATHS]
        return tuple(self._path(number, rank, best) for rank in range(len(best[number])))

    def _handed_on(self, consumer: int, number: int) -> Any:
        """Return what a step gives to the bar of a quantity, as all arguments where it takes that; None if unknown."""
        parents = self.snapshot[consumer].parents
        shares = [self.replay.shares.get((consumer, i)) for i, parent in enumerate(parents) if parent == number]
        known = [share for share in shares if share is not None]
        return known[0] if len(known) == 1 else sum(known) if known else None

    def _path(self, number: int, rank: int, best: dict[int, list[Any]]) -> Path:
        quantities = [self.snapshot[number]]
        factors = [best[number][rank][0]]
        following = best[number][rank][1]
        while following is not None:
            number, rank = following
            quantities.append(self.snapshot[number])
            factors.append(best[number][rank][0])
            following = best[number][rank][1]
        steps = [(quantities[i + 1], factors[i] / factors[i + 1]) for i in range(len(factors) - 1) if factors[i + 1]]
        weakest = min(steps, key=lambda step: abs(step[1]), default=(quantities[0], 1.0))
        return Path(tuple(quantities), factors[0], weakest)


def _parts(value: Any) -> Sequence[Any]:
    """Return the arrays of a bar or share: one, or one for each of several outputs."""
    return value if isinstance(value, tuple) else (value,)


def _zero(share: Any) -> bool:
    return not any(np.any(part) for part in _parts(share))


def _nan(share: Any) -> bool:
    return any(np.isnan(part).any() for part in _parts(share))


def _not_finite(share: Any) -> bool:
    return not all(np.isfinite(part).all() for part in _parts(share))


def _norm(value: Any) -> float:
    """Return the root of the sum of the squares, of which no square is too small or too large for a number."""
    if value is None:
        return 0.0
    sizes = np.concatenate([np.abs(np.asarray(part, dtype=float)).reshape(-1) for part in _parts(value)])
    largest = float(np.max(sizes, initial=0))
    if not largest or not math.isfinite(largest):
        return largest
    return largest * math.sqrt(float(np.sum(np.square(sizes / largest))))


def _range(value: Any) -> str:
    array = np.asarray(value)
    if value is None or not array.size:
        return "unknown"
    if array.ndim == 0 or array.min() == array.max():
        return UNICODE.number(array.flat[0])
    return f"{UNICODE.number(array.min())} to {UNICODE.number(array.max())}"

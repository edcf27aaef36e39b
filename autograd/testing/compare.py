"""One order of derivative at one point: the engine's beside the numeric one, and what their difference comes to.

The numeric side brings its own error bound (`differences`), and so does the analytic one: how far the engine's gradient
moves when inputs and bars change in their last digits. The two are called different only where they are more than
`FACTOR` bounds apart.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd.tensor import raw
from autograd.testing.differences import SPACING, Array, Estimate, Line
from autograd.testing.jitter import REPEATS, REPEATS_IN_DOUBT, Program
from autograd.testing.report import EDGE, KINK, OK, OUTSIDE, ROUGH, UNDECIDED, WRONG, Comparison
from autograd.testing.subject import Stage, flat, gradients, pulled, split, values

ROUNDING = 1e3
"""So many units in the last place of its largest element two runs of one program may be apart."""

FACTOR = 8.0
"""How many error bounds apart two derivatives must be to be called different: the bounds are estimates."""

EACH_OUTPUT = 16
"""Up to so many outputs are differentiated one by one; of more, random combinations."""

EACH_COORDINATE = (64, 16)
"""Up to so many coordinates are tried one by one, in the first order and in those above; of more, random directions."""

STEEP_SHOWN = 8
"""Of the coordinates at which the engine's gradient is not finite, so many are looked at besides random directions."""

UNDEFINED = (ValueError, ArithmeticError)
"""What a function may raise where it is not defined (NumPy's LinAlgError among it)."""


@dataclass(frozen=True, eq=False)
class Direction:
    """A way to move the inputs: by `vector` per unit of t.

    Attributes:
        vector: (n,) for all elements of all inputs; about as large as they are.
        input: name of what moves.
        index: the coordinate, where it is one.
        unit: units of that coordinate per unit of t.
        widest: exponent of 2 up to which a step makes sense.
    """

    vector: Array
    input: str
    index: tuple[int, ...] | None = None
    unit: float = 1.0
    widest: int = 0


class Level:
    """A stage at a point, with the engine's gradients of it.

    Args:
        stage: whose first derivative is looked at.
        arrays: where.
        outputs: the stage's values there.
        names: of the inputs.
        order: which derivative of the user's function this is.
        rng: for directions and bars.
        each_output: differentiate the outputs one by one while there are few; False: only two random combinations.

    Attributes:
        noise: (m,) how far rounding may have moved the rows' values, on the numeric side.
        rows: (m, outputs) the combinations of outputs that are differentiated, as the bars that the sweep got.
        single: (m,) which output each row is; None if they are random combinations.
        analytic: (m, inputs) their gradients by the engine.
        blur: (m, inputs) how far rounding may have moved these, jumps aside.
        shake: (m, inputs) how far they moved at most when the last digits changed.
        nonlinear: an input whose gradient is not linear in the bar; None if there is none.
        precision: relative rounding error of the numeric side, which is evaluated in float64 where that goes.
        own_precision: relative rounding error of the dtypes that there are.
        scales: sizes of the outputs; weights: random ones for them.
        steep: (inputs,) where the engine's gradient is not finite.
        undefined: whether an output is not finite here; a gradient may then be zero times infinity.
        smooth: whether the engine was seen to be wrong away from kinks, so that they are not the reason.
        counts: how many comparisons came to what.
        accuracy: the largest relative bound of those that are plainly right.
    """

    noise: Array
    blur: Array
    shake: Array

    def __init__(
        self,
        stage: Stage,
        arrays: Sequence[NDArray[Any]],
        outputs: Sequence[NDArray[Any]],
        names: Sequence[str],
        order: int,
        rng: np.random.Generator,
        *,
        each_output: bool = True,
    ) -> None:
        self.stage, self.arrays, self.outputs, self.names, self.order, self.rng = (
            stage,
            list(arrays),
            list(outputs),
            names,
            order,
            rng,
        )
        self.precision = self.own_precision = max(_eps(a) for a in (*self.arrays, *self.outputs))
        self._largest = min(float(np.finfo(a.dtype).max) for a in (*self.arrays, *self.outputs))
        self.point = flat(self.arrays)
        self.sizes = np.concatenate([size_of(a).reshape(-1) for a in self.arrays])
        self.single: NDArray[Any] | None = None
        self._program = Program(stage, self.arrays)
        self.scales = self._scales()
        self.rows = self._rows(each_output)
        self._differentiate()
        self._choose_precision()
        self._look_at_rounding()
        self.steep = ~np.isfinite(self.analytic).all(axis=0)
        self.nonlinear = self._nonlinear_input()
        self.counts: Counter[str] = Counter()
        self.weights = [
            rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape) / scale
            for y, scale in zip(self.outputs, self.scales, strict=True)
        ]
        self.accuracy = 0.0
        self.undefined = not all(np.isfinite(y).all() for y in self.outputs)
        self.smooth = False
        self._sure = False
        if self.point.size and self.rows.size:
            self.noise = np.maximum(self.noise, self.line(self._random("", np.ones_like(self.sizes))).scatter())

    def _rows(self, each_output: bool) -> Array:
        """Return the combinations of outputs to differentiate: each by itself, or random ones."""
        size = sum(y.size for y in self.outputs)
        if size <= (EACH_OUTPUT if each_output else 1):
            self.single = np.arange(size)
            return np.diag(self.rng.uniform(0.5, 1.5, size) * self.rng.choice([-1.0, 1.0], size))
        return np.asarray(self.rng.normal(size=(2, size)) / flat(self.scales))

    def _scales(self) -> list[Array]:
        """Return the sizes of the outputs: for those that are the rounding of larger numbers, the size of these.

        The gradient by a bias in front of a batch normalization is such an output.
        """
        scales = [scale_of(y) for y in self.outputs]
        for _ in range(2):
            outputs, _ = self._program.again(self.rng)
            with np.errstate(invalid="ignore"):
                moved = [np.abs(np.asarray(raw(again)) - y) for again, y in zip(outputs, self.outputs, strict=True)]
            most = [np.max(m, initial=0, where=np.isfinite(m)) / self.own_precision for m in moved]
            scales = [np.maximum(scale, m) for scale, m in zip(scales, most, strict=True)]
        return [_usable(scale, y) for scale, y in zip(scales, self.outputs, strict=True)]

    def _differentiate(self) -> None:
        """Set bars and gradients of the rows, which are those that the outputs' dtypes can hold."""
        self.bars = [split(row, self.outputs) for row in self.rows]
        self.rows = np.array([flat(bars) for bars in self.bars]).reshape(len(self.bars), self.rows.shape[1])
        self.analytic = self._gradients(self.bars)
        finite = np.isfinite(self.analytic)
        self.scale = np.max(np.abs(self.analytic) * self.sizes, axis=1, initial=0, where=finite)

    def _gradients(self, bars: Sequence[Sequence[NDArray[Any]]]) -> Array:
        found = gradients(self.stage, self.arrays, bars)
        return np.array([flat(g) for g in found]).reshape(len(bars), self.point.size)

    def _look_at_rounding(self) -> None:
        self.noise, self.blur = np.zeros(len(self.rows)), np.zeros_like(self.analytic)
        self.shake = np.zeros_like(self.analytic)
        self.measure_rounding(REPEATS)

    def _nonlinear_input(self) -> str | None:
        """Return the input whose gradient is not -1.1 times as long where the bar is; None if that is so for all."""
        stretched = [[(-1.1 * bar).astype(bar.dtype) for bar in bars] for bars in self.bars]
        found = self._gradients(stretched)
        with np.errstate(invalid="ignore"):
            apart = np.abs(found / -1.1 - self.analytic) > FACTOR * self.blur + 1e-2 * self._most()
        apart &= np.isfinite(self.analytic)
        return self.coordinate(int(np.argwhere(apart)[0][1])).input if apart.any() else None

    def _most(self) -> Array:
        """Return what can pass for rounding in each row of the gradient: more is a jump, as where a tie breaks."""
        finite = np.isfinite(self.analytic)
        return np.asarray(
            self.own_precision ** (1 / 3)
            * np.max(np.abs(self.analytic), axis=1, keepdims=True, initial=0, where=finite)
        )

    def _unit_slopes(self) -> Array:
        """Return what can pass for rounding in a slope that is far smaller than that of the line through the origin.

        A rule may lose its digits where the function is saturated: 1 - out * out of tanh, in single precision.
        """
        natural = [scale_of(y) for y in self.outputs]
        if self.order > 1:  # gradients of outputs that are scaled to 1
            natural = [np.maximum(n, 1 / size_of(a)) for n, a in zip(natural, self.arrays, strict=True)]
        size = np.abs(self.rows) @ flat(natural)
        return np.asarray(ROUNDING * self.own_precision * size[:, None] / self.sizes)

    def is_repeated(self) -> bool:
        """Tell whether the record, run again, has the call's values and gradients.

        It has not where a recorded value was written to past the record, by the function itself.
        """
        outputs, inputs = self._program.again(None)
        found = [flat([raw(g) for g in pulled(outputs, inputs, bars, create_graph=False)]) for bars in self.bars]
        again = np.array(found).reshape(self.analytic.shape)
        pairs = [(raw(y), before) for y, before in zip(outputs, self.outputs, strict=True)]
        for row, before in zip(again, self.analytic, strict=True):
            pairs += zip(split(row, self.arrays), split(before, self.arrays), strict=True)
        return all(same_but_rounding(a, b) for a, b in pairs)

    def measure_rounding(self, repeats: int) -> None:
        """Look for rounding in some more runs of the program."""
        noise, blur = self._rounding(self._program, True, repeats)
        if self.moving is not self.arrays:
            noise, _ = self._rounding(Program(self.stage, self.moving), False, repeats)
        self.noise, self.blur = np.maximum(self.noise, noise), np.maximum(self.blur, blur)

    def _rounding(self, program: Program, with_gradients: bool, repeats: int) -> tuple[Array, Array]:
        """Return how far rounding moves the rows' values and their gradients."""
        values = self._combined(flat([raw(y) for y in program.outputs]))
        underflow = np.concatenate([np.full(y.size, _tiny(y)) for y in self.outputs])
        noise, blur = np.abs(self.rows) @ underflow, np.zeros_like(self.analytic)
        for _ in range(repeats):
            outputs, inputs = program.again(self.rng)
            with np.errstate(invalid="ignore"):
                noise = np.fmax(noise, np.abs(self._combined(flat([raw(y) for y in outputs])) - values))
                if with_gradients:
                    found = [flat([raw(g) for g in pulled(outputs, inputs, b, create_graph=False)]) for b in self.bars]
                    blur = np.fmax(blur, np.abs(np.array(found).reshape(blur.shape) - self.analytic))
        size = np.where(np.isfinite(self.analytic), np.abs(self.analytic), 0)
        if with_gradients:
            self.shake = np.fmax(self.shake, blur)
        least = max(_tiny(a) for a in (*self.arrays, *self.outputs))
        most = np.maximum(self._most(), self._unit_slopes())
        return noise, np.minimum(blur, most) + self.own_precision * size + least

    # --- The numeric side ------------------------------------------------------------------------------------

    def _choose_precision(self) -> None:
        """Evaluate in float64 if the stage follows the dtype of its inputs, else as it is."""
        self.moving = self.arrays
        if all(_eps(a) == _eps(np.float64(0)) for a in (*self.arrays, *self.outputs)):
            return
        doubles = [a.astype(np.float64) for a in self.arrays]
        try:
            found = values(self.stage, doubles)
        except Exception:  # noqa: BLE001 (whatever it is, the function does not take float64)
            return
        if all(y.dtype == np.float64 for y in found):
            self.moving, self.precision = doubles, _eps(np.float64(0))

    def line(self, direction: Direction) -> Line:
        """Return the rows' values along a direction, corrected for the rounding of the step itself."""
        support = np.flatnonzero(direction.vector)
        slopes = np.nan_to_num(self.analytic[:, support], posinf=0, neginf=0)

        def at(t: float) -> Array:
            intended = t * direction.vector
            pieces = split(self.point + intended, self.moving)
            try:
                found = flat(values(self.stage, pieces))
            except UNDEFINED:
                if t == 0:
                    raise
                return np.full(len(self.rows), np.nan)
            if found.size != self.rows.shape[1]:
                return np.full(len(self.rows), np.nan)
            rounding = flat(pieces)[support] - self.point[support] - intended[support]
            return np.asarray(self._combined(found) - slopes @ rounding)

        return Line(at, self.precision, self.noise)

    def _combined(self, found: Array) -> Array:
        defined = np.isfinite(found)
        if defined.all():
            return np.asarray(self.rows @ found)
        result = self.rows @ np.where(defined, found, 0)
        result[(self.rows != 0) @ ~defined] = np.nan
        return np.asarray(result)

    # --- Where to look ---------------------------------------------------------------------------------------

    def directions(self, mode: str) -> Iterator[Direction]:
        """Yield the directions of this level: first one through all inputs, then coordinates or more random ones."""
        sizes = self.sizes
        steep = np.flatnonzero(self.steep)
        typical = np.concatenate([np.full(a.size, np.max(size_of(a), initial=0)) for a in self.arrays])
        every = "all inputs" if len(self.arrays) > 1 else self.names[0]
        yield self._random(every, np.ones_like(sizes))
        yield Direction(np.where(self.steep, 0, sizes), every)  # shares of a tie must add up
        limit = EACH_COORDINATE[0 if self.order == 1 else 1]
        if mode == "coordinates" or (mode != "directions" and sizes.size <= limit):
            for position in range(sizes.size):
                yield self.coordinate(position, typical[position])
            return
        for position in steep[:STEEP_SHOWN]:
            yield self.coordinate(int(position), typical[position])
        for _ in range(2):
            yield self._random(every, np.ones_like(sizes))
        if len(self.arrays) > 1:
            for name, mask in zip(self.names, self._masks(), strict=True):
                if mask.any():
                    yield self._random(name, mask)

    def _masks(self) -> Iterator[Array]:
        ends = np.cumsum([0, *(a.size for a in self.arrays)])
        for low, high in itertools.pairwise(ends):
            mask = np.zeros(self.point.size)
            mask[low:high] = 1
            yield mask

    def _random(self, name: str, mask: Array) -> Direction:
        signs = self.rng.choice([-1.0, 1.0], self.point.size)
        lengths = self.rng.uniform(0.5, 1.5, self.point.size) * self.sizes
        return Direction(np.where(self.steep, 0, mask * signs * lengths), name)

    def coordinate(self, position: int, typical: float = 1.0) -> Direction:
        """Return the direction of one element of all inputs."""
        vector = np.zeros(self.point.size)
        size = vector[position] = self.sizes[position]
        number, index = _place(self.arrays, position)
        widest = math.ceil(math.log2(max(1.0, typical) / size)) if size < max(1.0, typical) else 0
        return Direction(vector, self.names[number], index, size, widest)

    def output_name(self, row: int) -> str:
        """Return how messages call what a row differentiates."""
        kind = "output" if self.order == 1 else "gradient" if self.order == 2 else f"derivative {self.order - 1}"
        if self.single is None:
            return f"a random combination of {kind}s"
        number, place = _place(self.outputs, int(self.single[row]))
        which = f" {number}" if len(self.outputs) > 1 else ""
        if self.order == 2:
            which = f" by {self.names[number]}"
        return f"{kind}{which}[{', '.join(map(str, place))}]" if place else f"{kind}{which}"

    # --- The verdict -----------------------------------------------------------------------------------------

    def compare(self, direction: Direction) -> list[Comparison]:
        """Compare along one direction, add up `counts` and `accuracy`, and return what is not plainly right.

        Before anything is called wrong, rounding is looked at more closely, once.
        """
        found, counts, accuracy = self._compared(direction)
        if not self._sure and any(c.status == WRONG for c in found):
            self._sure = True
            self.measure_rounding(REPEATS_IN_DOUBT)
            self.noise = np.maximum(self.noise, self.line(direction).scatter())
            found, counts, accuracy = self._compared(direction)
        self.counts.update(counts)
        self.accuracy = max(self.accuracy, accuracy)
        return found

    def _compared(self, direction: Direction) -> tuple[list[Comparison], Counter[str], float]:
        support = np.flatnonzero(direction.vector)
        analytic = self.analytic[:, support] @ direction.vector[support]
        blur = self.blur[:, support] @ np.abs(direction.vector[support])
        line = self._sampled(direction, analytic, blur)
        slope = line.slope()
        bound = FACTOR * (slope.error + blur)
        right = _within(analytic, slope, bound)
        if not right.all():
            steps = line.slope(ignore_flat=True)
            right |= _within(analytic, steps, FACTOR * (steps.error + blur)) & (steps.error < np.inf)
        with np.errstate(invalid="ignore"):
            relative = bound / np.maximum(np.maximum(np.abs(analytic), np.abs(slope.value)), 1e-3 * self.scale)
        decided = ~(relative > 0.1) | (analytic == slope.value)
        bends = _bends(line)
        plain = right & decided & ~bends
        counts = Counter({OK: int(plain.sum())})
        accuracy = float(np.max(relative, initial=0, where=plain & (relative <= 0.1)))
        rest = np.flatnonzero(~plain)
        found: list[Comparison] = []
        if not rest.size:
            return found, counts, accuracy
        undefined = ~np.isfinite(self._combined(flat(self.outputs)))  # at the dtype's own range
        sides = line.one_sided(-1), line.one_sided(1)
        steep = line.diverges(-1) | line.diverges(1)
        hidden = self.precision**2 * (np.abs(self.rows) @ flat([scale_of(y) for y in self.outputs]))
        for row in rest.tolist():
            status, note, value, margin = _judged(analytic[row], line, slope, bound, blur, bool(right[row]), row, sides)
            if undefined[row]:
                status, note = UNDECIDED, "not finite at the point itself"
            elif not np.isfinite(analytic[row]) and steep.any():
                status, note = KINK, "an infinite slope, or zero times one"
            elif not np.isfinite(analytic[row]) and self.undefined:
                status, note = UNDECIDED, "zero times the infinite slope of an output that is not finite"
            elif not np.isfinite(analytic[row]) and not abs(value / self._unit(direction, row)) <= self._largest:
                status, note = UNDECIDED, "the slope is too large for the dtype"
            if status == OK and not decided[row]:
                status, note = UNDECIDED, "rounding or a jump leaves the numeric slope uncertain"
            if status == WRONG and abs(analytic[row]) < hidden[row] and line.is_flat(analytic)[row]:
                status, note = UNDECIDED, "too small to show in the function's values"
            if status == WRONG and not note and line.is_rough()[row]:
                note = ROUGH
            counts[status] += 1
            if status != OK:
                ends = float(sides[0].value[row]), float(sides[1].value[row])
                found.append(self._comparison(direction, row, line, (analytic[row], value, margin), ends, status, note))
        return found, counts, accuracy

    def _comparison(
        self,
        direction: Direction,
        row: int,
        line: Line,
        numbers: tuple[float, float, float],
        ends: tuple[float, float],
        status: str,
        note: str,
    ) -> Comparison:
        """Return the numbers of one row along one direction, by the units of the coordinate and the output."""
        unit = self._unit(direction, row)
        left, right = ends
        windows = [window for _, window in sorted(line.windows.items(), reverse=True)]
        table = tuple(
            (float(step) * direction.unit, float(difference) / unit)
            for window in windows
            for step, difference in zip(window.steps, window.central()[:, row], strict=True)
        )
        return Comparison(
            order=self.order,
            input=direction.input,
            index=direction.index,
            output=self.output_name(row),
            row=row,
            analytic=float(numbers[0]) / unit + 0.0,  # no -0
            numeric=numbers[1] / unit + 0.0,
            error=numbers[2] / abs(unit),
            left=left / unit + 0.0,
            right=right / unit + 0.0,
            status=status,
            note=note,
            table=table if status == WRONG else (),
        )

    def slope(self, direction: Direction) -> Estimate:
        """Return the numeric slopes along a direction, from as many windows as it takes."""
        support = np.flatnonzero(direction.vector)
        analytic = self.analytic[:, support] @ direction.vector[support]
        return self._sampled(direction, analytic, self.blur[:, support] @ np.abs(direction.vector[support])).slope()

    def _unit(self, direction: Direction, row: int) -> float:
        """Return by what a slope along a direction is divided to be one by the coordinate and of the output."""
        return direction.unit * (1.0 if self.single is None else float(self.rows[row, self.single[row]]))

    def _sampled(self, direction: Direction, analytic: Array, blur: Array) -> Line:
        """Return a line with as many windows as it takes: one, if all is smooth and right."""
        line = self.line(direction)
        goal = self.precision**0.4
        for exponent in _exponents(line, direction.widest):
            line.sample(exponent)
            slope = line.slope()
            size = np.maximum(np.maximum(np.abs(analytic), np.abs(slope.value)), 1e-4 * self.scale)
            right = _within(analytic, slope, FACTOR * (slope.error + blur)) | ~np.isfinite(line.middle)
            precise = slope.error <= goal * size
            if np.all(right & (precise | (analytic == slope.value) | ~np.isfinite(line.middle))):
                break
            far = np.abs(analytic - slope.value) > 1000 * (slope.error + blur)
            if (
                len(line.windows) > 1
                and np.all(precise & (right | far & line.follows(analytic)))
                and not _bends(line).any()
            ):
                break  # as wrong as can be: further steps tell nothing new
        return line

    def outputs_at(self, offset: Array) -> Array:
        """Return all outputs at a point nearby, (outputs,); NaN where the function is not defined."""
        try:
            found = flat(values(self.stage, split(self.point + offset, self.moving)))
        except UNDEFINED:
            found = np.zeros(0)
        return found if found.size == self.rows.shape[1] else np.full(self.rows.shape[1], np.nan)

    def of_outputs(self, positions: Array) -> Level:
        """Return the same level with some outputs one by one in place of its rows."""
        other = copy.copy(self)
        other.rows = np.zeros((len(positions), self.rows.shape[1]))
        other.rows[np.arange(len(positions)), positions] = 1 / flat(self.scales)[positions]
        other.counts, other.single, other._sure = Counter(), np.asarray(positions), False
        other._differentiate()
        other._look_at_rounding()
        return other

    def wrong_nearby(self, direction: Direction) -> list[Comparison]:
        """Return what is wrong along a direction at two points that are a thousandth away, where kinks are not."""
        found = []
        for _ in range(2):
            signs = self.rng.choice([-1e-3, 1e-3], self.point.size)
            away = signs * self.rng.uniform(0.5, 1, self.point.size) * self.sizes
            other = copy.copy(self)
            other.arrays = split(self.point + away, self.arrays)
            other.moving = split(self.point + away, self.moving)
            other.counts, other.point = Counter(), flat(other.arrays)
            other._program = Program(self.stage, other.arrays)
            other.analytic = other._gradients(other.bars)
            found += [c for c in other.compare(direction) if c.status == WRONG and math.isfinite(c.analytic)]
        return found

    def is_shaky(self, direction: Direction, wrong: Sequence[Comparison]) -> bool:
        """Tell whether what is wrong along a direction is no more than the last digits of inputs and values make."""
        support = np.flatnonzero(direction.vector)
        shake = self.shake[:, support] @ np.abs(direction.vector[support])
        return all(
            abs(c.analytic - c.numeric) * abs(self._unit(direction, c.row)) <= FACTOR * shake[c.row] for c in wrong
        )

    def localized(self, direction: Direction, wrong: Comparison) -> Comparison | None:
        """Return the comparison at the coordinate to which a wrong direction can be traced, by halving it."""
        support = np.flatnonzero(direction.vector)
        while support.size > 1:
            worst = -1.0
            for half in np.array_split(support, 2):
                vector = np.zeros_like(direction.vector)
                vector[half] = direction.vector[half]
                for result in self.compare(Direction(vector, direction.input)):
                    excess = abs(result.analytic - result.numeric) / max(result.error, 1e-300)
                    if result.status == WRONG and result.output == wrong.output and not excess <= worst:
                        worst, support = excess, half
            if worst < 0:
                return None
        return next((c for c in self.compare(self.coordinate(int(support[0]))) if c.status == WRONG), None)


def _place(arrays: Sequence[NDArray[Any]], position: int) -> tuple[int, tuple[int, ...]]:
    """Return the number of the array and the index in it of one of all elements."""
    ends = np.cumsum([a.size for a in arrays])
    number = int(np.searchsorted(ends, position, side="right"))
    array = arrays[number]
    return number, tuple(map(int, np.unravel_index(position - ends[number] + array.size, array.shape)))


def _exponents(line: Line, widest: int) -> Iterator[int]:
    """Yield the windows in the order in which they are tried: the usual one, then outward from it to both sides."""
    yield line.start
    lowest = math.log2(line.precision) + 6
    for further in range(SPACING, 1100, SPACING):
        if line.start - further > lowest:
            yield line.start - further
        if further == SPACING or line.start + further <= widest:
            yield line.start + further


def _bends(line: Line) -> NDArray[np.bool_]:
    """Tell for each row whether the slope changes at the point, by the smallest steps."""
    window = line.nearest
    with np.errstate(invalid="ignore"):
        change = np.abs(window.high + window.low - 2 * line.middle) / window.steps[:, None]
        return np.asarray((change[-1] > 0.7 * change[0]) & (change[-1] > 20 * line.noise / window.steps[-1]))


def _judged(
    analytic: float,
    line: Line,
    slope: Estimate,
    bound: Array,
    blur: Array,
    right: bool,
    row: int,
    sides: tuple[Estimate, Estimate],
) -> tuple[str, str, float, float]:
    """Return status, note, numeric slope and bound for one row, with the slopes to either side looked at."""
    numeric, error = float(slope.value[row]), float(bound[row])
    if not math.isfinite(line.middle[row]):
        return UNDECIDED, "not finite at the point itself", numeric, math.inf
    left, beyond = sides
    margins = FACTOR * (left.error[row] + blur[row]), FACTOR * (beyond.error[row] + blur[row])
    ends = sorted([(float(left.value[row]), margins[0]), (float(beyond.value[row]), margins[1])])
    if left.differs_from(beyond, FACTOR)[row]:
        if any(bool(line.diverges(side)[row]) for side in (-1, 1)):
            return KINK, "an infinite slope, or a jump", numeric, error
        if ends[0][0] - ends[0][1] <= analytic <= ends[1][0] + ends[1][1]:
            return KINK, "", numeric, error
        return WRONG, OUTSIDE, numeric, error
    if right:
        return OK, "", numeric, error
    defined = [bool(line.defined(side)[row]) for side in (-1, 1)]
    if any(bool(line.diverges(side)[row]) for side in (-1, 1)):
        return KINK, "an infinite slope, or a jump", numeric, error
    if not any(defined):
        return UNDECIDED, "the function is not defined nearby", math.nan, math.inf
    if not all(defined):
        side = defined.index(True)
        value = float(sides[side].value[row])
        note = f"defined to the {'right' if side else 'left'} only"
        agrees = abs(analytic - value) <= margins[side] or bool(line.approaches(2 * side - 1, analytic)[row])
        return (EDGE if agrees else WRONG), note, value, margins[side]
    if not math.isfinite(error):
        return UNDECIDED, "the differences do not settle", numeric, error
    return WRONG, "", numeric, error


def _within(analytic: Array, slope: Estimate, bound: Array) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(analytic - slope.value) <= bound)


def _eps(a: Any) -> float:
    return float(np.finfo(a.dtype).eps)


def size_of(a: NDArray[Any]) -> Array:
    """Return the natural size of a change of each element: its own, or a typical one of the array for zeros."""
    size = np.abs(a.astype(np.float64))
    usable = (size >= np.finfo(a.dtype).tiny) & np.isfinite(size)
    return np.where(usable, size, _median(size[usable]))


def scale_of(y: NDArray[Any]) -> Array:
    """Return the size of each output, not below a typical one of the array."""
    size = np.abs(y.astype(np.float64))
    usable = (size > 0) & np.isfinite(size)
    typical = _median(size[usable])
    return np.maximum(np.where(usable, size, typical), typical)


def _usable(scale: Array, y: NDArray[Any]) -> Array:
    """Return scales whose square is neither too large nor too small for the dtype."""
    least = _tiny(y) ** 0.25
    return np.asarray(np.clip(scale, least, 1 / least))


def _median(sizes: Array) -> float:
    return float(np.median(sizes)) if sizes.size else 1.0


def same_but_rounding(a: Any, b: Any) -> bool:
    """Tell whether two results of the same steps differ by no more than other roundings may make."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind != "f" or a.shape != b.shape:
        return a.shape == b.shape and np.array_equal(a, b)
    largest = np.max(np.abs(b), initial=0, where=np.isfinite(b))
    return np.allclose(a, b, rtol=0, atol=ROUNDING * _eps(b) * largest, equal_nan=True)


def _tiny(a: Any) -> float:
    return float(np.finfo(a.dtype).tiny)

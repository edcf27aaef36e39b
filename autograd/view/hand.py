"""A student's own bar expressions, compared with the engine's one by one: the first wrong one, and the likely slip.

Each expression is evaluated with the right bars of what comes before it, so a mistake is found where it was made.
A slip is looked for by making it: the right expression with its sign turned, without a factor, without a consumer's
share, transposed, ... is evaluated, and the one that gives the student's numbers is named.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.tensor import Tensor
from autograd.view.algebra import Atom, Call, Factor, Form, Group, Letter, Slope, Term, of
from autograd.view.symbols import UNICODE

if TYPE_CHECKING:
    from autograd.view.equations import Equation, Equations
    from autograd.view.snapshot import Quantity


@dataclass(frozen=True)
class Comparison:
    """One expression and how it fared.

    Attributes:
        name: as the student called it, "wbar".
        equation: the right line.
        expected: the engine's bar.
        found: the student's; None if the expression could not be evaluated.
        right: whether they agree.
        slip: what was probably done wrong; "" if right, or if no simple slip explains the difference.
    """

    name: str
    equation: Equation
    expected: Any
    found: Any
    right: bool
    slip: str = ""

    def __str__(self) -> str:
        if self.right:
            return f"{self.name}: right, {UNICODE.value(self.expected)}"
        expected, found = _told_apart(self.expected, self.found)
        slip = f" Likely slip: {self.slip}." if self.slip else ""
        rule = self.equation.text(numbers=False)
        return f"{self.name}: expected {expected}, got {found}.{slip} The rule is {rule}"


def _told_apart(expected: Any, found: Any) -> tuple[str, str]:
    """Return two values as text, with as many digits as it takes to see that they differ."""
    if found is None:
        return UNICODE.value(expected), "no value"
    texts = UNICODE.value(expected), UNICODE.value(found)
    if texts[0] != texts[1] or found.shape != expected.shape:
        return texts
    with np.errstate(all="ignore"):
        place = np.unravel_index(np.nanargmax(np.abs(found - expected)), expected.shape)
    at = f" at [{', '.join(map(str, place))}]" if place else ""
    for digits in range(5, 18):
        one, other = (f"{float(array[place]):.{digits}g}".replace("-", UNICODE.minus) for array in (expected, found))
        if one != other:
            break
    return one + at, other + at


class HandCheck:
    """The comparisons in the order of the sweep; true if all are right.

    Attributes:
        comparisons: for each expression.
    """

    def __init__(self, comparisons: list[Comparison]) -> None:
        self.comparisons = comparisons

    @property
    def first_wrong(self) -> Comparison | None:
        """The first comparison, in the order of the sweep, that is not right."""
        return next((comparison for comparison in self if not comparison.right), None)

    def __iter__(self) -> Iterator[Comparison]:
        return iter(self.comparisons)

    def __bool__(self) -> bool:
        return self.first_wrong is None

    def __repr__(self) -> str:
        wrong = self.first_wrong
        if wrong is None:
            count = len(self.comparisons)
            return f"all {count} bars are right" if count != 1 else "the bar is right"
        return f"the first wrong bar is {wrong}"


def check_by_hand(equations: Equations, expressions: Mapping[str, Any], *, tolerance: float = 1e-6) -> HandCheck:
    """Compare bar expressions with the engine's bars.

    Args:
        equations: of the graph.
        expressions: by the bar's name ("wbar", "conv1.weight.bar"): a function whose parameters are called like
            quantities ("x") and bars ("zbar"), or a value.
        tolerance: how far an element may be off, relative to the largest; bars of float32 and float16 may be off by
            what rounding comes to there, 1e-4 and 1e-2, in any case.

    Raises:
        KeyError: there is no such bar, or no quantity that a parameter is called like.
    """
    lines = {equation: name for name, equation in ((name, equations[name]) for name in expressions)}
    for equation, name in lines.items():
        if not equation.bar:
            raise KeyError(f"{name!r} is a quantity, not a bar: write {name}bar")
    order = [equation for equation in equations if equation in lines]
    return HandCheck(
        [_compared(equations, equation, lines[equation], expressions[lines[equation]], tolerance) for equation in order]
    )


def _compared(equations: Equations, equation: Equation, name: str, expression: Any, tolerance: float) -> Comparison:
    expected = np.asarray(equation.value)
    tolerance = max(tolerance, _ROUNDING.get(expected.dtype.name, 0))
    try:
        found = _evaluated(equations, expression)
    except KeyError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever the student's expression raises is told)
        slip = _untransposed(equations, equation, expression, tolerance)
        raised = f"it raises {type(error).__name__}: {error}"
        if not slip and isinstance(error, ValueError) and UNICODE.transposed in equation.text(numbers=False):
            slip = f"{raised}; is a transpose missing, or the order wrong? The rule has a transpose"
        return Comparison(name, equation, expected, None, False, slip or raised)
    if agrees(found, expected, tolerance):
        return Comparison(name, equation, expected, found, True)
    with np.errstate(all="ignore"):
        slip = (
            _slip(equations, equation, found, tolerance)
            or _untransposed(equations, equation, expression, tolerance)
            or _extra(equations, equation, expression, found, tolerance)
            or _scale(equations, equation, found, tolerance)
        )
    return Comparison(name, equation, expected, found, False, slip)


_ROUNDING = {"float32": 1e-4, "float16": 1e-2}


def _evaluated(equations: Equations, expression: Any) -> Any:
    if not callable(expression):
        return _array(expression)
    values = [equations.letter(letter) for letter in _used(equations, expression).values()]
    with np.errstate(all="ignore"):
        return _array(expression(*values))


def _array(value: Any) -> Any:
    return np.asarray(value._value if isinstance(value, Tensor) else value, dtype=float)


def _used(equations: Equations, expression: Any) -> dict[str, Letter]:
    """Return what a student's expression uses, by the names of its parameters; `_` stands for a dot."""
    known: dict[str, Letter] = {}
    for quantity in equations.snapshot.quantities:
        if not isinstance(quantity.dtype, tuple):
            plain = quantity.symbol.replace(".", "_")
            known[plain] = known[f"{plain}_"] = Letter(quantity.number, quantity.shape)
            for spelled in (f"{plain}bar", f"{plain}_bar"):
                known[spelled] = Letter(quantity.number, quantity.shape, bar=True)
    names = inspect.signature(expression).parameters if callable(expression) else ()
    for name in names:
        if name not in known or equations.letter(known[name]) is None:
            raise KeyError(f"check_by_hand: no value is known for {name!r}; there are {', '.join(sorted(known))}")
    return {name: known[name] for name in names}


def agrees(found: Any, expected: Any, tolerance: float = 1e-6) -> bool:
    """Tell whether two arrays are the same up to rounding."""
    if found.shape != expected.shape:
        return False
    scale = np.max(np.abs(expected), initial=0)
    if not np.isfinite(scale):
        return np.array_equal(found, expected, equal_nan=True)
    return bool(np.allclose(found, expected, rtol=0, atol=tolerance * (scale or 1), equal_nan=True))


# --- Slips -------------------------------------------------------------------------------------------------


def _slip(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Return the first of the usual slips that explains the numbers; "" if none does."""
    slips: list[Callable[[Equations, Equation, Any, float], str]] = [
        _sign,
        _share,
        _factor,
        _transposed,
        _flipped,
        _missing_sum,
    ]
    for slip in slips:
        said = slip(equations, equation, found, tolerance)
        if said:
            return said
    return ""


def _sign(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    if agrees(-found, np.asarray(equation.value), tolerance):
        return "the sign"
    for place, term in enumerate(equation.form.terms):
        turned = [*equation.form.terms]
        turned[place] = Term(-term.coefficient, term.factors)
        if _gives(equations, Form(equation.form.shape, tuple(turned)), found, tolerance):
            return f"the sign of {_written(equations, Form(equation.form.shape, (term,)))}"
    return ""


def _share(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Look for a consumer whose share was left out, or counted twice."""
    number = equation.quantity.number
    shares = {key: share for key, share in equations.replay.shares.items() if number == equations.parent(*key)}
    for (consumer, _), share in shares.items():
        if len({equations.line_of(other).number for other, _ in shares}) < 2:
            break
        symbol = UNICODE.name(equations.line_of(consumer).symbol)
        if agrees(found, equation.value - share, tolerance):
            return f"the share that comes from {symbol} is missing: a quantity that is used twice gets the sum"
        if agrees(found, equation.value + share, tolerance):
            return f"the share that comes from {symbol} is there twice"
    for place in range(len(equation.form.terms)):
        rest = equation.form.terms[:place] + equation.form.terms[place + 1 :]
        if rest and _gives(equations, Form(equation.form.shape, rest), found, tolerance):
            missing = Form(equation.form.shape, (equation.form.terms[place],))
            return f"the term {_written(equations, missing)} is missing"
    return ""


def _factor(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Look for a factor that was left out, or replaced by one that is easily taken for it."""
    form = equation.form
    for place, term in enumerate(form.terms):
        for which, factor in enumerate(term.factors):
            rest = term.factors[:which] + term.factors[which + 1 :]
            written = _written(equations, of(factor.atom))
            without = _replaced(form, place, Term(term.coefficient, rest))
            if without is not None and _gives(equations, without, found, tolerance):
                return f"the factor {written} is missing"
            for other, said in _lookalikes(equations, factor):
                changed = Term(term.coefficient, (*term.factors[:which], other, *term.factors[which + 1 :]))
                replaced = _replaced(form, place, changed)
                if replaced is not None and _gives(equations, replaced, found, tolerance):
                    return f"{said} in the place of {written}"
            for wrong, said in _wrong_slopes(equations, factor.atom):
                other = Factor(Group(wrong), factor.labels, factor.exponent)
                changed = Term(term.coefficient, (*term.factors[:which], other, *term.factors[which + 1 :]))
                replaced = _replaced(form, place, changed)
                if replaced is not None and _gives(equations, replaced, found, tolerance):
                    return said
    return ""


def _lookalikes(equations: Equations, factor: Factor) -> Iterator[tuple[Factor, str]]:
    """Yield factors that are taken for this one: f(z) for f'(z), another quantity of the same shape, 1/x for x."""
    atom = factor.atom
    if isinstance(atom, Slope):
        function = Call(atom.operation, [atom.argument], {}, atom.shape)
        yield Factor(function, factor.labels, factor.exponent), _written(equations, of(function))
    if factor.exponent in (1, -1):
        yield Factor(atom, factor.labels, -factor.exponent), f"1/{_written(equations, of(atom))}"
    if isinstance(atom, Letter):
        for quantity in equations.snapshot.quantities:
            for bar in (False, True):
                value = equations.replay.bars.get(quantity.number) if bar else quantity.value
                same = quantity.shape == atom.shape and (quantity.number, bar) != (atom.number, atom.bar)
                if same and value is not None and quantity.name is not None:
                    letter = Letter(quantity.number, quantity.shape, bar=bar)
                    yield Factor(letter, factor.labels, factor.exponent), _written(equations, of(letter))


def _wrong_slopes(equations: Equations, atom: Atom) -> Iterator[tuple[Form, str]]:
    """Yield what is taken for a function's slope, and how to say it: elsewhere, or its rule without a part."""
    if not isinstance(atom, Slope):
        return
    rule = f"{_written(equations, of(atom))} = {_written(equations, atom.expanded)}"
    for inner in _inner(atom.expanded):
        for quantity in _named(equations, inner.shape):
            letter = Letter(quantity.number, quantity.shape)
            name = _written(equations, of(letter))
            if of(inner).key == atom.argument.key:
                yield _substituted(atom.expanded, inner, letter), f"the slope is taken at {name}: {rule}"
                continue
            function = Call(atom.operation, [of(letter)], {}, atom.shape)
            yield _substituted(atom.expanded, inner, function), f"the slope is taken at {name}: {rule}"
            written = _written(equations, of(inner))
            yield _substituted(atom.expanded, inner, letter), f"{name} in the place of {written}: {rule}"
    for part, said in _partial(equations, atom.expanded):
        yield part, f"{said}: {rule}"


def _partial(equations: Equations, form: Form) -> Iterator[tuple[Form, str]]:
    """Yield a form without one of its terms, factors or exponents, or with a sign turned, and how to say it."""
    for place, term in enumerate(form.terms):
        before, after = form.terms[:place], form.terms[place + 1 :]
        written = _written(equations, Form(form.shape, (term,)))
        if before or after:
            yield Form(form.shape, (*before, *after)), f"the term {written} is missing"
            turned = Term(-term.coefficient, term.factors)
            yield Form(form.shape, (*before, turned, *after)), f"the sign of {written}"
        for which, factor in enumerate(term.factors):
            others = (*term.factors[:which], *term.factors[which + 1 :])
            if others:
                left = Form(form.shape, (*before, Term(term.coefficient, others), *after))
                yield left, f"the factor {_written(equations, of(factor.atom))} is missing"
            if factor.exponent not in (1, -1):
                plain = Term(term.coefficient, (*others, Factor(factor.atom, factor.labels)))
                name = _written(equations, of(factor.atom))
                yield Form(form.shape, (*before, plain, *after)), f"{name} in the place of {name}{_power(factor)}"


def _power(factor: Factor) -> str:
    return UNICODE.power("", factor.exponent)


def _named(equations: Equations, shape: tuple[int, ...]) -> Iterator[Quantity]:
    """Yield the quantities that have a name, a value and this shape."""
    for quantity in equations.snapshot.quantities:
        if quantity.name is not None and quantity.value is not None and quantity.shape == shape:
            yield quantity


def _inner(form: Form) -> list[Atom]:
    """Return the letters and calls that a form is made of, without repeats."""
    found: dict[Any, Atom] = {}
    for term in form.terms:
        for factor in term.factors:
            atom = factor.atom
            inner = _inner(atom.form) if isinstance(atom, Group) else [atom]
            found.update((one.key, one) for one in inner if isinstance(one, (Letter, Call)))
    return list(found.values())


def _substituted(form: Form, atom: Atom, other: Atom) -> Form:
    """Return the form with another atom wherever this one stands."""

    def changed(one: Atom) -> Atom:
        if one.key == atom.key:
            return other
        return Group(_substituted(one.form, atom, other)) if isinstance(one, Group) else one

    return Form(
        form.shape,
        tuple(
            Term(t.coefficient, tuple(Factor(changed(f.atom), f.labels, f.exponent) for f in t.factors))
            for t in form.terms
        ),
    )


def _transposed(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    expected = np.asarray(equation.value)
    if expected.ndim == 2 and found.shape == expected.T.shape and agrees(found.T, expected, tolerance):
        return "it is transposed"
    form = equation.form
    for place, term in enumerate(form.terms):
        for which, factor in enumerate(term.factors):
            if len(factor.labels) == 2 and factor.atom.shape[0] == factor.atom.shape[1]:
                turned = Factor(factor.atom, factor.labels[::-1], factor.exponent)
                changed = Term(term.coefficient, (*term.factors[:which], turned, *term.factors[which + 1 :]))
                replaced = _replaced(form, place, changed)
                if replaced is not None and _gives(equations, replaced, found, tolerance):
                    return f"{_written(equations, of(factor.atom))} and its transpose are mixed up"
    return ""


def _untransposed(equations: Equations, equation: Equation, expression: Any, tolerance: float) -> str:
    """Look for a matrix in the student's expression that has to be transposed, by doing it."""
    used = _used(equations, expression)
    for name, letter in used.items():
        values = [equations.letter(one).T if other == name else equations.letter(one) for other, one in used.items()]
        found = _tried(expression, values) if len(letter.shape) == 2 else None
        if found is not None and agrees(found, np.asarray(equation.value), tolerance):
            written = _written(equations, of(letter))
            if written + UNICODE.transposed in equation.text(numbers=False):
                return f"a transpose is missing: {written}{UNICODE.transposed} in the place of {written}"
            return f"{written} and its transpose are mixed up"
    return ""


def _tried(expression: Any, values: list[Any]) -> Any:
    """Return what the student's expression gives for other values; None if it raises."""
    try:
        with np.errstate(all="ignore"):
            return _array(expression(*values))
    except Exception:  # noqa: BLE001 (whatever it is: then it was not this slip)
        return None


def _extra(equations: Equations, equation: Equation, expression: Any, found: Any, tolerance: float) -> str:
    """Look for a factor that is too much, among what the student's expression uses."""
    expected = np.asarray(equation.value)
    in_rule = {letter.key for letter in equation.letters()}
    used = _used(equations, expression).values()
    for letter in sorted(used, key=lambda letter: letter.key in in_rule):
        value = equations.letter(letter)
        fits = np.shape(value) in ((), expected.shape)
        if fits and not np.all(np.abs(value) == 1) and agrees(found, expected * value, tolerance):
            return f"the factor {_written(equations, of(letter))} is too much"
    return ""


def _flipped(_: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Look for a kernel or an image turned round: the convolution of mathematics for that of networks."""
    expected = np.asarray(equation.value)
    for axes, what in (((-2, -1), "both spatial axes"), ((-1,), "its last axis")):
        if expected.ndim >= 2 and found.shape == expected.shape and agrees(np.flip(found, axes), expected, tolerance):
            return f"it is reversed along {what}: the convolution of networks does not turn the kernel round"
    return ""


def _missing_sum(_: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Look for a sum over what broadcasting had repeated that was left out."""
    expected = np.asarray(equation.value)
    for axes in [(axis,) for axis in range(found.ndim)] + [tuple(range(found.ndim))] * (found.ndim > 1):
        for keepdims in (False, True):
            summed = found.sum(axis=axes, keepdims=keepdims)
            if found.shape != expected.shape and agrees(summed, expected, tolerance):
                where = "all axes" if len(axes) > 1 else f"axis {axes[0]}"
                return f"the sum over {where} is missing: what broadcasting repeated is summed up again"
    if found.shape != expected.shape:
        return f"the shape is {found.shape} where that of {UNICODE.name(equation.quantity.symbol)} is {expected.shape}"
    return ""


def _scale(equations: Equations, equation: Equation, found: Any, tolerance: float) -> str:
    """Look for a constant factor: a mean that was taken for a sum, the 2 of a square."""
    expected = np.asarray(equation.value)
    scale = np.max(np.abs(expected), initial=0)
    if not expected.size or not scale or not np.isfinite(scale):
        return ""
    ratio = float(found.flat[np.argmax(np.abs(expected))] / expected.flat[np.argmax(np.abs(expected))])
    if not ratio or not agrees(found, ratio * expected, tolerance):
        return ""
    lengths = {n for q in equations.snapshot.quantities if not isinstance(q.dtype, tuple) for n in (*q.shape, q.size)}
    for length in sorted(lengths - {1, 2}):
        if np.isclose(ratio, length, rtol=tolerance):
            return f"the factor 1/{length} of the mean is missing"
        if np.isclose(ratio * length, 1, rtol=tolerance):
            return f"a factor 1/{length} is too much: this is no mean"
    near = Fraction(ratio).limit_denominator(_SIMPLE)
    if abs(ratio - near) > tolerance * abs(ratio) or abs(near.numerator) > _SIMPLE:
        return ""  # a coincidence, between numbers; it says nothing
    ratio = float(near)
    if ratio > 1:
        return f"it is {UNICODE.number(ratio)} times too large"
    return (
        f"the factor {UNICODE.number(1 / ratio)} is missing"
        if ratio > 0
        else f"it is {UNICODE.number(ratio)} times the bar"
    )


_SIMPLE = 12
"""Up to which number a ratio of small integers says something."""


def _replaced(form: Form, place: int, term: Term) -> Form | None:
    """Return the form with one of its terms replaced; None if an axis of the result would be lost."""
    if term.labels() & set(range(form.ndim)) != form.terms[place].labels() & set(range(form.ndim)):
        return None
    return Form(form.shape, (*form.terms[:place], term, *form.terms[place + 1 :]))


def _gives(equations: Equations, form: Form, found: Any, tolerance: float) -> bool:
    try:
        return agrees(found, np.asarray(form.value(equations)), tolerance)
    except (ValueError, TypeError):
        return False


def _written(equations: Equations, form: Form) -> str:
    return equations.writer(UNICODE).form(form)

"""`Form`, an expression in the quantities of a computation, kept in the form in which a person would write it.

A form is a sum of terms; a term is a number times factors, each with a label for each of its axes, summed over the
labels that are not axes of the result (Einstein's convention). Products, transposes, matrix products and sums are
then all the same thing, and the simplification is in the constructors: numbers fold, equal factors become powers,
like terms add up, axes that were inserted or repeated leave no trace. `write` finds the matrix form again.
"""

# ruff: noqa: D102, ARG002 (what each kind of atom overrides is described once, in `Atom`)

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

import numpy as np

Shape = tuple[int, ...]
Number = int | float | Fraction


class Values(Protocol):
    """What letters stand for."""

    def letter(self, letter: Letter) -> Any:
        """Return the letter's value."""

    def form(self, form: Form) -> Any:
        """Return the value of a form that something is computed from: the recorded one, where there is one."""


# --- What a factor can be ----------------------------------------------------------------------------------


class Atom:
    """What a form is made of: it has a shape and, for given values of the letters, a value."""

    shape: Shape

    @cached_property
    def key(self) -> Any:
        """What two atoms share if they stand for the same."""
        raise NotImplementedError

    def value(self, values: Values) -> Any:
        """Return the value for given values of the letters."""
        raise NotImplementedError

    def size(self) -> int:
        """Return how many letters, numbers and operations writing it takes."""
        return 1


class Letter(Atom):
    """A quantity of the computation, or its bar.

    Attributes:
        number: of the quantity.
        bar: whether its bar is meant.
    """

    def __init__(self, number: int, shape: Shape, *, bar: bool = False) -> None:
        self.number = number
        self.shape = shape
        self.bar = bar

    @cached_property
    def key(self) -> Any:
        return "letter", self.number, self.bar

    def value(self, values: Values) -> Any:
        return values.letter(self)


class Array(Atom):
    """A constant array that a rule brought in.

    Attributes:
        array: its elements.
        name: what the operation calls it, or None.
    """

    def __init__(self, array: Any, name: str | None = None) -> None:
        self.array = np.asarray(array)
        self.name = name
        self.shape = self.array.shape

    @cached_property
    def key(self) -> Any:
        return "array", self.shape, self.array.dtype.str, self.array.tobytes()

    def value(self, values: Values) -> Any:
        return self.array


class Ones(Atom):
    """A one for each place along axes that nothing else in a term depends on."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @cached_property
    def key(self) -> Any:
        return "ones", self.shape

    def value(self, values: Values) -> Any:
        return np.ones(self.shape)


class Absent(Atom):
    """An argument that was None."""

    shape = ()
    key = "absent"

    def value(self, values: Values) -> Any:
        return None


class Call(Atom):
    """An operation on forms that is no arithmetic: a function, a choice, a convolution.

    Attributes:
        operation: the primitive; its forward gives the value, its notation the text.
        arguments: forms.
        parameters: static parameters.
        output: which of several outputs is meant; None if there is one.
    """

    def __init__(
        self,
        operation: Any,
        arguments: Sequence[Form],
        parameters: dict[str, Any],
        shape: Shape,
        output: int | None = None,
    ) -> None:
        self.operation = operation
        self.arguments = tuple(arguments)
        self.parameters = parameters
        self.shape = shape
        self.output = output

    @cached_property
    def key(self) -> Any:
        parameters = tuple((name, _hashable(value)) for name, value in self.parameters.items())
        return "call", id(self.operation), tuple(form.key for form in self.arguments), parameters, self.output

    def value(self, values: Values) -> Any:
        with np.errstate(all="ignore"):
            found = self.operation.compute([values.form(form) for form in self.arguments], self.parameters)[0]
        return found if self.output is None else found[self.output]

    def size(self) -> int:
        return 1 + sum(form.size() for form in self.arguments)


class Share(Atom):
    """What an argument gets from a bar, by a rule that cannot be read: it failed when it was run to see.

    Attributes:
        operation: whose rule it is.
        argument: name of the argument.
        forms: the bar, and the operation's arguments.
    """

    def __init__(self, operation: Any, argument: str, forms: Sequence[Form], shape: Shape) -> None:
        self.operation = operation
        self.argument = argument
        self.forms = tuple(forms)
        self.shape = shape

    @cached_property
    def key(self) -> Any:
        return "share", id(self.operation), self.argument, tuple(form.key for form in self.forms)

    def value(self, values: Values) -> Any:
        return np.full(self.shape, np.nan)

    def size(self) -> int:
        return 1 + sum(form.size() for form in self.forms)


class Hooked(Atom):
    """A bar after the user's hook: what that makes of it is known only as a value.

    Attributes:
        form: the bar that the hook is given.
        letter: the bar that it returns.
    """

    def __init__(self, form: Form, letter: Letter) -> None:
        self.form = form
        self.letter = letter
        self.shape = form.shape

    @cached_property
    def key(self) -> Any:
        return "hooked", self.form.key, self.letter.key

    def value(self, values: Values) -> Any:
        return values.letter(self.letter)

    def size(self) -> int:
        return 1 + self.form.size()


class Slope(Atom):
    """The derivative of a function of one argument, element by element: sigma'(z).

    Attributes:
        operation: the function.
        argument: where.
        expanded: the derivative as the rule has it.
    """

    def __init__(self, operation: Any, argument: Form, expanded: Form) -> None:
        self.operation = operation
        self.argument = argument
        self.expanded = expanded
        self.shape = expanded.shape

    @cached_property
    def key(self) -> Any:
        return "slope", self.expanded.key

    def value(self, values: Values) -> Any:
        return self.expanded.value(values)

    def size(self) -> int:
        return 1 + self.argument.size()


class Group(Atom):
    """A form in parentheses: a sum as a factor, or a product with sums of its own."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.shape = form.shape

    @cached_property
    def key(self) -> Any:
        return "group", self.form.key

    def value(self, values: Values) -> Any:
        return self.form.value(values)

    def size(self) -> int:
        return self.form.size()


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, (tuple, list)):
        return tuple(map(_hashable, value))
    if isinstance(value, slice):
        return "slice", value.start, value.stop, value.step
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


# --- Terms and forms ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factor:
    """An atom to a power, with a label for each of its axes: 0 .. n-1 are the axes of the result."""

    atom: Atom
    labels: tuple[int, ...]
    exponent: Number = 1

    def relabeled(self, labels: dict[int, int]) -> Factor:
        """Return the factor with some labels replaced."""
        return Factor(self.atom, tuple(labels.get(label, label) for label in self.labels), self.exponent)


@dataclass(frozen=True)
class Term:
    """A number times factors, summed over the labels that are not axes of the result."""

    coefficient: Number
    factors: tuple[Factor, ...] = ()

    def labels(self) -> set[int]:
        """Return the labels that a factor has."""
        return {label for factor in self.factors for label in factor.labels}

    def inner(self, ndim: int) -> list[int]:
        """Return the labels that are summed over, in a form with `ndim` axes."""
        return sorted(label for label in self.labels() if label >= ndim)

    def has_sums(self, ndim: int) -> bool:
        """Tell whether something is summed over (not just an axis of length 1), in a form with `ndim` axes."""
        return any(
            label >= ndim and n != 1
            for factor in self.factors
            for label, n in zip(factor.labels, factor.atom.shape, strict=True)
        )

    def key(self, ndim: int) -> Any:
        """Return what like terms share: the factors in a fixed order, with the inner labels renamed by that."""
        factors = sorted(self.factors, key=lambda factor: (repr(factor.atom.key), factor.exponent, factor.labels))
        names: dict[int, int] = {axis: axis for axis in range(ndim)}
        for factor in factors:
            for label in factor.labels:
                names.setdefault(label, len(names))
        return tuple((f.atom.key, f.exponent, f.relabeled(names).labels) for f in factors)


@dataclass(frozen=True)
class Form:
    """A sum of terms, of a shape to which each of them is broadcast."""

    shape: Shape
    terms: tuple[Term, ...]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @cached_property
    def key(self) -> Any:
        """What two forms share if they stand for the same."""
        return self.shape, frozenset((term.key(self.ndim), term.coefficient) for term in self.terms)

    def size(self) -> int:
        """Return how many letters, numbers and operations writing it takes."""
        return sum(1 + sum(factor.atom.size() for factor in term.factors) for term in self.terms)

    def number(self) -> Number | None:
        """Return the number that this is everywhere; None if it is not known to be one."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and not self.terms[0].factors:
            return self.terms[0].coefficient
        return None

    def atom(self) -> Atom | None:
        """Return the one atom that this is, untransposed; None if it is something else."""
        if len(self.terms) == 1 and self.terms[0].coefficient == 1 and len(self.terms[0].factors) == 1:
            (factor,) = self.terms[0].factors
            if factor.exponent == 1 and factor.labels == tuple(range(self.ndim)):
                return factor.atom
        return None

    def value(self, values: Values) -> Any:
        """Return the value for given values of the letters, of this form's shape."""
        atom = self.atom()
        if atom is not None:
            found = atom.value(values)
            return None if found is None else np.asarray(found)
        with np.errstate(all="ignore"):
            return sum((_term_value(term, self.shape, values) for term in self.terms), np.zeros(self.shape))


def _term_value(term: Term, shape: Shape, values: Values) -> Any:
    operands: list[Any] = []
    present = [axis for axis in range(len(shape)) if axis in term.labels()]
    for factor in term.factors:
        value = np.asarray(factor.atom.value(values), dtype=float)
        operands += [value if factor.exponent == 1 else value**factor.exponent, list(factor.labels)]
    found = np.einsum(*operands, present) if operands else 1.0
    for axis in range(len(shape)):
        if axis not in present:
            found = np.expand_dims(found, axis)
    return np.broadcast_to(float(term.coefficient) * found, shape)


# --- Making forms ------------------------------------------------------------------------------------------


def constant(value: Number, shape: Shape = ()) -> Form:
    """Return a number, everywhere in an array of this shape."""
    return Form(shape, (Term(_tidy(value)),) if value != 0 else ())


def of(atom: Atom) -> Form:
    """Return an atom as a form."""
    if isinstance(atom, Group):
        return atom.form
    return Form(atom.shape, (Term(1, (Factor(atom, tuple(range(len(atom.shape)))),)),))


def add(*forms: Form) -> Form:
    """Return the sum, like terms added up."""
    shape = np.broadcast_shapes(*(form.shape for form in forms))
    found: dict[Any, Term] = {}
    for form in forms:
        for term in broadcast(form, shape).terms:
            for part in _unwrapped(term, len(shape)):
                key = part.key(len(shape))
                before = found[key].coefficient if key in found else 0
                found[key] = Term(before + part.coefficient, part.factors)
    return Form(shape, tuple(term for term in found.values() if term.coefficient != 0))


def _unwrapped(term: Term, ndim: int) -> Sequence[Term]:
    """Return the terms of a sum that is the term's only factor, with coefficient 1 or -1."""
    if abs(term.coefficient) == 1 and len(term.factors) == 1:
        (factor,) = term.factors
        if isinstance(factor.atom, Group) and factor.exponent == 1 and len(set(factor.labels)) == len(factor.labels):
            inner = factor.atom.form
            if all(label < ndim for label in factor.labels) and len(inner.terms) > 1:
                names = dict(enumerate(factor.labels))
                return [
                    Term(term.coefficient * part.coefficient, _relabeled(part, names, ndim).factors)
                    for part in inner.terms
                ]
    return (term,)


def _relabeled(term: Term, names: dict[int, int], ndim: int) -> Term:
    """Return the term with labels replaced; its other labels become new inner ones of a form with `ndim` axes."""
    fresh = max([ndim - 1, *names.values()]) + 1
    names = dict(names)
    for factor in term.factors:
        for label in factor.labels:
            if label not in names:
                names[label] = fresh
                fresh += 1
    return Term(term.coefficient, tuple(factor.relabeled(names) for factor in term.factors))


def scale(form: Form, number: Number) -> Form:
    """Return a number times the form."""
    return einsum([constant(number), form], [(), tuple(range(form.ndim))], form.shape)


def subtract(x: Form, y: Form) -> Form:
    """Return the difference."""
    return add(x, scale(y, -1))


def multiply(*forms: Form) -> Form:
    """Return the product, element by element, with broadcasting."""
    shape = np.broadcast_shapes(*(form.shape for form in forms))
    fresh = itertools.count(len(shape))
    labels = []
    for form in forms:
        extra = len(shape) - form.ndim
        labels.append([a + extra if n == shape[a + extra] else next(fresh) for a, n in enumerate(form.shape)])
    return einsum(forms, labels, shape)


def power(form: Form, exponent: Number) -> Form:
    """Return the form to a constant power."""
    if exponent in (0, 1):
        return form if exponent else constant(1, form.shape)
    number = form.number()
    whole = _is_whole(exponent)
    if number is not None and (number > 0 or (number < 0 and whole) or (number == 0 and exponent > 0)):
        return constant(_raised(number, exponent), form.shape)
    if len(form.terms) == 1:
        (term,) = form.terms
        alone = term.coefficient == 1 and len(term.factors) == 1 and term.factors[0].exponent == 1
        if not term.has_sums(form.ndim) and (whole or alone):
            factors = tuple(Factor(f.atom, f.labels, _tidy(f.exponent * exponent)) for f in term.factors)
            return _single(form.shape, _raised(term.coefficient, exponent), factors)
    return _single(form.shape, 1, (Factor(Group(form), tuple(range(form.ndim)), _tidy(exponent)),))


def _is_whole(number: Number) -> bool:
    return isinstance(number, int) or (math.isfinite(number) and number == int(number))


def _tidy(number: Number) -> Number:
    """Return a whole number as an int, so that its reciprocal is an exact fraction; what is long as a float."""
    if isinstance(number, float):
        return int(number) if _is_whole(number) and abs(number) < _EXACT else number
    fraction = Fraction(number)
    if abs(fraction.numerator) >= _EXACT or fraction.denominator >= _EXACT:
        return (
            float(np.divide(fraction.numerator, fraction.denominator, dtype=float)) if fraction < 2**1000 else math.inf
        )
    return int(fraction) if fraction.denominator == 1 else fraction


_EXACT = 2**53
"""Whole numbers from here on are not exact as floats."""


def _raised(number: Number, exponent: Number) -> Number:
    """Return a number to a power; an exact fraction where that is one, and is short."""
    if isinstance(number, int) and isinstance(exponent, int) and abs(exponent) < 64 and abs(number) < _EXACT:
        return _tidy(Fraction(number) ** exponent)
    with np.errstate(all="ignore"):
        return _tidy(float(np.float64(number) ** np.float64(exponent)))


def divide(x: Form, y: Form) -> Form:
    """Return the quotient, element by element."""
    return multiply(x, power(y, -1))


def einsum(forms: Sequence[Form], labels: Sequence[Sequence[int]], shape: Shape, *, chain: bool = False) -> Form:
    """Return the product of forms whose axes have these labels, 0 .. n-1 of which are the axes of the result.

    Args:
        forms: the factors.
        labels: of the axes of each.
        shape: of the result.
        chain: write matrix products in a row: (A B) C as A B C.
    """
    sizes = {
        label: n for form, axes in zip(forms, labels, strict=True) for label, n in zip(axes, form.shape, strict=True)
    }
    fresh = max([len(shape) - 1, *sizes]) + 1
    coefficient: Number = 1
    factors: list[Factor] = []
    for position, (form, axes) in enumerate(zip(forms, labels, strict=True)):
        others = [other for other in forms if other is not forms[position]]
        alone = all(map(_is_scalar, others)) and len(others) == len(forms) - 1
        term = _as_term(form, alone or (chain and form.ndim > 0))
        names = dict(enumerate(axes))
        for label in term.inner(form.ndim):
            names[label] = fresh
            fresh += 1
        coefficient *= term.coefficient
        factors += [factor.relabeled(names) for factor in term.factors]
    present = {label for factor in factors for label in factor.labels}
    repeated = [n for label, n in sizes.items() if label >= len(shape) and label not in present]
    return _single(shape, coefficient * math.prod(repeated), factors)


def _is_scalar(form: Form) -> bool:
    """Tell whether the form is the same number everywhere."""
    return not any(term.labels() for term in form.terms)


def _as_term(form: Form, alone: bool) -> Term:
    """Return the form as one term: a sum becomes a group, and so does a product with sums inside unless alone."""
    if not form.terms:
        return Term(0)
    if len(form.terms) == 1 and (alone or not form.terms[0].has_sums(form.ndim)):
        return form.terms[0]
    common: Number = 1 if len(form.terms) > 1 else form.terms[0].coefficient
    if common != 1:
        form = Form(form.shape, (Term(1, form.terms[0].factors),))
    return Term(common, (Factor(Group(form), tuple(range(form.ndim))),))


def _single(shape: Shape, coefficient: Number, factors: Sequence[Factor]) -> Form:
    """Return a form of one term, with equal factors as powers and a minus drawn into a difference."""
    merged: dict[Any, Factor] = {}
    for factor in factors:
        key = (factor.atom.key, factor.labels)
        exponent = _tidy(factor.exponent + (merged[key].exponent if key in merged else 0))
        merged[key] = Factor(factor.atom, factor.labels, exponent)
    kept = [factor for factor in merged.values() if factor.exponent != 0]
    if coefficient == 0:
        return constant(0, shape)
    if coefficient < 0:
        for place, factor in enumerate(kept):
            if isinstance(factor.atom, Group) and factor.exponent in (1, -1) and _has_minus(factor.atom.form):
                kept[place] = Factor(Group(_negated(factor.atom.form)), factor.labels, factor.exponent)
                coefficient = -coefficient
                break
    term = Term(_tidy(coefficient), tuple(kept))
    return Form(shape, tuple(_unwrapped(term, len(shape))))


def _has_minus(form: Form) -> bool:
    return len(form.terms) > 1 and any(term.coefficient < 0 for term in form.terms)


def _negated(form: Form) -> Form:
    """Return minus the sum, a positive term first."""
    terms = [Term(-term.coefficient, term.factors) for term in form.terms]
    return Form(form.shape, tuple(sorted(terms, key=lambda term: term.coefficient < 0)))


# --- Moving axes -------------------------------------------------------------------------------------------


def broadcast(form: Form, shape: Shape) -> Form:
    """Return the form repeated to this shape."""
    if form.shape == shape:
        return form
    extra = len(shape) - form.ndim
    terms = []
    for term in form.terms:
        names = {axis: axis + extra for axis in range(form.ndim) if form.shape[axis] == shape[axis + extra]}
        terms.append(_relabeled(term, names, len(shape)))
    return Form(shape, tuple(terms))


def transpose(form: Form, order: Sequence[int]) -> Form:
    """Return the form with its axes in this order."""
    places = {axis: place for place, axis in enumerate(order)}
    shape = tuple(form.shape[axis] for axis in order)
    return Form(shape, tuple(_relabeled(term, places, form.ndim) for term in form.terms))


def reshape(form: Form, shape: Shape) -> Form | None:
    """Return the form with axes of length 1 inserted or dropped; None if more than that would change."""
    if [n for n in form.shape if n != 1] != [n for n in shape if n != 1]:
        return None
    places = iter([place for place, n in enumerate(shape) if n != 1])
    names = {axis: next(places) for axis, n in enumerate(form.shape) if n != 1}
    # An axis of length 1 that a factor really has stays an axis of the result if the result has one there.
    spare = [place for place, n in enumerate(shape) if n == 1]
    for axis, n in enumerate(form.shape):
        if n == 1 and axis in spare and axis not in names.values():
            names[axis] = axis
    return Form(shape, tuple(_relabeled(term, names, len(shape)) for term in form.terms))


def total(form: Form, axes: Sequence[int], keepdims: bool = False) -> Form:
    """Return the sum over these axes."""
    axes = [axis % form.ndim for axis in axes]
    kept = [axis for axis in range(form.ndim) if axis not in axes]
    inner = iter(range(len(kept), form.ndim))
    labels = [kept.index(axis) if axis in kept else next(inner) for axis in range(form.ndim)]
    found = einsum([form], [labels], tuple(form.shape[axis] for axis in kept))
    if keepdims:
        shape = tuple(1 if axis in axes else n for axis, n in enumerate(form.shape))
        names = dict(enumerate(kept))
        found = Form(shape, tuple(_relabeled(term, names, form.ndim) for term in found.terms))
    return found


def matmul(x: Form, y: Form) -> Form:
    """Return the matrix product, as NumPy defines it for any number of axes."""
    if x.ndim == 1 or y.ndim == 1 or x.ndim == y.ndim == 2:
        rows, batch = x.ndim - 1, max(y.ndim - 2, 0)
        shape = (*x.shape[:-1], *y.shape[:batch], *y.shape[1:][-1:])
        summed = len(shape)
        column = (summed - 1,) if y.ndim > 1 else ()
        return einsum(
            [x, y], [(*range(rows), summed), (*range(rows, rows + batch), summed, *column)], shape, chain=True
        )
    lengths = np.broadcast_shapes(x.shape[:-2], y.shape[:-2])
    shape = (*lengths, x.shape[-2], y.shape[-1])
    n = len(lengths)
    x, y = broadcast(x, (*lengths, *x.shape[-2:])), broadcast(y, (*lengths, *y.shape[-2:]))
    return einsum([x, y], [(*range(n), n, n + 2), (*range(n), n + 2, n + 1)], shape)


# --- Named products ----------------------------------------------------------------------------------------


def with_products(form: Form, products: Sequence[tuple[Term, Letter]]) -> Form:
    """Return the form with products that have a name written by it: y for e^z / sum e^z, also out of a sum.

    Args:
        form: with `-sum(ybar y) / s + ybar / s`, times e^z, for example.
        products: what some letters stand for, each a single term.
    """
    terms = []
    for term in form.terms:
        for product, letter in products:
            term = _named(_pulled_out(term, product), product, letter) or _named(term, product, letter) or term
        terms.append(term)
    return Form(form.shape, tuple(terms))


def _pulled_out(term: Term, product: Term) -> Term:
    """Return the term with those factors of the product that all terms of a sum in it have before the sum."""
    for place, factor in enumerate(term.factors):
        if not isinstance(factor.atom, Group) or factor.exponent != 1 or len(set(factor.labels)) < len(factor.labels):
            continue
        inner = factor.atom.form
        for wanted in product.factors:
            found = [_like(wanted, part, inner.ndim) for part in inner.terms]
            common = [like for like in found if like is not None]
            axes = {tuple(min(label, inner.ndim) for label in like.labels) for like in common}
            if len(common) < len(inner.terms) or len(axes) != 1:
                continue
            rest = [
                Term(part.coefficient, tuple(f for f in part.factors if f is not like))
                for part, like in zip(inner.terms, common, strict=True)
            ]
            rest.sort(key=lambda part: part.coefficient < 0)
            fresh = itertools.count(max(label for f in term.factors for label in (*f.labels, len(factor.labels))) + 1)
            labels = tuple(factor.labels[label] if label < inner.ndim else next(fresh) for label in common[0].labels)
            group = Factor(Group(Form(inner.shape, tuple(rest))), factor.labels)
            others = (*term.factors[:place], *term.factors[place + 1 :])
            return Term(term.coefficient, (*others, Factor(wanted.atom, labels, wanted.exponent), group))
    return term


def _like(wanted: Factor, term: Term, ndim: int) -> Factor | None:
    """Return the factor of a term that is the wanted one, where nothing is summed over its axes; None if none is."""
    for factor in term.factors:
        same = factor.atom.key == wanted.atom.key and factor.exponent == wanted.exponent
        free = all(label < ndim or n == 1 for label, n in zip(factor.labels, factor.atom.shape, strict=True))
        if same and free and len(set(factor.labels)) == len(factor.labels):
            return factor
    return None


def _named(term: Term, product: Term, letter: Letter) -> Term | None:
    """Return the term with the factors of a product replaced by its letter; None if it does not have them all."""
    labels: dict[int, int] = {}
    left = list(term.factors)
    for wanted in product.factors:
        for factor in left:
            if factor.atom.key == wanted.atom.key and factor.exponent == wanted.exponent:
                pairs = [
                    (axis, label)
                    for axis, label, n in zip(wanted.labels, factor.labels, wanted.atom.shape, strict=True)
                    if n != 1 or axis < len(letter.shape)
                ]
                if all(labels.get(axis, label) == label for axis, label in pairs):
                    labels.update(pairs)
                    left.remove(factor)
                    break
        else:
            return None
    if any(axis not in labels for axis in range(len(letter.shape))) or len(set(labels.values())) < len(labels):
        return None
    named = Factor(letter, tuple(labels[axis] for axis in range(len(letter.shape))))
    return Term(term.coefficient, (named, *left))

"""Forms as text: products of arrays in matrix notation where there is one, with indices where there is not.

A `Writer` writes in one style (`symbols`), with letters or with the numbers they stand for. A term's factors are
first merged where they go element by element, then contracted label by label into matrix products and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd.view.algebra import (
    Absent,
    Array,
    Atom,
    Call,
    Factor,
    Form,
    Group,
    Hooked,
    Letter,
    Number,
    Ones,
    Share,
    Slope,
    Term,
    Values,
)
from autograd.view.symbols import Style, coefficient, decimal

SUM, QUOTIENT, PRODUCT, POWER, ATOM = range(5)
"""How strongly a text holds together: what is weaker than its place asks for goes into parentheses."""

Written = tuple[str, int]


class NoMatrixFormError(Exception):
    """A term that only indices can write."""


@dataclass(frozen=True)
class Piece:
    """A part of a term: something with a label for each axis that it still has.

    Attributes:
        kind: "factors" (element by element), "chain" (a matrix product) or "sum".
        parts: factors, pieces of the chain from left to right, or what is summed.
        labels: of the axes; a chain has at most two.
        axes: over which axes of its part a sum goes; () for all.
        places: where the labels' axes are in the array itself, which may have further ones of length 1.
        flipped: whether it is transposed.
    """

    kind: str
    parts: tuple[Any, ...]
    labels: tuple[int, ...]
    axes: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    flipped: bool = False

    def transposed(self) -> Piece:
        """Return the piece with its two axes exchanged."""
        labels = self.labels[::-1]
        if self.kind == "chain":
            parts = tuple(part.transposed() for part in reversed(self.parts))
            return Piece("chain", parts, labels)
        return replace(self, labels=labels, places=self.places[::-1], flipped=not self.flipped)


class Writer:
    """Writes forms in one style.

    Args:
        style: the symbols to use.
        symbols: what each quantity is called, by number.
        values: what letters stand for, to write numbers in their place; None: write letters.
        indexed: write all products of arrays with indices.
    """

    def __init__(
        self,
        style: Style,
        symbols: Callable[[int], str],
        values: Values | None = None,
        *,
        indexed: bool = False,
    ) -> None:
        self.style = style
        self.symbols = symbols
        self.values = values
        self.indexed = indexed

    def form(self, form: Form) -> str:
        """Return the form's text; with a 1 for axes along which it repeats itself."""
        present = {label for term in form.terms for label in term.labels()}
        missing = tuple(axis for axis, n in enumerate(form.shape) if axis not in present and n != 1)
        if missing and form.terms and not self.indexed:
            (term, *more) = form.terms
            ones = Factor(Ones(tuple(form.shape[axis] for axis in missing)), missing)
            if more:
                labels = tuple(range(form.ndim))
                term = Term(1, (Factor(Group(form), tuple(label for label in labels if label in present)),))
            form = Form(form.shape, (Term(term.coefficient, (*term.factors, ones)),))
        return self.written(form, indices(form.ndim) if self.indexed else None)[0]

    # --- Sums ----------------------------------------------------------------------------------------------

    def written(self, form: Form, at: Sequence[str] | None = None) -> Written:
        """Return the form's text and how strongly that holds together.

        Args:
            form: what to write.
            at: an index for each axis: write one element; None: write arrays as wholes.
        """
        if not form.terms:
            return "0", ATOM
        found = ""
        for place, term in enumerate(form.terms):
            written = self._unsigned(term, form.shape, at)
            alone = len(form.terms) == 1 and not term.coefficient < 0
            text = written[0] if alone else self._parenthesized(written, QUOTIENT)
            if (place or term.coefficient < 0) and text.startswith(self.style.minus):
                text = f"{self.style.opening}{text}{self.style.closing}"
            if place:
                found += f" {self.style.minus if term.coefficient < 0 else '+'} {text}"
            else:
                found = f"{self.style.minus if term.coefficient < 0 else ''}{text}"
        if len(form.terms) > 1:
            return found, SUM
        return found, min(written[1], PRODUCT) if term.coefficient < 0 else written[1]

    def _parenthesized(self, written: Written, level: int) -> str:
        text, has = written
        return text if has >= level else f"{self.style.opening}{text}{self.style.closing}"

    # --- Terms ---------------------------------------------------------------------------------------------

    def _unsigned(self, term: Term, shape: tuple[int, ...], at: Sequence[str] | None) -> Written:
        """Return a term's text without its sign."""
        if not term.factors:
            text = decimal(_positive(term.coefficient))
            return self.style.number(float(text)) if self.values and isinstance(term.coefficient, float) else text, ATOM
        try:
            above, below = self._as_matrices(term, shape) if at is None else self._with_indices(term, at)
        except NoMatrixFormError:
            above, below = self._with_indices(term, indices(len(shape)))
        multiple, divisor = coefficient(_positive(term.coefficient))
        text, level = self._joined(above) if above else ("1", ATOM)
        if multiple:
            alone = self.values is not None and not text.endswith(self.style.closing)
            body = self._parenthesized((text, level), ATOM + 1 if alone else PRODUCT)
            text, level = (f"{multiple} {body}" if above else multiple), PRODUCT
        under = [*([(divisor, ATOM)] if divisor else []), *below]
        if under:
            text, level = self._quotient((text, level), self._joined(under)), QUOTIENT
        return text, level

    def _as_matrices(self, term: Term, shape: tuple[int, ...]) -> tuple[list[Written], list[Written]]:
        """Return what stands above and below the fraction line: numbers first, then the arrays as one text.

        Raises:
            NoMatrixFormError: there is an array with more than two axes, or axes that do not match up.
        """
        found = [_piece(factor, len(shape)) for factor in term.factors]
        scalars = [factor for piece in found if not piece.labels for factor in piece.parts]
        pieces = _contracted([piece for piece in found if piece.labels], shape)
        numbers = [piece for piece in pieces if not piece.labels]
        arrays = _arranged([piece for piece in pieces if piece.labels], shape)
        above = [self._factor(factor) for factor in scalars if factor.exponent > 0]
        above += [self.piece(piece) for piece in numbers]
        below = [self._factor(factor, invert=True) for factor in scalars if factor.exponent < 0]
        over, under = self._products(arrays)
        return above + over, below + under

    def _products(self, arrays: Sequence[Piece]) -> tuple[list[Written], list[Written]]:
        """Return what is above and below the fraction line of arrays that go together element by element."""
        over: list[Written] = []
        under: list[Written] = []
        for piece in arrays:
            if piece.kind == "factors" and not piece.flipped:
                over += [self._factor(factor) for factor in piece.parts if factor.exponent > 0]
                under += [self._factor(factor, invert=True) for factor in piece.parts if factor.exponent < 0]
            else:
                over.append(self.piece(piece))
        return [self._elementwise(over)] if over else [], [self._elementwise(under)] if under else []

    def _quotient(self, above: Written, below: Written) -> str:
        """Return a fraction; a fraction line that groups by itself needs no parentheses."""
        if self.style.has_fraction_lines:
            return self.style.quotient(above[0], below[0], simple=True)
        return self.style.quotient(self._parenthesized(above, PRODUCT), below[0], simple=below[1] >= POWER)

    def _joined(self, texts: Sequence[Written]) -> Written:
        """Return a product with numbers, side by side."""
        if len(texts) == 1:
            return texts[0]
        if self.values is not None:
            return "".join(f"{self.style.opening}{text}{self.style.closing}" for text, _ in texts), PRODUCT
        return " ".join(self._parenthesized(text, PRODUCT) for text in texts), PRODUCT

    def _elementwise(self, texts: Sequence[Written]) -> Written:
        if len(texts) == 1:
            return texts[0]
        return self.style.elementwise.join(self._parenthesized(text, PRODUCT) for text in texts), PRODUCT

    def piece(self, piece: Piece) -> Written:
        """Return the text of a piece."""
        if piece.kind == "chain":
            return " ".join(self._link(part) for part in piece.parts), PRODUCT
        if piece.kind == "sum":
            (part,) = piece.parts
            text, level = self.piece(part)
            text = f" {text}" if level >= POWER else f"{self.style.opening}{text}{self.style.closing}"
            found: Written = f"{self.style.sum}{self.style.axes(piece.axes)}{text}", PRODUCT
        else:
            over, under = self._products([replace(piece, flipped=False)])
            found = over[0] if over else ("1", ATOM)
            if under:
                found = self._quotient(found, under[0]), QUOTIENT
        if piece.flipped:
            return self._parenthesized(found, ATOM) + self.style.transposed, POWER
        return found

    def _link(self, part: Piece) -> str:
        """Return a part of a matrix product; one that is such a product itself needs no parentheses."""
        text, level = self.piece(part)
        product = level == PRODUCT and self.style.elementwise not in text and self.style.sum not in text
        return text if product else self._parenthesized((text, level), POWER)

    # --- Factors -------------------------------------------------------------------------------------------

    def _factor(self, factor: Factor, *, invert: bool = False) -> Written:
        """Return a factor's text, or that of its inverse."""
        written = self.atom(factor.atom)
        exponent = -factor.exponent if invert else factor.exponent
        if exponent == 1:
            return written
        return self.style.power(self._parenthesized(written, ATOM), exponent), POWER

    def atom(self, atom: Atom, at: Sequence[str] | None = None) -> Written:
        """Return an atom's text, or its number; for a function element by element, that of an element."""
        if isinstance(atom, Group):
            return self.written(atom.form)
        if isinstance(atom, Ones):
            return self.style.ones, ATOM
        if self.values is not None:
            text = self.style.number(atom.value(self.values))
            return text, PRODUCT if text.startswith(self.style.minus) else ATOM
        if isinstance(atom, Letter):
            return self.style.name(self.symbols(atom.number), bar=atom.bar), ATOM
        if isinstance(atom, Array):
            if atom.name is not None:
                return self.style.function(atom.name), ATOM
            if atom.array.dtype == bool and atom.array.ndim == 1 and atom.array.sum() == 1:
                return self.style.function("onehot") + f"({atom.array.argmax()})", ATOM
            small = atom.array.size <= _SMALL
            return self.style.value(atom.array) if small else self.style.function("constant"), ATOM
        if isinstance(atom, Slope):
            return self._filled(_primed(atom.operation), [atom.argument], at)
        if isinstance(atom, Hooked):
            return self._filled("hook({})", [atom.form], at)
        if isinstance(atom, Share):
            arguments = ", ".join(self.written(form)[0] for form in atom.forms)
            name = self.style.function(f"{short_name(atom.operation)}_{atom.argument}_bar")
            return f"{name}{self.style.opening}{arguments}{self.style.closing}", ATOM
        assert isinstance(atom, Call)
        text, level = self._call(atom, at)
        return (text, level) if atom.output is None else (f"{text}[{atom.output}]", ATOM)

    def _call(self, call: Call, at: Sequence[str] | None) -> Written:
        if _is_one_hot(call):
            return self._filled("onehot({})", call.arguments[:1], at)
        notation = _notation(call.operation)
        if notation is not None and notation.count("{}") == len(call.arguments):
            for name, value in call.parameters.items():
                notation = notation.replace(f"{{{name}}}", shown(value))
            return self._filled(notation, call.arguments, at)
        parameters = [self.style.parameter(text) for text in _settings(call)]
        forms = [form for form in call.arguments if not isinstance(form.atom(), Absent)]
        arguments = ", ".join([*(self.written(form, _last(at, form))[0] for form in forms), *parameters])
        name = self.style.function(short_name(call.operation))
        return f"{name}{self.style.opening}{arguments}{self.style.closing}", ATOM

    def _filled(self, notation: str, forms: Sequence[Form], at: Sequence[str] | None) -> Written:
        """Return a notation with the forms in its places."""
        parts = notation.split("{}")
        found = self.style.signs(parts[0])
        for before, form, after in zip(parts, forms, parts[1:], strict=False):
            written = self.written(form, _last(at, form))
            enclosed = before[-1:] in ("(", "[", "|", ",") and after[:1] in (")", "]", "|", ",")
            if before.endswith("^"):
                found += self.style.raised(written[0], written[1] == ATOM)
            else:
                found += written[0] if enclosed else self._parenthesized(written, ATOM)
            found += self.style.signs(after)
        closed = parts[-1][-1:] in (")", "]", "|")
        if closed or " " not in notation:
            return found, ATOM if closed else POWER
        return found, SUM if any(sign in notation for sign in (" + ", " - ", " <", " >", "= ")) else QUOTIENT

    # --- With indices --------------------------------------------------------------------------------------

    def _with_indices(self, term: Term, at: Sequence[str]) -> tuple[list[Written], list[Written]]:
        """Return what stands above and below the fraction line, for one element."""
        lengths = {label: n for f in term.factors for label, n in zip(f.labels, f.atom.shape, strict=True)}
        inner = [label for label in term.inner(len(at)) if lengths[label] != 1]
        names = [*at, *(letter for letter in _INDICES if letter not in at)]
        letters = {label: names[place] for place, label in enumerate([*range(len(at)), *inner])}
        above: list[Written] = []
        below: list[Written] = []
        for factor in term.factors:
            written = self._element(factor.atom, [letters.get(label, "0") for label in factor.labels])
            exponent = _positive(factor.exponent)
            if exponent != 1:
                written = self.style.power(self._parenthesized(written, ATOM), exponent), POWER
            (above if factor.exponent > 0 else below).append(written)
        if inner:
            summed = self.style.sum + self.subscript([letters[label] for label in inner])
            above = [(f"{summed} {self._joined(above)[0] if above else '1'}", PRODUCT)]
        return above, below

    def _element(self, atom: Atom, at: Sequence[str]) -> Written:
        """Return the text of one element of an atom."""
        if not at:
            return self.atom(atom)
        if isinstance(atom, Group):
            return self.written(atom.form, at)
        if isinstance(atom, (Call, Slope)) and atom.operation.elementwise and not _is_one_hot(atom):
            return self.atom(atom, at)
        return self._parenthesized(self.atom(atom), ATOM) + self.subscript(at), ATOM

    def subscript(self, at: Sequence[str]) -> str:
        """Return indices as they are put after a name."""
        return f"_{{{''.join(at)}}}" if self.style.opening != "(" else f"[{','.join(at)}]"


def _positive(number: Number) -> Number:
    return -number if number < 0 else number


_INDICES = "ijklmnpqrsuvabcdefgh"


def indices(ndim: int) -> Sequence[str]:
    """Return the indices of the axes of what stands on the left."""
    return _INDICES[:ndim]


def _last(at: Sequence[str] | None, form: Form) -> Sequence[str] | None:
    """Return the indices of an argument that is broadcast to what has the indices `at`."""
    return None if at is None else at[len(at) - form.ndim :]


def _settings(call: Call) -> list[str]:
    """Return the parameters that are said in a call: short ones that are not at their defaults."""
    given = dict(call.parameters)
    for name, value in call.parameters.items():
        if hasattr(value, "_asdict"):  # several in one, as a convolution has them
            del given[name]
            given |= value._asdict()
    if not _differ(given.get("stride"), given.get("size")):
        given.pop("stride", None)  # windows side by side
    found = []
    for name, value in given.items():
        if name in _USUAL:
            value = _common(value)
            if value == _USUAL[name]:
                continue
        if name in _UNSAID or value is None or value is False or not _differ(value, _default(call, name)):
            continue
        sizes = name == "size" and isinstance(value, tuple)
        text = "\N{MULTIPLICATION SIGN}".join(map(str, value)) if sizes else shown(value)
        if len(text) <= 12:
            found.append(text if sizes else f"{name}=({text})" if isinstance(value, tuple) else f"{name}={text}")
    return found


def _common(value: Any) -> Any:
    """Return the one part of nested tuples whose parts are all equal, so far as they are."""
    while isinstance(value, tuple) and value and all(part == value[0] for part in value):
        value = value[0]
    return value


def _default(call: Call, name: str) -> Any:
    """Return a parameter's default; the value itself for an axis that is the same, counted from the other end."""
    default, value = call.operation.defaults.get(name), call.parameters.get(name)
    if name == "axis" and isinstance(value, int) and isinstance(default, int) and call.arguments[0].ndim:
        return value if (value - default) % call.arguments[0].ndim == 0 else default
    return default


def _differ(value: Any, default: Any) -> bool:
    try:
        return bool(value != default)
    except ValueError:  # an array, in an index
        return True


def _is_one_hot(atom: Atom) -> bool:
    """Tell whether this is a comparison that says which class is the label: labels == [0 ... 9]."""
    if not isinstance(atom, Call) or atom.operation.name != "equal":
        return False
    classes = atom.arguments[-1].atom()
    return isinstance(classes, Array) and np.array_equal(classes.array.ravel(), np.arange(classes.array.size))


_SMALL = 6
"""Elements of a constant array up to which it is written out in an expression."""

_UNSAID = ("shape", "subscripts", "optimize")

_USUAL = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
"""How windows move: said as one number where it is the same along all axes, and only where it is another."""


def short_name(operation: Any) -> str:
    """Return the name of an operation as it is put before its arguments."""
    name: str = operation.name
    return name.replace("convolution", "conv")


def _notation(operation: Any) -> str | None:
    """Return an operation's notation, with a power written close."""
    notation: str | None = operation.notation
    return None if notation is None else notation.replace(" ^ ", "^")


def shown(value: Any) -> str:
    """Return a static parameter as one would type it: an index with its colons."""
    if isinstance(value, tuple):
        return ", ".join(map(shown, value))
    if isinstance(value, slice):
        bounds = ["" if bound is None else str(bound) for bound in (value.start, value.stop)]
        return ":".join(bounds) + ("" if value.step is None else f":{value.step}")
    if value is Ellipsis:
        return "..."
    if isinstance(value, np.ndarray):
        return "mask" if value.dtype == bool else "array"
    return str(value)


def _primed(operation: Any) -> str:
    """Return how the derivative of a function of one argument is written: sigma'({})."""
    notation = operation.notation
    if notation is not None and notation.endswith("({})"):
        return f"{notation[:-4]}'({{}})"
    return f"{short_name(operation)}'({{}})"


# --- From labels to matrices -------------------------------------------------------------------------------


def _piece(factor: Factor, ndim: int) -> Piece:
    """Return a factor as a piece, without axes of length 1 that are summed over: an index that is always 0."""
    kept = [place for place, label in enumerate(factor.labels) if label < ndim or factor.atom.shape[place] != 1]
    return Piece("factors", (factor,), tuple(factor.labels[place] for place in kept), places=tuple(kept))


def _merged(pieces: Sequence[Piece]) -> list[Piece]:
    """Return the pieces with those on the same axes put together, element by element."""
    found: list[Piece] = []
    for piece in pieces:
        for place, other in enumerate(found):
            if (
                piece.kind == other.kind == "factors"
                and piece.labels == other.labels
                and not piece.flipped | other.flipped
            ):
                found[place] = replace(other, parts=other.parts + piece.parts)
                break
        else:
            found.append(piece)
    return found


def _contracted(pieces: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """Return the pieces after all sums: matrix products of two pieces first, then sums within one."""
    ndim = len(shape)
    pieces = _merged(pieces)
    while True:
        users: dict[int, list[Piece]] = {}
        for piece in pieces:
            for label in piece.labels:
                if label >= ndim:
                    users.setdefault(label, []).append(piece)
        if not users:
            return pieces
        label = min(users, key=lambda label: (len(users[label]) != 2, label))
        using = users[label]
        if len(using) > 2:
            raise NoMatrixFormError
        new = _summed(using[0], label) if len(using) == 1 else _product_of(using[0], using[1], label, ndim)
        place = min(map(pieces.index, using))
        others = [piece for piece in pieces if piece not in using]
        pieces = _merged([*others[:place], new, *others[place:]])


def _summed(piece: Piece, label: int) -> Piece:
    if piece.labels.count(label) != 1:
        raise NoMatrixFormError
    if piece.flipped:
        piece = piece.transposed()
    summed = piece.labels.index(label)
    rest = tuple(other for other in piece.labels if other != label)
    places = piece.places or tuple(range(len(piece.labels)))
    axes = tuple(sorted((*piece.axes, places[summed]))) if rest else ()
    places = tuple(place for axis, place in enumerate(places) if axis != summed)
    parts = piece.parts if piece.kind == "sum" else (piece,)
    return Piece("sum", parts, rest, axes, places)


def _product_of(left: Piece, right: Piece, label: int, ndim: int) -> Piece:
    """Return the matrix product over `label`, in the order that the axes of the result ask for."""
    rows = [other for other in left.labels if other != label]
    columns = [other for other in right.labels if other != label]
    if len(rows) > 1 or len(columns) > 1 or set(rows) & set(columns):
        raise NoMatrixFormError
    if left.labels.count(label) + right.labels.count(label) != 2:
        raise NoMatrixFormError
    swap = bool(rows and columns and columns[0] < rows[0] and columns[0] < ndim) or bool(columns and not rows)
    if swap:
        left, right, rows, columns = right, left, columns, rows
    if len(left.labels) == 2 and left.labels[1] != label:
        left = left.transposed()
    if len(right.labels) == 2 and right.labels[0] != label:
        right = right.transposed()
    if len(left.labels) == 1:
        left = replace(left, flipped=True)
    return Piece("chain", (*_links(left), *_links(right)), (*rows, *columns))


def _links(piece: Piece) -> tuple[Piece, ...]:
    return piece.parts if piece.kind == "chain" and len(piece.labels) == 2 else (piece,)


def _arranged(pieces: list[Piece], shape: tuple[int, ...]) -> list[Piece]:
    """Return the pieces turned so that they can be multiplied element by element, with NumPy's broadcasting."""
    present = {label for piece in pieces for label in piece.labels}
    axes = tuple(axis for axis, n in enumerate(shape) if n != 1 or axis in present)
    ndim = len(axes)
    if ndim == 2 and sorted(piece.labels for piece in pieces) == [axes[:1], axes[1:]]:
        column, row = sorted(pieces, key=lambda piece: piece.labels)
        return [Piece("chain", (column, replace(row, flipped=True)), axes)]
    found = []
    for piece in pieces:
        if len(piece.labels) == 2 and piece.labels == axes[::-1]:
            piece = piece.transposed()
        in_place = piece.labels == axes[ndim - len(piece.labels) :] or _is_kept(piece, len(shape))
        if not in_place and not (piece.kind == "sum" and list(piece.labels) == sorted(piece.labels)):
            raise NoMatrixFormError
        found.append(piece)
    return _merged(found)


def _is_kept(piece: Piece, ndim: int) -> bool:
    """Tell whether a piece has all axes where the result has them, some of length 1: what keepdims leaves."""
    return (
        piece.kind == "factors"
        and not piece.flipped
        and all(
            len(factor.labels) == ndim
            and all(label == axis or factor.atom.shape[axis] == 1 for axis, label in enumerate(factor.labels))
            for factor in piece.parts
        )
    )

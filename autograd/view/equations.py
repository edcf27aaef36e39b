"""The forward and the backward pass as equations, one line a quantity: w-bar = z-bar x + R-bar w = ... = 0.1947.

A line is a quantity that has a name (or is a result); what has none is written into the lines that use it, unless
that makes them too long. The bar of a quantity is the sum of what its consumers' rules give it (`derive`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.view import algebra
from autograd.view.algebra import Form, Letter, constant, of
from autograd.view.derive import Derivation, stand_in
from autograd.view.replay import Replay, seeds, usable
from autograd.view.symbols import ASCII, LATEX, UNICODE, Style
from autograd.view.write import Writer, indices

if TYPE_CHECKING:
    from autograd.view.snapshot import Quantity, Snapshot

_LONG = 16
"""Letters and operations in an expression from which on it gets a line and a letter of its own."""

_LONG_IF_USED_AGAIN = 5

BUDGET = 300
"""Quantities that are written about."""


class Equation:
    """One line: a quantity or its bar, what it equals, and its value.

    Attributes:
        quantity: whose line it is.
        bar: whether it is that of its bar.
        form: what stands on the right.
        value: an array or number; None if unknown.
    """

    def __init__(self, system: Equations, quantity: Quantity, form: Form, value: Any, *, bar: bool) -> None:
        self._system = system
        self.quantity = quantity
        self.form = form
        self.value = value
        self.bar = bar

    @property
    def letter(self) -> Letter:
        """What stands on the left."""
        return Letter(self.quantity.number, self.quantity.shape, bar=self.bar)

    def letters(self) -> list[Letter]:
        """Return the letters on the right."""
        return self._system.letters(self.form)

    def evaluated(self) -> Any:
        """Return the value of the right side for the values of the letters in it."""
        return self.form.value(self._system)

    def left(self, style: Style = UNICODE) -> str:
        """Return what stands on the left as text."""
        return style.name(self.quantity.symbol, bar=self.bar)

    def parts(self, style: Style = UNICODE, *, numbers: bool = True, indexed: bool = False) -> list[str]:
        """Return what stands between the equals signs: letters, expression, numbers, value.

        Args:
            style: the symbols.
            numbers: whether to go on with numbers and the value.
            indexed: write products of arrays with indices, W[i,j] x[j].
        """
        writer = self._system.writer(style, indexed=indexed)
        left = self.left(style)
        if indexed and self.form.ndim:
            left += writer.subscript(indices(self.form.ndim))
        found = [left, writer.form(self.form)]
        if numbers:
            value = style.value(self.value)
            if self._has_numbers():
                found.append(self._system.writer(style, numbers=True).form(self.form))
            found.append(value)
        return [text for place, text in enumerate(found) if place == 0 or text != found[place - 1]]

    def _has_numbers(self) -> bool:
        """Tell whether all is numbers that are known, so that they can be put in the place of the letters."""
        letters = [self._system.letter(letter) for letter in self._system.letters(self.form)]
        known = self.value is not None and all(value is not None and not np.shape(value) for value in letters)
        return known and self.form.shape == () and not any(term.labels() for term in self.form.terms)

    def text(self, style: Style = UNICODE, **options: Any) -> str:
        """Return the line as text; see `parts`."""
        return " = ".join(self.parts(style, **options))

    def latex(self, **options: Any) -> str:
        """Return the line in LaTeX, aligned at the first equals sign; options as for `parts`."""
        left, *rest = self.parts(LATEX, **options)
        return f"{left} &= " + " = ".join(rest)

    def __repr__(self) -> str:
        return self.text()


class Equations:
    """The lines of a graph: first the forward pass, then the backward pass in the order of the sweep.

    Args:
        snapshot: of the graph.
        replay: its backward pass; None: run it.
        expand: write the derivative of a function as its rule has it, instead of sigma'(z).
        budget: how many quantities to write about: those nearest to the results.
        inline: write what has no name into the lines that use it; False: a line for every step.

    Attributes:
        forward, backward: the lines, `Equation`s.
        note: what was left out; "" if nothing.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        replay: Replay | None = None,
        *,
        expand: bool = False,
        budget: int = BUDGET,
        inline: bool = True,
    ) -> None:
        self.snapshot = snapshot
        self._start = max(0, len(snapshot) - budget)
        self.note = ""
        if self._start:
            self.note = (
                f"The first {self._start:,} of {len(snapshot):,} quantities are not written out; "
                "graph.cone(...) shows a part"
            )
        self.replay = Replay(snapshot) if replay is None else replay
        self._derivation = Derivation(snapshot, expand=expand)
        self._children = snapshot.children()
        named = {
            q.number
            for q in snapshot.quantities[self._start :]
            if q.operation is not None and (q.name is not None or not inline) and not isinstance(q.dtype, tuple)
        }
        self._lines = named | set(snapshot.outputs) | {q.number for q in snapshot.quantities if q.hooked}
        self._seeds = seeds(snapshot)
        self._forms: dict[int, Any] = {}
        self._recorded: dict[Any, Any] = {}
        self._products: list[tuple[algebra.Term, Letter]] = []
        self.forward = self._forward()
        self.backward = self._backward()

    def __iter__(self) -> Iterator[Equation]:
        yield from self.forward
        yield from self.backward

    def __getitem__(self, name: str) -> Equation:
        """Return a line by what stands on its left: "z", or "zbar" (also "z.bar") for a bar.

        Raises:
            KeyError: there is no such line.
        """
        for equation in self:
            symbol = equation.quantity.symbol
            if name in ((f"{symbol}bar", f"{symbol}.bar") if equation.bar else (symbol,)):
                return equation
        raise KeyError(f"there is no line for {name!r}; there are {', '.join(e.left(ASCII) for e in self)}")

    # --- The two passes ------------------------------------------------------------------------------------

    def _forward(self) -> list[Equation]:
        """Return the lines of the forward pass; what gets too long has a line, too."""
        self._derivation.known.clear()
        self._products.clear()
        self._forms.clear()
        found = []
        for quantity in self.snapshot.quantities[self._start :]:
            early = quantity.output is not None and quantity.parents[0] <= self._start
            if quantity.operation is None or early:
                continue
            letter = of(Letter(quantity.number, quantity.shape)) if not isinstance(quantity.dtype, tuple) else None
            parents = [self._form(parent) for parent in quantity.parents]
            form = self._derivation.forward(quantity, parents)
            if letter is None:
                self._forms[quantity.number] = form
                continue
            self._recorded[form.key] = quantity.value
            uses = len(self._children[quantity.number - 1])
            if form.size() > (_LONG if uses < 2 else _LONG_IF_USED_AGAIN):
                self._lines.add(quantity.number)
            if quantity.number in self._lines:
                self._name(form, Letter(quantity.number, quantity.shape))
                found.append(Equation(self, quantity, form, quantity.value, bar=False))
                form = letter
            self._forms[quantity.number] = form
        return found

    def _name(self, form: Form, letter: Letter) -> None:
        """Let the letter stand for the form, and a quotient's also for its factors, wherever they turn up again."""
        self._derivation.name(form, letter)
        if len(form.terms) == 1 and form.terms[0].coefficient == 1:
            factors = form.terms[0].factors
            if len(factors) > 1 and any(factor.exponent < 0 for factor in factors):
                self._products.append((form.terms[0], letter))

    def _form(self, number: int) -> Any:
        """Return what stands for a quantity where it is used: its letter, a number, or what it was computed from."""
        if number not in self._forms:
            self._forms[number] = stand_in(self.snapshot[number])
        return self._forms[number]

    def _backward(self) -> list[Equation]:
        """Return the lines of the backward pass; once more if a bar got too long, so that its quantity has a line."""
        found = []
        bars: dict[int, Any] = {}
        lines = set(self._lines)
        for quantity in reversed(self.snapshot.quantities):
            number = quantity.number
            if number <= self._start and (
                quantity.operation is not None or min(self._children[number - 1]) <= self._start
            ):
                continue
            bar = self._bar(quantity, bars)
            if bar is None or not quantity.requires_grad:
                continue
            if isinstance(bar, Form):
                if bar.size() > _LONG:
                    self._lines.add(number)
                if number in self._lines or quantity.operation is None:
                    found.append(Equation(self, quantity, bar, self.replay.bars.get(number), bar=True))
                    bar = of(Letter(number, quantity.shape, bar=True))
            bars[number] = bar
        if any(self.snapshot[number].operation is not None for number in self._lines - lines):
            self.forward = self._forward()
            return self._backward()
        return sorted(found, key=self._place)

    def _place(self, equation: Equation) -> tuple[int, ...]:
        """Return where a bar's line comes: in the order of the sweep; a leaf's as soon as its bar is complete."""
        number = equation.quantity.number
        if equation.quantity.operation is not None:
            return -number, 0, 0
        used = [letter.number for letter in self.letters(equation.form) if letter.bar]
        return -min(used, default=0), 1, number

    def _bar(self, quantity: Quantity, bars: dict[int, Any]) -> Any:
        """Return a quantity's bar in terms of its consumers' bars; None if none arrives."""
        shares: list[Any] = []
        if quantity.number in self._seeds:
            shares.append(self._seed(self._seeds[quantity.number]))
        if isinstance(quantity.dtype, tuple):
            return self._bars_of_outputs(quantity, bars)
        for consumer in dict.fromkeys(self._children[quantity.number - 1]):
            child = self.snapshot[consumer]
            if consumer in bars:
                shares += [
                    self._share(child, position, bars[consumer])
                    for position in child.wanted
                    if child.parents[position] == quantity.number
                ]
        if not shares:
            return None
        total = algebra.with_products(algebra.add(*shares), self._products)
        return (
            of(algebra.Hooked(total, Letter(quantity.number, quantity.shape, bar=True))) if quantity.hooked else total
        )

    def _seed(self, seed: Any) -> Form:
        array = np.asarray(seed)
        if array.size and (array == array.flat[0]).all():
            return constant(array.flat[0].item(), array.shape)
        return of(algebra.Array(array))

    def _bars_of_outputs(self, quantity: Quantity, bars: dict[int, Any]) -> Any:
        found: list[Form] = [constant(0, shape) for shape in quantity.shape]
        consumers = [child for child in self._children[quantity.number - 1] if child in bars]
        for child in consumers:
            place = self.snapshot[child].output
            assert place is not None
            found[place] = algebra.add(found[place], bars[child])
        return tuple(found) if consumers else None

    def _share(self, child: Quantity, position: int, bar: Any) -> Form:
        forms = [self._form(parent) for parent in child.parents]
        return self._derivation.share(child, position, bar, forms, self._form(child.number))

    # --- Values --------------------------------------------------------------------------------------------

    def letter(self, letter: Letter) -> Any:
        """Return the value that a `letter` stands for, a quantity's or its bar's; None if it is not known."""
        return self.replay.bars.get(letter.number) if letter.bar else usable(self.snapshot[letter.number])

    def form(self, form: Form) -> Any:
        """Return the value of a `form`: the recorded one if it is a quantity's, else computed from the letters'."""
        recorded = self._recorded.get(form.key)
        return form.value(self) if recorded is None else recorded

    def letters(self, form: Form) -> list[Letter]:
        """Return the letters in a `form`."""
        found: list[Letter] = []
        stack: list[Any] = [factor.atom for term in form.terms for factor in term.factors]
        while stack:
            atom = stack.pop()
            if isinstance(atom, Letter):
                found.append(atom)
            elif isinstance(atom, (algebra.Call, algebra.Share)):
                forms = atom.arguments if isinstance(atom, algebra.Call) else atom.forms
                stack += [f.atom for form in forms for term in form.terms for f in term.factors]
            elif isinstance(atom, (algebra.Group, algebra.Hooked, algebra.Slope)):
                inner = atom.expanded if isinstance(atom, algebra.Slope) else atom.form
                stack += [f.atom for term in inner.terms for f in term.factors]
        return found

    def parent(self, consumer: int, position: int) -> int:
        """Return the number of the argument of `consumer` (a number) at `position`."""
        return self.snapshot[consumer].parents[position]

    def line_of(self, number: int) -> Quantity:
        """Return in whose line the quantity with this `number` is written: its own, or that of one that uses it."""
        while number not in self._lines and self._children[number - 1]:
            number = self._children[number - 1][0]
        return self.snapshot[number]

    def writer(self, style: Style, *, numbers: bool = False, indexed: bool = False) -> Writer:
        """Return what writes forms.

        Args:
            style: the symbols.
            numbers: write numbers in the place of letters.
            indexed: write products of arrays with indices.
        """
        values = self if numbers else None
        return Writer(style, lambda number: self.snapshot[number].symbol, values, indexed=indexed)

    # --- Text ----------------------------------------------------------------------------------------------

    def text(self, style: Style = UNICODE, **options: Any) -> str:
        """Return all lines as text in a `style` (Unicode; ASCII); `options` as for `Equation.parts`."""
        lines = [equation.text(style, **options) for equation in self]
        return "\n".join([*([self.note] if self.note else []), *lines])

    def markdown(self, style: Style = UNICODE, *, indexed: bool = False) -> str:
        """Return all lines as a Markdown table: equation, numbers, value.

        Args:
            style: the symbols.
            indexed: write products of arrays with indices.
        """
        rows = ["| equation | with numbers | value |", "|---|---|---|"]
        for title, lines in (("forward", self.forward), ("backward", self.backward)):
            rows.append(f"| **{title}** | | |")
            for line in lines:
                left, right, *rest = line.parts(style, indexed=indexed)
                numbers = rest[0] if len(rest) > 1 else ""
                value = rest[-1] if rest else right
                cells = [f"`{left} = {right}`", f"`{numbers}`" if numbers else "", value]
                rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        return "\n".join([*([self.note, ""] if self.note else []), *rows])

    def latex(self, **options: Any) -> str:
        """Return all lines as an `aligned` block of LaTeX, for math mode; `options` as for `Equation.parts`."""
        left_out = [f"  &\\text{{{self.note}}}"] if self.note else []
        lines = " \\\\\n".join([*left_out, *("  " + equation.latex(**options) for equation in self)])
        return f"\\begin{{aligned}}\n{lines}\n\\end{{aligned}}"

    def __repr__(self) -> str:
        return self.text()

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex()}\n$$"

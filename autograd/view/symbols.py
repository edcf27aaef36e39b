"""How names, numbers and values are written: as Unicode text, as plain ASCII, in LaTeX."""

# ruff: noqa: D102, ARG002 (what a style overrides is described once, in `Style`)

from __future__ import annotations

import math
import re
import unicodedata
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

_GREEK = {
    name: chr(0x3B1 + place)
    for place, name in enumerate(
        [
            "alpha",
            "beta",
            "gamma",
            "delta",
            "epsilon",
            "zeta",
            "eta",
            "theta",
            "iota",
            "kappa",
            "lambda",
            "mu",
            "nu",
            "xi",
            "omicron",
            "pi",
            "rho",
            "_",
            "sigma",
            "tau",
            "upsilon",
            "phi",
            "chi",
            "psi",
            "omega",
        ]
    )
    if name != "_"
}
_SPELLED = {letter: name for name, letter in _GREEK.items()} | {
    chr(ord(_GREEK[name]) - 0x20): name.capitalize()
    for name in ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega")
}
"""Greek letters by their names in LaTeX."""

_PARTS = re.compile(rf"({'|'.join(_GREEK)}|[A-Za-z])(?:_?(\d+)|_([A-Za-z]\w*))?")
_SIGN = re.compile(r"(==|!=|<=|>=|(?<= )-(?= )|^-$)")
_MACRON = "\N{COMBINING MACRON}"
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SHORT = 4
"""Characters of a name that a bar over its first letter is still read with: L-bar-reg, but loss.bar."""


class Style:
    """Unicode text. The attributes are what is put between, before and after the parts of an expression."""

    minus = "\N{MINUS SIGN}"
    elementwise = " \N{RING OPERATOR} "
    transposed = "ᵀ"
    sum = "Σ"
    ones = "\N{MATHEMATICAL BOLD DIGIT ONE}"
    opening, closing = "(", ")"
    has_fraction_lines = False
    sign: ClassVar = {"==": "==", "!=": "≠", "<=": "≤", ">=": "≥", "-": "\N{MINUS SIGN}"}

    def name(self, name: str, *, bar: bool = False) -> str:
        """Return a quantity's name, or that of its bar."""
        name = " ".join(name.split())
        if name.rstrip("_") in _GREEK:
            name = name.rstrip("_")
        match = _PARTS.fullmatch(name)
        if match is None:
            return self._long(name, bar)
        letter, digits, word = match.groups()
        return self._letter(letter, bar) + self._subscript(digits, word)

    def _letter(self, letter: str, bar: bool) -> str:
        return unicodedata.normalize("NFC", _GREEK.get(letter, letter) + _MACRON * bar)

    def _subscript(self, digits: str | None, word: str | None) -> str:
        return digits.translate(_SUBSCRIPTS) if digits else f"_{word}" if word else ""

    def _long(self, name: str, bar: bool) -> str:
        if len(name) <= _SHORT and name.isalnum():
            return self._letter(name[0], bar) + name[1:]
        return f"{name}.bar" if bar else name

    def function(self, text: str) -> str:
        """Return the text of a notation outside its arguments: Greek letters by their names."""
        return re.sub(r"[A-Za-z]+", lambda match: _GREEK.get(match[0], match[0]), text)

    def signs(self, text: str) -> str:
        """Return what a notation has before, between or after its arguments: function names and signs."""
        return "".join(self.sign.get(part) or self.function(part) for part in _SIGN.split(text))

    def parameter(self, text: str) -> str:
        """Return a static parameter of a call, "axis=1"."""
        return text

    def power(self, base: str, exponent: float | Fraction) -> str:
        """Return base to a constant power."""
        if float(exponent).is_integer():
            return base + str(int(exponent)).translate(_SUPERSCRIPTS)
        return f"{base}^{self.number(exponent)}"

    def raised(self, exponent: str, simple: bool) -> str:
        """Return an exponent that is an expression, after its caret."""
        return exponent if simple else f"({exponent})"

    def quotient(self, above: str, below: str, *, simple: bool) -> str:
        """Return a fraction; `simple` if what is below needs no parentheses."""
        return f"{above} / {below if simple else f'({below})'}"

    def axes(self, axes: tuple[int, ...]) -> str:
        """Return the sum sign's subscript."""
        return ",".join(map(str, axes)).translate(_SUBSCRIPTS)

    def number(self, value: Any) -> str:
        """Return a number in four decimals, or four digits where it is small or large."""
        return plain_number(value).replace("-", self.minus)

    def value(self, value: Any) -> str:
        """Return a number, a small array, or the shape and range of a large one; a dash if it is unknown."""
        return described(value).replace("-", self.minus) if value is not None else "\N{EN DASH}"


class Ascii(Style):
    """Plain text as one types it: wbar, lambda, z^2, ^T."""

    minus = "-"
    elementwise = " * "
    transposed = "^T"
    sum = "sum"
    ones = "ones"
    sign: ClassVar = {sign: sign for sign in Style.sign}

    def name(self, name: str, *, bar: bool = False) -> str:
        return (
            f"{name}{'bar' if (len(name) <= _SHORT and name.isalnum()) or name in _GREEK else '.bar'}" if bar else name
        )

    def function(self, text: str) -> str:
        return text

    def power(self, base: str, exponent: float | Fraction) -> str:
        return f"{base}^{self.number(exponent)}"

    def axes(self, axes: tuple[int, ...]) -> str:
        return "_" + ",".join(map(str, axes)) if axes else ""

    def value(self, value: Any) -> str:
        return described(value) if value is not None else "-"


_FUNCTIONS = {
    *("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "arcsin", "arccos", "arctan"),
    *("exp", "log", "ln", "max", "min", "det", "arg"),
}
"""Functions that LaTeX has a command for."""


class Latex(Style):
    """LaTeX, for math mode."""

    minus = "-"
    elementwise = r" \circ "
    transposed = r"^{\top}"
    sum = r"\textstyle\sum"
    ones = r"\mathbf{1}"
    opening, closing = r"\left(", r"\right)"
    has_fraction_lines = True
    sign: ClassVar = {"==": r"\stackrel{?}{=}", "!=": r"\neq", "<=": r"\leq", ">=": r"\geq", "-": "-"}

    def name(self, name: str, *, bar: bool = False) -> str:
        spelled = _SPELLED.get(name[:1], name[:1]) + name[1:]
        return super().name(spelled if _PARTS.fullmatch(spelled) else name, bar=bar)

    def _letter(self, letter: str, bar: bool) -> str:
        letter = f"\\{letter}" if letter in _GREEK else letter
        return f"\\bar{{{letter}}}" if bar else letter

    def _subscript(self, digits: str | None, word: str | None) -> str:
        return f"_{{{digits}}}" if digits else f"_{{\\mathrm{{{_escaped(word)}}}}}" if word else ""

    def _long(self, name: str, bar: bool) -> str:
        upright = f"\\mathrm{{{_escaped(name, math=True)}}}"
        return f"\\overline{{{upright}}}" if bar else upright

    def function(self, text: str) -> str:
        def word(match: re.Match[str]) -> str:
            name = match[0]
            if name in _GREEK or name in _FUNCTIONS:
                return f"\\{name}"
            return name if len(name) == 1 else f"\\operatorname{{{_escaped(name)}}}"

        return re.sub(r"[A-Za-z]\w*", word, text)

    def parameter(self, text: str) -> str:
        return f"\\text{{{_escaped(text)}}}"

    def power(self, base: str, exponent: float | Fraction) -> str:
        return f"{base}^{{{self.number(exponent)}}}"

    def raised(self, exponent: str, simple: bool) -> str:
        return f"{{{exponent}}}"

    def quotient(self, above: str, below: str, *, simple: bool) -> str:
        return f"\\frac{{{above}}}{{{below}}}"

    def axes(self, axes: tuple[int, ...]) -> str:
        return f"_{{{','.join(map(str, axes))}}}" if axes else ""

    def number(self, value: Any) -> str:
        text = super().number(value)
        return (
            text.replace("inf", r"\infty") if text.endswith("inf") else f"\\text{{{text}}}" if text.isalpha() else text
        )

    def value(self, value: Any) -> str:
        if value is None:
            return r"\text{--}"
        array = np.asarray(value)
        if array.ndim in (1, 2) and array.size <= _SMALL:
            rows = array if array.ndim == 2 else array[:, None]
            return (
                r"\begin{pmatrix}" + r" \\ ".join(" & ".join(map(self.number, row)) for row in rows) + r"\end{pmatrix}"
            )
        return self.number(array) if array.ndim == 0 else f"\\text{{{_escaped(described(value))}}}"


def _escaped(text: str | None, *, math: bool = False) -> str:
    """Return text with what LaTeX would take for a command escaped, for text mode or for math mode."""
    escapes = {sign: f"\\{sign}" for sign in "_#%&${}"}
    if math:
        escapes |= {"\\": r"{\backslash}", "^": r"{\wedge}", "~": r"{\sim}"}
        escapes |= {letter: f"{{\\{name}}}" for letter, name in _SPELLED.items()}
    else:
        escapes |= {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    return "".join(escapes.get(letter, letter) for letter in text or "")


UNICODE, ASCII, LATEX = Style(), Ascii(), Latex()

_SMALL = 9
"""Elements of an array up to which its values are shown."""


def plain_number(value: Any) -> str:
    """Return a number in four decimals without trailing zeros; in four digits where that would be too coarse."""
    value = float(value) if isinstance(value, Fraction) else np.asarray(value).item()
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value, "nan")
    if value == 0 or 1e-3 <= abs(value) < 1e5:
        text = f"{value:.4f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    return f"{value:.4g}"


def described(value: Any) -> str:
    """Return a number, the elements of a small array, or the shape and range of a large one."""
    if isinstance(value, tuple):
        return "(" + ", ".join(map(described, value)) + ")"
    array = np.asarray(value)
    if array.ndim == 0:
        return plain_number(array)
    if array.size <= _SMALL:
        return _nested(array)
    text = f"{'×'.join(map(str, array.shape))} {array.dtype}"
    if array.dtype.kind == "b":
        return f"{text}, {int(array.sum())} true"
    bad = int(array.size - np.isfinite(array).sum())
    if bad:
        return f"{text}, {bad} not finite"
    return f"{text}, {plain_number(array.min())} to {plain_number(array.max())}"


def _nested(array: Any) -> str:
    if array.ndim == 0:
        return plain_number(array)
    return "[" + ", ".join(map(_nested, array)) + "]"


def coefficient(value: float | Fraction) -> tuple[str, str]:
    """Return how a positive number before an expression is written: a multiple, and a divisor; "" for 1."""
    if value == 0.5:
        return "", "2"
    if isinstance(value, float) and len(repr(value)) > _DIGITS:
        near = Fraction(value).limit_denominator(1000)
        value = near if abs(float(near) - value) < 1e-14 * value else value
    if isinstance(value, Fraction):
        above, below = value.numerator, value.denominator
        return "" if above == 1 else str(above), "" if below == 1 else str(below)
    return "" if value == 1 else decimal(value), ""


_DIGITS = 8


def decimal(value: Any) -> str:
    """Return a constant as the user wrote it, if that is short; a fraction as such."""
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}" if value.denominator != 1 else str(value.numerator)
    return repr(value) if len(repr(value)) <= _DIGITS else f"{value:.6g}"

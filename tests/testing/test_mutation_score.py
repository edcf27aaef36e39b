"""The mutation score of our own rules: our tests notice each planted fault, or no test can.

A module's faults are tried on its own tests: its specs, at each sample, and what tests/ops has on special values; and
on the table of conventions. Tests by Hypothesis are left out, so that every verdict is the same in every run.

`python -m tests.testing.test_mutation_score` prints the table of docs/mutation.md.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
import importlib
import inspect
import itertools
import pkgutil
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
from autograd.primitive import Primitive
from autograd.testing.mutation import Mutant, Score, score
from tests import test_conventions, test_specs
from tests.test_specs import strict_sweep  # noqa: F401 (for all tests of this module)

MODULES = {
    f"autograd.ops.{name}": (f"specs.{name}", f"ops.test_{name}")
    for name in (
        "reduce products indexing elementwise convolution shape pooling joining ordering windows creation".split()
    )
} | {
    "autograd.linalg": ("specs.linalg", "ops.test_linalg"),
    "autograd.ops.decompositions": ("specs.linalg", "ops.test_linalg"),
    "autograd.ops.recurrent": ("specs.recurrent",),
    "autograd.ops.broadcast": ("specs.broadcast",),
    "autograd.transforms": ("specs.transforms", "test_transforms"),
}
"""Where there are primitives, and where their tests are."""

LEFT_OUT = (
    "test_values_and_gradients_are_torchs",  # seconds each
    "test_transposes_are_torchs",
    # What the sweep mends, which it must not have to here.
    "test_a_bar_has_the_dtype_of_what_was_assigned",
    "test_pieces_of_different_dtype_keep_theirs",
    "test_bars_keep_the_dtype_of_each_side",
    "test_an_array_that_only_the_sweep_has_is_handed_out_as_it_is",  # here each bar is looked at on its way
)

HARNESS = (
    test_specs.test_derivatives_agree_with_finite_differences,
    test_specs.test_first_derivative_agrees_with_an_oracle,
    test_specs.test_rule_on_arrays_is_the_rule_on_tensors,
    test_specs.test_inputs_are_left_alone,
    test_specs.test_layout_in_memory_does_not_matter,
)


# --- Why no test can notice a fault ------------------------------------------------------------------------------

STEP = "the rule uses it in comparisons and roundings only, and the derivative of these is 0"
SYMMETRIC = "the rule uses both in the same way"
SUMMED = "the sweep sums over what broadcasting repeated"
SAME_SHAPE = "with keepdims the bar has the shape already, and reshape changes nothing"
ANY_NEGATIVE = "to reshape, any negative length is the one to be found"
NOT_REACHED = "the case does not arise: the caller, or NumPy's forward, deals with it before"
SHORTCUT = "a shortcut: the other branch gives the same, and takes longer"
ZERO = "0 / 1 or 0 / -1, only the sign of the zero differs (and the second derivative is not defined there)"
ONE_AXIS = "there is one axis, so the first is the last"
FLATTENED = "scatter_along_axis(ybar, indices, axis=0, shape=(math.prod(arr_shape),))"
MORE_AXES = "there are more axes of length 1, over which the sum is taken"
UNUSED = "the last element is not used, so its bar is 0"


def of_each(names: str, fault: str, why: str) -> dict[tuple[str, str, str], str]:
    """Return the same reason for several operations, whatever the argument."""
    return {(name, "*", fault): why for name in names.split()}


REDUCTIONS = "logsumexp max mean median min nanmean nansum prod std sum var"

EQUIVALENT = {
    # Elementwise
    **of_each(
        "absolute clip copysign fabs fmax fmin fmod leaky_relu max maximum min minimum nanmean nansum relu remainder sort",
        "takes what it uses for a constant",
        STEP,
    ),
    **of_each("hypot arctan2", "in _nonzero, sign: r + (r == 0) -> r - (r == 0)", ZERO),
    **of_each("copysign clip", "takes x and out for each other", SYMMETRIC),
    ("power", "y", "in _log, off by one: 0 -> 1"): SHORTCUT,
    ("elu", "x", "off by one: 0 -> 1 (number 2)"): "it is in the branch for x > 0, and limits what is not selected",
    # Broadcasting, shapes
    ("broadcast_to", "x", "reduction lost: sum_to(ybar, shape=x_shape) -> ybar"): SUMMED,
    ("pad", "array", "always True: any(width)"): SHORTCUT,
    # Indexing, ordering
    ("setitem", "value", "always True: _repeats(index, arrays)"): SHORTCUT,
    ("setitem", "value", "in _repeats, always True: _is_array(item) and item.dtype.kind != 'b'"): SHORTCUT,
    ("setitem", "value", "in _repeats, turned: False -> True"): SHORTCUT,
    ("setitem", "value", "in _is_array, tie on the other side: item.ndim > 0 -> item.ndim >= 0"): SHORTCUT,
    ("setitem", "value", "always False: extra <= 0"): SHORTCUT,
    ("setitem", "value", "tie on the other side: extra <= 0 -> extra < 0"): SHORTCUT,
    ("setitem", "value", "term lost: len(value_shape) - share.ndim -> len(value_shape)"): MORE_AXES,
    ("setitem", "value", "sign: len(value_shape) - share.ndim -> len(value_shape) + share.ndim"): MORE_AXES,
    ("take_along_axis", "arr", "always True: axis is not None"): SHORTCUT,
    ("take_along_axis", "arr", f"keyword lost: {FLATTENED} -> {FLATTENED.replace(', axis=0', '')}"): ONE_AXIS,
    ("sort", "a", "in _scattered, always True: axis is not None"): SHORTCUT,
    ("sort", "a", f"in _scattered, keyword lost: {FLATTENED} -> {FLATTENED.replace(', axis=0', '')}"): ONE_AXIS,
    # Products, linear algebra
    ("matmul", "x", "always True: zbar.ndim"): SHORTCUT,
    ("matmul", "x", "always False: y.ndim == 2"): SHORTCUT,
    ("matmul", "y", "always False: x.ndim == 2"): SHORTCUT,
    ("linear", "*", "in _as_rows, always False: x.ndim == 2"): SHORTCUT,
    **of_each("linear matmul", "in _product, always False: x.shape[-1] == 1", SHORTCUT),
    **of_each("linear matmul", "in _product, index lost: x.shape[-1] -> x.shape", SHORTCUT),
    ("linear", "w", "in _product, sign lost: -1 -> 1"): "there are two axes, so the last is the second",
    ("linear", "b", "always False: len(b_shape) == 1"): SUMMED,
    ("linear", "b", "call lost: _sum_of_rows(zbar) -> zbar"): SUMMED,
    **{
        ("linear", "b", f"in _sum_of_rows, {fault}"): SHORTCUT
        for fault in (
            "always True: len(rows) < 512",
            "always False: len(rows) < 512",
            "opposite: len(rows) < 512 -> len(rows) >= 512",
            "tie on the other side: len(rows) < 512 -> len(rows) <= 512",
            "off by one: 512 -> 513",
        )
    },
    ("einsum", "operands", "always False: shape == bar.shape"): SHORTCUT,
    ("einsum", "operands", "always False: full == shape"): SHORTCUT,
    ("convolution", "b", "transposed"): "it has one axis",
    ("cholesky", "a", "transposed"): "it is symmetric",
    **of_each("cholesky qr", "in _lower_half, off by one: 1 -> 2", "the matrix is square, the axes are equally long"),
    ("norm", "x", "always True: not keepdims"): SAME_SHAPE,
    # Recurrent
    ("lstm", "weight_ih", "off by one: 1 -> 2"): ANY_NEGATIVE,
    ("lstm", "weight_hh", "off by one: 1 -> 2 (number 2)"): ANY_NEGATIVE,
    ("lstm", "bias", "transposed"): "it has one axis",
    ("lstm", "bias", "off by one: 0 -> 1 (number 3)"): "all that the rules share is of one dtype",
    **{
        (name, argument, "reads its bar in the order of memory"): "what the rules share is made in that order"
        for name, arguments in (("lstm", "x h c weight_ih weight_hh bias"), ("lstm_bars", "h_bars c_bar arguments"))
        for argument in arguments.split()
    },
    (
        "lstm",
        "shared",
        (
            "keyword lost: lstm_bars(*bars, x, h, c, weight_ih, weight_hh, bias, trace=trace) -> "
            "lstm_bars(*bars, x, h, c, weight_ih, weight_hh, bias)"
        ),
    ): "what the forward pass wrote down is then computed again",
    ("lstm_bars", "shared", "in _bars_by_steps, off by one: 1 -> 2"): ANY_NEGATIVE,
    **{
        ("lstm_bars", "shared", f"in lstm_cell, {fault}"): NOT_REACHED
        for fault in (
            "always False: projected.shape != (*h.shape[:-1], 4 * h.shape[-1]) or h.shape != c.shape",
            (
                "and, or: projected.shape != (*h.shape[:-1], 4 * h.shape[-1]) or h.shape != c.shape -> "
                "projected.shape != (*h.shape[:-1], 4 * h.shape[-1]) and h.shape != c.shape"
            ),
            "always True: bias is None",
            "term lost: projected + bias -> projected",
            "term lost: projected + bias -> bias",
            "sign: projected + bias -> projected - bias",
        )
    },
    **{
        ("lstm_bars", "shared", f"in lstm_cell, sign lost: -1 -> 1{number}"): "the state has two axes"
        for number in ("", " (number 2)", " (number 3)")
    },
    # Reductions
    **of_each(REDUCTIONS, "ignores keepdims", SAME_SHAPE),
    **of_each(REDUCTIONS, "in _restored, always False: keepdims or axis is None", SAME_SHAPE),
    **of_each(REDUCTIONS, "in _restored, and, or: keepdims or axis is None -> keepdims and axis is None", SAME_SHAPE),
    **of_each(
        "logsumexp max median min nanmean nansum softmax_cross_entropy sum",
        "in _axes, always False: axis is None",
        NOT_REACHED,
    ),
    **of_each("mean std var", "in _count, always False: axis is None", SHORTCUT),
    **of_each("mean std var", "in _axes, always False: axis is None", NOT_REACHED),
    **of_each("mean median softmax_cross_entropy std var", "in _axes, always True: ndim", NOT_REACHED),
    **of_each("softmax_cross_entropy", "in _axes, power or division lost: i % ndim -> i", NOT_REACHED),
    **of_each("softmax_cross_entropy", "in _axes, always False: isinstance(axis, tuple)", NOT_REACHED),
    ("softmax_cross_entropy", "logits", "in _is_label, off by one: 1 -> 2"): ANY_NEGATIVE,
    ("softmax_cross_entropy", "logits", "in _at_labels, off by one: 1 -> 2"): ANY_NEGATIVE,
    ("softmax_cross_entropy", "logits", "always True: total is None"): SHORTCUT,
    ("mean", "a", "off by one: 1 -> 2 (number 2)"): "over no elements, and there is no bar either",
    ("std", "a", "in _root_bar, sign: y + zero -> y - zero"): ZERO,
    ("cumsum", "a", "always False: axis is None"): SHORTCUT,
    ("linear_recurrence", "c", "wrong at the last element"): "it multiplies nothing, or (reverse) the first term, 0",
    ("logsumexp", "x", "off by one: 0 -> 1"): "where out is -inf, so is x, and exp(-inf - 1) is 0 too",
    ("logsumexp", "x", "sign: total + (total == 0) -> total - (total == 0)"): ZERO,
}
"""Operation, argument ("*": any), fault -> why no test can notice it."""


# --- The score -----------------------------------------------------------------------------------------------


@functools.cache
def definitions() -> dict[str, list[Any]]:
    """Return the primitives of the library, public or not, that have a rule, by the module of the rule."""
    found: dict[str, dict[Any, None]] = {}
    for module in pkgutil.walk_packages(autograd.__path__, "autograd."):
        if not module.name.startswith("autograd.testing"):
            for value in vars(importlib.import_module(module.name)).values():
                definition = getattr(value, "primitive", None)
                if isinstance(definition, Primitive):
                    for rule in filter(None, definition.rules.values()):
                        found.setdefault(rule.__module__, {})[definition] = None
    return {module: list(primitives) for module, primitives in found.items()}


def checks(modules: Iterable[str]) -> Iterator[Callable[[], None]]:
    """Yield the tests: each check of a spec at each of its samples, those with names test_..., the conventions."""
    for name in modules:
        module = importlib.import_module(f"tests.{name}")
        for spec in getattr(module, "SPECS", ()) if name.startswith("specs") else ():
            for sample in spec.samples if spec.order else ():
                alone = dataclasses.replace(spec, samples=(sample,))
                for test in HARNESS:
                    yield functools.partial(unless_skipped, test, {"spec": alone})
                if np.float32 in spec.dtypes:
                    test = test_specs.test_dtype_is_kept_by_values_and_bars
                    yield functools.partial(unless_skipped, test, {"spec": alone, "dtype": np.float32})
        yield from cases(module)
    for where in test_conventions.LINES:
        yield functools.partial(test_conventions.test_ours, where)


def cases(module: Any) -> Iterator[Callable[[], None]]:
    """Yield the tests of a module, one for each set of its parameters; not those by Hypothesis, nor with fixtures."""
    for name, test in inspect.getmembers(module, inspect.isfunction):
        if name.startswith("test_") and name not in LEFT_OUT and not hasattr(test, "hypothesis"):
            tables = [table(mark) for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
            for rows in itertools.product(*tables):
                arguments = {key: value for row in rows for key, value in row.items()}
                if arguments.keys() == inspect.signature(test).parameters.keys():
                    yield functools.partial(unless_skipped, test, arguments)


def table(mark: Any) -> list[dict[str, Any]]:
    """Return the rows of a `parametrize`: names and values."""
    names, values = mark.args
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    rows = [getattr(value, "values", value) if len(names) > 1 else (value,) for value in values]
    return [dict(zip(names, row, strict=True)) for row in rows]


def unless_skipped(test: Callable[..., None], arguments: dict[str, Any]) -> None:
    """Run a test on copies of its arguments, which it may write to."""
    with contextlib.suppress(pytest.skip.Exception):
        test(**copy.deepcopy(arguments))


def scored(module: str) -> Score:
    """Return the score of one module's rules."""
    names = {definition.name for definition in definitions()[module]}
    reasons = {key: why for key, why in EQUIVALENT.items() if key[0] in names}
    return score(definitions()[module], checks(MODULES[module]), reasons)


SCORES: dict[str, Score] = {}
"""What the tests found."""


def test_every_module_with_a_rule_is_scored():
    assert definitions().keys() == MODULES.keys()


@pytest.mark.parametrize("module", MODULES)
def test_every_fault_of_a_rule_is_noticed(module, record_property):
    found = SCORES[module] = scored(module)
    record_property("shown", f"{module}: {str(found).splitlines()[0]}")
    wrong = (found.survivors, found.refuted, found.unused) != ([], [], [])
    assert not wrong, f"{found}\nreasons for what is no fault: {found.unused}"


def test_reasons_are_for_operations_that_there_are():
    assert {name for name, *_ in EQUIVALENT} <= {d.name for each in definitions().values() for d in each}


def kind(mutant: Mutant) -> str:
    """Return what sort of fault a mutant has."""
    fault = re.sub(r"^in \w+, ", "", mutant.fault).partition(":")[0]
    fault = re.sub("^takes .* for each other$", "takes two arguments for each other", fault)
    return re.sub("^ignores .*", "ignores a parameter", fault)


def main() -> None:
    """Run the tests of this file; print their score, a line for each operation, and the reasons."""
    pytest.main(["--quiet", "-W", "ignore::pytest.PytestAssertRewriteWarning", __file__])
    total = Score()
    for found in sys.modules["tests.testing.test_mutation_score"].SCORES.values():
        for name in ("killed", "equivalent", "survivors", "refuted"):
            getattr(total, name).extend(getattr(found, name))
    print(f"\n{total}\n\n| kind of fault | mutants | killed | equivalent |\n|---|---|---|---|")
    kinds = [Counter(map(kind, mutants)) for mutants in (total.killed, total.equivalent)]
    for name, count in (kinds[0] + kinds[1]).most_common():
        print(f"| {name} | {count} | {kinds[0][name]} | {kinds[1][name]} |")
    print(f"\n{total.table()}")
    print("\n| operation | argument | fault | why no test can notice it |\n|---|---|---|---|")
    for (operation, argument, fault), why in EQUIVALENT.items():
        code = fault.replace("|", "\\|")
        print(f"| {operation} | {'any' if argument == '*' else argument} | `{code}` | {why} |")


if __name__ == "__main__":
    main()

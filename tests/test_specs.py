"""Every check on every entry of tests/specs, and a check that no primitive is without an entry.

A sweep in this file is strict: each bar that a rule returns must have the dtype of its value by itself, and it, like
all inputs, is read-only from then on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
import autograd.ops
import autograd.sweep
from autograd import Tensor, numpy_api, trees
from autograd.tensor import raw

from . import oracles, specs
from .finite import check
from .specs.spec import Constant, Sample, Spec

SPECS: list[Spec] = [
    spec
    for module in pkgutil.iter_modules(specs.__path__)
    if module.name != "spec"
    for spec in importlib.import_module(f"{specs.__name__}.{module.name}").SPECS
]
SMOOTH = [spec for spec in SPECS if spec.order]


def each(chosen: list[Spec]) -> Any:
    """Run a test on each of these specs."""
    return pytest.mark.parametrize("spec", chosen, ids=str)


@pytest.fixture(autouse=True, scope="module")
def strict_sweep():
    """Let no rule hand out a bar of another dtype, and none write to a bar that it got."""
    fitted = autograd.sweep._fitted

    def strict(share: Any, parent: Any, output_shape: tuple[int, ...]) -> Any:
        assert type(share) in (np.ndarray, Tensor) or isinstance(share, np.generic), f"a rule returned {type(share)}"
        assert share.dtype == parent.dtype, f"a rule returned {share.dtype} for an argument of {parent.dtype}"
        return frozen(fitted(share, parent, output_shape))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autograd.sweep, "_fitted", strict)
        yield


def frozen(x: Any) -> Any:
    """Return x, read-only."""
    array = x._value if type(x) is Tensor else x
    if type(array) is np.ndarray:
        array.flags.writeable = False
    return x


@contextlib.contextmanager
def at(sample: Any):
    """Add the sample to an error that leaves the block."""
    try:
        yield
    except Exception as error:
        error.add_note(f"at {sample}")
        raise


def is_differentiable(a: Any) -> bool:
    """Tell whether a spec differentiates by this argument."""
    return isinstance(a, (np.ndarray, np.generic)) and a.dtype.kind == "f"


def arguments(sample: Sample, wrap: Any, constant: Any = lambda value: value) -> list[Any]:
    """Return the sample's arguments with `wrap` applied to arrays and `constant` to constants."""

    def convert(a: Any) -> Any:
        if isinstance(a, Constant):
            return constant(a.value)
        if isinstance(a, (np.ndarray, np.generic)):
            return wrap(a)
        if isinstance(a, (list, tuple)):
            return type(a)(map(convert, a))
        return a

    return [convert(a) for a in sample.args]


def arrays(sample: Sample) -> list[np.ndarray]:
    """Return the arrays that a sample is differentiated by."""
    found: list[np.ndarray] = []
    arguments(sample, lambda a: found.append(np.asarray(a)) if is_differentiable(a) else None)
    return found


def replaced(sample: Sample, values: list[Any]) -> list[Any]:
    """Return the sample's arguments with the arrays that it is differentiated by replaced, in order."""
    iterator = iter(values)
    return arguments(sample, lambda a: next(iterator) if is_differentiable(a) else a)


def cast(a: Any, dtype: Any) -> Any:
    """Return a copy of a float64 array in `dtype`; anything else as it is."""
    return np.array(a, dtype) if isinstance(a, (np.ndarray, np.generic)) and a.dtype == np.float64 else a


class Run:
    """One recorded call of an operation.

    Attributes:
        inputs: the tensors that it is differentiated by.
        outputs: its outputs, in a flat list.
        floats: those through which a gradient flows.
    """

    def __init__(self, spec: Spec, sample: Sample, dtype: Any = np.float64, layout: Any = lambda x: x) -> None:
        self.inputs: list[Tensor] = []

        def wrap(a: Any) -> Any:
            t = frozen(Tensor(cast(a, dtype), requires_grad=is_differentiable(a)))
            if not is_differentiable(a):
                return t
            self.inputs.append(t)
            return layout(t)

        args = arguments(sample, wrap, lambda value: frozen(cast(value, dtype)))
        self.outputs = trees.leaves(spec.function(*args, **sample.kwargs))
        self.floats = [layout(y) for y in self.outputs if isinstance(y, Tensor) and y.requires_grad]

    def bars(self, seed: int = 0) -> list[np.ndarray]:
        """Return random bars of the outputs."""
        rng = np.random.default_rng(seed)
        return [rng.normal(size=y.shape).astype(y.dtype) for y in self.floats]

    def gradient(self, bars: list[Any], *, create_graph: bool = False) -> list[Any]:
        """Return the bars of the inputs: arrays, or tensors under create_graph; zeros where there is none."""
        if not self.floats:
            return [np.zeros(x.shape, x.dtype) for x in self.inputs]
        found = ag.grad(self.floats, self.inputs, bars, create_graph=create_graph, retain_graph=True, allow_unused=True)
        return [np.zeros(x.shape, x.dtype) if g is None else g for g, x in zip(found, self.inputs, strict=True)]


def assert_bits(actual: Any, expected: Any, ulps: int) -> None:
    """Compare to the bit, signs of zeros and NaNs included, or to some units in the last place."""
    actual, expected = raw(actual), raw(expected)
    assert (actual.shape, actual.dtype) == (expected.shape, expected.dtype)
    if ulps and actual.dtype.kind == "f":
        np.testing.assert_array_max_ulp(actual, expected, ulps)
    else:
        np.testing.assert_array_equal(actual, expected, strict=True)
        if actual.dtype.kind == "f":
            np.testing.assert_array_equal(np.signbit(actual), np.signbit(expected))


def assert_close(actual: Any, expected: Any, relative: float = 1e-12) -> None:
    """Compare to `relative` of the largest number involved, or of 1."""
    actual, expected = raw(actual), raw(expected)
    scale = max(1.0, float(np.max(np.abs(expected), initial=0, where=np.isfinite(expected))))
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=relative * scale, strict=actual.dtype == float)


# --- Values --------------------------------------------------------------------------------------------------


@each(SPECS)
def test_value_shape_and_dtype_are_the_references(spec):
    for sample in spec.samples:
        with at(sample):
            expected = trees.leaves(spec.reference(*arguments(sample, np.asarray), **sample.kwargs))
            run = Run(spec, sample)
            assert len(run.outputs) == len(expected)
            for y, e in zip(run.outputs, expected, strict=True):
                assert raw(y).dtype == np.asarray(e).dtype
                assert np.shape(y) == np.shape(e)
                assert_close(y, e)
            assert bool(run.floats) == bool(spec.order and run.inputs)


@each(SPECS)
def test_raw_value_is_the_recorded_one(spec):
    for sample in spec.samples:
        with at(sample):
            recorded = Run(spec, sample).outputs
            constants = arguments(sample, lambda a: frozen(np.array(a)), frozen)
            plain = trees.leaves(spec.function(*constants, **sample.kwargs))
            assert not any(isinstance(y, Tensor) for y in plain)
            for y, e in zip(recorded, plain, strict=True):
                assert_bits(y, e, spec.ulps)


def mirrored(sample: Sample) -> list[np.ndarray]:
    """Return other values for the sample's arrays: the same in reverse order."""
    return [np.flip(x).copy() for x in arrays(sample)]


@each(SPECS)
def test_recorded_program_runs_again_on_other_values(spec):
    """Masks, indices and choices that depend on values are computed again, not remembered."""
    for sample in spec.samples:
        others = mirrored(sample)
        with at(sample), ag.record():
            run = Run(spec, sample)
            outputs = [y for y in run.outputs if isinstance(y, Tensor)]
            if not outputs or not run.inputs:
                continue
            again = ag.graph(*outputs).evaluate(dict(zip(run.inputs, others, strict=True)))
            expected = trees.leaves(spec.reference(*replaced(sample, others), **sample.kwargs))
            for y, e in zip(again if len(outputs) > 1 else [again], expected, strict=True):
                assert_close(y, e)


NUMPY = [(f, spec) for f, ours in numpy_api.FUNCTIONS.items() for spec in SPECS if spec.function is ours]


@pytest.mark.parametrize(("function", "spec"), NUMPY, ids=[f"{f.__name__}-{spec}" for f, spec in NUMPY])
def test_numpy_function_on_tensors_is_the_operation(function, spec):
    through_numpy = dataclasses.replace(spec, function=function)
    for sample in spec.samples:
        if not any(isinstance(a, Tensor) for a in trees.leaves(arguments(sample, Tensor))):
            continue
        if isinstance(function, np.ufunc) and sample.kwargs:
            continue  # a ufunc's options are refused
        try:
            function(*arguments(sample, np.asarray), **sample.kwargs)
        except (TypeError, ValueError):
            continue  # not a call that this version of NumPy knows: `np.clip(x)`
        with at(sample):
            run, expected = Run(through_numpy, sample), Run(spec, sample)
            for y, e in zip(run.outputs, expected.outputs, strict=True):
                assert type(y) is type(e)
                assert_bits(y, e, 0)
            for g, e in zip(run.gradient(run.bars()), expected.gradient(expected.bars()), strict=True):
                assert_bits(g, e, 0)


METHODS = [
    spec
    for spec in SPECS
    if hasattr(Tensor, str(spec)) and hasattr(np.ndarray, str(spec)) and getattr(ag, str(spec), None) is spec.function
]


@each(METHODS)
def test_method_is_that_of_arrays(spec):
    def call(x: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(x, str(spec))(*args, **kwargs)

    for sample in spec.samples:
        with at(sample):
            try:
                expected = trees.leaves(call(*arguments(sample, np.asarray), **sample.kwargs))
            except (TypeError, ValueError, AttributeError):
                continue  # not a call that arrays know: `x.transpose(axes=...)`
            if expected[0] is None:
                continue  # arrays are sorted in place, ours is a sorted copy
            run = Run(dataclasses.replace(spec, function=call), sample)
            for y, e in zip(run.outputs, expected, strict=True):
                assert np.shape(y) == np.shape(e)
                assert_close(y, e)


# --- Derivatives ---------------------------------------------------------------------------------------------


@each(SMOOTH)
def test_derivatives_agree_with_finite_differences(spec):
    for sample in spec.samples:
        with at(sample):
            check(
                lambda *xs, sample=sample: spec.function(*replaced(sample, list(xs)), **sample.kwargs),
                arrays(sample),
                order=spec.order,
                tolerance=spec.tolerance,
            )


@each(SMOOTH)
def test_first_derivative_agrees_with_an_oracle(spec):
    formula = oracles.ANALYTIC.get(spec.function, spec.reference)
    by = oracles.complex_step
    if spec.function in oracles.TORCH:
        if oracles.torch is None:
            pytest.skip("torch is the oracle here and is not installed")
        formula, by = oracles.TORCH[spec.function], oracles.by_torch
    for sample in spec.samples:
        with at(sample):
            run = Run(spec, sample)
            bars = run.bars()
            found = run.gradient(bars)
            expected = by(
                lambda *xs, sample=sample: formula(*replaced(sample, list(xs)), **sample.kwargs), arrays(sample), bars
            )
            for g, e in zip(found, expected, strict=True):
                assert_close(g, e, relative=1e-9)


@each(SMOOTH)
def test_rule_on_arrays_is_the_rule_on_tensors(spec):
    for sample in spec.samples:
        with at(sample):
            run = Run(spec, sample)
            bars = [frozen(bar) for bar in run.bars()]
            for g, e in zip(run.gradient(bars), run.gradient(bars, create_graph=True), strict=True):
                assert_bits(g, e, spec.ulps)


@each(SMOOTH)
def test_no_bar_no_gradient(spec):
    for sample in spec.samples:
        with at(sample):
            run = Run(spec, sample)
            for g in run.gradient([np.zeros_like(bar) for bar in run.bars()]):
                np.testing.assert_array_equal(g, 0)


# --- Memory, layout, dtype -----------------------------------------------------------------------------------


@each(SPECS)
def test_inputs_are_left_alone(spec):
    for sample in spec.samples:
        with at(sample):
            run = Run(spec, sample)
            run.gradient(run.bars())
            run.gradient(run.bars(), create_graph=True)
            for x, a in zip(run.inputs, arrays(sample), strict=True):
                assert_bits(x, a, 0)


def _scattered(x: Any) -> Any:
    """Return a copy of x that lies backward, transposed and with gaps of garbage in memory."""
    if not np.ndim(x):
        return x
    garbage = np.nan if x.dtype.kind == "f" else np.iinfo(x.dtype).max if x.dtype.kind in "iu" else True
    base = np.full([2 * n for n in reversed(x.shape)], garbage, x.dtype)
    view = base.T[tuple(slice(None, None, -2) for _ in x.shape)]
    view[...] = x
    return view


scattered = ag.primitive(_scattered, name="scattered", x=lambda ybar: scattered(ybar))


def scattered_constants(sample: Sample) -> Sample:
    """Return the sample with its constant arrays scattered."""
    changed = (
        Constant(_scattered(a.value)) if isinstance(a, Constant) and isinstance(a.value, np.ndarray) else a
        for a in sample.args
    )
    return Sample(*changed, **sample.kwargs)


@each(SPECS)
def test_layout_in_memory_does_not_matter(spec):
    for sample in spec.samples:
        with at(sample):
            plain, strided = Run(spec, sample), Run(spec, scattered_constants(sample), layout=scattered)
            for y, e in zip(strided.outputs, plain.outputs, strict=True):
                assert_close(y, e)
            for g, e in zip(strided.gradient(strided.bars()), plain.gradient(plain.bars()), strict=True):
                assert_close(g, e)


ROUGHLY = {np.dtype(np.float16): 4e-2, np.dtype(np.float32): 2e-4, np.dtype(np.float64): 1e-12}


KEPT = [(spec, dtype) for spec in SPECS for dtype in spec.dtypes]


@pytest.mark.parametrize(("spec", "dtype"), KEPT, ids=[f"{spec}-{np.dtype(dtype)}" for spec, dtype in KEPT])
def test_dtype_is_kept_by_values_and_bars(spec, dtype):
    for sample in spec.samples:
        rounded = Sample(*arguments(sample, lambda a: a.astype(dtype).astype(a.dtype), Constant), **sample.kwargs)
        with at(sample):
            run, exact = Run(spec, sample, dtype), Run(spec, rounded)
            for y, e in zip(run.outputs, exact.outputs, strict=True):
                assert raw(y).dtype == (dtype if raw(e).dtype == np.float64 else raw(e).dtype)
                assert_close(y, e, relative=ROUGHLY[np.dtype(dtype)])
            bars = run.bars()
            expected = exact.gradient([bar.astype(float) for bar in bars])
            for create_graph in (False, True):
                for g, e in zip(run.gradient(bars, create_graph=create_graph), expected, strict=True):
                    assert g.dtype == dtype
                    assert_close(g, e, relative=ROUGHLY[np.dtype(dtype)])


LEAKS = {
    "wider": lambda ybar: ybar * np.float64(2),
    "narrower": lambda ybar: (ybar * 2).astype(np.float16),
    "list": lambda ybar: [2.0, 2.0],
}


@pytest.mark.parametrize("rule", LEAKS.values(), ids=LEAKS)
def test_sweep_in_this_file_is_strict(rule):
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    leaky = ag.primitive(lambda x: 2 * x, name="leaky", x=rule)
    with pytest.raises(AssertionError, match="a rule returned"):
        ag.grad(leaky(x), x, np.ones(2))


def test_rule_in_this_file_cannot_write_to_its_bar():
    x = Tensor([1.0, 2.0], requires_grad=True)
    wrong = ag.primitive(lambda x: 2 * x, name="wrong", x=lambda ybar: np.multiply(ybar, 2, out=ybar))
    with pytest.raises(ValueError, match="read-only"):
        ag.grad(wrong(x) * 1.0, x, np.ones(2))


# --- Broadcasting --------------------------------------------------------------------------------------------


def summed(x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sum of x over what broadcasting `shape` to x's shape repeats."""
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    return x.sum(axis=tuple(axis for axis, n in enumerate(shape) if n == 1), keepdims=True).reshape(shape)


@each([spec for spec in SPECS if spec.domain is not None])
@given(data=st.data())
def test_broadcasting(spec, data):
    """Arrays of any shapes that go together, 0-d and empty ones too, give what the repeated arrays give."""
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(num_shapes=len(spec.domain), min_side=0, max_side=3, max_dims=3)
    )
    xs = [
        data.draw(
            hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False), fill=st.nothing())
        )
        for shape, (low, high) in zip(shapes.input_shapes, spec.domain, strict=True)
    ]
    repeated = [np.array(np.broadcast_to(x, shapes.result_shape)) for x in xs]
    small, large = Run(spec, Sample(*xs)), Run(spec, Sample(*repeated))
    for y, e in zip(small.outputs, trees.leaves(spec.reference(*xs)), strict=True):
        assert y.shape == shapes.result_shape
        assert_close(y, e)
    bars = large.bars()
    for g, e in zip(small.gradient(bars), large.gradient(bars), strict=True):
        assert_close(g, summed(e, g.shape))


# --- Completeness --------------------------------------------------------------------------------------------


def primitives() -> dict[Any, str]:
    """Return all primitives of the library with their names."""
    found: dict[Any, str] = {}
    modules = [importlib.import_module(m.name) for m in pkgutil.iter_modules(autograd.ops.__path__, "autograd.ops.")]
    for module in [*modules, importlib.import_module("autograd.linalg")]:
        for name, value in vars(module).items():
            if hasattr(value, "primitive"):
                found.setdefault(value.primitive, f"{module.__name__}.{name}")
    return found


def test_every_primitive_has_a_spec():
    covered = {
        function.primitive
        for spec in SPECS
        for function in (spec.function, *spec.covers)
        if hasattr(function, "primitive")
    }
    missing = sorted(name for definition, name in primitives().items() if definition not in covered)
    assert not missing, f"no entry in tests/specs for {missing}"


@each([spec for spec in SPECS if spec.covers])
def test_what_a_spec_covers_is_recorded(spec):
    """The primitives that users do not call are recorded by the operation, its gradient or the gradient's gradient."""
    seen = set()
    for sample in spec.samples:
        with ag.record() as graph:
            run = Run(spec, sample)
            first = [
                g for g in run.gradient(run.bars(), create_graph=True) if isinstance(g, Tensor) and g.requires_grad
            ]
            if first:
                ag.grad(first, run.inputs, [g * 2 for g in first], create_graph=True, allow_unused=True)
        seen |= {node.primitive for node in graph}
    missing = [function.__name__ for function in spec.covers if function.primitive not in seen]
    assert not missing, f"{spec} does not use {missing}"

"""What the strategies draw."""

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from autograd.testing import strategies as gs
from autograd.testing.programs import NAMES, USES, Program

quick = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(gs.numbers(-1, 1, away_from=[0, 0.5], gap=0.2))
def test_numbers_keep_their_distance(x):
    assert -1 <= x <= 1
    assert abs(x) >= 0.2 - 1e-15
    assert abs(x - 0.5) >= 0.2 - 1e-15


@quick
@given(gs.numbers(-1, 1, away_from=[0], at=[0], dtype=np.float32))
def test_numbers_hit_a_kink_on_purpose_or_stay_away(x):
    assert x == 0 or abs(x) >= 0.1
    assert np.float32(x) == x


@settings(max_examples=300, deadline=None)
@given(gs.numbers(), gs.numbers(0, 1e-6), gs.numbers(-1e6, 1e6, dtype=np.float32))
def test_numbers_are_not_next_to_nothing(x, y, z):
    assert x == 0 or 1e-3 < abs(x) <= 2
    assert y == 0 or 9e-10 < y <= 1e-6
    assert z == 0 or 900 < abs(z) <= 1e6


def test_numbers_that_cannot_be():
    with pytest.raises(ValueError, match="nothing is left of -1 .. 1"):
        gs.numbers(-1, 1, away_from=[0], gap=2)


def exists(strategy, condition):
    find(strategy, condition, settings=settings(max_examples=2000, database=None, deadline=None))


def test_arrays_of_every_kind_are_drawn():
    exists(gs.arrays(), lambda x: x.ndim == 0)
    exists(gs.arrays(), lambda x: x.size == 0)
    exists(gs.arrays((3, 4)), lambda x: not x.flags.c_contiguous and not x.flags.f_contiguous)
    exists(gs.arrays((3, 4)), lambda x: x.strides[0] < 0)
    exists(gs.arrays((3, 4)), lambda x: not x.flags.writeable)
    exists(gs.arrays(dtype=gs.dtypes()), lambda x: x.dtype == np.float32)
    exists(gs.arrays((4,)), lambda x: len(set(x.tolist())) == 4)


@quick
@given(gs.arrays((2, 3), low=0.5, high=1.5))
def test_arrays_have_shape_and_limits(x):
    assert x.shape == (2, 3)
    assert np.all((x >= 0.5) & (x <= 1.5))


@quick
@given(gs.broadcastable(3))
def test_broadcastable_arrays_go_together(arrays):
    assert np.broadcast_shapes(*(a.shape for a in arrays)) is not None
    assert len(arrays) == 3


@quick
@given(st.data(), st.integers(0, 3))
def test_axes_fit(data, ndim):
    axis = data.draw(gs.axes(ndim))
    assert np.sum(np.zeros((2,) * ndim), axis=axis).ndim <= ndim


@quick
@given(st.data(), gs.shapes())
def test_indices_fit(data, shape):
    np.zeros(shape)[data.draw(gs.indices(shape))]


def test_indices_of_every_kind_are_drawn():
    exists(gs.indices((3, 4)), lambda i: isinstance(i, np.ndarray) and i.dtype == bool)
    exists(gs.indices((3,)), lambda i: isinstance(i, tuple) and isinstance(i[0], np.ndarray) and i[0].size > 3)
    exists(
        gs.indices((3, 4)), lambda i: i is Ellipsis or (isinstance(i, tuple) and any(part is Ellipsis for part in i))
    )


@pytest.mark.parametrize("kind", gs.KINDS)
def test_matrices_are_what_they_are_called(kind):
    @quick
    @given(gs.matrices(st.integers(1, 4), kind=kind))
    def check(a):
        assert np.linalg.cond(a) < 1e4
        if kind in ("symmetric", "positive definite"):
            assert np.array_equal(a, a.T)
            assert kind == "symmetric" or np.all(np.linalg.eigvalsh(a) > 0)
        if kind == "orthogonal":
            np.testing.assert_allclose(a @ a.T, np.eye(len(a)), atol=1e-12)
        if kind == "triangular":
            assert np.array_equal(a, np.tril(a))

    check()
    with pytest.raises(ValueError, match="expected kind to be one of"):
        exists(gs.matrices(kind="square"), lambda a: True)


def test_programs_of_every_operation_are_drawn():
    seen = set()

    @settings(max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(gs.programs(min_operations=8, max_operations=25))
    def collect(program):
        assert isinstance(program, Program)
        assert len(program) <= 25
        seen.update(step.operation for step in program.lines)

    collect()
    assert set(NAMES) <= seen
    assert set(NAMES) == set(USES)


def test_a_program_runs_in_numpy_and_prints_itself():
    program = find(
        gs.programs(), lambda p: "assign" in {s.operation for s in p.lines}, settings=settings(database=None)
    )
    (y,) = program.compiled("numpy")(*program.inputs)
    assert np.isfinite(y).all()
    assert "check_gradients(program, x0, x1)" in repr(program)
    assert "copy()" not in repr(program)
    assert "copy()" in program.source("numpy")

"""Slopes of lines whose slopes are known: the error bounds must hold, also where it is difficult."""

import math

import numpy as np
import pytest

from autograd.testing.differences import Line

EPS = float(np.finfo(float).eps)


def sampled(f, exponents=(-8, -16, 0), noise=0.0):
    line = Line(lambda t: np.array([f(t)]), EPS, noise)
    for exponent in exponents:
        line.sample(exponent)
    return line


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (math.exp, 1.0),
        (lambda t: math.sin(3 * t + 1), 3 * math.cos(1)),
        (lambda t: 5 * t - 2, 5.0),
        (lambda t: 1 / (t - 2), -0.25),
        (lambda t: 1e8 + t, 1.0),
        (lambda t: math.sin(1e5 * t), 1e5),
        (lambda t: t + 1e-3 * math.sin(1e5 * t), 101.0),
        (lambda t: max(t - 1e-3, 0.0) + t, 1.0),
    ],
)
def test_the_bound_holds(f, slope):
    line = sampled(f, exponents=(-8, -16, -24, -32, 0))
    found = line.slope()
    assert abs(found.value[0] - slope) <= found.error[0]
    assert found.error[0] <= 1e-6 * abs(slope)


def test_what_a_large_step_misses_is_left_to_the_small_ones():
    line = sampled(lambda t: math.sin(1e4 * t), exponents=(8, 0))
    assert abs(line.slope().value[0]) < 100  # the steps are far longer than the waves
    line.sample(-24)
    assert abs(line.slope().value[0] - 1e4) < 1e-3


def test_one_sided_slopes_at_a_kink():
    line = sampled(lambda t: 3 * t if t > 0 else -t)
    left, right = line.one_sided(-1), line.one_sided(1)
    assert left.value == pytest.approx([-1.0])
    assert right.value == pytest.approx([3.0])
    assert left.differs_from(right, 8.0)


def test_a_slope_without_bound():
    line = sampled(lambda t: math.sqrt(t) if t >= 0 else math.nan, exponents=(-8, -24))
    assert line.diverges(1)
    assert not line.diverges(-1)
    assert line.defined(1)
    assert not line.defined(-1)
    smooth = sampled(math.exp, exponents=(-8, -24))
    assert not smooth.diverges(1)


def test_scatter_is_the_noise_of_the_values():
    rng = np.random.default_rng(0)
    line = Line(lambda t: np.array([math.exp(t) + 1e-9 * rng.normal()]), EPS)
    assert 1e-9 <= line.scatter()[0] <= 2e-8


def test_scatter_leaves_out_a_jump_at_the_point():
    line = Line(lambda t: np.array([float(t > 0)]), EPS)
    assert line.scatter()[0] == 0


def test_a_staircase_is_not_taken_for_a_flat_line():
    line = sampled(lambda t: (t + 1e8) - 1e8, exponents=(-8, -40), noise=np.array([0.0]))
    assert line.slope().value == pytest.approx([0.0])
    assert line.slope(ignore_flat=True).value == pytest.approx([1.0], abs=1e-5)

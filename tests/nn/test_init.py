"""Initial values: their spread, their orthogonality, their seeds."""

import math

import numpy as np
import pytest

from nn import init

SHAPE = (64, 32, 3, 3)
FAN_IN, FAN_OUT = 32 * 9, 64 * 9

STANDARD_DEVIATIONS = [
    (init.normal, {"std": 0.2}, 0.2),
    (init.uniform, {"low": -1.0, "high": 1.0}, 1 / math.sqrt(3)),
    (init.glorot_uniform, {}, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (init.glorot_normal, {"gain": 2.0}, 2 * math.sqrt(2 / (FAN_IN + FAN_OUT))),
    (init.he_uniform, {}, math.sqrt(2 / FAN_IN)),
    (init.he_normal, {}, math.sqrt(2 / FAN_IN)),
    (init.he_normal, {"fan": "out", "gain": 1.0}, math.sqrt(1 / FAN_OUT)),
    (init.lecun_uniform, {}, math.sqrt(1 / FAN_IN)),
]


@pytest.mark.parametrize(("make", "options", "expected"), STANDARD_DEVIATIONS)
def test_spread(make, options, expected):
    w = make(SHAPE, rng=0, **options)
    assert w.shape == SHAPE
    assert w.dtype == np.float32
    assert abs(w.std() / expected - 1) < 0.02
    assert abs(w.mean()) < 0.03 * expected


@pytest.mark.parametrize("make", [init.normal, init.uniform, init.glorot_uniform, init.he_normal, init.orthogonal])
def test_a_seed_fixes_the_values_and_a_generator_goes_on(make):
    assert np.array_equal(make((4, 3), rng=5), make((4, 3), rng=5))
    rng = np.random.default_rng(5)
    assert not np.array_equal(make((4, 3), rng=rng), make((4, 3), rng=rng))
    assert make((4, 3), rng=0, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3, 3)])
def test_orthogonal(shape):
    w = init.orthogonal(shape, gain=2.0, rng=0, dtype=np.float64).reshape(shape[0], -1)
    small = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    assert np.allclose(small, 4 * np.eye(len(small)))


def test_orthogonal_has_no_preferred_sign():
    assert {float(init.orthogonal((1, 1), rng=seed).item()) for seed in range(20)} == {-1.0, 1.0}


def test_constants():
    assert not init.zeros((2, 3)).any()
    assert (init.constant((2,), 3.0) == 3).all()


def test_gains():
    assert init.gain("relu") == math.sqrt(2)
    assert init.gain("leaky_relu", 0.1) == pytest.approx(math.sqrt(2 / 1.01))
    with pytest.raises(ValueError, match="got 'swoosh'"):
        init.gain("swoosh")


def test_bad_shapes_and_fans():
    with pytest.raises(ValueError, match=r"got \(3,\)"):
        init.glorot_uniform((3,))
    with pytest.raises(ValueError, match="got 'sideways'"):
        init.he_normal((3, 3), fan="sideways")

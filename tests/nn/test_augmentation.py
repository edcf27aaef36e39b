"""Augmentation, row G17 of the lecture."""

import numpy as np
import pytest

from nn.data import Affine, Batches, Compose, Erase, Mirror, rotate, scale, shift


def images(count=3, channels=2, height=9, width=7, dtype=np.float32):
    return np.random.default_rng(0).random((count, channels, height, width)).astype(dtype)


class Ends:
    """A generator whose draws lie at the upper end."""

    def uniform(self, low, high, shape):
        return np.full(shape, high, float)

    def random(self, shape):
        return np.zeros(shape)


class Draws(Ends):
    """A generator with given draws: angle, shear, size, shift down, shift right."""

    def __init__(self, *values):
        self.values = values

    def uniform(self, low, high, shape):
        return np.broadcast_to(np.array(self.values, float), shape)


def test_g17_mirror():
    x = images()
    assert np.array_equal(Mirror(1.0)(x, np.random.default_rng(0)), x[..., ::-1])
    assert np.array_equal(Mirror(0.0)(x, np.random.default_rng(0)), x)
    many = Mirror()(np.repeat(x[:1], 1000, axis=0), np.random.default_rng(0))
    share = np.mean([np.array_equal(one, x[0, :, :, ::-1]) for one in many])
    assert share == pytest.approx(0.5, abs=0.05)


def test_g17_shift_moves_each_image_as_a_whole():
    x = images()
    moved = shift(2)(x, Draws(0, 0, 0, 1, -0.5))
    expected = np.zeros_like(x)
    expected[..., 2:, :-1] = x[..., :-2, 1:]
    np.testing.assert_allclose(moved, expected, atol=1e-6)


@pytest.mark.parametrize("side", [7, 8])
def test_g17_rotate_a_quarter_turn_and_half_a_turn(side):
    x = images(height=side, width=side)
    np.testing.assert_allclose(rotate(90)(x, Draws(1, 0, 0, 0, 0)), np.rot90(x, 1, axes=(2, 3)), atol=1e-5)
    np.testing.assert_allclose(rotate(180)(x, Draws(-1, 0, 0, 0, 0)), x[..., ::-1, ::-1], atol=1e-5)


def test_g17_scale_about_the_middle():
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[..., 3:6, 3:6] = 1
    larger = scale(0.5)(x, Draws(0, 0, 1, 0, 0))
    assert larger.sum() == pytest.approx(2.25 * 9, rel=0.2)
    np.testing.assert_allclose(larger, larger[..., ::-1, ::-1], atol=1e-6)
    assert scale(0.5)(x, Draws(0, 0, -1, 0, 0)).sum() < 5


def test_g17_affine_shears():
    x = np.zeros((1, 1, 9, 9), np.float32)
    x[..., 4] = 1
    slanted = Affine(shear=45)(x, Draws(0, 1, 0, 0, 0))[0, 0]
    assert [int(row.argmax()) for row in slanted] == list(range(9))


@pytest.mark.parametrize(
    "transform", [Mirror(), Affine(20, 2, 0.2, 10), Erase(), Compose(Mirror(), shift(1.5)), rotate(10, fill=1.0)]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_seeded_keeps_shape_dtype_and_the_original(transform, dtype):
    x = images(20, dtype=dtype)
    before = x.copy()
    first, again = (transform(x, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(x, before)
    assert (first.shape, first.dtype) == (x.shape, dtype)
    assert not np.array_equal(first, transform(x, np.random.default_rng(8)))
    assert first.min() >= 0
    assert first.max() <= 1 + 1e-6
    assert transform(x[:0], np.random.default_rng(0)).shape == (0, 2, 9, 7)


def test_nothing_changes_where_nothing_is_asked_for():
    x = images()
    np.testing.assert_allclose(Affine()(x, np.random.default_rng(0)), x, atol=1e-6)
    assert np.array_equal(Erase(p=0)(x, np.random.default_rng(0)), x)


def test_each_image_has_amounts_of_its_own_and_its_channels_the_same():
    x = np.repeat(np.repeat(images(1, 1), 4, axis=0), 3, axis=1)
    y = Affine(30, 2)(x, np.random.default_rng(0))
    assert np.array_equal(y[:, 0], y[:, 2])
    assert len({part.tobytes() for part in y}) == 4


def test_erase_blots_out_a_rectangle():
    x = np.ones((200, 2, 10, 12), np.float32)
    y = Erase(0.5, p=1.0, fill=0.25)(x, np.random.default_rng(0))
    for image in y:
        rows, columns = (np.flatnonzero((image[0] != 1).any(axis=axis)) for axis in (1, 0))
        if rows.size:
            assert (image[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] == 0.25).all()
        assert (image == 0.25).sum() == 2 * rows.size * columns.size
        assert rows.size <= 5
        assert columns.size <= 6
    assert 0.01 < (y == 0.25).mean() < 0.25


def test_in_batches_every_epoch_differs():
    x = images(8)
    batches = Batches(x, np.arange(8), batch_size=4, shuffle=False, transform=shift(1), rng=0)
    first, second = (np.concatenate([part for part, _ in batches]) for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Mirror(2.0), "p in 0 .. 1"),
        (lambda: Affine(degrees=-1), "at least 0"),
        (lambda: Affine(scale=1.0), "scale < 1"),
        (lambda: Erase(size=2.0), "size and p"),
        (lambda: Mirror()(np.ones((3, 4)), np.random.default_rng(0)), r"expected images \(N, C, H, W\), got \(3, 4\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

"""Pooling: the lecture's numbers, where the bar goes, ties, padding, messages."""

import itertools

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor

E6_IMAGE = np.array([[1, 1, 2, 5], [5, 7, 7, 8], [3, 1, 1, 0], [1, 2, 3, 4]], float)[None, None]


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        (ag.max_pool2d, [[7, 8], [3, 4]]),
        (ag.avg_pool2d, [[3.5, 5.5], [1.75, 2]]),
        (ag.sum_pool2d, [[14, 22], [7, 8]]),
        (ag.median_pool2d, [[3, 6], [1.5, 2]]),
    ],
)
def test_E6_two_by_two_stride_two(pool, expected):
    np.testing.assert_array_equal(pool(E6_IMAGE, 2)[0, 0], expected)
    np.testing.assert_array_equal(pool(Tensor(E6_IMAGE), 2).data[0, 0], expected)


def test_E6_stride_one():
    np.testing.assert_array_equal(ag.max_pool2d(E6_IMAGE, 2, stride=1)[0, 0], [[7, 7, 8], [7, 7, 8], [3, 3, 4]])


@pytest.mark.parametrize("pool", [ag.max_pool2d, ag.avg_pool2d, ag.sum_pool2d, ag.median_pool2d])
def test_E6_overlapping_windows_keep_the_depth(pool):
    x = np.random.default_rng(0).normal(size=(2, 5, 7, 9))
    y = pool(x, 3, stride=2)
    assert y.shape == (2, 5, 3, 4)
    for place in itertools.product(range(2), range(5), range(3), range(4)):
        n, c, i, j = place
        window = x[n : n + 1, c : c + 1, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        assert y[place] == pytest.approx(pool(window, 3).item(), abs=1e-12)


def test_E7_the_bar_goes_to_the_largest():
    x = Tensor(E6_IMAGE, requires_grad=True)
    ag.max_pool2d(x, 2).sum().backward()
    expected = np.zeros((4, 4))
    expected[[1, 1, 2, 3], [1, 3, 0, 3]] = 1
    np.testing.assert_array_equal(x.grad[0, 0], expected)


def test_E7_ties_go_to_the_first_row_by_row():
    x = Tensor(E6_IMAGE, requires_grad=True)
    ag.max_pool2d(x, 2, stride=1).sum().backward()
    np.testing.assert_array_equal(x.grad[0, 0], [[0, 0, 0, 0], [0, 4, 0, 2], [1, 0, 0, 0], [0, 0, 1, 1]])
    flat = Tensor(np.ones((1, 1, 3, 3)), requires_grad=True)
    ag.max_pool2d(flat, 3).sum().backward()
    assert flat.grad[0, 0, 0, 0] == flat.grad.sum() == 1


@pytest.mark.parametrize("layout", [(0, 1, 2, 3), (1, 2, 3, 0), (0, 2, 3, 1)])
@pytest.mark.parametrize("bar_layout", [(0, 1, 2, 3), (1, 2, 3, 0)])
def test_order_in_memory_is_kept_and_does_not_matter(layout, bar_layout):
    def laid(a, axes):
        return np.ascontiguousarray(a.transpose(axes)).transpose(np.argsort(axes))

    rng = np.random.default_rng(0)
    x, bar = rng.normal(size=(2, 3, 4, 6)), rng.normal(size=(2, 3, 2, 3))
    for pool in (ag.max_pool2d, ag.sum_pool2d):
        results = []
        for a, b in ((x, bar), (laid(x, layout), laid(bar, bar_layout))):
            leaf = Tensor(np.zeros(x.shape), requires_grad=True)
            y = pool(leaf + a, 2)
            results.append((y.data, ag.grad(y, [leaf], b)[0]))
        for a, e in zip(*results, strict=True):
            np.testing.assert_array_equal(a, e)
        assert pool(laid(x, layout), 2).transpose(layout).flags.c_contiguous


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("size", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), ((2, 3), (3, 1), (1, 0)), (2, 3, 1), (5, 5, 2)]
)
def test_values_and_gradients_are_torchs(name, size, stride, padding):
    torch = pytest.importorskip("torch", reason="torch is the oracle here and is not installed")
    rng = np.random.default_rng(0)
    for x in (rng.normal(size=(2, 3, 8, 9)), rng.integers(0, 3, (2, 3, 7, 7)).astype(float)):
        theirs, ours = torch.tensor(x, requires_grad=True), Tensor(x, requires_grad=True)
        expected = getattr(torch.nn.functional, name)(theirs, size, stride, padding)
        y = getattr(ag, name)(ours, size, stride, padding)
        bar = rng.normal(size=y.shape)
        np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=0, atol=1e-14)
        (g,) = ag.grad(y, [ours], bar)
        (e,) = torch.autograd.grad(expected, [theirs], torch.tensor(bar))
        np.testing.assert_allclose(g, e.numpy(), rtol=0, atol=1e-13)


def test_same_padding_rounds_up():
    x = np.arange(1.0, 6)[None, None]
    np.testing.assert_array_equal(ag.max_pool1d(-x, 2, padding="same")[0, 0], [-1, -3, -5])
    assert ag.max_pool2d(np.zeros((1, 1, 7, 8)), 3, stride=2, padding="same").shape == (1, 1, 4, 4)


def test_padding_never_wins():
    np.testing.assert_array_equal(ag.max_pool2d(np.full((1, 1, 2, 2), -5), 2, padding=1)[0, 0], -5)
    np.testing.assert_array_equal(ag.max_pool2d(np.full((1, 1, 2, 2), -5.0), 2, padding=1)[0, 0], -5)


def test_large_windows_count_beyond_a_byte():
    x = np.zeros((1, 1, 20, 20))
    x[0, 0, 19, 18] = 1
    t = Tensor(x, requires_grad=True)
    ag.max_pool2d(t, 20).backward(np.full((1, 1, 1, 1), 3.0))
    np.testing.assert_array_equal(t.grad, 3 * x)


def test_a_window_with_nan_is_nan():
    x = np.ones((1, 1, 2, 4))
    x[0, 0, 0, 0] = np.nan
    t = Tensor(x, requires_grad=True)
    y = ag.max_pool2d(t, 2)
    np.testing.assert_array_equal(y.data[0, 0], [[np.nan, 1]])
    y.backward(np.ones(y.shape))
    np.testing.assert_array_equal(t.grad[0, 0], [[0, 0, 1, 0], [0, 1, 0, 0]])


def test_median_of_an_even_window_shares_the_bar():
    t = Tensor(np.array([[[4.0, 1.0, 2.0, 9.0]]]), requires_grad=True)
    ag.median_pool1d(t, 4).sum().backward()
    np.testing.assert_array_equal(t.grad[0, 0], [0.5, 0, 0.5, 0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ag.max_pool2d(np.zeros((3, 4, 4)), 2),
            r"max_pool2d: expected x \(N, C, H, W\), got \(3, 4, 4\)",
        ),
        (lambda: ag.avg_pool1d(np.zeros((3, 4)), 2), r"avg_pool1d: expected x \(N, C, L\), got \(3, 4\)"),
        (
            lambda: ag.max_pool2d(np.zeros((1, 1, 4, 4)), 5),
            r"max_pool2d: a window reaches over \(5, 5\) elements, but the padded input has only \(4, 4\)",
        ),
        (
            lambda: ag.max_pool2d(np.zeros((1, 1, 4, 4)), 2, padding=2),
            r"max_pool2d: padding 2 is more than half of the window, \(2, 2\)",
        ),
        (
            lambda: ag.sum_pool2d(np.zeros((1, 1, 4, 4)), 2, stride=0),
            "sum_pool2d: stride: expected an integer of at least 1 or 2 of them, got 0",
        ),
        (
            lambda: ag.median_pool2d(np.zeros((1, 1, 4, 4)), (2, 0)),
            r"median_pool2d: size: expected an integer of at least 1 or 2 of them, got \(2, 0\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

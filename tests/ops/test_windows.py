"""Windows and fold: views, layout, messages."""

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor


def test_kernel_axes_come_before_places():
    x = np.arange(12).reshape(3, 4)
    y = ag.windows(x, (2, 3))
    assert y.shape == (2, 3, 2, 2)
    np.testing.assert_array_equal(y[1, 2], x[1:, 2:])
    np.testing.assert_array_equal(y[:, :, 0, 0], x[:2, :3])


def test_windows_repeat_no_memory_and_cannot_be_written():
    x = np.zeros((100, 100))
    y = ag.windows(x, (10, 10))
    assert np.shares_memory(x, y)
    assert y.size > 50 * x.size
    with pytest.raises(ValueError, match="read-only"):
        y[...] = 1


def test_a_view_with_a_new_axis_or_reversed_has_the_right_windows():
    x = np.arange(24.0).reshape(4, 6)
    for view in (x[None, ::-1, ::2], x.T[:, None], np.broadcast_to(x[0], (3, 6)), x[:, None, 1:4]):
        np.testing.assert_array_equal(ag.windows(view, 2), ag.windows(view.copy(), 2))


def test_writing_to_a_leaf_does_not_change_windows_of_it():
    x = Tensor(np.arange(5.0), requires_grad=True)
    y = ag.windows(x, 2)
    with ag.no_grad():
        x[0] = 9
    np.testing.assert_array_equal(y.data[:, 0], [0, 1])


def test_fold_counts_how_many_windows_see_an_element():
    np.testing.assert_array_equal(ag.fold(np.ones((2, 2, 2, 2)), (3, 3)), [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_array_equal(ag.fold(np.ones((2, 2)), 5, stride=2), [1, 1, 1, 1, 0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.windows(np.zeros(3), 4), ValueError, r"a window reaches over \(4,\) .* input has only \(3,\)"),
        (lambda: ag.windows(np.zeros((5, 5)), (2, 3), dilation=3), ValueError, r"reaches over \(4, 7\)"),
        (lambda: ag.windows(np.zeros(3), 0), ValueError, "windows: size: expected an integer of at least 1, got 0"),
        (
            lambda: ag.windows(np.zeros(3), 2, stride=0),
            ValueError,
            "windows: stride: expected an integer of at least 1",
        ),
        (lambda: ag.windows(np.zeros(3), 1.5), TypeError, "windows: size: expected an integer of at least 1, got 1.5"),
        (lambda: ag.windows(np.zeros((3, 3)), (2, 2), (1, 1, 1)), ValueError, r"or 2 of them, got \(1, 1, 1\)"),
        (lambda: ag.windows(np.zeros(3), (2, 2)), ValueError, r"one or two axes of x, got size \(2, 2\) for x \(3,\)"),
        (lambda: ag.windows(np.zeros((3, 3, 3)), (2, 2, 2)), ValueError, "one or two axes"),
        (lambda: ag.fold(np.zeros((2, 3)), 5), ValueError, r"expected \(4,\) windows of \(2,\) in \(5,\), got \(3,\)"),
        (
            lambda: ag.fold(np.zeros(3), 5),
            ValueError,
            r"expected windows \(..., sizes, places\) for 1 axes, got \(3,\)",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()

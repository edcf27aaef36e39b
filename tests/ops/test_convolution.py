"""Convolution: the lecture's numbers, torch's, sizes and paddings, memory, messages."""

import itertools
import tracemalloc

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.ops import convolution as module
from tests.specs.convolution import conv

# --- The lecture -------------------------------------------------------------------------------------------


def planes(*rows):
    """Return one image (1, C, H, W) from the rows of its channels."""
    return np.array(rows, float)[None]


def test_E1_five_by_five_image():
    image = planes([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])
    kernel = planes([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(ag.conv2d(image, kernel)[0, 0], [[4, 3, 4], [2, 4, 3], [2, 3, 4]])


E2_IMAGE = planes(
    [[156, 155, 156, 158, 158], [153, 154, 157, 159, 159], [149, 151, 155, 158, 159]],
    [[167, 166, 167, 169, 169], [164, 165, 168, 170, 170], [160, 162, 166, 169, 170]],
    [[163, 162, 163, 165, 165], [160, 161, 164, 166, 166], [156, 158, 162, 165, 166]],
)
E2_KERNEL = planes(
    [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
    [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
    [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
)


def test_E2_three_channels_zero_padded_with_bias():
    first = [ag.conv2d(E2_IMAGE[:, [c]], E2_KERNEL[:, [c]], padding=1)[0, 0, 0, 0] for c in range(3)]
    assert first == [308, -498, 164]
    y = ag.conv2d(E2_IMAGE, E2_KERNEL, np.array([1.0]), padding=1)
    np.testing.assert_array_equal(y[0, 0, 0, :4], [-25, 466, 466, 475])


def test_E2_a_flipped_kernel_would_give_another_value():
    flipped = ag.conv2d(E2_IMAGE, E2_KERNEL[:, :, ::-1, ::-1], np.array([1.0]), padding=1)
    assert flipped[0, 0, 0, 0] == 337


@pytest.mark.parametrize(
    ("length", "kernel", "options", "expected"),
    [
        (32, 5, {}, 28),
        (32, 5, {"stride": 3}, 10),
        (32, 5, {"padding": 2}, 32),
        (17, 3, {"padding": 1}, 17),
        (5, 3, {"padding": 1}, 5),
        (32, 5, {"padding": "valid"}, 28),
        (32, 5, {"padding": "same"}, 32),
        (32, 5, {"padding": "same", "stride": 2}, 16),
        (33, 5, {"padding": "same", "stride": 2}, 17),
        (7, 2, {"padding": "same", "stride": 3}, 3),
        (7, 1, {"padding": "same", "stride": 3}, 3),
        (32, 5, {"padding": "full"}, 36),
        (32, 5, {"padding": "full", "stride": 2}, 18),
        (32, 3, {"padding": "same", "dilation": 4}, 32),
    ],
)
def test_E4_output_size(length, kernel, options, expected):
    y = ag.conv2d(np.zeros((1, 3, length, length)), np.zeros((6, 3, kernel, kernel)), **options)
    assert y.shape == (1, 6, expected, expected)
    assert ag.conv1d(np.zeros((1, 3, length)), np.zeros((6, 3, kernel)), **options).shape == (1, 6, expected)


def test_E4_five_by_five_padded_by_one_is_seven_by_seven():
    whole = ag.conv2d(np.ones((1, 1, 5, 5)), np.ones((1, 1, 1, 1)), padding=1)
    np.testing.assert_array_equal(whole[0, 0], np.pad(np.ones((5, 5)), 1))


def test_E4_same_puts_the_extra_cell_at_the_end():
    x, w = np.arange(1.0, 5)[None, None], np.array([[[1.0, 10.0]]])
    np.testing.assert_array_equal(ag.conv1d(x, w, padding="same")[0, 0], [21, 32, 43, 4])
    np.testing.assert_array_equal(ag.conv1d(x, np.ones((1, 1, 3)), padding="same", stride=2)[0, 0], [6, 7])


# --- Against torch and loops -------------------------------------------------------------------------------

GEOMETRIES = [*itertools.product((1, (2, 1), 3), (0, 1, (2, 1)), (1, 2, (1, 3)), (1, 2))]


@pytest.mark.parametrize("short", [1, 10**9], ids=["a row a product", "several rows"])
@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GEOMETRIES)
def test_values_and_gradients_are_torchs(monkeypatch, stride, padding, dilation, groups, short):
    monkeypatch.setattr(module, "SHORT", short)
    torch = pytest.importorskip("torch", reason="torch is the oracle here and is not installed")
    rng = np.random.default_rng(0)
    for lengths, kernel in itertools.product(((7, 9), (8, 8)), ((3, 3), (1, 1), (2, 3))):
        arrays = [rng.normal(size=s) for s in ((2, 4, *lengths), (6, 4 // groups, *kernel), (6,))]
        theirs = [torch.tensor(a, requires_grad=True) for a in arrays]
        ours = [Tensor(a, requires_grad=True) for a in arrays]
        expected = torch.nn.functional.conv2d(*theirs, stride, padding, dilation, groups)
        y = ag.conv2d(*ours, stride, padding, dilation, groups)
        bar = rng.normal(size=y.shape)
        np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=0, atol=1e-12)
        for g, e in zip(ag.grad(y, ours, bar), torch.autograd.grad(expected, theirs, torch.tensor(bar)), strict=True):
            np.testing.assert_allclose(g, e.numpy(), rtol=0, atol=1e-11)


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), GEOMETRIES)
def test_transposes_are_torchs(stride, padding, dilation, groups):
    torch = pytest.importorskip("torch", reason="torch is the oracle here and is not installed")
    rng = np.random.default_rng(0)
    x, w, b = (rng.normal(size=s) for s in ((2, 4, 5, 6), (4, 3, 3, 2), (3 * groups,)))
    more = tuple(s - 1 for s in (stride if isinstance(stride, tuple) else (stride, stride)))
    for output_padding in (0, more):
        expected = torch.nn.functional.conv_transpose2d(
            *map(torch.tensor, (x, w, b)), stride, padding, output_padding, groups, dilation
        )
        y = ag.conv_transpose2d(x, w, b, stride, padding, output_padding, groups, dilation)
        np.testing.assert_allclose(y, expected.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("padding", "length"), [(1, 7), ("same", 8), ("valid", 9), ("full", 5)])
def test_transpose_is_the_bar_of_the_input(padding, length):
    rng = np.random.default_rng(0)
    x, w, ybar = (rng.normal(size=s) for s in ((2, 3, length, length), (5, 3, 3, 3), (2, 5, 4, 4)))
    t = Tensor(x, requires_grad=True)
    ag.conv2d(t, w, stride=2, padding=padding).backward(ybar)
    np.testing.assert_array_equal(t.grad, ag.conv_transpose2d(ybar, w, stride=2, padding=padding))


@pytest.mark.parametrize("short", [1, 10**9], ids=["a row a product", "several rows"])
@pytest.mark.parametrize("limits", [(1, 1), (1, 10**9), (1 << 14, 40_000), (1 << 14, 10**9), (1 << 20, 40_000)])
@pytest.mark.parametrize(
    "geometry",
    [{}, {"stride": (1, 2), "padding": 2, "groups": 2}, {"stride": (2, 1), "dilation": (3, 2), "padding": 3}],
)
def test_how_the_work_is_divided_does_not_matter(monkeypatch, limits, geometry, short):
    monkeypatch.setattr(module, "CACHE", limits[0])
    monkeypatch.setattr(module, "SMALL", limits[1])
    monkeypatch.setattr(module, "SHORT", short)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(16, 4, 9, 12)), rng.normal(size=(8, 4 // geometry.get("groups", 1), 3, 3))
    ours = [Tensor(x, requires_grad=True), Tensor(w, requires_grad=True)]
    y = ag.conv2d(*ours, **geometry)
    bar = rng.normal(size=y.shape)
    found = [y.data, *ag.grad(y, ours, bar)]
    monkeypatch.undo()
    y = ag.conv2d(*ours, **geometry)
    for a, e in zip(found, [conv(x, w, **geometry), *ag.grad(y, ours, bar)], strict=True):
        np.testing.assert_allclose(a, e, rtol=0, atol=1e-11)


@pytest.mark.parametrize("size", [(8, 16), (2, 7)], ids=["1024 bytes apart", "not a power of 2 apart"])
def test_how_far_images_lie_apart_does_not_matter(size):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(20, 1, *size)), rng.normal(size=(3, 1, 2, 2))
    before = x.copy()
    np.testing.assert_allclose(ag.conv2d(x, w), conv(x, w), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ag.conv2d(x[:, :, ::-1], w), ag.conv2d(x[:, :, ::-1].copy(), w))
    np.testing.assert_array_equal(x, before)


# --- Layout, memory, dtype ---------------------------------------------------------------------------------


def test_batch_is_the_last_axis_in_memory_and_stays_there():
    y = ag.conv2d(np.ones((4, 2, 6, 6)), np.ones((3, 2, 3, 3)), padding=1)
    assert y.shape == (4, 3, 6, 6)
    assert y.transpose(1, 2, 3, 0).flags.c_contiguous
    assert ag.relu(y).strides == y.strides
    assert ag.max_pool2d(y, 2).transpose(1, 2, 3, 0).flags.c_contiguous


def peak_memory(compute):
    """Return how many bytes are held at most, beside what was held before."""
    tracemalloc.start()
    try:
        compute()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_forward_and_backward_hold_no_copy_of_all_windows():
    x = Tensor(np.ones((8, 8, 96, 96), np.float32), requires_grad=True)
    w = Tensor(np.ones((8, 8, 5, 5), np.float32), requires_grad=True)
    assert peak_memory(lambda: ag.conv2d(x, w, padding=2).sum().backward()) < 8 * x.nbytes < 25 * x.nbytes


def test_long_sequences_are_copied_in_parts():
    x = Tensor(np.ones((2, 16, 40_000), np.float32), requires_grad=True)
    w = Tensor(np.ones((16, 16, 9), np.float32), requires_grad=True)
    assert peak_memory(lambda: ag.conv1d(x, w, padding=4).sum().backward()) < 7 * x.nbytes < 9 * x.nbytes


def test_nothing_is_computed_for_an_input_that_needs_no_gradient():
    x, w = Tensor(np.ones((1, 1, 4, 4))), Tensor(np.ones((1, 1, 3, 3)), requires_grad=True)
    with ag.record() as graph:
        ag.grad(ag.conv2d(x, w).sum(), [w], create_graph=True)
    names = {node.primitive.name for node in graph if node.primitive is not None}
    assert "convolution_filter_bar" in names
    assert "convolution_input_bar" not in names


def test_float16_is_summed_in_float32():
    x = np.full((1, 64, 8, 8), 1, np.float16)
    w = np.full((1, 64, 8, 8), 1 + 2**-10, np.float16)
    y = ag.conv2d(x, w)
    assert y.dtype == np.float16
    assert y.item() == np.float16(4096 * (1 + 2**-10))


def test_integers_are_convolved():
    y = ag.conv2d(np.arange(9).reshape(1, 1, 3, 3), np.ones((1, 1, 2, 2), int))
    assert y.dtype == int
    np.testing.assert_array_equal(y[0, 0], [[8, 12], [20, 24]])


def test_lists_are_arrays():
    np.testing.assert_array_equal(ag.conv1d([[[1.0, 2.0, 3.0]]], [[[1.0, 1.0]]], [1.0]), [[[4, 6]]])
    np.testing.assert_array_equal(ag.conv_transpose1d([[[1.0, 2.0]]], [[[1.0, 1.0]]], [1.0]), [[[2, 4, 3]]])


# --- Bad input ---------------------------------------------------------------------------------------------

ARRAY = np.zeros


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ag.conv2d(ARRAY((32, 1, 28, 28)), ARRAY((16, 3, 5, 5))),
            r"conv2d: expected x \(N, 3, H, W\) for weight \(16, 3, 5, 5\), got \(32, 1, 28, 28\)",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 3, 8, 8)), ARRAY((4, 3, 2, 2)), groups=2),
            r"conv2d: expected x \(N, 6, H, W\) for weight \(4, 3, 2, 2\) and groups=2, got \(1, 3, 8, 8\)",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 3, 8, 8)), ARRAY((4, 1, 2, 2)), groups=3),
            r"conv2d: groups=3 does not divide the 4 channels of weight \(4, 1, 2, 2\)",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((1, 1, 7, 7)), padding=1),
            r"conv2d: a window reaches over \(7, 7\) elements, but the padded input has only \(6, 6\)",
        ),
        (
            lambda: ag.conv1d(ARRAY((1, 1, 4)), ARRAY((1, 1, 3)), dilation=2),
            r"conv1d: a window reaches over \(5,\) elements, but the padded input has only \(4,\)",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((1, 1, 2, 2)), stride=0),
            "conv2d: stride: expected an integer of at least 1 or 2 of them, got 0",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((1, 1, 2, 2)), padding=-1),
            "conv2d: padding: expected an integer of at least 0 or 2 of them, got -1",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((1, 1, 2, 2)), padding="reflect"),
            'conv2d: padding: expected a number, "valid", "same" or "full", got \'reflect\'',
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((2, 1, 2, 2)), ARRAY(3)),
            r"conv2d: expected bias \(2,\) for weight \(2, 1, 2, 2\), got \(3,\)",
        ),
        (
            lambda: ag.conv2d(ARRAY((1, 4, 4)), ARRAY((2, 1, 2, 2))),
            r"conv2d: expected x \(N, 1, H, W\) for weight \(2, 1, 2, 2\), got \(1, 4, 4\)",
        ),
        (lambda: ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((2, 2))), r"conv2d: expected weight \(O, C / groups, kh, kw\)"),
        (lambda: ag.conv1d(ARRAY((1, 1, 4)), ARRAY((2, 1, 0))), r"conv1d: expected weight \(O, C / groups, k\), got"),
        (
            lambda: ag.conv_transpose2d(ARRAY((1, 3, 4, 4)), ARRAY((2, 3, 2, 2))),
            r"conv_transpose2d: expected x \(N, 2, H, W\) for weight \(2, 3, 2, 2\), got \(1, 3, 4, 4\)",
        ),
        (
            lambda: ag.conv_transpose2d(ARRAY((1, 2, 4, 4)), ARRAY((2, 3, 2, 2)), stride=2, output_padding=2),
            r"conv_transpose2d: output_padding=2 must be smaller than the stride, \(2, 2\)",
        ),
        (
            lambda: ag.conv_transpose1d(ARRAY((1, 2, 1)), ARRAY((2, 3, 2)), padding=1),
            r"conv_transpose1d: padding 1 leaves a result of size \(0,\) for x \(1, 2, 1\)",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_sizes_are_integers():
    with pytest.raises(TypeError, match=r"conv2d: stride: expected an integer of at least 1 or 2 of them, got 1.5"):
        ag.conv2d(ARRAY((1, 1, 4, 4)), ARRAY((1, 1, 2, 2)), stride=1.5)

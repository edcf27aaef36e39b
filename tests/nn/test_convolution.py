"""Convolution and pooling layers: rows E1 to E11 of the lecture, agreement with PyTorch, bad input."""

import contextlib
import math

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare, compare_modules, values

# --- Rows of the lecture -----------------------------------------------------------------------------------

E1_IMAGE = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]], float)
E1_KERNEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], float)


def filled(layer, weight, bias=None):
    """Return the layer in float64 with these weights."""
    layer.astype(np.float64)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = bias
    return layer


def test_e1_one_channel():
    layer = filled(nn.Conv2d(1, 1, 3), E1_KERNEL[None, None])
    assert layer(E1_IMAGE[None, None]).data[0, 0].tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]


E2_CHANNELS = np.zeros((3, 4, 6))
E2_CHANNELS[:, 1:, 1:] = [
    [[156, 155, 156, 158, 158], [153, 154, 157, 159, 159], [149, 151, 155, 158, 159]],
    [[167, 166, 167, 169, 169], [164, 165, 168, 170, 170], [160, 162, 166, 169, 170]],
    [[163, 162, 163, 165, 165], [160, 161, 164, 166, 166], [156, 158, 162, 165, 166]],
]
E2_KERNELS = np.array(
    [
        [[-1, -1, 1], [0, 1, -1], [0, 1, 1]],
        [[1, 0, 0], [1, -1, -1], [1, 0, -1]],
        [[0, 1, 1], [0, 1, 0], [1, -1, 1]],
    ],
    float,
)


def test_e2_three_channels_zero_padded():
    layer = filled(nn.Conv2d(3, 1, 3), E2_KERNELS[None], [1.0])
    assert layer(E2_CHANNELS[None]).data[0, 0, 0].tolist() == [-25, 466, 466, 475]
    parts = [(E2_CHANNELS[c, :3, :3] * E2_KERNELS[c]).sum() for c in range(3)]
    assert parts == [308, -498, 164]
    layer.weight.data = E2_KERNELS[None, :, ::-1, ::-1]
    assert layer(E2_CHANNELS[None]).data[0, 0, 0, 0] == 337


def test_e3_each_position_is_a_weighted_sum_plus_bias():
    x, w, b = values(1, 3, 6, 5), values(2, 3, 3, 2, seed=1), values(2)
    y = filled(nn.Conv2d(3, 2, (3, 2)), w, b)(x).data
    for o, i, j in np.ndindex(*y.shape[1:]):
        assert y[0, o, i, j] == pytest.approx((x[0, :, i : i + 3, j : j + 2] * w[o]).sum() + b[o])


E4_SIZES = [
    ((32, 3), nn.Conv2d(3, 6, 5), (6, 28)),
    ((32, 3), nn.Conv2d(3, 6, 5, 3), (6, 10)),
    ((32, 3), nn.Conv2d(3, 6, 5, padding=2), (6, 32)),
    ((17, 1), nn.Conv2d(1, 1, 3, 1, 1), (1, 17)),
    ((5, 1), nn.Conv2d(1, 1, 3, padding=1), (1, 5)),
    ((28, 1), nn.Conv2d(1, 1, 5, padding="valid"), (1, 24)),
    ((28, 1), nn.Conv2d(1, 1, 5, padding="same"), (1, 28)),
    ((28, 1), nn.Conv2d(1, 1, 4, 2, padding="same"), (1, 14)),
    ((27, 1), nn.Conv2d(1, 1, 3, 2, padding="same"), (1, 14)),
    ((28, 1), nn.Conv2d(1, 1, 5, padding="full"), (1, 32)),
]


@pytest.mark.parametrize(("before", "layer", "after"), E4_SIZES)
def test_e4_output_size(before, layer, after):
    side, channels = before
    y = layer(np.zeros((2, channels, side, side), np.float32))
    assert y.shape == (2, after[0], after[1], after[1])


def test_e4_padding_same_puts_the_odd_zero_at_the_end():
    layer = filled(nn.Conv2d(1, 1, 2, padding="same", bias=False), np.array([[[[1.0, 10], [100, 1000]]]]))
    assert layer(np.array([[[[1.0, 2], [3, 4]]]])).data[0, 0].tolist() == [[4321, 402], [43, 4]]


def count(layer):
    return sum(p.size for p in layer.parameters())


def test_e5_parameters():
    assert nn.Conv2d(3, 1, 5).weight.size == 75
    assert count(nn.Conv2d(3, 16, 3)) == 448
    assert nn.Dense(32 * 32 * 3, 1).weight.size == 3072
    assert nn.Dense(200 * 200 * 3, 1).weight.size == 120_000


E6_IMAGE = np.array([[1, 1, 2, 5], [5, 7, 7, 8], [3, 1, 1, 0], [1, 2, 3, 4]], float)
E6 = [
    (nn.MaxPool(2), [[7, 8], [3, 4]]),
    (nn.AvgPool(2), [[3.5, 5.5], [1.75, 2]]),
    (nn.SumPool(2), [[14, 22], [7, 8]]),
    (nn.MedianPool(2), [[3, 6], [1.5, 2]]),
    (nn.MaxPool(2, 1), [[7, 7, 8], [7, 7, 8], [3, 3, 4]]),
]


@pytest.mark.parametrize(("layer", "expected"), E6)
def test_e6_pooling(layer, expected):
    image = np.stack([E6_IMAGE, 2 * E6_IMAGE])[None]
    assert layer(image)[0].tolist() == [expected, (2 * np.array(expected)).tolist()]
    assert layer.parameters() == []


def test_e6_overlapping_windows():
    image = values(1, 2, 7, 7)
    y = nn.MaxPool(3, 2)(image)
    assert y.shape == (1, 2, 3, 3)
    assert y[0, 1, 2, 0] == image[0, 1, 4:7, 0:3].max()


def test_e7_max_pool_routes_the_bar_to_the_stored_place():
    x = Tensor(E6_IMAGE[None, None], requires_grad=True)
    nn.MaxPool(2)(x).sum().backward()
    assert {tuple(map(int, place)) for place in np.argwhere(x.grad[0, 0])} == {(1, 1), (1, 3), (2, 0), (3, 3)}
    assert x.grad.sum() == 4


def test_e7_ties_go_to_the_first_of_a_window():
    x = Tensor(np.array([[[[3.0, 3.0], [3.0, 1.0]]]]), requires_grad=True)
    nn.MaxPool(2)(x).sum().backward()
    assert x.grad[0, 0].tolist() == [[1, 0], [0, 0]]
    x = Tensor(E6_IMAGE[None, None], requires_grad=True)
    nn.MaxPool(2, 1)(x).sum().backward()
    assert x.grad[0, 0, 1].tolist() == [0, 4, 0, 2]  # halves would be [0, 3, 1, 2]


def test_e8_locally_connected_weights_are_counted_not_allocated():
    shape = nn.LocallyConnected2d.weight_shape(1, 1, 1009, 10)
    assert shape == (1, 1, 10, 10, 1000, 1000)
    assert math.prod(shape) == 100_000_000


def test_e8_locally_connected_has_a_filter_for_each_place():
    layer = nn.LocallyConnected2d(2, 3, (5, 4), (2, 3), (2, 1), rng=0).astype(np.float64)
    layer.bias.data = values(3, 2, 2)
    x, w = values(4, 2, 5, 4), layer.weight.data
    y = layer(x).data
    assert y.shape == (4, 3, 2, 2)
    for o, i, j in np.ndindex(3, 2, 2):
        window = x[1, :, 2 * i : 2 * i + 2, j : j + 3]
        assert y[1, o, i, j] == pytest.approx((window * w[o, :, :, :, i, j]).sum() + layer.bias.data[o, i, j])


def test_e9_a_stage_of_convolution_and_pooling():
    stage = nn.Sequential(nn.Conv2d(3, 10, 3, 1, 1), nn.ReLU(), nn.MaxPool(2, 2))
    assert stage(np.zeros((2, 3, 32, 32), np.float32)).shape == (2, 10, 16, 16)


def test_e11_a_shifted_input_shifts_a_convolution_but_not_a_dense_layer():
    image = np.zeros((1, 1, 12, 12))
    image[0, 0, 3:7, 4:8] = values(4, 4)
    moved = np.roll(image, (2, 1), axis=(2, 3))
    layer = nn.Conv2d(1, 2, 3, padding="same", rng=0).astype(np.float64)
    np.testing.assert_allclose(layer(moved).data, np.roll(layer(image).data, (2, 1), axis=(2, 3)))
    dense = nn.Dense(144, 144, rng=0).astype(np.float64)
    flat = [dense(x.reshape(1, 144)).data.reshape(12, 12) for x in (image, moved)]
    assert not np.allclose(flat[1], np.roll(flat[0], (2, 1), axis=(0, 1)))


# --- Against PyTorch ---------------------------------------------------------------------------------------


def oracle():
    return pytest.importorskip("torch", reason="PyTorch is the oracle here")


CONVOLUTIONS = [
    {"stride": 1},
    {"stride": 2, "padding": 1},
    {"stride": (2, 1), "padding": (0, 2)},
    {"dilation": 2, "padding": 3},
    {"groups": 2, "bias": False},
    {"padding": "same"},
    {"padding": "valid", "stride": 3},
    {"dilation": (1, 2), "stride": (1, 2), "groups": 2},
]


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("kernel", [1, 3, (2, 3)])
def test_conv2d_agrees_with_torch(options, kernel):
    theirs = oracle().nn.Conv2d(4, 6, kernel, **options)
    even = options.get("padding") == "same" and kernel == (2, 3)
    with pytest.warns(UserWarning, match="zero-padded copy") if even else contextlib.nullcontext():
        compare_modules(nn.Conv2d(4, 6, kernel, **options), theirs, [values(2, 4, 7, 8)])


@pytest.mark.parametrize("options", [{"stride": 2, "padding": 1}, {"dilation": 2, "groups": 2}, {"padding": "same"}])
def test_conv1d_agrees_with_torch(options):
    compare_modules(nn.Conv1d(4, 6, 3, **options), oracle().nn.Conv1d(4, 6, 3, **options), [values(2, 4, 9)])


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 1},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"stride": 3, "dilation": 2},
        {"groups": 2, "stride": 2, "bias": False},
    ],
)
def test_conv_transpose2d_agrees_with_torch(options):
    compare_modules(
        nn.ConvTranspose2d(4, 6, 3, **options), oracle().nn.ConvTranspose2d(4, 6, 3, **options), [values(2, 4, 5, 4)]
    )


POOLS = [(2, None, 0), (3, 2, 1), ((2, 3), (1, 2), 0), (2, 1, 0)]


@pytest.mark.parametrize(("kernel", "stride", "padding"), POOLS)
@pytest.mark.parametrize("kind", ["MaxPool2d", "AvgPool2d"])
def test_pooling_agrees_with_torch(kind, kernel, stride, padding):
    theirs = getattr(oracle().nn, kind)(kernel, stride, padding)
    compare(getattr(nn, kind)(kernel, stride, padding), theirs, [values(2, 3, 7, 8)])


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, None, 0), (3, 2, 1)])
@pytest.mark.parametrize("kind", ["MaxPool1d", "AvgPool1d"])
def test_pooling_in_one_dimension_agrees_with_torch(kind, kernel, stride, padding):
    theirs = getattr(oracle().nn, kind)(kernel, stride, padding)
    compare(getattr(nn, kind)(kernel, stride, padding), theirs, [values(2, 3, 9)])


def test_further_pools():
    x = values(2, 3, 6)
    assert np.array_equal(nn.SumPool1d(2)(x), x.reshape(2, 3, 3, 2).sum(-1))
    assert np.array_equal(nn.MedianPool1d(3)(x), np.median(x.reshape(2, 3, 2, 3), axis=-1))
    torch, image = oracle(), values(2, 3, 4, 5)
    compare(nn.GlobalAvgPool(), lambda t: t.mean((2, 3)), [image])
    compare(nn.GlobalMaxPool(), lambda t: torch.amax(t, (2, 3)), [image])


# --- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: nn.Conv2d(3, 16, 5)(np.zeros((32, 1, 28, 28))),
            r"conv2d: expected .*\(16, 3, 5, 5\).*\(32, 1, 28, 28\)",
        ),
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups=2 does not divide 3 and 4 channels"),
        (lambda: nn.Conv2d(3, 4, 0), "at least 1"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), "the 2 sizes of the kernel"),
        (lambda: nn.Conv2d(1, 1, 5)(np.zeros((1, 1, 3, 3))), "window"),
        (lambda: nn.LocallyConnected2d(1, 1, 4, 5), "within 4"),
        (lambda: nn.LocallyConnected2d(1, 1, 4, 2)(np.zeros((1, 1, 5, 5))), r"expected x \(N, 1, 4, 4\)"),
        (
            lambda: F.locally_connected2d(np.zeros((1, 1, 5, 5)), np.zeros((1, 1, 2, 2, 3, 3))),
            "does not fit the weight",
        ),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_second_derivative_of_a_convolutional_stage():
    layer = nn.Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.Tanh(), nn.AvgPool(2)).astype(np.float64)
    x = Tensor(values(1, 1, 6, 6), requires_grad=True)
    (bar,) = autograd.grad((layer(x) ** 2).sum(), x, create_graph=True)
    (second,) = autograd.grad((bar * values(1, 1, 6, 6, seed=1)).sum(), x)
    assert second.any()

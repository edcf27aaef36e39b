"""Specs of autograd.ops.convolution."""

import math

import numpy as np

import autograd as ag
from autograd.ops import convolution as module

from .spec import Constant, Sample, Spec, values
from .windows import each_axis


def margins(padding, lengths, kernel, stride, dilation):
    """Return the zeros before and after each axis, by the words' definitions."""
    found = []
    for axis, (n, k, s, d) in enumerate(zip(lengths, kernel, stride, dilation, strict=True)):
        reach = d * (k - 1) + 1
        if padding == "same":
            missing = max(s * (math.ceil(n / s) - 1) + reach - n, 0)
            found.append((math.floor(missing / 2), math.ceil(missing / 2)))
        elif isinstance(padding, str):
            found.append({"valid": (0, 0), "full": (reach - 1, reach - 1)}[padding])
        else:
            found.append((each_axis(padding, len(lengths))[axis],) * 2)
    return found


def conv(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation in one or two dimensions, one output element at a time."""
    axes = x.ndim - 2
    stride, dilation = each_axis(stride, axes), each_axis(dilation, axes)
    if axes == 1:
        margin = margins(padding, x.shape[2:], w.shape[2:], stride, dilation)
        x = np.pad(x, ((0, 0), (0, 0), *margin))
        return conv(x[:, :, None], w[:, :, None], b, (1, *stride), 0, (1, *dilation), groups)[:, :, 0]
    (n, _, *lengths), (o, per_group, *kernel) = x.shape, w.shape
    x = np.pad(x, ((0, 0), (0, 0), *margins(padding, lengths, kernel, stride, dilation)))
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    rows, columns = ((m - r) // s + 1 for m, r, s in zip(x.shape[2:], reach, stride, strict=True))
    y = np.zeros((n, o, rows, columns), np.result_type(x, w, *(() if b is None else (b,))))
    for place in np.ndindex(*y.shape):
        image, output, row, column = place
        first = output // (o // groups) * per_group
        down = slice(row * stride[0], row * stride[0] + reach[0], dilation[0])
        right = slice(column * stride[1], column * stride[1] + reach[1], dilation[1])
        y[place] = (x[image, first : first + per_group, down, right] * w[output]).sum()
        if b is not None:
            y[place] += b[output]
    return y


def conv_transpose(x, w, b=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Each element of x adds its multiple of the filter to the result."""
    axes = x.ndim - 2
    stride, dilation = each_axis(stride, axes), each_axis(dilation, axes)
    more = each_axis(output_padding, axes)
    (n, c, *lengths), (_, per_group, *kernel) = x.shape, w.shape
    margin = margins(padding, [m * s for m, s in zip(lengths, stride, strict=True)], kernel, stride, dilation)
    steps = zip(lengths, stride, kernel, dilation, more, strict=True)
    whole = [(m - 1) * s + d * (k - 1) + 1 + e for m, s, k, d, e in steps]
    y = np.zeros((n, per_group * groups, *whole), np.result_type(x, w))
    for channel in range(c):
        first = channel // (c // groups) * per_group
        for place in np.ndindex(*lengths):
            for cell in np.ndindex(*kernel):
                moves = zip(place, stride, cell, dilation, strict=True)
                at = (slice(None), slice(first, first + per_group), *(p * s + i * d for p, s, i, d in moves))
                y[at] += x[(slice(None), channel, *place)][:, None] * w[(channel, slice(None), *cell)]
    y = y[(..., *(slice(before, m - after) for m, (before, after) in zip(whole, margin, strict=True)))]
    return y if b is None else y + b.reshape(-1, *(1,) * axes)


def cells(y, kernel, move):
    """Yield each place of a result of shape y, and the index of what the filter covers there."""
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, move.dilation, strict=True)]
    for place in np.ndindex(*y):
        steps = zip(place[2:], move.stride, reach, move.dilation, strict=True)
        yield place, tuple(slice(p * s, p * s + r, d) for p, s, r, d in steps)


def input_bar(ybar, w, *, size, move):
    """Each element of ybar adds its multiple of the filter to the places that the filter covered."""
    channels, outputs = w.shape[1], w.shape[0] // move.groups
    x = np.zeros((len(ybar), channels * move.groups, *(n + sum(p) for n, p in zip(size, move.padding, strict=True))))
    x = x.astype(np.result_type(ybar, w))
    for place, window in cells(ybar.shape, w.shape[2:], move):
        first = place[1] // outputs * channels
        x[(place[0], slice(first, first + channels), *window)] += ybar[place] * w[place[1]]
    return x[(..., *(slice(p[0], p[0] + n) for n, p in zip(size, move.padding, strict=True)))]


def filter_bar(ybar, x, *, size, move):
    """Each element of ybar adds its multiple of the places that the filter covered to the filter."""
    channels, outputs = x.shape[1] // move.groups, ybar.shape[1] // move.groups
    x = np.pad(x, ((0, 0), (0, 0), *move.padding))
    w = np.zeros((ybar.shape[1], channels, *size), np.result_type(ybar, x))
    for place, window in cells(ybar.shape, size, move):
        first = place[1] // outputs * channels
        w[place[1]] += ybar[place] * x[(place[0], slice(first, first + channels), *window)]
    return w


PLAIN = module.Geometry((1, 1), ((0, 0), (0, 0)), (1, 1), 1)
MOVED = module.Geometry((2, 1), ((1, 0), (0, 1)), (1, 2), 2)
ROW = module.Geometry((2,), ((1, 1),), (1,), 1)

X1, W1, B = values(2, 2, 6), values(3, 2, 3), values(3)
X2, W2 = values(2, 2, 4, 5), values(3, 2, 2, 3)
T1, T2 = values(2, 3, 3), values(2, 3, 2, 2)

EVERY = {"covers": (module._conv, module._input_bar, module._filter_bar)}

SPECS = [
    Spec(
        ag.conv1d,
        conv,
        (
            Sample(X1, W1),
            Sample(X1, W1, B, stride=2, padding=1),
            Sample(X1, W1, padding="same", stride=2),
            Sample(X1, W1, B, padding="full", dilation=2),
            Sample(X1, values(4, 1, 3), groups=2),
            Sample(values(0, 2, 6), W1, B),
        ),
        **EVERY,
    ),
    Spec(
        ag.conv2d,
        conv,
        (
            Sample(X2, W2, B),
            Sample(X2, W2, stride=(2, 1), padding=(1, 0)),
            Sample(X2, W2, B, padding="same", stride=2),
            Sample(X2, W2, padding="full"),
            Sample(X2, W2, dilation=(3, 2)),
            Sample(X2, W2, B, stride=2, dilation=2, padding=2),
            Sample(X2, values(4, 1, 2, 2), values(4), groups=2),
            Sample(X2, values(3, 2, 1, 1), stride=3),
            Sample(X2, Constant(W2)),
            Sample(Constant(X2), W2, B),
            Sample(values(0, 2, 4, 5), W2, B),
        ),
        **EVERY,
    ),
    Spec(
        ag.conv_transpose1d,
        conv_transpose,
        (
            Sample(T1, values(3, 2, 3)),
            Sample(T1, values(3, 2, 3), values(2), stride=2, padding=1, output_padding=1),
            Sample(T1, values(3, 2, 2), stride=3, dilation=2, padding="same"),
            Sample(values(0, 3, 3), values(3, 2, 3)),
        ),
        **EVERY,
    ),
    Spec(
        ag.conv_transpose2d,
        conv_transpose,
        (
            Sample(T2, values(3, 2, 2, 3), values(2)),
            Sample(T2, values(3, 2, 3, 3), stride=2, padding=1, output_padding=1),
            Sample(T2, values(3, 2, 1, 2), stride=(3, 1)),
            Sample(T2, values(3, 2, 2, 2), values(6), groups=3),
            Sample(T2, values(3, 1, 3, 3), stride=2, padding="same"),
            Sample(values(0, 3, 2, 2), values(3, 2, 2, 2)),
        ),
        **EVERY,
    ),
    # The adjoints by themselves: as part of a gradient their own rules would be seen in the second order only.
    Spec(
        module._input_bar,
        input_bar,
        (
            *(Sample(values(2, 3, 3, 3, seed=i), values(3, 2, 2, 3), size=(4, 5), move=PLAIN) for i in range(2)),
            Sample(values(2, 4, 2, 3), values(4, 1, 2, 2), size=(3, 4), move=MOVED),
            Sample(values(2, 3, 3), values(3, 2, 3), size=(5,), move=ROW),
        ),
    ),
    Spec(
        module._filter_bar,
        filter_bar,
        (
            *(Sample(values(2, 3, 3, 3, seed=i), values(2, 2, 4, 5), size=(2, 3), move=PLAIN) for i in range(2)),
            Sample(values(2, 4, 2, 3), values(2, 2, 3, 4), size=(2, 2), move=MOVED),
            Sample(values(2, 3, 3), values(2, 2, 5), size=(3,), move=ROW),
        ),
    ),
]

"""Specs of autograd.ops.pooling."""

import numpy as np

import autograd as ag
from autograd.ops import pooling as module

from .convolution import margins
from .spec import Constant, Sample, Spec, values
from .windows import each_axis


def spread(*shape, seed=0):
    """Return distinct values, so far apart that differences do not see which is the largest change."""
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    return 0.3 * (order - order.size / 2).reshape(shape)


def pool(choose, fill=0):
    """Return a pooling that takes choose(elements of a window, in order) at every place."""

    def pooled(x, size, stride=None, padding=0):
        axes = x.ndim - 2
        size = each_axis(size, axes)
        stride = size if stride is None else each_axis(stride, axes)
        margin = margins(padding, x.shape[2:], size, stride, (1,) * axes)
        x = np.pad(x, ((0, 0), (0, 0), *margin), constant_values=fill)
        counts = ((n - k) // s + 1 for n, k, s in zip(x.shape[2:], size, stride, strict=True))
        y = np.zeros((*x.shape[:2], *counts), x.dtype)
        for place in np.ndindex(*y.shape):
            window = (slice(p * s, p * s + k) for p, s, k in zip(place[2:], stride, size, strict=True))
            y[place] = choose(x[(*place[:2], *window)].ravel())
        return y

    return pooled


def largest(elements):
    return elements[np.argmax(elements.real)]


def middle(elements):
    ordered = elements[np.argsort(elements.real)]
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def put(ybar, index, *, shape, size, stride, padding):
    xbar = np.zeros((*ybar.shape[:-2], *(n + sum(p) for n, p in zip(shape, padding, strict=True))), ybar.dtype)
    for place in np.ndindex(*ybar.shape):
        cell = np.unravel_index(index[place], size)
        xbar[(*place[:-2], *(p * s + c for p, s, c in zip(place[-2:], stride, cell, strict=True)))] += ybar[place]
    return xbar[(..., *(slice(before, before + n) for n, (before, _) in zip(shape, padding, strict=True)))]


def pick(x, index, *, size, stride, padding):
    x = np.pad(x, ((0, 0), *padding))
    y = np.zeros(index.shape, x.dtype)
    for place in np.ndindex(*y.shape):
        cell = np.unravel_index(index[place], size)
        y[place] = x[(*place[:-2], *(p * s + c for p, s, c in zip(place[-2:], stride, cell, strict=True)))]
    return y


def spread_out(ybar, *, shape, size, stride, padding):
    """Return the sum of what `put` puts at each cell of the windows."""
    cells = range(int(np.prod(size)))
    keywords = {"shape": shape, "size": size, "stride": stride, "padding": padding}
    return sum(put(ybar, np.full(ybar.shape, cell), **keywords) for cell in cells)


ROW, IMAGE, ODD = spread(2, 2, 7), spread(2, 2, 4, 6), spread(1, 2, 5, 5)

ROWS = (
    Sample(ROW, 2),
    Sample(ROW, 3, stride=1),
    Sample(ROW, 2, stride=3),
    Sample(ROW, 1),
    Sample(spread(0, 2, 7), 2),
)
IMAGES = (
    Sample(IMAGE, 2),
    Sample(ODD, 2),
    Sample(ODD, 3, stride=2),
    Sample(IMAGE, (2, 3), stride=(1, 2)),
    Sample(ODD, 1, stride=2),
    Sample(spread(0, 2, 4, 4), 2),
)
AROUND_ROWS = (Sample(ROW, 3, padding=1), Sample(ROW, 2, stride=2, padding="same"))
AROUND_IMAGES = (Sample(ODD, 2, padding=1), Sample(IMAGE, (3, 2), stride=2, padding=(1, 0)))
AROUND_IMAGES += (Sample(ODD, 3, stride=2, padding="same"),)

INDEX = np.random.default_rng(0).integers(0, 4, (2, 3, 3)).astype(np.uint8)
APART = {"size": (2, 2), "stride": (2, 2), "padding": ((0, 0), (0, 0))}
OVERLAPPING = {"size": (2, 2), "stride": (1, 1), "padding": ((0, 0), (0, 0))}
PADDED = {"size": (2, 2), "stride": (2, 2), "padding": ((1, 1), (0, 1))}


def pooling(function, reference, samples, *covers):
    return Spec(function, reference, samples, covers=covers)


LARGEST, TOTAL, MEAN, MIDDLE = pool(largest, -np.inf), pool(np.sum), pool(np.mean), pool(middle)

SPECS = [
    pooling(ag.max_pool1d, LARGEST, ROWS + AROUND_ROWS, module._max_pool, module._put_at),
    pooling(ag.max_pool2d, LARGEST, IMAGES + AROUND_IMAGES, module._max_pool, module._put_at),
    pooling(ag.sum_pool1d, TOTAL, ROWS + AROUND_ROWS, module._sum_pool, module._sum_pool_bar),
    pooling(ag.sum_pool2d, TOTAL, IMAGES + AROUND_IMAGES, module._sum_pool, module._sum_pool_bar),
    pooling(ag.avg_pool1d, MEAN, ROWS + AROUND_ROWS),
    pooling(ag.avg_pool2d, MEAN, IMAGES + AROUND_IMAGES),
    pooling(ag.median_pool1d, MIDDLE, ROWS),
    pooling(ag.median_pool2d, MIDDLE, IMAGES),
    pooling(
        module._put_at,
        put,
        (
            Sample(values(2, 3, 3), Constant(INDEX), shape=(6, 6), **APART),
            Sample(values(2, 3, 3), Constant(3 - INDEX), shape=(6, 6), **APART),
            Sample(values(2, 3, 3), Constant(INDEX), shape=(6, 7), **APART),
            Sample(values(2, 3, 3), Constant(INDEX), shape=(4, 4), **OVERLAPPING),
            Sample(values(2, 3, 3), Constant(INDEX), shape=(4, 5), **PADDED),
        ),
        module._pick_at,
    ),
    pooling(
        module._sum_pool_bar,
        spread_out,
        (
            Sample(values(2, 3, 3), shape=(6, 6), **APART),
            Sample(values(2, 3, 3), shape=(4, 4), **OVERLAPPING),
            Sample(values(2, 3, 3), shape=(4, 5), **PADDED),
        ),
        module._sum_pool,
    ),
    pooling(
        module._pick_at,
        pick,
        (
            *(
                Sample(values(2, 6, 6), Constant(index), **APART)
                for index in (INDEX, 3 - INDEX, np.full_like(INDEX, 3))
            ),
            Sample(values(2, 4, 4), Constant(INDEX), **OVERLAPPING),
            Sample(values(2, 4, 5), Constant(INDEX), **PADDED),
        ),
        module._put_at,
    ),
]

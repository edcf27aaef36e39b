"""Products of arrays: `matmul` and its kin, `linear` for layers, `einsum` for all the rest.

A rule here leaves batch axes that broadcasting repeated as they come: the sweep sums over them. `dot`, `inner`,
`tensordot` and others are spelled with `matmul` and `einsum`. What factors or inverts a matrix is in `decompositions`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autograd.numpy_api import register
from autograd.ops.broadcast import broadcast_to, sum_to
from autograd.ops.shape import moveaxis
from autograd.primitive import primitive
from autograd.tensor import as_array

# --- Matrix products ---------------------------------------------------------------------------------------


def _mismatch(x: tuple[int, ...], y: tuple[int, ...]) -> str:
    """Return why arrays of these shapes have no matrix product."""
    problem = f"matmul: shapes {x} and {y} cannot be multiplied: "
    if not x or not y:
        return problem + "both need at least one axis; use * to multiply by a number"
    if x[-1] != y[-2:][0]:
        place = "second to last axis" if len(y) > 1 else "axis"
        return problem + f"the last axis of the first has length {x[-1]}, the {place} of the second {y[-2:][0]}"
    return problem + f"the batch axes {x[:-2]} and {y[:-2]} do not broadcast"


def _product(x: Any, y: Any) -> Any:
    """Return x @ y. Columns times rows are multiplications, for which OpenBLAS' product takes four times as long."""
    return x * y if x.shape[-1] == 1 else x @ y


def _left_bar(zbar: Any, y: Any) -> Any:
    """Return the bar of x in z = x @ y; how many axes x had follows from those of zbar and y."""
    if y.ndim == 1:
        return zbar[..., None] * y if zbar.ndim else zbar * y
    if zbar.ndim == y.ndim - 1:  # x was one row, and meets each matrix of y
        return y @ zbar if y.ndim == 2 else (y @ zbar[..., None])[..., 0]
    return _product(zbar, y.swapaxes(-1, -2))


def _right_bar(zbar: Any, x: Any) -> Any:
    """Return the bar of y in z = x @ y; how many axes y had follows from those of zbar and x."""
    if x.ndim == 1:
        return x[:, None] * zbar[..., None, :] if zbar.ndim else zbar * x
    if zbar.ndim == x.ndim - 1:  # y was one column, and meets each matrix of x
        return zbar @ x if x.ndim == 2 else (zbar[..., None, :] @ x)[..., 0, :]
    return _product(x.swapaxes(-1, -2), zbar)


_matmul = primitive(np.matmul, notation="{} @ {}", x=_left_bar, y=_right_bar)


def matmul(x: Any, y: Any) -> Any:
    """Return the matrix product x @ y.

    Args:
        x: (..., n, k), or (k,) for a row that is dropped from the result.
        y: (..., k, m), or (k,) for a column that is dropped from the result. Batch axes broadcast.

    Returns:
        Shape (..., n, m).

    Raises:
        ValueError: the shapes do not fit.
    """
    try:
        return _matmul(x, y)
    except ValueError:
        raise ValueError(_mismatch(np.shape(x), np.shape(y))) from None


def _as_rows(x: Any) -> Any:
    """Return x (..., n) as a matrix (rows, n): one product is faster than one for each batch."""
    return x if x.ndim == 2 else x.reshape((math.prod(x.shape[:-1]), x.shape[-1]))


def _times_transpose(x: Any, w: Any) -> Any:
    """Return x @ w.T; where the batch is a matrix's inner axis in memory, as convolutions leave it, it stays there."""
    if w.shape[-1] == 1:
        return x * w[:, 0]
    if x.ndim == 2 and x.flags.f_contiguous and not x.flags.c_contiguous:
        return np.matmul(w, x.T).T
    if x.ndim <= 2:
        return np.matmul(x, w.T)
    return np.matmul(_as_rows(x), w.T).reshape((*x.shape[:-1], w.shape[0]))


def _affine_map(x: Any, w: Any, b: Any) -> Any:
    if w.ndim != 2 or x.shape[-1:] != w.shape[1:] or b.shape not in (w.shape[:1], (*x.shape[:-1], w.shape[0])):
        raise ValueError(
            f"linear: expected x (..., in), w (out, in) and b (out,) or (..., out), got {x.shape}, {w.shape} and "
            f"{b.shape}"
        )
    if x.ndim == 2 and 2 * x.size < w.size and x.flags.c_contiguous:
        # OpenBLAS takes up to a quarter longer where the larger matrix is the second, and transposed: turn the product.
        return np.add((w @ x.T).T, b, order="C")
    z = _times_transpose(x, w)
    if z.dtype != b.dtype or (b.ndim > 1 and b.strides != z.strides):
        return np.add(z, b, order="C")
    z += b
    return z


def _linear_map(x: Any, w: Any) -> Any:
    if w.ndim != 2 or x.shape[-1:] != w.shape[1:]:
        raise ValueError(f"linear: expected x (..., in) and w (out, in), got {x.shape} and {w.shape}")
    return _times_transpose(x, w)


def _weight_bar(zbar: Any, x: Any) -> Any:
    """Return the bar of w in z = x @ w.T: one product, over all rows of all batches."""
    return _product(_as_rows(zbar).T, _as_rows(x))


def _sum_of_rows(x: Any) -> Any:
    """Return the sum over all axes but the last: a product takes a fifth of the time of `sum` where rows are many."""
    rows = _as_rows(x)
    if len(rows) < 512:
        return rows.sum(axis=0)
    return np.ones(len(rows), rows.dtype) @ rows


_linear: Any = primitive(_linear_map, name="linear", x=lambda zbar, w: _linear(zbar, w.T), w=_weight_bar)
_linear_with_bias = primitive(
    _affine_map,
    name="linear",
    x=lambda zbar, w: _linear(zbar, w.T),
    w=_weight_bar,
    b=lambda zbar, b_shape: _sum_of_rows(zbar) if len(b_shape) == 1 else zbar,
)


def linear(x: Any, w: Any, b: Any = None) -> Any:
    """Return x @ w.T + b, the affine map of a dense layer, as one operation.

    Args:
        x: (..., in).
        w: (out, in).
        b: (out,), one offset for all; (..., out), one for each; or None for none.

    Returns:
        Shape (..., out).

    Raises:
        ValueError: the shapes do not fit.
    """
    x, w = as_array(x), as_array(w)
    return _linear(x, w) if b is None else _linear_with_bias(x, w, as_array(b))


# --- Einstein summation ------------------------------------------------------------------------------------


_LETTERS = "abcdefghijklmnopqrstuvwxyz" + "abcdefghijklmnopqrstuvwxyz".upper()
"""What may label an axis. (The standard library's `string` has it too, at a millisecond for its import.)"""


def _einsum(*operands: Any, subscripts: str, optimize: Any) -> Any:
    try:
        return np.einsum(subscripts, *operands, optimize=optimize if len(operands) > 1 else False)
    except ValueError:
        lengths: dict[str, int] = {}
        for term, operand in zip(subscripts.partition("->")[0].split(","), operands, strict=True):
            for label, n in zip(term, np.shape(operand), strict=True):
                if 1 not in (n, lengths.setdefault(label, n)) and n != lengths[label]:
                    shapes = ", ".join(f"{np.shape(operand)}" for operand in operands)
                    raise ValueError(
                        f"einsum: label {label!r} of {subscripts!r} has lengths {lengths[label]} and {n} in operands "
                        f"of shapes {shapes}"
                    ) from None
                lengths[label] = max(n, lengths[label])
        raise


def _operand_bar(
    zbar: Any, operands: tuple[Any, ...], operands_shape: Any, subscripts: str, optimize: Any, position: int
) -> Any:
    """Return the bar of one operand: the product of zbar and the other operands, summed to this one's labels."""
    inputs, _, output = subscripts.partition("->")
    terms = inputs.split(",")
    mine = terms.pop(position)
    others = operands[:position] + operands[position + 1 :]
    known = set(output).union(*terms)
    found = ",".join([output, *terms]) + "->" + "".join(label for label in mine if label in known)
    bar = einsum_spelled(zbar, *others, subscripts=found, optimize=optimize)
    # A label that nothing else has was summed over by itself: the bar is the same all along it.
    lengths = iter(bar.shape)
    shape = tuple(next(lengths) if label in known else 1 for label in mine)
    full = np.broadcast_shapes(shape, operands_shape[position])
    bar = bar if shape == bar.shape else bar.reshape(shape)
    bar = bar if full == shape else broadcast_to(bar, shape=full)
    return sum_to(bar, shape=operands_shape[position])  # an axis of length 1 met longer ones


einsum_spelled = primitive(_einsum, name="einsum", operands=_operand_bar)
"""`einsum` with a letter for each axis of each operand, none twice in one operand, and with the output."""


def _unique(labels: str) -> str:
    return "".join(dict.fromkeys(labels))


def _take_diagonals(x: Any, *, labels: str) -> Any:
    """Return the elements of x with equal indices on axes with equal labels: "iij" -> "ij"."""
    if any(n != x.shape[labels.index(label)] for n, label in zip(x.shape, labels, strict=True)):
        raise ValueError(f"einsum: a label repeated in {labels!r} needs axes of equal length, got shape {x.shape}")
    return np.einsum(f"{labels}->{_unique(labels)}", x)


def _put_diagonals(y: Any, *, labels: str, shape: tuple[int, ...]) -> Any:
    """Return zeros of `shape` with y on the diagonals that `take_diagonals` takes."""
    out = np.zeros(shape, y.dtype)
    np.einsum(f"{labels}->{_unique(labels)}", out)[...] = y
    return out


take_diagonals: Any = primitive(
    _take_diagonals, x=lambda ybar, labels, x_shape: put_diagonals(ybar, labels=labels, shape=x_shape)
)
put_diagonals: Any = primitive(_put_diagonals, y=lambda xbar, labels: take_diagonals(xbar, labels=labels))


@lru_cache(maxsize=256)
def _spelled_out(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Return the labels of each operand and of the output, with letters for `...` and the output made explicit."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: {subscripts!r} is for {len(terms)} operands, got {len(ndims)}")
    for term in [*terms, output]:
        if not set(term.replace("...", "", 1)) <= set(_LETTERS):
            raise ValueError(f"einsum: expected letters, '...', ',' and '->', got {subscripts!r}")
    widths = []
    for term, ndim in zip(terms, ndims, strict=True):
        widths.append(ndim - len(term.replace("...", "")))
        if widths[-1] < 0 or (widths[-1] and "..." not in term):
            raise ValueError(f"einsum: {term!r} of {subscripts!r} does not fit an operand with {ndim} axes")
    spare = [letter for letter in _LETTERS if letter not in subscripts]
    batch = "".join(spare[: max(widths)])
    if not arrow:
        counts = Counter(inputs.replace("...", "").replace(",", ""))
        output = "..." * bool(batch) + "".join(sorted(label for label, n in counts.items() if n == 1))
    if batch and "..." not in output:
        raise ValueError(f"einsum: the output of {subscripts!r} needs '...', for the axes that it stands for")
    terms = [term.replace("...", batch[len(batch) - width :]) for term, width in zip(terms, widths, strict=True)]
    output = output.replace("...", batch)
    if len(set(output)) < len(output) or not set(output) <= set("".join(terms)):
        raise ValueError(f"einsum: each label of the output of {subscripts!r} must be there once, and in an operand")
    return tuple(terms), output


def _from_lists(args: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return subscripts and operands of the form einsum(x, [0, 1], y, [1, 2], [0, 2])."""
    letters = _LETTERS.swapcase()

    def spelled(labels: Sequence[Any]) -> str:
        return "".join("..." if label is Ellipsis else letters[label] for label in labels)

    subscripts = ",".join(spelled(labels) for labels in args[1::2])
    return subscripts + (f"->{spelled(args[-1])}" if len(args) % 2 else ""), tuple(args[: len(args) // 2 * 2 : 2])


def einsum(subscripts: Any, *operands: Any, optimize: Any = True) -> Any:
    """Return sums of products of the operands' elements, in Einstein's notation.

    Axes with equal labels go together; a label that is not in the output is summed over. Without "->" the output
    has, in alphabetical order, the labels that occur once. "..." stands for further axes, which broadcast.

    Args:
        subscripts: as in "ij,jk->ik". Also NumPy's other form, einsum(x, [0, 1], y, [1, 2], [0, 2]).
        *operands: arrays.
        optimize: as in `np.einsum`; True, the default here, lets matrix products do the work.

    Raises:
        ValueError: the subscripts do not fit the operands.

    Example:
        >>> float(einsum("ij,ij", [[1.0, 2.0]], [[3.0, 4.0]]))
        11.0
    """
    if not isinstance(subscripts, str):
        subscripts, operands = _from_lists((subscripts, *operands))
    operands = tuple(as_array(x) for x in operands)
    terms, output = _spelled_out(subscripts, tuple(x.ndim for x in operands))
    arrays = [
        x if len(set(term)) == len(term) else take_diagonals(x, labels=term)
        for x, term in zip(operands, terms, strict=True)
    ]
    spelled = ",".join(map(_unique, terms)) + "->" + output
    return einsum_spelled(*arrays, subscripts=spelled, optimize=optimize)


# --- Further products, spelled with those above --------------------------------------------------------------


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """Return the sum of products over the given axes of both.

    Args:
        a: any shape.
        b: any shape.
        axes: how many axes to sum over (the last of a, the first of b), or the axes of a and the axes of b.

    Returns:
        The remaining axes of a, then those of b.

    Raises:
        ValueError: the axes do not fit each other.
    """
    a, b = as_array(a), as_array(b)
    left, right = (range(-axes, 0), range(axes)) if isinstance(axes, int) else axes
    left, right = ([axis] if isinstance(axis, int) else list(axis) for axis in (left, right))
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ValueError(f"tensordot: axes {axes!r} of shapes {a.shape} and {b.shape} have different lengths")
    a_labels = list(_LETTERS[: a.ndim])
    b_labels = list(_LETTERS[a.ndim : a.ndim + b.ndim])
    for i, j in zip(left, right, strict=True):
        b_labels[j] = a_labels[i]
    once = [label for label in a_labels + b_labels if (label in a_labels) != (label in b_labels)]
    return einsum(f"{''.join(a_labels)},{''.join(b_labels)}->{''.join(once)}", a, b)


def dot(a: Any, b: Any) -> Any:
    """Return the sum of products over the last axis of a and the second to last of b (its only one, if 1-D).

    With two matrices the matrix product, with two vectors their inner product, with a 0-d array the product.
    """
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b) if a.ndim == 1 or b.ndim <= 2 else tensordot(a, b, axes=(-1, -2))


def inner(a: Any, b: Any) -> Any:
    """Return the sum of products over the last axis of both: shape a.shape[:-1] + b.shape[:-1]."""
    a, b = as_array(a), as_array(b)
    if not a.ndim or not b.ndim:
        return a * b
    return matmul(a, b.T) if b.ndim <= 2 else tensordot(a, b, axes=(-1, -1))


def outer(a: Any, b: Any) -> Any:
    """Return all products of an element of a and one of b, (a.size, b.size)."""
    a, b = as_array(a), as_array(b)
    return a.reshape((a.size, 1)) * b.reshape(b.size)


def vdot(a: Any, b: Any) -> Any:
    """Return the sum of the products of corresponding elements, of two arrays of one size."""
    a, b = as_array(a), as_array(b)
    return matmul(a.reshape(a.size), b.reshape(b.size))


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Any:
    """Return the inner products of the vectors along `axis`."""
    return (as_array(x1) * as_array(x2)).sum(axis=axis)


def matvec(x1: Any, x2: Any) -> Any:
    """Return the products of matrices (..., n, k) and vectors (..., k): shape (..., n)."""
    return matmul(x1, as_array(x2)[..., None])[..., 0]


def vecmat(x1: Any, x2: Any) -> Any:
    """Return the products of vectors (..., k) and matrices (..., k, m): shape (..., m)."""
    return matmul(as_array(x1)[..., None, :], x2)[..., 0, :]


def kron(a: Any, b: Any) -> Any:
    """Return Kronecker's product: the blocks a[i, j] * b, for any number of axes."""
    a, b = as_array(a), as_array(b)
    ndim = max(a.ndim, b.ndim)
    a_shape, b_shape = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    blocks = a.reshape([n for length in a_shape for n in (length, 1)])
    copies = b.reshape([n for length in b_shape for n in (1, length)])
    return (blocks * copies).reshape([n * m for n, m in zip(a_shape, b_shape, strict=True)])


def _cross_last(x: Any, y: Any) -> Any:
    if np.shape(x)[-1:] != (3,) or np.shape(y)[-1:] != (3,):
        raise ValueError(f"cross: expected vectors of 3 elements along the axis, got {np.shape(x)} and {np.shape(y)}")
    return np.cross(x, y)


_cross: Any = primitive(_cross_last, name="cross", x=lambda zbar, y: _cross(y, zbar), y=lambda zbar, x: _cross(zbar, x))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Return the vector products of the vectors, of 3 elements, along an axis of each.

    Args:
        a: vectors along `axisa`.
        b: vectors along `axisb`; the other axes broadcast.
        axisa: axis of a.
        axisb: axis of b.
        axisc: axis of the result.
        axis: all three.

    Raises:
        ValueError: the vectors do not have 3 elements.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a = as_array(a) if axisa == -1 else moveaxis(as_array(a), axisa, -1)
    b = as_array(b) if axisb == -1 else moveaxis(as_array(b), axisb, -1)
    c = _cross(a, b)
    return c if axisc == -1 else moveaxis(c, -1, axisc)


__all__ = [
    "cross",
    "dot",
    "einsum",
    "inner",
    "kron",
    "linear",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]
register({np.cross: cross, np.dot: dot, np.einsum: einsum, np.inner: inner, np.kron: kron, np.matmul: matmul})
register({np.outer: outer, np.tensordot: tensordot, np.vdot: vdot, np.vecdot: vecdot})
register({getattr(np, f.__name__): f for f in (matvec, vecmat) if hasattr(np, f.__name__)})

"""Each line of the table in docs/conventions.md: what we return at ties and kinks, and what torch returns."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn.functional as F
from autograd import Tensor

from .oracles import torch

PAGE = Path(__file__).parents[1] / "docs" / "conventions.md"
INF = np.inf


def named(name: str) -> Callable[..., Any]:
    """Return torch's function of this name, looked up when it is called."""
    return lambda *xs: getattr(torch, name)(*xs)


LINES: dict[str, tuple[list[Any], Callable[..., Any], Callable[..., Any]]] = {
    "`abs(x)` at 0": ([0.0], ag.absolute, named("abs")),
    "`relu(x)` at 0": ([0.0], ag.relu, named("relu")),
    "`leaky_relu(x, 0.1)` at 0": (
        [0.0],
        lambda x: ag.leaky_relu(x, slope=0.1),
        lambda x: torch.nn.functional.leaky_relu(x, 0.1),
    ),
    "`elu(x)` at 0": ([0.0], ag.elu, lambda x: torch.nn.functional.elu(x, 1.0)),
    "`elu(x, 0.5)` at 0": ([0.0], lambda x: ag.elu(x, alpha=0.5), lambda x: torch.nn.functional.elu(x, 0.5)),
    "`sqrt(x)` at 0": ([0.0], ag.sqrt, named("sqrt")),
    "`copysign(x, -1)` at 0": ([0.0], lambda x: ag.copysign(x, -1.0), lambda x: torch.copysign(x, -1.0)),
    "`maximum(x, y)` at 1, 1": ([1.0, 1.0], ag.maximum, named("maximum")),
    "`minimum(x, y)` at 1, 1": ([1.0, 1.0], ag.minimum, named("minimum")),
    "`fmax(x, y)` at 1, 1": ([1.0, 1.0], ag.fmax, named("fmax")),
    "`fmin(x, y)` at 1, 1": ([1.0, 1.0], ag.fmin, named("fmin")),
    "`x ** y` at 0, 0": ([0.0, 0.0], lambda x, y: x**y, lambda x, y: x**y),
    "`hypot(x, y)` at 0, 0": ([0.0, 0.0], ag.hypot, named("hypot")),
    "`arctan2(y, x)` at 0, 0": ([0.0, 0.0], ag.arctan2, named("arctan2")),
    "`logaddexp(x, y)` at -inf, -inf": ([-INF, -INF], ag.logaddexp, named("logaddexp")),
    "`remainder(x, y)` at 6, 3": ([6.0, 3.0], ag.remainder, named("remainder")),
    "`clip(x, -1, 1)` at [-1, 1]": ([[-1.0, 1.0]], lambda x: ag.clip(x, -1, 1), lambda x: torch.clip(x, -1, 1)),
    "`where(x > 0, log(x), 0 * x)` at 0": (
        [0.0],
        lambda x: ag.where(x > 0, ag.log(x), 0 * x),
        lambda x: torch.where(x > 0, torch.log(x), 0 * x),
    ),
    "`where(x > 0, x, sqrt(-x))` at 1": (
        [1.0],
        lambda x: ag.where(x > 0, x, ag.sqrt(-x)),
        lambda x: torch.where(x > 0, x, torch.sqrt(-x)),
    ),
    "`max(x)` of [1, 3, 3]": ([[1.0, 3.0, 3.0]], ag.max, named("max")),
    "`max(x, axis=0)` of [1, 3, 3]": (
        [[1.0, 3.0, 3.0]],
        lambda x: ag.max(x, axis=0),
        lambda x: torch.max(x, dim=0).values,
    ),
    "`min(x)` of [1, 1, 3]": ([[1.0, 1.0, 3.0]], ag.min, named("min")),
    "`min(x, axis=0)` of [1, 1, 3]": (
        [[1.0, 1.0, 3.0]],
        lambda x: ag.min(x, axis=0),
        lambda x: torch.min(x, dim=0).values,
    ),
    "`median(x)` of [1, 2, 3, 4]": ([[1.0, 2.0, 3.0, 4.0]], ag.median, named("median")),
    "`median(x)` of [2, 2, 1, 2, 3]": ([[2.0, 2.0, 1.0, 2.0, 3.0]], ag.median, named("median")),
    "`sort(x)[0]` of [1, 1]": ([[1.0, 1.0]], lambda x: ag.sort(x)[0], lambda x: torch.sort(x, stable=True).values[0]),
    "`sort(x) * [1, 10, 100]` of [2, 1, 2]": (
        [[2.0, 1.0, 2.0]],
        lambda x: ag.sort(x) * np.array([1, 10, 100]),
        lambda x: torch.sort(x, stable=True).values * torch.tensor([1, 10, 100]),
    ),
    "`max_pool(x)` of a window [1, 1]": (
        [[1.0, 1.0]],
        lambda x: F.max_pool2d(x.reshape(1, 1, 1, 2), (1, 2)),
        lambda x: torch.nn.functional.max_pool2d(x.reshape(1, 1, 1, 2), (1, 2)),
    ),
    "`prod(x)` of [2, 0, 3]": ([[2.0, 0.0, 3.0]], ag.prod, named("prod")),
    "`prod(x)` of [0, 0, 3]": ([[0.0, 0.0, 3.0]], ag.prod, named("prod")),
    "`cumprod(x)` of [2, 0, 3]": ([[2.0, 0.0, 3.0]], ag.cumprod, lambda x: torch.cumprod(x, 0)),
    "`logsumexp(x)` of [-inf, -inf]": ([[-INF, -INF]], ag.logsumexp, lambda x: torch.logsumexp(x, 0)),
    "`std(x)` of [1, 1, 1]": ([[1.0, 1.0, 1.0]], ag.std, named("std")),
    "`norm(x)` of [0, 0]": ([[0.0, 0.0]], ag.linalg.norm, lambda x: torch.linalg.norm(x, 2)),
    "`norm(x, 1)` of [0, 1]": ([[0.0, 1.0]], lambda x: ag.linalg.norm(x, 1), lambda x: torch.linalg.norm(x, 1)),
    "`norm(x, 3)` of [0, 0]": ([[0.0, 0.0]], lambda x: ag.linalg.norm(x, 3), lambda x: torch.linalg.norm(x, 3)),
    "`norm(x, inf)` of [1, -1]": (
        [[1.0, -1.0]],
        lambda x: ag.linalg.norm(x, INF),
        lambda x: torch.linalg.norm(x, INF),
    ),
}


def table() -> dict[str, tuple[str, ...]]:
    """Return the page's lines: where -> (torch, JAX, ours)."""
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
    return {where: numbers for where, *numbers in rows}


TABLE = table()


def numbers(cell: str) -> list[float]:
    """Return what a cell says."""
    return [
        float(part) if part.strip(" -") in ("inf", "nan") else float(Fraction(part.strip())) for part in cell.split(",")
    ]


def test_every_line_has_its_test():
    assert TABLE.keys() == LINES.keys()


@pytest.mark.parametrize("where", LINES)
def test_ours(where):
    given, function, _ = LINES[where]
    inputs = [Tensor(x, requires_grad=True) for x in given]
    with np.errstate(all="ignore"):
        found = ag.grad(function(*inputs).sum(), inputs)
    np.testing.assert_allclose(np.concatenate([np.ravel(g) for g in found]), numbers(TABLE[where][2]), rtol=1e-15)


@pytest.mark.skipif(torch is None, reason="torch is not installed")
@pytest.mark.parametrize("where", LINES)
def test_torch(where):
    given, _, function = LINES[where]
    inputs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in given]
    found = torch.autograd.grad(function(*inputs).sum(), inputs)
    np.testing.assert_allclose(
        np.concatenate([np.ravel(g.numpy()) for g in found]), numbers(TABLE[where][0]), rtol=1e-15
    )


FINITE = [where for where in LINES if np.isfinite(numbers(TABLE[where][2])).all() and "-inf" not in where]


@pytest.mark.parametrize("where", FINITE)
@pytest.mark.parametrize("create_graph", [False, True])
def test_finite_convention_is_computed_without_a_warning(where, create_graph):
    """A 0 is computed as 0, not as 0 / 0 that is mended afterwards; both sweeps agree."""
    given, function, _ = LINES[where]
    inputs = [Tensor(x, requires_grad=True) for x in given]
    found = ag.grad(function(*inputs).sum(), inputs, create_graph=create_graph)
    flat = np.concatenate([np.ravel(g.data if create_graph else g) for g in found])
    np.testing.assert_allclose(flat, numbers(TABLE[where][2]), rtol=1e-15)


@pytest.mark.parametrize("axis", [None, 0, 1, (0, 1), -1])
@pytest.mark.parametrize("function", [ag.max, ag.min])
def test_ties_share_evenly_whatever_the_axis(function, axis):
    x = Tensor(np.ones((2, 3)), requires_grad=True)
    function(x, axis=axis).sum().backward()
    count = {None: 6, 0: 2, 1: 3, (0, 1): 6, -1: 3}[axis]
    np.testing.assert_allclose(x.grad, np.full((2, 3), 1 / count))


def test_safe_argument_of_where():
    """The remedy that the page gives."""
    x = Tensor([0.0, 2.0], requires_grad=True)
    ag.where(x > 0, ag.log(ag.where(x > 0, x, 1)), 0).sum().backward()
    assert x.grad.tolist() == [0, 0.5]

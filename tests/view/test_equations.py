"""Equations: the lecture's lines, simplification, and that the numbers are the engine's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import autograd
from autograd import Tensor
from autograd.view.equations import Equations
from autograd.view.snapshot import Snapshot
from tests.view.random_graphs import computations


def equations(*outputs: Tensor, **options: Any) -> Equations:
    return Equations(Snapshot(autograd.graph(*outputs)), **options)


def assert_numbers_are_the_engines(loss: Tensor, tensors: list[Tensor]) -> None:
    """Compare the right sides, evaluated, and the values shown with the engine's values and bars."""
    loss.backward()
    values = {t._node: t.data for t in tensors if t._node is not None}
    bars = {t._node: t.bar for t in tensors if t._node is not None and t.requires_grad}
    graph = autograd.graph(loss)
    nodes = list(graph)
    lines = Equations(Snapshot(graph))
    compared = 0
    for line in lines:
        node = nodes[line.quantity.number - 1]
        known = bars if line.bar else values
        if node not in known:
            continue
        expected = known[node]
        scale = 1 + np.max(np.abs(expected), initial=0)
        np.testing.assert_allclose(line.value, expected, rtol=1e-9, atol=1e-12 * scale, err_msg=repr(line))
        np.testing.assert_allclose(line.evaluated(), expected, rtol=1e-8, atol=1e-10 * scale, err_msg=repr(line))
        assert line.latex().count("{") == line.latex().count("}")
        compared += 1
    assert compared >= 2


@settings(max_examples=200, deadline=None)
@given(computations())
def test_numbers_first_order(compute: Any) -> None:
    with autograd.record():
        loss, tensors = compute()
    assert_numbers_are_the_engines(loss, tensors)


@settings(max_examples=200, deadline=None)
@given(computations(steps=5))
def test_numbers_second_order(compute: Any) -> None:
    with autograd.record():
        loss, tensors = compute()
        leaves = [t for t in tensors if t.is_leaf and t.requires_grad]
        first = autograd.grad(loss, leaves, create_graph=True, allow_unused=True)
        used = [g for g in first if g is not None and g.requires_grad]
        if not used:
            return
        second = sum(((g * g).sum() for g in used), Tensor(0.0)).named("S")
    if second.requires_grad:
        assert_numbers_are_the_engines(second, [*tensors, *used, second])

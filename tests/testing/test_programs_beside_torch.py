"""Random programs of up to 60 operations give torch's values, first and second derivatives."""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Tensor
from autograd.tensor import raw
from autograd.testing.strategies import programs

torch = pytest.importorskip("torch", reason="torch is the oracle of this test; .ci/run installs it")

FULL = os.environ.get("BARGRAD_TEST_FULL") == "1"
EXAMPLES = int(os.environ.get("BARGRAD_TEST_PROGRAMS", "10000" if FULL else "60"))


def ours(program, weights, ways):
    xs = [Tensor(x, requires_grad=True) for x in program.inputs]
    ys = program(*xs)
    first = ag.grad(ys, xs, [w * (1 + 0.5 * y) for w, y in zip(weights, ys)], create_graph=True, allow_unused=True)
    moving = [(g, v) for g, v in zip(first, ways) if g is not None and g.requires_grad]
    second = [None] * len(xs)
    if moving:
        second = ag.grad([g for g, _ in moving], xs, [v for _, v in moving], allow_unused=True)
    return ys, first, second


def theirs(program, weights, ways):
    xs = [torch.tensor(x, requires_grad=True) for x in program.inputs]
    ys = program.compiled("torch")(*xs)
    bars = [torch.tensor(w) * (1 + 0.5 * y) for w, y in zip(weights, ys)]
    pairs = [(y, b) for y, b in zip(ys, bars) if y.requires_grad]
    first = torch.autograd.grad([y for y, _ in pairs], xs, [b for _, b in pairs], create_graph=True, allow_unused=True)
    moving = [(g, torch.tensor(v)) for g, v in zip(first, ways) if g is not None and g.requires_grad]
    second = [None] * len(xs)
    if moving:
        second = torch.autograd.grad([g for g, _ in moving], xs, [v for _, v in moving], allow_unused=True)
    return tuple([None if a is None else a.detach().numpy() for a in group] for group in (ys, first, second))


def assert_close(mine, other, like, tolerance, what):
    mine, other = (np.zeros_like(like) if a is None else np.asarray(raw(a)) for a in (mine, other))
    assert mine.shape == other.shape
    assert np.max(np.abs(mine - other)) <= tolerance * max(1.0, np.max(np.abs(other))), what


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    st.integers(1, 60).flatmap(lambda n: programs(min_operations=n, max_operations=n, max_results=n)),
    st.integers(0, 100),
)
def test_programs_agree_with_torch(program, seed):
    rng = np.random.default_rng(seed)
    expected = program.compiled("numpy")(*program.inputs)
    weights = [rng.normal(size=np.shape(y)) for y in expected]
    ways = [rng.normal(size=x.shape) for x in program.inputs]
    mine, other = ours(program, weights, ways), theirs(program, weights, ways)
    for y, e in zip(mine[0], expected):
        assert_close(y, e, y, 1e-9, "value beside NumPy")
    for order, tolerance in enumerate((1e-9, 1e-9, 1e-7)):
        likes = expected if order == 0 else program.inputs
        for a, b, like in zip(mine[order], other[order], likes):
            assert_close(a, b, like, tolerance, f"derivative of order {order}")

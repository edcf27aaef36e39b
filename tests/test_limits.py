"""Size and memory: long chains without recursion, no reference cycle, memory that returns after every step."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
import tracemalloc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.program import Node


def tracked(*values):
    return Tensor(values[0] if len(values) == 1 else values, requires_grad=True)


@pytest.fixture
def collector_off():
    """Switch the garbage collector off, with nothing left for it to find, and look only at what comes after."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


# --- Length --------------------------------------------------------------------------------------------------


def chain(x: Tensor, length: int) -> Tensor:
    y = x
    for _ in range(length // 2):
        y = y * 0.5 + 1.0
    return y


def test_chain_of_a_million_operations_forward_backward_and_release(record_property):
    """Linear time is shown at the end of the run, not asserted: 10^4, 10^5, 10^6."""
    for length in (10**4, 10**5, 10**6):
        x = tracked(1.0)
        start = time.perf_counter()
        y = chain(x, length)
        built = time.perf_counter()
        y.backward()
        swept = time.perf_counter()
        value, grad = y.item(), float(x.grad)
        del y
        released = time.perf_counter()
        times = {"forward": built - start, "backward": swept - built, "release": released - swept}
        each = ", ".join(f"{what} {s:.3f} s ({s / length * 1e6:.2f} us each)" for what, s in times.items())
        record_property("shown", f"{length:>9,} operations: {each}")
        np.testing.assert_allclose(value, 2 - 0.5 ** (length / 2), rtol=1e-12)
        np.testing.assert_allclose(grad, 0.5 ** (length / 2), rtol=1e-12)


def test_long_chain_in_a_thread_with_a_small_stack():
    """Building, sweeping, evaluating, printing and freeing 100,000 operations recurse nowhere."""
    outcome = []

    def run():
        x = tracked(1.0)
        y = chain(x, 10**5)
        graph = ag.graph(y)
        value = graph.evaluate({x: 1.0})
        assert len(repr(y)) + len(repr(graph)) < 500
        y.backward(retain_graph=True)
        (g,) = ag.grad(y, x)
        del y, graph
        outcome.append((float(value), float(g)))

    size = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert outcome == [(2.0, 0.0)]


def test_long_chain_with_a_record_of_its_gradient():
    x = tracked(1.0)
    y = x
    for _ in range(5_000):
        y = ag.sin(y)
    (g,) = ag.grad(y, x, create_graph=True)
    (second,) = ag.grad(g, x)
    assert np.isfinite(second)
    del y, g


def test_wide_graph():
    xs = [tracked(float(i)) for i in range(20_000)]
    total = Tensor(0.0)
    for x in xs:
        total = total + x * x
    total.backward()
    assert [x.grad.item() for x in xs[:3]] == [0, 2, 4]


def test_recorded_chain_of_items_assigned():
    x = tracked(np.zeros(3))
    y = x * 1.0
    for i in range(3_000):
        y[i % 3] = y[(i + 1) % 3] + 1.0
    y.sum().backward()
    assert np.isfinite(x.grad).all()


# --- No cycle, no leak ---------------------------------------------------------------------------------------


def network(rng):
    sizes = [(20, 30), (30, 10)]
    weights = [tracked(rng.normal(size=size) * 0.1) for size in sizes]
    biases = [tracked(np.zeros(size[1])) for size in sizes]
    return weights, biases


def training_step(weights, biases, x):
    h = x
    for w, b in zip(weights, biases, strict=True):
        h = ag.tanh(h @ w + b)
    loss = (h * h).sum() / len(x)
    loss.backward()
    with ag.no_grad():
        for p in (*weights, *biases):
            p -= 0.1 * p.grad
            p.grad = None
    return loss.item()


def memory_of_arrays() -> int:
    """Return the bytes that NumPy holds, where tracemalloc is on."""
    traces = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, NUMPY)])
    return sum(trace.size for trace in traces.traces)


NUMPY = np.lib.tracemalloc_domain


def test_memory_returns_after_each_of_100_training_steps(collector_off):
    """To the byte for arrays and to the object for Python's; what is left of the rest are free lists."""
    rng = np.random.default_rng(0)
    parameters, x = network(rng), rng.normal(size=(16, 20))
    for _ in range(3):
        training_step(*parameters, x)
    tracemalloc.start()
    try:
        objects, arrays = [], []
        for _ in range(101):
            training_step(*parameters, x)
            objects.append(len(gc.get_objects()))
            arrays.append(memory_of_arrays())
        start = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            training_step(*parameters, x)
        assert gc.collect() == 0
        grown = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert set(objects[1:]) == {objects[1]}
    assert set(arrays[1:]) == {arrays[1]}
    assert grown < 1000, f"{grown} bytes more after 100 steps"


def failing(x):
    with contextlib.suppress(ValueError):
        _ = x + np.ones(3)


USES = {
    "backward": lambda x: (ag.tanh(x) * x).sum().backward(),
    "grad": lambda x: ag.grad((ag.tanh(x) * x).sum(), x),
    "create_graph": lambda x: ag.grad(ag.grad((ag.tanh(x) * x).sum(), x, create_graph=True)[0].sum(), x),
    "dropped without a sweep": lambda x: ag.tanh(x) * x,
    "retained": lambda x: (x * x).sum().backward(retain_graph=True),
    "several outputs": lambda x: sum(part.sum() for part in ag.split(x, 2)).backward(),
    "graph": lambda x: ag.graph((x * x).sum()).evaluate({x: [1.0, 2.0]}),
    "item assignment": lambda x: (x * 1.0).__setitem__(0, x[1]),
    "mask": lambda x: ag.where(x > 0, x, 0.1 * x)[x > 1].sum().backward(),
    "hook": lambda x: (x * x).register_hook(lambda bar: bar * 2),
    "names": lambda x: (x * 2).named("y"),
    "value_and_grad": lambda x: ag.value_and_grad(lambda x: (x * x).sum())(x.data),
    "hessian": lambda x: ag.hessian(lambda x: (x * x * x).sum())(x.data),
    "jvp": lambda x: ag.jvp(ag.tanh, [x.data], [x.data]),
    "no_grad": ag.no_grad()(ag.tanh),
    "error": failing,
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_record_has_no_reference_cycle(use, collector_off):
    x = tracked(1.0, 2.0)
    use(x)
    x.grad = None
    gc.collect()
    assert use(x) is not NotImplemented
    x.grad = None
    assert gc.collect() == 0


@pytest.mark.parametrize("mode", [ag.record, ag.detect_anomaly, ag.no_grad])
def test_modes_leave_no_reference_cycle(mode, collector_off):
    x = tracked(1.0, 2.0)
    for _ in range(2):
        gc.collect()
        with mode():
            y = (ag.tanh(x) * x).sum()
        if y.requires_grad:
            y.backward()
        del y
    assert gc.collect() == 0


def test_checkpoint_leaves_no_reference_cycle(collector_off):
    x = tracked(1.0, 2.0)
    for _ in range(2):
        gc.collect()
        ag.checkpoint(lambda x: ag.tanh(x) * x)(x).sum().backward()
    assert gc.collect() == 0


def nodes_alive() -> int:
    return sum(type(o) is Node for o in gc.get_objects())


def test_nodes_die_with_their_handles(collector_off):
    x = tracked(1.0, 2.0)
    before = nodes_alive()
    y = ag.tanh(x * x) + 1.0
    assert nodes_alive() == before + 3
    del y
    assert nodes_alive() == before


def test_create_graph_does_not_tie_leaf_and_graph_together(collector_off):
    x = tracked(1.0, 2.0)
    before = nodes_alive()
    (g,) = ag.grad((x * x * x).sum(), x, create_graph=True)
    g.sum().backward()
    del g
    assert nodes_alive() == before


def test_value_lives_no_longer_than_somebody_needs_it(collector_off):
    """add needs neither argument nor result: a big intermediate dies at once."""
    x = tracked(np.ones(1000))
    y = x + 1.0
    array = weakref.ref(y.data)
    y = y + 1.0
    assert array() is None
    y.sum().backward()
    assert x.grad.sum() == 1000


def test_sweep_frees_what_it_has_used(collector_off):
    """While it walks, bars and kept arrays of what is done are gone: memory does not add up."""
    size, length = 100_000, 20
    x = tracked(np.full(size, 0.5))
    y = x
    for _ in range(length):
        y = ag.tanh(y)
    y = y.sum()
    tracemalloc.start()
    try:
        y.backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * size * 8, f"{peak / (size * 8):.1f} arrays at once"


def test_recursion_limit_is_left_alone():
    before = sys.getrecursionlimit()
    chain(tracked(1.0), 5000).backward()
    assert sys.getrecursionlimit() == before

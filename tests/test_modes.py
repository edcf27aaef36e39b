"""Modes: what each does, and that none leaks out of its block, thread, task or generator."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd as ag
from autograd import GraphError, Tensor, detect_anomaly, enable_grad, grad_enabled, no_grad, record


def tracked(*values):
    return Tensor(values[0] if len(values) == 1 else values, requires_grad=True)


def here(offset: int = 0) -> str:
    """Return the caller's file and line as messages give it."""
    frame = inspect.currentframe().f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno + offset}"


def records() -> bool:
    """Tell whether an operation is recorded here; grad_enabled must agree."""
    assert (tracked(1.0) * 2).requires_grad == grad_enabled()
    return grad_enabled()


# --- no_grad and enable_grad ---------------------------------------------------------------------------------


def test_no_grad_records_nothing():
    w = tracked(2.0)
    with no_grad():
        y = w * w
        assert not records()
    assert not y.requires_grad
    assert y._node is None
    assert records()


def test_blocks_nest_and_can_be_used_again():
    mode = no_grad()
    with mode:
        with enable_grad():
            assert records()
            with mode:
                assert not records()
            assert records()
        assert not records()
        with mode:
            pass
        assert not records()
    assert records()


def test_block_that_is_left_by_an_error_is_left():
    with contextlib.suppress(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert records()


def test_decorated_function():
    @no_grad()
    def predict(x):
        """Predict."""
        return records()

    assert predict(1) is False
    assert predict.__name__ == "predict"
    assert predict.__doc__ == "Predict."
    assert records()
    with no_grad():
        predict(1)
        assert not records(), "a decorator must not turn gradients on again when it is left"


def test_decorated_function_calls_itself():
    @no_grad()
    def down(n):
        return [records()] + (down(n - 1) if n else [])

    assert down(3) == [False] * 4
    assert records()


def test_layers_left_in_another_order():
    outer, inner = no_grad(), enable_grad()
    outer.__enter__()
    inner.__enter__()
    outer.__exit__(None, None, None)
    assert records()
    inner.__exit__(None, None, None)
    assert records()


# --- Generators ----------------------------------------------------------------------------------------------


def test_generator_does_not_leak_its_mode_to_its_caller():
    def steps():
        with no_grad():
            yield records()
            yield records()
        yield records()

    found = steps()
    assert next(found) is False
    assert records()
    assert next(found) is False
    assert records()
    assert next(found) is True
    assert records()


def test_generator_keeps_its_own_mode_whatever_its_caller_does():
    def steps():
        with enable_grad():
            while True:
                yield records()

    found = steps()
    with no_grad():
        assert next(found) is True
        assert not records()
    assert next(found) is True
    with no_grad():
        assert next(found) is True
        assert not records()
    found.close()
    assert records()


def test_generators_interleave():
    def steps(mode, expected):
        with mode():
            for _ in range(3):
                assert records() is expected
                yield

    for _ in zip(steps(no_grad, False), steps(enable_grad, True), steps(no_grad, False), strict=True):
        assert records()
    assert records()


def test_generator_that_is_dropped_leaves_nothing_behind():
    def steps():
        with no_grad():
            yield 1

    next(steps())
    found = steps()
    next(found)
    del found
    assert records()


def test_function_that_a_generator_calls_has_its_mode():
    def helper():
        return records()

    def steps():
        with no_grad():
            yield helper()

    assert list(steps()) == [False]


def test_generator_inside_a_generator():
    def inner():
        with no_grad():
            yield records()

    def outer():
        yield from inner()
        for value in inner():
            yield value
            yield records()

    assert list(outer()) == [False, False, True]
    assert records()


def test_decorated_generator():
    @no_grad()
    def steps():
        received = yield records()
        assert not records()
        try:
            yield received
        except KeyError:
            yield "caught"
        return records()

    def run():
        found = steps()
        yield next(found)
        assert records()
        yield found.send("sent")
        assert records()
        yield found.throw(KeyError())
        with pytest.raises(StopIteration) as stopped:
            next(found)
        yield stopped.value.value

    assert list(run()) == [False, "sent", "caught", False]
    assert records()


def test_decorated_generator_that_is_closed_is_closed():
    closed = []

    @no_grad()
    def steps():
        try:
            yield 1
        finally:
            closed.append(records())

    found = steps()
    next(found)
    found.close()
    assert closed == [False]
    assert records()


# --- Context managers of other people's ----------------------------------------------------------------------


@contextlib.contextmanager
def inference():
    with no_grad():
        yield "ready"


def test_context_manager_made_by_contextlib_hands_its_mode_on():
    with inference() as ready:
        assert ready == "ready"
        assert not records()
        with enable_grad():
            assert records()
    assert records()


def test_context_manager_made_by_contextlib_as_a_decorator():
    assert inference()(records)() is False
    assert records()


def test_exit_stack():
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        assert not records()
        stack.enter_context(inference())
        assert not records()
    assert records()


class Inference:
    """A context manager as a class."""

    def __enter__(self):
        self.mode = no_grad()
        self.mode.__enter__()

    def __exit__(self, *error):
        self.mode.__exit__(*error)


@contextlib.contextmanager
def nested():
    with inference():
        yield


@contextlib.contextmanager
def stacked():
    with contextlib.ExitStack() as stack:
        stack.enter_context(no_grad())
        yield


@pytest.mark.parametrize("manager", [no_grad, inference, nested, stacked, Inference])
def test_generator_with_any_context_manager_does_not_leak(manager):
    def steps():
        with manager():
            yield records()
            yield records()

    for value in steps():
        assert value is False
        assert records()
    with manager():
        assert not records()
    assert records()


@pytest.mark.parametrize("manager", [inference, nested, stacked, Inference])
def test_context_manager_hands_its_mode_on_inside_a_generator(manager):
    def steps():
        with manager():
            value = records()
        yield value
        yield records()

    assert list(steps()) == [False, True]


# --- Threads and tasks ---------------------------------------------------------------------------------------


def test_two_threads_do_not_disturb_each_other():
    """One under no_grad and one recording, in step with each other."""
    meeting, found = threading.Barrier(2, timeout=10), {}

    def run(name, mode):
        x = tracked(3.0)
        with mode():
            meeting.wait()
            y = x * x
            meeting.wait()
            found[name] = y.requires_grad
        meeting.wait()
        y = x * x
        y.backward()
        found[name, "after"] = float(x.grad)

    threads = [threading.Thread(target=run, args=args) for args in (("off", no_grad), ("on", contextlib.nullcontext))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"off": False, "on": True, ("off", "after"): 6, ("on", "after"): 6}


def test_thread_that_is_started_under_a_mode_has_none():
    with no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(records).result() is True


def test_record_takes_only_what_its_own_thread_computes():
    with record() as graph, ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: tracked(1.0) * 2).result()
        _ = tracked(2.0) * 3
    assert len([node for node in graph if node.primitive]) == 1


def test_threads_record_correctly_at_the_same_time():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(6, 3, 3))

    def gradient(weight):
        w = tracked(weight)
        for _ in range(30):
            w.grad = None
            y = w
            for _ in range(20):
                y = ag.tanh(y * w + 0.1)
            y.sum().backward()
        return w.grad

    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(gradient, weights))
    for found, weight in zip(together, weights, strict=True):
        np.testing.assert_array_equal(found, gradient(weight))


def test_async_tasks_do_not_disturb_each_other():
    async def run(mode, expected):
        with mode():
            for _ in range(3):
                assert records() is expected
                await asyncio.sleep(0)
        assert records()

    async def main():
        await asyncio.gather(run(no_grad, False), run(contextlib.nullcontext, True), run(no_grad, False))
        assert records()

    asyncio.run(main())
    assert records()


def test_decorated_coroutine():
    @no_grad()
    async def predict():
        await asyncio.sleep(0)
        return records()

    async def main():
        found = asyncio.gather(predict(), predict())
        await asyncio.sleep(0)
        assert records()
        return await found

    assert asyncio.run(main()) == [False, False]


def test_async_generator_does_not_leak():
    async def steps():
        with no_grad():
            yield records()
            await asyncio.sleep(0)
            yield records()

    async def main():
        async for value in steps():
            assert value is False
            assert records()

    asyncio.run(main())
    assert records()


def test_one_block_used_by_two_threads():
    mode, meeting = no_grad(), threading.Barrier(2, timeout=10)

    def run():
        with mode:
            meeting.wait()
            inside = records()
            meeting.wait()
        return inside, records()

    with ThreadPoolExecutor(2) as pool:
        assert [job.result() for job in [pool.submit(run), pool.submit(run)]] == [(False, True)] * 2


# --- record --------------------------------------------------------------------------------------------------


def test_record_keeps_every_value_and_bar():
    w, x = tracked(2.0), Tensor(1.5)
    with record() as graph:
        z = w * x
        y = ag.tanh(z)
        loss = y * y
    loss.backward()
    assert [node.note.value for node in graph if node.primitive] == [z.data, y.data, loss.data]
    np.testing.assert_allclose(y.bar, 2 * y.data)
    np.testing.assert_allclose(z.bar, y.bar * (1 - y.data**2))
    np.testing.assert_allclose(w.bar, z.bar * 1.5)
    assert loss.bar == 1
    assert x.bar is None


def test_record_keeps_the_source_line():
    w = tracked(2.0)
    with record() as graph:
        z = w * w
        line = here(-1)
        y = np.tanh(z)
        second = here(-1)
    assert [node.note.line for node in graph if node.primitive] == [line, second]
    assert y._node.note.line == second


def test_record_retains_the_graph_and_each_sweep_replaces_the_bars():
    w = tracked(2.0)
    with record():
        z = w * w
        y = z * 3
    y.backward()
    y.backward()
    assert z.bar == 3
    assert w.grad == 24, "a leaf's bar accumulates"
    y.backward(10.0)
    assert z.bar == 30


def test_record_records_operations_on_constants():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    with record() as graph:
        c = a * b
        d = c > 3
    assert [node.primitive.name for node in graph if node.primitive] == ["multiply", "greater"]
    assert not c.requires_grad
    assert graph.evaluate({a: [0.5, 2.0]}).tolist() == [False, True]
    assert d.tolist() == [False, True]


def test_record_under_no_grad_and_no_grad_under_record():
    w = tracked(2.0)
    with record() as graph, no_grad():
        assert (w * w)._node is None
    assert len(graph) == 0
    with no_grad(), record(), enable_grad():
        assert records()


def test_records_nest():
    w = tracked(2.0)
    with record() as outer:
        a = w * w
        with record() as inner:
            _ = a * 3
    assert [node.primitive.name for node in inner if node.primitive] == ["multiply", "multiply"]
    assert len(outer) == len(inner) == 4


def test_bars_are_arrays_of_their_own():
    x, y = tracked(1.0, 2.0), tracked(3.0, 4.0)
    with record():
        z = x + y
        w = z + 0.0
    w.sum().backward()
    assert type(z.bar) is np.ndarray
    assert not np.shares_memory(z.bar, x.bar)
    assert not np.shares_memory(z.bar, w.bar)


def test_record_as_a_decorator():
    x = tracked(2.0)
    z = record()(lambda: x * x)()
    (z * 3).backward()
    assert z.bar == 3


# --- detect_anomaly ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "x", "message"),
    [
        (ag.log, -1.0, r"log: the forward pass returned NaN, at "),
        (ag.log, 0.0, r"log: the forward pass returned infinity, at "),
        (lambda x: x / 0.0, 2.0, r"divide: the forward pass returned infinity, at "),
        (lambda x: ag.exp(x) - ag.exp(x), 1000.0, r"exp: the forward pass returned infinity, at "),
    ],
)
def test_first_bad_value_of_the_forward_pass(function, x, message):
    with np.errstate(all="ignore"):
        assert not np.isfinite(function(tracked(x)).data)
        with detect_anomaly(), pytest.raises(FloatingPointError, match=message):
            function(tracked(x))
        with detect_anomaly(), pytest.raises(FloatingPointError, match=message):
            function(Tensor(x))


def test_forward_message_has_the_users_line():
    with np.errstate(all="ignore"), detect_anomaly(), pytest.raises(FloatingPointError) as caught:
        np.log(tracked(-1.0))
    assert here(-1) in str(caught.value)


@pytest.mark.parametrize("create_graph", [False, True])
def test_first_bad_value_of_the_backward_pass_names_the_operation_and_where_it_was_called(create_graph):
    x = tracked(4.0, 0.0)
    with np.errstate(all="ignore"), detect_anomaly():
        y = ag.sqrt(x)
        line = here(-1)
        z = (y * 3).sum()
        with pytest.raises(
            FloatingPointError, match="sqrt: the backward pass returned infinity for argument 'x'"
        ) as caught:
            ag.grad(z, x, create_graph=create_graph)
    assert f"the operation was called at {line}" in str(caught.value)


def test_bad_value_that_a_rule_makes_of_good_ones():
    """where(x > 0, log x, 0 x) at 0: the bar is 0, and 0 / 0 is NaN; as in torch."""
    x = tracked(1.0, 0.0)
    with np.errstate(all="ignore"):
        ag.where(x > 0, ag.log(x), 0 * x).sum().backward()
        assert np.isnan(x.grad[1])
        with detect_anomaly(), pytest.raises(FloatingPointError, match="log"):
            ag.where(x > 0, ag.log(x), 0 * x).sum().backward()


def test_sweep_after_the_block_is_still_checked():
    x = tracked(0.0)
    with np.errstate(all="ignore"):
        with detect_anomaly():
            y = ag.sqrt(x)
        with pytest.raises(FloatingPointError, match="sqrt"):
            y.backward()


def test_good_values_go_through():
    x = tracked(1.0, 2.0)
    with detect_anomaly():
        (ag.exp(x) * x / 2).sum().backward()
    np.testing.assert_allclose(x.grad, np.exp(x.data) * (x.data + 1) / 2)


def _through_the_operand(x, a, base):
    y = x * a
    return y, lambda: a.fill(7.0), "multiply: its argument 'y'"


def _through_the_base(x, a, base):
    y = x * a
    return y, lambda: base.fill(7.0), "multiply: its argument 'y'"


def _through_the_leaf(x, a, base):
    y = x * x
    return y, lambda: x.data.fill(7.0), "multiply: its argument 'x'"


def _through_the_result(x, a, base):
    y = ag.exp(x)
    return y, lambda: y.data.fill(7.0), "exp: its result"


@pytest.mark.parametrize("case", [_through_the_operand, _through_the_base, _through_the_leaf, _through_the_result])
def test_kept_array_that_was_written_to_is_noticed_only_here(case):
    for mode in (contextlib.nullcontext, detect_anomaly):
        base = np.ones((2, 2))
        with mode():
            y, write, message = case(tracked(1.0, 2.0), base[0], base)
        write()
        if mode is detect_anomaly:
            with pytest.raises(GraphError, match=f"{message} was written to between .* called at .*test_modes"):
                y.sum().backward()
        else:
            y.sum().backward()


def test_modes_are_local_to_a_generator_too():
    def steps():
        with np.errstate(all="ignore"), detect_anomaly():
            yield

    found = steps()
    next(found)
    with np.errstate(all="ignore"):
        ag.log(tracked(-1.0))

"""The handle: construction, reading, writing in place and by value, bars, names, hooks, Python's protocols."""

from __future__ import annotations

import copy
import operator
import pickle
from typing import Any

import numpy as np
import pytest

import autograd as ag
import optim
from autograd import GraphError, Tensor


def leaf(*values: Any, dtype: Any = None) -> Tensor:
    return Tensor(values[0] if len(values) == 1 else values, requires_grad=True, dtype=dtype)


# --- Construction --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (2.0, np.float64),
        (2, np.int64),
        (True, np.bool_),
        ([1.0, 2], np.float64),
        (np.float16(2), np.float16),
        (np.ones(2, np.float32), np.float32),
        (np.ones((0, 2)), np.float64),
        ([[1, 2], [3, 4]], np.int64),
        (Tensor([1.0, 2.0]), np.float64),
    ],
)
def test_data_keeps_its_dtype_and_floats_are_float64(data, dtype):
    t = Tensor(data)
    assert t.dtype == dtype
    assert t.shape == np.shape(data)
    assert type(t.data) is np.ndarray
    assert not t.requires_grad
    assert t.is_leaf


def test_dtype_converts():
    assert Tensor([1, 2], dtype=np.float32).dtype == np.float32
    assert Tensor([1, 2], dtype=float, requires_grad=True).requires_grad


def test_tensor_copies_its_data():
    a = np.ones(3)
    t = Tensor(a)
    a[0] = 7
    assert t.tolist() == [1, 1, 1]
    t.data[1] = 5
    assert a.tolist() == [7, 1, 1]


def test_attributes():
    t = Tensor(np.zeros((2, 3), np.float32))
    assert (t.shape, t.dtype, t.ndim, t.size, t.nbytes) == ((2, 3), np.float32, 2, 6, 24)


def test_requires_grad_can_be_set_on_a_leaf():
    t = Tensor([1.0, 2.0])
    t.requires_grad = True
    (t * t).sum().backward()
    assert t.grad.tolist() == [2, 4]
    t.requires_grad = False
    assert not (t * t).requires_grad


# --- Reading -------------------------------------------------------------------------------------------------


def test_item_numpy_tolist_data_bool_format_and_repr_read_a_tracked_tensor():
    t, computed = leaf(2.5), leaf(1.25) * 2
    for x in (t, computed):
        assert x.item() == 2.5
        assert type(x.item()) is float
        assert x.numpy().tolist() == 2.5
        assert x.tolist() == 2.5
        assert x.data == 2.5
        assert bool(x) is True
        assert f"{x:.2f}" == "2.50"
        assert "2.5" in f"{x}"
        assert "2.5" in repr(x)


def test_numpy_gives_a_copy():
    t = leaf(1.0, 2.0)
    t.numpy()[0] = 9
    assert t.tolist() == [1, 2]


def test_repr_says_what_it_is():
    assert repr(leaf([1.0, 2.0])) == "Tensor([1., 2.], requires_grad=True)"
    assert repr(Tensor([1.0], dtype=np.float32).named("w")) == "Tensor([1.], dtype=float32, name='w')"
    assert repr(leaf([1.0, 2.0]) * 2) == "Tensor([2., 4.], operation=multiply)"
    assert len(repr(Tensor(np.zeros(100_000)))) < 300


@pytest.mark.parametrize("convert", [float, int, np.asarray, np.array])
def test_conversion_of_a_tracked_tensor_raises_and_says_what_to_use(convert):
    for t in (leaf(2.5), leaf(1.0) * 2.5):
        with pytest.raises(TypeError, match=r"lose its record.*\.item\(\).*\.numpy\(\).*\.detach\(\)"):
            convert(t)


def test_conversion_of_an_untracked_tensor_reads():
    assert float(Tensor(2.5)) == 2.5
    assert int(Tensor(3)) == 3
    assert np.asarray(Tensor([1.0, 2.0])).tolist() == [1, 2]
    with ag.no_grad():
        assert float(leaf(2.0) * 2) == 4


def test_array_conversion_gives_a_copy_unless_asked():
    t = Tensor([1.0, 2.0])
    np.asarray(t)[0] = 7
    assert t.tolist() == [1, 2]
    assert np.asarray(t, dtype=np.float32).dtype == np.float32


def test_truth_value_of_several_elements_is_ambiguous():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(Tensor([1.0, 2.0]))


def test_integer_tensor_is_an_index():
    assert [10, 20, 30][Tensor(1)] == 20
    for t in (Tensor(1.0), Tensor([1, 2])):
        with pytest.raises(TypeError, match="index"):
            operator.index(t)


# --- Python's protocols --------------------------------------------------------------------------------------


def test_comparison_is_elementwise_and_hash_is_identity():
    a, b = leaf(1.0, 2.0), leaf(1.0, 3.0)
    assert (a == b).tolist() == [True, False]
    assert (a != b).tolist() == [False, True]
    assert len({a, b, a}) == 2
    assert {a: "a"}[a] == "a"


def test_iteration_and_len_are_over_axis_0():
    t = leaf([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert len(t) == 3
    assert [row.tolist() for row in t] == [[1, 2], [3, 4], [5, 6]]
    (list(t)[1] * 2).sum().backward()
    assert t.grad.tolist() == [[0, 0], [2, 2], [0, 0]]


@pytest.mark.parametrize("function", [len, iter])
def test_0d_tensor_has_no_length(function):
    with pytest.raises(TypeError, match="0-d"):
        function(leaf(1.0))


@pytest.mark.parametrize(
    "duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))], ids=["deepcopy", "pickle"]
)
def test_leaf_can_be_duplicated(duplicate):
    t = leaf([1.0, 2.0], dtype=np.float32).named("w")
    (t * t).sum().backward()
    other = duplicate(t)
    assert (other.tolist(), other.dtype, other.name, other.requires_grad) == ([1, 2], np.float32, "w", True)
    assert other.grad.tolist() == [2, 4]
    other.data[0] = 9
    other.grad[0] = 9
    assert t.tolist() == [1, 2]
    assert t.grad.tolist() == [2, 4]


def test_deepcopy_keeps_what_was_shared():
    """A tensor that stands twice in a structure (tied weights) stands twice in its copy."""
    w = leaf(1.0, 2.0)
    first, second = copy.deepcopy([w, w])
    assert first is second
    assert first is not w


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, pickle.dumps], ids=["deepcopy", "copy", "pickle"])
def test_computed_tensor_cannot_be_duplicated(duplicate):
    with pytest.raises(TypeError, match="detach"):
        duplicate(leaf(1.0) * 2)


def test_detach_gives_a_constant():
    w = leaf(1.0, 2.0)
    d = w.detach()
    assert not d.requires_grad
    d[0] = 5.0
    assert w.tolist() == [1, 2]
    x = leaf(3.0)
    y = x * x
    (y.detach() * x).backward()
    assert x.grad == 9


# --- Names and hooks -----------------------------------------------------------------------------------------


def test_named_returns_the_tensor_itself():
    t = Tensor(1.0)
    assert t.named("x") is t
    assert t.name == "x"
    assert (leaf(1.0) * 2).named("z").name == "z"
    assert leaf(1.0).name is None


def test_hook_sees_the_complete_bar_once():
    x = leaf(2.0)
    seen = []
    y = x * x
    y.register_hook(seen.append)
    (y * 3 + y * 4).backward()
    assert [float(bar) for bar in seen] == [7]
    assert x.grad == 28


def test_hook_replaces_the_bar_and_can_be_removed():
    x = leaf(1.0, 2.0)
    y = x * 3
    handle = y.register_hook(lambda bar: bar * 10)
    y.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [30, 30]
    handle.remove()
    handle.remove()
    x.grad = None
    y.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_hooks_run_in_order_of_registration_on_leaves_too():
    x = leaf(1.0)
    x.register_hook(lambda bar: bar + 1)
    x.register_hook(lambda bar: bar * 10)
    (x * 2).backward()
    assert x.grad == 30


def test_hook_cannot_reach_other_bars():
    """It gets an array of its own: writing into it changes nothing."""
    x, y = leaf(1.0, 2.0), leaf(1.0, 2.0)
    z = x + y
    z.register_hook(lambda bar: bar.fill(0))
    z.sum().backward()
    assert x.grad.tolist() == y.grad.tolist() == [1, 1]


def test_hook_with_a_bar_of_another_shape_is_refused():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda bar: bar[:1])
    with pytest.raises(ValueError, match=r"hook: expected a bar of shape \(2,\), got \(1,\)"):
        (x * 2).sum().backward()


def test_hook_takes_part_in_higher_derivatives():
    x = leaf(3.0)
    y = x * x
    y.register_hook(lambda bar: bar * 2)
    (first,) = ag.grad(y, x, create_graph=True)
    assert first.item() == 12
    assert ag.grad(first, x)[0] == 4


# --- Writing a leaf in place, under no_grad ------------------------------------------------------------------


def _assign(w: Tensor) -> None:
    w.data = np.array([5.0, 6.0])


def _subtract(w: Tensor) -> None:
    w -= np.array([-4.0, -4.0])


def _set_items(w: Tensor) -> None:
    w[0] = 5.0
    w[1:] = [6.0]


WRITES = [_assign, _subtract, _set_items]


@pytest.mark.parametrize("write", WRITES)
def test_write_under_no_grad_keeps_the_leaf_and_its_grad(write):
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    array = w.data
    with ag.no_grad():
        write(w)
    assert w.tolist() == [5, 6]
    assert w.is_leaf
    assert w.requires_grad
    assert w.grad.tolist() == [2, 4]
    assert w.data is array, "written in place"
    (w * w).sum().backward()
    assert w.grad.tolist() == [12, 16]


@pytest.mark.parametrize(
    "view", [lambda w: w.reshape(2, 1), lambda w: w[None].T, lambda w: ag.concatenate([w[:1] * w[1:]])]
)
def test_sweep_over_a_view_of_an_array_that_was_written_afterwards_raises(view):
    w = leaf(1.0, 2.0).named("weight")
    array = w.data  # taken before there is a view, so that writing does not make a copy
    y = (view(w) ** 2).sum()
    array += 10
    w.data = array
    with pytest.raises(GraphError, match="'weight' was written in place after"):
        y.backward()


def test_a_write_that_made_a_copy_leaves_views_as_they_were():
    w = leaf(1.0, 2.0)
    y = (w.reshape(2, 1) ** 2).sum()
    with ag.no_grad():
        w += 10
    y.backward()
    assert w.grad.tolist() == [2, 4]


@pytest.mark.parametrize("write", WRITES)
def test_sweep_over_an_older_value_raises_and_names_the_leaf(write):
    w = leaf(1.0, 2.0).named("weight")
    y = (w * w).sum()
    with ag.no_grad():
        write(w)
    with pytest.raises(GraphError, match="'weight' was written in place after 'multiply'"):
        y.backward()
    with pytest.raises(GraphError, match="'weight'"):
        ag.grad(y, w)


@pytest.mark.parametrize("write", WRITES)
def test_evaluation_over_an_older_value_raises_and_names_the_leaf(write):
    w = leaf(1.0, 2.0).named("weight")
    graph = ag.graph((w * w).sum())
    with ag.no_grad():
        write(w)
    with pytest.raises(GraphError, match="'weight'"):
        graph.evaluate()
    assert graph.evaluate({w: [1.0, 3.0]}) == 10


def test_sweep_that_does_not_need_the_old_value_goes_through():
    w, x = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = (w + x).sum()
    with ag.no_grad():
        w -= 1.0
    y.backward()
    assert w.grad.tolist() == [1, 1]


def test_write_between_two_uses_is_told_apart():
    w = leaf(2.0)
    before = w * w
    with ag.no_grad():
        w += 1.0
    after = w * w
    after.backward()
    assert w.grad == 6
    with pytest.raises(GraphError):
        before.backward()


def test_written_leaf_keeps_the_view_that_was_handed_out():
    """What was computed earlier keeps what it saw, views (slices, reshapes) too."""
    w = leaf([[1.0, 2.0], [3.0, 4.0]])
    row = w[0]
    with ag.no_grad():
        w += 10.0
    assert row.tolist() == [1, 2]
    assert w.tolist() == [[11, 12], [13, 14]]


@pytest.mark.parametrize(
    "view",
    [
        lambda w: w[:1],
        lambda w: w.reshape(-1),
        lambda w: w.T,
        lambda w: +w,
        lambda w: w.detach(),
        lambda w: np.ravel(w),
    ],
)
def test_written_leaf_keeps_views_that_were_made_under_no_grad(view):
    w = leaf([[1.0, 2.0], [3.0, 4.0]])
    with ag.no_grad():
        seen = view(w)
        before = seen.tolist()
        w += 10.0
        w[0] = 7.0
    assert seen.tolist() == before
    assert w.tolist() == [[7, 7], [13, 14]]


def test_write_of_a_leaf_into_itself():
    w = leaf(1.0, 2.0, 3.0)
    w.data = w.data[::-1]
    assert w.tolist() == [3, 2, 1]
    with ag.no_grad():
        w[1:] = w[:-1]
    assert w.tolist() == [3, 3, 2]


OPTIMIZERS = [kind for kind in vars(optim).values() if isinstance(kind, type) and issubclass(kind, optim.Optimizer)]


@pytest.mark.parametrize("kind", [kind for kind in OPTIMIZERS if kind is not optim.Optimizer])
def test_every_optimizer_writes_leaves_in_place_and_is_noticed(kind):
    w = leaf(1.0, 2.0).named("weight")
    array = w.data
    stale = (w * w).sum()
    (w * w).sum().backward()
    kind([w], lr=0.1).step()
    assert w.tolist() != [1, 2]
    assert w.data is array
    assert w.is_leaf
    assert w.grad.tolist() == [2, 4]
    with pytest.raises(GraphError, match="'weight' was written in place"):
        stale.backward()


@pytest.mark.parametrize("write", WRITES[1:])
def test_write_to_a_leaf_outside_no_grad_raises(write):
    w = leaf(1.0, 2.0).named("weight")
    with pytest.raises(RuntimeError, match=r"'weight', a leaf that requires a gradient.*no_grad.*clone"):
        write(w)
    assert w.tolist() == [1, 2]


def test_data_of_a_computed_tensor_cannot_be_assigned():
    y = leaf(1.0, 2.0) * 2
    with pytest.raises(TypeError, match=r"data:.*result of a computation.*detach"):
        y.data = np.zeros(2)


def test_data_of_another_shape_or_kind_is_refused():
    w = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"expected shape \(2,\), got \(3,\)"):
        w.data = np.zeros(3)
    with pytest.raises(TypeError):
        Tensor([1, 2]).data = np.array([0.5, 1.5])


def test_write_through_data_is_not_noticed():
    """Outside detect_anomaly there is nothing that could: documented."""
    w = leaf(1.0, 2.0)
    y = (w * w).sum()
    w.data[0] = 5.0
    y.backward()
    assert w.grad.tolist() == [10, 4]


# --- Writing by value: recorded ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (operator.iadd, [1, 1]),
        (operator.isub, [1, 1]),
        (operator.imul, [4, 5]),
        (operator.itruediv, [0.25, 0.2]),
        (operator.ipow, [4 * 2.0**3, 5 * 3.0**4]),
    ],
    ids=lambda f: getattr(f, "__name__", ""),
)
def test_augmented_assignment_of_a_computed_tensor_is_recorded(function, slope):
    x = leaf(2.0, 3.0)
    y = x * 1.0
    seen = y * 10
    handle = y
    y = function(y, np.array([4.0, 5.0]))
    assert y is handle
    y.sum().backward()
    np.testing.assert_allclose(x.grad, slope)
    assert seen.tolist() == [20, 30], "earlier results keep what they saw"


def test_augmented_assignment_keeps_shape_and_dtype():
    y = leaf([1.0, 2.0], dtype=np.float32) * 1
    y += np.array([1.0, 1.0])
    assert y.dtype == np.float32
    with pytest.raises(ValueError, match=r"`tensor \+= value`: the result has shape \(3, 2\)"):
        y += np.ones((3, 2))
    n = Tensor([1, 2])
    with pytest.raises(TypeError, match=r"`tensor \+= value`: the result has dtype float64"):
        n += 0.5
    assert n.tolist() == [1, 2]
    w = leaf([1.0, 2.0], dtype=np.float32)
    with ag.no_grad():
        w -= np.array([0.5, 0.5])
    assert w.dtype == np.float32
    with ag.no_grad(), pytest.raises(ValueError, match=r"`tensor -= value`: the result has shape \(3, 2\)"):
        w -= np.ones((3, 2))


def test_earlier_results_keep_the_constant_that_they_saw():
    x, c = leaf(1.0, 2.0), Tensor([3.0, 4.0])
    y = (x * c).sum()
    c += 1.0
    c[0] = 9.0
    c.data = np.array([7.0, 8.0])
    y.backward()
    assert x.grad.tolist() == [3, 4]


def test_augmented_assignment_of_a_constant_by_a_tracked_tensor_is_recorded():
    total, x = Tensor(0.0), leaf(3.0)
    for _ in range(3):
        total += x * x
    total.backward()
    assert total.item() == 27
    assert x.grad == 18


INDICES: list[tuple[str, Any]] = [
    ("integer", 1),
    ("negative", -1),
    ("pair", (0, 1)),
    ("slice", slice(1, None)),
    ("step", (slice(None), slice(None, None, 2))),
    ("ellipsis", (..., 0)),
    ("new axis", (None, 0)),
    ("mask", np.array([[True, False, True], [False, True, False]])),
    ("row mask", np.array([True, False])),
    ("index array", np.array([1, 0, 1])),
    ("pair of index arrays", (np.array([0, 1, 0]), np.array([2, 2, 2]))),
    ("list", [0, 1]),
    ("index tensor", Tensor([1])),
    ("mask tensor", Tensor([True, False])),
]


@pytest.mark.parametrize("index", [i for _, i in INDICES], ids=[name for name, _ in INDICES])
def test_item_assignment_is_recorded_and_leaves_earlier_results_alone(index):
    plain = index.numpy() if isinstance(index, Tensor) else index
    expected = np.arange(1.0, 7.0).reshape(2, 3)
    x, v = leaf(expected), leaf(10.0)
    y = x * 1.0
    before = y * 2
    y[index] = v * 2
    after = y * np.arange(6.0).reshape(2, 3)
    expected = expected.copy()
    expected[plain] = 20
    assert y.tolist() == expected.tolist()
    assert before.tolist() == (2 * np.arange(1.0, 7.0).reshape(2, 3)).tolist()
    after.sum().backward()
    overwritten = expected == 20
    np.testing.assert_array_equal(x.grad, np.where(overwritten, 0, np.arange(6.0).reshape(2, 3)))
    assert v.grad == 2 * np.sum(np.arange(6.0).reshape(2, 3)[overwritten])


def test_item_assignment_with_repeated_indices_gives_the_bar_to_the_last():
    v = leaf(1.0, 2.0, 3.0)
    y = Tensor(np.zeros(3))
    y[np.array([0, 2, 0])] = v
    assert y.tolist() == [3, 0, 2]
    (y * np.array([10.0, 20.0, 30.0])).sum().backward()
    assert v.grad.tolist() == [0, 30, 10]


def test_item_assignment_broadcasts_its_value():
    x, v = leaf(np.zeros((3, 2))), leaf(1.0, 2.0)
    y = x * 1.0
    y[1:] = v
    y.sum().backward()
    assert v.grad.tolist() == [2, 2]
    assert x.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


def test_indexing_yields_a_value_never_a_view():
    x = Tensor(np.zeros((2, 2)))
    x[0][1] = 5.0
    assert x.tolist() == [[0, 0], [0, 0]]
    x[0, 1] = 5.0
    assert x.tolist() == [[0, 5], [0, 0]]


def test_index_is_kept_as_it_was():
    """Changing an index array after the call changes nothing."""
    x, i = leaf(1.0, 2.0, 3.0), np.array([0, 0])
    y = x[i].sum()
    i[:] = 2
    y.backward()
    assert x.grad.tolist() == [2, 0, 0]


# --- Bars ----------------------------------------------------------------------------------------------------


def test_bar_is_grad():
    x = leaf(2.0)
    assert x.grad is None
    assert x.bar is None
    (x * x).backward()
    assert x.bar is x.grad
    x.bar = 1.5
    assert x.grad == 1.5


SHARING: list[tuple[str, Any]] = [
    ("add", lambda x, y: x + y),
    ("reshape", lambda x, y: (x.reshape(-1) + y.reshape(-1)).reshape(2, 3)),
    ("transpose", lambda x, y: (x.T + y.T).T),
    ("positive", lambda x, y: +x - (-y)),
    ("a slice", lambda x, y: (x + y)[:, :]),
    ("broadcast", lambda x, y: (x + y) + np.zeros((4, 2, 3))),
    ("twice", lambda x, y: x + y + x + y),
]


@pytest.mark.parametrize("function", [f for _, f in SHARING], ids=[name for name, _ in SHARING])
def test_grad_is_an_array_of_its_own(function):
    """Writable, contiguous, shared with no other bar, no value and no array of the caller's."""
    x, y = leaf(np.ones((2, 3))), leaf(np.ones((2, 3)))
    z = function(x, y)
    gradient = np.ones(z.shape)
    z.backward(gradient)
    for g in (x.grad, y.grad):
        assert type(g) is np.ndarray
        assert g.flags.writeable
        assert g.flags.c_contiguous
        for other in (x.data, y.data, z.data, gradient):
            assert not np.shares_memory(g, other)
    assert not np.shares_memory(x.grad, y.grad)
    before = y.grad.copy()
    x.grad.clip(0, 0.5, out=x.grad)
    assert y.grad.tolist() == before.tolist(), "clipping in place must not act twice"


def test_grad_of_autograd_grad_is_an_array_of_its_own():
    x, y, gradient = leaf(1.0, 2.0), leaf(1.0, 2.0), np.ones(2)
    gx, gy = ag.grad(x + y, [x, y], gradient)
    assert not np.shares_memory(gx, gy)
    assert not np.shares_memory(gx, gradient)
    assert gx.flags.writeable


@pytest.mark.parametrize("x", [leaf(2.0), leaf([2.0]), leaf(np.float32(2))])
def test_grad_of_one_element_is_an_array_too(x):
    for _ in range(2):
        (x * x).sum().backward()
        assert type(x.grad) is np.ndarray
        assert (x.grad.shape, x.grad.dtype) == (x.shape, x.dtype)
        x.grad[...] = 0


def test_grad_accumulates_over_calls():
    x = leaf(1.0, 2.0)
    for count in (1, 2, 3):
        (x * x).sum().backward()
        assert x.grad.tolist() == [2 * count, 4 * count]


def test_grad_that_the_user_holds_is_not_written_to():
    """`g = x.grad` stays what it was when the next backward adds to the bar."""
    x = leaf(1.0)
    (x * 2).backward()
    held = x.grad
    (x * 3).backward()
    assert held == 2
    assert x.grad == 5


def test_grad_can_be_set():
    x = leaf([1.0, 2.0], dtype=np.float32)
    given = np.array([1.0, 2.0])
    x.grad = given
    assert x.grad.dtype == np.float32
    given[0] = 7
    assert x.grad.tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"grad: expected shape \(2,\), got \(3,\)"):
        x.grad = np.zeros(3)
    with pytest.raises(TypeError, match="leaf"):
        (x * 2).grad = np.zeros(2)


def test_bar_that_was_not_kept_says_how_to_get_it():
    z = leaf(1.0) * 2
    with pytest.raises(GraphError, match=r"autograd\.record\(\).*autograd\.grad.*register_hook"):
        _ = z.bar


def test_backward_never_builds_a_graph():
    x = leaf(2.0)
    (x * x * x).backward()
    assert type(x.grad) is np.ndarray
    with pytest.raises(TypeError):
        (x * x).backward(create_graph=True)


def test_operands_are_kept_by_reference():
    x, a = leaf(1.0, 2.0), np.array([3.0, 4.0])
    y = x * a
    assert any(kept is a for kept in y._node.kept)


def test_recorded_result_is_not_cut_off_under_no_grad():
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    with ag.no_grad(), pytest.raises(RuntimeError, match=r"`tensor \+= value` under no_grad .*detach"):
        y += 1
    with ag.no_grad(), pytest.raises(RuntimeError, match=r"`tensor\[index\] = value` under no_grad .*detach"):
        y[0] = 5
    (y + x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_masked_arrays_are_refused():
    x = Tensor([1.0, 2.0], requires_grad=True)
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="masked arrays are not supported"):
        x * masked
    with pytest.raises(TypeError):
        masked * x

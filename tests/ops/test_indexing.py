"""Indexing and item assignment: value semantics, what an index remembers, repeated indices, bad input."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd as ag
from autograd import GraphError, Tensor
from autograd.ops import indexing


def tracked(values, dtype=float):
    return Tensor(np.array(values, dtype), requires_grad=True)


# --- Values, not views ---------------------------------------------------------------------------------------


def test_assignment_through_a_result_of_indexing_does_not_reach_the_tensor():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    x[0][1] = 9.0
    assert x.data[0, 1] == 2
    x[0, 1] = 9.0
    assert x.data[0, 1] == 9


def test_assignment_leaves_earlier_results_right_in_value_and_gradient():
    x = tracked([1.0, 2.0, 3.0])
    h = x * 2
    before = h * h
    h[0] = x[1] * 5
    after = h * h
    assert before.data.tolist() == [4, 16, 36]
    assert after.data.tolist() == [100, 16, 36]
    (before + after).sum().backward()
    # 4 x^2 of before; 25 x1^2 + 4 x1^2 + 4 x2^2 of after.
    assert x.grad.tolist() == [8, 16 + 58 * 2, 48]


def test_assignment_to_a_clone_leaves_the_leaf_alone():
    x = tracked([1.0, 2.0])
    copy = x.clone()
    copy[0] = 5.0
    assert x.data.tolist() == [1, 2]
    (copy * copy).sum().backward()
    assert x.grad.tolist() == [0, 4]


def test_assignment_changes_the_handle_wherever_it_is_known():
    x = Tensor([1.0, 2.0])
    alias = x
    x[0] = 7.0
    assert alias.data.tolist() == [7, 2]


def test_results_of_indexing_stay_when_the_leaf_is_written():
    w = tracked([1.0, 2.0, 3.0])
    view, row = w[:2], w[0]
    with ag.no_grad():
        w[0] = 7.0
    assert view.data.tolist() == [1, 2]
    assert row.item() == 1
    assert w.data.tolist() == [7, 2, 3]


@pytest.mark.parametrize("index", [0, slice(1, None), ..., [0, 0], np.array([True, False, True])], ids=str)
def test_assigning_a_tensor_into_a_constant_records(index):
    x, v = Tensor([1.0, 2.0, 3.0]), tracked(4.0)
    x[index] = v * v
    assert x.requires_grad
    x.sum().backward()
    changed = np.zeros(3)
    changed[index] = 1
    assert v.grad == 8 * changed.sum()


def test_augmented_assignment_of_an_item():
    x = tracked([1.0, 2.0, 3.0])
    y = x * 1
    y[1:] *= x[:2]
    assert y.data.tolist() == [1, 2, 6]
    y.sum().backward()
    assert x.grad.tolist() == [1 + 2, 1 + 3, 2]


def test_items_are_the_rows():
    x = tracked([[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    (first * second).sum().backward()
    assert x.grad.tolist() == [[3, 4], [1, 2]]


# --- Leaves that require a gradient --------------------------------------------------------------------------


def test_assignment_into_a_leaf_is_refused_while_recording():
    w = tracked([1.0, 2.0]).named("w")
    with pytest.raises(RuntimeError, match=r"`tensor\[index\] = value` on leaf 'w'.*no_grad.*clone"):
        w[0] = 5.0
    assert w.data.tolist() == [1, 2]


def test_assignment_under_no_grad_writes_the_leaf_in_place():
    w = tracked([1.0, 2.0])
    array = w.data
    (w * w).sum().backward()
    with ag.no_grad():
        w[0] = 5.0
        w[w > 4] += 1.0
    assert w.data is array
    assert array.tolist() == [6, 2]
    assert w.is_leaf
    assert w.requires_grad
    assert w.grad.tolist() == [2, 4]


def test_a_write_to_a_leaf_is_noticed_by_the_sweep():
    w = tracked([1.0, 2.0]).named("w")
    y = (w * w).sum()
    with ag.no_grad():
        w[0] = 5.0
    with pytest.raises(GraphError, match="leaf 'w' was written in place"):
        y.backward()


def test_a_failed_assignment_changes_nothing():
    w = tracked([1.0, 2.0])
    y = (w * w).sum()
    with ag.no_grad(), pytest.raises(ValueError, match="broadcast"):
        w[:] = [1.0, 2.0, 3.0]
    y.backward()
    assert w.grad.tolist() == [2, 4]


# --- What an index remembers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "index", [np.array([0, 2]), [0, 2], ([0, 2],), (np.array([True, False, True]),), (slice(None), np.array([0, 1]))]
)
def test_an_index_that_is_changed_afterwards_was_kept_as_it_was(index):
    index = copy.deepcopy(index)
    matrix = isinstance(index, tuple) and len(index) == 2
    x = tracked(np.arange(6.0).reshape(3, 2) if matrix else np.arange(3.0))
    y = x[index]
    expected = np.zeros(x.shape)
    expected[index] = 1
    inner = index[-1] if isinstance(index, tuple) else index
    inner[0] = inner[1]
    y.sum().backward()
    assert x.grad.tolist() == expected.tolist()


def test_a_bound_of_a_slice_is_read_at_once():
    x, stop = tracked([1.0, 2.0, 3.0]), Tensor(2)
    y = x[:stop]
    stop += 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[x > 0],
        lambda x: x[np.argsort(x)],
        lambda x: x[[np.argmax(x), 0]],
        lambda x: x[np.nonzero(x > 0)],
        lambda x: x[1:][x[:-1] > 0],
        lambda x: ag.setitem(x, x < 0, 0.5),
        lambda x: ag.setitem(x, np.argmax(x), x[0] * 2),
        lambda x: np.take(x, np.argsort(x)[:2]),
        lambda x: ag.take(x, [np.argmin(x), np.argmax(x)]),
        lambda x: ag.scatter_add(x, np.argsort(x), (4,)),
    ],
)
def test_tensors_in_an_index_are_computed_again(function):
    x = tracked([3.0, -1.0, 2.0])
    other = np.array([-2.0, 1.0, 0.5])
    again = ag.graph(function(x)).evaluate({x: other})
    np.testing.assert_array_equal(again, function(Tensor(other)).data)


def test_a_constant_tensor_in_an_index_is_a_leaf_of_the_graph():
    x, i = tracked([1.0, 2.0, 3.0]), Tensor([0, 1])
    y = x[i]
    assert ag.graph(y).evaluate({i: [2, 2]}).tolist() == [3, 3]
    i[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1, 1, 0]


# --- Repeated indices ----------------------------------------------------------------------------------------


def test_the_bars_of_repeated_indices_add_up():
    x = tracked([1.0, 2.0])
    (x[[0, 0, 1, 0]] * np.array([1.0, 10.0, 100.0, 1000.0])).sum().backward()
    assert x.grad.tolist() == [1011, 100]


@pytest.mark.parametrize("index", [[0, 1, 0], Tensor([0, 1, 0])], ids=["list", "tensor"])
def test_only_the_last_of_several_values_for_one_element_has_a_gradient(index):
    x, v = tracked([1.0, 2.0, 3.0]), tracked([4.0, 5.0, 6.0])
    y = ag.setitem(x, index, v)
    assert y.data.tolist() == [6, 5, 3]
    (y * np.array([np.inf, 2.0, 3.0])).sum().backward()
    assert x.grad.tolist() == [0, 0, 3]
    assert v.grad.tolist() == [0, 2, np.inf]


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_index(data):
    """Value, gradient and assignment are NumPy's, for any index."""
    shape = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    kinds = [hnp.basic_indices(shape, allow_newaxis=True)]
    if shape and all(shape):
        kinds.append(hnp.integer_array_indices(shape))
    kinds.append(hnp.arrays(bool, shape))
    index = data.draw(st.one_of(kinds))
    x = np.arange(1.0, np.prod(shape, dtype=int) + 1).reshape(shape)
    t = tracked(x)
    y = t[index]
    np.testing.assert_array_equal(y.data, x[index])
    weights = np.random.default_rng(0).integers(1, 9, size=y.shape).astype(float)
    (y * weights).sum().backward()
    expected = np.zeros(shape)
    np.add.at(expected, index, weights)
    np.testing.assert_array_equal(t.grad, expected)
    expected = x.copy()
    expected[index] = weights
    changed = Tensor(x)
    changed[index] = weights
    np.testing.assert_array_equal(changed.data, expected)


# --- Dtypes and bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("f4", 1.5), ("f4", np.float64(1.5)), ("f4", 2), ("f2", True), ("u1", 3), ("i8", np.int32(3)), ("?", True)],
)
def test_assignment_keeps_the_dtype(dtype, value):
    x = Tensor(np.zeros(2), dtype=dtype)
    x[1] = value
    assert x.dtype == dtype
    assert x.data.tolist() == [0, value]


@pytest.mark.parametrize(("dtype", "value"), [("i8", 1.5), ("?", 1), ("i4", np.float32(1)), ("u1", np.int64(1))])
def test_a_value_of_another_kind_is_refused(dtype, value):
    x = Tensor(np.zeros(2), dtype=dtype)
    with pytest.raises(TypeError, match=r"does not fit into a tensor of dtype .*astype"):
        x[1] = value


def test_a_bar_has_the_dtype_of_what_was_assigned():
    x, v = tracked([1.0, 2.0], np.float32), tracked(3.0)
    y = x * 1
    y[0] = v
    y.sum().backward()
    assert y.dtype == np.float32
    assert (x.grad.dtype, v.grad.dtype) == (np.float32, np.float64)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (3, "out of bounds"),
        ([0, 5], "out of bounds"),
        ((0, 0), "too many indices"),
        (1.0, "must be of integer"),
        ("a", "must be of integer"),
        ([0.5], "integer"),
        ([True, False], "boolean index did not match"),
        (Tensor([0.0]), "integer"),
    ],
)
def test_a_bad_index(index, message):
    for x in (tracked([1.0, 2.0, 3.0]), Tensor([1.0, 2.0, 3.0])):
        with pytest.raises(IndexError, match=message) as caught:
            x[index]
        assert "in getitem(float64[3]" in caught.value.__notes__[0]


def test_a_value_of_another_shape():
    x = Tensor([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"could not (be )?broadcast|shape mismatch"):
        x[:2] = [1.0, 2.0, 3.0]


def test_a_mask_is_no_position():
    with pytest.raises(TypeError, match=r"take: expected integer indices, got bool; for a mask write a\[mask\]"):
        ag.take(tracked([1.0, 2.0]), [True, False])
    with pytest.raises(np.exceptions.AxisError):
        ag.take(tracked([1.0, 2.0]), [0], axis=1)


def test_the_ways_to_add_up_agree():
    """One element at a time, and by counting through the array."""
    rows, columns = np.array([0, 2, 0, -1]), np.array([1, 1, 1, 0])
    values = np.array([1.0, 2.0, 4.0, 8.0])
    by_element = ag.scatter_add(values, (rows, columns), (3, 2))
    by_row = ag.scatter_add(values[:, None] * (np.arange(2) == columns[:, None]), rows, (3, 2))
    assert by_element.tolist() == by_row.tolist() == [[0, 5], [0, 0], [8, 2]]


def test_the_index_is_shown_as_it_was_written():
    x = tracked([[1.0, 2.0], [3.0, 4.0]])
    node = x[x[:, 0] > 0, 1]._node
    assert node.parameters["index"] == (indexing.SLOT, 1)
    assert repr(indexing.SLOT) == "array"

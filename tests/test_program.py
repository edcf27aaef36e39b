"""The record as an object: order, constants, slices, and running it again on new leaf values."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Graph, GraphError, Node, Tensor


def tracked(*values):
    return Tensor(values[0] if len(values) == 1 else values, requires_grad=True)


def names(graph):
    return [node.primitive.name if node.primitive else "leaf" for node in graph]


# --- Order and shape of the record ---------------------------------------------------------------------------


def test_nodes_come_in_the_order_they_were_made_numbered_from_1():
    x, w = tracked(1.0), tracked(2.0)
    z = w * x
    y = ag.tanh(z) + z
    graph = ag.graph(y)
    assert names(graph) == ["leaf", "leaf", "multiply", "tanh", "add"]
    assert [graph.number(node) for node in graph] == [1, 2, 3, 4, 5]
    assert len(graph) == 5
    assert repr(graph) == "<Graph: 3 operations on 2 leaves>"
    for node in graph:
        assert all(graph.number(parent) < graph.number(node) for parent in graph.parents(node))


def test_parents_are_in_the_order_of_the_arguments():
    x, w = tracked(1.0), tracked(2.0)
    graph = ag.graph(w - x)
    difference = list(graph)[-1]
    assert graph.parents(difference) == (w._node, x._node)


def test_constant_operand_is_a_leaf_of_the_graph():
    x = tracked(1.0, 2.0)
    graph = ag.graph(x * np.array([3.0, 4.0]) + 5.0)
    assert names(graph) == ["leaf", "leaf", "multiply", "leaf", "add"]
    assert [node.requires_grad for node in graph if node.primitive is None] == [True, False, False]


def test_graph_of_several_outputs_has_each_node_once():
    x = tracked(1.0)
    z = x * x
    graph = ag.graph(ag.exp(z), ag.tanh(z))
    assert names(graph) == ["leaf", "multiply", "exp", "tanh"]


def test_cone_is_the_part_below_a_quantity():
    x, w = tracked(1.0), tracked(2.0)
    z = w * x
    y = ag.tanh(z) + ag.exp(w)
    graph = ag.graph(y)
    assert names(graph.cone(z)) == ["leaf", "leaf", "multiply"]
    assert names(graph.cone(z._node)) == names(graph.cone(z))
    with pytest.raises(GraphError, match=r"cone: .* is not a node of this graph"):
        graph.cone(x * 2)
    with pytest.raises(GraphError, match="cone"):
        graph.cone(Tensor(1.0))


def test_graph_of_a_tensor_without_a_record_says_what_to_do():
    with pytest.raises(GraphError, match=r"graph: this tensor has no record.*requires_grad=True.*autograd\.record\(\)"):
        ag.graph(Tensor(1.0) * 2)


def test_graph_survives_release():
    """Release drops the kept arrays, never the structure."""
    x = tracked(2.0)
    y = x * x
    graph = ag.graph(y)
    y.backward()
    assert y._node.kept is None
    assert names(graph) == ["leaf", "multiply"]
    assert graph.evaluate({x: 3.0}) == 9


def test_node_describes_itself():
    y = (tracked(1.0, 2.0) * 2).named("y")
    assert isinstance(y._node, Node)
    assert repr(y._node) == f"<Node {y._node.index} 'y': multiply, shape (2,), float64>"


# --- What is recorded ----------------------------------------------------------------------------------------


def test_operations_without_an_input_that_requires_a_gradient_are_not_recorded():
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    assert (a * b)._node is None
    assert (a > b)._node is None
    assert a[0]._node is None
    with ag.record():
        assert names(ag.graph(a * b)) == ["leaf", "leaf", "multiply"]
    with ag.no_grad():
        assert (tracked(1.0) * 2)._node is None


RULELESS = [
    lambda x: x > 0,
    lambda x: x == x,
    lambda x: x // 2,
    np.sign,
    np.floor,
    np.round,
    np.argmax,
    np.argsort,
    np.isnan,
    lambda x: np.argmin(x, axis=0),
]


@pytest.mark.parametrize("function", RULELESS)
def test_constants_of_a_run_are_tensors_with_a_record_and_without_a_gradient(function):
    x = tracked(1.5, -2.0, 0.5)
    y = function(x)
    assert type(y) is Tensor
    assert not y.requires_grad
    assert y._node is not None
    for values in ([1.5, -2.0, 0.5], [-1.0, 4.0, 7.0]):
        np.testing.assert_array_equal(ag.graph(y).evaluate({x: values}), function(np.array(values)))


# --- Evaluation ----------------------------------------------------------------------------------------------


def test_evaluation_computes_masks_anew():
    x = tracked(-1.0, 2.0)
    y = ag.where(x > 0, x, 0.1 * x)
    assert y.tolist() == [-0.1, 2]
    assert ag.graph(y).evaluate({x: [1, -2]}).tolist() == [1, -0.2]


def test_evaluation_computes_indices_anew():
    x = tracked(3.0, 1.0, 2.0)
    largest, ordered = x[np.argmax(x)], x[np.argsort(x)]
    positive = x[x > 1.5].sum()
    graph = ag.graph(largest, ordered, positive)
    values = graph.evaluate({x: [5.0, 7.0, 1.0]})
    assert [v.tolist() for v in values] == [7, [1, 5, 7], 12]


def test_evaluation_is_of_the_present_values_where_none_are_given():
    x, w = tracked(2.0), tracked(3.0)
    graph = ag.graph(w * x + 1.0)
    assert graph.evaluate() == 7
    assert graph.evaluate({x: 5.0}) == 16
    assert graph.evaluate({x: 5.0, w: 1.0}) == 6
    assert x.item() == 2


def test_evaluation_gives_arrays_and_records_nothing():
    x = tracked(2.0)
    value = ag.graph(x * x).evaluate()
    assert type(value) is np.ndarray
    several = ag.graph(x * x, x + 1).evaluate()
    assert [type(v) for v in several] == [np.ndarray, np.ndarray]


def test_what_python_decided_is_frozen():
    """`.item()`, `if` and random draws are not part of the record."""
    x, rng = tracked(2.0), np.random.default_rng(0)
    y = x * x.item() if x.item() > 0 else -x
    assert ag.graph(y).evaluate({x: -3.0}) == -6
    y = x * rng.normal()
    assert ag.graph(y).evaluate() == y.item()


def test_evaluation_of_an_item_assignment():
    x = tracked(1.0, 2.0, 3.0)
    y = x * 2
    y[1] = x[0] * 10
    assert ag.graph(y).evaluate({x: [4.0, 5.0, 6.0]}).tolist() == [8, 40, 12]


@pytest.mark.parametrize("what", ["a computed tensor", "a leaf elsewhere", "a tensor without a record"])
def test_evaluation_refuses_what_is_no_leaf_of_the_graph(what):
    x = tracked(2.0)
    y = x * x
    z = y + 1.0
    wrong = {"a computed tensor": y, "a leaf elsewhere": tracked(1.0), "a tensor without a record": Tensor(1.0)}[what]
    with pytest.raises(GraphError, match=r"evaluate: .* is not a leaf of this graph"):
        ag.graph(z).evaluate({wrong: 1.0})


def test_evaluation_refuses_another_shape():
    x = tracked(1.0, 2.0).named("x")
    with pytest.raises(ValueError, match=r"evaluate: expected shape \(2,\) for leaf 'x', got \(3,\)"):
        ag.graph(x * x).evaluate({x: [1.0, 2.0, 3.0]})


def test_evaluation_keeps_the_leafs_dtype():
    x = Tensor([1.0, 2.0], requires_grad=True, dtype=np.float32)
    assert ag.graph(x * x).evaluate({x: [3.0, 4.0]}).dtype == np.float32


def test_graph_of_nodes_is_the_graph():
    x = tracked(1.0)
    y = ag.tanh(x * x)
    assert names(Graph.of_nodes([y._node])) == names(ag.graph(y))


def test_evaluation_of_a_long_chain_does_not_recurse():
    x = tracked(1.0)
    y = x
    for _ in range(20_000):
        y = y + 1.0
    assert ag.graph(y).evaluate({x: 5.0}) == 20_005


def test_graph_takes_names_for_what_has_none():
    w, x = Tensor(2.0, requires_grad=True), Tensor(3.0).named("input")
    z = w * x
    graph = ag.graph(z, names=locals())
    assert graph.text().splitlines()[0] == "z = w input = (2)(3) = 6"
    assert w.name is None
    assert x.name == "input"

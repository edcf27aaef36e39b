"""Module: what it finds by walking, its state, its modes, its names."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor


class Block(nn.Module):
    def __init__(self, *, extra=None):
        self.weight = Tensor([1.0, 2.0], requires_grad=True)
        self.frozen = Tensor([5.0])
        self.mean = np.zeros(2)
        self.extra = extra
        self.branches = [nn.Dense(2, 3, rng=0), {"head": nn.Dense(3, 1, rng=0)}]
        self.computed = self.weight * 2

    def forward(self, x):
        return self.branches[1]["head"](self.branches[0](x * self.weight))


NAMES = ["weight", "frozen", "branches.0.weight", "branches.0.bias", "branches.1.head.weight", "branches.1.head.bias"]


def test_parameters_are_the_leaf_tensors_found_by_walking():
    assert [name for name, _ in Block().named_parameters()] == NAMES
    assert [name for name, _ in Block().named_buffers()] == ["mean"]


def test_lists_without_the_names():
    block = Block()
    assert [buffer is block.mean for buffer in block.buffers()] == [True]
    assert block.children() == [block.branches[0], block.branches[1]["head"]]


def test_what_is_shared_or_cyclic_counts_once():
    block = Block()
    block.again, block.itself, block.tied = block.branches[0], block, block.weight
    assert [name for name, _ in block.named_parameters()] == NAMES
    assert len(block.modules()) == 3


def test_a_tensor_in_a_list_is_a_parameter_and_an_array_in_a_list_is_no_buffer():
    block = Block(extra=[Tensor([1.0], requires_grad=True), np.zeros(3)])
    assert "extra.0" in dict(block.named_parameters())
    assert "extra.1" not in dict(block.named_buffers())


def test_call_names_the_parameters_by_their_path():
    block = Block()
    block.weight.named("theta")
    block(np.ones((1, 2)))
    assert [p.name for p in block.parameters()] == ["theta", *NAMES[1:]]


def test_a_longer_path_replaces_a_shorter_one():
    inner = nn.Sequential(nn.Dense(2, 2, rng=0))
    inner(np.ones((1, 2)))
    assert inner[0].weight.name == "0.weight"
    outer = nn.Sequential({"encoder": inner})
    outer(np.ones((1, 2)))
    assert inner[0].weight.name == "encoder.0.weight"


def test_scopes_are_recorded_only_under_record():
    block = Block()
    assert autograd.graph(block(np.ones((1, 2)))).nodes[-1].note is None
    with autograd.record():
        y = block(np.ones((1, 2)))
    scopes = [node.note.scope for node in autograd.graph(y) if node.plan is not None and node.note is not None]
    assert scopes == [("Block",), ("Block", "branches.0"), ("Block", "branches.1.head")]


def test_nested_scopes_are_relative_to_the_module_around_them():
    model = nn.Sequential({"body": nn.Sequential({"dense": nn.Dense(2, 2, rng=0)})})
    with autograd.record():
        y = model(np.ones((1, 2)))
    assert y._node.note.scope == ("Sequential", "body", "dense")


def test_no_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Module has no forward\(\)"):
        nn.Module()(1)


# --- State -------------------------------------------------------------------------------------------------


def test_state_dict_holds_copies_and_loads_back():
    block, other = Block(), Block()
    state = block.state_dict()
    assert list(state) == [*NAMES, "mean"]
    block.weight.data = np.array([7.0, 8.0])
    assert state["weight"].tolist() == [1.0, 2.0]
    other.load_state_dict(block.state_dict())
    assert other.weight.data.tolist() == [7.0, 8.0]
    assert other.weight.is_leaf


def test_load_state_dict_names_everything_that_does_not_fit_and_changes_nothing():
    block = Block()
    state = block.state_dict()
    del state["frozen"]
    state["strange"] = np.zeros(4)
    state["weight"] = np.full(3, 9.0)
    state["branches.0.bias"] = np.full(3, 9.0)
    before = block.state_dict()
    with pytest.raises(ValueError) as caught:
        block.load_state_dict(state)
    assert str(caught.value) == (
        "load_state_dict: Block does not fit: weight: expected shape (2,), got (3,); missing frozen (1,); "
        "unexpected strange (4,)"
    )
    assert all(np.array_equal(before[name], value) for name, value in block.state_dict().items())


def test_load_state_dict_refuses_another_kind_of_number():
    model = nn.Dense(1, 1, rng=0)
    with pytest.raises(ValueError, match="bias: expected float32, got complex128"):
        model.load_state_dict({**model.state_dict(), "bias": np.zeros(1, complex)})


def test_load_state_dict_not_strict_returns_missing_and_unexpected():
    model = nn.Dense(1, 1, rng=0)
    missing, unexpected = model.load_state_dict({"bias": np.ones(1), "other": np.ones(1)}, strict=False)
    assert (missing, unexpected) == (["weight"], ["other"])
    assert model.bias.data.tolist() == [1.0]
    with pytest.raises(ValueError, match="expected shape"):
        model.load_state_dict({"bias": np.ones(2)}, strict=False)


def test_loading_between_forward_and_backward_is_noticed():
    model = nn.Dense(2, 2, rng=0)
    loss = (model(Tensor(np.ones((1, 2), np.float32), requires_grad=True)) ** 2).sum()
    model.load_state_dict(model.state_dict())
    with pytest.raises(autograd.GraphError, match="weight"):
        loss.backward()


# --- Modes -------------------------------------------------------------------------------------------------


def test_train_and_eval_reach_all_modules():
    block = Block()
    assert block.eval() is block
    assert not any(module.training for module in block.modules())
    assert all(module.training for module in block.train().modules())


def test_freeze_stops_gradients_and_unfreeze_lets_them_flow():
    model = nn.Dense(2, 1, rng=0)
    model(np.ones((1, 2), np.float32)).sum().backward()
    model.freeze()
    assert model.weight.grad is None
    assert not model(np.ones((1, 2), np.float32)).requires_grad
    assert len(model.parameters()) == 2
    model.unfreeze()(np.ones((1, 2), np.float32)).sum().backward()
    assert model.weight.grad.tolist() == [[1.0, 1.0]]


def test_apply_visits_children_first():
    seen = []
    model = nn.Sequential(nn.Sequential(nn.ReLU()), nn.Flatten())
    model.apply(lambda module: seen.append(type(module).__name__))
    assert seen[-1] == "Sequential"
    assert sorted(seen) == ["Flatten", "ReLU", "Sequential", "Sequential"]


def test_astype_converts_in_place_and_keeps_names():
    block = Block()
    block(np.ones((1, 2)))
    weight, dense = block.weight, block.branches[0].weight
    assert block.astype(np.float32) is block
    assert block.weight is weight
    assert {p.dtype for p in block.parameters()} == {np.dtype(np.float32)}
    assert block.mean.dtype == np.float32
    assert (weight.name, dense.name) == ("weight", "branches.0.weight")
    assert weight.requires_grad
    assert not block.frozen.requires_grad
    with pytest.raises(TypeError, match="floating"):
        block.astype(int)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(duplicate):
    model = nn.Sequential(nn.Dense(2, 2, rng=0), nn.Dropout(0.5, rng=1))
    other = duplicate(model)
    other[0].weight.data = np.zeros((2, 2))
    assert model[0].weight.data.any()
    assert other[0].weight.requires_grad


def test_zero_grad():
    model = nn.Dense(2, 1, rng=0)
    model(np.ones((1, 2), np.float32)).sum().backward()
    model.zero_grad()
    assert model.weight.grad is None


# --- Containers and repr -----------------------------------------------------------------------------------


def test_sequential_is_a_list_of_layers():
    model = nn.Sequential(nn.Dense(2, 3, rng=0), np.tanh).append(nn.Dense(3, 1, rng=0))
    assert len(model) == 3
    assert model[-1].out_features == 1
    assert [name for name, _ in model[1:].named_parameters()] == ["2.weight", "2.bias"]
    assert model[1:][1] is model[2]
    assert next(iter(model)) is model["0"]
    model[1] = nn.ReLU()
    assert isinstance(model[1], nn.ReLU)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    with pytest.raises(TypeError, match="layer 1 is a int"):
        nn.Sequential(np.tanh, 3)


def test_module_list_holds_modules_for_a_loop():
    layers = nn.ModuleList([nn.Dense(2, 2, rng=0)]).append(nn.Dense(2, 2, rng=0))
    assert [name for name, _ in layers.named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(layers) == 2
    assert layers[1] is list(layers)[1]


def test_repr_shows_arguments_that_differ_from_the_default():
    model = nn.Sequential(nn.Conv2d(1, 8, 5, padding="same", rng=0), nn.Dense(2, 3, bias=False, rng=0))
    assert repr(model) == "Sequential(\n  (0): Conv2d(1, 8, 5, padding='same')\n  (1): Dense(2, 3, bias=False)\n)"
    assert repr(nn.Elman(3, 4, 2)) == "Elman(3, 4, 2)(\n  (hidden): RNN(3, 4)\n  (output): Dense(4, 2)\n)"

"""Rows B1 to B10 of the lecture: neurons and networks, what they can represent and what they learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import nn
import nn.functional as F
import optim
from autograd import Tensor

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0.0, 1.0, 1.0, 0.0])


def tracked(value):
    return Tensor(value, requires_grad=True)


def float64(model):
    """Return the model with its parameters in double precision."""
    return model.astype(np.float64)


# --- B1 to B3: neurons, and a network of them ------------------------------------------------------------------


def test_B1_perceptron_in_sum_form_is_the_vector_form():
    rng = np.random.default_rng(0)
    for n in (1, 2, 7):
        w, b, x = rng.normal(size=n), rng.normal(), rng.normal(size=(20, n))
        vector_form = F.linear(Tensor(x), Tensor(w[None]), Tensor([b]))[:, 0]
        sum_form = [sum((x_i * w_i for x_i, w_i in zip(one, w, strict=True)), b) for one in x]
        np.testing.assert_allclose(vector_form.data, sum_form, rtol=1e-12, atol=1e-14)
        assert F.threshold(vector_form).tolist() == [1.0 if z > 0 else 0.0 for z in sum_form]


def test_B1_a_perceptron_computes_and_but_none_computes_xor():
    z = F.linear(Tensor(CORNERS), Tensor([[1.0, 1.0]]), Tensor([-1.5]))
    assert F.threshold(z)[:, 0].tolist() == [0, 0, 0, 1]
    w1, w2, b = np.random.default_rng(0).uniform(-3, 3, size=(3, 50_000))
    outputs = F.threshold(CORNERS @ np.stack([w1, w2]) + b)
    assert {tuple(each) for each in outputs.T.astype(int)}.isdisjoint({(0, 1, 1, 0), (1, 0, 0, 1)})
    assert len({tuple(each) for each in outputs.T}) == 14  # of 16: all but XOR and its opposite


def test_B1_the_threshold_has_no_gradient():
    z = tracked([-1.0, 0.0, 2.0])
    step = F.threshold(z)
    assert step.tolist() == [0, 0, 1]
    assert not step.requires_grad


def test_B2_linear_neuron_and_logistic_neuron():
    x, w, b = np.array([1.0, -2.0, 0.5]), tracked([0.2, 0.1, -0.4]), tracked(0.3)
    y = F.linear(x, w.reshape(1, 3), b.reshape(1))[0]
    assert y.item() == pytest.approx(0.2 - 0.2 - 0.2 + 0.3)
    F.sigmoid(y).backward()
    s = 1 / (1 + np.exp(-y.item()))
    assert F.sigmoid(y).item() == pytest.approx(s)
    np.testing.assert_allclose(w.grad, s * (1 - s) * x)
    np.testing.assert_allclose(b.grad, s * (1 - s))


def test_B3_feed_forward_network_on_a_flattened_image():
    model = nn.Sequential(nn.Flatten(), nn.Dense(784, 30, rng=0), nn.Sigmoid(), nn.Dense(30, 10, rng=1))
    images = np.random.default_rng(0).random((5, 1, 28, 28), dtype=np.float32)
    flat = model[0](Tensor(images))
    assert flat.shape == (5, 784)
    assert flat[3, 28 * 4 + 9].item() == images[3, 0, 4, 9]
    assert model(Tensor(images)).shape == (5, 10)
    assert sum(parameter.size for parameter in model.parameters()) == 784 * 30 + 30 + 30 * 10 + 10


# --- B4: XOR -----------------------------------------------------------------------------------------------------


def cost(f, target=XOR):
    """Return J = 1/4 sum (f* - f)^2."""
    return ((target - f) ** 2).mean()


def test_B4_xor_by_the_given_weights():
    W1, b, w2, c = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([0.0, -1.0]), np.array([1.0, -2.0]), 0.0
    f = F.relu(Tensor(CORNERS) @ W1 + b) @ w2 + c
    assert f.tolist() == [0, 1, 1, 0]
    assert cost(f).item() == 0


def net(p, x=CORNERS, g=np.tanh):
    """Return w2^T g(W1^T x + b) + c for each row x."""
    return g(x @ p["W1"] + p["b"]) @ p["w2"] + p["c"]


def random_net(seed, units=8):
    rng = np.random.default_rng(seed)
    return {"W1": rng.normal(size=(2, units)), "b": rng.normal(size=units), "w2": rng.normal(size=units), "c": 0.0}


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "averaging momentum": lambda p: optim.SGD(p, lr=0.2, momentum=0.9, averaging=True),
    "Nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.3),
    "RMSProp": lambda p: optim.RMSProp(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
    "AdamW": lambda p: optim.AdamW(p, lr=0.05, weight_decay=1e-4),
}


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_B4_xor_is_learned_by_every_optimizer(name, seed):
    """From a random start, with tanh."""
    p = {name: tracked(value) for name, value in random_net(seed).items()}
    optimizer = OPTIMIZERS[name](list(p.values()))
    for _ in range(1500):
        loss = cost(net(p))
        if loss.item() < 1e-3:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert cost(net(p)).item() < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("method", ["newton", "cg", "bfgs", "lbfgs", "levenberg-marquardt"])
def test_B4_xor_is_learned_by_every_method_of_minimize(method, seed):
    residuals = method == "levenberg-marquardt"
    found = optim.minimize(lambda p: net(p) - XOR if residuals else cost(net(p)), random_net(seed), method, gtol=1e-4)
    assert cost(net(found.x)) < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_B4_xor_is_learned_with_relu(seed):
    model = nn.Sequential(nn.Dense(2, 16, rng=seed), nn.ReLU(), nn.Dense(16, 1, rng=seed + 100))
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    for _ in range(600):
        loss = cost(model(Tensor(CORNERS.astype(np.float32)))[:, 0], XOR.astype(np.float32))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_B4_a_linear_model_stalls_at_a_quarter(seed):
    rng = np.random.default_rng(seed)
    w, c = tracked(rng.normal(size=2)), tracked(rng.normal())
    descent = optim.SGD([w, c], lr=0.3)
    for _ in range(300):
        loss = cost(CORNERS @ w + c)
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert loss.item() == pytest.approx(0.25, abs=1e-9)
    np.testing.assert_allclose([*w.data, c.data], [0, 0, 0.5], atol=1e-4)


# --- B5 to B8: what layers add --------------------------------------------------------------------------------


def test_B5_linear_after_linear_is_one_matrix():
    first, second = float64(nn.Dense(5, 7, rng=0)), float64(nn.Dense(7, 3, rng=1))
    first.bias.data[:] = np.arange(7)
    x = np.random.default_rng(0).normal(size=(11, 5))
    W = second.weight.data @ first.weight.data
    b = second.weight.data @ first.bias.data + second.bias.data
    np.testing.assert_allclose(nn.Sequential(first, second)(x).data, x @ W.T + b, rtol=1e-12, atol=1e-13)
    with_relu = nn.Sequential(first, nn.ReLU(), second)
    assert not np.allclose(with_relu(-x).data + with_relu(x).data, 2 * b)


def test_B6_a_two_layer_net_of_half_planes_is_a_convex_region():
    """One unit for each side of a pentagon; the output fires where all of them do."""
    angles = 2 * np.pi * np.arange(5) / 5 + 0.3
    W1, b1 = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([1.0, 0.8, 1.2, 0.9, 1.1])
    hidden = nn.Sequential(nn.Dense(2, 5, rng=0))
    output = nn.Dense(5, 1, rng=0)
    hidden.load_state_dict({"0.weight": -W1, "0.bias": b1})
    output.load_state_dict({"weight": np.ones((1, 5)), "bias": np.array([-4.5])})
    points = np.random.default_rng(0).uniform(-2, 2, size=(4000, 2)).astype(np.float32)
    inside = F.threshold(output(F.threshold(hidden(Tensor(points)))))[:, 0].data
    np.testing.assert_array_equal(inside, (points @ W1.T < b1).all(axis=1))
    region = points[inside == 1]
    assert 0.1 < len(region) / 4000 < 0.9
    between = (region[:200] + region[-200:]) / 2
    assert F.threshold(output(F.threshold(hidden(Tensor(between))))).data.all()


def widened(p, units, rng):
    """Return a net with more hidden units that computes the same: nothing leaves the new ones yet."""
    return {
        "W1": np.concatenate([p["W1"], rng.normal(size=(1, units))], axis=1),
        "b": np.concatenate([p["b"], rng.uniform(-3, 3, size=units)]),
        "w2": np.concatenate([p["w2"], np.zeros(units)]),
        "c": p["c"],
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_B7_one_hidden_layer_approximates_sin_better_the_wider_it_is(seed):
    rng = np.random.default_rng(seed)
    x = np.linspace(-np.pi, np.pi, 60)[:, None]
    p, errors = {"W1": np.empty((1, 0)), "b": np.empty(0), "w2": np.empty(0), "c": 0.0}, []
    for units in (1, 1, 2, 4):
        start = widened(p, units, rng)
        found = optim.minimize(
            lambda p: net(p, x) - np.sin(x[:, 0]), start, "levenberg-marquardt", gtol=1e-7, max_iterations=40
        )
        p = found.x
        errors.append(np.sqrt(2 * found.fun / len(x)))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3 < 0.1 < errors[0]
    between = rng.uniform(-np.pi, np.pi, size=(1000, 1))
    assert np.abs(net(p, between) - np.sin(between[:, 0])).max() < 5e-3


def layers(widths, seed):
    rng = np.random.default_rng(seed)
    parts = [nn.Dense(a, b, rng=rng, init=nn.init.he_normal) for a, b in itertools.pairwise(widths)]
    model = float64(nn.Sequential(*itertools.chain(*((part, nn.ReLU()) for part in parts[:-1])), parts[-1]))
    for part in parts:
        part.bias.data[:] = rng.uniform(-1, 1, size=part.bias.shape)
    return model


def pieces(model, count=4096):
    """Return of how many straight pieces a function is made on [0, 1]."""
    y = model(Tensor(np.linspace(0, 1, count + 1)[:, None])).data[:, 0]
    bent = np.abs(np.diff(y, 2)) > 1e-9
    return 1 + int(np.sum(bent[1:] & ~bent[:-1]) + bent[0])


def test_B8_deeper_against_shallower_at_equal_parameter_count():
    """Each layer folds the interval once more: 16 teeth, where one layer of as many parameters has 9 pieces at most."""
    deep, shallow = [1, 2, 2, 2, 2, 1], [1, 8, 1]
    model = layers(deep, 0)
    fold = {"weight": np.array([[2.0, -4.0], [2.0, -4.0]]), "bias": np.array([0.0, -0.5])}
    entry = {"weight": np.ones((2, 1)), "bias": np.array([0.0, -0.5])}
    leave = {"weight": np.array([[2.0, -4.0]]), "bias": np.zeros(1)}
    for position, values in zip((0, 2, 4, 6, 8), (entry, fold, fold, fold, leave), strict=True):
        model[position].load_state_dict(values)
    x = np.linspace(0, 1, 4097)
    teeth = 1 - np.abs(1 - (16 * x) % 2)
    np.testing.assert_allclose(model(Tensor(x[:, None])).data[:, 0], teeth, atol=1e-12)
    assert pieces(model) == 16

    others = [layers(shallow, seed) for seed in range(30)]
    assert sum(p.size for p in model.parameters()) == sum(p.size for p in others[0].parameters()) == 25
    assert max(map(pieces, others)) <= 9
    # No line between two of its at most 8 bends follows the teeth: the best that least squares finds stays far off.
    rng = np.random.default_rng(0)
    for _ in range(30):
        bends = np.sort(rng.uniform(0, 1, size=8))
        basis = np.stack([np.ones_like(x), x, *(np.maximum(x - bend, 0) for bend in bends)], axis=1)
        error = basis @ np.linalg.lstsq(basis, teeth)[0] - teeth
        assert np.sqrt(np.mean(error**2)) > 0.2


# --- B9 and B10: other shapes of a net -------------------------------------------------------------------------


def test_B9_sigmoid_outputs_need_not_sum_to_one():
    x = Tensor(np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32))
    scores = nn.Dense(4, 3, rng=0)
    each, shared = nn.Sequential(scores, nn.Sigmoid())(x).data, nn.Sequential(scores, nn.Softmax())(x).data
    assert each.shape == (50, 3)
    assert ((each > 0) & (each < 1)).all()
    assert (np.abs(each.sum(axis=1) - 1) > 0.05).mean() > 0.8
    np.testing.assert_allclose(shared.sum(axis=1), 1, rtol=1e-6)


class SkipLayer(nn.Module):
    """A net whose output layer sees the inputs, too."""

    def __init__(self, inputs, hidden, outputs, rng=None):
        rng = np.random.default_rng(rng)
        self.hidden = nn.Dense(inputs, hidden, rng=rng)
        self.output = nn.Dense(inputs + hidden, outputs, rng=rng)

    def forward(self, x):
        return self.output(np.concatenate([x, F.relu(self.hidden(x))], axis=1))


def test_B10_a_skip_layer_net_computes_xor_with_one_hidden_unit():
    """x1 + x2 - 2 max(0, x1 + x2 - 1)."""
    model = float64(SkipLayer(2, 1, 1))
    model.load_state_dict(
        {
            "hidden.weight": np.array([[1.0, 1.0]]),
            "hidden.bias": np.array([-1.0]),
            "output.weight": np.array([[1.0, 1.0, -2.0]]),
            "output.bias": np.zeros(1),
        }
    )
    assert model(Tensor(CORNERS))[:, 0].tolist() == XOR.tolist()


def test_B10_the_bar_reaches_the_inputs_past_a_dead_hidden_layer():
    model = float64(SkipLayer(3, 4, 1, rng=0))
    model.hidden.bias.data = np.full(4, -100.0)
    x = tracked(np.random.default_rng(0).normal(size=(5, 3)))
    model(x).sum().backward()
    np.testing.assert_allclose(x.grad, np.tile(model.output.weight.data[0, :3], (5, 1)))
    assert not model.hidden.weight.grad.any()

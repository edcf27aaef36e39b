"""Optimizers: the lecture's numbers, step by step against PyTorch, groups, state, bad input."""

import copy

import numpy as np
import pytest

import autograd
import optim
from autograd import Tensor


def trajectory(make, steps=3, gradient=1.0):
    """Return w after each step from 0 with a constant gradient."""
    w = Tensor(0.0, requires_grad=True)
    optimizer = make([w])
    found = []
    for _ in range(steps):
        w.grad = gradient
        optimizer.step()
        found.append(w.item())
    return found


# --- The lecture's numbers: W0 = 0, gradient always 1, unit step -----------------------------------------------


def test_g1_momentum_in_the_averaging_form():
    found = trajectory(lambda p: optim.SGD(p, lr=1, momentum=0.9, averaging=True))
    assert found == pytest.approx([-0.1, -0.29, -0.561])


def test_g1_momentum_in_the_classical_form_is_the_averaging_one_at_another_rate():
    classical = trajectory(lambda p: optim.SGD(p, lr=1, momentum=0.9))
    assert classical == pytest.approx([-1, -2.9, -5.61])
    averaging = trajectory(lambda p: optim.SGD(p, lr=10, momentum=0.9, averaging=True))
    assert averaging == pytest.approx(classical)


def test_g2_adagrad():
    assert trajectory(lambda p: optim.AdaGrad(p, lr=1)) == pytest.approx([-1, -1.7071, -2.2845], abs=5e-5)


def test_g3_rmsprop():
    found = trajectory(lambda p: optim.RMSProp(p, lr=1, alpha=0.9))
    assert found == pytest.approx([-3.1623, -5.4564, -7.3774], abs=5e-5)


@pytest.mark.parametrize("gradient", [1.0, -0.003, 1e4])
def test_g4_each_of_adams_first_steps_is_the_learning_rate(gradient):
    found = trajectory(lambda p: optim.Adam(p, lr=0.1), gradient=gradient)
    assert found == pytest.approx([-0.1 * n * np.sign(gradient) for n in (1, 2, 3)], rel=1e-5)


@pytest.mark.parametrize(("lr", "converges"), [(0.01, True), (0.5, True), (0.99, True), (1.0, False), (1.1, False)])
def test_g11_descent_on_w_squared_converges_iff_the_rate_is_between_0_and_1(lr, converges):
    w = Tensor(1.0, requires_grad=True)
    descent = optim.SGD([w], lr=lr)
    for _ in range(2000):
        descent.zero_grad()
        (w * w).backward()
        descent.step()
        if abs(w.item()) > 1e6:
            break
    assert (abs(w.item()) < 1e-8) is converges


def test_a9_one_step_by_hand_and_by_engine():
    w = Tensor([1.0, -2.0], requires_grad=True)
    loss = (w**3).sum()
    loss.backward()
    optim.SGD([w], lr=0.1).step()
    assert w.data.tolist() == pytest.approx([1 - 0.1 * 3, -2 - 0.1 * 12])


# --- Step by step against PyTorch ------------------------------------------------------------------------------

PAIRS = {
    "sgd": (optim.SGD, "SGD", {"lr": 0.1}),
    "momentum": (optim.SGD, "SGD", {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    "nesterov": (optim.SGD, "SGD", {"lr": 0.05, "momentum": 0.8, "nesterov": True}),
    "adagrad": (optim.AdaGrad, "Adagrad", {"lr": 0.1, "weight_decay": 0.01}),
    "rmsprop": (optim.RMSProp, "RMSprop", {"lr": 0.01, "alpha": 0.9}),
    "rmsprop momentum": (optim.RMSProp, "RMSprop", {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.02}),
    "adam": (optim.Adam, "Adam", {"lr": 0.05, "betas": (0.8, 0.95)}),
    "adam decay": (optim.Adam, "Adam", {"lr": 0.05, "weight_decay": 0.1, "eps": 1e-6}),
    "adamw": (optim.AdamW, "AdamW", {"lr": 0.05, "weight_decay": 0.1}),
}


def small_net(backend, arrays):
    """Return parameters and a loss of a net 3-5-2, spelled alike in both libraries."""
    w1, b1, w2, b2 = arrays

    def loss(x, t):
        return ((backend.tanh(x @ w1.T + b1) @ w2.T + b2 - t) ** 2).mean()

    return loss


@pytest.mark.parametrize("name", PAIRS)
def test_agrees_with_torch_for_20_steps(name):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    ours, theirs, options = PAIRS[name]
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape) for shape in ((5, 3), (5,), (2, 5), (2,))]
    mine = [Tensor(a, requires_grad=True) for a in start]
    other = [torch.tensor(a, requires_grad=True) for a in start]
    losses = small_net(np, mine), small_net(torch, other)
    optimizers = ours(mine, **options), getattr(torch.optim, theirs)(other, **options)
    for _ in range(20):
        x, t = rng.normal(size=(7, 3)), rng.normal(size=(7, 2))
        for loss, optimizer, convert in zip(losses, optimizers, (np.asarray, torch.tensor), strict=True):
            optimizer.zero_grad()
            loss(convert(x), convert(t)).backward()
            optimizer.step()
        for a, b in zip(mine, other, strict=True):
            np.testing.assert_allclose(a.data, b.detach().numpy(), rtol=1e-10, atol=1e-12)


# --- What all of them share ------------------------------------------------------------------------------------

ALL = {
    "SGD": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.1),
    "RMSProp": lambda p: optim.RMSProp(p, lr=0.1, momentum=0.5),
    "Adam": lambda p: optim.Adam(p, lr=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.1),
}


def step(optimizer, w):
    optimizer.zero_grad()
    (w * w * w).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,)])
def test_keeps_array_dtype_leaf_and_gradient(name, dtype, shape):
    w = Tensor(np.ones(shape), requires_grad=True, dtype=dtype)
    optimizer = ALL[name]([w])
    array = w.data
    step(optimizer, w)
    bar = w.grad.copy()
    assert w.data is array or shape == ()
    assert (w.dtype, w.shape, w.is_leaf) == (dtype, shape, True)
    assert np.array_equal(w.grad, bar)
    assert (w.data < 1).all()
    state = optimizer.state[0]
    assert all(value.dtype == dtype for value in state.values() if isinstance(value, np.ndarray))


@pytest.mark.parametrize("name", ALL)
def test_state_dict_resumes_to_the_bit(name):
    w = Tensor([1.0, -2.0], requires_grad=True)
    optimizer = ALL[name]([w])
    for _ in range(3):
        step(optimizer, w)
    state, values = optimizer.state_dict(), w.numpy()
    for _ in range(3):
        step(optimizer, w)
    other = Tensor(values, requires_grad=True)
    resumed = ALL[name]([other])
    resumed.load_state_dict(copy.deepcopy(state))
    for _ in range(3):
        step(resumed, other)
    assert np.array_equal(w.data, other.data)


def test_groups_have_their_own_rates_and_frozen_parameters_stay():
    a, b, frozen = (Tensor(1.0, requires_grad=True) for _ in range(3))
    optimizer = optim.SGD([{"params": [a]}, {"params": [b, frozen], "lr": 0.5}], lr=0.1)
    (a + b + frozen).backward()
    frozen.requires_grad = False
    optimizer.step()
    assert [t.item() for t in (a, b, frozen)] == [0.9, 0.5, 1.0]
    optimizer.lr = 0.25
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
    optimizer.add_param_group({"params": Tensor(1.0, requires_grad=True), "lr": 3.0})
    assert len(optimizer.parameters) == 4


def test_a_parameter_without_gradient_is_left_alone():
    a, b = Tensor(1.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    optimizer = optim.Adam([a, b])
    (a * 2).backward()
    optimizer.step()
    assert b.item() == 1
    optimizer.zero_grad()
    assert a.grad is None


def test_a_step_between_forward_and_backward_is_noticed():
    w = Tensor([1.0], requires_grad=True)
    loss, later = (w * w).sum(), (w * w).sum()
    loss.backward()
    optim.SGD([w], lr=0.1).step()
    with pytest.raises(autograd.GraphError, match="written in place"):
        later.backward()


BAD = [
    (lambda w: optim.SGD([]), ValueError, "got no parameters"),
    (lambda w: optim.SGD([w, w]), ValueError, "given twice"),
    (lambda w: optim.SGD([w * 2]), TypeError, "expected leaf Tensors"),
    (lambda w: optim.SGD([np.ones(2)]), TypeError, "expected leaf Tensors"),
    (lambda w: optim.SGD([{"params": [w], "rate": 1}]), TypeError, r"unknown hyper-parameters \['rate'\]"),
    (lambda w: optim.SGD([w], lr=-1), ValueError, "expected lr to be at least 0, got -1"),
    (lambda w: optim.SGD([w], momentum=1.0), ValueError, "momentum"),
    (lambda w: optim.SGD([w], nesterov=True), ValueError, "nesterov"),
    (lambda w: optim.SGD([{"params": [w], "momentum": 2}]), ValueError, "momentum"),
    (lambda w: optim.Adam([w], betas=(0.9, 1.0)), ValueError, "betas"),
    (lambda w: optim.Adam([w], eps=-1e-8), ValueError, "eps"),
    (lambda w: optim.AdaGrad([w], weight_decay=-1), ValueError, "weight_decay"),
    (lambda w: optim.RMSProp([w], alpha=1.5), ValueError, "alpha"),
]


@pytest.mark.parametrize(("make", "error", "message"), BAD)
def test_bad_input(make, error, message):
    with pytest.raises(error, match=message):
        make(Tensor([1.0], requires_grad=True))


def test_load_state_dict_refuses_other_groups_and_shapes():
    w, other = Tensor([1.0], requires_grad=True), Tensor([1.0, 2.0], requires_grad=True)
    optimizer = optim.Adam([w])
    step(optimizer, w)
    with pytest.raises(ValueError, match=r"expected a state of shapes .* got"):
        optim.Adam([other]).load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"expected groups of \[2\] parameters, got \[1\]"):
        optim.Adam([w, other]).load_state_dict(optimizer.state_dict())

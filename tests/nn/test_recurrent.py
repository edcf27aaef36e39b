"""Recurrent layers: parameters, agreement with PyTorch, with a plain loop, states, bad input."""

import numpy as np
import pytest

import nn
import nn.functional as F
from autograd import Tensor

from .oracle import compare_modules, values

KINDS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


def count(module):
    return sum(p.size for p in module.parameters())


@pytest.mark.parametrize(("kind", "one", "two"), [("RNN", 32, 36), ("LSTM", 128, 144), ("GRU", 96, 108)])
def test_f7_parameter_counts(kind, one, two):
    assert count(KINDS[kind](3, 4)) == one
    assert count(KINDS[kind](3, 4, biases=2)) == two


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 3])
def test_agrees_with_torch_and_loads_its_weights(kind, layers):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    theirs = getattr(torch.nn, kind)(3, 4, layers, batch_first=True)
    compare_modules(
        KINDS[kind](3, 4, layers, biases=2), theirs, [values(2, 5, 3)], call=lambda module, x: module(x)[0]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_final_state_agrees_with_torch_and_can_be_given_back(kind):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    theirs = getattr(torch.nn, kind)(3, 4, 2, batch_first=True)

    def last(module, x):
        state = module(x)[1]
        if isinstance(module, torch.nn.Module):
            return torch.cat(state) if kind == "LSTM" else state
        return np.stack([h for h, _ in state] + [c for _, c in state] if kind == "LSTM" else state)

    ours = KINDS[kind](3, 4, 2, biases=2)
    compare_modules(ours, theirs, [values(2, 5, 3)], call=last)
    x = values(2, 6, 3)
    whole, _ = ours(x)
    first, state = ours(x[:, :2])
    second, _ = ours(x[:, 2:], state)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1).data, whole.data, rtol=1e-12)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_lstm_is_the_papers_recursion():
    lstm = nn.LSTM(2, 3, rng=0).astype(np.float64)
    w, u, b = (lstm.state_dict()[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih"))
    x, h, c = values(1, 4, 2), np.zeros(3), np.zeros(3)
    outputs, _ = lstm(x)
    for t in range(4):
        i, f, g, o = np.split(w @ x[0, t] + u @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(outputs.data[0, t], h, rtol=1e-12)


def test_f7_elman_feeds_the_hidden_layer_and_jordan_the_output_back():
    x = values(1, 3, 2)
    elman, jordan = nn.Elman(2, 3, 1, rng=0).astype(np.float64), nn.Jordan(2, 3, 1, rng=0).astype(np.float64)
    s = elman.state_dict()
    h = np.zeros(3)
    for t, y in enumerate(elman(x).data[0]):
        h = np.tanh(s["hidden.weight_ih_l0"] @ x[0, t] + s["hidden.weight_hh_l0"] @ h + s["hidden.bias_ih_l0"])
        np.testing.assert_allclose(y, s["output.weight"] @ h + s["output.bias"], rtol=1e-12)
    s, previous = jordan.state_dict(), np.zeros(1)
    for t, y in enumerate(jordan(x).data[0]):
        h = np.tanh(s["input.weight"] @ x[0, t] + s["input.bias"] + s["context.weight"] @ previous)
        previous = s["output.weight"] @ h + s["output.bias"]
        np.testing.assert_allclose(y, previous, rtol=1e-12)


def test_without_biases_with_relu_and_dropout_between_layers():
    model = nn.RNN(3, 4, 2, nonlinearity="relu", biases=0, dropout=0.5, rng=0)
    assert count(model) == 4 * 3 + 3 * 16
    x = values(2, 3, 3).astype(np.float32)
    assert not np.array_equal(model(x)[0].data, model(x)[0].data)
    model.eval()
    assert np.array_equal(model(x)[0].data, model(x)[0].data)
    assert (model(x)[0].data >= 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.LSTM(3, 4)(np.ones((2, 5, 4))), r"LSTM: expected x \(N, T >= 1, 3\), got \(2, 5, 4\)"),
        (lambda: nn.GRU(3, 4)(np.ones((2, 0, 3))), "T >= 1"),
        (lambda: nn.RNN(3, 4)(np.ones((2, 3))), r"got \(2, 3\)"),
        (lambda: nn.RNN(3, 4, 2)(np.ones((2, 3, 3)), [np.zeros((2, 4))]), "a state for each of 2 layers"),
        (lambda: nn.RNN(3, 4, nonlinearity="sin"), "nonlinearity"),
        (lambda: nn.LSTM(3, 4, biases=3), "biases 0, 1 or 2"),
        (lambda: nn.LSTM(0, 4), "sizes of at least 1"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_gradients_flow_through_many_steps():
    model = nn.LSTM(1, 4, rng=0)
    x = Tensor(np.ones((1, 200, 1), np.float32), requires_grad=True)
    model(x)[0][:, -1].sum().backward()
    assert np.isfinite(x.grad).all()
    assert F.relu(x).dtype == np.float32

"""Recurrent layers: parameters, agreement with PyTorch and with plain loops, states, what they learn, bad input."""

import numpy as np
import pytest

import autograd
import nn
import nn.functional as F
import optim
from autograd import Tensor
from nn.layers.recurrent import GRU, LSTM, RNN, Elman, Jordan
from tests.finite import check

from .oracle import compare_modules, values

KINDS = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}
every_kind = pytest.mark.parametrize("kind", KINDS)


def oracle():
    return pytest.importorskip("torch", reason="PyTorch is the oracle here")


def count(module):
    return sum(p.size for p in module.parameters())


@pytest.mark.parametrize(
    ("kind", "one", "two", "none"), [("RNN", 32, 36, 28), ("LSTM", 128, 144, 112), ("GRU", 96, 108, 84)]
)
def test_F7_parameter_counts(kind, one, two, none):
    assert [count(KINDS[kind](3, 4, biases=biases)) for biases in (1, 2, 0)] == [one, two, none]
    assert count(KINDS[kind](3, 4)) == one


# --- Against PyTorch ---------------------------------------------------------------------------------------


def together(module, *inputs):
    """Return outputs and final state as one vector, from our module or from torch's."""
    outputs, state = module(*inputs)
    parts = (outputs, *(state if isinstance(state, tuple) else (state,)))
    flat = [part.reshape(-1) for part in parts]
    return np.concatenate(flat) if isinstance(outputs, Tensor) else oracle().cat(flat)


@every_kind
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
def test_F7_agrees_with_torch(kind, batch_first, layers):
    theirs = getattr(oracle().nn, kind)(3, 4, layers, batch_first=batch_first)
    ours = KINDS[kind](3, 4, layers, biases=2, batch_first=batch_first)
    compare_modules(ours, theirs, [values(2, 5, 3)], call=together, rtol=1e-10)


@every_kind
def test_F7_agrees_with_torch_without_biases(kind):
    theirs = getattr(oracle().nn, kind)(3, 4, 2, bias=False)
    compare_modules(KINDS[kind](3, 4, 2, biases=0), theirs, [values(5, 2, 3)], call=together, rtol=1e-10)


def test_F7_agrees_with_torch_with_relu():
    theirs = oracle().nn.RNN(3, 4, 2, nonlinearity="relu")
    ours = RNN(3, 4, 2, biases=2, nonlinearity="relu")
    compare_modules(ours, theirs, [values(5, 2, 3)], call=together, rtol=1e-10)


@every_kind
@pytest.mark.parametrize("batch_first", [False, True])
def test_F7_agrees_with_torch_from_a_given_state(kind, batch_first):
    theirs = getattr(oracle().nn, kind)(3, 4, 2, batch_first=batch_first)
    states = [values(2, 6, 4, seed=seed) for seed in range(2 if kind == "LSTM" else 1)]

    def call(module, x, *state):
        return together(module, x, state if kind == "LSTM" else state[0])

    x = values(6, 5, 3) if batch_first else values(5, 6, 3)
    compare_modules(
        KINDS[kind](3, 4, 2, biases=2, batch_first=batch_first), theirs, [x, *states], call=call, rtol=1e-10
    )


@every_kind
def test_F7_second_derivatives(kind):
    layer = KINDS[kind](2, 3, rng=0).astype(np.float64)

    def output(x, weight):
        layer.weight_hh_l0 = weight
        return layer(x)[0]

    check(output, [values(3, 2, 2), layer.weight_hh_l0.data.copy()], order=2)


# --- Against plain loops -----------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(w, u, b, x, h, c):
    i, f, g, o = np.split(w @ x + u @ h + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(w, u, b, x, h):
    (xr, xz, xn), (hr, hz, hn) = np.split(w @ x + b, 3), np.split(u @ h, 3)
    z = sigmoid(xz + hz)
    return ((1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h,)


STEPS = {"RNN": lambda w, u, b, x, h: (np.tanh(w @ x + u @ h + b),), "LSTM": lstm_step, "GRU": gru_step}


@every_kind
def test_F7_one_bias_form_is_the_papers_recursion(kind):
    layer = KINDS[kind](2, 3, rng=0).astype(np.float64)
    weights = [layer.state_dict()[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih")]
    x, state = values(4, 1, 2), (np.zeros(3),) * (2 if kind == "LSTM" else 1)
    outputs, final = layer(x)
    for t in range(4):
        state = STEPS[kind](*weights, x[t, 0], *state)
        np.testing.assert_allclose(outputs.data[t, 0], state[0], rtol=1e-12)
    for part, expected in zip(final if kind == "LSTM" else [final], state, strict=True):
        assert part.shape == (1, 1, 3)
        np.testing.assert_allclose(part.data[0, 0], expected, rtol=1e-12)


def test_F7_elman_feeds_the_hidden_layer_back():
    layer, x, h = Elman(2, 3, 1, rng=0).astype(np.float64), values(3, 1, 2), values(1, 1, 3)
    s, (outputs, final) = layer.state_dict(), layer(x, h)
    h = h[0, 0]
    for t in range(3):
        h = np.tanh(s["hidden.weight_ih_l0"] @ x[t, 0] + s["hidden.weight_hh_l0"] @ h + s["hidden.bias_ih_l0"])
        np.testing.assert_allclose(outputs.data[t, 0], s["output.weight"] @ h + s["output.bias"], rtol=1e-12)
    np.testing.assert_allclose(final.data, h[None, None], rtol=1e-12)


def test_F7_jordan_feeds_the_output_back():
    layer, x, y = Jordan(2, 3, 1, rng=0).astype(np.float64), values(3, 1, 2), values(1, 1, 1)
    s, (outputs, final) = layer.state_dict(), layer(x, y)
    y = y[0, 0]
    for t in range(3):
        h = np.tanh(s["input.weight"] @ x[t, 0] + s["input.bias"] + s["context.weight"] @ y)
        y = s["output.weight"] @ h + s["output.bias"]
        np.testing.assert_allclose(outputs.data[t, 0], y, rtol=1e-12)
    np.testing.assert_allclose(final.data, y[None, None], rtol=1e-12)


# --- States, layouts, types --------------------------------------------------------------------------------

LAYERS = {
    "RNN": lambda **options: RNN(3, 4, 2, rng=0, **options),
    "LSTM": lambda **options: LSTM(3, 4, 2, rng=0, **options),
    "GRU": lambda **options: GRU(3, 4, 2, rng=0, **options),
    "Elman": lambda **options: Elman(3, 4, 2, rng=0, **options),
    "Jordan": lambda **options: Jordan(3, 4, 2, rng=0, **options),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


@every_layer
def test_a_sequence_can_be_read_in_parts(name):
    layer, x = LAYERS[name]().astype(np.float64), values(6, 2, 3)
    whole, end = layer(x)
    first, state = layer(x[:2])
    second, last = layer(x[2:], state)
    np.testing.assert_allclose(np.concatenate([first, second]).data, whole.data, rtol=1e-12)
    np.testing.assert_allclose(np.stack(last).data, np.stack(end).data, rtol=1e-12)


@every_layer
def test_batch_first_only_turns_inputs_and_outputs(name):
    x = values(6, 2, 3)
    (y, state), (turned, same) = LAYERS[name]()(x), LAYERS[name](batch_first=True)(x.swapaxes(0, 1))
    assert np.array_equal(turned.data, y.data.swapaxes(0, 1))
    assert np.array_equal(np.stack(same).data, np.stack(state).data)


@every_layer
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtype_is_kept(name, dtype):
    layer = LAYERS[name]().astype(dtype)
    y, state = layer(values(3, 2, 3).astype(dtype))
    (y.sum() + np.stack(state).sum()).backward()
    assert {y.dtype, np.stack(state).dtype, *(p.grad.dtype for p in layer.parameters())} == {np.dtype(dtype)}


@every_layer
def test_one_step_and_no_sequences(name):
    layer = LAYERS[name]()
    assert layer(np.ones((1, 2, 3), np.float32))[0].shape[:2] == (1, 2)
    assert layer(np.ones((5, 0, 3), np.float32))[0].shape[:2] == (5, 0)


@every_layer
def test_without_recording_the_result_is_the_same(name):
    layer, x = LAYERS[name](), values(3, 2, 3)
    with autograd.no_grad():
        quiet, _ = layer(x)
    assert np.array_equal(np.asarray(quiet), layer(x)[0].data)


def names(y):
    return [node.plan.primitive.name for node in autograd.graph(y).nodes if node.plan is not None]


@pytest.mark.parametrize("kind", ["RNN", "GRU"])
def test_one_product_for_the_inputs_of_all_steps_and_one_a_step_for_all_gates(kind):
    y, _ = KINDS[kind](3, 4, 2, rng=0)(Tensor(values(5, 2, 3), requires_grad=True))
    assert names(y).count("linear") == 2 * (1 + 5)


def test_an_lstm_layer_is_one_operation():
    y, _ = LSTM(3, 4, 2, rng=0)(Tensor(values(5, 2, 3), requires_grad=True))
    assert names(y) == ["lstm", "output"] * 2


def test_the_graph_of_an_lstms_gradient_is_drawn_with_its_rules_by_name():
    x, layer = Tensor(values(3, 1, 2), requires_grad=True), LSTM(2, 2, rng=0)
    with autograd.record():
        (g,) = autograd.grad((layer(x)[0] ** 2).sum(), x, create_graph=True)
        s = (g * g).sum()
    s.backward()
    assert "lstm_bars" in autograd.graph(s).text()
    assert "<svg" in autograd.graph(s).svg()


def test_lstm_layer_and_cell_agree_where_gates_saturate():
    """Saturated gates are exact in their own scale, in float32 as well: sigmoid(-30) is not 0."""
    layer = LSTM(1, 2, rng=0)
    layer.bias_ih_l0.data = np.array([-30, 30, -200, 200, 1, -1, -20, 40], np.float32)
    x, zeros = values(3, 1, 1).astype(np.float32), np.zeros((1, 2), np.float32)
    outputs, (_, c) = layer(x)
    h, memory = zeros, zeros
    for step in F.linear(x, layer.weight_ih_l0, layer.bias_ih_l0):
        h, memory = F.lstm_cell(step, h, memory, layer.weight_hh_l0)
    np.testing.assert_allclose(outputs.data[-1], h.data, rtol=1e-5)
    np.testing.assert_allclose(c.data[0], memory.data, rtol=1e-5)
    assert np.all(c.data != 0)


def test_lstm_layer_takes_inputs_and_weights_of_different_dtypes():
    layer = LSTM(3, 4, rng=0)
    x = values(5, 2, 3)
    outputs, _ = layer(Tensor(x, requires_grad=True))
    assert outputs.dtype == np.float64
    outputs.sum().backward()
    assert layer.weight_hh_l0.grad.dtype == np.float32
    exact = LSTM(3, 4, rng=0).astype(np.float64)(x)[0]
    np.testing.assert_allclose(outputs.data, exact.data, rtol=1e-12)


def test_lstm_refuses_what_does_not_fit():
    x, state, weights = values(2, 3, 4), values(3, 5), (values(20, 4), values(20, 5), values(20))
    with pytest.raises(
        ValueError, match=r"lstm: expected x \(T, N, features\), h and c \(N, H\).*got \(2, 3, 4\), \(3, 6\)"
    ):
        F.lstm(x, values(3, 6), state, *weights)
    with pytest.raises(ValueError, match=r"lstm: expected x \(T >= 1, N, features\), got \(0, 3, 4\)"):
        F.lstm(x[:0], state, state, *weights)


def test_dropout_between_layers_only_while_training():
    layer, x = RNN(3, 4, 2, dropout=0.5, rng=0), values(3, 2, 3)
    assert not np.array_equal(layer(x)[0].data, layer(x)[0].data)
    layer.eval()
    assert np.array_equal(layer(x)[0].data, layer(x)[0].data)
    single = RNN(3, 4, dropout=0.5, rng=0)
    assert np.array_equal(single(x)[0].data, single(x)[0].data)


def test_the_same_seed_gives_the_same_weights():
    a, b, c = (LSTM(3, 4, rng=seed).state_dict() for seed in (1, 1, 2))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["weight_hh_l0"], c["weight_hh_l0"])


def test_gradients_reach_back_over_200_steps():
    x = Tensor(np.ones((200, 1, 1), np.float32), requires_grad=True)
    LSTM(1, 4, rng=0)(x)[0][-1].sum().backward()
    assert np.isfinite(x.grad).all()
    assert x.grad[-1].any()


def test_its_options_show():
    assert repr(LSTM(3, 4, 2, biases=2, batch_first=True)) == "LSTM(3, 4, num_layers=2, biases=2, batch_first=True)"


# --- Learning ----------------------------------------------------------------------------------------------


def switches(rng, steps=12, batch=32):
    """Return pulses of +1, -1 and 0 (T, N, 1), and at each step the last pulse that was not 0 (at first +1)."""
    pulses = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0], (steps, batch, 1)).astype(np.float32)
    pulses[0] = rng.choice([-1.0, 1.0], (batch, 1))
    targets = pulses.copy()
    for t in range(1, steps):
        targets[t] = np.where(pulses[t] == 0, targets[t - 1], pulses[t])
    return pulses, targets


class Reader(nn.Module):
    """A recurrent layer and, where it has none of its own, an output layer."""

    def __init__(self, layer, size):
        self.layer = layer
        self.output = nn.Dense(size, 1, rng=0) if size > 1 else None

    def forward(self, x):
        y, _ = self.layer(x)
        return y if self.output is None else self.output(y)


@every_layer
def test_F7_learns_to_remember_the_last_pulse(name):
    layer = {"Elman": Elman, "Jordan": Jordan}.get(name, KINDS.get(name))
    model = Reader(layer(1, 8, 1, rng=0), 1 if name in ("Elman", "Jordan") else 8)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    rng = np.random.default_rng(1)
    for _ in range(150):
        pulses, targets = switches(rng)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(pulses), targets).backward()
        optimizer.step()
    pulses, targets = switches(rng, steps=24)
    right = (np.sign(model(pulses).data) == targets).mean()
    assert right > 0.99


# --- Bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LSTM(3, 4)(np.ones((2, 5, 4))), r"LSTM: expected x \(T >= 1, N, 3\), got \(2, 5, 4\)"),
        (lambda: LSTM(3, 4, batch_first=True)(np.ones((2, 5, 4))), r"LSTM: expected x \(N, T >= 1, 3\)"),
        (lambda: GRU(3, 4)(np.ones((0, 2, 3))), "T >= 1"),
        (lambda: GRU(3, 4, batch_first=True)(np.ones((2, 0, 3))), "T >= 1"),
        (lambda: RNN(3, 4)(np.ones((2, 3))), r"got \(2, 3\)"),
        (lambda: Jordan(3, 4, 1)(np.ones((2, 3))), r"Jordan: expected x"),
        (lambda: RNN(3, 4, 2)(np.ones((2, 3, 3)), np.zeros((1, 3, 4))), r"a state \(2, 3, 4\), got \(1, 3, 4\)"),
        (lambda: LSTM(3, 4)(np.ones((2, 3, 3)), np.zeros((2, 3, 4))), r"a pair of \(1, 3, 4\), got \(3, 4\), \(3, 4\)"),
        (lambda: LSTM(3, 4)(np.ones((2, 3, 3)), [np.zeros((1, 3, 4))]), r"a pair of \(1, 3, 4\), got \(1, 3, 4\)"),
        (lambda: Jordan(3, 4, 2)(np.ones((2, 5, 3)), np.zeros((5, 2))), r"a state \(1, 5, 2\), got \(5, 2\)"),
        (lambda: RNN(3, 4, nonlinearity="sin"), "nonlinearity"),
        (lambda: LSTM(3, 4, biases=3), "biases 0, 1 or 2"),
        (lambda: LSTM(0, 4), "sizes of at least 1"),
        (lambda: GRU(3, 4, dropout=1.0), r"dropout in \[0, 1\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()

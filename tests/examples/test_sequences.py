"""examples/sequences.py, shortened: rows F7 and F8 of the lecture on the adding problem and on digits."""

import numpy as np
import pytest

import nn.functional as F
from examples import sequences

RECURRENT = [name for name in sequences.MODELS if name != "Transformer"]
NOTHING = 1 / 6
SUMS = sequences.sums


def learn_sums(name, epochs):
    rng = np.random.default_rng(0)
    training, test = sequences.sums(1920, 8, rng), sequences.sums(500, 8, rng)
    return sequences.train(name, F.mse_loss, training, test, epochs, right=sequences.near)["val_loss"][-1]


@pytest.mark.parametrize("name", RECURRENT)
def test_F7_recurrent_networks_learn_the_adding_problem(name):
    assert learn_sums(name, 16) < NOTHING / (3 if name == "RNN, tanh" else 10)


def test_F8_a_transformer_learns_the_adding_problem():
    assert learn_sums("Transformer", 8) < NOTHING / 100


def test_sums_are_of_one_number_of_each_half():
    x, y = sequences.sums(50, 9, np.random.default_rng(0))
    numbers, marks = x[..., 0], x[..., 1]
    assert x.dtype == y.dtype == np.float32
    assert (marks[:, :4].sum(axis=1) == 1).all()
    assert (marks[:, 4:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y[:, 0], [n[m == 1].sum() for n, m in zip(numbers, marks, strict=True)], rtol=1e-6)
    assert abs(np.square(sequences.sums(20_000, 9, np.random.default_rng(1))[1] - 1).mean() - NOTHING) < 0.005


def test_F7_F8_digits_row_by_row(tmp_path, capsys):
    accuracies = sequences.digits(tmp_path / "new", epochs=5)
    assert accuracies.keys() == sequences.MODELS.keys()
    assert all(accuracy > 0.4 for accuracy in accuracies.values())
    assert max(accuracies.values()) > 0.8
    assert (tmp_path / "new" / "rows.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert f"LSTM: {accuracies['LSTM']:.2%} of the digits held out are recognized" in said


def test_the_program_runs_the_task_it_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(sequences, "sums", lambda count, steps, rng: SUMS(64, steps, rng))
    sequences.main(["adding", "--epochs", "1", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines()[1:-1]] == list(sequences.MODELS)
    assert [path.name for path in tmp_path.iterdir()] == ["adding.png"]

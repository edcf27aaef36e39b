"""Search over hyper-parameters."""

import pytest

import optim


def test_g18_grid_search_tries_every_combination():
    seen = []

    def objective(lr, units, activation):
        seen.append((lr, units, activation))
        return abs(lr - 0.1) + units + (activation == "tanh")

    trials = optim.search(objective, {"lr": [1.0, 0.1], "units": [2, 1, 3], "activation": ["relu", "tanh"]})
    assert len(seen) == len(set(seen)) == 12
    assert trials[0] == ({"lr": 0.1, "units": 1, "activation": "relu"}, 1.0)
    assert [trial.score for trial in trials] == sorted(trial.score for trial in trials)


def test_g18_random_search_draws_from_lists_and_functions():
    space = {"lr": lambda rng: 10 ** rng.uniform(-3, -1), "dropout": [0.0, 0.5]}
    trials = optim.search(lambda lr, dropout: lr + dropout, space, trials=40, maximize=True, rng=0)
    assert len(trials) == 40
    assert all(1e-3 <= trial.settings["lr"] <= 1e-1 for trial in trials)
    assert {trial.settings["dropout"] for trial in trials} == {0.0, 0.5}
    assert trials[0].score == max(trial.score for trial in trials)
    assert trials == optim.search(lambda lr, dropout: lr + dropout, space, trials=40, maximize=True, rng=0)


def test_bad_input():
    with pytest.raises(ValueError, match="no hyper-parameter"):
        optim.search(lambda: 0.0, {})
    with pytest.raises(TypeError, match="grid needs a list of values for lr"):
        optim.search(lambda lr: lr, {"lr": lambda rng: rng.random()})

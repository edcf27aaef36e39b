"""Rows G1 to G20 of the lecture: optimizers and training, to the digits given."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

import autograd as ag
import nn
import nn.functional as F
import optim
from autograd import Tensor
from nn.data import Batches, split


def tracked(value):
    return Tensor(value, requires_grad=True)


def trajectory(optimizer, steps=3):
    """Return w after each step: w starts at 0, its gradient is always 1."""
    w = tracked(0.0)
    descent = optimizer([w])
    found = []
    for _ in range(steps):
        w.grad = 1.0
        descent.step()
        found.append(w.item())
    return found


def descend(f, start, optimizer, steps):
    """Return where descent is after each step."""
    w = tracked(start)
    descent = optimizer([w])
    path = [w.numpy()]
    for _ in range(steps):
        descent.zero_grad()
        f(w).backward()
        descent.step()
        path.append(w.numpy())
    return path


# --- G1 to G4: the first steps of each optimizer ---------------------------------------------------------------


def test_G1_momentum_in_the_lectures_form():
    found = trajectory(lambda p: optim.SGD(p, lr=1, momentum=0.9, averaging=True))
    assert found == pytest.approx([-0.1, -0.29, -0.561], abs=1e-12)


def test_G1_classical_momentum_is_another_form():
    classical = trajectory(lambda p: optim.SGD(p, lr=1, momentum=0.9))
    assert classical == pytest.approx([-1, -2.9, -5.61])
    assert trajectory(lambda p: optim.SGD(p, lr=10, momentum=0.9, averaging=True)) == pytest.approx(classical)


def test_G2_adagrad():
    assert trajectory(lambda p: optim.AdaGrad(p, lr=1)) == pytest.approx([-1, -1.7071, -2.2845], abs=0.51e-4)


def test_G3_rmsprop():
    found = trajectory(lambda p: optim.RMSProp(p, lr=1, alpha=0.9))
    assert found == pytest.approx([-3.1623, -5.4564, -7.3774], abs=0.51e-4)


@pytest.mark.parametrize("lr", [1.0, 1e-3])
def test_G4_each_of_adams_first_steps_is_the_learning_rate(lr):
    assert trajectory(lambda p: optim.Adam(p, lr=lr)) == pytest.approx([-lr, -2 * lr, -3 * lr], rel=1e-7)


# --- G5: batches -------------------------------------------------------------------------------------------------


def test_G5_epoch_arithmetic():
    """10 examples in batches of 2: 5 iterations an epoch, in 3 epochs 15."""
    x = np.arange(10, dtype=np.float32)[:, None]
    batches = Batches(x, x, batch_size=2, rng=0)
    assert len(batches) == 5
    model = nn.Dense(1, 1, rng=0)
    history = optim.fit(model, F.mse_loss, optim.SGD(model.parameters(), lr=0.01), batches, 3, progress=False)
    assert len(history.steps) == 15


@pytest.mark.parametrize(("size", "updates"), [(10, 1), (1, 10), (4, 3)], ids=["batch", "stochastic", "mini-batch"])
def test_G5_batch_stochastic_and_mini_batch_descent_see_each_example_once_an_epoch(size, updates):
    batches = Batches(np.arange(10), batch_size=size, rng=0)
    assert len(batches) == updates
    epochs = [[int(i) for (part,) in batches for i in part] for _ in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3  # reshuffled each time


def test_G5_a_step_on_all_examples_follows_the_mean_of_their_gradients():
    rng = np.random.default_rng(0)
    x, y, start = rng.normal(size=(10, 3)), rng.normal(size=10), rng.normal(size=3)
    w = tracked(start)
    each = [ag.grad((x[i] @ w - y[i]) ** 2, w)[0] for i in range(10)]
    F.mse_loss(x @ w, y).backward()
    optim.SGD([w], lr=0.1).step()
    np.testing.assert_allclose(w.data, start - 0.1 * np.mean(each, axis=0), rtol=1e-12)


# --- G6 to G9: methods that know of curvature ------------------------------------------------------------------

rng = np.random.default_rng(1)
VECTORS = np.linalg.qr(rng.normal(size=(8, 8)))[0]
A = VECTORS * np.linspace(1, 9, 8) @ VECTORS.T
B = rng.normal(size=8)


def quadratic(x):
    return x @ A @ x / 2 - B @ x


def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def residuals(x):
    return np.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]])


def test_G6_one_step_of_newton_solves_a_quadratic():
    found = optim.minimize(quadratic, np.ones(8), "newton")
    assert (found.success, found.iterations) == (True, 1)
    np.testing.assert_allclose(found.x, np.linalg.solve(A, B), atol=1e-12)


def test_G7_conjugate_gradients_need_at_most_n_steps():
    found = optim.minimize(quadratic, np.ones(8), "cg", gtol=1e-9)
    assert found.success
    assert found.iterations <= 8
    np.testing.assert_allclose(found.x, np.linalg.solve(A, B), atol=1e-9)
    # Each direction is conjugate to all before it.
    steps = [after.x - before.x for before, after in itertools.pairwise(found.trace)]
    for i, j in itertools.combinations(range(len(steps)), 2):
        cosine = steps[i] @ A @ steps[j] / math.sqrt((steps[i] @ A @ steps[i]) * (steps[j] @ A @ steps[j]))
        assert abs(cosine) < 1e-6


@pytest.mark.parametrize("method", ["bfgs", "lbfgs"])
def test_G8_quasi_newton_needs_no_hessian_and_few_steps(method):
    found = optim.minimize(quadratic, np.ones(8), method)
    assert found.success
    assert found.hessian_evaluations == 0
    np.testing.assert_allclose(found.x, np.linalg.solve(A, B), atol=1e-8)
    lowest = quadratic(found.x)
    path = descend(quadratic, np.ones(8), lambda p: optim.SGD(p, lr=0.2), found.iterations)
    assert quadratic(path[-1]) - lowest > 1e-4  # where plain descent is by then, at its best rate


@pytest.mark.parametrize("method", ["newton", "cg", "bfgs", "lbfgs", "levenberg-marquardt"])
def test_G6_to_G9_rosenbrock(method):
    f = residuals if method == "levenberg-marquardt" else rosenbrock
    found = optim.minimize(f, np.array([-1.2, 1.0]), method)
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-8)
    assert found.success
    assert found.function_evaluations < 100


def test_G9_levenberg_marquardt_is_gauss_newton_when_the_residuals_are_linear():
    found = optim.minimize(lambda x: A @ x - B, np.ones(8), "levenberg-marquardt", damping=1e-12)
    assert found.iterations == 1
    np.testing.assert_allclose(found.x, np.linalg.solve(A, B), atol=1e-8)


# --- G10, G11: the surface, and how far to step on it ----------------------------------------------------------


def test_G10_saddle():
    """x^2 - y^2: curved upwards along x, downwards along y."""

    def f(x):
        return x[0] ** 2 - x[1] ** 2

    assert np.linalg.eigvalsh(ag.hessian(f)(np.zeros(2))).tolist() == [-2, 2]
    path = descend(f, np.array([1.0, 1e-6]), lambda p: optim.SGD(p, lr=0.1), 60)
    assert np.linalg.norm(path[25]) < 0.01 < 0.05 < np.linalg.norm(path[60])  # lingers at the saddle, then leaves it


def steps_of_descent(condition):
    """Return how many steps descent needs on a bowl of this condition, at the best rate there is."""

    def bowl(w):
        return (np.array([1.0, condition]) * w**2).sum() / 2

    assert np.linalg.cond(ag.hessian(bowl)(np.ones(2))) == condition
    path = descend(bowl, np.ones(2), lambda p: optim.SGD(p, lr=2 / (1 + condition)), 600)
    return next(n for n, w in enumerate(path) if np.abs(w).max() < 1e-4)


def test_G10_the_worse_the_condition_the_more_steps_descent_needs():
    round_, long, longer = map(steps_of_descent, (1, 10, 100))
    assert round_ == 1
    assert 40 < long < 60
    assert 8 < longer / long < 12


@pytest.mark.parametrize("lr", [0.01, 0.5, 0.99])
def test_G11_descent_on_w_squared_converges_with_a_rate_between_0_and_1(lr):
    path = descend(lambda w: w * w, 1.0, lambda p: optim.SGD(p, lr=lr), 1000)
    assert path[5] == pytest.approx((1 - 2 * lr) ** 5, abs=1e-12)
    assert abs(path[-1]) < 1e-8


@pytest.mark.parametrize("lr", [1.0, 1.01])
def test_G11_descent_on_w_squared_does_not_converge_with_a_larger_one(lr):
    path = descend(lambda w: w * w, 1.0, lambda p: optim.SGD(p, lr=lr), 1000)
    assert abs(path[-1]) == pytest.approx((2 * lr - 1) ** 1000)
    assert min(map(abs, path)) >= 1


def test_G11_rates_of_0_or_below():
    assert abs(descend(lambda w: w * w, 1.0, lambda p: optim.SGD(p, lr=0.0), 10)[-1]) == 1
    with pytest.raises(ValueError, match="lr"):
        optim.SGD([tracked(1.0)], lr=-0.1)


# --- G12, G13: the rate over time, and what to look at ---------------------------------------------------------


def rates(schedule, count):
    """Return the rate at the start and after each epoch, from 1."""
    optimizer = optim.SGD([tracked(0.0)], lr=1.0)
    made = schedule(optimizer)
    found = [optimizer.lr]
    for _ in range(count):
        made.step()
        found.append(optimizer.lr)
    return found


def test_G12_schedules():
    assert rates(lambda o: optim.StepLR(o, 2, 0.5), 5) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert rates(lambda o: optim.ExponentialLR(o, 0.9), 3) == pytest.approx([1, 0.9, 0.81, 0.729])
    assert rates(lambda o: optim.CosineAnnealingLR(o, 4), 4) == pytest.approx(
        [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2, 0]
    )
    assert rates(lambda o: optim.LinearLR(o, 0.25, total_iters=3), 4) == pytest.approx([0.25, 0.5, 0.75, 1, 1])
    cycle = rates(lambda o: optim.OneCycleLR(o, 1.0, 10), 9)
    assert cycle[0] == pytest.approx(1 / 25)
    assert max(cycle) == pytest.approx(1)
    assert cycle[-1] == pytest.approx(1 / 25 / 1e4)


def test_G12_reduce_on_plateau():
    optimizer = optim.SGD([tracked(0.0)], lr=1.0)
    plateau = optim.ReduceLROnPlateau(optimizer, factor=0.1, patience=2)
    found = []
    for loss in (3, 2, 2, 2, 2, 1, 1):
        plateau.step(loss)
        found.append(optimizer.lr)
    assert found == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1])


def points(n=90):
    """Return points around three centres, and which centre."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (np.array([[2, 0], [-2, 1], [0, -3]])[labels] + rng.normal(size=(n, 2))).astype(np.float32), labels


def classifier(*extra):
    return nn.Sequential(nn.Dense(2, 16, rng=0), nn.ReLU(), *extra, nn.Dense(16, 3, rng=1))


def train(model, epochs, *, lr=0.02, x=None, y=None, **options):
    default = points()
    x, y = default if x is None else (x, y)
    batches = Batches(x, y, batch_size=16, rng=0)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    return optim.fit(model, F.cross_entropy, optimizer, batches, epochs, progress=False, **options)


def test_G13_trace_of_the_loss_and_loss_against_epoch(tmp_path):
    history = train(classifier(), 4, validation=[points(30)])
    assert len(history.steps) == 4 * 6
    assert len(history["loss"]) == len(history["val_loss"]) == 4
    for number in range(4):
        sizes = np.array([16, 16, 16, 16, 16, 10])
        steps = np.array(history.steps[6 * number : 6 * number + 6])
        assert history["loss"][number] == pytest.approx((steps * sizes).sum() / 90)
    history.plot(tmp_path / "loss.svg")
    history.plot_trace(tmp_path / "trace.png")
    assert "<svg" in (tmp_path / "loss.svg").read_text()
    assert (tmp_path / "trace.png").read_bytes().startswith(b"\x89PNG")


def test_G13_trace_of_a_minimization():
    found = optim.minimize(rosenbrock, np.array([-1.2, 1.0]))
    values = [step.fun for step in found.trace]
    assert values == sorted(values, reverse=True)
    assert np.array([step.x for step in found.trace]).shape == (found.iterations + 1, 2)


# --- G14 to G16: against learning by heart ---------------------------------------------------------------------


def test_G14_l1_and_l2_penalties():
    w1, w2 = tracked([[1.0, -2.0]]), tracked([3.0])
    assert F.l2_penalty([w1, w2], 0.1).item() == pytest.approx(0.1 * 14)
    penalty = F.l1_penalty([w1, w2], 0.1)
    assert penalty.item() == pytest.approx(0.1 * 6)  # with the absolute value that the material's formula lacks
    penalty.backward()
    np.testing.assert_allclose(w1.grad, [[0.1, -0.1]])


def test_G14_weight_decay_lambda_is_the_penalty_lambda_half_w_squared():
    start, target = np.array([1.0, -2.0, 0.5]), np.array([2.0, 2.0, 2.0])
    one, other = tracked(start), tracked(start)
    decay, plain = optim.SGD([one], lr=0.1, weight_decay=0.3), optim.SGD([other], lr=0.1)
    for _ in range(5):
        decay.zero_grad()
        plain.zero_grad()
        F.half_squared_error(one, target).backward()
        (F.half_squared_error(other, target) + F.l2_penalty([other], 0.3 / 2)).backward()
        decay.step()
        plain.step()
    np.testing.assert_allclose(one.data, other.data, rtol=1e-12)


def test_G14_l1_makes_weights_zero_where_l2_makes_them_small():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 10))
    y = x[:, :2] @ [2.0, -3.0] + 0.1 * rng.normal(size=80)
    weights = {}
    for penalty in (F.l1_penalty, F.l2_penalty):
        w = tracked(np.zeros(10))
        descent = optim.SGD([w], lr=0.02)
        for _ in range(400):
            descent.zero_grad()
            (F.half_squared_error(x @ w, y) + penalty([w], 0.2)).backward()
            descent.step()
        weights[penalty] = np.abs(w.data)
    assert weights[F.l1_penalty][2:].max() < 0.01 < weights[F.l2_penalty][2:].max()
    assert weights[F.l1_penalty][:2].min() > 1


def test_G15_dropout_drops_for_each_example_while_training_and_keeps_the_expectation():
    x = Tensor(np.ones((2000, 50), np.float32))
    layer = nn.Dropout(0.25, rng=0)
    y = layer(x).data
    assert set(np.unique(y).tolist()) == {0, np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.01)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert len({row.tobytes() for row in y == 0}) > 1990  # other units for each example
    assert not np.array_equal(layer(x).data, y)
    layer.eval()
    assert layer(x) is x


def test_G15_the_bar_of_a_dropped_unit_is_zero():
    x = tracked(np.ones((4, 6)))
    y = F.dropout(x, 0.5, rng=3)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad, y.data)


class Watched(optim.Callback):
    """Keeps the weights of each epoch."""

    def __init__(self):
        self.states = []

    def on_epoch(self, training):
        self.states.append(training.model.state_dict())


def test_G16_early_stopping_restores_the_best_weights():
    x, y = points(240)
    y[:20] = np.random.default_rng(0).integers(0, 3, size=20)  # wrong labels to learn by heart
    model, watched, stopping = classifier(), Watched(), optim.EarlyStopping(patience=10)
    history = train(
        model, 300, lr=0.05, x=x[:40], y=y[:40], validation=[(x[40:], y[40:])], callbacks=[watched, stopping]
    )
    best = int(np.argmin(history["val_loss"]))
    assert len(history.epochs) == best + 1 + 10 < 300
    assert history.stopped == f"no better val_loss than {history['val_loss'][best]:.6g} for 10 epochs"
    assert stopping.best_epoch == best + 1
    assert all(np.array_equal(value, watched.states[best][name]) for name, value in model.state_dict().items())
    assert history["loss"][-1] < history["loss"][best]


# --- G18 to G20: choosing, data, the whole way -----------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"trials": 6, "rng": 0}], ids=["grid", "random"])
def test_G18_search_over_hyper_parameters(options):
    x, y = points(60)

    def score(lr, units, activation, dropout):
        layers = [nn.Dense(2, units, rng=0), activation(), nn.Dropout(dropout, rng=0), nn.Dense(units, 3, rng=1)]
        model = nn.Sequential(*layers)
        train(model, 3, lr=lr)
        return optim.evaluate(model, F.cross_entropy, [(x, y)])["loss"]

    space = {"lr": [1e-5, 0.05], "units": [2, 16], "activation": [nn.ReLU, nn.Tanh], "dropout": [0.0]}
    trials = optim.search(score, space, **options)
    assert len(trials) == (8 if not options else 6)
    assert trials[0].settings["lr"] == 0.05
    assert [trial.score for trial in trials] == sorted(trial.score for trial in trials)


def test_G19_a_tenth_held_out_with_a_seed():
    kept, held_out = split(np.arange(42_000), fraction=0.1, rng=2)
    assert (len(kept), len(held_out)) == (37_800, 4_200)
    assert sorted([*kept, *held_out]) == list(range(42_000))
    assert np.array_equal(split(np.arange(42_000), fraction=0.1, rng=2)[1], held_out)
    assert not np.array_equal(split(np.arange(42_000), fraction=0.1, rng=3)[1], held_out)


def test_G19_one_hot():
    assert F.one_hot(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


def test_G20_fit_evaluate_predict_confusion_matrix():
    x, y = points()
    model = classifier()
    history = train(model, 12, metrics={"accuracy": optim.accuracy})
    found = optim.evaluate(model, F.cross_entropy, Batches(x, y), metrics={"accuracy": optim.accuracy})
    assert found["accuracy"] > 0.9
    assert found["loss"] < history["loss"][0]
    predicted = optim.predict(model, x).argmax(axis=1)
    counts = optim.confusion_matrix(y, predicted)
    assert counts.shape == (3, 3)
    assert counts.sum(axis=1).tolist() == [30, 30, 30]
    assert np.trace(counts) / 90 == pytest.approx(found["accuracy"])
    assert counts[1, 2] == sum((y == 1) & (predicted == 2))


def test_G20_filters_and_feature_maps():
    """A filter that looks for a vertical edge; its feature map says where one is."""
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding="same", rng=0), nn.ReLU(), nn.Flatten(), nn.Dense(64, 2, rng=0))
    edge = np.tile(np.array([-1.0, 0.0, 1.0], np.float32), (3, 1))
    model[0].weight.data = edge[None, None]
    image = np.zeros((1, 1, 8, 8), np.float32)
    image[..., 4:] = 1
    assert np.array_equal(model[0].weight.data[0, 0], edge)
    feature_map = optim.predict(model[:2], image)[0, 0]
    assert (feature_map[1:-1, 3:5] == 3).all()
    assert not feature_map[:, :3].any()

"""fit, evaluate, predict, metrics, history."""

import numpy as np
import pytest

import nn
import nn.functional as F
import optim
from nn.data import Batches


def blobs(n=60):
    """Return points around three centres, and which centre."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (np.array([[2, 0], [-2, 1], [0, -3]])[labels] + 0.3 * rng.normal(size=(n, 2))).astype(np.float32), labels


def classifier(*extra):
    return nn.Sequential(nn.Dense(2, 8, rng=0), nn.ReLU(), *extra, nn.Dense(8, 3, rng=1))


def train(epochs=5, *, model=None, **options):
    x, y = blobs()
    model = model or classifier()
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    batches = Batches(x, y, batch_size=16, rng=0)
    history = optim.fit(model, F.cross_entropy, optimizer, batches, epochs, progress=False, **options)
    return model, history


def test_g20_fit_evaluate_predict():
    x, y = blobs()
    data = Batches(x, y, shuffle=False)
    model, history = train(15, validation=data, metrics={"accuracy": optim.accuracy})
    assert len(history.epochs) == 15
    assert len(history.steps) == 15 * 4
    assert history["epoch"] == list(range(1, 16))
    assert history["loss"][-1] < 0.1 * history["loss"][0]
    assert history["val_accuracy"][-1] == 1
    found = optim.evaluate(model, F.cross_entropy, data, metrics={"accuracy": optim.accuracy})
    assert found == {"loss": pytest.approx(history["val_loss"][-1]), "accuracy": 1.0}
    scores = optim.predict(model, x, batch_size=7)
    assert scores.shape == (60, 3)
    assert optim.accuracy(scores, y) == 1
    assert np.array_equal(optim.confusion_matrix(y, scores.argmax(1)), 20 * np.eye(3))


def test_figures_are_means_over_examples_not_over_batches():
    x, y = blobs(50)
    model = classifier()
    parts = optim.evaluate(model, F.cross_entropy, Batches(x, y, batch_size=16, shuffle=False))
    whole = optim.evaluate(model, F.cross_entropy, [(x, y)])
    assert parts["loss"] == pytest.approx(whole["loss"], rel=1e-6)


def test_training_is_the_same_to_the_bit_with_the_same_seeds():
    results = []
    for _ in range(2):
        model, history = train(3, model=classifier(nn.Dropout(0.3, rng=7)))
        results.append((history.steps, model.state_dict()))
    assert results[0][0] == results[1][0]
    assert all(np.array_equal(results[0][1][name], results[1][1][name]) for name in results[0][1])


def test_fit_leaves_evaluation_mode_and_evaluate_restores_the_mode():
    model, _ = train(1, model=classifier(nn.Dropout(0.5, rng=0)))
    assert not model.training
    model.train()
    model[2].eval()
    optim.evaluate(model, F.cross_entropy, [blobs()])
    optim.predict(model, blobs()[0])
    assert [module.training for module in model.modules()] == [True, True, True, False, True]


class Spy(optim.Callback):
    def __init__(self, at=None):
        self.seen = []
        self.at = at

    def on_start(self, training):
        self.seen.append("start")

    def on_backward(self, training):
        assert training.model[0].weight.grad is not None

    def on_step(self, training):
        self.seen.append("step")

    def on_epoch(self, training):
        self.seen.append(f"epoch {training.epoch}")
        if training.epoch == self.at:
            training.stop("enough")

    def on_end(self, training):
        self.seen.append("end")


def test_callbacks_are_called_in_order_and_can_stop():
    spy = Spy(at=2)
    _, history = train(5, callbacks=[spy])
    steps = ["step"] * 4
    assert spy.seen == ["start", *steps, "epoch 1", *steps, "epoch 2", "end"]
    assert history.stopped == "enough"
    assert len(history.epochs) == 2


def test_ctrl_c_ends_the_training_cleanly():
    class Interrupt(optim.Callback):
        def on_epoch(self, training):
            if training.epoch == 3:
                raise KeyboardInterrupt

    spy = Spy()
    model, history = train(9, callbacks=[Interrupt(), spy])
    assert history.stopped == "interrupted"
    assert len(history.epochs) == 3
    assert spy.seen[-1] == "end"
    assert not model.training


def test_a_schedule_is_a_callback():
    model = classifier()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    x, y = blobs()
    batches = Batches(x, y, batch_size=16, rng=0)
    cycle = optim.OneCycleLR(optimizer, 1.0, 3 * len(batches))
    history = optim.fit(model, F.cross_entropy, optimizer, batches, 3, callbacks=[cycle], progress=False)
    assert cycle.count == 12
    assert history["lr"][0] == pytest.approx(1 / 25)
    assert optimizer.lr == pytest.approx(1 / 25 / 1e4)


class Script(optim.Callback):
    """Replaces the figures of the history, to lead other callbacks."""

    def __init__(self, figures):
        self.figures = figures
        self.states = []

    def on_epoch(self, training):
        training.history.epochs[-1]["val_loss"] = self.figures[training.epoch - 1]
        self.states.append(training.model.state_dict())


def test_g16_early_stopping_waits_for_patience_and_restores_the_best_weights():
    script, stopping = Script([5.0, 3.0, 4.0, 3.5, 3.0, 1.0]), optim.EarlyStopping(patience=3)
    model, history = train(6, callbacks=[script, stopping])
    assert len(history.epochs) == 5
    assert (stopping.best, stopping.best_epoch) == (3.0, 2)
    assert history.stopped == "no better val_loss than 3 for 3 epochs"
    best = script.states[1]
    assert all(np.array_equal(best[name], value) for name, value in model.state_dict().items())
    assert not all(np.array_equal(script.states[4][name], value) for name, value in best.items())


def test_g16_early_stopping_by_a_figure_to_be_maximized():
    script = Script([0.5, 0.6, 0.6, 0.605, 0.7])
    stopping = optim.EarlyStopping(patience=2, monitor="val_loss", mode="max", min_delta=0.01, restore_best=False)
    _, history = train(5, callbacks=[script, stopping])
    assert len(history.epochs) == 4


def test_a_callback_that_watches_a_figure_that_is_not_there_says_so():
    with pytest.raises(KeyError, match="no figure 'val_loss'.*pass validation="):
        train(1, callbacks=[optim.EarlyStopping()])
    with pytest.raises(ValueError, match="patience"):
        optim.EarlyStopping(patience=0)


def test_g12_reduce_on_plateau_in_fit():
    x, y = blobs()
    model = classifier()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    plateau = optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    callbacks = [Script([1.0, 1.0, 1.0, 1.0, 0.5]), plateau]
    history = optim.fit(model, F.cross_entropy, optimizer, [(x, y)], 5, callbacks=callbacks, progress=False)
    assert history["lr"] == [0.1, 0.1, 0.1, 0.05, 0.05]


def test_clip_gradients_in_fit():
    x, y = blobs()
    model = classifier()
    before = model.state_dict()
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    callbacks = [optim.ClipGradients(1e-3)]
    optim.fit(model, F.cross_entropy, optimizer, [(100 * x, y)], 1, callbacks=callbacks, progress=False)
    moved = sum(((before[name] - value) ** 2).sum() for name, value in model.state_dict().items())
    assert moved**0.5 == pytest.approx(1e-3, rel=1e-3)


def test_a_loss_that_is_not_finite_is_an_error():
    x, y = blobs()
    model = classifier()
    with pytest.raises(FloatingPointError, match="the loss is nan in epoch 1"):
        optim.fit(model, F.cross_entropy, optim.SGD(model.parameters()), [(x * np.nan, y)], 1, progress=False)


def test_progress_bar_shows_loss_metric_rate_and_epoch(capsys):
    x, y = blobs()
    model = classifier()
    data = Batches(x, y, batch_size=16)
    optimizer = optim.Adam(model.parameters(), lr=0.0123)
    optim.fit(model, F.cross_entropy, optimizer, data, 2, metrics={"accuracy": optim.accuracy})
    shown = capsys.readouterr().err
    assert "epoch 2/2, loss" in shown
    assert "accuracy" in shown
    assert "lr 0.0123" in shown
    assert "100%" in shown


def test_g13_plots(tmp_path):
    _, history = train(2, validation=[blobs()])
    history.plot(tmp_path / "loss.png")
    history.plot_trace(tmp_path / "trace.svg")
    assert (tmp_path / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "trace.svg").read_text()


def test_metrics_refuse():
    with pytest.raises(ValueError, match=r"expected labels \(2,\)"):
        optim.accuracy(np.ones((2, 3)), np.ones(4))
    with pytest.raises(ValueError, match=r"labels in 0 .. 1, got 0 .. 2"):
        optim.confusion_matrix([0, 2], [0, 0], classes=2)
    with pytest.raises(ValueError, match="two lists"):
        optim.confusion_matrix([0, 2], [0])
    assert optim.accuracy(np.eye(3), np.eye(3)) == 1


X, Y = blobs()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": (X, Y)}, r"expected batches \(\*inputs, targets\), as nn.data.Batches.* got ndarray \(\d+, \d+\)"),
        ({"data": [[X]]}, "got list for a batch"),
        ({"loss": "cross_entropy"}, "expected a function for loss, such as F.cross_entropy, got 'cross_entropy'"),
        ({"optimizer": "adam"}, r"expected an optimizer, such as optim.Adam\(model.parameters\(\)\), got 'adam'"),
    ],
)
def test_fit_says_what_it_expects(changed, message):
    model = nn.Dense(2, 2, rng=0)
    given = {"loss": F.cross_entropy, "optimizer": optim.SGD(model.parameters()), "data": Batches(X, Y)} | changed
    with pytest.raises(TypeError, match=message):
        optim.fit(model, **given, epochs=1, progress=False)

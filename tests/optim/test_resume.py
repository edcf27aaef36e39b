"""Checkpoints of a training: kill it anywhere, go on, and end with the same weights to the bit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
import nn.functional as F
import optim


def training(path, epochs, **options):
    """Train a small net with everything that has a state; returns model and history."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(48, 4)).astype(np.float32)
    y = (x.sum(axis=1) > 0).astype(int)
    model = nn.Sequential(
        nn.Dense(4, 6, rng=1), nn.BatchNorm(6), nn.ReLU(), nn.Dropout(0.3, rng=2), nn.Dense(6, 2, rng=3)
    )
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    data = nn.data.Batches(
        x, y, batch_size=16, rng=4, transform=lambda part, rng: part + rng.normal(0, 0.1, part.shape)
    )
    callbacks = [
        optim.OneCycleLR(optimizer, 0.05, 100),
        optim.EarlyStopping(50),
        *options.pop("callbacks", []),
        optim.Checkpoint(path, resume=True),
    ]
    history = optim.fit(
        model, F.cross_entropy, optimizer, data, epochs, validation=[(x, y)], callbacks=callbacks, progress=False
    )
    return model, history


def same(a, b):
    return all(np.array_equal(a.state_dict()[name], value) for name, value in b.state_dict().items())


def test_a_resumed_training_ends_with_the_same_weights_to_the_bit(tmp_path):
    whole, history = training(tmp_path / "a", 6)
    for epochs in (2, 3, 6):
        parts, resumed = training(tmp_path / "b", epochs)
    assert same(whole, parts)
    assert resumed.steps == history.steps
    assert resumed["val_loss"] == history["val_loss"]
    assert resumed["epoch"] == [1, 2, 3, 4, 5, 6]


def test_ctrl_c_keeps_the_last_checkpoint(tmp_path):
    class Interrupt(optim.Callback):
        def __init__(self):
            self.steps = 0

        def on_step(self, running):
            self.steps += 1
            if self.steps == 8:
                raise KeyboardInterrupt

    _, history = training(tmp_path / "a", 6, callbacks=[Interrupt()])
    assert history.stopped == "interrupted"
    resumed, _ = training(tmp_path / "a", 6)
    whole, _ = training(tmp_path / "b", 6)
    assert same(whole, resumed)


def test_the_signal_of_ctrl_c_ends_it_cleanly(tmp_path):
    class Signal(optim.Callback):
        def __init__(self):
            self.steps = 0

        def on_step(self, running):
            self.steps += 1
            if self.steps == 8:
                signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        model, history = training(tmp_path / "a", 6, callbacks=[Signal()])
    finally:
        signal.signal(signal.SIGINT, before)
    assert history.stopped == "interrupted"
    assert not model.training
    saved = nn.load(tmp_path / "a")["training"]
    assert (saved["epoch"], saved["step"]) == (2, 6)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_finished_training_is_not_gone_through_again(tmp_path):
    training(tmp_path / "a", 3)
    before = (tmp_path / "a").read_bytes()
    _, history = training(tmp_path / "a", 3)
    assert len(history.epochs) == 3
    assert (tmp_path / "a").read_bytes() == before


def test_every_and_no_resume(tmp_path):
    x, y = np.ones((4, 2), np.float32), np.zeros(4, int)
    epochs = []

    class Spy(optim.Callback):
        def on_epoch(self, running):
            path = tmp_path / "a"
            epochs.append(nn.load(path)["training"]["epoch"] if path.exists() else None)

    model = nn.Dense(2, 2, rng=0)
    for _ in range(2):
        optimizer = optim.SGD(model.parameters())
        callbacks = [optim.Checkpoint(tmp_path / "a", every=2), Spy()]
        optim.fit(model, F.cross_entropy, optimizer, [(x, y)], 5, callbacks=callbacks, progress=False)
    assert epochs == [None, 2, 2, 4, 5, 5, 2, 2, 4, 5]
    with pytest.raises(ValueError, match="every"):
        optim.Checkpoint(tmp_path / "a", every=0)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    nn.save(tmp_path / "a", epoch=3)
    with pytest.raises(nn.CheckpointFileError, match="it holds"):
        training(tmp_path / "a", 3)


KILLER = """
import json, os, random, signal, sys, time
sys.path.insert(0, sys.argv[2])
from tests.optim.test_resume import training
from pathlib import Path
import numpy as np

directory = Path(sys.argv[1])
started = time.perf_counter()
whole, _ = training(directory / "whole", 12)
length = time.perf_counter() - started
path, random, alive, reached = directory / "killed", random.Random(0), 0, []
for _ in range(20):
    child = os.fork()
    if child == 0:
        training(path, 10_000)
        os._exit(0)
    time.sleep(random.uniform(0.02, 0.6) * length)
    os.kill(child, signal.SIGKILL)
    alive += os.waitpid(child, 0)[1] == signal.SIGKILL
    reached.append(__import__("nn").load(path)["training"]["epoch"] if path.exists() else 0)
epochs = reached[-1] + 1
resumed, _ = training(path, epochs)
whole, _ = training(directory / "again", epochs)
equal = all(np.array_equal(whole.state_dict()[name], value) for name, value in resumed.state_dict().items())
print(json.dumps({"killed": alive, "reached": reached, "equal": equal}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
def test_killed_20_times_it_resumes_from_the_last_checkpoint(tmp_path):
    root = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path), root],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert found.returncode == 0, found.stderr
    result = json.loads(found.stdout)
    assert result["killed"] == 20
    assert result["reached"] == sorted(result["reached"])
    assert result["reached"][-1] > 5
    assert result["equal"]

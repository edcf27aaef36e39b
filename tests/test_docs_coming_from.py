"""The programs of other libraries that docs/coming_from shows beside ours: run, and compared with ours."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

from tests.test_docs import ROOT, blocks, run

PAGES = ROOT / "docs" / "coming_from"


@pytest.fixture
def peer(tmp_path, monkeypatch):
    """Return a function that imports a library where it is installed, and skips the test where it is not."""

    def load(name):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))  # Keras writes its settings there
        monkeypatch.setenv("KERAS_BACKEND", "torch")
        warnings.simplefilter("ignore")  # those of other libraries are not ours
        for needed in ("torch", name):
            pytest.importorskip(needed, exc_type=ImportError)
        return importlib.import_module(name)

    with warnings.catch_warnings():
        yield load


def test_pytorch(peer):
    torch = peer("torch")
    ours = blocks(PAGES / "pytorch.md")
    theirs = blocks(PAGES / "pytorch.md", "torch")
    here = run(ours[:1])
    there = dict(here)
    here = run(ours[1:4], here)
    there = run(theirs[:3], there)
    with torch.no_grad():
        for name, parameter in there["model"].named_parameters():
            parameter.copy_(torch.tensor(here["model"].state_dict()[name]))
    here = run(ours[4:], here)
    there = run(theirs[3:], there)
    assert len(here["losses"]) == 40
    assert here["losses"][-1] < 0.3 * here["losses"][0]
    np.testing.assert_allclose(here["losses"], there["losses"], rtol=1e-4)
    np.testing.assert_allclose(here["scores"].numpy(), there["scores"].numpy(), atol=1e-3)
    np.testing.assert_allclose(here["x"].grad, there["x"].grad.numpy())


def test_keras(peer):
    peer("keras")
    ours = blocks(PAGES / "keras.md")
    here = run(ours[:1])
    there = run(blocks(PAGES / "keras.md", "keras"), dict(here))
    here = run(ours[1:], here)
    assert there["model"].count_params() == sum(p.size for p in here["model"].parameters()) == 204_906
    assert there["history"].history["val_accuracy"][-1] > 0.5
    assert here["history"]["val_accuracy"][-1] > 0.5
    here["from_keras"](there["model"].get_weights(), here["model"])
    scores = here["optim"].predict(here["model"], here["x_val"])
    np.testing.assert_allclose(here["F"].softmax(scores, axis=1), there["probabilities"], atol=1e-5)

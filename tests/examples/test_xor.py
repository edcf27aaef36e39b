"""examples/xor.py: row B4 of the lecture."""

import numpy as np
import pytest

from examples import xor


def test_B4_xor_by_every_optimizer(tmp_path, capsys):
    costs = xor.main(["--out", str(tmp_path / "new")])
    assert costs.keys() == {*xor.OPTIMIZERS, *xor.METHODS}
    assert max(costs.values()) < 1e-3
    assert (tmp_path / "new" / "xor.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr()
    assert "XOR is learned by 13 of 13 optimizers" in shown.out
    assert "100%" in shown.err


def test_too_few_steps_are_not_called_learned(tmp_path, capsys):
    costs = xor.main(["--steps", "2", "--out", str(tmp_path)])
    assert costs["gradient descent"] > 1e-3
    assert "by 5 of 13" in capsys.readouterr().out


def test_both_costs_are_one():
    p = xor.start(np.random.default_rng(3))
    costs = xor.descend("Adam", 0, 3)
    assert costs == [xor.cost(p)]
    assert xor.minimize("levenberg-marquardt", 3)[0] == pytest.approx(costs[0])

"""Schedules against PyTorch's."""

import numpy as np
import pytest

import optim
from autograd import Tensor


def rates(schedule, steps):
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.step()
    return np.array(found)


def make_optimizer():
    groups = [{"params": [Tensor(1.0, requires_grad=True)], "lr": lr} for lr in (0.1, 0.02)]
    return optim.SGD(groups)


@pytest.mark.parametrize("total", [2, 10, 77])
def test_one_cycle_agrees_with_torch(total):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    groups = [{"params": [torch.ones(1, requires_grad=True)], "lr": lr} for lr in (0.1, 0.02)]
    theirs = torch.optim.SGD(groups)
    cycle = torch.optim.lr_scheduler.OneCycleLR(theirs, [0.1, 0.02], total_steps=total, cycle_momentum=False)
    expected = []
    for number in range(total):
        expected.append([group["lr"] for group in theirs.param_groups])
        theirs.step()
        if number < total - 1:
            cycle.step()
    np.testing.assert_allclose(rates(optim.OneCycle(make_optimizer(), total), total), expected, rtol=1e-10)


def test_one_cycle_stays_at_the_end():
    found = rates(optim.OneCycle(make_optimizer(), 5), 9)
    assert np.array_equal(found[4:], found[4:5].repeat(5, axis=0))


def test_state_dict_goes_on():
    schedule = optim.OneCycle(make_optimizer(), 20)
    rates(schedule, 7)
    resumed = optim.OneCycle(make_optimizer(), 20)
    resumed.load_state_dict(schedule.state_dict())
    assert np.array_equal(rates(schedule, 5), rates(resumed, 5))
    with pytest.raises(ValueError, match="1 groups, got 2"):
        optim.OneCycle(optim.SGD([Tensor(1.0, requires_grad=True)]), 3).load_state_dict(schedule.state_dict())


def test_bad_input():
    with pytest.raises(ValueError, match="total"):
        optim.OneCycle(make_optimizer(), 0)

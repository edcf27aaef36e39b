"""Schedules, against PyTorch's; reduce-on-plateau."""

import numpy as np
import pytest

import optim
from autograd import Tensor

RATES = (0.1, 0.02)


def make_optimizer():
    return optim.SGD([{"params": [Tensor(1.0, requires_grad=True)], "lr": lr} for lr in RATES])


def rates(schedule, steps):
    """Return the groups' rates before each of so many calls of step()."""
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in schedule.optimizer.param_groups])
        schedule.step()
    return np.array(found)


def torch_rates(make, steps):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    optimizer = torch.optim.SGD([{"params": [torch.ones(1, requires_grad=True)], "lr": lr} for lr in RATES])
    schedule = make(torch.optim.lr_scheduler, optimizer)
    found = []
    for number in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        if number < steps - 1:
            schedule.step()
    return np.array(found)


def warm_up_then_cosine(module, optimizer):
    parts = [module.LinearLR(optimizer, 0.1, 1.0, 5), module.CosineAnnealingLR(optimizer, 20, 0.001)]
    return module.SequentialLR(optimizer, parts, [5])


PAIRS = {
    "step": lambda m, o: m.StepLR(o, 4, 0.3),
    "exponential": lambda m, o: m.ExponentialLR(o, 0.9),
    "cosine": lambda m, o: m.CosineAnnealingLR(o, 25, 0.001),
    "linear": lambda m, o: m.LinearLR(o, 0.2, 0.9, 7),
    "lambda": lambda m, o: m.LambdaLR(o, lambda count: 1 / (1 + count)),
    "one cycle": lambda m, o: m.OneCycleLR(o, list(RATES), 25),
    "one cycle early": lambda m, o: m.OneCycleLR(o, 0.5, 25, pct_start=0.1, div_factor=10, final_div_factor=100),
    "warm-up, cosine": warm_up_then_cosine,
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step:UserWarning")
@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step:UserWarning")
@pytest.mark.parametrize("name", PAIRS)
def test_g12_schedules_agree_with_torch(name):
    make = PAIRS[name]
    options = {"cycle_momentum": False} if "cycle" in name else {}

    class Torch:
        def __init__(self, module):
            self.module = module

        def __getattr__(self, attribute):
            return lambda *args, **kwargs: getattr(self.module, attribute)(*args, **kwargs, **options)

    expected = torch_rates(lambda module, optimizer: make(Torch(module), optimizer), 25)
    np.testing.assert_allclose(rates(make(optim, make_optimizer()), 25), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("options", [{}, {"cooldown": 2}, {"threshold": 0.1}, {"min_lr": 0.03}])
def test_g12_reduce_on_plateau_agrees_with_torch(mode, options):
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle here")
    theirs = torch.optim.SGD([{"params": [torch.ones(1, requires_grad=True)], "lr": lr} for lr in RATES])
    schedules = [
        optim.ReduceLROnPlateau(make_optimizer(), mode, 0.5, 2, **options),
        torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, mode, 0.5, 2, **options),
    ]
    figures = np.random.default_rng(0).uniform(1, 2, 40)
    for figure in figures:
        for schedule in schedules:
            schedule.step(figure)
        found, expected = ([g["lr"] for g in s.optimizer.param_groups] for s in schedules)
        assert found == pytest.approx(expected)


def test_parts_are_made_in_any_order_and_a_used_schedule_is_not_undone():
    optimizer = make_optimizer()
    cosine, warm = optim.CosineAnnealingLR(optimizer, 10), optim.LinearLR(optimizer, 0.1)
    assert warm.initial == cosine.initial == list(RATES)
    warm.step()
    assert optim.StepLR(optimizer, 3).initial == pytest.approx([0.1 * (0.1 + 0.9 / 5), 0.02 * (0.1 + 0.9 / 5)])


def test_one_cycle_stays_at_the_end():
    found = rates(optim.OneCycleLR(make_optimizer(), 0.1, 5), 9)
    assert np.array_equal(found[4:], found[4:5].repeat(5, axis=0))


SCHEDULES = {
    "one cycle": lambda o: optim.OneCycleLR(o, list(RATES), 20),
    "step": lambda o: optim.StepLR(o, 3),
    "sequential": lambda o: warm_up_then_cosine(optim, o),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_state_dict_goes_on(name):
    schedule, resumed = SCHEDULES[name](make_optimizer()), SCHEDULES[name](make_optimizer())
    rates(schedule, 7)
    resumed.load_state_dict(schedule.state_dict())
    assert np.array_equal(rates(schedule, 5), rates(resumed, 5))


def test_plateau_state_dict_goes_on():
    schedules = [optim.ReduceLROnPlateau(make_optimizer(), patience=1) for _ in range(2)]
    for figure in (3.0, 2.0, 2.5):
        schedules[0].step(figure)
    schedules[1].load_state_dict(schedules[0].state_dict())
    for schedule in schedules:
        schedule.step(2.5)
        assert schedule.optimizer.lr == pytest.approx(0.01)


BAD = [
    (lambda o: optim.OneCycleLR(o, 0.1, 0), "total_steps"),
    (lambda o: optim.OneCycleLR(o, [0.1], 5), "each of 2 groups, got 1"),
    (lambda o: optim.StepLR(o, 0), "step_size"),
    (lambda o: optim.CosineAnnealingLR(o, 0), "T_max"),
    (lambda o: optim.LinearLR(o, total_iters=0), "total_iters"),
    (lambda o: optim.ReduceLROnPlateau(o, "least"), "mode"),
    (lambda o: optim.ReduceLROnPlateau(o, factor=2.0), "factor"),
    (lambda o: optim.SequentialLR(o, [optim.StepLR(o, 1), optim.StepLR(o, 1)], [3, 2]), "1 rising milestones"),
    (lambda o: optim.StepLR(o, 1).load_state_dict({"count": 1, "initial": [0.1]}), "2 groups, got 1"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make(make_optimizer())

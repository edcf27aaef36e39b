"""`check_gradients` beside torch's gradcheck: what each finds, what each calls wrong that is right, and the time.

    python -m benchmarks.gradcheck            # needs torch: pip install torch==2.13.0

Torch runs gradcheck and then gradgradcheck, at their defaults; ours is `check_gradients` at its defaults.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import torch

import nn
import optim  # noqa: F401 (as a user would import all three)
from autograd.testing import examine
from tests.testing import planted, right


class Torch:
    """Torch's operations under the names that the cases use."""

    def __getattr__(self, name):
        return getattr(torch, {"power": "pow", "subtract": "sub", "fabs": "abs"}.get(name, name))

    linalg = torch.linalg
    amax, amin = staticmethod(lambda x, axis: torch.amax(x, axis)), staticmethod(lambda x, axis: torch.amin(x, axis))
    sort = staticmethod(lambda x: torch.sort(x).values)
    leaky_relu, elu = torch.nn.functional.leaky_relu, torch.nn.functional.elu
    softplus = torch.nn.functional.softplus


def gradcheck(function, inputs):
    """Return whether torch's checks accept a function."""
    xs = [torch.tensor(np.array(x), requires_grad=True) for x in inputs]
    try:
        torch.autograd.gradcheck(function, xs)
        torch.autograd.gradgradcheck(function, xs)
    except Exception:
        return False
    return True


def in_torch(case):
    """Return a planted operation as a torch.autograd.Function."""

    class Operation(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *xs):
            out = case.forward(torch, *xs)
            ctx.save_for_backward(*xs, out)
            return out

        @staticmethod
        def backward(ctx, bar):
            *xs, out = ctx.saved_tensors
            return tuple(None if rule is None else rule(torch, bar, tuple(xs), out) for rule in case.rules)

    return Operation.apply


def faults():
    """Print which of the planted faults each finds."""
    found = [0, 0, 0]
    print(f"{'planted fault':44} {'ours':>22} {'torch':>8}")
    for case in planted.CASES:
        planted.SEEN.clear()
        report = examine(planted.surrounded(case.ours(), np), *case.inputs)
        blamed = report.blame is not None and report.blame.operation == "planted"
        ours = f"found, {'blamed' if blamed else 'not blamed'}" if not report.ok else "missed"
        theirs = "-"
        if not case.only_ours:
            planted.SEEN.clear()
            theirs = "missed" if gradcheck(planted.surrounded(in_torch(case), torch), case.inputs) else "found"
        found = [found[0] + (not report.ok), found[1] + (theirs == "found"), found[2] + (theirs != "-")]
        print(f"{case.name:44} {ours:>22} {theirs:>8}")
    print(f"{'found':44} {found[0]:>15} of {len(planted.CASES)} {found[1]:>3} of {found[2]}")


def false_alarms():
    """Print how many right functions each calls wrong."""
    groups = list(dict.fromkeys(case.group for case in right.CASES))
    print(f"\n{'right functions':16} {'cases':>6} {'ours: called wrong':>20} {'torch: called wrong':>20}")
    namespace = Torch()
    for group in groups:
        cases = [case for case in right.CASES if case.group == group]
        ours = [case.name for case in cases if not examine(case.ours, *case.inputs).ok]
        theirs = [
            case.name
            for case in cases
            if not gradcheck(lambda *xs, case=case: case.function(namespace, *xs), case.inputs)
        ]
        print(f"{group:16} {len(cases):>6} {len(ours):>20} {len(theirs):>20}   {', '.join(theirs[:6])}")


def best(function, repeats=5):
    """Return the shortest time of some runs in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def networks():
    """Yield name, our function and torch's, and the arrays, of an MLP with 1,000 parameters and the demo's network."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(8, 20)), rng.normal(size=(8, 2))
    shapes = [(20, 34), (34,), (34, 8), (8,), (8, 2), (2,)]
    parameters = [rng.normal(size=shape) / 4 for shape in shapes]

    def ours(a, b, c, d, e, f):
        return (((np.tanh(np.tanh(x @ a + b) @ c + d) @ e + f) - t) ** 2).mean()

    xt, tt = torch.tensor(x), torch.tensor(t)

    def theirs(a, b, c, d, e, f):
        return (((torch.tanh(torch.tanh(xt @ a + b) @ c + d) @ e + f) - tt) ** 2).mean()

    yield f"MLP, {sum(p.size for p in parameters)} parameters", ours, theirs, parameters

    images = rng.normal(size=(2, 1, 8, 8))
    labels = np.array([3, 7])
    kernels = [
        (rng.normal(size=(8, 1, 3, 3)) / 3, rng.normal(size=8) / 9),
        (rng.normal(size=(16, 8, 3, 3)) / 9, rng.normal(size=16) / 9),
        (rng.normal(size=(10, 64)) / 8, rng.normal(size=10) / 9),
    ]
    arrays = [a for pair in kernels for a in pair]

    def network(k1, b1, k2, b2, w, b):
        y = nn.functional.max_pool2d(nn.functional.relu(nn.functional.conv2d(images, k1, b1, padding=1)), 2)
        y = nn.functional.max_pool2d(nn.functional.relu(nn.functional.conv2d(y, k2, b2, padding=1)), 2)
        return nn.functional.cross_entropy(y.reshape(2, -1) @ w.T + b, labels)

    it, lt = torch.tensor(images), torch.tensor(labels)

    def same(k1, b1, k2, b2, w, b):
        f = torch.nn.functional
        y = f.max_pool2d(f.relu(f.conv2d(it, k1, b1, padding=1)), 2)
        y = f.max_pool2d(f.relu(f.conv2d(y, k2, b2, padding=1)), 2)
        return f.cross_entropy(y.reshape(2, -1) @ w.T + b, lt)

    yield f"digit network, {sum(a.size for a in arrays)} parameters", network, same, arrays


def times():
    """Print the time of a check of first derivatives, and of first and second ones."""
    print(f"\n{'seconds':34} {'order':>5} {'ours':>8} {'torch, fast mode':>18} {'torch, slow mode':>18}")
    for name, ours, theirs, arrays in networks():
        xs = [torch.tensor(a, requires_grad=True) for a in arrays]
        for order, check in ((1, torch.autograd.gradcheck), (2, torch.autograd.gradgradcheck)):
            mine = best(lambda ours=ours, arrays=arrays, order=order: examine(ours, *arrays, order=order))
            fast = best(lambda check=check, theirs=theirs, xs=xs: check(theirs, xs, fast_mode=True))
            slow = "too long"  # second derivatives by each parameter take minutes
            if order == 1:
                slow = f"{best(lambda check=check, theirs=theirs, xs=xs: check(theirs, xs), 2):.3f}"
            print(f"{name:34} {order:>5} {mine:>8.3f} {fast:>18.3f} {slow:>18}")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    faults()
    false_alarms()
    times()

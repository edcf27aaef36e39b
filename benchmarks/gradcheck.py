"""`check_gradients` beside torch's gradcheck: what each finds, what each calls wrong that is right, and the time.

    python -m benchmarks.gradcheck            # needs torch: pip install torch==2.13.0
    python -m benchmarks.gradcheck --write    # also puts the tables into docs/gradcheck.md

Torch runs gradcheck and then gradgradcheck, at their defaults; ours is `check_gradients` at its defaults.
"""

from __future__ import annotations

import argparse
import re
import time
import warnings
from pathlib import Path

import numpy as np
import torch

import nn
import optim  # noqa: F401 (as a user would import all three)
from autograd.testing import examine
from examples.digits import small_recognizer
from tests.testing import planted, right

PAGE = Path(__file__).parents[1] / "docs" / "gradcheck.md"


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
    """Return for each planted fault its name, what ours says and what torch says."""
    rows = []
    for case in planted.CASES:
        planted.SEEN.clear()
        report = examine(planted.surrounded(case.ours(), np), *case.inputs)
        blamed = report.blame is not None and report.blame.operation == "planted"
        ours = "missed" if report.ok else "found, rule named" if blamed else "found"
        theirs = "(ours only)"
        if not case.only_ours:
            planted.SEEN.clear()
            theirs = "missed" if gradcheck(planted.surrounded(in_torch(case), torch), case.inputs) else "found"
        rows.append((case.name, ours, theirs))
    return rows


def false_alarms():
    """Return for each group of right functions how many there are, and which ones ours and torch call wrong."""
    rows, namespace = [], Torch()
    for group in dict.fromkeys(case.group for case in right.CASES):
        cases = [case for case in right.CASES if case.group == group]
        ours = [case.name for case in cases if not examine(case.ours, *case.inputs).ok]
        theirs = [
            case.name
            for case in cases
            if not gradcheck(lambda *xs, case=case: case.function(namespace, *xs), case.inputs)
        ]
        rows.append((group, len(cases), ours, theirs))
    return rows


def table_of_faults(rows):
    """Return the lines of a table, with the sums."""
    ours = sum(row[1] != "missed" for row in rows)
    named = sum(row[1] == "found, rule named" for row in rows)
    theirs, tried = sum(row[2] == "found" for row in rows), sum(row[2] != "(ours only)" for row in rows)
    return [
        "| planted fault | `check_gradients` | torch |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        f"| **found** | **{ours} of {len(rows)}**, rule named in {named} | **{theirs} of {tried}** |",
    ]


def table_of_alarms(rows):
    """Return the lines of a table, with the sums."""
    sums = [sum(row[1] for row in rows), *(sum(len(row[i]) for row in rows) for i in (2, 3))]
    return [
        "| right functions | cases | called wrong by `check_gradients` | called wrong by torch |",
        "|---|---|---|---|",
        *(f"| {group} | {count} | {len(ours)} | {len(theirs)} |" for group, count, ours, theirs in rows),
        f"| **all** | {' | '.join(f'**{number}**' for number in sums)} |",
    ]


def best(function, repeats=5):
    """Return the shortest time of some runs in seconds of the processor, which other programs do not change much."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def networks():
    """Yield name, our function and torch's, and the arrays, of an MLP with 1,000 parameters and the demo's network.

    Both in float64, which gradcheck needs.
    """
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

    model = small_recognizer(rng).astype(np.float64).eval()
    images, labels = rng.normal(size=(2, 1, 8, 8)), np.array([3, 7])
    arrays = [p.data.copy() for p in model.parameters()]

    def network(k1, b1, k2, b2, w1, c1, w2, c2):
        f = nn.functional
        y = f.max_pool2d(f.relu(f.conv2d(images, k1, b1, padding=2)), 2)
        y = f.max_pool2d(f.relu(f.conv2d(y, k2, b2, padding=1)), 2)
        y = f.relu(y.reshape(2, -1) @ w1.T + c1)
        return f.cross_entropy(y @ w2.T + c2, labels)

    it, lt = torch.tensor(images), torch.tensor(labels)

    def same(k1, b1, k2, b2, w1, c1, w2, c2):
        f = torch.nn.functional
        y = f.max_pool2d(f.relu(f.conv2d(it, k1, b1, padding=2)), 2)
        y = f.max_pool2d(f.relu(f.conv2d(y, k2, b2, padding=1)), 2)
        y = f.relu(y.reshape(2, -1) @ w1.T + c1)
        return f.cross_entropy(y @ w2.T + c2, lt)

    yield f"the demo's network, {sum(a.size for a in arrays)} parameters", network, same, arrays


def times():
    """Return the lines of a table: seconds for first derivatives, and for first and second ones."""
    lines = [
        "| seconds | order | `check_gradients` | its quick mode | torch, fast mode | torch, slow mode |",
        "|---|---|---|---|---|---|",
    ]
    for name, ours, theirs, arrays in networks():
        xs = [torch.tensor(a, requires_grad=True) for a in arrays]
        for order, check in ((1, torch.autograd.gradcheck), (2, torch.autograd.gradgradcheck)):
            mine, quick = (
                best(
                    lambda ours=ours, arrays=arrays, order=order, mode=mode: examine(
                        ours, *arrays, order=order, mode=mode
                    )
                )
                for mode in ("auto", "quick")
            )
            fast = best(lambda check=check, theirs=theirs, xs=xs: check(theirs, xs, fast_mode=True))
            slow = f"its table would be {8e-9 * sum(a.size for a in arrays) ** 2:.0f} GB"
            if order == 1 or sum(a.size for a in arrays) < 10_000:
                slow = f"{best(lambda check=check, theirs=theirs, xs=xs: check(theirs, xs), 1):.2f}"
            lines.append(f"| {name} | {order} | {mine:.3f} | {quick:.4f} | {fast:.4f} | {slow} |")
    return lines


def written(text, name, lines):
    """Return a page with the lines of a table in place of those under its name."""
    mark = f"<!-- {name} -->"
    return re.sub(rf"{mark}\n\n(\|.*\n)*", lambda _: "\n".join([mark, "", *lines, ""]), text)


def main():
    """Print the tables, and write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    parser.add_argument("--times", action="store_true", help="only the table of times")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    np.seterr(all="ignore")
    makers = {"times": times}
    if not options.times:
        makers |= {
            "faults": lambda: table_of_faults(faults()),
            "false alarms": lambda: table_of_alarms(false_alarms()),
        }
    for name, make in makers.items():
        lines = make()
        print("\n".join(lines), end="\n\n")
        if options.write:
            PAGE.write_text(written(PAGE.read_text(), name, lines))


if __name__ == "__main__":
    main()

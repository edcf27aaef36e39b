"""XOR, learned by every optimizer (row B4 of the lecture).

`python -m examples.xor` trains a net of one hidden layer, f = w2^T tanh(W1^T x + b) + c, on the four corners of the
unit square, with each optimizer from the same random start, until the cost J = 1/4 sum (f* - f)^2 is below 0.001. A
plot of the cost against the step goes to out/xor.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tqdm import tqdm

import optim
from autograd import Tensor

CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
XOR = np.array([0.0, 1.0, 1.0, 0.0])
GOAL = 1e-3

OPTIMIZERS: dict[str, Callable[[Any], optim.Optimizer]] = {
    "gradient descent": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9),
    "momentum, (1 - a) form": lambda p: optim.SGD(p, lr=0.2, momentum=0.9, averaging=True),
    "Nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "AdaGrad": lambda p: optim.AdaGrad(p, lr=0.3),
    "RMSProp": lambda p: optim.RMSProp(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.05),
    "AdamW": lambda p: optim.AdamW(p, lr=0.05, weight_decay=1e-4),
}

METHODS = ["newton", "cg", "bfgs", "lbfgs", "levenberg-marquardt"]


def start(rng: np.random.Generator, units: int = 8) -> dict[str, Any]:
    """Return random parameters: W1 (2, units), b (units,), w2 (units,) and c."""
    return {"W1": rng.normal(size=(2, units)), "b": rng.normal(size=units), "w2": rng.normal(size=units), "c": 0.0}


def net(p: dict[str, Any]) -> Any:
    """Return f at the four corners."""
    return np.tanh(CORNERS @ p["W1"] + p["b"]) @ p["w2"] + p["c"]


def cost(p: dict[str, Any]) -> Any:
    """Return J, the mean squared error."""
    return ((net(p) - XOR) ** 2).mean()


def descend(name: str, steps: int, seed: int) -> list[float]:
    """Train by an optimizer for at most so many steps; returns the cost before each step, and the last."""
    values = start(np.random.default_rng(seed))
    p = {key: Tensor(value, requires_grad=True) for key, value in values.items()}
    optimizer = OPTIMIZERS[name](list(p.values()))
    costs = []
    for _ in range(steps + 1):
        loss = cost(p)
        costs.append(loss.item())
        if costs[-1] < GOAL:
            break
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return costs


def minimize(method: str, seed: int) -> list[float]:
    """Train by a method of `optim.minimize`; returns the cost before each iteration, and the last."""
    f = (lambda p: (net(p) - XOR) / 2**0.5) if method == "levenberg-marquardt" else cost
    found = optim.minimize(f, start(np.random.default_rng(seed)), method, gtol=1e-4)
    return [step.fun for step in found.trace]


def plot(costs: dict[str, list[float]], path: Path) -> None:
    """Draw the cost against the step, for each optimizer."""
    figure = Figure(figsize=(7.2, 4.8), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for i, (name, values) in enumerate(costs.items()):
        axes.plot(values, label=name, linestyle="--" if name in METHODS else "-", color=f"C{i % 10}")
    axes.axhline(GOAL, color="gray", linewidth=1)
    axes.set(xlabel="step", ylabel="cost J", title="XOR with tanh", xscale="symlog", yscale="log")
    axes.set(xlim=(0, None), ylim=(GOAL / 10, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Run the program; returns the last cost of each optimizer."""
    parser = argparse.ArgumentParser(prog="python -m examples.xor", description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=1500, help="steps of an optimizer at most (1500)")
    parser.add_argument("--seed", type=int, default=0, help="of the random start (0)")
    parser.add_argument("--out", type=Path, default=Path("out"), help="directory for the plot (out)")
    options = parser.parse_args(arguments)
    costs = {}
    for name in (bar := tqdm([*OPTIMIZERS, *METHODS], unit="optimizer")):
        bar.set_description_str(f"XOR by {name}")
        found = minimize(name, options.seed) if name in METHODS else descend(name, options.steps, options.seed)
        costs[name] = found
        bar.set_postfix_str(f"J = {found[-1]:.1e}")
    plot(costs, options.out / "xor.png")
    learned = sum(values[-1] < GOAL for values in costs.values())
    fastest = min(costs, key=lambda name: (costs[name][-1] >= GOAL, len(costs[name])))
    print(
        f"XOR is learned by {learned} of {len(costs)} optimizers, "
        f"in the fewest steps by {fastest}: {len(costs[fastest]) - 1}."
    )
    return {name: values[-1] for name, values in costs.items()}


if __name__ == "__main__":
    main()

"""The jobs in this project's engine, layers and optimizers, as a user would write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd
import nn
import nn.functional as F
import optim
from autograd import Tensor
from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks


def descent(
    forward: Callable[[], Any], update: Callable[[], None], zero_grad: Callable[[], None], reset: Callable[[], None]
) -> Steps:
    """Return the steps of a descent, with their phases."""

    def step() -> Any:
        zero_grad()
        loss = forward()
        loss.backward()
        update()
        return loss

    phases = {"forward": lambda _: forward(), "sweep": lambda loss: loss.backward(), "update": lambda _: update()}
    return Steps(reset, step, lambda loss: float(loss.item()), {"zero": lambda _: zero_grad(), **phases})


def training(model: nn.Module, loss: Callable[..., Any], optimizer: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch."""
    optimizers: list[Any] = []

    def reset() -> None:
        model.load_state_dict({name: w.copy() for name, w in arrays["weights"].items()})
        optimizers[:] = [optimizer(model.parameters())]

    x, t = arrays["x"], arrays["t"]
    return descent(lambda: loss(model(x), t), lambda: optimizers[0].step(), lambda: optimizers[0].zero_grad(), reset)


def recognizer(drop: tuple[float, float, float]) -> nn.Sequential:
    """Return F1."""
    return nn.Sequential(
        {
            "conv1": nn.Conv2d(1, 8, 5, padding="same"),
            "relu1": nn.ReLU(),
            "pool1": nn.MaxPool(2),
            "drop1": nn.Dropout(drop[0]),
            "conv2": nn.Conv2d(8, 16, 3, padding="same"),
            "relu2": nn.ReLU(),
            "pool2": nn.MaxPool(2),
            "drop2": nn.Dropout(drop[1]),
            "flatten": nn.Flatten(),
            "dense1": nn.Dense(784, 256),
            "relu3": nn.ReLU(),
            "drop3": nn.Dropout(drop[2]),
            "dense2": nn.Dense(256, 10),
        }
    )


def digits(arrays: Arrays) -> Steps:
    model = recognizer(arrays["drop"])
    return training(model, F.cross_entropy, lambda ps: optim.Adam(ps, lr=arrays["lr"]), arrays)


def lenet(arrays: Arrays) -> Steps:
    model = nn.Sequential(
        {
            "c1": nn.Conv2d(1, 6, 5),
            "relu1": nn.ReLU(),
            "s2": nn.MaxPool(2),
            "c3": nn.Conv2d(6, 16, 5),
            "relu3": nn.ReLU(),
            "s4": nn.MaxPool(2),
            "c5": nn.Conv2d(16, 120, 5),
            "relu5": nn.ReLU(),
            "flatten": nn.Flatten(),
            "f6": nn.Dense(120, 84),
            "relu6": nn.ReLU(),
            "output": nn.Dense(84, 10),
        }
    )
    momentum = arrays["momentum"]
    return training(model, F.cross_entropy, lambda ps: optim.SGD(ps, lr=arrays["lr"], momentum=momentum), arrays)


def two_layers(sizes: tuple[int, int, int]) -> nn.Sequential:
    return nn.Sequential({"hidden": nn.Dense(*sizes[:2]), "relu": nn.ReLU(), "output": nn.Dense(*sizes[1:])})


def mlp(arrays: Arrays) -> Steps:
    return training(two_layers((784, 256, 10)), F.cross_entropy, lambda ps: optim.SGD(ps, lr=arrays["lr"]), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(two_layers((2, 8, 1)), F.mse_loss, lambda ps: optim.SGD(ps, lr=arrays["lr"]), arrays)


class Sequences(nn.Module):
    """A recurrent layer, and a dense one at each step."""

    def __init__(self, cell: nn.Module, hidden: int) -> None:
        self.cell = cell
        self.output = nn.Dense(hidden, 10)

    def forward(self, x: Any) -> Any:
        return self.output(self.cell(x)[0])


def rnn(arrays: Arrays, layer: Any = nn.RNN) -> Steps:
    model = Sequences(layer(32, arrays["hidden"]), arrays["hidden"])
    return training(model, F.mse_loss, lambda ps: optim.SGD(ps, lr=arrays["lr"]), arrays)


def lstm(arrays: Arrays) -> Steps:
    return rnn(arrays, nn.LSTM)


def transformer(arrays: Arrays) -> Steps:
    model = nn.TransformerEncoderLayer(128, arrays["heads"], 512, 0.0, batch_first=True)
    return training(model, F.mse_loss, lambda ps: optim.SGD(ps, lr=arrays["lr"]), arrays)


def scalars(forward: Callable[[], Any], parameters: list[Tensor], rate: float) -> Steps:
    """Return the steps of a descent on single numbers."""
    start = [p.item() for p in parameters]

    def reset() -> None:
        for p, value in zip(parameters, start, strict=True):
            p.data = value

    def update() -> None:
        for p in parameters if rate else ():
            p.data -= rate * p.grad

    def zero_grad() -> None:
        for p in parameters:
            p.grad = None

    return descent(forward, update, zero_grad, reset)


def chain(arrays: Arrays) -> Steps:
    w, b = (Tensor(arrays[name], requires_grad=True) for name in "wb")
    return scalars(lambda: networks.chain(w, b, arrays["length"]), [w, b], arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    weights, biases, parameters = networks.numbers(arrays, lambda value: Tensor(value, requires_grad=True))
    return scalars(
        lambda: networks.neurons(weights, biases, arrays["x"], arrays["t"], autograd.relu), parameters, arrays["lr"]
    )


def hvp(arrays: Arrays) -> Steps:
    x, t, weights, v = (arrays[name] for name in ("x", "t", "weights", "v"))

    def loss(p: Any) -> Any:
        hidden = np.tanh(F.linear(x, p["hidden.weight"], p["hidden.bias"]))
        return F.cross_entropy(F.linear(hidden, p["output.weight"], p["output.bias"]), t)

    product = autograd.hvp(loss)
    return Steps(
        lambda: None, lambda: product(weights, v), lambda found: float(sum((found[name] * v[name]).sum() for name in v))
    )


def epoch(arrays: Arrays) -> Steps:
    model = recognizer(arrays["drop"])
    optimizers: list[Any] = []

    def reset() -> None:
        model.load_state_dict({name: w.copy() for name, w in arrays["weights"].items()})
        optimizers[:] = [optim.Adam(model.parameters(), lr=arrays["lr"])]

    def batch(x: Any, t: Any) -> float:
        optimizers[0].zero_grad()
        loss = F.cross_entropy(model(x), t)
        loss.backward()
        optimizers[0].step()
        return loss.item()

    return networks.epoch(arrays, reset, batch)


def gradcheck(arrays: Arrays) -> Steps:
    from autograd.testing import examine

    x, t = arrays["x"], arrays["t"]

    def loss(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        return (((np.tanh(np.tanh(x @ a + b) @ c + d) @ e + f) - t) ** 2).mean()

    mode = "quick" if arrays["directions"] else "auto"
    return Steps(lambda: None, lambda: examine(loss, *arrays["weights"], order=2, mode=mode).ok)

"""The jobs in PyTorch, eager, or compiled where `COMPILED` is set before a job is made."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
COMPILED = False


def training(model: Any, loss: Callable[..., Any], optimizer: Callable[..., Any], arrays: Arrays) -> Steps:
    """Return the steps of a training on one batch."""
    x, t = torch.tensor(arrays["x"]), torch.tensor(arrays["t"])
    optimizers: list[Any] = []

    def reset() -> None:
        load(model, arrays["weights"])
        optimizers[:] = [optimizer([p for p in model.parameters() if p.requires_grad])]

    def forward() -> Any:
        return loss(model(x), t)

    forward = torch.compile(forward) if COMPILED else forward

    def step() -> Any:
        optimizers[0].zero_grad()
        value = forward()
        value.backward()
        optimizers[0].step()
        return value

    return Steps(reset, step, lambda value: value.item())


def load(model: Any, weights: Arrays) -> None:
    """Write start weights into a model."""
    model.load_state_dict({name: torch.tensor(w) for name, w in weights.items()}, strict=False)


def recognizer(drop: tuple[float, float, float]) -> Any:
    """Return F1."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(1, 8, 5, padding=2),
            relu1=nn.ReLU(),
            pool1=nn.MaxPool2d(2),
            drop1=nn.Dropout(drop[0]),
            conv2=nn.Conv2d(8, 16, 3, padding=1),
            relu2=nn.ReLU(),
            pool2=nn.MaxPool2d(2),
            drop2=nn.Dropout(drop[1]),
            flatten=nn.Flatten(),
            dense1=nn.Linear(784, 256),
            relu3=nn.ReLU(),
            drop3=nn.Dropout(drop[2]),
            dense2=nn.Linear(256, 10),
        )
    )


def digits(arrays: Arrays) -> Steps:
    model = recognizer(arrays["drop"])
    return training(model, F.cross_entropy, lambda ps: torch.optim.Adam(ps, lr=arrays["lr"]), arrays)


def lenet(arrays: Arrays) -> Steps:
    model = nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(1, 6, 5),
            relu1=nn.ReLU(),
            s2=nn.MaxPool2d(2),
            c3=nn.Conv2d(6, 16, 5),
            relu3=nn.ReLU(),
            s4=nn.MaxPool2d(2),
            c5=nn.Conv2d(16, 120, 5),
            relu5=nn.ReLU(),
            flatten=nn.Flatten(),
            f6=nn.Linear(120, 84),
            relu6=nn.ReLU(),
            output=nn.Linear(84, 10),
        )
    )
    momentum = arrays["momentum"]
    return training(model, F.cross_entropy, lambda ps: torch.optim.SGD(ps, lr=arrays["lr"], momentum=momentum), arrays)


def two_layers(sizes: tuple[int, int, int]) -> Any:
    return nn.Sequential(OrderedDict(hidden=nn.Linear(*sizes[:2]), relu=nn.ReLU(), output=nn.Linear(*sizes[1:])))


def sgd(arrays: Arrays) -> Callable[..., Any]:
    return lambda ps: torch.optim.SGD(ps, lr=arrays["lr"])


def mlp(arrays: Arrays) -> Steps:
    return training(two_layers((784, 256, 10)), F.cross_entropy, sgd(arrays), arrays)


def xor(arrays: Arrays) -> Steps:
    return training(two_layers((2, 8, 1)), F.mse_loss, sgd(arrays), arrays)


class Sequences(nn.Module):
    """A recurrent layer, and a dense one at each step."""

    def __init__(self, cell: Any, hidden: int) -> None:
        super().__init__()
        self.cell = cell
        self.output = nn.Linear(hidden, 10)
        # The second bias of the gates stays at 0: the same function as with one bias, and no work for its gradient.
        cell.bias_hh_l0.requires_grad_(False).zero_()

    def forward(self, x: Any) -> Any:
        return self.output(self.cell(x)[0])


def rnn(arrays: Arrays, layer: Any = nn.RNN) -> Steps:
    model = Sequences(layer(32, arrays["hidden"]), arrays["hidden"])
    return training(model, F.mse_loss, sgd(arrays), arrays)


def lstm(arrays: Arrays) -> Steps:
    return rnn(arrays, nn.LSTM)


def transformer(arrays: Arrays) -> Steps:
    model = nn.TransformerEncoderLayer(128, arrays["heads"], 512, 0.0, batch_first=True)
    return training(model, F.mse_loss, sgd(arrays), arrays)


def scalars(forward: Callable[[], Any], parameters: list[Any], rate: float) -> Steps:
    """Return the steps of a descent on single numbers."""
    start = [p.item() for p in parameters]

    @torch.no_grad()
    def reset() -> None:
        for p, value in zip(parameters, start, strict=True):
            p.fill_(value)

    @torch.no_grad()
    def update() -> None:
        for p in parameters:
            if rate:
                p -= rate * p.grad
            p.grad = None

    def step() -> Any:
        loss = forward()
        loss.backward()
        update()
        return loss

    return Steps(reset, step, lambda loss: loss.item())


def number(value: float) -> Any:
    return torch.tensor(value, dtype=torch.float64, requires_grad=True)


def chain(arrays: Arrays) -> Steps:
    w, b = number(arrays["w"]), number(arrays["b"])
    return scalars(lambda: networks.chain(w, b, arrays["length"]), [w, b], arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    weights, biases, parameters = networks.numbers(arrays, number)
    return scalars(
        lambda: networks.neurons(weights, biases, arrays["x"], arrays["t"], torch.relu), parameters, arrays["lr"]
    )


def hvp(arrays: Arrays) -> Steps:
    x, t = torch.tensor(arrays["x"]), torch.tensor(arrays["t"])
    weights = [torch.tensor(w, requires_grad=True) for w in arrays["weights"].values()]
    v = [torch.tensor(part) for part in arrays["v"].values()]

    def step() -> Any:
        w1, b1, w2, b2 = weights
        loss = F.cross_entropy(F.linear(torch.tanh(F.linear(x, w1, b1)), w2, b2), t)
        gradients = torch.autograd.grad(loss, weights, create_graph=True)
        return torch.autograd.grad(gradients, weights, v)

    return Steps(lambda: None, step, lambda found: sum((a * b).sum().item() for a, b in zip(found, v, strict=True)))


def epoch(arrays: Arrays) -> Steps:
    model, order = recognizer(arrays["drop"]), torch.tensor(arrays["order"])
    optimizers: list[Any] = []

    def reset() -> None:
        load(model, arrays["weights"])
        optimizers[:] = [torch.optim.Adam(model.parameters(), lr=arrays["lr"])]

    forward = torch.compile(model) if COMPILED else model

    def step() -> Any:
        images, labels = map(torch.tensor, arrays["read"]())
        x = images * (1 / 255)
        total = 0.0
        for chosen in order.split(64):
            optimizers[0].zero_grad()
            loss = F.cross_entropy(forward(x[chosen]), labels[chosen])
            loss.backward()
            optimizers[0].step()
            total += loss.item() * len(chosen)
        return total / len(order)

    return Steps(reset, step)


def gradcheck(arrays: Arrays) -> Steps:
    x, t = torch.tensor(arrays["x"]), torch.tensor(arrays["t"])
    weights = [torch.tensor(w, requires_grad=True) for w in arrays["weights"]]

    def loss(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> Any:
        return (((torch.tanh(torch.tanh(x @ a + b) @ c + d) @ e + f) - t) ** 2).mean()

    def step() -> bool:
        fast = arrays["directions"] == 1
        first = torch.autograd.gradcheck(loss, weights, fast_mode=fast)
        return first and torch.autograd.gradgradcheck(loss, weights, fast_mode=fast)

    return Steps(lambda: None, step)

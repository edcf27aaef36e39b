"""The jobs of single numbers in micrograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from micrograd.engine import Value

from benchmarks.jobs import Arrays, Steps
from benchmarks.libraries import networks

MISSING = dict.fromkeys(
    ["digits", "lenet", "mlp", "rnn", "lstm", "transformer", "epoch"], "micrograd has single numbers only"
) | {"hvp": "no second derivatives", "gradcheck": "no gradient check"}


def descent(forward: Callable[[], Any], parameters: list[Any], rate: float) -> Steps:
    """Return the steps of a descent."""
    start = [p.data for p in parameters]

    def reset() -> None:
        for p, value in zip(parameters, start, strict=True):
            p.data = value

    def step() -> Any:
        for p in parameters:
            p.grad = 0
        loss = forward()
        loss.backward()
        for p in parameters if rate else ():
            p.data -= rate * p.grad
        return loss

    return Steps(reset, step, lambda loss: loss.data)


def chain(arrays: Arrays) -> Steps:
    w, b = Value(arrays["w"]), Value(arrays["b"])
    return descent(lambda: networks.chain(w, b, arrays["length"]), [w, b], arrays["lr"])


def neurons(arrays: Arrays) -> Steps:
    weights, biases, parameters = networks.numbers(arrays, Value)
    return descent(
        lambda: networks.neurons(weights, biases, arrays["x"], arrays["t"], Value.relu), parameters, arrays["lr"]
    )


def xor(arrays: Arrays) -> Steps:
    w = {name: array.tolist() for name, array in arrays["weights"].items()}
    layers = {
        "weights": [w["hidden.weight"], w["output.weight"]],
        "biases": [w["hidden.bias"], w["output.bias"]],
        "x": arrays["x"].tolist(),
        "t": arrays["t"][:, 0].tolist(),
        "lr": arrays["lr"],
    }
    return neurons(layers)

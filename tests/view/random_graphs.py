"""Random computations for the view's tests: scalars, vectors and matrices, some named, with reuse."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import autograd
from autograd import Tensor

UNARY = {
    "neg": lambda x: -x,
    "square": np.square,
    "cube": lambda x: x**3,
    "root": lambda x: np.sqrt(x * x + 1),
    "sin": np.sin,
    "tanh": np.tanh,
    "sigmoid": autograd.sigmoid,
    "softplus": autograd.softplus,
    "relu": autograd.relu,
    "leaky": lambda x: autograd.leaky_relu(x, 0.1),
    "exp": lambda x: np.exp(np.sin(x)),
    "log": lambda x: np.log(x * x + 0.5),
    "reciprocal": lambda x: 1 / (x * x + 1),
    "half": lambda x: 0.5 * x,
    "third": lambda x: x / 3,
    "where": lambda x: np.where(x > 0.1, x, 0.1 * x),
    "absolute": abs,
    "shift": lambda x: 2 - x,
}
REDUCING = {
    "sum": lambda x: x.sum(),
    "mean": lambda x: x.mean(),
    "last": lambda x: x.sum(axis=-1),
    "kept": lambda x: x - x.mean(axis=0, keepdims=True),
    "softmax": lambda x: autograd.softmax(x, axis=-1),
    "transpose": lambda x: x.T,
    "column": lambda x: x[:, None] if x.ndim == 1 else x[0],
    "reverse": lambda x: x[::-1],
    "logsumexp": lambda x: autograd.logsumexp(x, axis=-1),
    "flat": lambda x: x.reshape(-1),
}
BINARY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / (y * y + 1),
    "matmul": lambda x, y: x @ y,
    "maximum": np.maximum,
    "scaled": lambda x, y: 0.25 * x * y,
}


@st.composite
def computations(draw: Any, steps: int = 10) -> Any:
    """Return a function that computes a scalar from fresh leaves; it returns that and all tensors it made."""
    seed = draw(st.integers(0, 2**32 - 1))
    program = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*UNARY, *REDUCING, *BINARY, *BINARY]),
                st.integers(0, 30),
                st.integers(0, 30),
                st.booleans(),
            ),
            min_size=2,
            max_size=steps,
        )
    )

    def compute() -> tuple[Tensor, list[Tensor]]:
        rng = np.random.default_rng(seed)
        leaves = [
            Tensor(rng.uniform(-1.5, 1.5, shape), requires_grad=True).named(name)
            for name, shape in [("a", ()), ("b", ()), ("v", (3,)), ("W", (3, 3)), ("M", (2, 3))]
        ]
        found: list[Tensor] = [*leaves, Tensor(rng.uniform(-1, 1, 3))]
        for place, (name, i, j, named) in enumerate(program):
            x, y = found[-1 - i % len(found)], found[-1 - j % len(found)]
            try:
                if name in UNARY:
                    z = UNARY[name](x)
                elif name in REDUCING:
                    if x.ndim == 0 or x.size == 0:
                        continue
                    z = REDUCING[name](x)
                else:
                    z = BINARY[name](x, y)
            except ValueError:  # shapes that do not fit
                continue
            if z.size > 50:
                continue
            found.append(z.named(f"q{place}") if named else z)
        last = next(t for t in reversed(found) if t.requires_grad)
        loss = (last * last).sum() + last.sum() if last.ndim else last * last + last
        return loss.named("L"), [*found, loss]

    return compute

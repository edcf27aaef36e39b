"""Search over hyper-parameters: a grid, or random draws."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np


class Trial(NamedTuple):
    """One setting and what it scored.

    Attributes:
        settings: values of the hyper-parameters, by name.
        score: what the objective returned.
    """

    settings: dict[str, Any]
    score: float


def search(
    objective: Callable[..., float],
    space: Mapping[str, Any],
    *,
    trials: int | None = None,
    maximize: bool = False,
    rng: np.random.Generator | int | None = None,
) -> list[Trial]:
    """Try settings of hyper-parameters and return them with their scores, best first.

    Args:
        objective: called with a setting as keyword arguments, e.g. `lr=0.1, units=64`; returns the score.
        space: for each hyper-parameter a list of values, or (random search only) a function of the generator that
            draws one, such as `lambda rng: 10 ** rng.uniform(-4, -1)`.
        trials: number of random draws; None tries every combination (grid search).
        maximize: whether larger scores are better.
        rng: generator or seed for the draws.

    Raises:
        ValueError: an empty space.
        TypeError: a function in a grid search.

    Source: Bergstra and Bengio, "Random search for hyper-parameter optimization", JMLR 13 (2012), on why to draw.

    Example:
        >>> [best, *_] = search(lambda x, y: (x - 2) ** 2 + y, {"x": [1, 2, 3], "y": [0, 5]})
        >>> best
        Trial(settings={'x': 2, 'y': 0}, score=0)
    """
    if not space:
        raise ValueError("search: there is no hyper-parameter to vary")
    settings = _grid(space) if trials is None else _draws(space, trials, np.random.default_rng(rng))
    found = [Trial(setting, objective(**setting)) for setting in settings]
    return sorted(found, key=lambda trial: trial.score, reverse=maximize)


def _grid(space: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, choices in space.items():
        if not isinstance(choices, Sequence):
            raise TypeError(
                f"search: a grid needs a list of values for {name}; give trials=... to draw from a function"
            )
    return (dict(zip(space, values, strict=True)) for values in itertools.product(*space.values()))


def _draws(space: Mapping[str, Any], trials: int, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    for _ in range(trials):
        yield {
            name: choices(rng) if callable(choices) else choices[rng.integers(len(choices))]
            for name, choices in space.items()
        }

"""`@gradients(...)`: a function or a layer as a property test of its gradients, in two lines."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from autograd.testing.check import examined
from autograd.testing.report import GradientError


def gradients(
    *strategies: Any, order: int = 2, mode: str = "auto", examples: int | None = None, **named: Any
) -> Callable[[Callable[..., Any]], Callable[[], None]]:
    """Turn what it decorates into a test that Hypothesis runs: `check_gradients` at many points.

    Points at which no result is finite are passed over. Under pytest, a failing example is saved as a page.

    Args:
        *strategies: one for each argument of the function, in order (`autograd.testing.strategies.arrays()` ...).
        order: how many derivatives.
        mode: as for `check_gradients`.
        examples: how many points; Hypothesis' own setting (100) if left out.
        **named: strategies by the names of the function's arguments, instead of by position.

    Returns:
        A decorator, for a function or for a layer with parameters.

    Raises:
        ImportError: Hypothesis is not installed.
        TypeError: no strategy is given, or there is none for an argument, or one too many.

    Example:
        >>> import numpy as np
        >>> from autograd.testing.strategies import arrays
        >>> @gradients(x=arrays((3,)), y=arrays((3,), away_from=[0]), examples=5)
        ... def test_quotient(x, y):
        ...     return np.sin(x) / y
        >>> test_quotient()
    """
    try:
        import hypothesis
        from hypothesis import strategies as st
    except ImportError as error:
        raise ImportError("@gradients needs Hypothesis: pip install 'bargrad[test]'") from error
    if bool(strategies) == bool(named):
        raise TypeError("gradients: expected a strategy for each argument, either by position or by name")

    def decorate(function: Callable[..., Any]) -> Callable[[], None]:
        drawn = strategies or tuple(_in_order(function, named))

        limits: dict[str, Any] = {} if examples is None else {"max_examples": examples}

        @hypothesis.settings(deadline=None, **limits)
        @hypothesis.given(inputs=st.tuples(*drawn))
        def test(inputs: tuple[Any, ...]) -> None:
            try:
                report, explain = examined(function, inputs, order, mode, 0)
            except ValueError as error:
                if "is finite at this point" not in str(error):
                    raise
                hypothesis.reject()
            if not report.ok:
                raise GradientError(report, explain)

        for name in ("__name__", "__qualname__", "__doc__", "__module__"):
            if hasattr(function, name) and getattr(function, name) is not None:
                setattr(test, name, getattr(function, name))
        return test

    return decorate


def _in_order(function: Callable[..., Any], named: dict[str, Any]) -> list[Any]:
    """Return the strategies in the order of the function's arguments."""
    arguments = inspect.signature(function).parameters
    unknown = named.keys() - arguments.keys()
    missing = [name for name, p in arguments.items() if name not in named and p.default is p.empty]
    if unknown or missing:
        problem = f"there is no argument {sorted(unknown)}" if unknown else f"there is no strategy for {missing}"
        raise TypeError(f"gradients: {problem}; the arguments are {[*arguments]}")
    return [named[name] for name in arguments if name in named]

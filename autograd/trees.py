"""Nested lists, tuples and dicts of arrays, as the transforms take and return them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Return what stands at the ends of nested lists, tuples and dicts, in order."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in leaves(branch)]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def rebuild(tree: Any, values: Iterator[Any]) -> Any:
    """Return the same nesting with the leaves replaced, in order, by `values`."""
    if isinstance(tree, dict):
        return type(tree)((key, rebuild(branch, values)) for key, branch in tree.items())
    if isinstance(tree, (list, tuple)):
        branches = [rebuild(branch, values) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return next(values)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return the same nesting with `function` applied to the leaves of `tree` and of `others` beside them."""
    return rebuild(tree, iter([function(*group) for group in zip(*map(leaves, (tree, *others)), strict=True)]))

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


def leaves_like(tree: Any, other: Any, what: str) -> list[Any]:
    """Return the leaves of `other` in the order of `tree`, whose nesting it must have; dicts match by key.

    Raises:
        ValueError: another nesting; the message begins with `what`.
    """
    if isinstance(tree, dict):
        if not isinstance(other, dict) or tree.keys() != other.keys():
            got = [*other] if isinstance(other, dict) else type(other).__name__
            raise ValueError(f"{what}: expected a dict with the keys {[*tree]}, got {got}")
        return [leaf for key in tree for leaf in leaves_like(tree[key], other[key], what)]
    if isinstance(tree, (list, tuple)):
        if not isinstance(other, (list, tuple)) or len(tree) != len(other):
            got = f"{len(other)}" if isinstance(other, (list, tuple)) else type(other).__name__
            raise ValueError(f"{what}: expected a sequence of {len(tree)}, got {got}")
        return [leaf for pair in zip(tree, other, strict=True) for leaf in leaves_like(*pair, what)]
    return [other]


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """Return the same nesting with `function` applied to the leaves of `tree` and of `others` beside them."""
    return rebuild(tree, iter([function(*group) for group in zip(*map(leaves, (tree, *others)), strict=True)]))

"""Cells of a grid: settings with an id made of their content, never a position."""

import hashlib
import itertools
import json
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeAlias

Cell: TypeAlias = dict[str, Any]
"""One setting of every axis, by the name of its column."""


def product(**axes: Iterable[Any]) -> list[Cell]:
    """All combinations of the axes, the last one varying fastest.

    Example:
        >>> product(depth=(5, 10), seed=range(1))
        [{'depth': 5, 'seed': 0}, {'depth': 10, 'seed': 0}]
    """
    return [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())
    ]


def content_id(settings: Any) -> str:
    """Hash of settings that does not depend on the order of their names.

    Args:
        settings: Anything that JSON can write.

    Returns:
        The first 12 hexadecimal digits of the SHA-256 of its canonical JSON.

    Example:
        >>> content_id({"a": 1, "b": 2}) == content_id({"b": 2, "a": 1})
        True
    """
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def group(cells: Iterable[Cell], key: Callable[[Cell], Hashable]) -> list[list[Cell]]:
    """Cells with equal keys, in the order in which the keys appear.

    Example:
        >>> cells = product(width=(8, 9), seed=range(3))
        >>> [len(same) for same in group(cells, lambda cell: cell["width"])]
        [3, 3]
    """
    groups: dict[Hashable, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(key(cell), []).append(cell)
    return list(groups.values())

"""Checks of the axes that sweeps share, made before anything is computed.

Each returns the values without repetitions, in the spelling that tables use.
"""

import math
from collections.abc import Sequence
from typing import TypeVar

from initjax.activations import resolve
from sweeps import data
from sweeps.schemes import canonical

T = TypeVar("T")


def within(axis: str, values: Sequence[int], least: int, most: int) -> tuple[int, ...]:
    """Whole numbers from ``least`` to ``most``.

    Raises:
        ValueError: for a value outside, or for none at all.

    Example:
        >>> within("depths", [10, 5, 10], 1, 100)
        (10, 5)
    """
    for value in _all_of(axis, values, int, "whole numbers"):
        if not least <= value <= most:
            bound = f">= {least}" if value < least else f"<= {most}"
            raise ValueError(f"--{axis} must be {bound}; got {value}")
    return _distinct(axis, values)


def activations(names: Sequence[str], axis: str = "activations") -> tuple[str, ...]:
    """Names of known activations, given as the option ``axis``.

    Raises:
        ValueError: for an unknown name, or for none at all.
    """
    names = _all_of(axis, names, str, "names")
    return _distinct(axis, [resolve(name).name for name in names])


def schemes(names: Sequence[str]) -> tuple[str, ...]:
    """Names of known schemes, with valid arguments.

    Raises:
        ValueError: for an unknown scheme, or for none at all.
    """
    names = _all_of("schemes", names, str, "names")
    return _distinct("schemes", [canonical(name) for name in names])


def positive(
    axis: str, values: Sequence[float], below: float = math.inf
) -> tuple[float, ...]:
    """Finite numbers above 0 and below ``below``.

    Raises:
        ValueError: for another value, or for none at all.

    Example:
        >>> positive("rates", [0.01, 1, 0.01])
        (0.01, 1.0)
    """
    wrong = [value for value in values if not 0 < value < below]
    if wrong or not values:
        bound = "" if below == math.inf else f" and < {below:g}"
        raise ValueError(f"--{axis} must be numbers > 0{bound}; got {(wrong or values)!r}")
    return _distinct(axis, [float(value) for value in values])


def inputs(kinds: Sequence[str], batch: int) -> tuple[str, ...]:
    """Names of known inputs and of files, which are read.

    Raises:
        ValueError: for an unknown one, for none at all, for a file that cannot be
            used, and for a batch that is larger than the data.
    """
    for kind in _all_of("inputs", kinds, str, "names"):
        if kind not in data.INPUTS and not data.is_archive(kind):
            raise ValueError(
                f"--inputs must be of {', '.join(data.INPUTS)}, or paths of .npz files; "
                f"got {kind!r}"
            )
        most = data.count(kind)
        if most is not None and batch > most:
            raise ValueError(
                f"--batches goes to {batch}, but {data.name(kind)} has {most} examples"
            )
    return _distinct("inputs", [data.name(kind) for kind in kinds])


def _all_of(axis: str, values: Sequence[T], kind: type[T], words: str) -> Sequence[T]:
    """The values, if they are a sequence of this type and no other."""
    if not isinstance(values, tuple | list) or any(type(v) is not kind for v in values):
        raise ValueError(f"--{axis} must be {words}; got {values!r}")
    return values


def _distinct(axis: str, values: Sequence[T]) -> tuple[T, ...]:
    if not values:
        raise ValueError(f"--{axis} needs at least one value")
    return tuple(dict.fromkeys(values))

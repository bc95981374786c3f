"""Checks of the axes that sweeps share, made before anything is computed.

Each returns the values without repetitions, in the spelling that tables use.
"""

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


def inputs(kinds: Sequence[str], batch: int) -> tuple[str, ...]:
    """Names of known inputs.

    Raises:
        ValueError: for an unknown one, for none at all, and for a batch that
            is larger than the data.
    """
    for kind in _all_of("inputs", kinds, str, "names"):
        if kind not in data.INPUTS:
            raise ValueError(f"--inputs must be of {', '.join(data.INPUTS)}; got {kind!r}")
        if kind == "mnist" and batch > data.MNIST_IMAGES:
            raise ValueError(
                f"--batches goes to {batch}, but mnist has {data.MNIST_IMAGES} images"
            )
    return _distinct("inputs", kinds)


def _all_of(axis: str, values: Sequence[T], kind: type[T], words: str) -> Sequence[T]:
    """The values, if they are a sequence of this type and no other."""
    if not isinstance(values, tuple | list) or any(type(v) is not kind for v in values):
        raise ValueError(f"--{axis} must be {words}; got {values!r}")
    return values


def _distinct(axis: str, values: Sequence[T]) -> tuple[T, ...]:
    if not values:
        raise ValueError(f"--{axis} needs at least one value")
    return tuple(dict.fromkeys(values))

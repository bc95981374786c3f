"""Checks of factory arguments, made when the factory is called.

A traced value (a gain under vmap) has no value yet and is let through.
"""

import math
import numbers
import operator
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import core

from initjax.fans import Axes


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the choices unless ``value`` is one of them."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(
            f"{argument} must be one of {', '.join(choices)}; got {argument}={value!r}"
        )


def check_finite(argument: str, value: Any, *, least: float = -math.inf) -> Any:
    """A number, or an array of them, that is finite and ≥ ``least``.

    Returns:
        A Python float for a single number that is known, else ``value``.

    Raises:
        TypeError: if it is neither a number nor an array of numbers.
        ValueError: if an entry is not finite or below ``least``.
    """
    if isinstance(value, core.Tracer):
        return value
    known = isinstance(value, numbers.Real | np.ndarray | np.generic | jax.Array)
    if not known or isinstance(value, bool | np.bool_):
        raise TypeError(f"{argument} must be a number; got {argument}={value!r}")
    try:
        entries = np.asarray(value)
        if entries.dtype == object:  # an integer beyond 64 bits
            entries = np.array(float(value))
        if np.iscomplexobj(entries):
            raise TypeError
        entries = entries.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{argument} must be a number; got {argument}={value!r}") from error
    except OverflowError:
        entries = np.array(math.inf)
    if not (np.all(np.isfinite(entries)) and np.all(entries >= least)):
        bound = "" if least == -math.inf else f" and >= {least:g}"
        raise ValueError(f"{argument} must be finite{bound}; got {argument}={value!r}")
    return float(entries) if entries.ndim == 0 else value


def check_concrete(argument: str, value: Any) -> float:
    """One finite number that is known now, not traced.

    Raises:
        TypeError: if it is traced, an array of several, or no number.
        ValueError: if it is not finite.
    """
    if isinstance(value, core.Tracer) or np.ndim(value) != 0:
        raise TypeError(
            f"{argument} must be a number that is known when the factory is called; "
            f"got {argument}={value!r}"
        )
    return float(check_finite(argument, value))


def check_whole(argument: str, value: Any, *, least: int | None = None) -> int:
    """An integer, ≥ ``least`` if that is given.

    Raises:
        TypeError: if it is no integer.
        ValueError: if it is below ``least``.
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        message = f"{argument} must be an integer; got {argument}={value!r}"
        raise TypeError(message) from error
    if least is not None and number < least:
        raise ValueError(f"{argument} must be >= {least}; got {argument}={value!r}")
    return number


def check_axes(**roles: Axes) -> None:
    """Raise a ValueError if one axis is given twice, in one role or in two.

    An axis counted from the end and one counted from the start may still meet on
    a shape; that is found when the shape is known.
    """
    taken: dict[int, str] = {}
    for role, axes in roles.items():
        try:
            listed = tuple(
                map(operator.index, axes if isinstance(axes, Sequence) else (axes,))
            )
        except TypeError as error:
            message = f"{role} must be an axis or axes; got {role}={axes!r}"
            raise TypeError(message) from error
        for axis in listed:
            if axis in taken:
                raise ValueError(
                    f"{role}={axes!r} names axis {axis}, which {taken[axis]} has taken; "
                    "each axis has one role"
                )
            taken[axis] = role

"""Checks of factory arguments, made when the factory is called.

A traced value (a gain under vmap) has no value yet and is let through.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from jax import core

from initjax.fans import Axes


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the choices unless ``value`` is one of them."""
    if value not in choices:
        raise ValueError(
            f"{argument} must be one of {', '.join(choices)}; got {argument}={value!r}"
        )


def check_finite(argument: str, value: Any, *, least: float = -math.inf) -> None:
    """Raise a ValueError unless every entry of ``value`` is finite and ≥ ``least``."""
    if isinstance(value, core.Tracer):
        return
    try:
        entries = np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{argument} must be a number; got {argument}={value!r}") from error
    if not (np.all(np.isfinite(entries)) and np.all(entries >= least)):
        bound = "" if least == -math.inf else f" and >= {least:g}"
        raise ValueError(f"{argument} must be finite{bound}; got {argument}={value!r}")


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
            raise TypeError(
                f"{role} must be an axis or axes; got {role}={axes!r}"
            ) from error
        for axis in listed:
            if axis in taken:
                raise ValueError(
                    f"{role}={axes!r} names axis {axis}, which {taken[axis]} has taken; "
                    "each axis has one role"
                )
            taken[axis] = role


def check_concrete(argument: str, value: Any) -> None:
    """Raise unless ``value`` is one finite number that is known now, not traced."""
    if isinstance(value, core.Tracer) or np.ndim(value) != 0:
        raise TypeError(
            f"{argument} must be a number that is known when the factory is called; "
            f"got {argument}={value!r}"
        )
    check_finite(argument, value)

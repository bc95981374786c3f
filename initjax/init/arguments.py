"""Checks of factory arguments, made when the factory is called.

A traced value (a gain under vmap) has no value yet and is let through.
"""

import math

import numpy as np
from jax import core

from initjax.typing import Array


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a ValueError that lists the choices unless ``value`` is one of them."""
    if value not in choices:
        raise ValueError(
            f"{argument} must be one of {', '.join(choices)}; got {argument}={value!r}"
        )


def check_finite(argument: str, value: float | Array, *, least: float = -math.inf) -> None:
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

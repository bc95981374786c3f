"""What all real data share: standardized inputs, one row per example."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

CLASSES = 10
"""Outputs of every readout, and so the most classes that labels may have."""


class Examples(NamedTuple):
    """Inputs [example, feature] in float32, and their classes [example] if they have."""

    inputs: HostArray
    labels: HostArray | None


class Source(NamedTuple):
    """Where real examples come from.

    Attributes:
        size: Number of examples.
        features: Entries of each.
        load: Reads them, once for a process.
    """

    size: int
    features: int
    load: Callable[[], Examples]


def standardized(values: HostArray) -> HostArray:
    """Values minus their overall mean, divided by their overall standard deviation.

    Returns:
        [example, feature] in float32; what follows the first axis is flattened.

    Raises:
        ValueError: if they are not finite, all equal, or too large or too small for
            float64 to square.

    Example:
        >>> standardized(np.array([[1, 3], [3, 1]])).tolist()
        [[-1.0, 1.0], [1.0, -1.0]]
    """
    with np.errstate(over="ignore"):
        wide = values.astype(np.float64).reshape(len(values), -1)
    if not np.isfinite(wide).all():
        raise ValueError("it has values that are not finite; remove or replace them")
    if wide.min() == wide.max():
        raise ValueError(f"all its values are {wide.flat[0]:g}; give it inputs that differ")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        mean, deviation = wide.mean(), wide.std()
    if not (math.isfinite(deviation) and deviation > 0):
        raise ValueError("its squares leave float64; divide it by its largest value")
    wide -= mean
    wide /= deviation
    return wide.astype(np.float32)

"""How different the hidden units of a network are: distances, singular values, rank."""

from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

_EXACT = 2.0**-50
"""Singular values below this share of the largest are what float64 leaves of a 0."""


class Difference(NamedTuple):
    """Of the units of many networks, [...]; base-10 logarithms, -inf of 0.

    Attributes:
        log10_distance: Of the two units that are furthest apart, over the longest.
        log10_singular_1: Largest singular value of the weights.
        log10_singular_2: The next one.
        rank: Singular values above 2⁻²³ max(fan_in, units) times the largest, which is
            what float32 can tell from 0.
    """

    log10_distance: HostArray
    log10_singular_1: HostArray
    log10_singular_2: HostArray
    rank: HostArray


def difference(kernel: HostArray, bias: HostArray) -> Difference:
    """Compare the units of one layer by what they read.

    Args:
        kernel: Weights [..., fan_in, units].
        bias: [..., units], for the distance a further weight of each unit.
    """
    weights = np.asarray(kernel, np.float64)
    units = np.concatenate([weights, np.asarray(bias, np.float64)[..., None, :]], axis=-2)
    pairs = units[..., :, None] - units[..., None, :]
    apart = np.linalg.norm(pairs, axis=-3).max((-2, -1))
    longest = np.linalg.norm(units, axis=-2).max(-1)
    singular = np.linalg.svd(weights, compute_uv=False)
    first = singular[..., :1]
    exact = np.where(singular > _EXACT * first, singular, 0)
    second = exact[..., 1] if exact.shape[-1] > 1 else np.zeros(exact.shape[:-1])
    told = 2.0**-23 * max(weights.shape[-2:]) * first
    return Difference(
        log10(apart / np.where(longest > 0, longest, 1)),
        log10(exact[..., 0]),
        log10(second),
        (singular > told).sum(-1),
    )


def log10(values: HostArray) -> HostArray:
    """Base-10 logarithm, -inf of 0."""
    with np.errstate(divide="ignore"):
        return np.log10(values)

"""Where an activation is not smooth enough for φ′ to tell the truth."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from initjax.activations import NamedActivation, value_and_derivative
from initjax.quadrature import breakpoints, on_host
from initjax.quadrature.host import value_and_slope
from initjax.quadrature.jumps import is_ours
from initjax.typing import Array, HostArray

_REACH = 13.0  # standard deviations that quadrature covers
_SIDE = 1e-15  # on which side of 0 a slope is read
_SAME = 1e-9


def check_continuous(named: NamedActivation, q: HostArray | float) -> None:
    """Refuse an activation that jumps within reach of N(0, q).

    Its derivative is read piece by piece and misses the jumps: E φ′² would be
    finite, and 0 for a sign, where χ₁ is infinite.

    Raises:
        ValueError: that names the place.
    """
    reach = _REACH * math.sqrt(np.max(q, initial=0.0))
    cuts = _kinks(named, reach)
    cuts = cuts[np.abs(cuts) <= reach]
    apart = 1e-12 * np.maximum(1.0, np.abs(cuts))
    values, slopes = value_and_slope(named)(np.stack([cuts - apart, cuts + apart]))
    with np.errstate(invalid="ignore"):
        allowed = 8 * apart * np.abs(slopes).max(0) + 1e-12 * np.abs(values).max(0)
        jumps = np.abs(values[1] - values[0]) > allowed
    if jumps.any():
        raise ValueError(
            f"activation {named.name!r} jumps at x={cuts[jumps][0]:.6g}: there φ′ is "
            "infinite, and so is χ₁ = σ_w² E φ′². Give a continuous activation"
        )


def _kinks(named: NamedActivation, reach: float) -> HostArray:
    """Those that a caller declares are completed by a search, as in quadrature."""
    found = np.array(breakpoints(named, reach))
    if named.kinks is None or is_ours(named):
        return found
    return np.append(found, breakpoints(replace(named, kinks=None), reach))


@lru_cache(maxsize=256)
def slope_at_zero(named: NamedActivation) -> float:
    """Limit of dE[φ(√q z)²]/dq as q → 0.

    With φ(0) = 0 the mean of φ′(0±)² over both sides, else E[φ′² + φ φ″] if φ′ is
    continuous at 0; infinite where φ² grows faster than x² there.
    """
    sides = np.array([-_SIDE, _SIDE])
    values, slopes = value_and_slope(named)(sides)
    center = float(value_and_slope(named)(np.zeros(1))[0, 0])
    if np.max(np.abs(values - center)) > _SAME * max(1.0, abs(center)):
        return math.inf
    steepness = float(np.mean(slopes**2))
    if center == 0:
        return steepness
    if abs(slopes[1] - slopes[0]) > _SAME * max(1.0, np.abs(slopes).max()):
        return math.copysign(math.inf, center * (slopes[1] - slopes[0]))
    return steepness + center * float(np.mean(on_host(slope_of(named), 1)(sides)))


@lru_cache(maxsize=256)
def slope_of(named: NamedActivation) -> NamedActivation:
    """φ′ as an activation."""

    def slope(x: Array) -> Array:
        return value_and_derivative(named.function, x)[1]

    return NamedActivation(f"slope of {named.name}", slope, named.kinks)

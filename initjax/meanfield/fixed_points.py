"""Where the variance map comes to rest: its fixed points, and which one it reaches."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from initjax.activations import NamedActivation, resolve
from initjax.meanfield.length_maps import Lengths, least_fixed_point, settled
from initjax.meanfield.moments import relative_length
from initjax.meanfield.roots import signs
from initjax.meanfield.settings import checked_keep, checked_number, checked_sigma
from initjax.meanfield.smoothness import slope_at_zero
from initjax.typing import Array, HostArray

Stability = Literal["attracting", "repelling", "marginal"]

_MARGINAL = 1e-9  # of a slope that differs from 1 by rounding
_ROWS = 4096  # maps at once, to bound memory


class FixedPoint(NamedTuple):
    """A second moment that a layer returns to itself.

    Attributes:
        q: With V(q) = q; nan says that every q is a fixed point.
        slope: χ_q = V′(q).
        stability: attracting if |slope| < 1, repelling if it is > 1, marginal if it
            is 1: then terms of higher order decide, as for tanh at σ_w = 1, σ_b = 0,
            whose q decays like 1/2l.
    """

    q: float
    slope: float
    stability: Stability


def q_star(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
    start: float = 1.0,
) -> HostArray:
    """Second moment q* that a deep network comes to, from inputs of a given one.

        q* = lim Vˡ(start) as l → ∞,    V(q) = σ_w² E[φ(√q z)²] / keep + σ_b²

    The nearest fixed point in the direction in which V moves the start; not found
    by iteration, so that a decay like 1/l costs nothing.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases, broadcast against ``sigma_w``.
        keep: Probability that inverted dropout keeps a unit.
        start: q₀ from 1e-12 to 1e12. A start that is a fixed point, to 1e-12, is
            the answer even where it repels, as 1 for gelu with its forward gain,
            and where all are fixed, as for relu with σ_w² = 2, σ_b = 0.

    Returns:
        q* in float64, of the broadcast shape: 0 where the signal dies, inf where it
        grows beyond 1e12. nan, not known: where it grows out of the range in which
        E φ² can be computed, q ≈ 1 for exp, and where q* may lie beyond 1e12.

    Raises:
        ValueError: as ``variance_map``, and where E φ² cannot be computed near q = 1.

    Example:
        >>> q_star("tanh", sigma_w=np.array([0.9, 1.0, 1.3, 2.0])).round(6).tolist()
        [0.0, 0.0, 0.408983, 2.121474]
        >>> q_star("relu", sigma_w=[1.3, 1.5], sigma_b=0.1).round(6).tolist()
        [0.064516, inf]

    References:
        Poole et al. (2016), arXiv:1606.05340, for q* of tanh.
    """
    named = resolve(activation)
    moment, at = relative_length(named), _log_start(named, start)
    arrays = (
        checked_sigma("sigma_w", sigma_w),
        checked_sigma("sigma_b", sigma_b),
        checked_keep(keep),
    )
    rows = np.broadcast_arrays(*arrays)
    flat = [a.ravel() for a in rows]
    parts = [
        _reached(named, Lengths.of(moment, *(a[i : i + _ROWS] for a in flat)), at)
        for i in range(0, rows[0].size, _ROWS)
    ]
    return np.concatenate([*parts, np.zeros(0)]).reshape(rows[0].shape)


def length_fixed_points(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    keep: float = 1.0,
) -> tuple[FixedPoint, ...]:
    """All fixed points of the variance map in [0, 1e12], ascending.

    The forward gain makes q = 1 one of them, and for gelu, silu and mish it repels:
    their deep plain networks die below it and explode above.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
        keep: Probability that inverted dropout keeps a unit.

    Returns:
        The fixed points; a single one with q = nan where the map is the identity,
        as for relu with σ_w² = 2, σ_b = 0. The range ends earlier, at a whole decade,
        where E φ² cannot be computed over the next one: at q = 1 for exp. Between 0
        and 1e-12 one is looked for.

    Raises:
        ValueError: as ``q_star``.

    Example:
        >>> from initjax.gains import gain
        >>> for point in length_fixed_points("silu", sigma_w=gain("silu")):
        ...     print(f"{point.q:.6f} {point.slope:.6f} {point.stability}")
        0.000000 0.702690 attracting
        1.000000 1.172594 repelling

    References:
        Poole et al. (2016), arXiv:1606.05340, for the attracting ones of tanh.
    """
    named = resolve(activation)
    moment = relative_length(named)
    lengths = Lengths.of(
        moment,
        checked_sigma("sigma_w", checked_number("sigma_w", sigma_w)).reshape(1),
        checked_sigma("sigma_b", checked_number("sigma_b", sigma_b)).reshape(1),
        checked_keep(checked_number("keep", keep)).reshape(1),
    )
    values, _ = lengths(np.zeros(1, int), moment.grid())
    if not signs(values).any():
        return (FixedPoint(math.nan, 1.0, "marginal"),)
    roots, scale, found = lengths.roots(), float(lengths.scale[0]), []
    if signs(values)[0] <= 0 or lengths.fixes_zero(named)[0]:
        least = float(least_fixed_point(named, lengths, np.zeros(1, int))[0])
        slope = lengths.slope(0, moment.low)
        if least == 0:
            slope = scale * slope_at_zero(named) if scale else 0.0
        if not math.isnan(least):
            found.append(fixed_point(least, slope))
    for x, touching in zip(roots.x, roots.touching, strict=True):
        slope = 1.0 if touching else lengths.slope(0, float(x))
        found.append(fixed_point(math.exp(x), slope))
    return tuple(found)


def fixed_point(q: float, slope: float) -> FixedPoint:
    """With the stability that its slope says."""
    if abs(abs(slope) - 1) <= _MARGINAL:
        return FixedPoint(q, slope, "marginal")
    return FixedPoint(q, slope, "attracting" if abs(slope) < 1 else "repelling")


def _log_start(named: NamedActivation, start: float) -> float:
    """The start as x = ln q."""
    start = checked_number("start", start)
    moment = relative_length(named)
    low, high = math.exp(moment.low), math.exp(moment.high)
    if not low * (1 - 1e-12) <= start <= high * (1 + 1e-12):
        raise ValueError(
            f"start must be a second moment from {low:.3g} to {high:.3g}, where "
            f"E φ² of {named.name!r} is known; got start={start!r}"
        )
    return math.log(start)


def _reached(named: NamedActivation, lengths: Lengths, at: float) -> HostArray:
    """q* of each map from x = at."""
    rows, moment = np.arange(len(lengths.scale)), lengths.moment
    x = settled(lengths, np.full(rows.size, at))
    direction, roots = signs(lengths(rows, x)[0]), lengths.roots()
    above, below = np.full(rows.size, np.inf), np.full(rows.size, -np.inf)
    right = roots.x > x[roots.row]
    np.minimum.at(above, roots.row[right], roots.x[right])
    np.maximum.at(below, roots.row[~right], roots.x[~right])
    with np.errstate(over="ignore"):
        q = np.exp(np.select([direction > 0, direction < 0], [above, below], x))
    returning = lengths.scale * moment(moment.high)[0] < 1 - 1e-12
    q[np.isinf(q) & (returning | (not moment.whole))] = math.nan
    died = np.flatnonzero(q == 0)
    q[died] = least_fixed_point(named, lengths, died)
    return q

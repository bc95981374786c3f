"""How two inputs approach each other on the critical line, where no slope says it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.smoothness import check_continuous, slope_of
from initjax.quadrature import gaussian_mean, jumps
from initjax.typing import Array, HostArray


class CriticalRate(NamedTuple):
    """1 − cˡ ~ constant / ℓ^power.

    Attributes:
        power: 1 for a smooth φ, 2 for one with kinks.
        constant: float64, shaped like q.
    """

    power: int
    constant: HostArray


def critical_rate(
    activation: str | Callable[[Array], Array], *, q: HostArray | float
) -> CriticalRate:
    """Algebraic approach of c to 1 where χ₁ = 1.

        1 − cˡ ~ β/ℓ,    β = 2 E[φ′²] / (q E[φ″²])                 φ′ continuous
        1 − cˡ ~ κ/ℓ²,   κ = (3 E[φ′²] / J)²,
                         J = Σ_k Δ_k² exp(−x_k²/2q) / (√2 π)       φ′ jumps by Δ_k at x_k

    For a kinked φ the points u, v lie on two sides of x_k with a probability that
    falls only as √(1 − c), so that 1 − C = (1 − c) − ⅔ (J/E[φ′²]) (1 − c)^{3/2}.
    κ is 9π²/2 for relu and that times ((1 + a²)/(1 − a)²)² for leaky_relu(a). The
    rate holds from 1 − c so small on that a kink is felt: relu6 at q ≪ 6 has that
    of its kink at 0.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment > 0 on the critical line, where σ_w² E[φ′²] = 1; any shape.

    Returns:
        The power and the constant, infinite for a linear φ, which keeps every c.

    Raises:
        ValueError: for a q that is not positive and finite, and for an activation
            that jumps or is constant: it has no critical line.

    Example:
        >>> rate = critical_rate("relu", q=1.0)
        >>> rate.power, round(float(rate.constant) / (9 * np.pi**2 / 2), 12)
        (2, 1.0)
        >>> rate = critical_rate("tanh", q=0.570047881641)
        >>> rate.power, round(float(rate.constant), 8)
        (1, 6.17112614)

    References:
        Hayou, Doucet & Rousseau (2019), arXiv:1902.06853; the constant for kinks
        anywhere follows from the density of N(0, q) there.
    """
    named, q = resolve(activation), np.asarray(q, np.float64)
    if not np.all(np.isfinite(q) & (q > 0)):
        raise ValueError(f"q must be a finite second moment > 0; got q={q!r}")
    check_continuous(named, q)
    steepness = gaussian_mean(np.square, named, q, order=1)
    if np.any(steepness == 0):
        raise ValueError(
            f"activation {named.name!r} is constant: E φ′² is 0, so that no σ_w makes "
            "χ₁ = σ_w² E φ′² equal to 1. Give an activation that depends on its input"
        )
    points, sizes = jumps(named, order=1, reach=13 * np.sqrt(np.max(q, initial=0.0)))
    with np.errstate(divide="ignore"):
        if points.size:
            densities = np.exp(-np.square(points) / (2 * q[..., None]))
            crossing = densities @ np.square(sizes) / (np.sqrt(2) * np.pi)
            return CriticalRate(2, np.square(3 * steepness / crossing))
        bend = gaussian_mean(np.square, slope_of(named), q, order=1)
        return CriticalRate(1, np.asarray(2 * steepness / (q * bend)))

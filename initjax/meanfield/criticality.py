"""The edge of chaos: where χ₁ = 1, so that gradients neither vanish nor explode."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from initjax.activations import NamedActivation, resolve
from initjax.meanfield.fixed_points import FixedPoint, Stability, fixed_point
from initjax.meanfield.maps import chi, variance_map
from initjax.meanfield.moments import Moment, relative_length, steepness
from initjax.meanfield.roots import all_roots, signs
from initjax.meanfield.settings import checked_number, checked_sigma
from initjax.meanfield.smoothness import check_continuous
from initjax.quadrature import on_host
from initjax.typing import Array, HostArray

_NO_BIAS = 1e-11  # a smaller σ_b is below the rounding of q - σ_w² E φ²


class NoCriticalPointError(ValueError):
    """No σ_w has χ₁ = 1 at a fixed point of the variance map."""


class CriticalPoint(NamedTuple):
    """A point on the edge of chaos.

    Attributes:
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
    """

    sigma_w: HostArray
    sigma_b: HostArray


def critical_point(
    activation: str | Callable[[Array], Array], *, q: HostArray | float
) -> CriticalPoint:
    """The point on the edge of chaos whose variance map has the fixed point q.

        σ_w² = 1 / E[φ′(√q z)²],    σ_b² = q - σ_w² E[φ(√q z)²]

    Whether q attracts is another question: ``chi_q`` at (q, σ_w) answers it.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Wanted fixed point, > 0; any shape.

    Returns:
        (σ_w, σ_b) in float64, shaped like ``q``.

    Raises:
        ValueError: as ``chi``, and if an entry of ``q`` is 0.
        NoCriticalPointError: where φ is constant, and where σ_b² would be negative,
            as for softplus at every q.

    Example:
        >>> point = critical_point("tanh", q=1 / 64)
        >>> f"{point.sigma_w**2:.10f} {point.sigma_b**2:.9e}"
        '1.0305575108 4.651333266e-06'

    References:
        Pennington, Schoenholz & Ganguli (2017), arXiv:1711.04735, for the line
        χ₁ = 1 as a function of q*.
    """
    named, q = resolve(activation), np.asarray(q, np.float64)
    if np.any(q == 0):
        raise ValueError(
            "q must be > 0; got q=0. Use critical_sigma_w(activation, sigma_b=0)"
        )
    slope = chi(named, q=q, sigma_w=1.0)
    if np.any(slope == 0):
        raise NoCriticalPointError(
            f"activation {named.name!r} is flat at q={q[slope == 0].flat[0]:g}: χ₁ = 0 "
            "for every σ_w, so that there is no critical point"
        )
    relative = 1 - variance_map(q, named, sigma_w=1.0) / (q * slope)
    if np.any(signs(relative) < 0):
        raise NoCriticalPointError(
            f"activation {named.name!r} has no critical point with "
            f"q={q[signs(relative) < 0].flat[0]:g}: there χ₁ = 1 needs σ_b² < 0. "
            "Ask for another q"
        )
    shift = np.where(signs(relative) == 0, 0.0, q * relative)
    return CriticalPoint(1 / np.sqrt(slope), np.sqrt(shift))


def critical_sigma_w(
    activation: str | Callable[[Array], Array], *, sigma_b: float
) -> float:
    """The σ_w at which χ₁ = 1 at q*, for biases of a given scale.

        σ_w² E[φ′(√q* z)²] = 1,    q* = σ_w² E[φ(√q* z)²] + σ_b²

    Of several solutions the one whose q* attracts (χ_q < 1) is taken, of several
    such the one of least q*. ``length_stability`` tells which it is: for gelu and
    silu with small biases there is a repelling one alone, which deep networks
    leave. Without biases tanh and its like have q* → 0, σ_w = 1/|φ′(0)|, where
    signals die like 1/l; gelu, silu and mish have it too, but it repels, and any
    q > 0 explodes; relu, leaky_relu and abs have σ_w² = 1/E φ′² at every q*.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_b: Standard deviation of the biases; below 1e-11 it counts as 0.

    Returns:
        σ_w, good to 1e-12, or to 1e-15/q* where that is more.

    Raises:
        NoCriticalPointError: if there is none with q* from 1e-12 to 1e12, as for
            softplus, and for relu and leaky_relu with σ_b > 0.
        ValueError: for an activation that jumps, and where E φ² or E φ′² cannot be
            computed near q = 1.

    Example:
        >>> round(critical_sigma_w("tanh", sigma_b=0.05**0.5) ** 2, 10)
        1.7609546396
        >>> round(critical_sigma_w("relu", sigma_b=0.0) ** 2, 10)
        2.0

    References:
        Schoenholz et al. (2017), arXiv:1611.01232, the line χ₁ = 1 for tanh;
        Hayou et al. (2019), arXiv:1902.06853, for other activations.
    """
    return _critical(resolve(activation), sigma_b)[0]


def length_stability(
    activation: str | Callable[[Array], Array], *, sigma_b: float
) -> FixedPoint:
    """The fixed point q* of ``critical_sigma_w`` with its slope χ_q.

    A critical network stays critical only if its q* attracts. For gelu and silu it
    repels with small biases (σ_b² up to about 0.2 and 0.5): q runs away from q*, and
    χ₁ from 1.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_b: Standard deviation of the biases.

    Returns:
        q*, χ_q and its stability. q = nan: every q is a fixed point, as for relu
        without biases.

    Raises:
        ValueError: as ``critical_sigma_w``.

    Example:
        >>> for name in ("tanh", "gelu"):
        ...     q, slope, stability = length_stability(name, sigma_b=0.2)
        ...     print(f"{name}: q* = {q:.6f}, slope {slope:.6f}, {stability}")
        tanh: q* = 0.512079, slope 0.542564, attracting
        gelu: q* = 0.575637, slope 1.095041, repelling

    References:
        Hayou et al. (2019), arXiv:1902.06853, for the line χ₁ = 1.
    """
    return _critical(resolve(activation), sigma_b)[1]


def _critical(named: NamedActivation, sigma_b: float) -> tuple[float, FixedPoint]:
    """The chosen σ_w and its fixed point."""
    shift = float(np.square(checked_sigma("sigma_b", checked_number("sigma_b", sigma_b))))
    if shift < _NO_BIAS**2:
        shift = 0.0
    balance = _Balance(relative_length(named), steepness(named), shift)
    check_continuous(named, math.exp(balance.high))
    values, _ = balance(np.zeros(1, int), balance.grid())
    everywhere = not signs(values).any()
    solutions = [] if everywhere else [balance.solution(x) for x in balance.roots()]
    if solutions:
        return min(solutions, key=lambda s: (s[1].stability != "attracting", s[1].q))
    at_zero = on_host(named)(np.zeros(1))[0] == 0
    slope, near = chi(
        named, q=np.array([1.0, 1.0] if everywhere else [0.0, 1e-12]), sigma_w=1.0
    )
    # Where φ′(0) = 0 the limit is that of q itself, and no finite σ_w is critical.
    if shift == 0 and (everywhere or at_zero) and slope > near / 2:
        sigma_w = float(slope) ** -0.5
        if everywhere:
            return sigma_w, FixedPoint(math.nan, 1.0, "marginal")
        return sigma_w, FixedPoint(0.0, 1.0, _of_higher_order(named, float(slope)))
    raise NoCriticalPointError(
        f"activation {named.name!r} has no critical point at sigma_b={sigma_b!r}: "
        f"χ₁ = 1 and q = V(q) hold together at no q from {math.exp(balance.low):.0e} to "
        f"{math.exp(balance.high):.0e}. " + _remedy(named, shift)
    )


def _remedy(named: NamedActivation, shift: float) -> str:
    if shift == 0:
        return "Try sigma_b > 0, or another activation"
    try:
        _critical(named, 0.0)
    except NoCriticalPointError:
        return "Try another activation"
    return "Try sigma_b=0, or another activation"


def _of_higher_order(named: NamedActivation, slope: float) -> Stability:
    """What q = 0 does where χ_q = 1: repels if V(q) > q for small q."""
    length = relative_length(named)
    excess = signs(length(length.grid())[0] / slope - 1)
    sides = excess[excess != 0]
    return "repelling" if sides.size and sides[0] > 0 else "marginal"


@dataclass(frozen=True, eq=False)
class _Balance:
    """Sign of q - V(q) where σ_w² = 1/E φ′², over x = ln q."""

    length: Moment
    steepness: Moment
    shift: float

    @property
    def low(self) -> float:
        return max(self.length.low, self.steepness.low)

    @property
    def high(self) -> float:
        return min(self.length.high, self.steepness.high)

    def grid(self) -> HostArray:
        grid = self.length.grid()
        return grid[(grid >= self.low - 1e-9) & (grid <= self.high + 1e-9)]

    def __call__(self, rows: HostArray, x: HostArray) -> tuple[HostArray, HostArray]:
        """(χ (1 - σ_b²/q) - E φ²/q) over the sum of its parts, and the slope of that."""
        value, change = self.length(x)
        chi, turn = self.steepness(x)
        bias = self.shift * np.exp(-x)
        total, growth = chi + value, turn + change
        total = np.where(total > 0, total, 1.0)
        top, rise = chi * (1 - bias) - value, turn * (1 - bias) + chi * bias - change
        return top / total, (rise - top * growth / total) / total

    def roots(self) -> HostArray:
        return all_roots(self, 1, self.grid()).x

    def solution(self, x: float) -> tuple[float, FixedPoint]:
        value, change = self.length(x)
        scale = 1 / float(self.steepness(x)[0])
        return math.sqrt(scale), fixed_point(math.exp(x), scale * float(value + change))

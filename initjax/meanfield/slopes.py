"""The law of the squared slopes φ′(√q z)², as points with masses.

What the Jacobian of a layer does beside its weights: a diagonal matrix with these
entries. Slopes that are constant on a piece of the line are atoms of the law.
"""

from functools import lru_cache, partial
from typing import NamedTuple

import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature import breakpoints, gaussian_mean, on_host
from initjax.quadrature.kinks import legendre_rule
from initjax.typing import HostArray

REACH = 13.0  # standard deviations; the mass beyond is below rounding
_APART = 3.0  # spacings of the points, where their sum is the integral to exp(-6π)
_LIGHT = 1e-24  # mass of a point that no sum feels
_AGREEMENT = 1e-9  # of the first two moments with verified ones, relative


class SlopeLaw(NamedTuple):
    """Squared slopes and their probabilities.

    Attributes:
        squares: Distinct values of φ′², ascending, ≥ 0.
        masses: Probability of each; they sum to 1.
        flat: Whether a value is an atom: φ has this slope on an interval.
    """

    squares: HostArray
    masses: HostArray
    flat: HostArray

    @property
    def noise(self) -> float:
        """Of its transforms, in units of rounding."""
        return 1.0

    def atom(self, index: int) -> float:
        """Mass of a point if it is an atom, else 0."""
        return float(self.masses[index]) if self.flat[index] else 0.0

    @property
    def top(self) -> float:
        """Largest value."""
        return float(self.squares[-1])

    def over(self, unit: float) -> "SlopeLaw":
        """The law of φ′²/unit."""
        return self._replace(squares=self.squares / unit)

    def transforms(self, x: HostArray) -> tuple[HostArray, HostArray, HostArray]:
        """M = E[d/(x − d)], B = E[x/(x − d)] and x dM/dx at complex points x."""
        inverse = 1 / (x[:, None] - self.squares)
        m = inverse @ (self.masses * self.squares)
        b = x * (inverse @ self.masses)
        return m, b, -x * (inverse * inverse @ (self.masses * self.squares))

    def resolves(self, x: HostArray) -> HostArray:
        """Whether x keeps its distance from the points that stand for a continuous law."""
        squares, flat = self.squares, self.flat
        if flat.all():
            return np.ones(x.shape, bool)
        gaps = np.where(flat[1:] & flat[:-1], 0.0, np.diff(squares))
        gaps = np.concatenate([gaps[:1], gaps, gaps[-1:]])  # below and above the law too
        right = np.searchsorted(squares, x.real)
        ends = [squares[np.clip(right - k, 0, squares.size - 1)] for k in (0, 1)]
        outside = (right == 0) | (right == squares.size)
        away = np.where(outside, np.min(np.abs(x - np.stack(ends)), axis=0), np.abs(x.imag))
        return away >= _APART * gaps[right]


@lru_cache(maxsize=64)
def slope_law(
    activation: NamedActivation, q: float, level: int = 0, reach: float = REACH
) -> SlopeLaw:
    """Law of φ′(√q z)², z ~ N(0, 1), to the precision of Gauss-Legendre on pieces.

    Args:
        activation: φ.
        q: Second moment of the pre-activation, ≥ 0 and finite.
        level: Every piece of the line is cut in 2^level, for poles near the law.
        reach: Standard deviations of z that count.

    Raises:
        ValueError: where φ′ cannot be integrated reliably, and where φ′ = 0.

    Example:
        >>> from initjax.activations import resolve
        >>> law = slope_law(resolve("relu"), 1.0)
        >>> law.squares.tolist(), law.masses.round(12).tolist(), law.flat.tolist()
        ([0.0, 1.0], [0.5, 0.5], [True, True])
    """
    kinks = breakpoints(activation, REACH * np.sqrt(q))
    edges = pieces(np.sqrt(q), kinks, 2**level, reach)
    nodes, weights = legendre_rule()
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (1 + nodes)
    masses = half * weights * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    squares = np.square(on_host(activation, 1)(np.sqrt(q) * z))
    law = _merged(squares, masses)
    for power in (1, 2):
        moment = float(gaussian_mean(partial(_even, power), activation, q, order=1))
        if not abs(law.masses @ law.squares**power - moment) <= _AGREEMENT * moment:
            raise ValueError(
                f"the slopes of activation {activation.name!r} at q={q:g} could not be "
                "resolved; declare with kinks= all points where it or a derivative jumps"
            )
    if not law.squares[-1] > 0:
        raise ValueError(
            f"activation {activation.name!r} has slope 0 everywhere at q={q:g}: its "
            "Jacobian is 0 and has no spectrum"
        )
    return law


def _even(power: int, slopes: HostArray) -> HostArray:
    return slopes ** (2 * power)


def pieces(
    scale: float, kinks: tuple[float, ...], parts: int, reach: float = REACH
) -> HostArray:
    """Ends of the pieces of the line of z, cut where φ′(scale · z) is not smooth."""
    doublings = int(np.log2(max(REACH * scale, 8.0) / 8.0)) + 1
    right = np.concatenate([np.arange(1.0, 9.0), 8.0 * 2.0 ** np.arange(1, doublings + 1)])
    cuts = np.concatenate([-right, [0.0], right, np.asarray(kinks, np.float64)])
    moved = cuts / scale if scale > 0 else cuts[:0]
    even = np.arange(-reach, reach + 0.5, 0.5)
    edges = np.unique(np.clip(np.concatenate([even, moved]), -reach, reach))
    inner = edges[:-1, None] + np.diff(edges)[:, None] * np.linspace(0, 1, parts + 1)[:-1]
    return np.append(inner.ravel(), edges[-1])


def _merged(squares: HostArray, masses: HostArray) -> SlopeLaw:
    """Points of equal value as one; those of flat pieces as atoms."""
    top = squares.max(1, keepdims=True)
    flat = np.broadcast_to(np.ptp(squares, 1, keepdims=True) <= 1e-13 * top, masses.shape)
    level = np.where(flat, top, squares)  # one value for all points of a flat piece
    heavy = masses > _LIGHT
    level, masses, flat = level[heavy], masses[heavy], flat[heavy]
    values, index = np.unique(level, return_inverse=True)
    mass = np.bincount(index, masses)
    return SlopeLaw(values, mass / mass.sum(), np.bincount(index, flat) > 0)

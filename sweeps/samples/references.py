"""What a sample is held against: the law of an entry, or that of a sum of entries."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy import special

from initjax.init import Law
from initjax.typing import HostArray

Cdf = Callable[[HostArray], HostArray]

_FAR = 12.0
"""Standard deviations past which no law that reaches so far has a share to speak of."""
_STEP = 1 / 200
"""Standard deviations between the points at which a sum of entries is computed."""


class Reference(NamedTuple):
    """A law, taken apart into atoms and a continuous part around the same mean.

    Attributes:
        mean: E x.
        std: √E (x - mean)².
        kurtosis: E (x - mean)⁴ / std⁴; nan if the law is one atom.
        reach: Largest |x - mean| of the continuous part.
        atoms: Values of positive probability, and that.
        kept: Probability of the continuous part.
        cdf: Of the continuous part alone.
        moments: E y⁴, E y⁶ and E y⁸ of the continuous part in units of its own std.
        dependent: Whether the entries of one sample depend on each other.
    """

    mean: float
    std: float
    kurtosis: float
    reach: float
    atoms: Mapping[float, float]
    kept: float
    cdf: Cdf
    moments: tuple[float, float, float]
    dependent: bool = False

    @property
    def unit(self) -> float:
        """Standard deviation of the continuous part; of the law if there is none."""
        return float(self.std / np.sqrt(self.kept)) if self.kept else self.std

    def inverse(self, p: HostArray) -> HostArray:
        """Quantiles of the continuous part."""
        half = min(self.reach, _FAR * self.unit)
        low, high = (np.full(np.shape(p), self.mean + s * half) for s in (-1, 1))
        for _ in range(60):
            middle = (low + high) / 2
            below = self.cdf(middle) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    def largest(self, count: float) -> float:
        """Median of the largest |x - mean| of so many independent entries, over std."""
        low, high = 0.0, min(self.reach, _FAR * self.unit)
        for _ in range(60):
            middle = (low + high) / 2
            ends = self.cdf(self.mean + middle * np.array([-1.0, 1.0]))
            share = ends[1] - ends[0]
            low, high = (low, middle) if share > 2 ** (-1 / count) else (middle, high)
        return (low + high) / 2 / self.std


def of_entries(law: Law, *, dependent: bool = False) -> Reference:
    """The law of an entry as it is declared, its atoms found by its jumps."""
    atoms = {}
    for value in sorted({0.0, law.mean, *law.support} - {-np.inf, np.inf}):
        around = np.array([np.nextafter(value, -np.inf), value])
        below, at = law.cdf(around)
        if at - below > 1e-9:
            atoms[value] = float(at - below)
    kept = 1 - sum(atoms.values())
    kept = kept if kept > 1e-9 else 0.0

    def cdf(x: HostArray) -> HostArray:
        x = np.asarray(x, np.float64)
        jumps = sum((share * (x >= value) for value, share in atoms.items()), np.zeros(()))
        return (law.cdf(x) - jumps) / kept

    reach = max(law.support[1] - law.mean, law.mean - law.support[0])
    nan = (np.nan, np.nan, np.nan)
    head = (law.mean, law.variance**0.5, law.kurtosis, reach, atoms, kept, cdf)
    found = Reference(*head, nan, dependent)
    return found._replace(moments=_moments(found)) if kept else found


def of_sums(law: Law, terms: int) -> Reference:
    """The law of a sum of independent entries without atoms, symmetric around 0.

    It is the ``terms``-fold convolution of the law of an entry, on a grid. Moments are
    exact, by cumulants, which are those of an entry over powers of ``terms``.
    """
    one = of_entries(law)
    m4, m6, m8 = one.moments
    k4, k6 = (m4 - 3) / terms, (m6 - 15 * m4 + 30) / terms**2
    k8 = (m8 - 28 * m6 - 35 * m4**2 + 420 * m4 - 630) / terms**3
    moments = (k4 + 3, k6 + 15 * k4 + 15, k8 + 28 * k6 + 35 * k4**2 + 210 * k4 + 105)
    reach, std = terms * one.reach, terms**0.5 * one.std
    if terms == 1:
        return one
    half = int(np.ceil(min(reach, _FAR * std) / (_STEP * one.std))) + 1
    edges = one.std * _STEP * (np.arange(-half, half + 2) - 0.5)
    shares = np.diff(one.cdf(edges))
    # Rolled to start at 0, so that the transform of each term is real.
    transform = np.fft.rfft(np.fft.ifftshift(shares)).real
    summed = np.fft.fftshift(np.fft.irfft(transform**terms, len(shares)))
    below = np.concatenate([[0.0], np.cumsum(summed)])

    def cdf(x: HostArray) -> HostArray:
        return np.interp(x, edges, below)

    return Reference(0.0, std, moments[0], reach, {}, 1.0, cdf, moments)


def normal_cdf(reference: Reference) -> Cdf:
    """Of the Gaussian with mean and variance of the continuous part."""
    return lambda x: special.ndtr((x - reference.mean) / reference.unit)


def _moments(reference: Reference) -> tuple[float, float, float]:
    """E yᵏ = ∫ k tᵏ⁻¹ P(|y| > t) dt for k = 4, 6, 8."""
    end = min(reference.reach / reference.unit, _FAR)
    nodes, weights = _legendre()
    t, weights = (nodes + 1) * end / 2, weights * end / 2
    away = reference.unit * t
    beyond = 1 - reference.cdf(reference.mean + away) + reference.cdf(reference.mean - away)
    fourth, sixth, eighth = (
        float(weights @ (k * t ** (k - 1) * beyond)) for k in (4, 6, 8)
    )
    return fourth, sixth, eighth


@functools.cache
def _legendre() -> tuple[HostArray, HostArray]:
    nodes, weights = np.polynomial.legendre.leggauss(120)
    return nodes, weights

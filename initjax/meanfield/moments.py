"""Second moments as functions of q over 24 decades, cheap enough to search.

E t(φ(√q z)) is analytic in q > 0 whatever φ is, and bounded in the half-plane
Re 1/q > 0, so that its Chebyshev series in ln q converges like 3⁻ᵏ on a decade:
28 terms leave rounding errors. What is computed once per activation serves every
σ_w and σ_b.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature import breakpoints, expectation, gaussian_mean, on_host
from initjax.typing import HostArray

_DECADES = 12  # below and above q = 1
_TERMS = 28
_CONVERGED = 1e-11  # last coefficients, relative to the largest
_AGREEMENT = 1e-9  # of two partitions of the line
_REACH = 13 * 10 ** (_DECADES / 2)  # of x = √q z; one search for kinks serves all q
_CUTS = 1000  # of the line; an activation with more oscillates all over
_POINTS = 16  # of the grid, per decade
_DECADE = math.log(10)


@dataclass(frozen=True, eq=False)
class Moment:
    """A moment of N(0, q) as a function of x = ln q.

    Attributes:
        coefficients: Of the Chebyshev series, [decade, term].
        slopes: The same of the derivative by x.
        decade: log10 of the least q.
    """

    coefficients: HostArray
    slopes: HostArray
    decade: int

    @property
    def low(self) -> float:
        """Least x."""
        return self.decade * _DECADE

    @property
    def high(self) -> float:
        """Largest x."""
        return (self.decade + len(self.coefficients)) * _DECADE

    @property
    def whole(self) -> bool:
        """Whether it reaches up to q = 1e12, so that nothing fails on the way."""
        return self.decade + len(self.coefficients) == _DECADES

    def __call__(self, x: HostArray | float) -> tuple[HostArray, HostArray]:
        """Value and derivative by x."""
        at = np.asarray(x) / _DECADE - self.decade
        row = np.clip(at.astype(int), 0, len(self.coefficients) - 1)
        basis = np.polynomial.chebyshev.chebvander(2 * (at - row) - 1, _TERMS - 1)
        basis = basis.reshape(*at.shape, _TERMS)  # which makes a vector of a number
        return (
            np.sum(self.coefficients[row] * basis, axis=-1),
            np.sum(self.slopes[row] * basis, axis=-1),
        )

    def grid(self) -> HostArray:
        """Points x close enough to see every root and turn of a combination."""
        return np.linspace(self.low, self.high, _POINTS * len(self.coefficients) + 1)


@lru_cache(maxsize=64)
def relative_length(named: NamedActivation) -> Moment:
    """E φ² / q, the relative change of the second moment where σ_w = 1, σ_b = 0."""
    return _moment(named, 0)


@lru_cache(maxsize=64)
def steepness(named: NamedActivation) -> Moment:
    """E φ′², which is χ₁ where σ_w = 1."""
    return _moment(named, 1)


def mean_steepness(named: NamedActivation, q: HostArray) -> HostArray:
    """E φ′² at many q: from the series where it reaches, else by quadrature."""
    try:
        series = steepness(named)
    except ValueError:  # no series near q = 1
        return gaussian_mean(np.square, named, q, order=1)
    x = np.log(q)
    known = (x >= series.low) & (x <= series.high)
    found = np.empty(q.shape)
    found[known] = series(x[known])[0]
    if not known.all():
        found[~known] = gaussian_mean(np.square, named, q[~known], order=1)
    return found


def _moment(named: NamedActivation, order: int) -> Moment:
    """As far as it can be computed, which for exp is not far up, for sin to 1e3.

    Raises:
        ValueError: if it cannot be computed for q from 0.1 to 1.
    """
    panels, decade = [_panel(named, -1, order)], -1
    for step in (-1, 1):
        try:
            for k in range(_DECADES - 1 if step < 0 else _DECADES):
                at = -2 - k if step < 0 else k
                panels.insert(0 if step < 0 else len(panels), _panel(named, at, order))
                decade = min(decade, at)
        except ValueError:  # integrals fail beyond: what is known ends here
            continue
    series = np.array(panels)
    derivative = np.polynomial.chebyshev.chebder(series, axis=1) * (2 / _DECADE)
    slopes = np.pad(derivative, ((0, 0), (0, 1)))
    return Moment(series, slopes, decade)


def _panel(named: NamedActivation, decade: int, order: int) -> HostArray:
    """Chebyshev coefficients on one decade.

    Raises:
        ValueError: if an integral fails or the series does not converge.
    """
    k = np.arange(_TERMS)
    angles = np.pi * (k + 0.5) / _TERMS
    q = 10.0 ** (decade + (np.cos(angles) + 1) / 2)
    reach = 13 * 10 ** ((decade + 1) / 2)
    cuts = tuple(b for b in breakpoints(named, _REACH) if abs(b) <= reach)
    if len(cuts) > _CUTS:
        raise _too_rough(named, decade)

    def series(values: HostArray) -> HostArray:
        relative = values / q if order == 0 else values
        found = np.cos(k[:, None] * angles) @ relative * (2 / _TERMS)
        found[0] /= 2
        return found

    def square(x: HostArray) -> HostArray:
        return np.square(f(x))

    f = on_host(named, order)
    found, middle = series(expectation(square, q, cuts)), q[_TERMS // 2]
    shifted = np.sqrt(middle) * (np.arange(-13, 13, 0.5) + (5**0.5 - 1) / 4)
    again = expectation(square, middle, (*cuts, *shifted))
    if abs(again - expectation(square, middle, cuts)) > _AGREEMENT * again:
        found = series(gaussian_mean(np.square, named, q, order=order))
    if np.abs(found[-2:]).max() > _CONVERGED * np.abs(found).max():
        raise _too_rough(named, decade)
    return found


def _too_rough(named: NamedActivation, decade: int) -> ValueError:
    return ValueError(
        f"the second moment of activation {named.name!r} is too rough a function "
        f"of q near q=1e{decade} to be searched for fixed points"
    )

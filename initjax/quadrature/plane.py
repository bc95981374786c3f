"""Integrals over the plane of two correlated Gaussians, cut where φ is not smooth.

With u = √q(a s + b t), v = √q(a s − b t), a² = (1 + c)/2, b² = (1 − c)/2 and
s, t ~ N(0, 1) independent. For fixed t the integrand is smooth in s between the
kinks κ/√q ∓ b t, and the integral over s is smooth in t but where two kinks
cross, at t = (κᵢ − κⱼ)/(2b√q). For c < 0 the two variables change places, so that
the inner one always has the larger factor.
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from initjax.quadrature.adaptive import UnresolvedError, integrals
from initjax.quadrature.jumps import apart
from initjax.typing import HostArray

# Middle and half difference of u and v -> values and magnitudes of the integrand.
Pairing: TypeAlias = Callable[[HostArray, HostArray], tuple[HostArray, HostArray]]

REACH = 13.0  # exp(-13²/2) = 2e-37: what lies beyond this radius is below rounding
_BASE = np.array([0.0, 1.625, 3.25, 6.5, REACH])
_GRADED = 2.0  # smallest distance, in x, of the cuts that grow geometrically
_ROWS = 512  # inner integrals done at once, to bound memory
_HALVED = 256  # pieces per integral that halving may make
_AFFORDED = 2**22  # pieces of a plane that cuts alone may make: minutes are never spent


def plane_means(
    pairing: Pairing,
    cuts: HostArray,
    kinks: HostArray,
    sign: int,
    gap: HostArray,
    scale: HostArray,
) -> HostArray:
    """Means for correlations 1 − gap ≥ 0, the second point times ``sign``."""
    large, small = scale * np.sqrt(1 - gap / 2), scale * np.sqrt(gap / 2)
    columns = _Columns(pairing, cuts, sign, large, small)
    edges = _outer_edges(kinks, sign, small, np.diff(cuts))
    edges = np.clip(edges, 0 if sign == 1 else -REACH, REACH)
    pieces = np.count_nonzero(np.diff(edges)) / max(1, gap.size)
    if 24 * pieces * (2 * cuts.size + 16) > _AFFORDED:
        raise UnresolvedError(f"{cuts.size} cuts make too many pieces")
    value, mass = integrals(columns, edges, _HALVED)
    if np.any(columns.rim > 1e-12 * mass):
        raise ValueError(
            "the expectation does not converge within 13 standard deviations: "
            f"the function grows too fast at q={np.square(scale).max():g}"
        )
    return value


class _Columns:
    """Integrals over the inner variable x, as functions of the outer one y."""

    def __init__(
        self,
        pairing: Pairing,
        cuts: HostArray,
        sign: int,
        large: HostArray,
        small: HostArray,
    ) -> None:
        self.pairing, self.cuts, self.sign = pairing, cuts, sign
        self.large, self.small = large, small
        self.rim = np.zeros(large.size)  # what is found just inside the reach
        self.largest = np.zeros(large.size)  # mass of a column

    def __call__(self, row: HostArray, y: HostArray) -> tuple[HostArray, HostArray]:
        pairs, flat = np.repeat(row, y.shape[1]), y.ravel()
        order = np.argsort(np.abs(flat))  # the largest masses first
        parts = [
            self._integrals(pairs[those], flat[those])
            for those in np.split(order, range(_ROWS, flat.size, _ROWS))
        ]
        found = np.empty((2, flat.size))
        found[:, order] = np.concatenate(parts, axis=1)
        return found[0].reshape(y.shape), found[1].reshape(y.shape)

    def _integrals(self, pair: HostArray, y: HostArray) -> tuple[HostArray, HostArray]:
        limit = np.sqrt(np.maximum(REACH**2 - y * y, 0))[:, None]
        low = -limit if self.sign == 1 else np.zeros_like(limit)
        edges = _inner_edges(self.cuts, self.sign, self.large[pair], self.small[pair] * y)

        def integrand(row: HostArray, x: HostArray) -> tuple[HostArray, HostArray]:
            return self._weighted(pair[row], x, y[row][:, None])

        edges = np.clip(edges, low, limit)
        return integrals(integrand, edges, _HALVED, pair, self.largest)

    def _weighted(
        self, pair: HostArray, x: HostArray, y: HostArray
    ) -> tuple[HostArray, HostArray]:
        """Values and magnitudes times the density."""
        large, small = self.large[pair][:, None], self.small[pair][:, None]
        points = large * x, np.broadcast_to(small * y, x.shape)
        square = x * x + y * y
        with np.errstate(over="ignore", invalid="ignore"):
            values, masses = self.pairing(*points[:: self.sign])
            density = np.exp(-square / 2) / np.pi  # twice: half the plane is done
            values, masses = values * density, masses * density
        if not np.isfinite(masses).all():
            at = np.abs(points[0] + points[1])[~np.isfinite(masses)].min()
            raise ValueError(
                "the expectation over pairs cannot be computed: the function is not "
                f"finite near |x|={at:g}"
            )
        rim = masses * (square > (REACH - 0.5) ** 2)
        np.maximum.at(self.rim, pair, rim.max(1))
        return values, masses


def _ladder(first: float, scale: HostArray) -> HostArray:
    """Distances from ``first`` to the reach that grow fourfold; none if it is wide."""
    widest = scale.max(initial=0.0)
    first = max(first, 1e-13 * widest)
    steps = math.ceil(math.log(REACH * widest / first, 4)) if widest > first else 0
    rungs = first * 4.0 ** np.arange(steps)
    return np.concatenate([-rungs[::-1], rungs])


def _inner_edges(
    cuts: HostArray, sign: int, large: HostArray, shift: HostArray
) -> HostArray:
    """Cuts in x: at those of either factor, and graded around its zero."""
    at = np.concatenate([cuts, _ladder(_GRADED, large)])
    both = np.concatenate([at - shift[:, None], sign * at + shift[:, None]], 1)
    return _with_base(_over(both, large[:, None]))


def _outer_edges(
    kinks: HostArray, sign: int, small: HostArray, steps: HostArray
) -> HostArray:
    """Cuts in y: where kinks cross, and graded around 0 from the finest step on."""
    finest = steps[steps > 1e-12].min(initial=_GRADED)
    crossings = apart(np.subtract.outer(kinks, sign * kinks))
    at = np.concatenate([crossings, _ladder(finest, 2 * small)])
    return _with_base(_over(at, 2 * small[:, None]))


def _with_base(moved: HostArray) -> HostArray:
    base = np.broadcast_to(np.concatenate([-_BASE, _BASE]), (len(moved), 2 * _BASE.size))
    return np.sort(np.concatenate([base, moved], 1), axis=1)


def _over(cuts: HostArray, scale: HostArray) -> HostArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(cuts / scale, nan=0.0)

"""Many variance maps of one activation, as functions of ln q that can be searched."""

import math
from dataclasses import dataclass

import numpy as np

from initjax.activations import NamedActivation
from initjax.meanfield.maps import variance_map
from initjax.meanfield.moments import Moment
from initjax.meanfield.roots import Roots, all_roots
from initjax.quadrature import on_host
from initjax.typing import HostArray

_STEPS = 200  # of a map that is not monotone, before its basin is read off
_TINY = -690.0  # ln of the least q that is told from 0


@dataclass(frozen=True, eq=False)
class Lengths:
    """V(q)/q - 1 of each setting over x = ln q; called with rows and points.

    Attributes:
        moment: E φ²/q.
        scale: σ_w² / keep of each map.
        shift: σ_b² of each map.
    """

    moment: Moment
    scale: HostArray
    shift: HostArray

    @staticmethod
    def of(
        moment: Moment, sigma_w: HostArray, sigma_b: HostArray, keep: HostArray
    ) -> "Lengths":
        """The maps of layers with these weights, three vectors of one length."""
        return Lengths(moment, np.square(sigma_w) / keep, np.square(sigma_b))

    def __call__(self, rows: HostArray, x: HostArray) -> tuple[HostArray, HostArray]:
        """Values and derivatives by x."""
        value, slope = self.moment(x)
        bias = self.shift[rows] * np.exp(-x)
        return self.scale[rows] * value + bias - 1, self.scale[rows] * slope - bias

    def slope(self, row: int, x: float) -> float:
        """V′(q) of one map."""
        value, change = self.moment(x)
        return float(self.scale[row] * (value + change))

    def roots(self) -> Roots:
        """All fixed points in the range of the moment."""
        return all_roots(self, len(self.scale), self.moment.grid())

    def fixes_zero(self, named: NamedActivation) -> HostArray:
        """Whether V(0) = 0."""
        center = float(on_host(named)(np.zeros(1))[0])
        return self.scale * center**2 + self.shift == 0


def settled(lengths: Lengths, x: HostArray) -> HostArray:
    """Where to start: later on its way if V is not monotone and may jump a root."""
    moment, rows = lengths.moment, np.arange(len(x))
    value, slope = moment(moment.grid())
    if np.all(value + slope >= -1e-9 * value):
        return x
    for _ in range(_STEPS):
        with np.errstate(divide="ignore"):
            x = x + np.log1p(np.maximum(lengths(rows, x)[0], -1))
        x = np.clip(x, moment.low, moment.high)
    return x


def least_fixed_point(
    named: NamedActivation, lengths: Lengths, rows: HostArray
) -> HostArray:
    """The fixed point below the range: 0, or what a tiny V(0) > 0 makes of it."""
    from scipy import optimize  # slow to import, and rarely used

    least = np.zeros(len(rows))
    fixed = lengths.fixes_zero(named)
    for i, row in enumerate(rows):
        scale, shift = lengths.scale[row], lengths.shift[row]

        def relative(x: float, scale: float = scale, shift: float = shift) -> float:
            q = math.exp(x)
            moment = float(variance_map(q, named, sigma_w=1.0))
            return (scale * moment + shift) / q - 1

        if fixed[row]:
            continue
        if relative(lengths.moment.low) >= 0:  # rounding decides: not known
            least[i] = math.nan
        elif relative(_TINY) > 0:
            least[i] = math.exp(optimize.brentq(relative, _TINY, lengths.moment.low))
    return least

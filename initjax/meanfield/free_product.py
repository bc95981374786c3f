"""The law of (D W)…(D W)(D W)ᵀ…(D W)ᵀ, free of W, from the law of one D².

With d a squared slope, M(x) = E[d/(x − d)] and B(x) = 1 + M(x) = E[x/(x − d)], the
S-transforms of L layers multiply to a curve in x,

    ζ(x) = B/M · (x M)^L             Gaussian W,     S = 1/(1 + M)
    ζ(x) = B/M · (x M / B)^L         orthogonal W,   S = 1

on which B is ζ times the Stieltjes transform of the product at ζ. For ζ in the upper
half plane the right x is the one with arg ζ ≤ arg x < π: there is one, analytic in ζ,
and it is followed from the negative axis, where it is real and unique, to λ + i0.
"""

from typing import NamedTuple

import numpy as np

from initjax.meanfield.slope_cells import CellLaw
from initjax.meanfield.slopes import SlopeLaw
from initjax.typing import HostArray

_UNKNOWN = complex(np.nan, np.nan)
_FOUND = 1e-11  # residual of ln ζ, per layer
_STEPS = 600  # of the continuation; a point needs some tens
_NEWTON = 8
_CHUNK = 2**21  # points × masses in memory at once


class Curve(NamedTuple):
    """ln ζ as a function of w = ln x, for a law whose largest value is 1.

    Attributes:
        law: Law of D², divided by its largest value.
        depth: L, number of layers.
        gaussian: Whether the weights are Gaussian, else orthogonal.
    """

    law: SlopeLaw | CellLaw
    depth: int
    gaussian: bool

    def at(self, w: HostArray) -> tuple[HostArray, HostArray, HostArray]:
        """The values ln ζ, d ln ζ / dw and B at points w of the strip 0 ≤ Im w ≤ π."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            m, b, slope = self.law.transforms(np.exp(w))
            of_b = 1.0 if self.gaussian else 1.0 - self.depth
            of_m = self.depth - 1.0
            log = of_b * _log_below(b) + of_m * _log_below(m) + self.depth * w
            return log, of_b * slope / b + of_m * slope / m + self.depth, b

    def follow(self, log_zeta: HostArray) -> HostArray:
        """B at ζ = λ + i0; nan where the points of the law do not tell.

        Args:
            log_zeta: ln λ, a vector.
        """
        found = np.full(log_zeta.shape, _UNKNOWN)
        rows = max(1, _CHUNK // self.law.masses.size)
        for i in range(0, log_zeta.size, rows):
            w, arrived = self._followed(log_zeta[i : i + rows])
            known = arrived & self.law.resolves(np.exp(w))
            found[i : i + rows] = np.where(known, self.at(w)[2], _UNKNOWN)
        return found

    def _followed(self, log_zeta: HostArray) -> tuple[HostArray, HostArray]:
        """Predictor and corrector in θ = arg ζ from π to 0, a step for each point."""
        w = self._negative(log_zeta) + 1j * np.pi
        slope = self.at(w)[1]
        theta, step = np.full(w.shape, np.pi), np.full(w.shape, np.pi / 8)
        for _ in range(_STEPS):
            on = np.flatnonzero((theta > 0) & (step > 1e-13))
            if not on.size:
                break
            goal = np.maximum(theta[on] - step[on], 0)
            moved = 1j * (goal - theta[on]) / slope[on]
            tried, rise, good = self._corrected(w[on] + moved, log_zeta[on] + 1j * goal)
            away = np.abs(tried - w[on] - moved)
            good &= (tried.imag >= goal - 1e-6) & (tried.imag <= np.pi + 1e-6)
            # A corrector that moves as far as the predictor may land on another root.
            good &= away <= 0.3 * np.abs(moved) + 1e-9
            done = on[good]
            w[done], slope[done], theta[done] = tried[good], rise[good], goal[good]
            step[on] *= np.where(good, 1.7, 0.4)
        return w, theta == 0

    def _corrected(
        self, w: HostArray, log_zeta: HostArray
    ) -> tuple[HostArray, HostArray, HostArray]:
        """Newton's method: where it ends, the slope there, and whether it arrived."""
        for _ in range(_NEWTON):
            value, slope, _ = self.at(w)
            arrived = np.abs(value - log_zeta) <= _FOUND * self.depth * self.law.noise
            if arrived.all():
                break
            with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
                w = np.where(arrived, w, w - (value - log_zeta) / slope)
        return w, slope, arrived

    def _negative(self, log_zeta: HostArray) -> HostArray:
        """ln(−x) at ζ = −λ, where ln ζ rises with it: by bisection, then Newton."""
        low, high = np.full((2, *log_zeta.shape), [[-600.0], [600.0]])
        for _ in range(24):
            middle = (low + high) / 2
            below = self.at(middle + 1j * np.pi)[0].real < log_zeta
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        for _ in range(4):
            value, slope, _ = self.at(middle + 1j * np.pi)
            middle = middle - (value - log_zeta).real / slope.real
        return middle


def _log_below(value: HostArray) -> HostArray:
    """Logarithm in the lower half plane, continuous across both ends of the real axis."""
    return np.log(1j * value) - 0.5j * np.pi

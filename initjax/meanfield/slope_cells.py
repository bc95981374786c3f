"""The law of the squared slopes as cells of uniform density, for points inside it.

Where the transforms of the law are wanted at or near the law itself, points with masses
do not tell them; cells do, to second order in their width.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from initjax.activations import NamedActivation
from initjax.meanfield.slopes import REACH, pieces
from initjax.quadrature import breakpoints, on_host
from initjax.typing import HostArray

_PARTS = 48  # cells of each half standard deviation
_INSIDE = 1e-9  # of a cell: off the kinks that its ends may be
_NARROW = 1e-9  # relative; a cell as narrow is a point


class CellLaw(NamedTuple):
    """Intervals of the squared slopes and their probabilities.

    Attributes:
        lower: Lower ends, ≥ 0.
        upper: Upper ends; equal to the lower ones for an atom.
        masses: Probability of each; they sum to 1.
    """

    lower: HostArray
    upper: HostArray
    masses: HostArray

    @property
    def noise(self) -> float:
        """Of its transforms, in units of rounding: narrow cells lose digits."""
        return 1e4

    @property
    def top(self) -> float:
        """Largest value."""
        return float(self.upper.max())

    def over(self, unit: float) -> "CellLaw":
        """The law of φ′²/unit."""
        return CellLaw(self.lower / unit, self.upper / unit, self.masses)

    def transforms(self, x: HostArray) -> tuple[HostArray, HostArray, HostArray]:
        """M = E[d/(x − d)], B = E[x/(x − d)] and x dM/dx at complex points x."""
        below, above = x[:, None] - self.lower, x[:, None] - self.upper
        wide = self.upper > self.lower
        width = np.where(wide, self.upper - self.lower, 1.0)
        logs = (_log_above(below) - _log_above(above)) / width
        mean = np.where(wide, logs, 1 / below) @ self.masses
        return (
            x * mean - 1,
            x * mean,
            x * mean - x * x * ((1 / (below * above)) @ self.masses),
        )

    def resolves(self, x: HostArray) -> HostArray:
        """Cells have no gaps between them."""
        return np.ones(x.shape, bool)


@lru_cache(maxsize=16)
def cell_law(activation: NamedActivation, q: float) -> CellLaw:
    """Law of φ′(√q z)², z ~ N(0, 1), in cells of equal steps of z."""
    from scipy.special import ndtr

    scale = float(np.sqrt(q))
    ends = pieces(scale, breakpoints(activation, REACH * scale), _PARTS)
    shift = _INSIDE * np.diff(ends)
    sides = np.stack([ends[:-1] + shift, ends[1:] - shift])
    squares = np.sort(np.square(on_host(activation, 1)(scale * sides)), axis=0)
    # From the nearer tail, so that small masses keep their digits.
    left = ends[1:] <= 0
    masses = np.where(left, np.diff(ndtr(ends)), -np.diff(ndtr(-ends)))
    heavy = masses > 1e-24
    lower, upper = squares[:, heavy]
    upper = np.where(upper - lower <= _NARROW * upper, lower, upper)
    cells, index = np.unique(np.stack([lower, upper]), axis=1, return_inverse=True)
    mass = np.bincount(index.ravel(), masses[heavy])
    return CellLaw(cells[0], cells[1], mass / mass.sum())


def _log_above(value: HostArray) -> HostArray:
    """Logarithm in the upper half plane, continuous across both ends of the real axis."""
    return np.log(-1j * value) + 0.5j * np.pi

"""Expectations at two correlated points from one Hermite series per function.

    E f(u) g(v) = Σ_k c^k f_k g_k,    f_k = E f(√q z) he_k(z)

with he_k orthonormal under N(0, 1). One series serves every correlation c, to three
digits, or to half a percent where φ′ jumps elsewhere than at 0: enough for the noise of
finite width, itself known to leading order. Fourteen digits come from
``initjax.quadrature.pair_mean``, at a thousand times the cost.
"""

from functools import cache
from typing import NamedTuple

import jax
import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature.host import value_and_slope
from initjax.quadrature.kinks import legendre_rule
from initjax.typing import HostArray

_TERMS = 96
_REACH, _PIECE = 9.0, 1 / 4  # in z, where the mass beyond is 1e-19
_ROWS = 256  # second moments done at once, to bound memory
_TAIL = 2 * _TERMS  # power of c with which terms that are left out go, on average


class PairSeries(NamedTuple):
    """E f(u) g(v) as a function of the correlation of u and v.

    Attributes:
        terms: f_k g_k, [..., terms].
        rest: What they lack of E f g.
    """

    terms: HostArray
    rest: HostArray

    def layer(self, index: int) -> "PairSeries":
        """Those at one place of the first axis."""
        return PairSeries(self.terms[index], self.rest[index])

    def at(self, c: HostArray) -> HostArray:
        """E f(u) g(v) at correlations c, broadcast against [...]."""
        powers = np.asarray(c)[..., None] ** np.arange(_TERMS)
        return np.sum(powers * self.terms, -1) + self.rest * np.maximum(c, 0) ** _TAIL


class LayerSeries(NamedTuple):
    """What two inputs need of a layer.

    Attributes:
        value: Of φ and φ.
        slope: Of φ′ and φ′.
        value_squares: Of φ² and φ².
        slope_squares: Of φ′² and φ′².
        mixed_squares: Of φ² and φ′².
        of_square: E φ² he_k(z), [..., 5].
        of_squared_slope: E φ′² he_k(z), [..., 5].
    """

    value: PairSeries
    slope: PairSeries
    value_squares: PairSeries
    slope_squares: PairSeries
    mixed_squares: PairSeries
    of_square: HostArray
    of_squared_slope: HostArray


def layer_series(activation: NamedActivation, q: HostArray) -> LayerSeries:
    """Series of φ, φ′ and their squares at second moments q, of any shape.

    Example:
        >>> from initjax.activations import resolve
        >>> series = layer_series(resolve("relu"), np.ones(1)).value
        >>> float(abs(series.at(np.zeros(1)) - 1 / (2 * np.pi))[0]) < 1e-9
        True
    """
    distinct, place = np.unique(q, return_inverse=True)
    parts = [_series(activation, some) for some in _chunks(distinct)]
    whole = jax.tree.map(lambda *arrays: np.concatenate(arrays), *parts)
    return jax.tree.map(lambda a: a[place].reshape(*np.shape(q), *a.shape[1:]), whole)


def _chunks(q: HostArray) -> list[HostArray]:
    return [q[i : i + _ROWS] for i in range(0, q.size, _ROWS)]


def _series(activation: NamedActivation, q: HostArray) -> LayerSeries:
    z, weights, polynomials = _grid()
    x = np.sqrt(q)[:, None] * z
    value, slope = value_and_slope(activation)(x)
    functions = value, slope, np.square(value), np.square(slope)
    coefficients = [f * weights @ polynomials for f in functions]

    def pair(f: int, g: int) -> PairSeries:
        terms = coefficients[f] * coefficients[g]
        return PairSeries(terms, (functions[f] * functions[g]) @ weights - terms.sum(-1))

    pairs = pair(0, 0), pair(1, 1), pair(2, 2), pair(3, 3), pair(2, 3)
    return LayerSeries(*pairs, *(found[:, :5] for found in coefficients[2:]))


@cache
def _grid() -> tuple[HostArray, HostArray, HostArray]:
    """Nodes z, masses of N(0, 1), and he_k(z) [node, term]."""
    nodes, weights = legendre_rule()
    starts = np.arange(-_REACH, _REACH, _PIECE)
    z = (starts[:, None] + _PIECE / 2 * (1 + nodes)).ravel()
    mass = np.tile(_PIECE / 2 * weights, starts.size) * np.exp(-z * z / 2)
    polynomials = [np.ones_like(z), z]
    for k in range(1, _TERMS - 1):
        following = z * polynomials[-1] - np.sqrt(k) * polynomials[-2]
        polynomials.append(following / np.sqrt(k + 1))
    return z, mass / np.sqrt(2 * np.pi), np.stack(polynomials, 1)

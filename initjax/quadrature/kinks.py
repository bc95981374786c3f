"""Where an activation is not smooth: its declared kinks, or those that a search finds."""

import math
from functools import cache, lru_cache

import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature.host import HostFunction, value_and_slope
from initjax.typing import HostArray

_NODES = 24
_GRADED = 8.0  # where most of the mass is; the search thins out in octaves beyond
_LIMIT = 64.0  # kinks of an unknown callable are searched at least this far out
_FINE = 16384  # samples per eighth below |x| = 8, and per octave beyond
_PIECES = 16384  # of one length; refinement stops there: f is rough at every scale


@cache
def legendre_rule() -> tuple[HostArray, HostArray]:
    """Nodes and weights on [-1, 1] that every piece is integrated with."""
    return np.polynomial.legendre.leggauss(_NODES)


def breakpoints(activation: NamedActivation, reach: float = _LIMIT) -> tuple[float, ...]:
    """Where the line must be cut so that φ and φ′ are smooth on each piece.

    The declared kinks if there are any; else those found by a search. Samples
    8e-6 apart in [-8, 8], and 16384 per octave beyond, show by their fourth
    differences where φ or φ′ is not smooth at that scale; then pieces are
    halved until the Legendre series of φ and φ′ converge on each, which encloses
    a kink in a piece of rounding length. What is narrower than the samples and
    vanishes elsewhere is not seen: declare it.

    Args:
        activation: φ.
        reach: The search covers [-reach, reach] at least, and [-64, 64].

    Returns:
        Cuts in ascending order; some serve convergence only.

    Example:
        >>> import jax.numpy as jnp
        >>> hinge = NamedActivation("hinge", lambda x: jnp.maximum(x - 0.3, 0), None)
        >>> any(abs(b - 0.3) < 1e-12 for b in breakpoints(hinge))
        True
    """
    if activation.kinks is not None:
        return activation.kinks
    octaves = math.ceil(math.log2(max(reach, _LIMIT) / _GRADED))
    return _searched(activation, octaves)


@lru_cache(maxsize=256)
def _searched(activation: NamedActivation, octaves: int) -> tuple[float, ...]:
    """Cuts of the line up to 8·2^octaves."""
    f = value_and_slope(activation)
    # Off the integers, where kinks like to be: one on an edge would go unseen.
    inner = np.arange(-_GRADED, _GRADED) + np.sqrt(0.17)
    outer = (_GRADED + np.sqrt(0.17)) * 2.0 ** np.arange(octaves + 1)
    start = np.concatenate([-outer, inner, outer])
    with np.errstate(over="ignore", invalid="ignore"):
        floor = 1e-12 * max(1e-300, np.abs(f(np.linspace(-1, 1, 64))).max())
        edges = np.unique(np.concatenate([start, _anomalies(f, octaves, floor)]))
        middles, points = _halved(f, edges, floor)
        # What was cut only on the way to a kink is one smooth piece again.
        edges = np.unique(np.concatenate([edges, points]))
        pieces = np.stack([edges[:-1], edges[1:]], 1)
        rough = _unresolved(f, pieces, floor) & ~_narrow(pieces)
        inside = rough[np.clip(np.searchsorted(edges, middles) - 1, 0, len(rough) - 1)]
        return tuple(np.unique(np.concatenate([edges, middles[inside]])).tolist())


def _halved(f: HostFunction, edges: HostArray, floor: float) -> tuple[HostArray, HostArray]:
    """Middles of the pieces that are halved, and ends of those that stay rough."""
    pieces = np.stack([edges[:-1], edges[1:]], 1)
    middles, points = [edges[:0]], [edges[:0]]
    while 0 < len(pieces) < _PIECES:
        rough, narrow = _unresolved(f, pieces, floor), _narrow(pieces)
        points.append(pieces[rough & narrow].ravel())
        left, right = pieces[rough & ~narrow].T
        middles.append((left + right) / 2)
        halves = [np.stack([left, middles[-1]], 1), np.stack([middles[-1], right], 1)]
        pieces = np.concatenate(halves)
    return np.concatenate(middles), np.concatenate(points)


def _narrow(pieces: HostArray) -> HostArray:
    """Whether a piece is as short as rounding allows."""
    return np.diff(pieces)[:, 0] < 4e-15 * np.abs(pieces).max(1).clip(1e-3)


def _anomalies(f: HostFunction, octaves: int, floor: float) -> HostArray:
    """Ends of the runs of samples where a fourth difference is not negligible."""
    inner, outer = np.arange(-_GRADED, _GRADED, 0.125), _GRADED * 2.0 ** np.arange(octaves)
    starts = np.concatenate([inner, outer, -2 * outer])
    steps = np.concatenate([np.full(inner.size, 0.125), outer, outer]) / (_FINE - 4)
    ends = []
    for i in range(0, starts.size, 8):  # some rows at a time, to bound memory
        x = starts[i : i + 8, None] + steps[i : i + 8, None] * np.arange(_FINE)
        values = f(x)
        sizes = np.abs(np.where(np.isfinite(values), values, 0))
        bound = np.maximum(100 * floor, 1e-9 * sizes.max(-1, keepdims=True))
        odd = (np.abs(np.diff(values, 4)) > bound).any(0)
        turns = np.diff(np.pad(odd, ((0, 0), (1, 1))).astype(np.int8))
        for sign, shift in ((1, 0), (-1, 3)):
            row, at = np.nonzero(turns == sign)
            ends.append(x[row, at + shift])
    cuts = np.concatenate(ends)
    return cuts if cuts.size < _PIECES else cuts[:0]


def _unresolved(f: HostFunction, pieces: HostArray, floor: float) -> HostArray:
    """Whether φ or φ′ has last Legendre coefficients on a piece that count."""
    nodes, weights = legendre_rule()
    half = (pieces[:, 1] - pieces[:, 0]) / 2
    values = f(pieces.mean(1)[:, None] + half[:, None] * nodes)
    basis = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    series = values @ (weights[:, None] * basis * (np.arange(_NODES) + 0.5))
    tail = np.abs(series[..., -4:]).max(-1)
    return (tail > np.maximum(floor, 1e-12 * np.abs(values).max(-1))).any(0)

"""Gaussian expectations of an activation at two correlated points.

``pair_mean`` is E φ(u)φ(v), and ``pair_distance`` what it falls short of E φ(u)²,
free of cancellation. How the plane is cut stands in ``plane``.
"""

from functools import partial

import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature.adaptive import UnresolvedError
from initjax.quadrature.host import HostFunction, on_host
from initjax.quadrature.jumps import partitions
from initjax.quadrature.plane import REACH, Pairing, plane_means
from initjax.typing import HostArray

_CLOSE = 1e-4  # half differences below which φ(u) − φ(v) is taken from φ′
_NOISE = 1e-3  # rounding of a difference, in units of what counts as resolved


def pair_mean(
    transform: HostFunction,
    activation: NamedActivation,
    c: HostArray | float,
    q: HostArray | float = 1.0,
    *,
    order: int = 0,
) -> HostArray:
    """Mean of a product at two correlated points, E t(φ⁽ⁿ⁾(u)) t(φ⁽ⁿ⁾(v)).

        u, v ~ N(0, q),    E uv = c q

    Neither kinks nor jumps cost digits, nor does c near ±1. Verified: pieces are
    halved until the Legendre series of the integrand converges on each, in both
    variables. What is narrower than 1e-13 √q is not seen. A jump of φ is no part
    of its φ′.

    Args:
        transform: t, elementwise on a float64 array.
        activation: φ, from ``initjax.activations.resolve``.
        c: Correlation in [-1, 1].
        q: Variance, finite and ≥ 0, broadcast against ``c``.
        order: n, 0 for φ and 1 for φ′.

    Returns:
        float64 array of the broadcast shape; the error is near 1e-14 of
        E |t(φ⁽ⁿ⁾(u)) t(φ⁽ⁿ⁾(v))|.

    Raises:
        ValueError: for c outside [-1, 1], for a variance that is negative or not
            finite, where the function is not finite or grows so fast that the mass
            beyond 13 standard deviations counts, and where it is too rough or has
            hundreds of kinks.

    Example:
        >>> from initjax.activations import resolve
        >>> relu = resolve("relu")
        >>> round(float(pair_mean(lambda y: y, relu, 0.0)), 12) == round(0.5 / np.pi, 12)
        True
    """
    c = np.asarray(c, np.float64)
    if not np.all(np.abs(c) <= 1):
        raise ValueError(f"c must be a correlation in [-1, 1]; got c={c!r}")
    pairing = partial(_product, transform, on_host(activation, order))
    return _verified(pairing, activation, c < 0, 1 - np.abs(c), q)


def pair_distance(
    activation: NamedActivation, gap: HostArray | float, q: HostArray | float = 1.0
) -> HostArray:
    """Half the mean squared difference at two points of correlation 1 − gap.

        ½ E (φ(u) − φ(v))² = E φ(u)² − E φ(u)φ(v),    u, v ~ N(0, q),  E uv = (1 − gap) q

    Computed without the cancellation of the right side: a gap of 1e-30 keeps its
    digits.

    Args:
        activation: φ, from ``initjax.activations.resolve``.
        gap: 1 − c in [0, 2].
        q: Variance, finite and ≥ 0, broadcast against ``gap``.

    Returns:
        float64 array of the broadcast shape, relative error near 1e-13.

    Raises:
        ValueError: as ``pair_mean``, and for a gap outside [0, 2].

    Example:
        >>> from initjax.activations import resolve
        >>> distance = float(pair_distance(resolve("identity"), 1e-20, 3.0))
        >>> abs(distance / 3e-20 - 1) < 1e-12
        True
    """
    gap = np.asarray(gap, np.float64)
    if not np.all((gap >= 0) & (gap <= 2)):
        raise ValueError(f"gap must be 1 − c, in [0, 2]; got gap={gap!r}")
    pairing = partial(_difference, on_host(activation), on_host(activation, 1))
    return _verified(pairing, activation, gap > 1, np.minimum(gap, 2 - gap), q)


def _product(
    transform: HostFunction, f: HostFunction, middle: HostArray, half: HostArray
) -> tuple[HostArray, HostArray]:
    values = transform(f(middle + half)) * transform(f(middle - half))
    return values, np.abs(values)


def _difference(
    f: HostFunction, slope: HostFunction, middle: HostArray, half: HostArray
) -> tuple[HostArray, HostArray]:
    """½(φ(u) − φ(v))², by ∫ φ′ where the points are close and rounding agrees."""
    u, v = f(middle + half), f(middle - half)
    delta, size = u - v, np.abs(u) + np.abs(v)
    rounding = (
        _NOISE * np.abs(delta) * (size + np.abs(delta * middle / (half + (half == 0))))
    )
    close = np.abs(half) < _CLOSE
    if np.any(close):
        nodes, weights = np.polynomial.legendre.leggauss(4)
        m, h = middle[close], half[close]
        mean = slope(m[:, None] + h[:, None] * nodes) @ weights
        bound = 16 * np.finfo(float).eps * (size[close] + np.abs(mean * m))
        agree = np.abs(h * mean - delta[close]) <= bound
        delta[close] = np.where(agree, h * mean, delta[close])
        rounding[close] = np.where(agree, 0, rounding[close])
    values = delta * delta / 2
    return values, values + rounding


def _verified(
    pairing: Pairing,
    activation: NamedActivation,
    negative: HostArray,
    near: HostArray,
    q: HostArray | float,
) -> HostArray:
    """Means for correlations 1 − near, or near − 1 where ``negative``."""
    q = np.asarray(q, np.float64)
    if not np.all(np.isfinite(q) & (q >= 0)):
        raise ValueError(f"q must be a finite variance >= 0; got q={q!r}")
    shape = np.broadcast_shapes(near.shape, q.shape)
    scale = np.broadcast_to(np.sqrt(q), shape).ravel()
    close, opposed = (np.broadcast_to(x, shape).ravel() for x in (near, negative))
    found = np.zeros(scale.size)
    for cuts in partitions(activation, REACH * scale.max(initial=0.0)):
        try:
            for sign, those in ((1, ~opposed), (-1, opposed)):
                found[those] = plane_means(pairing, *cuts, sign, close[those], scale[those])
            return found.reshape(shape)
        except UnresolvedError:
            continue
    raise ValueError(
        f"activation {activation.name!r} could not be integrated reliably over pairs at "
        f"q={np.max(q):g}: it is too rough, or has too many kinks"
    )

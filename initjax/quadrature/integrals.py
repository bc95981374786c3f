"""Gauss-Legendre on pieces of the line, cut where the integrand is not smooth."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from initjax.activations import NamedActivation
from initjax.quadrature.host import HostFunction, on_host
from initjax.quadrature.kinks import breakpoints, legendre_rule
from initjax.typing import HostArray

_REACH = 13.0  # exp(-13²/2) = 2e-37: the tail beyond is below rounding
_GRADED = 8.0  # pieces of unit length in x up to here, doubling beyond
_AGREEMENT = 1e-9  # of two partitions, relative to the mass
_CHUNK = 65536  # pieces integrated at once, to bound memory


def expectation(
    f: HostFunction, q: HostArray | float = 1.0, kinks: tuple[float, ...] = ()
) -> HostArray:
    """Mean of f under a centred Gaussian of variance q.

        E f(√q z) = ∫ f(√q z) exp(-z²/2) / √(2π) dz

    Args:
        f: Elementwise function of a float64 array.
        q: Variance, finite and ≥ 0; any shape.
        kinks: Points x = √q z at which f is not smooth.

    Returns:
        float64 array shaped like ``q``; relative error near 1e-14 for an f that
        is smooth between its kinks and oscillates at 80 radians per unit of z
        or slower.

    Raises:
        ValueError: if an entry of ``q`` is negative or not finite, and where f
            grows so fast that the mass beyond 13 standard deviations counts.

    Example:
        >>> bool(abs(expectation(np.square, 3.0) - 3.0) < 1e-14)
        True
    """
    return _integral(f, _variance(q), kinks)[0]


def gaussian_mean(
    transform: HostFunction,
    activation: NamedActivation,
    q: HostArray | float = 1.0,
    *,
    order: int = 0,
) -> HostArray:
    """Verified mean of a function of an activation, E t(φ⁽ⁿ⁾(√q z)).

    Computed on two partitions of the line, the second with every piece of the
    first cut once more. Where they differ, kinks are searched within 13 standard
    deviations, also those of an activation that declares some.

    Args:
        transform: t, elementwise on a float64 array; ``np.square`` for a moment.
        activation: φ, from ``initjax.activations.resolve``.
        q: Variance, finite and ≥ 0; any shape.
        order: n, 0 for φ and 1 for φ′.

    Raises:
        ValueError: as ``expectation``, and where the two partitions differ by
            more than 1e-9 of E|t|.

    Example:
        >>> from initjax.activations import resolve
        >>> far = resolve(lambda x: abs(x - 70.0))
        >>> round(float(gaussian_mean(np.square, far, 100.0)), 9)
        5000.0
    """
    q, f = _variance(q), on_host(activation, order)
    for kinks in _partitions(activation, _REACH * math.sqrt(np.max(q, initial=0.0))):
        mean, mass = _integral(lambda x: transform(f(x)), q, kinks)
        again, _ = _integral(lambda x: transform(f(x)), q, kinks, halved=True)
        with np.errstate(invalid="ignore"):
            gap = np.abs(again - mean) / np.where(mass > 0, mass, 1)
        if np.all(gap <= _AGREEMENT):
            return mean
    raise ValueError(
        f"activation {activation.name!r} could not be integrated reliably at "
        f"q={np.max(q):g}: two partitions of the line differ by {np.max(gap):.0e} of the "
        "mass. Declare with kinks= all points where it or a derivative of it jumps"
    )


def _partitions(activation: NamedActivation, reach: float) -> Iterator[tuple[float, ...]]:
    """Cuts to try, the cheap ones first."""
    yield breakpoints(activation, reach)
    if activation.kinks is not None:
        yield activation.kinks + breakpoints(replace(activation, kinks=None), reach)


def _variance(q: HostArray | float) -> HostArray:
    q = np.asarray(q, np.float64)
    if not np.all(np.isfinite(q) & (q >= 0)):
        raise ValueError(f"q must be a finite variance >= 0; got q={q!r}")
    return q


def _integral(
    f: HostFunction, q: HostArray, kinks: tuple[float, ...], *, halved: bool = False
) -> tuple[HostArray, HostArray]:
    """Means of f and of |f|; ``halved`` cuts every piece once more."""
    scale = np.sqrt(q).ravel()
    rows = 1 + _CHUNK // (512 + len(kinks))
    parts = [
        _integrate(f, scale[i : i + rows], kinks, halved)
        for i in range(0, scale.size, rows)
    ]
    mean, mass = np.concatenate(parts or [np.zeros((2, 0))], axis=1)
    return mean.reshape(q.shape), mass.reshape(q.shape)


def _integrate(
    f: HostFunction, scale: HostArray, kinks: tuple[float, ...], halved: bool
) -> HostArray:
    edges = _edges(scale, kinks)
    if halved:  # at an irrational fraction, so that no node comes back
        inside = edges[:, :-1] + (5**0.5 - 1) / 2 * np.diff(edges)
        edges = np.sort(np.concatenate([edges, inside], 1), axis=1)
    nodes, weights = legendre_rule()
    half = np.diff(edges) / 2
    z = (edges[:, :-1] + half)[..., None] + half[..., None] * nodes
    density = np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    with np.errstate(over="ignore", invalid="ignore"):
        x = scale[:, None, None] * z
        values = f(x)
        mass = values * density
        total = np.sum(np.abs(mass) * (half[..., None] * weights), axis=(1, 2))
        beyond = np.max(np.abs(mass) * (np.abs(z) > _REACH - 0.5), axis=(1, 2))
        if not np.isfinite(total).all():
            where = np.unravel_index(np.argmin(np.isfinite(values)), values.shape)
            raise ValueError(
                f"the expectation at q={np.square(scale).max():g} cannot be computed: "
                f"the function is {values[where]} at {x[where]:g}"
            )
        if np.any(beyond > 1e-12 * total):
            raise ValueError(
                "the expectation does not converge within 13 standard deviations: "
                f"the function grows too fast at q={np.square(scale).max():g}"
            )
        return np.stack([np.sum(mass * (half[..., None] * weights), axis=(1, 2)), total])


def _edges(scale: HostArray, kinks: tuple[float, ...]) -> HostArray:
    """Ends of the pieces in z, one row per scale; clipped ones have no length."""
    inner = np.arange(1.0, _GRADED + 1)
    doublings = np.log2(max(_REACH * scale.max(), _GRADED) / _GRADED)
    outer = _GRADED * 2.0 ** np.arange(1, int(doublings) + 2)
    right = np.concatenate([inner, outer])
    cuts = np.concatenate([-right[::-1], [0.0], right, np.asarray(kinks, np.float64)])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.nan_to_num(cuts / scale[:, None], nan=0.0)
    even = np.arange(-_REACH, _REACH + 0.5, 0.5)
    both = np.concatenate([np.broadcast_to(even, (len(scale), even.size)), moved], 1)
    return np.sort(np.clip(both, -_REACH, _REACH), axis=1)

"""Where the correlation of two inputs settles: the stable fixed point c*.

On [0, 1] the map C is convex, for its Taylor coefficients are squares, and
C(0) ≥ 0. So (1 − C(c)) / (1 − c) falls from one end to the other and is 1 at one
place at most, which a bracket cannot miss.
"""

from collections.abc import Callable

import numpy as np

from initjax.activations import NamedActivation, resolve
from initjax.meanfield.correlation import correlation_gap
from initjax.meanfield.fixed_points import q_star
from initjax.typing import Array, HostArray

SMALL, LARGE = 1e-24, 1e24  # where a map has the form that it tends to
_LEAST = 1e-18  # a gap below what a float near 1 resolves
_CRITICAL = 1e-12  # slopes within this of 1 are 1
_STRAIGHT = 1e-9
_STEPS = 100
_CONVERGED = 1e-14


def c_star(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Correlation that two inputs tend to with depth, c* = C(c*) at q = q*.

        c* = 1      in the ordered phase and at criticality, χ₁ ≤ 1
        c* < 1      in the chaotic phase, and wherever dropout masks differ

    The one fixed point in [0, 1] that attracts. At a q* that is 0 or infinite the
    limit of the maps counts: relu without bias has c* = 1 for any σ_w.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W; any shape.
        sigma_b: Standard deviation of the biases, broadcast against ``sigma_w``.
        keep: Probability that inverted dropout keeps a unit, broadcast too.

    Returns:
        c* in float64, of the broadcast shape. nan where every correlation is kept,
        so that none attracts (identity at σ_b = 0, and tanh where q* = 0, of which
        only the linear part is left), where V(q*) = 0, and where q* is nan.

    Raises:
        ValueError: as ``q_star``.

    Example:
        >>> stars = c_star("tanh", sigma_w=[1.3**0.5, 2.5**0.5], sigma_b=0.05**0.5)
        >>> stars.round(9).tolist()
        [1.0, 0.446804232]

    References:
        Poole et al. (2016), arXiv:1606.05340; Schoenholz et al. (2017),
        arXiv:1611.01232, for dropout.
    """
    named = resolve(activation)
    settings = np.broadcast_arrays(*(np.float64(x) for x in (sigma_w, sigma_b, keep)))
    w, b, k = (setting.ravel() for setting in settings)
    q = scale_free(q_star(named, sigma_w=w, sigma_b=b, keep=k))
    found = 1 - _settled_gap(named, q, w, b, k)
    return found.reshape(settings[0].shape)


def scale_free(q: HostArray) -> HostArray:
    """A q* of 0 or infinity, replaced by one where the limit of the maps is reached."""
    return np.where(q == 0, SMALL, np.where(np.isposinf(q), LARGE, q))


def _settled_gap(
    named: NamedActivation, q: HostArray, w: HostArray, b: HostArray, k: HostArray
) -> HostArray:
    """1 − c* for each entry."""
    gap = np.full(q.size, np.nan)
    (known,) = np.nonzero(np.isfinite(q))

    def mapped(gap: HostArray, at: HostArray) -> HostArray:
        return correlation_gap(
            gap, named, q=q[at], sigma_w=w[at], sigma_b=b[at], keep=k[at]
        )

    apart = np.zeros(q.size)  # what the masks of dropout alone make of c = 1
    apart[known] = mapped(np.zeros(known.size), known)

    def excess(gap: HostArray, at: HostArray) -> HostArray:
        return (mapped(gap, at) - gap) / (gap + apart[at])

    near = excess(np.full(known.size, _LEAST), known)
    far = excess(np.ones(known.size), known)
    # Convex, and straight at both ends: straight all along, so that none attracts.
    kept = np.maximum(np.abs(near), np.abs(far)) < _STRAIGHT
    ordered, orthogonal = near <= _CRITICAL, far >= -_CONVERGED
    gap[known[ordered & ~kept]] = 0.0
    gap[known[~ordered & ~kept & orthogonal]] = 1.0
    inside = ~ordered & ~orthogonal & ~kept & np.isfinite(near)
    at = known[inside]
    gap[at] = _zeros(lambda x, i: excess(x, at[i]), near[inside], far[inside])
    return gap


def _zeros(
    f: Callable[[HostArray, HostArray], HostArray], near: HostArray, far: HostArray
) -> HostArray:
    """Zeros between _LEAST, where f is ``near`` > 0, and 1, where it is ``far`` < 0.

    Chandrupatla's method: inverse quadratic steps where they are safe, else the
    bracket is halved, in the logarithm while it spans orders of magnitude.
    """
    a, fa = np.full(near.size, _LEAST), near
    b, fb = np.ones(near.size), far
    t, zero, index = fa / (fa - fb), np.full(near.size, np.nan), np.arange(near.size)
    for _ in range(_STEPS):
        x = a + t * (b - a)
        fx = f(x, index)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        done = (np.abs(fa) <= _CONVERGED) | (np.abs(b - a) <= _CONVERGED * np.maximum(a, b))
        zero[index[done]] = a[done]
        a, b, c, fa, fb, fc, index = (y[~done] for y in (a, b, c, fa, fb, fc, index))
        if not index.size:
            break
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = fa / (fb - fa) * fc / (fb - fc)
            inverse += (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        wide = np.maximum(a, b) > 4 * np.minimum(a, b)
        half = np.where(wide, (np.sqrt(a * b) - a) / (b - a), 0.5)
        t = np.where(safe, inverse, half)
    return zero

"""One step of the recursion for two inputs: the correlation map and its slope."""

from collections.abc import Callable

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.maps import variance_map
from initjax.meanfield.settings import checked_keep, checked_sigma, off_zero
from initjax.meanfield.smoothness import check_continuous
from initjax.quadrature import gaussian_mean, pair_distance, pair_mean
from initjax.typing import Array, HostArray


def correlation_map(
    c: HostArray | float,
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Correlation of the next layer's pre-activations for two inputs, cˡ ↦ cˡ⁺¹.

        C(c) = (σ_w² E[φ(u) φ(v)] + σ_b²) / V(q),    u, v ~ N(0, q),  E uv = c q
        V(q) = σ_w² E[φ(u)²] / keep + σ_b²

    Both inputs have the second moment q, of any size, not only at a fixed point.
    Dropout has masks of its own for each input, so that C(1) < 1 where keep < 1.

    Args:
        c: Correlation cˡ in [-1, 1]; any shape.
        activation: φ, by name or as any elementwise callable.
        q: Second moment qˡ ≥ 0 of either pre-activation, broadcast against ``c``.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``c``.
        sigma_b: Standard deviation of the biases, broadcast against ``c``.
        keep: Probability that inverted dropout keeps a unit, broadcast too.

    Returns:
        cˡ⁺¹ in [-1, 1], float64, of the broadcast shape; nan where V(q) = 0. Near
        1 it has the digits that a float near 1 has: for more see
        ``correlation_gap``.

    Raises:
        ValueError: for c outside [-1, 1], and as ``variance_map``.

    Example:
        >>> round(float(correlation_map(0.0, "relu", q=1.0, sigma_w=2**0.5)), 12)
        0.318309886184

    References:
        Poole et al. (2016), arXiv:1606.05340, eq. (5), there at q = q*; Schoenholz
        et al. (2017), arXiv:1611.01232, for dropout.
    """
    named = resolve(activation)
    length = variance_map(q, named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    moment = pair_mean(_itself, named, c, q)
    covariance = np.square(sigma_w) * moment + np.square(sigma_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(covariance / length, -1.0, 1.0)


def correlation_gap(
    gap: HostArray | float,
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """The correlation map for 1 − c, free of cancellation: gap ↦ 1 − C(1 − gap).

        1 − C = σ_w² (½ E[(φ(u) − φ(v))²] + (1/keep − 1) E[φ(u)²]) / V(q)

    Deep networks of an ordered or critical phase bring 1 − c far below what a
    float near 1 resolves; iterated with this map it keeps its digits.

    Args:
        gap: 1 − cˡ in [0, 2]; any shape. Others as ``correlation_map``.
        activation: φ.
        q: Second moment of either pre-activation.
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
        keep: Probability that inverted dropout keeps a unit.

    Returns:
        1 − cˡ⁺¹ in [0, 2], float64, relative error near 1e-13.

    Raises:
        ValueError: for a gap outside [0, 2], and as ``variance_map``.

    Example:
        >>> gap = correlation_gap(1e-20, "tanh", q=1.0, sigma_w=1.0)
        >>> round(float(gap) * 1e20, 6)
        1.177807

    References:
        Poole et al. (2016), arXiv:1606.05340, for the map.
    """
    named = resolve(activation)
    length = variance_map(q, named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    masks = (1 / checked_keep(keep) - 1) * gaussian_mean(np.square, named, q)
    distance = pair_distance(named, gap, q) + masks
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(np.square(sigma_w) * distance / length, 0.0, 2.0)


def chi_c(
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    c: HostArray | float,
    sigma_w: HostArray | float,
) -> HostArray:
    """What a layer does to a small deviation of the correlation c.

        χ_c = σ_w² E[φ′(u) φ′(v)],    u, v ~ N(0, q),  E uv = c q

    The slope of the correlation map is q χ_c / V(q), which at a fixed point q* of
    the variance map is χ_c itself, with dropout too. χ_c at c = 1 is χ₁.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment ≥ 0 of either pre-activation; any shape.
        c: Correlation in [-1, 1], broadcast against ``q``.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.

    Returns:
        χ_c in float64, of the broadcast shape.

    Raises:
        ValueError: for c outside [-1, 1], and for an activation that jumps, whose
            φ′ is no function.

    Example:
        >>> round(float(chi_c("relu", q=1.0, c=0.0, sigma_w=2**0.5)), 12)
        0.5

    References:
        Schoenholz et al. (2017), arXiv:1611.01232, there in ξ_c.
    """
    named, sigma_w = resolve(activation), checked_sigma("sigma_w", sigma_w)
    q = off_zero(q)
    moment = pair_mean(_itself, named, c, q, order=1)
    check_continuous(named, q)
    return np.square(sigma_w) * moment


def _itself(y: HostArray) -> HostArray:
    return y

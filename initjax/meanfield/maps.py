"""One step of the recursion: the variance map and its slopes χ₁ and χ_q."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from initjax.activations import NamedActivation, resolve, value_and_derivative
from initjax.meanfield.settings import checked_keep, checked_sigma, off_zero
from initjax.meanfield.smoothness import check_continuous, slope_at_zero
from initjax.quadrature import gaussian_mean
from initjax.typing import Array, HostArray


def variance_map(
    q: HostArray | float,
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Second moment of the next layer's pre-activations, qˡ ↦ qˡ⁺¹.

        V(q) = σ_w² E[φ(√q z)²] / keep + σ_b²,    z ~ N(0, 1)

    Exact for a fully connected layer as its width grows; an average over
    weights, so a single narrow network scatters around it.

    Args:
        q: Second moment qˡ ≥ 0 of a pre-activation; any shape.
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.
        sigma_b: Standard deviation of the biases, broadcast against ``q``.
        keep: Probability that inverted dropout, φ/keep or 0, keeps a unit.

    Returns:
        qˡ⁺¹ in float64, of the broadcast shape.

    Raises:
        ValueError: if an entry of ``q``, ``sigma_w`` or ``sigma_b`` is negative or
            not finite, if ``keep`` is not in (0, 1], and where φ cannot be
            integrated: it is nan, or grows so fast that E φ² is out of reach.

    Example:
        >>> round(float(variance_map(3.0, "relu", sigma_w=2**0.5)), 12)
        3.0

    References:
        Poole et al. (2016), arXiv:1606.05340, eq. (3); Schoenholz et al. (2017),
        arXiv:1611.01232, for dropout.
    """
    sigma_w, sigma_b = checked_sigma("sigma_w", sigma_w), checked_sigma("sigma_b", sigma_b)
    moment = gaussian_mean(np.square, resolve(activation), q)
    return np.square(sigma_w) / checked_keep(keep) * moment + np.square(sigma_b)


def chi(
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Factor χ₁ on the squared gradient per layer, and slope of c ↦ c at c = 1.

        χ₁ = σ_w² E[φ′(√q z)²] / keep,    z ~ N(0, 1)

    The gradient is multiplied by the mask of dropout too, hence 1/keep. Two inputs
    have masks of their own, so the slope of the correlation map has no such factor:
    for it leave ``keep`` out, and take the q of the network with dropout.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment ≥ 0 of the pre-activation; any shape. At q = 0 the limit,
            which for a kink at 0 is the mean of the slopes squared on both sides.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.
        keep: Probability that inverted dropout keeps a unit.

    Returns:
        χ₁ in float64, of the broadcast shape; below 1 is the ordered phase
        (gradients vanish), above 1 the chaotic one (gradients explode).

    Raises:
        ValueError: as ``variance_map``, and for an activation that jumps, whose χ₁
            is infinite.

    Example:
        >>> round(float(chi("relu", q=7.0, sigma_w=2**0.5)), 12)
        1.0

    References:
        Poole et al. (2016), arXiv:1606.05340, eq. (6).
    """
    named, sigma_w = resolve(activation), checked_sigma("sigma_w", sigma_w)
    positive = off_zero(q)
    moment = gaussian_mean(np.square, named, positive, order=1)
    check_continuous(named, positive)
    return np.square(sigma_w) / checked_keep(keep) * moment


def chi_q(
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Slope V′(q) of the variance map: what a layer does to a deviation of q.

        χ_q = σ_w² E[z φ(√q z) φ′(√q z)] / (√q keep),    z ~ N(0, 1)

    For a smooth φ it is χ₁ + σ_w² E[φ φ″] / keep. At a fixed point q* of the map
    the deviation q - q* grows where χ_q > 1: q* repels.

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment ≥ 0 of the pre-activation; any shape. At q = 0 the limit
            q → 0: with φ(0) = 0 the mean of the slopes squared on both sides of 0,
            ½ σ_w² for relu; infinite where φ has a kink at 0 and φ(0) ≠ 0.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.
        keep: Probability that inverted dropout keeps a unit.

    Returns:
        χ_q in float64, of the broadcast shape.

    Raises:
        ValueError: as ``chi``.

    Example:
        >>> from initjax.gains import gain
        >>> round(float(chi_q("gelu", q=1.0, sigma_w=gain("gelu"))), 4)
        1.1441

    References:
        Schoenholz et al. (2017), arXiv:1611.01232, there in ξ_q.
    """
    named, sigma_w = resolve(activation), checked_sigma("sigma_w", sigma_w)
    positive = np.where(np.equal(q, 0), 1.0, q)
    moment = gaussian_mean(_itself, _product(named), positive)
    check_continuous(named, positive)
    if np.any(np.equal(q, 0)):
        moment = np.where(np.equal(q, 0), slope_at_zero(named), moment)
    return np.square(sigma_w) / checked_keep(keep) * moment / positive


def _itself(y: HostArray) -> HostArray:
    return y


@lru_cache(maxsize=256)
def _product(named: NamedActivation) -> NamedActivation:
    """The function φ(x) φ′(x) x, whose mean is q dE[φ²]/dq."""

    def product(x: Array) -> Array:
        value, slope = value_and_derivative(named.function, x)
        return value * slope * x

    return NamedActivation(f"φ φ′ x of {named.name}", product, named.kinks)

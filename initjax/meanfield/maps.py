"""One step of the recursion: the variance map and the slope χ₁."""

from collections.abc import Callable

import numpy as np

from initjax.activations import resolve
from initjax.quadrature import gaussian_mean
from initjax.typing import Array, HostArray


def variance_map(
    q: HostArray | float,
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
) -> HostArray:
    """Second moment of the next layer's pre-activations, qˡ ↦ qˡ⁺¹.

        V(q) = σ_w² E[φ(√q z)²] + σ_b²,    z ~ N(0, 1)

    Exact for a fully connected layer as its width grows; an average over
    weights, so a single narrow network scatters around it.

    Args:
        q: Second moment qˡ ≥ 0 of a pre-activation; any shape.
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.
        sigma_b: Standard deviation of the biases, broadcast against ``q``.

    Returns:
        qˡ⁺¹ in float64, of the broadcast shape.

    Raises:
        ValueError: if an entry of ``q`` is negative or not finite.

    Example:
        >>> round(float(variance_map(3.0, "relu", sigma_w=2**0.5)), 12)
        3.0

    References:
        Poole et al. (2016), arXiv:1606.05340, eq. (3).
    """
    named = resolve(activation)
    moment = gaussian_mean(np.square, named, q)
    return np.square(sigma_w) * moment + np.square(sigma_b)


def chi(
    activation: str | Callable[[Array], Array],
    *,
    q: HostArray | float,
    sigma_w: HostArray | float,
) -> HostArray:
    """Factor χ₁ on the squared gradient per layer, and slope of c ↦ c at c = 1.

        χ₁ = σ_w² E[φ′(√q z)²],    z ~ N(0, 1)

    Args:
        activation: φ, by name or as any elementwise callable.
        q: Second moment ≥ 0 of the pre-activation; any shape.
        sigma_w: Standard deviation of √fan_in · W, broadcast against ``q``.

    Returns:
        χ₁ in float64, of the broadcast shape; below 1 is the ordered phase
        (gradients vanish), above 1 the chaotic one (gradients explode).

    Raises:
        ValueError: if an entry of ``q`` is negative or not finite.

    Example:
        >>> round(float(chi("relu", q=7.0, sigma_w=2**0.5)), 12)
        1.0

    References:
        Poole et al. (2016), arXiv:1606.05340, eq. (6).
    """
    named = resolve(activation)
    moment = gaussian_mean(np.square, named, q, order=1)
    return np.square(sigma_w) * moment

"""Moments of the squared singular values of the input-output Jacobian.

    J = D_L W_L … D_1 W_1,   D_ℓ = diag φ′(z_ℓ),   eigenvalues of J Jᵀ

in the limit of infinite width, every layer with pre-activations of second moment q:
at a fixed point of the variance map. The whole law is in ``spectrum``.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.settings import checked_sigma, off_zero
from initjax.meanfield.smoothness import check_continuous
from initjax.quadrature import gaussian_mean
from initjax.typing import Array, HostArray

Weights = Literal["gaussian", "orthogonal"]


def jacobian_moments(
    activation: str | Callable[[Array], Array],
    *,
    depth: HostArray | int,
    q: HostArray | float,
    sigma_w: HostArray | float,
    weights: Weights = "gaussian",
) -> tuple[HostArray, HostArray]:
    """Mean and variance of the squared singular values of the Jacobian of L layers.

        mean = χ₁^L,   variance = mean² · L (μ₂/μ₁² − 1 − s₁)
        χ₁ = σ_w² μ₁,   μ_k = E φ′(√q z)^(2k),   s₁ = −1 Gaussian, 0 orthogonal

    At χ₁ = 1 gradients keep their mean square, but single directions do so only as
    far as the variance is small: only orthogonal weights and slopes that are nearly
    equal leave it so over depth.

    Args:
        activation: φ, by name or as any elementwise callable.
        depth: L ≥ 1, whole; broadcast against ``q`` and ``sigma_w``.
        q: Second moment ≥ 0 of the pre-activation; any shape.
        sigma_w: Standard deviation of √fan_in · W, ≥ 0; an orthogonal W has all
            singular values σ_w.
        weights: Law of W, gaussian or orthogonal.

    Returns:
        Mean and variance in float64, of the broadcast shape.

    Raises:
        ValueError: for an entry of ``q`` that is negative or not finite, a depth
            below 1 or not whole, a negative ``sigma_w``, unknown ``weights``, and an
            activation that jumps.

    Example:
        >>> mean, variance = jacobian_moments("relu", depth=8, q=1.0, sigma_w=2**0.5)
        >>> round(float(mean), 9), round(float(variance), 9)
        (1.0, 16.0)

    References:
        Pennington, Schoenholz & Ganguli (2017), arXiv:1711.04735.
    """
    length, sigma = checked(depth, sigma_w, weights)
    slope, excess = _slope_moments(activation, q)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (np.square(sigma) * slope) ** length
        return mean, np.square(mean) * length * (excess + (weights == "gaussian"))


def isometry_score(
    activation: str | Callable[[Array], Array],
    *,
    depth: HostArray | int,
    q: HostArray | float,
    weights: Weights = "gaussian",
) -> HostArray:
    """How near the Jacobian of L layers is to a multiple of an isometry, in (0, 1].

        score = (E λ)² / E λ² = 1 / (1 + L (μ₂/μ₁² − 1 − s₁)),   λ squared singular value

    It is 1 when all singular values are equal, whatever they are, and k/n when k of n
    are equal and the others 0: the share of directions in which a gradient arrives.

    Args:
        activation: φ, by name or as any elementwise callable.
        depth: L ≥ 1, whole; broadcast against ``q``.
        q: Second moment ≥ 0 of the pre-activation; any shape.
        weights: Law of W, gaussian or orthogonal; its scale does not matter.

    Returns:
        The score in float64, of the broadcast shape; nan where φ′ = 0 everywhere.

    Raises:
        ValueError: as ``jacobian_moments``.

    Example:
        >>> float(isometry_score("identity", depth=100, q=1.0, weights="orthogonal"))
        1.0
        >>> round(float(isometry_score("relu", depth=9, q=1.0)), 12)  # 1/(1 + 2L)
        0.052631578947

    References:
        Pennington, Schoenholz & Ganguli (2017), arXiv:1711.04735, for the moments.
    """
    length, _ = checked(depth, 1.0, weights)
    _, excess = _slope_moments(activation, q)
    return 1 / (1 + length * (excess + (weights == "gaussian")))


def checked(
    depth: HostArray | int, sigma_w: HostArray | float, weights: str
) -> tuple[HostArray, HostArray]:
    """Depth and σ_w in float64, after a look at all three."""
    if weights not in get_args(Weights):
        raise ValueError(
            f"weights must be one of {get_args(Weights)}; got weights={weights!r}"
        )
    length = np.asarray(depth, np.float64)
    if not np.all((length >= 1) & (length == np.floor(length)) & np.isfinite(length)):
        raise ValueError(f"depth must be whole numbers >= 1; got depth={depth!r}")
    return length, checked_sigma("sigma_w", sigma_w)


def _slope_moments(
    activation: str | Callable[[Array], Array], q: HostArray | float
) -> tuple[HostArray, HostArray]:
    """μ₁ and μ₂/μ₁² − 1, the latter as a variance: it is 0 for a linear φ."""
    named, q = resolve(activation), off_zero(q)
    slope = gaussian_mean(np.square, named, q, order=1)
    fourth = gaussian_mean(lambda s: s**4, named, q, order=1)
    check_continuous(named, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return slope, np.maximum(fourth / np.square(slope) - 1, 0)

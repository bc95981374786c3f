"""How many layers a signal survives: the e-folding depths of q, c and the gradient."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initjax.activations import resolve
from initjax.meanfield.correlation import chi_c
from initjax.meanfield.fixed_correlation import c_star, scale_free
from initjax.meanfield.fixed_points import q_star
from initjax.meanfield.maps import chi, chi_q, variance_map
from initjax.typing import Array, HostArray

_CRITICAL = 1e-11  # slopes within this of 1 are 1: q* and σ_w have rounding of their own


class DepthScales(NamedTuple):
    """Layers over which a deviation falls by a factor e, float64 arrays.

    Attributes:
        xi_q: Of the second moment from q*.
        xi_c: Of the correlation from c*.
    """

    xi_q: HostArray
    xi_c: HostArray


def depth_scales(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> DepthScales:
    """Depths over which length and correlation forget the input.

        |qˡ − q*| ~ exp(−ℓ/ξ_q),    ξ_q = −1 / ln |V′(q*)|
        |cˡ − c*| ~ exp(−ℓ/ξ_c),    ξ_c = −1 / ln C′(c*),  C′ = σ_w² E[φ′(u) φ′(v)]

    Networks deeper than about 6 ξ_c do not train. At criticality ξ_c is infinite
    and the approach algebraic: see ``critical_rate``. Dropout keeps ξ_c finite at
    any σ_w.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W; any shape.
        sigma_b: Standard deviation of the biases, broadcast against ``sigma_w``.
        keep: Probability that inverted dropout keeps a unit, broadcast too.

    Returns:
        ξ_q and ξ_c in layers, of the broadcast shape. ξ_q < 0 where q* repels, nan
        where q* is infinite. ξ_c is infinite where every correlation is kept; at a
        q* of 0 or infinity it is that of the limit of the maps, infinite for relu
        without bias. Both are nan where q* is.

    Raises:
        ValueError: as ``q_star``, and for an activation that jumps.

    Example:
        >>> scales = depth_scales("tanh", sigma_w=2.5**0.5, sigma_b=0.05**0.5)
        >>> round(float(scales.xi_q), 6), round(float(scales.xi_c), 4)
        (1.179873, 11.7956)

    References:
        Schoenholz et al. (2017), arXiv:1611.01232.
    """
    named = resolve(activation)
    q = q_star(named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    c = c_star(named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    settled = np.isfinite(q)
    slope = chi_q(named, q=np.where(settled, q, 1.0), sigma_w=sigma_w, keep=keep)
    limit = scale_free(q)
    there = np.where(np.isnan(limit), 1.0, limit)
    length = variance_map(there, named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    tangent = chi_c(named, q=there, c=np.where(np.isnan(c), 1.0, c), sigma_w=sigma_w)
    with np.errstate(divide="ignore", invalid="ignore"):
        tangent = np.where(np.isnan(limit), np.nan, there / length * tangent)
    return DepthScales(_scale(np.where(settled, np.abs(slope), np.nan)), _scale(tangent))


def gradient_depth_scale(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: HostArray | float,
    sigma_b: HostArray | float = 0.0,
    keep: HostArray | float = 1.0,
) -> HostArray:
    """Depth over which the squared gradient falls by a factor e on its way back.

        E|∂L/∂zˡ|² ~ exp(−(L − ℓ)/ξ),    ξ = −1 / ln χ₁,   χ₁ = σ_w² E[φ′(√q* z)²] / keep

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W; any shape.
        sigma_b: Standard deviation of the biases, broadcast against ``sigma_w``.
        keep: Probability that inverted dropout keeps a unit, broadcast too.

    Returns:
        ξ in layers, float64, of the broadcast shape: positive in the ordered phase
        where gradients vanish, infinite at criticality, negative in the chaotic
        phase where they explode. At an infinite q* that of the limit; nan where q*
        is nan.

    Raises:
        ValueError: as ``q_star``, and for an activation that jumps.

    Example:
        >>> round(float(gradient_depth_scale("relu", sigma_w=1.0)), 6)
        1.442695
        >>> float(gradient_depth_scale("relu", sigma_w=2**0.5))
        inf

    References:
        Schoenholz et al. (2017), arXiv:1611.01232.
    """
    named = resolve(activation)
    q = q_star(named, sigma_w=sigma_w, sigma_b=sigma_b, keep=keep)
    limit = np.where(np.isposinf(q), scale_free(q), q)
    there = np.where(np.isnan(limit), 1.0, limit)
    slope = chi(named, q=there, sigma_w=sigma_w, keep=keep)
    return _scale(np.where(np.isnan(limit), np.nan, slope))


def _scale(slope: HostArray) -> HostArray:
    """−1 / ln slope, with a slope of 1 up to rounding as 1."""
    slope = np.where(np.abs(slope - 1) <= _CRITICAL, 1.0, slope)
    with np.errstate(divide="ignore"):
        return np.abs(1 / np.log(slope)) * np.where(slope > 1, -1.0, 1.0)

"""Order and chaos: which side of χ₁ = 1 a network is on."""

import math
from collections.abc import Callable
from typing import Literal

from initjax.activations import resolve
from initjax.meanfield.fixed_points import q_star
from initjax.meanfield.maps import chi
from initjax.meanfield.settings import checked_number
from initjax.typing import Array

Phase = Literal["ordered", "critical", "chaotic"]

_LARGEST = 1e12  # stands for q* = ∞


def phase(
    activation: str | Callable[[Array], Array],
    *,
    sigma_w: float,
    sigma_b: float = 0.0,
    tolerance: float = 1e-6,
) -> Phase:
    """Which side of the edge of chaos a network of these weights is on.

    ordered where χ₁ < 1 at q* (two inputs become one, gradients vanish), chaotic
    where χ₁ > 1 (they part, gradients explode), critical between. With dropout there
    is no critical phase: ``depth_scales`` stay finite.

    Args:
        activation: φ, by name or as any elementwise callable.
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
        tolerance: On |χ₁ - 1| for critical.

    Returns:
        The phase at the q* of ``q_star``; where q* is 0 or infinite, at the limit.

    Raises:
        ValueError: as ``chi`` and ``q_star``, and where q* is not known.

    Example:
        >>> [phase("tanh", sigma_w=s, sigma_b=0.05**0.5) for s in (1.0, 2.0)]
        ['ordered', 'chaotic']
        >>> phase("relu", sigma_w=2**0.5)
        'critical'

    References:
        Poole et al. (2016), arXiv:1606.05340.
    """
    named = resolve(activation)
    sigma_w, sigma_b = (
        checked_number(name, value)
        for name, value in (("sigma_w", sigma_w), ("sigma_b", sigma_b))
    )
    q = float(q_star(named, sigma_w=sigma_w, sigma_b=sigma_b))
    if math.isnan(q):
        raise ValueError(
            f"the q* of activation {named.name!r} at sigma_w={sigma_w!r}, "
            f"sigma_b={sigma_b!r} is out of the range in which E φ² can be computed"
        )
    slope = float(chi(named, q=min(q, _LARGEST), sigma_w=sigma_w))
    if abs(slope - 1) <= tolerance:
        return "critical"
    return "ordered" if slope < 1 else "chaotic"

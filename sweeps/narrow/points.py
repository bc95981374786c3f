"""Where each activation is measured: where its length keeps to a fixed point."""

from collections.abc import Mapping
from typing import NamedTuple

from initjax.gains import gain

_CRITICAL_AT: Mapping[str, Mapping[str, float]] = {
    "lengths": {"tanh": 0.5},
    "slopes": {"gelu": 9.0, "silu": 25.0, "mish": 9.0},
}
"""By part: second moments q at which the gradient is kept too, by weights and biases.

With the forward gain q = 1 repels gelu, silu and mish; these moments attract.
"""


class Point(NamedTuple):
    """A fixed point of the length map.

    Attributes:
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
        q: Second moment of the pre-activations, which it keeps.
    """

    sigma_w: float
    sigma_b: float
    q: float


def point(part: str, activation: str) -> Point:
    """The forward gain at q = 1 without biases, or a critical point with biases.

    Example:
        >>> round(point("slopes", "relu").sigma_w ** 2, 12)
        2.0
    """
    q = _CRITICAL_AT.get(part, {}).get(activation)
    if q is None:
        return Point(gain(activation), 0.0, 1.0)
    sigma_w = gain(activation, kind="backward", q=q)
    without_bias = (sigma_w / gain(activation, q=q)) ** 2  # V(q) / q
    return Point(sigma_w, float((q * (1 - without_bias)) ** 0.5), q)

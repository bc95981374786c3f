"""Gain of a gated unit: what its product of two projections does to a moment."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from initjax.activations import resolve
from initjax.gains.elementwise import Kind, check_moment, from_moment
from initjax.quadrature import gaussian_mean
from initjax.typing import Array

GATED_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "glu": "sigmoid",
        "swiglu": "silu",
        "geglu": "gelu",
        "reglu": "relu",
        "bilinear": "identity",
    }
)
"""Gate activation of each published unit."""


def gated_gain(
    activation: str | Callable[[Array], Array],
    *,
    kind: Kind = "forward",
    q: float = 1.0,
    kinks: Iterable[float] | None = None,
) -> float:
    """Factor on the weights after a gated unit u = φ(a)·b that offsets the unit.

        forward    1 / √E[φ(√q z)²]                      E u² = q E[φ(√q z)²]
        backward   1 / √(q E[φ′(√q z)²] + E[φ(√q z)²])   ∂L/∂a = φ′(a) b δ, ∂L/∂b = φ(a) δ
        centered   as forward, since E u = E φ(a) · E b = 0

    with z ~ N(0, 1) and δ = ∂L/∂u. The unit is y = D u with a = W x, b = V x,
    where x has second moment q, so that a, b ~ N(0, q) independently. W and V
    have unit gain each, D has the gain: y has the second moment of x (forward),
    or the gradient that W and V together return to x has that of ∂L/∂y
    (backward). The inner width cancels whether variances go by fan-in or by
    fan-out, as long as all three matrices use the same. Biases are zero.

    Args:
        activation: A unit (glu, swiglu, geglu, reglu, bilinear), or the gate's
            φ, by name or as any elementwise callable. geglu has the exact gelu;
            say gelu_tanh for its approximation.
        kind: Which moment to keep.
        q: Second moment of the two projections, > 0.
        kinks: Points where a callable φ or a derivative of it jumps; searched
            when None.

    Raises:
        ValueError: as ``gain``.

    Example:
        >>> round(gated_gain("swiglu"), 6), round(gated_gain("swiglu", kind="backward"), 6)
        (1.676532, 1.166219)
        >>> gated_gain("silu") == gated_gain("swiglu")
        True

    References:
        Shazeer (2020), arXiv:2002.05202, for the units; the gains follow from
        the independence of a and b.
    """
    check_moment(kind, q)
    unit = activation if isinstance(activation, str) else ""
    named = resolve(GATED_UNITS.get(unit, activation), kinks)
    value = float(gaussian_mean(np.square, named, q))
    if kind != "backward":
        return from_moment(q * value, named.name, kind, q)
    slope = float(gaussian_mean(np.square, named, q, order=1))
    return from_moment(q * slope + value, named.name, kind, q)

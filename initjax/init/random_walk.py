"""Random-walk initialization: the gain that keeps the logarithm of the gradient.

A gain that keeps the mean square of a narrow network lets its typical size fall,
for the mean of a product rests on rare large values. A slightly larger gain, which
depends on the width, keeps the mean of the logarithm instead.
"""

import math
from typing import Literal, get_args

import numpy as np

from initjax.fans import Axes
from initjax.init.arguments import check_choice
from initjax.init.by_fan import RoleFans
from initjax.init.scaled import ScaledInitializer
from initjax.typing import DType, Shape

Walked = Literal["relu", "identity"]


def random_walk(
    activation: Walked = "relu",
    *,
    exact: bool = False,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Entries N(0, g² / n), n = fan_in, with E ln |δₗ|² the same at every layer.

        identity   g = exp(1 / (2n))
        relu       g = √2 · exp(1.2 / (max(n, 6) - 2.4))

    are the published fits; the exact values are

        identity   ln g² = ln(n/2) - ψ(n/2)
        relu       ln g² = ln(n/2) - E[ψ(K/2) | K ≥ 1],  K ~ Binomial(n, ½)

    Args:
        activation: relu or identity; no other has a published gain.
        exact: Use the exact value instead of the fit, which for ReLU is off by 2.5 %
            at n = 4 and by less than 0.1 % from n = 16.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: for another activation.

    Example:
        >>> round(random_walk("identity").law((100, 100)).variance * 100, 6)
        1.01005

    References:
        Sussillo & Abbott (2014), arXiv:1412.6558, eqs. for g_linear and g_ReLU.
    """
    check_choice("activation", activation, get_args(Walked))
    roles = RoleFans(in_axis, out_axis, batch_axis)

    def stddev(shape: Shape) -> float:
        n = roles(shape).fan_in
        gain = exact_walk_gain(activation, n) if exact else _published(activation, n)
        return gain / math.sqrt(n)

    name = f"random_walk({activation!r}, exact={exact})"
    return ScaledInitializer(name, "normal", stddev, dtype=dtype)


def _published(activation: str, n: int) -> float:
    if activation == "identity":
        return math.exp(1 / (2 * n))
    return math.sqrt(2) * math.exp(1.2 / (max(n, 6) - 2.4))


def exact_walk_gain(activation: Walked, n: int) -> float:
    """The gain that keeps E ln |W φ(z)|², for n inputs of one layer.

    For ReLU, |W relu(z)|² / |z|² is g²/n times a chi-square with K degrees of
    freedom, where K counts the active units; K = 0, a dead layer, is excluded.

    Args:
        activation: relu or identity.
        n: Number of inputs, ≥ 1.

    Raises:
        ValueError: for another activation, and for n < 1.

    Example:
        >>> round(exact_walk_gain("identity", 100), 6)
        1.005029

    References:
        Sussillo & Abbott (2014), arXiv:1412.6558, whose fits it replaces; E ln χ²_k
        = ln 2 + ψ(k/2).
    """
    check_choice("activation", activation, get_args(Walked))
    if n < 1:
        raise ValueError(f"a layer needs at least one input; got n={n}")
    from scipy import special  # slow to import, and rarely used

    if activation == "identity":
        mean_log = float(special.digamma(n / 2))
    else:
        k = np.arange(1, n + 1)
        log_weight = (
            special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        )
        weight = np.exp(log_weight - n * math.log(2))
        mean_log = float(weight @ special.digamma(k / 2) / weight.sum())
    return math.exp((math.log(n / 2) - mean_log) / 2)

"""First names follow torch: untruncated laws, with gain, a, mode, nonlinearity.

``xavier_normal`` here is torch's, not JAX's alias of the truncated glorot_normal; so
are its arguments: ``jax.nn.initializers.kaiming_normal(-2)`` names an axis, and -2 is
the slope ``a`` here. Use the last names where axes come first.
"""

import math
from collections.abc import Callable
from typing import Literal, get_args

import jax.numpy as jnp

from initjax.fans import Axes
from initjax.gains import published_gain
from initjax.init.arguments import check_choice, check_finite
from initjax.init.by_fan import RoleFans, gain_scaling
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType

KaimingMode = Literal["fan_in", "fan_out"]


def xavier_uniform(
    gain: float | Array = 1.0,
    *,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Entries U(±a), a = gain · √(6 / (fan_in + fan_out)).

    Args:
        gain: Factor on the standard deviation, ≥ 0; see ``initjax.gains``.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: if ``gain`` is negative or not finite.

    Example:
        >>> import jax
        >>> w = xavier_uniform()(jax.random.key(0), (100, 200))
        >>> bool(abs(w).max() <= (6 / 300) ** 0.5)
        True

    References:
        Glorot & Bengio (2010), eq. (16), where the gain is 1.
    """
    roles = RoleFans(in_axis, out_axis, batch_axis)
    return gain_scaling(
        f"xavier_uniform({gain!r})", gain, "fan_avg", "uniform", roles, dtype
    )


def xavier_normal(
    gain: float | Array = 1.0,
    *,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Entries N(0, σ²), σ = gain · √(2 / (fan_in + fan_out)), untruncated.

    Args:
        gain: Factor on the standard deviation, ≥ 0; see ``initjax.gains``.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: if ``gain`` is negative or not finite.

    Example:
        >>> round(xavier_normal(5 / 3).law((256, 256)).variance * 256, 6)
        2.777778

    References:
        Glorot & Bengio (2010), eq. (12), where the gain is 1.
    """
    roles = RoleFans(in_axis, out_axis, batch_axis)
    return gain_scaling(f"xavier_normal({gain!r})", gain, "fan_avg", "normal", roles, dtype)


def kaiming_uniform(
    a: float | Array = 0.0,
    mode: KaimingMode = "fan_in",
    nonlinearity: str | Callable[[Array], Array] = "leaky_relu",
    *,
    gain: float | Array | None = None,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Entries U(±b), b = gain · √(3 / fan).

    Args:
        a: Negative slope of the leaky ReLU; 0 is ReLU. Used only with
            ``nonlinearity="leaky_relu"``.
        mode: fan_in keeps the forward, fan_out the backward second moment.
        nonlinearity: Activation that follows the layer: a name of torch's table
            gives torch's gain, any other name or callable its forward gain. For
            gelu, silu and mish its length map repels from q = 1 (slopes 1.144,
            1.173, 1.076): deep plain networks of these need normalization.
        gain: Overrides ``a`` and ``nonlinearity``.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: for an unknown mode or nonlinearity, and a gain that is
            negative or not finite.

    Example:
        >>> round(kaiming_uniform(a=5**0.5).law((300, 10)).variance * 300, 6)
        0.333333

    References:
        He et al. (2015), arXiv:1502.01852, eqs. (10), (14) and (15).
    """
    check_choice("mode", mode, get_args(KaimingMode))
    factor = _kaiming_gain(a, nonlinearity, gain)
    roles = RoleFans(in_axis, out_axis, batch_axis)
    name = f"kaiming_uniform(gain={factor!r}, mode={mode!r})"
    return gain_scaling(name, factor, mode, "uniform", roles, dtype)


def kaiming_normal(
    a: float | Array = 0.0,
    mode: KaimingMode = "fan_in",
    nonlinearity: str | Callable[[Array], Array] = "leaky_relu",
    *,
    gain: float | Array | None = None,
    dtype: DType = None,
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
) -> ScaledInitializer:
    """Entries N(0, σ²), σ = gain / √fan, untruncated.

    Args:
        a: Negative slope of the leaky ReLU; 0 is ReLU. Used only with
            ``nonlinearity="leaky_relu"``.
        mode: fan_in keeps the forward, fan_out the backward second moment.
        nonlinearity: Activation that follows the layer: a name of torch's table
            gives torch's gain, any other name or callable its forward gain. For
            gelu, silu and mish its length map repels from q = 1 (slopes 1.144,
            1.173, 1.076): deep plain networks of these need normalization.
        gain: Overrides ``a`` and ``nonlinearity``.
        dtype: Used when the initializer is called without one.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.

    Raises:
        ValueError: for an unknown mode or nonlinearity, and a gain that is
            negative or not finite.

    Example:
        >>> round(kaiming_normal().law((300, 10)).variance * 300, 6)
        2.0

    References:
        He et al. (2015), arXiv:1502.01852, eqs. (10), (14) and (15).
    """
    check_choice("mode", mode, get_args(KaimingMode))
    factor = _kaiming_gain(a, nonlinearity, gain)
    roles = RoleFans(in_axis, out_axis, batch_axis)
    name = f"kaiming_normal(gain={factor!r}, mode={mode!r})"
    return gain_scaling(name, factor, mode, "normal", roles, dtype)


def _kaiming_gain(
    a: float | Array,
    nonlinearity: str | Callable[[Array], Array],
    gain: float | Array | None,
) -> float | Array:
    """√(2 / (1 + a²)) for the leaky ReLU, in closed form so that a may be traced."""
    if gain is not None:
        return check_finite("gain", gain, least=0)
    a = check_finite("a", a)
    if nonlinearity == "leaky_relu":
        if isinstance(a, float):
            return math.sqrt(2) / math.hypot(1, a)
        return jnp.sqrt(2 / (1 + jnp.square(a)))
    return published_gain(nonlinearity)

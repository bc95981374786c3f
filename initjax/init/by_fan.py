"""Variance scaling: entries whose standard deviation is a gain over √fan."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax.numpy as jnp

from initjax.fans import Axes, Fans, fans
from initjax.init.arguments import check_axes, check_choice, check_finite
from initjax.init.scaled import Mode, ScaledInitializer
from initjax.typing import Array, DType, Shape

Distribution = Literal["normal", "truncated_normal", "uniform"]


def variance_scaling(
    scale: float | Array,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    dtype: DType = None,
) -> ScaledInitializer:
    """Entries of variance scale / fan.

        Var W = scale / fan,   fan = fan_in | fan_out | (fan_in + fan_out)/2
                                     | √(fan_in · fan_out)

    The variance is that of the drawn law: a truncated normal (|z| < 2) is
    divided by its standard deviation 0.8796, a uniform law is U(±√(3 scale/fan)).

    Args:
        scale: Gain squared, ≥ 0; may be traced.
        mode: fan_in, fan_out, fan_avg or fan_geo_avg.
        distribution: normal (untruncated), truncated_normal or uniform.
        in_axis: Input axis or axes of the kernel.
        out_axis: Output axis or axes.
        batch_axis: Axes over independent copies of the layer.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: at once, for a negative or non-finite scale and for an
            unknown mode or distribution; when called, for a shape without fans.

    Example:
        >>> import jax
        >>> kernel = variance_scaling(2.0, "fan_in", "normal")(
        ...     jax.random.key(0), (784, 256))
        >>> kernel.shape, bool(abs(kernel.std() - (2 / 784) ** 0.5) < 1e-3)
        ((784, 256), True)

    References:
        Glorot & Bengio (2010), eq. (12); He et al. (2015), arXiv:1502.01852,
        eqs. (10) and (14).
    """
    scale = check_finite("scale", scale, least=0)
    gain = math.sqrt(scale) if isinstance(scale, int | float) else jnp.sqrt(scale)
    return gain_scaling(
        f"variance_scaling({scale!r}, {mode!r}, {distribution!r})",
        gain,
        mode,
        distribution,
        RoleFans(in_axis, out_axis, batch_axis),
        dtype,
    )


@dataclass(frozen=True)
class RoleFans:
    """Fans of a shape whose axes have these roles, checked when they are named."""

    in_axis: Axes
    out_axis: Axes
    batch_axis: Axes

    def __post_init__(self) -> None:
        """Refuse an axis that is named twice."""
        check_axes(in_axis=self.in_axis, out_axis=self.out_axis, batch_axis=self.batch_axis)

    def __call__(self, shape: Shape) -> Fans:
        """Fans of ``shape``."""
        return fans(
            shape, in_axis=self.in_axis, out_axis=self.out_axis, batch_axis=self.batch_axis
        )


def gain_scaling(
    name: str,
    gain: float | Array,
    mode: Mode,
    distribution: Distribution,
    fans_of: Callable[[Shape], Fans],
    dtype: DType,
) -> ScaledInitializer:
    """Entries of standard deviation gain / √fan, with any function for the fans.

    The gain is not squared on the way, so that none over- or underflows.
    """
    gain = check_finite("gain", gain, least=0)
    check_choice("mode", mode, get_args(Mode))
    check_choice("distribution", distribution, get_args(Distribution))

    def stddev(shape: Shape) -> Any:
        return gain / fan_of(mode, fans_of(shape)) ** 0.5

    return ScaledInitializer(
        name, distribution, stddev, dtype=dtype, fans_of=fans_of, mode=mode
    )


def fan_of(mode: str, found: Fans) -> Any:
    """The fan that a mode divides by; never 0, which only an empty kernel has."""
    fan_in, fan_out = found
    if mode == "fan_avg":
        return (fan_in + fan_out) / 2
    if mode == "fan_geo_avg":
        return (fan_in * fan_out) ** 0.5
    return fan_in if mode == "fan_in" else fan_out

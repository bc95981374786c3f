"""Initializers that are a base draw times a number, and variance scaling.

Every initializer here is a ``ScaledInitializer``, so that many networks can
share one draw: the engine draws the base once and applies each scale to it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

import jax.numpy as jnp

from initjax.fans import Axes, fans
from initjax.init.arguments import check_choice, check_finite
from initjax.init.bases import BASES, Law, sampling_dtype
from initjax.typing import Array, DType, Key, OutSharding, Shape

Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]
Distribution = Literal["normal", "truncated_normal", "uniform"]


@dataclass(frozen=True, eq=False)
class ScaledInitializer:
    """W = mean + scale(shape) · base draw, in JAX's initializer protocol.

    Drawn in float32 or wider and then cast to the dtype that is asked for.

    Attributes:
        name: The factory call that made it, for tables and messages.
        base: Key of BASES.
        scale: Root mean square of W - mean, as a function of the shape.
        mean: Added to every entry.
        dtype: Used when the call gives none; None means JAX's default float.
    """

    name: str
    base: str
    scale: Callable[[Shape], float | Array] = field(repr=False)
    mean: float | Array = 0.0
    dtype: DType = None

    def __call__(
        self,
        key: Key,
        shape: Shape,
        dtype: DType = None,
        out_sharding: OutSharding = None,
    ) -> Array:
        """Draw a kernel of ``shape`` from ``key``.

        Raises:
            ValueError: if the shape has no fans where the scheme needs them.
            TypeError: if ``dtype`` is not a real floating-point dtype; constants
                take any.
        """
        shape = tuple(shape)
        wanted = jnp.dtype(dtype or self.dtype or jnp.result_type(float))
        wide = wanted if self.base == "ones" else sampling_dtype(wanted)
        if math.prod(shape) == 0:
            return jnp.zeros(shape, wanted, out_sharding=out_sharding)
        scale = jnp.asarray(self.scale(shape), wide)
        draw = BASES[self.base].sample(key, shape, wide, out_sharding)
        return (jnp.asarray(self.mean, wide) + scale * draw).astype(wanted)

    def law(self, shape: Shape) -> Law:
        """Law of one entry of a kernel of ``shape``, before the cast to its dtype."""
        base, scale = BASES[self.base], float(self.scale(tuple(shape)))
        reach = abs(scale) * base.reach(shape)
        mean = float(self.mean) + scale * base.mean
        support = (mean, mean) if base.mean else (mean - reach, mean + reach)
        variance = scale**2 * (1 - base.mean**2)
        return Law(mean, variance, base.kurtosis(shape), support)


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
    check_finite("scale", scale, least=0)
    check_choice("mode", mode, get_args(Mode))
    check_choice("distribution", distribution, get_args(Distribution))

    def stddev(shape: Shape) -> float | Array:
        found = fans(shape, in_axis=in_axis, out_axis=out_axis, batch_axis=batch_axis)
        variance = scale / _fan(mode, *found)
        return jnp.sqrt(variance) if hasattr(variance, "dtype") else variance**0.5

    name = f"variance_scaling({scale!r}, {mode!r}, {distribution!r})"
    return ScaledInitializer(name, distribution, stddev, dtype=dtype)


def _fan(mode: str, fan_in: int, fan_out: int) -> float:
    if mode == "fan_avg":
        return (fan_in + fan_out) / 2
    if mode == "fan_geo_avg":
        return math.sqrt(fan_in * fan_out)
    return float(fan_in if mode == "fan_in" else fan_out)

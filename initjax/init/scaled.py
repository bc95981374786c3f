"""Initializers that are a base draw times a number.

What is made here is a ``ScaledInitializer``, so that many networks can share one
draw: the engine draws the base once and applies each scale to it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from initjax.fans import Fans, checked_shape
from initjax.init.bases import BASES
from initjax.init.dtypes import (
    check_drawable,
    check_range,
    has_zero,
    inside,
    narrow,
    requested_dtype,
    sampling_dtype,
)
from initjax.init.laws import Law, mixture
from initjax.typing import Array, DType, Key, OutSharding, Shape

Mode = Literal["fan_in", "fan_out", "fan_avg", "fan_geo_avg"]


@dataclass(frozen=True, eq=False)
class ScaledInitializer:
    """W = mean + scale(shape) · base draw, in JAX's initializer protocol.

    Drawn in float32 or wider and then cast to the dtype that is asked for.

    Attributes:
        name: The factory call that made it, for tables and messages.
        base: Key of BASES.
        scale: Root mean square of W - mean, as a function of the shape; an array
            that broadcasts to the kernel where entries differ.
        mean: Added to every entry.
        dtype: Used when the call gives none; None means JAX's default float.
        fans_of: Fans of a shape, if the scale is a gain / √fan.
        mode: Which of them.
    """

    name: str
    base: str
    scale: Callable[[Shape], Any] = field(repr=False)
    mean: float | Array = 0.0
    dtype: DType = None
    fans_of: Callable[[Shape], Fans] | None = field(default=None, repr=False)
    mode: Mode | None = None

    def __post_init__(self) -> None:
        """Refuse at once a dtype that no call could fill."""
        if self.dtype is not None and self.base != "ones":
            check_drawable(self.dtype, allow_complex=bool(BASES[self.base].complex))

    def __call__(
        self,
        key: Key,
        shape: Shape,
        dtype: DType = None,
        out_sharding: OutSharding = None,
    ) -> Array:
        """Draw a kernel of ``shape`` from ``key``.

        Raises:
            ValueError: if the shape has no fans where the scheme needs them, and
                if entries of that scale overflow the dtype.
            TypeError: if ``dtype`` is neither floating-point nor complex;
                constants take any.
        """
        shape, wanted = checked_shape(shape), requested_dtype(dtype, self.dtype)
        base = BASES[self.base]
        if self.base != "ones" or not has_zero(wanted):
            check_drawable(wanted, allow_complex=base.complex is not None)
        if math.prod(shape) == 0:
            return jnp.zeros(shape, wanted, out_sharding=out_sharding)
        scale = self.scale(shape)
        check_range(wanted, scale, self.name)
        check_range(wanted, self.mean, self.name)
        wide = wanted if self.base == "ones" else sampling_dtype(wanted)
        return _draw(
            key,
            jnp.asarray(scale, wide),
            jnp.asarray(self.mean, wide),
            self._ends(scale, shape, wide),
            base=self.base,
            shape=shape,
            wide=wide,
            wanted=wanted,
            out_sharding=out_sharding,
        )

    def _ends(self, scale: Any, shape: Shape, wide: DType) -> Any:
        """Ends of a bounded law, past which mean + scale · draw could be rounded."""
        known = isinstance(scale, int | float) and isinstance(self.mean, int | float)
        bounded = self.base in ("uniform", "truncated_normal")
        if not (known and bounded and jnp.issubdtype(wide, jnp.floating)):
            return None
        reach = abs(scale) * BASES[self.base].real.reach(shape)
        return inside(self.mean - reach, self.mean + reach, wide)

    def law(self, shape: Shape, dtype: DType = None) -> Law:
        """Law of one entry of a kernel of ``shape``, before the cast to its dtype.

        Args:
            shape: Of the kernel.
            dtype: The law is that of the modulus if this is a complex dtype.

        Raises:
            ValueError: if the shape has no fans where the scheme needs them, or
                no entries.
        """
        shape = checked_shape(shape)
        if 0 in shape:
            raise ValueError(f"a kernel of shape {shape} has no entries, hence no law")
        base, scale = BASES[self.base], np.asarray(self.scale(shape), np.float64)
        mean = np.asarray(self.mean, np.float64)
        if base.mean:
            mean, scale = mean + scale, 0.0 * scale
        return mixture(base.facts(dtype or self.dtype), shape, mean, scale)


@partial(jax.jit, static_argnames=("base", "shape", "wide", "wanted", "out_sharding"))
def _draw(
    key: Key,
    scale: Array,
    mean: Array,
    ends: tuple[Array, Array] | None,
    *,
    base: str,
    shape: Shape,
    wide: DType,
    wanted: DType,
    out_sharding: OutSharding,
) -> Array:
    """One program for mean + scale · draw, so that eager and jitted calls are equal.

    Inside another program the scale would be a constant, which XLA multiplies with
    those of the sampler, to another last digit: the barrier keeps it apart.
    """
    scale, mean = jax.lax.optimization_barrier((scale, mean))
    kernel = mean + scale * BASES[base].sample(key, shape, wide, out_sharding)
    return narrow(kernel if ends is None else jnp.clip(kernel, *ends), wanted)

"""Initializers with a sampler of their own: what is not a base draw times a number."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp

from initjax.fans import checked_shape
from initjax.init.dtypes import (
    check_drawable,
    check_range,
    narrow,
    requested_dtype,
    sampling_dtype,
)
from initjax.init.laws import Law
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Key, OutSharding, Shape


@dataclass(frozen=True, eq=False)
class SampledInitializer:
    """W = sample(key, shape, dtype), in JAX's initializer protocol.

    Attributes:
        name: The factory call that made it, for tables and messages.
        sample: Draws in the wide dtype that it is given, float32 at least.
        entry_law: Law of an entry, from the shape and the dtype.
        check: Raises a ValueError for a shape that the scheme has no meaning for.
        dtype: Used when the call gives none; None means JAX's default float.
        allow_complex: Whether the scheme has a complex form.
        size: Typical size of an entry; a dtype has to hold it.
    """

    name: str
    sample: Callable[[Key, Shape, DType], Array] = field(repr=False)
    entry_law: Callable[[Shape, DType], Law] = field(repr=False)
    check: Callable[[Shape], None] = field(repr=False)
    dtype: DType = None
    allow_complex: bool = True
    size: Any = 1.0

    def __post_init__(self) -> None:
        """Refuse at once a dtype that no call could fill."""
        if self.dtype is not None:
            check_drawable(self.dtype, allow_complex=self.allow_complex)

    def __call__(
        self,
        key: Key,
        shape: Shape,
        dtype: DType = None,
        out_sharding: OutSharding = None,
    ) -> Array:
        """Draw a kernel of ``shape`` from ``key``.

        Raises:
            ValueError: if the scheme has no meaning for the shape, and if entries
                of its size overflow the dtype.
            TypeError: if ``dtype`` is neither floating-point nor complex.
        """
        shape, wanted = checked_shape(shape), requested_dtype(dtype, self.dtype)
        check_drawable(wanted, allow_complex=self.allow_complex)
        check_range(wanted, self.size, self.name)
        self.check(shape)
        if math.prod(shape) == 0:
            return jnp.zeros(shape, wanted, out_sharding=out_sharding)
        drawn = narrow(self.sample(key, shape, sampling_dtype(wanted)), wanted)
        # Drawn whole and then laid out, so that values do not depend on the layout.
        return drawn if out_sharding is None else jax.sharding.reshard(drawn, out_sharding)

    def law(self, shape: Shape, dtype: DType = None) -> Law:
        """Law of one entry of a kernel of ``shape``, before the cast to its dtype.

        Raises:
            ValueError: if the scheme has no meaning for the shape, or no entries.
        """
        shape = checked_shape(shape)
        self.check(shape)
        if 0 in shape:
            raise ValueError(f"a kernel of shape {shape} has no entries, hence no law")
        return self.entry_law(shape, dtype or self.dtype)


Lawful: TypeAlias = ScaledInitializer | SampledInitializer
"""An initializer that states its law."""

"""The contract in one page: the kinds of function that initjax is made of.

Axis letters used throughout: B batch, n width (units of a layer), D depth
(number of hidden layers), K depths measured at once, S schemes measured at
once. Layers count from 0, the layer that reads the input.
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import jax
import numpy as np

Array: TypeAlias = jax.Array
HostArray: TypeAlias = np.ndarray[Any, Any]
Key: TypeAlias = jax.Array
Shape: TypeAlias = tuple[int, ...]
DType: TypeAlias = Any
OutSharding: TypeAlias = jax.sharding.NamedSharding | jax.sharding.PartitionSpec | None
Params: TypeAlias = Any

Activation: TypeAlias = Callable[[Array], Array]
"""An elementwise nonlinearity φ; public functions also take its name."""


class Initializer(Protocol):
    """JAX's protocol: what ``kernel_init=`` of linen and nnx layers expects."""

    def __call__(
        self,
        key: Key,
        shape: Shape,
        dtype: DType = None,
        out_sharding: OutSharding = None,
    ) -> Array:
        """Draw an array of ``shape`` from ``key``."""
        ...


class Calibrator(Protocol):
    """A data-dependent scheme: parameters and a batch in, parameters out."""

    def __call__(self, params: Params, batch: Any) -> Params:
        """Return ``params`` adjusted to ``batch``."""
        ...


class Statistic(Protocol):
    """A reduction of one layer's values to a scalar."""

    def __call__(self, values: Array) -> Array:
        """Reduce ``values`` over all its axes."""
        ...

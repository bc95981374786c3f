"""Initializers without fans: normal, uniform, constants.

Their scale is what the caller says, at any shape, vectors included.
"""

import math
from typing import Any, overload

from jax import core

from initjax.init.arguments import check_finite
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, Key, OutSharding, Shape


def normal(
    stddev: float | Array = 1e-2, dtype: DType = None, *, mean: float | Array = 0.0
) -> ScaledInitializer:
    """Entries N(mean, stddev²), untruncated.

    Args:
        stddev: Standard deviation, ≥ 0; first, as in JAX and unlike torch.
        dtype: Used when the initializer is called without one.
        mean: Mean of every entry.

    Raises:
        ValueError: if ``stddev`` is negative or not finite.

    Example:
        >>> import jax
        >>> normal(0.02)(jax.random.key(0), (3, 4)).shape
        (3, 4)
    """
    mean = check_finite("mean", mean)
    stddev = check_finite("stddev", stddev, least=0)
    return ScaledInitializer(f"normal({stddev!r})", "normal", lambda _: stddev, mean, dtype)


def uniform(
    low: float | None = None, high: float | None = None, dtype: DType = None
) -> ScaledInitializer:
    """Entries U(low, high).

    Args:
        low: Smallest value.
        high: Largest value. There are no default bounds: they are [0, 0.01) in
            JAX, (0, 1) in torch and ±0.05 in Keras. One bound alone is refused
            too: it means [0, scale) to JAX and the lower bound to torch.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: for a missing bound, for bounds that are not finite, and
            unless low < high.

    Example:
        >>> import jax
        >>> w = uniform(-0.5, 0.5)(jax.random.key(0), (1000,))
        >>> bool(abs(w).max() <= 0.5)
        True
    """
    if low is None or high is None:
        raise ValueError(
            f"uniform needs both bounds; got low={low!r}, high={high!r}. "
            "JAX's uniform(scale) is uniform(0, scale), a symmetric law is "
            "uniform(-scale, scale)"
        )
    low = check_finite("low", low)
    high = check_finite("high", high)
    traced = isinstance(low, core.Tracer) or isinstance(high, core.Tracer)
    if not traced and not low < high:
        raise ValueError(f"uniform needs low < high; got low={low!r}, high={high!r}")
    stddev = (high - low) / math.sqrt(12)
    name = f"uniform({low!r}, {high!r})"
    return ScaledInitializer(name, "uniform", lambda _: stddev, (low + high) / 2, dtype)


def constant(value: float | Array, dtype: DType = None) -> ScaledInitializer:
    """Every entry equal to ``value``.

    Args:
        value: The value; an array is broadcast to the shape of the kernel.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``value`` is not finite.

    Example:
        >>> constant(0.25)(None, (2,)).tolist()
        [0.25, 0.25]
    """
    value = check_finite("value", value)
    return ScaledInitializer(f"constant({value!r})", "ones", lambda _: value, dtype=dtype)


@overload
def zeros(
    key: None = None, shape: None = None, dtype: DType = None
) -> ScaledInitializer: ...
@overload
def zeros(
    key: Key, shape: Shape, dtype: DType = None, out_sharding: OutSharding = None
) -> Array: ...
def zeros(
    key: Any = None,
    shape: Shape | None = None,
    dtype: DType = None,
    out_sharding: OutSharding = None,
) -> ScaledInitializer | Array:
    """Every entry 0; both a factory and, as in JAX, an initializer itself.

    Args:
        key: Ignored.
        shape: Shape of the array; without it the initializer is returned.
        dtype: Of the array, or of the initializer's arrays by default.
        out_sharding: As in the initializer protocol.

    Raises:
        TypeError: for a key without a shape.

    Example:
        >>> zeros()(None, (2,)).tolist(), zeros(None, (2,)).tolist()
        ([0.0, 0.0], [0.0, 0.0])
    """
    return _constant_or_array(0.0, key, shape, dtype, out_sharding)


@overload
def ones(
    key: None = None, shape: None = None, dtype: DType = None
) -> ScaledInitializer: ...
@overload
def ones(
    key: Key, shape: Shape, dtype: DType = None, out_sharding: OutSharding = None
) -> Array: ...
def ones(
    key: Any = None,
    shape: Shape | None = None,
    dtype: DType = None,
    out_sharding: OutSharding = None,
) -> ScaledInitializer | Array:
    """Every entry 1; both a factory and, as in JAX, an initializer itself.

    Args:
        key: Ignored.
        shape: Shape of the array; without it the initializer is returned.
        dtype: Of the array, or of the initializer's arrays by default.
        out_sharding: As in the initializer protocol.

    Raises:
        TypeError: for a key without a shape.

    Example:
        >>> ones()(None, (2,)).tolist()
        [1.0, 1.0]
    """
    return _constant_or_array(1.0, key, shape, dtype, out_sharding)


def _constant_or_array(
    value: float, key: Any, shape: Shape | None, dtype: DType, out_sharding: OutSharding
) -> ScaledInitializer | Array:
    """The initializer if there is no shape to fill."""
    if shape is not None:
        return constant(value)(key, shape, dtype, out_sharding)
    if key is not None:
        raise TypeError(f"a key without a shape; got key={key!r}. Give dtype= by name")
    return constant(value, dtype)

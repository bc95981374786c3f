"""The random numbers of ``jax.random`` in one pass over memory.

``jax.random`` writes the words of its generator out before it makes numbers of them,
and on CPU each of their five rounds too. Written as one elementwise expression, XLA
fuses all of it into the loop that writes the result.

    word_i = a ⊕ b,  (a, b) = Threefry-2×32-20(key, (0, i))

for entry i in row-major order, which are the words of ``jax.random`` (with
``jax_threefry_partitionable``, its default) bit for bit; the numbers made of them may
differ in the last place. Threefry: Salmon et al. (2011), Parallel random numbers: as
easy as 1, 2, 3, doi:10.1145/2063384.2063405, §4.2.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, DType, Key, OutSharding, Shape

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = np.uint32(0x1BD11BDA)
_MANTISSA = np.uint32(0x3F800000)  # of a float32 in [1, 2), whose last 23 bits vary
_BELOW_MINUS_ONE = np.nextafter(np.float32(-1), np.float32(0))


def uniform(
    key: Key, shape: Shape, dtype: DType, low: float, high: float, sharding: OutSharding
) -> Array:
    """Entries uniform in [low, high)."""
    if not _fuses(key, shape, dtype, sharding):
        return jax.random.uniform(key, shape, dtype, low, high, out_sharding=sharding)
    return _between(key, shape, np.float32(low), np.float32(high))


def normal(key: Key, shape: Shape, dtype: DType, sharding: OutSharding) -> Array:
    """Standard normal entries √2 erf⁻¹(u), u uniform in (-1, 1)."""
    if not _fuses(key, shape, dtype, sharding):
        return jax.random.normal(key, shape, dtype, out_sharding=sharding)
    u = _between(key, shape, _BELOW_MINUS_ONE, np.float32(1))
    return np.float32(math.sqrt(2)) * jax.lax.erf_inv(u)


def truncated_normal(
    key: Key, cut: float, shape: Shape, dtype: DType, sharding: OutSharding
) -> Array:
    """Standard normal entries given |z| < cut."""
    if not _fuses(key, shape, dtype, sharding):
        return jax.random.truncated_normal(
            key, -cut, cut, shape, dtype, out_sharding=sharding
        )
    edge, root = np.float32(cut), np.float32(math.sqrt(2))
    inside = jax.lax.erf(edge / root)
    drawn = root * jax.lax.erf_inv(_between(key, shape, -inside, inside))
    nearly = np.nextafter(edge, np.float32(0))
    return jnp.clip(drawn, -nearly, nearly)


def _fuses(key: Key, shape: Shape, dtype: DType, sharding: OutSharding) -> bool:
    """Whether entries are float32, of the default generator, and counted in 32 bits."""
    default = jax.random.key_impl(key) == "threefry2x32"
    counted = math.prod(shape) < 2**32
    return default and counted and jnp.dtype(dtype) == jnp.float32 and sharding is None


def _between(key: Key, shape: Shape, low: Any, high: Any) -> Array:
    """Entries uniform in [low, high) with the first 23 bits of each word."""
    words = (_words(key, shape) >> np.uint32(9)) | _MANTISSA
    unit = jax.lax.bitcast_convert_type(words, jnp.float32) - np.float32(1)
    return jnp.maximum(low, unit * (high - low) + low)


def _words(key: Key, shape: Shape) -> Array:
    data = jax.random.key_data(key)
    counts = jax.lax.iota(jnp.uint32, math.prod(shape)).reshape(shape)
    first, second = _threefry((data[0], data[1]), (jnp.zeros_like(counts), counts))
    return first ^ second


def _threefry(key: tuple[Array, Array], counts: tuple[Array, Array]) -> tuple[Array, Array]:
    """Threefry-2×32 of 20 rounds, a subkey after every four."""
    keys = (*key, key[0] ^ key[1] ^ _PARITY)
    x, y = counts[0] + keys[0], counts[1] + keys[1]
    for group in range(5):
        for by in _ROTATIONS[group % 2]:
            x = x + y
            y = x ^ ((y << np.uint32(by)) | (y >> np.uint32(32 - by)))
        x = x + keys[(group + 1) % 3]
        y = y + keys[(group + 2) % 3] + np.uint32(group + 1)
    return x, y

"""Base draws: laws of unit second moment that every initializer scales.

Sampled in float32 or wider whatever dtype is asked for: drawn in bfloat16, a
normal has 128 distinct values and a mean of -1.2 % of its standard deviation,
which a deep network amplifies.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import jax
import jax.numpy as jnp

from initjax.typing import Array, DType, Key, OutSharding, Shape


class Law(NamedTuple):
    """Law of one entry: what a test of the sampler compares with.

    Attributes:
        mean: E x.
        variance: E (x - mean)².
        kurtosis: E (x - mean)⁴ / variance², 3 for a Gaussian; nan if constant.
        support: Smallest and largest possible value.
    """

    mean: float
    variance: float
    kurtosis: float
    support: tuple[float, float]


@dataclass(frozen=True)
class Base:
    """A sampler of second moment 1 with the rest of its law.

    Attributes:
        sample: (key, shape, dtype, out_sharding) to an array.
        kurtosis: Fourth standardized moment, given the shape.
        reach: Largest absolute value, given the shape.
        mean: 0 for every random base, 1 for the constant one.
    """

    sample: Callable[[Key, Shape, DType, OutSharding], Array]
    kurtosis: Callable[[Shape], float]
    reach: Callable[[Shape], float]
    mean: float = 0.0


_CUT = 2.0  # truncated normals keep z in [-2, 2]
_INSIDE = math.erf(_CUT / math.sqrt(2))
_EDGE = math.exp(-(_CUT**2) / 2) / math.sqrt(2 * math.pi)
_SECOND = 1 - 2 * _CUT * _EDGE / _INSIDE  # E z² given |z| < 2, 0.7737
_FOURTH = 3 - 2 * (_CUT**3 + 3 * _CUT) * _EDGE / _INSIDE  # E z⁴ given |z| < 2
TRUNCATED_STD = math.sqrt(_SECOND)


def sampling_dtype(dtype: DType) -> DType:
    """The dtype to draw in: float32, or the wider real dtype that is asked for.

    Raises:
        TypeError: if ``dtype`` is not a real floating-point dtype.
    """
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(
            f"dtype must be a real floating-point dtype; got dtype={jnp.dtype(dtype)}"
        )
    return dtype if jnp.finfo(dtype).bits > 32 else jnp.float32


def _normal(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    return jax.random.normal(key, shape, dtype, out_sharding=out_sharding)


def _uniform(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    edge = math.sqrt(3)
    return jax.random.uniform(key, shape, dtype, -edge, edge, out_sharding=out_sharding)


def _truncated(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    draw = jax.random.truncated_normal(
        key, -_CUT, _CUT, shape, dtype, out_sharding=out_sharding
    )
    return draw / jnp.asarray(TRUNCATED_STD, dtype)


def _ones(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    del key
    return jnp.ones(shape, dtype, out_sharding=out_sharding)


def _haar(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    """√m Q with m the longer side of the matrix (∏ leading axes, last axis).

    Q = QR of a Gaussian matrix with the signs of R's diagonal moved into Q,
    which makes it uniform over orthogonal matrices (Haar measure).
    """
    rows, columns = matrix_shape(shape)
    long, short = max(rows, columns), min(rows, columns)
    if short == 0:
        return jnp.zeros(shape, dtype, out_sharding=out_sharding)
    q, r = jnp.linalg.qr(jax.random.normal(key, (long, short), dtype))
    q = q * jnp.where(jnp.diagonal(r) < 0, -1, 1).astype(dtype)
    q = q if rows >= columns else q.T
    drawn = (math.sqrt(long) * q).reshape(shape)
    return drawn if out_sharding is None else jax.sharding.reshard(drawn, out_sharding)


def matrix_shape(shape: Shape) -> tuple[int, int]:
    """A kernel as a matrix: all leading axes together, and the last axis."""
    return math.prod(shape[:-1]), shape[-1]


def _haar_kurtosis(shape: Shape) -> float:
    """An entry of Q is a coordinate of a uniform unit vector of the longer side."""
    m = max(matrix_shape(shape))
    return 3 * m / (m + 2)


BASES: Mapping[str, Base] = MappingProxyType(
    {
        "normal": Base(_normal, lambda _: 3.0, lambda _: math.inf),
        "truncated_normal": Base(
            _truncated, lambda _: _FOURTH / _SECOND**2, lambda _: _CUT / TRUNCATED_STD
        ),
        "uniform": Base(_uniform, lambda _: 9 / 5, lambda _: math.sqrt(3)),
        "orthogonal": Base(
            _haar, _haar_kurtosis, lambda shape: math.sqrt(max(matrix_shape(shape)))
        ),
        "ones": Base(_ones, lambda _: math.nan, lambda _: 1.0, mean=1.0),
    }
)

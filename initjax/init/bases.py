"""Base draws: laws of unit second moment that every initializer scales.

Sampled in float32 or wider whatever dtype is asked for: drawn in bfloat16, a
normal has 128 distinct values and a mean of -1.2 % of its standard deviation,
which a deep network amplifies. A complex draw has E |z|² = 1, with a phase that
is uniform and independent of the modulus.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import jax
import jax.numpy as jnp
import numpy as np

from initjax.init import streams
from initjax.init.haar import haar
from initjax.init.laws import Facts
from initjax.typing import Array, DType, HostArray, Key, OutSharding, Shape


@dataclass(frozen=True)
class Base:
    """A sampler of second moment 1 with the rest of its law.

    Attributes:
        sample: (key, shape, dtype, out_sharding) to an array.
        real: The law of a real entry.
        complex: That of a complex entry, None if it has no complex form.
        mean: 0 for every random base, 1 for the constant one.
    """

    sample: Callable[[Key, Shape, DType, OutSharding], Array]
    real: Facts
    complex: Facts | None = None
    mean: float = 0.0

    def facts(self, dtype: DType) -> Facts:
        """The law for entries of ``dtype``; real unless that is complex."""
        wants_complex = dtype is not None and jnp.issubdtype(dtype, jnp.complexfloating)
        return self.complex if wants_complex and self.complex else self.real


_CUT = 2.0  # truncated normals keep |z| < 2
_INSIDE = math.erf(_CUT / math.sqrt(2))
_EDGE = math.exp(-(_CUT**2) / 2) / math.sqrt(2 * math.pi)
_SECOND = 1 - 2 * _CUT * _EDGE / _INSIDE  # E z² given |z| < 2, 0.7737
_FOURTH = 3 - 2 * (_CUT**3 + 3 * _CUT) * _EDGE / _INSIDE  # E z⁴ given |z| < 2
TRUNCATED_STD = math.sqrt(_SECOND)

# Complex: |z|² is exponential of mean 1, cut at T = 2² = 4.
_T = _CUT**2
_BELOW = 1 - math.exp(-_T)
_COMPLEX_SECOND = 1 - _T * math.exp(-_T) / _BELOW  # 0.92537; JAX uses 0.95311² = 0.90842
_COMPLEX_FOURTH = (2 - math.exp(-_T) * (_T**2 + 2 * _T + 2)) / _BELOW
COMPLEX_TRUNCATED_STD = math.sqrt(_COMPLEX_SECOND)


def _is_complex(dtype: DType) -> bool:
    return jnp.issubdtype(dtype, jnp.complexfloating)


def _normal(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    return streams.normal(key, shape, dtype, out_sharding)


def _uniform(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    if _is_complex(dtype):  # the disk of radius √2
        return _from_square(key, shape, dtype, out_sharding, lambda u: 2 * u)
    edge = math.sqrt(3)
    return streams.uniform(key, shape, dtype, -edge, edge, out_sharding)


def _truncated(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    if _is_complex(dtype):

        def square(u: Array) -> Array:  # inverse of P(|z|² ≤ t) = (1 - e⁻ᵗ)/(1 - e⁻⁴)
            return -jnp.log1p(-_BELOW * u) / _COMPLEX_SECOND

        return _from_square(key, shape, dtype, out_sharding, square)
    draw = streams.truncated_normal(key, _CUT, shape, dtype, out_sharding)
    return draw / jnp.asarray(TRUNCATED_STD, dtype)


def _from_square(
    key: Key,
    shape: Shape,
    dtype: DType,
    out_sharding: OutSharding,
    square: Callable[[Array], Array],
) -> Array:
    """Complex entries of uniform phase whose |z|² is ``square`` of a uniform."""
    real = jnp.finfo(dtype).dtype
    radius, angle = (
        jax.random.uniform(k, shape, real, out_sharding=out_sharding)
        for k in jax.random.split(key)
    )
    turn = 2 * jnp.pi * angle
    return jnp.sqrt(square(radius)) * jax.lax.complex(jnp.cos(turn), jnp.sin(turn))


def _triangular(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    first, second = (_uniform(k, shape, dtype, out_sharding) for k in jax.random.split(key))
    return (first + second) / math.sqrt(2)


def _ones(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    del key
    return jnp.ones(shape, dtype, out_sharding=out_sharding)


def _haar(key: Key, shape: Shape, dtype: DType, out_sharding: OutSharding) -> Array:
    """√m Q with m the longer side of the matrix (∏ leading axes, last axis).

    Q is uniform over matrices with orthonormal rows or columns: Haar measure.
    """
    rows, columns = matrix_shape(shape)
    long, short = max(rows, columns), min(rows, columns)
    q = haar(key, long, short, dtype)
    q = q if rows >= columns else q.T
    drawn = (math.sqrt(long) * q).reshape(shape)
    return drawn if out_sharding is None else jax.sharding.reshard(drawn, out_sharding)


def matrix_shape(shape: Shape) -> tuple[int, int]:
    """A kernel as a matrix: all leading axes together, and the last axis."""
    return math.prod(shape[:-1]), shape[-1]


def _longer(shape: Shape) -> int:
    return max(matrix_shape(shape))


def _haar_cdf(x: HostArray, shape: Shape) -> HostArray:
    """Of √m times a coordinate of a uniform unit vector in m dimensions."""
    m = _longer(shape)
    if m == 1:
        return np.where(x >= 1, 1.0, np.where(x >= -1, 0.5, 0.0))
    at = np.clip((1 + x / math.sqrt(m)) / 2, 0, 1)
    from scipy import special

    return special.betainc((m - 1) / 2, (m - 1) / 2, at)


def _unitary_cdf(r: HostArray, shape: Shape) -> HostArray:
    """Of √m times the modulus of a coordinate of a uniform complex unit vector."""
    m = _longer(shape)
    if m == 1:
        return np.where(r >= 1, 1.0, 0.0)
    return 1 - (1 - np.clip(r / math.sqrt(m), 0, 1) ** 2) ** (m - 1)


def _triangular_cdf(x: HostArray, shape: Shape) -> HostArray:
    del shape
    left = np.clip(1 - np.abs(x) / math.sqrt(6), 0, 1) ** 2 / 2
    return np.where(x < 0, left, 1 - left)


def _ndtr(x: HostArray) -> HostArray:
    """Φ; scipy, which only laws need, takes longer to import than all of initjax."""
    from scipy import special

    return special.ndtr(x)


def _facts(
    kurtosis: float,
    reach: float,
    cdf: Callable[[HostArray], HostArray],
    modulus: bool = False,
) -> Facts:
    """A law that does not depend on the shape."""
    return Facts(lambda _: kurtosis, lambda _: reach, lambda x, _: cdf(x), modulus)


_REAL_TRUNCATED = _facts(
    _FOURTH / _SECOND**2,
    _CUT / TRUNCATED_STD,
    lambda x: np.clip((_ndtr(TRUNCATED_STD * x) - 0.5) / _INSIDE + 0.5, 0, 1),
)
_COMPLEX_TRUNCATED = _facts(
    _COMPLEX_FOURTH / _COMPLEX_SECOND**2,
    _CUT / COMPLEX_TRUNCATED_STD,
    lambda r: np.clip(-np.expm1(-_COMPLEX_SECOND * np.maximum(r, 0) ** 2) / _BELOW, 0, 1),
    modulus=True,
)
_HAAR = Facts(
    lambda s: 3 * _longer(s) / (_longer(s) + 2), lambda s: _longer(s) ** 0.5, _haar_cdf
)
_UNITARY = Facts(
    lambda s: 2 * _longer(s) / (_longer(s) + 1),
    lambda s: _longer(s) ** 0.5,
    _unitary_cdf,
    True,
)

BASES: Mapping[str, Base] = MappingProxyType(
    {
        "normal": Base(
            _normal,
            _facts(3.0, math.inf, _ndtr),
            _facts(2.0, math.inf, lambda r: -np.expm1(-(np.maximum(r, 0) ** 2)), True),
        ),
        "truncated_normal": Base(_truncated, _REAL_TRUNCATED, _COMPLEX_TRUNCATED),
        "uniform": Base(
            _uniform,
            _facts(9 / 5, 3**0.5, lambda x: np.clip(0.5 + x / 12**0.5, 0, 1)),
            _facts(4 / 3, 2**0.5, lambda r: np.clip(r, 0, 2**0.5) ** 2 / 2, True),
        ),
        "triangular": Base(
            _triangular, Facts(lambda _: 2.4, lambda _: 6**0.5, _triangular_cdf)
        ),
        "orthogonal": Base(_haar, _HAAR, _UNITARY),
        "ones": Base(
            _ones, _facts(math.nan, 1.0, lambda x: np.where(x >= 1, 1.0, 0.0)), mean=1.0
        ),
    }
)

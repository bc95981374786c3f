"""Numbers of arrays on their way forward and back, and of parameters.

A program returns sums of what was divided by a power of two near its largest entry, so
that no square leaves float32; logarithms are taken on the host, in float64.
"""

import jax
import jax.numpy as jnp
import numpy as np

from initjax.engine.statistics import SATURATION
from initjax.probes.functions import Activation
from initjax.typing import Array, HostArray

ROWS = 64
"""Rows that are compared with each other."""
_TOGETHER = 8
"""Tokens of one sample among them, where there are as many."""
ENTRIES = 4096
"""Entries of a parameter that are told apart."""
_TWINS = 1e-5
"""Equal units part by rounding when sums are taken in another order."""


def wide(x: Array) -> Array:
    """In float32, or as it is where it is wider."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def scaled(x: Array) -> tuple[Array, Array]:
    """The entries times a power of two that brings the largest to [1, 2), and the largest.

    The largest is found among the bits, ordered like non-negative floats with nan last:
    XLA's maximum on a CPU passes over nan. Without the barrier XLA would draw constant
    factors of x out of later squares, where they leave float32.
    """
    x = jax.lax.optimization_barrier(wide(x))
    words = jnp.int64 if x.dtype.itemsize == 8 else jnp.int32
    digits = jnp.finfo(x.dtype).nmant
    most = 2 * jnp.finfo(x.dtype).maxexp - 2  # biased exponent of the largest power
    bits = jnp.max(jax.lax.bitcast_convert_type(jnp.abs(x), words))
    exponent = jnp.clip(most - (bits >> digits), 1, most)
    factor = jax.lax.bitcast_convert_type(exponent << digits, x.dtype)
    return x * factor, jax.lax.bitcast_convert_type(bits, x.dtype)


def size(x: Array) -> Array:
    """[largest |x|, mean of squares after scaling]; see ``log10_of``."""
    unit, top = scaled(x)
    return jnp.stack([top, jnp.mean(unit * unit)]).astype(jnp.float32)


def log10_of(top: HostArray, square: HostArray) -> HostArray:
    """log10 √(mean x²) from what was scaled: -inf for all 0, inf and nan as they are.

    Args:
        top: Largest |x|.
        square: Mean of the squares after scaling.
    """
    top = np.asarray(top, np.float64)
    _, exponent = np.frexp(np.where(np.isfinite(top) & (top > 0), top, 1))
    # The factor that float32 cannot hold for its smallest and largest numbers is clipped.
    power = np.clip(exponent - 1, -127, 126)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log10(np.asarray(square, np.float64)) / 2 + power * np.log10(2.0)
        found = np.where(top > 0, found, -np.inf)
    return np.where(np.isfinite(top), found, top)


FORWARD = ("top", "unit_mean", "unit_variance", "unit_square", "zero_fraction")
COMPARED = ("effective_rank", "cosine", "token_cosine")
COUNTED = ("nan_count", "inf_count")
"""What ``forward`` returns, in this order."""


def forward(x: Array) -> Array:
    """[FORWARD, COMPARED, COUNTED] of an array."""
    unit, top = scaled(x)
    mean = jnp.mean(unit)
    numbers = (
        top,
        mean,
        jnp.mean((unit - mean) ** 2),
        jnp.mean(unit * unit),
        jnp.mean(x == 0),
        *_compared(*_rows(unit)),
        jnp.sum(jnp.isnan(x)),
        jnp.sum(jnp.isinf(x)),
    )
    return jnp.stack([jnp.asarray(n, jnp.float32) for n in numbers])


def _rows(x: Array) -> tuple[Array, HostArray]:
    """[row, feature] of what is to be told apart, and the sample of each row.

    Those are some tokens of some samples of [batch, token, feature]. Arrays of more axes
    are images and the like, whose samples are compared.
    """
    if x.ndim == 0:
        return x.reshape(1, 1), np.zeros(1)
    if x.ndim != 3:
        picked = _spaced(len(x), ROWS)
        return x.reshape(x.shape[0], -1)[picked], picked
    tokens = _spaced(x.shape[1], max(_TOGETHER, ROWS // max(len(x), 1)))
    samples = _spaced(len(x), ROWS // max(len(tokens), 1))
    rows = x[samples][:, tokens].reshape(-1, x.shape[-1])
    return rows, np.repeat(samples, len(tokens))


def _spaced(count: int, most: int) -> HostArray:
    """Indices below ``count``, at most as many, evenly spaced."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(int)


def _compared(rows: Array, samples: HostArray) -> tuple[Array, Array, Array]:
    """Effective rank, mean cosine of rows, and of those of one sample."""
    products = jnp.matmul(rows, rows.T, precision="highest")
    norms = jnp.sqrt(jnp.diagonal(products))
    live = norms != 0
    inverse = jnp.where(live, 1 / jnp.where(live, norms, 1), 0)
    rank = jnp.sum(norms**2) ** 2 / jnp.sum(products**2)
    cosines = products * inverse * inverse[:, None]
    apart = ~np.eye(len(samples), dtype=bool)
    same = apart & (samples[:, None] == samples)
    both = live & live[:, None]
    return rank, _mean_where(cosines, both & apart), _mean_where(cosines, both & same)


def _mean_where(x: Array, picked: Array) -> Array:
    """Mean of the picked entries; nan without any."""
    count = jnp.sum(picked)
    total = jnp.sum(jnp.where(picked, x, 0))
    return jnp.where(count > 0, total / jnp.maximum(count, 1), jnp.nan)


def activation(z: Array, known: Activation) -> Array:
    """[saturated, dead] shares of an activation at its inputs z, [..., feature]."""
    z = wide(z)
    _, slope = jax.jvp(known.function, (z,), (jnp.ones_like(z),))
    flat = jnp.abs(slope) < SATURATION * known.steepest
    dead = jnp.all(slope == 0, axis=tuple(range(max(z.ndim - 1, 0))))
    return jnp.stack([jnp.mean(flat), jnp.mean(dead)]).astype(jnp.float32)


PARAMETER = ("top", "unit_mean", "unit_variance", "unit_square", "distinct", "nonfinite")
"""What ``parameter`` returns, with the shares of twins in it and its gradient after."""


def parameter(x: Array, gradient: Array) -> Array:
    """[PARAMETER, twins, twins of the gradient, size of the gradient] of a parameter."""
    unit, top = scaled(x)
    slope, steep = scaled(gradient)
    mean = jnp.mean(unit)
    first = jnp.sort(x.ravel()[:ENTRIES])
    numbers = (
        top,
        mean,
        jnp.mean((unit - mean) ** 2),
        jnp.mean(unit * unit),
        1 + jnp.sum(first[1:] != first[:-1]),
        jnp.sum(~jnp.isfinite(x)),
        *_twins(unit, slope),
        steep,
        jnp.mean(slope * slope),
    )
    return jnp.stack([jnp.asarray(n, jnp.float32) for n in numbers])


def _twins(unit: Array, slope: Array) -> Array:
    """Share of units (last axis) that have the same incoming numbers as another one.

    Seen in two projections, which those of different units share by chance only.

    Args:
        unit: A parameter.
        slope: Its gradient.
    """
    if unit.ndim < 2 or unit.shape[-1] < 2:
        return jnp.full(2, jnp.nan, jnp.float32)
    fan_in = unit.size // unit.shape[-1]
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (2, fan_in))
    seen = [
        jnp.matmul(
            jnp.asarray(signs, x.dtype), x.reshape(fan_in, x.shape[-1]), precision="highest"
        ).astype(jnp.result_type(unit, slope))
        for x in (unit, slope)
    ]
    return jax.vmap(_shared)(jnp.stack(seen))


def _shared(seen: Array) -> Array:
    """Share of units of which another one has the same two numbers, [2, unit]."""
    first, second = jax.lax.sort((seen[0], seen[1]), num_keys=1)
    close = _TWINS * jnp.max(jnp.abs(seen), axis=1)
    same = (first[1:] - first[:-1] <= close[0]) & (
        jnp.abs(second[1:] - second[:-1]) <= close[1]
    )
    edge = jnp.zeros(1, bool)
    return jnp.mean(jnp.concatenate([edge, same]) | jnp.concatenate([same, edge]))

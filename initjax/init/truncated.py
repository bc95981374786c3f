"""Truncated normals: bounds in standard deviations (JAX, Keras) or absolute (torch).

Neither corrects the standard deviation for what is cut away; the factories that
do are those of variance scaling.
"""

import math
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri

from initjax.init.arguments import check_concrete, check_finite
from initjax.init.bases import TRUNCATED_STD
from initjax.init.dtypes import inside
from initjax.init.laws import Law
from initjax.init.sampled import Lawful, SampledInitializer
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType, HostArray, Key, Shape

_FURTHEST = 8.0  # float32 resolves the tail beyond 8 σ no more


def truncated_normal(
    stddev: float | Array = 1e-2,
    dtype: DType = None,
    lower: float = -2.0,
    upper: float = 2.0,
    *,
    mean: float = 0.0,
) -> Lawful:
    """Entries mean + stddev · z, z ~ N(0, 1) given lower < z < upper.

    As in JAX and Keras the bounds are in units of ``stddev``, which is that of the
    normal before the cut: with bounds ±2 the entries have 0.8796 of it. For
    entries of a wanted standard deviation use ``variance_scaling``.

    Args:
        stddev: Standard deviation before the cut, ≥ 0.
        dtype: Used when the initializer is called without one.
        lower: Smallest z.
        upper: Largest z.
        mean: Mean before the cut.

    Raises:
        ValueError: if ``stddev`` is negative, a number is not finite, and unless
            lower < upper with some of [-8, 8] between them.

    Example:
        >>> round(truncated_normal(1.0).law((10, 10)).variance ** 0.5, 6)
        0.879626

    References:
        ``jax.nn.initializers.truncated_normal``, same arguments; Keras'
        TruncatedNormal(mean, stddev).
    """
    stddev = check_finite("stddev", stddev, least=0)
    mean = check_finite("mean", mean)
    _check_bounds("lower", lower, "upper", upper, lower, upper)
    name = f"truncated_normal({stddev!r}, lower={lower!r}, upper={upper!r}, mean={mean!r})"
    if (lower, upper) == (-2.0, 2.0):
        return ScaledInitializer(
            name, "truncated_normal", lambda _: stddev * TRUNCATED_STD, mean, dtype
        )
    return _between(name, mean, stddev, lower, upper, dtype)


def trunc_normal(
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    dtype: DType = None,
) -> SampledInitializer:
    """Entries x ~ N(mean, std²) given a < x < b: the bounds are absolute, as in torch.

    With the small ``std`` of practice the default bounds cut nothing: at std 0.02
    they lie 100 standard deviations away.

    Args:
        mean: Mean before the cut.
        std: Standard deviation before the cut, > 0.
        a: Smallest value.
        b: Largest value.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``std`` is not positive, a number is not finite, and unless
            a < b with a value within 8 std of the mean between them.

    Example:
        >>> law = trunc_normal(std=0.02).law((10, 10))
        >>> round(law.variance**0.5, 9), law.support
        (0.02, (-2.0, 2.0))

    References:
        ``torch.nn.init.trunc_normal_``, same arguments.
    """
    for argument, value in (("mean", mean), ("std", std), ("a", a), ("b", b)):
        check_concrete(argument, value)
    mean, std, a, b = float(mean), check_finite("std", std, least=0), float(a), float(b)
    if std == 0:
        raise ValueError("std must be > 0; got std=0. Use constant(mean)")
    _check_bounds("a", a, "b", b, (a - mean) / std, (b - mean) / std)
    name = f"trunc_normal({mean!r}, {std!r}, {a!r}, {b!r})"
    return _between(name, mean, std, (a - mean) / std, (b - mean) / std, dtype, (a, b))


def _check_bounds(
    low: str, a: float, high: str, b: float, lower: float, upper: float
) -> None:
    check_concrete(low, a)
    check_concrete(high, b)
    if not (a < b and lower < _FURTHEST and upper > -_FURTHEST):
        raise ValueError(
            f"a truncated normal needs {low} < {high}, not both more than "
            f"{_FURTHEST:g} standard deviations to one side of the mean; "
            f"got {low}={a!r}, {high}={b!r}"
        )


def _between(
    name: str,
    mean: float,
    stddev: float | Array,
    lower: float,
    upper: float,
    dtype: DType,
    ends: tuple[float, float] | None = None,
) -> SampledInitializer:
    """Inverse of the distribution function, from the side of the lighter tail.

    Near 0 a float32 probability is exact to 1e-7 of itself, near 1 only to 6e-8:
    an interval in the right tail is drawn as its mirror image in the left one.
    """
    lower, upper = float(lower), float(upper)

    def sample(key: Key, shape: Shape, wide: DType) -> Array:
        kernel_ends = None if ends is None else inside(*ends, wide)
        return _draw(key, stddev, mean, kernel_ends, lower, upper, shape=shape, dtype=wide)

    def entry_law(shape: Shape, dtype: DType) -> Law:
        del shape, dtype
        return _law(mean, float(stddev), lower, upper, ends)

    return SampledInitializer(
        *(name, sample, entry_law, lambda _: None, dtype),
        allow_complex=False,
        size=stddev,
    )


@partial(jax.jit, static_argnames=("lower", "upper", "shape", "dtype"))
def _draw(
    key: Key,
    stddev: float | Array,
    mean: float | Array,
    ends: Any,
    lower: float,
    upper: float,
    *,
    shape: Shape,
    dtype: DType,
) -> Array:
    """One program, for the reason that ``scaled._draw`` is one."""
    stddev, mean = jax.lax.optimization_barrier(
        (jnp.asarray(stddev, dtype), jnp.asarray(mean, dtype))
    )
    mirrored = lower + upper > 0
    low, high = (-upper, -lower) if mirrored else (lower, upper)
    reach = 0.5 * math.erfc(-low / math.sqrt(2)), 0.5 * math.erfc(-high / math.sqrt(2))
    u = jax.random.uniform(key, shape, dtype, *reach)
    # The smallest u may round to 0, whose z would be -inf: the bound itself.
    z = jnp.clip(ndtri(u), *inside(max(low, -40.0), min(high, 40.0), dtype))
    kernel = mean + stddev * (-z if mirrored else z)
    return kernel if ends is None else jnp.clip(kernel, *ends)


def _law(
    mean: float,
    stddev: float,
    lower: float,
    upper: float,
    ends: tuple[float, float] | None,
) -> Law:
    """Moments by Gauss-Legendre on pieces of what lies within 40 σ of the mean."""
    nodes, weights = np.polynomial.legendre.leggauss(24)
    inner = np.clip([lower, upper], -40, 40)
    edges = np.linspace(inner[0], inner[1], 2 * math.ceil(inner[1] - inner[0]) + 1)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half * (1 + nodes)).ravel()
    nearest = 0.0 if lower < 0 < upper else min(abs(lower), abs(upper))
    mass = (half * weights).ravel() * np.exp((nearest**2 - z**2) / 2)
    mass /= mass.sum()
    center = 0.0 if lower == -upper else mass @ z
    second, fourth = mass @ (z - center) ** 2, mass @ (z - center) ** 4

    def cdf(x: HostArray) -> HostArray:
        from scipy import special  # slow to import, and only laws need it

        if stddev == 0:
            return np.where(np.asarray(x) >= mean, 1.0, 0.0)
        at = np.clip((np.asarray(x, np.float64) - mean) / stddev, lower, upper)
        if lower + upper > 0:  # in the right tail ndtr(x) is 1 to rounding
            top, bottom = special.ndtr(-lower), special.ndtr(-upper)
            return (top - special.ndtr(-at)) / (top - bottom)
        bottom, top = special.ndtr(lower), special.ndtr(upper)
        return (special.ndtr(at) - bottom) / (top - bottom)

    support = ends or (mean + stddev * lower, mean + stddev * upper)
    kurtosis = float(fourth / second**2) if stddev else math.nan
    variance = float(stddev**2 * second)
    return Law(float(mean + stddev * center), variance, kurtosis, support, cdf)

"""Biases whose scale depends on the fan_in of their kernel.

A bias initializer sees the shape of the bias only, so the fan_in is an argument.
``initjax.recipes.fan_in_bias`` reads it from an existing parameter tree instead.
"""

import math

from initjax.init.arguments import check_concrete, check_finite
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, DType


def bias_uniform(
    fan_in: float, gain: float | Array = 1.0, dtype: DType = None
) -> ScaledInitializer:
    """Entries U(±gain / √fan_in), torch's law of biases.

    Args:
        fan_in: Of the kernel beside the bias, > 0; see ``initjax.fans``.
        gain: Half-width of the law for one input, ≥ 0.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``fan_in`` is not positive, or ``gain`` negative.

    Example:
        >>> round(bias_uniform(100).law((10,)).support[1], 12)
        0.1

    References:
        ``torch.nn.Linear.reset_parameters``.
    """
    bound = _over_root(fan_in, gain)
    name = f"bias_uniform({fan_in!r}, gain={gain!r})"
    return ScaledInitializer(name, "uniform", lambda _: bound / math.sqrt(3), dtype=dtype)


def bias_normal(
    fan_in: float, gain: float | Array = 1.0, dtype: DType = None
) -> ScaledInitializer:
    """Entries N(0, gain² / fan_in), so that the bias counts as one more input.

    Args:
        fan_in: Of the kernel beside the bias, > 0; see ``initjax.fans``.
        gain: Standard deviation for one input, ≥ 0.
        dtype: Used when the initializer is called without one.

    Raises:
        ValueError: if ``fan_in`` is not positive, or ``gain`` negative.

    Example:
        >>> round(bias_normal(100).law((10,)).variance, 12)
        0.01

    References:
        Asked for in https://github.com/google/flax/issues/3019.
    """
    stddev = _over_root(fan_in, gain)
    name = f"bias_normal({fan_in!r}, gain={gain!r})"
    return ScaledInitializer(name, "normal", lambda _: stddev, dtype=dtype)


def _over_root(fan_in: float, gain: float | Array) -> float | Array:
    gain = check_finite("gain", gain, least=0)
    fan_in = check_concrete("fan_in", fan_in)
    if fan_in <= 0:
        raise ValueError(f"fan_in must be a number > 0; got fan_in={fan_in!r}")
    return gain / math.sqrt(fan_in)

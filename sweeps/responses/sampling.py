"""Gains as people measure them: φ over normal numbers, the same for all activations."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.activations import resolve, value_and_derivative
from initjax.engine.cores import by_cores
from initjax.typing import Array, HostArray, Key

BLOCK = 10_000
"""Samples at once: their means are float32, and added up in float64."""


def sampled_gains(
    activations: tuple[str, ...], keys: Key, samples: Sequence[int]
) -> HostArray:
    """Gains by the first so many samples of each key.

        1/√(mean φ²),   1/√(mean φ′²),   std(x)/std(φ(x))

    Args:
        activations: Their names.
        keys: One per seed.
        samples: Numbers of samples, multiples of ``BLOCK``.

    Returns:
        float64 [seed, size, kind, activation], kinds as in ``MEASURED``.
    """
    start = partial(block_means, activations=activations, blocks=max(samples) // BLOCK)
    means = np.asarray(by_cores(start, keys), np.float64)
    ends = np.array(samples) // BLOCK
    first, square, slope = np.moveaxis(means.cumsum(1)[:, ends - 1], -1, 0) / ends[:, None]
    std = np.sqrt(square - first**2)
    with np.errstate(divide="ignore"):
        gains = [
            square[..., 1:] ** -0.5,
            slope[..., 1:] ** -0.5,
            std[..., :1] / std[..., 1:],
        ]
    return np.stack(gains, axis=2)


@partial(jax.jit, static_argnames=("activations", "blocks"))
def block_means(keys: Key, *, activations: tuple[str, ...], blocks: int) -> Array:
    """Means of y, y² and y′² over each block, for y = x and y = φ(x) of each activation.

    Returns:
        float32 [seed, block, 1 + activation, 3].
    """
    functions = [resolve(name).function for name in ("identity", *activations)]

    def block(key: Key, index: Array) -> Array:
        x = init.normal(1.0)(jax.random.fold_in(key, index), (100, BLOCK // 100))
        passed = [value_and_derivative(function, x) for function in functions]
        return jnp.stack(
            [jnp.stack([_mean(y), _mean(y**2), _mean(slope**2)]) for y, slope in passed]
        )

    def of_seed(key: Key) -> Array:
        return jax.lax.map(partial(block, key), jnp.arange(blocks))

    return jax.vmap(of_seed)(keys)


def _mean(values: Array) -> Array:
    """In two steps, so that no float32 sum has more than some hundred terms."""
    return jnp.mean(jnp.mean(values, axis=0))

"""Batch normalization without a memory: the statistics are those of the batch at hand.

In training that is the minibatch. Where a network is tested all test images are one batch,
so that no average over the steps of training is kept, and none can be out of date.
"""

import jax
import jax.numpy as jnp

from initjax.typing import Array

EPSILON = 1e-5
"""Added to the variance, as torch and Flax do."""


def normalize(x: Array, scale: Array) -> Array:
    """Each channel minus its mean and over its standard deviation, times its scale.

        (x - μ) / √(σ² + ε) · scale

    with mean μ and (biased) variance σ² over all axes but the last. A shift is the bias
    of whoever calls.

    Args:
        x: [..., channel].
        scale: [channel].

    Example:
        >>> normalize(jnp.array([[1.0], [3.0]]), jnp.array([2.0])).round(3).tolist()
        [[-2.0], [2.0]]

    References:
        Ioffe & Szegedy (2015), arXiv:1502.03167, algorithm 1.
    """
    axes = tuple(range(x.ndim - 1))
    centred = x - jnp.mean(x, axes)
    variance = jnp.mean(centred**2, axes)
    return centred * (jax.lax.rsqrt(variance + EPSILON) * scale)

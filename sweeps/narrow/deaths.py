"""ReLU networks on the line: after which layer are they zero?"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, HostArray, Key


def dead_shares(
    key: Key, *, width: int, depth: int, networks: int
) -> tuple[HostArray, HostArray]:
    """Shares of networks that are zero after each layer, at x = 1 and everywhere.

    Without biases a network on the line is linear on each half of it, so that two
    inputs tell all. Each is rescaled at every layer: none dies of underflow.

    Returns:
        Share zero at x = 1, and at both x = 1 and x = -1, [layer].
    """
    keys = jax.random.split(key, networks)
    alive = np.asarray(_alive(keys, width=width, depth=depth))
    return 1 - alive[:, :, 0].mean(0), 1 - alive.any(2).mean(0)


@partial(jax.jit, static_argnames=("width", "depth"))
def _alive(keys: Key, *, width: int, depth: int) -> Array:
    """Whether each network is alive at ±1 after each layer, [network, layer, 2]."""

    def step(h: Array, kernel: Array) -> tuple[Array, Array]:
        h = jax.nn.relu(jnp.matmul(h, kernel, precision="highest"))
        top = jnp.max(h, -1, keepdims=True)
        return h / jnp.where(top > 0, top, 1), top[:, 0] > 0

    def network(key: Key) -> Array:
        first, rest = jax.random.split(key)
        entry = jax.random.normal(first, (width,))
        h = jax.nn.relu(jnp.stack([entry, -entry]))
        kernels = jax.random.normal(rest, (depth - 1, width, width))
        _, alive = jax.lax.scan(step, h, kernels)
        return jnp.concatenate([jnp.any(h > 0, -1)[None], alive])

    return jax.vmap(network)(keys)

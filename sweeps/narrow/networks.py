"""Networks of one width in several activations, with logarithms of every layer.

The weights of a network serve all activations. Lengths are measured as the second
moment that the next layer will have, given this one.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve, value_and_derivative
from initjax.typing import Array, HostArray, Key
from sweeps.narrow.points import Point


class Program(NamedTuple):
    """What is compiled once.

    Attributes:
        activations: Their names.
        width: Units of every layer.
        depth: Layers of units.
        batch: Inputs, each of length √width.
        backward: Whether gradients are measured.
    """

    activations: tuple[str, ...]
    width: int
    depth: int
    batch: int
    backward: bool


class Logs(NamedTuple):
    """Natural logarithms, means over the inputs, [network, activation, layer].

    Attributes:
        length: ln of the second moment of the pre-activations, layers 0 … depth, over
            that of layer 0; -inf where all units are 0.
        gradient: ln of the mean square of ∂L/∂z over that of the last layer, layers
            0 … depth - 1; nan if not measured.
    """

    length: HostArray
    gradient: HostArray


def measure(program: Program, points: list[Point], key: Key, networks: int) -> Logs:
    """Measure networks, each with a key of its own made from ``key``."""
    keys = jax.vmap(partial(jax.random.fold_in, key))(np.arange(networks))
    settings = jnp.asarray(points, jnp.float32).T[:, :, None, None]
    found = jax.device_get(_measure(keys, settings, program=program))
    return Logs(*(np.asarray(part, np.float64) for part in found))


@partial(jax.jit, static_argnames="program")
def _measure(keys: Key, settings: Array, *, program: Program) -> tuple[Array, Array]:
    chunk = max(1, min(len(keys), 2**16 // program.width**2))
    return jax.lax.map(partial(_network, program, settings), keys, batch_size=chunk)


def _network(program: Program, settings: Array, key: Key) -> tuple[Array, Array]:
    sigma_w, sigma_b, q = settings
    n, batch = program.width, program.batch
    functions = [resolve(name).function for name in program.activations]
    first, rest, top = jax.random.split(key, 3)

    def passed(z: Array) -> tuple[Array, Array]:
        both = [value_and_derivative(f, z[a]) for a, f in enumerate(functions)]
        return jnp.stack([h for h, _ in both]), jnp.stack([slope for _, slope in both])

    def step(z: Array, key: Key) -> tuple[Array, tuple[Array, Array, Array]]:
        h, slope = passed(z)
        square = sigma_w[:, :, 0] ** 2 * jnp.mean(h**2, -1) + sigma_b[:, :, 0] ** 2
        weights_key, bias_key = jax.random.split(key)
        kernel = jax.random.normal(weights_key, (n, n)) / jnp.sqrt(n)
        bias = jax.random.normal(bias_key, (n,))
        z = sigma_w * jnp.matmul(h, kernel, precision="highest") + sigma_b * bias
        kept = (kernel, slope) if program.backward else ((), ())
        return z, (square, *kept)

    # Inputs of equal length through normal weights: normal, and of second moment q.
    inputs = jax.random.normal(first, (batch, n))
    z = jnp.sqrt(q) * jnp.broadcast_to(inputs, (len(functions), batch, n))
    _, (squares, *kept) = jax.lax.scan(step, z, jax.random.split(rest, program.depth))
    length = jnp.mean(jnp.log(squares / q[:, :, 0]), -1)
    length = jnp.concatenate([jnp.zeros((1, len(functions))), length]).T
    if not program.backward:
        return length, jnp.full((len(functions), 1), jnp.nan)

    def retreat(delta: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        kernel, slope = at
        below = sigma_w * jnp.matmul(delta, kernel.T, precision="highest") * slope
        return below, jnp.mean(below**2, -1)

    # The kernel of the last step leads out of the network.
    delta = jax.random.normal(top, z.shape)
    stacked = jax.tree.map(lambda a: a[:-1], tuple(kept))
    _, below = jax.lax.scan(retreat, delta, stacked, reverse=True)
    gradient = jnp.mean(jnp.log(below / jnp.mean(delta**2, -1)), -1)
    return length, jnp.concatenate([gradient, jnp.zeros((1, len(functions)))]).T

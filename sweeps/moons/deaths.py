"""ReLU networks with one bias everywhere: what of them is zero on two moons, and where?"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, HostArray, Key
from sweeps.training.networks import Dense, Network


class Shares(NamedTuple):
    """Shares of units and networks, each [seed, bias, layer].

    Attributes:
        off: Of units and points: the unit is 0 at the point.
        dead_units: Of units: 0 at every point.
        dead_one: Of networks: some layer so far is all 0 at the first point x.
        dead_line: Of networks: some layer so far is all 0 at both x and -x.
        dead_points: Of networks: some layer so far is all 0 at every point, so that the
            network is a constant there.
    """

    off: Array | HostArray
    dead_units: Array | HostArray
    dead_one: Array | HostArray
    dead_line: Array | HostArray
    dead_points: Array | HostArray


AT_ONCE = 100
"""Networks of a seed that are computed together."""


class Shape(NamedTuple):
    """Networks that one program serves.

    Attributes:
        width: Units of every hidden layer.
        depth: Hidden layers.
    """

    width: int
    depth: int


class Scales(NamedTuple):
    """Standard deviations of Gaussian kernels: a number each, or [seed]."""

    entry: Any
    hidden: Any
    readout: Any


def draw(key: Key, scales: Scales, bias: Array | float, shape: Shape) -> Network:
    """A network of the plane with one output and every bias at one value."""
    n, depth = shape
    shapes = ((2, n), (depth - 1, n, n), (n, 1))
    sizes = [math.prod(kernel) for kernel in shapes]
    # One draw for all the layers: it is most of what XLA compiles here.
    drawn = jnp.split(jax.random.normal(key, (sum(sizes),)), np.cumsum(sizes)[:-1])
    kernels = [
        scale * numbers.reshape(kernel)
        for scale, numbers, kernel in zip(scales, drawn, shapes, strict=True)
    ]
    biases = [jnp.full((*kernel[:-2], kernel[-1]), bias, jnp.float32) for kernel in shapes]
    return Network(*map(Dense, kernels, biases))


@partial(jax.jit, static_argnames=("shape", "networks"))
def shares(
    keys: Key,
    points: Array,
    scales: Scales,
    biases: Array,
    *,
    shape: Shape,
    networks: int,
) -> Shares:
    """Shares of what is dead, the same weights under every bias.

    Args:
        keys: [seed] of the weights.
        points: [seed, point, 2].
        scales: Of the weights, each [seed].
        biases: [seed, bias] Values that the biases of a network have.
        shape: Of the networks.
        networks: Of each seed.
    """

    def one_seed(key: Key, points: Array, scales: Scales, biases: Array) -> Shares:
        keys = jax.random.split(key, networks)
        drawn = jax.vmap(lambda key: draw(key, scales, 0.0, shape))(keys)
        # A point and its opposite come before the data: an input of one dimension.
        shown = jnp.concatenate([points[:1], -points[:1], points]).T

        def one_bias(bias: Array) -> Shares:
            each = partial(_deaths, shown=shown, bias=bias)
            found = jax.lax.map(each, drawn, batch_size=min(AT_ONCE, networks))
            return jax.tree.map(lambda share: share.mean(0), found)

        # Few networks and one bias at once: what they need fits into the caches.
        return jax.lax.map(one_bias, biases)

    return jax.vmap(one_seed)(keys, points, scales, biases)


def _deaths(network: Network, shown: Array, bias: Array) -> Shares:
    """What is dead in one network, each [layer]; ``shown`` is x, -x and the points.

    Outputs h of a layer and the bias of the next are divided by one number c > 0:

        relu(W h/c + b/c) = relu(W h + b) / c

    which keeps every sign. With the larger of both as c neither overflows, and where one
    of them is lost beside the other, it was too small to change a sign.
    """

    def step(state: tuple[Array, Array], kernel: Array) -> Any:
        h, b = state  # [unit, point] and [point]: the points are vectors of the processor
        h = jax.nn.relu(jnp.matmul(kernel.T, h, precision="highest") + b)
        off = h == 0
        dark = off.all(0)
        found = Shares(
            off=off[:, 2:].mean(),
            dead_units=off[:, 2:].all(1).mean(),
            dead_one=dark[0],
            dead_line=dark[:2].all(),
            dead_points=dark[2:].all(),
        )
        top = jnp.maximum(h.max(0), jnp.abs(b))
        top = jnp.where(top > 0, top, 1)
        return (h / top, b / top), found

    start = shown, jnp.full(shown.shape[1], bias)
    state, entry = step(start, jnp.asarray(network.entry.kernel))
    _, others = jax.lax.scan(step, state, jnp.asarray(network.hidden.kernel))
    found = jax.tree.map(lambda first, rest: jnp.append(first[None], rest), entry, others)
    so_far = [jax.lax.cummax(share.astype(jnp.float32)) for share in found[2:]]
    return Shares(*found[:2], *so_far)

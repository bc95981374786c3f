"""Measure stacks of any Flax block of constant shape: the general path."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from initjax.activations import resolve
from initjax.engine.blocks import Block, BlockLayer
from initjax.engine.cores import by_cores
from initjax.engine.devices import over_seeds, together
from initjax.engine.draws import READOUT, layer_key, unbatched
from initjax.engine.measurement import Measurement, assemble, checked_depths
from initjax.engine.passes import Network, Pieces, advance, measure_network
from initjax.engine.statistics import steepest_slope
from initjax.typing import Array, Key


def measure_blocks(
    block: Block,
    readout: Block,
    activation: str | Callable[[Array], Array],
    keys: Key,
    inputs: Array,
    labels: Array,
    *,
    depths: Sequence[int],
) -> Measurement:
    """Statistics of stacks of any block of constant shape, for all seeds and depths.

    Args:
        block: Layer h ↦ z as a pure init/apply pair; only the first may change
            the shape. The weight gradient is that of every parameter of two or
            more axes together.
        readout: Layer from the last activations to the logits.
        activation: φ, applied to each z.
        keys: One key per seed; each device measures the seeds that ``spread`` has
            placed on it.
        inputs: [seed, batch, ...].
        labels: Integer classes [seed, batch].
        depths: Numbers of hidden layers, each ≥ 1.

    Raises:
        ValueError: for a depth below 1, and for keys or inputs that are on several
            devices, but not ``spread``.

    Example:
        >>> import flax.linen as nn
        >>> from initjax.engine import from_linen
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> inputs, labels = jnp.ones((2, 5, 4)), jnp.zeros((2, 5), int)
        >>> seen = measure_blocks(from_linen(nn.Dense(8)), from_linen(nn.Dense(10)),
        ...     "tanh", keys, inputs, labels, depths=[3])
        >>> seen.backward.weight_grad_log10_norm.shape
        (2, 1, 3, 1)
    """
    named, wanted = resolve(activation), checked_depths(depths)
    mesh, keys, inputs, labels = together(keys, inputs, labels)
    steepest = jnp.float32(steepest_slope(named))

    def start(keys: Key, inputs: Array, labels: Array) -> Pieces:
        return _run_blocks(
            keys,
            inputs,
            labels,
            layer=BlockLayer(block, named),
            readout=BlockLayer(readout, named),
            depths=wanted,
            steepest=steepest,
            mesh=mesh,
        )

    given = (keys, inputs, labels)
    seen = jax.device_get(start(*given)) if mesh else by_cores(start, *given)
    picked = jax.tree.map(lambda a: a[..., None], seen)
    return assemble(picked, wanted, depths)


@partial(jax.jit, static_argnames=("layer", "readout", "depths", "mesh"))
def _run_blocks(
    keys: Key,
    inputs: Array,
    labels: Array,
    *,
    layer: BlockLayer,
    readout: BlockLayer,
    depths: tuple[int, ...],
    steepest: Array,
    mesh: Mesh | None,
) -> Pieces:
    def one(steepest: Array, key: Key, inputs: Array, labels: Array) -> Pieces:
        init = unbatched(layer.block.init)
        first = init(layer_key(key, 0), inputs)
        h = jnp.zeros_like(layer.block.apply(first, inputs))
        hidden = jax.vmap(lambda i: init(layer_key(key, i), h))(jnp.arange(1, depths[-1]))
        network = Network(
            first=first,
            entry=advance(layer, first, inputs, steepest),
            hidden=hidden,
            readout=unbatched(readout.block.init)(layer_key(key, READOUT), h),
            labels=labels,
        )
        return measure_network(layer, readout, network, depths, steepest)

    return over_seeds(one, mesh, steepest, keys, inputs, labels)

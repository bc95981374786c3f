"""Measure many networks in one compiled call.

``measure_chains`` is the fast path for Dense layers, in many schemes on shared
draws; ``measure_blocks`` takes any Flax block of constant shape.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve
from initjax.engine.blocks import Block, BlockLayer
from initjax.engine.chain import Activations, ChainLayer, Choice, Scaled, Sizes, stack_order
from initjax.engine.draws import READOUT, Draws, layer_key
from initjax.engine.passes import Network, advance, measure_network
from initjax.engine.statistics import Backward, Forward, Gram, steepest_slope
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, HostArray, Key


class Measurement(NamedTuple):
    """Per-layer statistics of many networks, as NumPy arrays.

    Attributes:
        forward: Arrays [seed, layer, scheme]; the first d layers are those of
            the network of depth d.
        backward: Arrays [seed, depth, layer, scheme], nan at layers that a
            network of that depth does not have.
    """

    forward: Forward
    backward: Backward


def measure_chains(
    schemes: Sequence[ScaledInitializer],
    activation: str | Callable[[Array], Array],
    draws: Draws,
    inputs: Array,
    labels: Array,
    *,
    depths: Sequence[int],
    among: Sequence[str | Callable[[Array], Array]] | None = None,
) -> Measurement:
    """Statistics of Dense chains in every scheme, for all seeds and depths.

        z₀ = x W₀,  h_ℓ = φ(z_ℓ),  z_{ℓ+1} = h_ℓ W_{ℓ+1},  L = mean CE(h_{d-1} V, y)

    Args:
        schemes: Kernel initializers of mean zero around their base draw, used
            for every layer and the readout.
        activation: φ.
        draws: From ``draw_networks``, with every base that a scheme scales.
        inputs: [seed, batch, fan_in].
        labels: Integer classes [seed, batch].
        depths: Numbers of hidden layers, each ≥ 1.
        among: Activations that will be measured in turn, ``activation`` one of
            them: one program is compiled for all. Only ``activation`` if None.

    Raises:
        ValueError: for a depth below 1 or beyond the draws, for a scheme with a
            mean of its own or a base that was not drawn, and for an activation
            that is not ``among`` the given ones.
    """
    deepest = 1 + next(iter(draws.hidden.values())).shape[1]
    wanted = _checked_depths(depths)
    if wanted[-1] > deepest:
        raise ValueError(f"depths go to {wanted[-1]} but draws only to {deepest}")
    for scheme in schemes:
        if scheme.base not in draws.hidden or np.any(scheme.mean):
            raise ValueError(
                f"scheme {scheme.name} is not a scaled draw of {list(draws.hidden)}; "
                "measure it as a block with measure_blocks"
            )
    named, order = resolve(activation), stack_order(schemes)
    stacked = [schemes[i] for i in order]
    bases = list(dict.fromkeys(scheme.base for scheme in stacked))
    sizes = tuple((b, sum(s.base == b for s in stacked)) for b in bases)
    first, hidden, readout = (
        Scaled({base: part[base] for base in bases}, _scales(stacked, part))
        for part in (draws.first[inputs.shape[-1]], draws.hidden, draws.readout)
    )
    shared = tuple(resolve(other) for other in among or (activation,))
    if named not in shared:
        raise ValueError(f"activation {named.name!r} is not among {among}")
    phi = Choice(jnp.int32(shared.index(named)), jnp.float32(steepest_slope(named)))
    entry = _enter_chains(phi, first, inputs, sizes=sizes, among=shared)
    seen = _run_chains(
        phi, entry, hidden, readout, labels, sizes=sizes, among=shared, depths=wanted
    )
    back = np.argsort(order)
    picked = jax.tree.map(lambda a: a[..., back], jax.device_get(seen))
    return _in_order(picked, wanted, depths)


def _scales(schemes: Sequence[ScaledInitializer], draws: dict[str, Array]) -> Array:
    shape = next(iter(draws.values())).shape[2:]
    return jnp.asarray([float(scheme.scale(shape)) for scheme in schemes])


@partial(jax.jit, static_argnames=("sizes", "among"))
def _enter_chains(
    phi: Choice, first: Scaled, inputs: Array, *, sizes: Sizes, among: Activations
) -> tuple[Array, Gram, Forward]:
    layer = ChainLayer(sizes, phi.among(among))

    def one(draws: dict[str, Array], inputs: Array) -> tuple[Array, Gram, Forward]:
        kernels = Scaled({b: d[0] for b, d in draws.items()}, first.scales)
        return advance(layer, kernels, inputs, phi.steepest)

    return jax.vmap(one)(first.draws, inputs)


@partial(jax.jit, static_argnames=("sizes", "among", "depths"))
def _run_chains(
    phi: Choice,
    entry: tuple[Array, Gram, Forward],
    hidden: Scaled,
    readout: Scaled,
    labels: Array,
    *,
    sizes: Sizes,
    among: Activations,
    depths: tuple[int, ...],
) -> Measurement:
    layer, rows = ChainLayer(sizes, phi.among(among)), depths[-1] - 1
    scales = jnp.broadcast_to(hidden.scales, (rows, *hidden.scales.shape))

    def one(
        entry: tuple[Array, Gram, Forward],
        inner: dict[str, Array],
        last: dict[str, Array],
        labels: Array,
    ) -> Measurement:
        network = Network(
            first=None,
            entry=entry,
            hidden=Scaled({b: d[:rows] for b, d in inner.items()}, scales),
            readout=Scaled({b: d[0] for b, d in last.items()}, readout.scales),
            labels=labels,
        )
        return Measurement(*measure_network(layer, layer, network, depths, phi.steepest))

    return jax.vmap(one)(entry, hidden.draws, readout.draws, labels)


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
        keys: One key per seed.
        inputs: [seed, batch, ...].
        labels: Integer classes [seed, batch].
        depths: Numbers of hidden layers, each ≥ 1.

    Raises:
        ValueError: for a depth below 1.
    """
    named, wanted = resolve(activation), _checked_depths(depths)
    seen = _run_blocks(
        keys,
        inputs,
        labels,
        layer=BlockLayer(block, named),
        readout=BlockLayer(readout, named),
        depths=wanted,
        steepest=jnp.float32(steepest_slope(named)),
    )
    picked = jax.tree.map(lambda a: a[..., None], jax.device_get(seen))
    return _in_order(picked, wanted, depths)


@partial(jax.jit, static_argnames=("layer", "readout", "depths"))
def _run_blocks(
    keys: Key,
    inputs: Array,
    labels: Array,
    *,
    layer: BlockLayer,
    readout: BlockLayer,
    depths: tuple[int, ...],
    steepest: Array,
) -> Measurement:
    def one(key: Key, inputs: Array, labels: Array) -> Measurement:
        first = layer.block.init(layer_key(key, 0), inputs)
        h = jnp.zeros_like(layer.block.apply(first, inputs))
        hidden = jax.vmap(lambda i: layer.block.init(layer_key(key, i), h))(
            jnp.arange(1, depths[-1])
        )
        network = Network(
            first=first,
            entry=advance(layer, first, inputs, steepest),
            hidden=hidden,
            readout=readout.block.init(layer_key(key, READOUT), h),
            labels=labels,
        )
        return Measurement(*measure_network(layer, readout, network, depths, steepest))

    return jax.vmap(one)(keys, inputs, labels)


def _checked_depths(depths: Sequence[int]) -> tuple[int, ...]:
    wanted = tuple(sorted(set(depths)))
    if not wanted or wanted[0] < 1:
        raise ValueError(f"depths must be numbers of hidden layers >= 1; got {depths}")
    return wanted


def _in_order(
    seen: Measurement, computed: tuple[int, ...], depths: Sequence[int]
) -> Measurement:
    """Depths in the order asked for, and nothing after a value left float32.

    Past the first layer that is not finite, values are artefacts of how the
    hardware treats nan, and so is every gradient of a network that has one.
    """
    gone = ~np.logical_and.accumulate(np.asarray(seen.forward.finite), axis=1)
    after = np.concatenate([np.zeros_like(gone[:, :1]), gone[:, :-1]], axis=1)
    lost = np.stack([gone[:, depth - 1] for depth in depths], axis=1)[:, :, None]
    rows = [computed.index(depth) for depth in depths]
    return Measurement(
        jax.tree.map(lambda a: _blank(a, after), seen.forward),
        jax.tree.map(lambda a: _blank(a[:, rows], lost), seen.backward),
    )


def _blank(values: HostArray, where: HostArray) -> HostArray:
    """``values`` with nan (or False) at the places of ``where``."""
    return np.where(where, False if values.dtype == bool else np.nan, values)

"""Measure Dense chains in many schemes on shared draws: the fast path."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve
from initjax.engine.chain import Activations, ChainLayer, Choice, Scaled, Sizes, stack_order
from initjax.engine.draws import Draws
from initjax.engine.measurement import Measurement, checked_depths, in_order
from initjax.engine.passes import Network, advance, measure_network
from initjax.engine.statistics import Forward, Incoming, steepest_slope
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array


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

    Example:
        >>> from initjax import init
        >>> from initjax.engine import draw_networks
        >>> keys = jax.random.split(jax.random.key(0), 2)
        >>> sizes = {"depth": 3, "width": 8, "fan_ins": (4,), "classes": 10}
        >>> draws = draw_networks(("normal",), keys, **sizes)
        >>> inputs, labels = jnp.ones((2, 5, 4)), jnp.zeros((2, 5), int)
        >>> seen = measure_chains(
        ...     [init.kaiming_normal()], "relu", draws, inputs, labels, depths=[1, 3])
        >>> seen.forward.act_log10_rms.shape, seen.backward.delta_log10_rms.shape
        ((2, 3, 1), (2, 2, 3, 1))
    """
    deepest = 1 + next(iter(draws.hidden.values())).shape[1]
    wanted = checked_depths(depths)
    if wanted[-1] > deepest:
        raise ValueError(f"depths go to {wanted[-1]} but draws only to {deepest}")
    if not schemes:
        raise ValueError("schemes is empty; give at least one initializer")
    if inputs.shape[-1] not in draws.first:
        raise ValueError(
            f"inputs have {inputs.shape[-1]} entries; drawn are first layers for "
            f"{list(draws.first)}, see fan_ins of draw_networks"
        )
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
    return in_order(picked, wanted, depths)


def _scales(schemes: Sequence[ScaledInitializer], draws: dict[str, Array]) -> Array:
    shape = next(iter(draws.values())).shape[2:]
    return jnp.asarray([float(scheme.scale(shape)) for scheme in schemes])


@partial(jax.jit, static_argnames=("sizes", "among"))
def _enter_chains(
    phi: Choice, first: Scaled, inputs: Array, *, sizes: Sizes, among: Activations
) -> tuple[Array, Incoming, Forward]:
    layer = ChainLayer(sizes, phi.among(among))

    def one(draws: dict[str, Array], inputs: Array) -> tuple[Array, Incoming, Forward]:
        kernels = Scaled({b: d[0] for b, d in draws.items()}, first.scales)
        return advance(layer, kernels, inputs, phi.steepest)

    return jax.vmap(one)(first.draws, inputs)


@partial(jax.jit, static_argnames=("sizes", "among", "depths"))
def _run_chains(
    phi: Choice,
    entry: tuple[Array, Incoming, Forward],
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
        entry: tuple[Array, Incoming, Forward],
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

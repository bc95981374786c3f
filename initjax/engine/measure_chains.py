"""Measure Dense chains in many schemes on shared draws: the fast path."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from initjax.activations import resolve
from initjax.engine.chain import Activations, ChainLayer, Choice, Scaled, Sizes, stack_order
from initjax.engine.devices import over_seeds, together
from initjax.engine.draws import Draws
from initjax.engine.measurement import Measurement, checked_depths, in_order
from initjax.engine.passes import Network, advance, measure_network
from initjax.engine.statistics import Forward, Incoming, steepest_slope
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array, Shape


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
        draws: From ``draw_networks``, with every base that a scheme scales; each
            device measures the seeds that ``spread`` has placed on it.
        inputs: [seed, batch, fan_in].
        labels: Integer classes [seed, batch].
        depths: Numbers of hidden layers, each ≥ 1.
        among: Activations that will be measured in turn, ``activation`` one of
            them: one program is compiled for all. Only ``activation`` if None.

    Raises:
        ValueError: for a depth below 1 or beyond the draws, for a scheme with a
            mean of its own or a base that was not drawn, for an activation that
            is not ``among`` the given ones, and for draws or inputs that are on
            several devices, but not ``spread``.

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
    wanted = checked_depths(depths)
    _check(schemes, draws, inputs.shape[-1], wanted[-1])
    named, order = resolve(activation), stack_order(schemes)
    shared = tuple(resolve(other) for other in among or (activation,))
    if named not in shared:
        raise ValueError(f"activation {named.name!r} is not among {among}")
    stacked = [schemes[i] for i in order]
    bases = list(dict.fromkeys(scheme.base for scheme in stacked))
    fan_in, (width, classes) = inputs.shape[-1], draws.readout[bases[0]].shape[2:]
    parts = (draws.first[fan_in], draws.hidden, draws.readout)
    mesh, inputs, labels, *used = together(
        inputs, labels, *({base: part[base] for base in bases} for part in parts)
    )
    shapes = ((fan_in, width), (width, width), (width, classes))
    first, hidden, readout = map(Scaled, used, (_scales(stacked, s) for s in shapes))
    program = _Program(
        sizes=tuple((b, sum(s.base == b for s in stacked)) for b in bases),
        among=shared,
        mesh=mesh,
    )
    phi = Choice(jnp.int32(shared.index(named)), jnp.float32(steepest_slope(named)))
    entry = _enter_chains(phi, first, inputs, program=program)
    seen = _run_chains(phi, entry, hidden, readout, labels, program=program, depths=wanted)
    back = np.argsort(order)
    picked = jax.tree.map(lambda a: a[..., back], jax.device_get(seen))
    return in_order(picked, wanted, depths)


def _check(
    schemes: Sequence[ScaledInitializer], draws: Draws, fan_in: int, depth: int
) -> None:
    """Refuse what the draws cannot serve."""
    deepest = 1 + next(iter(draws.hidden.values())).shape[1]
    if depth > deepest:
        raise ValueError(f"depths go to {depth} but draws only to {deepest}")
    if not schemes:
        raise ValueError("schemes is empty; give at least one initializer")
    if fan_in not in draws.first:
        raise ValueError(
            f"inputs have {fan_in} entries; drawn are first layers for "
            f"{list(draws.first)}, see fan_ins of draw_networks"
        )
    for scheme in schemes:
        if scheme.base not in draws.hidden or np.any(scheme.mean):
            raise ValueError(
                f"scheme {scheme.name} is not a scaled draw of {list(draws.hidden)}; "
                "measure it as a block with measure_blocks"
            )


def _scales(schemes: Sequence[ScaledInitializer], shape: Shape) -> Array:
    return jnp.asarray([float(scheme.scale(shape)) for scheme in schemes])


class _Program(NamedTuple):
    """What the compiled programs of a measurement depend on, besides shapes."""

    sizes: Sizes
    among: Activations
    mesh: Mesh | None


@partial(jax.jit, static_argnames="program")
def _enter_chains(
    phi: Choice, first: Scaled, inputs: Array, *, program: _Program
) -> tuple[Array, Incoming, Forward]:
    def one(
        shared: tuple[Choice, Array], draws: dict[str, Array], inputs: Array
    ) -> tuple[Array, Incoming, Forward]:
        phi, scales = shared
        layer = ChainLayer(program.sizes, phi.among(program.among))
        kernels = Scaled({b: d[0] for b, d in draws.items()}, scales)
        return advance(layer, kernels, inputs, phi.steepest)

    return over_seeds(one, program.mesh, (phi, first.scales), first.draws, inputs)


@partial(jax.jit, static_argnames=("program", "depths"))
def _run_chains(
    phi: Choice,
    entry: tuple[Array, Incoming, Forward],
    hidden: Scaled,
    readout: Scaled,
    labels: Array,
    *,
    program: _Program,
    depths: tuple[int, ...],
) -> Measurement:
    def one(
        shared: tuple[Choice, Array, Array],
        entry: tuple[Array, Incoming, Forward],
        inner: dict[str, Array],
        last: dict[str, Array],
        labels: Array,
    ) -> Measurement:
        phi, scales, readout_scales = shared
        layer = ChainLayer(program.sizes, phi.among(program.among))
        network = Network(
            first=None,
            entry=entry,
            hidden=Scaled(inner, jnp.broadcast_to(scales, (depths[-1] - 1, *scales.shape))),
            readout=Scaled({b: d[0] for b, d in last.items()}, readout_scales),
            labels=labels,
        )
        return Measurement(*measure_network(layer, layer, network, depths, phi.steepest))

    shared = (phi, hidden.scales, readout.scales)
    return over_seeds(one, program.mesh, shared, entry, hidden.draws, readout.draws, labels)

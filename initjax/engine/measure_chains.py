"""Measure Dense chains in many schemes on shared draws: the fast path."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from initjax.activations import resolve
from initjax.engine.chain import Activations, ChainLayer, Choice, Scaled, Sizes, stack_order
from initjax.engine.cores import by_cores
from initjax.engine.devices import over_seeds, together
from initjax.engine.draws import Draws
from initjax.engine.measurement import Measurement, assemble, checked_depths
from initjax.engine.passes import Network, Passed, Pieces, advance, measure_network
from initjax.engine.statistics import steepest_slope
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
    mesh, *used = together(
        inputs, labels, *({base: part[base] for base in bases} for part in parts)
    )
    shapes = ((fan_in, width), (width, width), (width, classes))
    scales = tuple(_scales(stacked, shape) for shape in shapes)
    program = _Program(
        sizes=tuple((b, sum(s.base == b for s in stacked)) for b in bases),
        among=shared,
        mesh=mesh,
    )
    phi = Choice(jnp.int32(shared.index(named)), jnp.float32(steepest_slope(named)))

    def start(
        inputs: Array, labels: Array, first: Kernels, hidden: Kernels, readout: Kernels
    ) -> Pieces:
        given = (phi, *scales)
        entry = _enter_chains(given, first, inputs, program=program)
        rest = (given, entry, hidden, readout, labels)
        return _run_chains(*rest, program=program, depths=wanted)

    seen = jax.device_get(start(*used)) if mesh else by_cores(start, *used)
    back = np.argsort(order)
    return assemble(jax.tree.map(lambda a: a[..., back], seen), wanted, depths)


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


Kernels: TypeAlias = dict[str, Array]
"""Base draws by name, or their keys."""

Given: TypeAlias = tuple[Choice, Array, Array, Array]
"""The activation, and the scales of each scheme at layer 0, later, and the readout."""


class _Program(NamedTuple):
    """What the compiled programs of a measurement depend on, besides shapes."""

    sizes: Sizes
    among: Activations
    mesh: Mesh | None


@partial(jax.jit, static_argnames="program")
def _enter_chains(
    given: Given, first: Kernels, inputs: Array, *, program: _Program
) -> Passed:
    def one(given: Given, first: Kernels, inputs: Array) -> Passed:
        phi, scales = given[:2]
        layer = ChainLayer(program.sizes, phi.among(program.among))
        kernels = Scaled({b: d[0] for b, d in first.items()}, scales)
        return advance(layer, kernels, inputs, phi.steepest)

    return over_seeds(one, program.mesh, given, first, inputs)


@partial(jax.jit, static_argnames=("program", "depths"))
def _run_chains(
    given: Given,
    entry: Passed,
    hidden: Kernels,
    readout: Kernels,
    labels: Array,
    *,
    program: _Program,
    depths: tuple[int, ...],
) -> Pieces:
    def one(
        given: Given,
        entry: Passed,
        hidden: Kernels,
        readout: Kernels,
        labels: Array,
    ) -> Pieces:
        phi, _, scales, readout_scales = given
        layer = ChainLayer(program.sizes, phi.among(program.among))
        network = Network(
            first=None,
            entry=entry,
            hidden=Scaled(
                hidden, jnp.broadcast_to(scales, (depths[-1] - 1, *scales.shape))
            ),
            readout=Scaled({b: d[0] for b, d in readout.items()}, readout_scales),
            labels=labels,
        )
        return measure_network(layer, layer, network, depths, phi.steepest)

    return over_seeds(one, program.mesh, given, entry, hidden, readout, labels)

"""One signal from q = 1 exactly, by each activation with its forward gain."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.activations import resolve
from initjax.engine.cores import by_cores
from initjax.engine.draws import layer_key, unit_draw
from initjax.engine.statistics import log10_rms
from initjax.typing import Array, HostArray, Key
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.networks_cost import distinct
from sweeps.responses.kinds import gain_of
from sweeps.responses.networks import recorded

_FLOAT = 4  # bytes


def starts(cells: Sequence[Cell], layers: int) -> list[dict[str, object]]:
    """Rows of some layers of each signal, in the order of the cells.

    The weights are those of ``networks.signals``, but for a layer 0 of σ_w = 1.
    """
    names, seeds = distinct(cells, "activation"), distinct(cells, "seed")
    width, depth = cells[0]["width"], cells[0]["depth"]
    keys = jax.vmap(lambda seed: jax.random.split(jax.random.key(seed)))(np.array(seeds))
    gains = {name: gain_of("forward", name) for name in names}
    start = partial(
        _log10_rms,
        gains=jnp.array([gains[name] for name in names]),
        activations=names,
        width=width,
        depth=depth,
    )
    seen: HostArray = by_cores(start, keys[:, 0], keys[:, 1])
    kept = recorded(depth, layers)
    return [
        {
            "layer": kept,
            "gain": gains[cell["activation"]],
            "act_log10_rms": seen[
                seeds.index(cell["seed"]), kept, names.index(cell["activation"])
            ],
        }
        for cell in cells
    ]


def starts_cost(cells: Sequence[Cell], layers: int) -> Cost:
    """Programs, memory and rows of ``starts``."""
    names, seeds = distinct(cells, "activation"), len(distinct(cells, "seed"))
    width, depth = cells[0]["width"], cells[0]["depth"]
    memory = seeds * _FLOAT * (3 * width**2 + (4 * width + depth) * len(names))
    programs = frozenset({("starts", names, width, depth)})
    return Cost(programs, memory, len(cells) * len(recorded(depth, layers)))


@partial(jax.jit, static_argnames=("activations", "width", "depth"))
def _log10_rms(
    keys: Key,
    others: Key,
    *,
    gains: Array,
    activations: tuple[str, ...],
    width: int,
    depth: int,
) -> Array:
    """log10 RMS of h [seed, layer, activation], from weights and from inputs by seed."""
    functions = [resolve(name).function for name in activations]

    def one(key: Key, other: Key) -> Array:
        def step(h: Array, layer: Array) -> tuple[Array, Array]:
            kernel = unit_draw("normal", layer_key(key, layer), width, width)
            sigma = jnp.where(layer == 0, 1.0, gains) / width**0.5
            z = sigma[:, None] * jnp.matmul(h, kernel, precision="highest")
            h = jnp.stack(
                [function(row) for function, row in zip(functions, z, strict=True)]
            )
            return h, jax.vmap(log10_rms)(h)

        x = init.normal(1.0)(other, (width,))
        x = jnp.tile(x / jnp.sqrt(jnp.mean(x**2)), (len(functions), 1))
        return jax.lax.scan(step, x, jnp.arange(depth))[1]

    return jax.vmap(one)(keys, others)

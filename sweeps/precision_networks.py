"""Networks whose weights are drawn in a dtype, by initjax and by JAX, as columns.

Only the weights are narrow: signals, gradients and products are float32, so that what
differs between two precisions is what the initializer did.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.activations import resolve, value_and_derivative
from initjax.engine.cores import by_cores
from initjax.typing import Array, Key
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.precision import BATCH

LIBRARIES: Mapping[str, Any] = {"initjax": init, "jax": jax.nn.initializers}
"""Where an initializer of one name is taken from."""


class Seen(NamedTuple):
    """What became of weights and signals, [seed, layer] or [seed, activation, layer].

    Attributes:
        weight_mean: Mean of a kernel over its standard deviation.
        weight_log10_std: log10 of √fan_in · standard deviation of a kernel.
        act_log10_rms: log10 of the root of the second moment of h = φ(z).
        delta_log10_rms: log10 of the RMS of ∂L/∂z, over that of the last layer.
        first: The first kernel, [seed, n, n].
    """

    weight_mean: Array
    weight_log10_std: Array
    act_log10_rms: Array
    delta_log10_rms: Array
    first: Array


def columns(cells: Sequence[Cell], depth: int) -> Mapping[str, Any]:
    """Measure networks of one initializer, library and dtype; activations share weights.

    Args:
        cells: Settings: activation, scheme, library, dtype, width, seed.
        depth: Layers of a network.

    Returns:
        One array per column, one entry per cell and layer.
    """
    first, layer = cells[0], np.arange(depth)
    names = tuple(dict.fromkeys(cell["activation"] for cell in cells))
    parts: list[dict[str, Any]] = []
    keys = jax.vmap(jax.random.key)(np.array(list(dict.fromkeys(c["seed"] for c in cells))))

    def start(keys: Key) -> Seen:
        sizes = {"width": first["width"], "depth": depth}
        one = (first["scheme"], first["library"], first["dtype"])
        return run(names, draw(keys, *one, **sizes), keys)

    seen = by_cores(start, keys)
    for seed, same in enumerate(group(cells, lambda cell: cell["seed"])):
        distinct = len(np.unique(seen.first[seed]))
        for cell in same:
            of = names.index(cell["activation"])
            parts.append(
                {
                    **{name: np.full(depth, value) for name, value in cell.items()},
                    "layer": layer,
                    "weight_mean": seen.weight_mean[seed],
                    "weight_log10_std": seen.weight_log10_std[seed],
                    "act_log10_rms": seen.act_log10_rms[seed, of],
                    "delta_log10_rms": seen.delta_log10_rms[seed, of],
                    "distinct": np.full(depth, distinct),
                }
            )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


@partial(jax.jit, static_argnames=("scheme", "library", "dtype", "width", "depth"))
def draw(
    keys: Key, scheme: str, library: str, dtype: str, *, width: int, depth: int
) -> Array:
    """Kernels [seed, layer, n, n] in ``dtype``, as the library's initializer draws them."""
    kernel = initializer(scheme, library)

    def one(key: Key) -> Array:
        layers = jax.random.split(key, depth)
        return jax.lax.map(lambda k: kernel(k, (width, width), jnp.dtype(dtype)), layers)

    return jax.vmap(one)(keys)


def initializer(scheme: str, library: str) -> Callable[..., Array]:
    """The initializer of this name, of initjax or of JAX.

    Raises:
        ValueError: for a library or a name that is not there.
    """
    if library not in LIBRARIES:
        raise ValueError(f"--libraries must be of {', '.join(LIBRARIES)}; got {library!r}")
    known = [f"{first}_{law}" for first in ("he", "lecun", "glorot") for law in _LAWS]
    if scheme not in known:
        raise ValueError(f"--schemes must be of {', '.join(known)}; got {scheme!r}")
    return getattr(LIBRARIES[library], scheme)()


_LAWS = ("normal", "uniform")


@partial(jax.jit, static_argnums=0)
def run(activations: tuple[str, ...], kernels: Array, keys: Key) -> Seen:
    """Every activation's networks forward and backward, by seed."""
    return jax.vmap(partial(_run, activations))(kernels, keys)


def _run(activations: tuple[str, ...], kernels: Array, key: Key) -> Seen:
    """The networks of one seed; signals are [activation, input, unit]."""
    functions = [resolve(name).function for name in activations]
    of_inputs, of_cotangent = jax.random.split(jax.random.fold_in(key, 2**31 - 1))
    shape = (len(functions), BATCH, kernels.shape[-1])

    def forward(h: Array, kernel: Array) -> tuple[Array, Any]:
        wide = kernel.astype(jnp.float32)
        both = [
            value_and_derivative(f, z) for f, z in zip(functions, h @ wide, strict=True)
        ]
        h, slope = (jnp.stack(each) for each in zip(*both, strict=True))
        std = wide.std()
        law = wide.mean() / std, jnp.log10(std) + math.log10(shape[-1]) / 2
        return h, (*law, _log10_rms(h), slope)

    def backward(delta: Array, layer: tuple[Array, Array]) -> tuple[Array, Array]:
        kernel, slope = layer  # of the layer above, and φ′ of this one
        delta = (delta @ kernel.astype(jnp.float32).T) * slope
        return delta, _log10_rms(delta)

    inputs = jnp.broadcast_to(jax.random.normal(of_inputs, shape[1:]), shape)
    _, (mean, std, acts, slopes) = jax.lax.scan(forward, inputs, kernels)
    last = jax.random.normal(of_cotangent, shape[1:]) * slopes[-1]
    _, below = jax.lax.scan(backward, last, (kernels[1:], slopes[:-1]), reverse=True)
    top = _log10_rms(last)
    deltas = jnp.concatenate([below, top[None]]) - top
    return Seen(mean, std, acts.T, deltas.T, kernels[0])


def _log10_rms(values: Array) -> Array:
    return jnp.log10(jnp.square(values).mean((-1, -2))) / 2


def cost(cells: Sequence[Cell], depth: int) -> Cost:
    """Programs, memory and rows of one call of ``columns`` with these cells.

    Example:
        >>> cell = {"activation": "relu", "scheme": "he_normal", "library": "jax"}
        >>> cost([cell | {"dtype": "float16", "width": 64, "seed": 0}], depth=5).rows
        5
    """
    first = cells[0]
    seeds = len({cell["seed"] for cell in cells})
    names = tuple(dict.fromkeys(cell["activation"] for cell in cells))
    size = jnp.dtype(first["dtype"]).itemsize
    shape = (first["dtype"], first["width"], depth)
    programs = {("draw", first["scheme"], first["library"], *shape), ("run", names, *shape)}
    kernels = depth * size * first["width"] ** 2
    signals = 4 * len(names) * depth * BATCH * first["width"]
    memory = seeds * (2 * kernels + signals)
    return Cost(frozenset(programs), memory, len(cells) * depth)

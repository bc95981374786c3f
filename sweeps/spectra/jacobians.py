"""Singular values of the Jacobians of critical networks, all depths from one pass."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve, value_and_derivative
from initjax.init.haar import haar
from initjax.meanfield import critical_point
from initjax.typing import Array, HostArray, Key
from sweeps.harness.grid import Cell


def homogeneous(activation: str) -> bool:
    """Whether φ(2x) = 2 φ(x), so that its slopes do not depend on q.

    Example:
        >>> homogeneous("relu"), homogeneous("tanh")
        (True, False)
    """
    x = jnp.array([-1.5, -0.25, 0.5, 3.0])
    function = resolve(activation)
    return bool(jnp.allclose(function(2 * x), 2 * function(x)))


def columns(cells: Sequence[Cell]) -> Mapping[str, Any]:
    """Measure networks that differ in depth and seed only, the seeds by vmap.

    A network of depth L is the first L layers of the deepest one. Its input is Gaussian,
    of the second moment that gives the first pre-activations theirs.

    Args:
        cells: Settings by the names of the columns, without rank and value.

    Returns:
        One array per column, one entry per network and singular value.
    """
    first = cells[0]
    seeds = tuple(dict.fromkeys(cell["seed"] for cell in cells))
    sigma_w, sigma_b = map(float, critical_point(first["activation"], q=first["q"]))
    found = singular_values(
        first["activation"],
        first["weights"],
        jax.vmap(jax.random.key)(np.array(seeds)),
        depths=sorted({cell["depth"] for cell in cells}),
        width=first["width"],
        sigmas=(first["q"], sigma_w, sigma_b),
    )
    parts = [found[cell["depth"]][seeds.index(cell["seed"])] for cell in cells]
    each = [len(part) for part in parts]
    settings = {name: np.repeat([c[name] for c in cells], each) for name in first}
    return {
        **settings,
        "sigma_w": np.full(sum(each), sigma_w),
        "sigma_b": np.full(sum(each), sigma_b),
        "rank": np.concatenate([np.arange(n) for n in each]),
        "log10_singular_value": np.concatenate(parts),
    }


def singular_values(
    activation: str,
    weights: str,
    keys: Key,
    *,
    depths: Sequence[int],
    width: int,
    sigmas: tuple[float, float, float],
) -> dict[int, HostArray]:
    """log10 of the singular values [seed, rank], descending, by depth.

    Those below what float32 resolves beside the largest are 0, and their log10 -inf.

    Args:
        activation: Name of φ.
        weights: gaussian or orthogonal.
        keys: One per seed.
        depths: Ascending numbers of layers.
        width: Units of every layer.
        sigmas: q, σ_w and σ_b.
    """
    q, sigma_w, sigma_b = sigmas
    scale = np.sqrt(max(q - sigma_b**2, 0)) / sigma_w
    state = _start(keys, scale, width)
    found = {}
    for start, stop in zip((0, *depths), depths, strict=False):
        given = (keys, state, start, stop, sigma_w, sigma_b)
        state = _advance(*given, activation=activation, weights=weights)
        values = np.linalg.svd(np.asarray(state[1]), compute_uv=False).astype(np.float64)
        floor = width * np.finfo(np.float32).eps * values[:, :1]
        with np.errstate(divide="ignore"):
            found[stop] = np.log10(np.where(values > floor, values, 0))
    return found


@partial(jax.jit, static_argnums=2)
def _start(keys: Key, scale: Array, width: int) -> tuple[Array, Array]:
    """Input [seed, width] and the Jacobian of no layers."""
    # Of the seed's two keys the first; the layers fold into the second.
    inputs_keys = jax.vmap(jax.random.split)(keys)[:, 0]
    noise = jax.vmap(lambda key: jax.random.normal(key, (width,)))(inputs_keys)
    eye = jnp.broadcast_to(jnp.eye(width), (len(keys), width, width))
    return scale * noise, eye


@partial(jax.jit, static_argnames=("activation", "weights"))
def _advance(
    keys: Key,
    state: tuple[Array, Array],
    start: Array,
    stop: Array,
    sigma_w: Array,
    sigma_b: Array,
    *,
    activation: str,
    weights: str,
) -> tuple[Array, Array]:
    """Activations and Jacobian after layers ``start`` to ``stop``, [seed, ...]."""
    function = resolve(activation)
    width = state[0].shape[1]

    def layer(index: Array, key: Key, h: Array, whole: Array) -> tuple[Array, Array]:
        layers_key = jax.random.split(key)[1]
        weight_key, bias_key = jax.random.split(jax.random.fold_in(layers_key, index))
        if weights == "orthogonal":
            weight = haar(weight_key, width, width, jnp.float32)
        else:
            weight = jax.random.normal(weight_key, (width, width)) / np.sqrt(width)
        bias = sigma_b * jax.random.normal(bias_key, (width,))
        both = jnp.concatenate([h[:, None], whole], axis=1)
        moved = sigma_w * jnp.matmul(weight, both, precision="highest")
        z = moved[:, 0] + bias
        out, slope = value_and_derivative(function, z)
        return out, slope[:, None] * moved[:, 1:]

    def body(index: Array, state: tuple[Array, Array]) -> tuple[Array, Array]:
        return jax.vmap(partial(layer, index))(keys, *state)

    return jax.lax.fori_loop(start, stop, body, state)

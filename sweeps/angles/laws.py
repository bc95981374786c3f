"""Draws of matrices whose entries have variance 1/m, by the name of their law.

Independent entries are drawn in blocks of one length and then put into shape, so that a
law is compiled once for matrices of all shapes.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.typing import Array, HostArray, Key
from sweeps.angles.sizes import BLOCK, Size
from sweeps.near_orthogonality import FREEDOM, KEPT


def draw(keys: Key, law: str, size: Size) -> HostArray:
    """Matrices W, of which x ↦ Wx: [seed, matrix, m, columns].

    Orthogonal ones have orthonormal columns if m ≥ n, else orthonormal rows times
    √(n/m), so that their entries have variance 1/m too.
    """
    shape = (len(keys), size.matrices, size.outputs, size.columns)
    if law == "orthogonal":
        tall = size.outputs >= size.inputs  # whose columns need not all be drawn
        fans = (size.columns if tall else size.inputs, size.outputs)
        gain = max(1.0, size.inputs / size.outputs) ** 0.5
        calls = range(-(-size.matrices // size.block))
        some = [_orthogonal(keys, at, gain, size.block, fans) for at in calls]
        kernels = np.concatenate(jax.device_get(some), 1)[:, : size.matrices]
        return np.swapaxes(kernels[..., : size.columns, :], -1, -2)
    count = size.matrices * size.outputs * size.columns
    blocks = [_entries(keys, at, law) for at in range(-(-count // BLOCK))]
    flat = np.concatenate(jax.device_get(blocks), 1)[:, :count]
    return flat.reshape(shape) / np.sqrt(np.float32(size.outputs))


@partial(jax.jit, static_argnames=("block", "fans"))
def _orthogonal(
    keys: Key, at: int, gain: float, block: int, fans: tuple[int, int]
) -> Array:
    """Kernels [seed, matrix, fan_in, fan_out] of the block number ``at``."""

    def one(key: Key) -> Array:
        some = jax.random.split(jax.random.fold_in(key, at), block)
        return jax.lax.map(lambda key: gain * init.orthogonal()(key, fans), some)

    return jax.vmap(one)(keys)


@partial(jax.jit, static_argnames="law")
def _entries(keys: Key, at: int, law: str) -> Array:
    """The block number ``at`` of entries of each seed."""
    return jax.vmap(lambda key: entries(jax.random.fold_in(key, at), law, (BLOCK,)))(keys)


def entries(key: Key, law: str, shape: tuple[int, ...]) -> Array:
    """Independent entries of variance 1.

    Student's t is drawn by t = √(ν (u^(−2/ν) − 1)) cos 2πv, with u and v uniform
    (Bailey 1994, Mathematics of Computation 62:779–781).
    """
    first, second = jax.random.split(key)
    if law == "gaussian":
        return init.normal(1.0)(key, shape)
    if law == "uniform":
        return init.uniform(-(3**0.5), 3**0.5)(key, shape)
    if law == "rademacher":
        return jnp.where(init.uniform(-1, 1)(key, shape) < 0, -1.0, 1.0)
    if law == "sparse":
        kept = init.uniform(0, 1)(first, shape) < KEPT
        return jnp.where(kept, init.normal(KEPT**-0.5)(second, shape), 0.0)
    if law == "student_t":
        u = init.uniform(2.0**-24, 1)(first, shape)
        square = FREEDOM * jnp.expm1(-2 / FREEDOM * jnp.log(u))
        t = jnp.sqrt(square) * jnp.cos(2 * jnp.pi * init.uniform(0, 1)(second, shape))
        return t * np.float32((1 - 2 / FREEDOM) ** 0.5)
    raise ValueError(f"no independent entries of law {law!r}")

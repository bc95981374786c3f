"""Angles between columns, lengths of images, and singular values of random matrices."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from threadpoolctl import threadpool_limits

from initjax import init
from initjax.engine.cores import by_cores
from initjax.typing import Array, HostArray, Key
from sweeps.angles.laws import draw
from sweeps.angles.sizes import ANGLE_BINS, VECTORS, Size
from sweeps.near_orthogonality import ANGLE_BIN


class Seen(NamedTuple):
    """What a seed shows, [seed, ...], means over its matrices.

    Attributes:
        angles: Pairs of columns by bin of √n (θ − 90°).
        pairs: Pairs of columns that are not 0.
        mean_square: Of the entries of WᵀW − I.
        diagonal: Of those on its diagonal.
        off_diagonal: Of the others.
        cosine_square: Mean cos² of the pairs.
        norm_mean: Mean of r = ‖Wx‖/‖x‖.
        norm_std: Its standard deviation.
        norm_error: Mean of (r² − 1)².
    """

    angles: Array
    pairs: Array
    mean_square: Array
    diagonal: Array
    off_diagonal: Array
    cosine_square: Array
    norm_mean: Array
    norm_std: Array
    norm_error: Array


def look(keys: Key, law: str, size: Size) -> tuple[Seen, HostArray]:
    """What the matrices of each seed show, and singular values [seed, matrix, rank].

    These, descending, are found on the host: LAPACK in XLA's own threads may stop there
    for ever (jax < 0.12).
    """

    def start(keys: Key, others: Key) -> tuple[Seen, HostArray]:
        matrices = draw(keys, law, size)
        seen = _seen(others, matrices, jnp.float32(size.inputs))
        return seen, singular_values(matrices[:, : size.decomposed])

    halves = jax.vmap(jax.random.split)(keys)
    with threadpool_limits(1, "blas"):  # seeds have a thread each, BLAS needs no more
        return by_cores(start, halves[:, 0], halves[:, 1])


def singular_values(matrices: HostArray) -> HostArray:
    """min(m, n) singular values, descending, as roots of eigenvalues.

    In float64, whose squares keep what float32 has; below that they are 0.
    """
    wide = matrices.astype(np.float64)
    turned = np.swapaxes(wide, -1, -2)
    gram = wide @ turned if wide.shape[-2] < wide.shape[-1] else turned @ wide
    squares = np.linalg.eigvalsh(gram)[..., ::-1]
    floor = gram.shape[-1] * np.finfo(np.float64).eps * squares[..., :1]
    return np.sqrt(np.where(squares > floor, squares, 0))


@jax.jit
def _seen(keys: Key, matrices: Array, inputs: Array) -> Seen:
    return jax.vmap(partial(_of_seed, inputs=inputs))(keys, matrices)


def _of_seed(key: Key, matrices: Array, inputs: Array) -> Seen:
    """What matrices [matrix, m, columns], of n = ``inputs`` columns, show."""
    product = partial(jnp.einsum, precision="highest")
    columns = matrices.shape[-1]
    gram = product("kmi,kmj->kij", matrices, matrices)
    squares = jnp.diagonal(gram, axis1=1, axis2=2)
    on_it = jnp.mean((squares - 1) ** 2)
    besides = jnp.mean(gram**2 * (1 - jnp.eye(columns))) * columns / (columns - 1)

    # Each column is in one pair only, so that the pairs are independent.
    first, second = (slice(at, columns // 2 * 2, 2) for at in (0, 1))
    lengths = squares[:, first] * squares[:, second]
    there = lengths > 0
    products = product("kmi,kmi->ki", matrices[..., first], matrices[..., second])
    cosine = jnp.where(there, products / jnp.sqrt(jnp.where(there, lengths, 1)), 0)
    scaled = jnp.sqrt(inputs) * -jnp.arcsin(jnp.clip(cosine, -1, 1))  # of θ − 90°
    middle = ANGLE_BINS // 2
    bins = jnp.clip(jnp.round(scaled / ANGLE_BIN), -middle, middle).astype(int) + middle
    angles = jnp.zeros(ANGLE_BINS, int).at[bins.ravel()].add(there.ravel().astype(int))
    pairs = there.sum()

    x = init.normal(1.0)(key, (len(matrices), columns, VECTORS))
    image = product("kmi,kiv->kmv", matrices, x)
    r = jnp.linalg.norm(image, axis=1) / jnp.linalg.norm(x, axis=1)
    return Seen(
        angles,
        pairs,
        mean_square=on_it / inputs + besides * (1 - 1 / inputs),
        diagonal=on_it,
        off_diagonal=besides,
        cosine_square=(cosine**2).sum() / pairs,
        norm_mean=r.mean(),
        norm_std=r.std(),
        norm_error=((r**2 - 1) ** 2).mean(),
    )

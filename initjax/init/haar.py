"""Uniform orthogonal and unitary matrices, from matrix products alone.

QR finds one reflection after the other, in a chain of small steps. For a Gaussian
matrix they need not be found, only drawn, all at once, and a closed form multiplies
them in a few large products. That needs no LAPACK either, of which a batch under
``vmap`` can stop XLA's pool of CPU threads for ever (jax < 0.12).
"""

from functools import partial

import jax
import jax.numpy as jnp

from initjax.init.streams import normal
from initjax.typing import Array, DType, Key

_SMALL = 16
"""Side of the largest triangles that are inverted by their series."""

_PANEL, _PANELS = 64, 8
"""Reflections multiplied at once, at least; how many products of them, at most."""

# Not in the shorter floats that accelerators multiply in unless told otherwise.
_product = partial(jnp.matmul, precision="highest")


def haar(key: Key, long: int, short: int, dtype: DType) -> Array:
    """Matrix [long, short] with orthonormal columns, uniform among all of them.

    Args:
        key: Random key.
        long: Rows.
        short: Columns, from 1 to as many as rows.
        dtype: float32, float64, complex64 or complex128.

    Example:
        >>> q = haar(jax.random.key(0), 5, 3, jnp.float32)
        >>> bool(jnp.allclose(q.T @ q, jnp.eye(3), atol=1e-6))
        True
    """

    def one(key: Key) -> Array:
        return reflected(normal(key, (long, short), dtype, None))

    # On CPU one after the other: then the last bits of a matrix do not depend on how
    # many are drawn, and a batch needs the scratch space of one.
    single = jax.custom_batching.sequential_vmap(one)
    return jax.lax.platform_dependent(key, cpu=single, default=one)


def reflected(gaussian: Array) -> Array:
    """The orthonormal columns that a matrix of normal entries stands for.

        Q = H₁ H₂ … H_n P,   H_k = I − 2 v_k v_kᴴ,   v_k ∝ x_k + e_k ‖x_k‖ α_k/|α_k|

    (its first n columns) with x_k the k-th column from the diagonal down, α_k its first
    entry, and P diagonal with −α_k/|α_k|: the Q of a Gaussian matrix whose R has a
    positive diagonal. What H₁ … H_{k−1} leave of the k-th Gaussian column from there
    down is Gaussian again, whatever they were, so x_k is drawn in its place. And some
    reflections at once are, the last ones applied first, to a matrix that grows with them,

        H₁ … H_k = I − V T Vᴴ,   T⁻¹ = ½ I + striu(VᴴV)

    Args:
        gaussian: [m, n], m ≥ n, standard normal; not used above its diagonal.

    References:
        Stewart (1980), SIAM J. Numer. Anal. 17:403–409, the reflections drawn at once.
        Joffrain et al. (2006), ACM Trans. Math. Softw. 32:169–179, the compact form.
    """
    rows, columns = gaussian.shape
    x = jnp.tril(gaussian)
    alpha = jnp.diagonal(x)
    # sign(0) = 0 would be no phase; a column of zeros stands for H = I, phase −1.
    phase = jnp.where(alpha == 0, 1, jnp.sign(alpha))
    eye = jnp.eye(rows, columns, dtype=x.dtype)
    v = _unit(x + eye * (phase * jnp.linalg.norm(x, axis=0)))
    width = max(_PANEL, -(-columns // _PANELS))
    q = jnp.zeros((rows - columns, 0), x.dtype)
    for start in reversed(range(0, columns, width)):
        q = _reflect(v[start:, start : start + width], q)
    return q * -phase


def _reflect(v: Array, q: Array) -> Array:
    """The columns H₁ … H_k [[I, 0], [0, q]] with the k columns of ``v`` as v₁ … v_k."""
    k = v.shape[1]
    cosines = jnp.triu(_product(v.conj().T, v), 1)
    t = 2 * _inverse(2 * cosines)
    seen = [v[:k].conj().T, _product(v[k:].conj().T, q)]
    moved = _product(v, _product(t, jnp.concatenate(seen, axis=1)))
    return jnp.pad(q, [(k, 0), (k, 0)]).at[:k, :k].set(jnp.eye(k, dtype=v.dtype)) - moved


def _unit(columns: Array) -> Array:
    """Columns of norm 1; those of norm 0 stay as they are."""
    norms = jnp.linalg.norm(columns, axis=0)
    return columns / jnp.where(norms == 0, 1, norms)


def _inverse(strict: Array) -> Array:
    """(I + N)⁻¹ of a strictly upper triangular N, [n, n], by halves.

        [[A, B], [0, C]]⁻¹ = [[A⁻¹, −A⁻¹ B C⁻¹], [0, C⁻¹]]

    from small triangles up, all of one size at once: log₂ n steps, not n.
    """
    n = strict.shape[0]
    doublings = ((n - 1) // _SMALL).bit_length()
    size = -(-n // 2**doublings)
    whole = size * 2**doublings  # less than an eighth over n
    padded = jnp.pad(strict, (0, whole - n))
    inverse = _series(_blocks(padded, size, 0))
    while size < whole:
        first, last = inverse[0::2], inverse[1::2]
        corner = -_product(_product(first, _blocks(padded, size, 1)), last)
        upper = jnp.concatenate([first, corner], axis=2)
        lower = jnp.concatenate([jnp.zeros_like(corner), last], axis=2)
        inverse, size = jnp.concatenate([upper, lower], axis=1), 2 * size
    return inverse[0, :n, :n]


def _series(strict: Array) -> Array:
    """(I + N)⁻¹ = (I − N)(I + N²)(I + N⁴) …, which ends as N to its size is 0."""
    size = strict.shape[-1]
    inverse, power = jnp.eye(size, dtype=strict.dtype) - strict, strict
    for _ in range((size - 1).bit_length() - 1):
        power = _product(power, power)
        inverse = inverse + _product(inverse, power)
    return inverse


def _blocks(matrix: Array, size: int, right: int) -> Array:
    """Square blocks on the diagonal, or those one to the right of every second one."""
    count = matrix.shape[0] // size
    index = jnp.arange(0, count, 1 + right)
    return matrix.reshape(count, size, count, size)[index, :, index + right, :]

"""Lanczos' recursion for J Jᵀ of a function, by forward and reverse differentiation."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from initjax.typing import Array, Key

Function = Callable[[Any], Array]

_BREAKDOWN = 1e-5  # of the largest coefficient so far: what is left is rounding


def tridiagonal(
    f: Function, x: Any, key: Key, *, probes: int, steps: int
) -> tuple[Array, Array]:
    """Coefficients of J Jᵀ, J = ∂f/∂x, on the Krylov spaces of random signs.

        J Jᵀ v_k = β_{k-1} v_{k-1} + α_k v_k + β_k v_{k+1},   v_1 = signs / √m

    One ``jvp`` and one ``vjp`` a step; every v is made orthogonal to all before it,
    twice, so that float32 does not repeat eigenvalues. Traceable.

    Args:
        f: Function of one input; its output has m entries.
        x: Where J is taken, an array or a tree of arrays.
        key: Random key of the signs.
        probes: Number of start vectors.
        steps: Number of coefficients of each, ≤ m.

    Returns:
        α and β, each [probes, steps]. Where a Krylov space ends, β is 0 and so is all
        that follows; the last β is the residual.

    Example:
        >>> alpha, beta = tridiagonal(lambda x: 3 * x, jnp.ones(5), jax.random.key(0),
        ...     probes=2, steps=3)
        >>> alpha[0].tolist(), beta[0].tolist()
        ([9.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    """
    y, forward = jax.linearize(f, x)
    backward = jax.linear_transpose(forward, x)

    def multiply(v: Array) -> Array:
        return forward(*backward(v.reshape(y.shape).astype(y.dtype))).ravel()

    signs = jax.random.rademacher(key, (probes, y.size), jnp.float32)
    starts = signs / jnp.sqrt(jnp.float32(y.size))
    return jax.vmap(lambda v: _recursion(multiply, v, steps))(starts)


def _recursion(
    multiply: Callable[[Array], Array], start: Array, steps: int
) -> tuple[Array, Array]:
    """α and β of one start vector of norm 1."""

    def step(
        carry: tuple[Array, Array, Array], k: Array
    ) -> tuple[Any, tuple[Array, Array]]:
        basis, v, largest = carry
        basis = basis.at[k].set(v)
        image = multiply(v).astype(v.dtype)
        alpha = v @ image
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        beta = jnp.linalg.norm(image)
        largest = jnp.maximum(largest, jnp.maximum(jnp.abs(alpha), beta))
        ended = beta <= _BREAKDOWN * largest
        beta = jnp.where(ended, 0, beta)
        following = jnp.where(ended, 0, image / jnp.where(ended, 1, beta))
        return (basis, following, largest), (alpha, beta)

    empty = jnp.zeros((steps, start.size), start.dtype)
    carry = (empty, start, jnp.zeros((), start.dtype))
    return jax.lax.scan(step, carry, jnp.arange(steps))[1]

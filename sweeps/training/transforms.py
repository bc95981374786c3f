"""Transformations of gradients, for ``optax.chain``: clipping, and a floor under them.

Each holds wherever the entries of a gradient are finite: squares are taken of entries over
the largest one, so that a norm beyond 1.8e19 is no inf and one below 1e-19 no 0.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import optax

from initjax.typing import Array

T = TypeVar("T")


def clip_by_norm(most: float) -> optax.GradientTransformation:
    """Shorten a gradient that is longer than some norm, all parameters together.

        g ← g · min(1, most / ‖g‖)

    ``optax.clip_by_global_norm`` squares the entries as they are: of a gradient of 1e20
    it finds the norm inf, and makes it 0. One with an entry that is not finite
    stays as it is.

    Args:
        most: Largest L2 norm that is left as it is, > 0.

    Raises:
        ValueError: if it is not a number > 0.

    Example:
        >>> clip = clip_by_norm(1.0)
        >>> change, _ = clip.update(jnp.array([3e30, 4e30]), optax.EmptyState())
        >>> [round(float(c), 6) for c in change]
        [0.6, 0.8]
    """
    _positive("most", most)

    def clip(gradient: T) -> T:
        leaves = jax.tree.leaves(gradient)
        top = jnp.max(jnp.stack([jnp.max(jnp.abs(leaf)) for leaf in leaves]))
        unit = jax.tree.map(lambda leaf: _over(leaf, top), gradient)
        norm = jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(unit)))
        long = _over(jnp.asarray(most, top.dtype), top) < norm
        return jax.tree.map(
            lambda g, u: jnp.where(long, u * (most / norm), g), gradient, unit
        )

    return _stateless(clip)


def clip_by_value(most: float) -> optax.GradientTransformation:
    """Cut every entry of a gradient to ±most; infinite ones too, nan stays nan.

    Args:
        most: Largest absolute value that is left as it is, > 0.

    Raises:
        ValueError: if it is not a number > 0.
    """
    return optax.clip(_positive("most", most))


def floor(least: float) -> optax.GradientTransformation:
    """Raise every entry that is smaller than some value to it, and keep its sign.

        g ← sign(g) · max(|g|, least),   and 0 stays 0

    Args:
        least: Smallest absolute value that is left as it is, > 0.

    Raises:
        ValueError: if it is not a number > 0.

    Example:
        >>> change, _ = floor(0.1).update(jnp.array([0.0, -1e-9, 0.5]), optax.EmptyState())
        >>> [round(float(c), 6) for c in change]
        [0.0, -0.1, 0.5]
    """
    _positive("least", least)

    def raise_(gradient: T) -> T:
        return jax.tree.map(
            lambda g: jnp.sign(g) * jnp.maximum(jnp.abs(g), least), gradient
        )

    return _stateless(raise_)


def _over(x: Array, top: Array) -> Array:
    """Quotient x / top; of a top of 0, x.

    By a power of two first: compilers turn a division into a product with the reciprocal,
    which is flushed to 0 for a top above 2^126.
    """
    power = jnp.where(top > 2.0**60, 2.0**-60, jnp.where(top < 2.0**-60, 2.0**60, 1))
    power = power.astype(top.dtype)
    return (x * power) / jnp.where(top > 0, top * power, 1)


def _stateless(change: Callable[[T], T]) -> optax.GradientTransformation:
    return optax.stateless(lambda gradient, _: change(gradient))


def _positive(name: str, value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"{name} must be a number > 0; got {name}={value!r}")
    return value

"""What a rule can do to a leaf: scale it, fill it, draw it anew.

All three compute in float32 or wider; the result is cast to the leaf's dtype.
"""

import zlib

import jax
import jax.numpy as jnp
from jax import core

from initjax.init.arguments import check_finite
from initjax.recipes.trees import Action
from initjax.typing import Array, DType, Initializer, Key


def scale(factor: float | Array) -> Action:
    """Multiply a leaf by a number.

    Args:
        factor: The number; may be traced.

    Raises:
        ValueError: if ``factor`` is not finite.

    Example:
        >>> scale(6**-0.5).words
        '× 0.4082'
    """
    check_finite("factor", factor)

    def change(path: str, leaf: Array) -> Array:
        del path
        wide = _wide(leaf.dtype)
        return leaf.astype(wide) * jnp.asarray(factor, wide)

    return Action(change, f"× {_shown(factor)}")


def fill(value: float | Array) -> Action:
    """Set every entry of a leaf to a number.

    Args:
        value: The number; may be traced.

    Raises:
        ValueError: if ``value`` is not finite.

    Example:
        >>> fill(0).words
        '= 0'
    """
    check_finite("value", value)
    return Action(lambda path, leaf: jnp.full_like(leaf, value), f"= {_shown(value)}")


def redraw(initializer: Initializer, key: Key) -> Action:
    """Draw a leaf anew, from a key of its own.

    The leaf's key is ``fold_in(key, crc32(path))``: leaves are independent, and
    a draw depends on the key and the path alone, not on what else is in the tree.

    Args:
        initializer: What draws, in JAX's protocol.
        key: Key for all leaves of the rule.

    Example:
        >>> from initjax import init
        >>> redraw(init.normal(0.02), jax.random.key(0)).words
        'redrawn by normal(0.02)'
    """

    def change(path: str, leaf: Array) -> Array:
        return initializer(key_of(key, path), leaf.shape, _wide(leaf.dtype))

    named = getattr(initializer, "name", getattr(initializer, "__name__", initializer))
    return Action(change, f"redrawn by {named}")


def key_of(key: Key, path: str) -> Key:
    """The key of the leaf or module at ``path``: equal for equal paths, in any tree."""
    return jax.random.fold_in(key, zlib.crc32(path.encode()))


def _wide(dtype: DType) -> DType:
    return jnp.promote_types(dtype, jnp.float32)


def _shown(number: float | Array) -> str:
    return "a traced number" if isinstance(number, core.Tracer) else f"{float(number):.4g}"

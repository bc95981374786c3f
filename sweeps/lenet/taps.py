"""Places in a network where what comes back is measured instead of kept.

The gradient of the loss with respect to a tap's slot is, by its own rule, log10 of the
root mean square of what comes back at that place. A thousand layers then cost a thousand
numbers, where probes added to the pre-activations would take a copy of every one of them.
"""

from typing import Any

import jax

from initjax.engine.statistics import log10_rms
from initjax.typing import Array


@jax.custom_vjp
def tap(z: Array, slot: Array) -> Array:
    """Returns z; the gradient with respect to the slot is log10 √(mean (∂L/∂z)²).

    Args:
        z: What passes.
        slot: A scalar of any value, used by this tap alone.

    Example:
        >>> import jax.numpy as jnp
        >>> up = lambda slot: 0.01 * jnp.sum(tap(jnp.ones(3), slot))
        >>> round(float(jax.grad(up)(0.0)), 6)
        -2.0
    """
    return z


def _forward(z: Array, slot: Array) -> tuple[Array, None]:
    return z, None


def _backward(_: None, back: Array) -> tuple[Any, Any]:
    return back, log10_rms(back)


tap.defvjp(_forward, _backward)

"""Places in a network where what comes back is measured instead of kept.

The gradient of the loss with respect to a tap's slot is, by its own rule, a statistic of
what comes back at that place. A thousand layers then cost a thousand times two numbers,
where probes added to the pre-activations would take a copy of every one of them.
"""

from typing import Any

import jax

from initjax.probes.statistics import size
from initjax.typing import Array

SLOT = 2
"""Numbers of a slot: those of ``statistics.size``."""


@jax.custom_vjp
def tap(x: Array, slot: Array) -> Array:
    """Returns x; the gradient with respect to the slot tells what comes back.

        ∂L/∂slot := (max |∂L/∂x|, mean of its squares after scaling)

    Args:
        x: What passes, real.
        slot: [2] of any values, used by this tap alone.

    Example:
        >>> import jax.numpy as jnp
        >>> up = lambda slot: 0.25 * jnp.sum(tap(jnp.ones(3), slot))
        >>> jax.grad(up)(jnp.zeros(2)).tolist()
        [0.25, 1.0]
    """
    return x


def _forward(x: Array, slot: Array) -> tuple[Array, None]:
    return x, None


def _backward(_: None, back: Array) -> tuple[Any, Any]:
    return back, size(back)


tap.defvjp(_forward, _backward)

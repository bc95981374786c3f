"""Places in a network where what comes back is measured instead of kept.

The gradient of the loss with respect to a tap's slot is, by its own rule, a statistic of
what comes back at that place. A thousand layers then cost a thousand times a few numbers,
where probes added to the pre-activations would take a copy of every one of them.
"""

from collections.abc import Callable
from typing import Any

import jax

from initjax.probes.statistics import size
from initjax.typing import Array


def tap_of(statistic: Callable[[Array], Array]) -> Callable[[Array, Array], Array]:
    """A function (x, slot) ↦ x whose slot tells a statistic of what comes back.

        ∂L/∂slot := statistic(∂L/∂x)

    Args:
        statistic: Of an array like x, to an array like the slot.

    Returns:
        The tap; a slot may hold any values and is used by one tap alone.

    Example:
        >>> import jax.numpy as jnp
        >>> tap = tap_of(jnp.max)
        >>> up = lambda slot: 0.25 * jnp.sum(tap(jnp.ones(3), slot))
        >>> float(jax.grad(up)(0.0))
        0.25
    """

    @jax.custom_vjp
    def tap(x: Array, slot: Array) -> Array:
        return x

    def forward(x: Array, slot: Array) -> tuple[Array, None]:
        return x, None

    def backward(_: None, back: Array) -> tuple[Any, Any]:
        return back, statistic(back)

    tap.defvjp(forward, backward)
    return tap


SLOT = 2
"""Numbers of a slot of ``tap``: those of ``statistics.size``."""

tap = tap_of(size)
"""Tells the largest |∂L/∂x|, and the mean of its squares after scaling."""

"""The training loop of every sweep: a scan over records, a loop over steps between them.

What is compiled grows neither with the steps nor with the records: both numbers of steps
and their distances are data.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

from initjax.typing import Array, HostArray

P = TypeVar("P")
R = TypeVar("R")


class Course(NamedTuple, Generic[P, R]):
    """What training leaves of a network.

    Attributes:
        last: Its parameters after the last step.
        losses: [step] loss before each step.
        records: What was watched, stacked along a first axis.
    """

    last: P
    losses: Array
    records: R


class Recipe(NamedTuple, Generic[P, R]):
    """How a network is trained and what is written down of it.

    Attributes:
        loss: From parameters and the number of the step to a scalar; it chooses the
            examples of the step itself.
        optimizer: Transformation of gradients into changes of the parameters.
        watch: From parameters to what a record holds.
    """

    loss: Callable[[P, Array], Array]
    optimizer: optax.GradientTransformation
    watch: Callable[[P], R]


def descend(recipe: Recipe[P, R], start: P, at: Array, steps: int) -> Course[P, R]:
    """Train one network; to be traced under jit, and vmap for many.

        θ ← θ + optimizer(∂L/∂θ)

    Args:
        recipe: Loss, optimizer and what is watched.
        start: Parameters θ before the first step.
        at: Steps after which a record is made, ascending; the last is ``steps``.
            Shared by the networks of a vmap, so that one loop serves all.
        steps: Of the whole run.
    """

    def step(i: Array, state: tuple[P, optax.OptState, Array]) -> Any:
        now, memory, losses = state
        value, gradient = jax.value_and_grad(recipe.loss)(now, i)
        change, memory = recipe.optimizer.update(gradient, memory, now)
        return optax.apply_updates(now, change), memory, losses.at[i].set(value)

    def stretch(state: Any, ends: tuple[Array, Array]) -> tuple[Any, R]:
        state = jax.lax.fori_loop(*ends, step, state)
        return state, recipe.watch(state[0])

    at = jnp.asarray(at, jnp.int32)
    ends = jnp.concatenate([jnp.zeros(1, at.dtype), at[:-1]]), at
    state = start, recipe.optimizer.init(start), jnp.zeros(steps)
    (last, _, losses), records = jax.lax.scan(stretch, state, ends)
    return Course(last, losses, records)


def log_spaced(steps: int, most: int) -> HostArray:
    """Numbers of steps to make a record at: 0, then log-spaced up to the last.

    Args:
        steps: Of the whole run, ≥ 1.
        most: Records at most, ≥ 2; of a short run each step is one.

    Example:
        >>> log_spaced(1000, 8).tolist()
        [0, 1, 3, 10, 32, 100, 316, 1000]
        >>> log_spaced(3, 8).tolist()
        [0, 1, 2, 3]
    """
    spaced = np.geomspace(1, steps, most - 1) if most > 2 else np.array([steps])
    found = np.unique([0, *np.rint(spaced).astype(int), steps])
    return found.astype(np.int32)

"""A few small steps ahead: what moves once gradients have passed kernels of zeros.

Behind a kernel of zeros the gradient is exactly 0 at first: Fixup, ReZero and zero-started
readouts are so on purpose, and move after one step a zero. A network of equal units never
parts them.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax.probes.networks import Network
from initjax.probes.programs import Loss, random_signs
from initjax.probes.trace import Trace
from initjax.probes.values import floating
from initjax.typing import Array, Key

_STEP = 0.01
"""Largest change of an entry, in units of the size that a kernel of such a fan-in has."""


def asleep(trace: Trace) -> int:
    """How many parameters that some layer reads have no gradient at all."""
    unread = {unseen.path for unseen in trace.unseen}
    slopes = trace.parameter_values["grad_log10_norm"]
    silent = np.flatnonzero(np.isneginf(slopes).all(axis=0))
    return sum(trace.parameters[i].path not in unread for i in silent)


def stepping(network: Network, loss: Loss | None) -> Callable[[Any, Key, Any], Any]:
    """One step down the gradient: (variables, key, arrays of the batch) to variables.

    Every leaf moves by the same share of its natural size, whatever the size of its
    gradient: nothing is rounded away, and equal units stay equal.

    Args:
        network: The model.
        loss: Of the outputs; None for that of the probe.
    """
    scored = random_signs if loss is None else loss

    def step(variables: Any, key: Key, arrays: Any) -> Any:
        def of_params(params: Any) -> Any:
            outputs = network.apply(_with(variables, params), key, arrays)
            return jnp.real(scored(outputs))

        params = _params(variables)
        slope = jax.grad(of_params, allow_int=True)(params)
        return _with(variables, jax.tree.map(_moved, params, slope))

    return jax.jit(step)


def _params(variables: Any) -> Any:
    return variables["params"] if _has_params(variables) else variables


def _with(variables: Any, params: Any) -> Any:
    return {**variables, "params": params} if _has_params(variables) else params


def _has_params(variables: Any) -> bool:
    return isinstance(variables, dict) and "params" in variables


def _moved(leaf: Array, slope: Array) -> Array:
    """The leaf, ``_STEP`` sizes down its gradient."""
    if not floating(leaf):
        return leaf
    wide = slope.astype(jnp.float32)
    top = jnp.max(jnp.abs(wide), initial=0.0)
    fan_in = leaf.size // leaf.shape[-1] if leaf.ndim > 1 else 1
    change = _STEP / np.sqrt(max(fan_in, 1)) * wide / jnp.where(top > 0, top, 1)
    return (leaf.astype(jnp.float32) - change).astype(leaf.dtype)

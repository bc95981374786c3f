"""A JAX activation as float64 NumPy functions on the host."""

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import NamedActivation, value_and_derivative
from initjax.typing import Array, HostArray

HostFunction = Callable[[HostArray], HostArray]

_LENGTH = 16384  # the one size that is compiled; all others are padded to rows of it


@lru_cache(maxsize=256)
def on_host(activation: NamedActivation, order: int = 0) -> HostFunction:
    """φ (order 0) or φ′ (order 1) as a float64 NumPy function.

    Raises:
        TypeError: if JAX cannot trace the activation.
        ValueError: if the activation is not elementwise.
    """
    # A search for unknown kinks compiles both: φ alone would be compiled in vain.
    alone = order == 0 and activation.kinks is not None
    together = _value(activation) if alone else value_and_slope(activation)
    return lambda x: together(x)[order]


@lru_cache(maxsize=256)
def _value(activation: NamedActivation) -> HostFunction:
    """φ as [1, …]."""
    return _evaluator(activation, lambda x: (activation.function(x),))


@lru_cache(maxsize=256)
def value_and_slope(activation: NamedActivation) -> HostFunction:
    """φ and φ′ as [2, …]."""
    return _evaluator(activation, partial(value_and_derivative, activation.function))


def _evaluator(
    activation: NamedActivation, function: Callable[[Array], tuple[Array, ...]]
) -> HostFunction:
    traced = jax.jit(function)

    def evaluate(x: HostArray) -> HostArray:
        rows = np.resize(x, (max(1, -(-x.size // _LENGTH)), _LENGTH))
        with jax.ensure_compile_time_eval(), jax.enable_x64(True):
            found = [np.stack(traced(row)) for row in rows]
        values = np.concatenate(found, axis=1, dtype=np.float64)
        return values[:, : x.size].reshape(len(values), *x.shape)

    x = 3 * np.sin(np.arange(1.0, 8.0))
    try:
        with jax.enable_x64(True):
            out = jax.eval_shape(traced, jax.ShapeDtypeStruct(x.shape, jnp.float64))
        elementwise = {array.shape for array in out} == {x.shape} and np.allclose(
            evaluate(x).T,
            [evaluate(np.full_like(x, entry))[:, 0] for entry in x],
            rtol=1e-10,
            equal_nan=True,
        )
    except Exception as error:  # whatever a user's function raises while traced
        cause = str(error).partition("\n")[0]
        raise TypeError(
            f"activation {activation.name!r} cannot be traced and differentiated by "
            "JAX in float64; write it with jax.numpy, its constants as jax arrays "
            f"({type(error).__name__}: {cause})"
        ) from error
    if not elementwise:
        raise ValueError(
            f"activation {activation.name!r} is not elementwise: its value at one "
            "entry depends on the others. Give a scalar nonlinearity"
        )
    return evaluate

"""The general path: any Flax block of constant shape, as a pure init/apply pair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

from initjax.activations import NamedActivation
from initjax.engine.statistics import (
    Forward,
    forward_statistics,
    largest,
    log10_rms,
    lost_in_underflow,
)
from initjax.typing import Array, Key, Params


@dataclass(frozen=True)
class Block:
    """A layer h ↦ z without state: parameters from a key, values from parameters.

    Attributes:
        init: (key, h) to parameters.
        apply: (parameters, h) to z, axis 0 over inputs.
    """

    init: Callable[[Key, Array], Params]
    apply: Callable[[Params, Array], Array]


def from_linen(module: nn.Module) -> Block:
    """A linen module whose variables are parameters only, as a block.

    Example:
        >>> block = from_linen(nn.Dense(3))
        >>> params = block.init(jax.random.key(0), jnp.ones((2, 4)))
        >>> block.apply(params, jnp.ones((2, 4))).shape
        (2, 3)
    """
    # Bound methods compare by their module: equal modules share one compilation.
    return Block(module.init, cast(Callable[[Params, Array], Array], module.apply))


def from_nnx(make: Callable[[int, nnx.Rngs], nnx.Module]) -> Block:
    """An nnx module whose state is parameters only, as a block.

    Args:
        make: (features of the input, rngs) to the module.

    Example:
        >>> block = from_nnx(lambda fan_in, rngs: nnx.Linear(fan_in, 3, rngs=rngs))
        >>> params = block.init(jax.random.key(0), jnp.ones((2, 4)))
        >>> block.apply(params, jnp.ones((2, 4))).shape
        (2, 3)
    """

    def build(key: Key, features: int) -> tuple[nnx.GraphDef, Params]:
        return nnx.split(make(features, nnx.Rngs(key)))

    def init(key: Key, h: Array) -> Params:
        return nnx.to_pure_dict(build(key, h.shape[-1])[1])

    def apply(params: Params, h: Array) -> Array:
        graph, state = nnx.split(nnx.eval_shape(lambda: make(h.shape[-1], nnx.Rngs(0))))
        nnx.replace_by_pure_dict(state, params)
        return nnx.merge(graph, state)(h)

    return Block(init, apply)


@dataclass(frozen=True)
class BlockLayer:
    """A block and the activation after it, for one network.

    Attributes:
        block: The layer.
        activation: φ after the layer.
    """

    block: Block
    activation: NamedActivation

    def forward(self, params: Params, h: Array) -> Array:
        """Pre-activations of the inputs h."""
        return self.block.apply(params, h)

    def keep(self, h: Array) -> Array:
        """The inputs themselves."""
        return h

    def pull(self, params: Params, kept: Array, delta: Array) -> Array:
        """∂L/∂h [K, B, ...]."""
        _, pullback = jax.vjp(lambda h: self.block.apply(params, h), kept)
        return jax.vmap(pullback)(delta)[0]

    def norms(self, params: Params, kept: Array, delta: Array) -> tuple[Array, Array]:
        """log10 of √(mean δ²), and of ‖∂L/∂W‖ over all weights together, [K]."""
        _, pullback = jax.vjp(lambda params: self.block.apply(params, kept), params)
        norm = jax.vmap(_log10_weight_norm)(jax.vmap(pullback)(delta)[0])
        return jax.vmap(log10_rms)(delta), norm

    def observe(
        self, params: Params, h: Array, z: Array, out: Array, flat: Array
    ) -> Forward:
        """Forward statistics, scalars."""
        sizes = jnp.stack([largest(leaf) for leaf in _weights(params)])
        underflow = jnp.any(sizes > 0) & (largest(h) > 0)
        return forward_statistics(z, out, flat, underflow)

    def lost(self, g: Array, slope: Array, delta: Array, below: Array) -> Array:
        """Whether the gradient is lost, [K]."""
        lost = jax.vmap(lost_in_underflow, in_axes=(0, None, 0, 0))
        return lost(g, slope, delta, below)


def _weights(params: Params) -> list[Array]:
    """Parameters of two or more axes, kernels; all if a block has none of these."""
    leaves = jax.tree.leaves(params)
    if not leaves:
        raise ValueError("block has no parameters, so its weight gradient has no norm")
    return [leaf for leaf in leaves if leaf.ndim >= 2] or leaves


def _log10_weight_norm(gradients: Params) -> Array:
    """log10 of the joint L2 norm of all weights, each scaled before squaring."""
    logs = jnp.stack(
        [log10_rms(leaf) + jnp.log10(leaf.size) / 2 for leaf in _weights(gradients)]
    )
    top = jnp.max(logs)
    shift = jnp.where(jnp.isfinite(top), top, 0)
    return shift + jnp.log10(jnp.sum(10 ** (2 * (logs - shift)))) / 2

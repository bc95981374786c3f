"""The fast path: chains of Dense and activation, many schemes on one draw.

The S schemes are grouped by the base that they scale. Layer ℓ of all schemes of
a base is one matrix product of S·B rows with one draw, since
h (s·W) = (s·h) W; and a weight-gradient norm needs only inner products.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from initjax.activations import NamedActivation
from initjax.engine.draws import unit_draw
from initjax.engine.statistics import (
    Forward,
    Incoming,
    delta_norms,
    forward_statistics,
    incoming,
    largest,
    lost_in_underflow,
)
from initjax.init.bases import BASES
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Array

Sizes: TypeAlias = tuple[tuple[str, int], ...]
"""(base, number of its schemes) in the order of the S axis."""

Activations: TypeAlias = tuple[NamedActivation, ...]


class Choice(NamedTuple):
    """One of several activations, chosen when the program runs.

    Attributes:
        which: Its position among them.
        steepest: Its sup |φ′|.
    """

    which: Array
    steepest: Array

    def among(self, activations: Activations) -> NamedActivation:
        """The chosen one; a single one is taken without a branch."""
        if len(activations) == 1:
            return activations[0]
        branches = [activation.function for activation in activations]
        return NamedActivation(
            "chosen", lambda x: jax.lax.switch(self.which, branches, x), None
        )


class Scaled(NamedTuple):
    """Kernels of one layer for S schemes: scale[s] · draws[base of s].

    Attributes:
        draws: Base draw [fan_in, fan_out] of each base in use, by name; or its key,
            for a square layer that is drawn at each use.
        scales: [S] scale of each scheme at this layer's shape.
    """

    draws: dict[str, Array]
    scales: Array

    def kernels(self, width: int) -> dict[str, Array]:
        """The draws, those given by their keys made [width, width]."""

        def drawn(base: str, draw: Array) -> Array:
            is_key = not jnp.issubdtype(draw.dtype, jnp.floating)
            return unit_draw(base, draw, width, width) if is_key else draw

        return {base: drawn(base, draw) for base, draw in self.draws.items()}


@dataclass(frozen=True)
class ChainLayer:
    """A Dense layer without bias in S schemes at once, stacked by base.

    Attributes:
        sizes: How many schemes scale each base.
        activation: φ after the layer.
    """

    sizes: Sizes
    activation: NamedActivation

    def _apply(self, kernels: dict[str, Array], rows: Array, axis: int) -> Array:
        """Rows [..., S, B, m] times each scheme's kernel; ``axis`` -3 holds S."""
        parts, start = [], 0
        for base, size in self.sizes:
            part = jax.lax.slice_in_dim(rows, start, start + size, axis=axis)
            parts.append(jnp.matmul(part, kernels[base], precision="highest"))
            start += size
        return jnp.concatenate(parts, axis=axis)

    def forward(self, params: Scaled, h: Array) -> Array:
        """Z [S, B, n] of h [S, B, m], or of inputs [B, m] that all schemes share."""
        scaled = params.scales[:, None, None] * h
        return self._apply(params.kernels(h.shape[-1]), scaled, 0)

    def keep(self, h: Array) -> Incoming:
        """Inner products of the inputs, one set per scheme or one for all."""
        return jax.vmap(incoming)(h) if h.ndim == 3 else incoming(h)

    def pull(self, params: Scaled, kept: Incoming, delta: Array) -> Array:
        """∂L/∂h [K, S, B, m]."""
        del kept
        scaled = params.scales[:, None, None] * delta
        kernels = params.kernels(delta.shape[-1])
        transposed = {base: kernel.T for base, kernel in kernels.items()}
        return self._apply(transposed, scaled, 1)

    def norms(
        self, params: Scaled | None, kept: Incoming, delta: Array
    ) -> tuple[Array, Array]:
        """log10 of √(mean δ²) and of ‖hᵀδ‖, [K, S], without the gradient itself."""
        del params
        shared = None if kept.around.ndim == 2 else 0
        one = jax.vmap(delta_norms, in_axes=(shared, 0))
        return jax.vmap(one, in_axes=(None, 0))(kept, delta)

    def observe(
        self, params: Scaled, h: Array, z: Array, out: Array, flat: Array
    ) -> Forward:
        """Forward statistics, [S] each."""
        arriving = jax.vmap(largest)(h) if h.ndim == 3 else largest(h)
        underflow = (params.scales != 0) & (arriving > 0)
        return jax.vmap(forward_statistics)(z, out, flat, underflow)

    def lost(self, g: Array, slope: Array, delta: Array, below: Array) -> Array:
        """Whether the gradient is lost, [K, S]."""
        lost = jax.vmap(jax.vmap(lost_in_underflow), in_axes=(0, None, 0, 0))
        return lost(g, slope, delta, below)


def stack_order(schemes: Sequence[ScaledInitializer]) -> tuple[int, ...]:
    """Positions of the schemes sorted by base, stably."""
    bases = list(BASES)
    return tuple(sorted(range(len(schemes)), key=lambda i: bases.index(schemes[i].base)))

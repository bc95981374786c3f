"""One forward pass for all depths, one reverse pass for all their gradients.

A network of depth d is the first d layers of the deepest one, followed by the
readout. The cotangents of all depths ride down together: the reverse scan is cut
at the depths, so that each segment carries only the networks that reach it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp

from initjax.activations import NamedActivation, derivative
from initjax.engine.statistics import Backward, Forward
from initjax.typing import Array, Params


class Layer(Protocol):
    """A kind of layer h ↦ z, over one network or a stack of them."""

    @property
    def activation(self) -> NamedActivation:
        """φ after the layer."""
        ...

    def forward(self, params: Params, h: Array) -> Array:
        """Pre-activations z of the inputs h."""
        ...

    def keep(self, h: Array) -> Any:
        """What the reverse pass needs of the inputs h."""
        ...

    def pull(self, params: Params, kept: Any, delta: Array) -> Array:
        """∂L/∂h for each of the K cotangents ∂L/∂z in ``delta``."""
        ...

    def weight_norm(self, params: Params, kept: Any, delta: Array) -> Array:
        """log10 ‖∂L/∂W‖ for each of the K cotangents in ``delta``."""
        ...

    def observe(
        self, params: Params, h: Array, z: Array, out: Array, steepest: Array
    ) -> Forward:
        """Forward statistics of the layer with inputs h, z, and out = φ(z)."""
        ...

    def observe_delta(
        self, g: Array, slope: Array, delta: Array, below: Array, norm: Array
    ) -> Backward:
        """Backward statistics from ∂L/∂h, φ′(z), ∂L/∂z, the next ∂L/∂h, and the norm."""
        ...


class Network(NamedTuple):
    """Networks of every depth, hidden layers stacked on axis 0.

    Attributes:
        first: Parameters of layer 0, as far as ``weight_norm`` needs them.
        entry: What ``advance`` returns for layer 0.
        hidden: Parameters of layers 1 … D-1, and of deeper ones that are not used.
        readout: Parameters of the readout.
        labels: Integer class of each input.
    """

    first: Params
    entry: tuple[Array, Any, Forward]
    hidden: Params
    readout: Params
    labels: Array


def advance(
    layer: Layer, params: Params, h: Array, steepest: Array
) -> tuple[Array, Any, Forward]:
    """Pre-activations, what the reverse pass needs, and statistics of one layer."""
    z = layer.forward(params, h)
    out = layer.activation.function(z)
    return z, layer.keep(h), layer.observe(params, h, z, out, steepest)


def measure_network(
    layer: Layer,
    readout: Layer,
    network: Network,
    depths: tuple[int, ...],
    steepest: Array,
) -> tuple[Forward, Backward]:
    """Statistics of every layer of the networks of all depths.

    Layer 0 comes in as values, so that one compilation serves inputs of any size.

    Returns:
        Forward statistics with axis 0 over the D layers of the deepest network,
        and backward statistics with axes [K, D] over depths and layers, nan (or
        False) at layers that a depth does not have.
    """
    phi = layer.activation.function
    z, kept, observed = network.entry

    def step(z: Array, params: Params) -> tuple[Array, tuple[Array, Any, Forward]]:
        seen = advance(layer, params, phi(z), steepest)
        return seen[0], seen

    inner = range(depths[-1] - 1)
    _, (zs, kepts, observeds) = _scan(step, z, network.hidden, inner)
    forward = jax.tree.map(
        lambda first, rest: jnp.concatenate([first[None], rest]), observed, observeds
    )

    def retreat(g: Array, at: tuple[Params, Array, Any]) -> tuple[Array, Backward]:
        params, z, kept = at
        slope = derivative(phi, z)
        delta = g * slope
        below = layer.pull(params, kept, delta)
        norm = layer.weight_norm(params, kept, delta)
        return below, layer.observe_delta(g, slope, delta, below, norm)

    segments: list[Backward] = []
    g = jnp.zeros((0, *z.shape), z.dtype)
    for lower, depth in reversed(list(zip((1, *depths), depths, strict=False))):
        h = phi(z if depth == 1 else zs[depth - 2])
        top = _loss_cotangent(readout, network.readout, h, network.labels)
        g = jnp.concatenate([top, g])
        stacked = (network.hidden, zs, kepts)
        g, seen = _scan(retreat, g, stacked, range(lower - 1, depth - 1), reverse=True)
        segments.append(seen)
    slope = derivative(phi, z)
    delta = g * slope
    norm = layer.weight_norm(network.first, kept, delta)
    last = layer.observe_delta(g, slope, delta, delta, norm)
    segments.append(jax.tree.map(lambda a: a[None], last))
    return forward, _assemble(segments, len(depths), forward.finite.shape[0])


def _scan(
    step: Callable[[Array, Any], tuple[Array, Any]],
    carry: Array,
    stacked: Any,
    window: range,
    reverse: bool = False,
) -> tuple[Array, Any]:
    """Scan over some of the stacked layers, without the copy that a slice would be."""
    if not window:  # there may be no layer to index
        return jax.lax.scan(step, carry, jax.tree.map(lambda a: a[:0], stacked))

    def at(carry: Array, index: Array) -> tuple[Array, Any]:
        return step(carry, jax.tree.map(lambda a: a[index], stacked))

    return jax.lax.scan(at, carry, jnp.arange(window.start, window.stop), reverse=reverse)


def _loss_cotangent(layer: Layer, readout: Params, h: Array, labels: Array) -> Array:
    """∂L/∂h of the mean cross-entropy after the readout, with a K axis of one."""
    logits = layer.forward(readout, h)
    wanted = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    delta = (jax.nn.softmax(logits) - wanted) / labels.shape[0]
    return layer.pull(readout, layer.keep(h), delta[None])


def _assemble(segments: list[Backward], depths: int, layers: int) -> Backward:
    """Segments from the top down, the deepest networks last, to [K, D, ...]."""

    def place(*pieces: Array) -> Array:
        missing = False if pieces[0].dtype == bool else jnp.nan
        full = jnp.full((depths, layers, *pieces[0].shape[2:]), missing)
        end = layers
        for piece in pieces:
            rows, present = piece.shape[:2]
            moved = jnp.moveaxis(piece, 1, 0)
            full = full.at[depths - present :, end - rows : end].set(moved)
            end -= rows
        return full

    return jax.tree.map(place, *segments)

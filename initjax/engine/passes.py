"""One forward pass for all depths, one reverse pass for all their gradients.

A network of depth d is the first d layers of the deepest one, followed by the
readout. The cotangents of all depths ride down together: the reverse scan is cut
at the depths, so that each segment carries only the networks that reach it.
"""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import NamedActivation, value_and_derivative
from initjax.engine.statistics import SATURATION, Backward, Forward
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

    def norms(self, params: Params, kept: Any, delta: Array) -> tuple[Array, Array]:
        """log10 of √(mean δ²) and of ‖∂L/∂W‖ for each of the K cotangents δ."""
        ...

    def observe(
        self, params: Params, h: Array, z: Array, out: Array, flat: Array
    ) -> Forward:
        """Forward statistics from inputs h, z, out = φ(z), and which units saturate."""
        ...

    def lost(self, g: Array, slope: Array, delta: Array, below: Array) -> Array:
        """Whether a gradient ∂L/∂h, φ′(z), ∂L/∂z, the next ∂L/∂h was lost on its way."""
        ...


class Passed(NamedTuple):
    """What one layer leaves behind on the way forward.

    Attributes:
        out: Activations h = φ(z).
        slope: φ′(z), which is all that the reverse pass needs of z.
        kept: What it needs of the layer's inputs.
        seen: Forward statistics.
    """

    out: Array
    slope: Array
    kept: Any
    seen: Forward


class Network(NamedTuple):
    """Networks of every depth, hidden layers stacked on axis 0.

    Attributes:
        first: Parameters of layer 0, as far as ``norms`` needs them.
        entry: What ``advance`` returns for layer 0.
        hidden: Parameters of layers 1 … D-1, and of deeper ones that are not used.
        readout: Parameters of the readout.
        labels: Integer class of each input.
    """

    first: Params
    entry: Passed
    hidden: Params
    readout: Params
    labels: Array


class Pieces(NamedTuple):
    """Statistics of all layers and depths as the passes make them.

    The host puts them together: each copy that a program made of them would be one
    more to compile.

    Attributes:
        forward: Of layer 0, and of layers [1 … D-1].
        backward: From the top down, of the layers between two depths and of layer 0,
            [layer, network] over the networks that are as deep, the deepest last.
    """

    forward: tuple[Forward, Forward]
    backward: tuple[Backward, ...]


def advance(layer: Layer, params: Params, h: Array, steepest: Array) -> Passed:
    """One layer forward; ``steepest`` is sup |φ′|."""
    z = layer.forward(params, h)
    out, slope = value_and_derivative(layer.activation.function, z)
    flat = jnp.abs(slope) < SATURATION * steepest
    seen = layer.observe(params, h, z, out, flat)
    return Passed(out, slope, layer.keep(h), seen)


def measure_network(
    layer: Layer,
    readout: Layer,
    network: Network,
    depths: tuple[int, ...],
    steepest: Array,
) -> Pieces:
    """Statistics of every layer of the networks of all depths.

    Layer 0 comes in as values, so that one compilation serves inputs of any size.
    """
    entry = network.entry
    tops, slots = _places(entry.out, depths)

    def step(
        carry: tuple[Array, Array], at: tuple[Params, Array]
    ) -> tuple[tuple[Array, Array], tuple[Array, Any, Forward]]:
        (h, tops), (params, slot) = carry, at
        passed = advance(layer, params, h, steepest)
        tops = jax.lax.dynamic_update_index_in_dim(tops, passed.out, slot, 0)
        return (passed.out, tops), passed[1:]

    inner = range(depths[-1] - 1)
    stacked = (network.hidden, slots)
    (_, tops), (slopes, kepts, seen) = _scan(step, (entry.out, tops), stacked, inner)

    def retreat(g: Array, at: tuple[Params, Array, Any]) -> tuple[Array, Backward]:
        params, slope, kept = at
        delta = g * slope
        below = layer.pull(params, kept, delta)
        norms = layer.norms(params, kept, delta)
        return below, Backward(*norms, layer.lost(g, slope, delta, below))

    arriving = jax.vmap(partial(_loss_cotangent, readout, network.readout, network.labels))
    starts = arriving(tops[: len(depths)])
    pieces: list[Backward] = []
    g = starts[:0]
    for k, (lower, depth) in reversed(list(enumerate(itertools.pairwise((1, *depths))))):
        g = jnp.concatenate([starts[k : k + 1], g])
        window = range(lower - 1, depth - 1)
        g, back = _scan(retreat, g, (network.hidden, slopes, kepts), window, reverse=True)
        pieces.append(back)
    delta = g * entry.slope
    norms = layer.norms(network.first, entry.kept, delta)
    last = Backward(*norms, layer.lost(g, entry.slope, delta, delta))
    pieces.append(jax.tree.map(lambda a: a[None], last))
    return Pieces((entry.seen, seen), tuple(pieces))


def _places(h: Array, depths: tuple[int, ...]) -> tuple[Array, Array]:
    """Room for the last activations of each depth, and the place of each layer's.

    Those of a layer at which no network ends go to a place after the others.
    """
    spare = len(depths)
    slots = np.full(depths[-1], spare, np.int32)
    slots[np.asarray(depths) - 1] = np.arange(spare)
    tops = jnp.zeros((spare + 1, *h.shape), h.dtype).at[slots[0]].set(h)
    return tops, jnp.asarray(slots[1:])


def _scan(
    step: Callable[[Any, Any], tuple[Any, Any]],
    carry: Any,
    stacked: Any,
    window: range,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Scan over some of the stacked layers, without the copy that a slice would be."""
    if not window:  # there may be no layer to index
        return jax.lax.scan(step, carry, jax.tree.map(lambda a: a[:0], stacked))

    def at(carry: Any, index: Array) -> tuple[Any, Any]:
        return step(carry, jax.tree.map(lambda a: a[index], stacked))

    return jax.lax.scan(at, carry, jnp.arange(window.start, window.stop), reverse=reverse)


def _loss_cotangent(layer: Layer, readout: Params, labels: Array, h: Array) -> Array:
    """∂L/∂h of the mean cross-entropy after the readout."""
    logits = layer.forward(readout, h)
    wanted = jax.nn.one_hot(labels, logits.shape[-1], dtype=logits.dtype)
    delta = (jax.nn.softmax(logits) - wanted) / labels.shape[0]
    return layer.pull(readout, layer.keep(h), delta[None])[0]

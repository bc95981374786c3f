"""What goes up and what comes back in small networks on two moons, layer by layer."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from initjax.engine.statistics import log10_rms
from initjax.typing import Activation, Array, HostArray
from sweeps.data.moons import Points
from sweeps.moons.training import loss
from sweeps.training.networks import Dense, Network


class Signals(NamedTuple):
    """log10 of scales, each [layer], of layers 1 … D + 1, the last of which reads out.

    Attributes:
        act: Root mean square of the layer's outputs h over points and units; of the
            readout, of the logits.
        spread: Standard deviation of a unit's h over the points, root mean square over
            units: what the layer still tells of its input.
        delta: Root mean square over points and units of ∂(loss of one point)/∂z.
        weight_grad: L2 norm of ∂L/∂W, with L the mean loss.
        bias_grad: L2 norm of ∂L/∂b.
    """

    act: Array
    spread: Array
    delta: Array
    weight_grad: Array
    bias_grad: Array


def gradient_norms(
    network: Network, points: Points, activation: Activation
) -> tuple[Array, Array]:
    """log10 of the L2 norms of ∂L/∂W and of ∂L/∂b, of layers 1 … D + 1.

    Args:
        network: Of D hidden layers and one output.
        points: Those that the loss L is the mean over.
        activation: φ after each hidden layer.

    Returns:
        Weights [layer] and biases [layer]; -inf for a gradient of exactly 0. Neither
        leaves the range of float32 before the gradient itself does.
    """
    gradient: Network = jax.grad(loss)(network, points, activation)
    return (
        _by_layer(_log10_norm, *(layer.kernel for layer in gradient)),
        _by_layer(_log10_norm, *(layer.bias for layer in gradient)),
    )


def signals(network: Network, points: Points, activation: Activation) -> Signals:
    """Scales of what goes up and of what comes back.

    Args:
        network: Of D hidden layers and one output.
        points: Those that the loss is the mean over.
        activation: φ after each hidden layer.
    """
    up = _outputs(network, points, activation)
    # With a bias of its own for each point, ∂L/∂b is ∂L/∂z.
    count = len(points.labels)
    own = Network(*(_by_point(layer, count) for layer in network))
    gradient = jax.grad(loss)(own, points, activation)
    deltas = [layer.bias for layer in gradient]
    return Signals(
        _by_layer(log10_rms, *up),
        _by_layer(lambda h: log10_rms(h - h.mean(0)), *up),
        _by_layer(log10_rms, *deltas) + jnp.log10(count),
        _by_layer(_log10_norm, *(layer.kernel for layer in gradient)),
        _by_layer(lambda delta: _log10_norm(delta.sum(0)), *deltas),
    )


def _outputs(
    network: Network, points: Points, activation: Activation
) -> tuple[Array, Array, Array]:
    """What each layer hands on, [point, unit]; of the hidden ones, stacked."""

    def layer(h: Array, dense: Dense) -> tuple[Array, Array]:
        h = activation(h @ dense.kernel + dense.bias)
        return h, h

    first, _ = layer(jnp.asarray(points.inputs), network.entry)
    last, between = jax.lax.scan(layer, first, network.hidden)
    return first, between, last @ network.readout.kernel + network.readout.bias


def _by_point(dense: Dense, count: int) -> Dense:
    """The same layer, or stack of layers, with its bias repeated for each point."""
    return Dense(dense.kernel, jnp.repeat(dense.bias[..., None, :], count, -2))


def _by_layer(statistic: Callable[[Array], Array], *parts: Array | HostArray) -> Array:
    """A statistic of the first layer, of each of a stack, and of the last, [layer]."""
    entry, hidden, readout = map(jnp.asarray, parts)
    first, last = statistic(entry)[None], statistic(readout)[None]
    return jnp.concatenate([first, jax.vmap(statistic)(hidden), last])


def _log10_norm(x: Array) -> Array:
    """log10 √Σx²."""
    return log10_rms(x) + jnp.log10(x.size) / 2

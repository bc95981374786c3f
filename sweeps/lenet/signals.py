"""What goes up and what comes back in a network, layer by layer, as logarithms.

Layers count from the input: two convolutions, two of each module, three dense ones. In a
plain network whose activations grow, weight gradients need not grow towards the input, for
they are products of what goes up and what comes back: hence all three side by side.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from initjax.engine.statistics import log10_rms
from initjax.typing import Array, HostArray
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.each import by_modules, over
from sweeps.lenet.networks import ByLayer, LeNet, passed


class Signals(NamedTuple):
    """log10 of scales, each [layer]; -inf is exactly 0, nan a module that is not there.

    Attributes:
        act: Root mean square of what a layer hands on, before pooling; of the last one,
            of the logits.
        delta: Root mean square of ∂L/∂z over images and units, with L the mean loss and z
            what the layer's activation reads: after a shortcut, the sum.
        weight_grad: L2 norm of ∂L/∂W.
        weight: L2 norm of W.
    """

    act: Array
    delta: Array
    weight_grad: Array
    weight: Array


def present(modules: Array | int, stack: int) -> Array:
    """Which layers of the records are there: all but those of modules after the N-th.

    Args:
        modules: N.
        stack: Modules that the network has room for.

    Example:
        >>> present(1, 2).astype(int).tolist()
        [1, 1, 1, 1, 0, 0, 1, 1, 1]
    """
    between = jnp.repeat(jnp.arange(stack) < modules, 2)
    return jnp.concatenate([jnp.full(2, True), between, jnp.full(3, True)])


def cross_entropy(outputs: Array, labels: Array) -> Array:
    """Mean over the images, in nats."""
    each = optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
    return each.mean()


def signals(
    network: LeNet,
    images: Array,
    labels: Array,
    modules: Array | int,
    architecture: Architecture,
) -> Signals:
    """Scales of one network on one batch; to be traced under jit.

    None of them leaves the range of float32 before the values themselves do.

    Args:
        network: Its parameters.
        images: [image, 784].
        labels: Class of each image.
        modules: N.
        architecture: Of the network.
    """

    def loss(network: LeNet, slots: ByLayer) -> tuple[Array, ByLayer | None]:
        outputs, scales = passed(network, images, modules, architecture, slots)
        return cross_entropy(outputs, labels), scales

    stack = len(network.modules.kernel)
    slots = ByLayer(jnp.zeros(2), jnp.zeros((stack, 2)), jnp.zeros(3))
    (gradient, delta), act = jax.grad(loss, argnums=(0, 1), has_aux=True)(network, slots)
    assert act is not None
    there = present(modules, stack)
    return Signals(
        *(
            jnp.where(there, _flat(part), jnp.nan)
            for part in (act, delta, _norms(gradient), _norms(network))
        )
    )


def measure(
    networks: LeNet,
    modules: HostArray,
    images: HostArray,
    labels: HostArray,
    architecture: Architecture,
) -> Signals:
    """Signals [network, layer] of networks of one architecture and stack, as NumPy arrays.

    Args:
        networks: Stacked along the first axis, see ``sweeps.training.networks.stack``.
        modules: N of each.
        images: [network, image, 784].
        labels: [network, image].
        architecture: Of all of them.
    """
    program = partial(_measure, architecture=architecture)
    return by_modules(program, modules, networks, images, labels)


@partial(jax.jit, static_argnames="architecture")
def _measure(
    modules: Array,
    networks: LeNet,
    images: Array,
    labels: Array,
    *,
    architecture: Architecture,
) -> Signals:
    def one(network: LeNet, images: Array, labels: Array) -> Signals:
        return signals(network, images, labels, modules, architecture)

    return over(one, networks, images, labels)


def _norms(parameters: LeNet) -> ByLayer:
    """log10 of the L2 norm of every kernel."""
    return ByLayer(
        jnp.stack([_log10_norm(layer.kernel) for layer in parameters.stem]),
        jax.vmap(jax.vmap(_log10_norm))(jnp.asarray(parameters.modules.kernel)),
        jnp.stack([_log10_norm(layer.kernel) for layer in parameters.head]),
    )


def _log10_norm(x: Array | HostArray) -> Array:
    """log10 √Σx²."""
    return log10_rms(jnp.asarray(x)) + jnp.log10(x.size) / 2


def _flat(parts: ByLayer) -> Array:
    """[layer], from the input to the logits."""
    return jnp.concatenate([part.ravel() for part in parts])

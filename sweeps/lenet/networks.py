"""LeNet for images of 28 x 28, with N modules between its convolutions and dense layers.

    conv 1 → 6, φ, pool, conv 6 → 16, φ, pool, N modules of two convs 16 → 16, φ after each,
    dense 784 → 120, φ, 120 → 84, φ, 84 → 10

The modules are scanned, and their number is data: those of a stack that come after the
N-th are passed by, at no cost. A network of 2N + 5 layers so shares its program with all
that fit into the same stack.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from initjax.engine.statistics import log10_rms
from initjax.typing import Array, HostArray
from sweeps.lenet.blocks import Architecture, Modules, activate, convolve, module, pool
from sweeps.lenet.taps import tap

SIDE = 28
CHANNELS = 16
STEM = ((5, 5, 1, 6), (5, 5, 6, CHANNELS))
MODULE = (5, 5, CHANNELS, CHANNELS)
HEAD = ((7 * 7 * CHANNELS, 120), (120, 84), (84, 10))
"""Shapes of the kernels, by part."""


class Layer(NamedTuple):
    """Kernel [..., fan_in, units] of a dense layer or convolution, and bias [units]."""

    kernel: Array | HostArray
    bias: Array | HostArray


class LeNet(NamedTuple):
    """Parameters of a network.

    Attributes:
        stem: The two convolutions that are always there.
        modules: A stack of at least N; the rest is ignored, and its gradient 0.
        head: The three dense layers.
    """

    stem: tuple[Layer, ...]
    modules: Modules
    head: tuple[Layer, ...]


class ByLayer(NamedTuple):
    """One number of each layer, by part as in ``LeNet``.

    Attributes:
        stem: [2].
        modules: [module, 2]; nan for modules that are passed by.
        head: [3].
    """

    stem: Array
    modules: Array
    head: Array


def capacity(modules: int) -> int:
    """Size of the stack that N modules are kept in: the power of 2 from N up, 1 for none.

    Example:
        >>> [capacity(n) for n in (0, 1, 2, 3, 4, 40, 1000)]
        [1, 1, 2, 4, 4, 64, 1024]
    """
    return 1 << max(modules - 1, 0).bit_length()


def logits(
    network: LeNet, images: Array, modules: Array | int, architecture: Architecture
) -> Array:
    """Outputs [image, class] of a network.

    Args:
        network: Its parameters.
        images: [image, 784].
        modules: N, from 0 to the size of the stack.
        architecture: Of the network.
    """
    outputs, _ = passed(network, images, modules, architecture, None)
    return outputs


def passed(
    network: LeNet,
    images: Array,
    modules: Array | int,
    architecture: Architecture,
    slots: ByLayer | None,
) -> tuple[Array, ByLayer | None]:
    """Outputs, and of each layer log10 of the root mean square of what it hands on.

    Args:
        network: Its parameters.
        images: [image, 784].
        modules: N.
        architecture: Of the network.
        slots: Of the taps at the pre-activations, see ``taps``; None to measure nothing.

    Returns:
        Logits [image, class] and scales, before pooling where there is pooling; of the
        last layer that of the logits. Without slots no scales.
    """
    phi = architecture.activation
    stem, head = list[Any](), list[Any]()
    h = jnp.asarray(images).reshape(-1, SIDE, SIDE, 1)
    for n, layer in enumerate(network.stem):
        z = convolve(h, layer.kernel) + layer.bias
        h, scale = activate(z, phi, slots and slots.stem[n])
        h = pool(h)
        stem.append(scale)
    h, between = _through(network.modules, h, modules, architecture, slots)
    h = h.reshape(len(h), -1)
    for n, layer in enumerate(network.head[:-1]):
        z = h @ layer.kernel + layer.bias
        h, scale = activate(z, phi, slots and slots.head[n])
        head.append(scale)
    outputs = h @ network.head[-1].kernel + network.head[-1].bias
    if slots is None:
        return outputs, None
    outputs = tap(outputs, slots.head[-1])
    head.append(log10_rms(jax.lax.stop_gradient(outputs)))
    return outputs, ByLayer(jnp.stack(stem), between, jnp.stack(head))


def _through(
    stack: Modules,
    h: Array,
    modules: Array | int,
    architecture: Architecture,
    slots: ByLayer | None,
) -> tuple[Array, Any]:
    """What the first N modules of a stack make of h, and their scales [module, 2]."""

    def step(
        h: Array, at: tuple[Array, Modules, Array | None]
    ) -> tuple[Array, Array | None]:
        index, weights, slot = at

        def go(h: Array) -> tuple[Array, Array | None]:
            return module(h, weights, slot, architecture)

        def pass_by(h: Array) -> tuple[Array, Array | None]:
            return h, None if slot is None else jnp.full(2, jnp.nan)

        return jax.lax.cond(index < modules, go, pass_by, h)

    index = jnp.arange(len(stack.kernel))
    return jax.lax.scan(step, h, (index, stack, slots and slots.modules))

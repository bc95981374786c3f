"""Networks as stacked parameters: hidden layers along one axis, for a scan over them."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from initjax.engine.draws import READOUT, layer_key
from initjax.typing import Activation, Array, HostArray, Initializer, Key
from sweeps import data


class Dense(NamedTuple):
    """Kernel [..., fan_in, units] and bias [..., units] of a layer, or of a stack."""

    kernel: Array | HostArray
    bias: Array | HostArray


class Network(NamedTuple):
    """A network of one or more hidden layers.

    Attributes:
        entry: Layer 0, which reads the inputs.
        hidden: Layers 1 … D-1, stacked; of one hidden layer, a stack of none.
        readout: From the last hidden layer to the classes.
    """

    entry: Dense
    hidden: Dense
    readout: Dense


T = TypeVar("T", bound=tuple[Any, ...])


def stack(parts: Sequence[T]) -> T:
    """Layers, networks or data of one shape along a new first axis."""
    return jax.tree.map(lambda *leaves: np.stack(leaves), *parts)


def initialize(
    key: Key,
    kernel_init: Initializer,
    bias_init: Initializer,
    *,
    depth: int,
    width: int,
    fan_in: int = data.MNIST_PIXELS,
    classes: int = data.CLASSES,
) -> Network:
    """A network before training.

    Each layer has a key of its own, made of ``key`` and its index: networks of one seed
    share the draws of their first layers, whatever their depth and their scale.
    """

    def dense(index: int, fan_in: int, units: int) -> Dense:
        kernel_key, bias_key = jax.random.split(layer_key(key, index))
        kernel = kernel_init(kernel_key, (fan_in, units))
        return Dense(np.asarray(kernel), np.asarray(bias_init(bias_key, (units,))))

    between = [dense(index, width, width) for index in range(1, depth)]
    none = Dense(np.zeros((0, width, width), np.float32), np.zeros((0, width), np.float32))
    return Network(
        dense(0, fan_in, width),
        stack(between) if between else none,
        dense(READOUT, width, classes),
    )


def logits(network: Network, inputs: Array | HostArray, activation: Activation) -> Array:
    """Outputs [input, class] of one network."""

    def layer(h: Array, dense: Dense) -> tuple[Array, None]:
        return activation(h @ dense.kernel + dense.bias), None

    h, _ = layer(jnp.asarray(inputs), network.entry)
    h, _ = jax.lax.scan(layer, h, network.hidden)
    return h @ network.readout.kernel + network.readout.bias

"""Networks before training, by the name of their initialization.

    torch              torch's default: weights and biases U(±1/√fan_in)
    delta_orthogonal   convolutions that map each pixel by an orthogonal matrix, dense
                       layers orthogonal, times torch's gain of the activation
    fixup              Kaiming's, the first convolution of a module × N^(-1/2), the second
                       one and the readout 0
    any other          a name of ``sweeps.schemes`` for every kernel

Biases are 0 but for torch's.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.engine.draws import READOUT, layer_key
from initjax.gains import published_gain
from initjax.init.presets import LayerInit, torch_conv, torch_linear
from initjax.typing import Key, Shape
from sweeps import schemes
from sweeps.lenet.blocks import Architecture, Modules
from sweeps.lenet.networks import HEAD, MODULE, STEM, Layer, LeNet, capacity

OWN = ("torch", "delta_orthogonal", "fixup")
"""Names that ``sweeps.schemes`` does not have, or has not for dense layers."""


def canonical(scheme: str) -> str:
    """The one spelling of an initialization's name.

    Raises:
        ValueError: if there is none of that name.

    Example:
        >>> canonical("torch"), canonical("uniform(-0.5,0.5)")
        ('torch', 'uniform(-0.5, 0.5)')
    """
    return scheme if scheme in OWN else schemes.canonical(scheme)


def fits(scheme: str, architecture: Architecture) -> bool:
    """Whether an architecture can start so: Fixup wants shortcuts and no normalization."""
    return scheme != "fixup" or (architecture.shortcut and not architecture.batch_norm)


def initialize(
    key: Key,
    scheme: str,
    architecture: Architecture,
    *,
    modules: int,
    stack: int | None = None,
) -> LeNet:
    """A network before training, in NumPy arrays.

    Each layer has a key of its own, so that networks of one key share the draws of layers
    that they share, whatever their depth.

    Args:
        key: Of the network.
        scheme: Name of the initialization in its one spelling.
        architecture: Of the network.
        modules: N.
        stack: Modules that there is room for, ``capacity(modules)`` if None. Those after
            the N-th are 0.

    Raises:
        ValueError: for a stack of less than N modules, for an unknown name, and for Fixup
            of an architecture that it is not made for.
    """
    size = capacity(modules) if stack is None else stack
    if not 0 <= modules <= size or size < 1:
        raise ValueError(f"modules must be from 0 to the stack's {size}; got {modules}")
    if not fits(scheme, architecture):
        raise ValueError(
            "fixup is for networks with shortcuts and without batch_norm; got "
            f"{architecture}"
        )

    def layer(index: int, shape: Shape) -> Layer:
        laws = _laws(scheme, architecture.activation, shape)
        return Layer(*map(np.asarray, _drawn(laws, shape)(layer_key(key, index))))

    first = READOUT - len(HEAD) + 1
    network = LeNet(
        tuple(layer(index, shape) for index, shape in enumerate(STEM)),
        _modules(key, scheme, architecture, modules, size),
        tuple(layer(first + index, shape) for index, shape in enumerate(HEAD)),
    )
    return _fixup(network, modules) if scheme == "fixup" else network


def _modules(
    key: Key, scheme: str, architecture: Architecture, modules: int, stack: int
) -> Modules:
    """The convolutions between stem and head, whose keys follow those of the stem."""
    laws = _laws(scheme, architecture.activation, MODULE)
    index = len(STEM) + jnp.arange(2 * stack)
    keys = jax.vmap(lambda n: layer_key(key, n))(index)
    kernel, bias = jax.vmap(_drawn(laws, MODULE))(keys)
    there = np.arange(stack) < modules

    def stacked(drawn: Any) -> Any:
        of_modules = np.asarray(drawn).reshape(stack, 2, *drawn.shape[1:])
        return of_modules * there.reshape(stack, *[1] * drawn.ndim).astype(np.float32)

    kernel, bias = stacked(kernel), stacked(bias)
    if not architecture.batch_norm:
        return Modules(kernel, bias, None)
    return Modules(kernel, np.zeros_like(bias), np.ones_like(bias))


def _drawn(laws: LayerInit, shape: Shape) -> Callable[[Key], tuple[Any, Any]]:
    """Kernel and bias from the key of a layer."""

    def draw(key: Key) -> tuple[Any, Any]:
        kernel_key, bias_key = jax.random.split(key)
        return laws.kernel_init(kernel_key, shape), laws.bias_init(bias_key, shape[-1:])

    return draw


def _laws(scheme: str, activation: str, shape: Shape) -> LayerInit:
    """Laws of kernel and bias of a layer with a kernel of this shape."""
    *window, inputs, _ = shape
    if scheme == "torch":
        return torch_conv(inputs, window) if window else torch_linear(inputs)
    if scheme == "delta_orthogonal":
        gain = published_gain(activation)
        # A wider layer keeps the mean square of a unit, as the stem has to.
        kernel: Any = (
            init.delta_orthogonal(gain, scaled=True)
            if window
            else init.scaled_orthogonal(gain)
        )
    elif scheme == "fixup":
        kernel = init.kaiming_normal()
    else:
        kernel = schemes.build(scheme, activation)
    return LayerInit(kernel, init.zeros())


def _fixup(network: LeNet, modules: int) -> LeNet:
    """Fixup of what Kaiming's law has drawn, without its scalar biases and multipliers.

    References:
        Zhang, Dauphin & Ma (2019), arXiv:1901.09321, the rules of section 3.
    """
    kernel = np.array(network.modules.kernel)
    kernel[:, 0] *= max(modules, 1) ** -0.5
    kernel[:, 1] = 0
    readout = jax.tree.map(np.zeros_like, network.head[-1])
    return network._replace(
        modules=network.modules._replace(kernel=kernel),
        head=(*network.head[:-1], readout),
    )

"""What the network is made of: convolutions, pooling, and modules of two convolutions."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve
from initjax.engine.statistics import log10_rms
from initjax.typing import Array, HostArray
from sweeps.lenet.batch_norm import normalize
from sweeps.lenet.taps import tap

WINDOW = 5
"""Side of every kernel; with two zeros on each side images keep their size."""


class Architecture(NamedTuple):
    """What is compiled into a network.

    Attributes:
        activation: Name of the nonlinearity φ.
        shortcut: Whether a module adds its input to what its second φ reads.
        batch_norm: Whether each convolution of a module is normalized.
    """

    activation: str
    shortcut: bool = False
    batch_norm: bool = False


class Modules(NamedTuple):
    """One module, or a stack of them, of two convolutions each.

    Attributes:
        kernel: [..., 2, 5, 5, channels, channels].
        bias: [..., 2, channels], added to a convolution, or to what is left of it after
            normalization, which takes away a bias that comes before.
        scale: [..., 2, channels] after normalization; None without.
    """

    kernel: Array | HostArray
    bias: Array | HostArray
    scale: Array | HostArray | None


def activate(z: Array, activation: str, slot: Array | None) -> tuple[Array, Array | None]:
    """φ(z), and log10 of its root mean square if there is a slot for what comes back."""
    phi = resolve(activation).function
    if slot is None:
        return phi(z), None
    h = phi(tap(z, slot))
    return h, log10_rms(jax.lax.stop_gradient(h))


def module(
    x: Array, weights: Modules, slots: Array | None, architecture: Architecture
) -> tuple[Array, Array | None]:
    """Two convolutions, each followed by its activation.

        h = φ(f₁(x)),   x ← φ(f₂(h)),   with a shortcut φ(x + f₂(h))

    where f(x) = W * x + b, normalized s · BN(W * x) + b.

    Args:
        x: [image, row, column, channel].
        weights: Of one module.
        slots: [2], one for each of its taps, or None.
        architecture: φ, and what there is besides.

    Returns:
        The new x, and [2] log10 scales of the two activations, None without slots.
    """
    shortcut, scales = x, list[Any]()
    for index in range(2):
        z = convolve(x, weights.kernel[index])
        if weights.scale is not None:
            z = normalize(z, weights.scale[index])
        z = z + weights.bias[index]
        if index == 1 and architecture.shortcut:
            z = shortcut + z
        slot = None if slots is None else slots[index]
        x, scale = activate(z, architecture.activation, slot)
        scales.append(scale)
    return x, None if slots is None else jnp.stack(scales)


def pool(x: Array) -> Array:
    """Means of 2 x 2 pixels: [image, row, column, channel] to half as many of each."""
    images, rows, columns, channels = x.shape
    halves = x.reshape(images, rows // 2, 2, columns // 2, 2, channels)
    return halves.mean((2, 4))


@partial(jax.checkpoint, prevent_cse=False)
def convolve(x: Array, kernel: Array | HostArray) -> Array:
    """Correlation of images with a 5 x 5 kernel, zeros around, as one matrix product.

        z[r, i, f] = Σ_y Σ_j,c x[r + y - 2, j, c] K[y, j - i + 2, c, f]

    A row of the result reads five whole rows: the kernel becomes a matrix of bands, with
    wide products instead of those of 16 columns that a convolution has. Inside a loop
    XLA's own convolution is ten times as slow on a CPU, patches × kernel half as fast.
    What the gradient needs of both is made anew from images and kernel.

    Args:
        x: [image, row, column, channel].
        kernel: [5, 5, channel, new channel].
    """
    images, rows, columns, channels = x.shape
    shift = np.arange(columns)[:, None] - np.arange(columns) + WINDOW // 2
    band = (np.arange(WINDOW)[:, None, None] == shift).astype(x.dtype)
    matrix = jnp.einsum("ykcf,kji->yjcif", kernel, band)
    flat = x.reshape(images, rows, columns * channels)
    around = jnp.pad(flat, ((0, 0), (WINDOW // 2, WINDOW // 2), (0, 0)))
    read = jnp.concatenate([around[:, y : y + rows] for y in range(WINDOW)], -1)
    z = read.reshape(images * rows, -1) @ matrix.reshape(read.shape[-1], -1)
    return z.reshape(images, rows, columns, -1)

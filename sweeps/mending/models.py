"""The networks, as people write them: Flax's layers alone, nothing of this project."""

from collections.abc import Mapping
from typing import NamedTuple

import flax.linen as nn

from initjax.typing import Array
from sweeps import data

WIDTH = 64
LAYERS = 30
BLOCKS = 20


class Block(nn.Module):
    """Two layers around a skip, with He's weights and without a normalization."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """The stream [batch, units] and what the branch adds to it."""
        he = nn.initializers.he_normal()
        h = nn.Dense(WIDTH, kernel_init=he)(nn.relu(x))
        return x + nn.Dense(WIDTH, kernel_init=he, name="out")(nn.relu(h))


class Convolutional(nn.Module):
    """Two convolutions and two dense layers, as in Flax's own example of MNIST."""

    @nn.compact
    def __call__(self, x: Array) -> Array:
        """Logits of images [batch, 8, 8, 1]."""
        for features in (16, 32):
            x = nn.relu(nn.Conv(features, (3, 3))(x))
            x = nn.avg_pool(x, (2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(WIDTH)(x.reshape(len(x), -1)))
        return nn.Dense(data.CLASSES)(x)


class Model(NamedTuple):
    """A network and what it reads.

    Attributes:
        module: As it is.
        shape: Of an image.
    """

    module: nn.Module
    shape: tuple[int, ...] = (64,)


_LAYERS = [layer for _ in range(LAYERS) for layer in (nn.Dense(WIDTH), nn.relu)]
_BLOCKS = [Block() for _ in range(BLOCKS)]

MODELS: Mapping[str, Model] = {
    "deep_relu": Model(nn.Sequential([*_LAYERS, nn.Dense(data.CLASSES)])),
    "residual": Model(nn.Sequential([nn.Dense(WIDTH), *_BLOCKS, nn.Dense(data.CLASSES)])),
    "convolutional": Model(Convolutional(), (8, 8, 1)),
}
"""By the names of ``sweeps.mended``."""

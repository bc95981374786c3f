"""Digits drawn otherwise, and the few numbers of an image that a model reads."""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.data.mnist import mnist_split

CHANGES = ("inverted", "thickened", "noisy")
"""Ways to draw an image otherwise."""
_SIDE = 28
COARSE, FINE = 7, 4
"""Sides of the blocks whose means a model reads: of changed images, and of others.

Of coarse ones a linear model cannot serve two ways of drawing at once; only to a model
that falls short does it matter which images it is fitted to.
"""
PASSES = 3
"""Dilations of a thickened image."""


class Views(NamedTuple):
    """All images as they are and drawn otherwise.

    Attributes:
        train: What a model reads [plain or changed, image, feature].
        test: Likewise, of the images to test on.
        domain: What a classifier of domains reads of the images to train on.
    """

    train: HostArray
    test: HostArray
    domain: HostArray


def inverted(images: HostArray) -> HostArray:
    """-x about the middle of the range."""
    return images.min() + images.max() - images


def thickened(images: HostArray) -> HostArray:
    """The largest of 3×3 pixels (grey dilation), ``PASSES`` times."""
    for _ in range(PASSES):
        images = _dilated(images)
    return images


def _dilated(images: HostArray) -> HostArray:
    square = images.reshape(-1, _SIDE, _SIDE)
    padded = np.pad(square, ((0, 0), (1, 1), (1, 1)), mode="edge")
    near = [padded[:, y : y + _SIDE, x : x + _SIDE] for y in range(3) for x in range(3)]
    return np.max(near, axis=0).reshape(images.shape)


def noisy(images: HostArray, std: float, random: np.random.Generator) -> HostArray:
    """With Gaussian noise of this standard deviation on every pixel."""
    return images + np.float32(std) * random.standard_normal(images.shape, np.float32)


def features(block: int) -> int:
    """Number of blocks of this side.

    Example:
        >>> features(COARSE), features(FINE)
        (16, 49)
    """
    return (_SIDE // block) ** 2


def block_means(images: HostArray, block: int) -> HostArray:
    """Means [image, feature] of blocks of pixels."""
    across = _SIDE // block
    blocks = images.reshape(-1, across, block, across, block)
    return blocks.mean((2, 4)).reshape(len(images), -1)


def views(change: str, noise: float, seed: int) -> Views:
    """Both views of every image; the seed is that of the noise."""
    return _views(
        change, noise if change == "noisy" else 0.0, seed if change == "noisy" else 0
    )


@lru_cache(maxsize=4)
def _views(change: str, noise: float, seed: int) -> Views:
    split = mnist_split()
    random = np.random.default_rng([seed, 3])
    train, test = (_both(images, change, noise, random) for images, _ in split[:2])
    means = [np.stack([block_means(x, COARSE) for x in both]) for both in (train, test)]
    squares = np.stack([block_means(np.square(x), COARSE) for x in train])
    read = _standardized(means[0], means[0])
    domain = np.concatenate([read, _standardized(squares, squares)], -1)
    return Views(read, _standardized(means[1], means[0]), domain)


def _both(
    images: HostArray, change: str, noise: float, random: np.random.Generator
) -> tuple[HostArray, HostArray]:
    if change == "noisy":
        return images, noisy(images, noise, random)
    return images, {"inverted": inverted, "thickened": thickened}[change](images)


def _standardized(values: HostArray, reference: HostArray) -> HostArray:
    """Minus each feature's mean in both views together, over one deviation for all."""
    centre = reference.mean((0, 1))
    return ((values - centre) / (reference - centre).std()).astype(np.float32)


@cache
def plain() -> tuple[HostArray, HostArray]:
    """Features of the unchanged images to train on and to test on."""
    train, test = (block_means(images, FINE)[None] for images, _ in mnist_split()[:2])
    return _standardized(train, train)[0], _standardized(test, train)[0]

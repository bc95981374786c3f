"""The digits of scikit-learn, some to train on and some held out."""

from functools import cache
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps import data

TRAINED = 1400
"""Images to train on; the other 397 are held out."""
_ORDER = 0  # seed of the split, the same for all networks


class Images(NamedTuple):
    """Images [image, …] and their digits [image], to train on and held out."""

    train: HostArray
    train_labels: HostArray
    held_out: HostArray
    held_out_labels: HostArray


@cache
def images(shape: tuple[int, ...]) -> Images:
    """The 1,797 images in an order of their own, for writers follow one another.

    Args:
        shape: Of an image.
    """
    inputs, labels = data.digits()
    order = np.random.default_rng(_ORDER).permutation(len(inputs))
    inputs, labels = inputs[order].reshape(-1, *shape), labels[order]
    return Images(inputs[:TRAINED], labels[:TRAINED], inputs[TRAINED:], labels[TRAINED:])

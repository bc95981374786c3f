"""Small real images of handwritten digits, which scikit-learn has in its package."""

from functools import cache

import numpy as np

from initjax.typing import HostArray
from sweeps.data.examples import standardized

DIGITS_IMAGES = 1797
DIGITS_PIXELS = 64


@cache
def digits() -> tuple[HostArray, HostArray]:
    """The 1,797 images of 8 x 8 pixels of scikit-learn, standardized.

    Returns:
        Images [1797, 64] in float32, minus their overall mean and divided by
        their overall standard deviation, and labels [1797], about 180 of each digit.
    """
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return standardized(images), labels.astype(np.int32)

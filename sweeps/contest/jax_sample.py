"""JAX's own initializers, a batch of kernels by vmap."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
from jax.nn import initializers

from sweeps.contest.sample import Sample

KERNELS = {
    "normal": initializers.normal(1.0),
    "truncated_normal": initializers.truncated_normal(1.0),
    "uniform": lambda key, shape: jax.random.uniform(key, shape, minval=-1.0),
    "orthogonal": initializers.orthogonal(),
}


def prepare(sample: Sample, kernels: Mapping[str, Any] = KERNELS) -> Callable[[], object]:
    """One jitted function of the keys."""
    kernel, square = kernels[sample.law], sample.shape[1:]
    keys = jax.random.split(jax.random.key(0), sample.count)
    draw = jax.jit(jax.vmap(lambda key: kernel(key, square)))
    return lambda: draw(keys).block_until_ready()

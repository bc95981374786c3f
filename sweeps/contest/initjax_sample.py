"""initjax's initializers, a batch of kernels by vmap."""

from collections.abc import Callable

import jax

from initjax import init
from sweeps.contest.sample import Sample

KERNELS = {
    "normal": init.normal(1.0),
    "truncated_normal": init.truncated_normal(1.0),
    "uniform": init.uniform(-1.0, 1.0),
    "orthogonal": init.orthogonal(),
}


def prepare(sample: Sample) -> Callable[[], object]:
    """One jitted function of the keys."""
    kernel, square = KERNELS[sample.law], sample.shape[1:]
    keys = jax.random.split(jax.random.key(0), sample.count)
    draw = jax.jit(jax.vmap(lambda key: kernel(key, square)))
    return lambda: draw(keys).block_until_ready()

"""initjax's initializers, in the place of JAX's own."""

from functools import partial

from initjax import init
from sweeps.contest import jax_sample

KERNELS = {
    "normal": init.normal(1.0),
    "truncated_normal": init.truncated_normal(1.0),
    "uniform": init.uniform(-1.0, 1.0),
    "orthogonal": init.orthogonal(),
}

prepare = partial(jax_sample.prepare, kernels=KERNELS)

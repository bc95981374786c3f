"""Plain Flax and JAX: one jitted function per depth, seeds and schemes by vmap."""

from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jax import Array

from sweeps.contest.job import CLASSES, HostArray, Job

PHI = {"relu": jax.nn.relu, "tanh": jnp.tanh}


class Chain(nn.Module):
    """Dense layers of one width and a readout; the stds of the pre-activations too."""

    depth: int
    width: int
    activation: str

    @nn.compact
    def __call__(self, x: Array, std: Array) -> tuple[Array, Array]:
        """Logits and standard deviations [layer]; ``std`` of hidden and readout weights."""

        def kernel(key: Array, shape: tuple[int, ...], dtype: type) -> Array:
            here = std[0] if shape[1] == self.width else std[1]
            return here * jax.random.normal(key, shape, dtype)

        stds = []
        for index in range(self.depth):
            dense = nn.Dense(
                self.width, use_bias=False, kernel_init=kernel, name=f"dense_{index}"
            )
            x = dense(x)
            stds.append(jnp.std(x))
            x = PHI[self.activation](x)
        logits = nn.Dense(CLASSES, use_bias=False, kernel_init=kernel, name="readout")(x)
        return logits, jnp.stack(stds)


def network(model: Chain, batch: int, key: Array, std: Array) -> tuple[Array, Array]:
    """Both statistics [layer] of one network."""
    weights, inputs, targets = jax.random.split(key, 3)
    x = jax.random.normal(inputs, (batch, model.width))
    labels = jax.random.randint(targets, (batch,), 0, CLASSES)
    variables = model.init(weights, x, std)

    def loss(variables: Any) -> tuple[Array, Array]:
        outputs: Any = model.apply(variables, x, std)
        logits, stds = outputs
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
        return losses.mean(), stds

    gradients, stds = jax.grad(loss, has_aux=True)(variables)
    norms = [
        jnp.linalg.norm(gradients["params"][f"dense_{index}"]["kernel"])
        for index in range(model.depth)
    ]
    return jnp.log10(stds), jnp.log10(jnp.stack(norms))


@partial(jax.jit, static_argnames=("model", "batch"))
def networks(model: Chain, batch: int, keys: Array, stds: Array) -> tuple[Array, Array]:
    """Both statistics [scheme, seed, layer]."""
    over_seeds = jax.vmap(partial(network, model, batch), in_axes=(0, None))
    return jax.vmap(over_seeds, in_axes=(None, 0))(keys, stds)


def run(job: Job) -> tuple[HostArray, HostArray]:
    """Both statistics [activation, scheme, depth, seed, layer], as log10."""
    stds, norms = job.empty(), job.empty()
    keys = jax.random.split(jax.random.key(0), job.seeds)
    for a, activation in enumerate(job.activations):
        scales = jnp.asarray([job.stds(activation), job.stds(activation, CLASSES)]).T
        for d, depth in enumerate(job.depths):
            model = Chain(depth, job.width, activation)
            std, norm = networks(model, job.batch, keys, scales)
            stds[a, :, d, :, :depth], norms[a, :, d, :, :depth] = std, norm
    return stds, norms

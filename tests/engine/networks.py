"""The same networks as a tutorial would write them: Python loops and jax.grad."""

import jax
import jax.numpy as jnp
import numpy as np

from initjax.activations import resolve
from initjax.engine.draws import READOUT, layer_key


def kernels(key, scheme, fan_in, width, depth, classes=10):
    """The weights that the engine draws, layer by layer, drawn one by one."""
    import flax.linen as nn

    def one(index, fan_in, features):
        dense = nn.Dense(features, use_bias=False, kernel_init=scheme)
        variables = dense.init(layer_key(key, index), jnp.zeros((1, fan_in)))
        return variables["params"]["kernel"]

    hidden = [one(i, fan_in if i == 0 else width, width) for i in range(depth)]
    return [*hidden, one(READOUT, width, classes)]


def _forward(weights, shifts, x, labels, phi):
    h, zs, hs = x, [], []
    for weight, shift in zip(weights[:-1], shifts, strict=True):
        zs.append(h @ weight + shift)
        h = phi(zs[-1])
        hs.append(h)
    logits = h @ weights[-1]
    chosen = jax.nn.log_softmax(logits)[jnp.arange(len(labels)), labels]
    return -jnp.mean(chosen), (zs, hs)


_grad = jax.jit(jax.grad(_forward, argnums=(0, 1), has_aux=True), static_argnums=4)


def naive(weights, activation, x, labels):
    """Pre-activations, activations, ∂L/∂z and ∂L/∂W of every hidden layer."""
    shifts = [jnp.zeros((x.shape[0], w.shape[1])) for w in weights[:-1]]
    (by_weight, deltas), (zs, hs) = _grad(weights, shifts, x, labels, resolve(activation))
    groups = (zs, hs, deltas, by_weight[:-1])
    return tuple([np.asarray(array, np.float64) for array in group] for group in groups)


def batch(seeds, size, features, classes=10):
    """Gaussian inputs [seed, size, features] and random labels [seed, size]."""
    keys = jax.random.split(jax.random.key(99))
    inputs = jax.random.normal(keys[0], (seeds, size, features))
    return inputs, jax.random.randint(keys[1], (seeds, size), 0, classes)


def seed_keys(seeds):
    return jax.vmap(jax.random.key)(jnp.arange(seeds))

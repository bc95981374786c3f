"""Lengths and angles over the layers of networks: with activations, and deep linear."""

from functools import partial
from typing import TypeAlias

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.activations import resolve
from initjax.engine.cores import by_cores
from initjax.gains import gain
from initjax.typing import Array, HostArray, Key
from sweeps.angles.laws import draw
from sweeps.angles.sizes import NETWORKS, VECTORS, Size

_State: TypeAlias = tuple[Array, Array, Array, Array, Array, Array]
_PLAIN_NORM = nn.LayerNorm(use_bias=False, use_scale=False)


def lengths(
    keys: Key, activation: str, remedies: tuple[str, ...], *, width: int, depth: int
) -> HostArray:
    """Mean, standard deviation of r = ‖h‖/‖x‖ and mean (r² − 1)² after layers 1 … depth.

    h ← φ(Wh) with Gaussian W of variance 1/n. The remedy "gain" multiplies h, and by that
    the next W, by 1/√E[φ(z)²], √2 for ReLU; "layer_norm" divides h, less its mean, by its
    standard deviation. Inputs have mean square 1; the remedies share weights and inputs.

    Returns:
        [seed, remedy, layer, 3]
    """
    factors = np.array(
        [gain(activation) if remedy == "gain" else 1.0 for remedy in remedies], np.float32
    )
    normed = np.array([remedy == "layer_norm" for remedy in remedies])

    def start(keys: Key, others: Key) -> Array:
        kernels = draw(keys, "gaussian", Size(width, width, width, depth, 0))
        return _lengths(others, kernels, factors, normed, activation=activation)

    return np.asarray(by_cores(start, *_halves(keys)))


@partial(jax.jit, static_argnames="activation")
def _lengths(
    keys: Key, kernels: Array, factors: Array, normed: Array, *, activation: str
) -> Array:
    function, width = resolve(activation).function, kernels.shape[-1]

    def step(h: Array, kernel: Array) -> tuple[Array, Array]:
        z = jnp.matmul(h, kernel.T, precision="highest")
        h = factors[:, None, None] * function(z)
        normal = jnp.asarray(_PLAIN_NORM.apply({}, h))
        h = jnp.where(normed[:, None, None], normal, h)
        r = jnp.sqrt(jnp.mean(h**2, -1))
        return h, jnp.stack([r.mean(-1), r.std(-1), ((r**2 - 1) ** 2).mean(-1)], -1)

    def one(key: Key, kernels: Array) -> Array:
        x = init.normal(1.0)(key, (VECTORS, width))
        x = x / jnp.sqrt(jnp.mean(x**2, -1, keepdims=True))
        inputs = jnp.broadcast_to(x, (len(factors), *x.shape))
        return jnp.swapaxes(jax.lax.scan(step, inputs, kernels)[1], 0, 1)

    return jax.vmap(one)(keys, kernels)


def powers(keys: Key, law: str, *, width: int, depth: int) -> HostArray:
    """Ln ‖x‖ and ln sin θ after layers 1 … depth of deep linear networks.

    Of two inputs of length 1 and an angle of 90°.

    Returns:
        [seed, network, layer, 2]
    """

    def start(keys: Key, others: Key) -> Array:
        kernels = draw(keys, law, Size(width, width, width, depth * NETWORKS, 0))
        layers = kernels.reshape(len(keys), depth, NETWORKS, width, width)
        return _powers(others, layers)

    return np.asarray(by_cores(start, *_halves(keys)))


def _halves(keys: Key) -> tuple[Key, Key]:
    """One key for the weights of each seed, and one for its inputs."""
    halves = jax.vmap(jax.random.split)(keys)
    return halves[:, 0], halves[:, 1]


@jax.jit
def _powers(keys: Key, kernels: Array) -> Array:
    return jax.vmap(_walk)(keys, kernels)


def _walk(key: Key, kernels: Array) -> Array:
    """Carry x̂, the direction ê of y off it, and ŷ = a x̂ + b ê through the layers.

    Logarithms add up, so that nothing over- or underflows.
    """

    def step(state: _State, kernel: Array) -> tuple[_State, Array]:
        x, e, a, b, log_norm, log_sine = state
        x, e = (jnp.einsum("kmi,ki->km", kernel, v, precision="highest") for v in (x, e))
        x, e, length, along, across = _frame(x, e)
        a, b = length * a + along * b, across * b
        whole = jnp.hypot(a, b)
        log_norm = log_norm + jnp.log(length)
        log_sine = log_sine + jnp.log(across) - jnp.log(whole)
        told = jnp.concatenate([log_norm, log_sine], -1)
        return (x, e, a / whole, b / whole, log_norm, log_sine), told

    x, e, *_ = _frame(*init.normal(1.0)(key, (2, *kernels.shape[1:3])))
    zero = jnp.zeros_like(x[:, :1])
    _, told = jax.lax.scan(step, (x, e, zero, zero + 1, zero, zero), kernels)
    return jnp.swapaxes(told, 0, 1)


def _frame(x: Array, y: Array) -> tuple[Array, Array, Array, Array, Array]:
    """x̂, ê, ‖x‖, and the parts of y along both; a direction that is gone stays 0."""

    def unit(v: Array) -> tuple[Array, Array]:
        norm = jnp.linalg.norm(v, axis=-1, keepdims=True)
        return v / jnp.where(norm > 0, norm, 1), norm

    x, length = unit(x)
    along = (x * y).sum(-1, keepdims=True)
    e, across = unit(y - along * x)
    return x, e, length, along, across

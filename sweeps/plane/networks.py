"""Networks at points (σ_w, σ_b) of a plane, all from the same draws.

A group of inputs of one correlation is a bundle. Its 1 - c is its variance about its
mean over its second moment, which loses no digits where c is near 1. A statistic of
layer ℓ is that of the law of z_ℓ given the layer below,

    K_ℓ = σ_w² ⟨φ(z_{ℓ-1}), φ(z_{ℓ-1})⟩ / n + σ_b²

which has half the noise of the sample's own and whose mean, given K_{ℓ-1}, is exactly
the mean-field map of it, at any width.
"""

import math
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.activations import resolve, value_and_derivative
from initjax.typing import Array, Key

BUNDLE = 12
"""Inputs of the bundles whose correlations are compared."""
FEW = 4
"""Inputs of the other bundles, and gradients that are sent back."""
OFF = 0.1
"""How far from q*, relatively, two of the bundles start."""


class Points(NamedTuple):
    """Points of the plane and where their inputs start, [point].

    Attributes:
        sigma_w: Standard deviation of √fan_in · W.
        sigma_b: Standard deviation of the biases.
        q: Fixed point of the second moment; 1 where there is none.
        near: 1 - c of the bundle that starts closer together than c*.
        far: 1 - c of the one that starts further apart.
    """

    sigma_w: Any
    sigma_b: Any
    q: Any
    near: Any
    far: Any


class Draws(NamedTuple):
    """What all points and activations of a seed share, [seed, ...].

    Attributes:
        weights: Of variance 1/n, [layer, n, n].
        biases: Of variance 1, [layer, n].
        frame: Orthogonal directions of second moment 1, [1 + BUNDLE, n].
        cotangents: Unit normal, [FEW, n].
    """

    weights: Array
    biases: Array
    frame: Array
    cotangents: Array


class Seen(NamedTuple):
    """Statistics [seed, layer, point], see the columns of ``sweeps.phase_diagram``."""

    q: Array
    near: Array
    far: Array
    apart: Array
    q_low: Array
    q_high: Array
    gradient: Array


@partial(jax.jit, static_argnames=("width", "layers"))
def draw(keys: Key, *, width: int, layers: int) -> Draws:
    """Weights, biases, directions and cotangents of the networks of some seeds."""

    def one(key: Key) -> Draws:
        of = jax.random.split(key, 4)
        return Draws(
            init.normal(1 / math.sqrt(width))(of[0], (layers, width, width)),
            init.normal(1.0)(of[1], (layers, width)),
            math.sqrt(width) * init.orthogonal()(of[2], (1 + BUNDLE, width)),
            init.normal(1.0)(of[3], (FEW, width)),
        )

    return jax.vmap(one)(keys)


@partial(jax.jit, static_argnums=0)
def propagate(activation: str, points: Points, draws: Draws) -> Seen:
    """Bundles forward and gradients backward through the networks of all points."""
    return jax.vmap(partial(_propagate, activation, points))(draws)


def _propagate(activation: str, points: Points, draws: Draws) -> Seen:
    """The networks of one seed; z is [point, input, unit]."""
    function, frame = resolve(activation).function, draws.frame
    few, one = frame[: 1 + FEW], jnp.ones_like(points.q)
    low, high = (1 - OFF) * points.q, (1 + OFF) * points.q
    starts = (
        *((frame, points.q, points.near), (frame, points.q, points.far)),
        *((few, points.q, one), (few, low, one), (few, high, one)),
    )
    ends = np.cumsum([len(f) - 1 for f, _, _ in starts])[:-1]
    scale, shift = points.sigma_w[:, None, None], points.sigma_b[:, None, None]

    def forward(z: Array, layer: tuple[Array, Array]) -> tuple[Array, Any]:
        h = function(z)
        found = [_law(bundle, points) for bundle in jnp.split(h, ends, 1)]
        product = (h.reshape(-1, h.shape[-1]) @ layer[0]).reshape(h.shape)
        _, slope = value_and_derivative(function, z[:, :FEW])
        return scale * product + shift * layer[1], (found, slope)

    def backward(delta: Array, layer: tuple[Array, Array]) -> tuple[Array, Array]:
        product = (delta.reshape(-1, delta.shape[-1]) @ layer[0].T).reshape(delta.shape)
        below = scale * layer[1] * product
        return below, jnp.square(below).sum((-1, -2))

    z = jnp.concatenate([_bundle(*one) for one in starts], 1)
    _, (found, slopes) = jax.lax.scan(forward, z, (draws.weights, draws.biases))
    delta = jnp.broadcast_to(draws.cotangents, slopes.shape[1:])
    _, norms = jax.lax.scan(backward, delta, (draws.weights, slopes), reverse=True)
    total = jnp.square(delta).sum((-1, -2))
    (q, near), (_, far), (_, apart), (q_low, _), (q_high, _) = (
        [jnp.concatenate([first[None], rest]) for first, rest in zip(at, law, strict=True)]
        for at, law in zip([of[1:] for of in starts], found, strict=True)
    )
    gradient = jnp.concatenate([norms, total[None]]) / total
    return Seen(q, near, far, apart, q_low, q_high, gradient)


def _bundle(frame: Array, q: Array, apart: Array) -> Array:
    """Inputs [point, input, unit] of second moment q and correlation 1 - apart."""
    shared = jnp.sqrt(q * (1 - apart))[:, None, None] * frame[0]
    return shared + jnp.sqrt(q * apart)[:, None, None] * frame[1:]


def _law(h: Array, points: Points) -> tuple[Array, Array]:
    """Law of the next layer, q and 1 - c, given the activations of a bundle."""
    square = jnp.square(points.sigma_w)
    q = square * jnp.mean(jnp.square(h), (-1, -2)) + jnp.square(points.sigma_b)
    about = jnp.square(h - h.mean(1, keepdims=True)).sum(1) / (h.shape[1] - 1)
    return q, square * about.mean(-1) / q

"""Deep linear networks that learn whitened MNIST by gradient descent, all seeds at once."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.init.haar import haar
from initjax.typing import Array, HostArray, Key
from sweeps import data
from sweeps.harness.grid import Cell

COMPONENTS = 64
"""Principal components of the images that the networks read."""

_DIVERGED = 1e3  # of the first error


class Layers(NamedTuple):
    """Weights of D layers: first [n, in], hidden [D - 2, n, n], last [out, n]."""

    first: Array
    hidden: Array
    last: Array


@cache
def task() -> HostArray:
    """Covariance [digit, component] of one-hot labels with whitened images.

    The mean squared error of a linear map P on whitened inputs is ½‖P − task‖² and a
    constant, that of the least-squares solution: no image is needed after this.
    """
    images, labels = data.mnist()
    centred = images - images.mean(0, dtype=np.float64)
    left, _, _ = np.linalg.svd(centred, full_matrices=False)
    whitened = left[:, :COMPONENTS] * np.sqrt(len(images))
    return np.eye(data.CLASSES)[labels].T @ whitened / len(images)


def columns(cells: Sequence[Cell], tolerance: float, steps: int) -> Mapping[str, Any]:
    """Train networks that differ in learning rate and seed only, all by vmap.

    Args:
        cells: Settings by the names of the columns.
        tolerance: Excess of the loss over its optimum at which a network has learned.
        steps: Most steps of gradient descent.

    Returns:
        One array per column, one entry per network.
    """
    first = cells[0]
    keys = jax.vmap(jax.random.key)(np.array([cell["seed"] for cell in cells]))
    target = task()
    drawn = draw(
        keys, jnp.float32(target), first["depth"], first["width"], first["weights"]
    )
    rates = np.array([cell["rate"] for cell in cells], np.float32) / first["depth"]
    taken, begin, end = train(drawn, rates, jnp.float32(target), tolerance, steps)
    settings = {name: [cell[name] for cell in cells] for name in first}
    strengths = np.linalg.svd(target, compute_uv=False)
    return {
        **settings,
        "steps": np.asarray(taken),
        "first_excess": np.asarray(begin),
        "last_excess": np.asarray(end),
        "strengths": [" ".join(f"{s:.6f}" for s in strengths)] * len(cells),
    }


@partial(jax.jit, static_argnums=(2, 3, 4))
def draw(keys: Key, target: Array, depth: int, width: int, weights: str) -> Layers:
    """Weights of every network, [key, ...].

    Orthogonal: uniform among matrices of orthonormal rows or columns; aligned: the same,
    the last one such that the product has the singular vectors of the task; gaussian:
    N(0, 1/fan_in).
    """

    def matrix(key: Key, rows: int, inputs: int) -> Array:
        if weights == "gaussian":
            return jax.random.normal(key, (rows, inputs)) / np.sqrt(inputs)
        long = haar(key, max(rows, inputs), min(rows, inputs), jnp.float32)
        return long if rows >= inputs else long.T

    def one(key: Key) -> Layers:
        ends, middle = jax.random.split(key)
        first_key, last_key = jax.random.split(ends)
        hidden_keys = jax.random.split(middle, depth - 2)
        first = matrix(first_key, width, target.shape[1])
        hidden = jax.vmap(lambda k: matrix(k, width, width))(hidden_keys)
        if weights != "aligned":
            return Layers(first, hidden, matrix(last_key, target.shape[0], width))
        left, _, right = jnp.linalg.svd(target, full_matrices=False)
        before, _ = jax.lax.scan(lambda p, w: (w @ p, None), first, hidden)
        return Layers(first, hidden, left @ right @ before.T)

    return jax.lax.map(one, keys)


@partial(jax.jit, static_argnums=4)
def train(
    layers: Layers, rates: Array, target: Array, tolerance: float, steps: int
) -> tuple[Array, Array, Array]:
    """Gradient descent on ½‖W_D … W_1 − target‖², each network at its own rate.

    Returns:
        Steps until the error is below ``tolerance``, -1 if it is not within ``steps`` or
        the network diverges before; first and last error; all [network].
    """

    def error(layers: Layers) -> Array:
        back, _ = jax.lax.scan(lambda p, w: (p @ w, None), layers.last, layers.hidden[::-1])
        return jnp.square(back @ layers.first - target).sum() / 2

    def one(layers: Layers, rate: Array) -> tuple[Array, Array, Array]:
        begin = error(layers)

        def going(state: tuple[Layers, Array, Array]) -> Array:
            _, step, now = state
            bad = ~jnp.isfinite(now) | (now > _DIVERGED * (1 + begin))
            return (now >= tolerance) & ~bad & (step < steps)

        def descend(state: tuple[Layers, Array, Array]) -> tuple[Layers, Array, Array]:
            layers, step, _ = state
            slope = jax.grad(error)(layers)
            moved = jax.tree.map(lambda w, g: w - rate * g, layers, slope)
            return moved, step + 1, error(moved)

        _, step, now = jax.lax.while_loop(going, descend, (layers, jnp.int32(0), begin))
        return jnp.where(now < tolerance, step, -1), begin, now

    return jax.vmap(one)(layers, rates)

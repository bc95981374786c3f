"""Small networks on two moons: cross entropy, its gradient, and full-batch descent."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import optax

from initjax.activations import resolve
from initjax.engine.cores import by_cores, cores
from initjax.typing import Activation, Array, HostArray
from sweeps.data.moons import Moons, Points, moons
from sweeps.training.loop import Course, Recipe, descend
from sweeps.training.networks import Network, logits, stack


class Task(NamedTuple):
    """What all networks of one program have in common.

    Attributes:
        activation: Name of the nonlinearity after each hidden layer.
        watch: From a network, its data and φ to what a record holds.
    """

    activation: str
    watch: Callable[[Network, Moons, Activation], Any]


def outputs(network: Network, inputs: Array | HostArray, activation: Activation) -> Array:
    """Logit [point] of the class 1."""
    return logits(network, inputs, activation)[..., 0]


def loss(network: Network, points: Points, activation: Activation) -> Array:
    """Binary cross entropy in nats, mean over the points."""
    found = outputs(network, points.inputs, activation)
    return optax.sigmoid_binary_cross_entropy(found, points.labels).mean()


def accuracy(network: Network, points: Points, activation: Activation) -> Array:
    """Share of the points on the right side of ½."""
    right = (outputs(network, points.inputs, activation) > 0) == (points.labels > 0.5)
    return right.mean()


def train_on_moons(
    networks: Sequence[Network],
    seeds: Sequence[int],
    rates: Sequence[float],
    task: Task,
    at: Sequence[int] | HostArray,
) -> Course[Network, Any]:
    """Train networks of one shape by gradient descent on all their training points.

        θ ← θ - η ∂L/∂θ

    Args:
        networks: Their parameters θ before the first step, outputs of one unit.
        seeds: Of each network, the seed of its points.
        rates: η of each network.
        task: Activation and what is watched.
        at: Steps after which records are made, ascending from 0.

    Returns:
        Last parameters, losses [network, step] and records [network, record, …].
    """
    known = {seed: moons(seed) for seed in set(seeds)}
    data = stack([known[seed] for seed in seeds])
    at = np.asarray(at, np.int32)
    program = partial(_train, at=at, task=task, steps=int(at[-1]))
    each = stack(networks), data, np.asarray(rates, np.float32)
    # One program per core, each with an equal share; what fills up the last is left out.
    count, parts = len(networks), min(cores(), len(networks))
    share = -(-count // parts)
    filled = (np.arange(parts * share) % count).reshape(parts, share)
    shares = jax.tree.map(lambda a: a[filled], each)

    def start(*some: Any) -> Course[Network, Any]:
        """One share, or on an accelerator all of them, as one program."""
        together = jax.tree.map(lambda a: a.reshape(len(a) * share, *a.shape[2:]), some)
        found = program(*together)
        return jax.tree.map(
            lambda a: a.reshape(len(a) // share, share, *a.shape[1:]), found
        )

    found = by_cores(start, *shares)
    return jax.tree.map(lambda a: np.concatenate(a)[:count], found)


@partial(jax.jit, static_argnames=("task", "steps"))
def _train(
    networks: Network, data: Moons, rates: Array, *, at: Array, task: Task, steps: int
) -> Course[Network, Any]:
    """``train_on_moons`` of networks stacked along the first axis."""
    activation = resolve(task.activation).function

    def one(network: Network, points: Moons, rate: Array) -> Course[Network, Any]:
        recipe: Recipe[Network, Any] = Recipe(
            loss=lambda now, _: loss(now, points.train, activation),
            optimizer=optax.sgd(rate),
            watch=lambda now: task.watch(now, points, activation),
        )
        return descend(recipe, network, at, steps)

    return jax.vmap(one)(networks, data, rates)

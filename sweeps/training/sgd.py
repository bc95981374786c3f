"""Networks of one shape, trained by the same program.

Layers and steps are loops, so that what is compiled grows with neither. Whatever their
weights, learning rates and orders of images, networks of one shape share the program: all
at once by vmap on an accelerator, one per core at a time on a CPU.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from initjax.activations import resolve
from initjax.engine.cores import by_cores
from initjax.typing import Array, HostArray
from sweeps import data
from sweeps.harness.grid import Cell
from sweeps.training.loop import Recipe, descend
from sweeps.training.networks import Network, logits, stack


class Trained(NamedTuple):
    """What training leaves of each network.

    Attributes:
        losses: [network, step] cross entropy of the minibatch before each step, nats.
        accuracy: [network] share of all images that end in their class; a network
            without finite outputs calls every image a 0.
    """

    losses: Array | HostArray
    accuracy: Array | HostArray


class Rule(NamedTuple):
    """What all networks of one call have in common.

    Attributes:
        activation: Name of the nonlinearity after each hidden layer.
        momentum: μ of SGD.
    """

    activation: str
    momentum: float = 0.0


def train_on_mnist(
    networks: Sequence[Network],
    cells: Sequence[Cell],
    rule: Rule,
    *,
    steps: int,
    batch: int,
) -> Trained:
    """Train the network of each cell at its rate, on images in the order of its seed."""
    images, labels = data.mnist()
    size = {"steps": steps, "batch": batch, "images": len(images)}
    orders = [minibatches(cell["seed"], **size) for cell in cells]
    return train(networks, [cell["rate"] for cell in cells], orders, images, labels, rule)


def minibatches(seed: int, *, steps: int, batch: int, images: int) -> HostArray:
    """Indices [step, batch] of images, in a new order every epoch; its rest is unused."""
    epoch = images // batch
    random = np.random.default_rng(seed)
    orders = [
        random.permutation(images)[: epoch * batch] for _ in range(-(-steps // epoch))
    ]
    return np.concatenate(orders).reshape(-1, batch)[:steps].astype(np.int32)


def train(
    networks: Sequence[Network],
    rates: Sequence[float],
    orders: Sequence[HostArray],
    images: HostArray,
    labels: HostArray,
    rule: Rule,
) -> Trained:
    """Train networks of one shape by SGD with momentum, then show them every image.

        v ← μ v + ∂L/∂θ,   θ ← θ - η v

    Args:
        networks: Their parameters θ.
        rates: η of each network.
        orders: Of each network, the images [step, batch] that its steps see.
        images: [images, features], shared by all.
        labels: Integer class of each image.
        rule: Activation and μ.
    """
    start = partial(
        _train, images=jnp.asarray(images), labels=jnp.asarray(labels), rule=rule
    )
    return by_cores(start, stack(networks), np.asarray(rates, np.float32), np.stack(orders))


@partial(jax.jit, static_argnames="rule")
def _train(
    networks: Network,
    rates: Array,
    orders: Array,
    *,
    images: Array,
    labels: Array,
    rule: Rule,
) -> Trained:
    """``train`` of networks stacked along the first axis."""
    activation = resolve(rule.activation).function

    def one(network: Network, rate: Array, order: Array) -> Trained:
        def loss(now: Network, step: Array) -> Array:
            chosen = order[step]
            outputs = logits(now, images[chosen], activation)
            each = optax.softmax_cross_entropy_with_integer_labels(outputs, labels[chosen])
            return each.mean()

        def accuracy(now: Network) -> Array:
            return (logits(now, images, activation).argmax(-1) == labels).mean()

        recipe = Recipe(loss, optax.sgd(rate, rule.momentum or None), accuracy)
        steps = len(order)
        course = descend(recipe, network, jnp.array([steps]), steps)
        return Trained(course.losses, course.records[-1])

    return jax.vmap(one)(networks, rates, orders)

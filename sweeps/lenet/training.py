"""Networks of one architecture and stack trained by the same program, whatever their depth.

Weights, depths, rates and orders of images are data. The loop is that of all sweeps.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax.typing import Array, HostArray
from sweeps.data.mnist import Split
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.each import by_modules, over
from sweeps.lenet.networks import LeNet, logits
from sweeps.lenet.optimizers import Hyperparameters, Optimizer, build
from sweeps.lenet.signals import Signals, cross_entropy, signals
from sweeps.training.loop import Course, Recipe, descend
from sweeps.training.networks import stack


class Task(NamedTuple):
    """What all networks of one program have in common.

    Attributes:
        architecture: Of the networks.
        optimizer: How they descend.
    """

    architecture: Architecture
    optimizer: Optimizer


class Record(NamedTuple):
    """What is written down of a network on its way.

    Attributes:
        accuracy: Share of the test images that end in their class; a network without
            finite outputs calls every image a 0.
        loss: Cross entropy of the test images, nats. All of them are one batch, which
            batch normalization has its statistics from.
        signals: Scales by layer, on the images of the network's first step.
    """

    accuracy: Array
    loss: Array
    signals: Signals


def train(
    networks: Sequence[LeNet],
    modules: Sequence[int] | HostArray,
    numbers: Sequence[Hyperparameters],
    orders: Sequence[HostArray],
    data: Split,
    task: Task,
    at: Sequence[int] | HostArray,
) -> Course[LeNet, Record]:
    """Train networks of one architecture and stack, and look at them on their way.

    Args:
        networks: Their parameters before the first step.
        modules: N of each.
        numbers: Hyperparameters of each.
        orders: Of each, the training images [step, batch] that its steps see, as
            ``sweeps.training.sgd.minibatches`` draws them.
        data: Images and labels to train on and to test on.
        task: What they have in common.
        at: Steps after which records are made, ascending; the last one is the last.

    Returns:
        Last parameters, losses [network, step] of the minibatches and records [network,
        record, …], as NumPy arrays.
    """
    program = partial(
        _train,
        data=jax.tree.map(jnp.asarray, (data.train, data.test)),
        at=np.asarray(at, np.int32),
        task=task,
    )
    each = stack([jax.tree.map(np.float32, one) for one in numbers])
    return by_modules(program, np.asarray(modules), stack(networks), each, np.stack(orders))


@partial(jax.jit, static_argnames="task")
def _train(
    modules: Array,
    networks: LeNet,
    numbers: Hyperparameters,
    orders: Array,
    *,
    data: tuple[tuple[Array, Array], tuple[Array, Array]],
    at: Array,
    task: Task,
) -> Course[LeNet, Record]:
    """``train`` of networks of one depth, stacked along the first axis."""
    (images, labels), (test_images, test_labels) = data

    def one(network: LeNet, own: Hyperparameters, order: Array) -> Course[LeNet, Record]:
        def loss(now: LeNet, step: Array) -> Array:
            chosen = order[step]
            outputs = logits(now, images[chosen], modules, task.architecture)
            return cross_entropy(outputs, labels[chosen])

        def watch(now: LeNet) -> Record:
            outputs = logits(now, test_images, modules, task.architecture)
            first = images[order[0]], labels[order[0]]
            return Record(
                (outputs.argmax(-1) == test_labels).mean(),
                cross_entropy(outputs, test_labels),
                signals(now, *first, modules, task.architecture),
            )

        recipe = Recipe(loss, build(task.optimizer, own), watch)
        return descend(recipe, network, at, len(order))

    return over(one, networks, numbers, orders)

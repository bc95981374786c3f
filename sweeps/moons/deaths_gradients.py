"""Gradients of networks with one bias everywhere: at the first step, and in training."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import numpy as np

from initjax.activations import resolve
from initjax.engine.statistics import log10_rms
from initjax.typing import Activation, Array, HostArray, Key
from sweeps.data.moons import Moons, moons
from sweeps.moons.deaths import Scales, Shape, draw
from sweeps.moons.gradients import gradient_norms
from sweeps.moons.training import Task, accuracy, loss, outputs, train_on_moons
from sweeps.training.networks import Network, stack


class Record(NamedTuple):
    """A network at one step, on its training points.

    Attributes:
        weight_grad: [layer] log10 of the L2 norm of ∂L/∂W.
        bias_grad: [layer] log10 of the L2 norm of ∂L/∂b.
        loss: Binary cross entropy, nats.
        accuracy: Share of the points on the right side.
        contrast: log10 of the root mean square difference of the logits from that of
            the first point; -inf of a network that is a constant.
    """

    weight_grad: Array
    bias_grad: Array
    loss: Array
    accuracy: Array
    contrast: Array


def watch(network: Network, data: Moons, activation: Activation) -> Record:
    """The record of a network."""
    found = outputs(network, data.train.inputs, activation)
    return Record(
        *gradient_norms(network, data.train, activation),
        loss(network, data.train, activation),
        accuracy(network, data.train, activation),
        log10_rms(found - found[0]),
    )


class Kind(NamedTuple):
    """Networks that differ in their seeds only.

    Attributes:
        activation: Name of φ.
        scales: Of the weights.
        bias: Value of every bias.
        shape: Of the networks.
    """

    activation: str
    scales: Scales
    bias: float
    shape: Shape


def at_the_start(kind: Kind, seeds: Sequence[int]) -> Record:
    """Records [seed, …] of networks before their first step."""
    data = stack([moons(seed) for seed in seeds])
    return jax.device_get(_start(_drawn(kind, seeds), data, activation=kind.activation))


def in_training(kind: Kind, seeds: Sequence[int], *, rate: float, at: HostArray) -> Record:
    """Records [seed, record, …] of the same networks, made after the steps ``at``."""
    drawn = jax.device_get(_drawn(kind, seeds))
    networks = [jax.tree.map(lambda a, n=n: a[n], drawn) for n in range(len(seeds))]
    task, rates = Task(kind.activation, watch), [rate] * len(seeds)
    return train_on_moons(networks, seeds, rates, task, at).records


def _drawn(kind: Kind, seeds: Sequence[int]) -> Network:
    keys = jax.vmap(jax.random.key)(np.array(seeds))
    return _draw(keys, kind.scales, kind.bias, shape=kind.shape)


@partial(jax.jit, static_argnames="shape")
def _draw(keys: Key, scales: Scales, bias: float, *, shape: Shape) -> Network:
    return jax.vmap(lambda key: draw(key, scales, bias, shape))(keys)


@partial(jax.jit, static_argnames="activation")
def _start(networks: Network, data: Moons, *, activation: str) -> Record:
    return jax.vmap(partial(watch, activation=resolve(activation).function))(networks, data)

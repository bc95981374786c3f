"""initjax: all networks of an activation in one call of the engine."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.engine import Draws, draw_networks, measure_chains
from initjax.typing import Array
from sweeps.contest.job import CLASSES, GAINS, HostArray, Job

LAYERS = 1000
"""Layers that are drawn at once, of as many seeds as have them, of two at least: so the
memory does not grow with the seeds."""


class Drawn(NamedTuple):
    """What some seeds are measured with.

    Attributes:
        weights: Of all layers.
        inputs: [seed, batch, width].
        labels: [seed, batch].
    """

    weights: Draws
    inputs: Array
    labels: Array


def draw(job: Job, some: slice) -> Drawn:
    """Weights and inputs of some seeds."""
    weights_key, inputs_key = jax.random.split(jax.random.key(0))
    keys = jax.random.split(weights_key, job.seeds)[some]
    weights = draw_networks(
        ("normal",),
        keys,
        depth=job.depths[-1],
        width=job.width,
        fan_ins=(job.width,),
        classes=CLASSES,
    )
    shape = (len(keys), job.batch, job.width)
    inputs = init.normal(1.0)(jax.random.fold_in(inputs_key, some.start), shape)
    labels = np.random.default_rng(some.start).integers(CLASSES, size=inputs.shape[:2])
    return Drawn(weights, inputs, jnp.asarray(labels))


def measure(job: Job, drawn: Drawn) -> tuple[HostArray, HostArray]:
    """Both statistics [activation, scheme, depth, seed, layer] of some seeds, as log10."""
    seeds = drawn.inputs.shape[0]
    stds, norms = (a[:, :, :, :seeds] for a in (job.empty(), job.empty()))
    for a, activation in enumerate(job.activations):
        schemes = job.copies * [
            init.normal(1.0),
            init.normal(job.width**-0.5),
            init.xavier_normal(GAINS[activation]),
            init.kaiming_normal(),
        ]
        seen = measure_chains(
            schemes, activation, *drawn, depths=job.depths, among=job.activations
        )
        norms[a] = seen.backward.weight_grad_log10_norm.transpose(3, 1, 0, 2)
        for d, depth in enumerate(job.depths):
            forward = seen.forward.preact_log10_std[:, :depth]
            stds[a, :, d, :, :depth] = forward.transpose(2, 0, 1)
    return stds, norms


def run(job: Job) -> tuple[HostArray, HostArray]:
    """Both statistics of all seeds, some of them after the others."""
    stds, norms = job.empty(), job.empty()
    step = max(2, min(LAYERS // job.depths[-1], job.seeds))
    for first in range(0, job.seeds, step):
        some = slice(first, min(first + step, job.seeds))
        into = np.s_[:, :, :, some]
        stds[into], norms[into] = measure(job, draw(job, some))
    return stds, norms

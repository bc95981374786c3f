"""Softmax regressions with weighted examples, many of one shape by one program.

The loss is convex and training starts from 0, so that seeds differ by their data alone.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from initjax.engine.cores import by_cores
from initjax.typing import Array, HostArray
from sweeps.training.loop import Recipe, descend
from sweeps.training.networks import stack


class Examples(NamedTuple):
    """Inputs [image, feature], classes [image] and weights [image] of mean 1."""

    inputs: Array | HostArray
    labels: Array | HostArray
    weights: Array | HostArray


class Linear(NamedTuple):
    """Kernel [..., feature, class] and bias [..., class]."""

    kernel: Array | HostArray
    bias: Array | HostArray


class Rule(NamedTuple):
    """What all regressions of one program have in common.

    Attributes:
        classes: Number of classes.
        steps: Of the optimizer; of one that follows, for every batch that arrives.
        rate: Its learning rate.
        l2: λ of the penalty.
    """

    classes: int
    steps: int
    rate: float
    l2: float


def examples(
    inputs: HostArray, labels: HostArray, weights: HostArray | None = None
) -> Examples:
    """Examples as the programs want them, of equal weights if none are given."""
    some = np.ones(len(labels)) if weights is None else weights / weights.mean()
    return Examples(
        inputs.astype(np.float32), labels.astype(np.int32), some.astype(np.float32)
    )


def fit(problems: Sequence[Examples], rule: Rule) -> Linear:
    """Train a regression on each of some problems of one shape, by Adam from 0.

    L = mean_i w_i · cross entropy_i + ½ λ |W|²
    """
    found: Linear = by_cores(partial(_fit, rule=rule), stack(problems))
    return found


def follow(
    starts: Linear, arrivals: Sequence[Sequence[Examples]], at: Sequence[int], rule: Rule
) -> Linear:
    """Regressions updated by plain gradient descent on the newest batch only.

    Args:
        starts: Regressions [network] before the first batch.
        arrivals: Of each network, the batches in the order of their arrival.
        at: Numbers of batches after which the regression is kept, ascending.
        rule: Its ``steps`` are taken on every batch.

    Returns:
        Regressions [network, record].
    """
    data = stack([stack(batches) for batches in arrivals])
    records = np.asarray(at, np.int32) * rule.steps
    start = partial(_follow, at=records, rule=rule, steps=int(records[-1]))
    found: Linear = by_cores(start, starts, data)
    return found


def scores(model: Linear, inputs: HostArray) -> HostArray:
    """Logits [..., image, class] of one regression or of a stack, on the host."""
    return inputs @ np.asarray(model.kernel) + np.asarray(model.bias)[..., None, :]


def loss(now: Linear, some: Examples, l2: float) -> Array:
    """Weighted cross entropy in nats and the penalty."""
    outputs = some.inputs @ now.kernel + now.bias
    each = optax.softmax_cross_entropy_with_integer_labels(outputs, some.labels)
    return jnp.mean(some.weights * each) + 0.5 * l2 * jnp.sum(jnp.square(now.kernel))


@partial(jax.jit, static_argnames="rule")
def _fit(problems: Examples, *, rule: Rule) -> Linear:
    """``fit`` of problems stacked along the first axis."""

    def one(some: Examples) -> Linear:
        recipe: Recipe[Linear, Array] = Recipe(
            loss=lambda now, _: loss(now, some, rule.l2),
            optimizer=optax.adam(rule.rate),
            watch=lambda now: now.bias[0],
        )
        shape = some.inputs.shape[-1], rule.classes
        start = Linear(jnp.zeros(shape), jnp.zeros(rule.classes))
        return descend(recipe, start, jnp.array([rule.steps]), rule.steps).last

    return jax.vmap(one)(problems)


@partial(jax.jit, static_argnames=("rule", "steps"))
def _follow(starts: Linear, data: Examples, *, at: Array, rule: Rule, steps: int) -> Linear:
    """``follow`` of regressions and batches [network, batch, image] stacked."""

    def one(start: Linear, batches: Examples) -> Linear:
        def newest(now: Linear, step: Array) -> Array:
            some = jax.tree.map(lambda a: a[step // rule.steps], batches)
            return loss(now, some, rule.l2)

        recipe: Recipe[Linear, Linear] = Recipe(
            newest, optax.sgd(rule.rate), lambda now: now
        )
        return descend(recipe, start, at, steps).records

    return jax.vmap(one)(starts, data)

"""Loss and accuracy of networks before and after their remedies, as columns."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from initjax.engine.cores import by_cores
from initjax.typing import Array
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.mending.checked import checked, starts
from sweeps.mending.images import TRAINED, Images, images
from sweeps.mending.models import MODELS
from sweeps.training.loop import Recipe, descend, log_spaced
from sweeps.training.sgd import minibatches

_FLOAT = 4  # bytes


class Rule(NamedTuple):
    """What the steps of one call have in common.

    Attributes:
        optimizer: sgd or adam.
        momentum: Of SGD.
    """

    optimizer: str
    momentum: float

    def at(self, rate: Array) -> optax.GradientTransformation:
        """The optimizer at a learning rate."""
        if self.optimizer == "adam":
            return optax.adam(rate)
        return optax.sgd(rate, self.momentum or None)


def curves(
    cells: Sequence[Cell], *, momentum: float, batch: int, steps: int, records: int
) -> Mapping[str, Any]:
    """Train networks of one kind and show them the images that are held out.

    Args:
        cells: network, optimizer, rate, state and seed of each.
        momentum: Of SGD.
        batch: Images in a minibatch.
        steps: Minibatches that a network sees.
        records: Rows of each, at most.

    Returns:
        One array per column, one entry per network and record.
    """
    name = cells[0]["network"]
    verdicts, remedy = checked(name).verdicts, checked(name).remedy
    seeds = [cell["seed"] for cell in cells]
    size = {"steps": steps, "batch": batch, "images": TRAINED}
    at = log_spaced(steps, records)[1:]
    found = by_cores(
        partial(
            _train,
            at=jnp.asarray(at),
            shown=images(MODELS[name].shape),
            network=name,
            rule=Rule(cells[0]["optimizer"], momentum),
        ),
        starts(name, [cell["state"] for cell in cells], seeds),
        np.array([cell["rate"] for cell in cells], np.float32),
        np.stack([minibatches(seed, **size) for seed in seeds]),
    )
    settings = {key: np.repeat([c[key] for c in cells], len(at) + 1) for key in cells[0]}
    return {
        **settings,
        "step": np.tile([0, *at], len(cells)),
        "loss": found[0].ravel(),
        "accuracy": found[1].ravel(),
        "verdict": [verdicts[state] for state in settings["state"]],
        "remedy": [remedy] * len(settings["state"]),
    }


@partial(jax.jit, static_argnames=("network", "rule"))
def _train(
    variables: Any,
    rates: Array,
    orders: Array,
    *,
    at: Array,
    shown: Images,
    network: str,
    rule: Rule,
) -> tuple[Array, Array]:
    """Loss and accuracy [network, record] before the first step and after those of at."""
    module = MODELS[network].module

    def loss(now: Any, inputs: Array, labels: Array) -> tuple[Array, Array]:
        outputs = jnp.asarray(module.apply(now, inputs))
        each = optax.softmax_cross_entropy_with_integer_labels(outputs, labels)
        return each.mean(), (outputs.argmax(-1) == labels).mean()

    def one(start: Any, rate: Array, order: Array) -> tuple[Array, Array]:
        def of_step(now: Any, step: Array) -> Array:
            chosen = order[step]
            return loss(now, shown.train[chosen], shown.train_labels[chosen])[0]

        def watch(now: Any) -> tuple[Array, Array]:
            held_out = jnp.asarray(shown.held_out), jnp.asarray(shown.held_out_labels)
            return loss(now, *held_out)

        recipe = Recipe(of_step, rule.at(rate), watch)
        later = descend(recipe, start, at, len(order)).records
        return jax.tree.map(lambda a, b: jnp.append(a, b), watch(start), later)

    return jax.vmap(one)(variables, rates, orders)


def price(cells: Sequence[Cell], *, batch: int, steps: int, records: int) -> Cost:
    """Cost of one call: weights and what a pass keeps for its way back."""
    name, optimizer = cells[0]["network"], cells[0]["optimizer"]
    model = MODELS[name]
    of_one = jnp.zeros((1, *model.shape))
    variables = jax.eval_shape(model.module.init, jax.random.key(0), of_one)
    _, kept = jax.eval_shape(
        partial(model.module.apply, capture_intermediates=True), variables, of_one
    )
    weights, units = _numbers(variables), _numbers(kept)
    shown = _numbers(images(model.shape))
    widest = max(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(kept))
    passing = 2 * max(batch * units, len(images(model.shape).held_out) * widest)
    drawn = steps * (batch + 1)
    numbers = len(cells) * (4 * weights + passing + drawn) + shown
    rows = len(cells) * len(log_spaced(steps, records))
    programs = frozenset({("check", name), ("train", name, optimizer)})
    return Cost(programs, _FLOAT * numbers, rows)


def _numbers(tree: Any) -> int:
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(tree))

"""Loss curves of ReLU networks from several schemes, as columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from initjax import init
from sweeps import schemes
from sweeps.harness.grid import Cell
from sweeps.training.networks import initialize
from sweeps.training.settings import LAST
from sweeps.training.sgd import Rule, train_on_mnist


def loss_curves(
    cells: Sequence[Cell], *, momentum: float, batch: int, steps: int, every: int
) -> Mapping[str, Any]:
    """Train ReLU networks of one shape and record their losses.

    Args:
        cells: scheme, width, depth, rate and seed of each network.
        momentum: Of SGD.
        batch: Images in a minibatch.
        steps: Minibatches that a network sees.
        every: Steps that a record is the mean of.

    Returns:
        One array per column, one entry per network and record.
    """
    networks = [
        initialize(
            jax.random.key(cell["seed"]),
            schemes.build(cell["scheme"], "relu"),
            init.zeros(),
            depth=cell["depth"],
            width=cell["width"],
        )
        for cell in cells
    ]
    rule = Rule("relu", momentum)
    trained = train_on_mnist(networks, cells, rule, steps=steps, batch=batch)
    starts = np.arange(0, steps, every)
    ends = np.minimum(starts + every, steps)
    losses = trained.losses.astype(np.float64)
    means = np.add.reduceat(losses, starts, axis=1) / (ends - starts)
    settings = {name: np.repeat([c[name] for c in cells], len(ends)) for name in cells[0]}
    return {
        **settings,
        "step": np.tile(ends, len(cells)),
        "loss": means.ravel(),
        "last_loss": np.repeat(losses[:, -LAST:].mean(1), len(ends)),
        "accuracy": np.repeat(trained.accuracy, len(ends)),
    }

"""Accuracies of tanh networks from a point of the plane of σ_w² and σ_b², as columns."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import jax
import numpy as np

from initjax import init
from sweeps.harness.grid import Cell
from sweeps.training.networks import initialize
from sweeps.training.settings import LAST
from sweeps.training.sgd import Rule, train_on_mnist


def accuracies(cells: Sequence[Cell], *, batch: int, steps: int) -> Mapping[str, Any]:
    """Train tanh networks of one shape, biases too, by SGD without momentum.

        W ~ N(0, σ_w² / fan_in),   b ~ N(0, σ_b²)

    Args:
        cells: sigma_w2, sigma_b2, width, depth, rate and seed of each network.
        batch: Images in a minibatch.
        steps: Minibatches that a network sees.

    Returns:
        One array per column, one entry per network.
    """
    networks = [
        initialize(
            jax.random.key(cell["seed"]),
            init.variance_scaling(cell["sigma_w2"], "fan_in", "normal"),
            init.normal(sqrt(cell["sigma_b2"])),
            depth=cell["depth"],
            width=cell["width"],
        )
        for cell in cells
    ]
    trained = train_on_mnist(networks, cells, Rule("tanh"), steps=steps, batch=batch)
    return {
        **{name: [cell[name] for cell in cells] for name in cells[0]},
        "last_loss": trained.losses[:, -LAST:].mean(1, dtype=np.float64),
        "accuracy": trained.accuracy,
    }

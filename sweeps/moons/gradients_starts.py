"""The 2-3-3-3-3-1 networks before training, drawn once and scaled for each scheme."""

from collections.abc import Sequence
from functools import cache

import jax
import numpy as np

from initjax import init
from initjax.init import ScaledInitializer
from sweeps import schemes
from sweeps.harness.grid import Cell
from sweeps.training.networks import Dense, Network, initialize

DEPTH, WIDTH, INPUTS = 4, 3, 2
"""Hidden layers, units of each, and coordinates of a point."""


def networks(cells: Sequence[Cell]) -> list[Network]:
    """The network of each cell: its weights by scheme and seed, one bias everywhere."""
    return [_scaled(cell) for cell in cells]


def _scaled(cell: Cell) -> Network:
    scheme = schemes.build(cell["scheme"], cell["activation"])

    def dense(unit: Dense) -> Dense:
        scale = np.float32(scheme.scale(unit.kernel.shape[-2:]))
        bias = np.full_like(unit.bias, cell["bias"])
        return Dense(np.asarray(scale * unit.kernel), bias)

    return Network(*(dense(unit) for unit in _unit(scheme.base, cell["seed"])))


@cache
def _unit(base: str, seed: int) -> Network:
    """Draws of second moment 1, which all schemes and activations of a seed share."""
    return initialize(
        jax.random.key(seed),
        ScaledInitializer(base, base, lambda _: 1.0),
        init.zeros(),
        depth=DEPTH,
        width=WIDTH,
        fan_in=INPUTS,
        classes=1,
    )

"""Networks of one hidden layer before training, from symmetric to random.

Those of one seed share their draws, so that starts are compared in pairs.
"""

import jax
import numpy as np

from initjax import init
from initjax.typing import Initializer
from sweeps import schemes
from sweeps.moons.symmetry_names import COPIED, constant
from sweeps.training.networks import Dense, Network, initialize


def network(start: str, seed: int, width: int) -> Network:
    """A 2-width-1 network; its biases are 0.

    Args:
        start: Of ``symmetry_names.starts``.
        seed: Of the draws.
        width: Hidden units.
    """
    drawn = initialize(
        jax.random.key(seed),
        _kernel_init(start),
        init.zeros(),
        depth=1,
        width=width,
        fan_in=2,
        classes=1,
    )
    entry, readout = drawn.entry.kernel, drawn.readout.kernel
    if start in ("identical_rows", "random_readout"):
        entry = np.repeat(entry[:, :1], width, axis=1)
    if start == "identical_rows":
        readout = np.repeat(readout[:1], width, axis=0)
    if start == "zero_readout":
        readout = np.zeros_like(readout)
    return Network(
        Dense(entry, drawn.entry.bias), drawn.hidden, Dense(readout, drawn.readout.bias)
    )


def _kernel_init(start: str) -> Initializer:
    number = constant(start)
    if number is not None:
        return init.constant(number)
    return init.normal(1.0) if start in COPIED else schemes.build(start, "sigmoid")

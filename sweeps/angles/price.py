"""What ``sweeps.angles.rows`` compiles, holds and returns, from the settings alone."""

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from initjax.engine.cores import cores, seeds_in_program
from sweeps.angles.sizes import (
    ANGLE_BINS,
    BLOCK,
    NETWORKS,
    VECTORS,
    recorded_layers,
    size,
    value_bins,
)
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell

_FLOAT = 4  # bytes


def price(cells: Sequence[Cell], layers: Mapping[str, int]) -> Cost:
    """Cost of one call; the memory is an estimate.

    Example:
        >>> cell = {"part": "matrices", "law": "gaussian", "outputs": 9, "inputs": 9}
        >>> price([cell | {"activation": "identity", "seed": 0}], {}).rows
        124
    """
    first = cells[0]
    part, law, m, n = (first[name] for name in ("part", "law", "outputs", "inputs"))
    seeds = len({cell["seed"] for cell in cells})
    # By cores on a CPU, else all of them.
    at_once = _FLOAT * max(min(seeds, cores()), seeds_in_program([np.empty(seeds)]))
    drawn = {("orthogonal", m, n) if law == "orthogonal" else ("entries", law)}
    if part == "matrices":
        of = size(m, n)
        # The matrices, their products, and on the host the same in float64.
        entries = of.columns * (m + of.columns) + VECTORS * (m + of.columns)
        held = BLOCK + 2 * of.matrices * entries + 4 * of.decomposed * entries
        spectrum = value_bins(m, n) + of.decomposed if of.decomposed else 0
        programs = frozenset({*drawn, ("seen", of[:4])})
        return Cost(programs, at_once * held, seeds * (1 + ANGLE_BINS + spectrum))
    if part == "layers":
        remedies, depth = len(cells) // seeds, layers["layers"]
        run: Hashable = ("lengths", first["activation"], n, depth, remedies)
        held = BLOCK + 2 * depth * n * n + 4 * remedies * VECTORS * n
        rows = len(cells) * depth
    else:
        run = ("powers", n, layers["depth"])
        held = 3 * max(BLOCK, NETWORKS * layers["depth"] * n * n)
        rows = seeds * NETWORKS * len(recorded_layers(layers["depth"]))
    return Cost(frozenset({*drawn, run}), at_once * held, rows)

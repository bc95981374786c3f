"""What ``sweeps.moons.deaths_rows`` compiles, holds and returns: by the settings alone."""

from collections.abc import Sequence

from sweeps.data.moons import SPLIT
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.moons.deaths import AT_ONCE
from sweeps.moons.deaths_rows import RECORDS, Size, recorded_layers
from sweeps.training.loop import log_spaced

_FLOAT = 4  # bytes


def price(cells: Sequence[Cell], size: Size) -> Cost:
    """Cost of one call; the memory is an estimate, XLA decides what it copies.

    Example:
        >>> cell = {"part": "scan", "activation": "relu", "scheme": "he_normal"}
        >>> cell |= {"bias": 0.0, "width": 3, "depth": 8, "seed": 0}
        >>> price([cell], Size(100, 0, 0.0)).rows
        4
    """
    first = cells[0]
    part, width, depth = first["part"], first["width"], first["depth"]
    sets = len(group(cells, lambda cell: (cell["scheme"], cell["seed"])))
    points, weights = SPLIT[0], depth * width**2
    if part in ("scan", "depths"):
        count = size.of(part)
        held = 3 * min(count, AT_ONCE) * points * width + 2 * count * weights
        rows = len(cells) * len(recorded_layers(part, depth))
    else:
        records = 1 if part == "start" else len(log_spaced(size.steps, RECORDS))
        held = 3 * sum(SPLIT) + 3 * weights + 2 * depth * points * width
        rows = len(cells) * records * (depth + 1)
    program = (part, first["activation"], width, depth)
    return Cost(frozenset({program}), _FLOAT * held * sets, rows)

"""What ``sweeps.narrow.rows`` compiles, holds and returns, from the settings alone."""

from collections.abc import Mapping, Sequence

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.narrow.rows import of_width, recorded_layers

_FLOAT = 4  # bytes


def price(cells: Sequence[Cell], networks: Mapping[str, int]) -> Cost:
    """Cost of one call; the memory is an estimate, XLA decides what it copies.

    Example:
        >>> cell = {"part": "deaths", "activation": "relu", "width": 3, "depth": 49}
        >>> price([cell | {"seed": 0}], {"deaths": 100}).rows
        49
    """
    first = cells[0]
    part, width, depth = first["part"], first["width"], first["depth"]
    names = tuple(dict.fromkeys(cell["activation"] for cell in cells))
    sets = len(group(cells, lambda cell: cell["seed"]))
    if part == "deaths":
        held, rows = networks[part] * depth * width**2, sets * depth
    elif part == "lengths":
        held = 3 * max(width**2, 2**16)
        rows = len(cells) * networks[part] * len(recorded_layers(depth))
    else:
        at_once = max(1, min(of_width(networks[part], width), 2**16 // width**2))
        held = at_once * depth * (width**2 + 2 * len(names) * 8 * width)
        rows = len(cells)
    programs = frozenset({(part, width, depth, names, networks[part])})
    return Cost(programs, 2 * _FLOAT * held, rows)

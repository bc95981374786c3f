"""What networks of one program cost, before anything is compiled."""

from collections.abc import Hashable, Sequence

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.lenet.rooms import room
from sweeps.lenet.studies import records

_FLOAT = 4  # bytes
_PIXELS = 784
_MODULE = 2 * (5 * 5 * 16 * 16 + 3 * 16)  # weights, biases and scales
_REST = 5 * 5 * 6 + 5 * 5 * 6 * 16 + 784 * 120 + 120 * 84 + 84 * 10
_MAPS = 5 * 14 * 14 * 6 + 28 * 28 * 6  # what the stem makes of an image, rows five times


def program(cell: Cell) -> Hashable:
    """Networks with equal values share what is compiled; numbers and depths are data."""
    compiled = ("activation", "cure", "optimizer", "transform", "threshold", "steps")
    seen = len(records(cell)) if cell["steps"] else 0
    return *(cell[name] for name in compiled), seen, room(cell["modules"], seen > 0)


def price(
    cells: Sequence[Cell], *, batch: int, images: tuple[int, int], at_once: int
) -> Cost:
    """Cost of one call of networks that share a program.

    Args:
        cells: The networks.
        batch: Images of a minibatch.
        images: To train and to test on.
        at_once: Networks that run at the same time; 0 for all.
    """
    trained = cells[0]["steps"] > 0
    weights = _REST + _MODULE * max(room(cell["modules"], trained) for cell in cells)
    deepest = max(cell["modules"] for cell in cells)
    # As a list and as a stack; trained ones once more each.
    held = len(cells) * ((4 if trained else 2) * weights + batch * cells[0]["steps"])
    passing = batch * (3 * _MAPS + 8 * deepest * _PIXELS)
    if trained:
        passing += 3 * images[1] * _MAPS
    running = (at_once or len(cells)) * ((6 if trained else 3) * weights + passing)
    seen = [len(records(cell)) if cell["steps"] else 1 for cell in cells]
    rows = sum(
        (2 * cell["modules"] + 5) * times if cell["part"] == "layers" else 1
        for cell, times in zip(cells, seen, strict=True)
    )
    programs = frozenset(program(cell) for cell in cells)
    numbers = held + running + 2 * sum(images) * _PIXELS
    return Cost(programs, _FLOAT * numbers, rows)

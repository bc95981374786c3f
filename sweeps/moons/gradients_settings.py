"""What ``sweeps.vanishing_gradient`` checks and forecasts before anything is drawn."""

import math
from collections.abc import Mapping, Sequence

from sweeps import axes
from sweeps.data.moons import SPLIT
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.training.loop import log_spaced

LAYERS = 5
"""Layers of weights of the network 2-3-3-3-3-1."""
RECORDS = 20
"""Records at most of a network in training."""

_FLOAT = 4  # bytes
_HIDDEN = 12  # units of all hidden layers


def finite(axis: str, values: Sequence[float]) -> tuple[float, ...]:
    """Finite numbers, each once.

    Raises:
        ValueError: for another value, or for none at all.

    Example:
        >>> finite("biases", [1, 0, 1.0])
        (1.0, 0.0)
    """
    wrong = [value for value in values if not math.isfinite(value)]
    if wrong or not values:
        raise ValueError(f"--{axis} must be finite numbers; got {(wrong or values)!r}")
    return tuple(dict.fromkeys(float(value) for value in values))


def starts(
    schemes: Sequence[str], biases: Sequence[float]
) -> tuple[tuple[str, float], ...]:
    """Initializer and bias of the networks in training.

    Raises:
        ValueError: if there are not as many of both, or one of them makes no sense.

    Example:
        >>> starts(["normal(0.01)", "xavier_normal"], [1, 1])
        (('normal(0.01)', 1.0), ('xavier_normal', 1.0))
    """
    if len(schemes) != len(biases):
        raise ValueError(
            f"--trained-biases must be one for each of --trained, {len(schemes)}; "
            f"got {len(biases)}"
        )
    names = [axes.schemes([scheme])[0] for scheme in schemes]
    numbers = [finite("trained-biases", [bias])[0] for bias in biases]
    if not names:
        raise ValueError("--trained needs at least one value")
    return tuple(dict.fromkeys(zip(names, numbers, strict=True)))


def padded(count: int, block: int) -> int:
    """The least multiple of ``block`` that is not below ``count``.

    Example:
        >>> [padded(count, 4) for count in (3, 4, 5)]
        [4, 4, 8]
    """
    return -(-count // block) * block


def price(cells: Sequence[Cell], steps: Mapping[str, int], block: int) -> Cost:
    """Programs, memory and rows of one call for networks of one part and activation.

    Args:
        cells: The networks.
        steps: Of each part, 0 of that before the first step.
        block: Number of networks that a call is filled up to a multiple of; before the
            first step, they are measured so many at once.

    Example:
        >>> price([{"part": "first", "activation": "relu"}], {"first": 0}, 1).rows
        5
    """
    part, activation = cells[0]["part"], cells[0]["activation"]
    records = len(log_spaced(steps[part], RECORDS)) if steps[part] else 1
    passing = SPLIT[0] * _HIDDEN  # a number for each point and unit
    count = padded(len(cells), block)
    if steps[part]:
        numbers = count * (3 * sum(SPLIT) + 4 * passing + steps[part])
    else:  # in float64, one after the other
        numbers = 2 * (count * 3 * SPLIT[0] + 6 * passing)
    size = count if steps[part] else block
    programs = frozenset({(part, activation, size, records)})
    return Cost(programs, _FLOAT * numbers, LAYERS * records * len(cells))

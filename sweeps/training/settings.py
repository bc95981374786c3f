"""What the sweeps that train have in common before anything is trained."""

from collections.abc import Sequence

from sweeps import axes, data
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell

LAST = 50
"""Steps at the end whose mean loss stands for the network."""

_FLOAT = 4  # bytes


def check_steps(batch: int, steps: int, momentum: float) -> None:
    """See that networks can be trained so.

    Raises:
        ValueError: if they cannot.
    """
    axes.within("batch", [batch], 1, data.MNIST_IMAGES)
    axes.within("steps", [steps], LAST, 10_000_000)
    if not 0 <= momentum < 1:
        raise ValueError(f"--momentum must be from 0 to below 1; got {momentum}")


def cost(cells: Sequence[Cell], *, batch: int, steps: int, rows: int) -> Cost:
    """Programs, memory and rows of training networks of one width and depth at once.

    Args:
        cells: The networks.
        batch: Images in a minibatch.
        steps: Minibatches that a network sees.
        rows: Of the table, for each of them.
    """
    width, depth = cells[0]["width"], cells[0]["depth"]
    weights = width * (data.MNIST_PIXELS + (depth - 1) * width + data.CLASSES)
    drawn = steps * (batch + 1)  # the order of the images, and the losses
    passing = max(2 * depth * batch, 2 * data.MNIST_IMAGES) * width
    shared = data.MNIST_IMAGES * data.MNIST_PIXELS
    numbers = len(cells) * (5 * weights + passing + drawn) + shared
    return Cost(frozenset({("train", width, depth)}), _FLOAT * numbers, rows * len(cells))

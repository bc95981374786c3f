"""How much of how many matrices a seed draws, from their shape alone."""

import math
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.near_orthogonality import ANGLE_BIN, VALUE_BIN

_WHOLE = 1024
_COLUMNS = 256
_DECOMPOSED = 2**18  # entries of a seed, unless one matrix has more
_MOST, _MOST_DECOMPOSED = 200, 32

BLOCK = 2**20
"""Independent entries that are drawn at once; the matrices of a seed have no more, unless
one of them has."""
VECTORS = 64
"""Inputs that a matrix or a network is applied to."""
NETWORKS = 8
"""Deep linear networks of a seed."""
ANGLE_BINS = 2 * round(5 / ANGLE_BIN) + 1
"""Bins of √n (θ − 90°), the middle one around 0; the outermost hold all beyond."""


class Size(NamedTuple):
    """Matrices of one shape.

    Attributes:
        outputs: Rows m.
        inputs: Columns n.
        columns: Columns that are drawn: all, or some if there are more than 1,024.
        matrices: Drawn by a seed.
        decomposed: Of these, how many into singular values; none that is not whole.
    """

    outputs: int
    inputs: int
    columns: int
    matrices: int
    decomposed: int

    @property
    def block(self) -> int:
        """Orthogonal matrices that are drawn at once."""
        return max(1, 2**14 // (self.outputs * self.inputs))


def size(outputs: int, inputs: int) -> Size:
    """As many matrices as have a million entries, at most 200.

    Example:
        >>> size(256, 256)
        Size(outputs=256, inputs=256, columns=256, matrices=16, decomposed=4)
        >>> size(4096, 4096)[2:]
        (256, 1, 0)
    """
    columns = inputs if inputs <= _WHOLE else _COLUMNS
    entries = outputs * columns
    matrices = min(_MOST, max(1, BLOCK // entries))
    decomposed = min(_MOST_DECOMPOSED, max(1, _DECOMPOSED // entries))
    whole = columns == inputs and outputs <= 4 * _WHOLE
    return Size(outputs, inputs, columns, matrices, decomposed if whole else 0)


def value_bins(outputs: int, inputs: int) -> int:
    """Bins of singular values, to a quarter beyond the edge; the last holds all beyond.

    Example:
        >>> value_bins(9, 9)
        50
    """
    return math.ceil(1.25 * (1 + math.sqrt(inputs / outputs)) / VALUE_BIN)


def recorded_layers(depth: int) -> HostArray:
    """Layers at which deep networks are recorded: powers of 2 and the last one.

    Example:
        >>> recorded_layers(20).tolist()
        [1, 2, 4, 8, 16, 20]
    """
    return np.unique([*2 ** np.arange(int(np.log2(depth)) + 1), depth])

"""All roots of many functions of one variable that share a grid."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initjax.typing import HostArray

ZERO = 1e-12  # values up to here count as 0: rounding of quadrature

Rows = Callable[[HostArray, HostArray], tuple[HostArray, HostArray]]
"""Indices of functions and points, broadcast: values and slopes."""


class Roots(NamedTuple):
    """Roots in the order of the functions, ascending for each.

    Attributes:
        row: Index of the function.
        x: Where it is 0.
        touching: Whether it keeps its sign there.
    """

    row: HostArray
    x: HostArray
    touching: HostArray


def signs(values: HostArray) -> HostArray:
    """-1, 0 or 1, where values below rounding are 0."""
    return np.where(np.abs(values) <= ZERO, 0.0, np.sign(values))


def all_roots(function: Rows, rows: int, grid: HostArray) -> Roots:
    """Roots of functions 0 … rows - 1 between points where they are not 0.

    Between neighbours of opposite sign there is one root; between those of one
    sign, where the slopes turn, the extremum decides whether there are two, one
    that touches, or none. A stretch of zeros at an end of the grid is no root,
    and a function that is 0 all over has none: ask ``signs``.

    Args:
        function: Values and slopes, which must be those of the values.
        rows: How many functions.
        grid: Ascending, fine enough that a function turns once in a cell at most.
    """
    values, slopes = function(np.arange(rows)[:, None], grid[None, :])
    sign = signs(values)
    row, column = np.nonzero(sign)
    same = row[1:] == row[:-1]
    row, a, b = row[:-1][same], column[:-1][same], column[1:][same]
    before, after = sign[row, a], sign[row, b]
    crossing = before != after
    dip = ~crossing & (before * slopes[row, a] < 0) & (before * slopes[row, b] > 0)
    found = [_bisected(function, 0, row[crossing], grid[a[crossing]], grid[b[crossing]])]
    owners, touches = [row[crossing]], [np.zeros(crossing.sum(), bool)]
    r, low, high = row[dip], grid[a[dip]], grid[b[dip]]
    turn = _bisected(function, 1, r, low, high)
    least = signs(function(r, turn)[0]) * before[dip]
    for left, right in ((low, turn), (turn, high)):
        two = least < 0
        found.append(_bisected(function, 0, r[two], left[two], right[two]))
        owners.append(r[two])
        touches.append(np.zeros(two.sum(), bool))
    found.append(turn[least == 0])
    owners.append(r[least == 0])
    touches.append(np.ones((least == 0).sum(), bool))
    row, x, touching = map(np.concatenate, (owners, found, touches))
    order = np.lexsort((x, row))
    return Roots(row[order], x[order], touching[order])


def _bisected(
    function: Rows, part: int, rows: HostArray, low: HostArray, high: HostArray
) -> HostArray:
    """Where the value (part 0) or the slope (part 1) changes its sign."""
    positive = function(rows, low)[part] > 0
    for _ in range(60):
        middle = (low + high) / 2
        left = (function(rows, middle)[part] > 0) == positive
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return (low + high) / 2

"""Adaptive Gauss-Legendre integration of many intervals at once."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from initjax.quadrature.kinks import legendre_rule
from initjax.typing import HostArray

# Index of the integral [pieces] and nodes [pieces, 24] -> values and masses there.
Integrand: TypeAlias = Callable[[HostArray, HostArray], tuple[HostArray, HostArray]]

_RESOLVED = 1e-12  # last Legendre coefficients of a piece, relative to the mass
_SHARE = 1e-3  # of the largest mass of a group: below it a mass does not count
_SHORT = 1e-14  # relative to its place or 1e-12: what is shorter holds nothing
_TAIL = 4


class UnresolvedError(ValueError):
    """An integrand that stays rough on all the pieces that may be spent on it."""


def integrals(
    integrand: Integrand,
    edges: HostArray,
    budget: int,
    group: HostArray | None = None,
    largest: HostArray | None = None,
) -> tuple[HostArray, HostArray]:
    """Integrals of many functions, each over its own partition.

    A piece is halved until the last Legendre coefficients of the integrand on it
    do not count; the rule is exact to twice that degree. A smooth integrand is
    then integrated to rounding, one with a jump off the edges to 1e-12.

    Args:
        integrand: Values, and magnitudes to which they are compared; the total
            of the latter is what an error is measured by.
        edges: Ends of the first pieces, ascending, [integrals, edges].
        budget: Number of pieces per integral, on average and beside the first
            ones, that is never passed.
        group: What each integral is a part of, [integrals]: where its mass is
            small beside that of others in the group, rounding in it is no concern.
        largest: Largest mass that was found in each group, [groups]; updated.

    Returns:
        Integrals and total magnitudes, [integrals] each.

    Raises:
        UnresolvedError: when the budget is spent.
    """
    nodes, weights = legendre_rule()
    basis = weights[:, None] * np.polynomial.legendre.legvander(nodes, nodes.size - 1)
    last = (basis * (np.arange(nodes.size) + 0.5))[:, -_TAIL:]
    count = len(edges)
    row, at = np.nonzero(np.diff(edges) > _SHORT * np.abs(edges[:, 1:]).clip(1e-12))
    left, right = edges[row, at], edges[row, at + 1]
    value, mass, spent = np.zeros(count), np.zeros(count), -row.size
    while row.size:
        spent += row.size
        if spent > budget * count:
            raise UnresolvedError(f"{spent} pieces do not resolve {count} integrals")
        half = (right - left) / 2
        values, masses = integrand(row, (left + half)[:, None] + half[:, None] * nodes)
        here, there = half * (values @ weights), half * (masses @ weights)
        total = mass + np.bincount(row, there, count)
        scale = total
        if group is not None and largest is not None:
            np.maximum.at(largest, group, total)
            scale = np.maximum(total, _SHARE * largest[group])
        rough = half * np.abs(values @ last).max(1) > _RESOLVED * scale[row]
        done = ~rough
        value += np.bincount(row[done], here[done], count)
        mass += np.bincount(row[done], there[done], count)
        row, left, right = row[rough], left[rough], right[rough]
        middle = (left + right) / 2
        row = np.concatenate([row, row])
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return value, mass

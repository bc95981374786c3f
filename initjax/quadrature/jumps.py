"""Kinks in the strict sense, apart from the cuts that only serve convergence."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from initjax.activations import NamedActivation, resolve
from initjax.quadrature.host import HostFunction, on_host, value_and_slope
from initjax.quadrature.kinks import breakpoints
from initjax.typing import HostArray

_ASIDE = 1e-9  # how far from a kink its two sides are looked at, relative
_COUNTS = 1e-12  # a jump, relative to the values around


def partitions(
    activation: NamedActivation, reach: float
) -> Iterator[tuple[HostArray, HostArray]]:
    """Cuts of the line to try, the cheap ones first, and which of them are kinks.

    A jump that falls between an end and the first node of a piece would go
    unseen by any check of the piece, so that what a caller declares is completed
    by a search; the project's own table is trusted first.
    """
    declared = np.asarray(activation.kinks or (), np.float64)
    if is_ours(activation):
        yield declared, declared
    searched = np.array(breakpoints(replace(activation, kinks=None), reach))
    gaps = np.diff(searched)
    # What lies wide apart serves a series in one variable, and pairs adapt.
    fine = np.append(gaps < 0.4, False) | np.append(False, gaps < 0.4)
    enclosed = gaps < 1e-14 * np.abs(searched[1:]).clip(1e-3)
    # Where the search met a kink by chance with an end, it did not enclose it.
    jumping = (_steps(value_and_slope(activation), searched) != 0).any(0)
    inside = np.abs(searched) <= reach
    kinks = np.append(searched[(np.append(enclosed, False) | jumping) & inside], declared)
    cuts = np.append(searched[(fine | jumping) & inside], declared)
    yield np.unique(cuts), apart(kinks)


def jumps(
    activation: NamedActivation, *, order: int = 0, reach: float = 64.0
) -> tuple[HostArray, HostArray]:
    """Where φ (order 0) or φ′ (order 1) jumps, and by how much.

    Args:
        activation: φ, from ``initjax.activations.resolve``.
        order: 0 for φ and 1 for φ′.
        reach: Kinks that are not known are searched in [-reach, reach].

    Returns:
        Points in ascending order and f(x + 0) − f(x − 0) at each.

    Example:
        >>> from initjax.activations import resolve
        >>> points, sizes = jumps(resolve("leaky_relu(0.2)"), order=1)
        >>> points.tolist(), sizes.round(12).tolist()
        ([0.0], [0.8])
    """
    kinks = next(partitions(activation, reach))[1]
    sizes = _steps(on_host(activation, order), kinks)
    return kinks[sizes != 0], sizes[sizes != 0]


def _steps(f: HostFunction, points: HostArray) -> HostArray:
    """Jumps of f, of any shape [..., points]; 0 where it is continuous.

    Looked at from a quarter as far, a jump is as large, a slope a quarter as high, and
    what grows like a power of the distance between.
    """
    aside = _ASIDE * np.abs(points).clip(1)
    with np.errstate(over="ignore", invalid="ignore"):
        near, far = (f(points + e) - f(points - e) for e in (aside / 4, aside))
        around = np.abs(
            f(points + np.stack([-1 + 0 * aside, 1 + 0 * aside, -aside, aside]))
        )
        scale = np.maximum(around.max(-2), np.abs(near))
        jumping = (np.abs(near) > 0.9 * np.abs(far)) & (np.abs(near) > _COUNTS * scale)
        return np.where(jumping, (4 * near - far) / 3, 0.0)


def apart(points: HostArray) -> HostArray:
    """Points in ascending order, each once: a search gives both ends of what it finds."""
    points = np.unique(points)
    return points[np.diff(points, prepend=-np.inf) > _ASIDE * np.abs(points).clip(1)]


def is_ours(activation: NamedActivation) -> bool:
    """Whether an activation stands in the project's table, whose kinks are trusted."""
    try:
        return resolve(activation.name) is activation
    except ValueError:
        return False

"""Cells of the plane to columns: where inputs start, and what their networks do."""

import contextlib
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from initjax import meanfield
from initjax.engine.cores import by_cores
from initjax.typing import HostArray
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.plane.networks import BUNDLE, FEW, Points, draw, propagate

_OFF = 0.1
"""How far from c* the two bundles start."""
_CLOSE = (1e-5, 1e-3)
"""1 - c of the two bundles where c* = 1."""


def columns(cells: Sequence[Cell], layers: int, every: int) -> Mapping[str, Any]:
    """Measure networks of one width: per activation one program, seeds over the cores.

    Args:
        cells: Settings: activation, point, sigma_w, sigma_b, width, seed.
        layers: Layers of a network.
        every: Layers from one row to the next.

    Returns:
        One array per column, one entry per cell and recorded layer.
    """
    seeds = list(dict.fromkeys(cell["seed"] for cell in cells))
    keys = jax.vmap(jax.random.key)(np.array(seeds))
    draws = draw(keys, width=cells[0]["width"], layers=layers)
    recorded = np.arange(0, layers + 1, every)
    parts: list[dict[str, HostArray]] = []
    for same in group(cells, lambda cell: cell["activation"]):
        name = same[0]["activation"]
        places = group(same, lambda cell: (cell["point"], cell["sigma_w"], cell["sigma_b"]))
        points = start(name, [place[0] for place in places])
        seen = by_cores(partial(propagate, name, points), draws)
        for n, place in enumerate(places):
            for cell in place:
                of = seeds.index(cell["seed"])
                rows = {column: np.full(len(recorded), cell[column]) for column in cell}
                found = {c: a[of, recorded, n] for c, a in seen._asdict().items()}
                parts.append({**rows, "layer": recorded, **found})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def start(activation: str, cells: Sequence[Cell]) -> Points:
    """Where the inputs start at points of the plane: near (q*, c*), as theory has it.

    On the critical line q* is the fixed point with χ₁ = 1, which need not attract.
    Where there is no fixed point inputs start at q = 1 and close together.
    """
    places = [(cell["point"], cell["sigma_w"], cell["sigma_b"]) for cell in cells]
    return _start(activation, tuple(places))


@cache
def _start(activation: str, places: tuple[tuple[str, float, float], ...]) -> Points:
    """Solved once for all seeds; c* where χ₁ > 1, for elsewhere it is 1."""
    sigma_w, sigma_b = (np.array(axis) for axis in list(zip(*places, strict=True))[1:])
    q = meanfield.q_star(activation, sigma_w=sigma_w, sigma_b=sigma_b)
    for n, (point, _, shift) in enumerate(places):
        if point == "critical":
            q[n] = meanfield.length_stability(activation, sigma_b=shift).q
    known = np.isfinite(q) & (q > 0)
    q = np.where(known, q, 1.0)
    chaotic = known & (meanfield.chi(activation, q=q, sigma_w=sigma_w) > 1 + 1e-6)
    at = {"sigma_w": sigma_w[chaotic], "sigma_b": sigma_b[chaotic]}
    apart = np.zeros(len(q))
    apart[chaotic] = 1 - meanfield.c_star(activation, **at)
    off = np.minimum(_OFF, apart / 5)
    near = np.where(chaotic, apart - off, _CLOSE[0])
    far = np.where(chaotic, np.minimum(apart + off, 1.0), _CLOSE[1])
    return Points(*(np.float32(value) for value in (sigma_w, sigma_b, q, near, far)))


def critical_points(activation: str, sigma_b: Sequence[float]) -> list[Cell]:
    """The points with χ₁ = 1 at these σ_b, as far as there are any.

    Example:
        >>> [point["sigma_w"] for point in critical_points("erf", [0.1, 1.0])]
        [1.055595, 1.648751]
        >>> critical_points("relu", [0.1])
        []
    """
    found = []
    for each in sigma_b:
        with contextlib.suppress(meanfield.NoCriticalPointError):
            sigma_w = meanfield.critical_sigma_w(activation, sigma_b=each)
            found.append({"sigma_w": float(f"{sigma_w:.7g}"), "sigma_b": each})
    return found


def cost(cells: Sequence[Cell], layers: int, every: int) -> Cost:
    """Programs, memory and rows of one call of ``columns`` with these cells.

    Example:
        >>> cell = {"activation": "tanh", "width": 64, "seed": 0, "point": "grid"}
        >>> cost([cell | {"sigma_w": 1.0, "sigma_b": 0.1}], layers=4, every=2).rows
        3
    """
    width = cells[0]["width"]
    seeds = len({cell["seed"] for cell in cells})
    sizes = [len(same) // seeds for same in group(cells, lambda cell: cell["activation"])]
    names = dict.fromkeys(cell["activation"] for cell in cells)
    programs = {("draw", seeds, width, layers)}
    programs |= {
        (name, size, width, layers) for name, size in zip(names, sizes, strict=True)
    }
    inputs = max(sizes) * width * (4 * (2 * BUNDLE + 3 * FEW) + layers * FEW)
    memory = 4 * seeds * (layers * width * (width + 1) + inputs)
    return Cost(frozenset(programs), memory, len(cells) * (layers // every + 1))

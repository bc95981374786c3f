"""Networks with each gain in every layer, by the engine: one draw serves them all."""

from collections.abc import Sequence

import numpy as np

from sweeps import networks
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.networks_cost import cost as networks_cost
from sweeps.networks_cost import distinct
from sweeps.responses.kinds import KINDS, gain_of

BATCH = 16
"""Inputs of a network, standard normal."""


def signals(cells: Sequence[Cell], layers: int) -> list[dict[str, object]]:
    """Rows of some layers of each network, in the order of the cells.

    Args:
        cells: Networks of one width and depth, without biases.
        layers: How many layers are recorded, evenly spaced from the first to the last.
    """
    seen = networks.columns(_engine_cells(cells), cells[0]["depth"])
    kept = recorded(cells[0]["depth"], layers)
    found = []
    for cell in cells:
        settings = _engine_cell(cell)
        same = np.all([seen[name] == value for name, value in settings.items()], axis=0)
        rows = {
            name: seen[name][same][kept] for name in ("act_log10_rms", "delta_log10_rms")
        }
        found.append({"layer": kept, "gain": _gain(cell), **rows})
    return found


def signals_cost(cells: Sequence[Cell], layers: int) -> Cost:
    """Programs, memory and rows of ``signals``."""
    engine = networks_cost(_engine_cells(cells), cells[0]["depth"])
    return engine._replace(rows=len(cells) * len(recorded(cells[0]["depth"], layers)))


def recorded(depth: int, layers: int) -> "np.ndarray[tuple[int], np.dtype[np.int_]]":
    """Layers of a network that are recorded.

    Example:
        >>> recorded(50, 8).tolist()
        [0, 7, 14, 21, 28, 35, 42, 49]
    """
    return np.unique(np.linspace(0, depth - 1, layers).round().astype(int))


def _gain(cell: Cell) -> float:
    return gain_of(cell["kind"], cell["activation"])


def _engine_cell(cell: Cell) -> Cell:
    """A network as the engine's sweeps name it: for square kernels σ_w is Xavier's gain."""
    return {
        **{"inputs": "gaussian", "activation": cell["activation"]},
        **{"scheme": f"xavier_normal({_gain(cell)!r})"},
        **{name: cell[name] for name in ("width", "depth", "seed")},
        "batch": BATCH,
    }


def _engine_cells(cells: Sequence[Cell]) -> list[Cell]:
    """The networks, each once, and others that fill up the schemes of an activation.

    So that activations of four gains and of two run the same program.
    """
    wanted = []
    for same in group(cells, lambda cell: cell["activation"]):
        named = [_engine_cell(cell) for cell in same]
        schemes = distinct(named, "scheme")
        spare = [f"xavier_normal({1 + n / 8!r})" for n in range(2 * len(KINDS))]
        more = [name for name in spare if name not in schemes][: len(KINDS) - len(schemes)]
        wanted += [
            {**named[0], "scheme": scheme, "seed": seed}
            for scheme in (*schemes, *more)
            for seed in distinct(same, "seed")
        ]
    return wanted

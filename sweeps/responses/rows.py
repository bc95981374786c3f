"""Rows of the table for the cells of one part, and what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.networks_cost import distinct
from sweeps.responses.kinds import MEASURED, scatter
from sweeps.responses.networks import signals, signals_cost
from sweeps.responses.sampling import BLOCK, sampled_gains
from sweeps.responses.starts import starts, starts_cost

_FLOAT = 4  # bytes
_NAN = float("nan")


def rows(cells: Sequence[Cell], samples: Sequence[int], layers: int) -> Mapping[str, Any]:
    """Columns of the table.

    Args:
        cells: Settings that share the part.
        samples: Numbers of samples that gains are measured with.
        layers: Layers recorded of a network.
    """
    part = cells[0]["part"]
    if part == "samples":
        seen = _sampled(cells, samples)
    else:
        seen = signals(cells, layers) if part == "networks" else starts(cells, layers)
    filled = [_filled(cell, found) for cell, found in zip(cells, seen, strict=True)]
    return {name: np.concatenate([one[name] for one in filled]) for name in filled[0]}


def price(cells: Sequence[Cell], samples: Sequence[int], layers: int) -> Cost:
    """Cost of one call of ``rows``; the memory is an estimate."""
    if (part := cells[0]["part"]) != "samples":
        return (signals_cost if part == "networks" else starts_cost)(cells, layers)
    names, seeds = distinct(cells, "activation"), len(distinct(cells, "seed"))
    blocks = max(samples) // BLOCK
    means = 3 * blocks * (1 + len(names))
    # float32 on the device, and float64 with its running sum on the host
    memory = seeds * _FLOAT * ((1 + 2 + 2) * means + 2 * BLOCK * (1 + len(names)))
    programs = frozenset({("samples", names, blocks)})
    return Cost(programs, memory, len(cells) * len(samples))


def _sampled(cells: Sequence[Cell], samples: Sequence[int]) -> list[dict[str, Any]]:
    names, seeds = distinct(cells, "activation"), distinct(cells, "seed")
    # A stream of its own: networks draw from the key of the seed itself.
    keys = jax.vmap(lambda seed: jax.random.fold_in(jax.random.key(seed), BLOCK))(
        np.array(seeds)
    )
    gains = sampled_gains(names, keys, samples)
    return [
        {
            "samples": np.array(samples),
            "gain": gains[
                seeds.index(cell["seed"]),
                :,
                MEASURED.index(cell["kind"]),
                names.index(cell["activation"]),
            ],
            "scatter": scatter(cell["kind"], cell["activation"]),
        }
        for cell in cells
    ]


def _filled(cell: Cell, measured: Mapping[str, Any]) -> dict[str, Any]:
    """Every column at full length: settings, what was measured, and nothing else."""
    absent = {
        **{"samples": 0, "layer": -1, "scatter": _NAN},
        **{"act_log10_rms": _NAN, "delta_log10_rms": _NAN},
    }
    merged = absent | dict(cell) | dict(measured)
    size = max(np.size(value) for value in merged.values())
    return {name: np.broadcast_to(value, size) for name, value in merged.items()}

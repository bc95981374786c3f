"""A sweep without networks: y = x² + seed, slow or failing on demand."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sweeps.harness.grid import Cell, group, product
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=3,
    columns=(
        Column("name", "str", "a label"),
        Column("x", "int", "an axis"),
        Column("seed", "int", "a seed"),
        Column("y", "float", "x² + seed", decimals=3),
    ),
    order=("name", "x", "seed"),
)
CALLS: list[int] = []
"""Seeds that were measured."""


@dataclass(frozen=True)
class Config:
    """Settings of the tiny sweep."""

    xs: tuple[int, ...] = (2, 1)
    """Values of x."""
    seeds: int = 3
    """Number of seeds."""
    stop_at: int = -1
    """Seed at which the sweep is interrupted."""
    pause: float = field(default=0.0)
    """Seconds per seed."""
    bad_x: int = -1
    """x that cannot be measured."""
    memory: int = 1000
    """Cells that fit into memory at once."""


PRESETS: Mapping[str, Config] = {"default": Config(), "smoke": Config(seeds=1)}


def cells(config: Config) -> list[Cell]:
    """Every x and seed."""
    if config.seeds < 1:
        raise ValueError(f"--seeds must be >= 1; got {config.seeds}")
    return product(x=config.xs, seed=range(config.seeds))


def batches(cells: list[Cell], config: Config) -> list[list[Cell]]:
    """One call per seed."""
    return group(cells, lambda cell: cell["seed"])


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """y of each cell."""
    seed = cells[0]["seed"]
    if seed == config.stop_at:
        raise KeyboardInterrupt
    if len(cells) > config.memory:
        raise MemoryError(f"{len(cells)} cells are too many")
    if any(cell["x"] == config.bad_x for cell in cells):
        raise ArithmeticError(f"x = {config.bad_x} has no [bold]y[/bold]")
    CALLS.append(seed)
    time.sleep(config.pause)
    x = np.array([cell["x"] for cell in cells])
    return {"name": np.full(len(x), "a"), "x": x, "seed": seed, "y": x**2.0 + seed}

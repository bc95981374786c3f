"""A sweep without networks: y = x² + seed, slow or failing on demand."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
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
    """Seconds per call."""
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


def unit(cell: Cell) -> int:
    """One shard per seed."""
    return cell["seed"]


def program(cell: Cell) -> str:
    """All cells run the same program."""
    del cell
    return "y"


def cost(cells: list[Cell], config: Config) -> Cost:
    """A program per number of cells."""
    del config
    return Cost(frozenset({("y", len(cells))}), 1000 * len(cells), len(cells))


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """y of each cell."""
    seeds = np.array([cell["seed"] for cell in cells])
    if config.stop_at in seeds:
        raise KeyboardInterrupt
    if len(cells) > config.memory:
        raise MemoryError(f"{len(cells)} cells are too many")
    if any(cell["x"] == config.bad_x for cell in cells):
        raise ArithmeticError(f"x = {config.bad_x} has no [bold]y[/bold]")
    CALLS.extend(dict.fromkeys(seeds.tolist()))
    time.sleep(config.pause)
    x = np.array([cell["x"] for cell in cells])
    return {"name": np.full(len(x), "a"), "x": x, "seed": seeds, "y": x**2.0 + seeds}

"""Does a deep linear network learn as fast as a shallow one, and from which weights?

Gradient descent at the rate lr/D on whitened MNIST, D weight matrices, until the loss is
within 0.02 of the least-squares optimum. Expected: from orthogonal weights the number of
steps saturates as D grows, and from Gaussian ones of the same scale it grows without
bound (Saxe, McClelland & Ganguli 2014). Weights whose singular
vectors are those of the task follow the exact solution.

Measured at lr = 0.1, D = 3, 10, 30, 60: orthogonal 200, 405, 431 and 443 steps, Gaussian
121, 801, and more than the 1,000 that are tried, twice; aligned 92, 157, 184 and 192,
within 2 % of the exact solution.

Cost on two CPU cores: the default takes a minute and 0.8 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema

TOLERANCE = 0.02
"""Excess of the loss over its optimum at which a network has learned."""

WEIGHTS = ("gaussian", "orthogonal", "aligned")

SCHEMA = Schema(
    version=1,
    columns=(
        Column("weights", "str", "law of the weights: gaussian, orthogonal or aligned"),
        Column("width", "int", "units of every hidden layer"),
        Column("depth", "int", "weight matrices D"),
        Column("rate", "float", "learning rate times D"),
        Column("seed", "int", "seed of the weights"),
        Column("steps", "int", "steps until the loss is near its optimum, -1 if it is not"),
        Column("first_excess", "float", "loss over its optimum before training"),
        Column("last_excess", "float", "loss over its optimum after the last step"),
        Column("strengths", "str", "singular values of the task, which theory needs"),
    ),
    order=("weights", "width", "depth", "rate", "seed"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    weights: tuple[str, ...] = WEIGHTS
    """Laws of the weights: gaussian, orthogonal, aligned (orthogonal, with the task)."""
    depths: tuple[int, ...] = (3, 5, 10, 20, 30, 60)
    """Numbers of weight matrices."""
    rates: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    """Learning rates times depth."""
    widths: tuple[int, ...] = (64,)
    """Units of every hidden layer."""
    seeds: int = 3
    """Number of seeds."""
    steps: int = 1000
    """Most steps of gradient descent."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(depths=(3, 6), rates=(1.0,), seeds=2, steps=150),
    "default": Config(),
    "paper": Config(
        depths=(3, 5, 10, 20, 30, 60, 100),
        rates=(0.03, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
        widths=(64, 256),
        seeds=10,
        steps=5000,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network: every combination of the axes and the seeds."""
    if not config.weights or set(config.weights) - set(WEIGHTS):
        raise ValueError(f"--weights must be of {', '.join(WEIGHTS)}; got {config.weights}")
    axes.within("steps", [config.steps], 1, 1_000_000)
    return product(
        weights=dict.fromkeys(config.weights),
        width=axes.within("widths", config.widths, 64, 10_000),
        depth=axes.within("depths", config.depths, 2, 10_000),
        rate=axes.positive("rates", config.rates, below=1e3),
        seed=range(*axes.within("seeds", [config.seeds], 1, 100_000)),
    )


def unit(cell: Cell) -> Hashable:
    """Networks that differ in rate and seed only, which are trained at once."""
    return cell["weights"], cell["width"], cell["depth"]


def program(cell: Cell) -> Hashable:
    """Each unit is a call."""
    return unit(cell)


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Train these networks."""
    from sweeps.spectra.learning import columns

    return columns(cells, TOLERANCE, config.steps)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    first, count = cells[0], len(cells)
    shape = (first["width"], first["depth"], count)
    weights = 4 * count * first["depth"] * first["width"] ** 2
    programs = {("draw", first["weights"], *shape), ("train", *shape)}
    return Cost(frozenset(programs), 5 * weights, count)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("learning_time"))

"""Down to which depth does a tanh network train, for each σ_w²?

Expected: to about six times the depth ξ_c over which two inputs forget their correlation;
without bound at σ_w² = 1.761, where χ₁ = 1 (σ_b² = 0.05). Beyond, neither the difference of
two inputs nor a gradient gets through (Schoenholz et al. 2017, arXiv:1611.01232, figure 5).
Measured: of the networks deeper than 6 ξ_c the best gets 36 % of its images right, and
beyond 1.2 times that depth 18 %; of those shallower than 0.7 times that depth 86 % get more
than 70 %, all but the deepest, of 70 layers and more, which 150 steps leave at 34 to 63 %.
The law supposes an effort, rate times steps; here the rate is 0.3 over the depth.

Cost on two CPU cores: the default takes about five minutes and 1 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema
from sweeps.training import settings

SCHEMA = Schema(
    version=1,
    columns=(
        Column("width", "int", "units of every hidden layer"),
        Column("depth", "int", "hidden tanh layers"),
        Column("sigma_w2", "float", "σ_w², variance of √fan_in · W at the start"),
        Column("sigma_b2", "float", "σ_b², variance of the biases at the start"),
        Column("rate", "float", "learning rate η, in inverse proportion to the depth"),
        Column("seed", "int", "seed of weights and of the order of images"),
        Column("last_loss", "float", "cross entropy in nats, mean of the last 50 steps"),
        Column("accuracy", "float", "share of all images right at the end", decimals=4),
    ),
    order=("width", "depth", "sigma_w2", "sigma_b2", "rate", "seed"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    sigma_w2: tuple[float, ...] = (1.0, 1.2, 1.4, 1.6, 1.76, 2.0, 2.25, 2.5, 3.0, 3.5, 4.0)
    """Variances of √fan_in · W."""
    sigma_b2: float = 0.05
    """Variance of the biases."""
    depths: tuple[int, ...] = (10, 15, 20, 30, 50, 70, 100, 140)
    """Numbers of hidden layers."""
    widths: tuple[int, ...] = (128,)
    """Units of every hidden layer."""
    rate: float = 0.3
    """Learning rate times depth: a network of D layers is trained with rate / D."""
    batch: int = 192
    """Images in a minibatch."""
    steps: int = 150
    """Minibatches that a network sees."""
    seeds: int = 2
    """Number of seeds, each with weights and an order of images of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        sigma_w2=(1.0, 1.76, 4.0), depths=(5, 30), widths=(32,), steps=60, seeds=1
    ),
    "default": Config(),
    "paper": Config(
        depths=(10, 15, 20, 30, 50, 70, 100, 140, 200, 300),
        widths=(300,),
        steps=3000,
        seeds=3,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network, with its learning rate."""
    settings.check_steps(config.batch, config.steps, momentum=0)
    (rate,) = axes.positive("rate", [config.rate])
    grid = product(
        width=axes.within("widths", config.widths, 1, 10_000),
        depth=axes.within("depths", config.depths, 2, 10_000),
        sigma_w2=axes.positive("sigma-w2", config.sigma_w2),
        sigma_b2=axes.positive("sigma-b2", [config.sigma_b2]),
        seed=range(*axes.within("seeds", [config.seeds], 1, 10_000)),
    )
    return [{**cell, "rate": rate / cell["depth"]} for cell in grid]


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their draws and the order of images."""
    return cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one shape share one program."""
    return cell["width"], cell["depth"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Train these networks, which are of one shape, and see what they have learnt."""
    from sweeps.training.accuracies import accuracies  # JAX, which drawing does without

    return accuracies(cells, batch=config.batch, steps=config.steps)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    return settings.cost(cells, batch=config.batch, steps=config.steps, rows=1)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("trainability"))

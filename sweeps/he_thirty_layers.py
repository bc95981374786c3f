"""Do 30 ReLU layers learn at all, and does it depend on their first weights?

Expected: with Xavier's variance 1/n each layer keeps half of the second moment, so that
30 of them leave 2⁻¹⁵ of a signal and the loss stays at ln 10 = 2.3026, that of a guess;
with He's 2/n it falls. At 22 layers both learn, He earlier (He et al. 2015,
arXiv:1502.01852, figures 2 and 3, on ImageNet; here 5,000 images of MNIST).
Measured, medians of the last 50 of 600 steps at rates 0.003 and 0.01: 30 layers end at
2.303 and 2.303 with Xavier, every seed, and at 0.25 and 0.88 with He; 22 layers at 2.23
and 1.13 with Xavier, at 0.14 and 0.21 with He.

Cost on two CPU cores: the default takes about a minute and 1 GB.
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
        Column("scheme", "str", "initializer of every kernel; biases start at 0"),
        Column("width", "int", "units of every hidden layer"),
        Column("depth", "int", "hidden ReLU layers"),
        Column("rate", "float", "learning rate η"),
        Column("seed", "int", "seed of weights and of the order of images"),
        Column("step", "int", "steps of SGD done"),
        Column("loss", "float", "cross entropy in nats, mean of the steps of this row"),
        Column("last_loss", "float", "the same, mean of the last 50 steps of the run"),
        Column("accuracy", "float", "share of all images right at the end", decimals=4),
    ),
    order=("scheme", "width", "depth", "rate", "seed", "step"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    schemes: tuple[str, ...] = ("xavier_normal", "kaiming_normal(fan_in)")
    """Initializers by name, see initjax.init."""
    depths: tuple[int, ...] = (22, 30)
    """Numbers of hidden layers."""
    widths: tuple[int, ...] = (128,)
    """Units of every hidden layer."""
    rates: tuple[float, ...] = (0.003, 0.01)
    """Learning rates of SGD."""
    momentum: float = 0.9
    """Momentum of SGD."""
    batch: int = 64
    """Images in a minibatch."""
    steps: int = 600
    """Minibatches that a network sees."""
    every: int = 10
    """Steps that one row of the table holds the mean of."""
    seeds: int = 8
    """Number of seeds, each with weights and an order of images of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(depths=(4, 8), widths=(32,), rates=(0.01,), steps=60, seeds=2),
    "default": Config(),
    "paper": Config(widths=(128, 512), steps=3000, every=50, seeds=20),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network."""
    settings.check_steps(config.batch, config.steps, config.momentum)
    axes.within("every", [config.every], 1, config.steps)
    return product(
        scheme=axes.schemes(config.schemes),
        width=axes.within("widths", config.widths, 1, 10_000),
        depth=axes.within("depths", config.depths, 2, 1000),
        rate=axes.positive("rates", config.rates),
        seed=range(*axes.within("seeds", [config.seeds], 1, 10_000)),
    )


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their draws and the order of images."""
    return cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one shape share one program."""
    return cell["width"], cell["depth"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Train these networks, which are of one shape, and keep their loss curves."""
    from sweeps.training.curves import loss_curves  # JAX, which drawing does without

    return loss_curves(
        cells,
        momentum=config.momentum,
        batch=config.batch,
        steps=config.steps,
        every=config.every,
    )


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    rows = -(-config.steps // config.every)
    return settings.cost(cells, batch=config.batch, steps=config.steps, rows=rows)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("he_thirty_layers"))

"""What does the remedy of a check-up change in training?

Three networks of Flax, checked by ``initjax.diagnose``, then trained on the digits of
scikit-learn by SGD and by Adam, on the same images from the weights that they start with
and from the same with the remedy: 30 ReLU layers with Flax's own weights, 20 residual
blocks with He's and without normalization, and a small convolutional network as a control.

Expected: 30 layers that halve the second moment leave 2⁻³⁰ of it, and the loss stays at
ln 10 = 2.3026, that of a guess (He et al. 2015, arXiv:1502.01852). Branches as large as
their skip double it, over 20 blocks to 2²⁰, and training is unstable (Zhang, Dauphin & Ma
2019, arXiv:1901.09321). With the remedies both train. What is healthy has none, and is
the same before and after.
Measured, medians of the accuracy after 300 steps at the rate 0.001, before and after:
30 ReLU layers 8 and 68 % by SGD and 51 and 82 % by Adam, which divides by the size of a
gradient; residual blocks 11 and 97 % by SGD and 74 and 97 % by Adam; convolutional
network 46 and 46 % by SGD and 94 and 94 % by Adam. By SGD the ReLU layers stay within
0.009 of ln 10 in every seed at every step, and of 20 residual networks 18 leave float32.

Cost on two CPU cores: the default takes three minutes, a third of it to compile.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema

NETWORKS = ("deep_relu", "residual", "convolutional")
OPTIMIZERS = ("sgd", "adam")
STATES = ("before", "after")

SCHEMA = Schema(
    version=1,
    columns=(
        Column("network", "str", "deep_relu, residual or convolutional"),
        Column("optimizer", "str", "sgd or adam"),
        Column("rate", "float", "learning rate"),
        Column("state", "str", "before or after the remedy"),
        Column("seed", "int", "seed of weights and of the order of images"),
        Column("step", "int", "steps done"),
        Column("loss", "float", "cross entropy of the images held out, nats"),
        Column("accuracy", "float", "share of the images held out right", decimals=4),
        Column("verdict", "str", "of initjax.diagnose on 8 networks of this start"),
        Column("remedy", "str", "calls that the first check-up suggests; none if healthy"),
    ),
    order=("network", "optimizer", "rate", "state", "seed", "step"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    networks: tuple[str, ...] = NETWORKS
    """Networks by name: deep_relu, residual, convolutional."""
    optimizers: tuple[str, ...] = OPTIMIZERS
    """Optimizers by name: sgd, adam."""
    rates: tuple[float, ...] = (0.001,)
    """Learning rates."""
    momentum: float = 0.9
    """Momentum of SGD."""
    batch: int = 32
    """Images in a minibatch."""
    steps: int = 300
    """Minibatches that a network sees."""
    records: int = 16
    """Rows of a network at most: before the first step, then log-spaced."""
    seeds: int = 20
    """Number of seeds, each with weights and an order of images of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(networks=("convolutional",), steps=30, seeds=2),
    "default": Config(),
    "paper": Config(rates=(0.0003, 0.001, 0.003, 0.01), steps=3000, seeds=100),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network, optimizer, rate, state and seed."""
    _known("networks", config.networks, NETWORKS)
    _known("optimizers", config.optimizers, OPTIMIZERS)
    axes.within("batch", [config.batch], 1, 1400)
    axes.within("steps", [config.steps], 1, 10_000_000)
    axes.within("records", [config.records], 3, 1000)
    if not 0 <= config.momentum < 1:
        raise ValueError(f"--momentum must be from 0 to below 1; got {config.momentum}")
    return product(
        network=dict.fromkeys(config.networks),
        optimizer=dict.fromkeys(config.optimizers),
        rate=axes.positive("rates", config.rates),
        state=STATES,
        seed=range(*axes.within("seeds", [config.seeds], 1, 10_000)),
    )


def unit(cell: Cell) -> Hashable:
    """Networks of one kind, optimizer and seed, before and after."""
    return cell["network"], cell["optimizer"], cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one kind and optimizer share one program."""
    return cell["network"], cell["optimizer"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Check, mend and train these networks, which are of one kind."""
    from sweeps.mending.training import curves  # JAX, which drawing does without

    return curves(cells, momentum=config.momentum, **_size(config))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.mending.training import price

    return price(cells, **_size(config))


def _known(axis: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values or ("",):
        if value not in known:
            raise ValueError(f"--{axis} must be of {', '.join(known)}; got {value!r}")


def _size(config: Config) -> dict[str, int]:
    return {name: getattr(config, name) for name in ("batch", "steps", "records")}


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("mended"))

"""How far from the mean field are networks of finite width, and how many are born dead?

Expected: ln of a length is normal in the limit, with mean -5/(2n) and variance 5/n a
layer for ReLU, exact at any width, and its second moment Π(1 + 5/n) (Hanin & Rolnick
2018); slopes over depth differ from the mean field by order 1/n, forward and backward;
a layer of n ReLUs is dead for an input with probability 2⁻ⁿ (Lu et al. 2019).

Measured: the exact laws within their errors, linear and ReLU, at widths 8, 32 and 128;
tanh to first order from width 32. At width 1024 all 24 slopes of 12 activations are within
0.4 % of the mean field, as a factor per layer; the deviations that can be seen at three
widths or more, nearly all backward, fall with the power -1.07 of the width, and the first
order in 1/n predicts each. Deaths follow the
formula for one input, and for all inputs lie between the bounds.

Cost on two CPU cores: the default takes 40 seconds and 0.8 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "lengths, slopes or deaths"),
        Column("activation", "str", "nonlinearity φ after each layer"),
        Column("width", "int", "units n of every layer"),
        Column("depth", "int", "layers of the networks"),
        Column("seed", "int", "seed of a set of networks"),
        Column("layer", "int", "layers passed; for a slope, all of them"),
        Column("network", "int", "network of the seed, -1 for all of them"),
        Column("networks", "int", "networks that this row is of"),
        Column("sigma_w", "float", "std of √fan_in · W", digits=8),
        Column("sigma_b", "float", "std of the biases", digits=8),
        Column("q", "float", "second moment of the first pre-activations"),
        Column("log_length", "float", "ln of the second moment over q", decimals=3),
        Column("dead_one", "float", "share zero for the input 1", decimals=5),
        Column("dead_both", "float", "share zero for all inputs", decimals=5),
        Column("forward", "float", "mean change of ln q a layer, upward", decimals=6),
        Column("backward", "float", "mean change of ln δ² a layer, downward", decimals=6),
    ),
    order=("part", "activation", "width", "depth", "seed", "network", "layer"),
)
ACTIVATIONS = (
    *("identity", "relu", "leaky_relu(0.2)", "elu", "selu", "gelu", "silu", "mish"),
    *("tanh", "hard_tanh", "erf", "softsign"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: three parts with a grid each."""

    walkers: tuple[str, ...] = ("identity", "relu", "tanh")
    """Activations whose lengths are recorded network by network."""
    walker_widths: tuple[int, ...] = (8, 32, 128)
    """Units of their layers."""
    activations: tuple[str, ...] = ACTIVATIONS
    """Activations whose slopes over depth are measured."""
    widths: tuple[int, ...] = (64, 128, 256, 512, 1024)
    """Units of their layers."""
    dying_widths: tuple[int, ...] = (2, 3, 4, 5, 8)
    """Units of the layers of ReLU networks on the line."""
    seeds: int = 8
    """Number of seeds, each for a set of networks."""
    networks: int = 150
    """Networks of a seed in the first part; in the last, 20 times as many."""
    wide_networks: int = 5
    """Networks of width 1024 of a seed, for slopes; more of narrower ones."""


DEPTHS = {"lengths": 32, "slopes": 14, "deaths": 49}

PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        walkers=("identity", "relu"),
        walker_widths=(8,),
        activations=("relu", "tanh"),
        widths=(16, 32),
        dying_widths=(3,),
        seeds=2,
        networks=50,
        wide_networks=1,
    ),
    "default": Config(),
    "paper": Config(seeds=80),
}


def cells(config: Config) -> list[Cell]:
    """One cell per part, activation, width and seed: a set of networks."""
    seeds = range(*axes.within("seeds", [config.seeds], 1, 100_000))
    axes.within("networks", [config.networks], 1, 100_000)
    axes.within("wide-networks", [config.wide_networks], 1, 100_000)
    grids = {
        "lengths": ("walkers", config.walkers, "walker-widths", config.walker_widths),
        "slopes": ("activations", config.activations, "widths", config.widths),
        "deaths": ("activations", ("relu",), "dying-widths", config.dying_widths),
    }
    return [
        cell
        for part, (kind, names, axis, widths) in grids.items()
        for cell in product(
            part=[part],
            activation=axes.activations(names, kind),
            width=axes.within(axis, widths, 1, 10_000),
            depth=[DEPTHS[part]],
            seed=seeds,
        )
    ]


def unit(cell: Cell) -> Hashable:
    """Activations share the weights of a set of networks."""
    return cell["part"], cell["width"], cell["seed"]


def program(cell: Cell) -> Hashable:
    """Sets of one part and width run one program."""
    return cell["part"], cell["width"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Lengths, slopes or deaths of sets of networks."""
    from sweeps.narrow.rows import rows  # jax, which drawing does without

    return rows(cells, _networks(config))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.narrow.price import price

    return price(cells, _networks(config))


def _networks(config: Config) -> dict[str, int]:
    """Networks of a seed, by part."""
    return {
        "lengths": config.networks,
        "slopes": config.wide_networks,
        "deaths": 20 * config.networks,
    }


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("width_fluctuations"))

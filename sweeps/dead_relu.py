"""When is a ReLU network dead, what brings its gradients back, and is it of any use?

Expected: of a 2-3-3-3-3-1 network on two moons with W ~ N(0, 0.01²) and b = -8, ReLU
has one gradient that is not 0, that of the last bias, 0.49; leaky ReLU has all, from
1.7e-16 to 0.51 (single runs, given without reference). Without biases n ReLUs are off at
an input with probability 2⁻ⁿ; of 10-layer networks of width 3 about 60 % are born dead,
of width 5 more than 10 %, of width 10 less than 1 % (Lu et al. 2019, arXiv:1903.06733).

Measured: exact zeros in every ReLU network, as published. The gradient of the first layer
has a median of 2.3e-16 leaky ReLU, 7.0e-19 SiLU, 2.9e-22 ELU and softplus, as theory
expects; that of GELU, expected 5e-62, is 0 as float32 ends before. Slopes of tanh are
rounding: the gradient is exactly 0 in layer 1 of 42.5% and in layer 4 of 16.5% of its
networks; where it is not 0 in layer 1, it is 1.4 decades too small on average.
In 200 steps at rate 1 it helps none of them: every network of every activation ends at
the entropy of the classes, with outputs equal to the last bit at all points. 10,000 steps
leave it there; by theory it takes leaky ReLU at least 8e10 steps to leave, others more.
ReLU with weights of 0.01 lives or dies by the sign of b, from layer 2 on. With He's
weights and width 3, four layers are dead in 69% of them at b = -0.5 and in 11% at 0; ten
are in 21% of them at b = 1. Nine hidden layers of width 3, 5 and 10 without biases are dead
in 57.8%, 13.1% and 0.165% where the input is a number, within the bounds, but on the moons,
in two dimensions, only in 50.2%, 6.4% and 0.035%.

Cost on two CPU cores: the default takes 62 seconds and 0.9 GB.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema
from sweeps.schemes import build

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "start, training, scan or depths"),
        Column("activation", "str", "nonlinearity φ after each hidden layer"),
        Column("scheme", "str", "initializer of every kernel"),
        Column("bias", "float", "value of every bias before training"),
        Column("width", "int", "units of every hidden layer"),
        Column("depth", "int", "hidden layers"),
        Column("seed", "int", "seed of points and weights"),
        Column("step", "int", "steps of gradient descent done"),
        Column("layer", "int", "layer from 1; of gradients depth + 1 is the readout"),
        Column("networks", "int", "networks that this row is of"),
        Column("weight_grad", "float", "log10 of ‖∂L/∂W‖; -inf for 0", decimals=3),
        Column("bias_grad", "float", "log10 of ‖∂L/∂b‖; -inf for 0", decimals=3),
        Column("weight_theory", "float", "its expectation, first order", decimals=3),
        Column("bias_theory", "float", "its expectation, first order", decimals=3),
        Column("theory_spread", "float", "std of both over weights", decimals=3),
        Column("loss", "float", "binary cross entropy on the training points, nats"),
        Column("accuracy", "float", "share of them on the right side", decimals=4),
        Column("contrast", "float", "log10 of rms logit(x) - logit(x₁)", decimals=2),
        Column("off", "float", "share of units and points: 0 there", decimals=4),
        Column("off_theory", "float", "its expectation in layer 1", decimals=4),
        Column("dead_units", "float", "share of units: 0 at all points", decimals=4),
        Column("dead_units_theory", "float", "its expectation in layer 1", decimals=4),
        Column("dead_one", "float", "share of networks dead at one input x", decimals=4),
        Column("dead_line", "float", "share dead at both x and -x", decimals=4),
        Column("dead_points", "float", "share dead at all points", decimals=4),
    ),
    order=(
        *("part", "activation", "scheme", "bias", "width", "depth", "seed", "step"),
        "layer",
    ),
)
HE = "kaiming_normal(fan_in)"
ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "tanh")
_DYING_DEPTH = 19


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: gradients, a scan of the bias, and one of depth and width."""

    activations: tuple[str, ...] = ACTIVATIONS
    """Activations of the 2-3-3-3-3-1 networks whose gradients are measured."""
    scheme: str = "normal(0.01)"
    """Their initializer."""
    bias: float = -8.0
    """Value of all their biases."""
    starts: int = 200
    """Networks whose gradients are measured before the first step."""
    steps: int = 200
    """Steps of gradient descent, on all training points at once."""
    rate: float = 1.0
    """Learning rate."""
    schemes: tuple[str, ...] = ("normal(0.01)", HE)
    """Initializers of the ReLU networks whose bias is scanned."""
    biases: tuple[float, ...] = (
        *(-10 + n / 2 for n in range(20)),
        *(-0.2, -0.1, -0.05, -0.02, -0.01, 0.0, 0.01, 0.5, 1.0),
    )
    """Values of all their biases."""
    widths: tuple[int, ...] = (3, 10)
    """Units of their layers."""
    depth: int = 10
    """Their hidden layers."""
    dying_widths: tuple[int, ...] = (2, 3, 4, 5, 8, 10)
    """Units of the layers of ReLU networks without biases, in 19 layers."""
    seeds: int = 20
    """Seeds of all but the first steps, each of points and weights."""
    networks: int = 100
    """ReLU networks of a seed and bias; without biases ten times as many."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("leaky_relu",),
        starts=4,
        steps=20,
        biases=(-2.0, 0.0),
        widths=(3,),
        depth=4,
        dying_widths=(3,),
        seeds=2,
        networks=20,
    ),
    "default": Config(),
    "paper": Config(steps=10_000, starts=1000, seeds=100, networks=200),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network of the gradients; else per seed, scheme, bias and width."""
    seeds = range(*axes.within("seeds", [config.seeds], 1, 100_000))
    starts = range(*axes.within("starts", [config.starts], 1, 100_000))
    axes.within("networks", [config.networks], 1, 100_000)
    axes.within("steps", [config.steps], 1, 10_000_000)
    axes.positive("rate", [config.rate])
    moons: dict[str, Any] = {
        "activation": axes.activations(config.activations),
        "scheme": _gaussian("scheme", [config.scheme]),
        "bias": _finite("bias", [config.bias]),
        **{"width": [3], "depth": [4]},
    }
    relu = {"activation": ["relu"]}
    scan: dict[str, Any] = {
        "scheme": _gaussian("schemes", config.schemes),
        "width": axes.within("widths", config.widths, 1, 1000),
        "depth": axes.within("depth", [config.depth], 2, 1000),
        "bias": _finite("biases", config.biases),
    }
    depths: dict[str, Any] = {
        "scheme": [HE],
        "width": axes.within("dying-widths", config.dying_widths, 1, 1000),
        **{"depth": [_DYING_DEPTH], "bias": [0.0]},
    }
    return [
        *product(part=["start"], **moons, seed=starts),
        *product(part=["training"], **moons, seed=seeds),
        *product(part=["scan"], **relu, **scan, seed=seeds),
        *product(part=["depths"], **relu, **depths, seed=seeds),
    ]


def _gaussian(axis: str, names: Sequence[str]) -> tuple[str, ...]:
    """Schemes of Gaussian weights, of which theory says most."""
    found = axes.schemes(names)
    wrong = [name for name in found if build(name, "relu").law((3, 3)).kurtosis != 3]
    if wrong:
        raise ValueError(f"--{axis} must be of Gaussian weights; got {wrong[0]!r}")
    return found


def _finite(axis: str, values: Sequence[float]) -> tuple[float, ...]:
    """Finite numbers, each once."""
    if not values or not all(map(isfinite, values)):
        raise ValueError(f"--{axis} must be finite numbers; got {tuple(values)!r}")
    return tuple(dict.fromkeys(float(value) for value in values))


def unit(cell: Cell) -> Hashable:
    """Networks of one activation; of ReLU, all biases of a seed, which share weights."""
    alone = cell["part"] in ("scan", "depths")
    return cell["scheme"], cell["seed"] if alone else None


def program(cell: Cell) -> Hashable:
    """Networks of one activation and shape run one program."""
    return cell["part"], cell["activation"], cell["width"], cell["depth"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Gradients, or shares of the dead, of networks of one program."""
    from sweeps.moons.deaths_rows import Size, rows  # JAX, which drawing does without

    return rows(cells, Size(config.networks, config.steps, config.rate))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.moons.deaths_price import Size, price

    return price(cells, Size(config.networks, config.steps, config.rate))


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("dead_relu"))

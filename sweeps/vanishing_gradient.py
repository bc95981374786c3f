"""Does the sigmoid make gradients vanish, or do the weights that it is shown with?

Networks 2-3-3-3-3-1 on two moons, W ~ N(0, 0.01²), biases of 1. That gradients vanish in
sigmoids is folklore (Hochreiter 1991, Glorot & Bengio 2010 and textbooks since).
Expected: with sigmoids |∂L/∂W| falls from 0.28 in layer 5 to 2.5e-11 in layer 1, with ReLUs
from 0.39 to 1.7e-8 (published single runs, given without reference). To first order in W, a
layer multiplies a gradient by 0.01 φ′(1) χ₃, so that norms are products of independent χ₃
(``analysis.gradient_theory``).

Measured over 500 seeds: medians of 0.29 and 2.0e-11, of 0.40 and 1.4e-8; the published
runs are at the percentiles 21, 58, 35 and 58. The law is right within the standard error,
0.019 decades in layer 1, with all five activations. Of the 10.2 decades that sigmoids lose
from layer 5 to layer 1, the weights take 7.4 and φ′ 2.8; ReLUs lose 7.3. From the weights
of Xavier or Kaiming and no biases, sigmoids lose 2.7 or 2.3 decades in the median, a factor
4.8 or 3.8 a layer, and no other activation any; but 11 % of ReLU networks are born dead,
every gradient of a weight exactly 0. Outputs of small weights do not vanish; what ReLUs
tell of the input does, from 9e-3 in layer 1 to 4e-10 in layer 5.

In training none of the small weights leaves ln 2 within 1,000 steps, at rate 0.01 or 1,
whatever the activation: only biases and readout learn. They are on a slow saddle, which
11 of 20 GELU networks leave within 8,000 steps at rate 1. From Xavier's weights, at rate 1,
14 of 20 sigmoid networks learn, all of tanh, and 11 of ReLU: of the other 9, 2 were born
dead and 7 died in the first 32 steps. At rate 0.01, 2 have died after 1,000 steps.

Cost on two CPU cores: the default takes 75 seconds and 0.9 GB.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema
from sweeps.moons.gradients_settings import finite, price, starts

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "first, training or slow"),
        Column("activation", "str", "nonlinearity φ after each hidden layer"),
        Column("scheme", "str", "initializer of every kernel"),
        Column("bias", "float", "every bias before the first step"),
        Column("rate", "float", "learning rate η; 0 if the network is not trained"),
        Column("seed", "int", "seed of weights and points"),
        Column("step", "int", "steps of gradient descent done"),
        Column("layer", "int", "from 1, the first; 5 is the readout"),
        Column("act_log10_rms", "float", "log10 of the rms of its outputs", decimals=3),
        Column("act_log10_spread", "float", "log10 of their std over points", decimals=3),
        Column("delta_log10_rms", "float", "log10 of the rms of ∂L/∂z", decimals=3),
        Column("weight_grad_log10_norm", "float", "log10 of |∂L/∂W|", decimals=3),
        Column("bias_grad_log10_norm", "float", "log10 of |∂L/∂b|", decimals=3),
        Column("loss", "float", "cross entropy of the training points", digits=4),
        Column("accuracy", "float", "share of them right", decimals=3),
        Column("test_accuracy", "float", "share of the test points right", decimals=3),
    ),
    order=("part", "activation", "scheme", "bias", "rate", "seed", "step", "layer"),
)
SCHEMES = ("normal(0.01)", "xavier_normal(gain)", "kaiming_normal(fan_in)")


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: networks at their first step, and some of them trained."""

    activations: tuple[str, ...] = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu")
    """Nonlinearities after each hidden layer."""
    schemes: tuple[str, ...] = SCHEMES
    """Initializers of the networks at their first step."""
    biases: tuple[float, ...] = (1.0, 0.0)
    """What every bias of these starts at."""
    first_seeds: int = 500
    """Number of seeds of these."""
    trained: tuple[str, ...] = ("normal(0.01)", "xavier_normal(gain)")
    """Initializers of the networks in training."""
    trained_biases: tuple[float, ...] = (1.0, 0.0)
    """What every bias starts at, for each of these initializers."""
    rates: tuple[float, ...] = (0.01, 1.0)
    """Learning rates of full-batch gradient descent."""
    steps: int = 1000
    """Steps of gradient descent."""
    seeds: int = 20
    """Number of seeds of the networks in training."""
    slow: tuple[str, ...] = ("gelu",)
    """Activations that are trained on from the first initializer at the last rate."""
    slow_steps: int = 8000
    """Steps of gradient descent of these."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("relu",),
        first_seeds=10,
        steps=20,
        seeds=2,
        slow=(),
    ),
    "default": Config(),
    "paper": Config(
        first_seeds=5000,
        rates=(0.01, 0.1, 1.0),
        steps=20_000,
        seeds=100,
        slow=("relu", "leaky_relu", "gelu", "tanh"),
        slow_steps=200_000,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network."""
    names = axes.activations(config.activations)
    begun = starts(config.trained, config.trained_biases)
    rates = axes.positive("rates", config.rates)
    seeds = range(*axes.within("seeds", [config.seeds], 1, 10_000))
    axes.within("steps", [config.steps], 1, 10_000_000)
    axes.within("slow-steps", [config.slow_steps], 1, 10_000_000)
    first = product(
        part=["first"],
        activation=names,
        scheme=axes.schemes(config.schemes),
        bias=finite("biases", config.biases),
        rate=[0.0],
        seed=range(*axes.within("first-seeds", [config.first_seeds], 1, 100_000)),
    )
    slow = axes.activations(config.slow, "slow") if config.slow else ()
    trained = [("training", names, begun, rates), ("slow", slow, begun[:1], rates[-1:])]
    return first + [
        cell
        for part, these, those, speeds in trained
        for scheme, bias in those
        for cell in product(
            part=[part],
            activation=these,
            scheme=[scheme],
            bias=[bias],
            rate=speeds,
            seed=seeds,
        )
    ]


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their draws and points; untrained ones are many."""
    return cell["seed"] // (100 if cell["part"] == "first" else 1)


def program(cell: Cell) -> Hashable:
    """Networks of one part and activation share one program."""
    return cell["part"], cell["activation"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Gradients at the first step, or over training."""
    from sweeps.moons.gradients_rows import rows  # JAX, which drawing does without

    return rows(cells, _steps(config), _block(cells, config))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    return price(cells, _steps(config), _block(cells, config))


def _block(cells: list[Cell], config: Config) -> int:
    """Networks that a call is filled up to a multiple of: calls differ in size.

    Those of the largest unit, and in training one unit for each core.
    """
    from initjax.engine.cores import cores

    part = cells[0]["part"]
    return _largest(config)[part] * (1 if part == "first" else cores())


@cache
def _largest(config: Config) -> dict[str, int]:
    """Networks of the largest unit, by part."""
    sizes = Counter((program(cell), cell["part"], unit(cell)) for cell in cells(config))
    found: dict[str, int] = {}
    for (_, part, _), size in sizes.items():
        found[part] = max(size, found.get(part, 0))
    return found


def _steps(config: Config) -> dict[str, int]:
    """Steps of gradient descent, by part."""
    return {"first": 0, "training": config.steps, "slow": config.slow_steps}


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("vanishing_gradient"))

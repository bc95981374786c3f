"""At which (σ_w, σ_b) does a deep network tell two inputs apart, and how deep?

Expected: correlations converge as e^(-ℓ/ξ_c), and ξ_c diverges on the line χ₁ = 1
between the ordered phase, where inputs and gradients vanish into one another, and the
chaotic one (Poole et al. 2016; Schoenholz et al. 2017). ReLU has no chaotic phase: past
σ_w = √2 its second moment explodes. On a part of GELU's line q* repels.

Measured: 158 of 164 ξ_c are within 5 % of theory, all 156 of those below 30 layers; past
that the scatter of weights hides the rest. On GELU's line q* repels up to σ_b = 0.3, by
up to 1.09 a layer.

Cost on two CPU cores: the default takes two minutes, half of it for theory, and 1.1 GB.
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
        Column("activation", "str", "nonlinearity φ after each layer"),
        Column("point", "str", "grid, or critical for a point on the line χ₁ = 1"),
        Column("sigma_w", "float", "std of √fan_in · W", digits=7),
        Column("sigma_b", "float", "std of the biases", digits=7),
        Column("width", "int", "units of every layer"),
        Column("seed", "int", "seed of weights, biases and inputs"),
        Column("layer", "int", "layer, 0 for the inputs' own pre-activations"),
        Column("q", "float", "second moment of z, of inputs that start at q*"),
        Column("near", "float", "1 - c of inputs that start closer together than c*"),
        Column("far", "float", "1 - c of inputs that start further apart than c*"),
        Column("apart", "float", "1 - c of inputs that start at c = 0"),
        Column("q_low", "float", "second moment of z, of inputs that start at 0.9 q*"),
        Column("q_high", "float", "second moment of z, of inputs that start at 1.1 q*"),
        Column("gradient", "float", "|∂L/∂z|² of the layer over that of the last one"),
    ),
    order=("activation", "point", "sigma_w", "sigma_b", "width", "seed", "layer"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    activations: tuple[str, ...] = ("tanh", "erf", "relu", "gelu")
    """Activations by name, see initjax.activations; leaky_relu(a) takes a slope."""
    sigma_w: tuple[float, ...] = (0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4, 2.6)
    """Standard deviations of √fan_in · W."""
    sigma_b: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    """Standard deviations of the biases; to each, the σ_w with χ₁ = 1 is added."""
    width: int = 1024
    """Units of every layer."""
    layers: int = 24
    """Layers of a network."""
    every: int = 2
    """Layers from one row of the table to the next."""
    seeds: int = 20
    """Number of seeds, each with weights, biases and inputs of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("tanh", "gelu"),
        sigma_w=(0.8, 1.2, 2.0),
        sigma_b=(0.2, 1.0),
        width=128,
        layers=12,
        seeds=4,
    ),
    "default": Config(),
    "paper": Config(width=2048, layers=48, seeds=100),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network: every point of the grid and of the critical line, and seed."""
    from sweeps.plane.columns import critical_points

    width = axes.within("width", [config.width], 16, 100_000)
    layers = axes.within("layers", [config.layers], 2, 10_000)[0]
    if layers % axes.within("every", [config.every], 1, layers)[0]:
        raise ValueError(f"--every must divide --layers {layers}; got {config.every}")
    sigma_w = _deviations("sigma-w", config.sigma_w)
    sigma_b = _deviations("sigma-b", config.sigma_b)
    points = product(sigma_w=sigma_w, sigma_b=sigma_b)
    return [
        {"activation": name, "point": kind, **point, **rest}
        for name in axes.activations(config.activations)
        for kind, same in (("grid", points), ("critical", critical_points(name, sigma_b)))
        for point in same
        for rest in product(
            width=width, seed=range(*axes.within("seeds", [config.seeds], 2, 100_000))
        )
    ]


def _deviations(axis: str, values: tuple[float, ...]) -> tuple[float, ...]:
    """Standard deviations, each once, as a table stores them."""
    known = axes.positive(axis, values, below=100)
    return tuple(dict.fromkeys(float(f"{value:.7g}") for value in known))


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their draws."""
    return cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one width share their programs, their seeds by vmap."""
    return cell["width"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Statistics of the recorded layers of these networks, forward and backward."""
    from sweeps.plane.columns import columns  # the engine, which drawing does without

    return columns(cells, config.layers, config.every)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.plane.columns import cost

    return cost(cells, config.layers, config.every)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("phase_diagram"))

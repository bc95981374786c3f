"""Which weights keep the singular values of a deep network's Jacobian together?

At χ₁ = 1 the mean of the squared singular values is 1 at every depth; their variance is
L (μ₂/μ₁² − 1 − s₁), s₁ = −1 for Gaussian weights and 0 for orthogonal ones (Pennington,
Schoenholz & Ganguli 2017). Expected: it grows like L or faster for Gaussian weights
whatever the activation, and for ReLU whatever the weights; orthogonal weights keep it 0
in a linear network, and small in a tanh network with a small fixed point q*.

Measured at width 400: the histograms lie on the densities of free probability over five
decades of λ. With 64 layers the variance is 0.107 against 0.108 for orthogonal tanh with
q* = 1/64; those of Gaussian networks scatter by factors of 2 to 7 between seeds. One value
of each orthogonal tanh network lies below the law: the signal's own direction, λ near
χ_q^(2L).

Cost on two CPU cores: the default takes a minute and 0.7 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from initjax.meanfield import critical_point
from initjax.meanfield.jacobian import Weights
from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=1,
    columns=(
        Column("activation", "str", "nonlinearity φ after each layer"),
        Column("q", "float", "fixed point of the variance map", digits=9),
        Column("sigma_w", "float", "std of √fan_in · W, at χ₁ = 1", digits=7),
        Column("sigma_b", "float", "std of the biases", digits=7),
        Column("weights", "str", "law of the weights: gaussian or orthogonal"),
        Column("width", "int", "units of every layer"),
        Column("depth", "int", "layers"),
        Column("seed", "int", "seed of input, weights and biases"),
        Column("rank", "int", "of the singular value, from 0 for the largest"),
        Column(
            "log10_singular_value",
            "float",
            "log10 of a singular value of ∂h_L/∂h_0; -inf below what float32 resolves",
            decimals=4,
        ),
    ),
    order=("activation", "q", "weights", "width", "depth", "seed", "rank"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    activations: tuple[str, ...] = ("identity", "relu", "tanh")
    """Activations by name, see initjax.activations."""
    q_stars: tuple[float, ...] = (1 / 64, 1 / 4)
    """Fixed points of activations whose slopes depend on it; others have 1."""
    weights: tuple[str, ...] = ("gaussian", "orthogonal")
    """Laws of the weights."""
    depths: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    """Numbers of layers."""
    widths: tuple[int, ...] = (400,)
    """Units of every layer."""
    seeds: int = 6
    """Number of seeds."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(q_stars=(1 / 4,), depths=(2, 4, 8), widths=(64,), seeds=2),
    "default": Config(),
    "paper": Config(q_stars=(1 / 64, 1 / 4, 1.0), widths=(1000,), seeds=20),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network: every combination of the axes and the seeds."""
    from sweeps.spectra.jacobians import homogeneous

    known = get_args(Weights)
    if not config.weights or set(config.weights) - set(known):
        raise ValueError(f"--weights must be of {', '.join(known)}; got {config.weights}")
    q_stars = axes.positive("q-stars", config.q_stars, below=1e4)
    points = [
        (name, q)
        for name in axes.activations(config.activations)
        for q in ((1.0,) if homogeneous(name) else q_stars)
    ]
    for name, q in points:
        critical_point(name, q=q)  # raises where there is none
    return [
        {"activation": name, "q": q, **rest}
        for name, q in points
        for rest in product(
            weights=dict.fromkeys(config.weights),
            width=axes.within("widths", config.widths, 2, 10_000),
            depth=axes.within("depths", config.depths, 1, 10_000),
            seed=range(*axes.within("seeds", [config.seeds], 1, 100_000)),
        )
    ]


def unit(cell: Cell) -> Hashable:
    """Networks that differ in depth and seed only, which share their layers."""
    return cell["activation"], cell["q"], cell["weights"], cell["width"]


def program(cell: Cell) -> Hashable:
    """Each unit is a call."""
    return unit(cell)


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """All singular values of these networks."""
    from sweeps.spectra.jacobians import columns

    return columns(cells)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    seeds = len({cell["seed"] for cell in cells})
    first, width = cells[0], cells[0]["width"]
    layers = ("advance", first["activation"], first["weights"], width, seeds)
    programs = {("start", width, seeds), layers}
    return Cost(frozenset(programs), 4 * 8 * seeds * width**2, len(cells) * width)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("isometry"))

"""Which is the gain of an activation: std(x)/std(φ(x)), 1/√E φ², 1/√E φ′², or torch's?

Expected: measured with N samples each is off by order 1/√N. The first, the centered gain γ
of NFNets (Brock et al. 2021), is 1.5925 for tanh and 1.7129 for ReLU, where the second, of
He et al. 2015, is √2: they agree where E φ = 0. torch's 5/3, 3/4 and 1 for tanh, selu and
sigmoid are conventions. As σ_w of 50 layers the second, forward, keeps E φ² unless q = 1
repels: V′(1) > 1 is 1.144 for gelu, 1.076 for mish, and the gradient changes by √χ₁; the
third, backward, keeps the gradient; the first makes ReLU grow by 1.2112 a layer.

Measured, 26 activations: errors fall with the power -0.501 of N and have the size that the
central limit theorem says; 20 seeds of 10⁷ agree with quadrature to 0.032 %, while single
runs of 10⁴ give 1.575 … 1.606 for tanh. Forward and centered gain differ by 21 % for ReLU
and 160 % for sigmoid. In networks of width 256 the factors are those of the mean field:
ReLU grows by 1.208 with the centered gain, tanh has gradients of 1.085 a layer with the
forward gain and 1.100 with torch's, which settles at 0.651; torch's sigmoid keeps 0.236.

Inputs are N(0, 1) and layer 0 has the gain too: q starts at gain², 2.35 for gelu, on the
side where gelu, silu, hard_silu and mish grow. From q = 1 (σ_w = 1 in layer 0) the mean
field stays, and near_orthogonality, which starts there, goes no further than 10 layers; but
the noise of width 256 grows by V′(1) a layer, and after 50 layers √q is off by > 2 in 20 of
20 signals of gelu and 18 of mish, up or down (11 and 10 fall), and in 0 of tanh.

Where folklore fails also: squared_relu has V(q) = q² with the forward gain and starts at
2/3 < 1, so that mean field, and 18 of 20 networks, go to 0, 2 to ∞ by a few of 16 inputs;
and the backward gain, taken at q = 1, keeps gradients only of piecewise linear φ that bend
at 0 alone, and of relu6: elsewhere signals leave q = 1, and gradients change by 1.061 a
layer for tanh and 0.688 for sigmoid (mish and the gelus go either way by seed).

Cost on two CPU cores: the default takes about 50 seconds and 1.0 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from initjax.activations import ACTIVATIONS
from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema

SCHEMA = Schema(
    version=2,
    columns=(
        Column("part", "str", "samples; networks; unit_start, one signal from q = 1"),
        Column("activation", "str", "nonlinearity φ"),
        Column("kind", "str", "forward, backward, centered or torch"),
        Column("width", "int", "units of every layer and entries of an input; 0: samples"),
        Column("depth", "int", "layers; 0 for samples"),
        Column("seed", "int", "seed of samples, or of weights and inputs"),
        Column("samples", "int", "normal numbers; 0 for networks"),
        Column("layer", "int", "layer, from 0; -1 for samples"),
        Column("gain", "float", "measured gain, or σ_w of every layer", digits=8),
        Column("scatter", "float", "std of ln gain times √samples, by quadrature"),
        Column(
            "act_log10_rms",
            "float",
            "half of log10 of the second moment of h = φ(z); -inf if all are 0",
            decimals=4,
        ),
        Column("delta_log10_rms", "float", "log10 of the RMS of ∂L/∂z", decimals=4),
    ),
    order=("part", "activation", "kind", "width", "depth", "seed", "samples", "layer"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: samples, and networks with each of their gains."""

    activations: tuple[str, ...] = (*ACTIVATIONS, "leaky_relu(0.2)")
    """Activations by name, see initjax.activations; leaky_relu(a) takes a slope."""
    samples: tuple[int, ...] = (10_000, 100_000, 1_000_000, 10_000_000)
    """Numbers of samples, multiples of 10,000."""
    width: int = 256
    """Units of every layer; also entries of an input."""
    depth: int = 50
    """Layers of a network."""
    layers: int = 8
    """Layers recorded of a network, evenly spaced."""
    seeds: int = 20
    """Number of seeds, each with samples, weights and inputs of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("relu", "tanh"),
        samples=(10_000, 100_000),
        width=64,
        depth=15,
        seeds=2,
    ),
    "default": Config(),
    "paper": Config(samples=(10_000, 1_000_000, 100_000_000), width=1024, depth=100),
}


def cells(config: Config) -> list[Cell]:
    """One cell per activation, kind of gain and seed: samples and networks."""
    from sweeps.responses.kinds import KINDS, MEASURED, has_gain

    for count in axes.within("samples", config.samples, 10_000, 2_000_000_000):
        if count % 10_000:
            raise ValueError(f"--samples must be multiples of 10000; got {count}")
    (depth,) = axes.within("depth", [config.depth], 2, 10_000)
    axes.within("layers", [config.layers], 2, depth)
    (width,) = axes.within("width", [config.width], 2, 100_000)
    names = axes.activations(config.activations)
    seeds = range(*axes.within("seeds", [config.seeds], 1, 100_000))
    parts = {
        "samples": (MEASURED, 0, 0),
        "networks": (KINDS, width, depth),
        "unit_start": (("forward",), width, depth),
    }
    return [
        {"part": part, **cell, "width": n, "depth": d}
        for part, (kinds, n, d) in parts.items()
        for cell in product(activation=names, kind=kinds, seed=seeds)
        if has_gain(cell["kind"], cell["activation"])
    ]


def unit(cell: Cell) -> Hashable:
    """Activations share the samples of a seed, and networks its weights."""
    return cell["part"], cell["seed"]


def program(cell: Cell) -> Hashable:
    """All seeds of a part run one program."""
    return cell["part"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Gains measured by samples, or signals and gradients of networks."""
    from sweeps.responses.rows import rows  # the engine, which drawing does without

    return rows(cells, tuple(dict.fromkeys(config.samples)), config.layers)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.responses.rows import price

    return price(cells, tuple(dict.fromkeys(config.samples)), config.layers)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("gain_vs_activation"))

"""Does a signal survive depth, and does its gradient, under each initialization?

Expected: N(0, 1) weights explode and N(0, 0.01²) weights vanish within tens of
layers; 1/√n keeps a linear network and, slowly decaying, tanh; Kaiming keeps the
second moment of ReLU (He et al. 2015); Xavier with gain 5/3 keeps tanh forward
while its gradient grows by 1.10 a layer (Glorot & Bengio 2010 for gain 1).

The preset scalar_chain shows why, with one unit a layer: weights 0.2 and 5 leave 1.1e-21
and 9.3e20 of a signal in 30 layers, sigmoid at most ¼ of a gradient times the weight in
each. In 60 layers
the first falls below float32 in layer 54, see first_flushed, and the second leaves it in
layer 55, see first_nonfinite.

Cost on two CPU cores: the default takes about a minute and 1.2 GB; the paper
preset has 50 seeds, whose wide networks take 25 seconds each, and 4.5 GB at once.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from tyro.conf import arg

from sweeps import axes, data
from sweeps.columns import NETWORK, STATISTICS
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Schema

SCHEMA = Schema(
    version=1,
    columns=NETWORK + STATISTICS,
    order=("inputs", "activation", "scheme", "width", "batch", "seed", "layer", "depth"),
)
ACTIVATIONS = ("identity", "relu", "leaky_relu", "tanh", "sigmoid", "gelu")
SCHEMES = (
    *("normal(1)", "normal(0.01)", "normal(1/√n)"),
    *("xavier_uniform(gain)", "xavier_normal(gain)"),
    *("kaiming_normal(fan_in)", "kaiming_normal(fan_out)"),
    *("kaiming_uniform(fan_in)", "kaiming_uniform(fan_out)"),
    *("lecun_normal", "he_normal", "orthogonal", "orthogonal(gain)"),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep; every tuple is an axis of the grid."""

    inputs: Annotated[tuple[str, ...], arg(aliases=["--data"])] = ("gaussian", "mnist")
    """What the networks read: gaussian, ones, mnist (5,000 real images), digits (1,797
    small ones), or paths of .npz files with an array x [example, ...] of numbers and, if
    there are classes, y [example]; tables call a file by its name and content."""
    activations: tuple[str, ...] = ACTIVATIONS
    """Activations by name, see initjax.activations; leaky_relu(a) takes a slope."""
    schemes: tuple[str, ...] = SCHEMES
    """Initializers by name, see initjax.init; 1/√n may be written 1/sqrt(n)."""
    depths: tuple[int, ...] = (5, 10, 20, 50, 100)
    """Numbers of hidden layers."""
    widths: tuple[int, ...] = (256,)
    """Units of every hidden layer; also entries of a gaussian or ones input."""
    batches: tuple[int, ...] = (16,)
    """Inputs in a batch."""
    seeds: int = 10
    """Number of seeds, each with weights and inputs of its own."""
    layers: int = 24
    """Rows per network at most: layers are recorded at log-spaced indices."""

    def recorded(self) -> "Config":
        """These settings as a table has them: files by content, wherever they are."""
        return replace(self, inputs=tuple(data.name(kind) for kind in self.inputs))


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("identity", "relu", "tanh"),
        schemes=("normal(1)", "normal(1/√n)", "kaiming_normal(fan_in)", "orthogonal"),
        depths=(5, 20),
        widths=(64,),
        seeds=2,
    ),
    "default": Config(),
    "paper": Config(widths=(256, 1024), seeds=50),
    "scalar_chain": Config(
        inputs=("ones",),
        activations=("identity", "sigmoid"),
        schemes=(
            *("constant(0.2)", "constant(1)", "constant(5)"),
            # ±w: outputs that differ, so that there is a gradient.
            *("orthogonal(0.2)", "orthogonal(1)"),
        ),
        depths=(30, 60),
        widths=(1,),
        batches=(1,),
        seeds=20,
        layers=60,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network: every combination of the axes and the seeds."""
    axes.within("layers", [config.layers], 2, 10_000)
    batches = axes.within("batches", config.batches, 1, 10_000)
    return product(
        inputs=axes.inputs(config.inputs, max(batches)),
        activation=axes.activations(config.activations),
        scheme=axes.schemes(config.schemes),
        width=axes.within("widths", config.widths, 1, 100_000),
        depth=axes.within("depths", config.depths, 1, 10_000),
        batch=batches,
        seed=range(*axes.within("seeds", [config.seeds], 1, 100_000)),
    )


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their draws."""
    return cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one width and batch share one program, their seeds by vmap."""
    return cell["width"], cell["batch"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Statistics of every recorded layer of these networks, forward and backward."""
    from sweeps.networks import columns  # the engine, which drawing does without

    return columns(cells, config.layers, data.files(config.inputs))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.networks import cost

    return cost(cells, config.layers, data.files(config.inputs))


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("depth_vs_init"))

"""Do hidden units that start alike stay alike, and what does it cost?

2-5-1 sigmoid networks on two moons, gradient descent on all 640 points at once.

Expected: units of the same inputs and weights are updated in the same way for ever
(Goodfellow, Bengio & Courville 2016, section 8.4). Given without reference: from weights of
0 the first layer's gradient is exactly 0 at step one and accuracy stays near chance; any
random initialization breaks it. Near 0 the network is linear and 0 a saddle, so chance can
only last for a time: ln(1/push) over a rate (analysis.symmetry_saddle).

Measured: the gradient is exactly 0 at step 0, and units that start alike, in what they read
and in how they are read, are alike to the last bit after 10,000 steps, and 60,000. But
chance lasts for 373 to 600 steps only, 1.06 times what linear theory says, as the classes
are not equal in number. With exactly equal classes (320 each, two seeds) the folklore is
right in exact arithmetic; here rounding frees the network after some 1,900 steps. It then
learns what one unit can, 0.87.

Random weights of N(0, 0.01²) or more part the units at once. N(0, 1e-12) does not: the
classes' imbalance drowns it, and where they are unequal, in 18 of 20 seeds, the units are
alike to 0.3 % after 100 steps, and to 5 % until 10,000. What parts them shows late: after
10,000 steps 13 of 20 seeds of N(0, 1) are better than one unit, 4 of xavier_normal, none of
N(0, 0.1²) or less; after 60,000, 19 of xavier_normal and of N(0, 0.01²). A readout of 0
before random units traps nothing, nor do identical rows whose readouts differ.

Cost on two CPU cores: the default takes 63 s and 0.65 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema
from sweeps.moons import symmetry_names

SCHEMA = Schema(
    version=1,
    columns=(
        Column("start", "str", "initializer of both layers' weights; biases start at 0"),
        Column("width", "int", "hidden units; 1 for the network of one unit"),
        Column("rate", "float", "learning rate η"),
        Column("steps", "int", "steps of gradient descent of the whole run"),
        Column("seed", "int", "seed of points and weights"),
        Column("step", "int", "steps of gradient descent done"),
        Column("loss", "float", "cross entropy of the training points, nats"),
        Column("dev_loss", "float", "cross entropy of the dev points, nats", decimals=4),
        Column("accuracy", "float", "share of the 640 training points right", decimals=4),
        Column("dev_accuracy", "float", "share of the 160 dev points right", decimals=4),
        Column("test_accuracy", "float", "share of the 200 test points right", decimals=4),
        Column(
            "entry_grad_log10_norm",
            "float",
            "log10 of the L2 norm of ∂L/∂(W, b) of the hidden layer, -inf of exactly 0",
            decimals=4,
        ),
        Column(
            "log10_distance",
            "float",
            "log10 of the largest distance of two hidden units' (w, b) over the longest "
            "(w, b), -inf of exactly 0",
            decimals=4,
        ),
        Column(
            "log10_singular_1", "float", "log10 of W's largest singular value", decimals=4
        ),
        Column("log10_singular_2", "float", "log10 of the next one, -inf of 0", decimals=4),
        Column("rank", "int", "singular values that float32 can tell from 0"),
        Column(
            "positive_share", "float", "share of class 1 in the training points", decimals=6
        ),
        Column("escape_step", "int", "first step that begins below 0.6 nats, -1 if none"),
    ),
    order=("width", "start", "rate", "seed", "step"),
)

ONE_UNIT = "normal(1)"
"""Start of the networks of one hidden unit, which the others are compared with."""


@dataclass(frozen=True)
class Config:
    """Settings of the sweep."""

    starts: tuple[str, ...] = (
        *("zeros", "constant(0.5)", "identical_rows", "random_readout", "zero_readout"),
        *("uniform(-1, 1)", "xavier_normal"),
        *("normal(1)", "normal(0.1)", "normal(0.01)", "normal(1e-06)"),
    )
    """Initializers by name, constant(c), or what sweeps.moons.symmetry_names adds."""
    width: int = 5
    """Hidden units; a network of one unit is trained beside them."""
    rate: float = 0.2
    """Learning rate."""
    steps: int = 10_000
    """Steps of gradient descent."""
    longer: tuple[str, ...] = ("identical_rows", "xavier_normal", "normal(0.01)")
    """Starts that are trained for longer, as networks of one unit are."""
    long_steps: int = 60_000
    """Steps of these."""
    per_decade: int = 8
    """Rows of a network for ten times as many steps."""
    seeds: int = 20
    """Number of seeds, each with points and weights of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        starts=("zeros", "identical_rows", "normal(1)"),
        steps=300,
        longer=(),
        long_steps=300,
        per_decade=3,
        seeds=2,
    ),
    "default": Config(),
    "paper": Config(steps=100_000, longer=(), long_steps=100_000, seeds=50),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network; those of one unit come last."""
    (width,) = axes.within("width", [config.width], 2, 10_000)
    (steps,) = axes.within("steps", [config.steps], 1, 10_000_000)
    (more,) = axes.within("long-steps", [config.long_steps], steps, 10_000_000)
    axes.within("per-decade", [config.per_decade], 1, 1000)
    starts = symmetry_names.starts(config.starts)
    longer = symmetry_names.starts(config.longer) if config.longer else ()
    if set(longer) - set(starts):
        raise ValueError(f"--longer must be of --starts; got {config.longer!r}")
    networks = [(start, width, more if start in longer else steps) for start in starts]
    return [
        cell
        for start, units, length in (*networks, (ONE_UNIT, 1, more))
        for cell in product(
            start=[start],
            width=[units],
            rate=axes.positive("rate", [config.rate]),
            steps=[length],
            seed=range(*axes.within("seeds", [config.seeds], 1, 10_000)),
        )
    ]


def unit(cell: Cell) -> Hashable:
    """Networks of one seed share their points and their draws."""
    return cell["seed"]


def program(cell: Cell) -> Hashable:
    """Networks of one shape that are trained equally long share one program."""
    return cell["width"], cell["steps"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Train these networks, which are of one shape, and compare their units."""
    from sweeps.moons.symmetry import rows  # JAX, which drawing does without

    return rows(cells, per_decade=config.per_decade)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.moons.symmetry import price

    return price(cells, per_decade=config.per_decade)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("symmetry_breaking"))

"""What does a shift of the data cost a trained model, and how much can be won back?

Softmax regressions on means of blocks of MNIST's pixels, beside one trained on the target.

Expected: covariate shift: weights p_target/p_source turn the source into the target if it
covers that; they matter to a model that falls short of the truth, and cost variance
(Shimodaira 2000); a classifier of the domains finds them (Sugiyama, Suzuki & Kanamori
2012). Label shift: weights of the classes from a confusion matrix, errors ∝ 1/√images
(Lipton et al. 2018). Concept shift: only new labels help.

Measured, in shares of what training on the target is better by. Inverted digits, at gaps
of 0.4, 0.7 and 0.9 between the shares of changed images: weights win back 84, 87 and 77 %
(at 0.9 from 0.05 to 0.50 of 0.64), thickened 73, 70 and 53 % (0.43 to 0.57 of 0.70).
Without overlap, at 1, -5 and 7 % of 62 and 56 points: they cannot help. Of noise nothing is
to be won, and weights lose 13.1 points at 0.9, where 4 % of the images count; the true ones
lose 12.6, square roots 6.0.
Digits in other proportions, one e³ or e⁴ times as frequent as another: 56 and 72 % by the
posterior, 60 and 73 % retrained, of 1.9 and 3.3 points. The weights' errors are 0.94 to
0.97 of the first order with 600 images, 0.98 to 1.05 with 300, more with 150.
While 3 % of the digits are renamed with every batch, a model that stays is right of the
others, 0.09 after 30; retrained on the last 5 batches 0.76, updated on each 0.78, of 0.82.
A window wins back least, 38 % at a drift of 1 %, when the first digit has just moved.

Cost on two CPU cores: the default takes 82 seconds and 0.6 GB.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, product
from sweeps.harness.table import Column, Schema
from sweeps.shift.settings import Settings

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "covariate, label or concept"),
        Column("change", "str", "how images are drawn; priors; or drift"),
        Column(
            "strength",
            "float",
            "target's minus source's share of changed images; ln of the most over the "
            "least frequent digit; share of the digits that move in a step",
        ),
        Column("seed", "int", "seed of the choice of images, of noise and orders"),
        Column("step", "int", "batches arrived, 0 where nothing arrives"),
        Column("images", "int", "that models are trained on, weights estimated from"),
        Column(
            "method",
            "str",
            "source or static: uncorrected; weighted, flattened, true_weights, posterior, "
            "window, online: corrected; target: trained on it; estimate: weights alone",
        ),
        Column("accuracy", "float", "share of the target that is right", decimals=5),
        Column(
            "weight_error",
            "float",
            "rms of estimated minus true weights over rms of the true ones; of an "
            "estimate the length of the difference over the ten classes",
        ),
        Column("expected_error", "float", "rms of that length to first order"),
        Column("effective_share", "float", "(Σw)² / (n Σw²) of the weights", decimals=5),
    ),
    order=("part", "change", "strength", "seed", "step", "images", "method"),
)
CHANGES = ("inverted", "thickened", "noisy")


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: three parts with a grid each."""

    changes: tuple[str, ...] = CHANGES
    """Covariate shift: how images are drawn otherwise."""
    gaps: tuple[float, ...] = (0.0, 0.4, 0.7, 0.9, 1.0)
    """How far the shares of changed images in source and target are apart."""
    images: int = 2000
    """Images of the source, and of the target."""
    noise: float = 4.0
    """Standard deviation of noise on a pixel, in those of all pixels."""
    tilts: tuple[float, ...] = (0.0, 1.0, 2.0, 3.0, 4.0)
    """Label shift: ln of the most over the least frequent digit of the target."""
    label_images: int = 600
    """Images of the source, held out of it, and of the target."""
    drifts: tuple[float, ...] = (0.0, 0.01, 0.02, 0.03)
    """Concept shift: share of the digits that are called otherwise after a step."""
    steps: int = 200
    """Steps of Adam on all images at once."""
    rate: float = 0.03
    """Learning rate of Adam."""
    l2: float = 0.01
    """Penalty on the squares of the weights."""
    seeds: int = 40
    """Number of seeds."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        changes=("inverted",),
        gaps=(0.8,),
        images=300,
        tilts=(3.0,),
        label_images=200,
        drifts=(0.03,),
        steps=40,
        seeds=2,
    ),
    "default": Config(),
    "paper": Config(
        gaps=(0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), steps=600, seeds=100
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per kind of shift, strength and seed."""
    axes.within("images", [config.images], 10, 2000)
    axes.within("label-images", [config.label_images], 40, 600)
    axes.within("steps", [config.steps], 1, 1_000_000)
    for axis in ("noise", "rate", "l2"):
        axes.positive(axis, [getattr(config, axis)])
    for change in config.changes:
        if change not in CHANGES:
            raise ValueError(f"--changes must be of {', '.join(CHANGES)}; got {change!r}")
    grids = (
        ("covariate", config.changes, _upto("gaps", config.gaps, 1)),
        ("label", ("priors",), _upto("tilts", config.tilts, 4)),
        ("concept", ("drift",), _upto("drifts", config.drifts, 1)),
    )
    return [
        cell
        for part, changes, strengths in grids
        for cell in product(
            part=[part],
            change=dict.fromkeys(changes),
            strength=strengths,
            seed=range(*axes.within("seeds", [config.seeds], 1, 10_000)),
        )
    ]


def unit(cell: Cell) -> Hashable:
    """Shifts of one seed share their images."""
    return cell["part"], cell["seed"]


def program(cell: Cell) -> Hashable:
    """All models of a part have one shape."""
    return cell["part"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Train models on shifted data, corrected and not."""
    from sweeps.shift.rows import rows  # JAX, which drawing does without

    return rows(cells, _settings(config))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.shift.rows import price

    return price(cells, _settings(config))


def _settings(config: Config) -> Settings:
    return Settings(*(getattr(config, name) for name in Settings._fields))


def _upto(axis: str, values: Sequence[float], most: float) -> tuple[float, ...]:
    """Distinct strengths from 0 to ``most``."""
    wrong = [value for value in values if not 0 <= value <= most]
    if wrong or not values:
        raise ValueError(
            f"--{axis} must be numbers from 0 to {most}; got {wrong or values}"
        )
    return tuple(dict.fromkeys(float(value) for value in values))


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("distribution_shift"))

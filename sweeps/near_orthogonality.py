"""Are random vectors orthogonal, and is a random matrix orthogonal because of it?

Expected, for independent entries of variance 1/m and kurtosis κ, W of m × n: the angle of
two Gaussian vectors has density ∝ sinⁿ⁻²θ, and E cos² = 1/n for any law that is symmetric;
the mean square of the entries of WᵀW − I is exactly (n−2+κ)/(n m), that is (n+1)/n² for
Gaussian n × n; ‖Wx‖/‖x‖ is χ_m/√m if W is Gaussian, of standard deviation near 1/√(2m).
Yet the singular values fill [0, 2] by the quarter-circle law, [|1−√(n/m)|, 1+√(n/m)] by
that of Marchenko & Pastur (1967), the least is of order 1/n, and E ln cond = ln n + 1.537
(Edelman 1988).

Measured: all of it. The mean square is 1.0038/n for Gaussian n = 256, and near 1/n for
every law once n ≫ κ only: where 9 of 10 entries are 0, κ is 30 and it is 3.73/n for
n = 10, 1.87/n for 32, 1.28/n for 100, 1.109/n for 256. Small matrices may be singular:
100 % of the sparse 10 × 10, 94 % of 32 × 32 and 0.6 % of 100 × 100, and 37 % of Rademacher
10 × 10. "Nearly orthogonal" holds for a pair of columns and for the length of one vector,
never for the matrix: ln cond is 6.16 at n = 100, the median of n s is 0.55 for the least
singular value s; after 256 Gaussian layers of width 32 two inputs at 90° lie within 1.3°
of one line (median; 90 % of networks 0.01°…54°) and the median of ln ‖x‖ is -4.15, with
sparse weights -13.71, while orthogonal ones keep both length and angle. And where m < n
no W has WᵀW = I: the orthogonal one errs by 1/m − 1/n in mean square, against
1/m + 1/(n m) for a Gaussian one. ReLU leaves 1/√2 of a norm a layer and √2 on its weights
restores it; so does layer normalization, after any activation, by what it divides and not
by what is drawn.

Student's t has ν = 9, the fewest for which the mean square has a standard error. Of a
matrix with more than 1,024 columns 256 are drawn: a fair sample of its angles and squares,
but not of its lengths, which the figure leaves out; nor has it singular values.

Cost on two CPU cores: the default takes about 64 seconds and 1.4 GB.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from sweeps import axes
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.harness.table import Column, Schema

KEPT = 0.1
"""Share of the entries of a sparse matrix that are not 0."""
FREEDOM = 9
"""Degrees of freedom ν of Student's t: 8 moments are finite."""
KURTOSIS: Mapping[str, float] = {
    **{"gaussian": 3, "uniform": 9 / 5, "rademacher": 1},
    **{"sparse": 3 / KEPT, "student_t": 3 + 6 / (FREEDOM - 4)},
}
"""κ of an entry of each law of independent entries."""
LAWS = (*KURTOSIS, "orthogonal")
REMEDIES = ("none", "gain", "layer_norm")
ANGLE_BIN = 0.25
"""Width of a bin of √n times the angle's distance from 90°, in radians."""
VALUE_BIN = 0.05
"""Width of a bin of singular values."""

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "matrices, layers or depth"),
        Column("record", "str", "moments, angles, spectrum, extremes, layers or depth"),
        Column("law", "str", "of the entries, which have variance 1/m"),
        Column("outputs", "int", "rows m of W"),
        Column("inputs", "int", "columns n of W"),
        Column("activation", "str", "nonlinearity φ after each layer"),
        Column("remedy", "str", "what follows φ: none, gain or layer_norm"),
        Column("seed", "int", "seed of matrices and inputs"),
        Column("matrix", "int", "matrix or network of the seed, -1 for all of them"),
        Column("layer", "int", "layers passed, 0 for a single matrix"),
        Column("kurtosis", "float", "κ of the entries; nan if they are not independent"),
        Column("drawn", "int", "columns of W that are drawn"),
        Column("bin", "int", "bin of angles or of singular values, else -1"),
        Column("middle", "float", "of the bin: √n (θ − 90°), radians, or singular value"),
        Column("count", "int", "pairs or singular values in the bin, or of the row"),
        Column("mean_square", "float", "of all entries of WᵀW − I, from those drawn"),
        Column("diagonal", "float", "mean square of its diagonal"),
        Column("off_diagonal", "float", "mean square of the others"),
        Column("cosine_square", "float", "mean cos² of pairs of columns that are not 0"),
        Column("norm_mean", "float", "mean of r = ‖h‖/‖x‖", digits=8),
        Column("norm_std", "float", "standard deviation of r"),
        Column("norm_error", "float", "mean of (r² − 1)²"),
        Column("least", "float", "smallest of the min(m, n) singular values"),
        Column("greatest", "float", "largest singular value", digits=7),
        Column("log_norm", "float", "ln of ‖x‖ over that of the input", decimals=4),
        Column("log_sine", "float", "ln of the sine between two inputs", decimals=4),
    ),
    order=(
        *("part", "record", "law", "outputs", "inputs", "activation", "remedy"),
        *("seed", "matrix", "layer", "bin"),
    ),
)


@dataclass(frozen=True)
class Config:
    """Settings of the sweep: three parts with a grid each."""

    laws: tuple[str, ...] = LAWS
    """Laws of the entries: gaussian, uniform, rademacher, sparse, student_t, orthogonal."""
    widths: tuple[int, ...] = (10, 32, 100, 256, 1024, 4096)
    """Sides n of the square matrices."""
    outputs: tuple[int, ...] = (64, 128, 512, 1024)
    """Rows m of the other matrices."""
    inputs: int = 256
    """Columns of those, and units of every layer of a network with activations."""
    activations: tuple[str, ...] = ("identity", "relu", "elu", "gelu", "tanh", "sigmoid")
    """Activations after each layer of networks with Gaussian weights."""
    layers: int = 10
    """Layers of these."""
    deep_width: int = 32
    """Units of the deep linear networks."""
    depth: int = 256
    """Their layers."""
    seeds: int = 20
    """Number of seeds, each with matrices and inputs of its own."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        laws=("gaussian", "sparse", "orthogonal"),
        widths=(16,),
        outputs=(8,),
        inputs=16,
        activations=("relu",),
        layers=4,
        deep_width=16,
        depth=16,
        seeds=3,
    ),
    "default": Config(),
    "paper": Config(seeds=200),
}


def cells(config: Config) -> list[Cell]:
    """One cell per law, shape and seed, and one per activation, remedy and seed."""
    if not config.laws or set(config.laws) - set(LAWS):
        raise ValueError(f"--laws must be of {', '.join(LAWS)}; got {config.laws!r}")
    widths = axes.within("widths", config.widths, 2, 100_000)
    (wide,) = axes.within("inputs", [config.inputs], 2, 10_000)
    (narrow,) = axes.within("deep-width", [config.deep_width], 2, 10_000)
    axes.within("layers", [config.layers], 1, 10_000)
    axes.within("depth", [config.depth], 1, 1_000_000)
    outputs = axes.within("outputs", config.outputs, 2, 100_000)
    square = {"activation": "identity", "remedy": "none"}
    laws = dict.fromkeys(config.laws)
    shapes = dict.fromkeys([*((n, n) for n in widths), *((m, wide) for m in outputs)])
    names = axes.activations(config.activations)
    settings = [
        *(("matrices", law, *shape, *square.values()) for law in laws for shape in shapes),
        *(
            ("layers", "gaussian", wide, wide, name, remedy)
            for name in names
            for remedy in REMEDIES
        ),
        *(("depth", law, narrow, narrow, *square.values()) for law in laws),
    ]
    axis = ("part", "law", "outputs", "inputs", *square)
    seeds = range(*axes.within("seeds", [config.seeds], 1, 100_000))
    return [
        {**dict(zip(axis, one, strict=True)), "seed": seed}
        for one in settings
        for seed in seeds
    ]


def unit(cell: Cell) -> Hashable:
    """All seeds of a law and shape, or of an activation with every remedy."""
    return cell["part"], cell["law"], cell["outputs"], cell["inputs"], cell["activation"]


def program(cell: Cell) -> Hashable:
    """Each unit is a call."""
    return unit(cell)


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Angles, lengths and spectra of matrices, or lengths over the layers of networks."""
    from sweeps.angles.rows import rows  # jax, which drawing does without

    return rows(cells, {"layers": config.layers, "depth": config.depth})


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.angles.price import price

    return price(cells, {"layers": config.layers, "depth": config.depth})


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("near_orthogonality"))

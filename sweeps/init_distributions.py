"""Do initializers draw from their laws, and does a pre-activation show which it was?

Expected: what torch and JAX have draws from the laws that they state. A pre-activation is
a sum of n entries: of the law of an entry it keeps mean and variance, and a kurtosis of
3 + (κ - 3)/n, so that one of many inputs hardly shows whether its weights are Gaussian,
uniform or truncated (the central limit; first order of Edgeworth's series). With inputs of
several sizes n is (Σx²)²/Σx⁴, a third of their number if they are many and Gaussian.

Measured, 38 initializers in up to 4 shapes, initjax's versions of torch's (tests/init
compares them with torch's own draws) and of JAX's, and JAX's own: of 6,580 moments of
kernels the farthest from its law's is at 4.6 standard errors, and Kolmogorov's test
rejects none of 113 samples. What is called normal differs: he_normal of JAX has kurtosis
2.36 and nothing past 2.274 σ, kaiming_normal 3.00 and in 3e5 entries one at 4.4 to 5.4 σ;
uniform of JAX starts at 0. Of 10,000 Gaussian and uniform draws the kurtoses are 2.98 and
1.80, the largest 3.8 σ and 1.73 σ. Sums keep little of it: 200,000 draws do not tell sums
of 64 uniform entries from Gaussian ones by Kolmogorov's test, and by kurtosis only at
1.7 σ, of which 0.7 σ were found; for 256 it takes 4e6 by kurtosis, 1.6e8 by Kolmogorov, at
5 %. That is the law of one pre-activation alone: of joint laws and of training, where
folklore prefers one initializer, nothing is measured here.

Cost on two CPU cores: the default takes 41 seconds and 0.9 GB.
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
        Column("sample", "str", "entries of kernels, or preactivations: sums of columns"),
        Column("source", "str", "whose initializer: initjax or jax"),
        Column("scheme", "str", "initializer, with the defaults of its source"),
        Column("shape", "str", "of a kernel, 3x3x32x64 or fan_in x units"),
        Column("seeds", "int", "number of seeds, one kernel each"),
        Column("kind", "str", "moments, or of all seeds: bin, quantile, atom"),
        Column("index", "int", "seed, -1 for all of them; number of bin, quantile, atom"),
        Column("entries", "int", "numbers that this row is of"),
        Column("mean", "float", "mean"),
        Column("std", "float", "√ of the mean square about the law's mean"),
        Column("kurtosis", "float", "fourth moment about it over the square of the second"),
        Column("largest", "float", "largest distance from it, in std of the law"),
        Column("distance", "float", "Kolmogorov's, from the law, atoms left out", digits=4),
        Column("from_normal", "float", "the same from a Gaussian as wide", digits=4),
        Column("mean_z", "float", "standard score of the mean", decimals=3),
        Column("variance_z", "float", "of std²; nan if it has no error", decimals=3),
        Column("kurtosis_z", "float", "of the kurtosis", decimals=3),
        Column("law_mean", "float", "mean of the law"),
        Column("law_std", "float", "standard deviation of the law", digits=8),
        Column("law_kurtosis", "float", "kurtosis of the law", digits=8),
        Column("law_kept", "float", "probability that an entry is no atom"),
        Column("law_largest", "float", "median of the largest of so many by the law"),
        Column("law_from_normal", "float", "distance of the law from a Gaussian as wide"),
        Column("value", "float", "middle of the bin, quantile, or atom"),
        Column("width", "float", "of the bin"),
        Column("share", "float", "of the sample; at a quantile, the law's P(x ≤ value)"),
        Column("law_value", "float", "quantile of the law"),
        Column("law_share", "float", "of the law; at a quantile, its probability"),
    ),
    order=("sample", "source", "scheme", "shape", "seeds", "kind", "index"),
)
TORCH = (
    *("uniform", "normal", "trunc_normal", "constant", "ones", "zeros", "eye", "dirac"),
    *("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"),
    *("orthogonal", "sparse"),
)
"""What torch.nn.init has, by initjax."""
JAX = (
    *("uniform", "normal", "truncated_normal", "constant", "ones", "zeros"),
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal"),
    *("lecun_uniform", "lecun_normal", "variance_scaling"),
    *("orthogonal", "delta_orthogonal"),
)
"""What jax.nn.initializers has."""
SCHEMES: Mapping[str, tuple[str, ...]] = {
    "initjax": tuple(dict.fromkeys((*TORCH, *JAX))),
    "jax": JAX,
}
SUMMED = ("kaiming_normal", "kaiming_uniform", "he_normal")
"""One variance, 2 / fan_in, by three laws: Gaussian, uniform, truncated."""


@dataclass(frozen=True)
class Config:
    """Settings of the sweep."""

    schemes: tuple[str, ...] = SCHEMES["initjax"]
    """Initializers by name, those of torch and of JAX."""
    sources: tuple[str, ...] = ("initjax", "jax")
    """Whose initializers: initjax, jax."""
    shapes: tuple[str, ...] = ("256x64", "64x256", "128x128", "3x3x32x64")
    """Shapes of the kernels; a scheme is drawn in those it has a meaning for."""
    fans: tuple[int, ...] = (1, 2, 4, 16, 64, 256)
    """Entries that a pre-activation is the sum of; with 1 it is an entry."""
    draws: int = 10_000
    """Pre-activations of a seed."""
    seeds: int = 20
    """Number of seeds, one kernel each."""


PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        schemes=("kaiming_normal", "uniform", "eye"),
        shapes=("32x16",),
        fans=(1, 4),
        draws=1000,
        seeds=4,
    ),
    "default": Config(),
    "paper": Config(shapes=("1024x256", "256x1024", "512x512", "3x3x64x128"), seeds=200),
}


def cells(config: Config) -> list[Cell]:
    """One cell per source, scheme and shape, for all seeds together."""
    from sweeps.samples.libraries import fits
    from sweeps.samples.rows import shape_of, spelled

    seeds = axes.within("seeds", [config.seeds], 1, 100_000)
    (draws,) = axes.within("draws", [config.draws], 1, 10_000_000)
    fans = axes.within("fans", config.fans, 1, 10_000)
    shapes = dict.fromkeys(spelled(words) for words in config.shapes)
    sources, schemes = dict.fromkeys(config.sources), dict.fromkeys(config.schemes)
    for option, given, known in (
        ("sources", sources, tuple(SCHEMES)),
        ("schemes", schemes, SCHEMES["initjax"]),
    ):
        for name in given:
            if name not in known:
                raise ValueError(f"--{option} must be of {', '.join(known)}; got {name!r}")
    entries = [
        {"source": source, "scheme": scheme, "shape": shape}
        for source in sources
        for scheme in schemes
        for shape in shapes
        if scheme in SCHEMES[source] and fits(source, scheme, shape_of(shape))
    ]
    if idle := [n for n in schemes if n not in {cell["scheme"] for cell in entries}]:
        raise ValueError(f"--shapes or --sources has none for {idle[0]}")
    sums = product(source=["initjax"], scheme=SUMMED, shape=[f"{n}x{draws}" for n in fans])
    samples = {"entries": entries, "preactivations": sums}
    return [
        {"sample": sample, **cell, "seeds": seeds[0]}
        for sample, several in samples.items()
        for cell in several
    ]


def unit(cell: Cell) -> Hashable:
    """Each sample on its own."""
    return tuple(cell.values())


def program(cell: Cell) -> Hashable:
    """Schemes of one family and shape share a program."""
    return cell["sample"], cell["shape"]


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Moments of each seed; histograms, quantiles and atoms of all."""
    from sweeps.samples.rows import rows  # jax, which drawing does without

    return rows(cells)


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    from sweeps.samples.rows import cost

    return cost(cells)


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("init_distributions"))

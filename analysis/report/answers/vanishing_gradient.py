"""What the table of ``sweeps.vanishing_gradient`` answers."""

import numpy as np
import pandas as pd

from analysis.gradient_theory import (
    COLUMNS,
    ONE,
    SMALL,
    expected,
    percentiles,
    published_start,
    scatter,
    split,
)
from analysis.report.facts import Comparison


def answer(table: pd.DataFrame) -> str:
    """What weights and φ′ take from the gradient, and where published runs stand."""
    rows = split(table).set_index(["activation", "scheme", "bias"])
    sigmoid = rows.loc[("sigmoid", SMALL, ONE)]
    relu = rows.loc[("relu", SMALL, ONE)]
    born = rows.loc[("relu", "xavier_normal(gain)", 0.0), "zero"]
    at = percentiles(table)["percentile"]
    return (
        f"Mostly the weights: of the {-sigmoid['decades']:.1f} decades that sigmoids lose "
        f"from layer 5 to layer 1 with N(0, 0.01²), weights take {-sigmoid['weights']:.1f} "
        f"and φ′ {-sigmoid['slope']:.1f}, and ReLUs lose {-relu['decades']:.1f}; the "
        f"published runs are at percentiles {at.min():.0f} to {at.max():.0f} of the seeds, "
        f"and {born:.0%} of ReLU networks from Xavier's weights are born dead."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Means of the logarithm of the norms against products of χ₃."""
    rows = published_start(table)
    grouped = rows.groupby(["activation", "layer"])[COLUMNS["weight"]]
    mean, seeds = grouped.mean().astype(float), int(grouped.size().min())
    law = [expected(name)[layer - 1] for name, layer in mean.index]
    away = (mean - law).dropna()
    name, layer = away.abs().idxmax()
    return Comparison(
        "To first order in W, norms are products of independent χ₃: the mean of "
        "log10 |∂L/∂W|.",
        f"{away[name, layer]:+.3f} decades for {name} in layer {layer}, where the standard "
        f"error is {scatter()[layer - 1] / np.sqrt(seeds):.3f} ({seeds} seeds).",
    )

"""What the table of ``sweeps.depth_vs_init`` answers."""

import numpy as np
import pandas as pd

from analysis.depth_vs_init import activation_scale, slope_map
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """How many pairs of scheme and activation keep signal and gradient."""
    verdict = once(slope_map, table).pivot(
        index=["scheme", "activation"], columns="direction", values="verdict"
    )
    kept = verdict == "survives"
    both = kept.all(axis=1).groupby(level="activation").sum()
    counts = ", ".join(f"{name} {n}" for name, n in both.items())
    return (
        f"Over {table['depth'].max()} layers {kept['forward'].sum()} of {len(kept)} pairs "
        f"of scheme and activation keep the signal within a factor of 100, "
        f"{kept['backward'].sum()} the gradient and {kept.all(axis=1).sum()} both; of "
        f"{verdict.index.get_level_values(0).nunique()} schemes, with {counts}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Medians of the signal against the mean field, and the band of a finite width."""
    rows = once(activation_scale, table)
    seen = rows[np.isfinite(rows[["median", "theory"]]).all(axis=1)]
    away = (seen["median"] - seen["theory"]).abs()
    worst = seen.loc[away.idxmax()]
    banded = seen.dropna(subset=["theory_low", "theory_high"])
    inside = banded["median"].between(
        banded["theory_low"] - 0.005, banded["theory_high"] + 0.005
    )
    return Comparison(
        "The mean field of the RMS, and its 90 % band at the table's width to first order.",
        f"{away.max():.2f} decades: {worst['activation']} from {worst['scheme']} in layer "
        f"{worst['layer']}, median of seeds; {inside.mean():.1%} of {len(inside):,} "
        "medians "
        "lie in the band, to 0.005 decades.",
    )

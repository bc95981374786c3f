"""What the table of ``sweeps.phase_diagram`` answers."""

import pandas as pd

from analysis.phase_diagram import agreement
from analysis.report.facts import Comparison
from analysis.report.once import once

_SHORT = 30
"""Layers of ξ_c up to which networks of the table's depth can tell it."""


def answer(table: pd.DataFrame) -> str:
    """How many depth scales are where theory has them."""
    rows = once(agreement, table)
    close = (rows["ratio"] - 1).abs() < 0.05
    short = rows["xi_c_theory"] < _SHORT
    spans = rows.groupby("phase")["xi_c_theory"].agg(["min", "max"])
    told = [
        f"{at['min']:.1f} to {at['max']:.0f} layers in the {phase} phase"
        for phase, at in spans.iterrows()
    ]
    return (
        f"As deep as the mean field says: {close.sum()} of {len(rows)} measured depth "
        "scales "
        f"ξ_c, {' and '.join(told)}, are within 5 % of theory, and {(close & short).sum()} "
        f"of {short.sum()} below {_SHORT} layers."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Depth scales against the mean field."""
    rows = once(agreement, table)
    off = rows["ratio"] - 1
    worst = rows.loc[off.abs().idxmax()]
    below = rows[rows["xi_c_theory"] < _SHORT]
    near = below.loc[(below["ratio"] - 1).abs().idxmax()]
    return Comparison(
        "Schoenholz et al. (2017): correlations converge as e^(−ℓ/ξ_c).",
        f"{off.loc[worst.name]:+.0%} ± {worst['ratio_error']:.0%} of ξ_c = "
        f"{worst['xi_c_theory']:.0f} layers ({worst['activation']}, {worst['phase']}); "
        "below "
        f"{_SHORT} layers {near['ratio'] - 1:+.1%} ({near['activation']}, "
        f"ξ_c = {near['xi_c_theory']:.1f}).",
    )

"""What the table of ``sweeps.symmetry_breaking`` answers."""

import numpy as np
import pandas as pd

from analysis.report.facts import Comparison
from analysis.report.once import once
from analysis.symmetry_courses import FAMILIES, family, verdicts
from analysis.symmetry_saddle import escapes


def answer(table: pd.DataFrame) -> str:
    """Whether units that start alike part, and when zeros leave chance."""
    rows = verdicts(table)
    alike = rows[[family(start) == FAMILIES[0] for start in rows["start"]]]
    same = np.isneginf(alike["log10_distance"].astype(float))
    beats = rows.set_index("start")
    left = _zeros(table)["escape_step"]
    return (
        f"Units that start alike {'stay' if same.all() else 'do not stay'} alike to the "
        f"last bit ({', '.join(alike['start'])}, up to {alike['steps'].max():,} steps); "
        f"weights of 0 leave chance after {left.min():.0f} to {left.max():.0f} steps where "
        f"the classes differ, for what one unit can do, which "
        f"{beats.loc['normal(1)', 'beats']} of {beats.loc['normal(1)', 'seeds']} networks "
        "from N(0, 1) exceed."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """When weights of 0 leave chance, against the linear map of the saddle."""
    rows = _zeros(table)
    ratio = rows["escape_step"] / rows["theory"]
    worst = rows.loc[(ratio - 1).abs().idxmax()]
    return Comparison(
        "The linear map around the saddle at 0: chance lasts for ln(1/push) over a rate.",
        f"{ratio.loc[worst.name]:.2f} times theory, {worst['escape_step']:.0f} steps for "
        f"{worst['theory']:.0f}; the median of {len(rows)} networks is "
        f"{ratio.median():.2f}.",
    )


def _zeros(table: pd.DataFrame) -> pd.DataFrame:
    """Networks from weights of 0 that leave, with classes that are not equal."""
    rows = once(escapes, table)
    rows = rows[(rows["seed"] >= 0) & (rows["panel"] == "weights of 0") & (rows["x"] > 0)]
    rows = rows.dropna(subset=["escape_step", "theory"]).reset_index(drop=True)
    if rows.empty:
        raise LookupError("no network leaves weights of 0")
    return rows

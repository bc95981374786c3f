"""What the table of ``sweeps.width_fluctuations`` answers."""

import numpy as np
import pandas as pd

from analysis.narrow_theory import length_moments, slopes
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """How far slopes are from the mean field at the largest width, and at the least."""
    rows = once(slopes, table)
    rows = rows.assign(off=np.expm1((rows["measured"] - rows["mean_field"]).abs()))
    wide, narrow = (rows[rows["width"] == pick(rows["width"])] for pick in (max, min))
    return (
        f"All {len(wide)} slopes of {wide['activation'].nunique()} activations are within "
        f"{wide['off'].max():.1%} of the mean field, as a factor per layer, at width "
        f"{wide['width'].iloc[0]}, and within {narrow['off'].max():.1%} at width "
        f"{narrow['width'].iloc[0]}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Moments of ln R where the law is exact, in standard errors."""
    rows = once(length_moments, table)
    rows = rows[(rows["law"] == "exact") & ~rows["panel"].str.endswith("R²")]
    away = ((rows["measured"] - rows["theory"]) / rows["error"]).abs()
    worst = rows.loc[away.idxmax()]
    return Comparison(
        "Hanin & Rolnick (2018): mean and variance of ln of a length, exact at any width "
        "for linear and ReLU networks.",
        f"{away.max():.1f} standard errors ({worst['panel']}, width {worst['width']}, "
        "layer "
        f"{worst['layer']}: {worst['measured']:.3g} for {worst['theory']:.3g}), the "
        "farthest "
        f"of {len(rows)} points, which share networks.",
    )

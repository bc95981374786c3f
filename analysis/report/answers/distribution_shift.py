"""What the table of ``sweeps.distribution_shift`` answers."""

import pandas as pd

from analysis.report.facts import Comparison
from analysis.report.once import once
from analysis.shifts import drifted, estimates, won_back


def answer(table: pd.DataFrame) -> str:
    """What importance weights win back of inverted digits, and adapting of drift."""
    rows = won_back(table).astype({"strength": float})
    covariate = rows[(rows["change"] == "inverted") & (rows["method"] == "weighted")]
    covered = covariate[covariate["strength"] < 1]["share"]
    alone = covariate[covariate["strength"] == 1]["share"].item()
    drift = once(drifted, table)
    fast = drift[drift["strength"] == drift["strength"].max()]
    end = fast[fast["x"] == fast["x"].max()].set_index("method")["mean"]
    return (
        f"Importance weights win back {100 * covered.min():.0f} to "
        f"{100 * covered.max():.0f} % of what inverted digits cost where source and target "
        f"overlap, and {100 * alone:.0f} % where they do not; with "
        f"{100 * fast['strength'].iloc[0]:.0f} % of the digits renamed per batch a model "
        f"updated on each keeps an accuracy of {end['online']:.2f} of "
        f"{end['target']:.2f}, one that stays falls to {end['static']:.2f}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Errors of estimated class weights against their first order."""
    rows = once(estimates, table)
    ratio = rows["measured"] / rows["theory"]
    worst = rows.loc[(ratio - 1).abs().idxmax()]
    most = ratio[rows["images"] == rows["images"].max()]
    return Comparison(
        "Lipton et al. (2018): errors of class weights from a confusion matrix, to first "
        "order in 1/√images.",
        f"{worst['measured'] / worst['theory']:.2f} times theory, with "
        f"{worst['images']:.0f} images at ln(most / least) = {worst['strength']:g}; "
        f"{most.min():.2f} to {most.max():.2f} times with {rows['images'].max()}.",
    )

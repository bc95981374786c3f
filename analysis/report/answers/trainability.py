"""What the table of ``sweeps.trainability`` answers."""

import pandas as pd

from analysis.report.facts import Comparison
from analysis.report.once import once
from analysis.trainability import TRAINED, WITHIN, accuracy_map, verdict


def answer(table: pd.DataFrame) -> str:
    """What trains within and beyond six depth scales."""
    found = verdict(once(accuracy_map, table))
    if not found["beyond"] or not found["within"]:
        raise LookupError("no network on one of the sides")
    return (
        f"Down to about 6 ξ_c: of {found['within']} networks shallower than {WITHIN:g} "
        "times "
        f"that {found['trained']:.0%} get more than {TRAINED:.0%} of their images right; "
        "of "
        f"{found['beyond']} deeper ones none gets more than {found['largest']:.0%}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """The best network beyond 6 ξ_c, and the worst well within."""
    rows = once(accuracy_map, table)
    beyond, within = (rows[rows["place"] == place] for place in ("beyond", "within"))
    best, worst = (
        beyond.loc[beyond["accuracy"].idxmax()],
        within.loc[within["accuracy"].idxmin()],
    )
    return Comparison(
        "Schoenholz et al. (2017): networks deeper than 6 ξ_c do not train.",
        f"{best['accuracy']:.0%} of the images right beyond, at σ_w² = "
        f"{best['sigma_w2']:g} and "
        f"{best['depth']:.0f} layers, {best['depth'] / best['limit']:.2f} times 6 ξ_c; "
        f"{worst['accuracy']:.0%} within, at {worst['sigma_w2']:g} and "
        f"{worst['depth']:.0f} "
        "layers.",
    )

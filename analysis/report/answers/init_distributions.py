"""What the table of ``sweeps.init_distributions`` answers."""

import pandas as pd

from analysis.laws import FAMILIES, SCORES, agreement
from analysis.report.facts import Comparison
from analysis.report.once import once
from analysis.style import printable


def answer(table: pd.DataFrame) -> str:
    """How far samples are from their laws, and what a sum keeps of them."""
    scores = _scores(table)
    kinds = table[table["sample"] == "entries"].groupby(["source", "scheme"]).ngroups
    sums = once(agreement, table)
    kurtosis = sums[sums["panel"] == "kurtosis"].set_index(["scheme", "fan"])["measured"]
    one, many = (kurtosis["kaiming_uniform"][n] for n in (1, 64))
    return (
        f"Of {scores['score'].count():,} moments of kernels of {kinds} initializers the "
        f"farthest is {scores['score'].abs().max():.1f} standard errors from that of its "
        f"law; a sum keeps little of the law of its entries: uniform weights have a "
        f"kurtosis of {one:.2f}, sums of 64 of them {many:.2f}, Gaussian ones 3."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Standard scores of every kernel's mean, variance and kurtosis."""
    scores = _scores(table)
    worst = scores.loc[scores["score"].abs().idxmax()]
    beyond = (scores["score"].abs() > 1.96).mean()
    return Comparison(
        "The law that each initializer states, and the central limit theorem for moments "
        "of its samples.",
        f"{worst['score']:+.1f} standard errors, in the {worst['moment']} of "
        f"{printable(str(worst['scheme']))} ({printable(str(worst['source']))}, "
        f"{printable(str(worst['shape']))}); {beyond:.1%} are beyond 1.96, where 5 % "
        "belong.",
    )


def _scores(table: pd.DataFrame) -> pd.DataFrame:
    """All scores of single kernels, one to a row."""
    rows = table[(table["sample"] == "entries") & (table["kind"] == "moments")]
    random = (rows["index"] >= 0) & rows["scheme"].isin(FAMILIES)
    named = rows[random].rename(columns=SCORES)
    keys = ["source", "scheme", "shape"]
    parts = named[[*keys, *SCORES.values()]]
    long = parts.melt(keys, var_name="moment", value_name="score").dropna()
    if long.empty:
        raise LookupError("no scores")
    return long.reset_index(drop=True)

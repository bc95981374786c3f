"""What the table of ``sweeps.throughput`` answers."""

import pandas as pd

from analysis.races import NAMES, ratios, shares
from analysis.report.facts import Comparison


def answer(table: pd.DataFrame) -> str:
    """Seconds of the benchmark job, and how much longer others take."""
    job = table[(table["task"] == "job") & (table["contestant"] == "initjax")]
    found = ratios(table)
    others = found[found["task"] == "job"].sort_values("ratio", ascending=False)
    told = [f"{NAMES[row.contestant]} {row.ratio:.3g}" for row in others.itertuples()]
    if job.empty or not told:
        raise LookupError("no race on the benchmark job")
    return (
        f"The benchmark job of 800 networks takes {job['warm_s'].median():.2g} s and "
        f"{job['peak_gb'].max():.2g} GB; times as long take: {'; '.join(told)}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """The rate of necessary operations beside that of a large product."""
    found = shares(table)
    job = found[found["task"] == "job"].set_index("contestant")
    return Comparison(
        "A ceiling, not a theory: the rate of a large matrix product in the same rounds, "
        f"{job['ceiling'].iloc[0]:.0f} GFLOP/s.",
        f"initjax does its necessary operations at {job.loc['initjax', 'share']:.0%} of "
        "it, "
        f"and at {job.loc['initjax_measure', 'share']:.0%} with weights drawn before.",
    )

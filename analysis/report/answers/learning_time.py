"""What the table of ``sweeps.learning_time`` answers."""

import numpy as np
import pandas as pd

from analysis.learning_time import steps_by_depth
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """Steps of the shallowest and the deepest network, by weights."""
    rows = once(steps_by_depth, table)
    slow = rows[rows["panel"] == rows["panel"].iloc[0]]
    ends = slow["depth"].min(), slow["depth"].max()
    steps = slow.set_index(["weights", "depth"])["median"]
    told = [
        f"from {_steps(steps[weights, ends[0]])} to {_steps(steps[weights, ends[1]])} with "
        f"{weights} weights"
        for weights in ("orthogonal", "aligned", "gaussian")
    ]
    return (
        f"Between {ends[0]} and {ends[1]} weight matrices the steps to learn go "
        f"{', '.join(told)}, at the {slow['panel'].iloc[0]}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Aligned weights against the exact solution."""
    rows = once(steps_by_depth, table).dropna(subset=["theory"])
    off = rows["median"] / rows["theory"] - 1
    worst = rows.loc[off.abs().idxmax()]
    return Comparison(
        "Saxe, McClelland & Ganguli (2014): the exact course of networks whose singular "
        "vectors are those of the task.",
        f"{off.loc[worst.name]:+.1%} of the steps, at {worst['depth']} matrices.",
    )


def _steps(median: float) -> str:
    return f"{median:.0f}" if np.isfinite(median) else "more than were tried"

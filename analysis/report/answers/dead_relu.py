"""What the table of ``sweeps.dead_relu`` answers."""

import numpy as np
import pandas as pd

from analysis.deaths import courses, depths, gradients
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """How many gradients are 0, what training helps, and how many are born dead."""
    first, last = once(gradients, table), once(courses, table)
    relu = first[(first["activation"] == "relu") & (first["kind"] == "weights")]
    leaky = first[first["activation"] == "leaky_relu"].set_index(["kind", "layer"])
    dead = bool((relu["median"] == -np.inf).all())
    loss = last[last["panel"].str.startswith("loss")]
    ends = loss[loss["step"] == loss["step"].max()]["value"]
    born = once(depths, table)
    moons = born[born["panel"].str.startswith("on the moons")]
    born_dead = moons.set_index(["width", "layer"]).loc[(3, 9), "measured"]
    return (
        f"With all biases at -8 {'every' if dead else 'not every'} gradient of ReLU's "
        f"weights is exactly 0 in the median, and that of leaky ReLU's first layer "
        f"{10 ** leaky.loc[('weights', 1), 'median']:.1e}, but all {len(ends)} activations "
        f"end at a loss of {ends.min():.3f} to {ends.max():.3f}, that of a constant; of "
        f"ReLU networks of nine hidden layers of width 3 without biases {born_dead:.0%} "
        "are born dead on two moons."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Shares of networks that are dead for one input, against the exact ones."""
    rows = once(depths, table)
    one = rows[rows["panel"].str.startswith("at one input")]
    away = (one["measured"] - one["high"]).abs()
    worst = one.loc[away.idxmax()]
    return Comparison(
        "Lu et al. (2019): the exact share of networks that are dead at one input.",
        f"{100 * away.max():.2f} points of {100 * worst['high']:.1f} %, at width "
        f"{worst['width']} and {worst['layer']} hidden layers.",
    )

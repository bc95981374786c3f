"""What the table of ``sweeps.lenet_depth`` answers."""

import pandas as pd

from analysis.lenet_signals import name, starts
from analysis.lenet_trained import accuracies, limits
from analysis.report.facts import Comparison
from analysis.report.once import once

_TRAINED = 0.5


def answer(table: pd.DataFrame) -> str:
    """How deep each kind of network trains from torch's initialization."""
    ends = limits(accuracies(table, _TRAINED))
    asked = table[table["study"] == "map"]
    way = asked[["optimizer", "rate", "epsilon", "steps", "transform"]].iloc[:1]
    usual = ends.merge(way)
    usual = usual[usual["scheme"] == "torch"]
    words = []
    for activation, same in usual.groupby("activation", sort=False):
        deepest = [
            f"{name(activation, row.cure, 'torch').partition(', ')[2]} "
            f"{_depth(row.frontier, row.deepest)}"
            for row in same.itertuples()
        ]
        words.append(f"{activation}: {', '.join(deepest)}")
    plain = ends[(ends["cure"] == "plain") & (ends["transform"] == "none")]
    best = plain.groupby("activation")["frontier"].max()
    steps = way["steps"].iloc[0]
    ways = ", ".join(f"{n} with {a}" for a, n in best.items())
    return (
        f"After {steps} steps of Adam the deepest that most seeds train have these "
        f"modules: {'; '.join(words)}. Over all ways to train plain networks it is "
        f"{ways}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Growth of signals in plain networks, against the limit of many channels."""
    rows = once(starts, table).dropna(subset=["theory", "median"])
    rows = rows[(rows["modules"] >= 10) & (rows["lost"] < 0.5)]
    away = (rows["median"] - rows["theory"]).abs()
    worst = rows.loc[away.idxmax()]
    kind = name(worst["activation"], worst["cure"], worst["scheme"])
    return Comparison(
        "Second moments of plain convolutions with zeros around the image, in the limit of "
        "many channels.",
        f"{away.max():.3f} decades per convolution of {worst['theory']:+.3f} ({kind}, "
        f"{worst['statistic'].removesuffix('_slope')}, N = {worst['modules']}).",
    )


def _depth(frontier: int, deepest: int) -> str:
    """The deepest that trains, in words."""
    if frontier < 0:
        return "none"
    return f"{frontier} (the most measured)" if frontier == deepest else f"{frontier}"

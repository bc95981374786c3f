"""What the table of ``sweeps.lenet_depth`` answers."""

import pandas as pd

from analysis.lenet_answers import Answer, answers
from analysis.lenet_signals import name, starts
from analysis.lenet_trained import accuracies, limits
from analysis.report.facts import Comparison
from analysis.report.once import once

_TRAINED = 0.5


def answer(table: pd.DataFrame) -> str:
    """How deep each kind of network trains from torch's initialization."""
    ends = limits(accuracies(table, _TRAINED))
    asked = table[(table["study"] == "map") & (table["scheme"] != "fixup")]
    keys = ["activation", "scheme", "optimizer", "rate", "epsilon", "steps", "transform"]
    usual = ends.merge(asked[keys].drop_duplicates())
    words = []
    for (activation, scheme, steps), same in usual.groupby(
        ["activation", "scheme", "steps"], sort=False
    ):
        deepest = [
            f"{name(activation, row.cure, 'torch').partition(', ')[2]} "
            f"{_depth(row.frontier, row.deepest)}"
            for row in same.itertuples()
        ]
        words.append(f"{activation} from {scheme}, {steps:,} steps: {', '.join(deepest)}")
    plain = ends[(ends["cure"] == "plain") & (ends["transform"] == "none")]
    best = plain.groupby("activation")["frontier"].max()
    ways = ", ".join(f"{n} with {a}" for a, n in best.items())
    return (
        f"By Adam the deepest that most seeds train have: {'; '.join(words)} modules. "
        f"Over all ways to train plain networks it is {ways}."
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


def claims(table: pd.DataFrame) -> list[Answer]:
    """What is told of depth, answered one by one."""
    return answers(table, _TRAINED)


def _depth(frontier: int, deepest: int) -> str:
    """The deepest that trains, in words."""
    if frontier < 0:
        return "none"
    return f"{frontier} (the most measured)" if frontier == deepest else f"{frontier}"

"""What the table of ``sweeps.mended`` answers."""

import pandas as pd

from analysis.mended import GUESS, OPTIMIZERS, TITLES, ends
from analysis.report.facts import Comparison


def answer(table: pd.DataFrame) -> str:
    """Accuracy before and after the remedy, by network."""
    rows = ends(table)
    rows = rows[rows["chosen"]]
    told = []
    for (network, optimizer), same in rows.groupby(["network", "optimizer"], sort=False):
        by = same.set_index("state")
        before, after = by.loc["before"], by.loc["after"]
        told.append(
            f"{TITLES.get(network, network)} ({before['verdict']}) by "
            f"{OPTIMIZERS.get(optimizer, optimizer)} from "
            f"{before['accuracy']:.0%} to {after['accuracy']:.0%}"
        )
    return f"The remedy takes the accuracy on images held out of {', of '.join(told)}."


def compare(table: pd.DataFrame) -> Comparison:
    """The loss of the network that vanishes against that of a guess."""
    rows = table[
        (table["network"] == "deep_relu")
        & (table["optimizer"] == "sgd")
        & (table["state"] == "before")
    ]
    if rows.empty:
        raise LookupError("no deep ReLU network before its remedy")
    away = (rows["loss"] - GUESS).abs()
    return Comparison(
        "He et al. (2015): with variance 1/n every ReLU layer halves the signal, and the "
        "loss stays at ln 10.",
        f"{away.max():.2g} nats from ln 10, of {rows['seed'].nunique()} seeds at "
        f"{rows['rate'].nunique()} rates, at any step of SGD.",
    )

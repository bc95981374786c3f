"""Figures of ``sweeps.mended``: training before and after the remedy of a check-up."""

import sys
from collections.abc import Sequence
from functools import partial
from math import log

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator
from rich.table import Table
from rich.text import Text

from analysis.figures import Figure
from analysis.style import PALETTE, in_order, label, printable

GUESS = log(10)
"""Loss of one who gives each of the ten digits the same probability, nats."""

TITLES = {
    "deep_relu": "30 ReLU layers",
    "residual": "20 residual blocks",
    "convolutional": "convolutional network",
}
"""Of the networks, in the order of the figure."""

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}

_LOOKS = {
    "before": {"color": PALETTE[3], "linestyle": "-", "linewidth": 1.6},
    "after": {"color": PALETTE[0], "linestyle": (0, (5, 1.5)), "linewidth": 1.6},
}
_LEAST, _SMALL, _TOP = 0.04, 6.0, 1e4
"""Ends of the axes of losses: of all, of most networks, and of those that start large."""
_KEYS = ["network", "optimizer", "rate", "state"]
_BAND = ("low", "median", "high")


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Each network at the end of training: median and extremes over seeds.

    Returns:
        network, optimizer, rate, state, verdict, seeds, ``lowest``, ``loss`` (median),
        ``highest``, ``worst``, ``accuracy`` (median) and ``best``; a loss that is not
        finite counts above all others. ``chosen`` marks the rate at which the median loss
        of an optimizer and state is lowest.
    """
    last = table[table["step"] == table["step"].max()]
    last = last.assign(loss=last["loss"].fillna(np.inf))
    grouped = last.groupby(_KEYS, sort=False)
    loss, accuracy = grouped["loss"], grouped["accuracy"]
    rows = pd.DataFrame(
        {
            "verdict": grouped["verdict"].first(),
            "seeds": loss.size(),
            **{"lowest": loss.min(), "loss": loss.median(), "highest": loss.max()},
            "worst": accuracy.min(),
            **{"accuracy": accuracy.median(), "best": accuracy.max()},
        }
    ).reset_index()
    rows = rows.sort_values(_KEYS, key=_places, ignore_index=True)
    best = rows.groupby(["network", "optimizer", "state"])["loss"].idxmin()
    return rows.assign(chosen=rows.index.isin(best))


def loss_curves(table: pd.DataFrame) -> pd.DataFrame:
    """Loss by step, each start at the rate that is best for it: median and 90 % band.

    Returns:
        network, optimizer, panel, state, rate, step, ``low``, ``median``, ``high``; a loss
        that is not finite counts above all others and is inf.
    """
    rows = ends(table)
    verdicts = rows[rows["state"] == "before"].set_index("network")["verdict"].to_dict()
    chosen = rows.loc[rows["chosen"], _KEYS]
    losses = table.assign(loss=table["loss"].fillna(np.inf))
    losses = losses.merge(chosen, on=_KEYS)
    grouped = losses.groupby([*_KEYS, "step"], sort=False)["loss"]
    quantiles = {
        name: grouped.apply(partial(np.quantile, q=q, method="nearest"))
        for name, q in zip(_BAND, (0.05, 0.5, 0.95), strict=True)
    }
    found = pd.DataFrame(quantiles).reset_index()
    order = ["optimizer", "network", "state", "step"]
    found = found.sort_values(order, key=_places, ignore_index=True)
    panels = [
        f"{TITLES.get(network, network)}: {verdicts.get(network, '?')}\n"
        f"{OPTIMIZERS.get(optimizer, optimizer)}"
        for network, optimizer in zip(found["network"], found["optimizer"], strict=True)
    ]
    found.insert(2, "panel", panels)
    rates = found["rate"].unique()
    at = f"rate {rates[0]:g}" if len(rates) == 1 else "each start at its best rate"
    found.attrs["note"] = (
        f"verdict before; {table['seed'].nunique()} seeds, {at}, digits of scikit-learn"
    )
    return found


def _places(column: pd.Series) -> pd.Series:
    """Values of a column by their places in the figure; others follow."""
    known = {"network": TITLES, "optimizer": OPTIMIZERS, "state": _LOOKS}
    if column.name not in known:
        return column
    order = in_order(list(column), list(known[str(column.name)]))
    return column.map(order.index)


def plot_loss_curves(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss on images held out, before and after the remedy of a network's check-up.

    Args:
        rows: From ``loss_curves``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for state in in_order(list(rows["state"]), list(_LOOKS)):
        same, look = rows[rows["state"] == state], _LOOKS[state]
        low, median, high = (same[name].clip(upper=_TOP) for name in _BAND)
        finite = same["median"] < np.inf
        ax.plot(same["step"], median.where(finite), label=f"{state} the remedy", **look)
        ax.fill_between(same["step"], low, high, color=look["color"], alpha=0.2, lw=0)
        if not finite.all():
            first = same.loc[~finite, "step"].iloc[0]
            text = f"median not finite from step {first}"
            ax.text(first, _TOP / 2, text, color=look["color"], fontsize=8, va="top")
    ax.axhline(GUESS, color="k", lw=0.8, ls=":", zorder=1, label="a guess, ln 10")
    _axes(ax, rows["step"].max(), large=(rows["median"] > _SMALL).any())
    title = "\n".join(map(label, rows["panel"].iloc[0].split("\n")))
    ax.set_title(title, loc="left")
    ax.set(xlabel="step", ylabel="cross entropy, nats")
    return ax


def _axes(ax: Axes, last: int, *, large: bool) -> None:
    """Both logarithmic, the same for all panels but for losses that are large."""
    ax.set_xscale("symlog", linthresh=1)
    ax.set_yscale("log")
    marks = [0, *(m for m in (1, 3, 10, 30, 100, 300, 1000, 3000) if m <= last)]
    ax.set_xticks(marks, [str(mark) for mark in marks])
    ax.minorticks_off()
    ax.yaxis.set_major_locator(LogLocator(subs=(1,) if large else (1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set(xlim=(0, last), ylim=(_LEAST, _TOP if large else _SMALL))


FIGURES: tuple[Figure, ...] = (
    Figure("loss_curves", plot_loss_curves, loss_curves, "panel"),
)


def summary(table: pd.DataFrame) -> Table:
    """Verdict, final loss and accuracy of every network, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("network", "optimizer", "remedy", "verdict"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("rate", "loss", "accuracy"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in ends(table).itertuples():
        style = "green" if row.verdict == "healthy" else "red"
        shown.add_row(
            *(Text(printable(str(v))) for v in (row.network, row.optimizer, row.state)),
            Text(printable(str(row.verdict)), style),
            *(f"{row.rate:g}", f"{row.loss:.3g}", f"{row.accuracy:.0%}"),
        )
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.mended [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("mended", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

"""Figures of ``sweeps.width_fluctuations``: how far from the mean field, and how dead?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.narrow_theory import deaths, length_moments, slopes, standardized
from analysis.style import ACTIVATION_ORDER, PALETTE, in_order

_MARKERS = "os^Dvp*XP<>h"
_COLORS = (*PALETTE, "k", "#7a3b00")
"""As many as markers, so that no two activations of a figure are of one color."""


def plot_moments(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Moments of one input's length R over depth, by width: points measured, lines theory.

    Args:
        rows: From ``length_moments``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    sign = -1 if "mean of ln" in rows["panel"].iloc[0] and (rows["theory"] < 0).all() else 1
    for at, (width, same) in enumerate(rows.groupby("width")):
        look = {"color": PALETTE[at], "marker": _MARKERS[at], "ls": "", "ms": 4}
        ax.errorbar(
            same["layer"],
            sign * same["measured"],
            yerr=2 * same["error"],
            label=f"width {width}",
            elinewidth=1,
            **look,
        )
        dashes = "-" if (same["law"] == "exact").all() else "--"
        ax.plot(same["layer"], sign * same["theory"], "k", ls=dashes, lw=0.9, zorder=0)
    for dashes, law in (("-", "exact"), ("--", "first order in 1/width")):
        ax.plot([], [], "k", ls=dashes, lw=0.9, label=law)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    title = rows["panel"].iloc[0]
    if "R²" in title:
        title += ", 5L ≤ 2n"  # beyond, few networks make up the mean
    else:
        ax.set_yscale("log")
    ax.set_title(title if sign > 0 else title.replace("mean", "-mean"), loc="left")
    ax.set(xlabel="layers", ylabel="")
    return ax


def plot_quantiles(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Quantiles of ln R in units of theory against normal ones: the diagonal is log-normal.

    Args:
        rows: From ``standardized``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (width, same) in enumerate(rows.groupby("width")):
        look = {"color": PALETTE[at], "marker": _MARKERS[at], "ls": "", "ms": 3}
        ax.plot(same["normal"], same["measured"], label=f"width {width}", **look)
    ends = [rows["normal"].min(), rows["normal"].max()]
    ax.plot(ends, ends, "k", lw=0.9, label="log-normal, with the theory's moments")
    ax.set_title(rows["activation"].iloc[0], loc="left")
    ax.set(xlabel="normal quantile", ylabel="(ln R - mean) / std")
    return ax


def plot_deaths(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """ReLU networks born dead: points measured, lines exact, shaded the bounds.

    Args:
        rows: From ``deaths``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (width, same) in enumerate(rows.groupby("width")):
        shown = same[(same["layer"] % 3 == 1) | (same["layer"] < 5)]
        ax.plot(
            shown["layer"],
            shown["measured"],
            color=PALETTE[at],
            marker=_MARKERS[at],
            ls="",
            ms=3.5,
            label=f"width {width}",
        )
        if (same["low"] == same["high"]).all():
            ax.plot(same["layer"], same["high"], "k", lw=0.9, zorder=0)
        else:
            band = same[["low", "high"]].to_numpy().T
            ax.fill_between(same["layer"], *band, color=PALETTE[at], alpha=0.2, lw=0)
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="hidden layers", ylabel="share of networks", ylim=(-0.02, 1.02))
    return ax


def plot_slopes(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Slopes off the mean field: hollow within two errors, lines first order.

    Args:
        rows: From ``slopes``, of one direction.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, name in enumerate(in_order(list(rows["activation"]), ACTIVATION_ORDER)):
        same = rows[rows["activation"] == name].sort_values("width")
        color = _COLORS[at % len(_COLORS)]
        away = (same["measured"] - same["mean_field"]).abs()
        sure = away > 2 * same["error"]
        look = {"color": color, "marker": _MARKERS[at % 12], "ls": "", "ms": 4.5}
        ax.plot(same["width"][sure], away[sure], label=name, **look)
        ax.plot(same["width"][~sure], away[~sure], markerfacecolor="none", **look)
        theory = (same["theory"] - same["mean_field"]).abs()
        ax.plot(same["width"], theory, color=color, lw=0.9, zorder=0)
    ax.axhline(np.log(1.02), color="k", ls="--", lw=0.9, label="2 % of the factor")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_ylim(1e-5, 1)
    ax.xaxis.set_major_formatter("{x:g}")
    words = {"forward": "forward, ln q", "backward": "backward, ln δ²"}
    ax.set_title(words[rows["direction"].iloc[0]], loc="left")
    ax.set(xlabel="width", ylabel="distance per layer")
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("moments", plot_moments, length_moments, "panel", legend_columns=5),
    Figure("quantiles", plot_quantiles, standardized, "activation"),
    Figure("deaths", plot_deaths, deaths, "panel", legend_columns=5),
    Figure("slopes", plot_slopes, slopes, "direction", legend_columns=5),
)


def summary(table: pd.DataFrame) -> Group:
    """Slopes per layer at the largest width, for a terminal."""
    try:
        rows = slopes(table)
    except Absent:
        return Group()
    widest = rows[rows["width"] == rows["width"].max()]
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = (
        f"factor per layer at width {rows['width'].max()}, measured and mean field"
    )
    for heading in ("activation", "q forward", "theory", "δ² backward", "theory"):
        shown.add_column(heading, justify="left" if heading == "activation" else "right")
    for name in in_order(list(widest["activation"]), ACTIVATION_ORDER):
        same = widest[widest["activation"] == name].set_index("direction")
        cells = [
            f"{np.exp(same.loc[way, column]):.4f}"
            for way in ("forward", "backward")
            for column in ("measured", "mean_field")
        ]
        shown.add_row(name, *cells)
    return Group(shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.width_fluctuations [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("width_fluctuations", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

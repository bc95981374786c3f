"""Figures of ``sweeps.distribution_shift``: what does a shift cost, what is won back?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.figures import Figure
from analysis.shifts import corrected, drifted, estimates, won_back
from analysis.style import PALETTE

_LOOKS = {
    "target": {"label": "best possible: trained on the target", "color": "k", "marker": ""},
    "true_weights": {"label": "the true weights", "color": PALETTE[4], "marker": "D"},
    "weighted": {
        "label": "retrained with estimated weights",
        "color": PALETTE[2],
        "marker": "o",
    },
    "flattened": {
        "label": "with the square roots of these",
        "color": PALETTE[0],
        "marker": "s",
    },
    "posterior": {"label": "re-weighted posterior", "color": PALETTE[9], "marker": "P"},
    "window": {
        "label": "retrained on the last 5 batches",
        "color": PALETTE[2],
        "marker": "o",
    },
    "online": {"label": "updated on every batch", "color": PALETTE[0], "marker": "s"},
    "source": {"label": "uncorrected", "color": PALETTE[3], "marker": "v"},
    "static": {"label": "never retrained", "color": PALETTE[3], "marker": "v"},
}
"""Of each method, drawn in this order."""
_DASHES = {
    "target": "-",
    "true_weights": ":",
    "flattened": "--",
    "posterior": "--",
    "online": "--",
}
_AXES = {
    "covariate": "gap between the shares of changed images",
    "label": "ln(most / least frequent digit)",
    "concept": "batches arrived",
}


def plot_accuracy(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy on shifted digits, corrected and not: means, 95 % intervals.

    Args:
        rows: From ``corrected``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for method, look in _LOOKS.items():
        same = rows[rows["method"] == method]
        if same.empty:
            continue
        dashes = _DASHES.get(method, "-")
        ax.plot(same["x"], same["mean"], ls=dashes, ms=4, lw=1.4, **look)
        ends = same["mean"] - same["half"], same["mean"] + same["half"]
        ax.fill_between(same["x"], *ends, color=look["color"], alpha=0.18, lw=0)
    if rows["part"].iloc[0] == "covariate" and rows["x"].max() == 1:
        ax.axvline(1, color="0.4", ls=":", lw=0.9, zorder=0)
        ax.set_xlim(-0.05, 1.14)
        look = {"rotation": 90, "ha": "left", "va": "center", "fontsize": 7.5}
        ax.text(1.05, 0.5, "no overlap", transform=ax.get_xaxis_transform(), **look)
    if rows["part"].iloc[0] == "covariate":  # of one range, to be compared
        ax.set_ylim(0, 0.8 if rows["mean"].max() < 0.8 else 1)
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel=_AXES[rows["part"].iloc[0]], ylabel="accuracy on the target")
    return ax


def plot_drift(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy while digits are renamed one by one: means, 95 % intervals.

    Args:
        rows: From ``drifted``, of one panel.
        ax: Where to draw.
    """
    ax = plot_accuracy(rows, ax=ax)
    ax.set(ylim=(0, 1), ylabel="accuracy on what holds now")
    return ax


def plot_estimates(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Error of class weights from the confusion matrix: measured, ±2 standard errors.

    Args:
        rows: From ``estimates``.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    look = {"color": PALETTE[0], "marker": "o", "ms": 4.5, "ls": "", "label": "measured"}
    ax.errorbar(rows["images"], rows["measured"], yerr=2 * rows["error"], **look)
    words = "first order, ∝ 1/√images"
    ax.plot(rows["images"], rows["theory"], "k", lw=1, zorder=0, label=words)
    ax.set_xscale("log")
    ax.set_yscale("log")
    marks = sorted(rows["images"].unique())
    ax.set_xticks(marks, [str(mark) for mark in marks])
    ax.minorticks_off()
    marks = [0.5, 1, 2]
    ax.set_yticks(marks, [f"{mark:g}" for mark in marks])
    low, high = rows["measured"].min(), rows["measured"].max()
    ax.set_ylim(min(0.4, 0.8 * low), max(2.5, 1.2 * high))
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="images held out and of the target", ylabel="rms of |ŵ - w|")
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("corrected", plot_accuracy, corrected, "panel", legend_columns=2),
    Figure("drift", plot_drift, drifted, "panel", legend_columns=2),
    Figure("estimates", plot_estimates, estimates, "panel", legend_columns=2),
)


def summary(table: pd.DataFrame) -> Group:
    """What is lost and won back at every strength, for a terminal."""
    rows = won_back(table)
    if rows.empty:
        return Group()
    last = rows.groupby(["part", "change", "strength"])["step"].transform("max")
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = "of what training on the target is better by, share won back"
    for heading in ("shift", "strength", "correction"):
        shown.add_column(heading)
    for heading in ("lost", "won back"):
        shown.add_column(heading, justify="right")
    for row in rows[rows["step"] == last].sort_values(list(rows)[:4]).itertuples():
        shown.add_row(
            str(row.change),
            f"{row.strength:.3g}",
            str(row.method),
            f"{100 * row.lost:.1f} %",
            f"{100 * row.share:.0f} ± {200 * row.error:.0f} %",
        )
    return Group(shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.distribution_shift [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("distribution_shift", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

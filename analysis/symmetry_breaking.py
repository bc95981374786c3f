"""Figures of ``sweeps.symmetry_breaking``: do units that start alike stay alike?"""

import sys
from collections.abc import Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.figures import Figure
from analysis.style import PALETTE, label, printable
from analysis.symmetry_courses import STARTS, courses, ratio, rounding, verdicts
from analysis.symmetry_saddle import escapes

_COLORS = (
    *("#5b2a86", PALETTE[1], PALETTE[2], PALETTE[5], PALETTE[9]),
    *(PALETTE[3], "#00504a", PALETTE[4], "#6b0f1a", PALETTE[0], "#8a8a00"),
)
"""One per start: the palette has too few that can be told apart."""
_LOOKS = {
    start: {"color": color, "ls": dashes}
    for start, color, dashes in zip(
        STARTS,
        _COLORS,
        ("-", "--", ":", "-", "--", "-", "--", ":", "-", "--", ":"),
        strict=True,
    )
}


def _steps(ax: Axes, last: int) -> None:
    """An axis of steps, log but for the first, which is step 0."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    ticks = [0, *(10**k for k in range(9) if 10**k <= last)]
    ax.set_xticks(ticks, ["0", "1", "10", "100", "10³", "10⁴", "10⁵", "10⁶"][: len(ticks)])
    ax.minorticks_off()
    ax.set(xlim=(0, last), xlabel="steps of gradient descent")


def _bands(rows: pd.DataFrame, ax: Axes) -> None:
    """One curve per start; those that are 0 from the first to the last are named."""
    nothing = []
    for start, same in rows.groupby("start", sort=False):
        look = _LOOKS.get(str(start), {"color": "0.5", "ls": "-."})
        low, median, high = same[["low", "median", "high"]].to_numpy(np.float64).T
        if (high == -np.inf).all():
            nothing.append(label(str(start)))
            continue
        finite = [np.where(np.isfinite(part), part, np.nan) for part in (low, median, high)]
        ax.plot(same["step"], finite[1], label=label(str(start)), lw=1.6, **look)
        floor = np.where(low == -np.inf, -99, finite[0])
        ax.fill_between(
            same["step"], floor, finite[2], color=look["color"], alpha=0.15, lw=0
        )
    if nothing:
        text = "exactly 0 in every seed at every step:\n" + ", ".join(nothing)
        ax.text(0.04, 0.92, text, transform=ax.transAxes, fontsize=8, va="top")
    ax.set_title(rows["panel"].iloc[0], loc="left")
    _steps(ax, int(rows["last"].max()))


def _alone(rows: pd.DataFrame, ax: Axes) -> None:
    """The network of one unit."""
    same = rows.drop_duplicates("step")
    look = {"color": "k", "lw": 1, "ls": (0, (6, 2)), "zorder": 1}
    ax.plot(same["step"], same["one_unit"], label="one unit from normal(1)", **look)


def _decades(ax: Axes, low: int, high: int, every: int = 1) -> None:
    """Ticks of a logarithm as powers of 10."""
    marks = range(low, high + 1, every)
    ax.set_yticks(list(marks), [f"$10^{{{mark}}}$" for mark in marks])
    ax.set_ylim(low, high)


def plot_loss(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Training loss: units that are all alike learn what one unit can, and no more.

    Args:
        rows: From ``courses`` of the loss, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    _bands(rows, ax)
    _alone(rows, ax)
    ax.axhline(np.log(2), color="0.5", lw=0.9, ls=":", gid="ln 2", zorder=0)
    at = {"ha": "right", "va": "bottom", "fontsize": 7.5, "color": "0.3"}
    ax.text(rows["last"].max(), np.log(2) + 0.01, "ln 2, a guess ", **at)
    ax.set(ylabel="cross entropy, nats", ylim=(0, 1.25))
    return ax


def plot_accuracy(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy on dev points: from 0 it leaves chance late, for what one unit can do.

    Args:
        rows: From ``courses`` of the accuracy, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    _bands(rows, ax)
    _alone(rows, ax)
    ax.set(ylabel="share of dev points right", ylim=(0.2, 1))
    return ax


def plot_distance(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Largest distance between two hidden units over the length of the longest.

    Args:
        rows: From ``courses`` of the distance, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    _bands(rows, ax)
    steps = np.unique(rows["step"])[1:]
    bound = np.log10(rounding(steps))
    ax.plot(steps, bound, color="0.4", lw=0.9, ls=":", label="rounding, not amplified")
    ax.set_ylabel("distance / length")
    _decades(ax, -8, 1, 2)
    return ax


def plot_singular(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Second over first singular value of the hidden weights; below the line, rank 1.

    Args:
        rows: From ``ratio``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    _bands(rows, ax)
    told = np.log10(2.0**-23 * 5)
    ax.axhline(told, color="0.4", lw=0.9, ls=":", label="5 · 2⁻²³: rank 1 below")
    ax.set_ylabel("σ₂ / σ₁ of W")
    _decades(ax, -8, 0, 2)
    return ax


def plot_gradient(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Norm of the hidden layer's gradient: exactly 0 at step 0 if the readout is 0.

    Args:
        rows: From ``courses`` of the gradient, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    _bands(rows, ax)
    if rows["saddle"].notna().any():
        same = rows.dropna(subset=["saddle"])
        look = {"color": "k", "ls": "", "marker": ".", "ms": 4, "zorder": 6}
        ax.plot(same["step"], same["saddle"], label="zeros, linear theory", **look)
    ax.set_ylabel("norm of ∂L/∂(W, b)")
    _decades(ax, -6, 1)
    return ax


def plot_escapes(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Steps on the plateau of a guess, until the loss is below 0.6 nats.

    Args:
        rows: From ``escapes``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    zeros = rows["panel"].iloc[0] == "weights of 0"
    measured, theory = rows[rows["seed"] >= 0], rows[rows["seed"] < 0]
    edge = measured.loc[measured["x"] > 0, "x"].min() / 5
    ax.plot(
        measured["x"].where(measured["x"] > 0, edge),
        measured["escape_step"],
        "o",
        color=PALETTE[0],
        ms=4,
        alpha=0.6,
        label="a network",
    )
    ax.plot(theory["x"], theory["theory"], "k", lw=1, label="linear theory")
    ax.set_xscale("log")
    if not zeros:
        band = {"color": "k", "alpha": 0.12, "lw": 0, "label": "for all shares of class 1"}
        ax.fill_between(theory["x"], theory["early"], theory["late"], **band)
    elif (rows["x"] == 0).any():
        _nothing(ax, edge, theory["x"].max())
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set_xlabel("|share of class 1 - ½|" if zeros else "σ")
    ax.set(ylabel="steps until the loss is below 0.6", ylim=(0, 2400))
    return ax


def _nothing(ax: Axes, edge: float, last: float) -> None:
    """A place for 0 beside a log axis, apart from it."""
    ax.axvspan(edge / 1.6, edge * 1.6, color="0.9", lw=0, zorder=0)
    decades = [k for k in range(-9, 1) if edge * 1.6 < 10.0**k < 1.3 * last]
    ax.set_xticks(
        [edge, *(10.0**k for k in decades)], ["0", *(f"$10^{{{k}}}$" for k in decades)]
    )
    ax.set_xlim(edge / 1.6, 1.3 * last)
    words = "equal classes: never\nin theory; rounding\nfrees the network"
    ax.annotate(words, (edge * 1.75, 2300), fontsize=8, ha="left", va="top")


FIGURES: tuple[Figure, ...] = (
    Figure("loss", plot_loss, partial(courses, column="loss"), "panel"),
    Figure("accuracy", plot_accuracy, partial(courses, column="dev_accuracy"), "panel"),
    Figure(
        "distance", plot_distance, partial(courses, column="log10_distance"), "panel", 3
    ),
    Figure("singular", plot_singular, ratio, "panel", 3),
    Figure(
        "gradient",
        plot_gradient,
        partial(courses, column="entry_grad_log10_norm"),
        "panel",
    ),
    Figure("escapes", plot_escapes, escapes, "panel"),
)


def summary(table: pd.DataFrame) -> Group:
    """Rank, loss and accuracy by start at the end, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = "after the last step, beside one unit on the same points"
    shown.add_column("start", no_wrap=True)
    for heading in ("steps", "rank", "distance", "loss", "test", "better than one unit"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in verdicts(table).itertuples():
        shown.add_row(
            Text(printable(str(row.start))),
            *(f"{row.steps}", f"{row.rank}", f"{10**row.log10_distance:.2g}"),
            *(f"{row.loss:.3f}", f"{row.test_accuracy:.0%}"),
            f"{row.beats} of {row.seeds} seeds",
        )
    return Group(shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.symmetry_breaking [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("symmetry_breaking", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

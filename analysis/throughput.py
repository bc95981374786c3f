"""Figures of ``sweeps.throughput``: how fast, against whom, and against what limit."""

import sys
from collections.abc import Sequence
from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group, RenderableType
from rich.table import Table

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.races import NAMES, networks_and_kernels, ratios, scaling, shares
from analysis.style import PALETTE, in_order

TITLES = {
    "job": "benchmark job: 800 networks,\ndepth 10 … 100, width 256, batch 16",
    "wide": "depth 10 … 100, width 1024, batch 64, two seeds",
    "networks": "networks of depth 10 … 100:\nthe benchmark job, and one of width 1024",
    "initialization": "initialization alone: 100 kernels of 256², one of 4096²",
}
_COLORS = {"torch": PALETTE[1], "jax": PALETTE[0], "initjax": PALETTE[2]}
_MARKERS = {"torch": "s", "jax": "o"}


def plot_ratios(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Times as long as initjax takes for the same work, warm: median and range of rounds.

    Args:
        rows: From ``ratios``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    place = np.arange(len(rows))[::-1]
    # Points, for the length of a bar means nothing on an axis without zero.
    for kind, marker in _MARKERS.items():
        mine = (kind == "torch") == rows["contestant"].str.contains("torch").to_numpy()
        same, look = rows[mine], {"color": _COLORS[kind], "markersize": 6, "capsize": 3}
        spread = [same["ratio"] - same["low"], same["high"] - same["ratio"]]
        ax.errorbar(same["ratio"], place[mine], xerr=spread, fmt=marker, **look)
    for at, (ratio, high) in zip(place, rows[["ratio", "high"]].to_numpy(), strict=True):
        ax.annotate(
            f"{ratio:#.3g}×",
            (max(high, 1), at),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.axvline(1, color=_COLORS["initjax"], linewidth=1.6)
    ax.set_xscale("log")
    ax.set_xlim(min(0.8, 0.8 * rows["low"].min()), 2 * max(rows["high"].max(), 2))
    ticks = [
        t for t in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if ax.get_xlim()[0] <= t
    ]
    ticks = [t for t in ticks if t <= ax.get_xlim()[1]]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.set_xticks([], minor=True)
    ax.set_yticks(place, [fill(name, 36) for name in rows["label"]])
    panel = rows["panel"].iloc[0]
    ax.set(title=TITLES.get(panel, panel), xlabel="time over that of initjax")
    return ax


def plot_shares(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Share of the rate of a large matrix product, necessary operations: median and range.

    Args:
        rows: From ``shares``, of one task.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    rows = rows.sort_values("share")
    colors = [
        _COLORS["initjax" if c.startswith("initjax") else c.split("_")[0]]
        if c.split("_")[0] in _COLORS
        else _COLORS["jax"]
        for c in rows["contestant"]
    ]
    names = [fill(NAMES[c], 24) for c in rows["contestant"]]
    height = min(0.8, 0.13 * len(rows))  # as thick in a panel of few
    ax.barh(names, rows["share"], height=height, color=colors)
    spread = [rows["share"] - rows["low"], rows["high"] - rows["share"]]
    ax.errorbar(rows["share"], names, xerr=spread, fmt="none", ecolor="k", capsize=2)
    for share, high, name in zip(rows["share"], rows["high"], names, strict=True):
        look = {"xytext": (5, 0), "textcoords": "offset points", "fontsize": 8}
        ax.annotate(f"{share:.0%}", (high, name), va="center", **look)
    ax.xaxis.set_major_formatter("{x:.0%}")
    ax.grid(False, axis="y")
    task = rows["task"].iloc[0]
    label = f"share of {rows['ceiling'].iloc[0]:.0f} GFLOP/s, the rate of the product"
    ax.set(title=TITLES.get(task, task), xlabel=label, xlim=(0, 1))
    return ax


def plot_scaling(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Time per unit of work over that of 100 times the work: range of rounds, band ±15 %.

    Args:
        rows: From ``scaling``.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    ax.axhspan(0.85, 1.15, color="0.9")
    ax.axhline(1, color="k", lw=0.8, ls=":", label="as much as the work")
    for at, (axis, same) in enumerate(rows.groupby("axis")):
        spread = [same["relative"] - same["low"], same["high"] - same["relative"]]
        look = {"marker": "os^"[at % 3], "capsize": 3, "lw": 1, "label": axis}
        ax.errorbar(same["by"] * 1.06 ** (at - 1), same["relative"], spread, **look)
    ax.set_xscale("log")
    ax.set_xticks(marks := sorted(rows["by"].unique()), [f"{by:g}" for by in marks])
    ax.minorticks_off()
    ax.set(xlabel="times the work", ylabel="time per unit of work, relative")
    ax.set_ylim(0, max(1.5, 1.1 * rows["high"].max()))
    ax.legend(title="what grows")
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("ratios", plot_ratios, networks_and_kernels, "panel", legend_columns=0),
    Figure("shares", plot_shares, shares, "task", legend_columns=0),
    Figure("scaling", plot_scaling, scaling, "panel", legend_columns=0),
)


def summary(table: pd.DataFrame) -> Group:
    """Seconds, memory and ratios of every contestant, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    shown.add_column("task, contestant", no_wrap=True)
    for heading in ("warm s", "× ours", "cold s", "× ours", "again s", "× ours"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for heading in ("peak GB", "share"):
        shown.add_column(heading, justify="right", no_wrap=True)
    beside = {}
    for rows, column in (
        *((ratios, "ratio"), (ratios, "cold"), (ratios, "again")),
        (shares, "share"),
    ):
        try:
            found = rows(table).set_index(["task", "contestant"])[column]
        except Absent:
            found = pd.Series(dtype=float)
        beside[column] = found
    for task in in_order(list(table["task"]), ()):
        same = table[table["task"] == task]
        shown.add_row(f"[bold]{task}[/]")
        for name in in_order(list(same["contestant"]), ()):
            one, key = same[same["contestant"] == name], (task, name)
            cells = []
            for column, times in (
                ("warm_s", "ratio"),
                ("cold_s", "cold"),
                ("again_s", "again"),
            ):
                seconds = one[column].median()
                cells.append(f"{seconds:.3g}" if seconds == seconds else "")
                cells.append(f"{beside[times][key]:.3g}" if key in beside[times] else "")
            cells.append(f"{one['peak_gb'].max():.2f}")
            cells.append(f"{beside['share'][key]:.0%}" if key in beside["share"] else "")
            shown.add_row(f"  {name}", *cells)
    parts: list[RenderableType] = [shown, ""]
    return Group(*parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.throughput [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("throughput", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

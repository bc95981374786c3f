"""Figures of ``sweeps.learning_time``: how long does a deep linear network learn?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.figures import Figure
from analysis.style import LAWS, PALETTE, in_order, label, printable
from initjax.meanfield import task_time
from sweeps.learning_time import TOLERANCE

_LOOKS = {
    "gaussian": (LAWS["gaussian"], "o", -1),
    "orthogonal": (LAWS["orthogonal"], "s", 0),
    "aligned": (PALETTE[0], "^", 1),
}


def steps_by_depth(table: pd.DataFrame) -> pd.DataFrame:
    """Steps to learn by depth: at the lowest learning rate, and at the best for each.

    Returns:
        panel, weights, depth, rate, and median, ``low`` and ``high`` of the steps over
        seeds, inf for networks that do not learn; ``theory`` for aligned weights at the
        lowest rate.
    """
    same = table[table["width"] == table["width"].min()]
    counted = same.assign(steps=same["steps"].astype(float).replace(-1, np.inf))
    groups = counted.groupby(["weights", "depth", "rate"], sort=False)["steps"]
    ends = {
        name: groups.quantile(p, interpolation="nearest")
        for name, p in (("median", 0.5), ("low", 0.0), ("high", 1.0))
    }
    found = pd.DataFrame(ends).reset_index()
    lowest = found["rate"].min()
    slow = found[found["rate"] == lowest].assign(panel=f"rate {lowest:g}/D")
    at = found.sort_values(["median", "high"], kind="stable")
    best = at.groupby(["weights", "depth"], sort=False).head(1)
    rates = sorted(found["rate"].unique())
    best = best.assign(panel=f"best of {len(rates)} rates up to {rates[-1]:g}/D")
    rows = pd.concat([slow] if len(rates) == 1 else [slow, best], ignore_index=True)
    strengths = [float(word) for word in same["strengths"].iloc[0].split()]
    rows["theory"] = [
        depth * task_time(depth, strengths=strengths, error=TOLERANCE) / rate
        if (weights == "aligned" and rate == lowest)
        else np.nan
        for weights, depth, rate in rows[["weights", "depth", "rate"]].itertuples(
            index=False
        )
    ]
    rows = rows.sort_values(["panel", "weights", "depth"], ascending=[False, True, True])
    rows.attrs["note"] = (
        f"width {same['width'].iloc[0]}, 64 components of 5,000 MNIST images, "
        f"{same['seed'].nunique()} seeds"
    )
    return rows.reset_index(drop=True)


def plot_steps(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Steps of gradient descent until a deep linear network has learned.

    Args:
        rows: From ``steps_by_depth``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    finite = rows["high"][np.isfinite(rows["high"])]
    roof = 3 * np.nanmax([1.0, *finite, *rows["theory"]])
    for weights in in_order(list(rows["weights"]), tuple(_LOOKS)):
        color, marker, place = _LOOKS[weights]
        same = rows[rows["weights"] == weights].sort_values("depth")
        learned = same[np.isfinite(same["median"])]
        ax.errorbar(
            learned["depth"],
            learned["median"],
            yerr=[
                learned["median"] - learned["low"],
                np.minimum(learned["high"], roof) - learned["median"],
            ],
            color=color,
            marker=marker,
            ms=4.5,
            lw=1.2,
            capsize=2,
            label=label(weights),
        )
        never = same[~np.isfinite(same["median"])]
        if len(never):
            shifted = never["depth"] * 1.06**place
            ax.plot(shifted, [roof] * len(never), "x", color=color)
        if same["theory"].notna().any():
            ax.plot(same["depth"], same["theory"], "k:", lw=1.3, zorder=5)
    ax.plot([], [], "k:", lw=1.3, label="exact solution, aligned")
    if not np.isfinite(rows["median"]).all():
        ax.axhline(roof, color="0.5", lw=0.7)
        place = {"xytext": (2, -10), "textcoords": "offset points", "fontsize": 7}
        ax.annotate("× not in time", (rows["depth"].min(), roof), **place)
    ax.set(xscale="log", yscale="log", title=rows["panel"].iloc[0])
    ax.yaxis.set(major_locator=LogLocator(subs=(1, 2, 5)), major_formatter="{x:g}")
    depths = sorted(rows["depth"].unique())
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set(xlabel="weight matrices D", ylabel="steps", ylim=(None, 1.4 * roof))
    return ax


FIGURES: tuple[Figure, ...] = (Figure("steps", plot_steps, steps_by_depth, "panel"),)


def summary(table: pd.DataFrame) -> Group:
    """Median steps by depth and weights, for a terminal."""
    rows = steps_by_depth(table)
    parts = []
    for panel, same in rows.groupby("panel", sort=False):
        depths = sorted(same["depth"].unique())
        shown = Table(
            title=str(panel), box=None, padding=(0, 2, 0, 0), title_justify="left"
        )
        shown.add_column("steps at depth", no_wrap=True)
        for depth in depths:
            shown.add_column(str(depth), justify="right")
        for weights in in_order(list(same["weights"]), tuple(_LOOKS)):
            mine = same[same["weights"] == weights].set_index("depth")["median"]
            shown.add_row(
                Text(printable(weights)),
                *("never" if mine[d] == np.inf else f"{mine[d]:.0f}" for d in depths),
            )
        parts += [shown, ""]
    return Group(*parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.learning_time [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("learning_time", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

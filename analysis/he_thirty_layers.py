"""Figures of ``sweeps.he_thirty_layers``: which networks of 22 and 30 layers learn?"""

import sys
from collections.abc import Sequence
from functools import partial
from math import log

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.style import SCHEME_ORDER, in_order, label, line, printable

GUESS = log(10)
"""Loss of one who gives each of the ten digits the same probability, nats."""

_KEYS = ["width", "depth", "rate", "scheme"]


def loss_curves(table: pd.DataFrame, rate: str = "high") -> pd.DataFrame:
    """Loss by step at the highest or lowest rate: median and 90 % band over seeds.

    Returns:
        width, depth, rate, scheme, panel, step, ``low``, ``median``, ``high``; a loss that
        is not finite counts above all others.

    Raises:
        Absent: for the lowest rate, if there is only one.
    """
    found = table["rate"].max() if rate == "high" else table["rate"].min()
    if rate == "low" and found == table["rate"].max():
        raise Absent("one learning rate")
    same = table[(table["rate"] == found) & (table["width"] == table["width"].min())]
    grouped = same.groupby([*_KEYS, "step"])["loss"]
    rows = pd.DataFrame(
        {
            name: grouped.apply(partial(_quantile, p=p))
            for name, p in (("low", 0.05), ("median", 0.5), ("high", 0.95))
        }
    ).reset_index()
    rows.insert(0, "panel", [f"{depth} layers" for depth in rows["depth"]])
    rows.attrs["note"] = (
        f"width {same['width'].iloc[0]}, 5,000 images of MNIST, rate {found:g}, "
        f"median and 90 % of {same['seed'].nunique()} seeds"
    )
    return rows


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """Loss of the last 50 steps and accuracy by network: median, extremes and a verdict.

    Returns:
        width, depth, rate, scheme, seeds, ``lowest``, ``median`` and ``highest`` loss,
        ``accuracy`` (median), and ``verdict``: stalls if every seed ends within 0.01 of
        ln 10, learns if the median is 0.3 nats below it, diverges if it is not finite.
    """
    last = table.sort_values("step").groupby([*_KEYS, "seed"])
    ends = last[["last_loss", "accuracy"]].last().reset_index()
    grouped = ends.assign(last_loss=ends["last_loss"].fillna(np.inf)).groupby(_KEYS)
    loss = grouped["last_loss"]
    rows = pd.DataFrame(
        {
            "seeds": loss.size(),
            **{"lowest": loss.min(), "median": loss.median(), "highest": loss.max()},
            "accuracy": grouped["accuracy"].median(),
        }
    ).reset_index()
    rows["verdict"] = [
        _verdict(*row) for row in rows[["lowest", "median", "highest"]].to_numpy()
    ]
    return rows


def _verdict(lowest: float, median: float, highest: float) -> str:
    if not np.isfinite(median):
        return "diverges"
    if abs(lowest - GUESS) < 0.01 and abs(highest - GUESS) < 0.01:
        return "stalls"
    return "learns" if median < GUESS - 0.3 else "learns little"


def _quantile(values: pd.Series, p: float) -> float:
    """Nearest quantile, values that are not finite above all others; nan if it is such."""
    found = np.quantile(values.fillna(np.inf), p, method="nearest")
    return float(found) if np.isfinite(found) else float("nan")


def plot_loss_curves(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss of ReLU networks from Xavier's and He's weights; ln 10 is that of a guess.

    Args:
        rows: From ``loss_curves``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for position, scheme in enumerate(in_order(list(rows["scheme"]), SCHEME_ORDER)):
        same = rows[rows["scheme"] == scheme]
        look = line(scheme, position)
        ax.plot(same["step"], same["median"], label=label(scheme), **look)
        band = same["low"], same["high"]
        ax.fill_between(same["step"], *band, color=look["color"], alpha=0.2, lw=0)
    ax.axhline(GUESS, color="k", lw=0.7, zorder=1)
    top = max(1.15 * GUESS, 1.05 * rows["median"].max())
    ax.set(
        title=rows["panel"].iloc[0],
        xlabel="step of SGD",
        ylabel="cross entropy, nats",
        xlim=(0, rows["step"].max()),
        ylim=(0, top),
    )
    ax.set_yticks([0, 0.5, 1, 1.5, 2, GUESS], ["0", "0.5", "1", "1.5", "2", "ln 10"])
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("loss_curves", plot_loss_curves, loss_curves, "panel"),
    Figure("loss_curves_slow", plot_loss_curves, partial(loss_curves, rate="low"), "panel"),
)

_COLOR = {"learns": "green", "learns little": "yellow", "stalls": "red", "diverges": "red"}


def summary(table: pd.DataFrame) -> Group:
    """Verdict, final loss and accuracy of every network, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("depth × width", "rate", "scheme"):
        shown.add_column(heading, no_wrap=True)
    for heading in ("loss", "accuracy"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    for row in verdicts(table).sort_values(["depth", "width", "rate"]).itertuples():
        shown.add_row(
            f"{row.depth} × {row.width}",
            f"{row.rate:g}",
            Text(printable(str(row.scheme))),
            *(f"{row.median:.4g}", f"{row.accuracy:.0%}"),
            f"[{_COLOR[row.verdict]}]{row.verdict}[/]",
        )
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.he_thirty_layers [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("he_thirty_layers", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

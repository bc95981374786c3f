"""Figures of ``sweeps.init_distributions``: samples over laws, and what a law changes."""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from rich.console import Group
from rich.table import Table
from scipy import stats

from analysis import laws
from analysis.bands import Absent
from analysis.figures import Figure
from analysis.style import LAWS, PALETTE, label

_COLORS = {
    "Gaussian": LAWS["gaussian"],
    **{name: LAWS[name] for name in ("uniform", "truncated", "orthogonal", "sparse")},
}
"""By family."""
_MARKERS = {
    **{"Gaussian": "o", "uniform": "s", "truncated": "^"},
    **{"orthogonal": "D", "sparse": "v"},
}
_DASHES = {"Gaussian": "-", "uniform": (0, (5, 1.5)), "truncated": (0, (2, 1.2))}
_SHIFTS = {"Gaussian": 1.0, "uniform": 1.12, "truncated": 1 / 1.12}
"""Factors that set points side by side, with their lines."""
_BAND = stats.norm.ppf(0.975)


def plot_histograms(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Entries of kernels, initjax's and JAX's nearest, and their laws in the same bins.

    Args:
        rows: From ``laws.histograms``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    ax.set_title(label(rows["title"].iloc[0]), loc="left", fontsize=8.5)
    if rows["panel"].iloc[0] == laws.EXACT:
        return _shares(rows, ax)
    for source, same in rows.groupby("source"):
        ours, x = source == "initjax", same["x"].to_numpy()
        edges = np.append(x, 2 * x[-1] - x[-2]) - (x[1] - x[0]) / 2
        look = {"color": PALETTE[0], "fill": True, "alpha": 0.35, "lw": 0}
        look = look if ours else {"color": PALETTE[3], "lw": 1.3}
        ax.stairs(same["density"], edges, label=source if ours else "JAX", **look)
        law = {"color": "k", "lw": 0.9, "ls": "-" if ours else (0, (1, 1.5))}
        ax.stairs(same["law"], edges, label="law" if ours else "law of JAX's", **law)
    ax.set(xlabel="entry, in standard deviations", ylabel="density", xlim=(-4.4, 4.4))
    ax.yaxis.set_major_locator(MaxNLocator(4))
    return ax


def _shares(rows: pd.DataFrame, ax: Axes) -> Axes:
    """Bars of the shares that exact values have, with the law's as marks."""
    rows = rows.sort_values(["scheme", "x"], ascending=False)
    names = [f"{row.scheme} = {row.x:g}" for row in rows.itertuples()]
    ax.barh(names, rows["density"], color=PALETTE[0], alpha=0.35, height=0.7)
    ax.plot(rows["law"], names, "k|", ms=7)
    for row, name in enumerate(names):
        ax.text(0.03, row, name, va="center", fontsize=7)
    ax.set_yticks([])
    ax.set(xlabel="share of entries", xlim=(0, 1.05))
    return ax


def plot_quantiles(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Distance of quantiles from the law's, in standard errors; 95 % band shaded.

    Args:
        rows: From ``laws.deviations``, of one shape.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    ax.axhspan(-_BAND, _BAND, color="0.85", lw=0, zorder=0)
    for (_, _, family), same in rows.groupby(["source", "scheme", "family"]):
        look = {"color": _COLORS[family], "lw": 0.7, "alpha": 0.4, "ms": 4}
        far = same["score"].abs() > _BAND
        # Only what leaves the band is marked: where that is, counts.
        ax.plot(same["p"], same["score"], **look)
        look |= {"alpha": 1, "marker": _MARKERS[family], "ls": "", "label": family}
        ax.plot(same["p"][far], same["score"][far], **look)
    ax.set_xscale("logit")
    marks = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    ax.minorticks_off()
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="probability p", ylabel="$(F(x_p) - p)$ / error", ylim=(-4.2, 4.2))
    return ax


def plot_scores(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Standard scores of kernels' moments, on the line if laws are right; curves hold 95 %.

    Args:
        rows: From ``laws.scores``, of one moment.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for family, color in _COLORS.items():
        same = rows[rows["family"] == family]
        if len(same):
            look = {"color": color, "marker": _MARKERS[family], "ms": 4, "ls": ""}
            look |= {"markeredgecolor": "w", "markeredgewidth": 0.3}
            name = f"{family}, {same['count'].iloc[0]}"
            for end in ("low", "high"):  # outlines, as five bands would hide each other
                ax.plot(same["normal"], same[end], color=color, lw=0.9, zorder=1)
            ax.plot(same["normal"], same["score"], label=name, **look)
    ax.axline((0, 0), slope=1, color="k", lw=0.9, label="normal")
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="normal quantile", ylabel="standard score")
    ax.set(xlim=(-3.5, 3.5), ylim=(-5, 5))
    return ax


def plot_preactivations(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Three laws of one variance, as entries and as sums: points measured, lines theory.

    Args:
        rows: From ``laws.preactivations``, of one number of entries.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for scheme, same in rows.groupby("scheme"):
        family = laws.FAMILIES[scheme]
        look = {"color": _COLORS[family], "label": f"{scheme}, {family}"}
        ax.plot(same["x"], same["law"], color=_COLORS[family], lw=1, ls=_DASHES[family])
        ax.plot(same["x"], same["density"], marker=_MARKERS[family], ms=2.8, ls="", **look)
    x = np.linspace(-4, 4, 161)
    ax.plot(x, stats.norm.pdf(x), "k", lw=0.7, zorder=0, label="N(0, 1)")
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="standard deviations", ylabel="density", xlim=(-4, 4))
    return ax


def plot_agreement(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What is left of the law of an entry in a sum of n: points measured, lines theory.

    Args:
        rows: From ``laws.agreement``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    title, far = rows["panel"].iloc[0], "distance" in rows["panel"].iloc[0]
    for scheme, same in rows.sort_values("fan").groupby("scheme"):
        family = laws.FAMILIES[scheme]
        errors = [same["measured"] - same["low"], same["high"] - same["measured"]]
        look = {"color": _COLORS[family], "marker": _MARKERS[family], "ms": 4, "ls": ""}
        text, shift = f"{scheme}, {family}", _SHIFTS[family]
        x = shift * same["fan"]
        ax.errorbar(x, same["measured"], errors, label=text, elinewidth=1, **look)
        line = {"color": _COLORS[family], "ls": _DASHES[family], "lw": 1, "zorder": 0}
        theory = same["law"].where(same["law"] > 1e-5) if far else same["law"]
        ax.plot(x, theory, **line)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter("{x:g}")
    if far:
        ax.set_yscale("log")
        ax.axhline(rows["floor"].iloc[0], color="k", lw=0.7, ls=":", label="chance alone")
    ax.set_title(title, loc="left")
    ax.set(xlabel="entries in the sum", ylabel="")
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("histograms", plot_histograms, laws.histograms, "panel"),
    Figure("quantiles", plot_quantiles, laws.deviations, "panel", legend_columns=5),
    Figure("scores", plot_scores, laws.scores, "panel", legend_columns=6),
    Figure("preactivations", plot_preactivations, laws.preactivations, "panel"),
    Figure("gaussian_and_uniform", plot_agreement, laws.agreement, "panel"),
)


def summary(table: pd.DataFrame) -> Group:
    """What becomes of the law of an entry in a sum of them, for a terminal."""
    try:
        rows = laws.agreement(table)
    except Absent:
        return Group()
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = "sums of entries of one variance, measured and by the law"
    kinds = list(dict.fromkeys(rows["panel"]))
    for heading in ("scheme", "entries", *("kurtosis", "largest", "from normal")):
        shown.add_column(heading, justify="left" if heading == "scheme" else "right")
    for (fan, scheme), same in rows.groupby(["fan", "scheme"]):
        found = same.set_index("panel")
        pairs = (
            f"{found.loc[k, 'measured']:.3g} ({found.loc[k, 'law']:.2g})" for k in kinds
        )
        shown.add_row(scheme, str(fan), *pairs)
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.init_distributions [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("init_distributions", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

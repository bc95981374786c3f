"""Figures of ``sweeps.dead_relu``: what is dead, and what still has a gradient?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.bands import Absent
from analysis.curves import alike, in_turn
from analysis.deaths import ZERO, courses, depths, gradients, percentile, scan
from analysis.figures import Figure
from analysis.style import ACTIVATION_ORDER, PALETTE, in_order, label

_MARKERS = "os^Dvp*XP"
_KINDS = {"weights": (PALETTE[0], "o", -0.12), "biases": (PALETTE[1], "s", 0.12)}
_ALIKE = 0.01
"""Share of a panel's height by which curves differ that nobody can tell apart."""
_STAR = {"marker": "*", "ms": 12, "mfc": "none", "mec": "k", "ls": "", "zorder": 4}
_BOTTOM = -26.0  # where a curve of exactly 0 is drawn
_SMALLEST = float(np.log10(np.finfo(np.float32).tiny))


def plot_gradients(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient norms at the first step, all biases far below 0; 0 in the gray band.

    Args:
        rows: From ``gradients``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for kind, (color, marker, shift) in _KINDS.items():
        same = rows[rows["kind"] == kind]
        x = same["layer"] + shift
        low, median, high = (same[c].clip(lower=ZERO) for c in ("low", "median", "high"))
        ax.errorbar(
            x,
            median,
            yerr=[median - low, high - median],
            color=color,
            marker=marker,
            ls="",
            ms=4,
            elinewidth=1,
            label=f"{kind}, median and 90 % of seeds",
        )
        theory = same["theory"].where(np.isfinite(same["theory"]))
        ax.plot(x, theory, color=color, lw=0.9, ls=":", zorder=0)
    for layer, said in rows[rows["published"].notna()].groupby("layer"):
        x = layer + np.mean([_KINDS[kind][2] for kind in said["kind"]])
        ax.plot(x, np.log10(said["published"].iloc[0]), **_STAR)
    ax.plot([], [], color="0.3", lw=0.9, ls=":", label="expected, without underflow")
    ax.plot([], [], label="published run", **_STAR)
    ax.axhspan(ZERO - 6, ZERO + 4, color="0.88", lw=0, zorder=-1)
    ax.axhline(_SMALLEST, color="0.5", lw=0.8, ls="--", label="least normal float32")
    _powers(ax, range(-60, 1, 20), ZERO - 6, 6)
    ax.set_xticks(sorted(rows["layer"].unique()))
    ax.set_title(label(rows["activation"].iloc[0]), loc="left")
    ax.set(xlabel="layer", ylabel="L2 norm of the gradient")
    return ax


def plot_courses(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Training from biases far below 0, medians; equal curves alternate in dashes.

    Args:
        rows: From ``courses``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    curves = rows.pivot(index="step", columns="activation", values="value")
    curves = curves[in_order(list(rows["activation"]), ACTIVATION_ORDER)]
    curves = curves.clip(lower=_BOTTOM)
    height = float(curves.max().max() - curves.min().min())
    styles = in_turn(alike(curves, max(1e-9, _ALIKE * height)))
    for at, name in enumerate(curves.columns):
        look = {"color": PALETTE[at % 10], "lw": 1.8}
        # Named by a line of its own, for the curve may be one of several in turn.
        ax.plot([], [], label=label(name), **look)
        ax.plot(curves.index, curves[name], ls=styles[name], gid=name, **look)
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="steps", ylabel="")
    if "loss" in rows["panel"].iloc[0]:
        ax.axhline(np.log(2), color="k", lw=0.8, ls=":", label="ln 2")
    else:
        ax.axhspan(_BOTTOM - 2, _BOTTOM + 1, color="0.88", lw=0, zorder=-1)
        _powers(ax, range(-20, 1, 5), _BOTTOM - 2, 1.5, _BOTTOM)
    return ax


def plot_scan(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """ReLU units and networks that are 0 at all points, by the value of all biases.

    Args:
        rows: From ``scan``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (layer, same) in enumerate(rows.groupby("layer")):
        ax.plot(
            same["bias"],
            same["measured"],
            color=PALETTE[at],
            marker=_MARKERS[at],
            ms=3,
            lw=0.8,
            label=f"layer {layer}",
        )
        ax.plot(same["bias"], same["theory"], "k:", lw=1.3, zorder=5)
    ax.plot([], [], "k:", lw=1.3, label="layer 1, exact")
    # Layer 1 changes between -10 and -1, the deep ones between -0.2 and 0.01.
    ax.set_xscale("symlog", linthresh=0.01, linscale=0.5)
    ax.set_xticks([-10, -1, -0.1, 0, 0.1, 1], ["-10", "-1", "-0.1", "0", "0.1", "1"])
    ax.minorticks_off()
    what, which = rows["panel"].iloc[0].split(": ")
    ax.set_title(label(which), loc="left")
    ax.set(
        xlabel="bias of every unit, symmetric log",
        ylabel=f"dead {what}",
        ylim=(-0.03, 1.03),
    )
    return ax


def plot_depths(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """ReLU networks without biases that are born dead, against Lu et al. (2019).

    Args:
        rows: From ``depths``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (width, same) in enumerate(rows.groupby("width")):
        look = {"color": PALETTE[at], "marker": _MARKERS[at], "ls": "", "ms": 3.5}
        shown = same[same["measured"] > 0]
        ax.plot(shown["layer"], shown["measured"], label=f"width {width}", **look)
        if (same["low"] == same["high"]).all():
            ax.plot(same["layer"], same["high"], "k", lw=0.9, zorder=0)
        elif same["low"].isna().all():
            ax.plot(same["layer"], same["high"], color=PALETTE[at], lw=0.9, ls="--")
        else:
            band = same[same["low"] > 0]  # 0 is not on the axis
            edges = band["layer"], band["low"], band["high"]
            ax.fill_between(*edges, color=PALETTE[at], alpha=0.08, lw=0)
            # Bands of several widths lie on each other: their edges tell them apart.
            for end in ("low", "high"):
                ax.plot(band["layer"], band[end], color=PALETTE[at], lw=0.9, ls=":")
    ax.set_yscale("log")
    ax.set_ylim(3e-5, 1.3)
    ax.set_xticks(range(0, rows["layer"].max() + 1, 5))
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="hidden layers", ylabel="share of networks dead")
    return ax


def _powers(ax: Axes, ticks: range, low: float, high: float, zero: float = ZERO) -> None:
    """An axis of log10 values, with 0 in a band below them."""
    ax.set_yticks(
        [zero, *ticks], ["0", *(f"$10^{{{tick}}}$" if tick else "1" for tick in ticks)]
    )
    ax.set_ylim(low, high)


FIGURES: tuple[Figure, ...] = (
    Figure("gradients", plot_gradients, gradients, "activation", legend_columns=3),
    Figure("courses", plot_courses, courses, "panel"),
    Figure("scan", plot_scan, scan, "panel", legend_columns=6),
    Figure("depths", plot_depths, depths, "panel", legend_columns=6),
)


def summary(table: pd.DataFrame) -> Group:
    """Gradients of the first step and what training ends with, for a terminal."""
    try:
        first, last = gradients(table), courses(table)
    except Absent:
        return Group()
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = "medians; a norm of 0 is exactly 0 in float32"
    headings = ("activation", "‖∂L/∂W₁‖", "expected", "last bias", "loss at the end")
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "activation" else "right")
    norms = first.set_index(["activation", "kind", "layer"])
    loss = last[last["panel"].str.contains("loss")].sort_values("step")
    top = first["layer"].max()
    for name in in_order(list(first["activation"]), ACTIVATION_ORDER):
        entry, readout = norms.loc[(name, "weights", 1)], norms.loc[(name, "biases", top)]
        ends = loss.loc[loss["activation"] == name, "value"].iloc[-1]
        powers = (
            10.0 ** entry["median"],
            10.0 ** entry["theory"],
            10.0 ** readout["median"],
        )
        shown.add_row(name, *(f"{power:.2g}" for power in powers), f"{ends:.4f}")
    if "leaky_relu" in set(first["activation"]):
        shares = [percentile(table, kind) for kind in ("weights", "biases")]
        text = "published 1.7e-16 of leaky ReLU: above {:.0%} of weights, {:.0%} of biases"
        return Group(shown, text.format(*shares))
    return Group(shown)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.dead_relu [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("dead_relu", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

"""Figures of ``sweeps.phase_diagram``: where a network is ordered, critical, chaotic."""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from rich.console import Group
from rich.table import Table

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.plane import measured, with_theory
from analysis.plane_map import draw_plane
from analysis.plane_paths import convergence, departure
from analysis.style import PALETTE, label

_CLOSE = 0.05
"""Share of theory by which a fitted depth scale may differ."""


def grid(table: pd.DataFrame) -> pd.DataFrame:
    """Measured and predicted rates of the points of the grid.

    Raises:
        Absent: if the table has no grid.
    """
    points = measured(table[table["point"] == "grid"])
    if points.empty:
        raise Absent("no points of the grid")
    return with_theory(points)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Measured ξ_c over theory, for points where theory has one below 100 layers.

    Biases change nothing in the ordered phase of an activation that is homogeneous, whose
    networks share their draws: of equal measurements one is kept.
    """
    rows = grid(table)
    same = rows[["activation", "sigma_w"]].assign(xi_c=rows["xi_c"].map("{:.4g}".format))
    rows = rows[~same.duplicated()]
    known = rows["xi_c_theory"].between(0, 100) & np.isfinite(rows["xi_c"])
    shown = rows[known].assign(
        ratio=rows["xi_c"] / rows["xi_c_theory"],
        ratio_error=rows["xi_c_error"] / rows["xi_c_theory"],
        phase=np.where(rows["chi_1_theory"] < 1, "ordered", "chaotic")[known],
    )
    shown.attrs = rows.attrs
    return shown


def plot_gradient(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Decades by which |∂L/∂z|² grows per layer, measured; lines are theory.

    Args:
        rows: From ``grid``, of one activation.
        ax: Where to draw.
    """
    values = rows.assign(value=np.log10(rows["chi_1"]))
    norm = Normalize(-0.4, 0.4)
    ax = plt.gca() if ax is None else ax
    return draw_plane(values, norm, "vlag", "decades per layer", ax)


def plot_depth_scale(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Depth scale ξ_c over which inputs become alike or unlike, measured; lines are theory.

    Args:
        rows: From ``grid``, of one activation.
        ax: Where to draw.
    """
    finite = np.isfinite(rows["q_star"])
    values = rows.assign(value=rows["xi_c"].clip(upper=1e3).where(finite))
    ax = plt.gca() if ax is None else ax
    return draw_plane(values, LogNorm(1, 50), "viridis", "ξ_c in layers", ax)


def plot_agreement(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Measured ξ_c over theory, with standard errors; the band is ±5 %.

    Args:
        rows: From ``agreement``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    ax.axhspan(1 - _CLOSE, 1 + _CLOSE, color="0.88", lw=0)
    ax.axhline(1, color="k", linewidth=0.8, linestyle=":")
    for color, marker, phase in (
        (PALETTE[0], "o", "ordered"),
        (PALETTE[3], "s", "chaotic"),
    ):
        same = rows[rows["phase"] == phase]
        ax.errorbar(
            same["xi_c_theory"],
            same["ratio"],
            same["ratio_error"],
            fmt=marker,
            color=color,
            markersize=3.5,
            elinewidth=0.8,
            label=f"{phase} phase",
        )
    ax.set_xscale("log")
    marks = [1, 2, 5, 10, 20, 50, 100]
    ax.set_xticks(marks, [str(mark) for mark in marks])
    ax.minorticks_off()
    ax.set(xlim=(0.5, 110), ylim=(0.75, 1.25))
    ax.set(xlabel="ξ_c of theory, layers", ylabel="measured ξ_c over theory")
    ax.set_title(label(str(rows["activation"].iloc[0])), loc="left")
    return ax


def plot_convergence(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Correlation of inputs that start at c = 0: alike where ordered; theory dotted.

    Args:
        rows: From ``convergence``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for n, (sigma_w, same) in enumerate(rows.groupby("sigma_w")):
        _curve(same, ax, PALETTE[n], f"σ_w = {sigma_w:.2g}")
    ax.plot([], [], "k:", linewidth=1.1, label="mean field")
    ax.set(ylim=(-0.03, 1.03), xlabel="layer ℓ", ylabel="correlation c")
    name, sigma_b = label(str(rows["activation"].iloc[0])), rows["sigma_b"].iloc[0]
    ax.set_title(f"{name}, σ_b = {sigma_b:.2g}", loc="left")
    return ax


def plot_departure(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Second moment on the critical line, from 10 % off a q* that may repel; theory dotted.

    Args:
        rows: From ``departure``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for n, (sigma_b, both) in enumerate(rows.groupby("sigma_b")):
        for _, same in both.groupby("side"):
            _curve(same, ax, PALETTE[n], f"σ_b = {sigma_b:.2g}")
    ax.plot([], [], "k:", linewidth=1.1, label="mean field")
    ax.set_yscale("log")
    ticks = [0.2, 0.5, 1, 2, 5, 10]
    ax.set_yticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="layer ℓ", ylabel="q over q*")
    ax.set_title(label(str(rows["activation"].iloc[0])), loc="left")
    return ax


def _curve(rows: pd.DataFrame, ax: Axes, color: object, words: str) -> None:
    """Median and band over layers, and theory."""
    rows = rows.sort_values("layer")
    ax.plot(rows["layer"], rows["median"], color=color, linewidth=1.5, label=words)
    ax.fill_between(rows["layer"], rows["low"], rows["high"], color=color, alpha=0.2, lw=0)
    ax.plot(rows["layer"], rows["theory"], "k:", linewidth=1.1, zorder=5)


FIGURES: tuple[Figure, ...] = (
    Figure("gradient", plot_gradient, grid, "activation"),
    Figure("depth_scale", plot_depth_scale, grid, "activation"),
    Figure("agreement", plot_agreement, agreement, "activation"),
    Figure("convergence", plot_convergence, convergence, "activation"),
    Figure("departure", plot_departure, departure, "activation"),
)


def summary(table: pd.DataFrame) -> Group:
    """How many fitted depth scales agree with theory, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = f"ξ_c fitted within {_CLOSE:.0%} of theory"
    for heading in (
        "activation",
        "phase",
        "points",
        "within",
        "ξ_c up to",
        "worst below 10",
    ):
        shown.add_column(heading, justify="left" if heading == "activation" else "right")
    try:
        rows = agreement(table)
    except Absent:
        return Group("no points of the grid")
    for (name, phase), same in rows.groupby(["activation", "phase"], sort=False):
        off = (same["ratio"] - 1).abs()
        short = off[same["xi_c_theory"] < 10]
        shown.add_row(
            *(label(str(name)), str(phase), f"{len(same)}", f"{(off < _CLOSE).sum()}"),
            *(
                f"{same['xi_c_theory'].max():.3g}",
                f"{short.max():.1%}" if len(short) else "",
            ),
        )
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.phase_diagram [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("phase_diagram", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

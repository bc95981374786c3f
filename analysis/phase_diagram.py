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
from initjax import meanfield

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
    """Depth over which inputs become alike or unlike, measured; lines are theory.

    Args:
        rows: From ``grid``, of one activation.
        ax: Where to draw.
    """
    finite = np.isfinite(rows["q_star"])
    values = rows.assign(value=rows["xi_c"].clip(upper=1e3).where(finite))
    ax = plt.gca() if ax is None else ax
    return draw_plane(values, LogNorm(1, 50), "viridis", "depth scale $ξ_c$, layers", ax)


def plot_agreement(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Measured over predicted depth scale, ± standard errors; the band is ±5 %.

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
            markersize=3,
            markeredgewidth=0,
            elinewidth=0.7,
            alpha=0.8,
            label=f"{phase} phase",
        )
    ax.set_xscale("log")
    marks = [0.5, 1, 2, 5, 10, 20, 50, 100]
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    ax.minorticks_off()
    ax.set(xlim=(0.38, 110), ylim=(0.68, 1.32))
    ax.set(xlabel="$ξ_c$ of theory, layers", ylabel="measured $ξ_c$ over theory")
    ax.set_title(label(str(rows["activation"].iloc[0])), loc="left")
    return ax


def plot_convergence(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Correlation of inputs that start at c = 0: they become alike where ordered.

    Args:
        rows: From ``convergence``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for n, (sigma_w, same) in enumerate(rows.groupby("sigma_w")):
        # Markers by turns, for where inputs forget σ_w the curves lie on each other.
        look = {"marker": "os^D"[n % 4], "markevery": (n % 4, 4), "markersize": 4}
        _curve(same, ax, PALETTE[n], f"$σ_w$ = {sigma_w:.2g}", **look)
    ax.plot([], [], "k:", linewidth=1.1, label="mean field")
    ax.set(ylim=(-0.03, 1.03), xlabel="layer ℓ", ylabel="correlation c")
    name, sigma_b = label(str(rows["activation"].iloc[0])), rows["sigma_b"].iloc[0]
    ax.set_title(f"{name}, $σ_b$ = {sigma_b:.2g}", loc="left")
    return ax


def plot_departure(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Second moment where χ₁ = 1, from 10 % off q*; where that repels, networks scatter.

    Args:
        rows: From ``departure``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for n, (sigma_b, both) in enumerate(rows.groupby("sigma_b")):
        for _, same in both.groupby("side"):
            _curve(same, ax, PALETTE[n], f"$σ_b$ = {sigma_b:.2g}")
    ax.plot([], [], "k:", linewidth=1.1, label="mean field, infinite width")
    ax.set_yscale("log")
    near = bool(rows["high"].max() < 1.2)
    ticks = [0.9, 1, 1.1] if near else [0.2, 0.5, 1, 2, 5, 10, 20, 50]
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="layer ℓ", ylabel="q over q*")
    name = str(rows["activation"].iloc[0])
    words = _repels(name, rows["sigma_b"]) + ", enlarged" * near
    ax.set_title(f"{label(name)}: {words}", loc="left")
    return ax


def _repels(activation: str, sigma_b: pd.Series) -> str:
    """Where the q* of the critical line repels, by theory, in words."""
    found = []
    for at in np.unique(sigma_b.to_numpy(np.float64).round(6)):
        if meanfield.length_stability(activation, sigma_b=float(at)).slope > 1:
            found.append(f"{at:.2g}")
    return f"q* repels for $σ_b$ = {', '.join(found)}" if found else "q* attracts"


def _curve(rows: pd.DataFrame, ax: Axes, color: object, words: str, **look: object) -> None:
    """Median and band over layers, and theory."""
    rows = rows.sort_values("layer")
    look = {"color": color, "linewidth": 1.5, "label": words, **look}
    ax.plot(rows["layer"], rows["median"], **look)
    ax.fill_between(rows["layer"], rows["low"], rows["high"], color=color, alpha=0.2, lw=0)
    ax.plot(rows["layer"], rows["theory"], "k:", linewidth=1.1, zorder=5)


FIGURES: tuple[Figure, ...] = (
    Figure("gradient", plot_gradient, grid, "activation"),
    Figure("depth_scale", plot_depth_scale, grid, "activation"),
    Figure("agreement", plot_agreement, agreement, "activation"),
    Figure("convergence", plot_convergence, convergence, "activation", 5),
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

"""Figures of ``sweeps.trainability``: how deep may a tanh network be, and what says so?"""

import sys
from collections.abc import Sequence
from math import sqrt

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.figures import Figure
from initjax import meanfield

MEMORY = 6
"""Depth in units of ξ_c down to which networks are said to train."""
WITHIN, BEYOND = 0.7, 1.0
"""Depths below and above these parts of 6 ξ_c count as within and beyond."""
TRAINED = 0.7
"""Accuracy above which a network counts as trained."""

_THEORY = "#B4182D"
_KEYS = ["width", "depth", "sigma_w2", "sigma_b2", "rate"]


def accuracy_map(table: pd.DataFrame) -> pd.DataFrame:
    """Median accuracy over seeds of each depth and σ_w², with 6 ξ_c of the mean field.

    Returns:
        width, depth, sigma_w2, sigma_b2, rate, ``accuracy``, ``limit`` (6 ξ_c, infinite at
        the critical point) and ``place``: within, beyond, or between the two.
    """
    rows = table.groupby(_KEYS)["accuracy"].median().reset_index()
    rows = rows[rows["width"] == rows["width"].min()].reset_index(drop=True)
    points = rows[["sigma_w2", "sigma_b2"]].drop_duplicates()
    points["limit"] = limits(points["sigma_w2"], float(points["sigma_b2"].iloc[0]))
    rows = rows.merge(points, on=["sigma_w2", "sigma_b2"])
    part = rows["depth"] / rows["limit"]
    rows["place"] = np.select(
        [part < WITHIN, part > BEYOND], ["within", "beyond"], "between"
    )
    rows.attrs["note"] = (
        f"5,000 images of MNIST, width {rows['width'].iloc[0]}, "
        f"bias variance {rows['sigma_b2'].iloc[0]:g}, learning rate "
        f"{(rows['rate'] * rows['depth']).iloc[0]:.3g}/depth, "
        f"{table['seed'].nunique()} seed{'s' * (table['seed'].nunique() > 1)}"
    )
    return rows


def limits(sigma_w2: Sequence[float] | pd.Series, sigma_b2: float) -> np.ndarray:
    """6 ξ_c of tanh networks for each σ_w² at one σ_b²."""
    sigma_w = np.sqrt(np.asarray(sigma_w2, np.float64))
    return (
        MEMORY * meanfield.depth_scales("tanh", sigma_w=sigma_w, sigma_b=sqrt(sigma_b2))[1]
    )


def verdict(rows: pd.DataFrame) -> dict[str, float]:
    """What the map says of the law: how many train within 6 ξ_c, and how many beyond.

    Args:
        rows: From ``accuracy_map``.

    Returns:
        ``within`` and ``beyond``: numbers of networks; ``trained``: share of those within
        with accuracy above 0.7; ``largest``: accuracy of the best beyond.
    """
    within = rows.loc[rows["place"] == "within", "accuracy"]
    beyond = rows.loc[rows["place"] == "beyond", "accuracy"]
    return {
        **{"within": len(within), "beyond": len(beyond)},
        **{"trained": float((within > TRAINED).mean()), "largest": float(beyond.max())},
    }


def plot_accuracy_map(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Accuracy of tanh networks by variance and depth; 6 depth scales bound what trains.

    Args:
        rows: From ``accuracy_map``.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    grid = rows.pivot(index="depth", columns="sigma_w2", values="accuracy")
    sigma_w2, depth = grid.columns.to_numpy(float), grid.index.to_numpy(float)
    edges = _edges(sigma_w2), np.exp(_edges(np.log(depth)))
    mesh = ax.pcolormesh(
        *edges, grid, cmap="cividis", vmin=0, vmax=1, edgecolors="w", lw=0.3
    )
    ax.figure.colorbar(
        mesh, ax=ax, label="accuracy on the training images", format="{x:.0%}", pad=0.02
    )
    for (place, across), value in np.ndenumerate(grid.to_numpy()):
        box = {"facecolor": mesh.to_rgba(value), "edgecolor": "none", "pad": 0.8}
        look = {"color": "w" if value < 0.55 else "k", "fontsize": 7, "bbox": box}
        where = sigma_w2[across], depth[place], f"{100 * value:.0f}"
        ax.text(*where, ha="center", va="center", zorder=5, **look)
    _draw_theory(ax, sigma_w2, edges[0][[0, -1]], float(rows["sigma_b2"].iloc[0]))
    ax.set(yscale="log", xlabel="$σ_w^2$", ylabel="hidden layers")
    ax.set_yticks(depth, [f"{d:g}" for d in depth])
    ax.set_xticks(sigma_w2, [f"{s:g}" for s in sigma_w2])
    ax.minorticks_off()
    ax.grid(False)
    ax.set(xlim=edges[0][[0, -1]], ylim=edges[1][[0, -1]])
    return ax


def _edges(centres: np.ndarray) -> np.ndarray:
    """Edges of cells around these centres, half-way between them."""
    if len(centres) == 1:
        return centres[0] + np.array([-0.5, 0.5])
    half = np.diff(centres) / 2
    first, last = centres[0] - half[0], centres[-1] + half[-1]
    return np.concatenate([[first], centres[:-1] + half, [last]])


def _draw_theory(
    ax: Axes, columns: np.ndarray, across: np.ndarray, sigma_b2: float
) -> None:
    """6 ξ_c and the critical σ_w², each with its name beside it, none over a number."""
    critical = meanfield.critical_sigma_w("tanh", sigma_b=sqrt(sigma_b2)) ** 2
    halo = [patheffects.withStroke(linewidth=3.2, foreground="w")]
    words = {"ha": "center", "va": "bottom", "fontsize": 8.5, "color": _THEORY}
    closer = np.linspace(0.04, 1, 25) ** 2  # for 6 ξ_c grows without bound there
    ends = np.maximum(across, 0.01)
    sigma_w2 = np.sort(np.ravel(critical + np.outer(ends - critical, closer)))
    deep = limits(sigma_w2, sigma_b2)
    ax.plot(sigma_w2, deep, color=_THEORY, lw=2, path_effects=halo)
    if len(columns) > 1:  # Between the columns farthest apart, where no number is.
        at = int(np.argmax(np.diff(columns)))
        middle = float(columns[at : at + 2].mean())
        height = 1.06 * np.interp(middle, sigma_w2, deep)
        box = {"facecolor": "w", "edgecolor": "none", "pad": 1.2}
        ax.text(middle, height, "6 $ξ_c$", bbox=box, **words)
    if across[0] < critical < across[1]:
        # Above the cells, for a line through them would cross numbers out.
        across_axes = ax.get_xaxis_transform()
        ax.text(critical, 1, "χ₁ = 1\n▼", transform=across_axes, linespacing=1, **words)


FIGURES: tuple[Figure, ...] = (
    Figure("accuracy_map", plot_accuracy_map, accuracy_map, "width", legend_columns=0),
)


def summary(table: pd.DataFrame) -> Group:
    """Accuracy of every network and what it says of the law, for a terminal."""
    rows = accuracy_map(table)
    shown = Table(box=None, padding=(0, 1, 0, 0))
    grid = rows.set_index(["depth", "sigma_w2"])
    shown.add_column("depth", justify="right")
    across = sorted(rows["sigma_w2"].unique())
    for sigma_w2 in across:
        shown.add_column(f"{sigma_w2:g}", justify="right")
    color = {"within": "green", "beyond": "red", "between": "default"}
    for depth in sorted(rows["depth"].unique()):
        cells = [grid.loc[(depth, sigma_w2)] for sigma_w2 in across]
        shown.add_row(
            str(depth),
            *(f"[{color[c['place']]}]{100 * c['accuracy']:.0f}[/]" for c in cells),
        )
    found = verdict(rows)
    best = f", the best {found['largest']:.0%}" if found["beyond"] else ""
    words = (
        f"within: {found['trained']:.0%} of {found['within']} above {TRAINED:.0%}; "
        f"beyond: {found['beyond']}{best}"
    )
    title = "accuracy in %, [red]beyond 6 ξ_c[/] and [green]within 0.7 times[/] that depth"
    return Group(title, shown, words, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.trainability [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("trainability", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

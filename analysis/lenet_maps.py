"""Maps of ``lenet_depth`` over modules: numbers in colored cells, beside each other."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize, TwoSlopeNorm

from analysis.style import label

CHANCE = 0.1
"""Share of ten digits that guessing has right."""
_DECADES = 20.0  # where the colors of gradients end
_GAP = 0.8  # between two maps, in cells
_EMPTY = {"facecolor": "none", "edgecolor": "0.82", "hatch": "/////", "linewidth": 0}
_BAR = 0.03  # height of a color bar, in that of the maps


def plot_map(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Test accuracy after training, and |∂L/∂W| of layer 1 before; not measured: hatched.

    Medians; a norm whose log10 is -∞ is exactly 0 in float32.

    Args:
        rows: From ``depth_map``.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    names = list(dict.fromkeys(rows["row"]))
    depths = sorted(rows["modules"].unique())
    maps = {
        quantity: same.pivot(index="row", columns="modules", values="value").reindex(
            index=names, columns=depths
        )
        for quantity, same in rows.groupby("quantity")
    }
    across, right = len(depths), len(depths) + _GAP
    mesh = _accuracy(maps["accuracy"], ax)
    _scale(_above(mesh, 0, across, "test accuracy after training", ax))
    mesh = _gradient(maps["gradient"], right, ax)
    words = "log10 of |∂L/∂W| of layer 1 before training"
    bar = _above(mesh, right, across, words, ax)
    bar.set_ticks([-_DECADES, -_DECADES / 2, 0, _DECADES / 2, _DECADES])
    ticks = [start + at + 0.5 for start in (0, right) for at in range(across)]
    ax.set_xticks(ticks, [f"{depth:,}" for depth in depths] * 2)
    _rows(names, ax)
    ax.set(xlabel="modules N, of two convolutions each", xlim=(0, ticks[-1] + 0.5))
    _splits([name.split(",")[0] for name in names], ax)
    return ax


def plot_frontier(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Test accuracy of plain networks by way of training: to the line half the seeds train.

    Args:
        rows: From ``frontiers``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    names = list(dict.fromkeys(rows["row"]))
    depths = sorted(rows["modules"].unique())
    cells = rows.pivot(index="row", columns="modules", values="median")
    cells = cells.reindex(index=names, columns=depths)
    bar = ax.figure.colorbar(_accuracy(cells, ax), ax=ax, pad=0.02, label="test accuracy")
    _scale(bar)
    ends = rows.groupby("row")["frontier"].first().reindex(names)
    x = [depths.index(end) + 1 if end in depths else 0 for end in ends]
    look = {"color": "k", "lw": 2.2, "solid_joinstyle": "miter", "clip_on": False}
    steps = np.repeat(x, 2), np.repeat(np.arange(len(x) + 1), 2)[1:-1]
    ax.plot(*steps, zorder=4, **look)
    ax.set_xticks(np.arange(len(depths)) + 0.5, [f"{depth:,}" for depth in depths])
    _rows(names, ax)
    ax.set(xlabel="modules N, of two convolutions each", xlim=(0, len(depths)))
    ax.set_title(label(rows["activation"].iloc[0]), loc="left")
    return ax


def _accuracy(cells: pd.DataFrame, ax: Axes) -> QuadMesh:
    """A map of accuracies, from the left edge on."""
    mesh = _mesh(cells, 0, "cividis", Normalize(0, 1), ax)
    _numbers(cells, 0, mesh, "{:.2f}".format, ax)
    return mesh


def _gradient(cells: pd.DataFrame, start: float, ax: Axes) -> QuadMesh:
    """A map of log10 of norms; 0 and ∞ at the ends of its colors."""
    norm = TwoSlopeNorm(0, -_DECADES, _DECADES)
    mesh = _mesh(cells.clip(-2 * _DECADES, 2 * _DECADES), start, "vlag", norm, ax)
    _numbers(cells, start, mesh, _decades, ax)
    return mesh


def _mesh(
    cells: pd.DataFrame, start: float, colors: str, norm: Normalize, ax: Axes
) -> QuadMesh:
    """Colored cells from ``start`` on; those that are not measured hatched."""
    down, across = cells.shape
    for row, column in zip(*np.nonzero(cells.isna().to_numpy()), strict=True):
        ax.add_patch(plt.Rectangle((start + column, row), 1, 1, **_EMPTY))
    edges = start + np.arange(across + 1), np.arange(down + 1)
    values = np.ma.masked_invalid(cells.to_numpy(np.float64))
    look: dict[str, Any] = {"edgecolors": "w", "lw": 0.6}
    return ax.pcolormesh(*edges, values, cmap=colors, norm=norm, **look)


def _numbers(
    cells: pd.DataFrame, start: float, mesh: QuadMesh, words: Any, ax: Axes
) -> None:
    """The number of each cell, on light cells black."""
    size = 7 if cells.shape[1] < 10 else 6
    for (row, column), value in np.ndenumerate(cells.to_numpy(np.float64)):
        if np.isnan(value):
            continue
        color = mesh.cmap(mesh.norm(np.clip(value, mesh.norm.vmin, mesh.norm.vmax)))
        dark = np.dot(color[:3], (0.299, 0.587, 0.114)) < 0.5
        look = {"ha": "center", "va": "center", "fontsize": size}
        at = start + column + 0.5, row + 0.5
        ax.text(*at, words(value), color="w" if dark else "k", **look)


def _decades(value: float) -> str:
    """log10 of a norm, to a decimal where there is room for it.

    Example:
        >>> [_decades(value) for value in (-1.26, -12.6, 0.04, float("-inf"))]
        ['-1.3', '-13', '0.0', '-∞']
    """
    if np.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.0f}" if abs(value) >= 9.95 else f"{value + 0:.1f}"


def _above(mesh: QuadMesh, start: float, across: int, words: str, ax: Axes) -> Colorbar:
    """A color bar as wide as its map, above it."""
    within = ax.get_xaxis_transform()
    place = ax.inset_axes((start, 1.02, across, _BAR), transform=within)
    bar = ax.figure.colorbar(mesh, cax=place, orientation="horizontal")
    bar.set_label(words, fontsize=8, labelpad=4)
    place.xaxis.set_ticks_position("top")
    place.xaxis.set_label_position("top")
    place.tick_params(labelsize=7, pad=1, length=2)
    return bar


def _scale(bar: Colorbar) -> None:
    """Ticks of a bar of accuracies, and a line at chance."""
    bar.set_ticks([CHANCE, 0.5, 1], labels=["chance 0.1", "0.5", "1"])
    line = bar.ax.axvline if bar.orientation == "horizontal" else bar.ax.axhline
    line(CHANCE, color="w", lw=1.2)


def _rows(names: Sequence[str], ax: Axes) -> None:
    """Names of the rows, the first one at the top."""
    ax.set_yticks(np.arange(len(names)) + 0.5, [label(name) for name in names])
    ax.set_ylim(len(names), 0)
    ax.tick_params(length=0, labelsize=7.5)
    ax.grid(False)
    ax.spines[:].set_visible(False)


def _splits(groups: Sequence[str], ax: Axes) -> None:
    """A white line between the rows of one activation and those of the next."""
    for at, (group, following) in enumerate(pairwise(groups)):
        if group != following:
            ax.axhline(at + 1, color="w", lw=4)

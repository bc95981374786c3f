"""A heat map over the plane (σ_w, σ_b) with the critical line drawn over it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import MultipleLocator

from analysis.plane import critical_line
from analysis.style import label

_TICKS = (1, 2, 5, 10, 20, 50)
_ALIKE = 0.02
"""Part of the range of colors below which no difference can be seen."""


def draw_plane(
    rows: pd.DataFrame, norm: Normalize, colors: str, unit: str, ax: Axes
) -> Axes:
    """A heat map of ``value`` with the critical line and the region without q*.

    Panels that share a norm share one color bar, beside the last of the first row.
    """
    cells = rows.pivot(index="sigma_w", columns="sigma_b", values="value")
    x, y = (np.asarray(axis, np.float64) for axis in (cells.columns, cells.index))
    mesh = ax.pcolormesh(
        _edges(x), _edges(y), cells, cmap=colors, norm=norm, rasterized=True
    )
    place = ax.get_subplotspec()
    if place is None or (place.is_first_row() and place.is_last_col()):
        _bar(mesh, unit, ax)
    _hatch(rows, x, y, ax)
    name = str(rows["activation"].iloc[0])
    line = critical_line(name, float(_edges(x)[0]), float(_edges(x)[-1]))
    for stable, style, words in ((True, "-", ""), (False, ":", ", q* repels")):
        part = line.where((line["chi_q"] < 1) == stable)
        ax.plot(
            part["sigma_b"],
            part["sigma_w"],
            "k",
            linestyle=style,
            linewidth=2,
            label=f"χ₁ = 1{words}",
        )
    colored = norm(cells.to_numpy())
    same = np.nanmax(np.ptp(colored, axis=1)) < _ALIKE
    words = ": the same for every $σ_b$" if same else ""
    ax.set_title(label(name) + words, loc="left")
    ax.set(xlabel="$σ_b$", ylabel="$σ_w$")
    ax.yaxis.set_major_locator(MultipleLocator(0.5))
    ax.set(xlim=_edges(x)[[0, -1]], ylim=_edges(y)[[0, -1]])
    ax.grid(False)
    return ax


def _bar(mesh: QuadMesh, unit: str, ax: Axes) -> None:
    """The colors' scale, for all panels of the figure."""
    look = {"extend": "both", "pad": 0.02, "shrink": 0.7, "aspect": 25}
    bar = ax.figure.colorbar(mesh, ax=ax.figure.axes, **look)
    bar.set_label(unit)
    if isinstance(mesh.norm, LogNorm):
        bar.set_ticks(_TICKS, labels=[str(tick) for tick in _TICKS])
        bar.minorticks_off()


def _hatch(rows: pd.DataFrame, x: np.ndarray, y: np.ndarray, ax: Axes) -> None:
    """Mark the points whose q* is infinite."""
    for sigma_w, sigma_b in rows.loc[
        np.isinf(rows["q_star"]), ["sigma_w", "sigma_b"]
    ].to_numpy():
        low, left = _around(y, sigma_w), _around(x, sigma_b)
        ax.add_patch(
            Rectangle(
                (left[0], low[0]),
                left[1] - left[0],
                low[1] - low[0],
                fill=False,
                hatch="////",
                linewidth=0,
                edgecolor="0.35",
                label="q grows without bound",
            )
        )


def _edges(centers: np.ndarray) -> np.ndarray:
    """Borders halfway between the values of an axis."""
    if len(centers) == 1:
        return centers[0] * np.array([0.9, 1.1])
    middle = (centers[1:] + centers[:-1]) / 2
    first, last = 2 * centers[0] - middle[0], 2 * centers[-1] - middle[-1]
    return np.array([first, *middle, last])


def _around(centers: np.ndarray, value: float) -> np.ndarray:
    """The borders on either side of a value of an axis."""
    at = int(np.argmin(np.abs(centers - value)))
    return _edges(centers)[at : at + 2]

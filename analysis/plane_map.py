"""A heat map over the plane (σ_w, σ_b) with the critical line drawn over it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Rectangle

from analysis.plane import critical_line
from analysis.style import label

_TICKS = (1, 2, 5, 10, 20, 50)


def draw_plane(
    rows: pd.DataFrame, norm: Normalize, colors: str, unit: str, ax: Axes
) -> Axes:
    """A heat map of ``value`` with the critical line and the region without q*."""
    cells = rows.pivot(index="sigma_w", columns="sigma_b", values="value")
    x, y = (np.asarray(axis, np.float64) for axis in (cells.columns, cells.index))
    mesh = ax.pcolormesh(
        _edges(x), _edges(y), cells, cmap=colors, norm=norm, rasterized=True
    )
    bar = ax.figure.colorbar(mesh, ax=ax, extend="both", pad=0.03)
    bar.set_label(unit, fontsize=8)
    if isinstance(norm, LogNorm):
        bar.set_ticks(_TICKS, labels=[str(tick) for tick in _TICKS])
        bar.minorticks_off()
    _hatch(rows, x, y, ax)
    name = str(rows["activation"].iloc[0])
    line = critical_line(name, np.array([_edges(x)[0], _edges(x)[-1]]))
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
    ax.set(title=label(name), xlabel="σ_b", ylabel="σ_w")
    ax.set(xlim=_edges(x)[[0, -1]], ylim=_edges(y)[[0, -1]])
    ax.grid(False)
    return ax


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

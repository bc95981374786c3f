"""Layer by layer over the plane: medians and bands of networks, and the maps iterated."""

import numpy as np
import pandas as pd

from analysis.bands import Absent
from initjax import meanfield

_PLACE = ["activation", "sigma_w", "sigma_b"]
_ENDS = {"low": 0.05, "median": 0.5, "high": 0.95}


def convergence(table: pd.DataFrame, *, count: int = 4) -> pd.DataFrame:
    """Correlation by layer from c = 0, at the middle σ_b, for ``count`` σ_w of the grid.

    Raises:
        Absent: if the table has no grid.
    """
    grid = table[table["point"] == "grid"]
    known = np.sort(grid["sigma_b"].unique())
    grid = grid[grid["sigma_b"].isin(known[(len(known) - 1) // 2 :][:1])]
    shown = grid[grid["sigma_w"].isin(_some(grid["sigma_w"], count))]
    if shown.empty:
        raise Absent("no points of the grid")
    rows = _with_path(_bands(shown, "apart"), shown, "q", "gap")
    rows[[*_ENDS, "theory"]] = 1 - rows[["high", "median", "low", "theory"]].to_numpy()
    return rows


def departure(table: pd.DataFrame) -> pd.DataFrame:
    """Second moment over q* by layer, from 10 % off it, at three points with χ₁ = 1.

    Raises:
        Absent: if the table has no critical points.
    """
    line = table[table["point"] == "critical"]
    line = line[line["sigma_b"].isin(_some(line["sigma_b"], 3))]
    if line.empty:
        raise Absent("no points on the critical line")
    parts = []
    for side in ("q_low", "q_high"):
        rows = _with_path(_bands(line, side), line, side, "length").assign(side=side)
        at = line[line["layer"] == 0].groupby(_PLACE)["q"].first().rename("q_star")
        rows = rows.merge(at, left_on=_PLACE, right_index=True)
        for name in (*_ENDS, "theory"):
            rows[name] /= rows["q_star"]
        parts.append(rows)
    joined = pd.concat(parts, ignore_index=True)
    joined.attrs = _note(line)
    return joined


def _some(values: pd.Series, count: int) -> np.ndarray:
    """Evenly chosen values of an axis, its ends among them."""
    known = np.sort(values.unique())
    return known[np.unique(np.linspace(0, len(known) - 1, count).round().astype(int))]


def _bands(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Quantiles 0.05, 0.5 and 0.95 over seeds."""
    grouped = rows.groupby([*_PLACE, "layer"], sort=False)[column]
    return pd.DataFrame({n: grouped.quantile(p) for n, p in _ENDS.items()}).reset_index()


def _with_path(
    bands: pd.DataFrame, rows: pd.DataFrame, start: str, what: str
) -> pd.DataFrame:
    """``bands`` with ``theory``: the mean-field maps from q = ``start`` and c = 0."""
    first = (
        rows[rows["layer"] == 0].groupby(_PLACE, sort=False)[start].first().reset_index()
    )
    layers, parts = int(rows["layer"].max()), []
    for name, same in first.groupby("activation", sort=False):
        at = {axis: same[axis].to_numpy(np.float64) for axis in ("sigma_w", "sigma_b")}
        q, gap = same[start].to_numpy(np.float64), np.ones(len(same))
        for layer in range(layers + 1):
            value = {"length": q, "gap": gap}[what]
            parts.append(same[_PLACE].assign(layer=layer, theory=value))
            if what == "gap":
                gap = meanfield.correlation_gap(gap, str(name), q=q, **at)
            q = meanfield.variance_map(q, str(name), **at)
    joined = bands.merge(pd.concat(parts), on=[*_PLACE, "layer"])
    joined.attrs = _note(rows)
    return joined


def _note(rows: pd.DataFrame) -> dict[str, str]:
    seeds, width = rows["seed"].nunique(), rows["width"].iloc[0]
    return {"note": f"width {width}, median and 90 % band of {seeds} seeds"}

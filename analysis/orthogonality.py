"""Rows of the figures of ``sweeps.near_orthogonality``, with exact laws beside them."""

import numpy as np
import pandas as pd

from analysis.bands import Absent
from analysis.orthogonality_laws import (
    EDELMAN,
    angle_density,
    gram_moments,
    norm_moments,
    plain_lengths,
    rates,
    value_density,
)

LAW_ORDER = ("gaussian", "uniform", "rademacher", "student_t", "sparse", "orthogonal")
"""Order of the laws in every figure."""
_SHAPE = ["law", "kurtosis", "outputs", "inputs", "drawn"]


def angles(table: pd.DataFrame, shown: tuple[int, ...] = (10, 100, 1024)) -> pd.DataFrame:
    """Density of the angle per degree, by law and width.

    Returns:
        panel, law, inputs, degrees (middle of a bin), pairs, measured, exact: the sine law.
    """
    same = _square(table, "angles")
    widths = sorted(same["inputs"].unique())
    same = same[same["inputs"].isin([n for n in widths if n in shown] or widths[:3])]
    keys = ["law", "inputs", "middle"]
    rows = same.groupby(keys, sort=False)["count"].sum().rename("pairs").reset_index()
    total = rows.groupby(["law", "inputs"])["pairs"].transform("sum")
    step = np.diff(np.unique(same["middle"])).min()
    scale = np.degrees(1 / np.sqrt(rows["inputs"]))
    rows["degrees"] = 90 + rows["middle"] * scale
    rows["measured"] = rows["pairs"] / total / (step * scale)
    theta = np.radians(rows["degrees"].to_numpy(float))
    exact = [angle_density(t, n) for t, n in zip(theta, rows["inputs"], strict=True)]
    rows["exact"] = np.radians(1) * np.array(exact)
    rows.loc[rows["law"] == "orthogonal", "exact"] = np.nan
    place = {law: at for at, law in enumerate(LAW_ORDER)}
    rows = rows.sort_values("law", key=lambda law: law.map(place), kind="stable")
    return _noted(rows.assign(panel=rows["law"]).reset_index(drop=True), same)


def squares(table: pd.DataFrame) -> pd.DataFrame:
    """Mean square of WᵀW − I by law and shape: mean over seeds, its error, exact value.

    Returns:
        panel, law, kurtosis, outputs, inputs, drawn, measured, error, exact.
    """
    found = table[table["record"] == "moments"]
    square, base, rest = _kinds(found)
    parts = [
        ("WᵀW − I, n × n", square, "mean_square", 0),
        ("its diagonal, n × n", square, "diagonal", 1),
        (f"WᵀW − I, m × {base}", rest, "mean_square", 0),
    ]
    frames = []
    for panel, same, column, at in parts:
        rows = _by_shape(same, column)
        shapes = rows[_SHAPE[1:4]].to_numpy()
        exact = [gram_moments(k, int(m), int(n))[at] for k, m, n in shapes]
        frames.append(rows.assign(panel=panel, exact=exact))
    return _noted(pd.concat(frames, ignore_index=True), found)


def norms(table: pd.DataFrame) -> pd.DataFrame:
    """Standard deviation of r = ‖Wx‖/‖x‖ by law and shape, of matrices drawn whole.

    Returns:
        panel, law, kurtosis, outputs, inputs, drawn, measured, error, exact.
    """
    found = table[table["record"] == "moments"]
    middle = found.groupby(_SHAPE, dropna=False)["norm_mean"].transform("mean")
    # Of all vectors: those of a seed share its matrices.
    spread = np.sqrt(found["norm_std"] ** 2 + (found["norm_mean"] - middle) ** 2)
    found = found.assign(spread=spread)
    square, base, rest = _kinds(found[found["drawn"] == found["inputs"]])
    parts = [("n × n", square), (f"m × {base}", rest)]
    frames = []
    for panel, same in parts:
        rows = _by_shape(same, "spread")
        shapes = rows[_SHAPE[1:]].to_numpy()
        exact = [norm_moments(k, *map(int, shape))[1] for k, *shape in shapes]
        frames.append(rows.assign(panel=panel, exact=exact))
    return _noted(pd.concat(frames, ignore_index=True), found)


def spectra(table: pd.DataFrame) -> pd.DataFrame:
    """Density of the singular values by law and shape.

    Returns:
        panel, law, outputs, inputs, value (middle of a bin), measured, limit.
    """
    same = table[table["record"] == "spectrum"]
    if same.empty:
        raise Absent("no singular values")
    square = sorted(same.loc[same["outputs"] == same["inputs"], "inputs"].unique())
    shown = {(n, n) for n in (square[0], square[len(square) // 2], square[-1])}
    others = same[same["outputs"] != same["inputs"]]
    shapes = sorted(set(zip(others["outputs"], others["inputs"], strict=True)))
    shown |= {*shapes[:2], *shapes[-1:]}
    keys = ["outputs", "inputs", "law", "middle"]
    rows = same.groupby(keys)["count"].sum().reset_index()
    mine = [shape in shown for shape in zip(rows["outputs"], rows["inputs"], strict=True)]
    rows = rows[mine].rename(columns={"middle": "value"})
    total = rows.groupby(keys[:3])["count"].transform("sum")
    step = np.diff(np.unique(same["middle"])).min()
    rows["measured"] = rows["count"] / total / step
    # The last bin holds all beyond.
    last = rows.groupby(keys[:2])["value"].transform("max")
    rows = rows[rows["value"] < last].copy()
    settings = rows[["value", "outputs", "inputs"]].to_numpy(float)
    rows["limit"] = [float(value_density(s, int(m), int(n))) for s, m, n in settings]
    rows["panel"] = [
        f"{m} × {n}" for m, n in zip(rows["outputs"], rows["inputs"], strict=True)
    ]
    rows["square"] = rows["outputs"] == rows["inputs"]
    ordered = rows.sort_values(
        ["square", "outputs", "value"], ascending=[False, True, True]
    )
    return _noted(ordered.drop(columns="square").reset_index(drop=True), same)


def extremes(table: pd.DataFrame) -> pd.DataFrame:
    """Least singular value of every square matrix, and its condition number.

    Returns:
        law, inputs, seed, matrix, scaled (n times the least), log_condition (ln cond).
    """
    same = _square(table, "extremes")
    rows = same[["law", "inputs", "seed", "matrix"]].copy()
    rows["scaled"] = same["inputs"] * same["least"].astype(float)
    with np.errstate(divide="ignore"):
        rows["log_condition"] = np.log(same["greatest"].astype(float) / same["least"])
    return _noted(rows, same)


def least(table: pd.DataFrame) -> pd.DataFrame:
    """``extremes`` of random laws, with a panel for each width that is large enough."""
    rows = extremes(table)
    wide = rows["inputs"] >= min(100, rows["inputs"].max())
    found = rows[wide & (rows["law"] != "orthogonal")].sort_values("inputs", kind="stable")
    found = found.assign(panel=[f"n = {n}" for n in found["inputs"]])
    return _noted(found, rows)


def conditions(table: pd.DataFrame) -> pd.DataFrame:
    """Mean of ln cond over the matrices that are not singular, by law and width.

    Returns:
        law, inputs, matrices, singular (share of them), measured, error, exact: Edelman's.
    """
    each = extremes(table)
    whole = each["log_condition"].where(np.isfinite(each["log_condition"]))
    grouped = each.assign(log_condition=whole, singular=whole.isna()).groupby(
        ["law", "inputs"]
    )
    rows = grouped["singular"].agg(matrices="size", singular="mean")
    rows["measured"] = grouped["log_condition"].mean()
    rows["error"] = grouped["log_condition"].sem()
    rows = rows.reset_index()
    exact = np.log(rows["inputs"]) + EDELMAN
    rows["exact"] = np.where(rows["law"] == "orthogonal", 0, exact)
    return _noted(rows, each)


def widest(table: pd.DataFrame) -> pd.DataFrame:
    """Of the widest matrices with singular values, by law: ``squares`` and ``conditions``.

    Returns:
        inputs, measured, exact (mean square), condition, edelman (ln cond), singular.
    """
    found = conditions(table)
    names = {"measured": "condition", "exact": "edelman"}
    last = found[found["inputs"] == found["inputs"].max()].rename(columns=names)
    rows = squares(table)
    rows = rows[rows["panel"].str.startswith("WᵀW − I, n")]
    last = last[["law", "inputs", "condition", "edelman", "singular"]]
    return last.merge(rows[["law", "inputs", "measured", "exact"]]).set_index("law")


def lengths(table: pd.DataFrame) -> pd.DataFrame:
    """‖h‖/‖x‖ over the layers, by activation and remedy: median of seeds, range, theory.

    Returns:
        panel, activation, remedy, layer, low, measured, high, theory.
    """
    same = table[table["record"] == "layers"]
    keys = ["activation", "remedy", "layer"]
    grouped = same.groupby(keys, sort=False)["norm_mean"]
    ends = {"low": grouped.min(), "measured": grouped.median(), "high": grouped.max()}
    rows = pd.DataFrame(ends).reset_index()
    rows["theory"] = 1.0
    for name in rows["activation"].unique():
        mine = (rows["activation"] == name) & (rows["remedy"] == "none")
        rows.loc[mine, "theory"] = plain_lengths(name, rows.loc[mine, "layer"].to_numpy())
    rows["panel"] = rows["activation"]
    return _noted(rows, same, f"width {same['inputs'].iloc[0]}, ")


def depth(table: pd.DataFrame) -> pd.DataFrame:
    """Ln ‖x‖ and ln sin θ over deep linear networks: mean, median and 90 % of them.

    Returns:
        panel, law, inputs, layer, low, measured (median), high, mean, error (its standard
        error), theory: of the mean.
    """
    same = table[table["record"] == "depth"]
    n = int(same["inputs"].iloc[0])
    names = {"log_norm": "ln ‖x‖", "log_sine": "ln sin θ of two inputs"}
    frames = []
    for (column, panel), rate in zip(names.items(), rates(n), strict=True):
        grouped = same.groupby(["law", "inputs", "layer"], sort=False)[column]
        ends = {"low": 0.05, "measured": 0.5, "high": 0.95}
        rows = pd.DataFrame({name: grouped.quantile(p) for name, p in ends.items()})
        rows = rows.assign(mean=grouped.mean(), error=grouped.sem()).reset_index()
        theory = np.where(rows["law"] == "orthogonal", 0, rate * rows["layer"])
        frames.append(rows.assign(panel=panel, theory=theory))
    return _noted(pd.concat(frames, ignore_index=True), same, f"width {n}, ")


def _kinds(found: pd.DataFrame) -> tuple[pd.DataFrame, int, pd.DataFrame]:
    """Square matrices, a number of columns, and all matrices of so many columns."""
    square = found["outputs"] == found["inputs"]
    base = int(found.loc[square if square.all() else ~square, "inputs"].iloc[0])
    return found[square], base, found[found["inputs"] == base]


def _by_shape(same: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean of a column over seeds, and its standard error."""
    grouped = same.groupby(_SHAPE, sort=False, dropna=False)[column]
    found = pd.DataFrame({"measured": grouped.mean(), "error": grouped.sem()})
    return found.reset_index()


def _noted(rows: pd.DataFrame, same: pd.DataFrame, lead: str = "") -> pd.DataFrame:
    rows.attrs["note"] = f"{lead}{same['seed'].nunique()} seeds"
    return rows


def _square(table: pd.DataFrame, record: str) -> pd.DataFrame:
    same = table[(table["record"] == record) & (table["outputs"] == table["inputs"])]
    if same.empty:
        raise Absent(f"no {record} of square matrices")
    return same

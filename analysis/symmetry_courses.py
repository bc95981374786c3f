"""Courses of networks by start and step, from the table of ``sweeps.symmetry_breaking``."""

import re

import numpy as np
import pandas as pd

from analysis.symmetry_saddle import LEFT, from_zero

FAMILIES = ("all units alike", "one layer alike or 0", "random", "small random")
BEATS = 0.02
"""Accuracy more than that of one unit that counts as more."""

STARTS = (
    *("zeros", "constant(0.5)", "identical_rows", "random_readout", "zero_readout"),
    *("normal(1)", "uniform(-1, 1)", "xavier_normal"),
    *("normal(0.1)", "normal(0.01)", "normal(1e-06)"),
)
"""Order of the starts in every figure."""


def rounding(step: np.ndarray, growth: float | np.ndarray = 0.0) -> np.ndarray:
    """How far float32 may part two equal units in so many steps, of their length.

        (75 + 4 t) 2⁻²⁴ (1 + growth)ᵗ

    The sum of 640 terms in another order, √640 2⁻²⁴ of their mean size, which is three
    times their mean; then in each step one rounding of w, and three of such a sum times η.

    Args:
        step: Steps t of gradient descent.
        growth: Of differences in a step. On the plateau of a guess it is at most
            ``symmetry_saddle.growth``; after it, what the points make it, which is positive
            again on the plateau of one unit, so that no bound of this kind is known.
    """
    step = np.asarray(step, np.float64)
    return (75 + 4 * step) * 2.0**-24 * (1 + growth) ** step


def family(start: str) -> str:
    """Which of FAMILIES a start belongs to.

    Example:
        >>> [family(start) for start in ("zeros", "zero_readout", "normal(0.1)")]
        ['all units alike', 'one layer alike or 0', 'small random']
    """
    if start in ("zeros", "identical_rows") or start.startswith("constant("):
        return FAMILIES[0]
    if start in ("random_readout", "zero_readout"):
        return FAMILIES[1]
    normal = re.fullmatch(r"normal\((.+)\)", start)
    return FAMILIES[3] if normal and float(normal[1]) < 0.5 else FAMILIES[2]


def courses(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column over steps: median and 90 % band over seeds, and the median of one unit.

    Returns:
        panel, start, step, ``low``, ``median``, ``high``, ``one_unit``, ``last`` (step of
        the table), and ``saddle``, for zeros the median of what the linear map says of the
        gradient.
    """
    alone = table[table["width"] == 1].groupby("step")[column].median()
    many = table[table["width"] > 1]
    grouped = many.groupby(["start", "step"], sort=False)[column]
    rows = pd.DataFrame(
        {
            name: grouped.quantile(p, interpolation="nearest")
            for name, p in (("low", 0.05), ("median", 0.5), ("high", 0.95))
        }
    ).reset_index()
    rows.insert(0, "panel", [family(start) for start in rows["start"]])
    rows["one_unit"] = rows["step"].map(alone)
    rows["last"] = int(table["step"].max())
    rows["saddle"] = np.nan
    if column == "entry_grad_log10_norm":
        rows = _with_saddle(rows, many[many["start"] == "zeros"])
    order = {start: at for at, start in enumerate(STARTS)}
    rank = [FAMILIES.index(panel) for panel in rows["panel"]]
    rows = rows.assign(f=rank, s=rows["start"].map(order).fillna(99))
    rows = rows.sort_values(["f", "s", "step"], kind="stable", ignore_index=True)
    rows = rows.drop(columns=["f", "s"])
    first = many.iloc[0]
    rows.attrs["note"] = (
        f"2-{first['width']}-1 sigmoid, η = {first['rate']:g}, "
        f"{many['seed'].nunique()} seeds, medians and 90 % bands"
    )
    return rows


def _with_saddle(rows: pd.DataFrame, zeros: pd.DataFrame) -> pd.DataFrame:
    """``rows`` with the gradient of the linear map, as long as it is near the saddle."""
    if zeros.empty:
        return rows
    share = zeros.groupby("seed")["positive_share"].first().to_numpy(np.float64)
    first, last = zeros.iloc[0], int(zeros["step"].max())
    seen = from_zero(share, float(first["rate"]), int(first["width"]), min(last, 3000))
    near = np.median(seen.gain, 1) < LEFT
    norm = dict(enumerate(np.where(near, np.median(seen.log10_norm, 1), np.nan)))
    at = rows["start"] == "zeros"
    return rows.assign(saddle=rows["step"].map(norm).where(at))


def ratio(table: pd.DataFrame) -> pd.DataFrame:
    """Second singular value of the hidden weights over the first, as ``courses``."""
    second, first = table["log10_singular_2"], table["log10_singular_1"]
    value = second.where(second == -np.inf, second - first)
    return courses(table.assign(ratio=value), "ratio")


def verdicts(table: pd.DataFrame) -> pd.DataFrame:
    """What units are and what networks have learned, at the last step of each start.

    Returns:
        start, steps, seeds, ``rank`` (largest), ``log10_distance`` (median), ``loss`` and
        ``test_accuracy`` (medians), ``beats``: seeds whose training accuracy is more than
        BEATS above that of one unit on the same points after as many steps.
    """
    last = table[table["step"] == table["steps"]]
    alone = table[table["width"] == 1].set_index(["seed", "step"])["accuracy"]
    many = last[last["width"] > 1]
    than = alone.reindex(pd.MultiIndex.from_frame(many[["seed", "step"]])).to_numpy()
    many = many.assign(beats=many["accuracy"] > than + BEATS)
    grouped = many.groupby(["start", "steps"], sort=False)
    rows = grouped.agg(
        seeds=("seed", "nunique"),
        rank=("rank", "max"),
        log10_distance=("log10_distance", "median"),
        loss=("loss", "median"),
        test_accuracy=("test_accuracy", "median"),
        beats=("beats", "sum"),
    ).reset_index()
    known = {start: at for at, start in enumerate(STARTS)}
    return rows.sort_values(
        "start", key=lambda names: names.map(known).fillna(99), ignore_index=True
    )

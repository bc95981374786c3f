"""Figures of ``sweeps.precision``: what depth makes of weights drawn in a narrow float."""

import math
import sys
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.style import PALETTE, in_order, label
from initjax import meanfield
from sweeps.precision import BATCH

_LOOKS: Mapping[str, tuple[object, float]] = {
    "float32": (PALETTE[7], 4.5),
    "bfloat16": (PALETTE[3], 2.7),
    "float16": (PALETTE[0], 1.2),
}
"""Color and width by dtype: curves that coincide are seen inside each other."""
_DASHES: Mapping[str, object] = {"initjax": "-", "jax": (0, (2.5, 1.2))}
_SIGMA_W: Mapping[str, float] = {"he": math.sqrt(2), "lecun": 1.0, "glorot": 1.0}
_SHOWN = ("relu, he_normal", "tanh, lecun_normal", "identity, lecun_normal")
_FAR = 0.5
"""Decades from theory at which a curve is named where it is."""
_LN10 = math.log(10)


def second_moment(table: pd.DataFrame) -> pd.DataFrame:
    """log10 E h² by layer, dtype and library: median and range of seeds, and theory."""
    return _bands(table, "act_log10_rms")


def gradient(table: pd.DataFrame) -> pd.DataFrame:
    """log10 E (∂L/∂z)² over that of the last layer, likewise."""
    return _bands(table, "delta_log10_rms")


def _bands(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Twice a log10 RMS: median, least and largest of seeds, and the law of theory.

    Raises:
        Absent: if the table is empty.
    """
    if table.empty:
        raise Absent("no networks")
    named = table.assign(network=table["activation"] + ", " + table["scheme"])
    chosen = [name for name in _SHOWN if (named["network"] == name).any()]
    chosen = chosen or in_order(list(named["network"]), ())[:3]
    shown = named[named["network"].isin(chosen)]
    keys = ["network", "activation", "scheme", "library", "dtype", "layer"]
    double = shown.assign(value=2 * shown[column])  # of the square, not of its root
    grouped = double.groupby(keys, sort=False)["value"]
    rows = grouped.agg(low="min", median="median", high="max").reset_index()
    laws = [_law(one, column) for _, one in shown.groupby("network", sort=False)]
    rows = rows.merge(pd.concat(laws), on=["network", "layer"])
    first, seeds = table.iloc[0], table["seed"].nunique()
    rows.attrs["note"] = (
        f"width {first['width']}, median and range of {seeds} seeds; signals in float32"
    )
    return rows


def _law(networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """``theory`` and the ends of its 90 % band at this width, log10 of a square."""
    first, depth = networks.iloc[0], int(networks["layer"].max()) + 1
    sigma_w = _SIGMA_W[first["scheme"].split("_")[0]]
    law = meanfield.log_fluctuations(
        first["activation"],
        q=sigma_w**2,
        sigma_w=sigma_w,
        width=int(first["width"]),
        depth=depth,
        batch=BATCH,
        input_variance=2 / int(first["width"]),
    )
    forward = column == "act_log10_rms"  # E h² of a layer makes the q of the next
    spread = law.length if forward else law.gradient
    ends = np.stack([spread.mean_field + spread.shift, *spread.band()])
    curves = (ends[:, 1:] - 2 * math.log(sigma_w) if forward else ends) / _LN10
    names = ("theory", "theory_low", "theory_high")
    frame = pd.DataFrame(dict(zip(names, curves, strict=True)))
    return frame.assign(network=first["network"], layer=np.arange(depth))


def plot_second_moment(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Second moment of activations by dtype and library; gray is theory with its scatter.

    Args:
        rows: From ``second_moment``, of one network.
        ax: Where to draw.
    """
    return _draw(rows, "second moment of h", plt.gca() if ax is None else ax)


def plot_gradient(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean square of ∂L/∂z over that of the last layer; gray is theory with its scatter.

    Args:
        rows: From ``gradient``, of one network.
        ax: Where to draw.
    """
    return _draw(rows, "(∂L/∂z)², last layer 1", plt.gca() if ax is None else ax)


def _draw(rows: pd.DataFrame, words: str, ax: Axes) -> Axes:
    """One curve per library and dtype over the band of theory."""
    one = rows.drop_duplicates("layer").sort_values("layer")
    ends = 10.0 ** one[["theory_low", "theory_high"]].to_numpy()
    ax.fill_between(
        one["layer"], ends[:, 0], ends[:, 1], color="0.88", lw=0, label="theory, 90 %"
    )
    for library in in_order(list(rows["library"]), tuple(_DASHES)):
        for dtype in in_order(list(rows["dtype"]), tuple(_LOOKS)):
            same = rows[(rows["library"] == library) & (rows["dtype"] == dtype)]
            same = same.sort_values("layer")
            color, width = _LOOKS[dtype]
            at = 10.0 ** same[["low", "median", "high"]].to_numpy(np.float64)
            if library != "initjax":
                ax.fill_between(
                    same["layer"], at[:, 0], at[:, 2], color=color, alpha=0.15, lw=0
                )
            ax.plot(
                *(same["layer"], at[:, 1]),
                color=color,
                linewidth=width if library == "initjax" else 1.5,
                linestyle=_DASHES[library],
                alpha=0.6 if library == "initjax" and dtype == "float32" else 1,
                label=f"{library}, {dtype}",
            )
            if (np.abs(np.log10(at[:, 1]) - one["theory"].to_numpy()) > _FAR).any():
                _name(f"{library}, {dtype}", at[:, 1], color, ax)
    ax.plot(
        one["layer"], 10.0 ** one["theory"], "k:", linewidth=1, label="theory", zorder=6
    )
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    if high < 10 * low:  # nothing happens: do not blow it up
        ax.set(ylim=(0.1, 10))
    ax.set(title=label(str(one["network"].iloc[0])), xlabel="layer ℓ", ylabel=words)
    return ax


def _name(words: str, values: np.ndarray, color: object, ax: Axes) -> None:
    """Name a curve below it, on the side to which it leaves room."""
    falls = values[-1] < values[0]
    at = int((0.7 if falls else 0.3) * len(values))
    side = "right" if falls else "left"
    ax.annotate(
        words,
        (at, values[at]),
        xytext=(-3 if falls else 3, -3),
        textcoords="offset points",
        ha=side,
        va="top",
        color=color,
        fontsize=8,
    )


FIGURES: tuple[Figure, ...] = (
    Figure("second_moment", plot_second_moment, second_moment, "network"),
    Figure("gradient", plot_gradient, gradient, "network"),
)


def summary(table: pd.DataFrame) -> Group:
    """Weights and the last layer's second moment by initializer, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    last = table[table["layer"] == table["layer"].max()]
    names = in_order(list(table["activation"]), ())
    shown.title = f"E h² after {table['layer'].max() + 1} layers, median of seeds"
    for heading in ("kernel", "dtype", "values", "mean / σ", *names):
        shown.add_column(label(heading), justify="left" if heading == "kernel" else "right")
    for (scheme, library, dtype), same in last.groupby(
        ["scheme", "library", "dtype"], sort=False
    ):
        whole = table[(table["scheme"] == scheme) & (table["library"] == library)]
        mean = whole.loc[whole["dtype"] == dtype, "weight_mean"].mean()
        moments = same.groupby("activation")["act_log10_rms"].median()
        shown.add_row(
            *(f"{label(str(scheme))} of {library}", str(dtype)),
            *(f"{same['distinct'].median():.0f}", f"{mean:.2%}"),
            *(f"{10 ** (2 * moments[name]):.2g}" for name in names),
        )
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.precision [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("precision", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

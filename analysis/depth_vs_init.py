"""Figures of ``sweeps.depth_vs_init``: does signal and gradient survive depth?"""

import sys
from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from rich.table import Table

from analysis.figures import Figure
from analysis.overlays import mean_field
from analysis.slopes import verdicts
from analysis.style import ACTIVATION_ORDER, SCHEME_ORDER, in_order, line

SHOWN: tuple[str, ...] = (
    "normal(1)",
    "normal(0.01)",
    "normal(1/√n)",
    "xavier_normal(gain)",
    "kaiming_normal(fan_in)",
    "orthogonal(gain)",
)
"""Schemes drawn as curves; the heat map has all of them."""

_DECADES = 8.0  # panels show at most this many decades either way


def _one_family(table: pd.DataFrame) -> pd.DataFrame:
    """Networks on one kind of input and of one width, the deepest ones, few schemes."""
    first = table.iloc[0]
    same = table[
        (table["inputs"] == first["inputs"])
        & (table["width"] == first["width"])
        & (table["batch"] == first["batch"])
        & (table["depth"] == table["depth"].max())
    ]
    shown = [scheme for scheme in SHOWN if (same["scheme"] == scheme).any()]
    return same[same["scheme"].isin(shown or in_order(same["scheme"], SCHEME_ORDER)[:6])]


def _bands(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Median and 90 % band over seeds; nan where most seeds are not finite."""
    keys = ["activation", "scheme", "layer"]
    grouped = table.groupby(keys, sort=False)[column]
    quantiles = {
        name: grouped.apply(lambda v, p=p: _quantile(v.to_numpy(), p))
        for name, p in (("low", 0.05), ("median", 0.5), ("high", 0.95))
    }
    return pd.DataFrame(quantiles).reset_index()


def _quantile(values: np.ndarray, p: float) -> float:
    """Quantile with nan counted as +inf; nan where that is not finite."""
    raised = np.sort(np.where(np.isnan(values), np.inf, values))
    q = float(raised[round(p * (len(raised) - 1))])
    return q if np.isfinite(q) else float("nan")


def activation_scale(table: pd.DataFrame) -> pd.DataFrame:
    """RMS of activations by layer: median, band and mean-field prediction."""
    shown = _one_family(table)
    theory = mean_field(shown).rename(columns={"act_log10_rms": "theory"})
    bands = _bands(shown, "act_log10_rms")
    return bands.merge(
        theory[["activation", "scheme", "layer", "theory"]],
        on=["activation", "scheme", "layer"],
        how="left",
    )


def gradient_scale(table: pd.DataFrame) -> pd.DataFrame:
    """RMS of ∂L/∂z by layer: median, band, and the prediction from the last layer."""
    shown = _one_family(table)
    bands = _bands(shown, "delta_log10_rms")
    keys = ["activation", "scheme"]
    top = bands.sort_values("layer").groupby(keys)["median"].last().rename("top")
    theory = mean_field(shown)[[*keys, "layer", "delta_log10_growth"]]
    joined = bands.merge(theory, on=[*keys, "layer"], how="left").join(top, on=keys)
    joined["theory"] = joined["top"] + joined["delta_log10_growth"]
    return joined.drop(columns=["top", "delta_log10_growth"])


def weight_gradient(table: pd.DataFrame) -> pd.DataFrame:
    """Norm of ∂L/∂W by layer: median and band."""
    return _bands(_one_family(table), "weight_grad_log10_norm")


def slope_map(table: pd.DataFrame) -> pd.DataFrame:
    """Slope per layer and verdict by scheme and activation, forward and backward."""
    return pd.concat(
        [verdicts(table, way).assign(direction=way) for way in ("forward", "backward")],
        ignore_index=True,
    )


def plot_activation_scale(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Activation RMS over depth: median and 90 % band over seeds, mean field dashed.

    Args:
        rows: From ``activation_scale``, of one activation.
        ax: Where to draw.
    """
    ax = _curves(rows, _axes(ax), shift=1)
    ax.set(xscale="log", xlabel="layer ℓ + 1", ylabel="RMS of activations")
    ax.set_xticks(
        ticks := [1, 2, 5, 10, 20, 50, 100][
            : int(np.log10(rows["layer"].max() + 1) * 3 + 1.01)
        ],
        ticks,
    )
    return ax


def plot_gradient_scale(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient RMS over layers (read right to left), mean field from the last layer dashed.

    Args:
        rows: From ``gradient_scale``, of one activation.
        ax: Where to draw.
    """
    ax = _curves(rows, _axes(ax))
    ax.set(xlabel="layer ℓ", ylabel="RMS of ∂L/∂z")
    return ax


def plot_weight_gradient(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Weight-gradient norm over layers: median and 90 % band over seeds.

    Args:
        rows: From ``weight_gradient``, of one activation.
        ax: Where to draw.
    """
    ax = _curves(rows, _axes(ax))
    ax.set(xlabel="layer ℓ", ylabel="L2 norm of ∂L/∂W")
    return ax


def plot_slopes(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Decades per layer by which a signal grows (red) or shrinks (blue), median over seeds.

    Args:
        rows: From ``slope_map``, of one direction.
        ax: Where to draw.
    """
    ax = _axes(ax)
    schemes = in_order(list(rows["scheme"]), SCHEME_ORDER)
    grid = rows.pivot(index="scheme", columns="activation", values="slope")
    grid = grid.loc[schemes, in_order(list(rows["activation"]), ACTIVATION_ORDER)]
    sns.heatmap(
        grid,
        ax=ax,
        cmap="vlag",
        center=0,
        vmin=-0.3,
        vmax=0.3,
        annot=True,
        fmt="+.3f",
        annot_kws={"fontsize": 7.5},
        linewidths=0.5,
        cbar_kws={"label": "decades per layer", "extend": "both"},
    )
    what = {
        "forward": "activations, from input to output",
        "backward": "gradient ∂L/∂z, from output to input",
    }
    ax.set(title=what[rows["direction"].iloc[0]], xlabel="", ylabel="")
    ax.tick_params(length=0)
    return ax


def _axes(ax: Axes | None) -> Axes:
    import matplotlib.pyplot as plt

    return plt.gca() if ax is None else ax


def _curves(rows: pd.DataFrame, ax: Axes, shift: int = 0) -> Axes:
    """One curve per scheme in powers of ten, theory over it, losses named."""
    gone = []
    for position, scheme in enumerate(in_order(list(rows["scheme"]), SCHEME_ORDER)):
        same = rows[rows["scheme"] == scheme].sort_values("layer")
        look = line(scheme, position)
        x, y = same["layer"] + shift, same[["low", "median", "high"]].to_numpy()
        if np.isnan(y[:, 1]).all():
            gone.append(scheme)
        ax.plot(x, _power(y[:, 1]), label=scheme, **look)
        ax.fill_between(
            x, _power(y[:, 0]), _power(y[:, 2]), color=look["color"], alpha=0.2, lw=0
        )
        if "theory" in same:
            ax.plot(x, _power(same["theory"].to_numpy()), "k:", lw=1.1, zorder=5)
    if "theory" in rows:
        ax.add_line(Line2D([], [], color="k", ls=":", lw=1.1, label="mean field"))
    values = rows["median"].to_numpy()
    low, high = np.nanmin(values), np.nanmax(values)
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_ylim(_power(max(low, -_DECADES) - 0.5), _power(min(high, _DECADES) + 0.5))
    ax.set_title(rows["activation"].iloc[0])
    if gone:
        note = "not finite: " + ", ".join(gone)
        ax.text(0.03, 0.04, note, transform=ax.transAxes, fontsize=7, style="italic")
    return ax


def _power(log10: np.ndarray | float) -> np.ndarray:
    return 10.0 ** np.clip(np.asarray(log10, np.float64), -300, 300)


FIGURES: tuple[Figure, ...] = (
    Figure("activation_scale", plot_activation_scale, activation_scale, "activation"),
    Figure("gradient_scale", plot_gradient_scale, gradient_scale, "activation"),
    Figure("weight_gradient", plot_weight_gradient, weight_gradient, "activation"),
    Figure("slopes", plot_slopes, slope_map, "direction", legend_columns=0),
)

_COLOR = {"survives": "green", "explodes": "red", "vanishes": "blue"}


def summary(table: pd.DataFrame) -> Table:
    """Verdict and slope by scheme and activation, for a terminal."""
    found = slope_map(table).set_index(["scheme", "activation", "direction"])
    activations = in_order(list(table["activation"]), ACTIVATION_ORDER)
    shown = Table(
        title="forward (first line) and backward (second): verdict over "
        f"{table['depth'].max()} layers, decades per layer"
    )
    shown.add_column("scheme", no_wrap=True)
    for activation in activations:
        shown.add_column(activation)
    for scheme in in_order(list(table["scheme"]), SCHEME_ORDER):
        cells = []
        for activation in activations:
            ways = [found.loc[(scheme, activation, w)] for w in ("forward", "backward")]
            cells.append(
                "\n".join(
                    f"[{_COLOR[w.verdict]}]{w.verdict} {w.slope:+.3f}[/]" for w in ways
                )
            )
        shown.add_row(scheme, *cells)
    return shown


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.depth_vs_init [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("depth_vs_init", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

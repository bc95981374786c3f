"""Figures of ``sweeps.vanishing_gradient``: is it the sigmoid, or are it the weights?"""

import sys
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from rich.console import Group
from rich.table import Table

from analysis.bands import Absent
from analysis.figures import Figure
from analysis.gradient_rows import (
    LEARNT,
    by_layer,
    in_training,
    losses,
    over_seeds,
    side_by_side,
    start,
)
from analysis.gradient_theory import LAYERS, ONE, SHORT, SMALL, density, percentiles, split
from analysis.style import ACTIVATION_ORDER, PALETTE, in_order, line

_DASHES = {1.0: "-", 0.0: (0, (4, 1.5))}
_BY_LAYER = sns.color_palette("viridis_r", LAYERS + 1)[1:]
_ACTIVATIONS = {"relu": 0, "gelu": 1, "leaky_relu": 2, "sigmoid": 3, "tanh": 4}
_ROUNDING = 1e-7  # norms of layers 4 and 5 below it are, says sweeps.moons.gradients_rows
_STATISTICS = {
    "act_log10_rms": ("output, rms", PALETTE[0], "s"),
    "act_log10_spread": ("its std over points", PALETTE[9], "v"),
    "delta_log10_rms": ("∂L/∂z of a point, rms", PALETTE[1], "^"),
    "weight_grad_log10_norm": ("|∂L/∂W|", PALETTE[3], "o"),
    "bias_grad_log10_norm": ("|∂L/∂b|", PALETTE[4], "D"),
}


def plot_by_layer(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient norm at the first step: medians, and 90 % of seeds for N(0, 0.01²), b = 1.

    Args:
        rows: From ``by_layer``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for position, scheme in enumerate(in_order(list(rows["scheme"]), list(SHORT))):
        for bias, same in rows[rows["scheme"] == scheme].groupby("bias"):
            dashes = {"linestyle": _DASHES.get(bias, ":"), "marker": "."}
            look = line(scheme, position) | dashes
            look["linewidth"] = 2.5 if scheme.startswith("xavier") else 1.2
            ax.plot(
                same["layer"], _power(same["median"]), label=start(scheme, bias), **look
            )
            if scheme == SMALL and bias == ONE:
                _fill(same, "layer", look["color"], ax)
    ax.plot(rows["layer"], _power(rows["theory"]), "kx", ms=5, label="first order in W")
    stars = {"color": "k", "marker": "*", "ls": "", "ms": 11, "mfc": "none"}
    ax.plot(rows["layer"], _power(rows["published"]), label="published, one run", **stars)
    ax.set_yscale("log")
    ax.set_ylim(1e-13, 3)
    ax.set_xticks(range(1, LAYERS + 1))
    ax.set_title(rows["activation"].iloc[0], loc="left")
    ax.set(xlabel="layer", ylabel="|∂L/∂W|")
    return ax


def plot_side_by_side(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What goes up and what comes back before the first step: medians over seeds.

    Args:
        rows: From ``side_by_side``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for column, (name, color, marker) in _STATISTICS.items():
        look = {"color": color, "marker": marker, "ms": 4, "lw": 1.4, "label": name}
        ax.plot(rows["layer"], _power(rows[column]), **look)
    ax.set_yscale("log")
    ax.set_ylim(1e-13, 10)
    ax.set_xticks(range(1, LAYERS + 1))
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="layer", ylabel="median")
    return ax


def plot_in_training(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient norm in training: medians, and 90 % of the seeds in layers 1 and 5.

    Args:
        rows: From ``in_training``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for layer, same in rows.groupby("layer"):
        color = _BY_LAYER[layer - 1]
        ax.plot(same["step"], _power(same["median"]), color=color, label=f"layer {layer}")
        if layer in (1, LAYERS):
            _fill(same, "step", color, ax)
    words = "layers 4 and 5 below it: rounding of float32"
    ax.axhline(_ROUNDING, color="0.3", lw=0.9, ls=":", label=words)
    entry = rows[rows["layer"] == 1].sort_values("step")["zero"]
    if entry.iloc[-1] > 0:
        born, ends = (f"{100 * entry.iloc[at]:.0f} % at" for at in (0, -1))
        words = f"{born} step 0, {ends} the end,\nin medians and bands as 0"
        _note(f"dead, with a gradient of 0 in layer 1:\n{words}", ax)
    ax.set_yscale("log")
    ax.set_ylim(1e-12, 3)
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set_ylabel("|∂L/∂W|")
    _steps(rows["step"].max(), ax)
    return ax


def plot_over_seeds(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient norms over seeds, and the single run that was published.

    Args:
        rows: From ``over_seeds``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    activation, layer = rows["activation"].iloc[0], int(rows["layer"].iloc[0])
    norms = rows["log10_norm"].to_numpy(np.float64)
    bins = np.linspace(norms.min(), norms.max(), 31)
    look = {"color": PALETTE[0], "alpha": 0.45, "lw": 0}
    ax.hist(norms, bins, density=True, label="seeds", **look)
    if layer < LAYERS:
        at = np.linspace(bins[0] - 0.2, bins[-1] + 0.2, 300)
        ax.plot(
            at,
            density(activation, layer, at),
            "k",
            lw=1,
            label="product of χ₃, of layers 1 to 4",
        )
    ax.axvline(
        rows["published"].iloc[0], color=PALETTE[3], lw=1.6, ls="--", label="published run"
    )
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set(xlabel="log10 |∂L/∂W|", ylabel="density")
    return ax


def plot_losses(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Loss over training, medians; listed: the share of networks that end below 0.6.

    Args:
        rows: From ``losses``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    panel, learned = rows["panel"].iloc[0], {}
    shares = panel.startswith("below")
    names = in_order(list(rows["activation"]), ACTIVATION_ORDER)
    for name in names:
        same = rows[rows["activation"] == name].sort_values("step")
        color = PALETTE[_ACTIVATIONS.get(name, 7)]
        shown = same["learned" if shares else "median"]
        ax.plot(same["step"], shown, color=color, lw=1.4, label=name)
        learned[name] = same["learned"].iloc[-1]
        if len(names) == 1 and not shares:
            band = same["low"], same["high"]
            ax.fill_between(same["step"], *band, color=color, alpha=0.2, lw=0)
    if shares:
        ax.set(ylabel="share", ylim=(-0.03, 1.03))
    else:
        ax.axhline(np.log(2), color="k", lw=0.9, ls=":", label="ln 2", zorder=5)
        ax.set(ylabel="cross entropy, nats", ylim=(0, 0.95))
        some = [f"{name} {100 * share:.0f} %" for name, share in learned.items() if share]
        _note("\n".join([f"below {LEARNT}:", *(some or ["none"])]), ax)
    ax.set_title(panel.replace(f"below {LEARNT}", f"share < {LEARNT}"), loc="left")
    _steps(rows["step"].max(), ax)
    return ax


def _steps(last: int, ax: Axes) -> None:
    """An axis of steps, log but for the first, which is step 0."""
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    names = ["0", "1", "10", "100", "10³", "10⁴", "10⁵", "10⁶"]
    ticks = [tick for tick in (0, *(10**k for k in range(7))) if tick <= last]
    ax.set_xticks(ticks, names[: len(ticks)])
    ax.minorticks_off()
    ax.set(xlabel="step", xlim=(0, last))


def _note(words: str, ax: Axes) -> None:
    """A remark in the lower left corner."""
    ax.text(0.03, 0.04, words, transform=ax.transAxes, fontsize=8, va="bottom")


def _fill(rows: pd.DataFrame, axis: str, color: Any, ax: Axes) -> None:
    """The band of 90 %, down to the edge of the figure where its lower end is 0."""
    low, high = _power(rows["low"]), _power(rows["high"])
    ax.fill_between(rows[axis], low, high, color=color, alpha=0.2, lw=0)


def _power(log10: pd.Series) -> np.ndarray:
    """10 to the given powers, 0 below what a figure shows."""
    return 10.0 ** np.clip(log10.to_numpy(np.float64), -300, 300)


FIGURES: tuple[Figure, ...] = (
    Figure("by_layer", plot_by_layer, by_layer, "activation"),
    Figure("side_by_side", plot_side_by_side, side_by_side, "panel", legend_columns=3),
    Figure("in_training", plot_in_training, in_training, "panel", legend_columns=3),
    Figure("over_seeds", plot_over_seeds, over_seeds, "panel"),
    Figure("losses", plot_losses, losses, "panel", legend_columns=6),
)


def summary(table: pd.DataFrame) -> Group:
    """Where published runs stand, and what weights and φ′ take, for a terminal."""
    runs = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    runs.title = "|∂L/∂W| at the first step: published run and seeds"
    for heading in ("activation", "layer", "published", "median", "percentile"):
        runs.add_column(heading, justify="left" if heading == "activation" else "right")
    parts = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    parts.title = "decades that |∂L/∂b| loses from layer 5 to layer 1"
    for heading in ("activation", "start", "in all", "by weights", "by φ′", "zero"):
        left = heading in ("activation", "start")
        parts.add_column(heading, justify="left" if left else "right")
    try:
        shown = percentiles(table)
    except Absent:
        return Group()
    for row in shown.itertuples():
        norms = f"{row.published:.2g}", f"{row.median:.2g}"
        runs.add_row(row.activation, str(row.layer), *norms, f"{row.percentile:.0f} %")
    for row in split(table).itertuples():
        lost = [f"{-x:.1f}" for x in (row.decades, row.weights, row.slope)]
        begun = start(row.scheme, row.bias)
        parts.add_row(row.activation, begun, *lost, f"{row.zero:.0%}")
    return Group(runs, "", parts, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.vanishing_gradient [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("vanishing_gradient", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

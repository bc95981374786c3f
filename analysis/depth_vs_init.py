"""Figures of ``sweeps.depth_vs_init``: does signal and gradient survive depth?"""

import sys
from collections.abc import Sequence
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from analysis.bands import bands, one_family, with_theory
from analysis.curves import draw_curves, log_layers
from analysis.figures import Figure
from analysis.inputs import by_input
from analysis.slopes import verdicts
from analysis.style import ACTIVATION_ORDER, SCHEME_ORDER, in_order, label, printable

WAYS = {
    "forward": "activations, from input to output",
    "backward": "gradient ∂L/∂z, from output to input",
}


def activation_scale(table: pd.DataFrame, inputs: str = "gaussian") -> pd.DataFrame:
    """RMS of activations by layer: median, band, mean field and its band."""
    shown = one_family(table, inputs)
    return with_theory(bands(shown, "act_log10_rms"), shown, "act_log10_rms")


def gradient_scale(table: pd.DataFrame, inputs: str = "gaussian") -> pd.DataFrame:
    """RMS of ∂L/∂z by layer: median, band, and the prediction from the last layer."""
    shown = one_family(table, inputs)
    rows = bands(shown, "delta_log10_rms")
    rows = with_theory(rows, shown, "delta_log10_growth")
    networks = rows.sort_values("layer").groupby(["activation", "scheme"])
    last = {name: networks[name].transform("last") for name in ("low", "median", "high")}
    rows["theory"] += last["median"]
    # What is measured in the last layer scatters too, and every layer below with it.
    middle = (rows["theory_low"] + rows["theory_high"]) / 2 + last["median"]
    added = rows["theory_high"] - rows["theory_low"], last["high"] - last["low"]
    half = (added[0] ** 2 + added[1] ** 2) ** 0.5 / 2
    rows["theory_low"], rows["theory_high"] = middle - half, middle + half
    return rows


def weight_gradient(table: pd.DataFrame, inputs: str = "gaussian") -> pd.DataFrame:
    """Norm of ∂L/∂W by layer: median and band."""
    return bands(one_family(table, inputs), "weight_grad_log10_norm")


def slope_map(table: pd.DataFrame) -> pd.DataFrame:
    """Slope per layer and verdict by scheme and activation, forward and backward."""
    ways = [verdicts(table, way).assign(direction=way) for way in ("forward", "backward")]
    rows = pd.concat(ways, ignore_index=True)
    rows.attrs = ways[0].attrs
    return rows


def plot_activation_scale(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Activation RMS over depth: median and 90 % band; coinciding curves alternate.

    Args:
        rows: From ``activation_scale``, of one activation.
        ax: Where to draw.
    """
    ax = draw_curves(rows, plt.gca() if ax is None else ax)
    ax.set(xlabel="layer", ylabel="RMS of activations")
    log_layers(ax, rows["layer"].max() + 1)
    return ax


def plot_gradient_scale(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Gradient RMS, flowing right to left: median, 90 % band; mean field from the end.

    Args:
        rows: From ``gradient_scale``, of one activation.
        ax: Where to draw.
    """
    ax = draw_curves(rows, plt.gca() if ax is None else ax)
    ax.set(xlabel="layer", ylabel="RMS of ∂L/∂z")
    return ax


def plot_weight_gradient(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Weight-gradient norm over layers: median and 90 % band over seeds.

    Args:
        rows: From ``weight_gradient``, of one activation.
        ax: Where to draw.
    """
    ax = draw_curves(rows, plt.gca() if ax is None else ax, least=4)
    ax.set(xlabel="layer", ylabel="L2 norm of ∂L/∂W")
    return ax


def plot_slopes(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Decades per layer by which a signal grows or shrinks, median over seeds and inputs.

    Args:
        rows: From ``slope_map``, of one direction.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    grid = rows.pivot(index="scheme", columns="activation", values="slope").loc[
        in_order(list(rows["scheme"]), SCHEME_ORDER),
        in_order(list(rows["activation"]), ACTIVATION_ORDER),
    ]
    signed = grid.map(_signed)
    sns.heatmap(
        grid.rename(index=label, columns=label),
        ax=ax,
        cmap="vlag",
        vmin=-0.3,
        vmax=0.3,
        annot=signed.map(lambda text: text.replace("-", "\N{MINUS SIGN}")),
        fmt="",
        annot_kws={"fontsize": 7.5},
        linewidths=0.5,
        cbar_kws={"label": "decades per layer", "extend": "both"},
    )
    for text, color in zip(ax.texts, ax.collections[0].get_facecolor(), strict=True):
        text.set_color(_on(color))
    ax.set_title(WAYS[rows["direction"].iloc[0]], loc="left")
    ax.set(xlabel="", ylabel="")
    ax.tick_params(length=0)
    return ax


def _signed(slope: float) -> str:
    """A slope to three decimals, without a sign on zero."""
    return "0.000" if abs(slope) < 5e-4 else f"{slope:+.3f}"


def _on(color: np.ndarray) -> str:
    """Black or white, whichever has the higher contrast on a color."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    luminance = linear[:3] @ [0.2126, 0.7152, 0.0722]  # of sRGB, as WCAG 2.1 defines it
    return "w" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "k"


FIGURES: tuple[Figure, ...] = (
    Figure("activation_scale", plot_activation_scale, activation_scale, "activation"),
    Figure("gradient_scale", plot_gradient_scale, gradient_scale, "activation"),
    Figure("weight_gradient", plot_weight_gradient, weight_gradient, "activation"),
    Figure(
        "activation_scale_mnist",
        plot_activation_scale,
        partial(activation_scale, inputs="mnist"),
        "activation",
    ),
    Figure(
        "weight_gradient_mnist",
        plot_weight_gradient,
        partial(weight_gradient, inputs="mnist"),
        "activation",
    ),
    Figure(
        "activation_scale_by_input",
        plot_activation_scale,
        partial(by_input, activation_scale),
        "panel",
    ),
    Figure(
        "weight_gradient_by_input",
        plot_weight_gradient,
        partial(by_input, weight_gradient),
        "panel",
    ),
    Figure("slopes", plot_slopes, slope_map, "direction", legend_columns=0),
)

_COLOR = {"too shallow": "dim", "survives": "green", "explodes": "red", "vanishes": "blue"}


def summary(table: pd.DataFrame) -> Group:
    """Verdict and decades per layer by scheme and activation, for a terminal."""
    found = slope_map(table).set_index(["direction", "scheme", "activation"])
    activations = in_order(list(table["activation"]), ACTIVATION_ORDER)
    parts: list[RenderableType] = []
    for way, title in WAYS.items():
        shown = Table(
            title=f"{title}: verdict over {table['depth'].max()} layers, decades per layer",
            box=None,
            padding=(0, 1, 0, 0),
            title_justify="left",
        )
        shown.add_column("scheme", no_wrap=True)
        for activation in activations:
            words = printable(activation)
            header = words if len(words) <= 8 else words.replace("_", "\n_", 1)
            shown.add_column(Text(header), overflow="fold", min_width=8)
        for scheme in in_order(list(table["scheme"]), SCHEME_ORDER):
            cells = [found.loc[(way, scheme, activation)] for activation in activations]
            shown.add_row(
                Text(printable(scheme)),
                *(f"[{_COLOR[c.verdict]}]{c.verdict} {_signed(c.slope)}[/]" for c in cells),
            )
        parts += [shown, ""]
    return Group(*parts)


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.depth_vs_init [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("depth_vs_init", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

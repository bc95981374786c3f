"""Figures of ``sweeps.gain_vs_activation``: four gains, by samples and in networks."""

import sys
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, MultipleLocator
from rich.console import Group
from rich.table import Table
from rich.text import Text
from scipy.stats import chi2

from analysis.bands import Absent
from analysis.curves import alike, in_turn
from analysis.figures import Figure
from analysis.gain_responses import KINDS, errors, factors, measured_gains, scales, starts
from analysis.style import PALETTE, label, printable

_Rows = Callable[..., pd.DataFrame]
_COLORS = dict(zip(KINDS, (PALETTE[0], PALETTE[1], PALETTE[2], "k"), strict=True))
_MARKERS = dict(zip(KINDS, "osDx", strict=True))
_EQUAL = 1e-4
"""Decades by which medians of networks differ that have the same gain."""
_ALIKE = 0.012
"""Share of a panel's height by which curves differ that nobody can tell apart."""
WORDS = {
    "forward": "forward, 1/√E φ²",
    "backward": "backward, 1/√E φ′²",
    "centered": "centered, std(x)/std(φ(x))",
    "torch": "torch's table",
}
SHOWN = ("relu", "tanh", "selu", "sigmoid", "gelu", "silu")
STARTED = ("relu", "tanh", "gelu", "silu", "hard_silu", "mish")
"""Activations with a panel of their own: of networks, and of signals from q = 1."""


def plot_gains(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Four gains of each activation: points measured by samples, ticks by quadrature.

    ``rows`` are from ``measured_gains``.
    """
    ax = plt.gca() if ax is None else ax
    _by_row(rows, ax, {**dict.fromkeys(KINDS, "measured"), "torch": "published"}, "exact")
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    ax.set_xticks([n for n in (0.7, 1, 1.4, 2, 2.8, 4, 5.6) if low <= n <= high])
    _finish(ax, "gain", "quadrature")
    return ax


def plot_errors(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """RMS error of measured ln gain over seeds, in units of the scatter of one sample.

    ``rows`` are from ``errors``, of one kind.
    """
    ax = plt.gca() if ax is None else ax
    kind, seeds = rows["kind"].iloc[0], int(rows["seeds"].iloc[0])
    at = rows.groupby("samples").cumcount() / rows["activation"].nunique()
    look = {"color": _COLORS[kind], "marker": _MARKERS[kind], "ls": "", "ms": 2.5, "mew": 0}
    ax.plot(rows["samples"] * 1.8 ** (at - 0.5), rows["unit"], **look)
    ends = np.array([rows["samples"].min() / 2, rows["samples"].max() * 2])
    ax.plot(ends, ends**-0.5, "k", lw=0.9, zorder=0, label="CLT: 1/√samples")
    low, high = np.sqrt(chi2.ppf([0.025, 0.975], seeds) / seeds)
    look = {"fc": "0.5", "alpha": 0.25, "lw": 0, "label": f"95 % of RMS of {seeds} seeds"}
    ax.fill_between(ends, low * ends**-0.5, high * ends**-0.5, **look)
    ax.plot([], [], color="0.4", marker="o", ls="", ms=3, label="an activation")
    ax.set(xscale="log", yscale="log", xlabel="samples", ylabel="RMS error / scatter")
    ax.set_xticks(sorted(rows["samples"].unique()))
    ax.minorticks_off()
    ax.set_title(WORDS[kind], loc="left")
    return ax


def plot_scales(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """RMS over layers with each gain: median and 90 % band of seeds, dotted mean field.

    ``rows`` are from ``scales``, of one activation.
    """
    ax = plt.gca() if ax is None else ax
    curves = rows.pivot(index="layer", columns="kind", values="median")
    curves = curves[[kind for kind in KINDS if kind in curves]]
    height = float(np.nanmax(curves) - np.nanmin(curves))
    groups = alike(curves, max(_EQUAL, _ALIKE * height))
    styles, banded = in_turn(groups), [kinds[0] for kinds in groups]
    for kind in curves.columns:
        same = rows[rows["kind"] == kind].sort_values("layer")
        look = {"color": _COLORS[kind], "lw": 1.8}
        power = {n: 10.0 ** same[n] for n in ("low", "median", "high", "theory")}
        # Named by a line of its own, for the curve may be one of several in turn.
        ax.plot([], [], label=WORDS[kind], **look)
        ax.plot(same["layer"], power["median"], ls=styles[kind], gid=kind, **look)
        if kind in banded:
            band = power["low"], power["high"]
            ax.fill_between(same["layer"], *band, color=_COLORS[kind], alpha=0.2, lw=0)
        ax.plot(same["layer"], power["theory"], color="0.35", ls=":", lw=1.1, zorder=5)
    ax.plot([], [], color="0.35", ls=":", lw=1.1, label="mean field")
    ax.set_yscale("log")
    _tick_decades(ax)
    up = rows["direction"].iloc[0] == "forward"
    ax.set(xlabel="layer", ylabel="RMS of activations" if up else "RMS of ∂L/∂z")
    same = [" = ".join(kinds) for kinds in alike(curves, _EQUAL) if len(kinds) > 1]
    ax.set_title(label(rows["activation"].iloc[0]), loc="left", pad=13)
    words = ", ".join(same)
    ax.text(0, 1.02, words, transform=ax.transAxes, fontsize=7, style="italic")
    return ax


def plot_factors(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Factor per layer on the RMS with each gain: points measured, ticks mean field.

    ``rows`` are from ``factors``, of one direction.
    """
    ax = plt.gca() if ax is None else ax
    _by_row(rows, ax, dict.fromkeys(KINDS, "measured"), "theory")
    ax.xaxis.set_major_locator(MultipleLocator(0.1))
    _finish(ax, "factor per layer", "mean field")
    ax.axvline(1, color="0.3", lw=0.8, zorder=0)
    up, down = "activations, input to output", "gradient ∂L/∂z, output to input"
    ax.set_title(up if rows["direction"].iloc[0] == "forward" else down, loc="left")
    return ax


def plot_starts(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Signals from q = 1 with the forward gain, one per seed: mean field keeps them there.

    ``rows`` are from ``starts``, of one activation.
    """
    ax = plt.gca() if ax is None else ax
    seen = 10.0 ** rows.pivot(index="layer", columns="seed", values="rms")
    ax.plot(seen.index, seen, color=_COLORS["forward"], lw=0.7)[0].set_label("a signal")
    ax.set(xlabel="layer", ylabel="√q after the layer", yscale="log")
    ax.set_ylim(ax.get_ylim())  # theory ends at the edge
    ax.axhline(1, color="0.35", ls=":", lw=1.1, label="mean field")
    wide = rows.groupby("layer")["spread"].first().clip(upper=100)
    band = np.exp(np.outer(wide, [-1.645, 1.645]))
    ax.plot(
        seen.index, band, "k--", lw=1, label=["90 % by the width's noise, linear", None]
    )
    _tick_decades(ax)
    ax.set_title(label(rows["activation"].iloc[0]), loc="left")
    return ax


def _tick_decades(ax: Axes) -> None:
    """Ticks on a log axis that may span less than a decade."""
    ax.minorticks_off()
    low, high = ax.get_ylim()
    if high / low < 100:
        few = LogLocator(subs=(1, 2, 5))
        ax.yaxis.set_major_locator(MaxNLocator(5) if high / low < 5 else few)
        ax.yaxis.set_major_formatter("{x:g}")


def _by_row(rows: pd.DataFrame, ax: Axes, column: dict[str, str], theory: str) -> None:
    """A row of points per activation, kinds a little apart, theory as a tick through each.

    What is 0 or infinite stands as a word at the end of its row; every other row is shaded.
    """
    names = list(rows["activation"].unique())[::-1]
    for at, kind in enumerate(KINDS):
        same = rows[rows["kind"] == kind]
        y = np.array([names.index(name) for name in same["activation"]]) + 0.33 - 0.22 * at
        x = same[column[kind]].to_numpy(float)
        look = {"color": _COLORS[kind], "marker": _MARKERS[kind], "ls": ""}
        shown = np.isfinite(x) & (x > 0)
        ax.plot(x[shown], y[shown], ms=2.8, label=WORDS[kind], **look)
        hollow = shown & np.asarray(same.get("split", False), bool)
        ax.plot(x[hollow], y[hollow], ms=2.8, mfc="w", **look)
        ax.plot(same[theory], y, "|", color="0.25", ms=3.5, mew=0.8)
        for value, height in zip(x[~shown], y[~shown], strict=True):
            word = "0" if value == 0 else "∞" if value == np.inf else "0 or ∞"
            place = {"transform": ax.get_yaxis_transform(), "va": "center", "fontsize": 7}
            ax.text(0.78 + 0.07 * at, round(height), word, color=_COLORS[kind], **place)
    ax.set_yticks(range(len(names)), [label(name) for name in names], fontsize=7)
    ax.set_ylim(-0.5, len(names) - 0.5)
    ax.grid(visible=False, axis="y")
    for row in range(0, len(names), 2):
        ax.axhspan(row - 0.5, row + 0.5, color="0.94", lw=0, zorder=0)


def _finish(ax: Axes, words: str, theory: str) -> None:
    """The axis and the legend below it."""
    ax.set(xlabel=words)
    ax.minorticks_off()
    ax.xaxis.set_major_formatter("{x:g}")
    tick = Line2D([], [], color="0.25", marker="|", ls="", ms=6, mew=0.8, label=theory)
    place = {"loc": "upper center", "bbox_to_anchor": (0.45, -0.13), "ncols": 3}
    ax.legend(handles=[*ax.get_legend_handles_labels()[0], tick], fontsize=7.5, **place)


def _of(some: Sequence[str], data: _Rows, **settings: str) -> _Rows:
    """``data`` of these activations, or of the first six if the table has none of them."""

    def shown(table: pd.DataFrame) -> pd.DataFrame:
        names = table["activation"].unique()
        kept = [name for name in some if name in names] or names[:6]
        return data(table[table["activation"].isin(kept)], **settings)

    return shown


FIGURES: tuple[Figure, ...] = (
    Figure("gains", plot_gains, measured_gains, "panel", legend_columns=0),
    Figure("errors", plot_errors, errors, "kind", legend_columns=3),
    Figure("factors", plot_factors, factors, "direction", legend_columns=0),
    Figure("unit_start", plot_starts, _of(STARTED, starts), "activation", 3),
    *(
        Figure(name, plot_scales, _of(SHOWN, scales, direction=way), "activation", 3)
        for name, way in (("activation_scale", "forward"), ("gradient_scale", "backward"))
    ),
)


def summary(table: pd.DataFrame) -> Group:
    """Gains measured and by quadrature, and factors per layer, for a terminal."""
    try:
        gains, per_layer = measured_gains(table), factors(table)
    except Absent:
        return Group()
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = (
        "gain: measured, by quadrature or torch's; then factors on signal, gradient"
    )
    for at, heading in enumerate(
        ["activation", "kind", "measured", "exact", "signal", "gradient"]
    ):
        shown.add_column(heading, justify="right" if at > 1 else "left", no_wrap=at < 2)
    ways = per_layer.set_index(["activation", "kind", "direction"])["measured"]
    for row in gains.itertuples():
        name, kind = str(row.activation), str(row.kind)
        two = (row.measured, row.published if kind == "torch" else row.exact)
        numbers = ["" if np.isnan(number) else f"{number:.5f}" for number in two]
        both = [f"{ways[name, kind, way]:.3f}" for way in ("forward", "backward")]
        shown.add_row(Text(printable(name)), kind, *numbers, *both)
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.gain_vs_activation [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("gain_vs_activation", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

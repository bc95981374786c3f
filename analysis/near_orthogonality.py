"""Figures of ``sweeps.near_orthogonality``: is a random matrix nearly orthogonal?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator
from rich.console import Group
from rich.table import Table

from analysis import orthogonality as of
from analysis.figures import Figure
from analysis.orthogonality_laws import ATOMS, kolmogorov, least_cdf
from analysis.style import LAWS, PALETTE, in_order

_LOOKS = {
    name: {"color": LAWS[name], "marker": marker, "label": name.replace("_", " ")}
    for name, marker in (
        *(("gaussian", "o"), ("uniform", "^"), ("rademacher", "v"), ("sparse", "D")),
        *(("student_t", "P"), ("orthogonal", "s")),
    )
}
_REMEDIES = {
    "none": ("plain, variance 1/n", PALETTE[3], "o"),
    "gain": ("gain 1/√E φ(z)² (ReLU: He)", PALETTE[2], "^"),
    "layer_norm": ("layer normalization", PALETTE[0], "s"),
}


def _laws(rows: pd.DataFrame) -> list[str]:
    return in_order(list(rows["law"]), of.LAW_ORDER)


def plot_angles(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Angle of two random vectors in n dimensions: points measured, lines ∝ sinⁿ⁻²θ.

    Args:
        rows: From ``angles``, of one law.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (n, same) in enumerate(rows.groupby("inputs")):
        seen = same[same["pairs"] > 0]
        look = {"color": PALETTE[at % 3], "marker": "os^"[at % 3], "ls": "", "ms": 3}
        ax.plot(seen["degrees"], seen["measured"], label=f"n = {n}", **look)
        ax.plot(same["degrees"], same["exact"], color="k", lw=0.9, zorder=5)
    ax.plot([], [], "k", lw=0.9, label="∝ sinⁿ⁻²θ")
    ax.set(xlabel="angle θ, degrees", ylabel="density per degree", xlim=(0, 180))
    panel = rows["panel"].iloc[0]
    ax.set(yscale="log", ylim=(3e-5, 3), title=ATOMS.get(panel, panel.replace("_", " ")))
    ax.set_xticks([0, 45, 90, 135, 180])
    ax.minorticks_off()
    if same["exact"].isna().all():
        ax.text(85, 1e-2, "all in the bin\naround 90°", ha="right")
    return ax


def plot_squares(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean square of the entries of WᵀW − I, times m: points measured, lines exact.

    Args:
        rows: From ``squares``, of one panel.
        ax: Where to draw.
    """
    ax = _by_shape(rows, ax, rows["outputs"], 1e-8)
    ax.set_ylabel("m · mean square")
    return ax


def plot_norms(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Scatter of ‖Wx‖/‖x‖ around 1, times √(2m): lines exact if Gaussian.

    Args:
        rows: From ``norms``, of one panel.
        ax: Where to draw.
    """
    ax = _by_shape(rows, ax, (2 * rows["outputs"]) ** 0.5, 1e-3)
    ax.set_ylabel("√(2m) · standard deviation")
    return ax


def _by_shape(rows: pd.DataFrame, ax: Axes | None, by: pd.Series, least: float) -> Axes:
    """Points with two standard errors, side by side, and exact lines; what is 0 is said."""
    ax, notes = plt.gca() if ax is None else ax, []
    title = rows["panel"].iloc[0]
    rows = rows.assign(**rows[["measured", "error", "exact"]].mul(by, axis=0))
    side = "outputs" if "m ×" in title else "inputs"
    for at, law in enumerate(_laws(rows)):
        same = rows[rows["law"] == law].sort_values(side)
        same = same.assign(beside=same[side] * 1.03 ** (at - 2))
        look, seen = _LOOKS[law], same[same["measured"] > least]
        points = {**look, "yerr": 2 * seen["error"], "ls": "", "ms": 4, "lw": 1}
        ax.errorbar(seen["beside"], seen["measured"], **points)
        exact = same["exact"].where(same["exact"] > 0)
        ax.plot(same["beside"], exact, color=look["color"], lw=0.9, zorder=0)
        if len(seen) < len(same):
            zero = same.loc[~same.index.isin(seen.index), "measured"].abs().max()
            where = " for m ≥ n" if len(seen) else ""
            power = int(np.ceil(np.log10(zero or 1e-30)))
            notes.append(f"{law}{where}: below $10^{{{power}}}$")
    ax.text(0.03, 0.03, "\n".join(notes), transform=ax.transAxes, fontsize=7.5)
    ax.set(xscale="log", yscale="log", title=title, xlabel="mn"[side == "inputs"])
    low, high = ax.get_ylim()
    ax.set_ylim(low * (low / high) ** (0.1 * len(notes)))  # room for the notes
    return _few_ticks(ax, (1, 2, 5))


def _few_ticks(ax: Axes, steps: tuple[int, ...]) -> Axes:
    low, high = ax.get_ylim()
    linear = MaxNLocator(5, steps=[1, 2, 5, 10])
    ax.yaxis.set_major_locator(linear if high < 5 * low else LogLocator(subs=steps))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    return ax


def plot_spectra(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Singular values of m × n matrices: lines by law, dotted the limit.

    Args:
        rows: From ``spectra``, of one shape.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for law in _laws(rows):
        same, look = rows[rows["law"] == law], {**_LOOKS[law], "marker": ""}
        if law == "orthogonal":
            m, n = same[["outputs", "inputs"]].iloc[0]
            ax.axvline(max(1, n / m) ** 0.5, ymin=0.85, lw=3, **look)
        else:
            ax.plot(same["value"], same["measured"], lw=1.1, **look)
    same = rows[rows["law"] == rows["law"].iloc[0]]
    ax.plot(same["value"], same["limit"], "k:", lw=1.6, zorder=5, label="limiting law")
    ax.set(xlabel="singular value", ylabel="density", title=rows["panel"].iloc[0])
    ax.set(xlim=(0, None), ylim=(0, 1.45 * rows["limit"].max()))
    return ax


def plot_least(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Least singular value s of n × n: share of matrices below, dotted Edelman's law.

    Args:
        rows: From ``least``, of one width.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for law in _laws(rows):
        scaled = np.sort(rows.loc[rows["law"] == law, "scaled"])
        share = (np.arange(len(scaled)) + 0.5) / len(scaled)
        ax.step(scaled, share, where="mid", lw=1.1, **{**_LOOKS[law], "marker": ""})
    t, slack = np.linspace(0, 3, 100), kolmogorov(len(scaled))
    law, look = least_cdf(t), {"color": "k", "alpha": 0.12, "lw": 0}
    ax.plot(t, law, "k:", lw=1.6, zorder=5, label="Gaussian, n → ∞ (Edelman)")
    ax.fill_between(t, law - slack, law + slack, **look, label="95 % (Kolmogorov)")
    title = f"{rows['panel'].iloc[0]}, {len(scaled)} matrices"
    ax.set(xlim=(0, 3), ylim=(0, 1.02), xlabel="n s", ylabel="share below", title=title)
    return ax


def plot_lengths(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Length of h over that of x through layers h ← φ(Wh): medians, ranges, theory dotted.

    Args:
        rows: From ``lengths``, of one activation.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, (remedy, (words, color, marker)) in enumerate(_REMEDIES.items()):
        same = rows[rows["remedy"] == remedy]
        look = {"color": color, "marker": marker, "ms": 3.5, "lw": 1, "label": words}
        beside = same["layer"] + 0.2 * (at - 1)
        ax.plot(beside, same["measured"], **look)
        ax.fill_between(beside, same["low"], same["high"], color=color, alpha=0.2)
        ax.plot(beside, same["theory"], "k:", lw=1.3, zorder=5)
    ax.plot([], [], "k:", lw=1.3, label="mean field")
    ax.set(xlabel="layer", ylabel="‖h‖ / ‖x‖", yscale="log", title=rows["panel"].iloc[0])
    low = min(0.5, 0.8 * rows["low"].min())
    ax.set_ylim(low, max(2, 1.2 * rows["high"].max()))
    return _few_ticks(ax, (1, 2, 5) if low > 0.01 else (1,))


def plot_depth(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Products of L matrices: means ± 2 errors, Gaussian 90 % band.

    Args:
        rows: From ``depth``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    for at, law in enumerate(_laws(rows)):
        same = rows[rows["law"] == law].sort_values("layer")
        look = {**_LOOKS[law], "ms": 3, "lw": 1}
        beside = (same["layer"] ** 0.5 + 0.08 * (at - 2)) ** 2
        ax.errorbar(beside, same["mean"], yerr=2 * same["error"], **look)
        if law == "gaussian":
            ends, band = (same["low"], same["high"]), {"alpha": 0.2, "lw": 0}
            ax.fill_between(same["layer"], *ends, color=look["color"], **band)
            look = {"lw": 1.4, "zorder": 5, "label": "exact mean, Gaussian"}
            ax.plot(same["layer"], same["theory"], "k:", **look)
    ax.set_xscale("function", functions=(np.sqrt, np.square))
    ax.set(ylabel="", title=rows["panel"].iloc[0], xlim=(0, None))
    ax.set_xlabel("layers L, on a scale of √L")
    ax.set_xticks(sorted(rows["layer"].unique())[::2])
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("angles", plot_angles, of.angles, "panel"),
    Figure("mean_square", plot_squares, of.squares, "panel", legend_columns=6),
    Figure("norms", plot_norms, of.norms, "panel", legend_columns=3),
    Figure("spectrum", plot_spectra, of.spectra, "panel"),
    Figure("least", plot_least, of.least, "panel", legend_columns=3),
    Figure("lengths", plot_lengths, of.lengths, "panel"),
    Figure("depth", plot_depth, of.depth, "panel"),
)


def summary(table: pd.DataFrame) -> Group:
    """What is near orthogonal in the widest square matrices, and what is not."""
    found = of.widest(table)
    n = found["inputs"].iloc[0]
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = f"{n} × {n}: near orthogonality of columns, not of the matrix"
    for heading in ("law", "n · mean square (exact)", "ln cond (Edelman)", "singular"):
        shown.add_column(heading, justify="left" if heading == "law" else "right")
    for law in in_order(list(found.index), of.LAW_ORDER):
        row = found.loc[law]
        shown.add_row(
            law,
            f"{n * row['measured']:.4f} ({n * row['exact']:.4f})",
            f"{row['condition']:.2f} ({row['edelman']:.2f})",
            f"{row['singular']:.0%}",
        )
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.near_orthogonality [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("near_orthogonality", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

"""Figures of ``sweeps.isometry``: how far from an isometry is a deep network?"""

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.figures import Figure
from analysis.spectra import ZERO_VARIANCE, densities, moments
from analysis.style import LAWS, in_order, label, printable

_FEW = 8
"""Counts in a bin below which its height is mostly chance."""
_LOOKS = {"gaussian": (LAWS["gaussian"], "o"), "orthogonal": (LAWS["orthogonal"], "s")}


def plot_densities(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Squared singular values λ of the Jacobian: histogram of all seeds, theory dotted.

    Args:
        rows: From ``densities``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    notes = []
    for weights in in_order(list(rows["weights"]), tuple(_LOOKS)):
        color = _LOOKS[weights][0]
        same = rows[rows["weights"] == weights]
        seen, theory = (same[same["kind"] == kind] for kind in ("measured", "theory"))
        edges, height = _bins(seen["log10_value"], seen["per_decade"])
        outline = {"color": color, "lw": 1.3, "label": label(weights)}
        ax.stairs(height, 10**edges, baseline=1e-9, **outline)
        ax.plot(10 ** theory["log10_value"], theory["per_decade"], "k:", lw=1.2, zorder=5)
        for _, atom in same[same["kind"] == "atom"].iterrows():
            if atom["log10_value"] == -np.inf:
                notes.append(f"{weights}: {atom['per_decade']:.0%} at 0")
            else:
                ax.axvline(10 ** atom["log10_value"], color="k", ls=":", lw=1.2, zorder=5)
                notes.append(f"{weights}: {atom['per_decade']:.0%} at 1")
    ax.plot([], [], "k:", lw=1.2, label="free probability")
    edges = 10 ** rows["log10_value"][np.isfinite(rows["log10_value"])]
    ax.set(xscale="log", yscale="log", ylim=(3e-3, 60), xlim=(edges.min(), edges.max()))
    ax.set_xticks([10.0**k for k in range(-2, 4) if edges.min() <= 10.0**k <= edges.max()])
    ax.minorticks_off()
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.text(0.02, 0.97, "\n".join(notes), transform=ax.transAxes, va="top", fontsize=7)
    ax.set(xlabel="λ", ylabel="density per decade of λ")
    return ax


def _bins(log: pd.Series, density: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Edges and heights; bins that hold a few values each are put together by fours."""
    x, y = log.to_numpy(np.float64), density.to_numpy(np.float64)
    step, seen = x[1] - x[0], y[y > 0]
    one = np.diff(np.unique(y)).min(initial=np.inf)  # heights are multiples of it
    by = 4 if len(seen) > 8 and np.median(seen) < _FEW * one else 1
    whole = len(y) // by * by  # the rest is far beyond the largest value
    edges = x[0] + step * (np.arange(0, whole + 1, by) - 0.5)
    return edges, y[:whole].reshape(-1, by).mean(axis=1)


def plot_variance(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Variance of λ over depth: median and range; dotted L (μ₂/μ₁² − 1 − s₁).

    Args:
        rows: From ``moments``, of one panel.
        ax: Where to draw.
    """
    ax = _over_depth(rows, "variance", ax)
    for weights, same in rows.groupby("weights", sort=False):
        if (same["variance_theory"] < ZERO_VARIANCE).all():
            seen = "0" if (same["variance_high"] < ZERO_VARIANCE).all() else "more"
            note = f"{weights}: 0 in theory, {seen} measured"
            ax.text(0.97, 0.05, note, transform=ax.transAxes, ha="right", fontsize=7)
    ax.set_ylabel("variance of λ")
    return ax


def plot_largest(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Largest λ over depth: median and range; dotted the edge of the limiting law.

    Args:
        rows: From ``moments``, of one panel.
        ax: Where to draw.
    """
    ax = _over_depth(rows, "largest", ax)
    ax.set_ylabel("largest λ")
    return ax


def _over_depth(rows: pd.DataFrame, column: str, ax: Axes | None) -> Axes:
    """Points with bars and dotted theory on log axes; what is 0 is left out."""
    ax = plt.gca() if ax is None else ax
    for weights in in_order(list(rows["weights"]), tuple(_LOOKS)):
        same = rows[rows["weights"] == weights].sort_values("depth")
        same = same[same[f"{column}_theory"] >= ZERO_VARIANCE]
        color, marker = _LOOKS[weights]
        middle, low, high = (same[f"{column}{end}"] for end in ("", "_low", "_high"))
        ax.errorbar(
            same["depth"],
            middle,
            yerr=[middle - low, high - middle],
            color=color,
            marker=marker,
            ls="none",
            ms=4,
            capsize=2,
            lw=1,
            label=label(weights),
        )
        ax.plot(same["depth"], same[f"{column}_theory"], "k:", lw=1.1)
    ax.plot([], [], "k:", lw=1.1, label="theory")
    ax.set(xscale="log", yscale="log", xlabel="layers L", title=rows["panel"].iloc[0])
    depths = sorted(rows["depth"].unique())
    ax.set_xticks(depths, [str(depth) for depth in depths])
    ax.minorticks_off()
    return ax


FIGURES: tuple[Figure, ...] = (
    Figure("densities", plot_densities, densities, "panel"),
    Figure("variance", plot_variance, moments, "panel"),
    Figure("largest", plot_largest, moments, "panel"),
)


def summary(table: pd.DataFrame) -> Group:
    """Moments of λ in the deepest networks against theory, for a terminal."""
    found = moments(table)
    deepest = found[found["depth"] == found["depth"].max()]
    shown = Table(
        title=f"squared singular values λ of {deepest['depth'].iloc[0]} layers, "
        "median over seeds (theory)",
        box=None,
        padding=(0, 2, 0, 0),
        title_justify="left",
    )
    for heading in ("network", "weights", "mean", "variance", "largest", "isometry"):
        shown.add_column(heading, no_wrap=True)
    for _, row in deepest.iterrows():
        shown.add_row(
            Text(printable(row["panel"])),
            row["weights"],
            *(
                f"{row[name]:.3g} ({row[f'{name}_theory']:.3g})"
                for name in ("mean", "variance", "largest", "isometry")
            ),
        )
    return Group(shown, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.isometry [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("isometry", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

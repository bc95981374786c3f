"""Figures of ``sweeps.lenet_depth``: how deep can a LeNet be and still be trained?"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from rich.console import Group
from rich.table import Table

from analysis.figures import Figure
from analysis.lenet_answers import answers
from analysis.lenet_maps import CHANCE, plot_frontier, plot_map
from analysis.lenet_signals import FIRST, NETWORK, in_training, name, profiles, starts
from analysis.lenet_trained import depth_map, frontiers, transformed
from analysis.style import PALETTE, in_order
from sweeps.lenet_depth import TRAINED

_ACTIVATIONS = {"relu": PALETTE[0], "sigmoid": PALETTE[3]}
_CURES: Mapping[str, dict[str, Any]] = {
    "plain": {"ls": "-", "marker": "o"},
    "shortcut": {"ls": (0, (5, 1.5)), "marker": "s"},
    "batch_norm": {"ls": (0, (2, 1.2)), "marker": "^"},
    "both": {"ls": (0, (6, 1.5, 1, 1.5)), "marker": "D"},
}
_WILD: dict[str, Any] = {"ls": (0, (1, 1)), "marker": "x"}
_TRANSFORMS = {
    "none": ("as they are", "k", "o"),
    "clip_by_norm": ("clipped by norm", PALETTE[2], "s"),
    "clip_by_value": ("clipped by value", PALETTE[1], "^"),
    "floor": ("floor", PALETTE[4], "v"),
}
_NORMAL = tuple(np.log10([np.finfo(np.float32).tiny, np.finfo(np.float32).max]))


def plot_starts(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Before training: gradient of layer 1, growth of signals; hollow, ★: float32 is left.

    Hollow: the signal of most networks leaves float32 on its way. After a star, of all.

    Args:
        rows: From ``starts``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    first = rows["panel"].iloc[0] == FIRST
    for kind, of_kind in _kinds(rows):
        look = _look(*kind)
        same = of_kind[np.isfinite(of_kind["median"])].sort_values("modules")
        _stars(of_kind, "modules", "median", look["color"], ax)
        ends = same["low"].clip(lower=-99), same["high"].clip(upper=99)
        ax.plot(same["modules"], same["median"], label=name(*kind), **look)
        ax.fill_between(same["modules"], *ends, color=look["color"], alpha=0.15, lw=0)
        left = same[same["lost"] >= 0.5]
        hollow = look | {"ls": "", "mfc": "w", "zorder": 4}
        ax.plot(left["modules"], left["median"], **hollow)
        if same["theory"].notna().any():
            ends = [same["modules"].min(), same["modules"].max()]
            ax.plot(ends, same["theory"].iloc[[0, 0]], "k:", lw=1, zorder=5)
    if first:
        _float32(ax)
    else:
        ax.plot([], [], "k:", lw=1, label="many channels, plain: theory")
        ax.set_yscale("symlog", linthresh=0.01, linscale=0.5)
        ticks = [-1, -0.1, -0.01, 0, 0.01, 0.1, 1]
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    last = rows["modules"].max()
    ax.set_xscale("symlog", linthresh=1, linscale=0.4)
    ticks = [n for n in (0, 2, 10, 40, 100, 1000, 10_000) if n <= last]
    ax.set_xticks(ticks, [f"{n:,}" for n in ticks])
    ax.set_xlim(-0.3 if first else 1.6, 1.25 * last)
    ax.minorticks_off()
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="modules N", ylabel="" if first else "decades per convolution")
    return ax


def plot_profiles(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Before training, what goes up, comes back and reaches weights; ★: float32 is left.

    Args:
        rows: From ``profiles``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    every = max(1, rows["layer"].max() // 8)
    for kind, same in _kinds(rows):
        same = same.sort_values("layer")
        known = np.isfinite(same["value"].to_numpy())
        look = _look(*kind) | {"label": name(*kind)}
        ax.plot(same["layer"], same["value"].where(known), markevery=every, **look)
        _stars(same, "layer", "value", look["color"], ax)
    _float32(ax)
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="layer", ylabel="log10")
    return ax


def plot_layers(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Norms of the weights and of the gradients of every layer, before and after training.

    Args:
        rows: From ``in_training``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    steps = sorted(rows["step"].unique())
    colors = sns.color_palette("viridis_r", len(steps) + 1)[1:]
    for step, color in zip(steps, colors, strict=True):
        same = rows[rows["step"] == step].sort_values("layer")
        strong = step in (steps[0], steps[-1])
        look = {"color": color, "lw": 1.3 if strong else 0.6, "label": f"step {step:,}"}
        ax.plot(same["layer"], same["value"], alpha=1 if strong else 0.6, **look)
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="layer", ylabel="log10 of the norm")
    return ax


def plot_transformed(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Test accuracy with gradients clipped, with a floor under them, or as they are.

    Args:
        rows: From ``transformed``, of one panel.
        ax: Where to draw.
    """
    ax = plt.gca() if ax is None else ax
    size = 9.0  # of curves that coincide, the markers stand one in the other
    for transform, (words, color, marker) in _TRANSFORMS.items():
        of = rows[rows["transform"] == transform].groupby("threshold")
        for at, (threshold, same) in enumerate(of):
            told = words if transform == "none" else f"{words} {threshold:.3g}"
            look = {"color": color, "marker": marker, "ms": size, "mfc": "none"}
            look |= {"lw": 1.4, "ls": ("-", "--", ":")[at % 3], "label": told}
            size = max(3.0, size - 1.3)
            ax.plot(same["modules"], same["median"], **look)
            ends = same["low"], same["high"]
            ax.fill_between(same["modules"], *ends, color=color, alpha=0.12, lw=0)
    ax.axhline(CHANCE, color="0.4", lw=0.9, ls=":", label="chance")
    ax.set_title(rows["panel"].iloc[0], loc="left")
    ax.set(xlabel="modules N", ylabel="test accuracy", ylim=(0, 1))
    return ax


def _kinds(rows: pd.DataFrame) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Rows of each kind of network, ReLU before sigmoid, cures as they add up."""
    order = [name(a, c, "torch") for a in _ACTIVATIONS for c in _CURES]
    groups = {kind: same for kind, same in rows.groupby(NETWORK, sort=False)}
    for words in in_order([name(*kind) for kind in groups], order):
        yield next((kind, groups[kind]) for kind in groups if name(*kind) == words)


def _look(activation: str, cure: str, scheme: str) -> dict[str, Any]:
    """Color by activation, dashes and marker by cure or initialization."""
    shape = _CURES[cure] if scheme == "torch" else _WILD
    color = _ACTIVATIONS.get(activation, PALETTE[7])
    return {"color": color, "ms": 4, "lw": 1.3, **shape}


def _stars(rows: pd.DataFrame, axis: str, column: str, color: Any, ax: Axes) -> None:
    """Marks the last finite values, either way, before a signal is 0 or infinite."""
    rows = rows.sort_values(axis)
    known = np.isfinite(rows[column].to_numpy())
    around = np.pad(known, 1, constant_values=True)
    ends = rows[known & ~(around[:-2] & around[2:])]
    look = {"ls": "", "marker": "*", "ms": 9, "mec": "k", "mew": 0.5, "zorder": 5}
    if len(ends):
        ax.plot(ends[axis], ends[column], color=color, **look)


def _float32(ax: Axes) -> None:
    """Shades powers of ten that float32 cannot hold, or not at its full precision."""
    low, high = ax.get_ylim()
    look = {"color": "0.85", "lw": 0, "zorder": 0}
    ax.axhspan(-99, _NORMAL[0], label="not normal in float32", **look)
    ax.axhspan(_NORMAL[1], 99, **look)
    ax.set_ylim(max(low, _NORMAL[0] - 6), min(high, _NORMAL[1] + 4))


FIGURES: tuple[Figure, ...] = (
    Figure("map", plot_map, partial(depth_map, trained=TRAINED), "panel", legend_columns=0),
    Figure(
        "frontier",
        plot_frontier,
        partial(frontiers, trained=TRAINED),
        "activation",
        legend_columns=0,
    ),
    Figure("layers", plot_layers, in_training, "panel", legend_columns=3),
    Figure("start", plot_starts, starts, "panel", legend_columns=2),
    Figure("profiles", plot_profiles, profiles, "panel", legend_columns=3),
    Figure(
        "cures",
        plot_transformed,
        partial(transformed, trained=TRAINED),
        "panel",
        legend_columns=3,
    ),
)


def summary(table: pd.DataFrame) -> Group:
    """What is told of depth, and what the table says of it, for a terminal."""
    shown = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    shown.title = f"told, and measured: trained is test accuracy from {TRAINED:g} on"
    for heading in ("told", "answer", "measured"):
        shown.add_column(heading)
    for answer in answers(table, TRAINED):
        shown.add_row(answer.told, answer.verdict, answer.measured)
    return Group(shown) if shown.rows else Group()


def main(argv: Sequence[str] | None = None) -> int:
    """Redraw the figures of a table: ``python -m analysis.lenet_depth [DIR]``."""
    from analysis.redraw import main as redraw

    return redraw("lenet_depth", sys.argv[1:] if argv is None else argv)


if __name__ == "__main__":
    raise SystemExit(main())

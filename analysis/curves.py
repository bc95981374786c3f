"""Curves of schemes over layers, on a log axis, theory dotted over them."""

import math
import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator

from analysis.style import SCHEME_ORDER, in_order, label, line

_THEORY = {"linestyle": (0, (1, 2.5)), "linewidth": 1.0, "zorder": 5}
_EDGE = {"linestyle": (0, (1, 1.5)), "linewidth": 0.7}
"""Ends of the band in which networks of a finite width lie."""


_TURN = 5.0
"""Length of the dash of one of several curves on each other, in widths of a line."""
_ALIKE = 0.015
"""Share of a panel's height by which curves differ that nobody can tell apart."""
_LETTERS = 49
"""Of a note that a panel has room for in a line."""


def draw_curves(
    rows: pd.DataFrame, ax: Axes, *, decades: float = 8, least: float = 0.3
) -> Axes:
    """One curve per scheme with its band; schemes that leave no curve are named.

    Curves that lie on each other take turns, so that the color of each is seen.

    Args:
        rows: scheme, activation, layer, low, median, high in log10; with theory also
            theory, theory_low and theory_high, and with other titles than the
            activation also title. Layers are from 0, and drawn from 1.
        ax: Where to draw.
        decades: The panel shows at most so many decades either way of 1; schemes
            outside are named above it, as are those that are 0 or not finite.
        least: And at least so many.
    """
    curves = rows.pivot(index="layer", columns="scheme", values="median")
    curves = curves[in_order(list(rows["scheme"]), SCHEME_ORDER)]
    low, high = _limits(rows, decades, least)
    around = curves.clip(2 * low - high, 2 * high - low)
    styles = in_turn(alike(around, _ALIKE * (high - low)))
    for position, scheme in enumerate(curves.columns):
        same = rows[rows["scheme"] == scheme].sort_values("layer")
        color = line(scheme, position)["color"]
        x, y = same["layer"] + 1, same[["low", "median", "high"]].to_numpy()
        # Named by a line of its own, for the curve may be one of several in turn.
        ax.plot([], [], color=color, lw=2, label=label(scheme))
        (curve,) = ax.plot(x, _power(y[:, 1]), color=color, lw=2, ls=styles[scheme])
        curve.set_gid(scheme)
        ax.fill_between(x, _power(y[:, 0]), _power(y[:, 2]), color=color, alpha=0.2, lw=0)
        if "theory" in same:
            ax.plot(x, _power(same["theory"].to_numpy()), color="k", **_THEORY)
            for end in ("theory_low", "theory_high"):
                ax.plot(x, _power(same[end].to_numpy()), color=color, **_EDGE)
    if "theory" in rows and rows["theory"].notna().any():
        ax.add_line(Line2D([], [], color="k", label="mean field", **_THEORY))
    if "theory" in rows and rows["theory_low"].notna().any():
        ax.add_line(Line2D([], [], color="0.4", label="its 90 % band", **_EDGE))
    _log_axis(ax, low, high)
    _headed(ax, rows, _losses(curves, low, high))
    return ax


def _headed(ax: Axes, rows: pd.DataFrame, losses: str) -> None:
    """The panel's title, and below it the schemes that it does not show."""
    lines = textwrap.wrap(losses, _LETTERS)
    title = rows["title" if "title" in rows else "activation"].iloc[0]
    ax.set_title(label(title), loc="left", pad=6 + 8 * len(lines))
    words = "\n".join(lines)
    look = {"fontsize": 7, "style": "italic", "linespacing": 1.1}
    note = ax.text(0, 1.02, words, transform=ax.transAxes, **look)
    note.set_in_layout(False)  # else a long one would push the panels apart


def log_layers(ax: Axes, deepest: int) -> None:
    """A log axis of layers counted from 1, ticked at 1, 2 and 5."""
    marks = [m * 10**k for k in range(4) for m in (1, 2, 5) if m * 10**k <= deepest]
    ax.set_xscale("log")
    ax.set_xticks(marks, [str(mark) for mark in marks])
    ax.minorticks_off()


def alike(curves: pd.DataFrame, least: float) -> list[list[str]]:
    """Columns in groups of those that lie on each other, by their mean distance.

    Example:
        >>> alike(pd.DataFrame({"a": [0, 1], "b": [0, 1], "c": [2, 1]}), 0.1)
        [['a', 'b'], ['c']]
    """
    groups: list[list[str]] = []
    for name in curves.columns:
        for group in groups:
            if (curves[group].sub(curves[name], axis=0).abs().mean() < least).all():
                group.append(name)
                break
        else:
            groups.append([name])
    return groups


def in_turn(groups: list[list[str]]) -> dict[str, Any]:
    """Line style of each curve: those of one group take turns, each a dash.

    Example:
        >>> in_turn([["a", "b"], ["c"]])
        {'a': (10.0, (5.0, 5.0)), 'b': (5.0, (5.0, 5.0)), 'c': '-'}
    """
    styles: dict[str, Any] = {}
    for group in groups:
        others = _TURN * (len(group) - 1)
        for at, name in enumerate(group):
            start = _TURN * (len(group) - at)
            styles[name] = (start, (_TURN, others)) if others else "-"
    return styles


def _limits(rows: pd.DataFrame, decades: float, least: float) -> tuple[float, float]:
    """Ends of the panel in log10: around the bands that come within ``decades`` of 1."""
    near = rows[rows.groupby("scheme")["median"].transform(_within, decades)]
    ends = near[["low", "median", "high"]].to_numpy(np.float64).clip(-decades, decades)
    if np.isnan(ends).all():
        return -least / 2, least / 2
    low, high = np.nanmin(ends), np.nanmax(ends)
    margin = max(min(0.3, 0.1 * (high - low)), (least - (high - low)) / 2)
    return float(low - margin), float(high + margin)


def _within(medians: pd.Series, decades: float) -> bool:
    """Whether a curve is anywhere finite and so near to 1."""
    return bool((np.isfinite(medians) & (medians.abs() <= decades)).any())


def _log_axis(ax: Axes, low: float, high: float) -> None:
    """A log axis, ticked at round numbers if it is short."""
    ax.set_yscale("log")
    ax.set_ylim(10**low, 10**high)
    ax.minorticks_off()
    if high - low < 2:
        few = LogLocator(subs=(1, 2, 5))
        ax.yaxis.set_major_locator(
            MaxNLocator(5, steps=[1, 2, 5, 10]) if high - low < 0.7 else few
        )
        ax.yaxis.set_major_formatter("{x:g}")


def _losses(curves: pd.DataFrame, low: float, high: float) -> str:
    """Schemes without a curve in a panel, and where they are."""
    found = []
    for scheme in curves.columns:
        name, medians = label(scheme), curves[scheme]
        finite = medians[np.isfinite(medians)]
        if medians.isna().all():
            found.append(f"{name} = ∞")
        elif finite.empty:
            found.append(f"{name} = 0")
        elif finite.lt(low).all():
            found.append(f"{name} < {_tens(math.ceil(finite.max()))}")
        elif finite.gt(high).all():
            found.append(f"{name} > {_tens(math.floor(finite.min()))}")
    # Lines break between schemes only, at the spaces that are left.
    unbroken = [words.replace(" ", "\N{NO-BREAK SPACE}") for words in found]
    return "not shown: " + ", ".join(unbroken) if found else ""


def _tens(power: int) -> str:
    """A power of ten as text.

    Example:
        >>> _tens(-14)
        '10⁻¹⁴'
    """
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _power(log10: np.ndarray) -> np.ndarray:
    """10 to the given powers, clipped to what float64 and an axis can hold."""
    return 10.0 ** np.clip(np.asarray(log10, np.float64), -300, 300)

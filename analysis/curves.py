"""Curves of schemes over layers, on a log axis, theory dotted over them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from analysis.style import SCHEME_ORDER, in_order, label, line

_EDGE = {"linestyle": (0, (1, 1.5)), "linewidth": 0.7}
"""Ends of the band in which networks of a finite width lie."""


def draw_curves(
    rows: pd.DataFrame, ax: Axes, *, shift: int = 0, decades: float = 8
) -> Axes:
    """One curve per scheme with its band; schemes that leave no curve are named.

    Schemes that are not finite stand after ∞, those that are zero after 0, and
    those that lie outside the panel after "off scale".

    Args:
        rows: scheme, activation, layer, low, median, high in log10; with theory also
            theory, theory_low and theory_high, and with other titles than the
            activation also title.
        ax: Where to draw.
        shift: Added to the layer, 1 for a log axis of layers.
        decades: The panel shows at most so many decades either way of 1.
    """
    for position, scheme in enumerate(in_order(list(rows["scheme"]), SCHEME_ORDER)):
        same = rows[rows["scheme"] == scheme].sort_values("layer")
        look = line(scheme, position)
        x, y = same["layer"] + shift, same[["low", "median", "high"]].to_numpy()
        ax.plot(x, _power(y[:, 1]), label=label(scheme), **look)
        ax.fill_between(
            x, _power(y[:, 0]), _power(y[:, 2]), color=look["color"], alpha=0.2, lw=0
        )
        if "theory" in same:
            ax.plot(x, _power(same["theory"].to_numpy()), "k:", lw=1.1, zorder=5)
            for end in ("theory_low", "theory_high"):
                ax.plot(x, _power(same[end].to_numpy()), color=look["color"], **_EDGE)
    if "theory" in rows and rows["theory"].notna().any():
        ax.add_line(Line2D([], [], color="k", ls=":", lw=1.1, label="mean field"))
    if "theory" in rows and rows["theory_low"].notna().any():
        ax.add_line(Line2D([], [], color="0.4", label="its 90 % band", **_EDGE))
    low, high = _limits(rows["median"].to_numpy(), decades)
    _log_axis(ax, low, high)
    title = rows["title" if "title" in rows else "activation"].iloc[0]
    ax.set_title(label(title), loc="left", pad=13)
    losses = label(_losses(rows, low, high))
    note = ax.text(0, 1.02, losses, transform=ax.transAxes, fontsize=7, style="italic")
    note.set_in_layout(False)  # else a long one would push the panels apart
    return ax


def log_layers(ax: Axes, deepest: int) -> None:
    """A log axis of layers counted from 1, ticked at 1, 2 and 5."""
    marks = [m * 10**k for k in range(4) for m in (1, 2, 5) if m * 10**k <= deepest]
    ax.set_xscale("log")
    ax.set_xticks(marks, [str(mark) for mark in marks])
    ax.minorticks_off()


def _limits(medians: np.ndarray, decades: float) -> tuple[float, float]:
    """Ends of the panel in log10: around the curves, cut at ``decades``."""
    finite = medians[np.isfinite(medians)]
    low = max(finite.min(initial=0), -decades) - 0.3
    return low, min(finite.max(initial=0), decades) + 0.3


def _log_axis(ax: Axes, low: float, high: float) -> None:
    """A log axis, ticked at 1, 2 and 5 if it is short."""
    ax.set_yscale("log")
    ax.set_ylim(10**low, 10**high)
    ax.minorticks_off()
    if high - low < 2:
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")


def _losses(rows: pd.DataFrame, low: float, high: float) -> str:
    """Schemes without a curve in a panel, and why."""
    why: dict[str, list[str]] = {"∞: ": [], "0: ": [], "off scale: ": []}
    for scheme, medians in rows.groupby("scheme", sort=False)["median"]:
        if medians.isna().all():
            why["∞: "].append(str(scheme))
        elif (medians.dropna() == -np.inf).all():
            why["0: "].append(str(scheme))
        elif not medians.between(low, high).any():
            why["off scale: "].append(str(scheme))
    return "   ".join(what + ", ".join(names) for what, names in why.items() if names)


def _power(log10: np.ndarray) -> np.ndarray:
    """10 to the given powers, clipped to what float64 and an axis can hold."""
    return 10.0 ** np.clip(np.asarray(log10, np.float64), -300, 300)

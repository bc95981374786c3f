"""One look for all figures, used as a context and never set on import."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import seaborn as sns

_SEEN: Mapping[int, str] = {6: "#a0487e", 8: "#8a7d00"}
"""Instead of a pink and a yellow that are hardly seen on white."""
PALETTE: tuple[Any, ...] = tuple(
    mpl.colors.to_rgb(_SEEN.get(at, color))
    for at, color in enumerate(sns.color_palette("colorblind", 10))
)
"""Ten colors that those who are color-blind tell apart, on white."""
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (2, 1.2)), (0, (6, 1.5, 1, 1.5)))

SCHEME_ORDER: tuple[str, ...] = (
    "normal(1)",
    "normal(0.01)",
    "normal(1/√n)",
    "lecun_normal",
    "xavier_uniform(gain)",
    "xavier_normal(gain)",
    "kaiming_uniform(fan_in)",
    "kaiming_uniform(fan_out)",
    "kaiming_normal(fan_in)",
    "kaiming_normal(fan_out)",
    "he_normal",
    "orthogonal",
    "orthogonal(gain)",
)
"""Order of the schemes in every figure; others follow in order of appearance."""

ACTIVATION_ORDER: tuple[str, ...] = (
    *("identity", "relu", "leaky_relu", "elu", "selu", "gelu", "gelu_tanh", "silu"),
    *("quick_gelu", "hard_silu", "mish", "relu6", "squared_relu", "softplus"),
    *("log_sigmoid", "sigmoid", "hard_sigmoid", "tanh", "lecun_tanh", "hard_tanh"),
    *("erf", "arctan", "softsign", "sin", "abs"),
)
"""Order of the activations in every figure."""

_COLORS: Mapping[str, Any] = {
    "normal(1)": PALETTE[3],
    "normal(0.01)": PALETTE[0],
    "normal(1/√n)": PALETTE[1],
    "xavier_normal(gain)": PALETTE[4],
    "kaiming_normal(fan_in)": PALETTE[2],
    "orthogonal(gain)": PALETTE[8],
}
_ALIKE = {name.partition("(")[0]: name for name in tuple(_COLORS)[3:]}
"""Schemes that are drawn alike wherever they are: their gain or fan is in the caption."""

LAWS: Mapping[str, Any] = {
    "gaussian": PALETTE[1],
    "uniform": PALETTE[2],
    "truncated": PALETTE[9],
    "rademacher": PALETTE[4],
    "sparse": PALETTE[3],
    "student_t": PALETTE[0],
    "orthogonal": PALETTE[8],
}
"""Color of a law of entries in every figure."""

SHOWN: tuple[str, ...] = tuple(_COLORS)
"""Schemes drawn as curves, one per law that differs; heat maps have all."""


def in_order(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """Distinct names, those of ``order`` first."""
    present = list(dict.fromkeys(names))
    return [n for n in order if n in present] + [n for n in present if n not in order]


def line(scheme: str, position: int) -> dict[str, Any]:
    """Color and dashes of a scheme; the same in every figure for the named ones."""
    named = list(_COLORS)
    scheme = _ALIKE.get(scheme, scheme)
    index = named.index(scheme) if scheme in named else len(named) + position
    return {
        "color": _COLORS.get(scheme, PALETTE[index % len(PALETTE)]),
        "linestyle": _DASHES[index % len(_DASHES)],
        "linewidth": 1.6,
    }


def printable(text: str) -> str:
    r"""Text of a table, with a mark for each character that nobody can see.

    Example:
        >>> printable("he_normal\x1b[2J")
        'he_normal�[2J'
    """
    return "".join(c if c.isprintable() else "�" for c in text)


def label(text: str) -> str:
    r"""Text of a table as Matplotlib shows it: no mathematics, not hidden.

    Example:
        >>> label("$x_$")
        '\\$x_\\$'
    """
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


@contextmanager
def house_style() -> Iterator[None]:
    """Fonts, grid and deterministic SVG for the figures drawn inside."""
    settings = {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper"),
        "font.family": "DejaVu Sans",
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.titley": 1.0,
        "axes.labelsize": 9,
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "legend.fontsize": 8.5,
        "grid.linewidth": 0.5,
        "axes.prop_cycle": mpl.cycler(color=PALETTE),
        "svg.hashsalt": "initjax",
        "svg.fonttype": "none",
        "figure.dpi": 150,
        "savefig.dpi": 170,
    }
    with mpl.rc_context(settings):
        yield

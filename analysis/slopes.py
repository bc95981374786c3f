"""Growth per layer of signal and gradient, and the verdict that follows from it."""

from typing import Literal

import numpy as np
import pandas as pd

Direction = Literal["forward", "backward"]

BOUND = 2.0
"""Decades of change over the deepest network beyond which a signal is lost."""

_NETWORK = ["inputs", "activation", "scheme", "width", "batch", "seed", "depth"]
_VALUE = {"forward": "act_log10_rms", "backward": "delta_log10_rms"}


def meaningful(table: pd.DataFrame, column: str) -> pd.Series:
    """A log10 column, with gradients of a network whose signal was flushed as zero.

    Where every pre-activation has become 0 the gradient of that very point says
    nothing about the initialization: it is 0 for ReLU, and that of a linear
    network for leaky ReLU, whose derivative at 0 is 1.
    """
    if column.startswith("act_"):
        return table[column]
    return table[column].where(table["first_flushed"] < 0, -np.inf)


def growth(table: pd.DataFrame, direction: Direction) -> pd.DataFrame:
    """Mean change of log10 RMS per layer, in the direction in which it travels.

        forward   (log10 h_last - log10 h_0) / layers between
        backward  (log10 δ_0 - log10 δ_last) / layers between

    over the layers where the value is finite and not 0, so that a network that
    leaves float32 still has the slope with which it left.

    Args:
        table: A table of networks by layer.
        direction: forward for activations, backward for ∂L/∂z.

    Returns:
        One row per network: its settings, ``slope``, and ``lost``, +1 if the
        value became infinite or nan somewhere, -1 if it became 0, else 0.
    """
    name = _VALUE[direction]
    ordered = table.assign(**{name: meaningful(table, name)}).sort_values("layer")
    value = ordered[name].to_numpy()
    finite = ordered[np.isfinite(value)]
    ends = finite.groupby(_NETWORK, sort=False).agg(
        first=(name, "first"),
        last=(name, "last"),
        start=("layer", "first"),
        stop=("layer", "last"),
    )
    span = (ends["stop"] - ends["start"]).where(lambda s: s > 0)
    slope = (ends["last"] - ends["first"]) / span
    state = ordered.assign(
        above=(value == np.inf) | np.isnan(value), below=value == -np.inf
    )
    lost = state.groupby(_NETWORK, sort=False)[["above", "below"]].any()
    return pd.DataFrame(
        {
            "slope": (slope if direction == "forward" else -slope).reindex(lost.index),
            "lost": np.where(lost["above"], 1, np.where(lost["below"], -1, 0)),
        }
    ).reset_index()


def verdicts(table: pd.DataFrame, direction: Direction) -> pd.DataFrame:
    """What becomes of a signal over the deepest network, by scheme and activation.

    A signal survives if its RMS changes by less than BOUND decades over the
    deepest network and never leaves float32; it explodes or vanishes otherwise.

    Returns:
        One row per scheme and activation: ``slope`` per layer in decades, median
        over seeds and inputs, of the deepest network in which the value is
        finite, and ``verdict``.
    """
    found = growth(table, direction)
    deepest = int(found["depth"].max())
    rows = []
    for (scheme, activation), same in found.groupby(["scheme", "activation"], sort=False):
        at = same.groupby("depth")["slope"].median().dropna()
        slope = float(at.iloc[-1]) if len(at) else float("nan")
        lost = float(same.loc[same["depth"] == deepest, "lost"].median())
        rows.append((scheme, activation, slope, _verdict(slope * (deepest - 1), lost)))
    verdict = pd.DataFrame(rows, columns=["scheme", "activation", "slope", "verdict"])
    verdict.attrs["note"] = (
        f"up to {deepest} layers, width {_spread(table['width'])}, "
        f"batch {_spread(table['batch'])}, {table['seed'].nunique()} seeds"
    )
    return verdict


def _spread(values: pd.Series) -> str:
    """The values of a setting, in words of a caption."""
    return ", ".join(str(value) for value in sorted(values.unique()))


def _verdict(decades: float, lost: float) -> str:
    if np.isnan(decades) and not lost:
        return "too shallow"
    if lost > 0 and not decades < -BOUND:
        return "explodes"
    if lost < 0 or decades < -BOUND:
        return "vanishes"
    return "explodes" if decades > BOUND else "survives"

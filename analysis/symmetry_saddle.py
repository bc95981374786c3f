"""What follows from weights near 0: a saddle, and when networks of sigmoids leave it.

Every unit there is ½ + (w·x + b)/4. With g = E (y - ½)x, the mean error r = E (y - p), the
readout's weights a and bias c, gradient descent is a linear map,

    c ← c + η r,    a ← a + η (r/2 + g·w/4),    w ← w + η a g/4,

r = ȳ - ½ - (c + n a/2)/4, where ȳ is the share of class 1. A difference in the number of
points of the classes sets it going from 0. Where the a of the units cancel, a and w then
grow by η|g|/4 a step; where all units are alike, by about 2/√(4 + n) of that, since the
bias has to take back what they add to the mean output.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.bands import Absent

PULL = math.hypot(1, 1 / 2 - 4 / math.pi) / 4
"""|g| of the half circles, whose means are (0, 2/π) and (1, ½ - 2/π)."""

LEFT = math.log(2) - 0.6
"""What a network has gained, in nats, that begins a step below a loss of 0.6."""


class Saddle(NamedTuple):
    """The linear map's course from weights of 0, [step, ...].

    Attributes:
        gain: Loss gained by what a and w have grown to, n a |w| |g|/4, nats.
        log10_norm: log10 of the norm of the hidden layer's gradient.
    """

    gain: np.ndarray
    log10_norm: np.ndarray


def growth(rate: float, alike: int = 0) -> float:
    """Factor less 1 by which weights grow near 0 in a step: an eigenvalue of the map.

    Args:
        rate: η.
        alike: Units n that are all alike; 0 for units whose readouts cancel.

    Example:
        >>> round(growth(0.2), 4), round(growth(0.2, alike=5), 4)
        (0.0158, 0.0111)
    """
    bias = np.array([-1 / 4, -alike / 8, 0])  # r, of c, a and w
    steps = [bias, bias / 2 + [0, 0, PULL / 4], [0, PULL / 4, 0]]
    return float(np.linalg.eigvals(rate * np.array(steps)).real.max())


def from_zero(share: np.ndarray, rate: float, width: int, steps: int) -> Saddle:
    """Iterate the map from weights of 0.

    Args:
        share: ȳ of each data set, [...].
        rate: η.
        width: Units n.
        steps: Of gradient descent.
    """
    a = w = c = np.zeros_like(share)
    seen = []
    for _ in range(steps + 1):
        error = share - 1 / 2 - (c + width * a / 2) / 4
        with np.errstate(divide="ignore"):
            norm = np.log10(np.abs(a) / 4) + np.log10(width * (PULL**2 + error**2)) / 2
        seen.append((width * a * w * PULL / 4, norm))
        a, w, c = (
            a + rate * (error / 2 + PULL * w / 4),
            w + rate * PULL * a / 4,
            c + rate * error,
        )
    gain, norm = (np.array(part) for part in zip(*seen, strict=True))
    return Saddle(gain, norm)


def escape_from_zero(
    share: np.ndarray, rate: float, width: int, steps: int = 3000
) -> np.ndarray:
    """First step at which the map has gained LEFT; nan if it does not.

    Example:
        >>> escape_from_zero(np.array([0.5, 0.51]), 0.2, 5).tolist()
        [nan, 414.0]
    """
    left = from_zero(share, rate, width, steps).gain > LEFT
    return np.where(left.any(0), left.argmax(0), np.nan)


def escape_from_noise(
    sigma: np.ndarray, share: float | np.ndarray, rate: float, width: int, steps: int = 3000
) -> np.ndarray:
    """First step at which the map has gained LEFT on average, from weights N(0, σ²).

    To what units alike gain is added what n - 1 ways to differ do, of each of which the
    part that grows, (a + w·g/|g|)/2, has the variance σ²/2.

    Args:
        sigma: σ, [k].
        share: ȳ of each, or of all.
        rate: η.
        width: Units n.
        steps: Of gradient descent.

    Example:
        >>> escape_from_noise(np.array([1e-6, 0.01]), 0.51, 0.2, 5).tolist()
        [414.0, 276.0]
    """
    alike = from_zero(np.broadcast_to(share, np.shape(sigma)), rate, width, steps).gain
    grown = (1 + growth(rate)) ** (2.0 * np.arange(steps + 1))
    noise = grown[:, None] * np.square(sigma) / 2 * (width - 1) * PULL / 4
    left = alike + noise > LEFT
    return np.where(left.any(0), left.argmax(0), np.nan)


def escapes(table: pd.DataFrame) -> pd.DataFrame:
    """When each network begins a step below 0.6 nats, with the theory of the saddle.

    Returns:
        panel, x, start, seed, ``escape_step`` (nan if never) and ``theory`` for its ȳ: from
        zeros by the distance of ȳ from ½, and from normal(σ) by σ. Rows of seed -1 have the
        theory between them, for the median distance of ȳ from ½; ``early`` and ``late`` are
        for the largest and the smallest.

    Raises:
        Absent: if no network starts near 0.
    """
    first = table[(table["width"] > 1) & (table["step"] == 0)].copy()
    escaped = first["escape_step"].where(first["escape_step"] >= 0).astype(float)
    first = first.assign(escape_step=escaped)
    sigma = first["start"].str.extract(r"^normal\((.+)\)$")[0].astype(float)
    zeros, normal = first[first["start"] == "zeros"], first[sigma.notna()]
    if zeros.empty and normal.empty:
        raise Absent("no network starts near 0")
    rate, width = float(first["rate"].iloc[0]), int(first["width"].iloc[0])
    away = (first["positive_share"].astype(float) - 1 / 2).abs()

    def from_0(x: np.ndarray, away: np.ndarray | float) -> np.ndarray:
        return escape_from_zero(1 / 2 + x, rate, width)

    def from_noise(x: np.ndarray, away: np.ndarray | float) -> np.ndarray:
        return escape_from_noise(x, 1 / 2 + away, rate, width)

    rows = pd.concat(
        [
            _side("weights of 0", zeros, away[zeros.index], away, from_0),
            _side("weights N(0, σ²)", normal, sigma[normal.index], away, from_noise),
        ]
    )
    rows.attrs["note"] = f"2-{width}-1 sigmoid, η = {rate:g}, a point a seed"
    return rows.sort_values(["panel", "x", "seed"], ignore_index=True)


def _side(
    panel: str,
    same: pd.DataFrame,
    x: pd.Series,
    away: pd.Series,
    theory: Callable[[np.ndarray, np.ndarray | float], np.ndarray],
) -> pd.DataFrame:
    """Networks of one panel, and the theory between them."""
    measured = same[["start", "seed", "escape_step"]].assign(
        x=x, theory=theory(x.to_numpy(), away[same.index].to_numpy())
    )
    between = pd.DataFrame({"x": _between(x.to_numpy()), "seed": -1})
    at = between["x"].to_numpy()
    of = {"theory": away.median(), "early": away.max(), "late": away.min()}
    for name, distance in of.items():
        between[name] = theory(at, float(distance))
    rows = pd.concat([measured, between], ignore_index=True)
    rows.insert(0, "panel", panel)
    return rows[["panel", "x", "start", "seed", "escape_step", "theory", "early", "late"]]


def _between(x: np.ndarray) -> np.ndarray:
    """Log-spaced values from the smallest to the largest that is not 0; none of none."""
    above = np.asarray(x, np.float64)[np.asarray(x) > 0]
    return np.geomspace(above.min(), above.max(), 60) if len(above) else above

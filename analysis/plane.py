"""What a table of ``sweeps.phase_diagram`` says of each point, and what theory does."""

from functools import cache

import numpy as np
import pandas as pd

from analysis.responses import Rate, rate
from initjax import meanfield

POINT = ["activation", "point", "sigma_w", "sigma_b"]
_LEAST = 1e-11
"""Below such a 1 - c float32 has little left of the difference of two inputs."""
_LARGEST = 1e6
"""Second moment that stands for one without bound."""
_EARLY = 6
"""Layers in which q* is left or approached slowly enough to be called linear."""


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """Rates per layer and depth scales of every point, each with its standard error.

    Returns:
        POINT, ``q`` and ``gap``, where the inputs started: q* and 1 - c*; the factors
        ``chi_1`` of the squared gradient, ``chi_c`` of correlations and ``chi_q`` of
        second moments, ``xi_c``, and each of these with ``_error``.
    """
    layers = np.sort(table["layer"].unique())
    every = int(layers[1] - layers[0])
    rows = []
    for place, same in table.groupby(POINT, sort=False):
        by = same.pivot(index="seed", columns="layer")
        near, far, low, high, gradient = (
            by[name].to_numpy(np.float64)
            for name in ("near", "far", "q_low", "q_high", "gradient")
        )
        apart = rate(far - near, every=every, least=_LEAST)
        found = {
            "chi_1": rate(gradient[:, ::-1], every=every),
            "chi_c": apart,
            "chi_q": rate(high - low, every=every, steps=_EARLY // every),
            "xi_c": Rate(apart.depth, apart.depth_error),
        }
        start = {"q": by["q"].iloc[0, 0], "gap": (near[0, 0] + far[0, 0]) / 2}
        values = {name: each.factor for name, each in found.items()}
        errors = {f"{name}_error": each.error for name, each in found.items()}
        rows.append({**dict(zip(POINT, place, strict=True)), **start, **values, **errors})
    frame = pd.DataFrame(rows)
    frame.attrs["note"] = (
        f"width {table['width'].iloc[0]}, {layers[-1]} layers, "
        f"{table['seed'].nunique()} seeds"
    )
    return frame


def with_theory(points: pd.DataFrame) -> pd.DataFrame:
    """``points`` of the grid with ``q_star``, ``chi_1_theory`` and ``xi_c_theory``.

    The second moment is that to which inputs of second moment 1 come; xi_c_theory is
    nan where there is none.
    """
    parts = []
    for name, same in points.groupby("activation", sort=False):
        places = tuple(same[["sigma_w", "sigma_b"]].itertuples(index=False, name=None))
        names = ("q_star", "chi_1_theory", "xi_c_theory")
        parts.append(
            same.assign(**dict(zip(names, _theory(str(name), places), strict=True)))
        )
    joined = pd.concat(parts)
    joined.attrs = points.attrs
    return joined


@cache
def _theory(name: str, places: tuple[tuple[float, float], ...]) -> tuple[np.ndarray, ...]:
    """q*, χ₁ and ξ_c of points; solved once for all figures."""
    sigma_w, sigma_b = np.array(places, np.float64).T
    q = meanfield.q_star(name, sigma_w=sigma_w, sigma_b=sigma_b)
    there = np.where(np.isfinite(q), q, _LARGEST)
    chi_1 = meanfield.chi(name, q=there, sigma_w=sigma_w)
    chaotic = np.isfinite(q) & (chi_1 > 1)  # elsewhere c* = 1, where χ_c = χ₁
    chi_c = np.where(np.isfinite(q), chi_1, np.nan)
    c = meanfield.c_star(name, sigma_w=sigma_w[chaotic], sigma_b=sigma_b[chaotic])
    chi_c[chaotic] = meanfield.chi_c(name, q=q[chaotic], c=c, sigma_w=sigma_w[chaotic])
    return q, chi_1, -1 / np.log(chi_c)


@cache
def critical_line(activation: str, least: float, most: float) -> pd.DataFrame:
    """The line χ₁ = 1 between two σ_b, with the slope χ_q of its q*; found once.

    Returns:
        sigma_b, sigma_w, chi_q, in the order of q*; without rows if there is no line.
    """
    q = np.geomspace(1e-3, 1e3, 1500)
    slope = meanfield.chi(activation, q=q, sigma_w=1.0)
    with np.errstate(divide="ignore"):
        sigma_w = 1 / np.sqrt(slope)
    square = q - meanfield.variance_map(q, activation, sigma_w=sigma_w)
    inside = np.isfinite(sigma_w) & (square > 0)
    inside[inside] &= np.sqrt(square[inside]) >= least
    inside[inside] &= np.sqrt(square[inside]) <= most
    found = {"sigma_b": np.sqrt(square[inside]), "sigma_w": sigma_w[inside]}
    chi_q = meanfield.chi_q(activation, q=q[inside], sigma_w=sigma_w[inside])
    return pd.DataFrame({**found, "chi_q": chi_q})

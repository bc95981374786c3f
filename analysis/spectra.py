"""Singular values of a table as histograms and moments, with the theory beside them."""

from typing import Any

import numpy as np
import pandas as pd

from analysis.style import ACTIVATION_ORDER, in_order
from initjax import meanfield

ZERO_VARIANCE = 1e-9
"""A variance in theory below this is 0 but for rounding."""

_KEYS = ["activation", "q", "weights", "depth"]
_BIN = 0.05  # decades of λ
_LOWEST = -2.5  # log10 of the smallest λ that is shown
_POINTS = 150  # of a theory curve


def densities(table: pd.DataFrame) -> pd.DataFrame:
    """Histogram of log10 λ and its density in theory, for three depths.

    Returns:
        panel, activation, q, weights, depth, kind, log10_value, per_decade. Kind is
        measured (a bin), theory (a point of the curve; nan where it cannot be told) or
        atom, whose ``per_decade`` is its mass.
    """
    depths = sorted(table["depth"].unique())
    shown = list(dict.fromkeys((depths[min(1, len(depths) - 1)], depths[len(depths) // 2])))
    shown = list(dict.fromkeys((*shown, depths[-1])))
    same = _ordered(table[table["width"] == table["width"].min()])
    edges = {key: _edge(rows) for key, rows in same.groupby(_KEYS, sort=False)}
    finite = [edge for edge in edges.values() if np.isfinite(edge)]
    last = np.ceil(np.log10(max(finite)) / _BIN + 2) * _BIN
    frames = []
    for key, rows in same[same["depth"].isin(shown)].groupby(_KEYS, sort=False):
        frames.append(_density(rows, last, edges[key]))
    found = pd.concat(frames, ignore_index=True)
    order = {panel: n for n, panel in enumerate(_row_by_row(found))}
    found = found.sort_values("panel", key=lambda p: p.map(order), kind="stable")
    found = found.reset_index(drop=True)
    found.attrs["note"] = _note(same)
    return found


def _row_by_row(found: pd.DataFrame) -> list[str]:
    """Panels with the depths of one network side by side."""
    panels = found[["activation", "q", "depth", "panel"]].drop_duplicates("panel")
    places = {name: n for n, name in enumerate(in_order(panels["activation"], _ORDER))}
    keyed = panels.assign(place=panels["activation"].map(places))
    return list(keyed.sort_values(["place", "q", "depth"])["panel"])


_ORDER = ACTIVATION_ORDER


def _density(rows: pd.DataFrame, last: float, edge: float) -> pd.DataFrame:
    """Histogram, curve and atoms of networks that differ in their seeds only."""
    first = rows.iloc[0]
    log = 2 * rows["log10_singular_value"].to_numpy(np.float64)
    bins = np.arange(_LOWEST, last + _BIN / 2, _BIN)
    counts = np.histogram(log[np.isfinite(log)], bins)[0] / (len(log) * _BIN)
    settings = _settings(first)
    # Not far below what is seen: what nobody sees takes the longest.
    low = max(_LOWEST, log[np.isfinite(log)].min(initial=0) - 0.15)
    grid = np.linspace(low, min(np.log10(edge), last), _POINTS)
    theory = meanfield.jacobian_density(10**grid, first["activation"], **settings)
    atoms = meanfield.jacobian_atoms(first["activation"], **settings)
    with np.errstate(divide="ignore"):
        parts = {
            "measured": (bins[:-1] + _BIN / 2, counts),
            "theory": (grid, theory * 10**grid * np.log(10)),
            "atom": (np.log10(list(atoms)), list(atoms.values())),
        }
    frames = [
        pd.DataFrame({"kind": kind, "log10_value": x, "per_decade": y})
        for kind, (x, y) in parts.items()
    ]
    found = pd.concat(frames, ignore_index=True)
    panel = f"{_title(first)}, L = {first['depth']}"
    lead = {"panel": panel, **{name: first[name] for name in _KEYS}}
    return found.assign(**lead)[[*lead, "kind", "log10_value", "per_decade"]]


def moments(table: pd.DataFrame) -> pd.DataFrame:
    """Mean, variance, isometry and largest λ by depth, median and range over seeds.

    Returns:
        panel, activation, q, weights, depth and, for each of mean, variance, isometry and
        largest: itself, ``_low``, ``_high`` and ``_theory``.
    """
    same = _ordered(table[table["width"] == table["width"].min()])
    found = []
    for key, rows in same.groupby(_KEYS, sort=False):
        first = rows.iloc[0]
        row = {"panel": _title(first), **dict(zip(_KEYS, key, strict=True))}
        theory = _theory(first)
        for name, values in _by_seed(rows).items():
            row |= {name: np.median(values), f"{name}_low": min(values)}
            row |= {f"{name}_high": max(values), f"{name}_theory": theory[name]}
        found.append(row)
    rows = pd.DataFrame(found)
    rows.attrs["note"] = _note(same)
    return rows


def _by_seed(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Statistics of λ, [seed]."""
    log = rows.pivot(index="seed", columns="rank", values="log10_singular_value")
    values = 100.0 ** log.to_numpy(np.float64)
    mean, variance = values.mean(1), values.var(1)
    isometry = mean**2 / (mean**2 + variance)
    largest = values.max(1)
    return {"mean": mean, "variance": variance, "isometry": isometry, "largest": largest}


def _theory(first: pd.Series) -> dict[str, float]:
    settings = _settings(first)
    mean, variance = meanfield.jacobian_moments(first["activation"], **settings)
    scale_free = {name: settings[name] for name in ("depth", "q", "weights")}
    return {
        "mean": float(mean),
        "variance": float(variance),
        "isometry": float(meanfield.isometry_score(first["activation"], **scale_free)),
        "largest": meanfield.spectral_edge(first["activation"], **settings),
    }


def _edge(rows: pd.DataFrame) -> float:
    first = rows.iloc[0]
    return meanfield.spectral_edge(first["activation"], **_settings(first))


def _settings(first: pd.Series) -> dict[str, Any]:
    """Arguments of the theory; σ_w is that of χ₁ = 1, which a table rounds."""
    q = float(first["q"])
    sigma_w = float(meanfield.critical_point(first["activation"], q=q).sigma_w)
    depth = int(first["depth"])
    return {"depth": depth, "q": q, "sigma_w": sigma_w, "weights": first["weights"]}


def _title(first: pd.Series) -> str:
    if first["q"] == 1 and first["activation"] in ("identity", "relu"):
        return {"identity": "linear", "relu": "ReLU"}[first["activation"]]
    q = float(first["q"])
    inverse = round(1 / q)
    told = f"1/{inverse}" if inverse > 1 and abs(inverse * q - 1) < 1e-6 else f"{q:g}"
    return f"{first['activation']}, q* = {told}"


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    place = {name: n for n, name in enumerate(in_order(table["activation"], _ORDER))}
    keyed = table.assign(place=table["activation"].map(place))
    return keyed.sort_values(["place", "q", "depth", "weights"], kind="stable").drop(
        columns="place"
    )


def _note(networks: pd.DataFrame) -> str:
    return f"χ₁ = 1, width {networks['width'].iloc[0]}, {networks['seed'].nunique()} seeds"

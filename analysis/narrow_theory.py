"""What theory says of the three parts of ``sweeps.width_fluctuations``."""

import numpy as np
import pandas as pd

from analysis.bands import Absent
from initjax import meanfield

TRIMMED = 2
"""Layers at each end that a slope leaves out, as the sweep measures it."""

_HEAVY = 2.0  # of 5L/n, from where a mean over networks misses the tail of R²


def length_moments(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and variance of ln R, and mean of R², beside theory.

    R is the second moment of a layer over that of the first one. Networks that are
    all zero are left out; so are means of R² where few networks make it up.

    Returns:
        One row per panel, activation, width and layer: ``measured`` with its standard
        ``error``, ``theory``, exact if ``law`` is exact and else to first order in
        1/width, and ``panel``.
    """
    lengths = _part(table, "lengths")
    rows = []
    keys = ["activation", "width", "layer"]
    for (name, width, layer), same in lengths.groupby(keys, sort=False):
        logs = same["log_length"].to_numpy(np.float64)
        logs = logs[np.isfinite(logs)]
        mean, variance, growth, law = _law(name, width, layer, same.iloc[0])
        middle = logs - logs.mean()
        square = np.exp(2 * logs)
        found = {
            "mean of ln R": (logs.mean(), logs.std(ddof=1), mean),
            "variance of ln R": (logs.var(ddof=1), np.std(middle**2), variance),
            "mean of R²": (square.mean(), square.std(ddof=1), growth),
        }
        rows += [
            (f"{name}: {what}", name, width, layer, value, sd / len(logs) ** 0.5, said, law)
            for what, (value, sd, said) in found.items()
            if said == said
        ]
    columns = ["panel", *keys, "measured", "error", "theory", "law"]
    found = pd.DataFrame(rows, columns=columns)
    found.attrs["note"] = _note(lengths)
    return found


def standardized(table: pd.DataFrame) -> pd.DataFrame:
    """Quantiles of ln R of the deepest networks in units of theory, beside normal ones.

    Returns:
        One row per activation, width and quantile: ``normal`` and ``measured``.
    """
    lengths = _part(table, "lengths")
    deepest = lengths[lengths["layer"] == lengths["layer"].max()]
    rows = []
    levels = np.append(np.geomspace(0.003, 0.5, 25), 1 - np.geomspace(0.5, 0.003, 25)[1:])
    normal = _normal_quantiles(levels)
    for (name, width), same in deepest.groupby(["activation", "width"], sort=False):
        logs = same["log_length"].to_numpy(np.float64)
        layer = int(same["layer"].iloc[0])
        mean, variance, *_ = _law(name, width, layer, same.iloc[0])
        found = np.quantile((logs[np.isfinite(logs)] - mean) / variance**0.5, levels)
        rows.append(
            pd.DataFrame(
                {"activation": name, "width": width, "normal": normal, "measured": found}
            )
        )
    together = pd.concat(rows, ignore_index=True)
    together.attrs["note"] = f"{_note(lengths)}, layer {deepest['layer'].iloc[0]}"
    return together


def deaths(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of dead networks by layer, beside the exact one or its bounds.

    Returns:
        One row per panel, width and layer: ``measured``, ``low`` and ``high``.
    """
    dying = _part(table, "deaths")
    keys = ["width", "layer"]
    shares = dying.groupby(keys, as_index=False)[["dead_one", "dead_both"]].mean()
    width, layer = shares["width"].to_numpy(), shares["layer"].to_numpy()
    lower, upper = meanfield.dead_bounds(width, layer + 1)
    one = shares[keys].assign(
        panel="dead for one input", measured=shares["dead_one"], low=upper, high=upper
    )
    both = shares[keys].assign(
        panel="dead for all inputs", measured=shares["dead_both"], low=lower, high=upper
    )
    rows = pd.concat([one, both], ignore_index=True)
    networks = dying.drop_duplicates(["width", "seed"])["networks"].sum()
    count = networks // dying["width"].nunique()
    rows.attrs["note"] = f"ReLU networks on the line without biases, {count} of each width"
    return rows


def slopes(table: pd.DataFrame) -> pd.DataFrame:
    """Slopes of ln q upward and ln δ² downward, per layer, beside theory.

    Returns:
        One row per direction, activation and width: ``measured`` with its standard
        ``error`` over seeds, ``mean_field``, and ``theory`` to first order in 1/width.
    """
    measured = _part(table, "slopes")
    rows = []
    for (name, width), same in measured.groupby(["activation", "width"], sort=False):
        first, depth = same.iloc[0], int(same["depth"].iloc[0])
        seen = meanfield.log_fluctuations(
            name,
            q=float(first["q"]),
            sigma_w=float(first["sigma_w"]),
            sigma_b=float(first["sigma_b"]),
            width=width,
            depth=depth,
        )
        low, high = TRIMMED, depth - 1 - TRIMMED
        for way, spread, sign in (
            ("forward", seen.length, 1),
            ("backward", seen.gradient, -1),
        ):
            field, shift = (
                sign * (part[high] - part[low]) / (high - low)
                for part in (spread.mean_field, spread.shift)
            )
            error = same[way].std(ddof=1) / len(same) ** 0.5
            rows.append((way, name, width, same[way].mean(), error, field, field + shift))
    columns = ["direction", "activation", "width", "measured", "error"]
    found = pd.DataFrame(rows, columns=[*columns, "mean_field", "theory"])
    found.attrs["note"] = (
        f"{measured['depth'].iloc[0]} layers, {TRIMMED} at each end left out, "
        f"{measured['seed'].nunique()} sets of networks"
    )
    return found


def _law(
    name: str, width: int, layer: int, settings: pd.Series
) -> tuple[float, float, float, str]:
    """Mean and variance of ln R, mean of R² or nan, and what they are."""
    widths = [width] * layer
    try:
        mean, variance = meanfield.log_length_moments(name, widths)
    except ValueError:  # not homogeneous
        seen = meanfield.log_fluctuations(
            name,
            q=float(settings["q"]),
            sigma_w=float(settings["sigma_w"]),
            sigma_b=float(settings["sigma_b"]),
            width=width,
            depth=layer,
        ).length
        return float(seen.shift[-1]), float(seen.variance[-1]), np.nan, "first order"
    growth = float(meanfield.second_moment_growth(name, widths))
    heavy = 5 * layer / width > _HEAVY
    return float(mean), float(variance), np.nan if heavy else growth, "exact"


def _normal_quantiles(levels: np.ndarray) -> np.ndarray:
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf(float(level)) for level in levels])


def _part(table: pd.DataFrame, part: str) -> pd.DataFrame:
    rows = table[table["part"] == part]
    if rows.empty:
        raise Absent(f"no {part}")
    return rows


def _note(lengths: pd.DataFrame) -> str:
    networks = len(lengths.drop_duplicates(["seed", "network"]))
    return f"{networks} networks of each width"

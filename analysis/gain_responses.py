"""What theory says of the two parts of ``sweeps.gain_vs_activation``."""

from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.bands import Absent
from initjax import meanfield
from initjax.gains import gain

KINDS = ("forward", "backward", "centered", "torch")
_LARGEST = 1e280  # beyond, the next layer's q leaves float64
_VALUE = {"forward": "act_log10_rms", "backward": "delta_log10_rms"}


def measured_gains(table: pd.DataFrame) -> pd.DataFrame:
    """Gains with the most samples beside quadrature, and torch's numbers.

    Returns:
        One row per activation and kind: ``measured``, mean over seeds, with its standard
        ``error``, and ``exact``; those of torch have ``published`` only. Activations are
        in the order of their forward gain.
    """
    sampled = _part(table, "samples")
    most = sampled[sampled["samples"] == sampled["samples"].max()]
    rows = []
    for (name, kind), same in most.groupby(["activation", "kind"], sort=False):
        values = same["gain"].to_numpy(np.float64)
        error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else np.nan
        rows.append((name, kind, values.mean(), error, _exact(name, kind), np.nan))
    torch = table[table["kind"] == "torch"].drop_duplicates("activation")
    rows += [
        (name, "torch", np.nan, np.nan, np.nan, float(value))
        for name, value in torch[["activation", "gain"]].itertuples(index=False)
    ]
    columns = ["activation", "kind", "measured", "error", "exact", "published"]
    found = pd.DataFrame(rows, columns=columns)
    order = [_exact(name, "forward") for name in found["activation"]]
    found = found.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    found.insert(0, "panel", "gains")
    found.attrs["note"] = (
        f"{most['samples'].iloc[0]:,} samples, mean of {most['seed'].nunique()} seeds"
    )
    return found


def errors(table: pd.DataFrame) -> pd.DataFrame:
    """Error of ln gain against the number of samples, in units of a sample's scatter.

    Gains that every sample tells without error are left out, such as the slope of |x|.

    Returns:
        One row per kind, activation and number of samples: ``rms``, the root mean square
        error over the seeds, ``unit``, that over the scatter of one sample, and ``law``,
        what the central limit theorem says of ``unit``: 1/√samples.
    """
    sampled = _part(table, "samples")
    sampled = sampled[sampled["scatter"] > 0]
    rows = []
    keys = ["kind", "activation", "samples"]
    sampled = sampled.sort_values("kind", key=lambda k: k.map(KINDS.index), kind="stable")
    for (kind, name, samples), same in sampled.groupby(keys, sort=False):
        away = np.log(same["gain"].to_numpy(np.float64) / _exact(name, kind))
        rms = np.sqrt(np.mean(away**2))
        unit = rms / float(same["scatter"].iloc[0])
        rows.append((kind, name, samples, rms, unit, samples**-0.5))
    found = pd.DataFrame(rows, columns=[*keys, "rms", "unit", "law"])
    found["seeds"] = sampled["seed"].nunique()
    words = "seeds; activations share samples: dots of one size are not independent"
    found.attrs["note"] = f"{sampled['seed'].nunique()} {words}"
    return found


def scales(table: pd.DataFrame, direction: str) -> pd.DataFrame:
    """RMS of activations or of ∂L/∂z by layer, beside theory; all in log10.

    Returns:
        One row per activation, kind and recorded layer: ``low``, ``median`` and ``high``,
        quantiles 0.05, 0.5 and 0.95 of the seeds, and ``theory``, the mean field.
    """
    networks = _part(table, "networks")
    column, keys = _VALUE[direction], ["activation", "kind", "layer"]
    raised = networks.assign(**{column: networks[column].astype(float).fillna(np.inf)})
    grouped = raised.groupby(keys, sort=False)[column]
    rows = pd.DataFrame(
        {
            name: grouped.quantile(p, interpolation="nearest")
            for name, p in (("low", 0.05), ("median", 0.5), ("high", 0.95))
        }
    ).reset_index()
    at = 0 if direction == "forward" else 1
    curves = _curves(networks)
    rows["theory"] = [
        curves[name, kind][at][layer]
        for name, kind, layer in rows[keys].itertuples(index=False)
    ]
    if direction == "backward":
        ordered = rows.sort_values("layer").groupby(["activation", "kind"], sort=False)
        rows["theory"] += ordered["median"].transform("last")
    first = networks.iloc[0]
    rows.insert(0, "direction", direction)
    rows.attrs["note"] = (
        "N(0, 1) inputs and σ_w = gain in every layer, the first too: q starts at gain².\n"
        f"No biases, width {first['width']}, {first['depth']} layers, "
        f"{networks['seed'].nunique()} seeds"
    )
    if direction == "backward":
        rows.attrs["note"] += "; mean field from the measured last layer"
    return rows


def factors(table: pd.DataFrame) -> pd.DataFrame:
    """Factor per layer on the RMS, in the direction in which it travels, beside theory.

    From the first quarter to the last eighth, without the way to a fixed point and what
    the loss does to the last layers.

    Returns:
        One row per direction, activation and kind: ``measured``, geometric mean over
        seeds, with the standard ``error`` of its logarithm, and ``theory``; measured is
        0 or inf where that is what becomes of all networks, nan where they differ, and
        ``split`` where signals of some grow, and of others fall, by > 2 % a layer.
    """
    networks = _part(table, "networks")
    curves = _curves(networks)
    low, high = _window(networks)
    rows, split = [], {}
    for direction, column in _VALUE.items():
        sign = 1 if direction == "forward" else -1
        values = networks.pivot(
            index=["activation", "kind", "seed"], columns="layer", values=column
        ).astype(float)
        ends = (low, high) if direction == "forward" else (high, low)
        slopes = _slopes(values[ends[0]], values[ends[1]], high - low)
        for (name, kind), same in slopes.groupby(level=[0, 1], sort=False):
            theory = curves[name, kind][0 if sign > 0 else 1]
            said = sign * (theory[high] - theory[low]) / (high - low)
            if direction == "forward":
                split[name, kind] = 10 ** same.min() < 0.98 and 10 ** same.max() > 1.02
            seen = (*_mean(same.to_numpy()), 10**said, split[name, kind])
            rows.append((direction, name, kind, *seen))
    columns = ["direction", "activation", "kind", "measured", "error", "theory", "split"]
    found = pd.DataFrame(rows, columns=columns)
    order = [gain(name) for name in found["activation"]]
    found = found.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    depth, width = networks[["depth", "width"]].iloc[0]
    found.attrs["note"] = (
        f"Layers {low} to {high} of {depth}, width {width}, "
        f"{networks['seed'].nunique()} seeds; q starts at gain².\n"
        "Hollow: seeds go either way, and a mean says little"
    )
    return found


def starts(table: pd.DataFrame) -> pd.DataFrame:
    """One signal per seed from q = 1 with the forward gain, beside the noise of a width.

    Returns:
        One row per activation, seed and layer: ``rms``, log10 √q after the layer, and
        ``spread``, the std of ln √q while it is small: a layer of n units adds
        Var φ²/(E φ²)²/n to the variance of ln q, and the next multiplies it by V′(1)².
    """
    rows = _part(table, "unit_start")
    rows = rows[["activation", "seed", "layer", "width", "gain", "act_log10_rms"]].copy()
    rows["rms"] = rows.pop("act_log10_rms").astype(float) + np.log10(rows.pop("gain"))
    scatter = table[table["kind"] == "forward"].groupby("activation")["scatter"].first()
    for name, same in rows.groupby("activation", sort=False):
        slope = meanfield.chi_q(str(name), q=1.0, sigma_w=gain(str(name)))
        grown = np.cumsum(float(slope) ** (2 * np.arange(same["layer"].max() + 1)))
        noise = float(scatter[name]) / np.sqrt(same["width"])  # of ln √q, by one layer
        rows.loc[same.index, "spread"] = noise * np.sqrt(grown[same["layer"]])
    rows.attrs["note"] = (
        f"σ_w = 1 in layer 0, inputs of mean square 1, no biases, width "
        f"{rows.pop('width').iloc[0]}, {rows['seed'].nunique()} seeds; y ranges differ"
    )
    return rows


def _slopes(start: pd.Series, end: pd.Series, span: int) -> pd.Series:
    """Decades per layer of each network; -inf if it ends as 0, inf if beyond float32."""
    with np.errstate(invalid="ignore"):
        slope = (end - start) / span
    return slope.where(~np.isneginf(end), -np.inf).where(end.notna(), np.inf)


def _mean(slopes: np.ndarray) -> tuple[float, float]:
    """Factor and error of its logarithm; what all become, or nan if they differ."""
    if np.isfinite(slopes).all():
        spread = slopes.std(ddof=1) if len(slopes) > 1 else np.nan
        return 10 ** slopes.mean(), spread * np.log(10) / len(slopes) ** 0.5
    alike = (slopes == slopes[0]).all()
    return 10 ** float(slopes[0]) if alike else np.nan, np.nan


def _window(networks: pd.DataFrame) -> tuple[int, int]:
    """Recorded layers between which the slope is taken."""
    layers, depth = np.unique(networks["layer"]), int(networks["depth"].max())
    inner = layers[(layers >= depth / 4) & (layers <= depth * 7 / 8)]
    kept = inner if len(inner) > 1 else layers
    return int(kept[0]), int(kept[-1])


def _curves(networks: pd.DataFrame) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """Theory of log10 RMS of h, and of log10 growth of δ, by activation and kind."""
    found = {}
    depth = int(networks["depth"].max())
    one = networks.drop_duplicates(["activation", "kind"])
    for name, same in one.groupby("activation", sort=False):
        both = _recursion(str(name), tuple(same["gain"].astype(float)), depth)
        for at, kind in enumerate(same["kind"]):
            found[str(name), str(kind)] = (both[0][:, at], both[1][:, at])
    return found


@lru_cache(maxsize=128)  # several figures of one table ask for the same
def _recursion(
    activation: str, gains: tuple[float, ...], depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean field of layers of one σ_w each, [layer, gain], nan past float64.

    q_0 = σ_w²,  q_{ℓ+1} = V(q_ℓ),  rms h_ℓ = √q_{ℓ+1} / σ_w,  δ_ℓ² = χ₁(q_ℓ) δ²_{ℓ+1}
    """
    sigma = np.array(gains)
    q = sigma**2
    rms, chi = np.full((2, depth, len(q)), np.nan)
    for layer in range(depth):
        known = (q > 1 / _LARGEST) & (q < _LARGEST)
        here = np.where(known, q, 1.0)  # one shape for all layers: one compilation
        after = meanfield.variance_map(here, activation, sigma_w=sigma)
        q = np.where(known, after, np.nan)
        with np.errstate(divide="ignore"):
            rms[layer] = np.log10(q) / 2 - np.log10(sigma)
        slope = meanfield.chi(activation, q=here, sigma_w=sigma)
        chi[layer] = np.where(known, slope, np.nan)
    steps = np.log10(chi[:-1]) / 2
    below = np.cumsum(steps[::-1], axis=0)[::-1]
    return rms, np.concatenate([below, np.zeros((1, len(q)))])


@lru_cache(maxsize=256)
def _exact(activation: str, kind: str) -> float:
    return gain(activation, kind=kind)  # type: ignore[arg-type]


def _part(table: pd.DataFrame, part: str) -> pd.DataFrame:
    rows = table[table["part"] == part]
    if rows.empty:
        raise Absent(f"no {part}")
    return rows

"""Rows of the figures of ``sweeps.dead_relu``: measured, and what theory says of it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.bands import Absent
from initjax import meanfield

ZERO = -72.0
"""Height at which a gradient of exactly 0 is drawn, log10."""

PUBLISHED = {("relu", "biases", 5): 0.49, ("leaky_relu", "biases", 5): 0.51} | {
    ("leaky_relu", kind, 1): 1.7e-16 for kind in ("weights", "biases")
}
"""Norms of single runs, given without reference; of the smallest one it is not said
whether of weights or biases, so that it stands beside both."""

_LOG = ("weight_grad", "bias_grad")


def quantile(values: Sequence[float] | pd.Series, p: float) -> float:
    """A quantile that is one of the values, so that -inf is no obstacle."""
    return float(np.quantile(np.asarray(values, float), p, method="inverted_cdf"))


def gradients(table: pd.DataFrame) -> pd.DataFrame:
    """Norms of the gradients before the first step, by layer, beside their expectation.

    Returns:
        activation, kind (weights or biases), layer, ``low``, ``median``, ``high``:
        quantiles 0.05, 0.5, 0.95 of log10; ``theory``; ``published`` if there is one.
    """
    first = _part(table, "start")
    rows = []
    for (name, layer), same in first.groupby(["activation", "layer"], sort=False):
        for kind, column in zip(("weights", "biases"), _LOG, strict=True):
            found = [quantile(same[column], p) for p in (0.05, 0.5, 0.95)]
            theory = same[column.replace("grad", "theory")].mean()
            said = PUBLISHED.get((str(name), kind, int(layer)), np.nan)
            rows.append((name, kind, layer, *found, theory, said))
    columns = ["activation", "kind", "layer", "low", "median", "high", "theory"]
    found = pd.DataFrame(rows, columns=[*columns, "published"])
    found.attrs["note"] = _note(first)
    return found


def courses(table: pd.DataFrame) -> pd.DataFrame:
    """What training does, median over the seeds.

    Returns:
        panel, activation, step and ``value``: the loss in nats; the log10 of the largest
        weight gradient of all layers.
    """
    trained = _part(table, "training")
    keys = ["activation", "seed", "step"]
    largest = trained.groupby(keys, sort=False)["weight_grad"].max()
    loss = trained.groupby(keys, sort=False)["loss"].first()
    panels = {"loss, nats": loss, "largest |∂L/∂W| of a layer": largest}
    rows = [
        (panel, name, step, quantile(values, 0.5))
        for panel, series in panels.items()
        for (name, step), values in series.groupby(["activation", "step"], sort=False)
    ]
    found = pd.DataFrame(rows, columns=["panel", "activation", "step", "value"])
    found.attrs["note"] = f"{_note(trained)}, {trained['step'].max()} steps"
    return found


def scan(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of dead units and networks by bias, mean over seeds.

    Returns:
        panel, layer, bias, ``measured``, and in layer 1 ``theory``: the mean of p, the
        probability of a unit, or of pⁿ, that of all units of a network.
    """
    scanned = _part(table, "scan")
    chosen = [(s, w) for s, w in zip(scanned["scheme"], scanned["width"], strict=True)]
    pairs = sorted(set(chosen), key=lambda pair: (pair[0].startswith("kaiming"), pair))
    narrow = min(width for _, width in pairs)
    pairs = [p for p in pairs if p[0].startswith("kaiming") or p[1] == narrow]
    parts = []
    for what, column in (("units", "dead_units"), ("networks", "dead_points")):
        for scheme, width in pairs:
            same = scanned[(scanned["scheme"] == scheme) & (scanned["width"] == width)]
            unit = same["dead_units_theory"].astype(float)
            same = same.assign(theory=unit ** (1 if what == "units" else width))
            mean = same.groupby(["layer", "bias"], as_index=False)[
                [column, "theory"]
            ].mean()
            mean = mean.rename(columns={column: "measured"})
            parts.append(mean.assign(panel=f"{what}: {scheme}, width {width}"))
    found = pd.concat(parts, ignore_index=True)
    first = scanned.iloc[0]
    found.attrs["note"] = (
        f"ReLU, {scanned['seed'].nunique()} seeds of {first['networks']} networks each"
    )
    return found


def depths(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of dead networks without biases by layer, beside the exact one or bounds.

    Returns:
        One row per panel, width and layer: ``measured``, ``low`` and ``high``. On the
        moons, which are no line, ``low`` is nan; dead there is dead at x, as ``high`` is.
    """
    dying = _part(table, "depths")
    keys = ["width", "layer"]
    columns = ["dead_one", "dead_line", "dead_points"]
    shares = dying.groupby(keys, as_index=False)[columns].mean()
    lower, upper = meanfield.dead_bounds(
        shares["width"].to_numpy(), shares["layer"].to_numpy() + 1
    )
    panels = {
        "at one input x (line: exact)": ("dead_one", upper, upper),
        "at x and -x (shaded: the bounds)": ("dead_line", lower, upper),
        "on the moons (dashed: at most)": ("dead_points", np.nan, upper),
    }
    parts = [
        shares[keys].assign(panel=panel, measured=shares[column], low=low, high=high)
        for panel, (column, low, high) in panels.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    count = dying["seed"].nunique() * int(dying["networks"].iloc[0])
    rows.attrs["note"] = f"{count} networks of each width"
    return rows


def percentile(table: pd.DataFrame, kind: str) -> float:
    """Share of leaky ReLU networks below the published smallest norm, in layer 1."""
    first = _part(table, "start")
    same = first[(first["activation"] == "leaky_relu") & (first["layer"] == 1)]
    column = dict(zip(("weights", "biases"), _LOG, strict=True))[kind]
    return float((same[column] < np.log10(PUBLISHED["leaky_relu", "weights", 1])).mean())


def _part(table: pd.DataFrame, part: str) -> pd.DataFrame:
    rows = table[table["part"] == part]
    if rows.empty:
        raise Absent(f"no {part}")
    return rows


def _note(rows: pd.DataFrame) -> str:
    first = rows.iloc[0]
    return (
        f"two moons, 2-3-3-3-3-1, weights {first['scheme']}, all biases "
        f"{first['bias']:g}, {rows['seed'].nunique()} seeds"
    )

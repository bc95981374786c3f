"""What the figures of ``sweeps.vanishing_gradient`` show, as rows of their CSV."""

from functools import partial

import numpy as np
import pandas as pd

from analysis.bands import Absent
from analysis.gradient_theory import (
    COLUMNS,
    ONE,
    PUBLISHED,
    SHORT,
    SMALL,
    expected,
    percentiles,
    published_start,
)

STATISTICS = (
    "act_log10_rms",
    "act_log10_spread",
    "delta_log10_rms",
    "weight_grad_log10_norm",
    "bias_grad_log10_norm",
)
_RANKS = {"low": 0.05, "median": 0.5, "high": 0.95}
_SHOWN = ("sigmoid", "relu")
LEARNT = 0.6
"""Loss below which a network has left the ln 2 of a guess, nats."""


def start(scheme: str, bias: float) -> str:
    """Short name of how networks begin."""
    return f"{SHORT.get(scheme, scheme)}, b = {bias:g}"


def by_layer(table: pd.DataFrame) -> pd.DataFrame:
    """|∂L/∂W| before the first step, in log10: median and 90 % band over seeds.

    Returns:
        activation, scheme, bias, layer, ``low``, ``median``, ``high``, and for the
        networks of the published kind ``theory`` and ``published``.
    """
    first = table[table["part"] == "first"]
    keys = ["activation", "scheme", "bias", "layer"]
    rows = _quantiles(first, keys, COLUMNS["weight"])
    known = [r.scheme == SMALL and r.bias == ONE for r in rows.itertuples()]
    laws = {name: expected(name) for name in rows["activation"].unique()}
    theory = [laws[r.activation][r.layer - 1] for r in rows.itertuples()]
    values = [PUBLISHED.get((r.activation, r.layer), np.nan) for r in rows.itertuples()]
    rows["theory"] = np.where(known, theory, np.nan)
    rows["published"] = np.where(known, np.log10(values), np.nan)
    rows.attrs["note"] = f"2-3-3-3-3-1, two moons, {first['seed'].nunique()} seeds"
    return rows


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Medians of what goes up and what comes back before the first step.

    Returns:
        panel, activation, scheme, bias, layer and a column for each statistic, log10.

    Raises:
        Absent: if there are neither networks with sigmoids nor with ReLUs.
    """
    first = table[(table["part"] == "first") & table["activation"].isin(_SHOWN)]
    small = (first["scheme"] == SMALL) & (first["bias"] == ONE)
    fitting = (first["scheme"] == "xavier_normal(gain)") & (first["bias"] == 0)
    shown = first[small | fitting]
    if shown.empty:
        raise Absent("neither sigmoid nor ReLU")
    keys = ["activation", "scheme", "bias", "layer"]
    rows = shown.groupby(keys)[list(STATISTICS)].median().reset_index()
    rows.insert(0, "panel", _panels(rows))
    return rows


def in_training(table: pd.DataFrame) -> pd.DataFrame:
    """|∂L/∂W| over training at the highest rate, in log10: median and 90 % band.

    Returns:
        panel, activation, scheme, bias, layer, step, ``low``, ``median``, ``high`` and
        ``zero``, the share of networks in which it is exactly 0.

    Raises:
        Absent: if no sigmoid or ReLU network is trained.
    """
    rows = table[table["part"] == "training"]
    rows = rows[(rows["rate"] == rows["rate"].max())]
    rows = rows[rows["activation"].isin(_SHOWN)]
    if rows.empty:
        raise Absent("neither sigmoid nor ReLU in training")
    keys = ["activation", "scheme", "bias", "layer", "step"]
    found = _quantiles(rows, keys, COLUMNS["weight"])
    zero = (rows[COLUMNS["weight"]] == -np.inf).groupby([rows[key] for key in keys])
    found["zero"] = zero.mean().to_numpy(np.float64)
    found.insert(0, "panel", _panels(found))
    found.attrs["note"] = f"rate {rows['rate'].max():g}, {rows['seed'].nunique()} seeds"
    return found


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Norms of every seed where one run was published, and the share below that run.

    Returns:
        panel, activation, layer, seed, ``log10_norm``, ``published`` (log10).
    """
    rows = published_start(table)
    found = []
    for row in percentiles(table).itertuples():
        same = rows[(rows["activation"] == row.activation) & (rows["layer"] == row.layer)]
        panel = f"{row.activation}, layer {row.layer}: percentile {row.percentile:.0f}"
        part = same[["activation", "layer", "seed"]].assign(
            log10_norm=same[COLUMNS["weight"]], published=np.log10(row.published)
        )
        part.insert(0, "panel", panel)
        found.append(part)
    if not found:
        raise Absent("no activation of which a run was published")
    shown = pd.concat(found, ignore_index=True)
    shown.attrs["note"] = (
        f"N(0, 0.01²) weights, biases of 1, {rows['seed'].nunique()} seeds"
    )
    return shown


def losses(table: pd.DataFrame) -> pd.DataFrame:
    """Loss over training by activation and rate: median and 90 % band over seeds.

    Returns:
        panel, part, activation, scheme, bias, rate, step, ``low``, ``median``, ``high``
        and ``learned``, the share of networks below ``LEARNT``. The panel with most of
        them is there once more, named "below …".

    Raises:
        Absent: if no network is trained.
    """
    rows = table[table["part"].isin(("training", "slow")) & (table["layer"] == 1)]
    if rows.empty:
        raise Absent("no networks in training")
    keys = ["part", "activation", "scheme", "bias", "rate", "step"]
    found = _quantiles(rows, keys, "loss")
    below = (rows["loss"] < LEARNT).groupby([rows[key] for key in keys])
    found["learned"] = below.mean().to_numpy(np.float64)
    found = found.sort_values("part", ascending=False, kind="stable")
    panels = [f"{start(r.scheme, r.bias)}, rate {r.rate:g}" for r in found.itertuples()]
    longer = np.where(found["part"] == "slow", ", longer", "")
    found.insert(0, "panel", np.char.add(panels, longer))
    ends = found[(found["part"] == "training") & (found["step"] > 0)]
    if not ends.empty:
        most = ends.groupby("panel", sort=False)["learned"].mean().idxmax()
        again = found[found["panel"] == most]
        again = again.assign(panel=f"below {LEARNT}: {most}")
        found = pd.concat([found, again], ignore_index=True)
    found.attrs["note"] = f"640 points, full batch, {rows['seed'].nunique()} seeds"
    return found


def _panels(rows: pd.DataFrame) -> list[str]:
    return [f"{r.activation}, {start(r.scheme, r.bias)}" for r in rows.itertuples()]


def _quantiles(rows: pd.DataFrame, keys: list[str], column: str) -> pd.DataFrame:
    """Nearest quantiles of a column by keys, for -inf is a value too; nan counts above."""
    grouped = rows.assign(**{column: rows[column].fillna(np.inf)}).groupby(keys)[column]
    found = {
        name: grouped.apply(partial(np.quantile, q=rank, method="nearest"))
        for name, rank in _RANKS.items()
    }
    return pd.DataFrame(found).astype(float).reset_index()

"""From rows per seed to median and band, with the theory in the same columns."""

import math
from functools import partial

import numpy as np
import pandas as pd

from analysis.overlays import mean_field
from analysis.slopes import meaningful
from analysis.style import SCHEME_ORDER, SHOWN, in_order, label

_KEYS = ["activation", "scheme", "layer"]


class Absent(Exception):
    """A table has no rows of the kind that a figure shows."""


def one_family(table: pd.DataFrame, inputs: str) -> pd.DataFrame:
    """The deepest networks on one kind of input, of one width, in a few schemes.

    Raises:
        Absent: if the table has no networks on such inputs.
    """
    kind = table[table["inputs"] == inputs]
    if kind.empty:
        raise Absent(f"no networks on {inputs} input")
    same = kind[
        (kind["width"] == kind["width"].min())
        & (kind["batch"] == kind["batch"].min())
        & (kind["depth"] == kind["depth"].max())
    ]
    shown = [scheme for scheme in SHOWN if (same["scheme"] == scheme).any()]
    return same[same["scheme"].isin(shown or in_order(same["scheme"], SCHEME_ORDER)[:6])]


def bands(networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """Median and 90 % band of a log10 column over seeds.

    Returns:
        activation, scheme, layer, ``low``, ``median``, ``high``: quantiles 0.05,
        0.5 and 0.95 of the seeds; -inf is a value of zero, nan one that is not
        finite. ``attrs["note"]`` says what networks they are.
    """
    values = networks.assign(**{column: meaningful(networks, column)})
    grouped = values.groupby(_KEYS, sort=False)[column]
    rows = pd.DataFrame(
        {
            name: grouped.apply(partial(_quantile, p=p))
            for name, p in (("low", 0.05), ("median", 0.5), ("high", 0.95))
        }
    ).reset_index()
    rows.attrs["note"] = f"{label(networks['inputs'].iloc[0])} input, {sizes(networks)}"
    return rows


def sizes(networks: pd.DataFrame) -> str:
    """Of what size networks of one family are, and how many, in words of a caption."""
    first = networks.iloc[0]
    return (
        f"width {first['width']}, batch {first['batch']}, {first['depth']} layers, "
        f"{networks['seed'].nunique()} seeds"
    )


def with_theory(rows: pd.DataFrame, networks: pd.DataFrame, column: str) -> pd.DataFrame:
    """``rows`` with the mean field of the networks, and their band at finite width.

    Returns:
        ``rows`` with columns ``theory``, ``theory_low`` and ``theory_high``.
    """
    names = {f"{column}{end}": f"theory{end}" for end in ("", "_low", "_high")}
    predicted = mean_field(networks)[[*_KEYS, *names]].rename(columns=names)
    joined = rows.merge(predicted, on=_KEYS, how="left")
    joined.attrs = rows.attrs
    return joined


def _quantile(values: pd.Series, p: float) -> float:
    """Quantile of log10 values, nan and inf counted above all others; nan if there."""
    raised = np.sort(values.fillna(np.inf).to_numpy(np.float64))
    at = p * (len(raised) - 1)
    low, high = raised[math.floor(at)], raised[math.ceil(at)]
    if not np.isfinite([low, high]).all():
        low = high = raised[round(at)]
    q = low if low == high else low + (high - low) * (at % 1)
    return float(q) if q < np.inf else float("nan")

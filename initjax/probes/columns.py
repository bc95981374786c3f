"""The columns of a trace from the numbers that a program returned."""

from collections.abc import Sequence

import numpy as np

from initjax.probes.sites import Site
from initjax.probes.statistics import COMPARED, COUNTED, FORWARD, PARAMETER, log10_of
from initjax.probes.trace import Parameter
from initjax.typing import HostArray

_ACTIVATION = ("saturated_fraction", "dead_fraction")
_TERMS = ("skip_top", "skip_square", "branch_top", "branch_square")
_SITE = (*FORWARD, *COMPARED, *COUNTED, *_ACTIVATION, *_TERMS)
_OWN = (*PARAMETER, "twin_fraction", "grad_twin_fraction", "grad_top", "grad_square")


def site_values(
    sites: Sequence[Site], rows: Sequence[HostArray], back: Sequence[HostArray], seeds: int
) -> dict[str, HostArray]:
    """[seed, site] of each of SITE_COLUMNS.

    Args:
        sites: In the order of the rows.
        rows: Of each site [seed, numbers going forward].
        back: Of each site [seed, numbers coming back].
        seeds: How many.
    """
    raw = _table(rows, _SITE, seeds)
    behind = _table(back, ("top", "square"), seeds)
    sizes = np.array([max(int(np.prod(site.shape)), 1) for site in sites], np.float64)
    values = {**_moments(raw), "log10_max": log10_of(raw["top"], _lead(raw["top"]))}
    for name in ("zero_fraction", *_ACTIVATION, *COMPARED, *COUNTED):
        values[name] = raw[name]
    values["back_log10_rms"] = log10_of(behind["top"], behind["square"])
    values["back_log10_norm"] = values["back_log10_rms"] + np.log10(sizes) / 2
    values["back_nonfinite"] = (~np.isfinite(behind["top"])).astype(np.float64)
    with np.errstate(invalid="ignore"):
        skip = log10_of(raw["skip_top"], raw["skip_square"])
        branch = log10_of(raw["branch_top"], raw["branch_square"])
        values["branch_log10_ratio"] = branch - skip
    return values


def parameter_values(
    rows: Sequence[HostArray], parameters: Sequence[Parameter], seeds: int
) -> dict[str, HostArray]:
    """[seed, parameter] of each of PARAMETER_COLUMNS."""
    raw = _table(rows, _OWN, seeds)
    sizes = np.array([max(int(np.prod(p.shape)), 1) for p in parameters], np.float64)
    moments, norm = _moments(raw), np.log10(sizes) / 2
    values = {name: moments[name] for name in ("mean", "log10_std")}
    values["log10_norm"] = moments["log10_rms"] + norm
    values["grad_log10_norm"] = log10_of(raw["grad_top"], raw["grad_square"]) + norm
    with np.errstate(invalid="ignore"):
        values["log10_ratio"] = values["grad_log10_norm"] - values["log10_norm"]
    for name in ("distinct", "twin_fraction", "grad_twin_fraction"):
        values[name] = raw[name]
    values["nonfinite_count"] = raw["nonfinite"]
    return values


def _table(
    rows: Sequence[HostArray], names: Sequence[str], seeds: int
) -> dict[str, HostArray]:
    """[seed, row] by name."""
    table = np.stack(rows, 1) if rows else np.zeros((seeds, 0, len(names)))
    return {name: table[..., i].astype(np.float64) for i, name in enumerate(names)}


def _moments(raw: dict[str, HostArray]) -> dict[str, HostArray]:
    """Mean, log10 of standard deviation and of root mean square, of scaled ones."""
    top = raw["top"]
    finite = np.isfinite(top)
    _, exponent = np.frexp(np.where(finite & (top > 0), top, 1))
    power = np.exp2(np.clip(exponent - 1.0, -127, 126))
    return {
        "mean": np.where(finite, np.where(top > 0, raw["unit_mean"] * power, 0), np.nan),
        "log10_std": log10_of(top, raw["unit_variance"]),
        "log10_rms": log10_of(top, raw["unit_square"]),
    }


def _lead(top: HostArray) -> HostArray:
    """The square of the largest entry after scaling."""
    mantissa, _ = np.frexp(np.where(np.isfinite(top), top, 1))
    return (2 * mantissa) ** 2

"""From the table of ``sweeps.init_distributions`` to the rows that its figures draw."""

import numpy as np
import pandas as pd
from scipy import stats

from analysis.bands import Absent

FAMILIES = {
    **dict.fromkeys(("normal", "xavier_normal", "kaiming_normal"), "Gaussian"),
    **dict.fromkeys(
        (
            *("truncated_normal", "trunc_normal", "variance_scaling"),
            *("glorot_normal", "he_normal", "lecun_normal"),
        ),
        "truncated",
    ),
    **dict.fromkeys(
        (
            *("uniform", "xavier_uniform", "kaiming_uniform"),
            *("glorot_uniform", "he_uniform", "lecun_uniform"),
        ),
        "uniform",
    ),
    **dict.fromkeys(("orthogonal", "delta_orthogonal"), "orthogonal"),
    "sparse": "sparse",
}
"""Schemes that have a density, by its form."""
_OF_JAX = {
    **{"uniform": "uniform", "normal": "normal", "trunc_normal": "truncated_normal"},
    **{"xavier_uniform": "glorot_uniform", "xavier_normal": "glorot_normal"},
    **{"kaiming_uniform": "he_uniform", "kaiming_normal": "he_normal"},
    **{"lecun_normal": "lecun_normal", "orthogonal": "orthogonal"},
    **{"delta_orthogonal": "delta_orthogonal", "sparse": ""},
}
"""Panels of the histograms: a scheme of initjax, and what JAX has for it."""
EXACT = "exact values"
SCORES = {"mean_z": "mean", "variance_z": "variance", "kurtosis_z": "kurtosis"}
TAIL, BETWEEN = 15, 60
"""Scores of a family that are drawn: so many at each end, about so many of the rest."""


def histograms(table: pd.DataFrame) -> pd.DataFrame:
    """Densities of entries over their standard deviation, and shares of exact values.

    The densities are of the entries that have no exact value, as titles say.

    Returns:
        panel, title, source, scheme, shape, x, density, law; with atoms x is the value,
        and density and law its shares.
    """
    entries = table[table["sample"] == "entries"]
    parts = []
    for scheme, other in _OF_JAX.items():
        for source, name in (("initjax", scheme), ("jax", other)):
            same = _one_shape(_named(entries, source, name))
            if same.empty or not (same["kind"] == "bin").any():
                continue
            bins = same[same["kind"] == "bin"]
            law = same[same["kind"] == "moments"].iloc[0]
            unit = law["law_std"] / law["law_kept"] ** 0.5
            scale = unit / bins["width"] / law["law_kept"]
            values = {"x": bins["value"] / unit, "density": bins["share"] * scale}
            rows = bins[["source", "scheme", "shape"]].assign(
                panel=scheme, **values, law=bins["law_share"] * scale
            )
            cut = ", where not 0" if law["law_kept"] < 1 else ""
            parts.append(rows.assign(title=_title(scheme, other) + cut))
    atoms = entries[(entries["kind"] == "atom") & (entries["source"] == "initjax")]
    for _, of in atoms.groupby("scheme"):
        rows = _one_shape(of)[["source", "scheme", "shape", "value", "share", "law_share"]]
        names = {"value": "x", "share": "density", "law_share": "law"}
        parts.append(rows.rename(columns=names).assign(panel=EXACT, title=EXACT))
    if not parts:
        raise Absent("no entries of kernels")
    rows = pd.concat(parts, ignore_index=True)
    shapes = ", ".join(_spelled(shape) for shape in rows["shape"].unique())
    rows.attrs["note"] = f"kernels {shapes}, {_seeds(table)} seeds together"
    return rows


def deviations(table: pd.DataFrame) -> pd.DataFrame:
    """How far quantiles of samples are from those of the law, in standard errors.

    Returns:
        panel (the shape), source, scheme, family, p, score: (F(x_p) - p) / √(p(1 - p)/N).
    """
    rows = table[(table["sample"] == "entries") & (table["kind"] == "quantile")]
    if rows.empty:
        raise Absent("no quantiles of entries")
    p = rows["law_share"]
    found = rows[["source", "scheme"]].assign(
        panel=[_spelled(shape) for shape in rows["shape"]],
        family=rows["scheme"].map(FAMILIES),
        p=p,
        score=(rows["share"] - p) / np.sqrt(p * (1 - p) / rows["entries"]),
    )
    outside = (found["score"].abs() > stats.norm.ppf(0.975)).mean()
    found.attrs["note"] = (
        f"{len(found)} quantiles of {found.groupby(['source', 'scheme']).ngroups} schemes, "
        f"{_seeds(table)} seeds together: {outside:.1%} outside the band"
    )
    return found


def scores(table: pd.DataFrame) -> pd.DataFrame:
    """Standard scores of single kernels in order, against those of a normal law.

    Returns:
        panel (the moment), family, normal, score, low, high (quantiles 0.025 and 0.975
        of the score of this rank), count: number of scores, of which all are drawn in
        the tails and some between.
    """
    rows = table[(table["sample"] == "entries") & (table["kind"] == "moments")]
    rows = rows[rows["index"] >= 0].assign(family=rows["scheme"].map(FAMILIES))
    parts = []
    for column, panel in SCORES.items():
        for family, values in rows.dropna(subset=[column]).groupby("family")[column]:
            count = len(values)
            rank = np.arange(1, count + 1)
            tail = (rank <= TAIL) | (rank > count - TAIL)
            drawn = tail | (rank % max(1, count // BETWEEN) == 0)
            low, high = stats.beta.ppf([[0.025], [0.975]], rank, count + 1 - rank)
            found = {"normal": (rank - 0.5) / count, "low": low, "high": high}
            found = {name: stats.norm.ppf(p)[drawn] for name, p in found.items()}
            names = {"panel": panel, "family": family, "count": count}
            parts.append(pd.DataFrame(names | found | {"score": np.sort(values)[drawn]}))
    if not parts:
        raise Absent("no scores")
    joined = pd.concat(parts, ignore_index=True)
    all_ = rows[list(SCORES)]
    joined.attrs["note"] = (
        f"legend: kernels of a family, drawn the {TAIL} scores at each end and some "
        f"between; of all {all_.count().sum():,} the farthest {all_.abs().max().max():.1f}"
    )
    return joined


def preactivations(table: pd.DataFrame) -> pd.DataFrame:
    """Densities of sums of entries, in standard deviations.

    Returns:
        panel, scheme, fan, x, density, law.
    """
    sums = _sums(table)
    rows = sums[sums["kind"] == "bin"]
    unit = rows.merge(
        sums[sums["index"] == -1][["scheme", "shape", "law_std"]], on=["scheme", "shape"]
    )["law_std_y"].to_numpy()
    scale = unit / rows["width"]
    found = rows[["scheme", "fan"]].assign(
        panel=[_fan(fan) for fan in rows["fan"]],
        x=rows["value"] / unit,
        density=rows["share"] * scale,
        law=rows["law_share"] * scale,
    )
    found.attrs["note"] = f"{rows['entries'].max():,} draws, inputs of one size"
    return found.sort_values(["fan", "scheme", "x"], ignore_index=True)


def agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Where three laws of one variance differ as sums: moments, extremes and distance.

    Returns:
        panel, scheme, fan, measured, low, high, law. Kurtosis: mean of the seeds with
        two standard errors; largest: median of the seeds with their quartiles; distance
        of all draws from a Gaussian, with ``floor``, the median of that of Gaussian draws.
    """
    sums = _sums(table)
    parts = []
    for (scheme, fan), same in sums[sums["kind"] == "moments"].groupby(["scheme", "fan"]):
        seeds, all_ = same[same["index"] >= 0], same[same["index"] == -1].iloc[0]
        error = 2 * seeds["kurtosis"].std() / len(seeds) ** 0.5
        kurtosis, largest = (
            seeds["kurtosis"].mean(),
            seeds["largest"].quantile([0.25, 0.75]),
        )
        apart, law = all_["from_normal"], seeds.iloc[0]
        names = {"scheme": scheme, "fan": fan}
        for panel, measured, low, high, theory in (
            ("kurtosis", kurtosis, kurtosis - error, kurtosis + error, "law_kurtosis"),
            (
                f"largest |z| of {law['entries']:,}, over σ",
                *(seeds["largest"].median(), *largest, "law_largest"),
            ),
            ("distance from a Gaussian", apart, apart, apart, "law_from_normal"),
        ):
            values = {"measured": measured, "low": low, "high": high, "law": law[theory]}
            floor = stats.kstwobign.ppf(0.5) / all_["entries"] ** 0.5
            parts.append(names | {"panel": panel, **values, "floor": floor})
    rows = pd.DataFrame(parts)
    entries = sums["entries"].max()
    rows.attrs["note"] = (
        f"{_seeds(table)} seeds, the distance of all {entries:,} draws; "
        "the three laws are set side by side"
    )
    return rows


def _sums(table: pd.DataFrame) -> pd.DataFrame:
    sums = table[table["sample"] == "preactivations"]
    if sums.empty:
        raise Absent("no pre-activations")
    return sums.assign(fan=[int(shape.split("x")[0]) for shape in sums["shape"]])


def _named(table: pd.DataFrame, source: str, scheme: str) -> pd.DataFrame:
    return table[(table["source"] == source) & (table["scheme"] == scheme)]


def _one_shape(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the shape with the fewest axes, the first of those."""
    shapes = sorted(table["shape"].unique(), key=lambda words: (words.count("x"), words))
    return table[table["shape"] == shapes[0]] if shapes else table


def _title(scheme: str, other: str) -> str:
    return scheme if other in ("", scheme) else f"{scheme}, JAX: {other}"


def _spelled(shape: str) -> str:
    return shape.replace("x", "×")


def _fan(fan: int) -> str:
    return "an entry" if fan == 1 else f"sum of {fan} entries"


def _seeds(table: pd.DataFrame) -> int:
    return int(table["seeds"].max())

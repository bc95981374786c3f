"""What goes up and what comes back, by layer or depth: rows for ``lenet_depth``."""

import numpy as np
import pandas as pd

from analysis.bands import Absent
from analysis.lenet_theory import slopes

NETWORK = ["activation", "cure", "scheme"]
FIRST = "|∂L/∂W| of layer 1, log10"
_PANELS = {
    "first_grad": FIRST,
    "act_slope": "outputs, towards the last layer",
    "delta_slope": "∂L/∂z, towards the input",
    "grad_slope": "|∂L/∂W|, towards the input",
}
_PROFILES = {"act": "outputs, rms", "delta": "∂L/∂z, rms", "weight_grad": "|∂L/∂W|"}
_NORMS = {"weight": "|W|", "weight_grad": "|∂L/∂W|"}
_ENDS = 0.05, 0.5, 0.95
_WORDS = {"batch_norm": "batch norm", "both": "shortcut + batch norm"}


def name(activation: str, cure: str, scheme: str, usual: str = "torch") -> str:
    """A kind of network in words; the usual initialization goes without saying.

    Example:
        >>> name("relu", "both", "torch"), name("relu", "shortcut", "fixup")
        ('relu, shortcut + batch norm', 'relu, shortcut, fixup')
    """
    words = [activation, _WORDS.get(cure, cure)]
    return ", ".join(words if scheme == usual else [*words, scheme])


def quantile(values: pd.Series, p: float) -> float:
    """A quantile that is one of the values; what is not a number counts as infinite."""
    wide = values.fillna(np.inf).to_numpy(np.float64)
    return float(np.quantile(wide, p, method="inverted_cdf"))


def starts(table: pd.DataFrame) -> pd.DataFrame:
    """First gradients and slopes before training, against modules.

    Returns:
        panel, statistic, activation, cure, scheme, modules, ``low``, ``median``, ``high``
        (quantiles 0.05, 0.5, 0.95 over ``seeds``), ``lost``: share of the networks in
        which the signal leaves float32, and ``theory`` of many channels, or nan. No
        slope is left, nan, where that happens at once.

    Raises:
        Absent: if nothing is measured before training.
    """
    networks = _named(of_part(table, "start"))
    keys = [*NETWORK, "modules"]
    rows = []
    for (*kind, modules), same in networks.groupby(keys, sort=False):
        theory = _theory(*kind)
        for statistic, panel in _PANELS.items():
            values = same[statistic]
            left = same["act_lost" if statistic == "act_slope" else "delta_lost"] > 0
            first = statistic == "first_grad"
            if not first and values.isna().all() and not left.any():
                continue  # too few layers for a slope
            known = values if first else values.dropna()
            ends = [quantile(known, p) if len(known) else np.nan for p in _ENDS]
            row = (panel, statistic, *kind, modules, *ends, left.mean(), len(same))
            rows.append((*row, theory.get(statistic, np.nan)))
    columns = ["panel", "statistic", *keys, "low", "median", "high", "lost", "seeds"]
    found = pd.DataFrame(rows, columns=[*columns, "theory"])
    order = {panel: at for at, panel in enumerate(_PANELS.values())}
    found = found.sort_values("panel", key=lambda c: c.map(order), kind="stable")
    found.attrs["note"] = f"medians and 90 % of {spread(found['seeds'])} seeds"
    return found.reset_index(drop=True)


def profiles(table: pd.DataFrame) -> pd.DataFrame:
    """What goes up and what comes back before training, layer by layer.

    Returns:
        panel, activation, cure, scheme, modules, seed, layer, ``value`` (log10), with
        panels of their own for each number of modules.

    Raises:
        Absent: if no layers are measured before training.
    """
    layers = of_part(table, "layers")
    first = layers[layers["steps"] == 0]
    if first.empty:
        raise Absent("no layers before training")
    first = _named(first)
    first = first[first["seed"] == first["seed"].min()]
    keys = [*NETWORK, "modules", "seed", "layer"]
    parts = [
        same[keys].assign(panel=f"{panel}, N = {depth}", value=same[column].astype(float))
        for depth, same in first.groupby("modules")
        for column, panel in _PROFILES.items()
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows.attrs["note"] = "N modules, one seed"
    return rows


def in_training(table: pd.DataFrame) -> pd.DataFrame:
    """Norms of weights and of gradients of every layer, before and after training.

    Returns:
        panel, activation, cure, scheme, modules, step, layer, ``value``: median over the
        ``seeds``, log10; of the deepest networks of each kind.

    Raises:
        Absent: if no layers are measured in training.
    """
    layers = of_part(table, "layers")
    trained = layers[layers["steps"] > 0]
    if trained.empty:
        raise Absent("no layers in training")
    deepest = trained.groupby(NETWORK)["modules"].transform("max")
    trained = trained[trained["modules"] == deepest]
    keys = [*NETWORK, "optimizer", "rate", "epsilon", "steps", "modules", "step", "layer"]
    parts = []
    for kind, same in trained.groupby(NETWORK, sort=False):
        for column, words in _NORMS.items():
            of = same.groupby(keys, sort=False)[column]
            part = of.agg(value=lambda v: quantile(v, 0.5), seeds="size").reset_index()
            parts.append(part.assign(panel=f"{words}: {name(*kind)}"))
    rows = pd.concat(parts, ignore_index=True)
    seeds = spread(rows["seeds"])
    rows.attrs["note"] = (
        f"{spread(rows['modules'])} modules, {seeds} seed{'s' * (seeds != '1')}, "
        f"{trained_how(rows.iloc[0])}"
    )
    return rows


def trained_how(way: pd.Series) -> str:
    """How networks are trained, in words."""
    adam = way["optimizer"] == "adam"
    kind = "Adam" if adam else "SGD with momentum 0.9"
    epsilon = f", ε = {way['epsilon']:.3g}" if adam else ""
    return f"{kind}, rate {way['rate']:.3g}{epsilon}, {way['steps']:,} steps"


def spread(values: pd.Series) -> str:
    """The one value, or the least and the largest.

    Example:
        >>> spread(pd.Series([3, 3])), spread(pd.Series([3, 1]))
        ('3', '1 to 3')
    """
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"


def of_part(table: pd.DataFrame, part: str) -> pd.DataFrame:
    """Rows of a part of the sweep.

    Raises:
        Absent: if there are none.
    """
    rows = table[table["part"] == part]
    if rows.empty:
        raise Absent(f"no part {part}")
    return rows


def _named(networks: pd.DataFrame) -> pd.DataFrame:
    """Kinds with curves of their own: torch's with all cures, uniform ones plain."""
    torch = networks["scheme"] == "torch"
    wild = networks["scheme"].str.startswith("uniform(") & (networks["cure"] == "plain")
    if not (torch | wild).any():
        raise Absent("neither torch's initialization nor a uniform one")
    return networks[torch | wild]


def _theory(activation: str, cure: str, scheme: str) -> dict[str, float]:
    found = slopes(activation, scheme) if cure == "plain" else None
    return {} if found is None else {f"{k}_slope": v for k, v in found._asdict().items()}

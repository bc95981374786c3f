"""How well networks train, and how deep they can be: rows for ``lenet_depth``."""

from functools import partial

import pandas as pd

from analysis.bands import Absent
from analysis.lenet_signals import NETWORK, name, of_part, quantile, spread, trained_how

WAY = ["optimizer", "rate", "epsilon", "steps"]
TRANSFORM = ["transform", "threshold"]
GROUP = [*NETWORK, *WAY, *TRANSFORM]
_CURES = ("plain", "shortcut", "batch_norm", "both")


def accuracies(table: pd.DataFrame, trained: float) -> pd.DataFrame:
    """Test accuracy of networks in training, the best that was recorded.

    Args:
        table: Of the sweep.
        trained: Accuracy from which on a network counts as trained.

    Returns:
        One row per kind, way of training and ``modules``: ``low``, ``median``, ``high``
        over the ``seeds``, and ``share``, that of the seeds that are trained.

    Raises:
        Absent: if the table has no networks in training.
    """
    networks = of_part(table, "train").astype({"best_accuracy": float})
    of = networks.groupby([*GROUP, "modules"], sort=False)["best_accuracy"]
    rows = of.agg(low="min", median="median", high="max", seeds="size")
    # A level of 0.5 is reached by a 0.5 that float32 has kept.
    rows["share"] = of.apply(lambda best: (best >= trained - 1e-6).mean())
    return rows.reset_index()


def limits(rows: pd.DataFrame) -> pd.DataFrame:
    """How deep each kind trains in each way, by the median network.

    Args:
        rows: From ``accuracies``.

    Returns:
        One row per kind and way: ``frontier``, the largest number of modules at which at
        least half of the seeds train, -1 if there is none; ``fails``, the smallest at
        which they do not, -1 if there is none; ``deepest``, the largest measured; and
        ``best``, the best median accuracy of any number.
    """
    found = []
    for key, same in rows.groupby(GROUP, sort=False):
        train = same["share"] >= 0.5
        ends = {
            "frontier": same.loc[train, "modules"].max() if train.any() else -1,
            "fails": same.loc[~train, "modules"].min() if not train.all() else -1,
            "deepest": same["modules"].max(),
            "best": same["median"].max(),
        }
        found.append(dict(zip(GROUP, key, strict=True)) | ends)
    whole = dict.fromkeys(("frontier", "fails", "deepest"), int)
    return pd.DataFrame(found, columns=[*GROUP, *whole, "best"]).astype(whole)


def depth_map(table: pd.DataFrame, trained: float) -> pd.DataFrame:
    """Accuracy after training and first gradient before it, by kind and modules.

    Of depths that are not measured before training, the gradient of the first minibatch.

    The way of training is that of the study ``map``; its kinds, and Fixup's.

    Returns:
        quantity (``accuracy`` or ``gradient``), activation, cure, scheme, row (in words),
        modules, ``value`` (median; of gradients log10), ``seeds``, panel.

    Raises:
        Absent: if the table has no such study.
    """
    asked = of_part(table, "train")
    asked = asked[asked["study"] == "map"]
    if asked.empty:
        raise Absent("no map")
    way = asked[["activation", *WAY, *TRANSFORM]].drop_duplicates()
    usual = dict(asked[["activation", "scheme"]].drop_duplicates().to_numpy())
    found = accuracies(table, trained).merge(way).rename(columns={"median": "value"})
    fixup = (found["scheme"] == "fixup") & (found["cure"] == "shortcut")
    found = found[(found["scheme"] == found["activation"].map(usual)) | fixup]
    first = table[table["part"] == "start"]
    seen = of_part(table, "train").merge(way)
    first = pd.concat([first, seen[~seen["modules"].isin(first["modules"])]])
    of = first.merge(found[NETWORK].drop_duplicates()).groupby([*NETWORK, "modules"])
    middle = partial(quantile, p=0.5)
    grads = of["first_grad"].agg(value=middle, seeds="size").reset_index()
    parts = found.assign(quantity="accuracy"), grads.assign(quantity="gradient")
    rows = pd.concat(parts, ignore_index=True)
    rows = rows[_widely(rows)].copy()
    kinds = rows[NETWORK].itertuples(index=False)
    rows["row"] = [name(*kind, usual[kind[0]]) for kind in kinds]
    rows["panel"] = "map"
    columns = ["panel", "quantity", *NETWORK, "row", "modules", "value", "seeds"]
    shown = _sorted(rows)[columns]
    ways = [
        f"{one.activation} from {usual[one.activation]}: {trained_how(row)}"
        for one, (_, row) in zip(way.itertuples(), way.iterrows(), strict=True)
    ]
    note = "\n".join(ways) + f"; {spread(found['seeds'])} seeds"
    note += f"\ngradients: {spread(grads['seeds'])} seeds"
    if fixup.any():
        note += "; Fixup's are 0, as its readout is"
    shown.attrs["note"] = note
    return shown


def frontiers(table: pd.DataFrame, trained: float) -> pd.DataFrame:
    """Accuracy of plain networks by modules and way of training, and their frontier.

    Returns:
        activation, cure, scheme, way of training, row (in words), modules, ``low``,
        ``median``, ``high``, ``share``, ``seeds`` and ``frontier``, see ``limits``.

    Raises:
        Absent: if there are no plain networks, or only in one way.
    """
    rows = accuracies(table, trained)
    rows = rows[(rows["cure"] == "plain") & (rows["transform"] == "none")]
    if rows[[*WAY, "scheme"]].drop_duplicates().shape[0] < 2:
        raise Absent("no plain networks in different ways")
    rows = rows.merge(limits(rows)).drop(columns=["fails", "deepest", "best"])
    budgets = rows.groupby("activation")["steps"].transform("nunique") > 1
    rows["row"] = [
        _way(*way) + f", {way[-1]:,} steps" * int(several)
        for several, way in zip(budgets, rows[["scheme", *WAY]].to_numpy(), strict=True)
    ]
    usual = rows["scheme"] != "torch"
    other = rows["optimizer"] != "adam"
    keys = ["activation", "usual", "scheme", "other", "rate", "epsilon", "steps", "modules"]
    rows = rows.assign(usual=usual, other=other)
    ascending = [True, True, True, True, False, False, True, True]
    rows = rows.sort_values(keys, ascending=ascending, ignore_index=True)
    rows = rows.drop(columns=["usual", "other"])
    rows.attrs["note"] = f"{spread(rows['seeds'])} seeds, {spread(rows['steps'])} steps"
    return rows


def transformed(table: pd.DataFrame, trained: float) -> pd.DataFrame:
    """Accuracy with and without something done to the gradients, against modules.

    Returns:
        panel, activation, cure, scheme, way of training, transform, threshold, modules,
        ``low``, ``median``, ``high``, ``share``, ``seeds``.

    Raises:
        Absent: if nothing is done to any gradient.
    """
    rows = accuracies(table, trained)
    ways = [*NETWORK, *WAY]
    altered = rows.loc[rows["transform"] != "none", ways].drop_duplicates()
    if altered.empty:
        raise Absent("no gradients clipped or floored")
    rows = rows.merge(altered)
    kinds = rows[["activation", "cure", "scheme"]].itertuples(index=False)
    rows["panel"] = [name(*kind, "") for kind in kinds]
    seeds = spread(rows["seeds"])
    rows.attrs["note"] = f"{trained_how(rows.iloc[0])}, medians and range of {seeds} seeds"
    return rows


def _way(scheme: str, optimizer: str, rate: float, epsilon: float, _: int) -> str:
    """A way of training in words, or the initialization where it is another."""
    way = f"SGD {rate:.3g}"
    if optimizer == "adam":
        way = f"Adam {rate:.3g}, ε {epsilon:.0e}".replace("e-0", "e-")
    return way if scheme == "torch" else f"{scheme}, {way}"


def _widely(rows: pd.DataFrame) -> pd.Series:
    """Rows of depths at which more than a third of the kinds are measured."""
    kinds = rows[NETWORK].drop_duplicates().shape[0]
    sizes = rows.groupby(["quantity", "modules"])["value"].transform("size")
    wide = set(rows.loc[sizes > kinds / 3, "modules"])
    return rows["modules"].isin(wide)


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    """ReLU before sigmoid as in all figures, cures as they add up."""
    rank = rows["cure"].map({cure: at for at, cure in enumerate(_CURES)})
    keys = ["activation", "rank", "scheme", "quantity", "modules"]
    down = [True, True, False, True, True]
    rows = rows.assign(rank=rank).sort_values(keys, ascending=down, ignore_index=True)
    return rows.drop(columns="rank")

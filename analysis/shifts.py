"""What shifts of the data cost, and what corrections win back: means over seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student

from analysis.bands import Absent


def means(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean accuracy of each method over seeds, and a 95 % interval to compare methods by.

    What all methods of a seed share, such as digits that are easy, is taken out of the
    interval (Cousineau 2005, with Morey's factor √(M / (M - 1)) for M methods).

    Returns:
        ``by``, method, ``mean``, ``half``: half the width of the interval, and ``seeds``.
    """
    some = table[table["accuracy"].notna()].astype({"accuracy": float})
    of_seed = some.groupby([*by, "seed"])["accuracy"].transform("mean")
    count = some.groupby([*by, "seed"])["accuracy"].transform("size")
    own = (some["accuracy"] - of_seed) * np.sqrt(count / (count - 1))
    grouped = some.assign(own=own).groupby([*by, "method"])
    rows = grouped.agg(mean=("accuracy", "mean"), std=("own", "std"), seeds=("own", "size"))
    quantile = student.ppf(0.975, np.maximum(rows["seeds"] - 1, 1))
    rows["half"] = quantile * rows.pop("std") / np.sqrt(rows["seeds"])
    return rows.reset_index()


def won_back(table: pd.DataFrame) -> pd.DataFrame:
    """Of what training on the target is better by, the share that a correction wins.

        (corrected - uncorrected) / (target - uncorrected), of means over seeds

    Returns:
        part, change, strength, step, method, ``lost`` (target - uncorrected), ``share``
        and its standard error over the seeds; where more than half a point of accuracy
        is lost, and more than two standard errors.
    """
    keys = ["part", "change", "strength", "step"]
    some = table[table["accuracy"].notna()].replace({"method": {"static": "source"}})
    wide = some.set_index([*keys, "seed", "method"])["accuracy"].astype(float).unstack()
    lost = wide["target"] - wide["source"]
    made = []
    for method in wide.columns.difference(["target", "source"]):
        won = (wide[method] - wide["source"]).dropna()
        for key, of_seed in won.groupby(keys):
            all_lost = lost.loc[of_seed.index]
            size = np.sqrt(len(of_seed))
            mean = all_lost.mean()
            if mean <= max(2 * all_lost.std() / size, 0.005):
                continue
            share = of_seed.mean() / mean
            error = (of_seed - share * all_lost).std() / size / mean
            found = {"method": method, "lost": mean, "share": share, "error": error}
            made.append(dict(zip(keys, key, strict=True)) | found)
    return pd.DataFrame(made, columns=[*keys, "method", "lost", "share", "error"])


def corrected(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over the strength of covariate and label shifts, a panel for each kind.

    Raises:
        Absent: if the table has neither.
    """
    some = table[table["part"].isin(["covariate", "label"])]
    if some.empty:
        raise Absent("no covariate or label shift")
    rows = means(some, ["part", "change", "strength"]).rename(columns={"strength": "x"})
    rows["panel"] = rows["change"].replace({"priors": "digits in other proportions"})
    changes = rows.loc[rows["part"] == "covariate", "change"].unique()
    rows.attrs["note"] = _note(some)
    if len(changes):
        words = "over the gap between the shares of images so changed"
        rows.attrs["note"] += f"\n{', '.join(changes)}: {words}"
    return rows


def drifted(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over time, a panel for each drift.

    Raises:
        Absent: if nothing drifts.
    """
    some = table[(table["part"] == "concept") & (table["strength"] > 0)]
    if some.empty:
        raise Absent("no drift")
    rows = means(some, ["part", "strength", "step"]).rename(columns={"step": "x"})
    rows["panel"] = [f"{100 * s:.3g} % of the digits per batch" for s in rows["strength"]]
    widest = 100 * rows["half"].max()  # hardly to be seen beside a marker
    rows.attrs["note"] = f"{_note(some)}, intervals within ±{widest:.2g} %"
    return rows


def estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Errors of estimated class weights by images: root mean square, and to first order.

    Returns:
        strength, images, ``measured``, its ``error`` over seeds, ``theory``, panel.

    Raises:
        Absent: if the table has none.
    """
    some = table[table["method"] == "estimate"]
    if some.empty:
        raise Absent("no label shift")
    squares = some.assign(
        square=np.square(some["weight_error"].astype(float)),
        theory=np.square(some["expected_error"].astype(float)),
    ).groupby(["strength", "images"])
    of = squares["square"]
    rows = pd.DataFrame(
        {"measured": np.sqrt(of.mean()), "theory": np.sqrt(squares["theory"].mean())}
    )
    rows["error"] = of.std() / np.sqrt(of.size()) / (2 * rows["measured"])
    rows = rows.reset_index()
    rows["panel"] = [f"ln(most / least) = {strength:g}" for strength in rows["strength"]]
    rows.attrs["note"] = _note(some)
    return rows


def _note(some: pd.DataFrame) -> str:
    seeds = some["seed"].nunique()
    return f"softmax regression on means of blocks of MNIST's pixels, {seeds} seeds"

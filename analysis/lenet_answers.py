"""What is told of depth, answered from the table of ``lenet_depth``."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from analysis.bands import Absent
from analysis.lenet_signals import NETWORK, in_training, quantile, spread, starts
from analysis.lenet_trained import GROUP, WAY, accuracies, limits

_GROWS = 0.05
"""Decades per convolution from which on a signal explodes."""
_NEAR_ZERO = -3.0
"""log10 of a norm below which it is near 0."""


_LIFT = 0.1
"""Accuracy by which a network has to be better to be called lifted."""


class Answer(NamedTuple):
    """One claim.

    Attributes:
        told: What is told.
        verdict: Yes, no, or under which setting.
        measured: By which numbers.
    """

    told: str
    verdict: str
    measured: str


def answers(table: pd.DataFrame, trained: float) -> list[Answer]:
    """Every claim of which the table has the networks.

    Args:
        table: Of the sweep.
        trained: Accuracy from which on a network counts as trained.
    """
    found = []
    for ask in _ASKED:
        try:
            found.append(ask(table, trained))
        except Absent:
            continue
    return found


def _plain(
    table: pd.DataFrame, trained: float, *, activation: str, told: str, last: range
) -> Answer:
    """How deep plain networks train, over all ways to train them."""
    rows = accuracies(table, trained)
    there = rows["modules"].isin(last).groupby([rows[key] for key in GROUP])
    shallow = rows["share"].lt(0.5) & rows["modules"].lt(last.start)
    failed = shallow.groupby([rows[key] for key in GROUP]).transform("any")
    rows = rows[there.transform("any") | failed]  # where it could be seen
    ends = _limits(rows, activation=activation, cure="plain", transform="none")
    right = ends["frontier"].isin(last) & (ends["fails"] >= 0)
    ranges = []
    for scheme, same in ends.groupby("scheme", sort=False):
        deepest = [_depth(row) for row in same.itertuples()]
        ranges.append(f"{scheme} {', '.join(dict.fromkeys(deepest))}")
    return Answer(told, _in(right), "deepest that train: " + "; ".join(ranges))


def _explosion(table: pd.DataFrame, trained: float) -> Answer:
    """Whether signals of uniform weights grow."""
    rows = starts(table)
    wild = rows[rows["scheme"].str.startswith("uniform(") & (rows["cure"] == "plain")]
    if wild.empty:
        raise Absent("no uniform weights")
    verdicts, numbers = [], []
    for activation, same in wild.groupby("activation", sort=False):
        slope = same[same["median"].notna()].set_index("statistic")["median"]
        act, delta = (float(slope.loc[[f"{k}_slope"]].iloc[-1]) for k in ("act", "delta"))
        grows = max(act, delta) > _GROWS
        verdicts.append(f"{activation}: {'yes' if grows else 'no'}")
        lost = same[(same["statistic"] == "first_grad") & (same["lost"] >= 0.5)]
        off = f", float32 left from N = {lost['modules'].min()}" if len(lost) else ""
        numbers.append(
            f"{activation}: outputs {act:+.2f}, ∂L/∂z {delta:+.2f} decades per "
            f"convolution{off}"
        )
    return Answer("U(-0.5, 0.5) explodes", ", ".join(verdicts), "; ".join(numbers))


def _transforms(
    table: pd.DataFrame, trained: float, *, told: str, names: tuple[str, ...], cure: bool
) -> Answer:
    """How deep networks train with something done to their gradients, and without."""
    ends = _limits(accuracies(table, trained))
    altered = ends[ends["transform"].isin(names)]
    if altered.empty:
        raise Absent("no such transforms")
    verdicts, numbers = [], []
    for key, same in altered.groupby([*NETWORK, *WAY], sort=False):
        way = dict(zip([*NETWORK, *WAY], key, strict=True))
        before = ends[(ends[list(way)] == pd.Series(way)).all(axis=1)]
        before = before[before["transform"] == "none"]
        if before.empty:
            continue
        bare = before.iloc[0]
        words = [
            f"{row.transform} {row.threshold:.3g}: {_depth(row)} ({row.best:.2f})"
            for row in same.itertuples()
        ]
        moved = same["frontier"] - bare["frontier"]
        found = moved.max() > 0 if cure else (moved < 0).all()
        lifted = cure and same["best"].max() > bare["best"] + _LIFT
        verdict = "yes" if found else "it lifts them" if lifted else "no"
        verdicts.append(f"{bare['scheme']}: {verdict}")
        plain = f"{bare['scheme']} {_depth(bare)} ({bare['best']:.2f})"
        numbers.append(f"{plain}, {', '.join(words)}")
    if not numbers:
        raise Absent("nothing to compare with")
    measured = "deepest that train (and best accuracy of any depth): "
    return Answer(told, ", ".join(verdicts), measured + "; ".join(numbers))


def _cured(
    table: pd.DataFrame, trained: float, *, cure: str, told: str, depth: int
) -> Answer:
    """How deep networks with a cure train, and whether their start is in float32."""
    ends = _limits(accuracies(table, trained), cure=cure, transform="none")
    verdicts, numbers = [], []
    for row in ends.itertuples():
        reached = row.frontier >= depth
        open_end = row.frontier == row.deepest and not reached
        verdict = "yes" if reached else "as far as measured" if open_end else "no"
        verdicts.append(f"{row.activation}, {row.scheme}: {verdict}")
        start = _deepest(table, row)
        numbers.append(f"{row.activation}, {row.scheme} {_depth(row)}{start}")
    measured = "deepest that train: " + "; ".join(numbers)
    return Answer(told, "; ".join(verdicts), measured)


def _layers(table: pd.DataFrame, trained: float) -> Answer:
    """Which norms are near 0 after training with shortcuts."""
    rows = in_training(table)
    rows = rows[rows["cure"] == "shortcut"]
    if rows.empty:
        raise Absent("no shortcuts in training")
    last = rows[rows["step"] == rows["step"].max()]
    gradient = last["panel"].str.startswith("|∂L")
    weights, gradients = last.loc[~gradient, "value"], last.loc[gradient, "value"]
    small = int((gradients < _NEAR_ZERO).sum())
    verdict = "yes" if small and (weights > _NEAR_ZERO).all() else "no"
    return Answer(
        f"after training {spread(last['modules'])} modules with shortcuts, some layers "
        "have gradients near 0 and none has weights near 0",
        verdict,
        f"{small} of {len(gradients)} gradients below 1e{_NEAR_ZERO:.0f}, the least "
        f"{10 ** gradients.min():.1e}, the median {10 ** gradients.median():.1e}; weights "
        f"from {10 ** weights.min():.2g} to {10 ** weights.max():.2g}",
    )


def _limits(rows: pd.DataFrame, **wanted: str) -> pd.DataFrame:
    """``limits`` of the networks wanted."""
    ends = limits(rows)
    for column, value in wanted.items():
        ends = ends[ends[column] == value]
    if ends.empty:
        raise Absent(f"no networks with {wanted}")
    return ends


def _deepest(table: pd.DataFrame, row: Any) -> str:
    """The first gradient of the deepest networks of a kind that are measured, in words."""
    same = table[table["part"] == "start"]
    for column in NETWORK:
        same = same[same[column] == getattr(row, column)]
    same = same[same["modules"] == same["modules"].max()]
    if same.empty:
        return ""
    value = quantile(same["first_grad"], 0.5)
    return f" (log10 |∂L/∂W| of layer 1 at {spread(same['modules'])}: {value:.1f})"


def _depth(row: Any) -> str:
    """The deepest that trains, in words."""
    if row.frontier < 0:
        return "none"
    return f"{row.frontier}{'+' if row.frontier == row.deepest else ''}"


def _in(right: pd.Series) -> str:
    """In how many of the ways it is as told."""
    if right.all() or not right.any():
        return "yes" if right.all() else "no"
    return f"in {right.sum()} of {len(right)} ways"


_CLIPS = ("clip_by_norm", "clip_by_value")
_ASKED: tuple[Callable[[pd.DataFrame, float], Answer], ...] = (
    partial(
        _plain,
        activation="sigmoid",
        told="sigmoid trains to 6 modules and not 7",
        last=range(6, 7),
    ),
    partial(_plain, activation="relu", told="ReLU fails from about 10", last=range(7, 13)),
    _explosion,
    partial(
        _transforms, told="clipping cures explosion, not vanishing", names=_CLIPS, cure=True
    ),
    partial(
        _transforms,
        told="a floor under small gradients makes it untrainable",
        names=("floor",),
        cure=False,
    ),
    partial(_cured, cure="batch_norm", told="BN helps to about 60 modules", depth=60),
    partial(_cured, cure="shortcut", told="with shortcuts 1,000 modules train", depth=1000),
    _layers,
)

"""Figures of ``sweeps.mended`` by the data of their artists, on a table made up."""

import io
from math import log

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import mended
from analysis.figures import compose
from analysis.report.answers.mended import answer, compare
from sweeps.mended import SCHEMA

SEEDS = 11
STEPS = (0, 1, 10)


def _losses(network, optimizer, state, rate, seed):
    if network == "residual" and state == "before":
        return [50.0, np.nan if optimizer == "sgd" else 20.0, np.nan]
    falls = network == "convolutional" or state == "after"
    slow = 1.0 if rate == 0.01 else 2.0
    return log(10) / (1 + falls * np.arange(3) / slow) + 0.001 * (seed - 5)


@pytest.fixture(scope="module")
def table():
    sick = {"deep_relu": "vanishing", "residual": "residual_blowup"}
    frames = [
        pd.DataFrame(
            {
                **{"network": network, "optimizer": optimizer, "rate": rate},
                **{"state": state, "seed": seed, "step": STEPS},
                "loss": _losses(network, optimizer, state, rate, seed),
                "accuracy": 0.1 if network in sick and state == "before" else 0.9,
                "verdict": sick.get(network, "healthy") if state == "before" else "healthy",
                "remedy": "init.kaiming_normal()" if network in sick else "",
            }
        )
        for network in mended.TITLES
        for optimizer in ("sgd", "adam")
        for rate in (0.001, 0.01)
        for state in ("before", "after")
        for seed in range(SEEDS)
    ]
    return SCHEMA.conform(pd.concat(frames))


def test_ends_are_medians_and_each_start_has_its_best_rate(table):
    rows = mended.ends(table)
    assert list(rows["network"].unique()) == list(mended.TITLES), "in the figure's order"
    assert list(rows["optimizer"].unique()) == ["sgd", "adam"]
    assert rows["chosen"].sum() == 3 * 2 * 2
    by = rows[rows["chosen"]].set_index(["network", "optimizer", "state"])
    well = by.loc[("deep_relu", "sgd", "after")]
    assert well["rate"] == np.float32(0.01)
    assert well["loss"] == pytest.approx(log(10) / 3, rel=1e-4)
    assert well["highest"] - well["lowest"] == pytest.approx(0.01, rel=1e-3)
    assert by.loc[("residual", "sgd", "before"), "loss"] == np.inf
    assert by.loc[("deep_relu", "adam", "before"), "verdict"] == "vanishing"


def test_curves_are_medians_and_end_where_losses_are_not_finite(table):
    rows = mended.loss_curves(table)
    canvas = compose(mended.FIGURES[0], rows)
    axes = {ax.get_title(loc="left").partition(" ")[2]: ax for ax in canvas.axes}
    assert next(iter(axes)) == "30 ReLU layers: vanishing\nSGD" and len(axes) == 6
    ax = axes["30 ReLU layers: vanishing\nSGD"]
    lines = {line.get_label(): line.get_ydata() for line in ax.get_lines()}
    np.testing.assert_allclose(lines["before the remedy"], log(10), rtol=1e-4)
    expected = log(10) / (1 + np.arange(3))
    np.testing.assert_allclose(lines["after the remedy"], expected, rtol=1e-4)
    assert np.allclose(lines["a guess, ln 10"], log(10))
    assert len(ax.collections) == 2, "a band for each"
    lost = axes["20 residual blocks: residual_blowup\nSGD"]
    before = {line.get_label(): line for line in lost.get_lines()}["before the remedy"]
    np.testing.assert_array_equal(np.isfinite(before.get_ydata()), [True, False, False])
    assert "11 seeds" in rows.attrs["note"]


def test_words(table):
    said = answer(table)
    assert "30 ReLU layers (vanishing) by SGD from 10% to 90%" in said
    assert "convolutional network (healthy) by Adam from 90% to 90%" in said
    away = compare(table).deviation
    assert away.startswith("0.005 nats from ln 10, of 11 seeds")
    with pytest.raises(LookupError, match="no deep ReLU network"):
        compare(table[table["network"] == "residual"])
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(mended.summary(table))
    text = " ".join(console.export_text().split())
    assert "deep_relu sgd before vanishing 0.001 2.3 10%" in text
    assert "residual sgd before residual_blowup 0.001 inf 10%" in text
